/* See setup.h. The chain of processes, each of which dies with the one before:
 *
 *   slipway -> starter (enters the user namespace, makes the others, ends)
 *   slipway -> pid 1 of the guest (by CLONE_PARENT a child of slipway): mounts
 *              everything, then becomes cat(1), which waits for the end of a pipe. A program of
 *              its own, so that the guest cannot read slipway's memory and environment.
 *   pid 1 -> finisher: closes the host's view and reports
 *
 * Pid 1's root folder is an empty tmpfs, the guest's root a folder in it. So
 * programs notice that they are in a chroot (systemctl then does not try to reach a
 * running systemd), and even out of it there is nothing of the host. */
#include "guest/setup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "guest/arch.h"
#include "guest/archives.h"
#include "guest/binfmt.h"
#include "guest/inject.h"
#include "guest/inroot.h"
#include "guest/links.h"
#include "guest/mounts.h"
#include "guest/native.h"
#include "guest/native_files.h"
#include "guest/node.h"
#include "guest/ns.h"

/* What pid 1 has while it works. */
struct work {
        const struct setup *setup;
        const struct guest_config *config;
        struct guest_mount *mounts;
        size_t n_mounts;
        char *root, *inject, *cell;
        int scratch, below;
        const struct arch *arch;
        char *qemu; /* NULL: not emulated */
};

static void work_done(struct work *work)
{
        close_p(&work->scratch);
        close_p(&work->below);
        free(work->mounts);
        free(work->root);
        free(work->inject);
        free(work->cell);
        free(work->qemu);
}

/* The scratch folder, without what a killed run may have left in it. */
static int prepare_scratch(struct work *work, struct error *err)
{
        static const char *const parts[] = {"below",  "inject",      "originals",   "injected", "root", "cell",
                                            "native", "native-qemu", "native-door", "first",    "seen", NULL};
        const char *scratch = work->config->scratch;
        int r = dir_make(scratch, 0755, err);

        for (size_t i = 0; r == 0 && parts[i]; i++) {
                CLEANUP_FREE char *path = path_join(scratch, parts[i]);

                r = tree_remove(path, err);
        }
        if (r < 0)
                return r;
        work->scratch = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (work->scratch < 0)
                return error_errno(err, errno, "open '%s'", scratch);
        for (size_t i = 0; i < 3; i++)
                if (mkdirat(work->scratch, ((const char *[]){"below", "root", "cell"})[i], 0755) < 0)
                        return error_errno(err, errno, "make a folder in '%s'", scratch);
        work->root = path_join(scratch, "root");
        work->inject = path_join(scratch, "inject");
        work->cell = path_join(scratch, "cell");
        return 0;
}

