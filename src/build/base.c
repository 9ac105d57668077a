/* What the steps start from: a vendor's image, a rootfs archive or a
 * bootstrapped system, each as one tree in the cache, keyed by the digest of
 * what was downloaded and by all that shapes the tree. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "build/base.h"
#include "build/seal.h"
#include "guest/node.h"
#include "source/transfer.h"

const char base_format[] = "base-3";

void base_clear(struct base *base)
{
        for (size_t i = 0; i < base->n_mounts; i++)
                free(base->mounts[i].mountpoint);
        free(base->mounts);
        free(base->image);
        free(base->tree);
        free(base->over);
        free(base->links);
        source_nodes_clear(&base->nodes);
        *base = (struct base){0};
}

static struct source_request request_of(const struct job *job)
{
        const struct arm_builder *arm = job->arm;

        return (struct source_request){
                .urls = STRV(arm->file_urls),
                .checksum = arm->file_checksum,
                .checksum_url = arm->file_checksum_url,
                .checksum_type = arm->file_checksum_type,
                .user_agent = arm->file_user_agent,
                .target_path = arm->file_target_path,
                .cache = job->cache.root,
                .ui = job->ui,
        };
}

static int fetch(struct job *job, struct source_file *ret, struct error *err)
{
        struct source_request request = request_of(job);
        CLEANUP_FREE char *shown = url_show(job->arm->file_urls[0]);

        ui_say(job->ui, "Retrieving %s", shown);
        return source_fetch(&request, ret, err);
}

/* Commands that only do what unpacking by content does: they are not run,
 * since ours uses all cores, leaves holes and needs no privileges for devices. */
static bool is_plain_unpacking(const char *const *argv)
{
        static const char *const programs[] = {"xz",     "unxz",  "gunzip", "gzip", "bunzip2", "bzip2", "zstd",
                                               "unzstd", "unzip", "bsdtar", "tar",  "lz4",     "7z",    NULL};
        static const char *const words[] = {"-d",
                                            "--decompress",
                                            "-xpf",
                                            "-xf",
                                            "-C",
                                            "-o",
                                            "-f",
                                            "-k",
                                            "-T0",
                                            "-v",
                                            "$MOUNTPOINT",
                                            "$TMP_DIR",
                                            "-q",
                                            "-xzpf",
                                            "-p",
                                            "-xzf",
                                            "-xJf",
                                            "-xJpf",
                                            "xpf",
                                            "xf",
                                            "x",
                                            "--keep",
                                            "-dk",
                                            "-dv",
                                            "--numeric-owner",
                                            "--same-owner",
                                            "-D",
                                            NULL};

        if (!strv_has(programs, path_name(argv[0])))
                return false;
        for (const char *const *word = argv + 1; *word; word++)
                if (strcmp(*word, "$ARCHIVE_PATH") != 0 && !strv_has(words, *word))
                        return false;
        return true;
}

const char *const *base_own_command(const struct job *job)
{
        const char *const *argv = STRV(job->arm->file_unarchive_cmd);

        if (!argv || !argv[0])
                return NULL;
        if (!is_plain_unpacking(argv))
                return argv;
        log_debug("file_unarchive_cmd '%s ...' is not run: the archive is unpacked by its content", argv[0]);
        return NULL;
}

static void key_strings(struct digest *digest, const char *const *strv)
{
        for (; strv && *strv; strv++)
                digest_string(digest, *strv);
        digest_string(digest, NULL);
}

void base_key(char key[DIGEST_HEX_MAX], const char *kind, const char *sha256, const char *const *argv)
{
        CLEANUP(digest_freep) struct digest *digest = digest_sha256();

        digest_string(digest, base_format);
        digest_string(digest, kind);
        digest_string(digest, sha256);
        key_strings(digest, argv);
        digest_final(digest, key);
}

/* ---- trees ---- */

