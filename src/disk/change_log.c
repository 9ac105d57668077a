/* Writing a log of changes. See change_log.h. */
#include "disk/change_log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "disk/change_record.h"

enum { BUFFER = 1 << 16 };

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

/* [at, end) of the file. */
static int put_extent(FILE *stream, int fd, uint64_t at, uint64_t end, char *buffer, struct error *err)
{
        struct change_extent head = {at, end - at};
        int r = put(stream, &head, sizeof(head));

        while (r == 0 && at < end) {
                size_t n = end - at < BUFFER ? (size_t)(end - at) : BUFFER;

                r = fd_pread_all(fd, buffer, n, (off_t)at);
                if (r < 0)
                        return error_errno(err, -r, "read the file");
                r = cancel_requested() ? -ECANCELED : put(stream, buffer, n);
                at += n;
        }
        return r < 0 ? error_errno(err, -r, "keep the file for the image") : 0;
}

static int put_data(FILE *stream, const struct fs_change *change, struct error *err)
{
        static const struct change_extent end_of_data = {0};
        CLEANUP_FREE char *buffer = xmalloc(BUFFER);
        off_t size = change->st.st_size, at = 0;
        int r = 0;

        while (r == 0 && at < size) {
                off_t data = lseek(change->fd, at, SEEK_DATA), hole;

                if (data < 0 && errno == ENXIO)
                        break;
                if (data < 0)
                        data = at;
                hole = lseek(change->fd, data, SEEK_HOLE);
                if (hole < 0 || hole > size)
                        hole = size;
                if (data < hole)
                        r = put_extent(stream, change->fd, (uint64_t)data, (uint64_t)hole, buffer, err);
                at = data < hole ? hole : size;
        }
        if (r < 0)
                return r;
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
