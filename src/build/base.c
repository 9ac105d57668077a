/* What the steps start from: a vendor's image, a rootfs archive or a
 * bootstrapped system, each as one tree in the cache, keyed by the digest of
 * what was downloaded and by all that shapes the tree. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/size.h"
#include "base/str.h"
#include "build/job.h"

/* Raised when what lies in the cache would be made in another way. */
static const char base_format[] = "base-1";

void base_clear(struct base *base)
{
        for (size_t i = 0; i < base->n_mounts; i++)
                free(base->mounts[i].mountpoint);
        free(base->mounts);
        free(base->image);
        free(base->tree);
        source_nodes_clear(&base->nodes);
        *base = (struct base){0};
}

static int fetch(struct job *job, struct source_file *ret, struct error *err)
{
        const struct arm_builder *arm = job->arm;
        struct source_request request = {
                .urls = STRV(arm->file_urls),
                .checksum = arm->file_checksum,
                .checksum_url = arm->file_checksum_url,
                .checksum_type = arm->file_checksum_type,
                .user_agent = arm->file_user_agent,
                .target_path = arm->file_target_path,
                .cache = job->cache.root,
                .ui = job->ui,
        };

        ui_say(job->ui, "Retrieving %s", arm->file_urls[0]);
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

static const char *const *own_command(const struct job *job)
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

static void base_key(char key[DIGEST_HEX_MAX], const char *kind, const char *sha256, const char *const *argv)
{
        CLEANUP(digest_freep) struct digest *digest = digest_sha256();

        digest_string(digest, base_format);
        digest_string(digest, kind);
        digest_string(digest, sha256);
        key_strings(digest, argv);
        digest_final(digest, key);
}

/* ---- a vendor's image ---- */

static int unpack_by_command(struct job *job, const struct source_file *file, int to, struct error *err)
{
        CLEANUP_FREE char *dir = NULL;
        int r = cache_stage(&job->cache, "unpack", &dir, err);

        return r < 0 ? r : source_unpack_command_image(own_command(job), file->path, file->name, dir, to, job->ui, err);
}

static int unpack_image(struct job *job, const struct source_file *file, const char *place, struct error *err)
{
        CLEANUP_FREE char *dir = path_dir(place);
        CLEANUP_CLOSE int fd = -1;
        int r = file_nameless(dir, 0644, &fd, err);

        if (r < 0)
                return r;
        ui_say(job->ui, "Unpacking %s", file->name);
        r = own_command(job) ? unpack_by_command(job, file, fd, err)
                             : source_unpack_image(file->path, fd, job->ui, err);
        if (r < 0)
                return error_wrap(err, r, "unpack '%s'", file->name);
        return file_publish(fd, place, err);
}

struct extract {
        struct base *base;
        const char *tree;
        struct ui *ui;
};

/* A mountpoint as a folder of the tree, made if missing, through no symlink. */
static int tree_mountpoint(const char *tree, const char *mountpoint, char **ret, struct error *err)
{
        CLEANUP_FREE char *path = xasprintf("%s%s", tree, mountpoint);
        struct stat st;

        for (char *p = path + strlen(tree) + 1; p > path; p++) {
                char was = *p;

                if (was != '/' && was != '\0')
                        continue;
                *p = '\0';
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return error_errno(err, errno, "create mountpoint '%s'", mountpoint);
                if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
                        return error_set(err, ENOTDIR, "mountpoint '%s' is no folder in the image", mountpoint);
                *p = was;
                if (was == '\0')
                        break;
        }
        *ret = steal(&path);
        return 0;
}

/* In the namespaces: each mounted file system at its place in the tree. What
 * lies under a mountpoint in the file system above is hidden, as by a mount. */
static int extract_mounts(void *arg, struct error *err)
{
        struct extract *extract = arg;
        struct base *base = extract->base;

        for (size_t i = 0; i < base->n_mounts; i++) {
                struct job_mount *mount = &base->mounts[i];
                CLEANUP_FREE char *name = xasprintf("partition %u (%s)", mount->number, mount->mountpoint);
                CLEANUP_FREE char *dir = NULL;
                struct fs_volume volume = {base->image, mount->start_bytes, mount->size_bytes, name};
                int r;

                if (!mount->type->extract)
                        return error_set(err, ENOTSUP, "%s is %s, which can be made (method new) but not read", name,
                                         mount->type->name);
                r = mount->type->check ? mount->type->check(&volume, true, err) : 0;
                if (r == 0 && i > 0)
                        r = tree_mountpoint(extract->tree, mount->mountpoint, &dir, err);
                if (r == 0 && dir)
                        r = tree_remove(dir, err);
                if (r == 0 && dir && mkdir(dir, 0755) < 0)
                        r = error_errno(err, errno, "create folder '%s'", dir);
                if (r == 0)
                        r = mount->type->extract(&volume, dir ? dir : extract->tree, extract->ui, err);
                if (r < 0)
                        return error_wrap(err, r, "%s of the image", name);
        }
        return 0;
}

static void image_tree_key(struct job *job, const char *image_key, char key[DIGEST_HEX_MAX])
{
        CLEANUP(digest_freep) struct digest *digest = digest_sha256();

        digest_string(digest, base_format);
        digest_string(digest, image_key);
        for (size_t i = 0; i < job->base.n_mounts; i++) {
                char number[24];

                snprintf(number, sizeof(number), "%u", job->base.mounts[i].number);
                digest_string(digest, number);
                digest_string(digest, job->base.mounts[i].mountpoint);
        }
        digest_final(digest, key);
}

/* base->tree: from the cache, or made by `fill` in staging and moved there. */
static int tree_get(struct job *job, const char *what,
                    int (*fill)(struct job *job, const void *arg, const char *folder, struct error *err),
                    const void *arg, struct error *err)
{
        CLEANUP_FREE char *place = cache_place(&job->cache, "bases", job->base.key);
        CLEANUP_FREE char *staged = NULL;
        CLEANUP_CLOSE int lock = -1;
        int r;

        job->base.tree = path_join(place, "tree");
        r = cache_lock(&job->cache, job->base.key, job->ui, &lock, err);
        if (r < 0 || path_exists(place))
                return r;
        ui_say(job->ui, "%s", what);
        r = cache_stage(&job->cache, "base", &staged, err);
        if (r == 0)
                r = fill(job, arg, staged, err);
        return r < 0 ? r : cache_commit(staged, place, err);
}

static int make_tree(const char *folder, char **ret, struct error *err)
{
        CLEANUP_FREE char *tree = path_join(folder, "tree");

        if (mkdir(tree, 0755) < 0)
                return error_errno(err, errno, "create folder '%s'", tree);
        *ret = steal(&tree);
        return 0;
}

static int fill_from_image(struct job *job, const void *arg, const char *folder, struct error *err)
{
        CLEANUP_FREE char *tree = NULL;
        struct extract extract = {.base = &job->base, .ui = job->ui};
        int r = make_tree(folder, &tree, err);

        (void)arg;
        extract.tree = tree;
        return r < 0 ? r : userns_call(job->ns, extract_mounts, &extract, err);
}

static int prepare_image(struct job *job, const struct source_file *file, struct error *err)
{
        struct base *base = &job->base;
        char image_key[DIGEST_HEX_MAX];
        CLEANUP_FREE char *name = NULL;
        CLEANUP_CLOSE int lock = -1;
        int r;

        base_key(image_key, "image", file->sha256, own_command(job));
        r = cache_lock(&job->cache, image_key, job->ui, &lock, err);
        if (r < 0)
                return r;
        name = xasprintf("%s.img", image_key);
        base->image = cache_place(&job->cache, "images", name);
        if (!path_exists(base->image))
                r = unpack_image(job, file, base->image, err);
        close_p(&lock);
        if (r == 0)
                r = mounts_find(job, base->image, base, err);
        if (r < 0)
                return r;
        image_tree_key(job, image_key, base->key);
        return tree_get(job, "Reading the image's file systems", fill_from_image, NULL, err);
}

/* ---- a rootfs archive ---- */

static int nodes_save(const struct source_nodes *nodes, const char *folder, struct error *err)
{
        CLEANUP_FREE char *path = path_join(folder, "nodes.json"), *text = NULL;
        json_t *list = json_array();

        for (size_t i = 0; i < nodes->n; i++) {
                const struct source_node *node = &nodes->v[i];

                json_array_append_new(list, json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I}", "path", node->path, "mode",
                                                      (json_int_t)node->mode, "uid", (json_int_t)node->uid, "gid",
                                                      (json_int_t)node->gid, "major", (json_int_t)node->major, "minor",
                                                      (json_int_t)node->minor, "mtime", (json_int_t)node->mtime_sec));
        }
        text = json_dumps(list, JSON_INDENT(1));
        json_decref(list);
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
                int r = tree_mountpoint(tree, base->mounts[i].mountpoint, &dir, err);

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

        if (own_command(unpack->job))
                r = source_unpack_command(own_command(unpack->job), unpack->file->path, unpack->tree, unpack->job->ui,
                                          err);
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
        int r = make_tree(folder, &tree, err);
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

