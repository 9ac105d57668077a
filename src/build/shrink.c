/* See shrink.h. */
#include "build/shrink.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/size.h"
#include "disk/disk.h"
#include "disk/layer_walk.h"

enum { METADATA_SHARE = 8, SPARE = 64 << 20 };

/* Shared with the process that counts. */
struct count {
        const struct job *job;
        uint64_t bytes;
};

static int add(void *arg, struct walk *walk, enum walk_event event, const char *name, const struct stat *st,
               struct error *err)
{
        struct count *count = arg;

        (void)walk;
        (void)name;
        (void)err;
        if (event != WALK_LEAVE)
                count->bytes += (uint64_t)st->st_blocks * 512;
        return 0;
}

/* In the namespaces. */
static int count_layers(void *arg, struct error *err)
{
        struct count *count = arg;
        int r = 0;

        for (size_t i = count->job->n_base_layers; r == 0 && count->job->layers[i]; i++)
                r = walk_tree(count->job->layers[i], add, count, err);
        return r;
}

int shrink_room(struct job *job, uint64_t *ret_bytes, struct error *err)
{
        struct count count = {.job = job};
        int r = 0;

        if (job->arm->image_shrink && job->arm->method == IMAGE_REUSE)
                r = job_call(job, count_layers, &count, sizeof(count), err);
        *ret_bytes = count.bytes > 0 ? count.bytes + count.bytes / METADATA_SHARE + SPARE : 0;
        return r;
}

/* The file system that lies last; its name is for the caller to free. */
static int find_last(const char *path, const struct fs_type **ret_type, struct fs_volume *ret, char **ret_name,
                     struct error *err)
{
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        const struct disk_partition *last;
        int r = disk_table_read(path, &table, err);

        if (r < 0)
                return r;
        last = disk_table_last(table);
        if (!last)
                return error_set(err, ENOENT, "there is no partition");
        *ret_type = last->fs ? fs_type_find(last->fs) : NULL;
        if (!*ret_type || !(*ret_type)->shrink)
                return error_set(err, ENOTSUP, "partition %u, which lies last, is %s; only ext2, ext3 and ext4 shrink",
                                 last->number, last->fs ? last->fs : "no known file system");
        *ret_name = xasprintf("partition %u", last->number);
        *ret = (struct fs_volume){path, last->start_bytes, last->size_bytes, *ret_name};
        return 0;
}

int shrink_image(struct job *job, const char *path, struct error *err)
{
        CLEANUP_FREE char *name = NULL;
        const struct fs_type *type = NULL;
        struct fs_volume volume;
        uint64_t bytes = 0;
        int r;

        if (!job->arm->image_shrink)
                return 0;
        r = find_last(path, &type, &volume, &name, err);
        if (r == 0)
                r = type->shrink(&volume, job->arm->image_shrink_slack, &bytes, err);
        if (r == 0)
                r = disk_shrink(path, bytes, &bytes, err);
        if (r < 0)
                return error_wrap(err, r, "image_shrink");
        ui_say(job->ui, "The image is cut to %s", size_show(bytes));
        return 0;
}
