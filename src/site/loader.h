/* Boot loaders that come from the host's packages: one table, a row for each
 * file. They are looked for when a site is loaded. */
#pragma once

#include "site/profile.h"
#include "site/request.h"

struct site_loader_row {
        const char *name; /* as it is served */
        enum client_platform platform;
        enum site_loader family;
        unsigned int ways;          /* by PXE, by UEFI HTTP Boot */
        const char *package;        /* Debian's; NULL: none has it */
        const char *second;         /* the file that it starts, without which it counts as missing; or NULL */
        const char *starts, *entry; /* of a volume: the loader that it is made around, and its name in it; or NULL */
        const char *const hosts[4]; /* where packages put it, the best first; NULL-terminated */
};

/* `folder`: files of these names in it come first, and what they load too; or NULL. It lives as long as the site. */
void site_loaders_find(struct site *site, const char *folder);
/* The file for a platform, as the profile wishes; NULL: the host has none, and *ret_missing (may be NULL) is a row that
 * a package would fill, or NULL. */
const char *site_loader_for(const struct site *site, enum site_loader family, enum client_platform platform, bool http,
                            const struct site_loader_row **ret_missing);
/* Where the host has the loader, or one of the modules that it loads, that is served as `path`; NULL: nowhere. The
 * caller frees. */
char *site_loader_path(const struct site *site, const char *path);
/* Is it the name of a volume: a disk that UEFI fetches into memory by HTTP Boot, with a GRUB that needs no network? */
bool site_loader_is_volume(const char *name);
/* Of a volume that can be made: the loader that firmware starts in it, and what that starts in turn (or NULL), as they
 * are served; NULL: of none. `ret_entry` is where firmware looks for the first. The names live for ever. */
const char *site_loader_in_volume(const struct site *site, const char *name, const char **ret_entry,
                                  const char **ret_second);
/* Add the folders in which they lie. */
void site_loader_folders(const struct site *site, char ***folders);
/* Of a served name; AUTO: of none. */
enum site_loader site_loader_family(const char *name);
/* "iPXE", "GRUB"... */
const char *site_loader_title(enum site_loader family);
/* Is it GRUB that reads the configuration, at once or started by shim? */
bool site_loader_is_grub(enum site_loader family);
