/* A vendor's image as the base: unpacked into the cache, then its file systems
 * as one tree. The root is read in place where the host lets us (served.h), and
 * what is mounted on it lies over it as a small tree; else all is extracted. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/child.h"
#include "base/file.h"
#include "base/str.h"
#include "build/base.h"
#include "build/seal.h"
#include "build/sound.h"

static int unpack_by_command(struct job *job, const struct source_file *file, int to, struct error *err)
{
        CLEANUP_FREE char *dir = NULL;
        int r = cache_stage(&job->cache, "unpack", &dir, err);

        return r < 0 ? r
                     : source_unpack_command_image(base_own_command(job), file->path, file->name, dir, to, job->ui,
                                                   err);
}

static int unpack_image(struct job *job, const struct source_file *file, const char *place, struct error *err)
{
        CLEANUP_FREE char *dir = path_dir(place);
        CLEANUP_FILE_DROP int fd = -1;
        int r = file_nameless(dir, 0644, &fd, err);

        if (r < 0)
                return r;
        ui_say(job->ui, "Unpacking %s", file->name);
        r = base_own_command(job) ? unpack_by_command(job, file, fd, err)
                                  : source_unpack_image(file->path, fd, job->ui, err);
        if (r == -ENOSPC)
                r = error_append(err, r, "; the cache '%s' needs room (SLIPWAY_CACHE_DIR moves it)", job->cache.root);
        if (r < 0)
                return error_wrap(err, r, "unpack '%s'", file->name);
        seal_remove(place);
        return file_publish(fd, place, err);
}

/* The seal of the image: reading all of it takes as long as a step does, so that is done beside the steps. */
static void seal_image(struct job *job)
{
        pid_t parent = getpid();

        if (seal_is_fresh(job->base.image))
                return;
        fflush(NULL);
        job->sealing = fork();
        if (job->sealing == 0) {
                cancel_reset();
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() != parent || nice(10) == -1)
                        _exit(1);
                _exit(seal_make(job->base.image, NULL) < 0);
        }
        if (job->sealing < 0)
                job->sealing = 0;
}

void base_sealed(struct job *job, bool wanted)
{
        if (job->sealing > 0 && !wanted)
                kill(job->sealing, SIGKILL);
        while (job->sealing > 0 && waitpid(job->sealing, NULL, 0) < 0 && errno == EINTR)
                ;
        job->sealing = 0;
}

struct extract {
        struct base *base;
        const char *tree, *like;
        size_t first; /* of the mounts */
        struct ui *ui;
};

/* One file system at its place in the tree. What lies under a mountpoint in the
 * file system above is hidden, as by a mount. */
static int extract_mount(const struct extract *extract, const struct job_mount *mount, struct error *err)
{
        CLEANUP_FREE char *name = xasprintf("partition %u (%s)", mount->number, mount->mountpoint);
        CLEANUP_FREE char *dir = NULL;
        struct fs_volume volume = {extract->base->image, mount->start_bytes, mount->size_bytes, name};
        int r = 0;

        if (mount > extract->base->mounts) {
                r = base_mountpoint(extract->tree, extract->like, mount->mountpoint, &dir, err);
                if (r == 0)
                        r = tree_remove(dir, err);
                if (r == 0 && mkdir(dir, 0755) < 0)
                        r = error_errno(err, errno, "create folder '%s'", dir);
        }
        if (r == 0)
                r = mount->type->extract(&volume, dir ? dir : extract->tree, extract->ui, err);
        if (r == 0 && extract->like && setxattr(dir, "user.overlay.opaque", "y", 1, 0) < 0)
                r = error_errno(err, errno, "mark '%s' as opaque", mount->mountpoint);
        return r < 0 ? error_wrap(err, r, "%s of the image", name) : 0;
}

/* In the namespaces. */
static int extract_mounts(void *arg, struct error *err)
{
        const struct extract *extract = arg;
        int r = 0;

        if (extract->like)
                r = base_copy_folder(extract->like, extract->tree, "", err);
        for (size_t i = extract->first; r == 0 && i < extract->base->n_mounts; i++)
                r = extract_mount(extract, &extract->base->mounts[i], err);
        return r;
}

