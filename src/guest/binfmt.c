/* Telling the kernel which qemu runs a guest's programs: binfmt_misc, mounted
 * inside our user namespace (Linux 6.7 and later, where each user namespace
 * may have its own), else what the host has registered. Formats: the kernel's
 * Documentation/admin-guide/binfmt-misc.rst. Flag F has the interpreter opened
 * now, so that the guest needs no copy of it; C lets setuid programs work; P
 * keeps argv[0], by which a login shell and busybox know what they are. */
#include "guest/binfmt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/spawn.h"
#include "base/str.h"
#include "guest/guest.h"
#include "guest/userns.h"

#define BINFMT_FOLDER "/proc/sys/fs/binfmt_misc"

/* A mount of our user namespace's own binfmt_misc, which is always the same file system. */
static int open_own(void)
{
        CLEANUP_CLOSE int context = fsopen("binfmt_misc", FSOPEN_CLOEXEC);
        int tree;

        /* Before 6.7 only the host's root may: EPERM. */
        if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        tree = fsmount(context, FSMOUNT_CLOEXEC, 0);
        return tree < 0 ? -errno : tree;
}

int binfmt_mount(int folder_fd)
{
        CLEANUP_CLOSE int tree = open_own();

        if (tree < 0)
                return tree;
        if (move_mount(tree, "", folder_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
                return -errno;
        return 0;
}

/* Have it mounted in the namespaces we are in, which keeps it alive; an fd of its folder. */
static int own_binfmt(void)
{
        CLEANUP_CLOSE int tree = open_own();
        struct stat there, own;

        if (tree < 0)
                return tree;
        if (fstat(tree, &own) < 0)
                return -errno;
        if (stat(BINFMT_FOLDER, &there) == 0 && there.st_dev == own.st_dev)
                return steal_fd(&tree);
        if (move_mount(tree, "", AT_FDCWD, BINFMT_FOLDER, MOVE_MOUNT_F_EMPTY_PATH) < 0)
                return -errno;
        return steal_fd(&tree);
}

/* What it says of its version, or NULL. The caller frees. */
static char *version_of(const char *qemu)
{
        const char *argv[] = {qemu, "--version", NULL};
        char *text = NULL;

        return spawn_capture(argv, &text, NULL) < 0 ? NULL : text;
}

static long major_version(const char *qemu)
{
        CLEANUP_FREE char *text = version_of(qemu);
        const char *version = text ? strstr(text, "version ") : NULL;

        return version ? strtol(version + strlen("version "), NULL, 10) : 0;
}

/* Those of all processors are of one package, so any of them answers. */
char *guest_qemu_version(const char *qemu)
{
        const struct arch *arch;

        for (size_t i = 0; (arch = arch_at(i)); i++) {
                CLEANUP_FREE char *program = arch_qemu(arch, qemu);

                if (program)
                        return version_of(program);
        }
        return NULL;
}

/* Does this qemu understand flag P (AT_FLAGS_PRESERVE_ARGV0)? Version 6.0 and later. Those of one folder are of one
 * package, and the question takes as long as some steps of a build. */
static bool keeps_argv0(const char *qemu)
{
        static char *asked;
        static bool answer;
        CLEANUP_FREE char *folder = path_dir(qemu);

        if (!str_eq(asked, folder)) {
                answer = major_version(qemu) >= 6;
                free(asked);
                asked = steal(&folder);
        }
        return answer;
}

static void add_bytes(struct str *line, const uint8_t *bytes, size_t n, char separator)
{
        for (size_t i = 0; i < n; i++)
                str_addf(line, "\\x%02x", bytes[i]);
        str_addc(line, separator);
}

static char *registration(const struct arch *arch, const char *qemu, bool argv0)
{
        struct str line = {0};
        uint8_t magic[ARCH_PATTERN], mask[ARCH_PATTERN];
        char separator = ':';

        for (const char *p = ":|;,@"; *p && strchr(qemu, separator); p++)
                separator = *p;
        arch_pattern(arch, magic, mask);
        str_addf(&line, "%cqemu-%s%cM%c%c", separator, arch->name, separator, separator, separator);
        add_bytes(&line, magic, sizeof(magic), separator);
        add_bytes(&line, mask, sizeof(mask), separator);
        str_addf(&line, "%s%c%sOCF", qemu, separator, argv0 ? "P" : "");
        return str_steal(&line);
}

static int write_to(int folder, const char *name, const char *text)
{
        CLEANUP_CLOSE int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
                return -errno;
        return 0;
}

static int register_own(int folder, const struct arch *arch, const char *qemu, bool argv0, struct error *err)
{
        CLEANUP_FREE char *name = xasprintf("qemu-%s", arch->name);
        CLEANUP_FREE char *path = xasprintf("/proc/self/fd/%d/%s", folder, name);
        CLEANUP_FREE char *line = NULL, *text = NULL;
        CLEANUP_FREE char *wanted = xasprintf("\ninterpreter %s\n", qemu);
        int r;

        if (file_read(path, 0, &text, NULL, NULL) == 0) {
                if (strstr(text, wanted))
                        return 0;
                write_to(folder, name, "-1");
        }
        line = registration(arch, qemu, argv0);
        log_debug("binfmt_misc: %s", line);
        r = write_to(folder, "register", line);
        return r < 0 ? error_errno(err, -r, "register '%s' with binfmt_misc", qemu) : 0;
}

bool binfmt_can_replace(const char *qemu)
{
        CLEANUP_CLOSE int folder = own_binfmt();

        return folder >= 0 && keeps_argv0(qemu);
}

int binfmt_replace(const struct arch *arch, const char *qemu, struct error *err)
{
        CLEANUP_CLOSE int folder = own_binfmt();

        return folder < 0 ? error_errno(err, -folder, "mount binfmt_misc")
                          : register_own(folder, arch, qemu, true, err);
}

static bool parse_hex(const char *s, uint8_t *bytes, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                char digits[3] = "", *end;

                strncpy(digits, s + 2 * i, 2);
                bytes[i] = (uint8_t)strtoul(digits, &end, 16);
                if (end != digits + 2)
                        return false;
        }
        return true;
}

bool binfmt_entry_serves(const char *text, const struct arch *arch)
{
        uint8_t magic[ARCH_PATTERN], mask[ARCH_PATTERN], want[ARCH_PATTERN], want_mask[ARCH_PATTERN];
        const char *flags = strstr(text, "\nflags: "), *m = strstr(text, "\nmagic "), *k = strstr(text, "\nmask ");

        if (!str_starts(text, "enabled\n") || !strstr(text, "\noffset 0\n") || !flags || !m || !k)
                return false;
        flags += strlen("\nflags: ");
        if (!memchr(flags, 'F', strcspn(flags, "\n")))
                return false;
        if (strcspn(m + 7, "\n") < sizeof(magic) * 2 || strcspn(k + 6, "\n") < sizeof(mask) * 2)
                return false;
        if (!parse_hex(m + 7, magic, sizeof(magic)) || !parse_hex(k + 6, mask, sizeof(mask)))
                return false;
        arch_pattern(arch, want, want_mask);
        for (size_t i = 0; i < sizeof(magic); i++)
                if ((magic[i] ^ want[i]) & mask[i])
                        return false;
        return true;
}

/* What the host has registered for it, or NULL. */
static char *host_registration(const struct arch *arch)
{
        CLEANUP_CLOSEDIR DIR *dir = opendir(BINFMT_FOLDER);
        const struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                CLEANUP_FREE char *path = path_join(BINFMT_FOLDER, entry->d_name), *text = NULL;

                if (entry->d_name[0] == '.' || strcmp(entry->d_name, "register") == 0)
                        continue;
                if (file_read(path, 0, &text, NULL, NULL) == 0 && binfmt_entry_serves(text, arch))
                        return xasprintf("the host's binfmt_misc entry '%s'", entry->d_name);
        }
        return NULL;
}

