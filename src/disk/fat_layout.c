/* A FAT16 volume around files that lie elsewhere: see fat_layout.h. Folders
 * come first in the clusters, then each file in one piece, so that all that is
 * no file is the volume's beginning. There is one table: a copy helps where a
 * sector can fail, and these are never on a disk. */
#include "disk/fat_layout.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/str.h"
#include "base/vec.h"
#include "disk/fat.h"

enum {
        SECTOR = 512,
        CLUSTER_MAX = 32 << 10,
        /* By their number of clusters FAT12, FAT16 and FAT32 are told apart; some drivers are off by a few. */
        CLUSTERS_MIN = 4085 + 16,
        CLUSTERS_MAX = 65524 - 16,
        LAST_CLUSTER = 0xffff,
        ATTEMPTS = 64, /* short names that are tried */
};

struct entry {
        char *name;
        struct fat_stored_name stored;
        uint8_t raw[FAT_SLOT];
        size_t index; /* of the folder or the file */
};

struct folder {
        size_t parent;
        uint32_t cluster; /* the root's is 0 */
        VEC(struct entry) entries;
};

struct layout {
        VEC(struct folder) folders; /* a folder comes behind its parent; the first is the root */
        uint32_t *clusters;         /* the first of each file; 0: it is empty */
        uint32_t cluster_bytes, n_clusters, next;
        size_t fat_bytes, root_bytes;
        uint8_t *head;
};

static void layout_clear(struct layout *l)
{
        for (size_t i = 0; i < l->folders.n; i++) {
                for (size_t j = 0; j < l->folders.v[i].entries.n; j++)
                        free(l->folders.v[i].entries.v[j].name);
                vec_free(&l->folders.v[i].entries);
        }
        vec_free(&l->folders);
        free(l->clusters);
        free(l->head);
}

/* ---- the tree ---- */

static bool is_folder(const struct entry *entry)
{
        return entry->raw[11] & FAT_ATTR_FOLDER;
}

static struct entry *find(const struct folder *folder, const char *name)
{
        CLEANUP_FREE char *key = fat_name_key(name);

        for (size_t i = 0; i < folder->entries.n; i++) {
                CLEANUP_FREE char *other = fat_name_key(folder->entries.v[i].name);

                if (strcmp(key, other) == 0)
                        return &folder->entries.v[i];
        }
        return NULL;
}

static bool short_taken(const struct folder *folder, const uint8_t base[11])
{
        for (size_t i = 0; i < folder->entries.n; i++)
                if (memcmp(folder->entries.v[i].raw, base, 11) == 0)
                        return true;
        return false;
}

static int add(struct folder *folder, const char *name, uint8_t attributes, size_t index, struct error *err)
{
        struct entry entry = {.index = index};
        int r = fat_name_encode(name, &entry.stored, err);

        if (r < 0)
                return r;
        for (unsigned int attempt = 0; attempt == 0 || short_taken(folder, entry.raw); attempt++) {
                if (attempt == ATTEMPTS)
                        return error_set(err, EEXIST, "no short name is left for it");
                entry.stored.short_only = entry.stored.short_only && attempt == 0;
                fat_short_try(&entry.stored, name, attempt, entry.raw);
        }
        entry.raw[11] = attributes;
        fat_put_times(entry.raw, 0);
        entry.name = xstrdup(name);
        vec_push(&folder->entries, entry);
        return 0;
}

/* The folder of that name in another, made where it is not there. */
static int enter(struct layout *l, size_t *at, const char *name, struct error *err)
{
        const struct entry *there = find(&l->folders.v[*at], name);
        size_t index = l->folders.n;
        int r;

        if (there && !is_folder(there))
                return error_set(err, EEXIST, "'%s' is a file", name);
        if (!there) {
                r = add(&l->folders.v[*at], name, FAT_ATTR_FOLDER, index, err);
                if (r < 0)
                        return r;
                vec_push(&l->folders, (struct folder){.parent = *at});
        }
        *at = there ? there->index : index;
        return 0;
}

