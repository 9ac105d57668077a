/* What bytes are, by the bytes themselves. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum content {
        CONTENT_UNKNOWN,
        CONTENT_EMPTY,
        /* one compressed stream */
        CONTENT_GZIP,
        CONTENT_XZ,
        CONTENT_LZMA,
        CONTENT_LZIP,
        CONTENT_BZIP2,
        CONTENT_ZSTD,
        CONTENT_LZ4,
        CONTENT_COMPRESS,
        /* archives */
        CONTENT_ZIP,
        CONTENT_7ZIP,
        CONTENT_TAR,
        CONTENT_CPIO,
        /* disk images */
        CONTENT_TABLE,      /* partition table */
        CONTENT_FILESYSTEM, /* file system, swap or such without a table */
        CONTENT_FOREIGN,    /* an image in a wrapping that we do not read: qcow2 and the like */
};

/* So many first bytes tell: the furthest is btrfs' superblock at 64 KiB. */
#define MAGIC_BYTES (68UL << 10)

/* *ret_name (may be NULL): "xz", "ext2/3/4", "a GPT", for messages. */
enum content magic_content(const void *data, size_t n, const char **ret_name);

static inline bool content_is_stream(enum content content)
{
        return content >= CONTENT_GZIP && content <= CONTENT_COMPRESS;
}
static inline bool content_is_archive(enum content content)
{
        return content >= CONTENT_ZIP && content <= CONTENT_CPIO;
}
static inline bool content_is_image(enum content content)
{
        return content == CONTENT_TABLE || content == CONTENT_FILESYSTEM;
}
