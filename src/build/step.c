/* Provisioners in turn. Each that changes the guest is a layer (layer.c): an overlay
 * over the base and the layers before it, cached by a key made of its parent's
 * key and of everything that can change its outcome. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "build/job.h"
#include "build/layer.h"
#include "build/layer_key.h"
#include "build/step.h"

void build_step_clear(struct build_step *step)
{
        if (step->config)
                schema_free(step->type->schema, step->config);
        free(step->config);
        value_free(step->value);
        free(step->what);
        *step = (struct build_step){0};
}

/* Templates were checked before: an error here is one that only running finds. */
int build_step_decode(const struct job *job, const struct template_step *block, struct build_step *ret,
                      struct error *err)
{
        struct diags diags = {0};
        int r;

        ret->block = block;
        ret->type = provisioner_find(block->type);
        if (!ret->type)
                return error_set(err, ENOENT, "unknown provisioner '%s'", block->type);
        ret->what = xstrdup(block->type);
        ret->value = template_step_config(block, job->build->interp.build_name);
        ret->config = xcalloc(1, ret->type->schema->size);
        r = schema_decode(ret->type->schema, ret->value, template_step_keys, &job->build->interp, ret->config, &diags);
        if (r == 0 && ret->type->check)
                r = ret->type->check(ret->config, ret->value, &diags);
        if (r < 0 || diags.n_errors > 0)
                r = error_set(err, EINVAL, "%s", diags.list.n ? diags.list.v[0].summary : "invalid configuration");
        diags_clear(&diags);
        return r;
}

/* Where it can be: whether it is shows no difference, or that is a bug which is hunted by building both ways. */
bool step_accelerated(const struct job *job)
{
        return job->arm->accelerate && !job->options->no_accelerate;
}

/* ---- the guest of one layer ---- */

static struct guest_mount *mounts_of(const struct schema_blocks *blocks)
{
        const struct arm_mount *mounts = blocks->v;
        struct guest_mount *out;

        if (blocks->n == 0)
                return NULL;
        out = xcalloc(blocks->n, sizeof(*out));
        for (size_t i = 0; i < blocks->n; i++)
                out[i] = (struct guest_mount){mounts[i].mount_type, mounts[i].source_path, mounts[i].destination_path};
        return out;
}

int step_guest(struct job *job, const char *stage, struct guest **ret, struct error *err)
{
        CLEANUP_FREE char *layer = path_join(stage, "layer"), *upper = path_join(layer, "diff"),
                          *work = path_join(stage, "work"), *scratch = path_join(stage, "scratch");
        CLEANUP_FREE struct guest_mount *mounts = mounts_of(&job->arm->image_chroot_mounts);
        CLEANUP_FREE struct guest_mount *more = mounts_of(&job->arm->additional_chroot_mounts);
        CLEANUP_FREE char *shared = path_join(job->cache.staging, "shared");
        CLEANUP_FREE char *packages = job->arm->package_cache ? path_join(job->cache.root, "packages") : NULL;
        const char *const folders[] = {layer, upper, work, scratch};

        for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++)
                if (mkdir(folders[i], 0755) < 0)
                        return error_errno(err, errno, "create folder '%s'", folders[i]);
        if (mkdir(shared, 0755) < 0 && errno != EEXIST)
                return error_errno(err, errno, "create folder '%s'", shared);
        return guest_start(job->ns,
                           &(struct guest_config){
                                   .lowers = STRV(job->layers),
                                   .upper = upper,
                                   .work = work,
                                   .links = job->base.links,
                                   .scratch = scratch,
                                   .mounts = mounts,
                                   .n_mounts = job->arm->image_chroot_mounts.n,
                                   .more_mounts = more,
                                   .n_more_mounts = job->arm->additional_chroot_mounts.n,
                                   .env = STRV(job->arm->image_chroot_env),
                                   .qemu = job->arm->qemu_binary_source_path,
                                   .qemu_destination = job->arm->qemu_binary_destination_path,
                                   .accelerate = step_accelerated(job),
                                   .shared = shared,
                                   .packages = packages,
                                   .mount_path = job->arm->image_mount_path,
                           },
                           ret, err);
}

