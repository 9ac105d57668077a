/* FAT: changes in place. Clusters are taken from the lowest on, times come
 * with the changes, the rest of a file's last cluster is zeroed: so the result
 * is a function of the image before and of the changes alone.
 *
 * Once something has not fitted nothing more is written, but all that follows
 * is added up, so that write_close() can say how much room is missing. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/size.h"
#include "disk/fat.h"

enum { BUFFER = 1 << 20 };

struct writer {
        struct fat *fat;
        int64_t epoch;
        bool full;
        uint64_t wanted, short_by; /* clusters; short_by: at the first that did not fit */
        uint64_t free_before;
};

int fat_write_open(const struct fs_volume *volume, int64_t epoch, void **ret_writer, struct error *err)
{
        struct fat *fat;
        struct writer *writer;
        int r = fat_open(volume, true, &fat, err);

        if (r < 0)
                return r;
        writer = xcalloc(1, sizeof(*writer));
        writer->fat = fat;
        writer->epoch = epoch;
        writer->free_before = (uint64_t)fat->free * fat->cluster_bytes;
        *ret_writer = writer;
        return 0;
}

static int64_t mtime_of(const struct writer *writer, const struct fs_change *change)
{
        int64_t mtime = change->st.st_mtim.tv_sec;

        return writer->epoch >= 0 && mtime > writer->epoch ? writer->epoch : mtime;
}

static int no_room(struct writer *writer, uint64_t clusters)
{
        if (!writer->full)
                writer->short_by = clusters > writer->fat->free ? clusters - writer->fat->free : 1;
        writer->full = true;
        writer->wanted += clusters;
        return 0;
}

/* ---- removing ---- */

/* Release all below a folder; without recursion, each folder once. */
static int release_tree(struct fat *fat, uint32_t cluster, struct error *err)
{
        VEC(uint32_t) folders = {0};
        int r = 0;

        vec_push(&folders, cluster);
        for (size_t i = 0; i < folders.n && r == 0; i++) {
                struct fat_dir *dir = NULL;

                if (i > fat->clusters)
                        r = fat_damaged(fat, err, "its folders lead in a circle");
                else
                        r = fat_dir_load(fat, folders.v[i], &dir, err);
                while (r == 0 && dir && dir->entries.n > 0) {
                        struct fat_entry *entry = &dir->entries.v[dir->entries.n - 1];
                        uint32_t first = fat_entry_cluster(fat, entry->raw);

                        if (first != 0 && fat_is_folder(entry))
                                vec_push(&folders, first);
                        else if (first != 0)
                                r = fat_release(fat, first, err);
                        fat_dir_remove(dir, entry);
                }
        }
        /* The folder itself stays; those below it go, and their memory with them. */
        for (size_t i = 1; i < folders.n && r == 0; i++) {
                struct fat_dir *dir = NULL;

                r = fat_dir_load(fat, folders.v[i], &dir, err);
                if (r == 0 && dir)
                        dir->used = dir->dirty = false;
                if (r == 0)
                        r = fat_release(fat, folders.v[i], err);
        }
        vec_free(&folders);
        return r;
}

static int remove_entry(struct fat *fat, uint32_t parent, const char *name, struct error *err)
{
        struct fat_entry *entry = NULL;
        struct fat_dir *dir = NULL;
        uint32_t first;
        int r = fat_dir_load(fat, parent, &dir, err);

        if (r < 0)
                return r;
        entry = fat_dir_find(dir, name);
        if (!entry)
                return 0;
        first = fat_entry_cluster(fat, entry->raw);
        if (first != 0 && fat_is_folder(entry)) {
                r = release_tree(fat, first, err);
                if (r == 0)
                        r = fat_dir_load(fat, first, &dir, err);
                if (r < 0)
                        return r;
                dir->used = dir->dirty = false;
        }
        if (first != 0)
                r = fat_release(fat, first, err);
        if (r == 0)
                r = fat_dir_load(fat, parent, &dir, err);
        if (r == 0)
                fat_dir_remove(dir, fat_dir_find(dir, name));
        return r;
}

