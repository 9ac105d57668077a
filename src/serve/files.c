/* Open files of the name space: see files.h. */
#include <errno.h>
#include <unistd.h>

#include "serve/files.h"

static ssize_t read_some(struct file *file, void *buf, size_t n, uint64_t offset)
{
        ssize_t r;

        if (file->fd < 0)
                return file->read(file, buf, n, offset);
        r = pread(file->fd, buf, n, (off_t)(file->fd_offset + offset));
        return r < 0 ? -errno : r;
}

int file_read(struct file *file, void *buf, size_t n, uint64_t offset)
{
        for (size_t done = 0; done < n;) {
                ssize_t r = read_some(file, (char *)buf + done, n - done, offset + done);

                if (r == -EINTR)
                        continue;
                if (r <= 0)
                        return r < 0 ? (int)r : -EIO;
                done += (size_t)r;
        }
        return 0;
}

struct file *file_close(struct file *file)
{
        if (file)
                file->close(file);
        return NULL;
}
