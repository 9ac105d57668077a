/* One layer: taken from the cache, or made by a guest and kept there. */
#pragma once

#include "base/key.h"
#include "build/step.h"

/* What makes a layer's changes, with its guest running. */
struct layer_work {
        const char *what; /* "Provisioner shell" */
        int (*run)(struct job *job, struct guest *guest, const void *arg, struct error *err);
        /* It did not go well, and its guest is still there; NULL: nothing to do. */
        void (*failed)(struct job *job, struct guest *guest, const struct error *err);
        const void *arg;
        const struct template_step *block; /* says for how long it may be kept; NULL: for good */
};

/* Put it on the layers of the job. `parts` is what its key is made of. */
int layer_add(struct job *job, struct key *parts, const struct layer_work *work, struct error *err);

/* What a build would do with the layer. */
enum layer_state {
        LAYER_CACHED,
        LAYER_MISSING,
        LAYER_OLD,     /* there, and older than its cache_ttl */
        LAYER_REFUSED, /* -no-cache: made anew, and kept for the builds after this one */
        LAYER_UNKEPT,  /* cache = false, or the guest sees a folder of the host: made in each build, for it alone */
};
/* `key` becomes that of the layer which stands for it now (see layer.c). */
enum layer_state layer_look(const struct job *job, char key[DIGEST_HEX_MAX], const struct template_step *block);
/* How long it may still be used; -1: for good. */
int64_t layer_left_sec(const struct job *job, const char *key, const struct template_step *block);
/* Not so with cache = false, or where the guest sees a folder of the host, which can change anything. */
bool layer_is_kept(const struct job *job, const struct template_step *block);

bool layers_see_host(const struct job *job);
