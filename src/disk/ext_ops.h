/* The functions of the ext rows (disk/fs.h), each from its own file. */
#pragma once

#include "disk/fs.h"

int ext2_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err);
int ext3_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err);
int ext4_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err);
int ext_extract(const struct fs_volume *volume, const char *dir, struct ui *ui, struct error *err);
int ext_serve(const struct fs_volume *volume, int fuse_fd, void (*on_error)(void *arg, const struct error *err),
              void *arg, struct error *err);
int ext_links(const struct fs_volume *volume, fs_name_fn *on_name, void *arg, struct error *err);
int ext_write_open(const struct fs_volume *volume, int64_t epoch, void **ret_writer, struct error *err);
int ext_write_change(void *writer, const struct fs_change *change, struct error *err);
int ext_write_close(void *writer, struct error *err);
void ext_write_abort(void *writer);
int ext_grow(const struct fs_volume *volume, struct error *err);
int ext_shrink(const struct fs_volume *volume, uint64_t slack_bytes, uint64_t *ret_bytes, struct error *err);
int ext_check(const struct fs_volume *volume, bool repair, struct error *err);
int ext_list(const struct fs_volume *volume, const char *path, int (*on_entry)(void *arg, const struct fs_entry *entry),
             void *arg, struct error *err);
int ext_cat(const struct fs_volume *volume, const char *path, int out_fd, struct error *err);
int ext_locate(const struct fs_volume *volume, const char *path, struct fs_extents *ret, struct error *err);
