/* The user and mount namespaces of one build. Inside, we are root over the
 * invoking user's subordinate ids (as root: over all ids we have), so that
 * trees with any owner can be written and removed; the host sees no mount. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct userns;

/* Make them. What is missing (user namespaces switched off, no subuid range,
 * no newuidmap) is said with the way to mend it. They last as long as we hold
 * them or a process is inside, so that nothing is left when we are killed. */
int userns_new(struct userns **ret, struct error *err);
struct userns *userns_free(struct userns *ns); /* returns NULL */
static inline void userns_freep(struct userns **ns)
{
        *ns = userns_free(*ns);
}

/* Fork, enter the namespaces, run fn(arg) there, exit. fn sees our memory as a
 * copy: results come back through files and fds. Its return value and error
 * message are ours. Cancelling kills it (after a moment for its clean-up). */
int userns_call(struct userns *ns, int (*fn)(void *arg, struct error *err), void *arg, struct error *err);

/* For struct spawn's enter: become a process inside (arg is the struct userns).
 * The working folder stays. Nothing happens in a process that is inside already. */
int userns_enter(void *ns, struct error *err);

/* Mount a binfmt_misc inside and register qemu there for `arch` (an ELF
 * machine, elf.h), unless the host runs it natively. `qemu`: path of the
 * interpreter, or NULL: found (qemu-aarch64-static, qemu-aarch64). Falls back
 * on a registration of the host's with the F flag; without either, the error
 * says what to do. */
int userns_binfmt(struct userns *ns, int elf_machine, const char *qemu, struct error *err);

/* Mount a FUSE file system, read-only, on the folder `place`, inside only.
 * *ret_fd is the kernel's end: who answers on it is the file system. It is unmounted with the
 * namespaces, or by userns_unmount(). -EACCES, -EPERM, -ENOENT, -ENODEV: this host does
 * not let us (the message says what would). */
int userns_mount_fuse(struct userns *ns, const char *place, int *ret_fd, struct error *err);
int userns_unmount(struct userns *ns, const char *place, struct error *err);
