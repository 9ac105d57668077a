/* See native_match.h. What is recognised: the guest's and the host's dpkg both have
 * the package installed in the same upstream version, and both files are, by their digests, the package's own.
 * On a host without dpkg, a few programs that are hardly ever patched are asked for their version instead.
 * The C libraries must be of one version too, since the host's reads the guest's locales and accounts. */
#include "guest/native_match.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/spawn.h"
#include "guest/native_perl.h"

void native_match_clear(struct native_match *match)
{
        free(match->folder);
        close_p(&match->host_root);
        packages_close(&match->host);
        packages_close(&match->guest);
        native_files_clear(&match->files);
        vec_free(&match->tools);
        str_clear(&match->seen);
}

/* ---- one row ---- */

/* Cut before the second dot. */
static void cut_to_series(char *version)
{
        char *dot = version ? strchr(version, '.') : NULL;

        dot = dot ? strchr(dot + 1, '.') : NULL;
        if (dot)
                *dot = '\0';
}

bool native_match_versions(const struct native_match *match, const char *package, unsigned int needs)
{
        CLEANUP_FREE char *host = packages_upstream(&match->host, package);
        CLEANUP_FREE char *guest = packages_upstream(&match->guest, package);

        if (needs & NATIVE_SERIES) {
                cut_to_series(host);
                cut_to_series(guest);
        }
        return host && str_eq(host, guest);
}

/* Debian's name of the guest's processor, where it fits into the place of the host's; else NULL. */
static const char *debian_name(const struct arch *arch)
{
        return str_eq(arch->name, "aarch64") ? "arm64" : NULL;
}

static bool suits(const struct native_tools *row, const struct native_match *match)
{
        const struct arch *arch = match->native->arch;

        if ((row->needs & NATIVE_BITS_64) && arch->bits < 64)
                return false;
        if ((row->needs & NATIVE_NAMED) && !debian_name(arch))
                return false;
        if ((row->needs & NATIVE_SCRIPTS) && !match->has_perl)
                return false;
        return !(row->needs & NATIVE_SIMD) || str_eq(arch->name, "aarch64");
}

int native_match_add(struct native_match *match, int guest_fd, const char *path, const struct door_tool *more,
                     struct error *err)
{
        struct door_tool tool = *more;
        struct stat st;

        if (fstat(guest_fd, &st) < 0)
                return error_errno(err, errno, "stat a program of the guest");
        tool.dev = st.st_dev;
        tool.ino = st.st_ino;
        tool.size = (uint64_t)st.st_size;
        tool.mtime_sec = st.st_mtim.tv_sec;
        tool.mtime_nsec = st.st_mtim.tv_nsec;
        tool.ctime_sec = st.st_ctim.tv_sec;
        tool.ctime_nsec = st.st_ctim.tv_nsec;
        if (!memccpy(tool.path, path, '\0', sizeof(tool.path)))
                return error_set(err, ENAMETOOLONG, "'%s'", path);
        vec_push(&match->tools, tool);
        return 0;
}

/* Does that program of the host say that it is of this version? "ls (GNU coreutils) 9.1" */
static bool tells_version(const char *path, const char *version)
{
        const char *argv[] = {path, "--version", NULL}, *epoch = strchr(version, ':'), *word;
        CLEANUP_FREE char *text = NULL;

        if (spawn_capture(argv, &text, NULL) < 0)
                return false;
        text[strcspn(text, "\n")] = '\0';
        word = strrchr(text, ' ');
        return word && str_eq(word + 1, epoch ? epoch + 1 : version);
}

/* The host's program, if it is recognised; else -ENOTSUP. */
static int open_counterpart(struct native_match *match, const char *package, const char *path)
{
        CLEANUP_FREE char *version = NULL;
        CLEANUP_CLOSE int fd = -1;
        struct stat st;

        if (!match->asks) {
                const char *sums = packages_sums(&match->host, package);

                return sums && packages_owns(&match->host, sums, path, &fd) ? steal_fd(&fd) : -ENOTSUP;
        }
        version = packages_upstream(&match->guest, package);
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (!version || fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !tells_version(path, version))
                return -ENOTSUP;
        return steal_fd(&fd);
}

