#include "serve/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* What the servers, SQLite, OpenSSL and libc call; everything else fails with EPERM. No call here starts a
 * program, makes a socket of another family, or reaches another process. */
static const char *const calls[] = {
        /* files */
        "access",
        "chmod",
        "close",
        "close_range",
        "dup",
        "dup2",
        "dup3",
        "faccessat",
        "faccessat2",
        "fadvise64",
        "fallocate",
        "fchmod",
        "fchmodat",
        "fchown",
        "fcntl",
        "fdatasync",
        "flock",
        "fstat",
        "fstatfs",
        "fsync",
        "ftruncate",
        "getcwd",
        "getdents64",
        "ioctl",
        "lseek",
        "lstat",
        "mkdir",
        "mkdirat",
        "newfstatat",
        "open",
        "openat",
        "openat2",
        "pread64",
        "preadv",
        "pwrite64",
        "pwritev",
        "read",
        "readlink",
        "readlinkat",
        "readv",
        "rename",
        "renameat",
        "renameat2",
        "rmdir",
        "sendfile",
        "splice",
        "stat",
        "statfs",
        "statx",
        "umask",
        "unlink",
        "unlinkat",
        "utimensat",
        "write",
        "writev",
        "pipe",
        "pipe2",
        /* sockets that are open, and connections of theirs */
        "accept",
        "accept4",
        "bind",
        "connect",
        "getpeername",
        "getsockname",
        "getsockopt",
        "listen",
        "recvfrom",
        "recvmmsg",
        "recvmsg",
        "sendmmsg",
        "sendmsg",
        "sendto",
        "setsockopt",
        "shutdown",
        "socketpair",
        /* waiting */
        "clock_getres",
        "clock_gettime",
        "clock_nanosleep",
        "epoll_create1",
        "epoll_ctl",
        "epoll_pwait",
        "epoll_pwait2",
        "epoll_wait",
        "eventfd2",
        "futex",
        "gettimeofday",
        "nanosleep",
        "poll",
        "ppoll",
        "pselect6",
        "restart_syscall",
        "select",
        "signalfd4",
        "time",
        "timerfd_create",
        "timerfd_gettime",
        "timerfd_settime",
        /* memory, threads, the process itself */
        "arch_prctl",
        "brk",
        "clone",
        "clone3",
        "exit",
        "exit_group",
        "getcpu",
        "getegid",
        "geteuid",
        "getgid",
        "getpgrp",
        "getpid",
        "getppid",
        "getrandom",
        "getresgid",
        "getresuid",
        "getrlimit",
        "getrusage",
        "gettid",
        "getuid",
        "madvise",
        "membarrier",
        "mmap",
        "mprotect",
        "mremap",
        "memfd_create",
        "munmap",
        "prctl",
        "prlimit64",
        "rseq",
        "rt_sigaction",
        "rt_sigpending",
        "rt_sigprocmask",
        "rt_sigreturn",
        "rt_sigsuspend",
        "rt_sigtimedwait",
        "sched_get_priority_max",
        "sched_get_priority_min",
        "sched_getaffinity",
        "sched_getparam",
        "sched_getscheduler",
        "sched_yield",
        "set_robust_list",
        "set_tid_address",
        "sigaltstack",
        "sysinfo",
        "tgkill",
        "uname",
};

/* Those of `wanted` that it has. */
static void cap_intersect(cap_t wanted, cap_t have)
{
        static const cap_flag_t flags[] = {CAP_PERMITTED, CAP_EFFECTIVE};

        for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++) {
                cap_flag_value_t is_there = CAP_CLEAR;

                if (cap_get_flag(have, cap, CAP_PERMITTED, &is_there) < 0 || is_there == CAP_CLEAR)
                        for (size_t i = 0; i < 2; i++)
                                (void)cap_set_flag(wanted, flags[i], 1, &cap, CAP_CLEAR);
        }
}

