/* See native_files.h. ELF as in the gABI; the host has 64 bits (door.c). Its own files are trusted to be
 * well-formed as far as that running them is. */
#include "guest/native_files.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/door/door.h"

/* A file in memory. */
struct elf {
        uint8_t *data;
        size_t n;
        const Elf64_Ehdr *head;
        const Elf64_Phdr *segments;
};

static void elf_close(struct elf *elf)
{
        if (elf->data)
                munmap(elf->data, elf->n);
        elf->data = NULL;
}

static int elf_open(struct elf *elf, int fd)
{
        struct stat st;
        void *data;

        if (fstat(fd, &st) < 0)
                return -EIO;
        if (st.st_size < (off_t)sizeof(Elf64_Ehdr))
                return -ENOTSUP;
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
                return -EIO;
        *elf = (struct elf){.data = data, .n = (size_t)st.st_size, .head = data};
        if (memcmp(data, ELFMAG, SELFMAG) != 0 || elf->head->e_ident[EI_CLASS] != ELFCLASS64 ||
            elf->head->e_phentsize != sizeof(Elf64_Phdr) || elf->head->e_phoff > elf->n ||
            (elf->n - elf->head->e_phoff) / sizeof(Elf64_Phdr) < elf->head->e_phnum) {
                elf_close(elf);
                return -ENOTSUP;
        }
        elf->segments = (const Elf64_Phdr *)(elf->data + elf->head->e_phoff);
        return 0;
}

static const Elf64_Phdr *find_segment(const struct elf *elf, uint32_t type)
{
        for (unsigned int i = 0; i < elf->head->e_phnum; i++) {
                const Elf64_Phdr *segment = &elf->segments[i];

                if (segment->p_type == type && segment->p_offset <= elf->n &&
                    segment->p_filesz <= elf->n - segment->p_offset)
                        return segment;
        }
        return NULL;
}

/* The text at an address of the loaded file, ended by a NUL; NULL if it is not in the file. */
static const char *text_at(const struct elf *elf, uint64_t address)
{
        for (unsigned int i = 0; i < elf->head->e_phnum; i++) {
                const Elf64_Phdr *segment = &elf->segments[i];
                uint64_t offset = address - segment->p_vaddr + segment->p_offset;

                if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
                    address - segment->p_vaddr < segment->p_filesz && offset < elf->n &&
                    memchr(elf->data + offset, '\0', elf->n - offset))
                        return (const char *)elf->data + offset;
        }
        return NULL;
}

/* What it names in DT_NEEDED. */
static char **needed(const struct elf *elf)
{
        const Elf64_Phdr *segment = find_segment(elf, PT_DYNAMIC);
        const Elf64_Dyn *dynamic = segment ? (const Elf64_Dyn *)(elf->data + segment->p_offset) : NULL;
        size_t n = segment ? segment->p_filesz / sizeof(*dynamic) : 0;
        uint64_t strings = 0;
        char **names = NULL;

        for (size_t i = 0; i < n; i++)
                if (dynamic[i].d_tag == DT_STRTAB)
                        strings = dynamic[i].d_un.d_ptr;
        for (size_t i = 0; i < n; i++) {
                const char *name = dynamic[i].d_tag == DT_NEEDED ? text_at(elf, strings + dynamic[i].d_un.d_val) : NULL;

                if (name)
                        strv_add(&names, name);
        }
        return names;
}

/* ---- copies ---- */

int native_part(const char *path, char **ret, struct error *err)
{
        CLEANUP_FREE char *part = xasprintf("%s.part", path);

        if (unlink(part) < 0 && errno != ENOENT)
                return error_errno(err, errno, "remove '%s'", part);
        *ret = steal(&part);
        return 0;
}

int native_whole(const char *part, const char *path, struct error *err)
{
        return rename(part, path) < 0 ? error_errno(err, errno, "move '%s' to '%s'", part, path) : 0;
}

static int append_mark(const char *path, struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        int r = fd < 0 ? -errno : fd_write_all(fd, native_mark, NATIVE_MARK_SIZE);

        return r < 0 ? error_errno(err, -r, "write '%s'", path) : 0;
}

