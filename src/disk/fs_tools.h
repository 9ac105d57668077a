/* What the rows of fs_types share: running the tools of a file system on an
 * image, or on a part of it. The tool gets the file as its standard input and
 * opens it again as FS_TOOL_FILE, so that a nameless file does as well. */
#pragma once

#include "disk/fs.h"
#include "disk/seed.h"

#define FS_TOOL_FILE "/proc/self/fd/0"

extern const struct fs_type fs_fat, fs_swap, fs_raw, fs_btrfs, fs_f2fs, fs_xfs;

struct fs_tool {
        const char *const *argv;
        const char *const *options;  /* the user's own words, after those; may be NULL */
        const char *const *operands; /* last; may be NULL */
        int fd;                      /* of FS_TOOL_FILE */
        int64_t epoch;               /* becomes SOURCE_DATE_EPOCH; -1: not set */
        const char *id_seed;         /* with an epoch: time and randomness are made of these; NULL: as they are */
        int ok_max;                  /* largest exit code that is a success */
        const char *package;         /* Debian package that has the tool */
};
/* The error has the tool's words; *ret_status (may be NULL) its exit code. */
int fs_tool_run(const struct fs_tool *tool, int *ret_status, struct error *err);

/* The UUID of a new file system: a function of the seed and of where it lies. */
void fs_uuid(const struct fs_volume *volume, const struct fs_make *make, char out[UUID_TEXT]);

int fs_open(const struct fs_volume *volume, bool write, struct error *err); /* fd, or negative */
/* A nameless sparse file of the volume's size beside the image, filled with
 * the volume's contents if `filled`. */
int fs_scratch(const struct fs_volume *volume, bool filled, int *ret_fd, struct error *err);
/* The first `size` bytes of a scratch file into the volume, as far as they
 * differ from zeros; the volume is empty before, so that its old bytes do not stay. */
int fs_scratch_store(const struct fs_volume *volume, int fd, uint64_t size, struct error *err);

/* Make a file system of the volume's size in a scratch file with the tool (.fd is set here), then put it
 * into the volume. */
int fs_tool_make(const struct fs_volume *volume, struct fs_tool *tool, struct error *err);
/* Let a tool that only reads judge a copy of the volume. */
int fs_tool_check(const struct fs_volume *volume, struct fs_tool *tool, struct error *err);

/* Whether a file that begins so is a swap file, which may have no holes. */
bool swap_signature(const char *data, uint64_t n);
