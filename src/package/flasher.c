/* The post-processor `flasher`: the image onto a disk or into a file, by its
 * block map, read back and compared. The first block, with the partition table, goes
 * last: a disk that was not written to the end does not look like one that was. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/size.h"
#include "base/str.h"
#include "package/blockmap.h"
#include "package/post.h"
#include "package/target.h"

enum { MAX_BLOCK = 64 << 20 };

struct flasher_config {
        char *device, *holes;
        uint64_t block_size;
        bool interactive, verify;
};

struct flash {
        const struct flasher_config *config;
        struct ui *ui;
        int image;
        struct target target;
        struct blockmap map;
        uint8_t *buffer;
        uint64_t done;
};

static void flash_done(struct flash *flash)
{
        blockmap_clear(&flash->map);
        target_close(&flash->target);
        close_p(&flash->image);
        free(flash->buffer);
}

static int check(void *arg, const struct value *value, struct diags *diags)
{
        const struct flasher_config *config = arg;

        if (config->block_size >= 512 && config->block_size <= MAX_BLOCK && config->block_size % 512 == 0)
                return 0;
        diag_error(diags, schema_range(value, "block_size"),
                   "'block_size' must be a multiple of 512 between 512 and 64 MiB");
        return -EINVAL;
}

/* Ask on the terminal; anything but yes is no. */
static int confirm(struct flash *flash, const char *image, struct error *err)
{
        char answer[64] = "";

        if (!isatty(STDIN_FILENO))
                return error_set(
                        err, ENOTTY,
                        "'%s' (%s) would be overwritten, and there is no terminal to ask on; 'interactive' is to be "
                        "false if that is meant",
                        flash->target.path, flash->target.description);
        if (flash->ui)
                ui_say(flash->ui,
                       "Everything on %s (%s) will be replaced by %s. Type yes to go on:", flash->target.path,
                       flash->target.description, image);
        if (!fgets(answer, sizeof(answer), stdin)) {
                clearerr(stdin);
                return cancel_requested() ? cancel_check(err) : error_set(err, ECANCELED, "nobody said yes");
        }
        if (!str_eq(str_trim(answer), "yes"))
                return error_set(err, ECANCELED, "not confirmed; '%s' was left as it is", flash->target.path);
        return 0;
}

/* Bytes [from, to) of the image to the same place of the target. */
static int copy(struct flash *flash, uint64_t from, uint64_t to, struct error *err)
{
        while (from < to) {
                size_t n = to - from > flash->config->block_size ? flash->config->block_size : (size_t)(to - from);
                int r = cancel_check(err);

                if (r < 0)
                        return r;
                r = fd_pread_all(flash->image, flash->buffer, n, (off_t)from);
                if (r < 0)
                        return error_errno(err, -r, "read the image at byte %llu", (unsigned long long)from);
                r = fd_pwrite_all(flash->target.fd, flash->buffer, n, (off_t)from);
                if (r < 0)
                        return error_errno(err, -r, "write to '%s' at byte %llu", flash->target.path,
                                           (unsigned long long)from);
                from += n;
                flash->done += n;
                progress_update(flash->ui, flash->done);
        }
        return 0;
}

/* The places between the ranges, of a disk. A new file has holes there already. */
static int treat_gap(struct flash *flash, uint64_t from, uint64_t to, struct error *err)
{
        uint64_t range[2] = {from, to - from};
        bool zero = str_eq(flash->config->holes, "zero");

        if (!flash->target.is_disk || from >= to || str_eq(flash->config->holes, "leave"))
                return 0;
        if (!zero) {
                ioctl(flash->target.fd, BLKDISCARD, range); /* an offer to the disk; many cannot */
                return 0;
        }
        if (ioctl(flash->target.fd, BLKZEROOUT, range) < 0)
                return error_errno(err, errno, "write zeros to '%s' at byte %llu", flash->target.path,
                                   (unsigned long long)from);
        return 0;
}

static int treat_gaps(struct flash *flash, struct error *err)
{
        uint64_t at = 0;
        int r = 0;

        for (size_t i = 0; i < flash->map.ranges.n && r == 0; i++) {
                r = treat_gap(flash, at, blockmap_start(&flash->map.ranges.v[i]), err);
                at = blockmap_end(&flash->map, &flash->map.ranges.v[i]);
                if (r == 0)
                        r = cancel_check(err);
        }
        return r == 0 ? treat_gap(flash, at, flash->map.size / 512 * 512, err) : r;
}

static int write_ranges(struct flash *flash, struct error *err)
{
        static const uint8_t zeros[BLOCKMAP_BLOCK];
        const struct blockmap *map = &flash->map;
        uint64_t first = map->size < BLOCKMAP_BLOCK ? map->size : BLOCKMAP_BLOCK;
        bool first_mapped = map->ranges.n && map->ranges.v[0].first == 0;
        int r = fd_pwrite_all(flash->target.fd, zeros, (size_t)first, 0);

        if (r < 0)
                return error_errno(err, -r, "write to '%s'", flash->target.path);
        for (size_t i = 0; i < map->ranges.n; i++) {
                uint64_t start = blockmap_start(&map->ranges.v[i]);

                r = copy(flash, start < first ? first : start, blockmap_end(map, &map->ranges.v[i]), err);
                if (r < 0)
                        return r;
        }
        if (fsync(flash->target.fd) < 0)
                return error_errno(err, errno, "write to '%s'", flash->target.path);
        return first_mapped ? copy(flash, 0, first, err) : 0;
}

