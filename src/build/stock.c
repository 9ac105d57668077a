/* See stock.h. */
#include "build/stock.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/size.h"
#include "base/str.h"
#include "build/cache.h"
#include "build/seal.h"
#include "disk/disk.h"

enum { PARTIAL, DOWNLOAD, PACKAGES, IMAGE, BASE, LAYER, KINDS };

const char *const stock_kinds[] = {"partial", "download", "packages", "image", "base", "layer", NULL};

static const struct kind {
        const char *folder, *suffix;
        bool locked; /* has a lock file of its own */
        bool marked; /* whose time tells of the last use */
        bool tree;   /* of mapped users */
} kinds[KINDS] = {
        [PARTIAL] = {"downloads", ".part", .locked = true},
        [DOWNLOAD] = {"blobs/sha256", ""},
        [PACKAGES] = {"packages", "", .tree = true},
        [IMAGE] = {"images", ".img", .locked = true, .marked = true},
        [BASE] = {"bases", "", .locked = true, .marked = true, .tree = true},
        [LAYER] = {"layers", "", .locked = true, .marked = true, .tree = true},
};

static const struct kind *kind_of(const struct stock_item *item)
{
        size_t i = 0;

        while (strcmp(stock_kinds[i], item->kind) != 0)
                i++;
        return &kinds[i];
}

static void item_clear(struct stock_item *item)
{
        free(item->key);
        free(item->path);
        free(item->what);
        *item = (struct stock_item){0};
}

void stock_clear(struct stock *stock)
{
        for (size_t i = 0; i < stock->items.n; i++)
                item_clear(&stock->items.v[i]);
        vec_free(&stock->items);
        *stock = (struct stock){0};
}

/* ---- what lies there ---- */

/* The file which makers, users and removers lock. */
static char *mark_of(const char *root, const struct stock_item *item)
{
        return kind_of(item)->locked ? xasprintf("%s/locks/%s", root, item->key) : xstrdup(item->path);
}

static void read_mark(const char *root, struct stock_item *item)
{
        CLEANUP_FREE char *path = mark_of(root, item);
        struct stat st;

        if (item->kind == stock_kinds[PARTIAL])
                item->what = xstrdup("the part of a download that has come");
        if (item->kind == stock_kinds[PACKAGES])
                item->what = xasprintf("fetched in guests: %s", item->key);
        if (!kind_of(item)->marked || stat(path, &st) < 0)
                return;
        item->used_sec = st.st_mtim.tv_sec;
        if (st.st_size == 0 || file_read(path, 0, &item->what, NULL, NULL) < 0)
                return;
        item->what[strcspn(item->what, "\n")] = '\0';
}

static int list_kind(struct stock *stock, const char *root, int i, struct error *err)
{
        const struct kind *kind = &kinds[i];
        CLEANUP_FREE char *folder = path_join(root, kind->folder);
        CLEANUP_CLOSEDIR DIR *dir = opendir(folder);
        const struct dirent *entry;

        if (!dir)
                return errno == ENOENT ? 0 : error_errno(err, errno, "look into the cache folder '%s'", folder);
        while ((entry = readdir(dir))) {
                struct stock_item item = {.kind = stock_kinds[i]};
                struct stat st;

                if (entry->d_name[0] == '.' || !str_ends(entry->d_name, kind->suffix))
                        continue;
                item.path = path_join(folder, entry->d_name);
                item.key = xstrndup(entry->d_name, strlen(entry->d_name) - strlen(kind->suffix));
                if (lstat(item.path, &st) == 0) {
                        item.used_sec = st.st_mtim.tv_sec;
                        item.bytes = (uint64_t)st.st_blocks * 512;
                }
                read_mark(root, &item);
                vec_push(&stock->items, item);
        }
        return 0;
}

/* Bytes on the disk of a tree; of a file with several names, each has its share. */
static uint64_t tree_bytes(const char *path)
{
        char *const roots[] = {(char *)(uintptr_t)path, NULL};
        FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        uint64_t bytes = 0;
        FTSENT *entry;

        while (fts && (entry = fts_read(fts)))
                if (entry->fts_info == FTS_D)
                        bytes += (uint64_t)entry->fts_statp->st_blocks * 512;
                else if (entry->fts_info != FTS_DP && entry->fts_info != FTS_DNR && entry->fts_info != FTS_NS)
                        bytes += (uint64_t)entry->fts_statp->st_blocks * 512 /
                                 (entry->fts_statp->st_nlink > 0 ? entry->fts_statp->st_nlink : 1);
        if (fts)
                fts_close(fts);
        return bytes;
}

struct measure {
        const struct stock *stock;
        uint64_t *bytes; /* shared with who asks */
};