/* The merged layers without ours, to look at. */
static int open_below(struct work *work, struct error *err)
{
        const char *const *lowers = work->config->lowers;
        CLEANUP_FREE char *path = path_join(work->config->scratch, "below");
        size_t n = strv_len(lowers);
        int r = 0;

        if (n == 0)
                return error_set(err, EINVAL, "a guest without layers");
        if (n > 1)
                r = mounts_overlay(lowers, n, NULL, NULL, path, false, err);
        if (r < 0)
                return r;
        work->below = open(n > 1 ? path : lowers[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return work->below < 0 ? error_errno(err, errno, "open '%s'", n > 1 ? path : lowers[0]) : 0;
}

static int find_arch(struct work *work, struct error *err)
{
        int r = arch_of_tree(work->below, "the image", &work->arch, err);

        return r < 0 ? r : binfmt_register(work->arch, work->config->qemu, &work->qemu, err);
}

static int inject(struct work *work, struct error *err)
{
        const struct guest_config *config = work->config;
        CLEANUP_FREE char *program = NULL;
        struct inject in;
        bool folder;
        int r = inject_begin(&in, work->scratch, work->below, err);

        if (r == 0)
                r = inject_resolv(&in, err);
        for (size_t i = 0; r == 0 && i < work->n_mounts; i++)
                if (mounts_needs_point(work->mounts, work->n_mounts, i, &folder))
                        r = inject_mountpoint(&in, work->mounts[i].destination, folder, err);
        if (r == 0 && config->packages)
                r = archives_inject(&in, config->packages, work->arch->name, err);
        /* With flag F nobody needs qemu in the guest, but a template that names its place may look for it. */
        if (r == 0 && work->qemu && config->qemu_destination) {
                program = arch_qemu(work->arch, config->qemu);
                if (program)
                        r = inject_file(&in, config->qemu_destination, program, err);
        }
        return r < 0 ? r : inject_end(&in, err);
}

static bool is_empty(int folder)
{
        int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CLEANUP_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                        return false;
        return true;
}

/* An empty upper folder gets the attributes of the image's root, which it stands for. */
static int prepare_upper(struct work *work, struct error *err)
{
        const struct guest_config *config = work->config;
        CLEANUP_FREE char *leftover = path_join(config->work, "work");
        CLEANUP_CLOSE int upper = open(config->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r;

        if (upper < 0)
                return error_errno(err, errno, "open '%s'", config->upper);
        r = tree_remove(leftover, err); /* of a volatile overlay: it would be refused */
        if (r < 0)
                return r;
        if (!is_empty(upper))
                return 0;
        r = links_prepare(config, work->below, err);
        return r < 0 ? r : node_copy_attributes(work->below, upper, err);
}

/* Programs of 32 bits may know no inode numbers of 64; they see more than one device instead. */
static bool wants_xino(const struct work *work)
{
        const char *const *lower = work->config->lowers;
        struct stat upper, st;

        if (work->arch->bits < 64 || stat(work->config->upper, &upper) < 0)
                return false;
        for (; *lower; lower++)
                if (stat(*lower, &st) == 0 && st.st_dev != upper.st_dev)
                        return true;
        return false;
}

static int mount_root(struct work *work, struct error *err)
{
        const struct guest_config *config = work->config;
        CLEANUP_STRV char **lowers = strv_dup(config->lowers);
        CLEANUP_CLOSE int root = -1, visible = -1;
        int r = prepare_upper(work, err);

        if (r < 0)
                return r;
        strv_add(&lowers, work->inject);
        r = mounts_overlay(STRV(lowers), strv_len(STRV(lowers)), config->upper, config->work, work->root,
                           wants_xino(work), err);
        if (r < 0)
                return r;
        /* What is mounted below it is seen from both mount namespaces. */
        if (mount(NULL, work->root, NULL, MS_SHARED, NULL) < 0)
                return error_errno(err, errno, "share '%s'", work->root);
        root = open(work->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return error_errno(err, errno, "open '%s'", work->root);
        r = mounts_apply(root, work->mounts, work->n_mounts, err);
        if (r < 0 || !config->mount_path)
                return r;
        visible = open(config->mount_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = visible < 0 ? -errno : mounts_bind(work->root, visible, true, false);
        return r < 0 ? error_errno(err, -r, "show the root on '%s'", config->mount_path) : 0;
}

/* Where the host can: its own builds of the guest's tools. */
static int accelerate(const struct work *work, struct error *err)
{
        CLEANUP_CLOSE int root = open(work->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        const struct guest_config *config = work->config;
        struct native native = {work->arch, work->qemu, root, config->scratch,
                                config->shared ? config->shared : config->scratch};

        if (!work->config->accelerate || !work->qemu)
                return 0;
        return root < 0 ? error_errno(err, errno, "open '%s'", work->root) : native_start(&native, err);
}

/* The image's own name, so that it and not the host's is what packages write down. */
static void set_hostname(const struct work *work)
{
        CLEANUP_CLOSE int fd = inroot_open(work->below, "/etc/hostname", O_RDONLY | O_NONBLOCK, 0);
        char buffer[65] = "";
        ssize_t n = fd < 0 ? 0 : read(fd, buffer, sizeof(buffer) - 1);
        const char *name;

        buffer[n > 0 ? n : 0] = '\0';
        buffer[strcspn(buffer, "\n")] = '\0';
        name = str_trim(buffer);
        if (*name && *name != '#' && sethostname(name, strlen(name)) == 0)
                return;
        if (sethostname("localhost", strlen("localhost")) < 0)
                log_debug("the guest keeps the host's name");
}

/* The guest's mount namespace: from here on ours, with an empty root that has the guest's in it, not yet entered. */
static int make_cell(const struct work *work, struct error *err)
{
        CLEANUP_FREE char *inner = path_join(work->cell, "root");
        CLEANUP_CLOSE int target = -1;
        int r;

        if (unshare(CLONE_NEWNS) < 0)
                return error_errno(err, errno, "make the guest's mount namespace");
        if (mount("slipway", work->cell, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64k") < 0)
                return error_errno(err, errno, "mount an empty root");
        if (mkdir(inner, 0755) < 0)
                return error_errno(err, errno, "make '%s'", inner);
        target = open(inner, O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = target < 0 ? -errno : mounts_bind(work->root, target, true, false);
        return r < 0 ? error_errno(err, -r, "move the root into place") : 0;
}

/* Make the cell the root of everybody in this mount namespace, and the host's folders vanish. */
static int enter_cell(const struct work *work, struct error *err)
{
        CLEANUP_CLOSE int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (old < 0 || chdir(work->cell) < 0)
                return error_errno(err, errno, "change the root");
        if (syscall(SYS_pivot_root, ".", ".") < 0)
                return error_errno(err, errno,
                                   errno == EINVAL
                                           ? "change the root (which cannot be done while the host's own root is "
                                             "an initramfs)"
                                           : "change the root");
        if (fchdir(old) < 0 || mount(NULL, ".", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_errno(err, errno, "part from the host's mounts");
        if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return error_errno(err, errno, "leave the host's mounts");
        return 0;
}

static int finish(const struct work *work, int fds[GUEST_FDS], int sock, struct error *err)
{
        int r = enter_cell(work, err);

        if (r < 0)
                return r;
        fds[GUEST_FD_ROOT] = open("/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fds[GUEST_FD_ROOT] < 0)
                return error_errno(err, errno, "open the guest's root");
        r = child_report(sock, work->qemu ? 1 + (int)arch_index(work->arch) : 0, NULL, fds, GUEST_FDS);
        return r < 0 ? error_errno(err, -r, "hand over the guest") : 0;
}

/* The program of the guest's first process. A foreign guest can take it from /proc/1/exe: there it is a copy that
 * native_check() knows. */
static int find_idle(const struct work *work, char **ret, struct error *err)
{
        CLEANUP_FREE char *cat = program_find("cat"), *marked = path_join(work->config->scratch, "first");
        int r;

        if (!cat)
                return error_set(err, ENOENT, "'cat' is not installed");
        r = work->qemu ? native_copy(cat, marked, err) : 0;
        if (r == 0)
                *ret = steal(work->qemu ? &marked : &cat);
        return r;
}

/* Pid 1 for good: nothing of us in memory. It goes by its own name, since that is what tells busybox and the like what
 * to be. Zombies are reaped by the kernel, as SIGCHLD is ignored. */
static int become_idle(const struct work *work, int echo, struct error *err)
{
        CLEANUP_FREE char *cat = NULL;
        char *argv[] = {(char[]){"cat"}, NULL}, *none[] = {NULL};
        CLEANUP_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        int r = find_idle(work, &cat, err);

        if (r < 0)
                return r;
        if (null < 0 || dup2(work->setup->control[0], 0) < 0 || dup2(echo, 1) < 0 || dup2(null, 2) < 0)
                return error_errno(err, errno, "set up the guest's first process");
        signal(SIGCHLD, SIG_IGN);
        if (chdir("/") < 0)
                return error_errno(err, errno, "change to '/'");
        execve(cat, argv, none);
        return error_errno(err, errno, "run '%s'", cat);
}

/* The finisher. Pid 1 needs the host's folders until its program and libraries are
 * loaded: when it echoes a byte it has them. */
static int finisher(const struct work *work, int fds[GUEST_FDS], int echo, int sock)
{
        CLEANUP_ERROR struct error err = {0};
        char byte;
        int r;

        if (write(work->setup->control[1], "e", 1) != 1 || read(echo, &byte, 1) != 1)
                return 1; /* pid 1 has reported its own error */
        r = finish(work, fds, sock, &err);
        if (r < 0)
                child_report(sock, r, &err, NULL, 0);
        return r < 0;
}

static int hand_over(const struct work *work, int fds[GUEST_FDS], int sock, struct error *err)
{
        int pipes[2];
        pid_t pid;

        if (pipe2(pipes, O_CLOEXEC) < 0)
                return error_errno(err, errno, "make a pipe");
        pid = fork();
        if (pid < 0)
                return error_errno(err, errno, "fork");
        if (pid == 0) {
                close(pipes[1]);
                close(work->setup->control[0]);
                _exit(finisher(work, fds, pipes[0], sock));
        }
        return become_idle(work, pipes[1], err);
}

static int open_namespaces(int fds[GUEST_FDS], struct error *err)
{
        static const struct {
                enum guest_fd index;
                const char *path;
        } own[] = {
                {GUEST_FD_MNT, "/proc/self/ns/mnt"},
                {GUEST_FD_PID, "/proc/self/ns/pid"},
                {GUEST_FD_IPC, "/proc/self/ns/ipc"},
                {GUEST_FD_UTS, "/proc/self/ns/uts"},
        };

        for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
                fds[own[i].index] = open(own[i].path, O_RDONLY | O_CLOEXEC);
                if (fds[own[i].index] < 0)
                        return error_errno(err, errno, "open '%s'", own[i].path);
        }
        return 0;
}

static int first_process(const struct setup *setup, int sock, struct error *err)
{
        CLEANUP(work_done) struct work work = {.setup = setup, .config = setup->config, .scratch = -1, .below = -1};
        int fds[GUEST_FDS], r;

        umask(022);
        work.n_mounts = mounts_list(work.config, &work.mounts);
        r = prepare_scratch(&work, err);
        if (r == 0)
                r = open_below(&work, err);
        if (r == 0)
                r = find_arch(&work, err);
        if (r == 0)
                r = inject(&work, err);
        if (r == 0)
                r = mount_root(&work, err);
        if (r == 0)
                r = accelerate(&work, err);
        if (r < 0)
                return r;
        set_hostname(&work);
        fds[GUEST_FD_HOST_MNT] = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        if (fds[GUEST_FD_HOST_MNT] < 0)
                return error_errno(err, errno, "open '/proc/self/ns/mnt'");
        r = make_cell(&work, err);
        if (r == 0)
                r = open_namespaces(fds, err);
        return r < 0 ? r : hand_over(&work, fds, sock, err);
}

/* In pid 1: our parent (slipway) is outside of our pid namespace, so it shows as 0. */
static void run_first_process(const struct setup *setup, int sock)
{
        CLEANUP_ERROR struct error err = {0};
        int r;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        cancel_reset();
        r = child_report(sock, 0, NULL, NULL, 0); /* whoever receives it learns our pid */
        if (r == 0)
                r = first_process(setup, sock, &err);
        child_report(sock, r, &err, NULL, 0);
        _exit(1);
}

int setup_start(void *arg, int sock, struct error *err)
{
        const struct setup *setup = arg;
        struct clone_args args = {.flags = CLONE_NEWPID | CLONE_PARENT};
        int pipes[2], r;
        char byte;
        long pid;

        r = userns_enter(setup->ns, err);
        if (r < 0)
                return r;
        child_bind_to_parent(setup->parent);
        if (unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
                return error_errno(err, errno, "make the guest's namespaces");
        if (pipe2(pipes, O_CLOEXEC) < 0)
                return error_errno(err, errno, "make a pipe");
        pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid < 0)
                return error_errno(err, errno, "make the guest's pid namespace");
        if (pid == 0)
                run_first_process(setup, sock);
        close(pipes[1]);
        /* Not to end before the report: we are who is watched. */
        while (read(pipes[0], &byte, 1) < 0 && errno == EINTR)
                if (cancel_requested())
                        break;
        return 1;
}
