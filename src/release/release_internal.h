/* What the files of this room share. */
#pragma once

#include <jansson.h>

#include "base/str.h"
#include "release/manifest.h"
#include "release/release.h"

/* arch.c: the machine whose programs run there too, or NULL. */
const char *release_machine_older(const char *name);
/* Of a system with musl, the machine as uname says it; else NULL. */
const char *release_machine_plain(const char *name);

/* fetch.c: a text of the makers (a list of versions, of checksums), as the request's network allows. The caller frees.
 */
int release_text(const struct release_request *request, const char *url, char **ret, struct error *err);

/* pick.c: texts out of an answer. Along `path` (NULL: the answer is taken as it is, not as JSON), each part of it one
 * of: "*" every element or member; "@" the members' names; "KEY=VALUE" only objects with that member; else the
 * member of that name. Then what `pattern` (NULL: all) finds: its first group, or the whole match; of a path's
 * results one for each, of a plain text all. *ret: a list in the order of the answer; the caller strv_free()s. */
int release_pick(const char *text, const char *const *path, const char *pattern, char ***ret, struct error *err);

/* signature.c: the signature (its text) over the file, by a key. Errors say what is wrong with it. */
int release_check_gpg(const char *signature, size_t n, const char *key_file, int data_fd, struct error *err);
/* minisign.c: the same; `key` is the base64 line of a public key, or the text of its file. */
int release_check_minisign(const char *signature, const char *key, int data_fd, struct error *err);

/* version.c: "1.22.1" names one version; "latest", "~> 1.22", ">= 1, < 2" ask for some. */
bool release_selector_is_exact(const char *selector);
/* Does the version fit? Pre-releases fit only where they are named. */
int release_selector_fits(const char *selector, const char *version, bool *ret, struct error *err);
/* Newest first. */
void release_sort_versions(char **versions);
int release_compare_versions(const char *a, const char *b);

/* ---- places (place.c) ---- */

enum { RELEASE_NAME_MAX = 100 };
#define RELEASE_STATE ".slipway-release"

/* A place with its paths as we see them, locked. */
struct release_site {
        const struct release_place *place;
        char *prefix, *state; /* ROOT/PREFIX, ROOT/PREFIX/.slipway-release */
        int lock;             /* on the state folder */
};
/* Make the folders, take the lock, sweep what dead installations left. */
int release_site_open(const struct release_place *place, struct release_site *ret, struct error *err);
void release_site_close(struct release_site *site);
/* The prefix as we see it; the caller frees. */
char *release_prefix(const struct release_place *place) __attribute__((warn_unused_result));
/* Make `path` what `temporary` (beside it, on the same file system) is: by one rename; what was there is removed. */
int release_replace(const char *temporary, const char *path, struct error *err);
/* Can NAME be a link of ours? -EEXIST: something else is there. */
int release_link_free(const struct release_site *site, const char *name, struct error *err);
/* PREFIX/NAME -> folder, and NAME.sh by the folder's manifest; the profile's line. */
int release_switch(const struct release_site *site, const char *name, const char *folder, bool force,
                   struct error *err);
/* The version in use is gone: no link, no NAME.sh. */
int release_unlink(const struct release_site *site, const char *name, struct error *err);
/* A name that is a part of paths: letters, digits, . _ + - and not a dot first. */
bool release_name_is_sound(const char *name);

/* ---- manifests (manifest.c): a JSON object; see man slipway-release ---- */

/* Walk the tree, and write what it is to its manifest. */
int release_manifest_write(const struct release *release, const char *sha256, const char *folder, struct error *err);
/* The caller json_decref()s. */
int release_manifest_read(const char *folder, json_t **ret, struct error *err);
/* What a file is, as the manifest has it: {"type", "mode", "size", "sha256"} or {"type", "target"}. */
int release_manifest_entry(int folder_fd, const char *path, json_t **ret, struct error *err);
/* Every path in the tree beneath a folder, without the manifest; folders after what is in them. */
int release_manifest_walk(const char *folder, int (*visit)(void *arg, const char *path, bool is_folder), void *arg,
                          struct error *err);
