/* slipway sbom: what is installed in an image or a folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/epoch.h"
#include "base/file.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "sbom/sbom.h"

struct options {
        const char *output, *name;
};

static const char *const outputs[] = {"spdx", "cyclonedx", "text", NULL};

static const struct option_spec specs[] = {
        {"o", OPTION_STRING, offsetof(struct options, output), "FORMAT", outputs,
         "spdx (SPDX 2.3, JSON; the default), cyclonedx (CycloneDX 1.5, JSON) or text"},
        {"name", OPTION_STRING, offsetof(struct options, name), "NAME", NULL,
         "what the whole is called; else as the file or folder"},
};

static int print(const struct sbom *sbom, const char *output, int64_t created)
{
        json_t *document;

        if (str_eq(output, "text")) {
                for (size_t i = 0; i < sbom->packages.n; i++) {
                        const struct sbom_package *package = &sbom->packages.v[i];
                        CLEANUP_FREE char *name = str_printable(package->name),
                                          *version = str_printable(package->version),
                                          *arch = str_printable(package->arch ? package->arch : "");

                        printf("%-8s  %-32s  %-24s  %s\n", package->type, name, version, arch);
                }
                return 0;
        }
        document = str_eq(output, "cyclonedx") ? sbom_cyclonedx(sbom, created) : sbom_spdx(sbom, created);
        json_dumpf(document, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(document);
        return 0;
}

/* The file's or folder's own name. */
static char *name_of(const char *path)
{
        CLEANUP_FREE char *real = realpath(path, NULL);
        const char *name = real ? path_name(real) : path;

        return xstrdup(*name && strcmp(name, "/") != 0 ? name : "system");
}

static int read_one(const char *path, const char *name, struct sbom *ret, struct error *err)
{
        CLEANUP(disk_view_freep) struct disk_view *view = NULL;
        CLEANUP_CLOSE int fd = -1;
        struct sbom_tree tree = {.root_fd = -1};
        struct stat st;
        int r = 0;

        if (stat(path, &st) < 0)
                return error_errno(err, errno, "'%s'", path);
        if (S_ISDIR(st.st_mode)) {
                fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                if (fd < 0)
                        return error_errno(err, errno, "open '%s'", path);
                tree.root_fd = fd;
        } else {
                r = disk_view_open(path, &view, err);
                if (r == 0 && view->n_mounts == 0)
                        r = error_set(err, view->no_root.code ? view->no_root.code : ENOENT, "%s",
                                      error_message(&view->no_root));
                tree.view = view;
        }
        return r < 0 ? r : sbom_read(&tree, name, ret, err);
}

static int run(const struct command *command, int argc, char **argv)
{
        CLEANUP(sbom_clear) struct sbom sbom = {0};
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *name = NULL;
        struct options options = {0};
        int64_t epoch;
        int exit_code, first = options_parse_anywhere(command, argc, argv, &options, &exit_code);

        if (options_count(command, argc, first, 1, 1, &exit_code) < 0)
                return exit_code;
        cancel_install();
        name = options.name ? xstrdup(options.name) : name_of(argv[first]);
        if (epoch_read(&epoch, &err) < 0 || read_one(argv[first], name, &sbom, &err) < 0)
                return command_fail(&err);
        if (sbom.packages.n == 0)
                fprintf(stderr,
                        "'%s' has no database of packages that is known (dpkg, rpm, apk, pacman), and no releases\n",
                        argv[first]);
        return print(&sbom, options.output, epoch >= 0 ? epoch : time(NULL));
}

const struct command command_sbom = {
        .name = "sbom",
        .arguments = "IMAGE|DIR",
        .summary = "List what is installed in an image or a folder, as SPDX or CycloneDX",
        .help = "Reads the databases of dpkg, rpm, apk and pacman, and what 'slipway release' installed. An image is "
                "read\n"
                "in place, without root or mounts. With SOURCE_DATE_EPOCH the same contents give the same bytes.",
        OPTIONS(specs),
        .run = run,
};
