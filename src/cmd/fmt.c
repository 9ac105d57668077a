/* slipway fmt: the canonical layout of HCL2 files. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "cmd/template_args.h"
#include "hcl/format.h"

struct options {
        bool check, diff, write, recursive;
        struct template_args ignored;
};

#define OPTION(option, member, text)                                                                                   \
        {                                                                                                              \
                .name = (option), .type = OPTION_BOOL, .offset = offsetof(struct options, member), .help = (text)      \
        }
static const struct option_spec specs[] = {
        OPTION("check", check, "Write nothing; the exit code is 3 if something would change"),
        OPTION("diff", diff, "Show what changes"),
        OPTION("write", write, "Write the files; on unless -write=false or -check"),
        OPTION("recursive", recursive, "Folders inside the folder too"),
        TEMPLATE_ALL_IGNORED(options, ignored),
};

struct work {
        const struct options *options;
        bool changed, failed;
};

static bool is_hcl(const char *path)
{
        return str_ends(path, ".pkr.hcl") || str_ends(path, ".pkrvars.hcl");
}

static void fail(struct work *work, struct error *err)
{
        command_fail(err);
        work->failed = true;
}

/* The file that a link means is replaced, not the link. */
static int replace(const char *path, const char *text, size_t len, struct error *err)
{
        CLEANUP_FREE char *real = realpath(path, NULL);
        struct stat st;

        if (!real || stat(real, &st) < 0)
                return error_errno(err, errno, "read '%s'", path);
        return file_write(real, text, len, st.st_mode & 07777, err);
}

/* What is done with a file whose layout is another now. */
static void show_change(struct work *work, const char *path, const struct source_text *source, const char *text,
                        size_t len)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *diff = work->options->diff ? hcl_format_diff(path, source->text, text) : NULL;

        work->changed = true;
        printf("%s\n", path);
        if (diff)
                fputs(diff, stdout);
        if (work->options->write && replace(path, text, len, &err) < 0)
                fail(work, &err);
}

static void format_file(struct work *work, const char *path)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP(source_text_freep) struct source_text *source = NULL;
        CLEANUP_FREE char *text = NULL;
        struct diags diags = {0};
        size_t len = 0;
        bool same;

        if (source_text_read(path, &source, &err) < 0) {
                fail(work, &err);
                return;
        }
        if (hcl_format(source, &text, &len, &diags) < 0) {
                fflush(stdout);
                diags_show(&diags, diags_color());
                diags_clear(&diags);
                work->failed = true;
                return;
        }
        same = len == source->len && memcmp(text, source->text, len) == 0;
        if (strcmp(path, "-") != 0) {
                if (!same)
                        show_change(work, path, source, text, len);
        } else {
                work->changed = work->changed || !same;
                if (work->options->write)
                        fwrite(text, 1, len, stdout);
        }
}

static void format_folder(struct work *work, const char *path)
{
        struct dirent **entries = NULL;
        int n = scandir(path, &entries, NULL, alphasort);
        CLEANUP_ERROR struct error err = {0};

        if (n < 0) {
                error_errno(&err, errno, "read the folder '%s'", path);
                fail(work, &err);
        }
        for (int i = 0; i < n; i++) {
                const char *name = entries[i]->d_name;
                CLEANUP_FREE char *inner = strcmp(path, ".") == 0 ? xstrdup(name) : path_join(path, name);
                struct stat st;

                if (name[0] != '.' && lstat(inner, &st) == 0) {
                        if (S_ISDIR(st.st_mode) && work->options->recursive)
                                format_folder(work, inner);
                        else if (!S_ISDIR(st.st_mode) && is_hcl(name))
                                format_file(work, inner);
                }
                free(entries[i]);
        }
        free(entries);
}

static void format_path(struct work *work, const char *path)
{
        CLEANUP_ERROR struct error err = {0};
        struct stat st;

        if (strcmp(path, "-") == 0) {
                format_file(work, path);
        } else if (stat(path, &st) < 0) {
                error_errno(&err, errno, "read '%s'", path);
                fail(work, &err);
        } else if (S_ISDIR(st.st_mode)) {
                format_folder(work, path);
        } else if (str_ends(path, ".hcl")) { /* named by itself: a site file too */
                format_file(work, path);
        } else {
                error_set(&err, EINVAL, "'%s' is no HCL2 file: those are called *.pkr.hcl, *.pkrvars.hcl or *.hcl",
                          path);
                fail(work, &err);
        }
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {.write = true};
        struct work work = {.options = &options};
        int exit_code, first = options_parse_count(command, argc, argv, &options, 0, INT_MAX, &exit_code);

        template_args_clear(&options.ignored);
        if (first < 0)
                return exit_code;
        options.write = options.write && !options.check;
        if (first == argc)
                format_path(&work, ".");
        for (int i = first; i < argc; i++)
                format_path(&work, argv[i]);
        return work.failed ? 1 : options.check && work.changed ? 3 : 0;
}

const struct command command_fmt = {
        .name = "fmt",
        .arguments = "[TEMPLATE|FOLDER|- ...]",
        .summary = "Give HCL2 files their canonical layout",
        .help = "  Only spaces change. Of a folder (the default is the current one) the files *.pkr.hcl and\n"
                "  *.pkrvars.hcl are formatted, those that begin with a dot left out, and the names of those that "
                "change are printed; \"-\" formats\n"
                "  standard input to standard output.",
        OPTIONS(specs),
        .run = run,
};
