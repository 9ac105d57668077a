/* Which partition of the image the guest sees where. See job.h. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/size.h"
#include "base/str.h"
#include "build/job.h"
#include "disk/mounts.h"

enum { SECTOR = 512 };

static int by_mountpoint(const void *a, const void *b)
{
        return strcmp(((const struct job_mount *)a)->mountpoint, ((const struct job_mount *)b)->mountpoint);
}

static void add_mount(struct base *base, struct job_mount mount)
{
        base->mounts = xreallocarray(base->mounts, base->n_mounts + 1, sizeof(*base->mounts));
        base->mounts[base->n_mounts++] = mount;
        qsort(base->mounts, base->n_mounts, sizeof(*base->mounts), by_mountpoint);
}

static int need_root(const struct base *base, struct error *err)
{
        if (base->n_mounts > 0 && strcmp(base->mounts[0].mountpoint, "/") == 0)
                return 0;
        return error_set(err, EINVAL, "no partition has the mountpoint \"/\"");
}

/* Both tables, for a template that disagrees with its image. */
static void show_tables(const struct job *job, const struct disk_table *table, struct error *err)
{
        const struct arm_partition *wanted = job->arm->image_partitions.v;

        error_append(err, -EINVAL, "\n  the template (image_partitions):");
        for (size_t i = 0; i < job->arm->image_partitions.n; i++)
                error_append(err, -EINVAL, "\n    %zu: start_sector %s, filesystem %s, size %s, mountpoint %s", i + 1,
                             wanted[i].start_sector_text ? wanted[i].start_sector_text : "-",
                             str_empty(wanted[i].filesystem) ? "-" : wanted[i].filesystem,
                             wanted[i].size ? wanted[i].size : "-",
                             str_empty(wanted[i].mountpoint) ? "-" : wanted[i].mountpoint);
        error_append(err, -EINVAL, "\n  the image:");
        for (size_t i = 0; i < table->n; i++)
                error_append(err, -EINVAL, "\n    %u: start_sector %llu, filesystem %s, size %s", table->v[i].number,
                             (unsigned long long)table->v[i].start_bytes / SECTOR,
                             table->v[i].fs ? table->v[i].fs : "-", size_show(table->v[i].size_bytes));
        error_append(err, -EINVAL, "\n  Correct image_partitions, or leave it out: then it is read from the image.");
}

/* "fat" and "vfat" are one; what templates call ext4 may be any of its family. */
static bool is_same_fs(const char *wanted, const struct fs_type *found)
{
        const struct fs_type *type = fs_type_find(wanted);

        return type && (type == found || (str_starts(type->name, "ext") && str_starts(found->name, "ext")));
}

static int match_one(struct base *base, const struct arm_partition *wanted, const struct disk_partition *found,
                     size_t index, struct error *err)
{
        const struct fs_type *type = found->fs ? fs_type_find(found->fs) : NULL;

        if (wanted->start_sector > 0 && wanted->start_sector * SECTOR != found->start_bytes)
                return error_set(err, EINVAL,
                                 "partition %zu starts at sector %llu in the template and at sector %llu in the image",
                                 index + 1, (unsigned long long)wanted->start_sector,
                                 (unsigned long long)(found->start_bytes / SECTOR));
        if (str_empty(wanted->mountpoint))
                return 0;
        if (!type)
                return error_set(err, EINVAL, "partition %zu, to be mounted on %s, holds %s in the image", index + 1,
                                 wanted->mountpoint, found->fs ? found->fs : "no known file system");
        if (!str_empty(wanted->filesystem) && !is_same_fs(wanted->filesystem, type))
                return error_set(err, EINVAL, "partition %zu is %s in the template and %s in the image", index + 1,
                                 wanted->filesystem, type->name);
        add_mount(base, (struct job_mount){.number = found->number,
                                           .mountpoint = xstrdup(wanted->mountpoint),
                                           .type = type,
                                           .start_bytes = found->start_bytes,
                                           .size_bytes = found->size_bytes,
                                           .wanted = wanted});
        return 0;
}

