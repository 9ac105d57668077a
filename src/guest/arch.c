/* See arch.h. ELF headers as in elf(5) and the gABI's chapter 4; the bits
 * that count for binfmt_misc as in QEMU's scripts/qemu-binfmt-conf.sh: the OS ABI may
 * be anything, and a program may be fixed or position-independent (ET_EXEC 2, ET_DYN 3). */
#include "guest/arch.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "guest/guest.h"
#include "guest/inroot.h"

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif

/* The usual variant of a machine comes before its others. */
static const struct arch arches[] = {
        {"aarch64", EM_AARCH64, 64, false, "cortex-a72"},
        {"arm", EM_ARM, 32, false, NULL},
        {"x86_64", EM_X86_64, 64, false, NULL},
        {"i386", EM_386, 32, false, NULL},
        {"riscv64", EM_RISCV, 64, false, NULL},
        {"riscv32", EM_RISCV, 32, false, NULL},
        {"ppc64le", EM_PPC64, 64, false, NULL},
        {"ppc64", EM_PPC64, 64, true, NULL},
        {"ppc", EM_PPC, 32, true, NULL},
        {"s390x", EM_S390, 64, true, NULL},
        {"mipsel", EM_MIPS, 32, false, NULL},
        {"mips64el", EM_MIPS, 64, false, NULL},
        {"mips", EM_MIPS, 32, true, NULL},
        {"mips64", EM_MIPS, 64, true, NULL},
        {"loongarch64", EM_LOONGARCH, 64, false, NULL},
        {"armeb", EM_ARM, 32, true, NULL},
        {"aarch64_be", EM_AARCH64, 64, true, NULL},
        {"sparc64", EM_SPARCV9, 64, true, NULL},
        {"m68k", EM_68K, 32, true, NULL},
        {"sh4", EM_SH, 32, false, NULL},
        {"hppa", EM_PARISC, 32, true, NULL},
};

enum { N_ARCHES = sizeof(arches) / sizeof(arches[0]) };

static const char *const host_name =
#if defined(__x86_64__)
        "x86_64";
#elif defined(__aarch64__)
        "aarch64";
#elif defined(__arm__)
        "arm";
#elif defined(__i386__)
        "i386";
#elif defined(__riscv) && __riscv_xlen == 64
        "riscv64";
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
        "ppc64le";
#elif defined(__s390x__)
        "s390x";
#elif defined(__loongarch64)
        "loongarch64";
#else
        "";
#endif

const struct arch *arch_by_machine(int machine, size_t i)
{
        for (size_t k = 0; k < N_ARCHES; k++)
                if (arches[k].machine == machine && i-- == 0)
                        return &arches[k];
        return NULL;
}

const struct arch *arch_by_elf(int machine, int bits, bool big_endian)
{
        for (size_t k = 0; k < N_ARCHES; k++)
                if (arches[k].machine == machine && arches[k].bits == bits && arches[k].big_endian == big_endian)
                        return &arches[k];
        return NULL;
}

const struct arch *arch_by_name(const char *name)
{
        for (size_t k = 0; k < N_ARCHES; k++)
                if (strcmp(arches[k].name, name) == 0)
                        return &arches[k];
        return NULL;
}

size_t arch_index(const struct arch *arch)
{
        return (size_t)(arch - arches);
}

const struct arch *arch_at(size_t index)
{
        return index < N_ARCHES ? &arches[index] : NULL;
}

const char *guest_machine_name(int elf_machine, int bits)
{
        for (size_t k = 0; k < N_ARCHES; k++)
                if (arches[k].machine == elf_machine && arches[k].bits == bits)
                        return arches[k].name;
        return "unknown";
}