/* ---- where a change goes ---- */

struct place {
        uint32_t parent;
        const char *name;
};

static int find_place(struct writer *writer, const char *path, struct place *ret, struct error *err)
{
        CLEANUP_FREE char *parent = path_dir(path);

        ret->name = path_name(path);
        return fat_walk(writer->fat, strcmp(parent, ".") == 0 ? "" : parent, &ret->parent, err);
}

/* The entry that the change replaces: NULL if none; one that differs by case is an error. */
static int find_old(struct writer *writer, const struct place *place, struct fat_dir **ret_dir, struct fat_entry **ret,
                    struct error *err)
{
        int r = fat_dir_load(writer->fat, place->parent, ret_dir, err);

        if (r < 0)
                return r;
        *ret = fat_dir_find(*ret_dir, place->name);
        if (*ret && strcmp((*ret)->name, place->name) != 0)
                return error_set(err, EEXIST, "'%s' and '%s' differ only by case, which FAT (%s) cannot tell apart",
                                 place->name, (*ret)->name, writer->fat->name);
        return 0;
}

/* Add an entry; out of room is no error here. */
static int add_entry(struct writer *writer, const struct place *place, const uint8_t raw[FAT_SLOT], struct error *err)
{
        uint32_t first = fat_entry_cluster(writer->fat, raw);
        struct fat_dir *dir = NULL;
        int r = fat_dir_load(writer->fat, place->parent, &dir, err);

        if (r == 0)
                r = fat_dir_add(writer->fat, dir, place->name, raw, err);
        if (r < 0 && first != 0)
                fat_release(writer->fat, first, NULL);
        return r == -ENOSPC ? no_room(writer, 1) : r;
}

/* ---- folders ---- */

static int new_folder(struct writer *writer, const struct place *place, int64_t mtime, struct error *err)
{
        struct fat *fat = writer->fat;
        CLEANUP_FREE uint8_t *data = xcalloc(1, fat->cluster_bytes);
        uint8_t raw[FAT_SLOT] = {0};
        uint32_t cluster;
        int r;

        if (fat_alloc(fat, 1, &cluster) < 0)
                return no_room(writer, 1);
        raw[11] = FAT_ATTR_FOLDER;
        fat_put_times(raw, mtime);
        fat_entry_set_cluster(raw, cluster);
        memcpy(data, raw, FAT_SLOT);
        memset(data, ' ', 11);
        data[0] = '.';
        memcpy(data + FAT_SLOT, raw, FAT_SLOT);
        memset(data + FAT_SLOT, ' ', 11);
        memset(data + FAT_SLOT, '.', 2);
        fat_entry_set_cluster(data + FAT_SLOT, place->parent == fat_root(fat) ? 0 : place->parent);
        r = fd_pwrite_all(fat->fd, data, fat->cluster_bytes, (off_t)fat_cluster_offset(fat, cluster));
        if (r < 0)
                return error_errno(err, -r, "write a folder of %s", fat->name);
        return add_entry(writer, place, raw, err);
}

static int put_folder(struct writer *writer, const struct fs_change *change, struct error *err)
{
        struct place place;
        struct fat_dir *dir = NULL;
        struct fat_entry *entry = NULL;
        int64_t mtime = mtime_of(writer, change);
        int r;

        if (*change->path == '\0') /* the root has no times */
                return 0;
        r = find_place(writer, change->path, &place, err);
        if (r == 0)
                r = find_old(writer, &place, &dir, &entry, err);
        if (r < 0)
                return r;
        if (entry && change->keep)
                return 0;
        if (entry && fat_is_folder(entry)) {
                fat_put_times(entry->raw, mtime);
                fat_dir_update(dir, entry);
                return 0;
        }
        if (entry)
                r = remove_entry(writer->fat, place.parent, place.name, err);
        return r < 0 ? r : new_folder(writer, &place, mtime, err);
}