/* In the namespaces: an ordinary user cannot look into others' folders. */
static int measure_trees(void *arg, struct error *err)
{
        const struct measure *measure = arg;

        for (size_t i = 0; i < measure->stock->items.n; i++) {
                const struct stock_item *item = &measure->stock->items.v[i];

                if (kind_of(item)->tree)
                        measure->bytes[i] = tree_bytes(item->path);
                if (cancel_requested())
                        return cancel_check(err);
        }
        return 0;
}

static int measure_all(struct stock *stock, struct userns *ns, struct error *err)
{
        size_t size = (stock->items.n + 1) * sizeof(uint64_t);
        struct measure measure = {.stock = stock};
        int r;

        measure.bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (measure.bytes == MAP_FAILED)
                return error_errno(err, errno, "share memory");
        r = userns_call(ns, measure_trees, &measure, err);
        for (size_t i = 0; i < stock->items.n; i++) {
                if (kind_of(&stock->items.v[i])->tree)
                        stock->items.v[i].bytes = measure.bytes[i];
                stock->bytes += stock->items.v[i].bytes;
        }
        munmap(measure.bytes, size);
        return r;
}

/* Staging folders whose lock is held are those of running builds. */
static int64_t oldest_build(const char *root)
{
        CLEANUP_FREE char *folder = path_join(root, "staging");
        CLEANUP_CLOSEDIR DIR *dir = opendir(folder);
        const struct dirent *entry;
        int64_t oldest = 0;

        while (dir && (entry = readdir(dir))) {
                CLEANUP_FREE char *path = path_join(folder, entry->d_name);
                CLEANUP_CLOSE int fd = str_ends(path, ".lock") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
                struct stat st;

                if (fd < 0 || fstat(fd, &st) < 0 || flock(fd, LOCK_SH | LOCK_NB) == 0)
                        continue;
                if (oldest == 0 || st.st_mtim.tv_sec < oldest)
                        oldest = st.st_mtim.tv_sec;
        }
        return oldest;
}

static int by_use(const void *a, const void *b)
{
        const struct stock_item *x = a, *y = b;

        if (x->used_sec != y->used_sec)
                return x->used_sec < y->used_sec ? -1 : 1;
        return strcmp(x->path, y->path);
}

static int list(const char *root, struct userns *ns, struct stock *ret, struct error *err)
{
        int r = 0;

        ret->busy_since_sec = oldest_build(root);
        for (int i = 0; r == 0 && i < KINDS; i++)
                r = list_kind(ret, root, i, err);
        if (r < 0 || ret->items.n == 0)
                return r;
        qsort(ret->items.v, ret->items.n, sizeof(*ret->items.v), by_use);
        return measure_all(ret, ns, err);
}

int stock_list(struct stock *ret, struct error *err)
{
        CLEANUP(userns_freep) struct userns *ns = NULL;
        CLEANUP(stock_clear) struct stock stock = {0};
        CLEANUP_FREE char *root = NULL;
        int r = cache_dir(&root, err);

        if (r == 0)
                r = userns_new(&ns, err);
        if (r == 0)
                r = list(root, ns, &stock, err);
        if (r == 0)
                *ret = steal(&stock);
        return r;
}

/* ---- removing ---- */

/* What a partial download was a part of. */
static void forget_validators(const char *root, const char *key)
{
        CLEANUP_FREE char *path = xasprintf("%s/downloads/%s.info", root, key);

        unlink(path);
}

/* Under the lock that its makers and users take, and only if nobody has used it
 * meanwhile. 1: left, somebody has it. */
static int remove_item(const char *root, struct userns *ns, const struct stock_item *item, struct error *err)
{
        CLEANUP_FREE char *path = mark_of(root, item);
        CLEANUP_CLOSE int mark = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (mark < 0 && errno != ENOENT)
                return error_errno(err, errno, "open '%s'", path);
        if (mark >= 0 &&
            (flock(mark, LOCK_EX | LOCK_NB) < 0 || fstat(mark, &st) < 0 || st.st_mtim.tv_sec > item->used_sec))
                return 1;
        if (kind_of(item)->tree)
                return cache_remove(ns, item->path, err);
        if (item->kind == stock_kinds[PARTIAL])
                forget_validators(root, item->key);
        seal_remove(item->path);
        return unlink(item->path) < 0 && errno != ENOENT ? error_errno(err, errno, "remove '%s'", item->path) : 0;
}

static bool is_wanted(const struct stock *stock, const struct stock_item *item, const struct stock_limits *limits,
                      uint64_t left)
{
        if (stock->busy_since_sec != 0 && item->used_sec >= stock->busy_since_sec)
                return true;
        return left <= limits->max_bytes && (limits->before_sec == 0 || item->used_sec >= limits->before_sec);
}

