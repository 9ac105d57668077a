/* The image: a sparse copy of the base with the layers applied in place, or a
 * new one filled from them. It has no name until it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/size.h"
#include "base/str.h"
#include "build/copy.h"
#include "build/job.h"
#include "build/merged.h"
#include "build/shrink.h"
#include "build/sound.h"
#include "build/step.h"
#include "disk/layer.h"

struct image {
        struct job *job;
        int fd;
        char path[40];             /* /proc/self/fd/N, which every child sees too */
        char seed[DIGEST_HEX_MAX]; /* of ids, with SOURCE_DATE_EPOCH; else empty */
};

static const char *seed_of(const struct image *image)
{
        return image->seed[0] ? image->seed : NULL;
}

static struct fs_volume volume_of(const struct image *image, const struct job_mount *mount, const char *name)
{
        return (struct fs_volume){image->path, mount->start_bytes, mount->size_bytes, name};
}

static char *mount_name(const struct job_mount *mount)
{
        return xasprintf("partition %u (%s)", mount->number, mount->mountpoint);
}

/* ---- reuse and resize: a copy of the base ---- */

/* After a change of the table: where each mount lies now. */
static int update_mounts(struct image *image, struct error *err)
{
        struct base *base = &image->job->base;
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        int r = disk_table_read(image->path, &table, err);

        for (size_t i = 0; r == 0 && i < base->n_mounts; i++) {
                const struct disk_partition *found = disk_table_find(table, base->mounts[i].number);

                if (!found)
                        continue;
                base->mounts[i].start_bytes = found->start_bytes;
                base->mounts[i].size_bytes = found->size_bytes;
        }
        return r;
}

/* The one that the template gives no size, else the one that holds the root. */
static struct job_mount *mount_to_grow(struct base *base)
{
        for (size_t i = 0; i < base->n_mounts; i++)
                if (base->mounts[i].wanted && base->mounts[i].wanted->size_bytes == 0)
                        return &base->mounts[i];
        return &base->mounts[0];
}

/* By so many bytes; 0: to image_size. */
static int grow(struct image *image, uint64_t more, struct error *err)
{
        struct job *job = image->job;
        struct job_mount *mount = mount_to_grow(&job->base);
        CLEANUP_FREE char *name = mount_name(mount);
        uint64_t wanted = job->arm->image_size_bytes;
        struct fs_volume volume;
        struct stat st;
        int r;

        if (fstat(image->fd, &st) < 0)
                return error_errno(err, errno, "stat");
        if (more > 0 && __builtin_add_overflow(more, (uint64_t)st.st_size, &wanted))
                return error_set(err, EOVERFLOW, "the image cannot grow by %s", size_show(more));
        wanted -= wanted % 512;
        if (wanted < (uint64_t)st.st_size)
                return error_set(
                        err, EINVAL,
                        "the image is to have %s (%llu bytes), but the base image has %s (%llu bytes) already; "
                        "resize can only grow it",
                        size_show(wanted), (unsigned long long)wanted, size_show((uint64_t)st.st_size),
                        (unsigned long long)st.st_size);
        if (!mount->type->grow)
                return error_set(err, ENOTSUP, "%s is %s, which cannot be grown without mounting it", name,
                                 mount->type->name);
        if (job->arm->method == IMAGE_RESIZE)
                ui_say(job->ui, "Growing the image to %s, and %s to its end", size_show(wanted), name);
        r = disk_grow(image->path, wanted, mount->number, err);
        if (r == 0)
                r = update_mounts(image, err);
        volume = volume_of(image, mount, name);
        return r < 0 ? r : mount->type->grow(&volume, err);
}

/* ---- new: table and empty file systems ---- */

static int create_table(struct image *image, unsigned int *ret_numbers, struct error *err)
{
        const struct arm_builder *arm = image->job->arm;
        const struct arm_partition *wanted = arm->image_partitions.v;
        size_t n = arm->image_partitions.n;
        CLEANUP_FREE struct disk_layout_partition *layout = xcalloc(n, sizeof(*layout));

        for (size_t i = 0; i < n; i++)
                layout[i] = (struct disk_layout_partition){.name = str_empty(wanted[i].name) ? NULL : wanted[i].name,
                                                           .type = wanted[i].type,
                                                           .start_bytes = wanted[i].start_sector * 512,
                                                           .size_bytes = wanted[i].size_bytes};
        if (ftruncate(image->fd, (off_t)(arm->image_size_bytes - arm->image_size_bytes % 512)) < 0)
                return error_errno(err, errno, "make the image %s large (image_size)",
                                   size_show(arm->image_size_bytes));
        return disk_table_create(image->path, arm->gpt == 1 ? DISK_GPT : DISK_DOS, layout, n, seed_of(image),
                                 ret_numbers, err);
}

