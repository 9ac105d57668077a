/* Where the partitions of a layout lie, in sectors: what a template leaves
 * out is filled in, and what cannot be is refused before anything is written,
 * with the numbers of both sides. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/size.h"
#include "disk/table.h"

enum {
        GPT_FIRST = 34,  /* after the header (LBA 1) and 128 entries of 128 bytes: UEFI 2.10, 5.3.1 */
        GPT_BACKUP = 33, /* the same at the end */
        DOS_PRIMARIES = 4,
};

struct layout {
        enum disk_label label;
        const struct disk_layout_partition *v;
        struct table_place *places;
        size_t n;
        uint64_t sectors, first, limit; /* partitions lie in [first, limit) */
        size_t extended;                /* its index, or n */
        unsigned int primaries, logicals;
};

char *table_describe(const struct table_place *place, const char *name)
{
        return xasprintf("partition %u%s%s%s (sectors %llu to %llu, %s)", place->number, str_empty(name) ? "" : " '",
                         str_empty(name) ? "" : name, str_empty(name) ? "" : "'", (unsigned long long)place->start,
                         (unsigned long long)(place->start + place->size - 1), size_show(place->size * SECTOR));
}

static char *describe(const struct layout *layout, size_t i)
{
        return table_describe(&layout->places[i], layout->v[i].name);
}

static uint64_t align_up(uint64_t sector)
{
        return (sector + ALIGN_SECTORS - 1) / ALIGN_SECTORS * ALIGN_SECTORS;
}

static bool inside(const struct layout *layout, size_t container, uint64_t sector)
{
        const struct table_place *place = &layout->places[container];

        return sector >= place->start && sector - place->start < place->size;
}

/* The place that the i-th gets by itself: after those before it on its level. */
static uint64_t default_start(const struct layout *layout, size_t i)
{
        bool logical = layout->places[i].logical;
        uint64_t at = logical ? layout->places[layout->extended].start + 1 : layout->first;

        for (size_t k = 0; k < i; k++)
                if (layout->places[k].logical == logical && layout->places[k].start + layout->places[k].size > at)
                        at = layout->places[k].start + layout->places[k].size + (logical ? 1 : 0);
        return align_up(at);
}

/* Where "the rest" from `start` ends: at the next given start, or at the end. */
static uint64_t rest_end(const struct layout *layout, size_t i, uint64_t start, uint64_t limit)
{
        uint64_t end = limit;

        for (size_t k = i + 1; k < layout->n; k++) {
                uint64_t other = layout->v[k].start_bytes / SECTOR;

                /* An extended partition takes in what is given after it. */
                if (layout->places[i].extended || other <= start || other >= end)
                        continue;
                end = layout->places[i].logical ? other - 1 : other;
        }
        return end;
}

static int number_it(struct layout *layout, size_t i, struct error *err)
{
        struct table_place *place = &layout->places[i];
        const char *name = layout->v[i].name ?: "";

        if (place->logical) {
                place->number = DOS_PRIMARIES + ++layout->logicals;
                return 0;
        }
        place->number = ++layout->primaries;
        if (layout->label == DISK_DOS && place->number > DOS_PRIMARIES)
                return error_set(err, EINVAL,
                                 "partition %u '%s': a dos table has room for 4; make the one before it an extended "
                                 "partition (type f) that holds the others, or use gpt",
                                 place->number, name);
        if (place->extended && layout->extended < layout->n)
                return error_set(err, EINVAL, "partition %u '%s': a dos table has one extended partition at most",
                                 place->number, name);
        return 0;
}

