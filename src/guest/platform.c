/* The oldest machine that a tree is made for, by its programs. For 32-bit ARM
 * the ELF header does not tell: the build attributes do (ARM IHI 0045, "Addenda
 * to the ABI", section 3: Tag_CPU_arch). And whose programs start there: a C
 * library's dynamic loader has the name that is built into its programs. */
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/arch.h"
#include "guest/guest.h"
#include "guest/inroot.h"

enum {
        ATTRIBUTES_MAX = 1 << 16,
        SECTIONS_MAX = 256,
        TAG_FILE = 1,
        TAG_CPU_RAW_NAME = 4,
        TAG_CPU_NAME = 5,
        TAG_CPU_ARCH = 6,
        TAG_COMPATIBILITY = 32,
        ARCH_V6 = 6,
        ARCH_V7 = 10,
};

struct cursor {
        const uint8_t *next;
        size_t left;
};

static bool take(struct cursor *c, size_t n, const uint8_t **ret)
{
        if (n > c->left)
                return false;
        *ret = c->next;
        c->next += n;
        c->left -= n;
        return true;
}

static bool take_uleb(struct cursor *c, uint32_t *ret)
{
        const uint8_t *byte;

        *ret = 0;
        for (unsigned int shift = 0; shift < 32 && take(c, 1, &byte); shift += 7) {
                *ret |= (uint32_t)(*byte & 0x7f) << shift;
                if (*byte < 0x80)
                        return true;
        }
        return false;
}

static bool take_text(struct cursor *c)
{
        const uint8_t *end = memchr(c->next, 0, c->left), *text;

        return end && take(c, (size_t)(end - c->next) + 1, &text);
}

static bool is_text(uint32_t tag)
{
        return tag == TAG_CPU_RAW_NAME || tag == TAG_CPU_NAME || (tag > TAG_COMPATIBILITY && tag % 2 == 1);
}

/* Of the file's own attributes, Tag_CPU_arch, or -1. */
static int cpu_arch_of(struct cursor attributes)
{
        uint32_t tag, value;

        while (take_uleb(&attributes, &tag)) {
                if (is_text(tag)) {
                        if (!take_text(&attributes))
                                return -1;
                        continue;
                }
                if (!take_uleb(&attributes, &value) || (tag == TAG_COMPATIBILITY && !take_text(&attributes)))
                        return -1;
                if (tag == TAG_CPU_ARCH)
                        return (int)value;
        }
        return -1;
}

/* A length that counts itself and what is before it in its part. */
static bool take_part(struct cursor *c, size_t before, struct cursor *ret)
{
        const uint8_t *length, *body;
        uint32_t n;

        if (!take(c, 4, &length))
                return false;
        n = get_le32(length);
        if (n < before + 4 || !take(c, n - before - 4, &body))
                return false;
        *ret = (struct cursor){body, n - before - 4};
        return true;
}

/* 'A', then sections of vendors, each of parts with a tag of one byte; "aeabi" is the public one. */
static int cpu_arch_in(struct cursor all)
{
        const uint8_t *format, *tag;
        struct cursor vendor, part;

        if (!take(&all, 1, &format) || *format != 'A')
                return -1;
        while (take_part(&all, 0, &vendor)) {
                bool public = vendor.left > 6 && memcmp(vendor.next, "aeabi", 6) == 0;

                if (!public || !take_text(&vendor))
                        continue;
                while (take(&vendor, 1, &tag) && take_part(&vendor, 1, &part))
                        if (*tag == TAG_FILE)
                                return cpu_arch_of(part);
        }
        return -1;
}

/* Tag_CPU_arch of an open ELF32 little-endian program, or -1. */
static int cpu_arch_of_program(int fd)
{
        Elf32_Ehdr head;
        Elf32_Shdr section;
        CLEANUP_FREE uint8_t *bytes = NULL;

        if (fd_pread_all(fd, &head, sizeof(head), 0) < 0 || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
            head.e_ident[EI_CLASS] != ELFCLASS32 || head.e_ident[EI_DATA] != ELFDATA2LSB)
                return -1;
        for (unsigned int i = 0; i < get_le16(&head.e_shnum) && i < SECTIONS_MAX; i++) {
                off_t at = (off_t)get_le32(&head.e_shoff) + (off_t)i * get_le16(&head.e_shentsize);
                uint32_t size;

                if (fd_pread_all(fd, &section, sizeof(section), at) < 0)
                        return -1;
                size = get_le32(&section.sh_size);
                if (get_le32(&section.sh_type) != SHT_ARM_ATTRIBUTES || size > ATTRIBUTES_MAX)
                        continue;
                bytes = xmalloc(size + 1);
                if (fd_pread_all(fd, bytes, size, get_le32(&section.sh_offset)) < 0)
                        return -1;
                return cpu_arch_in((struct cursor){bytes, size});
        }
        return -1;
}

static const char *arm_platform(int root_fd)
{
        static const char *const programs[] = {"/bin/sh", "/bin/busybox", "/usr/bin/env", "/sbin/init", NULL};
        int arch = -1;

        for (const char *const *path = programs; arch < 0 && *path; path++) {
                CLEANUP_CLOSE int fd = inroot_open(root_fd, *path, O_RDONLY | O_NONBLOCK, 0);

                if (fd >= 0)
                        arch = cpu_arch_of_program(fd);
        }
        return arch >= ARCH_V7 ? "armv7l" : arch >= ARCH_V6 ? "armv6l" : "armv5l";
}

/* Is there a file in the folder whose name begins so? */
static bool has_file(int root_fd, const char *folder, const char *begin)
{
        int fd = inroot_open(root_fd, folder, O_RDONLY | O_DIRECTORY, 0);
        CLEANUP_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                if (str_starts(entry->d_name, begin))
                        return true;
        return false;
}

/* Of musl there is one name for each machine; glibc's is older than that habit (s390x has ld64.so.1, mips ld.so.1). */
static bool has_musl_only(int root_fd)
{
        static const char *const folders[] = {"/lib", "/lib64", NULL}, *const glibc[] = {"ld-linux", "ld64.so.",
                                                                                         "ld.so.", NULL};

        for (const char *const *folder = folders; *folder; folder++)
                for (const char *const *begin = glibc; *begin; begin++)
                        if (has_file(root_fd, *folder, *begin))
                                return false;
        return has_file(root_fd, "/lib", "ld-musl-");
}

int guest_platform(const char *root, char **ret, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        const struct arch *arch;
        int r = arch_of_folder(root, &fd, &arch, err);

        if (r < 0)
                return r;
        *ret = xasprintf("%s%s", strcmp(arch->name, "arm") == 0 ? arm_platform(fd) : arch->name,
                         has_musl_only(fd) ? "-musl" : "");
        return 0;
}
