/* What the post-processors of this room share: their rows, the names of
 * outputs, and files that appear whole or not at all. */
#pragma once

#include "package/package.h"

extern const struct post_processor_type artifice_post_processor;
extern const struct post_processor_type bmap_post_processor;
extern const struct post_processor_type checksum_post_processor;
extern const struct post_processor_type compress_post_processor;
extern const struct post_processor_type docker_import_post_processor;
extern const struct post_processor_type docker_push_post_processor;
extern const struct post_processor_type flasher_post_processor;
extern const struct post_processor_type manifest_post_processor;
extern const struct post_processor_type shell_local_post_processor;

/* Render a SCHEMA_LATE text: .BuildName, .BuilderType and `more` (ended by a
 * NULL name; may be NULL) beside what the context's interp knows. The caller frees *ret. */
int post_render(const struct package_context *context, const char *text, const struct interp_pair *more, char **ret,
                struct error *err);
/* A nameless file where `path` will be; missing parent folders are made. */
int output_create(const char *path, int *ret_fd, struct error *err);
/* It gets its name, over an existing file. */
int output_publish(int fd, const char *path, struct error *err);
/* One writer at a time among those that change what stands in `path`: a lock on
 * its folder (which is made), so that no lock file is left. Ends with close(). */
int output_lock(const char *path, int *ret_fd, struct error *err);
/* -EINVAL if `path` is one of the artifact's own files, which would be lost. */
int output_not_input(const char *path, const struct artifact *in, struct error *err);

/* Open a file of an artifact for reading: a regular file, its size in *ret_size. */
int input_open(const char *path, int *ret_fd, uint64_t *ret_size, struct error *err);

/* The one disk image among the files: the only file, or the only one named .img,
 * .raw, .wic or .iso; not compressed. Borrowed. */
int input_image(const struct artifact *in, const char **ret, struct error *err);

/* The artifact with the same builder's id, id and files. */
void artifact_copy(const struct artifact *in, struct artifact *ret);
