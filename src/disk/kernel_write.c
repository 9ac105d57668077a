/* The writer of file systems that only a kernel can write. See kernel.h. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/size.h"
#include "base/str.h"
#include "disk/change_log.h"
#include "disk/fs_tools.h"
#include "disk/kernel.h"

struct kernel_writer {
        struct fs_volume volume; /* path and name are owned */
        const struct fs_type *type;
        int64_t epoch;
        FILE *log;
        uint64_t bytes; /* of all files */
};

int kernel_write_open(const struct fs_volume *volume, const struct fs_type *type, int64_t epoch, void **ret_writer,
                      struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        struct kernel_writer *writer;
        FILE *log;
        int r = fs_scratch(volume, false, &fd, err);

        if (r < 0)
                return r;
        log = ftruncate(fd, 0) < 0 ? NULL : fdopen(fd, "w");
        if (!log)
                return error_errno(err, errno, "open a log of changes");
        steal_fd(&fd);
        writer = xmalloc(sizeof(*writer));
        *writer = (struct kernel_writer){.volume = *volume, .type = type, .epoch = epoch, .log = log};
        writer->volume.path = xstrdup(volume->path);
        writer->volume.name = xstrdup(volume->name);
        *ret_writer = writer;
        return 0;
}

int kernel_write_change(void *p, const struct fs_change *change, struct error *err)
{
        struct kernel_writer *writer = p;

        if (change->kind == FS_FILE)
                writer->bytes += (uint64_t)change->st.st_blocks * 512;
        return change_log_write(writer->log, change, err);
}

static int run(struct kernel_writer *writer, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        int r = change_log_end(writer->log, err);

        if (r == 0)
                r = fs_scratch(&writer->volume, true, &fd, err);
        if (r == 0)
                r = kernel_run(fd, fileno(writer->log), writer->type->name, writer->epoch, err);
        if (r == -ENOSPC)
                return error_append(err, r,
                                    "; the files have %s; give it more room with 'image_size' or a larger 'size' of "
                                    "the partition",
                                    size_show(writer->bytes));
        return r < 0 ? r : fs_scratch_store(&writer->volume, fd, writer->volume.size_bytes, err);
}

int kernel_write_close(void *p, struct error *err)
{
        struct kernel_writer *writer = p;
        int r = run(writer, err);

        if (r < 0)
                error_wrap(err, r, "%s", writer->volume.name);
        kernel_write_abort(writer);
        return r;
}

void kernel_write_abort(void *p)
{
        struct kernel_writer *writer = p;

        if (!writer)
                return;
        fclose(writer->log);
        free((char *)writer->volume.path);
        free((char *)writer->volume.name);
        free(writer);
}