/* What is read back must not come from memory. */
static void drop_cache(int fd, bool is_disk)
{
        if (is_disk)
                ioctl(fd, BLKFLSBUF, 0);
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int verify_range(struct flash *flash, const struct blockmap_range *range, struct error *err)
{
        CLEANUP(digest_freep) struct digest *digest = digest_new("sha256");
        uint64_t at = blockmap_start(range), end = blockmap_end(&flash->map, range);
        char hex[DIGEST_HEX_MAX];

        while (at < end) {
                size_t n = end - at > flash->config->block_size ? flash->config->block_size : (size_t)(end - at);
                int r = cancel_check(err);

                if (r < 0)
                        return r;
                r = fd_pread_all(flash->target.fd, flash->buffer, n, (off_t)at);
                if (r < 0)
                        return error_errno(err, -r, "read '%s' back at byte %llu", flash->target.path,
                                           (unsigned long long)at);
                digest_update(digest, flash->buffer, n);
                at += n;
                flash->done += n;
                progress_update(flash->ui, flash->done);
        }
        digest_final(digest, hex);
        if (memcmp(hex, range->sha256, SHA256_HEX - 1) == 0)
                return 0;
        return error_set(err, EIO,
                         "'%s' does not give back what was written to bytes %llu to %llu: the disk is damaged, or not "
                         "as large as it says",
                         flash->target.path, (unsigned long long)blockmap_start(range), (unsigned long long)end - 1);
}

static int verify(struct flash *flash, struct error *err)
{
        int r = 0;

        drop_cache(flash->target.fd, flash->target.is_disk);
        flash->done = 0;
        progress_start(flash->ui, "verify", blockmap_bytes(&flash->map));
        for (size_t i = 0; i < flash->map.ranges.n && r == 0; i++)
                r = verify_range(flash, &flash->map.ranges.v[i], err);
        progress_end(flash->ui);
        return r;
}

static int write_all(struct flash *flash, struct error *err)
{
        int r = treat_gaps(flash, err);

        if (r == 0) {
                progress_start(flash->ui, "write", blockmap_bytes(&flash->map));
                r = write_ranges(flash, err);
                if (r == 0 && fsync(flash->target.fd) < 0)
                        r = error_errno(err, errno, "write to '%s'", flash->target.path);
                progress_end(flash->ui);
        }
        if (r == 0 && flash->config->verify)
                r = verify(flash, err);
        if (r == 0)
                r = target_publish(&flash->target, err);
        if (r < 0 && flash->target.is_disk)
                error_append(err, r, " ('%s' holds a part of the image now and is of no use)", flash->target.path);
        if (r == 0 && flash->target.is_disk)
                ioctl(flash->target.fd, BLKRRPART, 0); /* new partitions, for whoever looks next */
        return r;
}

static int flash_open(struct flash *flash, const char *image, struct error *err)
{
        uint64_t size;
        int r = input_open(image, &flash->image, &size, err);

        if (r == 0)
                r = target_open(flash->config->device, size, &flash->target, err);
        if (r == 0 && flash->config->interactive && flash->target.is_disk)
                r = confirm(flash, image, err);
        if (r == 0)
                r = blockmap_read(flash->image, size, flash->ui, &flash->map, err);
        if (r == 0)
                flash->buffer = xmalloc(flash->config->block_size);
        return r;
}

static int run(const void *arg, const struct package_context *context, const struct artifact *in, struct artifact *ret,
               bool *ret_keep, struct error *err)
{
        CLEANUP(flash_done) struct flash flash = {.config = arg, .ui = context->ui, .image = -1};
        const char *image = NULL;
        int r = input_image(in, &image, err);

        flash.target.fd = -1;
        if (r == 0)
                r = output_not_input(flash.config->device, in, err);
        if (r == 0)
                r = flash_open(&flash, image, err);
        if (r < 0)
                return r;
        if (context->ui)
                ui_say(context->ui, "Flashing %s to %s (%s): %s of %s", image, flash.target.path,
                       flash.target.description, size_show(blockmap_bytes(&flash.map)), size_show(flash.map.size));
        r = write_all(&flash, err);
        if (r < 0)
                return r;
        if (context->ui)
                ui_say(context->ui, "%s is written%s", flash.target.path, flash.config->verify ? " and verified" : "");
        artifact_copy(in, ret);
        *ret_keep = true;
        return 0;
}

#define AT(field) offsetof(struct flasher_config, field)

static const char *const hole_choices[] = {"discard", "zero", "leave", NULL};

/* clang-format off */ /* version 14 crashes on rows of different length */
static const struct schema_key keys[] = {
        {"device", SCHEMA_STRING, SCHEMA_REQUIRED, AT(device), .help = "the disk (/dev/sdX, /dev/disk/by-id/...) or file"},
        {"block_size", SCHEMA_SIZE, 0, AT(block_size), .fallback = "1MiB", .help = "how much is written at a time"},
        {"interactive", SCHEMA_BOOL, 0, AT(interactive), .fallback = "true", .help = "ask before a disk is overwritten"},
        {"verify", SCHEMA_BOOL, 0, AT(verify), .fallback = "true", .help = "read everything back and compare"},
        {"holes", SCHEMA_STRING, 0, AT(holes), .choices = hole_choices, .fallback = "discard",
         .help = "what becomes of places that the image does not use: discard, zero or leave"},
};
/* clang-format on */

static const struct schema schema = {
        .name = "the flasher post-processor",
        .size = sizeof(struct flasher_config),
        .keys = keys,
        .n_keys = sizeof(keys) / sizeof(*keys),
};

const struct post_processor_type flasher_post_processor = {
        .name = "flasher",
        .schema = &schema,
        .gives_on = true,
        .check = check,
        .run = run,
};
