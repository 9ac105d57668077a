/* Where a base comes from: fetched and verified (libcurl, libcrypto), kept in
 * a cache by digest, unpacked by what it is and not by its name (libarchive,
 * liblzma), or bootstrapped (mmdebstrap). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ui.h"

struct source_request {
        const char *const *urls;   /* tried in turn: http, https, file, plain paths */
        const char *checksum;      /* hex, "type:hex", or NULL */
        const char *checksum_url;  /* or NULL; used where checksum is NULL */
        const char *checksum_type; /* md5, sha1, sha256, sha512, none; "md5sum" etc. too; any case */
        const char *user_agent;    /* NULL: slipway/VERSION */
        const char *target_path;   /* NULL: in the cache only; else the download is put there too */
        const char *cache;         /* cache_dir() */
        bool force;                /* download again */
        struct ui *ui;             /* progress; may be NULL */
        unsigned int retry_ms;     /* wait before the second try, doubled for each further one; 0: 1000 */
        unsigned int stall_sec;    /* give up when nothing comes for so long; 0: 60 */
};

struct source_file {
        char *path;      /* in the cache; never written to again */
        char *name;      /* as the URL has it: "raspbian.img.xz" */
        char sha256[65]; /* of the bytes: the key of everything made from it */
};
void source_file_clear(struct source_file *file);

/* Download (or find in the cache), verify, and give the file. Two processes
 * that want the same thing download it once. A wrong digest leaves nothing. */
int source_fetch(const struct source_request *request, struct source_file *ret, struct error *err);

/* What the cache has for a request without asking the network: by its digest, or, where that
 * is not given, as the address gave it last. -ENOENT, without a message: nothing. */
int source_known(const struct source_request *request, struct source_file *ret);

/* What a file is, by its bytes; all compression taken off. */
enum source_kind {
        SOURCE_UNKNOWN,
        SOURCE_IMAGE,   /* disk image: partition table or file system */
        SOURCE_ARCHIVE, /* tar, zip, 7z, cpio: has members */
};
/* *ret_name (may be NULL): "tar", "a DOS partition table", ... for messages. */
int source_identify(const char *path, enum source_kind *ret, const char **ret_name, struct error *err);

/* Unpack `path`, whatever it is (raw, compressed, or an archive that holds
 * exactly one image), to the empty file `to_fd`, sparse. An error lists the
 * members if there is none or more than one image among them; whoever asked names the file, whose path may be one of
 * the cache's own. */
int source_unpack_image(const char *path, int to_fd, struct ui *ui, struct error *err);

/* A device node that an archive holds, which an unprivileged user cannot make. */
struct source_node {
        char *path;    /* relative, without leading slash or dots */
        uint32_t mode; /* S_IFCHR | S_IFBLK with permissions */
        uint32_t uid, gid, major, minor;
        int64_t mtime_sec;
};
struct source_nodes {
        struct source_node *v;
        size_t n;
};
void source_nodes_clear(struct source_nodes *nodes);

/* Unpack a rootfs archive into the folder `dir`: owners (numeric), modes,
 * times, xattrs, ACLs, hard links, sparse files. Nothing is written outside
 * dir: members with "..", and those that pass through a symlink which points
 * out, are an error. Device nodes go to *ret_nodes, and are not made.
 * Runs inside the build's user namespace. */
int source_unpack_tree(const char *path, const char *dir, struct source_nodes *ret_nodes, struct ui *ui,
                       struct error *err);

/* The archive at fd (`name`: for messages) into the folder `dir`, for whoever runs us: all is his own, nobody else may
 * write to it, no set-id bits and attributes; devices and fifos are an error. Escaping members as above. */
int source_unpack_plain(int fd, const char *name, const char *dir, struct ui *ui, struct error *err);
/* The one file at fd, its compression taken off, to the empty file to_fd. */
int source_unpack_file(int fd, const char *name, int to_fd, struct ui *ui, struct error *err);

/* file_unarchive_cmd: argv with whole elements $ARCHIVE_PATH, $MOUNTPOINT,
 * $TMP_DIR replaced. Run with cwd `dir`, which both folders' names stand for. */
int source_unpack_command(const char *const *argv, const char *archive, const char *dir, struct ui *ui,
                          struct error *err);
/* The same where an image must come out (reuse, resize): the command works on
 * a copy of the archive in the empty folder `dir`, called `name` (programs such
 * as `xz -d` go by the ending, and remove what they unpacked), and the one
 * image that it leaves there goes to the empty file to_fd. What is in dir is left to the caller. */
int source_unpack_command_image(const char *const *argv, const char *archive, const char *name, const char *dir,
                                int to_fd, struct ui *ui, struct error *err);

struct source_bootstrap {
        const char *suite, *architecture, *variant, *mirror; /* mirror NULL: from the host's apt configuration */
        const char *const *components, *const *packages;
};
/* mmdebstrap into the empty folder `dir`. Runs inside the build's user
 * namespace, with binfmt already registered there. */
int source_bootstrap(const struct source_bootstrap *bootstrap, const char *dir, struct ui *ui, struct error *err);
/* The key of what it would make: digest of its configuration and of the mirror's Release file date is not in it. */
void source_bootstrap_key(const struct source_bootstrap *bootstrap, char hex[65]);
