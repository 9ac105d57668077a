/* What this host has and lacks for building, tried rather than guessed: the
 * namespaces are made, an overlay is mounted on the cache's file system, qemu is
 * registered. See guest.h; slipway doctor prints it. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/size.h"
#include "base/str.h"
#include "base/vec.h"
#include "guest/arch.h"
#include "guest/binfmt.h"
#include "guest/guest.h"
#include "guest/idmap.h"
#include "guest/mounts.h"
#include "guest/native.h"

#define FREE_BYTES_WANTED (4ULL << 30)

struct doctor {
        VEC(struct guest_check) checks;
        struct userns *ns; /* NULL: they could not be made */
        char *cache;       /* NULL: none */
};

static void passed(struct doctor *doctor, const char *name, bool required, char *found)
{
        vec_push(&doctor->checks, (struct guest_check){.name = name, .ok = true, .required = required, .found = found});
}

static void failed(struct doctor *doctor, const char *name, bool required, char *found, char *mend)
{
        vec_push(&doctor->checks,
                 (struct guest_check){.name = name, .required = required, .found = found, .mend = mend});
}

/* Messages of this room end with "Mend it with:\n    command". */
static void failed_by(struct doctor *doctor, const char *name, bool required, const struct error *err)
{
        static const char mark[] = " Mend it with:\n    ";
        const char *message = error_message(err), *mend = strstr(message, mark);

        if (mend)
                failed(doctor, name, required, xstrndup(message, (size_t)(mend - message)),
                       xstrdup(mend + strlen(mark)));
        else
                failed(doctor, name, required, xstrdup(message), xstrdup("see the message"));
}

static void check_kernel(struct doctor *doctor)
{
        struct utsname name = {0};
        long major, minor;
        char *rest;
        bool ok;

        uname(&name);
        major = strtol(name.release, &rest, 10);
        minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
        ok = major > 5 || (major == 5 && minor >= 12);
        if (ok)
                passed(doctor, "kernel", true, xasprintf("Linux %s", name.release));
        else
                failed(doctor, "kernel", true, xasprintf("Linux %s", name.release),
                       xstrdup("boot a kernel of 5.12 or later (6.7 for qemu without set-up)"));
}

static void check_ids(struct doctor *doctor)
{
        CLEANUP_ERROR struct error err = {0};
        struct idmap uids, gids;

        if (idmap_find(&uids, &gids, &err) < 0)
                failed_by(doctor, "user ids", true, &err);
        else if (idmap_count(&uids) < 65536 || idmap_count(&gids) < 65536)
                failed(doctor, "user ids", false,
                       xasprintf("only %llu uids and %llu gids, and images use up to 65534",
                                 (unsigned long long)idmap_count(&uids), (unsigned long long)idmap_count(&gids)),
                       xstrdup("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER"));
        else
                passed(doctor, "user ids", true,
                       xasprintf(idmap_privileged() ? "%llu, as root"
                                                    : "%llu, by /etc/subuid, /etc/subgid and newuidmap",
                                 (unsigned long long)idmap_count(&uids)));
}

static void check_userns(struct doctor *doctor)
{
        CLEANUP_ERROR struct error err = {0};

        if (userns_new(&doctor->ns, &err) < 0)
                failed_by(doctor, "user namespaces", true, &err);
        else
                passed(doctor, "user namespaces", true, xstrdup("one was made"));
}

static int try_overlay(void *arg, struct error *err)
{
        const char *names[] = {"lower", "upper", "work", "root"};
        char *paths[4];
        int r = 0;

        for (size_t i = 0; i < 4; i++) {
                paths[i] = path_join(arg, names[i]);
                if (r == 0)
                        r = dir_make(paths[i], 0755, err);
        }
        if (r == 0)
                r = mounts_overlay((const char *const[]){paths[0], NULL}, 1, paths[1], paths[2], paths[3], false, err);
        for (size_t i = 0; i < 4; i++)
                free(paths[i]);
        return r;
}

static int remove_inside(void *arg, struct error *err)
{
        CLEANUP_FREE char *root = path_join(arg, "root");

        umount2(root, MNT_DETACH);
        return tree_remove(arg, err);
}

static void check_overlay(struct doctor *doctor)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *dir = NULL;
        int r;

        if (!doctor->ns || !doctor->cache) {
                failed(doctor, "overlay", true, xstrdup("not tried"), xstrdup("first what is missing above"));
                return;
        }
        dir = xasprintf("%s/doctor-XXXXXX", doctor->cache);
        if (!mkdtemp(dir)) {
                failed(doctor, "overlay", true, xasprintf("'%s' cannot be made: %s", dir, strerror(errno)),
                       xstrdup("set SLIPWAY_CACHE_DIR to a folder that can be written"));
                return;
        }
        r = userns_call(doctor->ns, try_overlay, dir, &err);
        if (r < 0)
                failed_by(doctor, "overlay", true, &err);
        else
                passed(doctor, "overlay", true, xasprintf("mounted on the file system of %s", doctor->cache));
        userns_call(doctor->ns, remove_inside, dir, NULL);
}

