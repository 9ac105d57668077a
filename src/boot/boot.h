/* An image in QEMU: what in it can be booted (find.c), the QEMU command line
 * for it (machine.c), and the machine's console on our terminal (run.c). */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "disk/disk.h"
#include "disk/mounts.h"

enum boot_arch { BOOT_UNKNOWN, BOOT_ARM64, BOOT_ARMHF, BOOT_X86 };
const char *boot_arch_name(enum boot_arch arch);

/* A file taken out of the image: where it was, and its bytes. */
struct boot_file {
        char *path;           /* absolute, in its file system; NULL: there is none */
        char *mountpoint;     /* of that file system, without a slash at its end ("": the root); NULL: not mounted */
        uint64_t start_bytes; /* of that file system in the image */
        int fd;               /* a memfd with the contents; -1 */
};

struct boot_system {
        char *image;
        struct disk_table *table;
        const struct disk_partition *root; /* of the table; NULL: none found */
        struct disk_mount *mounts;         /* the root first */
        size_t n_mounts;
        enum boot_arch arch;
        struct boot_file kernel, initrd, dtb;
        bool boot_code; /* a boot sector that a PC's BIOS would run */
        bool efi;       /* an EFI system partition */
};

/* Look into the image: its root, the newest kernel with its initrd, what
 * firmware could start. Finding no kernel is no error here. */
int boot_find(const char *image, struct boot_system **ret, struct error *err);
struct boot_system *boot_system_free(struct boot_system *system); /* returns NULL */
static inline void boot_system_freep(struct boot_system **system)
{
        *system = boot_system_free(*system);
}
/* What the kernel's first bytes say (Linux Documentation/arch: arm64/booting,
 * arm/booting, x86/boot); BOOT_UNKNOWN if they say nothing. */
enum boot_arch boot_kernel_arch(const void *head, size_t n);
/* Is version a newer than b? Digits as numbers: "6.1.0-9" is older than "6.1.0-30". */
int boot_version_compare(const char *a, const char *b);

/* Who starts the kernel. AUTO: QEMU, but the firmware on a PC, and where no kernel was found. */
enum boot_firmware { BOOT_FIRMWARE_AUTO, BOOT_FIRMWARE_NONE, BOOT_FIRMWARE_BIOS, BOOT_FIRMWARE_UEFI };
extern const char *const boot_firmware_names[]; /* in that order, NULL-terminated */

struct boot_options {
        const char *machine, *cpu; /* NULL: by the architecture */
        enum boot_firmware firmware;
        const char *append;    /* more for the kernel's command line */
        long memory_mib, cpus; /* 0: the machine's default */
        bool persist;          /* write to the image; else changes vanish with the machine */
        long ssh_port;         /* of this host, forwarded to the guest's port 22; 0: none */
        bool watched;          /* the console is read by us, not by a person */
        const char *until;     /* text to wait for, or NULL: the terminal is the user's */
        long timeout_sec;      /* 0: none */
};

extern const char *const boot_machine_names[];

/* The QEMU command line; fds of the system are named as /proc/self/fd/N, so it is good for
 * boot_run() only. *ret_disk_fd: -1, or a copy of the image that the machine needs (SD cards
 * have sizes that are powers of two). The caller frees both. */
int boot_command(struct boot_system *system, const struct boot_options *options, char ***ret_argv, int *ret_disk_fd,
                 struct error *err);
/* The same for a person to copy: lines of sh(1) that take the kernel out and start QEMU. The caller frees. */
int boot_script(struct boot_system *system, const struct boot_options *options, char **ret, struct error *err);

/* Run it. With `until`: 0 once the console showed the text; an error on the
 * time-out, a kernel panic, or QEMU's end before that. Without: *ret_status is QEMU's exit code. */
int boot_run(const struct boot_system *system, const struct boot_options *options, char *const *argv, int disk_fd,
             int *ret_status, struct error *err);
