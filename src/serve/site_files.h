/* struct files over a site: what site_file() says is at a path, opened. Files
 * of a folder are opened beneath it (openat2, RESOLVE_BENEATH): regular files
 * only, and no symlink leads out; a name that is there in other case only is
 * found too, since some firmware changes it. Files in an image are read where
 * they lie in it, without mounting. */
#pragma once

#include <stdint.h>

#include "serve/files.h"
#include "site/site.h"

struct site_files_source {
        /* The site as it is now, and a hold on it until release(): a reload may come between. */
        const struct site *(*acquire)(void *arg);
        void (*release)(void *arg, const struct site *site);
        /* Fills in what the leases know of the address: peer->has_mac, mac, client. `client` must live
         * until release(). May be NULL. */
        void (*identify)(void *arg, struct site_peer *peer);
        void *arg;
};

struct site_files;

/* `source` is copied. */
struct site_files *site_files_new(const struct site_files_source *source);
struct site_files *site_files_free(struct site_files *files); /* returns NULL */
/* For the servers; valid until site_files_free(). */
const struct files *site_files_interface(const struct site_files *files);

/* A file beneath a folder, without any site: -ENOENT, -EACCES, -EISDIR with a message. */
int folder_file_open(const char *root, const char *path, struct file **ret, struct error *err);
/* A FAT volume in which the parts, which are open, have these names. It closes them, and frees the array, also after an
 * error (a name that FAT cannot store, more than fits). */
int volume_file_open(const char *const *names, struct file **parts, size_t n, struct file **ret, struct error *err);
/* A file in an image, by a path of disk/view.h. */
int image_file_open(const char *image, const char *path, struct file **ret, struct error *err);
/* What is remembered of images is given up; files that are open stay so. */
void image_files_forget(void);
