/* The table of post-processors, and what they share (post.h). */
#include "package/package.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/packed.h"
#include "base/str.h"
#include "base/vec.h"
#include "local/script.h"
#include "package/executable.h"
#include "package/post.h"

static const struct post_processor_type *const post_processor_types[] = {
        &artifice_post_processor, &bmap_post_processor,          &checksum_post_processor,
        &compress_post_processor, &docker_import_post_processor, &docker_push_post_processor,
        &flasher_post_processor,  &manifest_post_processor,      &shell_local_post_processor,
};

enum { N_TYPES = sizeof(post_processor_types) / sizeof(*post_processor_types) };

const struct post_processor_type *post_processor_find(const char *name)
{
        for (size_t i = 0; i < N_TYPES; i++)
                if (str_eq(post_processor_types[i]->name, name))
                        return post_processor_types[i];
        return executable_find(name);
}

const char *const *post_processor_names(void)
{
        static const char *names[N_TYPES + 1];

        for (size_t i = 0; i < N_TYPES; i++)
                names[i] = post_processor_types[i]->name;
        return names;
}

void artifact_clear(struct artifact *artifact)
{
        free(artifact->builder_id);
        free(artifact->id);
        strv_free(artifact->files);
        *artifact = (struct artifact){0};
}

void artifact_copy(const struct artifact *in, struct artifact *ret)
{
        *ret = (struct artifact){
                .builder_id = xstrdup(in->builder_id), .id = xstrdup(in->id), .files = strv_dup(STRV(in->files))};
}

int post_render(const struct package_context *context, const char *text, const struct interp_pair *more, char **ret,
                struct error *err)
{
        VEC(struct interp_pair) fields = {0};
        int r;

        vec_push(&fields, (struct interp_pair){"BuildName", context->build_name});
        vec_push(&fields, (struct interp_pair){"BuilderType", context->builder_type});
        for (; more && more->name; more++)
                vec_push(&fields, *more);
        vec_push(&fields, (struct interp_pair){0});
        r = script_render(context->interp, fields.v, text, ret, err);
        vec_free(&fields);
        return r;
}

/* What `path` may be: a regular file, or nothing yet, in a folder that is made. */
static int output_prepare(const char *path, char **ret_dir, struct error *err)
{
        CLEANUP_FREE char *dir = path_dir(path);
        struct stat st;
        int r;

        if (str_empty(path) || str_ends(path, "/"))
                return error_set(err, EINVAL, "output '%s' is not the name of a file", path);
        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
                return error_set(err, EINVAL, "output '%s' exists and is not a regular file", path);
        r = dir_make(dir, 0755, err);
        if (r == 0)
                *ret_dir = steal(&dir);
        return r;
}

int output_create(const char *path, int *ret_fd, struct error *err)
{
        CLEANUP_FREE char *dir = NULL;
        int r = output_prepare(path, &dir, err);

        return r < 0 ? r : file_nameless(dir, 0644, ret_fd, err);
}

int output_lock(const char *path, int *ret_fd, struct error *err)
{
        CLEANUP_FREE char *dir = NULL;
        CLEANUP_CLOSE int fd = -1;
        int r = output_prepare(path, &dir, err);

        if (r < 0)
                return r;
        fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, errno, "open folder '%s'", dir);
        while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                r = cancel_check(err);
                if (r < 0)
                        return r;
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return error_errno(err, errno, "lock folder '%s'", dir);
                usleep(20 * 1000);
        }
        *ret_fd = steal_fd(&fd);
        return 0;
}

int output_publish(int fd, const char *path, struct error *err)
{
        return file_publish(fd, path, err);
}

int output_not_input(const char *path, const struct artifact *in, struct error *err)
{
        struct stat a, b;

        if (stat(path, &a) < 0)
                return 0;
        for (char **file = in->files; file && *file; file++)
                if (stat(*file, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
                        return error_set(err, EINVAL, "output '%s' is the input itself; give another name in 'output'",
                                         path);
        return 0;
}

int input_open(const char *path, int *ret_fd, uint64_t *ret_size, struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        if (fd < 0)
                return error_errno(err, errno, "open '%s'", path);
        if (fstat(fd, &st) < 0)
                return error_errno(err, errno, "stat '%s'", path);
        if (!S_ISREG(st.st_mode))
                return error_set(err, EINVAL, "'%s' is not a regular file", path);
        *ret_size = (uint64_t)st.st_size;
        *ret_fd = steal_fd(&fd);
        return 0;
}

/* By the first bytes: a compressed file or an archive cannot be written to a disk. */
static int refuse_compressed(const char *path, struct error *err)
{
        const struct packed *packed;
        CLEANUP_CLOSE int fd = -1;
        char head[PACKED_HEAD];
        uint64_t size;
        size_t n;
        int r = input_open(path, &fd, &size, err);

        if (r < 0)
                return r;
        n = size < sizeof(head) ? (size_t)size : sizeof(head);
        r = fd_pread_all(fd, head, n, 0);
        if (r < 0)
                return error_errno(err, -r, "read '%s'", path);
        packed = packed_find(head, n);
        return packed ? error_set(err, EINVAL,
                                  "'%s' is not a disk image but %s data; put this post-processor before compress", path,
                                  packed->kind)
                      : 0;
}

int input_image(const struct artifact *in, const char **ret, struct error *err)
{
        static const char *const extensions[] = {".img", ".raw", ".wic", ".iso"};
        const char *found = NULL;
        size_t n = strv_len(STRV(in->files)), n_found = 0;

        for (size_t i = 0; i < n; i++)
                for (size_t e = 0; e < sizeof(extensions) / sizeof(*extensions); e++)
                        if (str_ends(in->files[i], extensions[e])) {
                                found = in->files[i];
                                n_found++;
                        }
        if (n == 1)
                found = in->files[0];
        else if (n_found != 1)
                return error_set(err, EINVAL,
                                 "expected one disk image, but of %zu files %zu are named .img, .raw, .wic or .iso", n,
                                 n_found);
        *ret = found;
        return refuse_compressed(found, err);
}
