/* The post-processor `compress`: one file compressed, or all files in an
 * archive, as the last extensions of the output's name (or `format`) say. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/epoch.h"
#include "base/file.h"
#include "base/size.h"
#include "base/str.h"
#include "base/vec.h"
#include "local/script.h"
#include "package/archives.h"
#include "package/pass.h"
#include "package/post.h"

#define DEFAULT_OUTPUT "packer_{{.BuildName}}_{{.BuilderType}}"

struct compress_config {
        char *output, *format;
        int64_t level;
};

enum container { CONTAINER_NONE, CONTAINER_TAR, CONTAINER_ZIP };

struct choice {
        enum container container;
        const struct encoder_type *encoder; /* NULL for zip */
        bool guessed;                       /* nothing in the name said so */
};

static const struct {
        const char *extension, *same_as;
} short_names[] = {{"tgz", "gz"}, {"txz", "xz"}, {"tbz", "bz2"}, {"tbz2", "bz2"}, {"tzst", "zst"}, {"tlz4", "lz4"}};

/* `name` up to its last extension, which is returned ("" if none), both without the dot. */
static const char *cut_extension(char *name)
{
        char *dot = strrchr(name, '.');

        if (!dot || strchr(dot, '/'))
                return "";
        *dot = '\0';
        return dot + 1;
}

/* As Packer chooses: by the last two extensions, else a gzipped tar. */
static struct choice choose(const char *output, const char *format)
{
        CLEANUP_FREE char *name = xasprintf("%s%s%s", output, str_empty(format) ? "" : ".", format ?: "");
        const char *last = cut_extension(name);
        struct choice choice = {.encoder = encoder_find(last)};

        if (strcasecmp(last, "zip") == 0)
                return (struct choice){.container = CONTAINER_ZIP};
        if (strcasecmp(last, "tar") == 0)
                return (struct choice){.container = CONTAINER_TAR, .encoder = &plain_encoder};
        for (size_t i = 0; i < sizeof(short_names) / sizeof(*short_names); i++)
                if (strcasecmp(last, short_names[i].extension) == 0)
                        return (struct choice){.container = CONTAINER_TAR,
                                               .encoder = encoder_find(short_names[i].same_as)};
        if (!choice.encoder)
                return (struct choice){.container = CONTAINER_TAR, .encoder = &gzip_encoder, .guessed = true};
        if (strcasecmp(cut_extension(name), "tar") == 0)
                choice.container = CONTAINER_TAR;
        return choice;
}

/* The name as the template has it; without one, Packer's with the format's extension. */
static char *output_template(const struct compress_config *config)
{
        if (!str_empty(config->output))
                return xstrdup(config->output);
        return xasprintf("%s.%s", DEFAULT_OUTPUT, str_empty(config->format) ? "tar.gz" : config->format);
}

static int check(void *arg, const struct value *value, struct diags *diags)
{
        static const char *const fields[] = {"BuildName", "BuilderType", NULL};
        const struct compress_config *config = arg;
        CLEANUP_FREE char *output = output_template(config);
        struct choice choice = choose(output, config->output ? config->format : NULL);
        int max = choice.encoder ? choice.encoder->level_max : 9;

        if (choice.guessed && !str_empty(config->format)) {
                diag_error(diags, schema_range(value, "format"),
                           "unknown format '%s'; known are gz, xz, zst, lz4, bz2, bgzf, each also after 'tar.', tar "
                           "and zip",
                           config->format);
                return -EINVAL;
        }
        if (choice.guessed)
                diag_warning(diags, schema_range(value, "output"),
                             "'%s' has no extension that names a format: it will be a gzipped tar archive",
                             config->output);
        if (config->level < -1) {
                diag_error(diags, schema_range(value, "compression_level"),
                           "'compression_level' is from 1 to %d, or 0 or -1 for the default", max);
                return -EINVAL;
        }
        if (config->level > max && max > 0)
                diag_warning(diags, schema_range(value, "compression_level"),
                             "the highest 'compression_level' of this format is %d, which is used", max);
        script_check_template(output, "output", fields, value, diags);
        return 0;
}

struct inputs {
        VEC(struct archive_file) list;
        uint64_t total;
};

