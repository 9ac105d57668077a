/* Files into an archive: tar in any compressed stream, or zip. */
#pragma once

#include "base/ui.h"
#include "package/encoder.h"

struct archive_file {
        const char *path; /* to read */
        const char *name; /* in the archive */
        uint64_t size;
        int64_t mtime; /* seconds since 1970 */
        unsigned int mode;
        int fd;
};

/* ustar, with pax headers where it does not suffice (files of 8 GiB and more); owner root. */
int archive_tar(struct encoder *encoder, const struct archive_file *files, size_t n, struct ui *ui, struct error *err);
/* deflate, with zip64 records where they are needed. fd is an empty file. level 0: the default. */
int archive_zip(int fd, int level, const struct archive_file *files, size_t n, struct ui *ui, struct error *err);