static int copy_to(int fd, const char *path, struct error *err)
{
        CLEANUP_CLOSE int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
        struct stat st;

        if (to < 0 || fstat(fd, &st) < 0 || fchmod(to, 0755) < 0 || ftruncate(to, st.st_size) < 0)
                return error_errno(err, errno, "create '%s'", path);
        return fd_copy_sparse(fd, to, 0, (uint64_t)st.st_size, err);
}

int native_copy(const char *from, const char *to, struct error *err)
{
        CLEANUP_CLOSE int fd = open(from, O_RDONLY | O_CLOEXEC);
        int r = fd < 0 ? error_errno(err, errno, "open '%s'", from) : copy_to(fd, to, err);

        return r < 0 ? r : append_mark(to, err);
}

/* The name of the processor, where it is a text of its own. Compilers write a short text to memory by instructions with
 * its parts, too: four bytes are what is looked for, and the fifth must be the same in both. */
static void rename_in(uint8_t *data, size_t n, const char *from, const char *to)
{
        size_t length = strlen(from);

        for (uint8_t *at = data; (at = memmem(at, n - (size_t)(at - data), from, 4)); at += 4) {
                size_t left = n - (size_t)(at - data);
                bool text = left > length && memcmp(at, from, length + 1) == 0 && at > data && at[-1] == '\0';
                bool part = left > length && at[4] != (uint8_t)from[4];

                if (text)
                        memcpy(at, to, length);
                else if (part && from[4] == to[4])
                        memcpy(at, to, 4);
        }
}

/* A text of the same length instead of another, with the NUL that ends it; -ENOENT: it is not there. */
static int replace_in(uint8_t *data, size_t n, const char *from, const char *to)
{
        size_t length = strlen(from) + 1;
        int r = -ENOENT;

        for (uint8_t *at = data; (at = memmem(at, n - (size_t)(at - data), from, length)); r = 0)
                memcpy(at, to, length);
        return r;
}

static int change_file(const struct native_files *files, const char *path, enum native_change change, struct error *err)
{
        static const char self[] = "/proc/self/exe", nothing[] = "/proc/0/no.exe";
        CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
        struct stat st;
        void *data;
        int r = 0;

        _Static_assert(sizeof(self) == sizeof(nothing), "replaced in place");
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errno(err, errno, "open '%s'", path);
        data = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
                return error_errno(err, errno, "read '%s'", path);
        if (change == NATIVE_NAME)
                rename_in(data, (size_t)st.st_size, files->host_name, files->guest_name);
        else
                r = replace_in(data, (size_t)st.st_size, self, nothing);
        munmap(data, (size_t)st.st_size);
        return r < 0 ? error_set(err, ENOTSUP, "'%s' has no '%s' in it", path, self) : 0;
}

/* What an earlier guest of the build has left is as good. */
static int copy_marked(const struct native_files *files, int fd, const char *path, enum native_change change,
                       struct error *err)
{
        CLEANUP_FREE char *part = NULL;
        int r;

        if (path_exists(path))
                return 0;
        r = native_part(path, &part, err);
        if (r == 0)
                r = copy_to(fd, part, err);
        if (r == 0 && change != NATIVE_SAME)
                r = change_file(files, part, change, err);
        if (r == 0)
                r = append_mark(part, err);
        return r == 0 ? native_whole(part, path, err) : r;
}

/* As ld.so would, where the host's own ld.so lies and in its counterpart beneath /usr or not. */
static int open_library(const struct native_files *files, const char *name)
{
        CLEANUP_FREE char *path = path_join(files->library_folder, name);
        CLEANUP_FREE char *other =
                str_starts(path, "/usr/") ? xstrdup(path + strlen("/usr")) : xasprintf("/usr%s", path);
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        return fd >= 0 ? fd : open(other, O_RDONLY | O_CLOEXEC);
}

static enum native_change change_of(const struct native_files *files, const char *library)
{
        return files->host_name && str_starts(library, "libapt-pkg.so.") ? NATIVE_NAME : NATIVE_SAME;
}