static void inputs_done(struct inputs *inputs)
{
        for (size_t i = 0; i < inputs->list.n; i++)
                close(inputs->list.v[i].fd);
        vec_free(&inputs->list);
}

/* In a zip the path as it is given, as Packer has it, unless it points out of the folder; in a tar the last part. */
static const char *member_name(const char *path, enum container container)
{
        CLEANUP_STRV char **parts = NULL;

        while (str_starts(path, "./"))
                path += 2;
        parts = str_split(path, "/");
        if (container == CONTAINER_ZIP && *path != '/' && !strv_has(STRV(parts), ".."))
                return path;
        return path_name(path);
}

static int inputs_open(struct inputs *inputs, const struct artifact *in, enum container container, struct error *err)
{
        int64_t epoch;

        (void)epoch_read(&epoch, NULL); /* the build has held it against what it has to be */
        for (char **path = in->files; path && *path; path++) {
                struct archive_file file = {.path = *path, .name = member_name(*path, container)};
                struct stat st;
                int r = input_open(*path, &file.fd, &file.size, err);

                if (r < 0)
                        return r;
                fstat(file.fd, &st);
                file.mtime = epoch < 0 ? st.st_mtime : epoch;
                file.mode = st.st_mode & 0777;
                vec_push(&inputs->list, file);
                inputs->total += file.size;
                for (size_t i = 0; i + 1 < inputs->list.n; i++)
                        if (str_eq(inputs->list.v[i].name, file.name))
                                return error_set(err, EEXIST, "two input files have the name '%s' in the archive",
                                                 file.name);
        }
        return 0;
}

/* ---- one file, of the bytes that come ---- */

struct stream {
        int fd; /* of the output */
        struct encoder encoder;
};

static void stream_free(void *arg)
{
        struct stream *stream = arg;

        encoder_close(&stream->encoder);
        file_drop(&stream->fd);
        free(stream);
}

static void stream_freep(struct stream **stream)
{
        if (*stream)
                stream_free(*stream);
}

/* The name and kind of the output. The caller frees *ret. */
static int choose_output(const struct compress_config *config, const struct package_context *context, char **ret,
                         struct choice *ret_choice, struct error *err)
{
        CLEANUP_FREE char *template = output_template(config);
        int r = post_render(context, template, NULL, ret, err);

        if (r < 0)
                return error_wrap(err, r, "key 'output'");
        *ret_choice = choose(*ret, config->output ? config->format : NULL);
        return 0;
}

static int stream_begin(const void *arg, const struct package_context *context, int fd, uint64_t size, void **ret,
                        struct error *err)
{
        const struct compress_config *config = arg;
        CLEANUP(stream_freep) struct stream *stream = NULL;
        CLEANUP_FREE char *output = NULL;
        struct choice choice;
        int r = choose_output(config, context, &output, &choice, err);

        (void)fd;
        (void)size;
        if (r < 0)
                return r;
        if (choice.container != CONTAINER_NONE)
                return 1;
        stream = xcalloc(1, sizeof(*stream));
        stream->fd = -1;
        r = output_create(output, &stream->fd, err);
        if (r == 0)
                r = encoder_open(&stream->encoder, choice.encoder, stream->fd, (int)config->level, 0, err);
        if (r == 0)
                *ret = steal(&stream);
        return r;
}

static int stream_write(void *stream, const void *data, size_t n, struct error *err)
{
        return encoder_write(&((struct stream *)stream)->encoder, data, n, err);
}

static int stream_end(void *stream, struct error *err)
{
        return encoder_finish(&((struct stream *)stream)->encoder, err);
}

static const struct reader_type compress_reader = {
        .name = "compress",
        .begin = stream_begin,
        .write = stream_write,
        .end = stream_end,
        .free = stream_free,
};

static int write_one(const char *path, const struct compress_config *config, const struct package_context *context,
                     int *ret_fd, struct error *err)
{
        CLEANUP(stream_freep) struct stream *stream = NULL;
        int r = pass_read(context, &compress_reader, config, path, (void **)&stream, err);

        if (stream)
                *ret_fd = steal_fd(&stream->fd);
        return r;
}

/* ---- all files, in an archive ---- */

static int write_tar(int fd, const struct choice *choice, int level, const struct inputs *inputs, struct ui *ui,
                     struct error *err)
{
        CLEANUP(encoder_close) struct encoder encoder = {0};
        int r = encoder_open(&encoder, choice->encoder, fd, level, 0, err);