int base_copy_folder(const char *from, const char *to, const char *path, struct error *err)
{
        CLEANUP_FREE char *source = xasprintf("%s%s", from, path), *target = xasprintf("%s%s", to, path);
        CLEANUP_CLOSE int in = open(source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), out = -1;
        int r;

        if (in < 0 && errno == ENOENT)
                return 0;
        if (in < 0 && (errno == ENOTDIR || errno == ELOOP))
                return error_set(err, ENOTDIR, "mountpoint '%s' is no folder in the image", path);
        out = open(target, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (in < 0 || out < 0)
                return error_errno(err, errno, "open folder '%s'", path);
        r = node_copy_attributes(in, out, err);
        return r < 0 ? error_wrap(err, r, "folder '%s'", path) : 0;
}

int base_mountpoint(const char *tree, const char *like, const char *mountpoint, char **ret, struct error *err)
{
        CLEANUP_FREE char *path = xasprintf("%s%s", tree, mountpoint);
        struct stat st;

        for (char *p = path + strlen(tree) + 1; p > path; p++) {
                char was = *p;
                int r = 0;

                if (was != '/' && was != '\0')
                        continue;
                *p = '\0';
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return error_errno(err, errno, "create mountpoint '%s'", mountpoint);
                if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
                        return error_set(err, ENOTDIR, "mountpoint '%s' is no folder in the image", mountpoint);
                if (like)
                        r = base_copy_folder(like, tree, path + strlen(tree), err);
                if (r < 0)
                        return r;
                *p = was;
                if (was == '\0')
                        break;
        }
        *ret = steal(&path);
        return 0;
}

/* In the namespaces. */
static int complete(void *arg, struct error *err)
{
        CLEANUP_FREE char *tree = path_join(arg, "tree"), *file = path_join(arg, "links");
        int r = guest_links_save(tree, file, err);

        return r < 0 ? r : seal_make(arg, err);
}

int base_tree_get(struct job *job, const char *what,
                  int (*fill)(struct job *job, const void *arg, const char *folder, struct error *err), const void *arg,
                  struct error *err)
{
        CLEANUP_FREE char *place = cache_place(&job->cache, "bases", job->base.key);
        CLEANUP_FREE char *staged = NULL;
        CLEANUP_CLOSE int lock = -1;
        int r;

        job->base.tree = path_join(place, "tree");
        job->base.links = path_join(place, "links");
        r = cache_lock(&job->cache, job->base.key, job->ui, &lock, err);
        if (r == 0)
                r = cache_take(&job->cache, job->ns, place, "The base", job->ui, err);
        if (r != 0)
                return r < 0 ? r : 0;
        ui_say(job->ui, "%s", what);
        r = cache_stage(&job->cache, "base", &staged, err);
        if (r == 0)
                r = fill(job, arg, staged, err);
        if (r == 0)
                r = userns_call(job->ns, complete, staged, err);
        if (r == 0)
                r = cache_commit(staged, place, err);
        if (r == 0)
                cache_describe(lock,
                               str_empty(job->base.image) ? "a root file system, unpacked" : "an image's file systems");
        return r;
}

int base_tree_make(const char *folder, char **ret, struct error *err)
{
        CLEANUP_FREE char *tree = path_join(folder, "tree");

        if (mkdir(tree, 0755) < 0)
                return error_errno(err, errno, "create folder '%s'", tree);
        *ret = steal(&tree);
        return 0;
}

/* ---- a rootfs archive ---- */

static int nodes_save(const struct source_nodes *nodes, const char *folder, struct error *err)
{
        CLEANUP_FREE char *path = path_join(folder, "nodes.json"), *text = NULL;
        json_t *list = json_array();
        int r = 0;

        for (size_t i = 0; r == 0 && i < nodes->n; i++) {
                const struct source_node *node = &nodes->v[i];

                r = json_array_append_new(list,
                                          json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "path", node->path, "mode",
                                                    (json_int_t)node->mode, "uid", (json_int_t)node->uid, "gid",
                                                    (json_int_t)node->gid, "major", (json_int_t)node->major, "minor",
                                                    (json_int_t)node->minor, "mtime", (json_int_t)node->mtime_sec));
        }
        text = json_dumps(list, JSON_INDENT(1));
        json_decref(list);
        if (r < 0 || !text)
                return error_set(err, EILSEQ, "the name of a device node in the archive is not UTF-8");
        return file_write(path, text, strlen(text), 0644, err);
}

static int node_read(const json_t *item, struct source_node *ret)
{
        json_int_t mode, uid, gid, major, minor, mtime;
        const char *path;

        if (json_unpack((json_t *)(uintptr_t)item, "{s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "path", &path, "mode", &mode, "uid",
                        &uid, "gid", &gid, "major", &major, "minor", &minor, "mtime", &mtime) < 0)
                return -EINVAL;
        *ret = (struct source_node){.path = xstrdup(path),
                                    .mode = (uint32_t)mode,
                                    .uid = (uint32_t)uid,
                                    .gid = (uint32_t)gid,
                                    .major = (uint32_t)major,
                                    .minor = (uint32_t)minor,
                                    .mtime_sec = mtime};
        return 0;
}

