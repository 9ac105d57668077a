/* See native_perl.h. An interpreter is no tool that is the same everywhere: scripts ask it for the processor
 * (Config, POSIX::uname), modules in C are for one processor, and those lie at paths with its name. So the host's perl
 * runs only scripts of the table (NATIVE_SCRIPTS), of which it is known that they do not ask, and it runs them with the
 * guest's modules, at the guest's paths (door/start.pl). Of compiled modules it has the host's build: all of
 * perl-base's, or perl is emulated; those of other packages where they are recognised, or the scripts that would load
 * them are emulated. Not libtext-iconv-perl: character sets are compiled modules too, of the C library. */
#include "guest/native_perl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"

static const char start[] = {
#include "guest/start.inc"
        0};

#define HOST_FOLDER "x86_64-linux-gnu"

/* Compiled modules of libperl that scripts load, if it is there. Of these alone start.pl looks whether they are. */
static const char *const of_library[] = {"Data/Dumper/Dumper", "Encode/Encode",     "I18N/Langinfo/Langinfo",
                                         "Storable/Storable",  "Sys/Syslog/Syslog", NULL};

/* How multiarch names the guest's libraries. */
static char *folder_name(const struct arch *arch)
{
        return xasprintf("%s-linux-gnu", arch->name);
}

/* By which start.pl finds it: without folders that are named after versions, which have more than one name. */
static char *module_name(const char *path)
{
        CLEANUP_FREE char *name = xasprintf("%.*s%s", (int)strcspn(path, "/"), path, strstr(path, "/auto/"));

        return str_replace(name, "/", ".");
}

/* A compiled module of the guest's at `path`, and of the host's. */
static int add_module(struct native_match *match, const char *guest_sums, const char *host_sums, const char *path,
                      struct error *err)
{
        CLEANUP_FREE char *folder = folder_name(match->native->arch), *prefix = xasprintf("/usr/lib/%s/", folder);
        CLEANUP_FREE char *host_path = xasprintf("/usr/lib/" HOST_FOLDER "/%s", path + strlen(prefix));
        CLEANUP_FREE char *name = module_name(path + strlen(prefix));
        CLEANUP_CLOSE int guest_fd = -1, host_fd = -1;

        if (!packages_owns(&match->guest, guest_sums, path, &guest_fd) ||
            !packages_owns(&match->host, host_sums, host_path, &host_fd))
                return error_set(err, ENOTSUP, "'%s' is not the same", path);
        return native_files_add_module(&match->files, host_fd, name, err);
}

/* All modules of a package whose path has `part` in it. -ENOTSUP: one of them is not the same. */
static int add_modules(struct native_match *match, const char *package, const char *part, struct error *err)
{
        const char *guest_sums = packages_sums(&match->guest, package);
        const char *host_sums = packages_sums(&match->host, package);
        CLEANUP_FREE char *folder = folder_name(match->native->arch), *prefix = xasprintf("usr/lib/%s/", folder);
        CLEANUP_STRV char **lines = NULL;
        int r = 0;

        if (!guest_sums || !host_sums || !native_match_versions(match, package, 0))
                return error_set(err, ENOTSUP, "'%s' is not in both", package);
        lines = str_split(guest_sums, "\n");
        for (size_t i = 0; r == 0 && lines && lines[i]; i++) {
                const char *name = strstr(lines[i], "  ");
                CLEANUP_FREE char *path = name ? xasprintf("/%s", name + 2) : NULL;

                if (path && str_starts(path + 1, prefix) && str_ends(path, ".so") && strstr(path, part))
                        r = add_module(match, guest_sums, host_sums, path, err);
        }
        return r;
}

static int add_interpreter(struct native_match *match, struct error *err)
{
        static const char path[] = "/usr/bin/perl", name[] = "usr.bin.perl";
        const char *guest_sums = packages_sums(&match->guest, "perl-base");
        const char *host_sums = packages_sums(&match->host, "perl-base");
        CLEANUP_CLOSE int guest_fd = -1, host_fd = -1;
        int r;

        if (!guest_sums || !host_sums || !packages_owns(&match->guest, guest_sums, path, &guest_fd) ||
            !packages_owns(&match->host, host_sums, path, &host_fd))
                return error_set(err, ENOTSUP, "'%s' is not the same", path);
        r = native_files_add(&match->files, host_fd, name, NATIVE_NAMELESS, err);
        return r < 0 ? r
                     : native_match_add(match, guest_fd, NATIVE_PLACE "/bin/usr.bin.perl",
                                        &(struct door_tool){.flags = DOOR_INTERPRETER}, err);
}

static int write_start(const struct native_match *match, struct error *err)
{
        CLEANUP_FREE char *folder = folder_name(match->native->arch), *path = path_join(match->folder, "start.pl");
        CLEANUP_FREE char *modules = strv_join(of_library, " ");
        CLEANUP_FREE char *text = xasprintf("my ($host, $guest, $place) = ('" HOST_FOLDER "', '%s', '" NATIVE_PLACE
                                            "'); my @of_library = qw(%s);\n%s",
                                            folder, modules, start);

        return file_write(path, text, strlen(text), 0644, err);
}

/* Those that are not there, or not the same, are not an error here: start.pl sees what is lacking. */
static int add_others(struct native_match *match, struct error *err)
{
        static const char *const packages[] = {"liblocale-gettext-perl", "libtext-charwidth-perl"};
        CLEANUP_FREE char *version = packages_upstream(&match->guest, "perl-base"), *library = NULL;
        int r = 0;

        for (size_t i = 0; (r == 0 || r == -ENOTSUP) && i < sizeof(packages) / sizeof(packages[0]); i++)
                r = add_modules(match, packages[i], "/auto/", err);
        library = version && strchr(version, '.')
                          ? xasprintf("libperl%.*s", (int)(strrchr(version, '.') - version), version)
                          : NULL;
        for (size_t i = 0; (r == 0 || r == -ENOTSUP) && library && of_library[i]; i++) {
                CLEANUP_FREE char *part = xasprintf("/auto/%s.so", of_library[i]);

                r = add_modules(match, library, part, err);
        }
        return r == -ENOTSUP ? 0 : r;
}

int native_perl_match(struct native_match *match, struct error *err)
{
        CLEANUP_ERROR struct error why = {0};
        int r;

        if (match->native->arch->bits < 64)
                return 0;
        r = add_interpreter(match, &why);
        if (r == 0)
                r = add_modules(match, "perl-base", "/perl-base/auto/", &why);
        if (r == 0)
                r = add_others(match, &why);
        if (r == 0)
                r = write_start(match, &why);
        match->has_perl = r == 0;
        if (r == -ENOTSUP) {
                log_debug("not accelerated: perl (%s)", error_message(&why));
                return 0;
        }
        return r < 0 ? error_set(err, -r, "%s", error_message(&why)) : 0;
}
