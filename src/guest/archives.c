/* See archives.h. In the scratch folder: `store`, a symlink to the folder of packages and lists
 * for systems of this kind, and `fetched`, a folder with one more name of each file
 * that has come. A store's files appear by rename and are never written to again, so
 * any number of builds may share it. */
#include "guest/archives.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "guest/inroot.h"
#include "guest/inside.h"
#include "guest/node.h"

enum { MAX_SUFFIXES = 6 };

/* What a package manager keeps, if it takes what it finds among its half files: apt does, as it first holds that
 * against the digest that it expects. A new kind is a row; why apk, dnf and pacman have none: ARCHITECTURE.md. */
static const struct archives {
        const char *folder;                 /* of whole files, to which they are moved */
        const char *partial;                /* of half files, in that folder */
        const char *suffixes[MAX_SUFFIXES]; /* of their names */
        bool is_source; /* what is moved was made of them, has their name up to the suffix, and they are gone by then */
} kinds[] = {
        {"/var/cache/apt/archives", "partial", {".deb"}, false},
        {"/var/lib/apt/lists", "partial", {".xz", ".gz", ".bz2", ".zst", ".lz4", ".lzma"}, true},
};
enum { N_KINDS = sizeof(kinds) / sizeof(*kinds) };

/* ---- where they are kept ---- */

/* The value of a line NAME=value, with quotes or without; "" where there is none. */
static char *os_value(const char *text, const char *name)
{
        CLEANUP_STRV char **lines = str_split(text, "\n");
        size_t n = strlen(name);

        for (size_t i = 0; lines && lines[i]; i++)
                if (strncmp(lines[i], name, n) == 0 && lines[i][n] == '=') {
                        const char *value = lines[i] + n + 1;
                        size_t quote = strspn(value, "\"'");

                        return xstrndup(value + quote, strcspn(value + quote, "\"'/ "));
                }
        return xstrdup("");
}

/* "debian-12-aarch64": packages of other systems may have the same names. */
static char *system_name(const struct inject *in, const char *machine)
{
        CLEANUP_CLOSE int fd = inroot_open(in->below, "/etc/os-release", O_RDONLY | O_NONBLOCK, 0);
        CLEANUP_FREE char *path = xasprintf("/proc/self/fd/%d", fd), *text = NULL, *id = NULL, *version = NULL;

        if (fd < 0 || file_read(path, 0, &text, NULL, NULL) < 0)
                text = xstrdup("");
        id = os_value(text, "ID");
        version = os_value(text, "VERSION_ID");
        return xasprintf("%s-%s-%s", *id && *id != '.' ? id : "linux", *version ? version : "rolling", machine);
}

static int show(struct inject *in, const struct archives *kind, int from, struct error *err)
{
        CLEANUP_FREE char *partial = path_join(kind->folder, kind->partial);
        int r = 0;

        for (size_t i = 0; r == 0 && i < MAX_SUFFIXES && kind->suffixes[i]; i++)
                r = inject_links(in, partial, from, kind->suffixes[i], err);
        return r;
}

/* The store for systems like the guest's, open, and the scratch folder's note of it. */
static int open_store(const struct inject *in, const char *folder, int *ret, struct error *err)
{
        int r = dir_make(folder, 0755, err);

        if (r < 0)
                return r;
        if (symlinkat(folder, in->scratch, "store") < 0)
                return error_errno(err, errno, "make the symlink 'store'");
        *ret = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *ret < 0 ? error_errno(err, errno, "open '%s'", folder) : 0;
}

int archives_inject(struct inject *in, const char *store, const char *machine, struct error *err)
{
        CLEANUP_FREE char *name = system_name(in, machine), *folder = path_join(store, name);
        CLEANUP_CLOSE int from = -1;
        int r = 0;

        for (size_t i = 0; r == 0 && i < N_KINDS; i++) {
                CLEANUP_CLOSE int theirs = inroot_open(in->below, kinds[i].folder, O_PATH | O_DIRECTORY, 0);

                if (theirs < 0)
                        continue;
                if (from < 0)
                        r = open_store(in, folder, &from, err);
                if (r == 0)
                        r = show(in, &kinds[i], from, err);
        }
        if (from >= 0)
                futimens(from, NULL); /* it is used now */
        return r < 0 ? error_wrap(err, r, "show the packages of earlier builds") : 0;
}

/* ---- what comes while the guest runs ---- */

struct watcher {
        const struct guest *guest;
        int inotify, fetched, store;
        struct {
                int folder, partial; /* of the merged root; -1: not watched */
        } watches[N_KINDS];
};

/* By size and time, which apt sets to those of the server's file. */
static bool is_known(const struct watcher *watcher, const char *name, const char *path)
{
        struct stat ours, theirs;

        return fstatat(watcher->store, name, &ours, 0) == 0 && lstat(path, &theirs) == 0 &&
               ours.st_size == theirs.st_size && ours.st_mtim.tv_sec == theirs.st_mtim.tv_sec;
}

