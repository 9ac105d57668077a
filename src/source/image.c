/* source_unpack_image(): one disk image out of whatever it is packed in. */
#include "source/image.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/size.h"
#include "base/sparse.h"
#include "base/str.h"
#include "source/members.h"
#include "source/source.h"
#include "source/stream.h"

enum { LISTED_MAX = 30, MEMBER_BUFFER = 128 << 10 };

int image_write(int fd, const void *data, size_t n, uint64_t offset, uint64_t total, struct error *err)
{
        int r = offset > INT64_MAX - n ? -EFBIG : fd_pwrite_sparse(fd, data, n, (off_t)offset);

        if (r == -ENOSPC || r == -EDQUOT || r == -EFBIG) {
                CLEANUP_FREE char *of = total ? xasprintf(" of %s", size_show(total)) : xstrdup("");

                return error_set(err, -r, "the unpacked image does not fit: %s after %s%s", strerror(-r),
                                 size_show(offset), of);
        }
        return r < 0 ? error_errno(err, -r, "write the unpacked image at byte %llu", (unsigned long long)offset) : 0;
}

/* Everything that is left of the stream. */
static int write_stream(struct stream *stream, int to_fd, struct error *err)
{
        uint64_t size = 0;
        const void *data;
        ssize_t n;

        while ((n = stream_read(stream, &data, err)) > 0) {
                int r = image_write(to_fd, data, (size_t)n, size, 0, err);

                if (r < 0)
                        return r;
                size += (uint64_t)n;
        }
        if (n < 0)
                return (int)n;
        return ftruncate(to_fd, (off_t)size) < 0 ? error_errno(err, errno, "set the image's size") : 0;
}

struct plain {
        int to_fd;
        struct ui *ui;
};

static int plain_data(void *arg, uint64_t offset, const void *data, size_t n, struct error *err)
{
        const struct plain *plain = arg;

        progress_update(plain->ui, offset);
        return image_write(plain->to_fd, data, n, offset, 0, err);
}

static int plain_hole(void *arg, uint64_t offset, uint64_t n, struct error *err)
{
        (void)arg;
        (void)offset;
        (void)n;
        (void)err;
        return 0;
}

/* An image that is not packed: its holes are not read, and zeros in its data become holes too. */
static int write_plain(int fd, int to_fd, struct ui *ui, struct error *err)
{
        static const struct sparse_ops ops = {.data = plain_data, .hole = plain_hole};
        struct plain plain = {to_fd, ui};
        struct stat st;
        int r;

        if (ioctl(to_fd, FICLONE, fd) == 0)
                return 0;
        r = fstat(fd, &st) < 0 ? error_errno(err, errno, "look at the file")
                               : sparse_read(fd, (uint64_t)st.st_size, &ops, &plain, err);
        if (r == 0 && ftruncate(to_fd, st.st_size) < 0)
                r = error_errno(err, errno, "set the image's size");
        return r;
}

/* A member of an archive as a stream. */
struct member_state {
        struct members *members;
        uint8_t *buffer;
};

static int member_open(struct stream *stream, struct error *err)
{
        struct member_state *member = stream_state(stream);

        (void)err;
        member->members = stream_arg(stream);
        member->buffer = xmalloc(MEMBER_BUFFER);
        return 0;
}

static ssize_t member_read(struct stream *stream, const void **ret, struct error *err)
{
        struct member_state *member = stream_state(stream);
        la_ssize_t n = archive_read_data(member->members->archive, member->buffer, MEMBER_BUFFER);

        *ret = member->buffer;
        return n < 0 ? members_failed(member->members, "unpack", err) : n;
}

static void member_close(struct stream *stream)
{
        struct member_state *member = stream_state(stream);

        free(member->buffer);
}

static const struct stream_type member_type = {sizeof(struct member_state), member_open, member_read, member_close};

/* The search for the one image among an archive's members: the best so far is
 * in the output already, so that a stream is read only once. */
struct search {
        int to_fd, best, n_best;
        char *name; /* of the best */
        struct str listing;
        size_t n_members;
};

static void search_done(struct search *search)
{
        free(search->name);
        str_clear(&search->listing);
}

static bool named_like_image(const char *name)
{
        static const char *const endings[] = {".img",       ".iso", ".raw",  ".bin",    ".wic", ".sdimg",
                                              ".rpi-sdimg", ".dd",  ".disk", ".hddimg", NULL};
        CLEANUP_FREE char *plain = xstrdup(name);
        char *dot;

        for (const char *const *packed = (const char *const[]){".xz", ".gz", ".zst", ".bz2", ".lz4", ".lzma", NULL};
             *packed; packed++)
                if (str_ends(plain, *packed))
                        plain[strlen(plain) - strlen(*packed)] = '\0';
        dot = strrchr(plain, '.');
        for (size_t i = 0; dot && endings[i]; i++)
                if (strcasecmp(dot, endings[i]) == 0)
                        return true;
        return false;
}

int image_score(enum content content, const char *name)
{
        int points = content == CONTENT_TABLE ? 4 : content == CONTENT_FILESYSTEM ? 2 : 0;

        return points ? points + named_like_image(name) : 0;
}

static int try_member(struct search *search, struct members *members, struct archive_entry *entry, struct error *err)
{
        CLEANUP(stream_freep) struct stream *stream = NULL;
        CLEANUP_FREE char *name = str_printable(member_name(entry));
        const char *kind = NULL;
        enum content content = CONTENT_UNKNOWN;
        int points, r = stream_new(&member_type, NULL, members, &stream, err);

        if (r == 0)
                r = stream_peel(&stream, &content, &kind, err);
        if (r < 0)
                return error_wrap(err, r, "member '%s'", name);
        points = image_score(content, name);
        if (search->n_members++ < LISTED_MAX)
                str_addf(&search->listing, "\n    %s (%s)", name, kind);
        if (points == 0 || points < search->best)
                return 0;
        if (points == search->best) {
                search->n_best++;
                return 0;
        }
        if (ftruncate(search->to_fd, 0) < 0)
                return error_errno(err, errno, "empty the image");
        search->best = points;
        search->n_best = 1;
        free(search->name);
        search->name = xstrdup(name);
        r = write_stream(stream, search->to_fd, err);
        return r < 0 ? error_wrap(err, r, "member '%s'", name) : 0;
}

