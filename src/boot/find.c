/* What in an image can be booted: the root file system, the newest kernel in
 * it or in its boot partition, the initrd that belongs to that kernel, and
 * whether firmware could start the disk by itself. */
#include "boot/boot.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "base/packed.h"
#include "base/str.h"
#include "disk/fs.h"

/* Names of kernels in the order in which they are wanted; "*" is a version.
 * The initrds are tried in turn, with the kernel's version for "*". */
static const struct kernel_name {
        const char *kernel;
        const char *initrds[4];
} kernel_names[] = {
        {"vmlinuz-*", {"initrd.img-*", "initramfs-*.img", "initrd-*"}},
        {"vmlinuz", {"initrd.img", "initrd"}},
        {"vmlinux-*", {"initrd.img-*"}},
        {"Image", {"initrd.img", "initramfs-linux.img", "initramfs.cpio.gz"}},
        {"zImage", {"initrd.img", "initramfs-linux.img", "initramfs.cpio.gz"}},
        {"bzImage", {"initrd.img", "initrd"}},
        {"kernel8.img", {"initramfs8", "initrd.img"}},
        {"kernel7l.img", {"initramfs7l", "initrd.img"}},
        {"kernel7.img", {"initramfs7", "initrd.img"}},
        {"kernel.img", {"initramfs", "initrd.img"}},
};

enum { HEAD_BYTES = 1024 };

const char *boot_arch_name(enum boot_arch arch)
{
        static const char *const names[] = {"unknown", "arm64", "armhf", "x86-64"};

        return names[arch];
}

enum boot_arch boot_kernel_arch(const void *head, size_t n)
{
        const unsigned char *b = head;

        if (n >= 64 && memcmp(b + 56, "ARM\x64", 4) == 0)
                return BOOT_ARM64;
        if (n >= 40 && get_le32(b + 36) == 0x016f2818)
                return BOOT_ARMHF;
        if (n >= 518 && memcmp(b + 514, "HdrS", 4) == 0)
                return BOOT_X86;
        return BOOT_UNKNOWN;
}

int boot_version_compare(const char *a, const char *b)
{
        while (*a && *b) {
                if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
                        unsigned long x = strtoul(a, (char **)&a, 10), y = strtoul(b, (char **)&b, 10);

                        if (x != y)
                                return x < y ? -1 : 1;
                } else if (*a != *b) {
                        return *a < *b ? -1 : 1;
                } else {
                        a++;
                        b++;
                }
        }
        return (*a != '\0') - (*b != '\0');
}

/* --- one file system of the image --- */

struct place {
        const struct boot_system *system;
        const struct disk_partition *partition;
        const struct fs_type *type;
        struct fs_volume volume;
};

static bool place_of(const struct boot_system *system, const struct disk_partition *partition, struct place *ret)
{
        *ret = (struct place){
                .system = system,
                .partition = partition,
                .type = partition->fs ? fs_type_find(partition->fs) : NULL,
                .volume = {system->image, partition->start_bytes, partition->size_bytes, "partition"},
        };
        return ret->type && ret->type->list && ret->type->cat;
}

static char *mountpoint_of(const struct place *place)
{
        const struct boot_system *system = place->system;

        for (size_t i = 0; i < system->n_mounts; i++)
                if (system->mounts[i].partition == place->partition)
                        return xstrdup(i == 0 ? "" : system->mounts[i].mountpoint);
        return NULL;
}

static void file_clear(struct boot_file *file)
{
        free(file->path);
        free(file->mountpoint);
        close_p(&file->fd);
}

/* The contents of a path as a memfd; false if it is not there or no file. */
static bool take_file(const struct place *place, const char *path, struct boot_file *file)
{
        CLEANUP_ERROR struct error ignored = {0};
        CLEANUP_CLOSE int fd = memfd_create("boot", MFD_CLOEXEC);

        if (fd < 0 || place->type->cat(&place->volume, path, fd, &ignored) < 0)
                return false;
        file_clear(file);
        *file = (struct boot_file){
                .path = xstrdup(path),
                .mountpoint = mountpoint_of(place),
                .start_bytes = place->partition->start_bytes,
                .fd = steal_fd(&fd),
        };
        return true;
}

/* The part of `name` that stands for "*" in `pattern`; NULL if they do not match. The caller frees. */
static char *match(const char *pattern, const char *name)
{
        const char *star = strchr(pattern, '*');
        size_t before = star ? (size_t)(star - pattern) : strlen(pattern), n = strlen(name);

        if (!star)
                return strcmp(pattern, name) == 0 ? xstrdup("") : NULL;
        if (n <= before || strncmp(pattern, name, before) != 0 || str_ends(name, ".old") || str_ends(name, "-rescue"))
                return NULL;
        return xstrdup(name + before);
}

struct search {
        const char *pattern;
        char *version; /* the newest so far, or NULL */
};

static int on_entry(void *arg, const struct fs_entry *entry)
{
        struct search *search = arg;
        CLEANUP_FREE char *version = match(search->pattern, entry->name);

        if (version && (!search->version || boot_version_compare(version, search->version) > 0)) {
                free(search->version);
                search->version = steal(&version);
        }
        return 0;
}

static bool take_kernel(struct boot_system *system, const struct place *place, const char *folder,
                        const struct kernel_name *name)
{
        CLEANUP_ERROR struct error ignored = {0};
        struct search search = {.pattern = name->kernel};
        CLEANUP_FREE char *version = NULL, *path = NULL, *file = NULL;
        int r = place->type->list(&place->volume, folder, on_entry, &search, &ignored);

        version = search.version;
        if (r < 0 || !version)
                return false;
        file = str_replace(name->kernel, "*", version);
        path = path_join(folder, file);
        if (!take_file(place, path, &system->kernel))
                return false;
        for (const char *const *initrd = name->initrds; *initrd; initrd++) {
                CLEANUP_FREE char *initrd_name = str_replace(*initrd, "*", version);
                CLEANUP_FREE char *initrd_path = path_join(folder, initrd_name);

                if (take_file(place, initrd_path, &system->initrd))
                        break;
        }
        return true;
}

