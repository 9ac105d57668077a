/* What the tests of the ext rows share: an image to work on, changes in one
 * call, and the comparison of two trees. */
#pragma once

#include "test.h"

#include <stdbool.h>
#include <sys/stat.h>

#include "disk/ext.h"

enum { IMAGE_OFFSET = 1 << 20 };

struct image {
        char *dir;  /* scratch, removed at the end */
        char *path; /* of the image in it */
        const struct fs_type *type;
        struct fs_volume volume;
        int64_t epoch;
};

/* A fresh image with an empty file system of `kib`, with mke2fs' options (NULL-terminated, or NULL). */
void image_make(struct image *image, const char *type, unsigned int kib, const char *const *options);
void image_clear(struct image *image);
/* e2fsck -fn is content. */
void image_check(const struct image *image);
/* Extract into a new folder `name` of the scratch folder; the caller frees the path. */
char *image_extract(const struct image *image, const char *name);
/* The output of debugfs -R command; the caller frees. */
char *image_debugfs(const struct image *image, const char *command);

/* Must succeed. */
void *write_begin(const struct image *image);
void write_one(void *writer, const struct fs_change *change);
void write_end(void *writer);
/* An attribute block with our own owner, so that an ordinary user can extract it. */
struct stat stat_of(mode_t mode, int64_t mtime);
void write_dir(void *writer, const char *path);
void write_text(void *writer, const char *path, const char *text);

/* Everything that stat, readlink, read and getxattr can see is the same in both,
 * but for access times, and for what folders' sizes are. */
void trees_equal(const char *left, const char *right);

/* The root belongs to us, so that an ordinary user can extract it. */
void own_root(const struct image *image);
void make(struct image *image, const char *type, unsigned int kib, const char *const *options);
/* The change must fail with this code, and a message that has all the words. */
void must_fail(const struct image *image, const struct fs_change *change, int code, const char *const *words);
int file_of(uint64_t size);
void remove_path(void *writer, const char *path);
void assert_has(const char *text, const char *part);
