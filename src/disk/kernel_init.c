/* Pid 1 of the kernel that writes a file system. See kernel.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/size.h"
#include "base/str.h"
#include "disk/change_log.h"
#include "disk/kernel.h"
#include "disk/kernel_words.h"

#define FS_DEVICE  "/dev/ubda"
#define LOG_DEVICE "/dev/ubdb"
#define PLACE      "/dev/image" /* the one folder that can be written to */

/* Modules to be loaded before a file system can be mounted, where the kernel has it not built in. */
static const struct {
        const char *fs, *module;
} modules[] = {
        {"f2fs", "crypto/crc32_generic"},
        {"f2fs", "fs/f2fs/f2fs"},
        {"btrfs", "fs/btrfs/btrfs"},
        {"xfs", "fs/xfs/xfs"},
};

static int load_modules(const char *fs, struct error *err)
{
        struct utsname name;

        if (uname(&name) < 0)
                return error_errno(err, errno, "uname");
        for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
                CLEANUP_FREE char *path = NULL;
                CLEANUP_CLOSE int fd = -1;

                if (strcmp(modules[i].fs, fs) != 0)
                        continue;
                path = xasprintf("/usr/lib/uml/modules/%s/kernel/%s.ko", name.release, modules[i].module);
                fd = open(path, O_RDONLY | O_CLOEXEC);
                if (fd < 0)
                        return error_errno(err, errno, "open the kernel module '%s'", path);
                if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
                        return error_errno(err, errno, "load the kernel module '%s'", path);
        }
        return 0;
}

static int mount_image(const char *fs, struct error *err)
{
        int r = 0;

        if (mkdir(PLACE, 0755) < 0)
                return error_errno(err, errno, "create " PLACE);
        if (mount(FS_DEVICE, PLACE, fs, 0, NULL) == 0)
                return 0;
        if (errno == ENODEV)
                r = load_modules(fs, err);
        if (r < 0)
                return r;
        return mount(FS_DEVICE, PLACE, fs, 0, NULL) < 0 ? error_errno(err, errno, "mount the new %s", fs) : 0;
}

static int replay(int64_t epoch, struct error *err)
{
        CLEANUP_FCLOSE FILE *log = fopen(LOG_DEVICE, "re");

        if (!log)
                return error_errno(err, errno, "open " LOG_DEVICE);
        if (chroot(PLACE) < 0 || chdir("/") < 0)
                return error_errno(err, errno, "enter " PLACE);
        return change_log_replay(log, epoch, err);
}

/* In a process of its own, which leaves the mount to us. */
static int replay_apart(int64_t epoch, int result, struct error *err)
{
        CLEANUP_ERROR struct error inner = {0};
        pid_t pid = fork();
        int status;

        if (pid < 0)
                return error_errno(err, errno, "fork");
        if (pid == 0) {
                if (replay(epoch, &inner) < 0)
                        dprintf(result, "%d %s", inner.code, error_message(&inner));
                _exit(0);
        }
        if (waitpid(pid, &status, 0) < 0 || status != 0)
                return error_set(err, EIO, "the process that writes the file system ended with %d", status);
        return 0;
}

/* That it is told the time by disk/steady.h. */
static int check_clock(int64_t epoch, struct error *err)
{
        time_t now = time(NULL);

        if (epoch < 0 || (now >= epoch && now - epoch < 3600))
                return 0;
        return error_set(err, EINVAL,
                         "the kernel's clock says %lld, but SOURCE_DATE_EPOCH %lld was expected; is LD_PRELOAD without "
                         "effect on this host?",
                         (long long)now, (long long)epoch);
}

static int fill(const char *fs, int64_t epoch, struct error *err)
{
        char text[4096] = "";
        struct statvfs before;
        int result[2], r = check_clock(epoch, err);
        ssize_t n;

        if (r == 0)
                r = mount_image(fs, err);
        if (r < 0)
                return r;
        if (statvfs(PLACE, &before) < 0 || pipe2(result, O_CLOEXEC | O_NONBLOCK) < 0)
                return error_errno(err, errno, "look at the new %s", fs);
        r = replay_apart(epoch, result[1], err);
        if (r < 0)
                return r;
        n = read(result[0], text, sizeof(text) - 1);
        if (n > 0 && strtol(text, NULL, 10) == ENOSPC)
                return error_set(err, ENOSPC, "%s (%s were free at first)", text + strspn(text, "0123456789 "),
                                 size_show(before.f_bavail * before.f_frsize));
        if (n > 0)
                return error_set(err, (int)strtol(text, NULL, 10), "%s", text + strspn(text, "0123456789 "));
        return umount(PLACE) < 0 ? error_errno(err, errno, "unmount the new %s", fs) : 0;
}

/* The kernel appends words of its own to argv. */
void kernel_init(int argc, char **argv)
{
        CLEANUP_ERROR struct error err = {0};
        int r = argc >= 3 ? 0 : error_set(&err, EINVAL, "pid 1 was started with %d words", argc);

        if (r == 0)
                r = fill(argv[1], strtoll(argv[2], NULL, 10), &err);
        printf("\n" KERNEL_RESULT "%d %s\n", err.code, r < 0 ? error_message(&err) : "written");
        fflush(stdout);
        sync();
        reboot(RB_POWER_OFF);
        _exit(1);
}