static struct fs_make make_options(struct image *image, const struct arm_partition *wanted, const char *seed)
{
        return (struct fs_make){.label = NULL,
                                .options = STRV(wanted->filesystem_make_options),
                                .id_seed = image->seed[0] ? seed : NULL,
                                .epoch = image->job->epoch};
}

static int make_one(struct image *image, const struct arm_partition *wanted, const struct disk_partition *partition,
                    struct error *err)
{
        const struct fs_type *type = str_empty(wanted->filesystem) ? NULL : fs_type_find(wanted->filesystem);
        CLEANUP_FREE char *name = xasprintf("partition %u (%s)", partition->number, wanted->name ? wanted->name : "");
        CLEANUP_FREE char *seed = xasprintf("%s-%u", image->seed, partition->number);
        struct fs_volume volume = {image->path, partition->start_bytes, partition->size_bytes, name};
        struct fs_make make = make_options(image, wanted, seed);
        int r;

        if (!type || !type->make)
                return 0;
        r = type->make(&volume, &make, err);
        return r < 0 ? error_wrap(err, r, "make %s on %s", type->name, name) : 0;
}

/* The mounts were planned by the order of the list; now they have numbers. */
static void number_mounts(struct image *image, const unsigned int *numbers)
{
        struct base *base = &image->job->base;
        const struct arm_partition *wanted = image->job->arm->image_partitions.v;

        for (size_t i = 0; i < base->n_mounts; i++)
                base->mounts[i].number = numbers[base->mounts[i].wanted - wanted];
}

static int create(struct image *image, struct error *err)
{
        const struct arm_partition *wanted = image->job->arm->image_partitions.v;
        size_t n = image->job->arm->image_partitions.n;
        CLEANUP_FREE unsigned int *numbers = xcalloc(n, sizeof(*numbers));
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        int r;

        ui_say(image->job->ui, "Creating a %s image with %zu partition%s", size_show(image->job->arm->image_size_bytes),
               n, n == 1 ? "" : "s");
        r = create_table(image, numbers, err);
        if (r == 0) {
                number_mounts(image, numbers);
                r = update_mounts(image, err);
        }
        if (r == 0)
                r = disk_table_read(image->path, &table, err);
        for (size_t i = 0; r == 0 && i < n; i++) {
                const struct disk_partition *partition = disk_table_find(table, numbers[i]);

                if (partition)
                        r = make_one(image, &wanted[i], partition, err);
        }
        return r;
}

/* ---- contents: all of this runs inside the namespaces ---- */

static int open_targets(struct image *image, struct layer_target *targets, struct error *err)
{
        struct base *base = &image->job->base;

        for (size_t i = 0; i < base->n_mounts; i++) {
                struct job_mount *mount = &base->mounts[i];
                CLEANUP_FREE char *name = mount_name(mount);
                struct fs_volume volume = volume_of(image, mount, name);
                void *writer = NULL;
                int r;

                if (!mount->type->write_open)
                        return error_set(err, ENOTSUP, "%s is %s, which can only be made anew (method new)", name,
                                         mount->type->name);
                r = mount->type->write_open(&volume, image->job->epoch, &writer, err);
                if (r < 0)
                        return r;
                targets[i] = (struct layer_target){mount->mountpoint, mount->type, writer};
        }
        return 0;
}

static int close_targets(struct image *image, struct layer_target *targets, int r, struct error *err)
{
        for (size_t i = 0; i < image->job->base.n_mounts; i++) {
                if (!targets[i].writer)
                        continue;
                if (r < 0)
                        targets[i].type->write_abort(targets[i].writer);
                else
                        r = targets[i].type->write_close(targets[i].writer, err);
        }
        return r;
}

