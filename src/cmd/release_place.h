/* Where `slipway release` works, by its options. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "release/release.h"

struct release_args {
        const char *prefix, *root, *arch, *base_url, *catalogue, *url, *checksum, *keyring, *file, *output;
        char **bin, **validate;
        long strip;
        bool user, force, edit_profile, no_validate, offline;
};
void release_args_clear(struct release_args *args);

struct release_paths {
        struct release_place place; /* borrows the rest */
        char *root, *prefix, *profile;
        char *machine; /* of what is installed; NULL: this host's */
        bool user;
};
int release_paths_find(const struct release_args *args, struct release_paths *ret, struct error *err);
void release_paths_clear(struct release_paths *paths);
/* Have the login shell's own file read the user's profile. */
int release_place_edit_profile(const struct release_paths *paths, struct error *err);
/* Tell how shells learn of it. */
void release_place_hint(const struct release_paths *paths, bool edited, const char *name);
