/* See layer.h. A layer lies at layers/KEY in the cache: `diff`, the upper folder of
 * an overlay, and its seal.
 *
 * Where a step is run again though nothing has changed (-no-cache, cache_ttl), builds
 * under way may stand on the layer that it had. So the new one gets another key, from
 * which the keys of the layers on it follow, and current/KEY holds that. */
#include "build/layer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "build/seal.h"

/* ---- what is there ---- */

static bool sees_host(const struct schema_blocks *blocks)
{
        const struct arm_mount *mounts = blocks->v;

        for (size_t i = 0; i < blocks->n; i++)
                if (str_eq(mounts[i].mount_type, "bind") && !str_starts(mounts[i].source_path, "/dev") &&
                    !str_starts(mounts[i].source_path, "/sys") && !str_starts(mounts[i].source_path, "/proc"))
                        return true;
        return false;
}

bool layers_see_host(const struct job *job)
{
        return sees_host(&job->arm->image_chroot_mounts) || sees_host(&job->arm->additional_chroot_mounts);
}

static void read_current(const struct job *job, char key[DIGEST_HEX_MAX])
{
        CLEANUP_FREE char *path = cache_place(&job->cache, "current", key), *text = NULL;
        size_t n = 0;

        if (file_read(path, DIGEST_HEX_MAX, &text, &n, NULL) == 0 && n == strlen(key) &&
            strspn(text, "0123456789abcdef") == n)
                memcpy(key, text, n);
}

bool layer_is_kept(const struct job *job, const struct template_step *block)
{
        return !(block && !block->cache) && !layers_see_host(job);
}

int64_t layer_left_sec(const struct job *job, const char *key, const struct template_step *block)
{
        CLEANUP_FREE char *place = cache_place(&job->cache, "layers", key);
        int64_t left;

        if (!block || block->cache_ttl_ms == 0)
                return -1;
        left = seal_made_sec(place) + block->cache_ttl_ms / 1000 - job->started;
        return left > 0 ? left : 0;
}

enum layer_state layer_look(const struct job *job, char key[DIGEST_HEX_MAX], const struct template_step *block)
{
        CLEANUP_FREE char *place = NULL;

        if (!layer_is_kept(job, block))
                return LAYER_UNKEPT;
        read_current(job, key);
        if (job->options->no_cache)
                return LAYER_REFUSED;
        place = cache_place(&job->cache, "layers", key);
        if (!path_exists(place))
                return LAYER_MISSING;
        return layer_left_sec(job, key, block) == 0 ? LAYER_OLD : LAYER_CACHED;
}

/* ---- making it ---- */

/* *ret: the folder in staging that becomes layers/KEY. */
static int make(struct job *job, const struct layer_work *work, char **ret, struct error *err)
{
        CLEANUP(guest_freep) struct guest *guest = NULL;
        CLEANUP_FREE char *stage = NULL;
        int r = cache_stage(&job->cache, "layer", &stage, err);

        if (r == 0)
                r = step_guest(job, stage, &guest, err);
        if (r < 0)
                return r;
        r = served_check(job, work->run(job, guest, work->arg, err), err);
        if (r < 0) {
                if (work->failed)
                        work->failed(job, guest, err);
                guest_stop(guest, false, NULL);
                return r;
        }
        r = guest_stop(guest, true, err);
        guest_freep(&guest);
        if (r == 0)
                *ret = path_join(stage, "layer");
        return r;
}

static void push(struct job *job, const char *place, const char *key)
{
        strv_take(&job->layers, path_join(place, "diff"));
        snprintf(job->key, sizeof(job->key), "%s", key);
}

/* A key of this build alone. */
static void own_key(const struct job *job, char key[DIGEST_HEX_MAX])
{
        CLEANUP(digest_freep) struct digest *digest = digest_sha256();

        digest_string(digest, key);
        digest_string(digest, path_name(job->cache.staging));
        digest_final(digest, key);
}

/* It stays in staging, and goes with the build. */
static int add_unkept(struct job *job, char key[DIGEST_HEX_MAX], const struct layer_work *work, struct error *err)
{
        CLEANUP_FREE char *made = NULL;
        int r = make(job, work, &made, err);

        if (r < 0)
                return r;
        own_key(job, key);
        push(job, made, key);
        return 0;
}

/* Make it and move it to its place. `first` is the key that its parts give. */
static int make_kept(struct job *job, const char *first, const char *key, const struct layer_work *work, int lock,
                     struct error *err)
{
        CLEANUP_FREE char *made = NULL, *place = cache_place(&job->cache, "layers", key),
                          *current = cache_place(&job->cache, "current", first),
                          *what = xasprintf("%s of build '%s'", work->what, job->build->name);
        int r = make(job, work, &made, err);

        if (r == 0)
                r = cache_seal(job->ns, made, err);
        if (r == 0)
                r = cache_commit(made, place, err);
        if (r == 0 && !str_eq(first, key))
                r = file_write(current, key, strlen(key), 0644, err);
        if (r < 0)
                return r;
        cache_describe(lock, what);
        push(job, place, key);
        return 0;
}

/* The lock of `first` is held. */
static int add_kept(struct job *job, const char *first, int lock, const struct layer_work *work, struct error *err)
{
        char key[DIGEST_HEX_MAX];
        CLEANUP_CLOSE int own = -1;
        CLEANUP_FREE char *place = NULL;
        enum layer_state state;
        int r = 0;

        memcpy(key, first, sizeof(key));
        state = layer_look(job, key, work->block);
        if (state == LAYER_OLD)
                ui_say(job->ui, "%s is in the cache, and older than its cache_ttl", work->what);
        if (state == LAYER_OLD || state == LAYER_REFUSED)
                own_key(job, key);
        if (!str_eq(first, key))
                r = cache_lock(&job->cache, key, job->ui, &own, err);
        place = cache_place(&job->cache, "layers", key);
        if (r == 0 && state == LAYER_CACHED)
                r = cache_take(&job->cache, job->ns, place, work->what, job->ui, err);
        if (r == 0)
                return make_kept(job, first, key, work, own >= 0 ? own : lock, err);
        if (r < 0)
                return r;
        ui_say(job->ui, "%s: nothing changed, taken from the cache", work->what);
        push(job, place, key);
        return 0;
}

int layer_add(struct job *job, struct key *parts, const struct layer_work *work, struct error *err)
{
        CLEANUP_CLOSE int lock = -1;
        char key[DIGEST_HEX_MAX];
        int r;

        key_final(parts, key);
        plan_record_add(&job->record, work->what, key, parts);
        if (!layer_is_kept(job, work->block))
                return add_unkept(job, key, work, err);
        r = cache_lock(&job->cache, key, job->ui, &lock, err);
        return r < 0 ? r : add_kept(job, key, lock, work, err);
}