/* Libraries of libraries are appended while we go through the list. */
static int add_libraries(struct native_files *files, const struct elf *elf, struct error *err)
{
        size_t next = strv_len(STRV(files->libraries));
        CLEANUP_STRV char **names = needed(elf);

        for (size_t i = 0; names && names[i]; i++)
                if (!strv_has(STRV(files->libraries), names[i]))
                        strv_add(&files->libraries, names[i]);
        for (; files->libraries && files->libraries[next]; next++) {
                const char *name = files->libraries[next];
                CLEANUP_CLOSE int fd = strchr(name, '/') ? -1 : open_library(files, name);
                CLEANUP_FREE char *to = xasprintf("%s/lib/%s", files->folder, name);
                CLEANUP(elf_close) struct elf library = {0};
                CLEANUP_STRV char **more = NULL;
                int r = fd < 0 || elf_open(&library, fd) < 0 ? error_set(err, ENOTSUP, "no library '%s'", name) : 0;

                if (r == 0)
                        r = copy_marked(files, fd, to, change_of(files, name), err);
                if (r < 0)
                        return r;
                more = needed(&library);
                for (size_t i = 0; more && more[i]; i++)
                        if (!strv_has(STRV(files->libraries), more[i]))
                                strv_add(&files->libraries, more[i]);
        }
        return 0;
}

void native_files_clear(struct native_files *files)
{
        free(files->interpreter);
        free(files->library_folder);
        strv_free(files->libraries);
        *files = (struct native_files){0};
}

int native_files_begin(struct native_files *files, const char *folder, struct error *err)
{
        static const char *const parts[] = {"bin", "lib", "modules"};
        int r = 0;

        files->folder = folder;
        for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(parts[0]); i++) {
                CLEANUP_FREE char *path = path_join(folder, parts[i]);

                r = dir_make(path, 0755, err);
        }
        return r;
}

static void set_interpreter(struct native_files *files, const char *path)
{
        CLEANUP_FREE char *real = realpath(path, NULL);

        files->interpreter = xstrdup(path);
        files->library_folder = real ? path_dir(real) : xstrdup("/lib");
}

int native_files_add(struct native_files *files, int fd, const char *name, enum native_change change, struct error *err)
{
        CLEANUP_FREE char *to = xasprintf("%s/bin/%s", files->folder, name);
        CLEANUP(elf_close) struct elf elf = {0};
        const Elf64_Phdr *interpreter;
        int r = elf_open(&elf, fd);

        interpreter = r == 0 ? find_segment(&elf, PT_INTERP) : NULL;
        if (r != 0 || !interpreter || interpreter->p_filesz == 0 ||
            elf.data[interpreter->p_offset + interpreter->p_filesz - 1] != '\0')
                return error_set(err, ENOTSUP, "'%s' is not a dynamic program", name);
        if (!files->interpreter)
                set_interpreter(files, (const char *)elf.data + interpreter->p_offset);
        if (!str_eq(files->interpreter, (char *)elf.data + interpreter->p_offset))
                return error_set(err, ENOTSUP, "'%s' has another loader than the others", name);
        r = add_libraries(files, &elf, err);
        return r < 0 ? r : copy_marked(files, fd, to, change, err);
}

int native_files_add_module(struct native_files *files, int fd, const char *name, struct error *err)
{
        CLEANUP_FREE char *to = xasprintf("%s/modules/%s", files->folder, name);
        CLEANUP(elf_close) struct elf elf = {0};
        int r = elf_open(&elf, fd);

        if (r != 0 || elf.head->e_type != ET_DYN || !files->interpreter)
                return error_set(err, ENOTSUP, "'%s' is not a library", name);
        r = add_libraries(files, &elf, err);
        return r < 0 ? r : copy_marked(files, fd, to, NATIVE_SAME, err);
}

/* The guest's list of libraries to preload is meant for its own programs. No option keeps ld.so from
 * reading it, so its name is changed in the copy to one that cannot exist. */
