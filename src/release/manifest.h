/* What is known of an installed release: its manifest, and where releases are. For whoever looks at another system. */
#pragma once

#include <jansson.h>

#include "base/error.h"

/* In the folder of a release. */
#define RELEASE_MANIFEST ".slipway-release.json"
/* Reads the releases of all prefixes. */
#define RELEASE_SYSTEM_PROFILE "/etc/profile.d/slipway-release.sh"

/* The text as a manifest; `path` is for messages. The caller json_decref()s. */
int release_manifest_parse(const char *path, const char *text, json_t **ret, struct error *err);
/* A member's text, "" if there is none; its list of texts as strv. */
const char *release_manifest_text(const json_t *manifest, const char *key);
char **release_manifest_texts(const json_t *manifest, const char *key) __attribute__((warn_unused_result));
/* The prefix that a line of a profile is about, or NULL; the caller frees. */
char *release_profile_prefix(const char *line) __attribute__((warn_unused_result));