static int add_program(struct native_match *match, const struct native_tools *row, const char *path, int guest_fd,
                       struct error *err)
{
        CLEANUP_FREE char *to = str_replace(path + 1, "/", "."), *place = xasprintf(NATIVE_PLACE "/bin/%s", to);
        CLEANUP_CLOSE int host_fd = open_counterpart(match, row->package, path);
        struct door_tool more = {.flags = row->needs & NATIVE_NAMED ? DOOR_NAMED : 0};
        struct stat st;
        int r;

        if (host_fd < 0 || fstat(guest_fd, &st) < 0 || (st.st_mode & (S_ISUID | S_ISGID)))
                return -ENOTSUP;
        r = native_files_add(&match->files, host_fd, to, row->needs & NATIVE_NAMED ? NATIVE_NAME : NATIVE_SAME, err);
        if (r < 0)
                return r;
        memccpy(more.emulated_with, row->emulated_with ? row->emulated_with : "", '\0', sizeof(more.emulated_with) - 1);
        return native_match_add(match, guest_fd, place, &more, err);
}

static int add_script(struct native_match *match, int guest_fd, struct error *err)
{
        return native_match_add(match, guest_fd, "", &(struct door_tool){.flags = DOOR_SCRIPT}, err);
}

/* Is it worth looking at its programs? Scripts are the guest's own, and programs that tell are asked one by one. */
static bool is_row_known(const struct native_match *match, const struct native_tools *row)
{
        if (row->needs & NATIVE_SCRIPTS)
                return true;
        return match->asks ? (row->needs & NATIVE_TELLS) != 0 : native_match_versions(match, row->package, row->needs);
}

static int match_row(struct native_match *match, const struct native_tools *row, struct error *err)
{
        bool scripts = (row->needs & NATIVE_SCRIPTS) != 0;
        const char *sums = NULL;
        CLEANUP_STRV char **paths = str_split(row->programs, " ");
        CLEANUP_STR struct str named = {0};
        int r = 0;

        if (!suits(row, match) || !is_row_known(match, row))
                return 0;
        sums = packages_sums(&match->guest, row->package);
        for (size_t i = 0; sums && r == 0 && paths[i]; i++) {
                CLEANUP_CLOSE int fd = -1;
                CLEANUP_ERROR struct error why = {0};

                if (!packages_owns(&match->guest, sums, paths[i], &fd))
                        continue;
                r = scripts ? add_script(match, fd, &why) : add_program(match, row, paths[i], fd, &why);
                if (r == -ENOTSUP) /* that one is emulated */
                        r = 0;
                else if (r < 0)
                        error_set(err, -r, "%s", error_message(&why));
                else
                        str_addf(&named, " %s", path_name(paths[i]));
        }
        if (named.len > 0)
                log_debug("accelerated (%s):%s", row->package, str_get(&named));
        return r;
}

/* ---- names of processors ---- */

/* What a copied program prints, run by the copied loader; NULL: it failed. The caller frees. */
static char *ask(const char *folder, const char *program, const char *const *arguments)
{
        CLEANUP_FREE char *loader = path_join(folder, "ld.so"), *libraries = path_join(folder, "lib");
        CLEANUP_FREE char *path = xasprintf("%s/bin/%s", folder, program);
        const char *argv[] = {loader, "--inhibit-cache", "--library-path", libraries, path, NULL, NULL, NULL, NULL,
                              NULL};
        char *text = NULL;

        for (size_t i = 0; arguments[i]; i++)
                argv[5 + i] = arguments[i];
        return spawn_capture(argv, &text, NULL) < 0 ? NULL : text;
}

/* What has the name of a processor built in must answer as the guest's own would; or none of that is used. The copies
 * stay what they are for all guests of the build, so they are asked once. */
