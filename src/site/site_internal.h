/* What the parts of the room share. load.c reads a file and its top level;
 * keys.c and parse.c a block's keys; network.c, machine.c, profile.c and
 * option.c blocks; check.c judges the whole; lookup.c finds machines. boot.c
 * and loader.c say what a client is given, path.c, file.c and render_*.c what
 * is at a path, request.c what expressions see then. */
#pragma once

#include <pthread.h>

#include "base/vec.h"
#include "hcl/function.h"
#include "site/keys.h"
#include "site/profile.h"
#include "site/site.h"

/* Machines by the bytes of some key. */
struct site_map {
        struct site_map_slot {
                const void *key;
                size_t len;
                const struct site_machine *machine;
        } * slots;
        size_t size; /* a power of two, or 0 */
};
void site_map_init(struct site_map *map, struct arena *arena, size_t n);
/* Returns the machine that has the key already, or NULL: added. */
const struct site_machine *site_map_add(struct site_map *map, const void *key, size_t len,
                                        const struct site_machine *machine);

/* A folder that is served beside the root. */
struct site_folder {
        const char *prefix, *path; /* "debian/"; absolute */
};

struct site_private {
        struct arena arena;
        pthread_mutex_t lock; /* requests are evaluated one at a time: messages count references to sources */
        VEC(struct source_text *) sources;
        VEC(struct value *) trees; /* of JSON forms */
        struct hcl_env env;
        struct hcl_scope base, scope;  /* functions; local.NAME too */
        struct site_network *networks; /* site->networks, for site_bind() */
        struct site_map by_mac, by_uuid, by_serial, by_name, by_address;
        const struct site_folder *folders;
        size_t n_folders;
        const char *loader_folder; /* of the site's own ones, or NULL */
        const char **loaders;      /* where the host has each row of site_loaders[]; NULL: nowhere */
};

/* Where things were written, for messages after they were read. */
struct machine_places {
        struct range name, mac, uuid, serial, address;
};
struct network_places {
        struct range name, address, subnet, ranges, interface;
};
struct named_profile {
        struct site_profile *profile;
        const struct hcl_block *block;
};

struct load {
        struct site *site;
        struct site_private *private;
        struct arena *arena; /* the site's */
        struct diags *diags;
        const char *folder;                  /* of the site file, absolute */
        VEC(const struct hcl_body *) bodies; /* of each file */
        VEC(struct site_network) networks;
        VEC(struct network_places) network_places;
        VEC(struct named_profile) profiles;
        VEC(struct site_machine) machines;
        VEC(struct machine_places) machine_places;
        VEC(struct site_option) options; /* of the block that is being read */
};

/* What the block's expressions see: a dynamic block has a scope of its own. */
const struct hcl_scope *load_scope(const struct load *load, const struct hcl_block *block);
/* "; did you mean 'NEAREST'?", or "" for NULL. */
const char *load_hint(struct load *load, const char *nearest);
/* Absolute: relative ones begin at the site file's folder. */
const char *load_path(struct load *load, const char *path);
/* Of what was written somewhere else: "line 3", or "line 3 of FILE" where the site has several files. */
const char *load_place(struct load *load, struct range at);
struct site_profile *load_profile(struct load *load, const char *name); /* or NULL */
const char *load_nearest_profile(struct load *load, const char *name);  /* or NULL */

/* keys.c: the body's keys into *out, its blocks into *ret. What is wrong is in
 * diags and its field left as it was. The first does what the other two do. */
void site_keys_read(struct load *load, const struct site_block *spec, const struct hcl_body *body,
                    const struct hcl_scope *scope, void *out, struct hcl_content *ret);
void site_keys_content(struct load *load, const struct site_block *spec, const struct hcl_body *body,
                       const struct hcl_scope *scope, struct hcl_content *ret);
void site_keys_values(struct load *load, const struct site_block *spec, const struct hcl_content *content,
                      const struct hcl_scope *scope, void *out);
/* Where a key was written; the block's beginning if it was not. */
struct range site_key_range(const struct hcl_content *content, const char *name, struct range otherwise);

/* parse.c: values as C; false after a message. */
bool site_parse_address(const char *s, uint32_t *ret);
const char *site_show_address(struct arena *arena, uint32_t address);
bool site_value_text(struct load *load, const struct hcl_value *value, struct range at, const char *what,
                     const char **ret);
bool site_value_address(struct load *load, const struct hcl_value *value, struct range at, uint32_t *ret);
bool site_value_subnet(struct load *load, const struct hcl_value *value, struct range at, bool host, uint32_t ret[2]);
bool site_value_seconds(struct load *load, const struct hcl_value *value, struct range at, uint32_t *ret);
bool site_value_ranges(struct load *load, const struct hcl_value *value, struct range at, struct site_ranges_key *ret);
bool site_value_macs(struct load *load, const struct hcl_value *value, struct range at, struct site_macs *ret);

/* option.c */
void site_option_key(struct load *load, const struct site_key *key, const struct hcl_value *value, struct range at);
void site_option_block(struct load *load, const struct hcl_block *block, const struct hcl_scope *scope);
/* What was collected since, which is then empty again. */
struct site_options site_options_take(struct load *load);

/* One block of each kind. */
void load_network(struct load *load, const struct hcl_block *block);
void load_machine(struct load *load, const struct hcl_block *block);
void load_profile_names(struct load *load, const struct hcl_block *block);
void load_profile_body(struct load *load, const struct named_profile *named);
/* root.c */
void load_root(struct load *load, const struct hcl_block *block, struct site_profile *profile);
void site_check_roots(struct load *load);
/* locals.c: into private->scope. */
void load_locals(struct load *load, const struct hcl_block *blocks, size_t n);
/* Members of both objects (NULL: none), those of `over` winning; sensitive: so marked. */
const struct hcl_value *site_merge(struct arena *arena, const struct hcl_value *under, const struct hcl_value *over,
                                   bool sensitive);

/* Where a path of the name space lies on disk: the folder, and *ret_rest, the path in it. */
const char *site_root_of(const struct site *site, const char *path, const char **ret_rest);

/* lookup.c */
const struct site_machine *site_machine_by_serial(const struct site *site, uint32_t serial);
const struct site_machine *site_machine_by_address(const struct site *site, uint32_t address);

/* check.c: after all was read, and before anybody asks. */
void load_check(struct load *load);

/* load.c: from memory; relative paths begin at the folder. */
int site_load_text(const char *name, const char *text, const char *folder, struct site **ret, struct diags *diags);

/* Rows of the tables, for keys.c. */
extern const struct site_block site_block_top, site_block_listen, site_block_network, site_block_option,
        site_block_profile, site_block_answers, site_block_root, site_block_machine;
