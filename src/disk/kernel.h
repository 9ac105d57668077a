/* File systems that only a kernel can write: btrfs, f2fs, xfs. That kernel is
 * User-Mode Linux, an ordinary process that needs no privilege (Debian's
 * user-mode-linux; Documentation/virt/uml in the kernel's sources). Its root is
 * the host's own tree, read-only (hostfs); its pid 1 is this program, which mounts
 * the file system and makes the changes of a log (change_log.h) in it. */
#pragma once

#include "disk/fs.h"

/* The rows' write_open() and so on: changes are kept in a nameless file beside
 * the image, and made when the writer is closed. To be called in a user namespace where we
 * are root. */
int kernel_write_open(const struct fs_volume *volume, const struct fs_type *type, int64_t epoch, void **ret_writer,
                      struct error *err);
int kernel_write_change(void *writer, const struct fs_change *change, struct error *err);
int kernel_write_close(void *writer, struct error *err);
void kernel_write_abort(void *writer);

/* Run the kernel on the file system in fs_fd (a file of its own) and on the log in log_fd. All of it is
 * gone when it returns, and when we are killed. */
int kernel_run(int fs_fd, int log_fd, const char *fs, int64_t epoch, struct error *err);

/* The word that says that we are that kernel's pid 1, and what we do then: argv[0] is the word. Does not return. */
#define KERNEL_INIT "kernel-init"
void kernel_init(int argc, char **argv) __attribute__((noreturn));