static int search_result(struct search *search, struct ui *ui, struct error *err)
{
        if (search->n_members > LISTED_MAX)
                str_addf(&search->listing, "\n    and %zu more", search->n_members - LISTED_MAX);
        if (search->n_members == 0)
                return error_set(err, ENOENT, "the archive has no files");
        if (search->best == 0)
                return error_set(err, ENOENT, "there is no disk image in the archive; it has:%s",
                                 str_get(&search->listing));
        if (search->n_best > 1)
                return error_set(err, EINVAL,
                                 "more than one disk image in the archive (unpack it with file_unarchive_cmd); it "
                                 "has:%s",
                                 str_get(&search->listing));
        if (ui)
                ui_say(ui, "image in the archive: %s", search->name);
        return 0;
}

static int unpack_archive(struct stream *stream, int fd, enum content content, int to_fd, struct error *err)
{
        CLEANUP(search_done) struct search search = {.to_fd = to_fd};
        CLEANUP(members_close) struct members members = {0};
        struct archive_entry *entry;
        int r = members_open(&members, stream, fd, content, err);

        if (r < 0)
                return r;
        while ((r = members_next(&members, &entry, err)) > 0) {
                if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry))
                        continue;
                r = try_member(&search, &members, entry, err);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : search_result(&search, stream_ui(stream), err);
}

static int refuse(struct stream *stream, enum content content, const char *kind, struct error *err)
{
        CLEANUP_FREE char *shown = NULL, *start = NULL;
        const uint8_t *head = NULL;
        ssize_t n = stream_peek(stream, 40, &head, err);

        if (n < 0)
                return (int)n;
        if (content == CONTENT_EMPTY)
                return error_set(err, ENODATA, "it is empty");
        if (content == CONTENT_FOREIGN)
                return error_set(err, ENOTSUP, "it is %s", kind);
        start = xstrndup((const char *)head, (size_t)n);
        shown = str_printable(start);
        return error_set(err, EINVAL,
                         "neither a disk image (no partition table or file system) nor an archive; it begins with "
                         "\"%s\"",
                         shown);
}

/* What the file is, and the stream of what is packed in it. */
struct packed {
        struct stream *stream;
        enum content outer, content;
        const char *kind;
};

static void packed_done(struct packed *packed)
{
        stream_freep(&packed->stream);
}

static int packed_open(struct packed *packed, int fd, struct ui *ui, struct error *err)
{
        const uint8_t *head = NULL;
        ssize_t n;
        int r = stream_file(fd, ui, &packed->stream, err);

        if (r < 0)
                return r;
        n = stream_peek(packed->stream, MAGIC_BYTES, &head, err);
        if (n < 0)
                return (int)n;
        packed->outer = magic_content(head, (size_t)n, NULL);
        return stream_peel(&packed->stream, &packed->content, &packed->kind, err);
}

/* An image in xz, by its blocks where it has them. */
static int unpack_xz(struct packed *packed, int fd, int to_fd, struct ui *ui, struct error *err)
{
        bool done = false;
        int r;

        stream_freep(&packed->stream); /* its threads would decode the rest of the first block beside us */
        r = xz_blocks_unpack(fd, to_fd, ui, &done, err);
        if (r == 0 && !done)
                r = packed_open(packed, fd, ui, err);
        return r < 0 || done ? r : write_stream(packed->stream, to_fd, err);
}

static int unpack(int fd, int to_fd, struct ui *ui, struct error *err)
{
        CLEANUP(packed_done) struct packed packed = {.content = CONTENT_UNKNOWN};
        int r = packed_open(&packed, fd, ui, err);

        if (r < 0)
                return r;
        if (content_is_archive(packed.content))
                return unpack_archive(packed.stream, fd, packed.content, to_fd, err);
        if (!content_is_image(packed.content))
                return refuse(packed.stream, packed.content, packed.kind, err);
        log_debug("image with %s", packed.kind);
        if (packed.outer == packed.content)
                return write_plain(fd, to_fd, ui, err);
        if (packed.outer == CONTENT_XZ)
                return unpack_xz(&packed, fd, to_fd, ui, err);
        return write_stream(packed.stream, to_fd, err);
}

int source_unpack_image(const char *path, int to_fd, struct ui *ui, struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;
        int r;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errno(err, errno, "open '%s'", path);
        progress_start(ui, "unpack", (uint64_t)st.st_size);
        r = unpack(fd, to_fd, ui, err);
        progress_end(ui);
        return r;
}

int source_identify(const char *path, enum source_kind *ret, const char **ret_name, struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        CLEANUP(stream_freep) struct stream *stream = NULL;
        enum content content = CONTENT_UNKNOWN;
        int r;

        if (fd < 0)
                return error_errno(err, errno, "open '%s'", path);
        r = stream_file(fd, NULL, &stream, err);
        if (r == 0)
                r = stream_peel(&stream, &content, ret_name, err);
        if (r < 0)
                return error_wrap(err, r, "'%s'", path);
        *ret = content_is_image(content) ? SOURCE_IMAGE : content_is_archive(content) ? SOURCE_ARCHIVE : SOURCE_UNKNOWN;
        return 0;
}
