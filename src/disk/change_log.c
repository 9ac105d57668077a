/* Writing a log of changes. See change_log.h. */
#include "disk/change_log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "disk/change_record.h"
#include "disk/fs_tools.h"

enum { BUFFER = 1 << 16, BLOCK = 4096 };

static int put(FILE *stream, const void *data, size_t n)
{
        errno = EIO;
        return fwrite(data, 1, n, stream) == n ? 0 : -errno;
}

static int put_xattrs(FILE *stream, const struct fs_change *change)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < change->n_xattrs; i++) {
                const struct fs_xattr *xattr = &change->xattrs[i];
                struct change_xattr head = {(uint32_t)strlen(xattr->name), (uint32_t)xattr->len};

                r = put(stream, &head, sizeof(head));
                if (r == 0)
                        r = put(stream, xattr->name, head.name_len);
                if (r == 0)
                        r = put(stream, xattr->value, head.value_len);
        }
        return r;
}

static int put_extent(FILE *stream, uint64_t at, const char *data, size_t n)
{
        struct change_extent head = {at, n};
        int r = n > 0 ? put(stream, &head, sizeof(head)) : 0;

        return r < 0 ? r : put(stream, data, n);
}

/* The blocks of a window that are not zero. */
static int put_window(FILE *stream, uint64_t at, const char *data, size_t n, bool keep_zeros)
{
        size_t start = 0;
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i += BLOCK) {
                size_t len = n - i < BLOCK ? n - i : BLOCK;

                if (keep_zeros || !is_zero(data + i, len))
                        continue;
                r = put_extent(stream, at + start, data + start, i - start);
                start = i + len;
        }
        return r < 0 ? r : put_extent(stream, at + start, data + start, n - start);
}

/* Where data begins at or after `at`; the file's size if there is none. */
static uint64_t next_data(const struct fs_change *change, uint64_t at)
{
        off_t data = lseek(change->fd, (off_t)at, SEEK_DATA);

        if (data < 0)
                return errno == ENXIO ? (uint64_t)change->st.st_size : at;
        return (uint64_t)data / BLOCK * BLOCK;
}

/* What is a hole depends on the bytes alone, not on how the file system of the host came to hold them. Swap files have
 * none. */
static int put_data(FILE *stream, const struct fs_change *change, struct error *err)
{
        static const struct change_extent end_of_data = {0};
        CLEANUP_FREE char *buffer = xmalloc(BUFFER);
        uint64_t size = (uint64_t)change->st.st_size;
        bool keep_zeros = false;
        int r = 0;

        for (uint64_t at = 0; r == 0 && at < size;) {
                size_t n = size - at < BUFFER ? (size_t)(size - at) : BUFFER;

                r = fd_pread_all(change->fd, buffer, n, (off_t)at);
                if (r < 0)
                        return error_errno(err, -r, "read the file");
                if (at == 0)
                        keep_zeros = swap_signature(buffer, n);
                r = cancel_requested() ? -ECANCELED : put_window(stream, at, buffer, n, keep_zeros);
                at += n;
                if (at < size && !keep_zeros)
                        at = next_data(change, at);
        }
        if (r == 0)
                r = put(stream, &end_of_data, sizeof(end_of_data));
        return r < 0 ? error_errno(err, -r, "keep the file for the image") : 0;
}

int change_log_write(FILE *stream, const struct fs_change *change, struct error *err)
{
        const char *target = change->target ? change->target : "";
        struct change_record record = {.magic = CHANGE_MAGIC,
                                       .kind = change->kind,
                                       .keep = change->keep,
                                       .mode = change->st.st_mode,
                                       .uid = change->st.st_uid,
                                       .gid = change->st.st_gid,
                                       .n_xattrs = (uint32_t)change->n_xattrs,
                                       .path_len = (uint32_t)strlen(change->path),
                                       .target_len = (uint32_t)strlen(target),
                                       .rdev = change->st.st_rdev,
                                       .size = (uint64_t)change->st.st_size,
                                       .mtime_sec = change->st.st_mtim.tv_sec,
                                       .mtime_nsec = change->st.st_mtim.tv_nsec};
        int r = put(stream, &record, sizeof(record));

        if (r == 0)
                r = put(stream, change->path, record.path_len);
        if (r == 0)
                r = put(stream, target, record.target_len);
        if (r == 0)
                r = put_xattrs(stream, change);
        if (r < 0)
                return error_errno(err, -r, "keep the change for the image");
        return change->kind == FS_FILE ? put_data(stream, change, err) : 0;
}

int change_log_end(FILE *stream, struct error *err)
{
        struct change_record record = {.magic = CHANGE_MAGIC, .kind = CHANGE_END};
        int r = put(stream, &record, sizeof(record));

        if (r == 0 && fflush(stream) != 0)
                r = -errno;
        return r < 0 ? error_errno(err, -r, "keep the changes for the image") : 0;
}