static int by_number(const void *a, const void *b)
{
        const struct disk_partition *x = *(const struct disk_partition *const *)a,
                                    *y = *(const struct disk_partition *const *)b;

        return (x->number > y->number) - (x->number < y->number);
}

/* The partitions by their numbers, which need not be the order in which they lie; extended ones left out. */
static const struct disk_partition **by_numbers(const struct disk_table *table, size_t *ret_n)
{
        const struct disk_partition **list = xcalloc(table->n + 1, sizeof(struct disk_partition *));
        size_t n = 0;

        for (size_t i = 0; i < table->n; i++)
                if (!table->v[i].extended)
                        list[n++] = &table->v[i];
        qsort(list, n, sizeof(struct disk_partition *), by_number);
        *ret_n = n;
        return list;
}

/* The template's list goes by the numbers of partitions. */
static int match_template(struct job *job, const struct disk_table *table, struct base *base, struct error *err)
{
        const struct arm_partition *wanted = job->arm->image_partitions.v;
        size_t n;
        CLEANUP_FREE const struct disk_partition **found = by_numbers(table, &n);

        for (size_t i = 0; i < job->arm->image_partitions.n; i++) {
                int r;

                if (i >= n)
                        r = error_set(err, EINVAL, "the template has %zu partitions and the image %zu",
                                      job->arm->image_partitions.n, n);
                else
                        r = match_one(base, &wanted[i], found[i], i, err);
                if (r < 0) {
                        show_tables(job, table, err);
                        return r;
                }
        }
        return need_root(base, err);
}

static int label_agrees(const struct job *job, const struct disk_table *table, struct error *err)
{
        bool gpt = table->label == DISK_GPT;

        if (job->arm->gpt < 0 || job->arm->image_partitions.n == 0 || job->arm->gpt == gpt)
                return 0;
        return error_set(err, EINVAL, "image_type is %s in the template, and the image has %s",
                         job->arm->gpt ? "gpt" : "dos",
                         table->label == DISK_NONE ? "no partition table"
                         : gpt                     ? "a gpt table"
                                                   : "a dos table");
}

static int match_fstab(const char *image, const struct disk_table *table, struct base *base, struct error *err)
{
        struct disk_mount *found = NULL;
        size_t n = 0;
        int r = disk_mounts_find(image, table, &found, &n, err);

        for (size_t i = 0; r == 0 && i < n; i++) {
                const struct disk_partition *partition = found[i].partition;

                add_mount(base, (struct job_mount){.number = partition->number,
                                                   .mountpoint = xstrdup(found[i].mountpoint),
                                                   .type = fs_type_find(partition->fs),
                                                   .start_bytes = partition->start_bytes,
                                                   .size_bytes = partition->size_bytes});
        }
        disk_mounts_free(found, n);
        return r < 0 ? r : need_root(base, err);
}

int mounts_find(struct job *job, const char *image, struct base *base, struct error *err)
{
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        int r = disk_table_read(image, &table, err);

        if (r == 0)
                r = label_agrees(job, table, err);
        if (r == 0)
                r = job->arm->image_partitions.n > 0 ? match_template(job, table, base, err)
                                                     : match_fstab(image, table, base, err);
        return r < 0 ? error_wrap(err, r, "the image's partitions") : 0;
}

int mounts_plan(struct job *job, struct base *base, struct error *err)
{
        const struct arm_partition *wanted = job->arm->image_partitions.v;

        for (size_t i = 0; i < job->arm->image_partitions.n; i++)
                if (!str_empty(wanted[i].mountpoint))
                        add_mount(base, (struct job_mount){.number = (unsigned int)i + 1,
                                                           .mountpoint = xstrdup(wanted[i].mountpoint),
                                                           .type = fs_type_find(wanted[i].filesystem),
                                                           .wanted = &wanted[i]});
        return rootfs_wanted(job->arm->image_path) ? 0 : need_root(base, err);
}