static struct provision_context context_of(const struct job *job, const struct build_step *step, struct guest *guest)
{
        return (struct provision_context){
                .guest = guest,
                .ui = job->ui,
                .build_name = job->build->interp.build_name,
                .builder_type = job->build->type,
                .interp = &job->build->interp,
                .run_uuid = job->run_uuid,
                .platform = job->platform,
                .debug = job->options->debug,
                .timeout_ms = step->block->timeout_ms,
        };
}

/* ---- what to do after a failed try ---- */

/* As the user says (-on-error=ask). */
static enum decision ask(struct job *job)
{
        char line[64];

        for (;;) {
                ui_say(job->ui, "[c] clean up and exit, [a] abort without cleanup, or [r] retry step (build may fail "
                                "even if retry succeeds)?");
                if (!fgets(line, sizeof(line), stdin))
                        return cancel_requested() ? DECISION_STOP : DECISION_CLEAN_UP;
                switch (line[0]) {
                case 'c':
                        return DECISION_CLEAN_UP;
                case 'a':
                        return DECISION_ABORT;
                case 'r':
                        return DECISION_RETRY;
                default:
                        break;
                }
        }
}

/* Once for each try, while its guest is still there. */
static void decide(struct job *job, const struct error *err)
{
        if (job->decision != DECISION_NONE)
                return;
        if (cancel_requested()) {
                job->decision = DECISION_STOP;
        } else if (job->retries_left > 0) {
                ui_say(job->ui, "Provisioner failed with \"%s\", retrying with %lld trie(s) left", error_message(err),
                       (long long)job->retries_left--);
                job->decision = DECISION_RETRY;
        } else if (job->goes_on) {
                job->decision = DECISION_STOP; /* of this step alone: there is nothing to clean up */
        } else if (job->options->on_error == ON_ERROR_ASK) {
                ui_error(job->ui, "%s", error_message(err));
                job->decision = ask(job);
        } else {
                job->decision = job->options->on_error == ON_ERROR_ABORT ? DECISION_ABORT : DECISION_CLEAN_UP;
        }
}

static int step_reading(struct job *job, const struct build_step *step, struct error *err);

/* error-cleanup-provisioner: in the guest as the failed step left it; of a step
 * on the host (guest NULL) in a guest with the layers so far. */
static void run_error_cleanup(struct job *job, struct guest *guest)
{
        CLEANUP(build_step_clear) struct build_step step = {0};
        CLEANUP_ERROR struct error err = {0};
        struct provision_context context;
        int r;

        if (!job->steps->error_cleanup || job->decision != DECISION_CLEAN_UP ||
            !template_step_applies(job->steps->error_cleanup, job->build->name))
                return;
        ui_say(job->ui, "Running error-cleanup-provisioner");
        r = build_step_decode(job, job->steps->error_cleanup, &step, &err);
        context = context_of(job, &step, guest);
        if (r == 0 && (guest || step.type->on_host))
                r = step.type->run(step.config, &context, &err);
        else if (r == 0)
                r = step_reading(job, &step, &err);
        if (r < 0)
                ui_error(job->ui, "error-cleanup-provisioner: %s", error_message(&err));
}

/* ---- layers ---- */

/* While the guest of the failed try is still there. */
static void step_failed(struct job *job, struct guest *guest, const struct error *err)
{
        decide(job, err);
        run_error_cleanup(job, guest);
}

static int run_provisioner(struct job *job, struct guest *guest, const void *arg, struct error *err)
{
        const struct build_step *step = arg;
        struct provision_context context = context_of(job, step, guest);

        return step->type->run(step->config, &context, err);
}

/* With the guest that the layers before make, and without one of its own. */
static int step_reading(struct job *job, const struct build_step *step, struct error *err)
{
        CLEANUP(guest_freep) struct guest *guest = NULL;
        CLEANUP_FREE char *stage = NULL;
        int r = cache_stage(&job->cache, "read", &stage, err);

        if (r == 0)
                r = step_guest(job, stage, &guest, err);
        if (r == 0)
                r = served_check(job, run_provisioner(job, guest, step, err), err);
        if (guest)
                guest_stop(guest, false, NULL);
        return r;
}

