/* File systems with bytes changed at random (fixed seeds): whatever is done with
 * them ends, with a result or an error, and stays inside its folder and its
 * memory. Meant to be run under AddressSanitizer, too. */
#include "ext_trees.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

enum { KIB = 4096, ROUNDS = 40 };

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        return (uint32_t)(seed >> 20) % below;
}

static int ignore_entry(void *arg, const struct fs_entry *entry)
{
        (void)arg, (void)entry;
        return 0;
}

/* Every kind of thing that the format knows: trees and maps of blocks, an index, attributes in a block. */
static void fill(struct image *image)
{
        char value[400] = "v", path[80], *text = xcalloc(1, 300001);
        void *writer = write_begin(image);
        struct fs_change change = {.kind = FS_DIR, .path = "x", .st = stat_of(S_IFDIR | 0755, 1), .fd = -1};

        write_dir(writer, "");
        write_dir(writer, "many");
        for (int i = 0; i < 60; i++) {
                snprintf(path, sizeof(path), "many/a-name-that-takes-some-room-%d", i);
                write_text(writer, path, path);
        }
        change.xattrs = (struct fs_xattr[]){{"user.a", value, 10}, {"user.b", value, sizeof(value)}};
        change.n_xattrs = 2;
        write_one(writer, &change);
        write_dir(writer, "x/y");
        memset(text, 't', 300000);
        write_text(writer, "x/y/long", text);
        write_one(writer, &(struct fs_change){.kind = FS_LINK, .path = "x/link", .target = "x/y/long", .fd = -1});
        memset(text + 100, 0, 10);
        change = (struct fs_change){.kind = FS_SYMLINK, .path = "x/symlink", .target = text, .st = change.st, .fd = -1};
        write_one(writer, &change);
        write_end(writer);
        free(text);
}

static void write_to(const struct image *image)
{
        CLEANUP_ERROR struct error err = {0};
        struct fs_change changes[] = {
                {.kind = FS_DIR, .path = "many/new", .st = stat_of(S_IFDIR | 0755, 1), .fd = -1},
                {.kind = FS_SYMLINK, .path = "many/new/symlink", .target = "x", .fd = -1},
                {.kind = FS_REMOVE, .path = "many/a-name-that-takes-some-room-7", .fd = -1},
                {.kind = FS_DIR, .path = "x", .st = stat_of(S_IFDIR | 0700, 1), .fd = -1},
                {.kind = FS_CLEAR, .path = "x", .fd = -1},
                {.kind = FS_FILE, .path = "file", .st = stat_of(S_IFREG | 0644, 1)},
                {.kind = FS_REMOVE, .path = "x", .fd = -1},
                {.kind = FS_REMOVE, .path = "many", .fd = -1},
        };
        void *writer;
        int r = fs_ext4.write_open(&image->volume, 5, &writer, &err);

        if (r < 0)
                return;
        changes[5].fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        changes[5].st.st_size = 20000;
        for (size_t i = 0; r == 0 && i < sizeof(changes) / sizeof(*changes); i++)
                r = fs_ext4.write_change(writer, &changes[i], &err);
        close(changes[5].fd);
        if (r == 0)
                r = fs_ext4.write_close(writer, &err);
        else
                fs_ext4.write_abort(writer);
        assert_true(r == 0 || err.message);
}

static void use(const struct image *image)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        CLEANUP_FREE char *out = path_join(image->dir, "out");
        int r;

        assert_int_equal(mkdir(out, 0700), 0);
        r = fs_ext4.extract(&image->volume, out, NULL, &err);
        assert_true(r == 0 || err.message);
        assert_int_equal(tree_remove(out, NULL), 0);
        fs_ext4.list(&image->volume, "many", ignore_entry, NULL, &err);
        fs_ext4.cat(&image->volume, "x/y/long", null, &err);
        fs_ext4.cat(&image->volume, "x/symlink", null, &err);
        write_to(image);
}

/* Half of the changes hit the superblock, group descriptors and the first
 * inodes, the others anything that is not empty. */
static void damage(char *data, size_t n)
{
        for (uint32_t i = 1 + draw(12); i > 0; i--) {
                uint32_t at = draw(2) ? 1024 + draw(6 * 1024) : draw((uint32_t)n);

                for (uint32_t tries = 0; tries < 100000 && data[at] == 0; tries++)
                        at = (at + 1) % (uint32_t)n;
                data[at] = draw(3) ? (char)(data[at] ^ (1 << draw(8))) : (char)draw(256);
        }
}

static void run(const char *type, const char *const *options)
{
        enum { SIZE = KIB * 1024 };
        char *sound = xmalloc(SIZE), *data = xmalloc(SIZE);
        struct image image;
        int fd;

        seed = 88172645463325252ULL;
        image_make(&image, type, KIB, options);
        fill(&image);
        image_check(&image);
        fd = open(image.path, O_RDWR | O_CLOEXEC);
        assert_int_equal(fd_pread_all(fd, sound, SIZE, IMAGE_OFFSET), 0);
        for (unsigned int i = 0; i < ROUNDS; i++) {
                memcpy(data, sound, SIZE);
                damage(data, SIZE);
                assert_int_equal(fd_pwrite_all(fd, data, SIZE, IMAGE_OFFSET), 0);
                use(&image);
        }
        close(fd);
        free(sound);
        free(data);
        image_clear(&image);
}

#define OPTIONS(...) ((const char *[]){__VA_ARGS__, NULL})

static void test_ext4(void **state)
{
        (void)state;
        run("ext4", OPTIONS("-O", "^has_journal"));
}

static void test_ext4_no_csum(void **state)
{
        (void)state;
        run("ext4", OPTIONS("-O", "^has_journal,^metadata_csum,inline_data", "-I", "256"));
}

static void test_ext2(void **state)
{
        (void)state;
        run("ext2", OPTIONS("-b", "1024", "-I", "128"));
}

static void test_bigalloc(void **state)
{
        (void)state;
        run("ext4", OPTIONS("-O", "^has_journal,^metadata_csum,bigalloc", "-C", "8192", "-b", "1024"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ext4),
                cmocka_unit_test(test_ext4_no_csum),
                cmocka_unit_test(test_ext2),
                cmocka_unit_test(test_bigalloc),
        };
        /* A size that was damaged makes a large, but empty, file. */
        struct rlimit limit = {.rlim_cur = 8ULL << 30, .rlim_max = 8ULL << 30};

        setrlimit(RLIMIT_FSIZE, &limit);
        signal(SIGXFSZ, SIG_IGN);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