/* ---- files ---- */

/* Where the bytes of a file come from. */
struct source {
        int fd;
        uint64_t size;
        uint32_t cluster; /* fd is the image: the next cluster to read */
};

static int read_source(const struct fat *fat, struct source *source, char *buffer, size_t n, uint64_t at)
{
        size_t done = 0;

        if (!source->cluster)
                return fd_pread_all(source->fd, buffer, n, (off_t)at);
        while (done < n) {
                uint32_t first, max = (uint32_t)((n - done + fat->cluster_bytes - 1) / fat->cluster_bytes);
                int64_t run = source->cluster ? fat_run(fat, &source->cluster, max, &first) : -EUCLEAN;
                size_t bytes = run > 0 ? (size_t)run * fat->cluster_bytes : 0;
                int r;

                if (run <= 0)
                        return -EUCLEAN;
                bytes = bytes > n - done ? n - done : bytes;
                r = fd_pread_all(fat->fd, buffer + done, bytes, (off_t)fat_cluster_offset(fat, first));
                if (r < 0)
                        return r;
                done += bytes;
        }
        return 0;
}

static int write_data(struct writer *writer, struct source *source, uint32_t cluster, struct error *err)
{
        struct fat *fat = writer->fat;
        uint32_t max = fat->cluster_bytes < BUFFER ? BUFFER / fat->cluster_bytes : 1, first;
        CLEANUP_FREE char *buffer = xmalloc((size_t)max * fat->cluster_bytes);
        uint64_t at = 0;
        int r = 0;

        while (at < source->size && r == 0) {
                int64_t n = fat_run(fat, &cluster, max, &first);
                size_t room = n > 0 ? (size_t)n * fat->cluster_bytes : 0, bytes = room;

                if (n <= 0)
                        return fat_damaged(fat, err, "a new chain is broken");
                if (bytes > source->size - at)
                        bytes = (size_t)(source->size - at);
                r = read_source(fat, source, buffer, bytes, at);
                if (r < 0)
                        return error_errno(err, -r, "read the file%s", r == -ENODATA ? " (it became shorter)" : "");
                memset(buffer + bytes, 0, room - bytes);
                r = fd_pwrite_all(fat->fd, buffer, room, (off_t)fat_cluster_offset(fat, first));
                if (r < 0)
                        return error_errno(err, -r, "write to %s", fat->name);
                r = cancel_check(err);
                at += bytes;
        }
        return r;
}

static int put_data(struct writer *writer, const struct fs_change *change, struct source *source, struct error *err)
{
        struct fat *fat = writer->fat;
        uint32_t n = fat_clusters_for(fat, source->size), cluster = 0;
        uint8_t raw[FAT_SLOT] = {0};
        struct fat_entry *entry = NULL;
        struct fat_dir *dir = NULL;
        struct place place;
        int r;

        if (source->size > UINT32_MAX)
                return error_set(err, EFBIG, "the file has %s, but FAT (%s) takes less than 4 GiB",
                                 size_show(source->size), fat->name);
        if (writer->full)
                return no_room(writer, n);
        r = find_place(writer, change->path, &place, err);
        if (r == 0)
                r = find_old(writer, &place, &dir, &entry, err);
        if (r == 0 && entry)
                r = remove_entry(fat, place.parent, place.name, err);
        if (r < 0)
                return r;
        if (n > 0 && fat_alloc(fat, n, &cluster) < 0)
                return no_room(writer, n);
        r = write_data(writer, source, cluster, err);
        if (r < 0)
                return r;
        raw[11] = FAT_ATTR_ARCHIVE;
        fat_put_times(raw, mtime_of(writer, change));
        fat_entry_set_cluster(raw, cluster);
        put_le32(raw + 28, (uint32_t)source->size);
        return add_entry(writer, &place, raw, err);
}