static int step_as_layer(struct job *job, const struct build_step *step, struct error *err)
{
        CLEANUP_KEY struct key key = {0};
        CLEANUP_FREE char *what = xasprintf("Provisioner %s", step->what);
        struct layer_work work = {
                .what = what, .run = run_provisioner, .failed = step_failed, .arg = step, .block = step->block};
        int r = layer_key_step(job, step, &key, err);

        return r < 0 ? r : layer_add(job, &key, &work, err);
}

static int wait_ms(struct job *job, int64_t ms, struct error *err)
{
        CLEANUP_FREE char *shown = provision_duration(ms);

        if (ms > 0)
                ui_say(job->ui, "Pausing %s before the next provisioner...", shown);
        for (; ms > 0; ms -= 50) {
                int r = cancel_check(err);

                if (r < 0)
                        return r;
                nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
        }
        return 0;
}

static int step_once(struct job *job, const struct build_step *step, struct error *err)
{
        struct provision_context context = context_of(job, step, NULL);

        if (step->type->on_host)
                return step->type->run(step->config, &context, err);
        if (!job->arm)
                return error_set(err, EINVAL, "it needs a guest, and the %s builder has none", job->build->type);
        if (step->type->only_reads && step->type->only_reads(step->config))
                return step_reading(job, step, err);
        return step_as_layer(job, step, err);
}

static void keep_failed(struct job *job)
{
        if (!job->cache.staging)
                return;
        ui_say(job->ui, "Aborted: what the failed step left is kept until the next build, in %s", job->cache.staging);
        free(steal(&job->cache.staging));
}

/* The step with its retries; what a failed try changed is thrown away with its layer. */
static int step_with_retries(struct job *job, const struct build_step *step, struct error *err)
{
        int r;

        job->retries_left = step->block->max_retries;
        job->goes_on = step->block->continue_on_error;
        do {
                job->decision = DECISION_NONE;
                r = wait_ms(job, step->block->pause_before_ms, err);
                if (r == 0)
                        r = step_once(job, step, err);
                if (r >= 0)
                        return r;
                decide(job, err);
        } while (job->decision == DECISION_RETRY);
        if (step->block->max_retries > 0 && !cancel_requested())
                ui_say(job->ui, "retry limit reached.");
        if (step->type->on_host)
                run_error_cleanup(job, NULL);
        if (job->decision == DECISION_ABORT)
                keep_failed(job);
        return r;
}

static int debug_pause(struct job *job, const char *what, struct error *err)
{
        char line[64];

        if (!job->options->debug)
                return 0;
        ui_say(job->ui, "Pausing before step '%s'. Press enter to continue.", what);
        if (!fgets(line, sizeof(line), stdin) && !cancel_requested())
                log_debug("standard input is closed: going on");
        return cancel_check(err);
}

static int run_block(struct job *job, const struct template_step *block, size_t number, struct error *err)
{
        CLEANUP(build_step_clear) struct build_step step = {0};
        int r = build_step_decode(job, block, &step, err);

        if (r == 0)
                r = debug_pause(job, step.what, err);
        if (r == 0)
                r = step_with_retries(job, &step, err);
        if (r < 0 && block->continue_on_error && !cancel_requested()) {
                ui_say(job->ui,
                       "Warning: Provisioner failed with \"%s\", but continue_on_error is set; continuing the build.",
                       error_message(err));
                error_clear(err);
                return 0;
        }
        return r < 0 ? error_wrap(err, r, "provisioner %zu (%s)", number, block->type) : 0;
}

/* ---- image_setup_extra ---- */

static bool names_image(char *const *argv)
{
        for (; *argv; argv++)
                if (strstr(*argv, "$IMAGE_PATH"))
                        return true;
        return false;
}

