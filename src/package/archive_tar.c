/* tar by libarchive: see archives.h. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

#include "base/sparse.h"
#include "package/archives.h"

struct tar {
        struct archive *archive;
        struct encoder *encoder;
        struct error error; /* of the encoder, which libarchive cannot carry */
};

static void tar_done(struct tar *tar)
{
        archive_write_free(tar->archive);
        error_clear(&tar->error);
}

static la_ssize_t tar_output(struct archive *archive, void *arg, const void *data, size_t n)
{
        struct tar *tar = arg;
        int r = encoder_write(tar->encoder, data, n, &tar->error);

        if (r == 0)
                return (la_ssize_t)n;
        archive_set_error(archive, -r, "%s", error_message(&tar->error));
        return -1;
}

static int tar_failed(struct tar *tar, struct error *err)
{
        int code = tar->error.code;

        if (code) {
                error_move(err, &tar->error);
                return -code;
        }
        return error_set(err, EIO, "make the tar archive: %s", archive_error_string(tar->archive));
}

static int tar_write(void *arg, const void *data, size_t n, struct error *err)
{
        struct tar *tar = arg;

        return archive_write_data(tar->archive, data, n) == (la_ssize_t)n ? 0 : tar_failed(tar, err);
}

static int add_file(struct tar *tar, const struct archive_file *file, struct ui *ui, uint64_t *done, struct error *err)
{
        struct archive_entry *entry = archive_entry_new();
        int r;

        archive_entry_set_pathname_utf8(entry, file->name);
        archive_entry_set_size(entry, (la_int64_t)file->size);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, file->mode);
        archive_entry_set_mtime(entry, file->mtime, 0);
        r = archive_write_header(tar->archive, entry) == ARCHIVE_OK ? 0 : tar_failed(tar, err);
        archive_entry_free(entry);
        if (r == 0)
                r = sparse_pour(file->fd, file->size, ui, done, tar_write, tar, err);
        return r < 0 ? error_wrap(err, r, "'%s'", file->path) : 0;
}

int archive_tar(struct encoder *encoder, const struct archive_file *files, size_t n, struct ui *ui, struct error *err)
{
        CLEANUP(tar_done) struct tar tar = {.archive = archive_write_new(), .encoder = encoder};
        uint64_t done = 0;

        archive_write_set_format_pax_restricted(tar.archive);
        archive_write_set_options(tar.archive, "hdrcharset=UTF-8");
        archive_write_set_bytes_per_block(tar.archive, 10240);
        archive_write_set_bytes_in_last_block(tar.archive, 10240);
        if (archive_write_open2(tar.archive, &tar, NULL, tar_output, NULL, NULL) != ARCHIVE_OK)
                return tar_failed(&tar, err);
        for (size_t i = 0; i < n; i++) {
                int r = add_file(&tar, &files[i], ui, &done, err);

                if (r < 0)
                        return r;
        }
        return archive_write_close(tar.archive) == ARCHIVE_OK ? 0 : tar_failed(&tar, err);
}