static int place_it(struct layout *layout, size_t i, struct error *err)
{
        struct table_place *place = &layout->places[i];
        const struct disk_layout_partition *part = &layout->v[i];
        uint64_t limit;
        int r;

        if (part->start_bytes % SECTOR != 0)
                return error_set(err, EINVAL, "partition '%s' starts at byte %llu, which is no multiple of %d",
                                 part->name ?: "", (unsigned long long)part->start_bytes, SECTOR);
        place->start = part->start_bytes / SECTOR;
        place->logical = layout->extended < layout->n && !place->extended &&
                         (place->start == 0 || inside(layout, layout->extended, place->start));
        r = number_it(layout, i, err);
        if (r < 0)
                return r;
        limit = layout->limit;
        if (place->logical)
                limit = layout->places[layout->extended].start + layout->places[layout->extended].size;
        if (place->start == 0)
                place->start = default_start(layout, i);
        if (place->start >= limit)
                return error_set(
                        err, ENOSPC,
                        "partition %u '%s' would start at sector %llu, but %s ends at sector %llu (%s): no room "
                        "is left for it",
                        place->number, part->name ?: "", (unsigned long long)place->start,
                        place->logical ? "the extended partition" : "the image", (unsigned long long)(limit - 1),
                        size_show(limit * SECTOR));
        place->size = part->size_bytes / SECTOR + (part->size_bytes % SECTOR != 0);
        if (place->size == 0)
                place->size = rest_end(layout, i, place->start, limit) - place->start;
        if (place->extended)
                layout->extended = i;
        return 0;
}

static int check_bounds(const struct layout *layout, size_t i, struct error *err)
{
        const struct table_place *place = &layout->places[i];
        CLEANUP_FREE char *text = NULL, *container = NULL;
        uint64_t first = layout->first, limit = layout->limit;

        if (place->logical) {
                const struct table_place *extended = &layout->places[layout->extended];

                first = extended->start + 1;
                limit = extended->start + extended->size;
                container = describe(layout, layout->extended);
        }
        if (place->start >= first && place->start < limit && place->size <= limit - place->start)
                return 0;
        text = describe(layout, i);
        if (container)
                return error_set(err, EINVAL, "%s does not fit into the extended %s", text, container);
        if (place->start < first)
                return error_set(err, EINVAL, "%s begins in the partition table; the first free sector is %llu", text,
                                 (unsigned long long)first);
        return error_set(err, ENOSPC,
                         "%s goes past the end of the image: its last usable sector is %llu (image size %s); %s more "
                         "would be needed",
                         text, (unsigned long long)(limit - 1), size_show(layout->sectors * SECTOR),
                         size_show((place->start - limit + place->size) * SECTOR));
}

static int check_overlaps(const struct layout *layout, size_t i, struct error *err)
{
        const struct table_place *a = &layout->places[i];
        CLEANUP_FREE char *first = NULL, *second = NULL;

        for (size_t k = 0; k < i; k++) {
                const struct table_place *b = &layout->places[k];
                uint64_t gap = a->logical ? 1 : 0; /* a logical one has its own table in the sector before it */

                if (a->logical != b->logical || a->start >= b->start + b->size + gap ||
                    b->start >= a->start + a->size + gap)
                        continue;
                first = describe(layout, i);
                second = describe(layout, k);
                return error_set(err, EINVAL, "%s overlaps %s%s", first, second,
                                 gap ? " (each logical partition needs a free sector before it)" : "");
        }
        return 0;
}

int table_layout(enum disk_label label, const struct disk_layout_partition *v, size_t n, uint64_t sectors,
                 struct table_place *v_places, struct error *err)
{
        struct layout layout = {.label = label,
                                .v = v,
                                .places = v_places,
                                .n = n,
                                .sectors = sectors,
                                .first = label == DISK_GPT ? GPT_FIRST : 1,
                                .limit = sectors,
                                .extended = n};
        unsigned int type;
        int r = 0;

        if (label == DISK_GPT)
                layout.limit = sectors > GPT_FIRST + GPT_BACKUP ? sectors - GPT_BACKUP : 0;
        else if (sectors > UINT32_MAX)
                layout.limit = UINT32_MAX; /* 32-bit sector numbers */
        memset(v_places, 0, n * sizeof(*v_places));
        for (size_t i = 0; i < n && r == 0; i++) {
                if (label == DISK_DOS)
                        r = dos_type_parse(v[i].type ?: "83", &type, err);
                if (r < 0)
                        return error_wrap(err, r, "partition %zu '%s'", i + 1, v[i].name ?: "");
                v_places[i].extended = label == DISK_DOS && dos_type_extended(type);
                r = place_it(&layout, i, err);
                if (r == 0)
                        r = check_bounds(&layout, i, err);
                if (r == 0)
                        r = check_overlaps(&layout, i, err);
        }
        return r;
}
