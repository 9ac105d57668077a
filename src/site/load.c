/* Reading a site file: see site.h. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "site/loader.h"
#include "site/path.h"
#include "site/request.h"
#include "site/site_internal.h"

/* ---- the top level ---- */

struct top_block {
        const struct site_profile *default_profile;
        const char *root, *state, *loaders;
        const struct hcl_value *folders;
        bool capture;
};

#define KEY(...) SITE_KEY(struct top_block, __VA_ARGS__)
static const struct site_key top_keys[] = {
        KEY("default_profile", KEY_PROFILE, default_profile,
            .help = "What machines boot that are not in this file, or have no profile; left out: their own disk"),
        KEY("root", KEY_PATH, root, .help = "The folder whose files are served; /srv/tftp"),
        KEY("folders", KEY_VALUE, folders,
            .help = "More folders: { debian = \"/usr/lib/debian-installer\" } serves what lies there beneath debian/"),
        KEY("state", KEY_PATH, state, .help = "The folder of leases and events; /var/lib/slipway"),
        KEY("loaders", KEY_PATH, loaders,
            .help = "A folder of boot loaders that are taken before the host's packages'"),
        KEY("capture", KEY_BOOL, capture, .help = "Packets of boots are kept for 'slipway machine pcap'; true"),
};
#undef KEY
static const char *const top_blocks[] = {"listen", "network", "profile", "machine", "locals", "local", NULL};
const struct site_block site_block_top = {
        SITE_KEYS(top_keys),
        .blocks = top_blocks,
        .help = "The site",
};

#define KEY(...) SITE_KEY(struct site_listen, __VA_ARGS__)
static const struct site_key listen_keys[] = {
        KEY("tftp", KEY_PORT, tftp, .help = "Port of TFTP; 69"),
        KEY("tftp_single_port", KEY_BOOL, tftp_single_port, .help = "TFTP transfers stay on that port; false"),
        KEY("tftp_fragments", KEY_BOOL, tftp_fragments,
            .help = "TFTP blocks as large as the client asks for, above the network's MTU too; false"),
        KEY("http", KEY_PORT, http, .help = "Port of HTTP; 80"),
        KEY("https", KEY_PORT, https, .help = "Port of HTTPS; left out: none"),
        KEY("certificate", KEY_PATH, certificate, .help = "PEM file for HTTPS"),
        KEY("key", KEY_PATH, key, .help = "PEM file of its private key"),
};
#undef KEY
const struct site_block site_block_listen = {
        .type = "listen",
        SITE_KEYS(listen_keys),
        .help = "Which ports are served; 0: not at all",
};

static void read_listen(struct load *load, const struct hcl_block *block)
{
        struct site_listen *listen = &load->site->listen;
        struct hcl_content content;

        site_keys_read(load, &site_block_listen, block->body, &load->private->scope, listen, &content);
        if (listen->https && (!listen->certificate || !listen->key))
                diag_error(load->diags, block->open_range, "HTTPS needs a certificate and its key");
        site_check_path(load, listen->certificate, site_key_range(&content, "certificate", NO_RANGE),
                        "the certificate");
        site_check_path(load, listen->key, site_key_range(&content, "key", NO_RANGE), "the key");
}

/* ---- names ---- */

const char *load_path(struct load *load, const char *path)
{
        CLEANUP_FREE char *joined = path_join(load->folder, path);

        return arena_strdup(load->arena, joined);
}

const struct hcl_scope *load_scope(const struct load *load, const struct hcl_block *block)
{
        return block->scope ? block->scope : &load->private->scope;
}

const char *load_hint(struct load *load, const char *nearest)
{
        return nearest ? arena_printf(load->arena, "; did you mean '%s'?", nearest) : "";
}

const char *load_place(struct load *load, struct range at)
{
        unsigned int line, column;

        range_position(&at, &line, &column);
        if (load->private->sources.n == 1)
                return arena_printf(load->arena, "line %u", line);
        return arena_printf(load->arena, "line %u of %s", line, at.source->path);
}

struct site_profile *load_profile(struct load *load, const char *name)
{
        for (size_t i = 0; i < load->profiles.n; i++)
                if (strcmp(load->profiles.v[i].profile->name, name) == 0)
                        return load->profiles.v[i].profile;
        return NULL;
}

