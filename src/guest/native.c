/* See native.h. What is recognised: the guest's and the host's dpkg both have
 * the package installed in the same upstream version, and both files are, by their digests, the package's own.
 * The C libraries must be of one version too, since the host's reads the guest's locales and accounts.
 *
 * What runs is seen by the guest beneath /proc/1/map_files: a folder that every guest has, that no
 * package looks into, and that needs no new name anywhere. In a /proc or a root of its own
 * (a chroot in the guest) nothing is found there, and qemu runs the program as always. */
#include "guest/native.h"

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
#include "base/str.h"
#include "base/vec.h"
#include "guest/binfmt.h"
#include "guest/door/door.h"
#include "guest/inroot.h"
#include "guest/mounts.h"
#include "guest/native_files.h"
#include "guest/packages.h"

#define PLACE "/proc/1/map_files"

#if SLIPWAY_DOOR
static const unsigned char door[] = {
#include "guest/door.inc"
};
enum { DOOR_SIZE = sizeof(door) };
#else
static const unsigned char door[1];
enum { DOOR_SIZE = 0 };
#endif

typedef VEC(struct door_tool) tools_t;

static void tools_clear(tools_t *tools)
{
        vec_free(tools);
}

struct matching {
        const struct native *native;
        struct packages host, guest;
        struct native_files files;
        tools_t tools;
        struct str seen; /* packages.h */
};

static void matching_clear(struct matching *matching)
{
        packages_close(&matching->host);
        packages_close(&matching->guest);
        native_files_clear(&matching->files);
        tools_clear(&matching->tools);
        str_clear(&matching->seen);
}

/* ---- recognising ---- */

const char *native_obstacle(const struct arch *arch)
{
        if (DOOR_SIZE == 0)
                return "this build of slipway has none for this host's processor";
        if (arch->big_endian)
                return "its processor has another byte order";
        return path_exists("/var/lib/dpkg/status") ? NULL : "the host has no dpkg, by which programs are recognised";
}

/* Cut before the second dot. */
static void cut_to_series(char *version)
{
        char *dot = version ? strchr(version, '.') : NULL;

        dot = dot ? strchr(dot + 1, '.') : NULL;
        if (dot)
                *dot = '\0';
}

static bool same_upstream(const struct matching *matching, const char *package, unsigned int needs)
{
        CLEANUP_FREE char *host = packages_upstream(&matching->host, package);
        CLEANUP_FREE char *guest = packages_upstream(&matching->guest, package);

        if (needs & NATIVE_SERIES) {
                cut_to_series(host);
                cut_to_series(guest);
        }
        return host && str_eq(host, guest);
}

/* Those that fit into the place of the host's. */
static const char *debian_name(const struct arch *arch)
{
        return str_eq(arch->name, "aarch64") ? "arm64" : NULL;
}

static bool suits(const struct native_tools *row, const struct arch *arch)
{
        if ((row->needs & NATIVE_BITS_64) && arch->bits < 64)
                return false;
        if ((row->needs & NATIVE_NAMED) && !debian_name(arch))
                return false;
        return !(row->needs & NATIVE_SIMD) || str_eq(arch->name, "aarch64");
}