/* Device nodes of the archive, which the tree could not hold. */
static int apply_nodes(struct image *image, struct layer_target *root, struct error *err)
{
        const struct source_nodes *nodes = &image->job->base.nodes;

        for (size_t i = 0; i < nodes->n; i++) {
                const struct source_node *node = &nodes->v[i];
                struct fs_change change = {.kind = FS_NODE, .path = node->path, .fd = -1};
                int r;

                change.st.st_mode = node->mode;
                change.st.st_uid = node->uid;
                change.st.st_gid = node->gid;
                change.st.st_mtim.tv_sec = node->mtime_sec;
                change.st.st_rdev = makedev(node->major, node->minor);
                r = root->type->write_change(root->writer, &change, err);
                if (r < 0)
                        return error_wrap(err, r, "device node '/%s'", node->path);
        }
        return 0;
}

/* A new file system starts with the base's tree; one of the vendor's has it. */
static int apply_layers(struct image *image, struct layer_target *targets, struct error *err)
{
        struct job *job = image->job;
        int r = 0;

        for (size_t i = job->base.image ? job->n_base_layers : 0; r == 0 && job->layers[i]; i++) {
                r = layer_apply(job->layers[i], targets, job->base.n_mounts, job->ui, err);
                if (r == 0 && i == 0)
                        r = apply_nodes(image, &targets[0], err);
        }
        return r;
}

static int fill(void *arg, struct error *err)
{
        struct image *image = arg;
        CLEANUP_FREE struct layer_target *targets = xcalloc(image->job->base.n_mounts, sizeof(*targets));
        int r = open_targets(image, targets, err);

        if (r == 0)
                r = apply_layers(image, targets, err);
        return close_targets(image, targets, r, err);
}

/* ---- the end ---- */

static int run_setup_extra(struct image *image, struct error *err)
{
        CLEANUP(guest_freep) struct guest *guest = NULL;
        CLEANUP_FREE char *stage = NULL;
        int r;

        if (!setup_extra_wanted(image->job, true))
                return 0;
        r = cache_stage(&image->job->cache, "setup", &stage, err);
        if (r == 0)
                r = step_guest(image->job, stage, &guest, err);
        if (r == 0)
                r = setup_extra_run(image->job, guest, true, image->path, err);
        if (guest)
                guest_stop(guest, false, NULL);
        return r;
}

/* With method resize as the template has it, else as image_shrink wants room. */
static int make_room(struct image *image, struct error *err)
{
        struct job *job = image->job;
        uint64_t more = 0;
        int r = shrink_room(job, &more, err);

        if (job->arm->method == IMAGE_RESIZE)
                return grow(image, job->arm->image_grow_bytes, err);
        return r < 0 || more == 0 ? r : grow(image, more, err);
}

static int shrink(struct image *image, struct error *err)
{
        int r = shrink_image(image->job, image->path, err);

        return r < 0 ? r : update_mounts(image, err);
}

static int verify(struct image *image, struct error *err)
{
        int r = sound_check(image->path, &image->job->base, false, false, err);

        return r < 0 ? error_wrap(err, r, "the image was written but is not sound") : disk_verify(image->path, err);
}

static int open_image(struct image *image, struct error *err)
{
        struct job *job = image->job;
        CLEANUP_FREE char *dir = path_dir(job->arm->image_path);
        int r = job->base.image ? copy_take(job, &image->fd, err) : dir_make(dir, 0755, err);

        if (r == 0 && !job->base.image)
                r = file_nameless(dir, 0644, &image->fd, err);
        if (r < 0)
                return r;
        if (fcntl(image->fd, F_SETFD, 0) < 0) /* mkfs and fsck, run as programs, open it by number */
                return error_errno(err, errno, "fcntl");
        snprintf(image->path, sizeof(image->path), "/proc/self/fd/%d", image->fd);
        if (job->epoch >= 0)
                memcpy(image->seed, job->key, sizeof(image->seed));
        return 0;
}

int job_write_image(struct job *job, struct error *err)
{
        struct image image = {.job = job, .fd = -1};
        CLEANUP_FILE_DROP int fd = -1;
        int r = open_image(&image, err);

        fd = image.fd;
        if (r == 0 && !job->base.image)
                r = create(&image, err);
        if (r == 0 && job->base.image)
                r = make_room(&image, err);
        if (r == 0) {
                ui_say(job->ui, "Writing the changes to the image");
                r = userns_call(job->ns, fill, &image, err);
        }
        if (r == 0)
                r = run_setup_extra(&image, err);
        if (r == 0)
                r = shrink(&image, err);
        if (r == 0)
                r = verify(&image, err);
        if (r == 0)
                r = file_publish(fd, job->arm->image_path, err);
        return r < 0 ? error_wrap(err, r, "write '%s'", job->arm->image_path) : 0;
}