static int nodes_load(struct base *base, struct error *err)
{
        CLEANUP_FREE char *dir = path_dir(base->tree), *path = path_join(dir, "nodes.json");
        json_error_t problem;
        json_t *list, *item;
        size_t i;
        int r = 0;

        if (!path_exists(path))
                return 0;
        list = json_load_file(path, 0, &problem);
        if (!list)
                return error_set(err, EINVAL, "'%s': %s", path, problem.text);
        base->nodes.v = xcalloc(json_array_size(list) + 1, sizeof(*base->nodes.v));
        json_array_foreach(list, i, item)
        {
                r = node_read(item, &base->nodes.v[base->nodes.n]);
                if (r < 0)
                        break;
                base->nodes.n++;
        }
        json_decref(list);
        return r < 0 ? error_set(err, EINVAL, "'%s' is damaged", path) : 0;
}

struct unpack {
        struct job *job;
        const struct source_file *file;
        const char *folder, *tree;
};

/* An archive need not have the folders that the template mounts partitions on. */
static int make_mountpoints(const struct base *base, const char *tree, struct error *err)
{
        for (size_t i = 1; i < base->n_mounts; i++) {
                CLEANUP_FREE char *dir = NULL;
                int r = base_mountpoint(tree, NULL, base->mounts[i].mountpoint, &dir, err);

                if (r < 0)
                        return r;
        }
        return 0;
}

/* In the namespaces. */
static int unpack_tree(void *arg, struct error *err)
{
        struct unpack *unpack = arg;
        struct source_nodes nodes = {0};
        int r;

        if (base_own_command(unpack->job))
                r = source_unpack_command(base_own_command(unpack->job), unpack->file->path, unpack->tree,
                                          unpack->job->ui, err);
        else
                r = source_unpack_tree(unpack->file->path, unpack->tree, &nodes, unpack->job->ui, err);
        if (r < 0)
                error_wrap(err, r, "unpack '%s'", unpack->file->name);
        else
                r = nodes_save(&nodes, unpack->folder, err);
        if (r == 0)
                r = make_mountpoints(&unpack->job->base, unpack->tree, err);
        source_nodes_clear(&nodes);
        return r;
}

static int fill_from_archive(struct job *job, const void *archive, const char *folder, struct error *err)
{
        CLEANUP_FREE char *tree = NULL;
        int r = base_tree_make(folder, &tree, err);
        struct unpack unpack = {.job = job, .file = archive, .folder = folder, .tree = tree};

        return r < 0 ? r : userns_call(job->ns, unpack_tree, &unpack, err);
}

/* The tree of method new: what shapes it are the source and the mountpoints. */
static void new_tree_key(struct job *job, const char *kind, const char *source, const char *const *command)
{
        CLEANUP_STRV char **words = strv_dup(command);

        for (size_t i = 1; i < job->base.n_mounts; i++)
                strv_addf(&words, "mountpoint %s", job->base.mounts[i].mountpoint);
        base_key(job->base.key, kind, source, STRV(words));
}

static int plan_archive(struct job *job, const struct source_file *file, struct error *err)
{
        int r = mounts_plan(job, &job->base, err);

        if (r == 0)
                new_tree_key(job, "archive", file->sha256, base_own_command(job));
        return r;
}

static int prepare_archive(struct job *job, const struct source_file *file, struct error *err)
{
        int r = plan_archive(job, file, err);

        return r < 0 ? r : base_tree_get(job, "Unpacking the root file system", fill_from_archive, file, err);
}

/* ---- a bootstrapped system ---- */

static const struct {
        const char *debian;
        int machine;
} architectures[] = {
        {"arm64", EM_AARCH64}, {"armhf", EM_ARM},     {"armel", EM_ARM},     {"amd64", EM_X86_64},
        {"i386", EM_386},      {"riscv64", EM_RISCV}, {"ppc64el", EM_PPC64}, {"s390x", EM_S390},
};

static struct source_bootstrap bootstrap_request(const struct job *job)
{
        const struct arm_bootstrap *wanted = job->arm->bootstrap.v;

        return (struct source_bootstrap){
                .suite = wanted->suite,
                .architecture = wanted->architecture,
                .variant = wanted->variant,
                .mirror = wanted->mirror,
                .components = STRV(wanted->components),
                .packages = STRV(wanted->packages),
        };
}

static int bootstrap_tree(void *arg, struct error *err)
{
        struct unpack *unpack = arg;
        struct source_bootstrap request = bootstrap_request(unpack->job);

        int r = source_bootstrap(&request, unpack->tree, unpack->job->ui, err);

        return r < 0 ? r : make_mountpoints(&unpack->job->base, unpack->tree, err);
}

