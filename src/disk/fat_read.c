/* FAT: out of the image: whole, a folder's list, one file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/cancel.h"
#include "base/file.h"
#include "disk/fat.h"

enum { BUFFER = 1 << 20 };

/* As the kernel shows FAT by default: everything is root's and may be run. */
enum { FILE_MODE = 0755, FOLDER_MODE = 0755 };

static int copy_out(const struct fat *fat, const struct fat_entry *entry, int out, struct error *err)
{
        CLEANUP_FREE char *buffer = xmalloc(BUFFER);
        uint64_t left = get_le32(entry->raw + 28);
        uint32_t cluster = fat_entry_cluster(fat, entry->raw), first;
        uint32_t max = fat->cluster_bytes < BUFFER ? BUFFER / fat->cluster_bytes : 1;
        int r = 0;

        while (left > 0 && r == 0) {
                int64_t n = cluster ? fat_run(fat, &cluster, max, &first) : -EUCLEAN;
                uint64_t bytes = n > 0 ? (uint64_t)n * fat->cluster_bytes : 0;

                if (n <= 0)
                        return fat_damaged(fat, err, "'%s' ends before its %u bytes", entry->name,
                                           get_le32(entry->raw + 28));
                bytes = bytes > left ? left : bytes;
                r = fd_pread_all(fat->fd, buffer, bytes, (off_t)fat_cluster_offset(fat, first));
                if (r < 0)
                        return error_errno(err, -r, "read '%s' from %s", entry->name, fat->name);
                r = fd_write_all(out, buffer, bytes);
                if (r < 0)
                        return error_errno(err, -r, "write '%s'", entry->name);
                r = cancel_check(err);
                left -= bytes;
        }
        return r;
}

/* ---- extract ---- */

/* Folders that wait to be read, and the times that those which were read get
 * in the end. No recursion: a damaged file system may be of any depth. */
struct pending {
        uint32_t cluster;
        char *path;
        int64_t mtime;
        unsigned int depth;
};

struct extraction {
        struct fat *fat;
        int root;
        VEC(struct pending) folders; /* grows at its end; read in order */
        uint8_t *seen;               /* bit map of clusters at which a folder begins */
        struct ui *ui;
        uint64_t done;
};

static void extraction_clear(struct extraction *x)
{
        for (size_t i = 0; i < x->folders.n; i++)
                free(x->folders.v[i].path);
        vec_free(&x->folders);
        free(x->seen);
        if (x->root >= 0)
                close(x->root);
}