static int add_tool(struct matching *matching, const struct native_tools *row, const char *path, int guest_fd,
                    int host_fd, struct error *err)
{
        CLEANUP_FREE char *name = xstrdup(path + 1);
        struct door_tool tool;
        struct stat st;
        int r;

        if (fstat(guest_fd, &st) < 0)
                return error_errno(err, errno, "stat '%s'", path);
        if (st.st_mode & (S_ISUID | S_ISGID))
                return 0;
        for (char *p = name; (p = strchr(p, '/'));)
                *p = '.';
        r = native_files_add(&matching->files, host_fd, name, (row->needs & NATIVE_NAMED) != 0, err);
        if (r < 0)
                return r;
        tool = (struct door_tool){
                .dev = st.st_dev,
                .ino = st.st_ino,
                .named = (row->needs & NATIVE_NAMED) != 0,
                .size = (uint64_t)st.st_size,
                .mtime_sec = st.st_mtim.tv_sec,
                .mtime_nsec = st.st_mtim.tv_nsec,
                .ctime_sec = st.st_ctim.tv_sec,
                .ctime_nsec = st.st_ctim.tv_nsec,
        };
        if ((size_t)snprintf(tool.path, sizeof(tool.path), PLACE "/bin/%s", name) >= sizeof(tool.path))
                return error_set(err, ENAMETOOLONG, "'%s'", path);
        memccpy(tool.emulated_with, row->emulated_with ? row->emulated_with : "", '\0', sizeof(tool.emulated_with) - 1);
        vec_push(&matching->tools, tool);
        return 0;
}

