/* See inuse.h. The image is cut into regions: partitions as libblkid sees
 * them, and what lies between. Of ext and FAT it is known what is free; all of any
 * other file system counts; a place without one (boot loaders, tables, swap,
 * nothing at all) counts up to the last byte in it that is not zero. */
#include "package/inuse.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/str.h"
#include "base/vec.h"
#include "package/blockmap.h"
#include "package/inuse_fs.h"

struct region {
        uint64_t start, end;
        enum inuse zeros;   /* where fs does not say */
        struct inuse_fs fs; /* used NULL: none that is understood */
};

struct inuse_map {
        VEC(struct region) regions; /* in order, without gaps, to the end of the image */
        uint64_t size;
};

static void probe_done(blkid_probe *probe)
{
        blkid_free_probe(*probe);
}

static int probe_new(int fd, uint64_t start, uint64_t size, blkid_probe *ret, struct error *err)
{
        blkid_probe probe = blkid_new_probe();

        if (!probe)
                return error_set(err, ENOMEM, "out of memory for libblkid");
        if (blkid_probe_set_device(probe, fd, (blkid_loff_t)start, (blkid_loff_t)size) < 0) {
                blkid_free_probe(probe);
                return error_set(err, EIO, "libblkid cannot read the image");
        }
        *ret = probe;
        return 0;
}

static void read_fs(int fd, struct region *region, const char *type, const char *usage)
{
        uint64_t size = region->end - region->start;
        bool known = false;

        if (!type || str_eq(type, "swap"))
                return;
        if (str_eq(type, "ext2") || str_eq(type, "ext3") || str_eq(type, "ext4"))
                known = inuse_ext(fd, region->start, size, &region->fs);
        else if (str_eq(type, "vfat"))
                known = inuse_fat(fd, region->start, size, &region->fs);
        region->zeros = known ? INUSE_NO : INUSE_YES;
        log_debug("block map: %s (%s) at byte %llu: %s", type, usage ?: "?", (unsigned long long)region->start,
                  known ? "free blocks are left out" : "all of it");
}

/* What begins at region->start. Two contradicting signatures count as a file system that is not understood. */
static int probe_region(int fd, struct region *region, struct error *err)
{
        CLEANUP(probe_done) blkid_probe probe = NULL;
        const char *type = NULL, *usage = NULL;
        int r = probe_new(fd, region->start, region->end - region->start, &probe, err);

        if (r < 0)
                return r;
        blkid_probe_enable_superblocks(probe, 1);
        blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE);
        r = blkid_do_safeprobe(probe);
        if (r == -2) {
                type = "ambivalent";
        } else if (r == 0) {
                blkid_probe_lookup_value(probe, "TYPE", &type, NULL);
                blkid_probe_lookup_value(probe, "USAGE", &usage, NULL);
        }
        read_fs(fd, region, type, usage);
        return 0;
}

static void add_gap(struct inuse_map *map, uint64_t end)
{
        uint64_t start = map->regions.n ? map->regions.v[map->regions.n - 1].end : 0;

        if (end > start)
                vec_push(&map->regions, (struct region){.start = start, .end = end, .zeros = INUSE_INNER});
}

static int compare_starts(const void *a, const void *b)
{
        const struct region *x = a, *y = b;

        return (x->start > y->start) - (x->start < y->start);
}

typedef VEC(struct region) region_list;

static void list_done(region_list *list)
{
        vec_free(list);
}

/* Partitions in order of place. None: the whole image is one region. */
static int read_partitions(int fd, uint64_t size, region_list *list, struct error *err)
{
        CLEANUP(probe_done) blkid_probe probe = NULL;
        blkid_partlist table;
        int r = probe_new(fd, 0, size, &probe, err);

        if (r < 0)
                return r;
        blkid_probe_enable_partitions(probe, 1);
        table = blkid_probe_get_partitions(probe);
        for (int i = 0; table && i < blkid_partlist_numof_partitions(table); i++) {
                blkid_partition part = blkid_partlist_get_partition(table, i);
                struct region region = {.start = (uint64_t)blkid_partition_get_start(part) * 512, .zeros = INUSE_INNER};

                region.end = region.start + (uint64_t)blkid_partition_get_size(part) * 512;
                if (region.end > size)
                        region.end = size;
                if (!blkid_partition_is_extended(part) && region.start < region.end)
                        vec_push(list, region);
        }
        if (list->n == 0)
                vec_push(list, (struct region){.end = size, .zeros = INUSE_INNER});
        qsort(list->v, list->n, sizeof(*list->v), compare_starts);
        return 0;
}

int inuse_read(int fd, uint64_t size, struct inuse_map **ret, struct error *err)
{
        CLEANUP(inuse_freep) struct inuse_map *map = xcalloc(1, sizeof(*map));
        CLEANUP(list_done) region_list list = {0};
        int r;

        map->size = size;
        r = size > 0 ? read_partitions(fd, size, &list, err) : 0;
        for (size_t i = 0; i < list.n && r == 0; i++) {
                uint64_t before = map->regions.n ? map->regions.v[map->regions.n - 1].end : 0;

                if (list.v[i].start < before) { /* overlap: all of it counts */
                        map->regions.v[map->regions.n - 1].zeros = INUSE_YES;
                        list.v[i].start = before;
                        if (list.v[i].end <= before)
                                continue;
                        list.v[i].zeros = INUSE_YES;
                }
                add_gap(map, list.v[i].start);
                if (list.v[i].zeros != INUSE_YES)
                        r = probe_region(fd, &list.v[i], err);
                vec_push(&map->regions, list.v[i]);
        }
        add_gap(map, size);
        if (r == 0)
                *ret = steal(&map);
        return r;
}

static const struct region *region_at(const struct inuse_map *map, uint64_t offset)
{
        size_t low = 0, high = map->regions.n;

        while (high - low > 1) {
                size_t middle = low + (high - low) / 2;

                if (map->regions.v[middle].start <= offset)
                        low = middle;
                else
                        high = middle;
        }
        return &map->regions.v[low];
}

enum inuse inuse_of(const struct inuse_map *map, uint64_t offset, uint64_t *ret_region_end)
{
        const struct region *region = region_at(map, offset);
        uint64_t end = offset + BLOCKMAP_BLOCK > map->size ? map->size : offset + BLOCKMAP_BLOCK;

        *ret_region_end = region->end;
        if (end > region->end)
                return INUSE_YES; /* belongs to two */
        if (region->zeros == INUSE_NO && region->fs.used(region->fs.state, offset - region->start, end - offset))
                return INUSE_YES;
        return region->zeros;
}

struct inuse_map *inuse_free(struct inuse_map *map)
{
        for (size_t i = 0; map && i < map->regions.n; i++)
                if (map->regions.v[i].fs.free)
                        map->regions.v[i].fs.free(map->regions.v[i].fs.state);
        if (map)
                vec_free(&map->regions);
        free(map);
        return NULL;
}