const char *load_nearest_profile(struct load *load, const char *name)
{
        const char **names = arena_array(load->arena, load->profiles.n + 1, sizeof(*names));

        for (size_t i = 0; i < load->profiles.n; i++)
                names[i] = load->profiles.v[i].profile->name;
        return str_nearest(name, names);
}

/* ---- order: what others refer to comes first ---- */

static void each_block(struct load *load, const struct hcl_content *content, const char *type,
                       void (*read)(struct load *load, const struct hcl_block *block))
{
        for (size_t i = 0; i < content->n_blocks; i++)
                if (strcmp(content->blocks[i].type, type) == 0 &&
                    content->blocks[i].n_labels >= (size_t)(strcmp(type, "listen") != 0))
                        read(load, &content->blocks[i]);
}

static void add_local_disk(struct load *load)
{
        struct site_profile *profile = arena_alloc(load->arena, sizeof(*profile));

        *profile = (struct site_profile){.name = "local-disk", .local_disk = true, .variables = &hcl_empty_object};
        vec_push(&load->profiles, (struct named_profile){profile, NULL});
}

/* Of one more file, to what others said. */
static void add_content(struct load *load, struct hcl_content *all, const struct hcl_content *more)
{
        struct hcl_attr *attrs = arena_array(load->arena, all->n_attrs + more->n_attrs, sizeof(*attrs));
        struct hcl_block *blocks = arena_array(load->arena, all->n_blocks + more->n_blocks, sizeof(*blocks));
        size_t n_attrs = 0, n_blocks = 0;

        for (size_t i = 0; i < all->n_attrs; i++)
                attrs[n_attrs++] = all->attrs[i];
        for (size_t i = 0; i < more->n_attrs; i++) {
                const struct hcl_attr *attr = &more->attrs[i], *before = hcl_content_attr(all, attr->name);

                if (before) {
                        diag_error(load->diags, attr->name_range, "'%s' is set twice", attr->name);
                        diag_detail(load->diags, "It is set in %s already.", load_place(load, before->name_range));
                } else {
                        attrs[n_attrs++] = *attr;
                }
        }
        for (size_t i = 0; i < all->n_blocks + more->n_blocks; i++)
                blocks[n_blocks++] = i < all->n_blocks ? all->blocks[i] : more->blocks[i - all->n_blocks];
        *all = (struct hcl_content){.attrs = attrs, .n_attrs = n_attrs, .blocks = blocks, .n_blocks = n_blocks};
}

/* locals must be known before `dynamic` blocks are expanded: they are read from a first look at the bodies. */
static void read_locals(struct load *load)
{
        static const struct hcl_block_schema kinds[] = {{"locals", {NULL}}, {"local", {"name"}}};
        static const struct hcl_body_schema schema = {.blocks = kinds, .n_blocks = 2};
        struct hcl_content all = {0}, content;

        for (size_t i = 0; i < load->bodies.n; i++) {
                struct diags twice = {0}; /* the second reading says the same */

                hcl_body_partial(load->arena, load->bodies.v[i], &schema, NULL, &content, &twice);
                diags_clear(&twice);
                add_content(load, &all, &content);
        }
        load_locals(load, all.blocks, all.n_blocks);
}

static void check_listen(struct load *load, const struct hcl_content *content)
{
        const struct hcl_block *first = NULL;

        for (size_t i = 0; i < content->n_blocks; i++) {
                const struct hcl_block *block = &content->blocks[i];

                if (strcmp(block->type, "listen") != 0)
                        continue;
                if (first) {
                        diag_error(load->diags, block->open_range, "there are two blocks 'listen'");
                        diag_detail(load->diags, "The other one is in %s.", load_place(load, first->open_range));
                }
                first = first ? first : block;
        }
}

