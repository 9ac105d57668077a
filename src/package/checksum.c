/* The post-processor `checksum`: files of lines "digest<TAB>name", as Packer
 * writes them and sha256sum -c and its sisters read them. A line for each file
 * of the artifact; lines that an existing file has for other names stay, so
 * that several builds can share one file. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"
#include "local/script.h"
#include "package/pass.h"
#include "package/post.h"

#define DEFAULT_OUTPUT "packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum"

static const char *const known_types[] = {"md5", "sha1", "sha224", "sha256", "sha384", "sha512", NULL};
enum { MAX_TYPES = 6 };

struct checksum_config {
        char *output, **types;
};

static const char *const *types_of(const struct checksum_config *config)
{
        static const char *const md5[] = {"md5", NULL};

        return config->types && config->types[0] ? STRV(config->types) : md5;
}

static int check(void *arg, const struct value *value, struct diags *diags)
{
        static const char *const fields[] = {"BuildName", "BuilderType", "ChecksumType", NULL};
        const struct checksum_config *config = arg;
        const char *const *types = types_of(config);
        int r = 0;

        script_check_template(config->output, "output", fields, value, diags);
        for (size_t i = 0; types[i]; i++) {
                const char *near = str_nearest(types[i], known_types);

                if (strv_has(known_types, types[i]) && !strv_has(types + i + 1, types[i]))
                        continue;
                if (strv_has(known_types, types[i]))
                        diag_error(diags, schema_range(value, "checksum_types"),
                                   "'%s' stands twice in 'checksum_types'", types[i]);
                else
                        diag_error(diags, schema_range(value, "checksum_types"),
                                   "unknown checksum type '%s'%s%s%s; known are md5, sha1, sha224, sha256, sha384 and "
                                   "sha512",
                                   types[i], near ? "; did you mean '" : "", near ?: "", near ? "'?" : "");
                r = -EINVAL;
        }
        return r;
}

/* All digests of one file, in one pass over it. */
struct sums {
        struct digest *digests[MAX_TYPES];
        size_t n;
};

static void sums_free(void *arg)
{
        struct sums *sums = arg;

        for (size_t i = 0; i < sums->n; i++)
                digest_free(sums->digests[i]);
        free(sums);
}

static int sums_begin(const void *config, const struct package_context *context, int fd, uint64_t size, void **ret,
                      struct error *err)
{
        const char *const *types = types_of(config);
        struct sums *sums = xcalloc(1, sizeof(*sums));

        (void)context;
        (void)fd;
        (void)size;
        for (; types[sums->n]; sums->n++) {
                sums->digests[sums->n] = digest_new(types[sums->n]);
                if (!sums->digests[sums->n]) {
                        error_set(err, ENOTSUP, "this host's OpenSSL has no '%s'", types[sums->n]);
                        sums_free(sums);
                        return -ENOTSUP;
                }
        }
        *ret = sums;
        return 0;
}

static int sums_add(void *arg, const void *data, size_t n, struct error *err)
{
        struct sums *sums = arg;

        (void)err;
        for (size_t i = 0; i < sums->n; i++)
                digest_update(sums->digests[i], data, n);
        return 0;
}

static const struct reader_type checksum_reader = {
        .name = "checksum",
        .begin = sums_begin,
        .write = sums_add,
        .free = sums_free,
};

static int sum_file(const char *path, const struct checksum_config *config, const struct package_context *context,
                    char (*hex)[DIGEST_HEX_MAX], struct error *err)
{
        void *reader = NULL;
        struct sums *sums;
        int r = pass_read(context, &checksum_reader, config, path, &reader, err);

        if (r < 0)
                return error_wrap(err, r, "checksum of '%s'", path);
        sums = reader;
        for (size_t i = 0; i < sums->n; i++)
                digest_final(sums->digests[i], hex[i]);
        sums_free(sums);
        return 0;
}

/* The name in a line that is one of ours, or NULL. */
static const char *line_name(const char *line)
{
        const char *tab = strchr(line, '\t');

        return tab && strspn(line, "0123456789abcdef") == (size_t)(tab - line) ? tab + 1 : NULL;
}

