/* Growing and shrinking an image and a partition in it, and judging a table.
 * libfdisk moves gpt's backup header to the new end when it writes the table. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/size.h"
#include "disk/table.h"

static int grow_file(const char *path, uint64_t disk_bytes, struct error *err)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return error_errno(err, errno, "stat '%s'", path);
        if ((uint64_t)st.st_size > disk_bytes)
                return error_set(err, EINVAL,
                                 "the image is %s (%lld bytes) and cannot shrink to %s (%llu bytes); set image_size to "
                                 "that or more",
                                 size_show((uint64_t)st.st_size), (long long)st.st_size, size_show(disk_bytes),
                                 (unsigned long long)disk_bytes);
        if (disk_bytes > INT64_MAX || truncate(path, (off_t)disk_bytes) < 0)
                return error_errno(err, disk_bytes > INT64_MAX ? EFBIG : errno, "grow the image to %s",
                                   size_show(disk_bytes));
        return 0;
}

/* Where the free space after a partition ends. */
static uint64_t free_end(const struct disk_table *table, const struct disk_partition *part, uint64_t sectors)
{
        bool logical = table->label == DISK_DOS && part->number > 4;
        uint64_t end = table->label == DISK_GPT ? sectors - 33 : sectors;

        if (table->label == DISK_DOS && end > UINT32_MAX)
                end = UINT32_MAX;
        for (size_t i = 0; i < table->n; i++) {
                const struct disk_partition *other = &table->v[i];
                bool same_level = logical == (table->label == DISK_DOS && other->number > 4);

                if (other->start_bytes > part->start_bytes && same_level && other->start_bytes / SECTOR < end)
                        end = other->start_bytes / SECTOR - (logical ? 1 : 0);
        }
        return end;
}

static int set_size(struct table_context *ctx, const struct disk_partition *part, uint64_t sectors, struct error *err)
{
        struct fdisk_partition *pa = NULL;
        int r;

        if (fdisk_is_labeltype(ctx->cxt, FDISK_DISKLABEL_DOS))
                return table_dos_resize(ctx->fd, part->number, sectors, err);
        r = fdisk_get_partition(ctx->cxt, part->number - 1, &pa);
        if (r == 0) {
                fdisk_partition_set_size(pa, sectors);
                fdisk_partition_size_explicit(pa, 1);
                str_clear(&ctx->messages);
                r = fdisk_set_partition(ctx->cxt, part->number - 1, pa);
        }
        fdisk_unref_partition(pa);
        if (r < 0)
                return error_errno(err, -r, "make partition %u %s large%s%s", part->number, size_show(sectors * SECTOR),
                                   ctx->messages.len ? ": " : "", str_get(&ctx->messages));
        return 0;
}

static int grow_partition(struct table_context *ctx, const struct disk_table *table, const struct disk_partition *part,
                          uint64_t max_end, struct error *err)
{
        uint64_t start = part->start_bytes / SECTOR, size = part->size_bytes / SECTOR;
        uint64_t end = free_end(table, part, fdisk_get_nsectors(ctx->cxt));

        if (end > max_end)
                end = max_end;
        if (end <= start || end - start < size)
                return error_set(
                        err, EINVAL,
                        "partition %u (sectors %llu to %llu) reaches past sector %llu, where its room ends; the "
                        "table is damaged",
                        part->number, (unsigned long long)start, (unsigned long long)(start + size - 1),
                        (unsigned long long)end - 1);
        return end - start == size ? 0 : set_size(ctx, part, end - start, err);
}

/* The extended partition grows before the logical one in it. */
static int grow_logical(struct table_context *ctx, const struct disk_table *table, const struct disk_partition *part,
                        struct error *err)
{
        const struct disk_partition *extended = NULL;
        uint64_t end;
        int r;

        for (size_t i = 0; i < table->n; i++)
                if (table->v[i].extended)
                        extended = &table->v[i];
        if (!extended)
                return error_set(err, EINVAL, "partition %u is logical, but there is no extended partition",
                                 part->number);
        end = free_end(table, extended, fdisk_get_nsectors(ctx->cxt));
        r = grow_partition(ctx, table, extended, UINT64_MAX, err);
        return r < 0 ? r : grow_partition(ctx, table, part, end, err);
}

const struct disk_partition *disk_table_last(const struct disk_table *table)
{
        const struct disk_partition *last = NULL;

        for (size_t i = 0; i < table->n; i++)
                if (!table->v[i].extended)
                        last = &table->v[i];
        return last;
}

int disk_grow(const char *path, uint64_t disk_bytes, unsigned int number, struct error *err)
{
        CLEANUP_TABLE struct table_context ctx = {.fd = -1};
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        const struct disk_partition *part;
        int r = disk_table_read(path, &table, err);

        if (r < 0)
                return r;
        part = number > 0 ? disk_table_find(table, number) : disk_table_last(table);
        if (!part)
                return error_set(err, ENOENT, "'%s' has no partition %u to grow (it has %zu)", path, number, table->n);
        r = grow_file(path, disk_bytes, err);
        if (r < 0 || table->label == DISK_NONE)
                return r;
        r = table_open(&ctx, path, true, err);
        if (r < 0)
                return r;
        if (table->label == DISK_DOS && part->number > 4)
                r = grow_logical(&ctx, table, part, err);
        else
                r = grow_partition(&ctx, table, part, UINT64_MAX, err);
        if (r < 0 || table->label == DISK_DOS)
                return r;
        fdisk_label_set_changed(fdisk_get_label(ctx.cxt, NULL), 1); /* the backup header moves in any case */
        return table_write(&ctx, err);
}

