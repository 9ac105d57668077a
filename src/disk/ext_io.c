/* An io_manager for libext2fs (ext2fs/ext2_io.h) on a part of an image file.
 * Unlike unix_io it ends where the volume ends, so that a damaged or hostile
 * file system cannot reach its neighbours, and it keeps nothing back: blocks
 * that libext2fs writes and data that we write beside it never disagree.
 *
 * Options, all needed: "offset=BYTES", "size=BYTES". */
#include "disk/ext_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

struct ext_io {
        int fd;
        uint64_t offset, size;
};

int ext_io_fd(io_channel channel)
{
        return ((struct ext_io *)channel->private_data)->fd;
}

static errcode_t io_open(const char *name, int flags, io_channel *ret)
{
        int fd = open(name, (flags & IO_FLAG_RW ? O_RDWR : O_RDONLY) | O_CLOEXEC);
        io_channel channel;
        struct ext_io *io;

        if (fd < 0)
                return errno;
        channel = xcalloc(1, sizeof(*channel));
        io = xcalloc(1, sizeof(*io));
        io->fd = fd;
        channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
        channel->manager = &ext_io_manager;
        channel->name = xstrdup(name);
        channel->block_size = 1024;
        channel->refcount = 1;
        channel->private_data = io;
        *ret = channel;
        return 0;
}

static errcode_t io_close(io_channel channel)
{
        struct ext_io *io = channel->private_data;

        if (--channel->refcount > 0)
                return 0;
        close(io->fd);
        free(io);
        free(channel->name);
        free(channel);
        return 0;
}

static errcode_t io_set_blksize(io_channel channel, int size)
{
        channel->block_size = size;
        return 0;
}

static errcode_t io_set_option(io_channel channel, const char *option, const char *arg)
{
        struct ext_io *io = channel->private_data;
        unsigned long long value;
        char *end;

        if (!arg)
                return EXT2_ET_INVALID_ARGUMENT;
        errno = 0;
        value = strtoull(arg, &end, 10);
        if (errno || *end)
                return EXT2_ET_INVALID_ARGUMENT;
        if (strcmp(option, "offset") == 0)
                io->offset = value;
        else if (strcmp(option, "size") == 0)
                io->size = value;
        else
                return EXT2_ET_INVALID_ARGUMENT;
        return 0;
}

/* Where `count` blocks (negative: bytes) lie in the image; an error if that is not inside the volume. */
static errcode_t place(io_channel channel, unsigned long long block, int count, size_t *ret_n, off_t *ret_at)
{
        struct ext_io *io = channel->private_data;
        uint64_t at, n = count < 0 ? (uint64_t)(-(int64_t)count) : (uint64_t)count * (unsigned int)channel->block_size;

        if (__builtin_mul_overflow(block, (uint64_t)channel->block_size, &at) || at > io->size || n > io->size - at)
                return EXT2_ET_LLSEEK_FAILED;
        *ret_n = n;
        *ret_at = (off_t)(io->offset + at);
        return 0;
}

static errcode_t io_read_blk64(io_channel channel, unsigned long long block, int count, void *data)
{
        struct ext_io *io = channel->private_data;
        size_t n;
        off_t at;
        errcode_t code = place(channel, block, count, &n, &at);
        int r;

        if (code)
                return code;
        r = fd_pread_all(io->fd, data, n, at);
        if (r == -ENODATA)
                return EXT2_ET_SHORT_READ;
        return -r;
}

static errcode_t io_write_blk64(io_channel channel, unsigned long long block, int count, const void *data)
{
        struct ext_io *io = channel->private_data;
        size_t n;
        off_t at;
        errcode_t code = place(channel, block, count, &n, &at);

        return code ? code : -fd_pwrite_all(io->fd, data, n, at);
}

static errcode_t io_read_blk(io_channel channel, unsigned long block, int count, void *data)
{
        return io_read_blk64(channel, block, count, data);
}

static errcode_t io_write_blk(io_channel channel, unsigned long block, int count, const void *data)
{
        return io_write_blk64(channel, block, count, data);
}

static errcode_t io_write_byte(io_channel channel, unsigned long offset, int count, const void *data)
{
        struct ext_io *io = channel->private_data;

        if (count < 0 || offset > io->size || (uint64_t)count > io->size - offset)
                return EXT2_ET_LLSEEK_FAILED;
        return -fd_pwrite_all(io->fd, data, (size_t)count, (off_t)(io->offset + offset));
}

static errcode_t io_flush(io_channel channel)
{
        (void)channel;
        return 0;
}

struct struct_io_manager ext_io_manager = {
        .magic = EXT2_ET_MAGIC_IO_MANAGER,
        .name = "slipway image",
        .open = io_open,
        .close = io_close,
        .set_blksize = io_set_blksize,
        .read_blk = io_read_blk,
        .write_blk = io_write_blk,
        .flush = io_flush,
        .write_byte = io_write_byte,
        .set_option = io_set_option,
        .read_blk64 = io_read_blk64,
        .write_blk64 = io_write_blk64,
};
