/* libfdisk on an image file. It never sees a device: nothing is re-read by a
 * kernel, no dialogue is held, and its warnings become text for our errors. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/table.h"

static int on_ask(struct fdisk_context *cxt, struct fdisk_ask *ask, void *arg)
{
        struct str *messages = arg;

        (void)cxt;
        switch (fdisk_ask_get_type(ask)) {
        case FDISK_ASKTYPE_INFO:
        case FDISK_ASKTYPE_WARN:
        case FDISK_ASKTYPE_WARNX:
                if (messages->len > 0)
                        str_add(messages, "; ");
                str_add(messages, fdisk_ask_print_get_mesg(ask));
                return 0;
        case FDISK_ASKTYPE_YESNO:
                return fdisk_ask_yesno_set_result(ask, 1);
        default:
                return -EINVAL; /* a question that no program can answer: the call fails */
        }
}

int table_open(struct table_context *ctx, const char *path, bool write, struct error *err)
{
        struct stat st;
        int r;

        ctx->fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
        if (ctx->fd < 0)
                return error_errno(err, errno, "open image '%s'", path);
        if (fstat(ctx->fd, &st) < 0)
                return error_errno(err, errno, "stat '%s'", path);
        if (S_ISREG(st.st_mode) && st.st_size < SECTOR)
                return error_set(err, EINVAL, "'%s' is not a disk image: it has %lld bytes", path,
                                 (long long)st.st_size);
        ctx->cxt = fdisk_new_context();
        if (!ctx->cxt)
                return error_set(err, ENOMEM, "out of memory");
        fdisk_set_ask(ctx->cxt, on_ask, &ctx->messages);
        fdisk_disable_dialogs(ctx->cxt, 1);
        fdisk_save_user_sector_size(ctx->cxt, SECTOR, SECTOR);
        r = fdisk_assign_device_by_fd(ctx->cxt, ctx->fd, path, !write);
        if (r < 0)
                return error_errno(err, -r, "read the partition table of '%s'", path);
        return 0;
}

int table_write(struct table_context *ctx, struct error *err)
{
        int r;

        str_clear(&ctx->messages);
        r = fdisk_write_disklabel(ctx->cxt);
        if (r < 0)
                return error_errno(err, -r, "write the partition table%s%s", ctx->messages.len ? ": " : "",
                                   str_get(&ctx->messages));
        return 0;
}

void table_close(struct table_context *ctx)
{
        /* Without fdisk_deassign_device(), which would wait until all of the image is on the disk. */
        if (ctx->cxt)
                fdisk_unref_context(ctx->cxt);
        if (ctx->fd >= 0)
                close(ctx->fd);
        ctx->cxt = NULL;
        ctx->fd = -1;
        str_clear(&ctx->messages);
}
