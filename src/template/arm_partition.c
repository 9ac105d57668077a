/* The partitions of the arm builder: types, file systems, mount points, and
 * where on the image they lie. With methods reuse and resize the image has
 * the last word on places and sizes, so that these are only read here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/size.h"
#include "base/str.h"
#include "template/arm_internal.h"

enum { MIB = 1 << 20, GPT_BACKUP_SECTORS = 33, GPT_FIRST_SECTOR = 34 };

struct filesystem {
        const char *name;
        bool mountable, only_new;
};

static const struct filesystem filesystems[] = {
        {"ext4", true, false},  {"ext3", true, false}, {"ext2", true, false}, {"vfat", true, false},
        {"fat", true, false},   {"btrfs", true, true}, {"f2fs", true, true},  {"xfs", true, true},
        {"swap", false, false}, {"raw", false, false},
};

enum { N_FILESYSTEMS = sizeof(filesystems) / sizeof(filesystems[0]) };

struct check {
        const struct arm_builder *arm;
        struct arm_partition *v;
        size_t n;
        const struct value *value;
        struct diags *diags;
};

static const char *name_of(const struct check *check, size_t i)
{
        static char ring[4][80];
        static unsigned int next;
        char *out = ring[next++ % 4];

        if (str_empty(check->v[i].name))
                snprintf(out, sizeof(ring[0]), "partition %zu", i + 1);
        else
                snprintf(out, sizeof(ring[0]), "partition '%.60s'", check->v[i].name);
        return out;
}

static void check_filesystem(const struct check *check, size_t i)
{
        const struct arm_partition *partition = &check->v[i];
        const struct filesystem *found = NULL;
        const char *names[N_FILESYSTEMS + 1] = {0};
        struct range at = schema_range(partition->value, "filesystem");
        bool mounted = !str_empty(partition->mountpoint);

        for (size_t j = 0; j < N_FILESYSTEMS; j++) {
                names[j] = filesystems[j].name;
                if (str_eq(names[j], partition->filesystem))
                        found = &filesystems[j];
        }
        if (str_empty(partition->filesystem)) {
                if (mounted && check->arm->method == IMAGE_NEW)
                        diag_error(check->diags, schema_range(partition->value, "mountpoint"),
                                   "%s needs a 'filesystem' to be mounted on %s", name_of(check, i),
                                   partition->mountpoint);
        } else if (!found) {
                CLEANUP_FREE char *all = strv_join(names, ", ");
                const char *nearest = str_nearest(partition->filesystem, names);

                diag_error(check->diags, at, "unknown file system '%s'%s%s%s", partition->filesystem,
                           nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
                diag_detail(check->diags, "There are: %s", all);
        } else if (mounted && !found->mountable) {
                diag_error(check->diags, schema_range(partition->value, "mountpoint"),
                           "%s holds %s, which cannot be mounted; leave 'mountpoint' out", name_of(check, i),
                           *found->name == 's' ? "swap space" : "raw data");
        } else if (mounted && found->only_new && check->arm->method != IMAGE_NEW) {
                diag_error(check->diags, at,
                           "%s can be made (method \"new\"), but not changed in an image yet (\"%s\")", found->name,
                           check->arm->image_build_method);
        }
}

static bool is_guid(const char *s)
{
        static const size_t groups[] = {8, 4, 4, 4, 12};

        for (size_t i = 0; i < 5; i++) {
                if (strspn(s, "0123456789abcdefABCDEF") != groups[i])
                        return false;
                s += groups[i];
                if (*s != (i < 4 ? '-' : '\0'))
                        return false;
                s++;
        }
        return true;
}

static void check_type(const struct check *check, size_t i)
{
        const struct arm_partition *partition = &check->v[i];
        const char *type = partition->type;
        struct range at = schema_range(partition->value, "type");
        size_t digits;

        if (str_empty(type)) {
                if (check->arm->method == IMAGE_NEW)
                        diag_error(check->diags, at, "%s needs a 'type': %s", name_of(check, i),
                                   check->arm->gpt == 1 ? "\"8300\" Linux, \"ef00\" EFI, or a GUID"
                                                        : "\"83\" Linux, \"c\" FAT32, \"82\" swap");
                return;
        }
        if (str_starts(type, "0x") || str_starts(type, "0X"))
                type += 2;
        digits = strspn(type, "0123456789abcdefABCDEF");
        if (check->arm->gpt == 1 && !is_guid(type) && (type[digits] || digits > 4))
                diag_error(check->diags, at,
                           "'%s' is not a type of a gpt partition; write sgdisk's code (\"8300\") or a GUID",
                           partition->type);
        else if (check->arm->gpt != 1 && (type[digits] || digits < 1 || digits > 2))
                diag_error(check->diags, at,
                           "'%s' is not a type of a dos partition; write its code of one or two hexadecimal digits "
                           "(\"c\", \"83\")",
                           partition->type);
}

static void check_mountpoint(const struct check *check, size_t i)
{
        const char *path = check->v[i].mountpoint;
        struct range at = schema_range(check->v[i].value, "mountpoint");
        CLEANUP_STRV char **parts = NULL;

        if (str_empty(path))
                return;
        if (*path != '/') {
                diag_error(check->diags, at, "'mountpoint' must be an absolute path, such as \"/%s\"", path);
                return;
        }
        parts = str_split(path, "/");
        if (strv_has(STRV(parts), "..") || strv_has(STRV(parts), "."))
                diag_error(check->diags, at, "'mountpoint' cannot have \".\" or \"..\" in it: \"%s\"", path);
        for (size_t j = 0; j < i; j++) {
                if (!str_eq(check->v[j].mountpoint, path))
                        continue;
                diag_error(check->diags, at, "%s and %s are both mounted on %s", name_of(check, j), name_of(check, i),
                           path);
                return;
        }
}

/* "/boot/" is "/boot". */
static void cut_slashes(char *path)
{
        size_t n = path ? strlen(path) : 0;

        while (n > 1 && path[n - 1] == '/')
                path[--n] = '\0';
}