static bool look_in(struct boot_system *system, const struct place *place)
{
        static const char *const folders[] = {"/boot", "/"};

        for (size_t k = 0; k < sizeof(kernel_names) / sizeof(*kernel_names); k++)
                for (size_t f = 0; f < 2; f++)
                        if (take_kernel(system, place, folders[f], &kernel_names[k]))
                                return true;
        return false;
}

/* --- the whole image --- */

static bool is_efi(const struct disk_partition *partition)
{
        const char *type = partition->type ? partition->type : "";

        return strcasecmp(type, "ef") == 0 || strcasecmp(type, "C12A7328-F81F-11D2-BA4B-00A0C93EC93B") == 0;
}

static void find_device_tree(struct boot_system *system, const struct place *place)
{
        static const char *const paths[] = {"/bcm2837-rpi-3-b.dtb", "/bcm2710-rpi-3-b.dtb"};

        for (size_t i = 0; i < 2 && !system->dtb.path; i++)
                take_file(place, paths[i], &system->dtb);
}

/* The root's own kernel first; then any partition's, since a boot partition
 * need not stand in fstab. */
static void find_kernel(struct boot_system *system)
{
        struct place place;
        bool found = system->root && place_of(system, system->root, &place) && look_in(system, &place);

        for (size_t i = 0; i < system->table->n; i++) {
                if (&system->table->v[i] == system->root || !place_of(system, &system->table->v[i], &place))
                        continue;
                found = found || look_in(system, &place);
                find_device_tree(system, &place);
        }
}

/* The class and machine of an ELF file (elf(5)). */
static enum boot_arch elf_arch(const unsigned char *b, ssize_t n)
{
        if (n < 20 || memcmp(b,
                             "\x7f"
                             "ELF",
                             4) != 0)
                return BOOT_UNKNOWN;
        switch (get_le16(b + 18)) {
        case 183:
                return BOOT_ARM64;
        case 40:
                return BOOT_ARMHF;
        case 3:
        case 62:
                return BOOT_X86;
        default:
                return BOOT_UNKNOWN;
        }
}

/* Of the kernel; where its first bytes do not tell (compressed), of the root's own programs. */
static void find_arch(struct boot_system *system)
{
        static const char *const programs[] = {"/bin/sh", "/bin/busybox", "/sbin/init", "/usr/bin/bash"};
        unsigned char head[HEAD_BYTES];
        ssize_t n = system->kernel.fd >= 0 ? pread(system->kernel.fd, head, sizeof(head), 0) : 0;
        struct place place;

        system->arch = boot_kernel_arch(head, n > 0 ? (size_t)n : 0);
        if (system->arch || !system->root || !place_of(system, system->root, &place))
                return;
        for (size_t i = 0; i < 4 && !system->arch; i++) {
                struct boot_file file = {.fd = -1};

                if (take_file(&place, programs[i], &file)) {
                        n = pread(file.fd, head, sizeof(head), 0);
                        system->arch = elf_arch(head, n);
                }
                file_clear(&file);
        }
}

/* A boot sector with code in it: a PC's BIOS runs it. */
static int look_at_sector(struct boot_system *system, struct error *err)
{
        CLEANUP_CLOSE int fd = open(system->image, O_RDONLY | O_CLOEXEC);
        unsigned char sector[512];
        int r;

        if (fd < 0)
                return error_errno(err, errno, "open the image '%s'", system->image);
        r = fd_pread_all(fd, sector, sizeof(sector), 0);
        if (r == -ENODATA)
                return error_set(err, EINVAL, "'%s' is no disk image: it is shorter than one sector", system->image);
        if (r < 0)
                return error_errno(err, -r, "read '%s'", system->image);
        system->boot_code = !is_zero(sector, 440) && get_le16(sector + 510) == 0xaa55;
        return 0;
}

static void find_root(struct boot_system *system)
{
        CLEANUP_ERROR struct error why = {0};

        if (disk_mounts_find(system->image, system->table, &system->mounts, &system->n_mounts, &why) < 0) {
                log_debug("boot: %s", error_message(&why));
                return;
        }
        system->root = system->mounts[0].partition;
}

int boot_find(const char *image, struct boot_system **ret, struct error *err)
{
        CLEANUP(boot_system_freep) struct boot_system *system = xcalloc(1, sizeof(*system));
        int r = packed_refuse(image, err);

        system->kernel.fd = system->initrd.fd = system->dtb.fd = -1;
        if (r < 0)
                return r;
        system->image = xstrdup(image);
        r = look_at_sector(system, err);
        if (r < 0)
                return r;
        r = disk_table_read(image, &system->table, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < system->table->n; i++)
                system->efi = system->efi || is_efi(&system->table->v[i]);
        find_root(system);
        find_kernel(system);
        find_arch(system);
        *ret = steal(&system);
        return 0;
}

struct boot_system *boot_system_free(struct boot_system *system)
{
        if (!system)
                return NULL;
        file_clear(&system->kernel);
        file_clear(&system->initrd);
        file_clear(&system->dtb);
        disk_mounts_free(system->mounts, system->n_mounts);
        disk_table_free(system->table);
        free(system->image);
        free(system);
        return NULL;
}
