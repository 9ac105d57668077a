/* See door.h. Freestanding: no libc, no data that is written to, nothing but the stack. Linked as a flat
 * binary, with the head right behind it.
 *
 * The kernel's binfmt_misc (flags OCP) starts us with argv = interpreter, path, argv[0], arguments, and
 * the program open as AT_EXECFD. To run the host's build we map its ld.so and go to it as though the kernel had
 * started it as a program (ld.so(8)): `--argv0 A --inhibit-cache --library-path L PROGRAM`. So the process
 * keeps its name, its pid and AT_EXECFN, and one exec is all it costs. ELF as in the gABI. */
#include "door.h"

#include <asm/stat.h>
#include <asm/unistd.h>
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>

#define O_RDONLY      0
#define O_CLOEXEC     02000000
#define O_NONBLOCK    04000
#define AT_FDCWD      (-100)
#define PROT_READ     1
#define PROT_WRITE    2
#define PROT_EXEC     4
#define MAP_PRIVATE   2
#define MAP_FIXED     0x10
#define MAP_ANONYMOUS 0x20
#define KEEPS_ARGV0   1 /* AT_FLAGS_PRESERVE_ARGV0 */

extern const struct door_head door_head __attribute__((visibility("hidden"))); /* where the code ends: door.ld */

/* Where to go on, and with which stack pointer. */
struct door_way {
        uintptr_t entry, stack;
};

struct door_way door_main(uintptr_t *stack);

/* The stack is as the kernel made it; 64 bytes below it are left for six more arguments. */
__asm__(".section .text.entry,\"ax\"\n"
        ".globl _start\n"
        "_start:\n"
        "        mov %rsp, %rdi\n"
        "        lea -64(%rsp), %rsp\n"
        "        call door_main\n"
        "        mov %rdx, %rsp\n"
        "        xor %edx, %edx\n" /* no function to call at exit */
        "        xor %ebp, %ebp\n"
        "        jmp *%rax\n"
        ".text\n");

static long call6(long number, long a, long b, long c, long d, long e, long f)
{
        register long r10 __asm__("r10") = d;
        register long r8 __asm__("r8") = e;
        register long r9 __asm__("r9") = f;
        long result;

        __asm__ volatile("syscall"
                         : "=a"(result)
                         : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                         : "rcx", "r11", "memory");
        return result;
}

static long call3(long number, long a, long b, long c)
{
        return call6(number, a, b, c, 0, 0, 0);
}

static long map(uintptr_t at, uintptr_t n, int prot, int flags, int fd, long offset)
{
        return call6(__NR_mmap, (long)at, (long)n, prot, flags, fd, offset);
}

static bool failed(long result)
{
        return result < 0 && result > -DOOR_PAGE;
}

static bool starts(const char *s, const char *prefix)
{
        while (*prefix)
                if (*s++ != *prefix++)
                        return false;
        return true;
}

static bool has(const char *letters, char c)
{
        for (; *letters; letters++)
                if (*letters == c)
                        return true;
        return false;
}

static bool contains(const char *s, const char *part)
{
        for (; *s; s++)
                if (*s == *part && starts(s, part))
                        return true;
        return false;
}

/* ---- what must be emulated ---- */

/* Character sets other than UTF-8 are modules for the guest's processor. */
static bool is_plain_locale(const char *value)
{
        const char *set = value;

        if (!*value || (value[0] == 'C' && !value[1]) || (starts(value, "POSIX") && !value[5]))
                return true;
        while (*set && *set != '.')
                set++;
        return starts(set, ".UTF-8") || starts(set, ".utf8") || starts(set, ".utf-8");
}

