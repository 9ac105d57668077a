/* See archives.h. In the scratch folder: `store`, a symlink to the folder of packages
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

/* One for each package manager that takes what it finds among its half files: apt does so with packages,
 * not with its lists; apk, dnf and pacman do not. */
static const struct archives {
        const char *folder;  /* of whole files, to which they are moved */
        const char *partial; /* of half files */
        const char *suffix;
} kinds[] = {
        {"/var/cache/apt/archives", "/var/cache/apt/archives/partial", ".deb"},
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

int archives_inject(struct inject *in, const char *store, const char *machine, struct error *err)
{
        CLEANUP_FREE char *name = system_name(in, machine), *folder = path_join(store, name);
        CLEANUP_CLOSE int from = -1;
        int r = 0;

        for (size_t i = 0; r == 0 && i < N_KINDS; i++) {
                CLEANUP_CLOSE int partial = inroot_open(in->below, kinds[i].partial, O_PATH | O_DIRECTORY, 0);

                if (partial < 0)
                        continue;
                r = dir_make(folder, 0755, err);
                if (r == 0 && from < 0 && symlinkat(folder, in->scratch, "store") < 0)
                        r = error_errno(err, errno, "make the symlink 'store'");
                from = r == 0 && from < 0 ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : from;
                if (r == 0 && from < 0)
                        r = error_errno(err, errno, "open '%s'", folder);
                if (r == 0)
                        r = inject_links(in, kinds[i].partial, from, kinds[i].suffix, err);
        }
        if (from >= 0)
                futimens(from, NULL); /* it is used now */
        return r < 0 ? error_wrap(err, r, "show the packages of earlier builds") : 0;
}

/* ---- what comes while the guest runs ---- */

struct watcher {
        const struct guest *guest;
        int inotify, fetched, store;
        int watches[N_KINDS]; /* of folders in the merged root */
};

/* By size and time, which apt sets to those of the server's file. */
static bool is_known(const struct watcher *watcher, const char *name, const char *path)
{
        struct stat ours, theirs;

        return fstatat(watcher->store, name, &ours, 0) == 0 && lstat(path, &theirs) == 0 &&
               ours.st_size == theirs.st_size && ours.st_mtim.tv_sec == theirs.st_mtim.tv_sec;
}

/* One more name for a file that has come to the upper folder, before anything cleans it away. */
static void hold(const struct watcher *watcher, const struct archives *kind, const char *name)
{
        CLEANUP_FREE char *path = xasprintf("%s%s/%s", watcher->guest->upper, kind->folder, name);

        if (!str_ends(name, kind->suffix) || is_known(watcher, name, path))
                return;
        unlinkat(watcher->fetched, name, 0);
        if (linkat(AT_FDCWD, path, watcher->fetched, name, 0) < 0)
                log_debug("'%s' is not kept: %s", path, strerror(errno));
}

/* False where nothing waits. */
static bool read_events(const struct watcher *watcher)
{
        char buffer[16 << 10] __attribute__((aligned(__alignof__(struct inotify_event))));
        ssize_t n = read(watcher->inotify, buffer, sizeof(buffer));

        for (ssize_t at = 0; at < n;) {
                const struct inotify_event *event = (const void *)(buffer + at);

                for (size_t i = 0; i < N_KINDS; i++)
                        if (event->wd == watcher->watches[i] && event->len > 0)
                                hold(watcher, &kinds[i], event->name);
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
        CLEANUP_CLOSE int root = open(guest->root, O_PATH | O_DIRECTORY | O_CLOEXEC);

        watcher->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (mkdir(fetched, 0700) < 0 || root < 0 || watcher->inotify < 0)
                return error_errno(err, errno, "watch for packages");
        watcher->store = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        watcher->fetched = open(fetched, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (watcher->store < 0 || watcher->fetched < 0)
                return error_errno(err, errno, "open '%s'", watcher->store < 0 ? store : fetched);
        for (size_t i = 0; i < N_KINDS; i++) {
                CLEANUP_CLOSE int fd = inroot_open(root, kinds[i].folder, O_PATH | O_DIRECTORY, 0);
                CLEANUP_FREE char *path = xasprintf("/proc/self/fd/%d", fd);

                watcher->watches[i] = fd < 0 ? -1 : inotify_add_watch(watcher->inotify, path, IN_MOVED_TO | IN_ONLYDIR);
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

static int undo_folder(int shown, int upper, struct error *err)
{
        CLEANUP_CLOSEDIR DIR *dir = fdopendir(fcntl(shown, F_DUPFD_CLOEXEC, 0));
        const struct dirent *entry;
        struct stat st;
        int r = 0;

        while (r == 0 && dir && (entry = readdir(dir)))
                if (fstatat(upper, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && node_is_whiteout(&st))
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
                CLEANUP_CLOSE int shown = inroot_open(layer, kinds[i].partial, O_RDONLY | O_DIRECTORY, 0),
                                  theirs = inroot_open(top, kinds[i].partial, O_RDONLY | O_DIRECTORY, 0);

                if (shown >= 0 && theirs >= 0)
                        r = undo_folder(shown, theirs, err);
        }
        return r < 0 ? error_wrap(err, r, "take the packages of earlier builds out of the layer") : 0;
}
