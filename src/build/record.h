/* What the layers of a build were made of when it ran last, by which `slipway
 * plan` says what has changed since. plans/ID.json in the cache:
 *
 *     [{"what": "Provisioner shell", "key": HEX, "parts": [[NAME, HEX], ...]}, ...]
 */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/key.h"

/* Zero-initialised is empty. */
struct plan_record {
        json_t *layers;
};

/* The next layer; `parts` is closed (key_final). */
void plan_record_add(struct plan_record *record, const char *what, const char *hex, const struct key *parts);
/* Of the build `name` of the template at `template_path` ("-": none is kept), in the cache at `root`. */
int plan_record_save(const struct plan_record *record, const char *root, const char *template_path, const char *name,
                     struct error *err);
/* Empty where there is none, or none that can be read. */
void plan_record_load(struct plan_record *record, const char *root, const char *template_path, const char *name);
/* Names of the parts of layer `i` that are not as they were, each once (strv; the caller frees); NULL if all are.
 * *ret_known is false if there was no such layer. */
char **plan_record_changed(const struct plan_record *record, size_t i, const struct key *parts, bool *ret_known)
        __attribute__((warn_unused_result));
void plan_record_clear(struct plan_record *record);

/* The platform (guest_platform) of the base with this key, which only its files tell: plans/KEY.platform. */
int base_platform_save(const char *root, const char *base_key, const char *platform, struct error *err);
/* "" where it is not known. */
void base_platform_load(const char *root, const char *base_key, char *ret, size_t size);
#define CLEANUP_RECORD CLEANUP(plan_record_clear)
