/* See sparse.h. SEEK_DATA and SEEK_HOLE as in lseek(2); a file system that
 * has no holes reports one piece of data. */
#include "base/sparse.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"

/* The next piece of data at or after *at, widened to whole blocks, at most to size. */
static int next_data(int fd, uint64_t at, uint64_t size, uint64_t *ret_start, uint64_t *ret_end)
{
        off_t start = lseek(fd, (off_t)at, SEEK_DATA), end;

        if (start < 0 && errno == ENXIO) {
                *ret_start = *ret_end = size;
                return 0;
        }
        if (start < 0 && errno != EINVAL)
                return -errno;
        end = start < 0 ? (off_t)size : lseek(fd, start, SEEK_HOLE);
        if (start < 0)
                start = (off_t)at;
        if (end < 0)
                return -errno;
        *ret_start = (uint64_t)start / SPARSE_BLOCK * SPARSE_BLOCK;
        if (*ret_start < at)
                *ret_start = at;
        *ret_end = ((uint64_t)end + SPARSE_BLOCK - 1) / SPARSE_BLOCK * SPARSE_BLOCK;
        if (*ret_end > size)
                *ret_end = size;
        if (*ret_start > size)
                *ret_start = size;
        return 0;
}

static int read_data(int fd, uint64_t from, uint64_t to, char *buffer, const struct sparse_ops *ops, void *arg,
                     struct error *err)
{
        while (from < to) {
                size_t n = to - from > SPARSE_CHUNK ? SPARSE_CHUNK : (size_t)(to - from);
                int r = cancel_check(err);

                if (r < 0)
                        return r;
                r = fd_pread_all(fd, buffer, n, (off_t)from);
                if (r == -ENODATA)
                        return error_set(err, EIO, "the file became shorter while it was read");
                if (r < 0)
                        return error_errno(err, -r, "read at byte %llu", (unsigned long long)from);
                r = ops->data(arg, from, buffer, n, err);
                if (r < 0)
                        return r;
                from += n;
        }
        return 0;
}

int sparse_read(int fd, uint64_t size, const struct sparse_ops *ops, void *arg, struct error *err)
{
        CLEANUP_FREE char *buffer = xmalloc(SPARSE_CHUNK);
        uint64_t at = 0, start = 0, end = 0;
        int r;

        while (at < size) {
                r = next_data(fd, at, size, &start, &end);
                if (r < 0)
                        return error_errno(err, -r, "find data after byte %llu", (unsigned long long)at);
                if (start > at) {
                        r = ops->hole(arg, at, start - at, err);
                        if (r < 0)
                                return r;
                }
                r = read_data(fd, start, end, buffer, ops, arg, err);
                if (r < 0)
                        return r;
                at = end;
        }
        return 0;
}

struct pour {
        struct ui *ui;
        uint64_t done;
        int (*write)(void *arg, const void *data, size_t n, struct error *err);
        void *arg;
};

static int pour_data(void *arg, uint64_t offset, const void *data, size_t n, struct error *err)
{
        struct pour *pour = arg;

        progress_update(pour->ui, pour->done + offset);
        return pour->write(pour->arg, data, n, err);
}

int sparse_zeros(uint64_t n, int (*write)(void *arg, const void *data, size_t n, struct error *err), void *arg,
                 struct error *err)
{
        static const char zeros[1 << 16];
        int r = 0;

        for (uint64_t at = 0; at < n && r == 0; at += sizeof(zeros)) {
                size_t some = n - at > sizeof(zeros) ? sizeof(zeros) : (size_t)(n - at);

                r = cancel_check(err);
                if (r == 0)
                        r = write(arg, zeros, some, err);
        }
        return r;
}

static int pour_hole(void *arg, uint64_t offset, uint64_t n, struct error *err)
{
        struct pour *pour = arg;
        int r = sparse_zeros(n, pour->write, pour->arg, err);

        progress_update(pour->ui, pour->done + offset + n);
        return r;
}

int sparse_pour(int fd, uint64_t size, struct ui *ui, uint64_t *done,
                int (*write)(void *arg, const void *data, size_t n, struct error *err), void *arg, struct error *err)
{
        static const struct sparse_ops ops = {.data = pour_data, .hole = pour_hole};
        struct pour pour = {.ui = ui, .done = *done, .write = write, .arg = arg};
        int r = sparse_read(fd, size, &ops, &pour, err);

        if (r == 0)
                *done += size;
        return r;
}