/* Without it a base image is extracted before the first step. */
static void check_fuse(struct doctor *doctor)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *dir = NULL;
        CLEANUP_CLOSE int fd = -1;

        if (!doctor->ns || !doctor->cache) {
                failed(doctor, "FUSE", false, xstrdup("not tried"), xstrdup("first what is missing above"));
                return;
        }
        dir = xasprintf("%s/doctor-XXXXXX", doctor->cache);
        if (mkdtemp(dir) && userns_mount_fuse(doctor->ns, dir, &fd, &err) == 0)
                passed(doctor, "FUSE", false, xstrdup("base images are read in place"));
        else
                failed_by(doctor, "FUSE", false, &err);
        close_p(&fd);
        userns_unmount(doctor->ns, dir, NULL);
        rmdir(dir);
}

static void check_cache(struct doctor *doctor)
{
        CLEANUP_ERROR struct error err = {0};
        struct statvfs fs;
        int fd;

        if (cache_dir(&doctor->cache, &err) < 0) {
                failed(doctor, "cache folder", true, xstrdup(error_message(&err)),
                       xstrdup("set SLIPWAY_CACHE_DIR to a folder that can be written"));
                return;
        }
        if (file_scratch(doctor->cache, 0600, &fd, &err) < 0) {
                failed(doctor, "cache folder", true, xstrdup(error_message(&err)),
                       xstrdup("set SLIPWAY_CACHE_DIR to a folder that can be written"));
        } else {
                close(fd);
                passed(doctor, "cache folder", true, xstrdup(doctor->cache));
        }
        if (statvfs(doctor->cache, &fs) == 0) {
                uint64_t left = (uint64_t)fs.f_bavail * fs.f_frsize;

                if (left >= FREE_BYTES_WANTED)
                        passed(doctor, "free space", false, xasprintf("%s", size_show(left)));
                else
                        failed(doctor, "free space", false, xasprintf("%s in %s", size_show(left), doctor->cache),
                               xstrdup("make room, or set SLIPWAY_CACHE_DIR to a larger file system"));
        }
}

/* 0: by the host itself, 1: by qemu, 2: by qemu, accelerated. */
static int try_arch(void *arg, struct error *err)
{
        CLEANUP_FREE char *by = NULL;
        int r = binfmt_register(arg, NULL, &by, err);

        if (r < 0 || !by)
                return r < 0 ? r : 0;
        return !native_obstacle(arg) && binfmt_can_replace(by) ? 2 : 1;
}

/* Programs of each architecture that images commonly have. */
static void check_arches(struct doctor *doctor)
{
        static const struct {
                const char *name, *label;
                bool required;
        } rows[] = {
                {"aarch64", "arm64 programs", true},    {"arm", "armhf programs", true},
                {"x86_64", "amd64 programs", false},    {"i386", "i386 programs", false},
                {"riscv64", "riscv64 programs", false},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP_ERROR struct error err = {0};
                const struct arch *arch = arch_by_name(rows[i].name);
                CLEANUP_FREE char *qemu = arch_qemu(arch, NULL);
                int r = doctor->ns ? userns_call(doctor->ns, try_arch, (void *)(uintptr_t)arch, &err) : -ENOSYS;

                if (!doctor->ns)
                        failed(doctor, rows[i].label, rows[i].required, xstrdup("not tried"),
                               xstrdup("first what is missing above"));
                else if (r < 0)
                        failed_by(doctor, rows[i].label, rows[i].required, &err);
                else
                        passed(doctor, rows[i].label, rows[i].required,
                               r == 0 ? xstrdup("run by this machine itself")
                                      : xasprintf("run by %s%s", qemu ? qemu : "the host's binfmt_misc",
                                                  r > 1 ? ", accelerated" : ""));
        }
}

static const struct {
        const char *program, *package;
        bool required;
} programs[] = {
        {"mke2fs", "e2fsprogs", true},
        {"e2fsck", "e2fsprogs", true},
        {"resize2fs", "e2fsprogs", true},
        {"mkfs.fat", "dosfstools", true},
        {"fsck.fat", "dosfstools", true},
        {"mcopy", "mtools", true},
        {"mmdebstrap", "mmdebstrap", false},
        {"mkfs.btrfs", "btrfs-progs", false},
        {"mkfs.f2fs", "f2fs-tools", false},
        {"mkfs.xfs", "xfsprogs", false},
        {"linux.uml", "user-mode-linux", false},
        {"qemu-system-aarch64", "qemu-system-arm", false},
        {"qemu-system-x86_64", "qemu-system-x86", false},
        {"xz", "xz-utils", false},
        {"unzip", "unzip", false},
        {"bsdtar", "libarchive-tools", false},
        {"bmaptool", "bmap-tools", false},
        {"ansible-playbook", "ansible-core", false},
};

static void check_programs(struct doctor *doctor)
{
        for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
                char *found = program_find(programs[i].program);

                if (found)
                        passed(doctor, programs[i].program, programs[i].required, found);
                else
                        failed(doctor, programs[i].program, programs[i].required, xstrdup("not installed"),
                               xasprintf("sudo apt-get install %s", programs[i].package));
        }
}

struct guest_check *guest_doctor(size_t *ret_n)
{
        struct doctor doctor = {0};

        check_kernel(&doctor);
        check_ids(&doctor);
        check_userns(&doctor);
        check_cache(&doctor);
        check_overlay(&doctor);
        check_fuse(&doctor);
        check_arches(&doctor);
        check_programs(&doctor);
        userns_free(doctor.ns);
        free(doctor.cache);
        *ret_n = doctor.checks.n;
        return doctor.checks.v;
}

void guest_checks_free(struct guest_check *checks, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free(checks[i].found);
                free(checks[i].mend);
        }
        free(checks);
}
