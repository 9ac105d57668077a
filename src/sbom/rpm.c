/* RPM's list, in whichever of its three databases (SQLite, NDB, Berkeley DB).
 * The rpm program reads all of them, from a copy: it locks what it reads. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "sbom/database.h"

static const char format[] = "%{NAME}\\t%{VERSION}-%{RELEASE}\\t%|EPOCH?{%{EPOCH}}|\\t%{ARCH}\\t%|LICENSE?{%{LICENSE}}|"
                             "\\t%|VENDOR?{%{VENDOR}}|\\t%|URL?{%{URL}}|\\t%|SOURCERPM?{%{SOURCERPM}}|\\n";
enum { NAME, VERSION, EPOCH, ARCH, LICENSE, VENDOR, URL, SOURCE, N_FIELDS };

static void add_line(char *line, struct sbom *sbom)
{
        CLEANUP_STRV char **fields = str_split(line, "\t");
        struct sbom_package *package;

        if (strv_len(STRV(fields)) != N_FIELDS || strcmp(fields[NAME], "gpg-pubkey") == 0)
                return;
        package = sbom_add(sbom, "rpm");
        field_set(&package->name, fields[NAME]);
        field_set(&package->version, fields[VERSION]);
        field_set(&package->epoch, fields[EPOCH]);
        field_set(&package->arch, fields[ARCH]);
        field_set(&package->license, fields[LICENSE]);
        field_set(&package->supplier, fields[VENDOR]);
        field_set(&package->homepage, fields[URL]);
        field_set(&package->source, fields[SOURCE]);
}

static int query(const char *folder, struct sbom *sbom, struct error *err)
{
        CLEANUP_FREE char *program = program_find("rpm"), *out = NULL;
        CLEANUP_STRV char **lines = NULL;
        const char *const argv[] = {"rpm", "--dbpath", folder, "-qa", "--queryformat", format, NULL};
        int r;

        if (!program)
                return error_set(err, ENOENT,
                                 "the system has a database of RPM, which the program rpm reads: install the package "
                                 "rpm");
        r = spawn_capture(argv, &out, err);
        if (r < 0)
                return r;
        lines = str_split(out, "\n");
        for (char **line = lines; *line; line++)
                add_line(*line, sbom);
        return 0;
}

static int query_copy(const char *name, const char *data, size_t n, struct sbom *sbom, struct error *err)
{
        const char *tmp = getenv("TMPDIR");
        CLEANUP_FREE char *folder = xasprintf("%s/slipway-rpm-XXXXXX", str_empty(tmp) ? "/tmp" : tmp), *path = NULL;
        int r;

        if (!mkdtemp(folder))
                return error_errno(err, errno, "create a folder '%s'", folder);
        path = path_join(folder, name);
        r = file_write(path, data, n, 0600, err);
        if (r == 0)
                r = query(folder, sbom, err);
        tree_remove(folder, NULL);
        return r;
}

static int read_rpm(const struct sbom_tree *tree, struct sbom *sbom, struct error *err)
{
        static const char *const folders[] = {"/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm", NULL};
        static const char *const names[] = {"rpmdb.sqlite", "Packages.db", "Packages", NULL};

        for (const char *const *folder = folders; *folder; folder++)
                for (const char *const *name = names; *name; name++) {
                        CLEANUP_FREE char *path = path_join(*folder, *name), *data = NULL;
                        size_t n = 0;
                        int r = sbom_tree_read(tree, path, &data, &n, err);

                        if (r == 0)
                                return query_copy(*name, data, n, sbom, err);
                        if (r != -ENOENT)
                                return r;
                }
        return 0;
}

const struct database database_rpm = {.name = "rpm", .read = read_rpm};
