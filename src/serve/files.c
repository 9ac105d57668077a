/* Open files of the name space: see files.h. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "serve/files.h"

/* ---- reading ---- */

static ssize_t read_some(struct file *file, struct iovec *iov, int n_iov, uint64_t offset)
{
        ssize_t r;

        if (file->fd < 0)
                return file->read(file, iov->iov_base, iov->iov_len, offset);
        r = preadv(file->fd, iov, n_iov < IOV_MAX ? n_iov : IOV_MAX, (off_t)(file->fd_offset + offset));
        return r < 0 ? -errno : r;
}

int files_readv(struct file *file, struct iovec *iov, int n_iov, uint64_t offset)
{
        while (n_iov > 0) {
                ssize_t r = iov->iov_len > 0 ? read_some(file, iov, n_iov, offset) : 0;

                if (r == -EINTR)
                        continue;
                if (r < 0 || (r == 0 && iov->iov_len > 0))
                        return r < 0 ? (int)r : -EIO;
                offset += (uint64_t)r;
                for (; n_iov > 0 && (size_t)r >= iov->iov_len; iov++, n_iov--)
                        r -= (ssize_t)iov->iov_len;
                if (n_iov > 0)
                        *iov = (struct iovec){(char *)iov->iov_base + r, iov->iov_len - (size_t)r};
        }
        return 0;
}

int files_read(struct file *file, void *buf, size_t n, uint64_t offset)
{
        return files_readv(file, &(struct iovec){buf, n}, 1, offset);
}

struct file *files_close(struct file *file)
{
        if (file)
                file->close(file);
        return NULL;
}

/* ---- two kinds ---- */

static ssize_t text_read(struct file *file, void *buf, size_t n, uint64_t offset)
{
        n = n > file->size - offset ? file->size - offset : n;
        memcpy(buf, (char *)file->data + offset, n);
        return (ssize_t)n;
}

static void text_close(struct file *file)
{
        free(file->data);
        free(file);
}

struct file *file_of_text(char *text, size_t len)
{
        struct file *file = xmalloc(sizeof(*file));

        *file = (struct file){.size = len, .fd = -1, .read = text_read, .close = text_close, .data = text};
        return file;
}

static void fd_close(struct file *file)
{
        close(file->fd);
        free(file);
}

struct file_id file_id_of(const struct stat *st)
{
        return (struct file_id){.device = st->st_dev,
                                .inode = st->st_ino,
                                .size = (uint64_t)st->st_size,
                                .mtime_ns = st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec};
}

struct file *file_of_fd(int fd, const struct stat *st)
{
        struct file *file = xmalloc(sizeof(*file));

        *file = (struct file){.size = (uint64_t)st->st_size,
                              .mtime_sec = st->st_mtim.tv_sec,
                              .fd = fd,
                              .id = file_id_of(st),
                              .close = fd_close};
        return file;
}