/* A logical partition, then the extended one around it. */
static int shrink_dos(struct table_context *ctx, const struct disk_table *table, const struct disk_partition *part,
                      uint64_t sectors, struct error *err)
{
        uint64_t end = part->start_bytes / SECTOR + sectors;
        int r = set_size(ctx, part, sectors, err);

        for (size_t i = 0; r == 0 && part->number > 4 && i < table->n; i++)
                if (table->v[i].extended)
                        r = set_size(ctx, &table->v[i], end - table->v[i].start_bytes / SECTOR, err);
        return r;
}

/* *ret_end: the first sector behind the backup header (UEFI specification, 5.3.2: AlternateLBA). */
static int shrink_gpt(struct table_context *ctx, const struct disk_partition *part, uint64_t sectors, uint64_t *ret_end,
                      struct error *err)
{
        uint8_t header[SECTOR];
        int r = set_size(ctx, part, sectors, err);

        if (r < 0)
                return r;
        fdisk_gpt_enable_minimize(fdisk_get_label(ctx->cxt, NULL), 1);
        fdisk_label_set_changed(fdisk_get_label(ctx->cxt, NULL), 1);
        r = table_write(ctx, err);
        if (r < 0)
                return r;
        r = fd_pread_all(ctx->fd, header, sizeof(header), SECTOR);
        *ret_end = get_le64(header + 32) + 1;
        return r < 0 ? error_errno(err, -r, "read the table's header") : 0;
}

static int shrink_table(const char *path, const struct disk_table *table, const struct disk_partition *part,
                        uint64_t sectors, uint64_t *ret_end, struct error *err)
{
        CLEANUP_TABLE struct table_context ctx = {.fd = -1};
        int r = table_open(&ctx, path, true, err);

        *ret_end = part->start_bytes / SECTOR + sectors;
        if (r < 0)
                return r;
        return table->label == DISK_GPT ? shrink_gpt(&ctx, part, sectors, ret_end, err)
                                        : shrink_dos(&ctx, table, part, sectors, err);
}

/* gpt's protective MBR holds the size of the whole. */
static int rewrite(const char *path, struct error *err)
{
        CLEANUP_TABLE struct table_context ctx = {.fd = -1};
        int r = table_open(&ctx, path, true, err);

        if (r < 0)
                return r;
        fdisk_label_set_changed(fdisk_get_label(ctx.cxt, NULL), 1);
        return table_write(&ctx, err);
}

int disk_shrink(const char *path, uint64_t size_bytes, uint64_t *ret_bytes, struct error *err)
{
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        const struct disk_partition *part;
        uint64_t sectors, end;
        int r = disk_table_read(path, &table, err);

        if (r < 0)
                return r;
        part = disk_table_last(table);
        if (!part)
                return error_set(err, ENOENT, "'%s' has no partition to shrink", path);
        sectors = (size_bytes + SECTOR - 1) / SECTOR;
        sectors = (sectors + ALIGN_SECTORS - 1) / ALIGN_SECTORS * ALIGN_SECTORS;
        if (sectors > part->size_bytes / SECTOR)
                sectors = part->size_bytes / SECTOR;
        end = part->start_bytes / SECTOR + sectors;
        if (table->label != DISK_NONE)
                r = shrink_table(path, table, part, sectors, &end, err);
        if (r == 0 && truncate(path, (off_t)(end * SECTOR)) < 0)
                r = error_errno(err, errno, "cut '%s'", path);
        if (r == 0 && table->label == DISK_GPT)
                r = rewrite(path, err);
        *ret_bytes = end * SECTOR;
        return r;
}

/* Overlaps and ends, which libfdisk reports by sector numbers only. */
static int verify_places(const struct disk_table *table, struct error *err)
{
        for (size_t i = 0; i < table->n; i++) {
                const struct disk_partition *a = &table->v[i];

                if (a->start_bytes > table->disk_bytes || a->size_bytes > table->disk_bytes - a->start_bytes)
                        return error_set(
                                err, EINVAL,
                                "partition %u (sectors %llu to %llu, %s) goes past the end of the image, which "
                                "has %llu sectors (%s)",
                                a->number, (unsigned long long)a->start_bytes / SECTOR,
                                (unsigned long long)(a->start_bytes + a->size_bytes) / SECTOR - 1,
                                size_show(a->size_bytes), (unsigned long long)table->disk_bytes / SECTOR,
                                size_show(table->disk_bytes));
                for (size_t k = 0; k < i; k++) {
                        const struct disk_partition *b = &table->v[k];

                        if (a->extended || b->extended || a->start_bytes - b->start_bytes >= b->size_bytes)
                                continue;
                        return error_set(err, EINVAL,
                                         "partition %u (from sector %llu) overlaps partition %u (sectors %llu to %llu)",
                                         a->number, (unsigned long long)a->start_bytes / SECTOR, b->number,
                                         (unsigned long long)b->start_bytes / SECTOR,
                                         (unsigned long long)(b->start_bytes + b->size_bytes) / SECTOR - 1);
                }
        }
        return 0;
}

int disk_verify(const char *path, struct error *err)
{
        CLEANUP_TABLE struct table_context ctx = {.fd = -1};
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        int r = disk_table_read(path, &table, err);

        if (r < 0 || table->label == DISK_NONE)
                return r;
        r = verify_places(table, err);
        if (r == 0)
                r = table_open(&ctx, path, false, err);
        if (r < 0)
                return r;
        if (ctx.messages.len > 0) /* said while it was read: a header that only the backup could replace */
                return error_set(err, EINVAL, "%s", str_get(&ctx.messages));
        r = fdisk_verify_disklabel(ctx.cxt);
        if (r != 0)
                return error_set(err, EINVAL, "the partition table is bad: %s", str_get(&ctx.messages));
        return 0;
}