/* Up to which a name tells what it is, its suffix left out; 0: it has none of these. */
static size_t stem_of(const struct archives *kind, const char *name)
{
        for (size_t i = 0; i < MAX_SUFFIXES && kind->suffixes[i]; i++)
                if (str_ends(name, kind->suffixes[i]))
                        return strlen(name) - strlen(kind->suffixes[i]);
        return 0;
}

/* One more name, `as`, for a file that has come to the upper folder, before anything cleans it away. */
static void hold(const struct watcher *watcher, const char *folder, const char *name, const char *as)
{
        CLEANUP_FREE char *path = xasprintf("%s%s/%s", watcher->guest->upper, folder, name);

        if (is_known(watcher, name, path))
                return;
        unlinkat(watcher->fetched, as, 0);
        if (linkat(AT_FDCWD, path, watcher->fetched, as, 0) < 0)
                log_debug("'%s' is not kept: %s", path, strerror(errno));
}

/* Written to the end, which is not to say that it is whole: its name in `fetched` begins with a dot until it is known.
 */
static void written(const struct watcher *watcher, const struct archives *kind, const char *name)
{
        CLEANUP_FREE char *folder = path_join(kind->folder, kind->partial), *as = xasprintf(".%s", name);

        if (kind->is_source && stem_of(kind, name) > 0)
                hold(watcher, folder, name, as);
}

/* What was written as `made` and another suffix is whole. */
static void source_is_whole(const struct watcher *watcher, const struct archives *kind, const char *made)
{
        for (size_t i = 0; i < MAX_SUFFIXES && kind->suffixes[i]; i++) {
                size_t n = stem_of(kind, made) > 0 ? stem_of(kind, made) : strlen(made);
                CLEANUP_FREE char *name = xasprintf(".%.*s%s", (int)n, made, kind->suffixes[i]);

                renameat(watcher->fetched, name, watcher->fetched, name + 1);
        }
}

static void moved(const struct watcher *watcher, const struct archives *kind, const char *name)
{
        if (kind->is_source)
                source_is_whole(watcher, kind, name);
        else if (stem_of(kind, name) > 0)
                hold(watcher, kind->folder, name, name);
}