/* Does the kernel run a 32-bit x86 program? The smallest one: exit(0). */
static bool runs_i386(void)
{
        static const char program[] =
                "\x7f\x45\x4c\x46\x01\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" /* e_ident */
                "\x02\x00\x03\x00\x01\x00\x00\x00"                                 /* ET_EXEC, EM_386, version */
                "\x74\x80\x04\x08\x34\x00\x00\x00\x00\x00\x00\x00" /* entry 0x08048074, phoff 52, shoff */
                "\x00\x00\x00\x00\x34\x00\x20\x00\x02\x00\x00\x00\x00\x00\x00\x00" /* sizes, 2 program headers */
                "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x80\x04\x08" /* PT_LOAD, offset 0, at 0x08048000 */
                "\x00\x80\x04\x08\x7d\x00\x00\x00\x7d\x00\x00\x00" /* paddr, 125 bytes in file and memory */
                "\x05\x00\x00\x00\x00\x10\x00\x00"                 /* readable, executable; page size */
                "\x51\xe5\x74\x64\x00\x00\x00\x00\x00\x00\x00\x00" /* PT_GNU_STACK */
                "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
                "\x06\x00\x00\x00\x10\x00\x00\x00"      /* not executable */
                "\x31\xdb\x31\xc0\x40\xcd\x80\xeb\xfe"; /* ebx = 0; eax = 1; int 0x80 */
        CLEANUP_CLOSE int fd = memfd_create("slipway-i386", MFD_CLOEXEC);
        int status;
        pid_t pid;

        if (fd < 0 || fd_write_all(fd, program, sizeof(program) - 1) < 0)
                return false;
        pid = fork();
        if (pid == 0) {
                char *argv[] = {(char[]){"i386"}, NULL};

                fexecve(fd, argv, argv + 1);
                _exit(1);
        }
        while (pid > 0 && waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return false;
        return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Many arm64 CPUs have no 32-bit mode; the kernel then refuses this personality. */
static bool runs_arm(void)
{
        int old = personality(0xffffffff);

        if (old < 0 || personality(PER_LINUX32) < 0)
                return false;
        personality((unsigned long)old);
        return true;
}

bool arch_native(const struct arch *arch)
{
        if (strcmp(arch->name, host_name) == 0)
                return true;
        if (strcmp(host_name, "x86_64") == 0 && strcmp(arch->name, "i386") == 0)
                return runs_i386();
        if (strcmp(host_name, "aarch64") == 0 && strcmp(arch->name, "arm") == 0)
                return runs_arm();
        return false;
}

void arch_pattern(const struct arch *arch, uint8_t magic[ARCH_PATTERN], uint8_t mask[ARCH_PATTERN])
{
        memset(magic, 0, ARCH_PATTERN);
        memset(mask, 0xff, ARCH_PATTERN);
        magic[EI_MAG0] = ELFMAG0;
        magic[EI_MAG1] = ELFMAG1;
        magic[EI_MAG2] = ELFMAG2;
        magic[EI_MAG3] = ELFMAG3;
        magic[EI_CLASS] = arch->bits == 64 ? ELFCLASS64 : ELFCLASS32;
        magic[EI_DATA] = arch->big_endian ? ELFDATA2MSB : ELFDATA2LSB;
        magic[EI_VERSION] = EV_CURRENT;
        mask[EI_OSABI] = 0;
        mask[EI_ABIVERSION] = 0; /* glibc's static programs of some machines set it */
        if (arch->big_endian) {
                magic[17] = ET_EXEC;
                mask[17] = 0xfe;
                magic[18] = (uint8_t)(arch->machine >> 8);
                magic[19] = (uint8_t)arch->machine;
        } else {
                magic[16] = ET_EXEC;
                mask[16] = 0xfe;
                put_le16(magic + 18, arch->machine);
        }
}

/* 1 and the architecture if the open file is an ELF program; 0 if not. -ENOTSUP: of a machine that is not in the table.
 */
static int read_elf(int fd, const struct arch **ret)
{
        uint8_t head[ARCH_PATTERN];
        bool big_endian;
        int machine;

        if (fd_pread_all(fd, head, sizeof(head), 0) < 0 || memcmp(head, ELFMAG, SELFMAG) != 0)
                return 0;
        big_endian = head[EI_DATA] == ELFDATA2MSB;
        machine = big_endian ? head[18] << 8 | head[19] : get_le16(head + 18);
        *ret = arch_by_elf(machine, head[EI_CLASS] == ELFCLASS64 ? 64 : 32, big_endian);
        return *ret ? 1 : -ENOTSUP;
}

static int try_file(int root_fd, const char *path, const char *where, const struct arch **ret, struct error *err)
{
        CLEANUP_CLOSE int fd = inroot_open(root_fd, path, O_RDONLY | O_NONBLOCK, 0);
        int r = fd < 0 ? 0 : read_elf(fd, ret);

        if (r == -ENOTSUP)
                return error_set(err, ENOTSUP, "'%s%s' is a program for a processor that slipway does not know", where,
                                 path);
        return r;
}

/* The program loader, whose name has the architecture in it. */
static int try_loaders(int root_fd, const char *folder, const char *where, const struct arch **ret, struct error *err)
{
        int fd = inroot_open(root_fd, folder, O_RDONLY | O_DIRECTORY, 0);
        CLEANUP_CLOSEDIR DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;
        int r = 0;

        if (fd >= 0 && !dir)
                close(fd);
        while (r == 0 && dir && (entry = readdir(dir))) {
                CLEANUP_FREE char *path = path_join(folder, entry->d_name);

                if (str_starts(entry->d_name, "ld-") || str_starts(entry->d_name, "ld.so"))
                        r = try_file(root_fd, path, where, ret, err);
        }
        return r;
}

int arch_of_tree(int root_fd, const char *where, const struct arch **ret, struct error *err)
{
        static const char *const files[] = {"/bin/sh", "/bin/bash", "/bin/busybox", "/usr/bin/env", "/sbin/init", NULL};
        static const char *const folders[] = {"/lib", "/lib64", "/usr/lib", NULL};
        CLEANUP_FREE char *tried = NULL;
        int r = 0;

        for (size_t i = 0; r == 0 && files[i]; i++)
                r = try_file(root_fd, files[i], where, ret, err);
        for (size_t i = 0; r == 0 && folders[i]; i++)
                r = try_loaders(root_fd, folders[i], where, ret, err);
        if (r != 0)
                return r < 0 ? r : 0;
        tried = strv_join(files, ", ");
        return error_set(err, ENOENT,
                         "no program was found in '%s' that tells the processor it is for, not even a shell (looked "
                         "at %s and ld-* in /lib, /lib64, /usr/lib). Is this the root file system? See the "
                         "'mountpoint' of the image's partitions",
                         where, tried);
}

int arch_of_folder(const char *root, int *ret_fd, const struct arch **ret, struct error *err)
{
        CLEANUP_CLOSE int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r;

        if (fd < 0)
                return error_errno(err, errno, "open '%s'", root);
        r = arch_of_tree(fd, root, ret, err);
        if (r == 0)
                *ret_fd = steal_fd(&fd);
        return r;
}

int guest_architecture(const char *root, int *ret_machine, int *ret_bits, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        const struct arch *arch;
        int r = arch_of_folder(root, &fd, &arch, err);

        if (r < 0)
                return r;
        *ret_machine = arch->machine;
        *ret_bits = arch->bits;
        return 0;
}

/* An ELF program without a loader: PT_INTERP names one, and the guest would not have it. */
static bool is_static(const char *path)
{
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        Elf64_Ehdr head;
        Elf64_Phdr program;

        if (fd < 0 || fd_pread_all(fd, &head, sizeof(head), 0) < 0 || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
                return false;
        if (head.e_ident[EI_CLASS] != ELFCLASS64)
                return true; /* a 32-bit host: taken on trust */
        for (unsigned int i = 0; i < head.e_phnum; i++) {
                off_t at = (off_t)head.e_phoff + (off_t)(i * sizeof(program));

                if (fd_pread_all(fd, &program, sizeof(program), at) < 0 || program.p_type == PT_INTERP)
                        return false;
        }
        return true;
}

char *arch_qemu(const struct arch *arch, const char *wanted)
{
        CLEANUP_FREE char *with_static = xasprintf("qemu-%s-static", arch->name);
        CLEANUP_FREE char *plain = xasprintf("qemu-%s", arch->name);
        char *found;

        if (wanted && access(wanted, X_OK) == 0 && is_static(wanted))
                return xstrdup(wanted);
        if (wanted)
                log_debug("'%s' is not there, or not static: another qemu for %s is looked for", wanted, arch->name);
        found = program_find(with_static);
        if (!found)
                found = program_find(plain);
        if (found && !is_static(found)) {
                free(found);
                return NULL;
        }
        return found;
}
