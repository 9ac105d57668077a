/* See userns.h; user_namespaces(7), mount_namespaces(7). A helper process
 * makes the namespaces, we write its id maps, it hands us the namespaces as
 * fds and ends: they live as long as somebody has an fd of them, so that
 * nothing is left when we are killed. */
#include "guest/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/child.h"
#include "base/file.h"
#include "guest/idmap.h"
#include "guest/ns.h"

struct userns {
        int user, mnt; /* /proc/PID/ns/... */
};

/* The value of a sysctl, or -1 where the kernel has none. */
static long sysctl_value(const char *path)
{
        CLEANUP_FREE char *text = NULL;

        if (file_read(path, 64, &text, NULL, NULL) < 0)
                return -1;
        return strtol(text, NULL, 10);
}

/* Why user namespaces do not work here, as far as the kernel's switches tell.
 * `ordinary`: whoever began was not privileged, which inside cannot be told any more. */
static int explain_refusal(int code, const char *what, bool ordinary, struct error *err)
{
        if (sysctl_value("/proc/sys/user/max_user_namespaces") == 0)
                return error_set(err, code,
                                 "user namespaces are switched off (user.max_user_namespaces is 0). Mend it with:\n"
                                 "    sudo sysctl -w user.max_user_namespaces=15000");
        if (ordinary && sysctl_value("/proc/sys/kernel/unprivileged_userns_clone") == 0)
                return error_set(err, code,
                                 "user namespaces are switched off for ordinary users "
                                 "(kernel.unprivileged_userns_clone is 0). Mend it with:\n"
                                 "    sudo sysctl -w kernel.unprivileged_userns_clone=1");
        if (ordinary && sysctl_value("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") > 0)
                return error_set(err, code,
                                 "AppArmor keeps ordinary users from using user namespaces "
                                 "(kernel.apparmor_restrict_unprivileged_userns is 1). Mend it with:\n"
                                 "    sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
        if (code == ENOSPC)
                return error_set(err, code,
                                 "there are as many user namespaces as this host allows "
                                 "(user.max_user_namespaces, or 32 within each other). Mend it with:\n"
                                 "    sudo sysctl -w user.max_user_namespaces=60000");
        if (code == EINVAL || code == ENOSYS)
                return error_set(err, code, "this kernel has no user namespaces; one with CONFIG_USER_NS=y is needed");
        if (code == EPERM || code == EACCES)
                return error_set(err, code,
                                 "%s is not permitted here. In a container, its seccomp profile forbids it: start it "
                                 "with --security-opt seccomp=unconfined (and apparmor=unconfined); in a chroot, "
                                 "leave it",
                                 what);
        return error_errno(err, code, "%s", what);
}

/* Become root of the user namespace that we are in; 0 or a negative errno. */
static int become_root(void)
{
        return setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ? -errno : 0;
}

static int holder(void *arg, int sock, struct error *err)
{
        const bool *ordinary = arg;
        char byte;
        int fds[2], r;
        CLEANUP_CLOSE int user = -1, mnt = -1;

        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
                return explain_refusal(errno, "making a user namespace (unshare)", *ordinary, err);
        r = child_report(sock, 0, NULL, NULL, 0);
        if (r < 0 || read(sock, &byte, 1) != 1)
                return error_set(err, EPIPE, "wait for the ids of the user namespace");
        r = become_root();
        if (r < 0)
                return explain_refusal(-r, "becoming root in a user namespace", *ordinary, err);
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return explain_refusal(errno, "changing mounts in a user namespace", *ordinary, err);
        user = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
        mnt = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        if (user < 0 || mnt < 0)
                return error_errno(err, errno, "open /proc/self/ns");
        fds[0] = user;
        fds[1] = mnt;
        r = child_report(sock, 0, NULL, fds, 2);
        return r < 0 ? error_errno(err, -r, "hand over the namespaces") : 1;
}

int userns_new(struct userns **ret, struct error *err)
{
        CLEANUP_CHILD struct child child = {.sock = -1};
        struct idmap uids, gids;
        bool ordinary = !idmap_privileged();
        int fds[2] = {-1, -1}, r;

        r = cancel_check(err);
        if (r == 0)
                r = idmap_find(&uids, &gids, err);
        if (r == 0)
                r = child_start(&child, holder, &ordinary, err);
        if (r == 0)
                r = child_receive(&child, NULL, 0, NULL, err);
        if (r == 0)
                r = idmap_write(child.pid, &uids, &gids, err);
        if (r < 0)
                return r;
        if (send(child.sock, "", 1, MSG_NOSIGNAL) < 0)
                return error_errno(err, errno, "wake the process that made the namespaces");
        r = child_receive(&child, fds, 2, NULL, err);
        if (r < 0)
                return r;
        *ret = xmalloc(sizeof(**ret));
        **ret = (struct userns){.user = fds[0], .mnt = fds[1]};
        return 0;
}

struct userns *userns_free(struct userns *ns)
{
        if (!ns)
                return NULL;
        close(ns->mnt);
        close(ns->user);
        free(ns);
        return NULL;
}

int ns_join(int fd, int type, const char *self, struct error *err)
{
        struct stat there, here;

        /* Entering the user namespace that one is in is refused by the kernel. */
        if (fstat(fd, &there) == 0 && stat(self, &here) == 0 && there.st_ino == here.st_ino)
                return 0;
        if (setns(fd, type) < 0)
                return error_errno(err, errno, "enter the namespace %s", self);
        return 0;
}

int ns_join_mounts(int fd, struct error *err)
{
        CLEANUP_FREE char *cwd = getcwd(NULL, 0);
        CLEANUP_CLOSE int old = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r = ns_join(fd, CLONE_NEWNS, "/proc/self/ns/mnt", err);

        if (r < 0)
                return r;
        /* Entering a mount namespace goes to its root folder. */
        if (cwd && cwd[0] == '/' && chdir(cwd) == 0)
                return 0;
        if (old < 0 || fchdir(old) < 0)
                return error_errno(err, errno, "go back to the working folder");
        return 0;
}

int userns_enter_user(struct userns *ns, bool clear_groups, struct error *err)
{
        int r = ns_join(ns->user, CLONE_NEWUSER, "/proc/self/ns/user", err);

        if (r < 0)
                return r;
        r = become_root();
        if (r < 0)
                return error_errno(err, -r, "become root in the user namespace");
        if (clear_groups && setgroups(0, NULL) < 0)
                return error_errno(err, errno, "drop the supplementary groups in the user namespace");
        return 0;
}

int userns_enter(void *arg, struct error *err)
{
        struct userns *ns = arg;
        int r = userns_enter_user(ns, true, err);

        return r < 0 ? r : ns_join_mounts(ns->mnt, err);
}

struct call {
        struct userns *ns;
        int (*fn)(void *arg, struct error *err);
        void *arg;
        pid_t parent;
};

static int call_child(void *arg, int sock, struct error *err)
{
        struct call *call = arg;
        int r = userns_enter(call->ns, err);

        if (r < 0)
                return r;
        child_bind_to_parent(call->parent);
        r = call->fn(call->arg, err);
        if (r <= 0)
                return r;
        fflush(NULL);
        return child_report(sock, r, NULL, NULL, 0) < 0 ? -EPIPE : r;
}

int userns_call(struct userns *ns, int (*fn)(void *arg, struct error *err), void *arg, struct error *err)
{
        CLEANUP_CHILD struct child child = {.sock = -1};
        struct call call = {.ns = ns, .fn = fn, .arg = arg, .parent = getpid()};
        int r = cancel_check(err);

        if (r == 0)
                r = child_start(&child, call_child, &call, err);
        return r < 0 ? r : child_receive(&child, NULL, 0, NULL, err);
}