static int watch_folder(const struct watcher *watcher, const char *path, uint32_t events)
{
        CLEANUP_CLOSE int root = open(watcher->guest->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CLEANUP_CLOSE int fd = root < 0 ? -1 : inroot_open(root, path, O_PATH | O_DIRECTORY, 0);
        CLEANUP_FREE char *link = xasprintf("/proc/self/fd/%d", fd);

        return fd < 0 ? -1 : inotify_add_watch(watcher->inotify, link, events | IN_ONLYDIR);
}

static void watch_partial(struct watcher *watcher, size_t kind)
{
        CLEANUP_FREE char *path = path_join(kinds[kind].folder, kinds[kind].partial);

        watcher->watches[kind].partial = kinds[kind].is_source ? watch_folder(watcher, path, IN_CLOSE_WRITE) : -1;
}

static void take_event(struct watcher *watcher, const struct inotify_event *event)
{
        for (size_t i = 0; i < N_KINDS; i++) {
                if (event->wd == watcher->watches[i].partial)
                        written(watcher, &kinds[i], event->name);
                else if (event->wd != watcher->watches[i].folder)
                        continue;
                else if (event->mask & IN_MOVED_TO)
                        moved(watcher, &kinds[i], event->name);
                else if (str_eq(event->name, kinds[i].partial)) /* the guest has made it anew */
                        watch_partial(watcher, i);
        }
}

/* False where nothing waits. */
static bool read_events(struct watcher *watcher)
{
        char buffer[16 << 10] __attribute__((aligned(__alignof__(struct inotify_event))));
        ssize_t n = read(watcher->inotify, buffer, sizeof(buffer));

        for (ssize_t at = 0; at < n;) {
                const struct inotify_event *event = (const void *)(buffer + at);

                if (event->len > 0)
                        take_event(watcher, event);
                at += (ssize_t)(sizeof(*event) + event->len);
        }
        return n > 0;
}

/* A file that the layer still has is copied; one that was cleaned away has become ours. */
static void store_one(const struct watcher *watcher, const char *name)
{
        CLEANUP_FREE char *copy = xasprintf(".%s.%d", name, getpid());
        struct stat st;

        if (fstatat(watcher->fetched, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
                return;
        if (st.st_nlink > 1 ? node_copy(watcher->fetched, name, watcher->store, copy, NULL) < 0
                            : renameat(watcher->fetched, name, watcher->store, copy) < 0) {
                log_debug("the package '%s' is not kept", name);
                unlinkat(watcher->store, copy, 0);
        } else if (fchownat(watcher->store, copy, 0, 0, 0) < 0 || fchmodat(watcher->store, copy, 0644, 0) < 0 ||
                   renameat(watcher->store, copy, watcher->store, name) < 0) {
                unlinkat(watcher->store, copy, 0);
        }
        unlinkat(watcher->fetched, name, 0);
}

static void store_all(const struct watcher *watcher)
{
        CLEANUP_CLOSEDIR DIR *dir = fdopendir(fcntl(watcher->fetched, F_DUPFD_CLOEXEC, 0));
        const struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        store_one(watcher, entry->d_name);
}

static int open_all(struct watcher *watcher, struct error *err)
{
        const struct guest *guest = watcher->guest;
        CLEANUP_FREE char *store = path_join(guest->scratch, "store"), *fetched = path_join(guest->scratch, "fetched");

        watcher->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (mkdir(fetched, 0700) < 0 || watcher->inotify < 0)
                return error_errno(err, errno, "watch for packages");
        watcher->store = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        watcher->fetched = open(fetched, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (watcher->store < 0 || watcher->fetched < 0)
                return error_errno(err, errno, "open '%s'", watcher->store < 0 ? store : fetched);
        for (size_t i = 0; i < N_KINDS; i++) {
                watcher->watches[i].folder = watch_folder(watcher, kinds[i].folder, IN_MOVED_TO | IN_CREATE);
                watch_partial(watcher, i);
        }
        return 0;
}

/* In a process of its own, in the guest's namespaces. */
static int watch(void *guest, int sock, struct error *err)
{
        struct watcher watcher = {.guest = guest, .inotify = -1, .fetched = -1, .store = -1};
        struct pollfd fds[] = {{.fd = sock, .events = POLLIN}, {.events = POLLIN}};
        int r = guest_enter_mounts(guest, err);

        if (r == 0)
                r = open_all(&watcher, err);
        if (r == 0)
                r = child_report(sock, 0, NULL, NULL, 0);
        if (r < 0)
                return r;
        fds[1].fd = watcher.inotify;
        while (fds[0].revents == 0)
                if (poll(fds, 2, -1) > 0 && fds[1].revents)
                        read_events(&watcher);
        while (read_events(&watcher))
                ;
        store_all(&watcher);
        return 0;
}

int archives_watch(struct guest *guest, struct error *err)
{
        CLEANUP_FREE char *store = path_join(guest->scratch, "store");
        int r;

        if (!path_exists(store))
                return 0;
        r = child_start(&guest->watcher, watch, guest, err);
        if (r == 0)
                r = child_receive(&guest->watcher, NULL, 0, NULL, err);
        return r < 0 ? error_wrap(err, r, "keep packages for the next build") : 0;
}

void archives_end(struct guest *guest)
{
        CLEANUP_ERROR struct error err = {0};

        if (guest->watcher.pid <= 0)
                return;
        shutdown(guest->watcher.sock, SHUT_WR);
        if (child_receive(&guest->watcher, NULL, 0, NULL, &err) < 0)
                log_debug("packages are not kept: %s", error_message(&err));
        child_done(&guest->watcher);
        guest->watcher = (struct child){.sock = -1};
}

/* ---- no trace ---- */

/* Removed, or given to the user who would have fetched on from there. */
static bool is_trace(int shown, int upper, const char *name)
{
        struct stat ours, theirs;

        if (fstatat(upper, name, &theirs, AT_SYMLINK_NOFOLLOW) < 0 ||
            fstatat(shown, name, &ours, AT_SYMLINK_NOFOLLOW) < 0)
                return false;
        return node_is_whiteout(&theirs) || (S_ISREG(theirs.st_mode) && theirs.st_size == ours.st_size &&
                                             theirs.st_mtim.tv_sec == ours.st_mtim.tv_sec);
}

static int undo_folder(int shown, int upper, struct error *err)
{
        CLEANUP_CLOSEDIR DIR *dir = fdopendir(fcntl(shown, F_DUPFD_CLOEXEC, 0));
        const struct dirent *entry;
        int r = 0;

        while (r == 0 && dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.' && is_trace(shown, upper, entry->d_name))
                        r = node_remove(upper, entry->d_name, 0, err);
        return r;
}

int archives_undo(const char *scratch, const char *upper, struct error *err)
{
        CLEANUP_FREE char *layer_path = path_join(scratch, "inject");
        CLEANUP_CLOSE int layer = open(layer_path, O_PATH | O_DIRECTORY | O_CLOEXEC),
                          top = open(upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r = 0;

        if (layer < 0 || top < 0)
                return error_errno(err, errno, "open the folders of the guest in '%s'", scratch);
        for (size_t i = 0; r == 0 && i < N_KINDS; i++) {
                CLEANUP_FREE char *path = path_join(kinds[i].folder, kinds[i].partial);
                CLEANUP_CLOSE int shown = inroot_open(layer, path, O_RDONLY | O_DIRECTORY, 0),
                                  theirs = inroot_open(top, path, O_RDONLY | O_DIRECTORY, 0);

                if (shown >= 0 && theirs >= 0)
                        r = undo_folder(shown, theirs, err);
        }
        return r < 0 ? error_wrap(err, r, "take the packages of earlier builds out of the layer") : 0;
}
