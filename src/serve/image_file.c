/* A file in an image: see site_files.h. It is located once, and then read
 * where it lies, by as many as want it. What was located is kept while the image
 * stays as it was (its inode, size and time of change). */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "disk/view.h"
#include "serve/site_files.h"

enum { KEPT = 64, COPY_MAX = 16 << 20 };

/* A file that was located; shared by those who read it, and by the list below. */
struct located {
        _Atomic unsigned int users;
        char *image, *path;
        struct stat st;    /* of the image */
        int fd;            /* of the image, or of a copy */
        struct file_id id; /* of what fd is */
        struct fs_extents extents;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows, and around libfdisk and libext2fs */
static struct located *kept[KEPT];
static unsigned int next_place;

static void located_release(struct located *l)
{
        if (!l || atomic_fetch_sub(&l->users, 1) > 1)
                return;
        close_p(&l->fd);
        fs_extents_clear(&l->extents);
        free(l->image);
        free(l->path);
        free(l);
}

static void located_releasep(struct located **l)
{
        located_release(*l);
}

/* ---- reading ---- */

/* The first extent that ends behind the offset; n if there is none. */
static size_t find_extent(const struct fs_extents *extents, uint64_t offset)
{
        size_t low = 0, high = extents->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const struct fs_extent *e = &extents->v[middle];

                if (e->at + e->len <= offset)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static ssize_t located_read(struct file *file, void *buf, size_t n, uint64_t offset)
{
        const struct located *l = file->data;
        size_t i = find_extent(&l->extents, offset);
        const struct fs_extent *e = i < l->extents.n ? &l->extents.v[i] : NULL;
        uint64_t hole_end = e ? e->at : file->size, left;
        ssize_t r;

        if (offset < hole_end) {
                left = hole_end - offset;
                n = n < left ? n : left;
                memset(buf, 0, n);
                return (ssize_t)n;
        }
        if (!e)
                return 0;
        left = e->at + e->len - offset;
        r = pread(l->fd, buf, n < left ? n : left, (off_t)(e->offset + (offset - e->at)));
        return r < 0 ? -errno : r;
}

static void located_close(struct file *file)
{
        located_release(file->data);
        free(file);
}

/* In one piece, as files mostly are: what has a range of an fd is sent without copying it. */
static struct file *file_of_located(struct located *l)
{
        const struct fs_extents *x = &l->extents;
        struct file *file = xcalloc(1, sizeof(*file));

        *file = (struct file){.size = x->size_bytes,
                              .mtime_sec = x->mtime_sec,
                              .fd = -1,
                              .read = located_read,
                              .close = located_close,
                              .data = l};
        if (x->n == 1 && x->v[0].at == 0 && x->v[0].len == x->size_bytes) {
                file->fd = l->fd;
                file->fd_offset = x->v[0].offset;
                file->id = l->id;
        }
        return file;
}

/* ---- locating ---- */

/* Of a file whose bytes do not lie in the image as they are; such files are small. */
static int copy_out(const struct disk_view *view, const char *path, struct located *l, struct error *err)
{
        CLEANUP_CLOSE int fd = memfd_create("slipway", MFD_CLOEXEC);
        struct stat st;
        int r = fd < 0 ? error_errno(err, errno, "make a file in memory") : disk_view_cat(view, path, fd, err);

        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0 || st.st_size > COPY_MAX)
                return error_set(err, EFBIG, "'%s' cannot be read in place, and is too large to be copied", path);
        l->extents = (struct fs_extents){.size_bytes = (uint64_t)st.st_size, .mtime_sec = l->st.st_mtim.tv_sec};
        vec_push(&l->extents, (struct fs_extent){0, (uint64_t)st.st_size, 0});
        close_p(&l->fd);
        l->fd = steal_fd(&fd);
        l->id = file_id_of(&st);
        return 0;
}

static int locate(const char *image, const char *path, const struct stat *st, struct located **ret, struct error *err)
{
        CLEANUP(disk_view_freep) struct disk_view *view = NULL;
        CLEANUP(located_releasep) struct located *l = xcalloc(1, sizeof(*l));
        int r;

        *l = (struct located){
                .users = 1, .image = xstrdup(image), .path = xstrdup(path), .st = *st, .fd = -1, .id = file_id_of(st)};
        l->fd = open(image, O_RDONLY | O_CLOEXEC);
        if (l->fd < 0)
                return error_errno(err, errno, "open image '%s'", image);
        r = disk_view_open(image, &view, err);
        if (r == 0)
                r = disk_view_locate(view, path, &l->extents, err);
        if (r == -ENOTSUP)
                r = copy_out(view, path, l, err);
        if (r == 0)
                *ret = steal(&l);
        return r;
}

static bool same_image(const struct stat *a, const struct stat *b)
{
        return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
               a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* One of the list, for another user; what is out of date leaves it. */
static struct located *find_kept(const char *image, const char *path, const struct stat *st)
{
        for (size_t i = 0; i < KEPT; i++) {
                struct located *l = kept[i];

                if (!l || strcmp(l->image, image) != 0 || strcmp(l->path, path) != 0)
                        continue;
                if (same_image(&l->st, st)) {
                        atomic_fetch_add(&l->users, 1);
                        return l;
                }
                kept[i] = NULL;
                located_release(l);
        }
        return NULL;
}

static void keep(struct located *l)
{
        struct located **place = &kept[next_place++ % KEPT];

        located_release(*place);
        atomic_fetch_add(&l->users, 1);
        *place = l;
}

int image_file_open(const char *image, const char *path, struct file **ret, struct error *err)
{
        struct located *l;
        struct stat st;
        int r = 0;

        if (stat(image, &st) < 0)
                return error_errno(err, errno, "look at image '%s'", image);
        pthread_mutex_lock(&lock);
        l = find_kept(image, path, &st);
        if (!l) {
                r = locate(image, path, &st, &l, err);
                if (r == 0)
                        keep(l);
        }
        pthread_mutex_unlock(&lock);
        if (r == 0)
                *ret = file_of_located(l);
        return r;
}

void image_files_forget(void)
{
        pthread_mutex_lock(&lock);
        for (size_t i = 0; i < KEPT; i++) {
                located_release(kept[i]);
                kept[i] = NULL;
        }
        pthread_mutex_unlock(&lock);
}
