/* Private to this room; what others call is userns_binfmt. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "guest/arch.h"

/* In the namespaces: let the kernel run programs of this architecture by qemu
 * (`qemu`: the path that was asked for, or NULL). *ret_by (may be NULL) says by whom: NULL
 * where the host runs them itself. The caller frees. */
int binfmt_register(const struct arch *arch, const char *qemu, char **ret_by, struct error *err);
/* May another program take qemu's place: is it ours to say, and does it keep argv[0]? */
bool binfmt_can_replace(const char *qemu);
/* Have programs of this architecture run by `qemu`, a path on the host, until binfmt_register() is called. */
int binfmt_replace(const struct arch *arch, const char *qemu, struct error *err);
/* Put our own binfmt_misc on an open folder; -errno where the kernel has none for user namespaces. */
int binfmt_mount(int folder_fd);
/* Does a text of /proc/sys/fs/binfmt_misc/NAME say that these programs are run by it, anywhere (flag F)? */
bool binfmt_entry_serves(const char *text, const struct arch *arch);