static int add_file(struct layout *l, const struct fat_layout_file *file, size_t index, struct error *err)
{
        CLEANUP_STRV char **parts = str_split(file->path, "/");
        size_t at = 0, n = strv_len(STRV(parts));
        struct folder *folder;
        int r = 0;

        if (file->size_bytes > UINT32_MAX)
                return error_set(err, EFBIG, "a file on FAT is smaller than 4 GiB");
        for (size_t i = 0; r == 0 && i + 1 < n; i++)
                r = enter(l, &at, parts[i], err);
        if (r < 0)
                return r;
        folder = &l->folders.v[at];
        if (n == 0 || find(folder, parts[n - 1]))
                return error_set(err, EEXIST, "FAT sees no difference to another name there");
        r = add(folder, parts[n - 1], FAT_ATTR_ARCHIVE, index, err);
        if (r == 0)
                put_le32(folder->entries.v[folder->entries.n - 1].raw + 28, (uint32_t)file->size_bytes);
        return r;
}

/* ---- clusters ---- */

static size_t folder_bytes(const struct folder *folder, bool is_root)
{
        size_t slots = is_root ? 1 : 2; /* the volume's name; . and .. */

        for (size_t i = 0; i < folder->entries.n; i++)
                slots += fat_slots(&folder->entries.v[i].stored);
        return slots * FAT_SLOT;
}

static uint64_t up(uint64_t bytes, uint64_t unit)
{
        return (bytes + unit - 1) / unit;
}

static uint64_t clusters_of(const struct layout *l, const struct fat_layout_file *files, size_t n, uint32_t unit)
{
        uint64_t sum = 0;

        for (size_t i = 1; i < l->folders.n; i++)
                sum += up(folder_bytes(&l->folders.v[i], false), unit);
        for (size_t i = 0; i < n; i++)
                sum += up(files[i].size_bytes, unit);
        return sum;
}

/* The smallest clusters that do; the number of them that makes it FAT16. */
static int choose_geometry(struct layout *l, const struct fat_layout_file *files, size_t n, struct error *err)
{
        uint64_t count;

        l->cluster_bytes = SECTOR;
        while ((count = clusters_of(l, files, n, l->cluster_bytes)) > CLUSTERS_MAX)
                if ((l->cluster_bytes *= 2) > CLUSTER_MAX)
                        return error_set(err, EFBIG, "the files are larger together than the 2 GiB of FAT16");
        l->n_clusters = count > CLUSTERS_MIN ? (uint32_t)count : CLUSTERS_MIN;
        l->fat_bytes = up((uint64_t)(l->n_clusters + 2) * 2, SECTOR) * SECTOR;
        l->root_bytes = up(folder_bytes(&l->folders.v[0], true), SECTOR) * SECTOR;
        return 0;
}

static size_t data_offset(const struct layout *l)
{
        return SECTOR + l->fat_bytes + l->root_bytes;
}

static uint64_t cluster_offset(const struct layout *l, uint32_t cluster)
{
        return data_offset(l) + (uint64_t)(cluster - 2) * l->cluster_bytes;
}

/* So many bytes in a chain of the next clusters; the first of them, or 0 for none. */
static uint32_t take(struct layout *l, uint64_t bytes)
{
        uint32_t n = (uint32_t)up(bytes, l->cluster_bytes), first = l->next;
        uint8_t *table = l->head + SECTOR;

        for (uint32_t i = 0; i < n; i++)
                put_le16(table + (size_t)(first + i) * 2, (uint16_t)(i + 1 == n ? LAST_CLUSTER : first + i + 1));
        l->next += n;
        return n > 0 ? first : 0;
}

/* ---- bytes ---- */