int native_files_end(struct native_files *files, struct error *err)
{
        static const char from[] = "/etc/ld.so.preload", to[] = "/proc/0/ld.preload";
        CLEANUP_FREE char *path = path_join(files->folder, "ld.so"), *text = NULL;
        size_t n = 0;
        int r;

        _Static_assert(sizeof(from) == sizeof(to), "replaced in place");
        if (!files->interpreter)
                return error_set(err, ENOTSUP, "no program of the guest's is accelerated");
        if (path_exists(path))
                return 0;
        r = file_read(files->interpreter, 0, &text, &n, err);
        if (r < 0)
                return r;
        if (replace_in((uint8_t *)text, n, from, to) < 0)
                return error_set(err, ENOTSUP, "'%s' is not a loader of glibc's", files->interpreter);
        text = xreallocarray(text, n + NATIVE_MARK_SIZE, 1);
        memcpy(text + n, native_mark, NATIVE_MARK_SIZE);
        return file_write(path, text, n + NATIVE_MARK_SIZE, 0755, err);
}

/* ---- qemu with a door ---- */

static uint64_t align_page(uint64_t at)
{
        return (at + DOOR_PAGE - 1) / DOOR_PAGE * DOOR_PAGE;
}

/* Programs without a note work as well as with: its header becomes that of our segment, which
 * lies behind all others in memory and in the file. */
static int add_segment(const struct elf *qemu, Elf64_Ehdr *head, Elf64_Phdr *segments, size_t size, struct error *err)
{
        Elf64_Phdr *own = NULL;
        uint64_t end = 0;

        for (unsigned int i = 0; i < head->e_phnum; i++) {
                if (segments[i].p_type == PT_LOAD && segments[i].p_vaddr + segments[i].p_memsz > end) {
                        end = segments[i].p_vaddr + segments[i].p_memsz;
                        own = NULL; /* headers of PT_LOAD are in the order of addresses */
                }
                if (segments[i].p_type == PT_NOTE && !own)
                        own = &segments[i];
        }
        if (!own || find_segment(qemu, PT_INTERP))
                return error_set(err, ENOTSUP, "qemu is linked in an unusual way");
        *own = (Elf64_Phdr){
                .p_type = PT_LOAD,
                .p_flags = PF_R | PF_X,
                .p_offset = align_page(qemu->n),
                .p_vaddr = align_page(end),
                .p_paddr = align_page(end),
                .p_filesz = size,
                .p_memsz = size,
                .p_align = DOOR_PAGE,
        };
        head->e_entry = own->p_vaddr;
        return 0;
}

int native_door_write(const char *qemu, const char *to, void *data, size_t size, struct door_head *door,
                      struct error *err)
{
        CLEANUP_CLOSE int from = open(qemu, O_RDONLY | O_CLOEXEC), fd = -1;
        CLEANUP(elf_close) struct elf elf = {0};
        CLEANUP_FREE Elf64_Phdr *segments = NULL;
        Elf64_Ehdr head;
        int r;

        if (from < 0)
                return error_errno(err, errno, "open '%s'", qemu);
        r = elf_open(&elf, from);
        if (r != 0)
                return error_errno(err, -r, "read '%s'", qemu);
        head = *elf.head;
        segments = xcalloc(head.e_phnum, sizeof(*segments));
        memcpy(segments, elf.segments, head.e_phnum * sizeof(*segments));
        r = add_segment(&elf, &head, segments, size, err);
        if (r < 0)
                return r;
        door->entry = elf.head->e_entry;
        door->address = head.e_entry + (uint64_t)((uint8_t *)door - (uint8_t *)data);
        r = copy_to(from, to, err);
        if (r < 0)
                return r;
        fd = open(to, O_WRONLY | O_CLOEXEC);
        r = fd < 0 ? -errno : fd_pwrite_all(fd, &head, sizeof(head), 0);
        if (r == 0)
                r = fd_pwrite_all(fd, segments, head.e_phnum * sizeof(*segments), (off_t)head.e_phoff);
        if (r == 0)
                r = fd_pwrite_all(fd, data, size, (off_t)align_page(elf.n));
        return r < 0 ? error_errno(err, -r, "write '%s'", to) : append_mark(to, err);
}
