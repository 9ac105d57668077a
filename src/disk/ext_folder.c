/* See ext_serve.h. */
#include "disk/ext_serve.h"

#include <errno.h>
#include <string.h>

static void folder_clear(struct ext_folder *folder)
{
        vec_free(&folder->entries);
        vec_free(&folder->names);
        folder->ino = 0;
        folder->large = false;
}

void ext_folders_clear(struct ext_folders *folders)
{
        for (size_t i = 0; i < EXT_FOLDERS; i++)
                folder_clear(&folders->slots[i]);
}

/* ---- reading one into memory ---- */

static int on_entry(void *arg, const char *name, size_t len, ext2_ino_t ino, unsigned int type, struct error *err)
{
        struct ext_folder *folder = arg;
        size_t at = folder->names.n;

        (void)err;
        if (at + len + 1 + (folder->entries.n + 1) * sizeof(*folder->entries.v) > EXT_FOLDER_BYTES)
                return -EFBIG;
        vec_reserve(&folder->names, at + len + 1);
        memcpy(folder->names.v + at, name, len);
        folder->names.v[at + len] = '\0';
        folder->names.n += len + 1;
        vec_push(&folder->entries, (struct ext_folder_entry){.ino = ino, .at = (uint32_t)at, .type = (uint8_t)type});
        return 0;
}

static int by_name(const void *a, const void *b, void *names)
{
        const struct ext_folder_entry *left = a, *right = b;
        const char *text = names;

        return strcmp(text + left->at, text + right->at);
}

/* Give back what growing took ahead. */
static void fit(struct ext_folder *folder)
{
        if (folder->entries.n == 0) {
                vec_free(&folder->entries);
                vec_free(&folder->names);
                return;
        }
        folder->entries.cap = folder->entries.n;
        folder->entries.v = xreallocarray(folder->entries.v, folder->entries.n, sizeof(*folder->entries.v));
        folder->names.cap = folder->names.n;
        folder->names.v = xreallocarray(folder->names.v, folder->names.n, 1);
}

static struct ext_folder *oldest(struct ext_folders *folders)
{
        struct ext_folder *found = &folders->slots[0];

        for (size_t i = 1; i < EXT_FOLDERS; i++)
                if (folders->slots[i].used < found->used)
                        found = &folders->slots[i];
        return found;
}

/* The folder in memory. *ret stays NULL for one that is too large. */
static int load(struct ext_folders *folders, ext2_ino_t dir, struct ext_folder **ret, struct error *err)
{
        struct ext_folder *folder;
        int r;

        for (size_t i = 0; i < EXT_FOLDERS; i++) {
                if (folders->slots[i].ino != dir)
                        continue;
                folders->slots[i].used = ++folders->clock;
                *ret = folders->slots[i].large ? NULL : &folders->slots[i];
                return 0;
        }
        folder = oldest(folders);
        folder_clear(folder);
        r = ext_dir_each(folders->ext, dir, on_entry, folder, err);
        if (r < 0)
                folder_clear(folder);
        if (r < 0 && r != -EFBIG)
                return r;
        folder->large = r == -EFBIG;
        fit(folder);
        if (folder->entries.n > 0)
                qsort_r(folder->entries.v, folder->entries.n, sizeof(*folder->entries.v), by_name, folder->names.v);
        folder->ino = dir;
        folder->used = ++folders->clock;
        *ret = folder->large ? NULL : folder;
        return 0;
}

/* ---- one name ---- */

struct search {
        const char *name;
        size_t len;
        ext2_ino_t found;
};

static int search_entry(void *arg, const char *name, size_t len, ext2_ino_t ino, unsigned int type, struct error *err)
{
        struct search *search = arg;

        (void)type, (void)err;
        if (len != search->len || memcmp(name, search->name, len) != 0)
                return 0;
        search->found = ino;
        return -ECANCELED; /* far enough */
}

int ext_folder_find(struct ext_folders *folders, ext2_ino_t dir, const char *name, ext2_ino_t *ret, struct error *err)
{
        struct search search = {.name = name, .len = strlen(name)};
        struct ext_folder *folder = NULL;
        size_t low = 0, high;
        int r = load(folders, dir, &folder, err);

        *ret = 0;
        if (r == 0 && !folder) {
                r = ext_dir_each(folders->ext, dir, search_entry, &search, err);
                *ret = search.found;
                return r == -ECANCELED ? 0 : r;
        }
        if (r < 0)
                return r;
        for (high = folder->entries.n; low < high;) {
                size_t middle = low + (high - low) / 2;
                const struct ext_folder_entry *entry = &folder->entries.v[middle];
                int order = strcmp(name, folder->names.v + entry->at);

                if (order == 0) {
                        *ret = entry->ino;
                        return 0;
                }
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return 0;
}

/* ---- all of them ---- */

struct listing {
        uint64_t from, number;
        ext_folder_fn *on_entry;
        void *arg;
};

static int list_entry(void *arg, const char *name, size_t len, ext2_ino_t ino, unsigned int type, struct error *err)
{
        struct listing *listing = arg;
        char text[EXT2_NAME_LEN + 1];
        uint64_t number = listing->number++;

        (void)err;
        if (number < listing->from || len > EXT2_NAME_LEN)
                return 0;
        memcpy(text, name, len);
        text[len] = '\0';
        return listing->on_entry(listing->arg, number, text, ino, type) ? -ECANCELED : 0;
}

int ext_folder_each(struct ext_folders *folders, ext2_ino_t dir, uint64_t from, ext_folder_fn *fn, void *arg,
                    struct error *err)
{
        struct listing listing = {.from = from, .on_entry = fn, .arg = arg};
        struct ext_folder *folder = NULL;
        int r = load(folders, dir, &folder, err);

        if (r == 0 && !folder) {
                r = ext_dir_each(folders->ext, dir, list_entry, &listing, err);
                return r == -ECANCELED ? 0 : r;
        }
        for (uint64_t i = from; r == 0 && i < folder->entries.n; i++) {
                const struct ext_folder_entry *entry = &folder->entries.v[i];

                if (fn(arg, i, folder->names.v + entry->at, entry->ino, entry->type))
                        break;
        }
        return r;
}
