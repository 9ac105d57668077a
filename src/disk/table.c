/* Reading a partition table (libfdisk), and what lies in the partitions
 * (libblkid, at an offset of the file). Whether a file has a table at all is
 * libblkid's judgement: a FAT boot sector also ends in 55 AA. */
#include "disk/table.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

static void probe_freep(blkid_probe *probe)
{
        if (*probe)
                blkid_free_probe(*probe);
}

static char *probe_value(blkid_probe probe, const char *name)
{
        const char *value;

        return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 ? xstrdup(value) : NULL;
}

/* What lies at an offset; *ret_table (may be NULL) is "dos", "gpt", ... or NULL. */
static void probe_area(int fd, struct disk_partition *part, char **ret_table)
{
        CLEANUP(probe_freep) blkid_probe probe = blkid_new_probe();

        if (!probe ||
            blkid_probe_set_device(probe, fd, (blkid_loff_t)part->start_bytes, (blkid_loff_t)part->size_bytes) < 0)
                return;
        blkid_probe_set_sectorsize(probe, SECTOR);
        blkid_probe_enable_superblocks(probe, 1);
        blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID);
        blkid_probe_enable_partitions(probe, ret_table != NULL);
        if (blkid_do_safeprobe(probe) != 0)
                return;
        part->fs = probe_value(probe, "TYPE");
        part->fs_label = probe_value(probe, "LABEL");
        part->fs_uuid = probe_value(probe, "UUID");
        if (ret_table)
                *ret_table = probe_value(probe, "PTTYPE");
}

static void partition_clear(struct disk_partition *part)
{
        free(part->type);
        free(part->name);
        free(part->uuid);
        free(part->fs);
        free(part->fs_label);
        free(part->fs_uuid);
        *part = (struct disk_partition){0};
}

struct disk_table *disk_table_free(struct disk_table *table)
{
        if (!table)
                return NULL;
        for (size_t i = 0; i < table->n; i++)
                partition_clear(&table->v[i]);
        free(table->v);
        free(table->id);
        free(table);
        return NULL;
}

const struct disk_partition *disk_table_find(const struct disk_table *table, unsigned int number)
{
        for (size_t i = 0; i < table->n; i++)
                if (table->v[i].number == number)
                        return &table->v[i];
        return NULL;
}

static char *dup_or_null(const char *s)
{
        return str_empty(s) ? NULL : xstrdup(s);
}

static void lower(char *s)
{
        for (; s && *s; s++)
                if (*s >= 'A' && *s <= 'Z')
                        *s = (char)(*s - 'A' + 'a');
}

static void read_partition(struct disk_table *table, struct fdisk_partition *pa, int fd)
{
        struct disk_partition *part = &table->v[table->n];
        struct fdisk_parttype *type = fdisk_partition_get_type(pa);

        *part = (struct disk_partition){
                .number = (unsigned int)fdisk_partition_get_partno(pa) + 1,
                .start_bytes = (uint64_t)fdisk_partition_get_start(pa) * SECTOR,
                .size_bytes = (uint64_t)fdisk_partition_get_size(pa) * SECTOR,
                .extended = fdisk_partition_is_container(pa),
                .bootable = fdisk_partition_is_bootable(pa) == 1,
        };
        if (table->label == DISK_GPT) {
                part->type = dup_or_null(type ? fdisk_parttype_get_string(type) : NULL);
                part->name = dup_or_null(fdisk_partition_get_name(pa));
                part->uuid = dup_or_null(fdisk_partition_get_uuid(pa));
        } else {
                part->type = xasprintf("%x", type ? fdisk_parttype_get_code(type) : 0);
                if (str_starts(table->id, "0x"))
                        part->uuid = xasprintf("%s-%02x", table->id + 2, part->number);
        }
        lower(part->uuid);
        if (!part->extended)
                probe_area(fd, part, NULL);
        table->n++;
}

static int by_start(const void *a, const void *b)
{
        const struct disk_partition *x = a, *y = b;

        if (x->start_bytes != y->start_bytes)
                return x->start_bytes < y->start_bytes ? -1 : 1;
        return x->number < y->number ? -1 : 1;
}

static int read_partitions(struct table_context *ctx, struct disk_table *table, struct error *err)
{
        struct fdisk_table *partitions = NULL;
        struct fdisk_partition *pa;
        int r = fdisk_get_disklabel_id(ctx->cxt, &table->id);

        if (r == 0)
                r = fdisk_get_partitions(ctx->cxt, &partitions);
        if (r < 0)
                return error_errno(err, -r, "list the partitions");
        lower(table->id);
        table->v = xcalloc(fdisk_table_get_nents(partitions) + 1, sizeof(*table->v));
        for (size_t i = 0; i < fdisk_table_get_nents(partitions); i++) {
                pa = fdisk_table_get_partition(partitions, i);
                if (fdisk_partition_has_start(pa) && fdisk_partition_has_size(pa))
                        read_partition(table, pa, ctx->fd);
        }
        fdisk_unref_table(partitions);
        qsort(table->v, table->n, sizeof(*table->v), by_start);
        return 0;
}

/* No table: the file as a whole may be a file system. */
static void read_bare(struct disk_table *table, struct disk_partition *whole)
{
        table->label = DISK_NONE;
        table->v = xcalloc(1, sizeof(*table->v));
        if (!whole->fs)
                return;
        table->v[0] = steal(whole);
        table->v[0].number = 1;
        table->n = 1;
}

static int table_kind(struct table_context *ctx, const char *path, const char *found, enum disk_label *ret,
                      struct error *err)
{
        if (fdisk_is_labeltype(ctx->cxt, FDISK_DISKLABEL_GPT))
                *ret = DISK_GPT;
        else if (fdisk_is_labeltype(ctx->cxt, FDISK_DISKLABEL_DOS) && strcmp(found, "dos") == 0)
                *ret = DISK_DOS;
        else if (strcmp(found, "gpt") == 0 || strcmp(found, "PMBR") == 0)
                return error_set(err, EINVAL,
                                 "'%s' has a damaged gpt partition table: neither its header nor the backup at the end "
                                 "of the file can be read%s%s; is the file cut short?",
                                 path, ctx->messages.len ? ": " : "", str_get(&ctx->messages));
        else
                return error_set(err, EINVAL, "'%s' has a partition table of type '%s'; dos and gpt are understood",
                                 path, found);
        return 0;
}

int disk_table_read(const char *path, struct disk_table **ret, struct error *err)
{
        CLEANUP_TABLE struct table_context ctx = {.fd = -1};
        CLEANUP(disk_table_freep) struct disk_table *table = xcalloc(1, sizeof(*table));
        CLEANUP(partition_clear) struct disk_partition whole = {0};
        CLEANUP_FREE char *found = NULL;
        int r = table_open(&ctx, path, false, err);

        if (r < 0)
                return r;
        table->disk_bytes = (uint64_t)fdisk_get_nsectors(ctx.cxt) * SECTOR;
        whole.size_bytes = table->disk_bytes;
        probe_area(ctx.fd, &whole, &found);
        if (!found && fdisk_is_labeltype(ctx.cxt, FDISK_DISKLABEL_GPT))
                found = xstrdup("gpt");
        if (found) {
                r = table_kind(&ctx, path, found, &table->label, err);
                if (r == 0)
                        r = read_partitions(&ctx, table, err);
                if (r < 0)
                        return r;
        } else {
                read_bare(table, &whole);
        }
        *ret = steal(&table);
        return 0;
}