/* Variables that load code, or that speak to the guest's libc, to qemu or to an interpreter. */
static bool is_plain_environment(char *const *env, uint64_t flags)
{
        static const char unwanted[][12] = {"LD_", "GLIBC_", "GCONV_", "LOCPATH=", "NLSPATH=", "MALLOC_", "QEMU_"};
        const char *value;

        for (; *env; env++) {
                for (unsigned int i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
                        if (starts(*env, unwanted[i]) && !starts(*env, "QEMU_CPU="))
                                return false;
                if ((flags & DOOR_INTERPRETER) && starts(*env, "PERL") && !starts(*env, "PERL_DL_NONLAZY="))
                        return false;
                if (!starts(*env, "LC_") && !starts(*env, "LANG="))
                        continue;
                for (value = *env; *value && *value != '=';)
                        value++;
                if (*value && !is_plain_locale(value + 1))
                        return false;
        }
        return true;
}

/* /proc/cpuinfo is another file when qemu opens it, and /proc/self/exe; a version may name the processor. */
static bool is_plain_argument(const char *argument, const char *emulated_with)
{
        if (contains(argument, "cpuinfo") || contains(argument, "self/exe") ||
            (starts(argument, "--version") && !argument[9]))
                return false;
        if (!*emulated_with || argument[0] != '-')
                return true;
        for (; *argument; argument++)
                if (has(emulated_with, *argument))
                        return false;
        return true;
}

/* ---- the table ---- */

static int open_file(const char *path, int flags)
{
        return (int)call6(__NR_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC | flags, 0, 0, 0);
}

/* The file in memory, where it stays if a path in it becomes an argument. */
struct table {
        const struct door_tool *tools;
        uint64_t n_tools;
};

static struct table map_table(void)
{
        int fd = open_file(door_head.table, 0);
        struct table table = {0};
        struct stat st;
        long at;

        if (fd < 0)
                return table;
        if (call3(__NR_fstat, fd, (long)&st, 0) == 0) {
                /* The system call has filled it. NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage) */
                at = map(0, (uintptr_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
                if (!failed(at))
                        table = (struct table){(const struct door_tool *)at,
                                               (uint64_t)st.st_size / sizeof(struct door_tool)};
        }
        call3(__NR_close, fd, 0, 0);
        return table;
}

static void unmap_table(const struct table *table)
{
        if (table->tools)
                call3(__NR_munmap, (long)table->tools, (long)(table->n_tools * sizeof(struct door_tool)), 0);
}

static const struct door_tool *find_tool(const struct table *table, int fd)
{
        const struct door_tool *tool = table->tools, *end = tool + table->n_tools;
        struct stat st;

        if (call3(__NR_fstat, fd, (long)&st, 0) < 0)
                return NULL;
        for (; tool < end; tool++)
                /* The system call has filled it. NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
                if (tool->ino == st.st_ino && tool->dev == st.st_dev && tool->size == (uint64_t)st.st_size &&
                    tool->mtime_sec == (int64_t)st.st_mtime && tool->mtime_nsec == (int64_t)st.st_mtime_nsec &&
                    tool->ctime_sec == (int64_t)st.st_ctime && tool->ctime_nsec == (int64_t)st.st_ctime_nsec)
                        return tool;
        return NULL;
}

/* The arguments of an interpreter are a script of the table, with no options before it but -w. */
static bool runs_script(const struct table *table, char *const *arguments)
{
        const struct door_tool *script;
        int fd;

        while (*arguments && starts(*arguments, "-w") && !(*arguments)[2])
                arguments++;
        fd = *arguments && (*arguments)[0] != '-' ? open_file(*arguments, O_NONBLOCK) : -1;
        if (fd < 0)
                return false;
        script = find_tool(table, fd);
        call3(__NR_close, fd, 0, 0);
        return script && (script->flags & DOOR_SCRIPT);
}

/* The counterpart of the program that is open, or NULL where that must be emulated. */
static const struct door_tool *find(const struct table *table, int fd, char *const *arguments, char *const *env)
{
        const struct door_tool *tool = find_tool(table, fd);

        if (!tool || (tool->flags & DOOR_SCRIPT) || !is_plain_environment(env, tool->flags))
                return NULL;
        for (char *const *arg = arguments; *arg; arg++)
                if (!is_plain_argument(*arg, tool->emulated_with))
                        return NULL;
        return tool->flags & DOOR_INTERPRETER && !runs_script(table, arguments) ? NULL : tool;
}

/* ---- the host's ld.so ---- */

struct image {
        uintptr_t base;
        Elf64_Ehdr head;
        Elf64_Phdr programs[16];
};

static uintptr_t page_down(uintptr_t at)
{
        return at & ~(uintptr_t)(DOOR_PAGE - 1);
}

static bool map_segment(const struct image *image, const Elf64_Phdr *segment, int fd)
{
        uintptr_t start = page_down(image->base + segment->p_vaddr);
        uintptr_t file_end = image->base + segment->p_vaddr + segment->p_filesz;
        uintptr_t end = image->base + segment->p_vaddr + segment->p_memsz;
        uintptr_t mapped_end = page_down(file_end + DOOR_PAGE - 1);
        int prot = (segment->p_flags & PF_R ? PROT_READ : 0) | (segment->p_flags & PF_W ? PROT_WRITE : 0) |
                   (segment->p_flags & PF_X ? PROT_EXEC : 0);

        if (failed(map(start, file_end - start, prot, MAP_PRIVATE | MAP_FIXED, fd, (long)page_down(segment->p_offset))))
                return false;
        if (end == file_end)
                return true;
        for (volatile char *p = (volatile char *)file_end; (uintptr_t)p < mapped_end; p++)
                *p = 0;
        return end <= mapped_end ||
               !failed(map(mapped_end, end - mapped_end, prot, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0));
}

static bool map_segments(struct image *image, int fd)
{
        const Elf64_Phdr *programs = image->programs;
        uintptr_t end = 0;
        long base;

        for (unsigned int i = 0; i < image->head.e_phnum; i++)
                if (programs[i].p_type == PT_LOAD)
                        end = programs[i].p_vaddr + programs[i].p_memsz;
        base = map(0, end, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (failed(base))
                return false;
        image->base = (uintptr_t)base;
        for (unsigned int i = 0; i < image->head.e_phnum; i++)
                if (programs[i].p_type == PT_LOAD && !map_segment(image, &programs[i], fd))
                        return false;
        return true;
}

static bool load(struct image *image, const char *path)
{
        int fd = open_file(path, 0);
        bool ok;

        if (fd < 0)
                return false;
        ok = call6(__NR_pread64, fd, (long)&image->head, sizeof(image->head), 0, 0, 0) == sizeof(image->head) &&
             image->head.e_phnum <= sizeof(image->programs) / sizeof(image->programs[0]) &&
             call6(__NR_pread64, fd, (long)image->programs, sizeof(image->programs), (long)image->head.e_phoff, 0, 0) ==
                     sizeof(image->programs) &&
             map_segments(image, fd);
        call3(__NR_close, fd, 0, 0);
        return ok;
}

/* ---- the two ways ---- */

static void set_aux(Elf64_auxv_t *aux, const struct image *image)
{
        for (; aux->a_type != AT_NULL; aux++) {
                if (aux->a_type == AT_PHDR)
                        aux->a_un.a_val = image->base + image->head.e_phoff;
                else if (aux->a_type == AT_PHNUM)
                        aux->a_un.a_val = image->head.e_phnum;
                else if (aux->a_type == AT_ENTRY)
                        aux->a_un.a_val = image->base + image->head.e_entry;
                else if (aux->a_type == AT_FLAGS)
                        aux->a_un.a_val = 0;
                else if (aux->a_type == AT_EXECFD)
                        aux->a_type = AT_IGNORE;
        }
}

static uint64_t get_aux(const Elf64_auxv_t *aux, uint64_t type, uint64_t fallback)
{
        for (; aux->a_type != AT_NULL; aux++)
                if (aux->a_type == type)
                        return aux->a_un.a_val;
        return fallback;
}

/* The arguments stay where they are; those of ld.so take the place of the three before them and four more, or six where
 * there is a preamble: an even number, as the ABI aligns the stack to 16 bytes. */
static struct door_way native_way(uintptr_t *stack, const struct image *image, const struct door_tool *tool)
{
        uintptr_t n = stack[0], own = stack[1], path = stack[2], argv0 = stack[3], *at = stack + 4;

        if (tool->flags & DOOR_INTERPRETER)
                *--at = (uintptr_t)door_head.preamble;
        *--at = (uintptr_t)tool->path;
        *--at = (uintptr_t)door_head.libraries;
        *--at = (uintptr_t) "--library-path";
        *--at = (uintptr_t) "--inhibit-cache";
        if (tool->flags & DOOR_INTERPRETER)
                *--at = (uintptr_t) "--inhibit-cache";
        *--at = tool->flags & DOOR_INTERPRETER ? path : argv0; /* an interpreter tells scripts what it is called */
        *--at = (uintptr_t) "--argv0";
        *--at = own;
        at--;
        *at = n + (uintptr_t)(stack - at);
        return (struct door_way){image->base + image->head.e_entry, (uintptr_t)at};
}

struct door_way door_main(uintptr_t *stack)
{
        struct door_way way = {(uintptr_t)&door_head - door_head.address + door_head.entry, (uintptr_t)stack};
        char **argv = (char **)(stack + 1), **env = argv + stack[0] + 1, **end = env;
        const struct door_tool *tool;
        struct table table;
        struct image image;
        Elf64_auxv_t *aux;
        uint64_t fd;

        while (*end)
                end++;
        aux = (Elf64_auxv_t *)(end + 1);
        fd = get_aux(aux, AT_EXECFD, UINT64_MAX);
        if (stack[0] < 3 || fd > INT32_MAX || get_aux(aux, AT_SECURE, 1) || !(get_aux(aux, AT_FLAGS, 0) & KEEPS_ARGV0))
                return way;
        table = map_table();
        tool = find(&table, (int)fd, argv + 3, env);
        if (!tool || !load(&image, door_head.loader)) {
                unmap_table(&table);
                return way;
        }
        call3(__NR_close, (long)fd, 0, 0);
        set_aux(aux, &image);
        return native_way(stack, &image, tool);
}