/* "a/b" = "FOLDER": the longest prefix of a path counts. */
static void read_folders(struct load *load, const struct hcl_value *folders, struct range at)
{
        size_t n = folders ? folders->list.n : 0;
        struct site_folder *v = arena_array(load->arena, n, sizeof(*v));

        for (size_t i = 0; i < n; i++) {
                const char *prefix = folders->list.keys[i].s, *path;
                CLEANUP_FREE char *clean = NULL;

                if (!site_value_text(load, folders->list.v[i], at, prefix, &path))
                        continue;
                if (site_path_clean(prefix, &clean, NULL) < 0) {
                        diag_error(load->diags, at, "'%s' cannot be the beginning of a path", prefix);
                        continue;
                }
                v[load->private->n_folders] =
                        (struct site_folder){arena_printf(load->arena, "%s/", clean), load_path(load, path)};
                site_check_path(load, v[load->private->n_folders++].path, at, "the folder");
        }
        load->private->folders = v;
}

/* The files as one. */
static struct hcl_content read_content(struct load *load)
{
        struct hcl_content all = {0}, content;

        for (size_t i = 0; i < load->bodies.n; i++) {
                site_keys_content(load, &site_block_top, load->bodies.v[i], &load->private->scope, &content);
                add_content(load, &all, &content);
        }
        check_listen(load, &all);
        return all;
}

static void read_bodies(struct load *load)
{
        struct top_block top = {.root = "/srv/tftp", .state = "/var/lib/slipway", .capture = true};
        struct hcl_content content;
        struct site *site = load->site;

        add_local_disk(load);
        read_locals(load);
        content = read_content(load);
        each_block(load, &content, "profile", load_profile_names);
        site_keys_values(load, &site_block_top, &content, &load->private->scope, &top);
        site->default_profile = top.default_profile;
        site->root = top.root;
        site->state = top.state;
        site->capture = top.capture;
        read_folders(load, top.folders, site_key_range(&content, "folders", NO_RANGE));
        if (hcl_content_attr(&content, "root"))
                site_check_path(load, top.root, site_key_range(&content, "root", NO_RANGE), "the root");
        site_check_path(load, top.loaders, site_key_range(&content, "loaders", NO_RANGE), "the folder of loaders");
        site_loaders_find(site, top.loaders);
        each_block(load, &content, "listen", read_listen);
        for (size_t i = 0; i < load->profiles.n; i++)
                if (load->profiles.v[i].block)
                        load_profile_body(load, &load->profiles.v[i]);
        each_block(load, &content, "network", load_network);
        each_block(load, &content, "machine", load_machine);
}

/* ---- the result ---- */

/* Everything becomes the site's; from here on nothing moves in memory. */
static void hand_over(struct load *load)
{
        const struct site_profile **profiles =
                arena_array(load->arena, load->profiles.n, sizeof(const struct site_profile *));
        struct site *site = load->site;

        for (size_t i = 0; i < load->profiles.n; i++)
                profiles[i] = load->profiles.v[i].profile;
        load->private->networks =
                arena_memdup(load->arena, load->networks.v, load->networks.n * sizeof(*load->networks.v));
        site->networks = load->private->networks;
        site->n_networks = load->networks.n;
        site->profiles = profiles;
        site->n_profiles = load->profiles.n;
        site->machines = arena_memdup(load->arena, load->machines.v, load->machines.n * sizeof(*load->machines.v));
        site->n_machines = load->machines.n;
}

static void load_clear(struct load *load)
{
        vec_free(&load->bodies);
        vec_free(&load->networks);
        vec_free(&load->network_places);
        vec_free(&load->profiles);
        vec_free(&load->machines);
        vec_free(&load->machine_places);
        vec_free(&load->options);
}

static struct site *site_new(const char *folder)
{
        struct site *site = xcalloc(1, sizeof(*site));
        struct site_private *private = xcalloc(1, sizeof(*private));

        site->private = private;
        site->listen = (struct site_listen){.tftp = 69, .http = 80};
        pthread_mutex_init(&private->lock, NULL);
        private->env = (struct hcl_env){
                .base_dir = arena_strdup(&private->arena, folder), .start = time(NULL), .env_allowed = true};
        private->base =
                (struct hcl_scope){.functions = hcl_functions, .n_functions = hcl_n_functions, .env = &private->env};
        private->scope = (struct hcl_scope){.parent = &private->base};
        return site;
}

struct site *site_free(struct site *site)
{
        struct site_private *private = site ? site->private : NULL;