static int fill_from_bootstrap(struct job *job, const void *arg, const char *folder, struct error *err)
{
        const struct arm_bootstrap *wanted = job->arm->bootstrap.v;
        CLEANUP_FREE char *tree = NULL;
        struct unpack unpack = {.job = job, .folder = folder};
        int machine = EM_NONE, r;

        (void)arg;
        for (size_t i = 0; i < sizeof(architectures) / sizeof(*architectures); i++)
                if (str_eq(architectures[i].debian, wanted->architecture))
                        machine = architectures[i].machine;
        if (machine == EM_NONE)
                return error_set(
                        err, EINVAL,
                        "bootstrap: unknown architecture '%s'; Debian's names are expected, such as arm64 or armhf",
                        wanted->architecture);
        r = userns_binfmt(job->ns, machine, job->arm->qemu_binary_source_path, err);
        if (r == 0)
                r = base_tree_make(folder, &tree, err);
        unpack.tree = tree;
        return r < 0 ? r : userns_call(job->ns, bootstrap_tree, &unpack, err);
}

static int plan_bootstrap(struct job *job, struct error *err)
{
        struct source_bootstrap request = bootstrap_request(job);
        char hex[65];
        int r = mounts_plan(job, &job->base, err);

        if (r < 0)
                return r;
        source_bootstrap_key(&request, hex);
        new_tree_key(job, "bootstrap", hex, NULL);
        return 0;
}

static int prepare_bootstrap(struct job *job, struct error *err)
{
        int r = plan_bootstrap(job, err);

        return r < 0 ? r : base_tree_get(job, "Bootstrapping the root file system", fill_from_bootstrap, NULL, err);
}

/* ---- all of them ---- */

struct architecture {
        const char *tree;
        int machine, bits;
        char platform[sizeof(((struct job *)0)->platform)];
};

static int find_architecture(void *arg, struct error *err)
{
        struct architecture *found = arg;
        CLEANUP_FREE char *platform = NULL;
        int r = guest_architecture(found->tree, &found->machine, &found->bits, err);

        if (r == 0)
                r = guest_platform(found->tree, &platform, err);
        snprintf(found->platform, sizeof(found->platform), "%s", platform ? platform : "");
        return r;
}

int base_plan(struct job *job, bool *ret_ready, struct error *err)
{
        struct source_request request = request_of(job);
        CLEANUP(source_file_clear) struct source_file file = {0};
        CLEANUP_FREE char *place = NULL;
        int r;

        *ret_ready = false;
        if (job->arm->bootstrap.n > 0)
                r = plan_bootstrap(job, err);
        else if (source_known(&request, &file) < 0)
                return 1;
        else if (job->arm->method != IMAGE_NEW)
                return base_image_plan(job, &file, ret_ready, err);
        else
                r = plan_archive(job, &file, err);
        if (r < 0)
                return r;
        place = cache_place(&job->cache, "bases", job->base.key);
        *ret_ready = path_exists(place);
        return 0;
}

int base_prepare(struct job *job, struct error *err)
{
        struct source_file file = {0};
        struct architecture found;
        CLEANUP_ERROR struct error unsaved = {0};
        int r;

        if (job->arm->bootstrap.n > 0) {
                r = prepare_bootstrap(job, err);
        } else {
                r = fetch(job, &file, err);
                if (r == 0)
                        r = job->arm->method == IMAGE_NEW ? prepare_archive(job, &file, err)
                                                          : base_from_image(job, &file, err);
        }
        source_file_clear(&file);
        if (r == 0)
                r = nodes_load(&job->base, err);
        if (r < 0)
                return r;
        found.tree = job->base.tree;
        r = job_call(job, find_architecture, &found, sizeof(found), err);
        r = served_check(job, r, err);
        if (r < 0)
                return error_wrap(err, r, "the base system");
        job->machine = found.machine;
        job->bits = found.bits;
        memcpy(job->platform, found.platform, sizeof(job->platform));
        if (base_platform_save(job->cache.root, job->base.key, job->platform, &unsaved) < 0)
                log_debug("%s", error_message(&unsaved));
        memcpy(job->key, job->base.key, sizeof(job->key));
        strv_add(&job->layers, job->base.tree);
        if (job->base.over)
                strv_add(&job->layers, job->base.over);
        job->n_base_layers = strv_len(STRV(job->layers));
        log_debug("base %s (%s) in %s", job->base.key, guest_machine_name(job->machine, job->bits), job->base.tree);
        return userns_binfmt(job->ns, job->machine, job->arm->qemu_binary_source_path, err);
}
