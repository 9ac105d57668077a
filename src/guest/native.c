/* See native.h. What runs is seen by the guest beneath /proc/1/map_files: a folder that every guest has, that no
 * package looks into, and that needs no new name anywhere. In a /proc or a root of its own
 * (a chroot in the guest) nothing is found there, and qemu runs the program as always. */
#include "guest/native.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "guest/binfmt.h"
#include "guest/inroot.h"
#include "guest/mounts.h"
#include "guest/native_match.h"
#include "guest/native_perl.h"

#if SLIPWAY_DOOR
static const unsigned char door[] = {
#include "guest/door.inc"
};
enum { DOOR_SIZE = sizeof(door) };
#else
static const unsigned char door[1];
enum { DOOR_SIZE = 0 };
#endif

const char *native_obstacle(const struct arch *arch)
{
        if (DOOR_SIZE == 0)
                return "this build of slipway has none for this host's processor";
        if (arch->big_endian)
                return "its processor has another byte order";
        return NULL;
}

/* qemu with the door: code, and the head behind it. */
static int write_door(const struct native *native, const char *to, struct error *err)
{
        struct door_head head = {
                .table = NATIVE_PLACE "/table",
                .loader = NATIVE_PLACE "/ld.so",
                .libraries = NATIVE_PLACE "/lib",
                .preamble = NATIVE_PERL_PREAMBLE,
        };
        CLEANUP_FREE uint8_t *data = xcalloc(1, DOOR_SIZE + sizeof(head));

        memcpy(data, door, DOOR_SIZE);
        memcpy(data + DOOR_SIZE, &head, sizeof(head));
        return native_door_write(native->qemu, to, data, DOOR_SIZE + sizeof(head), (void *)(data + DOOR_SIZE), err);
}

/* One for all guests of the build; `qemu` is a name of it that says that this guest has it. */
static int make_door(const struct native *native, const char *qemu, struct error *err)
{
        CLEANUP_FREE char *first = path_join(native->shared, "native-door"), *part = NULL;
        int r = 0;

        if (!path_exists(first)) {
                r = native_part(first, &part, err);
                if (r == 0)
                        r = write_door(native, part, err);
                if (r == 0)
                        r = native_whole(part, first, err);
        }
        if (r == 0 && link(first, qemu) < 0)
                r = error_errno(err, errno, "link '%s' to '%s'", first, qemu);
        return r;
}

static int install(const struct native *native, const char *folder, int place, struct error *err)
{
        CLEANUP_FREE char *qemu = path_join(native->scratch, "native-qemu");
        int r = make_door(native, qemu, err);

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
        return inroot_open(root, NATIVE_PLACE, O_PATH | O_DIRECTORY, 0);
}

static int refuse(const struct native *native, const char *why)
{
        log_debug("programs for %s are not accelerated: %s", native->arch->name, why);
        return 0;
}

int native_start(const struct native *native, struct error *err)
{
        CLEANUP(native_match_clear) struct native_match match = {.host_root = -1};
        CLEANUP_CLOSE int place = -1;
        CLEANUP_ERROR struct error why = {0};
        int r;

        if (native_obstacle(native->arch))
                return refuse(native, native_obstacle(native->arch));
        place = open_place(native->root);
        if (place < 0)
                return refuse(native, "the guest has no /proc of its own");
        if (!binfmt_can_replace(native->qemu))
                return refuse(native, "the kernel or qemu is too old (Linux 6.7, qemu 6.0)");
        r = native_match(native, &match, &why);
        if (r == 0)
                r = install(native, match.folder, place, &why);
        if (r == -ENOTSUP)
                return refuse(native, error_message(&why));
        if (r < 0)
                return error_set(err, -r, "accelerate the guest: %s", error_message(&why));
        log_debug("%zu programs are accelerated", match.tools.n);
        return 1;
}

/* ---- while it runs ---- */

/* Wait until dpkg has replaced its list of packages. False: no more. */
static bool wait_for_status(int notify)
{
        char events[4096] __attribute__((aligned(8)));
        bool found = false;

        while (!found) {
                ssize_t n = read(notify, events, sizeof(events));

                if (n <= 0)
                        return false; /* EINTR: cancelled */
                for (char *at = events; at < events + n;) {
                        const struct inotify_event *event = (const struct inotify_event *)at;

                        if (event->mask & IN_IGNORED)
                                return false;
                        found = found || (event->len > 0 && str_eq(event->name, "status"));
                        at += sizeof(*event) + event->len;
                }
        }
        return !cancel_requested();
}

int native_watch(const struct native *native, struct error *err)
{
        CLEANUP_CLOSE int notify = inotify_init1(IN_CLOEXEC);
        CLEANUP_CLOSE int folder = inroot_open(native->root, "/var/lib/dpkg", O_PATH | O_DIRECTORY, 0);
        CLEANUP_FREE char *path = xasprintf("/proc/self/fd/%d", folder);

        if (folder < 0 || notify < 0 || inotify_add_watch(notify, path, IN_MOVED_TO) < 0)
                return error_errno(err, errno, "watch the guest's packages");
        while (wait_for_status(notify)) {
                CLEANUP(native_match_clear) struct native_match match = {.host_root = -1};
                CLEANUP_ERROR struct error why = {0};

                /* While dpkg works there may be less to recognise; what is not is emulated. */
                if (native_match(native, &match, &why) < 0)
                        log_debug("the guest's new programs are not accelerated: %s", error_message(&why));
        }
        return 0;
}
