/* See packed.h. */
#include "base/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
        struct packed packed;
        size_t n;
        const char *magic;
} kinds[] = {
        {{"gzip", "gunzip -k"}, 2, "\x1f\x8b"},
        {{"xz", "xz -dk -T0"},
         6,
         "\xfd"
         "7zXZ\0"},
        {{"zstd", "unzstd"}, 4, "\x28\xb5\x2f\xfd"},
        {{"bzip2", "bunzip2 -k"}, 3, "BZh"},
        {{"lz4", "unlz4"}, 4, "\x04\x22\x4d\x18"},
        {{"zip", "unzip"}, 4, "PK\x03\x04"},
        {{"7z", "7z x"}, 6, "7z\xbc\xaf\x27\x1c"},
};

/* Images whose bytes are not those of the disk. */
static const struct {
        const char *kind, *command;
        size_t n;
        const char *magic;
} foreign[] = {
        {"a qcow2 image", "qemu-img convert -O raw", 4, "QFI\xfb"},
        {"a VMDK image", "qemu-img convert -O raw", 4, "KDMV"},
        {"a VHDX image", "qemu-img convert -O raw", 8, "vhdxfile"},
        {"an Android sparse image", "simg2img", 4, "\x3a\xff\x26\xed"},
};

const struct packed *packed_find(const void *head, size_t n)
{
        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
                if (n >= kinds[i].n && memcmp(head, kinds[i].magic, kinds[i].n) == 0)
                        return &kinds[i].packed;
        return NULL;
}

static int foreign_refuse(const char *image, const char *head, size_t n, struct error *err)
{
        for (size_t i = 0; i < sizeof(foreign) / sizeof(*foreign); i++)
                if (n >= foreign[i].n && memcmp(head, foreign[i].magic, foreign[i].n) == 0)
                        return error_set(err, EINVAL, "'%s' is %s; convert it first: %s %s %s.img", image,
                                         foreign[i].kind, foreign[i].command, image, image);
        return 0;
}

int packed_refuse(const char *image, struct error *err)
{
        CLEANUP_CLOSE int fd = open(image, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO is refused, not waited for */
        const struct packed *packed;
        char head[PACKED_HEAD];
        struct stat st;
        ssize_t n;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errno(err, errno, "open image '%s'", image);
        if (S_ISDIR(st.st_mode))
                return error_set(err, EISDIR, "'%s' is a folder, not an image", image);
        if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
                return error_set(err, EINVAL, "'%s' is no file that could be an image", image);
        n = pread(fd, head, sizeof(head), 0);
        if (n < 0)
                return error_errno(err, errno, "read '%s'", image);
        packed = packed_find(head, (size_t)n);
        return packed ? error_set(err, EINVAL, "'%s' is compressed (%s); unpack it first: %s %s", image, packed->kind,
                                  packed->command, image)
                      : foreign_refuse(image, head, (size_t)n, err);
}
