/* One reading of a file for all post-processors that want its bytes: an image is large, and a block map,
 * checksums and a compressed file can be made of it side by side. Which post-processors will want it, the build says
 * before the first runs (pass_want); that one's pass_read() then reads for all of them, and the others find their
 * results made. A result counts only if the file is still as it was read, so whatever happens in between can do no
 * harm. */
#pragma once

#include "base/sparse.h"
#include "package/package.h"

/* What a post-processor makes of the bytes: its row names it. */
struct reader_type {
        const char *name; /* "checksum", for the progress */
        /* `fd` is the file, which others read too. 1: this post-processor does not read it so; nothing in *ret. */
        int (*begin)(const void *config, const struct package_context *context, int fd, uint64_t size, void **ret,
                     struct error *err);
        /* What comes, to the reader: as one stream in which holes are zeros, or else in pieces. */
        int (*write)(void *reader, const void *data, size_t n, struct error *err);
        struct sparse_ops pieces;
        int (*end)(void *reader, struct error *err); /* all has come; may be NULL */
        void (*free)(void *reader);
};

struct pass *pass_new(const char *path);
struct pass *pass_free(struct pass *pass); /* returns NULL */
static inline void pass_freep(struct pass **pass)
{
        *pass = pass_free(*pass);
}

/* The post-processor with this reader and config, which lives as long as the pass, will want the file. */
void pass_want(struct pass *pass, const struct reader_type *type, const void *config);

/* A reader that has had all of the file at `path`, from the context's pass or from a reading of its own.
 * The caller frees it by type->free(). 1: as begin() says. */
int pass_read(const struct package_context *context, const struct reader_type *type, const void *config,
              const char *path, void **ret, struct error *err);