static int match_row(struct matching *matching, const struct native_tools *row, struct error *err)
{
        CLEANUP_FREE char *host_sums = NULL, *guest_sums = NULL;
        CLEANUP_STRV char **paths = str_split(row->programs, " ");
        CLEANUP_STR struct str named = {0};
        int r = 0;

        if (!suits(row, matching->native->arch) || !same_upstream(matching, row->package, row->needs))
                return 0;
        host_sums = packages_sums(&matching->host, row->package);
        guest_sums = packages_sums(&matching->guest, row->package);
        for (size_t i = 0; host_sums && guest_sums && r == 0 && paths[i]; i++) {
                CLEANUP_CLOSE int host_fd = -1, guest_fd = -1;
                CLEANUP_ERROR struct error why = {0};

                if (!packages_owns(&matching->guest, guest_sums, paths[i], &guest_fd) ||
                    !packages_owns(&matching->host, host_sums, paths[i], &host_fd))
                        continue;
                r = add_tool(matching, row, paths[i], guest_fd, host_fd, &why);
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

/* What has the name of a processor built in must answer as the guest's own would; or none of that is used. */
static bool answers_as_guest(const struct matching *matching, const char *folder)
{
        static const char *const dpkg[] = {"--print-architecture", NULL};
        static const char *const apt[] = {"shell", "name", "APT::Architecture", NULL};
        CLEANUP_FREE char *by_dpkg = ask(folder, "usr.bin.dpkg", dpkg),
                          *by_apt = ask(folder, "usr.bin.apt-config", apt);
        CLEANUP_FREE char *want_dpkg = xasprintf("%s\n", debian_name(matching->native->arch));
        CLEANUP_FREE char *want_apt = xasprintf("name='%s'\n", debian_name(matching->native->arch));

        return str_eq(by_dpkg, want_dpkg) && str_eq(by_apt, want_apt);
}

static void forget_named(struct matching *matching)
{
        size_t n = 0;

        for (size_t i = 0; i < matching->tools.n; i++)
                if (!matching->tools.v[i].named)
                        matching->tools.v[n++] = matching->tools.v[i];
        matching->tools.n = n;
        log_debug("not accelerated: dpkg and apt, as they would not answer as the guest's");
}

/* ---- the door ---- */

/* Code, and the table behind it. The caller frees *ret. */
static size_t make_door(const tools_t *tools, uint8_t **ret)
{
        size_t size = DOOR_SIZE + sizeof(struct door_table) + tools->n * sizeof(struct door_tool);
        struct door_table head = {.n_tools = tools->n, .loader = PLACE "/ld.so", .libraries = PLACE "/lib"};
        uint8_t *data = xcalloc(1, size);

        memcpy(data, door, DOOR_SIZE);
        memcpy(data + DOOR_SIZE, &head, sizeof(head));
        memcpy(data + DOOR_SIZE + sizeof(head), tools->v, tools->n * sizeof(struct door_tool));
        *ret = data;
        return size;
}

static int install(struct matching *matching, const char *folder, int place, struct error *err)
{
        const struct native *native = matching->native;
        CLEANUP_FREE char *qemu = path_join(native->scratch, "native-qemu");
        CLEANUP_FREE uint8_t *data = NULL;
        size_t size = make_door(&matching->tools, &data);
        int r = native_door_write(native->qemu, qemu, data, size, (void *)(data + DOOR_SIZE), err);

        if (r < 0)
                return r;
        r = mounts_bind(folder, place, true, true);
        if (r < 0)
                return error_errno(err, -r, "show '%s' to the guest", folder);
        return binfmt_replace(native->arch, qemu, err);
}

/* Where the guest sees its first process; -ENOENT where its /proc is none of its own. */
static int open_place(int root)
{
        CLEANUP_CLOSE int proc = inroot_open(root, "/proc", O_PATH | O_DIRECTORY, 0);
        char self[16] = "";

        if (proc < 0 || readlinkat(proc, "self", self, sizeof(self) - 1) < 0 || !str_eq(self, "1"))
                return -ENOENT;
        return inroot_open(root, PLACE, O_PATH | O_DIRECTORY, 0);
}

static int refuse(const struct native *native, const char *why)
{
        log_debug("programs for %s are not accelerated: %s", native->arch->name, why);
        return 0;
}

static int match_all(struct matching *matching, const char *folder, struct error *err)
{
        int r = native_files_begin(&matching->files, folder, err);

        for (size_t i = 0; r == 0 && i < native_tools_n; i++)
                r = match_row(matching, &native_tools[i], err);
        if (r == 0)
                r = native_files_end(&matching->files, err);
        if (r == 0 && debian_name(matching->native->arch) && !answers_as_guest(matching, folder))
                forget_named(matching);
        return r;
}

/* As an earlier guest of the build found it. */
static void read_seen(const char *path, struct str *seen)
{
        CLEANUP_FREE char *text = NULL;

        if (file_read(path, 0, &text, NULL, NULL) == 0)
                str_add(seen, text);
}

int native_start(const struct native *native, struct error *err)
{
        CLEANUP(matching_clear) struct matching matching = {.native = native};
        CLEANUP_CLOSE int place = -1, host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        CLEANUP_FREE char *folder = path_join(native->shared, "native"), *seen = path_join(native->shared, "seen");
        CLEANUP_ERROR struct error why = {0};
        int r;

        if (native_obstacle(native->arch))
                return refuse(native, native_obstacle(native->arch));
        read_seen(seen, &matching.seen);
        matching.host = (struct packages){.seen = &matching.seen, .name = "host"};
        matching.guest = (struct packages){.seen = &matching.seen, .name = "guest"};
        if (packages_open(&matching.host, host) < 0 || packages_open(&matching.guest, native->root) < 0)
                return refuse(native, "they are recognised by dpkg, which is not in both");
        if (!same_upstream(&matching, "libc6", 0))
                return refuse(native, "the guest and the host have different C libraries");
        matching.files.host_name = "amd64";
        matching.files.guest_name = debian_name(native->arch);
        if (!matching.files.guest_name)
                matching.files.host_name = NULL;
        place = open_place(native->root);
        if (place < 0)
                return refuse(native, "the guest has no /proc of its own");
        if (!binfmt_can_replace(native->qemu))
                return refuse(native, "the kernel or qemu is too old (Linux 6.7, qemu 6.0)");
        r = match_all(&matching, folder, &why);
        if (r == 0)
                r = file_write(seen, str_get(&matching.seen), matching.seen.len, 0644, &why);
        if (r == 0)
                r = install(&matching, folder, place, &why);
        if (r == -ENOTSUP)
                return refuse(native, error_message(&why));
        if (r < 0)
                return error_set(err, -r, "accelerate the guest: %s", error_message(&why));
        log_debug("%zu programs are accelerated", matching.tools.n);
        return 1;
}
