/* See layer_key.h. */
#include "build/layer_key.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"

/* Raised when a layer would come out otherwise from the same input. */
static const char layer_format[] = "layer-3";

const char layer_key_parent[] = "what comes before";

static void feed_mounts(struct digest *digest, const struct schema_blocks *blocks)
{
        const struct arm_mount *mounts = blocks->v;

        for (size_t i = 0; i < blocks->n; i++) {
                digest_string(digest, mounts[i].mount_type);
                digest_string(digest, mounts[i].source_path);
                digest_string(digest, mounts[i].destination_path);
        }
        digest_string(digest, NULL);
}

/* Whoever asks for emulation alone may want to see what an emulator does; else a new one is no reason to build anew. */
static void feed_qemu(const struct job *job, struct key *key)
{
        CLEANUP_FREE char *version = NULL;

        if (step_accelerated(job))
                return;
        version = guest_qemu_version(job->arm->qemu_binary_source_path);
        key_text(key, "version of qemu", version);
}

/* What every layer's outcome hangs on: its parent and the guest's set-up. */
static void begin(const struct job *job, struct key *key)
{
        struct digest *mounts;

        key_text(key, "layer format", layer_format);
        key_text(key, layer_key_parent, job->key);
        key_text(key, "name of the build", job->build->interp.build_name); /* which steps see */
        for (char **entry = job->arm->image_chroot_env; entry && *entry; entry++)
                key_text(key, "image_chroot_env", *entry);
        mounts = key_part(key, "mounts of the guest");
        feed_mounts(mounts, &job->arm->image_chroot_mounts);
        feed_mounts(mounts, &job->arm->additional_chroot_mounts);
        key_text(key, "qemu_binary_source_path", job->arm->qemu_binary_source_path);
        key_text(key, "qemu_binary_destination_path", job->arm->qemu_binary_destination_path);
        key_text(key, "environment QEMU_CPU", getenv("QEMU_CPU"));
        key_text(key, "acceleration", step_accelerated(job) ? "accelerated" : "emulated");
        feed_qemu(job, key);
        key_text(key, "environment SOURCE_DATE_EPOCH", getenv("SOURCE_DATE_EPOCH"));
}

int layer_key_step(const struct job *job, const struct build_step *step, struct key *key, struct error *err)
{
        begin(job, key);
        key_text(key, "type", step->type->name);
        schema_digest(step->type->schema, step->config, key_part(key, "configuration"));
        if (step->type->guest_inputs) {
                int r = step->type->guest_inputs(step->config, job->platform, key, err);

                if (r < 0)
                        return r;
        }
        return step->type->inputs ? step->type->inputs(step->config, key, err) : 0;
}

void layer_key_setup_extra(const struct job *job, struct key *key)
{
        struct digest *commands;

        begin(job, key);
        commands = key_part(key, "image_setup_extra");
        for (size_t i = 0; i < job->arm->image_setup_extra.n; i++)
                for (char **word = job->arm->image_setup_extra.v[i]; word && *word; word++)
                        digest_string(commands, *word);
}

int layer_key_resolv_conf(const struct job *job, struct key *key, char **ret_text, struct error *err)
{
        int r = 0;

        *ret_text = NULL;
        if (job->arm->resolv_conf == ARM_RESOLV_COPY_HOST)
                r = file_read("/etc/resolv.conf", 0, ret_text, NULL, err);
        if (r < 0)
                return error_wrap(err, r, "resolv-conf");
        begin(job, key);
        key_text(key, "resolv-conf", *ret_text);
        return 0;
}
