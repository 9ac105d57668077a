/* A root file system that commands run in: layers as an overlay, /proc /sys
 * /dev, name resolution, qemu for foreign binaries. Its processes live in
 * their own pid, ipc, uts and mount namespaces, which end with it (and with
 * us). Nothing of it is ever visible on the host. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/spawn.h"
#include "guest/userns.h"

/* A chroot mount as templates write it. */
struct guest_mount {
        const char *type; /* "proc", "sysfs", "bind", "devpts", "binfmt_misc", "tmpfs", ... */
        const char *source;
        const char *destination; /* absolute path in the guest */
};

struct guest_config {
        const char *const *lowers; /* folders, the lowest (the base) first */
        const char *upper, *work; /* the layer that is written, and overlay's work folder, on one file system with it */
        const char *links;        /* file as by guest_links_save() for lowers[0], or NULL */
        const char *scratch; /* a folder for what slipway itself puts over the layers (resolv.conf, the merged root) */
        const struct guest_mount *mounts; /* NULL: the defaults */
        size_t n_mounts;
        const struct guest_mount *more_mounts; /* added to either */
        size_t n_more_mounts;
        const char *const *env;       /* K=V of everything run inside, over a small standard environment */
        const char *qemu;             /* path on the host, or NULL: found */
        const char *qemu_destination; /* where templates expect it, or NULL */
        bool accelerate;              /* the host's builds of tools run in place of emulated ones (native.h) */
        const char *shared;     /* a folder for what guests of one build have in common; NULL: each makes its own */
        const char *packages;   /* a folder for the packages that guests of all builds fetch (archives.h); NULL: none */
        const char *mount_path; /* also visible here, inside the build's mount namespace (image_mount_path), or NULL */
};

struct guest;

/* Write down which files of a tree have several names, for guest_config.links: their paths without
 * a leading slash, a NUL after each, in any order. In the user namespace. */
int guest_links_save(const char *tree, const char *file, struct error *err);

/* Architecture of a tree, from the ELF header of its shell, loader or init (symlinks
 * resolved inside the tree): an EM_ number, and the class (32, 64). A tree
 * without a shell is an error that lists where it was looked for. In the user namespace. */
int guest_architecture(const char *root, int *ret_machine, int *ret_bits, struct error *err);
/* The same as the oldest machine that the tree is made for, as uname -m says it: "aarch64", "armv6l", "armv7l"; with
 * "-musl" behind it where programs for glibc do not start, but those for musl do. The caller frees. */
int guest_platform(const char *root, char **ret, struct error *err);
/* "aarch64", "arm", "x86_64", "riscv64", ... */
const char *guest_machine_name(int elf_machine, int bits);

/* The version of the qemu that emulates guests, as it says it; `qemu`: as in guest_config. NULL: there is none. The
 * caller frees. */
char *guest_qemu_version(const char *qemu);

int guest_start(struct userns *ns, const struct guest_config *config, struct guest **ret, struct error *err);
/* Kill what still runs in it, undo what slipway put there (resolv.conf), so that the
 * upper folder holds the provisioner's changes and nothing else. With `keep`
 * false the upper is about to be thrown away: only stop. */
int guest_stop(struct guest *guest, bool keep, struct error *err);
struct guest *guest_free(struct guest *guest); /* stops it if need be; returns NULL */
static inline void guest_freep(struct guest **guest)
{
        *guest = guest_free(*guest);
}

struct guest_command {
        const char *const *argv; /* argv[0]: absolute path in the guest, or looked up in its PATH */
        const char *const *env;  /* K=V over the guest's own */
        const char *cwd;         /* in the guest; NULL: / */
        bool terminal;           /* keep our terminal: an interactive shell */
        unsigned int timeout_ms;
        void (*on_line)(void *arg, bool is_stderr, const char *line);
        void *arg;
};
/* *ret_status as spawn_run's. */
int guest_run(struct guest *guest, const struct guest_command *command, int *ret_status, struct error *err);

/* Copy into the guest. Paths inside are resolved beneath its root
 * (RESOLVE_IN_ROOT). Missing parent folders are made for put. */
int guest_put_data(struct guest *guest, const void *data, size_t n, const char *path, mode_t mode, struct error *err);
/* A file, or a folder with all below it; `to` is the exact new name. Modes and symlinks are kept, the owner is
 * root. Folders that are there already stay as they are and take what is new, as with cp -R. */
int guest_put(struct guest *guest, const char *from, const char *to, struct error *err);
int guest_get(struct guest *guest, const char *from, const char *to, struct error *err);
int guest_remove(struct guest *guest, const char *path, struct error *err);
/* Of a file or a folder: to leave no trace of a short visit. */
int guest_set_mtime(struct guest *guest, const char *path, const struct timespec *mtime, struct error *err);
/* -ENOENT where there is nothing (no message). */
int guest_stat(struct guest *guest, const char *path, struct stat *ret, struct error *err);
/* The merged root, as a path that processes inside the build's namespaces (userns_enter and
 * then guest_enter) can use: image_setup_extra's $MOUNTPOINT. */
const char *guest_root(const struct guest *guest);
/* A folder of the host for files that go with the guest; it vanishes with the layer's staging. */
const char *guest_scratch(const struct guest *guest);
/* The text of a shell script for programs of the host that go into a root by a command like chroot(1):
 * SCRIPT ROOT COMMAND... runs the command in the guest, as guest_run() does, with the guest's
 * environment and `more_env` (K=V, may be NULL), whatever ROOT is. Works after guest_enter_mounts,
 * while the guest runs. The caller frees *ret. */
int guest_entry(const struct guest *guest, const char *const *more_env, char **ret, struct error *err);
/* Fork, and run fn(arg) as root of the guest's files, with the guest's root as its root folder: for code of ours that
 * works on absolute paths. No process of the guest sees it; fds stay open, results come back through them. */
int guest_call(struct guest *guest, int (*fn)(void *arg, struct error *err), void *arg, struct error *err);
/* For struct spawn's enter: a host program in the guest's mount namespace, not chrooted (arg is the struct guest). */
int guest_enter_mounts(void *guest, struct error *err);

/* What `slipway doctor` prints: one line each. */
struct guest_check {
        const char *name; /* "user namespaces" */
        bool ok, required;
        char *found, *mend; /* owned; mend NULL if ok */
};
/* The caller frees with guest_checks_free. */
struct guest_check *guest_doctor(size_t *ret_n);
void guest_checks_free(struct guest_check *checks, size_t n);