static void read_place(const struct check *check, struct arm_partition *partition)
{
        CLEANUP_ERROR struct error err = {0};
        const char *start = partition->start_sector_text;
        char *end;

        if (!str_empty(partition->size) && size_parse(partition->size, &partition->size_bytes, &err) < 0)
                diag_error(check->diags, schema_range(partition->value, "size"), "'size': %s", error_message(&err));
        if (str_empty(start))
                return;
        errno = 0;
        partition->start_sector = strtoull(start, &end, 10);
        if (*end || errno || *start < '0' || *start > '9' || partition->start_sector > INT64_MAX / SECTOR) {
                partition->start_sector = 0;
                diag_error(check->diags, schema_range(partition->value, "start_sector"),
                           "'start_sector' must be the number of a sector (of 512 bytes), not \"%s\"", start);
        }
}

/* Where a partition will lie, in bytes. */
struct extent {
        uint64_t start, end;
        bool is_extended;
};

static bool is_extended(const struct arm_partition *partition)
{
        static const char *const types[] = {"5", "05", "f", "0f", "85", NULL};

        return partition->type && strv_has(types, partition->type);
}

static uint64_t align_mib(uint64_t bytes)
{
        return (bytes + MIB - 1) / MIB * MIB;
}

/* The first byte after the last one that partitions may use. */
static uint64_t usable_end(const struct arm_builder *arm)
{
        uint64_t backup = arm->gpt == 1 ? GPT_BACKUP_SECTORS * SECTOR : 0;

        return arm->image_size_bytes > backup ? arm->image_size_bytes - backup : 0;
}

static bool place(const struct check *check, size_t i, uint64_t after, struct extent *ret)
{
        const struct arm_partition *partition = &check->v[i];
        uint64_t limit = usable_end(check->arm), first = check->arm->gpt == 1 ? GPT_FIRST_SECTOR : 1;

        ret->start = partition->start_sector ? partition->start_sector * SECTOR : align_mib(after ? after : 1);
        ret->is_extended = check->arm->gpt != 1 && is_extended(partition);
        if (partition->start_sector && partition->start_sector < first) {
                diag_error(check->diags, schema_range(partition->value, "start_sector"),
                           "sector %llu belongs to the partition table; the first free one is %llu",
                           (unsigned long long)partition->start_sector, (unsigned long long)first);
                return false;
        }
        if (ret->start < limit && partition->size_bytes <= limit - ret->start) {
                ret->end = partition->size_bytes ? ret->start + partition->size_bytes : limit;
                return true;
        }
        diag_error(check->diags, schema_range(partition->value, partition->size_bytes ? "size" : "start_sector"),
                   "%s lies past the end of the image", name_of(check, i));
        if (partition->size_bytes == 0)
                diag_detail(check->diags, "It begins at byte %llu, but the image has room up to byte %llu only.",
                            (unsigned long long)ret->start, (unsigned long long)limit);
        else
                diag_detail(
                        check->diags,
                        "It begins at byte %llu and takes %llu bytes, but the image has room up to byte %llu only.\n"
                        "Make 'image_size' larger, or the partition smaller.",
                        (unsigned long long)ret->start, (unsigned long long)partition->size_bytes,
                        (unsigned long long)limit);
        return false;
}