        if (r == 0)
                r = archive_tar(&encoder, inputs->list.v, inputs->list.n, ui, err);
        return r == 0 ? encoder_finish(&encoder, err) : r;
}

static int write_archive(const char *path, const struct choice *choice, int level, const struct inputs *inputs,
                         struct ui *ui, int *ret_fd, struct error *err)
{
        int r = output_create(path, ret_fd, err);

        if (r < 0)
                return r;
        progress_start(ui, "compress", inputs->total);
        if (choice->container == CONTAINER_ZIP)
                r = archive_zip(*ret_fd, level, inputs->list.v, inputs->list.n, ui, err);
        else
                r = write_tar(*ret_fd, choice, level, inputs, ui, err);
        progress_end(ui);
        return r;
}

static int write_output(const char *path, const struct choice *choice, const struct compress_config *config,
                        const struct inputs *inputs, const struct package_context *context, struct error *err)
{
        CLEANUP_FILE_DROP int fd = -1;
        struct stat st;
        int r = choice->container == CONTAINER_NONE && inputs->list.v /* which holds one */
                        ? write_one(inputs->list.v[0].path, config, context, &fd, err)
                        : write_archive(path, choice, (int)config->level, inputs, context->ui, &fd, err);

        if (r == 0)
                r = output_publish(fd, path, err);
        if (r < 0)
                return error_wrap(err, r, "compress into '%s'", path);
        if (context->ui && fstat(fd, &st) == 0)
                ui_say(context->ui, "%s: %s from %s", path, size_show((uint64_t)st.st_size), size_show(inputs->total));
        return 0;
}

static int run(const void *arg, const struct package_context *context, const struct artifact *in, struct artifact *ret,
               bool *ret_keep, struct error *err)
{
        const struct compress_config *config = arg;
        CLEANUP_FREE char *output = NULL;
        CLEANUP(inputs_done) struct inputs inputs = {0};
        struct choice choice;
        int r = choose_output(config, context, &output, &choice, err);

        if (r < 0)
                return r;
        if (choice.container == CONTAINER_NONE && strv_len(STRV(in->files)) != 1)
                return error_set(
                        err, EINVAL,
                        "'%s' holds one file, but there are %zu; name an archive in 'output' (.tar.%s or .zip)", output,
                        strv_len(STRV(in->files)), choice.encoder->extensions[0]);
        r = output_not_input(output, in, err);
        if (r == 0)
                r = inputs_open(&inputs, in, choice.container, err);
        if (r < 0)
                return r;
        if (context->ui)
                ui_say(context->ui, "Compressing into %s (%s%s)", output,
                       choice.container == CONTAINER_TAR   ? "tar, "
                       : choice.container == CONTAINER_ZIP ? "zip"
                                                           : "",
                       choice.encoder ? choice.encoder->name : "");
        r = write_output(output, &choice, config, &inputs, context, err);
        if (r < 0)
                return r;
        ret->builder_id = xstrdup("packer.post-processor.compress");
        ret->id = xstrdup("");
        strv_add(&ret->files, output);
        *ret_keep = false;
        return 0;
}

#define AT(field) offsetof(struct compress_config, field)

static const struct schema_key keys[] = {
        {"output", SCHEMA_STRING, SCHEMA_LATE, AT(output),
         .help = "name of the compressed file; its last extensions choose the format (default " DEFAULT_OUTPUT
                 " and the format's extension)"},
        {"format", SCHEMA_STRING, 0, AT(format),
         .help = "the format, where the name does not say it: gz, xz, zst, lz4, bz2, tar.gz, ..., tar, zip"},
        {"compression_level", SCHEMA_INT, 0, AT(level), .fallback = "0",
         .help = "1 (fast) to 9 (small; 12 for lz4, 19 for zst); 0: the format's default"},
};

static const struct schema schema = {
        .name = "the compress post-processor",
        .size = sizeof(struct compress_config),
        .keys = keys,
        .n_keys = sizeof(keys) / sizeof(*keys),
};

const struct post_processor_type compress_post_processor = {
        .name = "compress",
        .schema = &schema,
        .reader = &compress_reader,
        .check = check,
        .run = run,
};
