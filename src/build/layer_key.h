/* What the key of a layer is made of. The same here for a build and for `slipway
 * plan`, which asks without making anything. */
#pragma once

#include "base/key.h"
#include "build/step.h"

/* job->key must be the key of the layers before. The provisioner's own inputs may be missing files (an error) where a
 * step before it makes them. */
int layer_key_step(const struct job *job, const struct build_step *step, struct key *key, struct error *err);
void layer_key_setup_extra(const struct job *job, struct key *key);
/* *ret_text: what the image's resolv.conf is to hold; NULL: it is to have none. The caller frees. */
int layer_key_resolv_conf(const struct job *job, struct key *key, char **ret_text, struct error *err);

/* The part of each key that is the layers before: a change of it alone means that one of those changed. */
extern const char layer_key_parent[];