static int set_mtime(int dirfd, const char *path, int64_t mtime)
{
        struct timespec times[2] = {{.tv_sec = mtime}, {.tv_sec = mtime}};

        return utimensat(dirfd, path, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int extract_folder(struct extraction *x, const struct fat_entry *entry, const char *path, unsigned int depth,
                          struct error *err)
{
        uint32_t cluster = fat_entry_cluster(x->fat, entry->raw);

        if (cluster < 2 || cluster - 2 >= x->fat->clusters || (x->seen[cluster / 8] & 1 << cluster % 8) ||
            depth >= FAT_DEPTH)
                return fat_damaged(x->fat, err, "the folder '%s' leads nowhere or in a circle", path);
        x->seen[cluster / 8] |= (uint8_t)(1 << cluster % 8);
        if (mkdirat(x->root, path, FOLDER_MODE) < 0)
                return error_errno(err, errno, "create folder '%s'", path);
        if (fchmodat(x->root, path, FOLDER_MODE, 0) < 0)
                return error_errno(err, errno, "set the mode of '%s'", path);
        vec_push(&x->folders, (struct pending){cluster, xstrdup(path), fat_get_time(entry->raw), depth});
        return 0;
}

static int extract_file(struct extraction *x, const struct fat_entry *entry, const char *path, struct error *err)
{
        CLEANUP_CLOSE int out = openat(x->root, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
        struct timespec times[2] = {{.tv_sec = fat_get_time(entry->raw)}, {.tv_sec = fat_get_time(entry->raw)}};
        int r;

        if (out < 0)
                return error_errno(err, errno, "create '%s'", path);
        r = copy_out(x->fat, entry, out, err);
        if (r == 0 && (fchmod(out, FILE_MODE) < 0 || futimens(out, times) < 0))
                return error_errno(err, errno, "set the time of '%s'", path);
        x->done += get_le32(entry->raw + 28);
        progress_update(x->ui, x->done);
        return r;
}

static int extract_entries(struct extraction *x, size_t index, struct error *err)
{
        struct pending folder = x->folders.v[index];
        struct fat_dir *dir = NULL;
        int r = fat_dir_load(x->fat, folder.cluster, &dir, err);

        for (size_t i = 0; r == 0 && dir && i < dir->entries.n; i++) {
                const struct fat_entry *entry = &dir->entries.v[i];
                CLEANUP_FREE char *path = *folder.path ? path_join(folder.path, entry->name) : xstrdup(entry->name);

                r = fat_is_folder(entry) ? extract_folder(x, entry, path, folder.depth + 1, err)
                                         : extract_file(x, entry, path, err);
        }
        return r;
}

int fat_extract(const struct fs_volume *volume, const char *dir, struct ui *ui, struct error *err)
{
        CLEANUP(fat_freep) struct fat *fat = NULL;
        CLEANUP(extraction_clear) struct extraction x = {.root = -1, .ui = ui};
        int r = fat_open(volume, false, &fat, err);

        if (r < 0)
                return r;
        x.fat = fat;
        x.seen = xcalloc(1, (size_t)fat->clusters / 8 + 2);
        x.root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (x.root < 0)
                return error_errno(err, errno, "open folder '%s'", dir);
        vec_push(&x.folders, (struct pending){fat_root(fat), xstrdup(""), 0, 0});
        progress_start(ui, "Reading", (uint64_t)(fat->clusters - fat->free) * fat->cluster_bytes);
        for (size_t i = 0; i < x.folders.n && r == 0; i++)
                r = extract_entries(&x, i, err);
        for (size_t i = x.folders.n; r == 0 && i-- > 1;)
                r = set_mtime(x.root, x.folders.v[i].path, x.folders.v[i].mtime);
        progress_end(ui);
        return r;
}

/* ---- list, cat ---- */

static void entry_stat(const struct fat *fat, const struct fat_entry *entry, struct stat *st)
{
        *st = (struct stat){.st_nlink = 1, .st_ino = fat_entry_cluster(fat, entry->raw)};
        st->st_mode = fat_is_folder(entry) ? S_IFDIR | FOLDER_MODE : S_IFREG | FILE_MODE;
        st->st_size = fat_is_folder(entry) ? 0 : get_le32(entry->raw + 28);
        st->st_mtim.tv_sec = fat_get_time(entry->raw);
}

int fat_list(const struct fs_volume *volume, const char *path, int (*on_entry)(void *arg, const struct fs_entry *entry),
             void *arg, struct error *err)
{
        CLEANUP(fat_freep) struct fat *fat = NULL;
        struct fat_dir *dir = NULL;
        uint32_t cluster = 0;
        int r = fat_open(volume, false, &fat, err);

        if (r == 0)
                r = fat_walk(fat, path, &cluster, err);
        if (r == 0)
                r = fat_dir_load(fat, cluster, &dir, err);
        for (size_t i = 0; r == 0 && dir && i < dir->entries.n; i++) {
                struct fs_entry entry = {.name = dir->entries.v[i].name};

                entry_stat(fat, &dir->entries.v[i], &entry.st);
                r = on_entry(arg, &entry);
        }
        return r;
}

/* The file at a path. The entry is valid as long as its folder is. */
static int find_file(struct fat *fat, const char *path, const struct fat_entry **ret, struct error *err)
{
        CLEANUP_FREE char *parent = path_dir(path);
        struct fat_dir *dir = NULL;
        uint32_t cluster = 0;
        int r = fat_walk(fat, strcmp(parent, ".") == 0 ? "" : parent, &cluster, err);

        if (r == 0)
                r = fat_dir_load(fat, cluster, &dir, err);
        if (r < 0)
                return r;
        *ret = dir ? fat_dir_find(dir, path_name(path)) : NULL;
        if (!*ret)
                return error_set(err, ENOENT, "'%s' is not there", path);
        return fat_is_folder(*ret) ? error_set(err, EISDIR, "'%s' is a folder", path) : 0;
}

int fat_cat(const struct fs_volume *volume, const char *path, int out_fd, struct error *err)
{
        CLEANUP(fat_freep) struct fat *fat = NULL;
        const struct fat_entry *entry = NULL;
        int r = fat_open(volume, false, &fat, err);

        if (r == 0)
                r = find_file(fat, path, &entry, err);
        return r == 0 ? copy_out(fat, entry, out_fd, err) : r;
}

static int locate_runs(const struct fat *fat, const struct fat_entry *entry, struct fs_extents *extents,
                       struct error *err)
{
        uint32_t cluster = fat_entry_cluster(fat, entry->raw), first;
        uint64_t at = 0;
        int r;

        extents->size_bytes = get_le32(entry->raw + 28);
        extents->mtime_sec = fat_get_time(entry->raw);
        while (at < extents->size_bytes) {
                int64_t n = cluster ? fat_run(fat, &cluster, fat->clusters, &first) : -EUCLEAN;
                uint64_t len = n > 0 ? (uint64_t)n * fat->cluster_bytes : 0;

                if (n <= 0)
                        return fat_damaged(fat, err, "'%s' ends before its %llu bytes", entry->name,
                                           (unsigned long long)extents->size_bytes);
                len = len < extents->size_bytes - at ? len : extents->size_bytes - at;
                r = fs_extents_add(extents, (struct fs_extent){at, len, fat_cluster_offset(fat, first)}, err);
                if (r < 0)
                        return error_wrap(err, r, "'%s'", entry->name);
                at += len;
        }
        return 0;
}

int fat_locate(const struct fs_volume *volume, const char *path, struct fs_extents *ret, struct error *err)
{
        CLEANUP(fat_freep) struct fat *fat = NULL;
        CLEANUP(fs_extents_clear) struct fs_extents extents = {0};
        const struct fat_entry *entry = NULL;
        int r = fat_open(volume, false, &fat, err);

        if (r == 0)
                r = find_file(fat, path, &entry, err);
        if (r == 0)
                r = locate_runs(fat, entry, &extents, err);
        if (r == 0)
                *ret = steal(&extents);
        return r;
}