static int prepare_archive(struct job *job, const struct source_file *file, struct error *err)
{
        int r = mounts_plan(job, &job->base, err);

        if (r < 0)
                return r;
        new_tree_key(job, "archive", file->sha256, own_command(job));
        return tree_get(job, "Unpacking the root file system", fill_from_archive, file, err);
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
                r = make_tree(folder, &tree, err);
        unpack.tree = tree;
        return r < 0 ? r : userns_call(job->ns, bootstrap_tree, &unpack, err);
}

static int prepare_bootstrap(struct job *job, struct error *err)
{
        struct source_bootstrap request = bootstrap_request(job);
        char hex[65];
        int r = mounts_plan(job, &job->base, err);

        if (r < 0)
                return r;
        source_bootstrap_key(&request, hex);
        new_tree_key(job, "bootstrap", hex, NULL);
        return tree_get(job, "Bootstrapping the root file system", fill_from_bootstrap, NULL, err);
}

/* ---- all of them ---- */

struct architecture {
        const char *tree;
        int machine, bits;
};

static int find_architecture(void *arg, struct error *err)
{
        struct architecture *found = arg;

        return guest_architecture(found->tree, &found->machine, &found->bits, err);
}

int base_prepare(struct job *job, struct error *err)
{
        struct source_file file = {0};
        struct architecture found;
        int r;

        if (job->arm->bootstrap.n > 0) {
                r = prepare_bootstrap(job, err);
        } else {
                r = fetch(job, &file, err);
                if (r == 0)
                        r = job->arm->method == IMAGE_NEW ? prepare_archive(job, &file, err)
                                                          : prepare_image(job, &file, err);
        }
        source_file_clear(&file);
        if (r == 0)
                r = nodes_load(&job->base, err);
        if (r < 0)
                return r;
        found.tree = job->base.tree;
        r = job_call(job, find_architecture, &found, sizeof(found), err);
        if (r < 0)
                return error_wrap(err, r, "the base system");
        job->machine = found.machine;
        job->bits = found.bits;
        memcpy(job->key, job->base.key, sizeof(job->key));
        strv_add(&job->layers, job->base.tree);
        log_debug("base %s (%s) in %s", job->base.key, guest_machine_name(job->machine, job->bits), job->base.tree);
        return userns_binfmt(job->ns, job->machine, job->arm->qemu_binary_source_path, err);
}