/* Put `line` in the file's text, in the place of an older one for the same name. */
static char *merge(const char *old, const char *line, const char *name)
{
        CLEANUP_STRV char **lines = str_split(old, "\n");
        CLEANUP_STR struct str out = {0};

        for (char **l = lines; *l; l++) {
                const char *known = line_name(*l);

                if (**l && !(known && str_eq(known, name)))
                        str_addf(&out, "%s\n", *l);
        }
        str_addf(&out, "%s\n", line);
        return str_steal(&out);
}

static int write_line(const char *output, const char *digest, const char *path, struct error *err)
{
        CLEANUP_FREE char *line = xasprintf("%s\t%s", digest, path_name(path)), *old = NULL, *text = NULL;
        CLEANUP_CLOSE int lock = -1;
        int r = output_lock(output, &lock, err);

        if (r == 0 && path_exists(output))
                r = file_read(output, 0, &old, NULL, err);
        if (r < 0)
                return r;
        text = merge(old ?: "", line, path_name(path));
        return file_write(output, text, strlen(text), 0644, err);
}

static int run_type(const struct checksum_config *config, const struct package_context *context,
                    const struct artifact *in, size_t which, char (*const *hex)[DIGEST_HEX_MAX], char ***outputs,
                    struct error *err)
{
        const char *type = types_of(config)[which];
        const struct interp_pair fields[] = {{"ChecksumType", type}, {NULL, NULL}};
        CLEANUP_FREE char *output = NULL;
        int r = post_render(context, config->output, fields, &output, err);

        if (r < 0)
                return error_wrap(err, r, "key 'output'");
        r = output_not_input(output, in, err);
        for (size_t i = 0; in->files[i] && r == 0; i++) {
                if (context->ui)
                        ui_say(context->ui, "%s %s  %s", type, hex[i][which], in->files[i]);
                r = write_line(output, hex[i][which], in->files[i], err);
        }
        if (r == 0 && !strv_has(STRV(*outputs), output))
                strv_add(outputs, output);
        return r;
}

struct table {
        char (**rows)[DIGEST_HEX_MAX]; /* one for each file: one digest for each type */
        size_t n;
};

static void table_done(struct table *table)
{
        for (size_t i = 0; i < table->n; i++)
                free(table->rows[i]);
        free(table->rows);
}

static int run(const void *arg, const struct package_context *context, const struct artifact *in, struct artifact *ret,
               bool *ret_keep, struct error *err)
{
        const struct checksum_config *config = arg;
        const char *const *types = types_of(config);
        CLEANUP(table_done) struct table table = {0};
        CLEANUP_STRV char **outputs = NULL;
        int r = 0;

        if (!in->files || !in->files[0])
                return error_set(err, EINVAL, "there is no file to take a checksum of");
        table.rows = xcalloc(strv_len(STRV(in->files)), sizeof(*table.rows));
        for (; in->files[table.n] && r == 0; table.n++) {
                table.rows[table.n] = xcalloc(MAX_TYPES, DIGEST_HEX_MAX);
                r = sum_file(in->files[table.n], config, context, table.rows[table.n], err);
        }
        for (size_t i = 0; types[i] && r == 0; i++)
                r = run_type(config, context, in, i, table.rows, &outputs, err);
        if (r < 0)
                return r;
        ret->builder_id = xstrdup("packer.post-processor.checksum");
        ret->id = xstrdup("");
        ret->files = strv_dup(STRV(in->files));
        for (char **output = outputs; output && *output; output++)
                strv_add(&ret->files, *output);
        *ret_keep = true;
        return 0;
}

static const struct schema_key keys[] = {
        {"checksum_types", SCHEMA_STRINGS, 0, offsetof(struct checksum_config, types),
         .help = "md5 (the default), sha1, sha224, sha256, sha384, sha512"},
        {"output", SCHEMA_STRING, SCHEMA_LATE, offsetof(struct checksum_config, output), .fallback = DEFAULT_OUTPUT,
         .help = "name of the file of checksums; knows .BuildName, .BuilderType and .ChecksumType"},
};

static const struct schema schema = {
        .name = "the checksum post-processor",
        .size = sizeof(struct checksum_config),
        .keys = keys,
        .n_keys = sizeof(keys) / sizeof(*keys),
};

const struct post_processor_type checksum_post_processor = {
        .name = "checksum",
        .schema = &schema,
        .reader = &checksum_reader,
        .gives_on = true,
        .check = check,
        .run = run,
};
