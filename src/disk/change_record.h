/* The records of a change log, shared by its writer and its reader. */
#pragma once

#include <stdint.h>

#define CHANGE_MAGIC 0x474e4843U

enum { CHANGE_END = 0x7fff }; /* beside enum fs_change_kind */

/* Followed by the path, the target and the xattrs; for FS_FILE by extents, the last one of length 0. */
struct change_record {
        uint32_t magic, kind, keep, mode, uid, gid, n_xattrs, path_len, target_len, reserved;
        uint64_t rdev, size;
        int64_t mtime_sec, mtime_nsec;
};
/* Followed by the name and the value. */
struct change_xattr {
        uint32_t name_len, value_len;
};
/* Followed by the bytes. */
struct change_extent {
        uint64_t at, len;
};
