/* The rows of ext2, ext3 and ext4; see ext.h. */
#include "disk/ext.h"

#include "disk/ext_ops.h"

#define EXT_FUNCTIONS                                                                                                  \
        .extract = ext_extract, .serve = ext_serve, .links = ext_links, .write_open = ext_write_open,                  \
        .write_change = ext_write_change, .write_close = ext_write_close, .write_abort = ext_write_abort,              \
        .grow = ext_grow, .shrink = ext_shrink, .check = ext_check, .list = ext_list, .cat = ext_cat,                  \
        .locate = ext_locate

const struct fs_type fs_ext2 = {.name = "ext2", .make = ext2_make, EXT_FUNCTIONS};
const struct fs_type fs_ext3 = {.name = "ext3", .make = ext3_make, EXT_FUNCTIONS};
const struct fs_type fs_ext4 = {.name = "ext4", .make = ext4_make, EXT_FUNCTIONS};