static int prune(const char *root, struct userns *ns, const struct stock_limits *limits, struct stock *ret,
                 struct error *err)
{
        CLEANUP(stock_clear) struct stock stock = {0};
        int r = list(root, ns, &stock, err);
        uint64_t left = stock.bytes;

        ret->busy_since_sec = stock.busy_since_sec;
        for (size_t i = 0; r == 0 && i < stock.items.n; i++) {
                struct stock_item *item = &stock.items.v[i];

                r = cancel_check(err);
                if (r < 0 || is_wanted(&stock, item, limits, left))
                        continue;
                r = limits->dry_run ? 0 : remove_item(root, ns, item, err);
                if (r == 0) {
                        left -= item->bytes;
                        ret->bytes += item->bytes;
                        vec_push(&ret->items, steal(item));
                }
                r = r > 0 ? 0 : r;
        }
        return r;
}

int stock_prune(const struct stock_limits *limits, struct stock *ret, struct error *err)
{
        CLEANUP(userns_freep) struct userns *ns = NULL;
        CLEANUP_FREE char *root = NULL;
        int r = cache_dir(&root, err);

        if (r == 0)
                r = userns_new(&ns, err);
        return r < 0 ? r : prune(root, ns, limits, ret, err);
}

int stock_limit(uint64_t *ret, struct error *err)
{
        const char *text = getenv("SLIPWAY_CACHE_LIMIT");
        int r;

        *ret = UINT64_MAX;
        if (str_empty(text))
                return 0;
        r = size_parse(text, ret, err);
        return r < 0 ? error_wrap(err, r, "SLIPWAY_CACHE_LIMIT") : 0;
}

/* ---- damage ---- */

static int verify_download(struct userns *ns, struct stock_item *item, struct error *err)
{
        char hex[DIGEST_HEX_MAX];
        int r = digest_file("sha256", item->path, hex, err);

        (void)ns;
        if (r == 0 && strcmp(hex, item->key) != 0)
                r = error_set(err, EBADMSG, "its sha256 is %s: it was changed or is damaged", hex);
        return r;
}

static int check_seal(void *item, struct error *err)
{
        return seal_check(((const struct stock_item *)item)->path, true, err);
}

/* One that was not sealed yet has to be an image at least. */
static int verify_image(struct userns *ns, struct stock_item *item, struct error *err)
{
        CLEANUP(disk_table_freep) struct disk_table *table = NULL;
        int r = check_seal(item, err);

        (void)ns;
        if (r != -ENOENT)
                return r;
        r = disk_table_read(item->path, &table, err);
        if (r == 0 && table->n == 0)
                r = error_set(err, EBADMSG, "it has no partitions and is no file system");
        return r;
}

static int verify_tree(struct userns *ns, struct stock_item *item, struct error *err)
{
        return userns_call(ns, check_seal, item, err);
}

/* Whoever takes a package holds it against the digest of its index, and a download is held against its own when all has
 * come. */
static int verify_nothing(struct userns *ns, struct stock_item *item, struct error *err)
{
        (void)ns;
        (void)item;
        (void)err;
        return 0;
}

static int (*const verifiers[KINDS])(struct userns *ns, struct stock_item *item, struct error *err) = {
        [PARTIAL] = verify_nothing, [DOWNLOAD] = verify_download, [PACKAGES] = verify_nothing,
        [IMAGE] = verify_image,     [BASE] = verify_tree,         [LAYER] = verify_tree};

/* 0: sound, or gone, or in a build's hands just now. */
static int verify_item(const char *root, struct userns *ns, struct stock_item *item, struct error *err)
{
        CLEANUP_FREE char *path = mark_of(root, item);
        CLEANUP_CLOSE int mark = open(path, O_RDONLY | O_CLOEXEC);

        if ((mark >= 0 && flock(mark, LOCK_SH | LOCK_NB) < 0) || !path_exists(item->path))
                return 0;
        return verifiers[kind_of(item) - kinds](ns, item, err);
}

int stock_verify(bool remove, stock_finding *found, void *arg, struct error *err)
{
        CLEANUP(userns_freep) struct userns *ns = NULL;
        CLEANUP(stock_clear) struct stock stock = {0};
        CLEANUP_FREE char *root = NULL;
        int r = cache_dir(&root, err), n = 0;

        if (r == 0)
                r = userns_new(&ns, err);
        if (r == 0)
                r = list(root, ns, &stock, err);
        for (size_t i = 0; r >= 0 && i < stock.items.n; i++) {
                struct stock_item *item = &stock.items.v[i];
                CLEANUP_ERROR struct error problem = {0};

                if (verify_item(root, ns, item, &problem) == 0)
                        continue;
                r = cancel_check(err);
                if (r < 0)
                        break;
                n++;
                found(arg, item, error_message(&problem));
                if (remove && remove_item(root, ns, item, err) < 0)
                        r = -EIO;
        }
        return r < 0 ? r : n;
}