/* In the namespaces: the image's file systems as they must be to be read, mended if they are not. */
static int mend_mounts(void *arg, struct error *err)
{
        const struct base *base = arg;

        return sound_check(base->image, base, true, true, err);
}

/* In the namespaces: the same, but what is wrong is an error. */
static int look_at_mounts(void *arg, struct error *err)
{
        const struct base *base = arg;

        return sound_check(base->image, base, false, true, err);
}

static void image_tree_key(struct job *job, const char *image_key, char key[DIGEST_HEX_MAX])
{
        CLEANUP(digest_freep) struct digest *digest = digest_sha256();

        digest_string(digest, base_format);
        digest_string(digest, image_key);
        for (size_t i = 0; i < job->base.n_mounts; i++) {
                char number[24];

                snprintf(number, sizeof(number), "%u", job->base.mounts[i].number);
                digest_string(digest, number);
                digest_string(digest, job->base.mounts[i].mountpoint);
        }
        digest_final(digest, key);
}

static int fill_from_image(struct job *job, const void *arg, const char *folder, struct error *err)
{
        CLEANUP_FREE char *tree = NULL;
        struct extract extract = {.base = &job->base, .ui = job->ui};
        int r = userns_call(job->ns, mend_mounts, &job->base, err);

        (void)arg;
        if (r == 0)
                r = base_tree_make(folder, &tree, err);
        extract.tree = tree;
        return r < 0 ? r : userns_call(job->ns, extract_mounts, &extract, err);
}

static void add_name(void *arg, const char *path)
{
        str_addn(arg, path, strlen(path) + 1);
}

/* What guest_links_save() would find in the served tree, without a walk through it. */
static int save_links(const struct job *job, const char *folder, struct error *err)
{
        const struct job_mount *root = &job->base.mounts[0];
        CLEANUP_FREE char *file = path_join(folder, "links"), *name = xasprintf("partition %u (/)", root->number);
        CLEANUP_STR struct str names = {0};
        struct fs_volume volume = {job->base.image, root->start_bytes, root->size_bytes, name};
        int r = root->type->links ? root->type->links(&volume, add_name, &names, err) : 0;

        return r < 0 ? r : file_write(file, str_get(&names), names.len, 0644, err);
}

/* The file systems that are mounted on the served one, as a layer over it: a folder in staging. */
static int fill_over(struct job *job, char **ret, struct error *err)
{
        CLEANUP_FREE char *staged = NULL, *tree = NULL;
        struct extract extract = {.base = &job->base, .like = job->served.place, .first = 1, .ui = job->ui};
        int r = cache_stage(&job->cache, "over", &staged, err);

        if (r == 0)
                r = base_tree_make(staged, &tree, err);
        extract.tree = tree;
        if (r == 0)
                r = served_check(job, userns_call(job->ns, extract_mounts, &extract, err), err);
        if (r == 0)
                r = save_links(job, staged, err);
        if (r == 0)
                r = cache_seal(job->ns, staged, err);
        if (r == 0)
                *ret = steal(&staged);
        return r;
}

/* 1: the root is served, and what lies over it is in *ret. */
static int serve_and_fill(struct job *job, char **ret, struct error *err)
{
        int started = served_start(job, err), r = started > 0 ? fill_over(job, ret, err) : started;

        return r < 0 ? r : started;
}

static int look(void *arg, int sock, struct error *err)
{
        const struct job *job = arg;

        (void)sock;
        return userns_call(job->ns, look_at_mounts, (void *)(uintptr_t)&job->base, err);
}

/* An image that nobody has looked at: most are sound, so they are looked at while they are used. One that is not is
 * mended, and read anew. */
static int serve_unseen(struct job *job, const char *place, struct error *err)
{
        CLEANUP_CHILD struct child child = {.sock = -1};
        CLEANUP_ERROR struct error why = {0};
        CLEANUP_FREE char *staged = NULL;
        int sound, r = child_start(&child, look, job, err);

        if (r < 0)
                return r;
        r = serve_and_fill(job, &staged, err);
        sound = child_receive(&child, NULL, 0, NULL, &why);
        if (sound == -ECANCELED)
                return error_set(err, ECANCELED, "%s", error_message(&why));
        if (sound < 0 && r != 0) {
                served_stop(job);
                error_clear(err);
                free(steal(&staged));
                r = userns_call(job->ns, mend_mounts, &job->base, err);
                if (r == 0)
                        r = serve_and_fill(job, &staged, err);
        }
        if (r > 0) {
                int committed = cache_commit(staged, place, err);

                r = committed < 0 ? committed : r;
        }
        return r;
}