int setup_extra_run(struct job *job, struct guest *guest, bool with_image, const char *image_path, struct error *err)
{
        const struct schema_string_lists *lists = &job->arm->image_setup_extra;

        for (size_t i = 0; i < lists->n; i++) {
                CLEANUP_STRV char **argv = NULL;
                struct spawn spawn = {.enter = guest_enter_mounts, .enter_arg = guest};
                int r;

                if (!lists->v[i] || !lists->v[i][0] || names_image(lists->v[i]) != with_image)
                        continue;
                for (char **word = lists->v[i]; *word; word++) {
                        CLEANUP_FREE char *mounted = str_replace(*word, "$MOUNTPOINT", guest_root(guest));

                        strv_take(&argv, str_replace(mounted, "$IMAGE_PATH", image_path ? image_path : ""));
                }
                ui_say(job->ui, "image_setup_extra: %s", lists->v[i][0]);
                spawn.argv = STRV(argv);
                r = spawn_check(&spawn, err);
                if (r < 0)
                        return error_wrap(err, r, "image_setup_extra %zu", i + 1);
        }
        return 0;
}

bool setup_extra_wanted(const struct job *job, bool with_image)
{
        const struct schema_string_lists *lists = &job->arm->image_setup_extra;

        for (size_t i = 0; i < lists->n; i++)
                if (lists->v[i] && lists->v[i][0] && names_image(lists->v[i]) == with_image)
                        return true;
        return false;
}

static int run_setup_extra(struct job *job, struct guest *guest, const void *arg, struct error *err)
{
        (void)arg;
        return setup_extra_run(job, guest, false, NULL, err);
}

static int setup_extra_layer(struct job *job, struct error *err)
{
        CLEANUP_KEY struct key key = {0};
        struct layer_work work = {.what = "image_setup_extra", .run = run_setup_extra};

        job->decision = DECISION_STOP; /* it is no provisioner: neither tried again nor cleaned up after */
        layer_key_setup_extra(job, &key);
        return layer_add(job, &key, &work, err);
}

/* ---- resolv.conf ---- */

/* Of the host's, which the image is to have; NULL: it is to have none. */
struct resolv_conf {
        char *text;
};

static int run_resolv_conf(struct job *job, struct guest *guest, const void *arg, struct error *err)
{
        const struct resolv_conf *wanted = arg;
        int r = guest_remove(guest, "/etc/resolv.conf", err);

        (void)job;
        if (r < 0 || !wanted->text)
                return r;
        return guest_put_data(guest, wanted->text, strlen(wanted->text), "/etc/resolv.conf", 0644, err);
}

static int resolv_conf_layer(struct job *job, struct error *err)
{
        CLEANUP_KEY struct key key = {0};
        CLEANUP_FREE char *text = NULL;
        int r = layer_key_resolv_conf(job, &key, &text, err);

        return r < 0 ? r
                     : layer_add(job, &key,
                                 &(struct layer_work){.what = "resolv-conf",
                                                      .run = run_resolv_conf,
                                                      .arg = &(struct resolv_conf){text}},
                                 err);
}

/* A builder that makes no image has no guest: said before the first step runs. */
static int steps_need_no_guest(const struct job *job, struct error *err)
{
        const struct template_steps *steps = job->steps;

        for (size_t i = 0; i < steps->n_provisioners; i++) {
                const struct template_step *step = &steps->provisioners[i];
                const struct provisioner_type *type = provisioner_find(step->type);

                if (template_step_applies(step, job->build->name) && type && !type->on_host)
                        return error_set(err, EINVAL, "the provisioner '%s' needs a guest, and the build '%s' has none",
                                         step->type, job->build->name);
        }
        return 0;
}

int steps_run(struct job *job, struct error *err)
{
        const struct template_steps *steps = job->steps;
        int r = job->arm ? 0 : steps_need_no_guest(job, err);

        if (r == 0 && job->arm && setup_extra_wanted(job, false))
                r = setup_extra_layer(job, err);
        if (r == 0 && job->arm && job->arm->resolv_conf != ARM_RESOLV_KEEP)
                r = resolv_conf_layer(job, err);
        for (size_t i = 0; r == 0 && i < steps->n_provisioners; i++)
                if (template_step_applies(&steps->provisioners[i], job->build->name))
                        r = run_block(job, &steps->provisioners[i], i + 1, err);
        return r;
}
