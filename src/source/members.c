/* See members.h. */
#include "source/members.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/str.h"

enum { BUFFER = 256 << 10 };

static la_ssize_t on_read(struct archive *archive, void *arg, const void **ret)
{
        struct members *members = arg;
        ssize_t n;

        if (members->stream) {
                n = stream_read(members->stream, ret, &members->failure);
        } else {
                n = cancel_check(&members->failure);
                if (n == 0)
                        n = pread(members->fd, members->buffer, BUFFER, (off_t)members->position);
                if (n < 0 && !members->failure.code)
                        error_errno(&members->failure, errno, "read");
                *ret = members->buffer;
        }
        if (n < 0) {
                archive_set_error(archive, members->failure.code, "%s", error_message(&members->failure));
                return ARCHIVE_FATAL;
        }
        members->position += (uint64_t)n;
        if (!members->stream)
                progress_update(members->ui, members->position);
        return n;
}

static la_int64_t on_seek(struct archive *archive, void *arg, la_int64_t offset, int whence)
{
        struct members *members = arg;
        struct stat st;
        la_int64_t base = 0;

        (void)archive;
        if (fstat(members->fd, &st) < 0)
                return ARCHIVE_FATAL;
        if (whence == SEEK_CUR)
                base = (la_int64_t)members->position;
        else if (whence == SEEK_END)
                base = st.st_size;
        if (__builtin_add_overflow(base, offset, &base) || base < 0)
                return ARCHIVE_FATAL;
        members->position = (uint64_t)base;
        return base;
}

static int add_formats(struct archive *archive, enum content content)
{
        int r = ARCHIVE_FATAL;

        if (content == CONTENT_TAR)
                r = archive_read_support_format_tar(archive);
        else if (content == CONTENT_CPIO)
                r = archive_read_support_format_cpio(archive);
        else if (content == CONTENT_ZIP)
                r = archive_read_support_format_zip(archive);
        else if (content == CONTENT_7ZIP)
                r = archive_read_support_format_7zip(archive);
        return r;
}

int members_open(struct members *members, struct stream *stream, int fd, enum content content, struct error *err)
{
        bool direct = !stream_below(stream) && (content == CONTENT_ZIP || content == CONTENT_7ZIP);

        *members = (struct members){.archive = archive_read_new(),
                                    .stream = direct ? NULL : stream,
                                    .fd = fd,
                                    .ui = stream_ui(stream),
                                    .buffer = direct ? xmalloc(BUFFER) : NULL};
        members->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
        if (members->locale)
                members->before = uselocale(members->locale);
        if (!members->archive || add_formats(members->archive, content) < ARCHIVE_WARN)
                return error_set(err, ENOTSUP, "libarchive cannot read this kind of archive");
        archive_read_set_callback_data(members->archive, members);
        archive_read_set_read_callback(members->archive, on_read);
        if (direct)
                archive_read_set_seek_callback(members->archive, on_seek);
        if (archive_read_open1(members->archive) != ARCHIVE_OK)
                return members_failed(members, "open the archive", err);
        return 0;
}

void members_close(struct members *members)
{
        archive_read_free(members->archive);
        if (members->locale) {
                uselocale(members->before);
                freelocale(members->locale);
        }
        free(members->buffer);
        error_clear(&members->failure);
        *members = (struct members){0};
}

int members_failed(struct members *members, const char *what, struct error *err)
{
        const char *text = members->archive ? archive_error_string(members->archive) : NULL;
        int code = members->failure.code;

        if (code) {
                if (err)
                        error_move(err, &members->failure);
                return -code;
        }
        return error_set(err, EBADMSG, "%s: %s: truncated or damaged; download it again", what,
                         text ? text : "unknown reason");
}

/* What follows the archive's end must be sound too: its compression has a checksum at its end. */
static int drain(struct members *members, struct error *err)
{
        const void *data;
        ssize_t n = 1;

        while (members->stream && n > 0)
                n = stream_read(members->stream, &data, err);
        return n < 0 ? (int)n : 0;
}

int members_next(struct members *members, struct archive_entry **ret, struct error *err)
{
        int r = archive_read_next_header(members->archive, ret);

        if (r == ARCHIVE_EOF)
                return drain(members, err);
        if (r < ARCHIVE_WARN)
                return members_failed(members, "read the archive", err);
        return 1;
}

const char *member_name(struct archive_entry *entry)
{
        const char *name = archive_entry_pathname(entry);

        if (!name)
                name = archive_entry_pathname_utf8(entry);
        return name ? name : "";
}