static int cannot(const struct arch *arch, int own, struct error *err)
{
        return error_set(
                err, -own,
                "programs for %s cannot be run here: the host has no emulator registered for them with flag F, and a "
                "user namespace may not register one (%s; it may since Linux 6.7). Mend it with:\n"
                "    sudo apt-get install qemu-user-static binfmt-support",
                arch->name, strerror(-own));
}

static int no_qemu(const struct arch *arch, struct error *err)
{
        return error_set(err, ENOENT,
                         "programs for %s need an emulator, and neither qemu-%s-static nor a statically linked "
                         "qemu-%s is installed (one that needs the host's libraries would not find them in the "
                         "guest). Mend it with:\n    sudo apt-get install qemu-user-static",
                         arch->name, arch->name, arch->name);
}

int binfmt_register(const struct arch *arch, const char *qemu, char **ret_by, struct error *err)
{
        CLEANUP_CLOSE int folder = -1;
        CLEANUP_FREE char *program = NULL, *by = NULL;
        int r;

        if (arch_native(arch)) {
                if (ret_by)
                        *ret_by = NULL;
                return 0;
        }
        /* Mounting our own hides what the host has, so it is looked at first. */
        by = host_registration(arch);
        program = arch_qemu(arch, qemu);
        folder = program ? own_binfmt() : -ENOENT;
        if (folder >= 0) {
                r = register_own(folder, arch, program, keeps_argv0(program), err);
                if (r < 0)
                        return r;
                free(by);
                by = steal(&program);
        }
        if (!by)
                return program ? cannot(arch, folder, err) : no_qemu(arch, err);
        log_debug("programs for %s are run by %s", arch->name, by);
        if (ret_by)
                *ret_by = steal(&by);
        return 0;
}

struct registering {
        int machine;
        const char *qemu;
};

static int register_machine(void *arg, struct error *err)
{
        const struct registering *reg = arg;
        const struct arch *arch;
        int r = 0;

        if (!arch_by_machine(reg->machine, 0))
                return error_set(err, ENOTSUP, "the processor with ELF machine number %d is not known", reg->machine);
        /* The usual variant must work, the others (big-endian, 32 bits) may. */
        for (size_t i = 0; r == 0 && (arch = arch_by_machine(reg->machine, i)); i++) {
                CLEANUP_FREE char *found = i > 0 ? arch_qemu(arch, NULL) : NULL;

                if (i == 0 || found)
                        r = binfmt_register(arch, i == 0 ? reg->qemu : NULL, NULL, err);
        }
        return r;
}

int userns_binfmt(struct userns *ns, int elf_machine, const char *qemu, struct error *err)
{
        struct registering reg = {.machine = elf_machine, .qemu = qemu};

        return userns_call(ns, register_machine, &reg, err);
}