        if (!private)
                return NULL;
        for (size_t i = 0; i < private->trees.n; i++)
                value_free(private->trees.v[i]);
        vec_free(&private->trees);
        for (size_t i = 0; i < private->sources.n; i++)
                source_text_free(private->sources.v[i]);
        vec_free(&private->sources);
        pthread_mutex_destroy(&private->lock);
        arena_free(&private->arena);
        free(private);
        free(site);
        return NULL;
}

/* The text becomes the site's. False: nothing of it can be read. */
static bool load_body(struct load *load, struct source_text *source)
{
        const struct hcl_body *body;
        struct value *json = NULL;

        vec_push(&load->private->sources, source);
        if (str_ends(source->path, ".json"))
                body = hcl_parse_json(load->arena, source, &json, load->diags);
        else
                body = hcl_parse(load->arena, source, load->diags);
        if (json)
                vec_push(&load->private->trees, json);
        if (body)
                vec_push(&load->bodies, body);
        return body != NULL;
}

/* The texts become the site's. */
static int load_sources(struct source_text *const *sources, size_t n, const char *folder, struct site **ret,
                        struct diags *diags)
{
        struct site *site = site_new(folder);
        struct load load = {
                .site = site,
                .private = site->private,
                .arena = &site->private->arena,
                .diags = diags,
                .folder = site->private->env.base_dir,
        };
        size_t errors_before = diags->n_errors;
        bool whole = true;

        for (size_t i = 0; i < n; i++)
                whole &= load_body(&load, sources[i]);
        if (whole) {
                read_bodies(&load);
                hand_over(&load);
                load_check(&load);
        }
        load_clear(&load);
        if (diags->n_errors > errors_before) {
                site_free(site);
                return -EINVAL;
        }
        *ret = site;
        return 0;
}

int site_load_text(const char *name, const char *text, const char *folder, struct site **ret, struct diags *diags)
{
        struct source_text *source = source_text_new(name, text, strlen(text));

        return load_sources(&source, 1, folder, ret, diags);
}

/* ---- files ---- */

struct sources {
        VEC(struct source_text *) v; /* until they are the site's */
};

static void sources_clear(struct sources *sources)
{
        for (size_t i = 0; i < sources->v.n; i++)
                source_text_free(sources->v.v[i]);
        vec_free(&sources->v);
}

static int read_source(struct sources *sources, const char *path, struct error *err)
{
        struct source_text *source = NULL;
        int r = source_text_read(path, &source, err);

        if (r == 0)
                vec_push(&sources->v, source);
        return r;
}

/* All site files of a folder. */
static int read_folder(struct sources *sources, const char *folder, struct error *err)
{
        CLEANUP_STRV char **names = NULL;
        int r = dir_names(folder, &names, err);

        for (size_t i = 0; r == 0 && names && names[i]; i++) {
                CLEANUP_FREE char *path = path_join(folder, names[i]);

                if (str_ends(names[i], ".hcl") || str_ends(names[i], ".hcl.json"))
                        r = read_source(sources, path, err);
        }
        if (r == 0 && sources->v.n == 0)
                return error_set(err, ENOENT, "the folder '%s' holds no site file: none is named *.hcl or *.hcl.json",
                                 folder);
        return r;
}

static int read_sources(struct sources *sources, const char *path, char **ret_folder, struct error *err)
{
        struct stat st;
        bool is_folder = strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
        CLEANUP_FREE char *folder = is_folder ? xstrdup(path) : strcmp(path, "-") == 0 ? xstrdup(".") : path_dir(path);
        int r = is_folder ? read_folder(sources, path, err) : read_source(sources, path, err);

        if (r < 0)
                return r;
        *ret_folder = realpath(folder, NULL);
        return *ret_folder ? 0 : error_errno(err, errno, "the folder '%s'", folder);
}

int site_load(const char *path, struct site **ret, struct diags *diags)
{
        CLEANUP(sources_clear) struct sources sources = {0};
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *folder = NULL;
        size_t n;

        if (read_sources(&sources, path, &folder, &err) < 0) {
                diag_error(diags, NO_RANGE, "%s", error_message(&err));
                return -EINVAL;
        }
        n = sources.v.n;
        sources.v.n = 0;
        return load_sources(sources.v.v, n, folder, ret, diags);
}