/* The boot sector, without code: nothing is started from it. */
static void put_boot(const struct layout *l)
{
        static const char start[11] = "\xeb\x3c\x90SLIPWAY ", names[19] = "SLIPWAY    FAT16   ";
        uint64_t sectors = (cluster_offset(l, l->n_clusters + 2)) / SECTOR;
        uint8_t *boot = l->head;

        memcpy(boot, start, sizeof(start));
        put_le16(boot + 11, SECTOR);
        boot[13] = (uint8_t)(l->cluster_bytes / SECTOR);
        put_le16(boot + 14, 1); /* sectors before the table */
        boot[16] = 1;           /* tables */
        put_le16(boot + 17, (uint16_t)(l->root_bytes / FAT_SLOT));
        put_le16(boot + 19, sectors < 0x10000 ? (uint16_t)sectors : 0);
        boot[21] = 0xf8; /* a disk */
        put_le16(boot + 22, (uint16_t)(l->fat_bytes / SECTOR));
        put_le16(boot + 24, 63);
        put_le16(boot + 26, 255);
        put_le32(boot + 32, sectors < 0x10000 ? 0 : (uint32_t)sectors);
        boot[36] = 0x80;
        boot[38] = 0x29; /* the next three are there: a number, a name, a type */
        put_le32(boot + 39, 0x51195741);
        memcpy(boot + 43, names, sizeof(names));
        put_le16(boot + 510, 0xaa55);
        put_le16(l->head + SECTOR, 0xfff8);
        put_le16(l->head + SECTOR + 2, LAST_CLUSTER);
}

static uint8_t *put_own(uint8_t *out, const char name[11], uint8_t attributes, uint32_t cluster)
{
        memcpy(out, name, 11);
        out[11] = attributes;
        fat_put_times(out, 0);
        fat_entry_set_cluster(out, cluster);
        return out + FAT_SLOT;
}

static void put_folder(const struct layout *l, const struct folder *folder)
{
        bool is_root = folder == l->folders.v;
        uint8_t *out = is_root ? l->head + SECTOR + l->fat_bytes : l->head + cluster_offset(l, folder->cluster);

        if (is_root) {
                out = put_own(out, "SLIPWAY    ", FAT_ATTR_VOLUME, 0);
        } else {
                out = put_own(out, ".          ", FAT_ATTR_FOLDER, folder->cluster);
                out = put_own(out, "..         ", FAT_ATTR_FOLDER, l->folders.v[folder->parent].cluster);
        }
        for (size_t i = 0; i < folder->entries.n; i++) {
                struct entry *entry = &folder->entries.v[i];

                fat_entry_set_cluster(entry->raw, is_folder(entry) ? l->folders.v[entry->index].cluster
                                                                   : l->clusters[entry->index]);
                fat_put_slots(&entry->stored, entry->raw, out);
                out += fat_slots(&entry->stored) * FAT_SLOT;
        }
}

static void put_all(struct layout *l, const struct fat_layout_file *files, size_t n, struct fat_layout *ret)
{
        size_t folders = 0;

        for (size_t i = 1; i < l->folders.n; i++)
                folders += up(folder_bytes(&l->folders.v[i], false), l->cluster_bytes) * l->cluster_bytes;
        *ret = (struct fat_layout){.head_bytes = data_offset(l) + folders,
                                   .at = xcalloc(n + 1, sizeof(*ret->at)),
                                   .size_bytes = cluster_offset(l, l->n_clusters + 2)};
        l->head = xcalloc(ret->head_bytes, 1);
        l->next = 2;
        for (size_t i = 1; i < l->folders.n; i++)
                l->folders.v[i].cluster = take(l, folder_bytes(&l->folders.v[i], false));
        for (size_t i = 0; i < n; i++) {
                ret->at[i] = cluster_offset(l, l->next);
                l->clusters[i] = take(l, files[i].size_bytes);
        }
        put_boot(l);
        for (size_t i = 0; i < l->folders.n; i++)
                put_folder(l, &l->folders.v[i]);
        ret->head = steal(&l->head);
}

int fat_layout_make(const struct fat_layout_file *files, size_t n, struct fat_layout *ret, struct error *err)
{
        CLEANUP(layout_clear) struct layout l = {.clusters = xcalloc(n + 1, sizeof(*l.clusters))};
        int r;

        vec_push(&l.folders, (struct folder){0});
        for (size_t i = 0; i < n; i++) {
                r = add_file(&l, &files[i], i, err);
                if (r < 0)
                        return error_wrap(err, r, "'%s'", files[i].path);
        }
        r = choose_geometry(&l, files, n, err);
        if (r == 0)
                put_all(&l, files, n, ret);
        return r;
}

void fat_layout_clear(struct fat_layout *layout)
{
        free(layout->head);
        free(layout->at);
        *layout = (struct fat_layout){0};
}
