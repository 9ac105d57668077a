/* Files and folders: the operations that are needed everywhere. Paths are
 * relative to the working directory unless a directory fd is given. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/error.h"

/* The whole file, NUL-terminated, at most `max` bytes (0: 64 MiB). The caller frees *ret. */
int file_read(const char *path, size_t max, char **ret, size_t *ret_len, struct error *err);
/* Written beside the target and renamed over it: the old or the new content, never half of it. A device or a pipe
 * (/dev/stdout) is written to as it is. */
int file_write(const char *path, const void *data, size_t n, mode_t mode, struct error *err);
/* All n bytes, or a negative errno. */
int fd_write_all(int fd, const void *data, size_t n);
int fd_pwrite_all(int fd, const void *data, size_t n, off_t offset);
/* n bytes, or a negative errno; -ENODATA where the file ends before. */
int fd_pread_all(int fd, void *data, size_t n, off_t offset);
/* Write n bytes at offset, but leave holes where 4 KiB blocks are zero; what
 * lies there before must read as zero. The file's size is not extended by a
 * hole at its end: ftruncate when done. */
int fd_pwrite_sparse(int fd, const void *data, size_t n, off_t offset);
bool is_zero(const void *data, size_t n);
/* Copy len bytes from one file to another at the same offsets: reflinked where
 * the file system can, holes kept. `to` must be empty or read as zero there. */
int fd_copy_sparse(int from, int to, off_t offset, uint64_t len, struct error *err);

/* mkdir -p */
int dir_make(const char *path, mode_t mode, struct error *err);
/* rm -rf; a missing path is no error. Never follows a symlink, never leaves the file system's tree. */
int tree_remove(const char *path, struct error *err);
/* The names of what lies in a folder, in byte order (strv, added to *ret); hidden files and editors' own ("x~", "#x#")
 * are left out. */
int dir_names(const char *path, char ***ret, struct error *err);
/* dir/name; an absolute name stays as it is. The caller frees. */
char *path_join(const char *dir, const char *name) __attribute__((warn_unused_result, returns_nonnull));
/* The last part of a path, never empty but for "" ("a/b/" gives "b/"). A pointer into path. */
const char *path_name(const char *path);
/* Everything before the last part: "." where there is none. The caller frees. */
char *path_dir(const char *path) __attribute__((warn_unused_result));
bool path_exists(const char *path); /* does not follow symlinks */
/* The path of a program: itself if it has a slash, else looked up in PATH and
 * then in /usr/sbin and /sbin, where the tools of file systems live. NULL if
 * there is none; the caller frees. */
char *program_find(const char *name) __attribute__((warn_unused_result));

/* An exclusive lock on `path`, which is created; waits, and gives up when
 * cancelled. `on_wait` (may be NULL) is called once if it has to wait. The
 * lock ends with close(*ret_fd) or with the process. */
int file_lock(const char *path, void (*on_wait)(void *arg), void *arg, int *ret_fd, struct error *err);

/* A nameless file in dir (O_TMPFILE) that becomes `path` by file_publish(), or goes with file_drop(). Where the file
 * system has none (FAT, NFS), it has a hidden name meanwhile, which only a SIGKILL leaves behind. */
int file_nameless(const char *dir, mode_t mode, int *ret_fd, struct error *err);
/* Give the nameless file its name, over an existing one. */
int file_publish(int fd, const char *path, struct error *err);
/* Close it (*fd may be -1, and is then); if it was not published, it is gone. */
void file_drop(int *fd);
#define CLEANUP_FILE_DROP CLEANUP(file_drop)
/* One that never gets a name, on any file system, and vanishes with its last fd. */
int file_scratch(const char *dir, mode_t mode, int *ret_fd, struct error *err);

/* Base folder of the cache: SLIPWAY_CACHE_DIR, PACKER_CACHE_DIR,
 * $XDG_CACHE_HOME/slipway or ~/.cache/slipway; made if missing. The caller frees. */
int cache_dir(char **ret, struct error *err);