static bool answers_as_guest(struct native_match *match)
{
        static const char yes[] = "dpkg and apt answer as the guest's\n";
        static const char *const dpkg[] = {"--print-architecture", NULL};
        static const char *const apt[] = {"shell", "name", "APT::Architecture", NULL};
        CLEANUP_FREE char *by_dpkg = NULL, *by_apt = NULL, *want_dpkg = NULL, *want_apt = NULL;

        if (strstr(str_get(&match->seen), yes))
                return true;
        by_dpkg = ask(match->folder, "usr.bin.dpkg", dpkg);
        by_apt = ask(match->folder, "usr.bin.apt-config", apt);
        want_dpkg = xasprintf("%s\n", debian_name(match->native->arch));
        want_apt = xasprintf("name='%s'\n", debian_name(match->native->arch));
        if (!str_eq(by_dpkg, want_dpkg) || !str_eq(by_apt, want_apt))
                return false;
        str_add(&match->seen, yes);
        return true;
}

static void forget_named(struct native_match *match)
{
        size_t n = 0;

        for (size_t i = 0; i < match->tools.n; i++)
                if (!(match->tools.v[i].flags & DOOR_NAMED))
                        match->tools.v[n++] = match->tools.v[i];
        match->tools.n = n;
        log_debug("not accelerated: dpkg and apt, as they would not answer as the guest's");
}

/* ---- all rows ---- */

static int match_rows(struct native_match *match, struct error *err)
{
        int r = native_files_begin(&match->files, match->folder, err);

        if (r == 0)
                r = native_perl_match(match, err);
        for (size_t i = 0; r == 0 && i < native_tools_n; i++)
                r = match_row(match, &native_tools[i], err);
        if (r == 0)
                r = native_files_end(&match->files, err);
        if (r == 0 && debian_name(match->native->arch) && !answers_as_guest(match))
                forget_named(match);
        return r;
}

/* Of the C library that this host's programs run with. */
static bool is_libc_version(const char *version)
{
        char text[64] = "";

        return version && confstr(_CS_GNU_LIBC_VERSION, text, sizeof(text)) > 0 && str_starts(text, "glibc ") &&
               str_eq(text + strlen("glibc "), version);
}

static bool same_libc(const struct native_match *match)
{
        CLEANUP_FREE char *version = packages_upstream(&match->guest, "libc6");

        return match->asks ? is_libc_version(version) : native_match_versions(match, "libc6", 0);
}

static int open_packages(struct native_match *match, struct error *err)
{
        const char *guest_name = debian_name(match->native->arch);

        match->host = (struct packages){.seen = &match->seen, .name = "host"};
        match->guest = (struct packages){.seen = &match->seen, .name = "guest"};
        match->files.guest_name = guest_name;
        match->files.host_name = guest_name ? "amd64" : NULL;
        if (packages_open(&match->guest, match->native->root) < 0)
                return error_set(err, ENOTSUP, "they are recognised by dpkg, which the guest does not have");
        match->asks = packages_open(&match->host, match->host_root) < 0;
        if (!same_libc(match))
                return error_set(err, ENOTSUP, "the guest and the host have different C libraries");
        return 0;
}

/* As an earlier guest of the build found it. */
static void read_seen(const char *path, struct str *seen)
{
        CLEANUP_FREE char *text = NULL;

        if (file_read(path, 0, &text, NULL, NULL) == 0)
                str_add(seen, text);
}

int native_match(const struct native *native, struct native_match *ret, struct error *err)
{
        CLEANUP_FREE char *seen = path_join(native->shared, "seen"), *table = NULL;
        int r;

        *ret = (struct native_match){
                .native = native,
                .folder = path_join(native->shared, "native"),
                .host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
        };
        table = path_join(ret->folder, "table");
        read_seen(seen, &ret->seen);
        r = open_packages(ret, err);
        if (r == 0)
                r = match_rows(ret, err);
        if (r == 0)
                r = file_write(seen, str_get(&ret->seen), ret->seen.len, 0644, err);
        if (r == 0)
                r = file_write(table, ret->tools.v, ret->tools.n * sizeof(struct door_tool), 0644, err);
        return r;
}