/* Of what lies over a root that is read in place. */
static void over_key(const struct job *job, char key[DIGEST_HEX_MAX])
{
        CLEANUP(digest_freep) struct digest *digest = digest_sha256();

        digest_string(digest, job->base.key);
        digest_string(digest, "over");
        digest_final(digest, key);
}

/* 1: the base is read in place; 0: it cannot be. What is in the cache for it also
 * says that the image was found to be sound. */
static int serve_image(struct job *job, struct error *err)
{
        CLEANUP_FREE char *place = NULL;
        CLEANUP_CLOSE int lock = -1;
        char key[DIGEST_HEX_MAX];
        bool there = false;
        int r;

        over_key(job, key);
        place = cache_place(&job->cache, "bases", key);
        r = cache_lock(&job->cache, key, job->ui, &lock, err);
        if (r == 0) {
                r = cache_take(&job->cache, job->ns, place, "The base", job->ui, err);
                there = r > 0;
        }
        if (r >= 0)
                r = there ? served_start(job, err) : serve_unseen(job, place, err);
        if (r <= 0)
                return r;
        cache_describe(lock, "what is mounted on a root that is read in place");
        job->base.tree = xstrdup(job->served.place);
        job->base.links = path_join(place, "links");
        if (job->base.n_mounts > 1)
                job->base.over = path_join(place, "tree");
        return 1;
}

/* As a tree in the cache if there is one, or if there is no other way. */
static int image_tree(struct job *job, struct error *err)
{
        CLEANUP_FREE char *place = cache_place(&job->cache, "bases", job->base.key);

        if (!path_exists(place) && served_wanted(job)) {
                int r = serve_image(job, err);

                if (r != 0)
                        return r < 0 ? r : 0;
        }
        return base_tree_get(job, "Reading the image's file systems", fill_from_image, NULL, err);
}

/* Where the unpacked image is, or will be. */
static char *image_place(const struct job *job, const struct source_file *file, char image_key[DIGEST_HEX_MAX])
{
        CLEANUP_FREE char *name = NULL;

        base_key(image_key, "image", file->sha256, base_own_command(job));
        name = xasprintf("%s.img", image_key);
        return cache_place(&job->cache, "images", name);
}

int base_image_plan(struct job *job, const struct source_file *file, bool *ret_ready, struct error *err)
{
        struct base *base = &job->base;
        char image_key[DIGEST_HEX_MAX], key[DIGEST_HEX_MAX];
        CLEANUP_FREE char *tree = NULL, *over = NULL;
        int r;

        base->image = image_place(job, file, image_key);
        if (!path_exists(base->image))
                return 1;
        r = mounts_find(job, base->image, base, err);
        if (r < 0)
                return r;
        image_tree_key(job, image_key, base->key);
        over_key(job, key);
        tree = cache_place(&job->cache, "bases", base->key);
        over = cache_place(&job->cache, "bases", key);
        *ret_ready = path_exists(tree) || path_exists(over);
        return 0;
}

int base_from_image(struct job *job, const struct source_file *file, struct error *err)
{
        struct base *base = &job->base;
        char image_key[DIGEST_HEX_MAX];
        CLEANUP_CLOSE int lock = -1;
        int r;

        base->image = image_place(job, file, image_key);
        r = cache_lock(&job->cache, image_key, job->ui, &lock, err);
        if (r < 0)
                return r;
        r = cache_take(&job->cache, job->ns, base->image, "The unpacked image", job->ui, err);
        if (r == 0)
                r = unpack_image(job, file, base->image, err);
        if (r >= 0)
                cache_describe(lock, file->name);
        close_p(&lock);
        if (r >= 0)
                r = mounts_find(job, base->image, base, err);
        if (r < 0)
                return r;
        image_tree_key(job, image_key, base->key);
        r = image_tree(job, err);
        if (r == 0) /* only now: reading it may have mended its file systems */
                seal_image(job);
        return r;
}