int sandbox_keep(const char *capabilities, struct error *err)
{
        cap_t have = cap_get_proc(), wanted = cap_from_text(capabilities);
        int r = have && wanted ? 0 : -ENOMEM;

        if (r == 0) {
                (void)cap_reset_ambient();
                cap_intersect(wanted, have);
                r = cap_set_proc(wanted) < 0 ? -errno : 0;
        }
        cap_free(have);
        cap_free(wanted);
        if (r < 0)
                return error_errno(err, -r, "give up capabilities");
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return error_errno(err, errno, "PR_SET_NO_NEW_PRIVS");
        return 0;
}

/* ---- Landlock (ABI 1: what may be done beneath which folder) ---- */

enum {
        READ_FILE = LANDLOCK_ACCESS_FS_READ_FILE,
        READ = READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
        RUN_FILE = READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE,
        RUN = READ | RUN_FILE,
        WRITE_FILE = READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE,
        WRITE = READ | WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
                LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK,
        ALL = (1 << 13) - 1,
};

static int allow(int rules, const char *path, uint64_t folder, uint64_t file, struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
        struct landlock_path_beneath_attr beneath = {.parent_fd = fd};
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return errno == ENOENT ? 0 : error_errno(err, errno, "%s", path);
        beneath.allowed_access = S_ISDIR(st.st_mode) ? folder : file;
        if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
                return error_errno(err, errno, "Landlock for '%s'", path);
        return 0;
}

static int allow_all(int rules, const char *const *paths, uint64_t folder, uint64_t file, struct error *err)
{
        int r = 0;

        for (const char *const *path = paths; r == 0 && path && *path; path++)
                r = allow(rules, *path, folder, file, err);
        return r;
}

/* 1: in place, 0: this kernel has none. */
static int lock_files(const struct sandbox *sandbox, struct error *err)
{
        struct landlock_ruleset_attr attr = {.handled_access_fs = ALL};
        CLEANUP_CLOSE int rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
        int r;

        if (rules < 0)
                return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : error_errno(err, errno, "Landlock");
        r = allow_all(rules, sandbox->readable, READ, READ_FILE, err);
        if (r == 0)
                r = allow_all(rules, sandbox->writable, WRITE, WRITE_FILE, err);
        if (r == 0)
                r = allow_all(rules, sandbox->runnable, RUN, RUN_FILE, err);
        if (r < 0)
                return r;
        if (syscall(SYS_landlock_restrict_self, rules, 0) < 0)
                return error_errno(err, errno, "Landlock");
        return 1;
}

/* Sockets that may still be made: none that sends frames of its own making (AF_PACKET). Interfaces' addresses are
 * read through AF_NETLINK at a reload. */
static int allow_sockets(scmp_filter_ctx filter)
{
        static const uint64_t families[] = {AF_UNIX, AF_INET, AF_NETLINK};
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(families) / sizeof(families[0]); i++)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, families[i]));
        return r;
}

static int filter_calls(struct error *err)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
        int r = filter ? allow_sockets(filter) : -ENOMEM;

        for (size_t i = 0; r == 0 && i < sizeof(calls) / sizeof(calls[0]); i++) {
                int call = seccomp_syscall_resolve_name(calls[i]);

                if (call != __NR_SCMP_ERROR)
                        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
                if (r == -EDOM || r == -EINVAL) /* a call that this architecture does not have */
                        r = 0;
        }
        if (r == 0)
                r = seccomp_load(filter);
        if (filter)
                seccomp_release(filter);
        return r < 0 ? error_errno(err, -r, "filter system calls") : 0;
}

int sandbox_enter(const struct sandbox *sandbox, const char **ret_strength, struct error *err)
{
        int locked, r = sandbox_keep("=", err);

        if (r < 0)
                return r;
        locked = lock_files(sandbox, err);
        if (locked < 0)
                return locked;
        r = sandbox->runnable ? 0 : filter_calls(err);
        if (r < 0)
                return r;
        *ret_strength = locked ? "without capabilities, confined to its folders and system calls"
                               : "without capabilities, confined to its system calls (this kernel has no Landlock)";
        return 0;
}
