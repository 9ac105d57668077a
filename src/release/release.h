/* Official binary releases: what a tool's makers publish, found by a
 * catalogue of HCL entries, fetched and verified, and installed beside other
 * versions of it:
 *
 *     PREFIX/NAME-VERSION/                      the archive's files, as unpacked
 *     PREFIX/NAME-VERSION/.slipway-release.json what they are (manifest.h)
 *     PREFIX/NAME -> NAME-VERSION               the version in use
 *     PREFIX/.slipway-release/NAME.sh           its PATH and environment
 *     PREFIX/.slipway-release/stage-*           an installation under way
 *
 * A version appears by one rename and comes into use by another, so that
 * whatever interrupts an installation leaves the old version in use. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/tail.h"
#include "base/ui.h"
#include "base/vec.h"

/* ---- what is wanted ---- */

/* Where texts and archives may come from. */
enum release_network {
        RELEASE_ASK,         /* the network, unless the cache has what a checksum names */
        RELEASE_KNOWN_FIRST, /* the network only for what the cache does not have */
        RELEASE_OFFLINE,     /* the cache alone */
};

struct release_request {
        const char *name;      /* of the tool */
        const char *selector;  /* "1.22.1", "~> 1.22", "latest"; NULL: latest */
        const char *machine;   /* as uname -m has it, or the makers' usual names; -musl behind it; NULL: this host */
        const char *base_url;  /* in place of the entry's `base`; or NULL */
        const char *catalogue; /* a folder of entries that come before all others; or NULL */
        const char *url;       /* the generic form: no entry is read. ${version}, ${os}, ${arch} */
        const char *checksum;  /* "hex" or "type:hex", or NULL: the entry's source of it */
        const char *keyring;   /* a file of the makers' public keys, in place of the entry's; or NULL */
        const char *file;      /* as the entry's key of that name, if not NULL */
        const char *const *bin, *const *validate, *const *env; /* the same */
        int64_t strip;                                         /* the same; -1: the entry's */
        const char *cache;                                     /* cache_dir() */
        enum release_network network;
        struct ui *ui; /* may be NULL */
};

/* One release, all settled; a text may contain ${dir}: where it lies. */
struct release {
        char *name, *version, *selector, *machine;
        char *url;
        char *checksum;                   /* "sha256:hex"; NULL: the makers publish none */
        char *title, *homepage, *license; /* NULL: not known */
        int64_t strip;                    /* folders at the archive's top that are left out */
        char *file;                       /* the download is one program, to be called so; NULL: an archive */
        char **merge;                     /* folders whose contents become the top; or NULL */
        char **bin, **env;                /* folders for PATH; K=V, sorted */
        char **validate;                  /* argv of a program that must succeed */
        char *expect;                     /* what it must say among other things; or NULL */
        char *signature_url;              /* NULL: not signed, or no key is known */
        char *key_wanted;                 /* it is signed, but no key is known: the file that would be looked for */
        char *signature_key;              /* a public key of minisign, or a file of OpenPGP keys */
        char *signature_of;               /* the text that is signed, as fetched; NULL: the archive */
        bool signature_minisign;
};
void release_clear(struct release *release);

/* Find the entry, the version and the checksum. */
int release_resolve(const struct release_request *request, struct release *ret, struct error *err);
/* All versions that there are, the newest first. The caller strv_free()s. */
int release_versions(const struct release_request *request, char ***ret, struct error *err);
/* The text of an entry, and where it is from; the caller frees. */
int release_entry_text(const char *name, const char *catalogue, char **ret_text, char **ret_path, struct error *err);
/* Names of all entries, sorted; the caller strv_free()s. */
char **release_names(const char *catalogue) __attribute__((warn_unused_result));
/* The entry's title, or NULL; the caller frees. */
char *release_title(const char *name, const char *catalogue) __attribute__((warn_unused_result));

/* The archive, verified by checksum and signature. */
struct release_archive {
        int fd;
        char *name;
        char sha256[65];
};
int release_fetch(const struct release_request *request, const struct release *release, struct release_archive *ret,
                  struct error *err);
void release_archive_clear(struct release_archive *archive);

/* A name of an architecture as uname -m says it: "amd64" is "x86_64", "arm64-musl" is "aarch64-musl"; NULL: none that
 * is known. */
const char *release_machine(const char *name);
/* Does a program for `built` run on `machine`? */
bool release_machine_runs(const char *machine, const char *built);
/* This host's. */
const char *release_host_machine(void);

/* ---- where it is installed ---- */

struct release_place {
        const char *root;    /* "" or a folder that is somebody's root */
        const char *prefix;  /* absolute, in that root: "/usr/local" */
        const char *profile; /* in that root, the file that puts it all on PATH: "/etc/profile.d/..."; NULL: none */
        struct ui *ui;
};

struct release_options {
        bool force;    /* replace a folder or file that is not ours, and install again what is there */
        bool validate; /* run the release's own check before it comes into use */
};

/* *ret_was_there (may be NULL): the version was installed before, and only comes into use. */
int release_install(const struct release *release, const struct release_archive *archive,
                    const struct release_place *place, const struct release_options *options, bool *ret_was_there,
                    struct error *err);
/* The check as a command: argv[0] in the folder `dir`; environment K=V, PATH before `path`. The caller frees. */
void release_check_command(const struct release *release, const char *dir, const char *path, char ***ret_argv,
                           char ***ret_env);

/* What the command says, line by line, and what that and its status mean. */
struct release_check {
        const struct release *release;
        bool met; /* what is expected was said */
        struct tail tail;
};
void release_check_line(struct release_check *check, const char *line);
/* `where`: "here", "in the guest". Clears what was collected. */
int release_check_result(struct release_check *check, int status, const char *where, struct error *err);

struct release_installed {
        char *name, *version, *machine, *url, *sha256, *selector;
        char *folder; /* NAME-VERSION */
        bool in_use;
        int64_t time_sec; /* of the installation */
};
struct release_list {
        VEC(struct release_installed) list; /* by name, the newest version first */
};
int release_list(const struct release_place *place, struct release_list *ret, struct error *err);
void release_list_clear(struct release_list *list);
/* The newest one that a selector (NULL: the one in use, or else any) fits, or NULL. */
const struct release_installed *release_list_find(const struct release_list *list, const char *name,
                                                  const char *selector);

int release_use(const struct release_place *place, const struct release_installed *installed, bool force,
                struct error *err);
/* Remove what was installed and nothing else. *ret_left: how many files of others keep the folder. */
int release_remove(const struct release_place *place, const struct release_installed *installed, size_t *ret_left,
                   struct error *err);

/* One difference from what was installed: "changed", "missing", "added". */
typedef void (*release_finding)(void *arg, const char *what, const char *path);
/* The number of files that are changed or missing; what was added is told, not counted. */
int release_verify(const struct release_place *place, const struct release_installed *installed,
                   release_finding finding, void *arg, struct error *err);