static int put_file(struct writer *writer, const struct fs_change *change, struct error *err)
{
        struct source source = {.fd = change->fd};
        struct stat st;

        if (fstat(change->fd, &st) < 0)
                return error_errno(err, errno, "stat the file");
        source.size = (uint64_t)st.st_size;
        return put_data(writer, change, &source, err);
}

/* FAT has no links: the file is copied. */
static int put_copy(struct writer *writer, const struct fs_change *change, struct error *err)
{
        struct source source = {.fd = -1};
        struct fat_entry *entry = NULL;
        struct fat_dir *dir = NULL;
        struct place place;
        int r;

        if (writer->full)
                return no_room(writer, fat_clusters_for(writer->fat, (uint64_t)change->st.st_size));
        r = find_place(writer, change->target, &place, err);
        if (r == 0)
                r = fat_dir_load(writer->fat, place.parent, &dir, err);
        if (r < 0)
                return r;
        entry = fat_dir_find(dir, place.name);
        if (!entry || fat_is_folder(entry))
                return error_set(err, ENOENT, "'%s', of which it is another name, is not there", change->target);
        source.cluster = fat_entry_cluster(writer->fat, entry->raw);
        source.size = get_le32(entry->raw + 28);
        return put_data(writer, change, &source, err);
}

/* ---- the row's functions ---- */

static int clear_folder(struct writer *writer, const char *path, struct error *err)
{
        CLEANUP_ERROR struct error local = {0};
        uint32_t cluster;
        int r = fat_walk(writer->fat, path, &cluster, &local);

        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r == 0)
                return release_tree(writer->fat, cluster, err);
        error_move(err, &local);
        return r;
}

static int remove_path(struct writer *writer, const char *path, struct error *err)
{
        CLEANUP_ERROR struct error local = {0};
        struct place place;
        int r;

        if (*path == '\0')
                return clear_folder(writer, path, err);
        r = find_place(writer, path, &place, &local);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r == 0)
                return remove_entry(writer->fat, place.parent, place.name, err);
        error_move(err, &local);
        return r;
}

static int cannot_hold(const struct writer *writer, const struct fs_change *change, const char *what, struct error *err)
{
        return error_set(err, EPERM,
                         "'%s' is %s, which FAT (%s) cannot hold; put it on another partition, or remove it at the end "
                         "of provisioning",
                         change->path, what, writer->fat->name);
}

int fat_write_change(void *p, const struct fs_change *change, struct error *err)
{
        struct writer *writer = p;

        switch (change->kind) {
        case FS_REMOVE:
                return remove_path(writer, change->path, err);
        case FS_CLEAR:
                return clear_folder(writer, change->path, err);
        case FS_DIR:
                return writer->full ? 0 : put_folder(writer, change, err);
        case FS_FILE:
                return put_file(writer, change, err);
        case FS_LINK:
                return put_copy(writer, change, err);
        case FS_SYMLINK:
                return cannot_hold(writer, change, "a symlink", err);
        case FS_NODE:
                return cannot_hold(writer, change, "a device, fifo or socket", err);
        }
        return error_set(err, EINVAL, "unknown change");
}

static int say_short(const struct writer *writer, struct error *err)
{
        const struct fat *fat = writer->fat;
        uint64_t missing = writer->wanted > fat->free ? writer->wanted - fat->free : 0;

        if (missing < writer->short_by)
                missing = writer->short_by;
        return error_set(err, ENOSPC,
                         "%s is full: %s more are needed (it has %s, of which %s were free); make the partition larger",
                         fat->name, size_show(missing * fat->cluster_bytes),
                         size_show((uint64_t)fat->clusters * fat->cluster_bytes), size_show(writer->free_before));
}

int fat_write_close(void *p, struct error *err)
{
        struct writer *writer = p;
        int r = writer->full ? say_short(writer, err) : fat_flush(writer->fat, err);

        fat_write_abort(writer);
        return r;
}

void fat_write_abort(void *p)
{
        struct writer *writer = p;

        if (!writer)
                return;
        fat_free(writer->fat);
        free(writer);
}
