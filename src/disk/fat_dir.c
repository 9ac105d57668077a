/* FAT: folders. A folder is a file of 32-byte slots; the few that are being
 * worked on are in memory whole, with their names parsed. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "disk/fat.h"

enum {
        FREE = 0xe5,
        LAST_LONG = 0x40,
        UNITS = 13, /* UTF-16 units in a slot of a long name */
        MAX_SLOTS = 65536,
};

/* Where a long slot keeps its units. */
static const uint8_t unit_at[UNITS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

uint32_t fat_entry_cluster(const struct fat *fat, const uint8_t raw[FAT_SLOT])
{
        uint32_t high = fat->bits == 32 ? (uint32_t)get_le16(raw + 20) << 16 : 0;

        return high | get_le16(raw + 26);
}

void fat_entry_set_cluster(uint8_t raw[FAT_SLOT], uint32_t cluster)
{
        put_le16(raw + 20, (uint16_t)(cluster >> 16));
        put_le16(raw + 26, (uint16_t)cluster);
}

/* ---- reading ---- */

/* A long name that is being put together, from its last part to its first. */
struct long_name {
        uint16_t units[20 * UNITS];
        size_t n;
        unsigned int next; /* the part that must come now; 0: complete */
        bool valid;
        uint8_t sum;
        size_t first_slot;
};

static void long_part(struct long_name *name, const uint8_t *raw, size_t slot)
{
        unsigned int part = raw[0] & 0x3f;

        if (raw[0] & LAST_LONG) {
                *name = (struct long_name){
                        .valid = part >= 1 && part <= 20, .next = part, .sum = raw[13], .first_slot = slot};
                name->n = (size_t)part * UNITS;
        }
        if (!name->valid || part == 0 || part != name->next || raw[13] != name->sum) {
                name->valid = false;
                return;
        }
        for (size_t i = 0; i < UNITS; i++)
                name->units[(part - 1) * UNITS + i] = get_le16(raw + unit_at[i]);
        name->next--;
}

static char *long_text(struct long_name *name, const uint8_t *raw)
{
        if (!name->valid || name->next != 0 || name->sum != fat_short_sum(raw))
                return NULL;
        for (size_t i = 0; i < name->n; i++)
                if (name->units[i] == 0)
                        name->n = i;
        return fat_name_decode(name->units, name->n);
}

static void parse(struct fat_dir *dir)
{
        struct long_name name = {0};

        for (size_t slot = 0; slot < dir->size / FAT_SLOT; slot++) {
                const uint8_t *raw = dir->data + slot * FAT_SLOT;
                struct fat_entry entry = {.slot = slot, .first_slot = slot};

                if (raw[0] == 0) {
                        /* The end. What an earlier life left behind it goes. */
                        memset(dir->data + slot * FAT_SLOT, 0, dir->size - slot * FAT_SLOT);
                        return;
                }
                if (raw[0] != FREE && (raw[11] & 0x3f) == FAT_ATTR_LONG) {
                        long_part(&name, raw, slot);
                        continue;
                }
                if (raw[0] != FREE && !(raw[11] & FAT_ATTR_VOLUME) && raw[0] != '.') {
                        memcpy(entry.raw, raw, FAT_SLOT);
                        entry.name = long_text(&name, raw);
                        if (entry.name)
                                entry.first_slot = name.first_slot;
                        else
                                entry.name = fat_short_name(raw);
                        entry.key = fat_name_key(entry.name);
                        vec_push(&dir->entries, entry);
                }
                name.valid = false;
        }
}

/* All bytes of a folder. */
static int read_data(struct fat *fat, struct fat_dir *dir, struct error *err)
{
        uint32_t cluster = dir->cluster, first;
        int r = 0;

        if (cluster == 0) {
                dir->size = fat->root_bytes;
                dir->data = xcalloc(1, dir->size + 1);
                r = fd_pread_all(fat->fd, dir->data, dir->size, (off_t)fat->root_offset);
        }
        while (cluster != 0 && r == 0) {
                int64_t n = fat_run(fat, &cluster, MAX_SLOTS * FAT_SLOT / fat->cluster_bytes + 1, &first);
                size_t bytes = n > 0 ? (size_t)n * fat->cluster_bytes : 0;

                if (n < 0 || dir->size + bytes > MAX_SLOTS * FAT_SLOT)
                        return fat_damaged(fat, err, "the folder at cluster %u is broken or endless", dir->cluster);
                dir->data = xreallocarray(dir->data, dir->size + bytes, 1);
                r = fd_pread_all(fat->fd, dir->data + dir->size, bytes, (off_t)fat_cluster_offset(fat, first));
                dir->size += bytes;
        }
        return r < 0 ? error_errno(err, -r, "read a folder of %s", fat->name) : 0;
}

static void dir_clear(struct fat_dir *dir)
{
        for (size_t i = 0; i < dir->entries.n; i++) {
                free(dir->entries.v[i].name);
                free(dir->entries.v[i].key);
        }
        vec_free(&dir->entries);
        free(dir->data);
        *dir = (struct fat_dir){0};
}

/* ---- writing back ---- */

static int dir_flush(struct fat *fat, struct fat_dir *dir, struct error *err)
{
        uint32_t cluster = dir->cluster, first;
        size_t at = 0;
        int r = 0;

        if (!dir->used || !dir->dirty)
                return 0;
        if (cluster == 0)
                r = fd_pwrite_all(fat->fd, dir->data, dir->size, (off_t)fat->root_offset);
        while (cluster != 0 && r == 0) {
                int64_t n = fat_run(fat, &cluster, MAX_SLOTS, &first);

                if (n < 0 || at + (size_t)n * fat->cluster_bytes > dir->size)
                        return fat_damaged(fat, err, "the folder at cluster %u changed under us", dir->cluster);
                r = fd_pwrite_all(fat->fd, dir->data + at, (size_t)n * fat->cluster_bytes,
                                  (off_t)fat_cluster_offset(fat, first));
                at += (size_t)n * fat->cluster_bytes;
        }
        dir->dirty = false;
        return r < 0 ? error_errno(err, -r, "write a folder of %s", fat->name) : 0;
}

int fat_dirs_flush(struct fat *fat, struct error *err)
{
        int r = 0;

        for (size_t i = 0; i < FAT_CACHED && r == 0; i++)
                r = dir_flush(fat, &fat->dirs[i], err);
        return r;
}

void fat_dirs_clear(struct fat *fat)
{
        for (size_t i = 0; i < FAT_CACHED; i++)
                dir_clear(&fat->dirs[i]);
}

int fat_dir_load(struct fat *fat, uint32_t cluster, struct fat_dir **ret, struct error *err)
{
        struct fat_dir *oldest = &fat->dirs[0];
        int r;

        for (size_t i = 0; i < FAT_CACHED; i++) {
                struct fat_dir *dir = &fat->dirs[i];

                if (dir->used && dir->cluster == cluster) {
                        dir->age = ++fat->clock;
                        *ret = dir;
                        return 0;
                }
                if (dir->age < oldest->age)
                        oldest = dir;
        }
        r = dir_flush(fat, oldest, err);
        if (r < 0)
                return r;
        dir_clear(oldest);
        oldest->cluster = cluster;
        r = read_data(fat, oldest, err);
        if (r < 0) {
                dir_clear(oldest);
                return r;
        }
        oldest->used = true;
        oldest->age = ++fat->clock;
        parse(oldest);
        *ret = oldest;
        return 0;
}

/* ---- changing ---- */

struct fat_entry *fat_dir_find(const struct fat_dir *dir, const char *name)
{
        CLEANUP_FREE char *key = fat_name_key(name);

        for (size_t i = 0; i < dir->entries.n; i++)
                if (strcmp(dir->entries.v[i].key, key) == 0)
                        return &dir->entries.v[i];
        return NULL;
}

static bool short_taken(const struct fat_dir *dir, const uint8_t base[11])
{
        for (size_t i = 0; i < dir->entries.n; i++)
                if (memcmp(dir->entries.v[i].raw, base, 11) == 0)
                        return true;
        return false;
}

/* Room for n slots in a row; -ENOSPC. */
static int find_room(struct fat *fat, struct fat_dir *dir, size_t n, size_t *ret_slot)
{
        size_t slots = dir->size / FAT_SLOT, run = 0, more;
        uint32_t clusters, last = dir->cluster, added;
        int r;

        for (size_t slot = 0; slot < slots; slot++) {
                uint8_t mark = dir->data[slot * FAT_SLOT];

                run = mark == 0 || mark == FREE ? run + 1 : 0;
                if (run == n) {
                        *ret_slot = slot + 1 - n;
                        return 0;
                }
        }
        more = (n - run) * FAT_SLOT;
        clusters = fat_clusters_for(fat, more);
        if (dir->cluster == 0 || dir->size + (size_t)clusters * fat->cluster_bytes > MAX_SLOTS * FAT_SLOT)
                return -EMLINK;
        r = fat_alloc(fat, clusters, &added);
        if (r < 0)
                return r;
        for (int64_t next = last; next > 0; next = fat_next(fat, last))
                last = (uint32_t)next;
        fat_set_next(fat, last, added);
        more = (size_t)clusters * fat->cluster_bytes;
        dir->data = xreallocarray(dir->data, dir->size + more, 1);
        memset(dir->data + dir->size, 0, more);
        dir->size += more;
        *ret_slot = slots - run;
        return 0;
}

static void put_long(uint8_t *raw, const struct fat_stored_name *stored, unsigned int part, bool last, uint8_t sum)
{
        memset(raw, 0, FAT_SLOT);
        raw[0] = (uint8_t)(part | (last ? LAST_LONG : 0));
        raw[11] = FAT_ATTR_LONG;
        raw[13] = sum;
        for (size_t i = 0; i < UNITS; i++) {
                size_t at = (part - 1) * UNITS + i;

                put_le16(raw + unit_at[i], at < stored->n ? stored->units[at] : at == stored->n ? 0 : 0xffff);
        }
}

size_t fat_slots(const struct fat_stored_name *stored)
{
        return stored->short_only ? 1 : 1 + (stored->n + UNITS - 1) / UNITS;
}

void fat_put_slots(const struct fat_stored_name *stored, const uint8_t raw[FAT_SLOT], uint8_t *out)
{
        size_t longs = fat_slots(stored) - 1;

        for (size_t i = 0; i < longs; i++)
                put_long(out + i * FAT_SLOT, stored, (unsigned int)(longs - i), i == 0, fat_short_sum(raw));
        memcpy(out + longs * FAT_SLOT, raw, FAT_SLOT);
        out[longs * FAT_SLOT + 12] = stored->short_only ? stored->case_bits : 0;
}

int fat_dir_add(struct fat *fat, struct fat_dir *dir, const char *name, const uint8_t raw[FAT_SLOT], struct error *err)
{
        struct fat_stored_name stored;
        struct fat_entry entry = {0};
        int r = fat_name_encode(name, &stored, err);

        if (r < 0)
                return r;
        memcpy(entry.raw, raw, FAT_SLOT);
        for (unsigned int attempt = 0; attempt == 0 || short_taken(dir, entry.raw); attempt++) {
                if (attempt == MAX_SLOTS)
                        return error_set(err, EEXIST, "no short name is left for it");
                stored.short_only = stored.short_only && attempt == 0;
                fat_short_try(&stored, name, attempt, entry.raw);
        }
        r = find_room(fat, dir, fat_slots(&stored), &entry.first_slot);
        if (r == -EMLINK)
                return error_set(err, EMLINK, "its folder is full: FAT allows %zu entries there",
                                 dir->cluster ? (size_t)MAX_SLOTS : fat->root_bytes / FAT_SLOT);
        if (r < 0)
                return r;
        entry.slot = entry.first_slot + fat_slots(&stored) - 1;
        fat_put_slots(&stored, entry.raw, dir->data + entry.first_slot * FAT_SLOT);
        memcpy(entry.raw, dir->data + entry.slot * FAT_SLOT, FAT_SLOT);
        entry.name = xstrdup(name);
        entry.key = fat_name_key(name);
        vec_push(&dir->entries, entry);
        dir->dirty = true;
        return 0;
}

void fat_dir_remove(struct fat_dir *dir, struct fat_entry *entry)
{
        size_t at = (size_t)(entry - dir->entries.v);

        for (size_t slot = entry->first_slot; slot <= entry->slot; slot++)
                dir->data[slot * FAT_SLOT] = FREE;
        free(entry->name);
        free(entry->key);
        memmove(entry, entry + 1, (dir->entries.n - at - 1) * sizeof(*entry));
        dir->entries.n--;
        dir->dirty = true;
}

void fat_dir_update(struct fat_dir *dir, const struct fat_entry *entry)
{
        memcpy(dir->data + entry->slot * FAT_SLOT, entry->raw, FAT_SLOT);
        dir->dirty = true;
}

int fat_walk(struct fat *fat, const char *path, uint32_t *ret_cluster, struct error *err)
{
        CLEANUP_STRV char **parts = str_split(path, "/");
        uint32_t cluster = fat_root(fat);

        for (char **part = parts; *part; part++) {
                struct fat_entry *entry;
                struct fat_dir *dir;
                int r;

                if (**part == '\0' || strcmp(*part, ".") == 0)
                        continue;
                r = fat_dir_load(fat, cluster, &dir, err);
                if (r < 0)
                        return r;
                entry = fat_dir_find(dir, *part);
                if (!entry)
                        return error_set(err, ENOENT, "'%s' is not there: no '%s'", path, *part);
                if (!fat_is_folder(entry))
                        return error_set(err, ENOTDIR, "'%s': '%s' is no folder", path, *part);
                cluster = fat_entry_cluster(fat, entry->raw) ?: fat_root(fat);
        }
        *ret_cluster = cluster;
        return 0;
}