static void check_overlap(const struct check *check, const struct extent *extents, size_t i)
{
        for (size_t j = 0; j < i; j++) {
                const struct extent *a = &extents[j], *b = &extents[i];
                size_t lower = a->start <= b->start ? j : i, upper = lower == i ? j : i;

                if (a->end == 0 || a->is_extended || b->is_extended || a->start >= b->end || b->start >= a->end)
                        continue;
                diag_error(check->diags, check->v[upper].value->range, "%s overlaps %s", name_of(check, upper),
                           name_of(check, lower));
                check->diags->list.v[check->diags->list.n - 1].range.end = check->v[upper].value->range.start + 1;
                diag_detail(check->diags, "It begins at sector %llu, but %s takes sectors %llu to %llu.",
                            (unsigned long long)(extents[upper].start / SECTOR), name_of(check, lower),
                            (unsigned long long)(extents[lower].start / SECTOR),
                            (unsigned long long)((extents[lower].end + SECTOR - 1) / SECTOR - 1));
        }
}

static bool too_many(const struct check *check)
{
        CLEANUP_FREE char *hint = NULL;

        if (check->arm->gpt == 1 || check->n <= 4)
                return false;
        for (size_t i = 0; i < check->n; i++)
                if (is_extended(&check->v[i]))
                        return false;
        hint = schema_written(check->value->range, "image_type", "\"gpt\"");
        diag_error(check->diags, schema_range(check->value, "image_partitions"),
                   "a dos table holds 4 partitions, not %zu; set %s", check->n, hint);
        return true;
}

/* Only method new makes a table by these numbers. */
static void check_places(const struct check *check)
{
        CLEANUP_FREE struct extent *extents = xcalloc(check->n + 1, sizeof(*extents));
        uint64_t after = 0;

        if (too_many(check) || check->arm->image_size_bytes == 0)
                return; /* a size that is missing has its own message */
        for (size_t i = 0; i < check->n; i++) {
                if (!place(check, i, after, &extents[i]))
                        continue;
                after = extents[i].end;
                check_overlap(check, extents, i);
        }
}

/* The partition of size "0": at most one, and at the end; resize needs it. */
static void check_rest(const struct check *check)
{
        size_t n_rest = 0, rest = 0;

        for (size_t i = 0; i < check->n; i++) {
                if (check->v[i].size_bytes > 0)
                        continue;
                if (n_rest++ > 0)
                        diag_error(check->diags, schema_range(check->v[i].value, "size"),
                                   "%s and %s both take the rest of the image (size \"0\"); give one of them a size",
                                   name_of(check, rest), name_of(check, i));
                rest = i;
        }
        if (n_rest == 0 && check->arm->method == IMAGE_RESIZE)
                diag_error(check->diags, schema_range(check->value, "image_partitions"),
                           "the method \"resize\" grows the partition of size \"0\", but none has it");
        if (n_rest == 1 && check->arm->method == IMAGE_NEW && rest + 1 < check->n) {
                diag_error(check->diags, schema_range(check->v[rest].value, "size"),
                           "only the last partition can take the rest of the image (size \"0\")");
                diag_detail(check->diags, "After it comes %s.", name_of(check, rest + 1));
        }
}

static void check_root(const struct check *check)
{
        CLEANUP_FREE char *hint = NULL;

        for (size_t i = 0; i < check->n; i++)
                if (str_eq(check->v[i].mountpoint, "/"))
                        return;
        hint = schema_written(check->value->range, "mountpoint", "\"/\"");
        diag_error(check->diags, schema_range(check->value, "image_partitions"),
                   "no partition is the root: one needs %s", hint);
}

void arm_check_partitions(struct arm_builder *arm, const struct value *value, struct diags *diags)
{
        const struct check check = {
                .arm = arm, .v = arm->image_partitions.v, .n = arm->image_partitions.n, .value = value, .diags = diags};
        size_t errors_before = diags->n_errors;

        if (check.n == 0) {
                if (arm->method != IMAGE_NEW)
                        return;
                diag_error(diags, schema_range(value, "image_partitions"),
                           "the method \"new\" needs 'image_partitions', with one partition at least");
                return;
        }
        for (size_t i = 0; i < check.n; i++) {
                check.v[i].value = schema_block(value, "image_partitions", i);
                cut_slashes(check.v[i].mountpoint);
                read_place(&check, &check.v[i]);
                check_type(&check, i);
                check_filesystem(&check, i);
                check_mountpoint(&check, i);
        }
        if (diags->n_errors == errors_before)
                check_root(&check);
        if (arm->method != IMAGE_REUSE && diags->n_errors == errors_before)
                check_rest(&check);
        if (arm->method == IMAGE_NEW && diags->n_errors == errors_before)
                check_places(&check);
}
