/* A FAT volume around files, with fsck.fat and mtools as judges. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "disk/fat_layout.h"
#include "disk/fs.h"

static char dir[] = "/tmp/slipway-test.XXXXXX";
static char *image;

static int setup(void **state)
{
        (void)state;
        if (!mkdtemp(dir))
                return -1;
        image = path_join(dir, "volume.img");
        setenv("MTOOLSRC", "/dev/null", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        free(image);
        return tree_remove(dir, NULL);
}

static void make(const struct fat_layout_file *files, size_t n, struct fat_layout *ret)
{
        CLEANUP_ERROR struct error err = {0};

        if (fat_layout_make(files, n, ret, &err) < 0)
                fail_msg("%s", error_message(&err));
}

/* The volume on a disk, sparse: of each file its path, and its path again at its end. */
static void write_volume(const struct fat_layout_file *files, size_t n, const struct fat_layout *layout)
{
        CLEANUP_CLOSE int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_int_equal(ftruncate(fd, (off_t)layout->size_bytes), 0);
        assert_int_equal(fd_pwrite_all(fd, layout->head, layout->head_bytes, 0), 0);
        for (size_t i = 0; i < n; i++) {
                size_t len = strlen(files[i].path);

                assert_true(layout->at[i] >=
                            (i > 0 ? layout->at[i - 1] + files[i - 1].size_bytes : layout->head_bytes));
                assert_true(files[i].size_bytes <= layout->size_bytes - layout->at[i]);
                if (files[i].size_bytes < len)
                        continue;
                assert_int_equal(fd_pwrite_all(fd, files[i].path, len, (off_t)layout->at[i]), 0);
                assert_int_equal(
                        fd_pwrite_all(fd, files[i].path, len, (off_t)(layout->at[i] + files[i].size_bytes - len)), 0);
        }
}

/* fsck.fat finds nothing, and mtools the files, whole. */
static void judge(const struct fat_layout_file *files, size_t n, const struct fat_layout *layout)
{
        const struct fs_volume volume = {.path = image, .size_bytes = layout->size_bytes, .name = "the volume"};
        CLEANUP_ERROR struct error err = {0};

        if (fs_type_find("fat")->check(&volume, false, &err) < 0)
                fail_msg("%s", error_message(&err));
        for (size_t i = 0; i < n; i++) {
                CLEANUP_FREE char *inside = xasprintf("::/%s", files[i].path), *out = path_join(dir, "out"),
                                  *end = NULL;
                const char *argv[] = {"mcopy", "-n", "-o", "-i", image, inside, out, NULL};
                size_t len = strlen(files[i].path);
                struct stat st;

                if (spawn_capture(argv, &end, &err) < 0)
                        fail_msg("%s", error_message(&err));
                assert_int_equal(stat(out, &st), 0);
                assert_int_equal(st.st_size, files[i].size_bytes);
                if (files[i].size_bytes >= len) {
                        CLEANUP_CLOSE int fd = open(out, O_RDONLY | O_CLOEXEC);
                        char text[256];

                        assert_int_equal(pread(fd, text, len, 0), len);
                        assert_memory_equal(text, files[i].path, len);
                        assert_int_equal(pread(fd, text, len, st.st_size - (off_t)len), len);
                        assert_memory_equal(text, files[i].path, len);
                }
                assert_int_equal(unlink(out), 0);
        }
}

#define N(files) (sizeof(files) / sizeof((files)[0]))

static void test_sound(void **state)
{
        static const struct fat_layout_file files[] = {
                {"EFI/BOOT/BOOTx64.EFI", 1048504},
                {"EFI/BOOT/grubx64.efi", 3843520},
                {"grub/grub.cfg", 130},
                {"debian-installer/amd64/linux", 512},
                {"debian-installer/amd64/linux 2", 513},
                {"vmlinuz-6.1.0-18-cloud-amd64", 14149568},
                {"vmlinuz-6.1.0-19-cloud-amd64", 3},
                {"initrd.img-6.1.0-18-cloud-amd64", 0},
                {"a name of one hundred and twenty characters that takes a good many slots in the folder of the "
                 "volume and is long enough.img",
                 4096},
                {"\xc3\xbc\x62\x65r/stra\xc3\x9f"
                 "e",
                 100},
        };
        CLEANUP(fat_layout_clear) struct fat_layout layout = {0};

        (void)state;
        make(files, N(files), &layout);
        write_volume(files, N(files), &layout);
        judge(files, N(files), &layout);
}

/* Whatever the size, it is FAT16: tools tell by the number of clusters. */
static void test_sizes(void **state)
{
        static const uint64_t sizes[] = {0, 1, 33000000, 34000000, 67000000, 300 << 20, 2000ULL << 20};

        (void)state;
        for (size_t i = 0; i < N(sizes); i++) {
                const struct fat_layout_file files[] = {{"folder/large", sizes[i]}, {"small", 5}};
                CLEANUP(fat_layout_clear) struct fat_layout layout = {0};

                make(files, N(files), &layout);
                assert_memory_equal(layout.head + 54, "FAT16   ", 8);
                write_volume(files, N(files), &layout);
                judge(files, sizes[i] < 100 << 20 ? N(files) : 0, &layout);
        }
}

/* Many in one folder, whose slots are more than one cluster. */
static void test_many(void **state)
{
        struct fat_layout_file files[200];
        char *names[N(files)];
        CLEANUP(fat_layout_clear) struct fat_layout layout = {0};

        (void)state;
        for (size_t i = 0; i < N(files); i++) {
                names[i] = xasprintf("%s/initial RAM disk %zu", i % 2 ? "a/b" : "", i);
                files[i] = (struct fat_layout_file){names[i] + (i % 2 ? 0 : 1), 100 + i};
        }
        make(files, N(files), &layout);
        write_volume(files, N(files), &layout);
        judge(files, N(files), &layout);
        for (size_t i = 0; i < N(files); i++)
                free(names[i]);
}

static void test_refused(void **state)
{
        static const struct {
                struct fat_layout_file files[2];
                int r;
                const char *words;
        } rows[] = {
                {{{"debian/linux", 1}, {"debian/LINUX", 1}}, -EEXIST, "'debian/LINUX': FAT sees no difference"},
                {{{"a", 1}, {"a/b", 1}}, -EEXIST, "'a/b': 'a' is a file"},
                {{{"a/b", 1}, {"A", 1}}, -EEXIST, "'A': FAT sees no difference"},
                {{{"a:b", 1}}, -EINVAL, "'a:b': FAT allows no ':'"},
                {{{"\xff", 1}}, -EILSEQ, "is not UTF-8"},
                {{{"a", 4ULL << 30}}, -EFBIG, "'a': a file on FAT is smaller than 4 GiB"},
                {{{"a", 2000ULL << 20}, {"b", 200 << 20}}, -EFBIG, "larger together than the 2 GiB"},
        };

        (void)state;
        for (size_t i = 0; i < N(rows); i++) {
                struct fat_layout layout = {0};
                CLEANUP_ERROR struct error err = {0};

                assert_int_equal(fat_layout_make(rows[i].files, rows[i].files[1].path ? 2 : 1, &layout, &err),
                                 rows[i].r);
                if (!strstr(error_message(&err), rows[i].words))
                        fail_msg("row %zu: %s", i, error_message(&err));
                assert_null(layout.head);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sound),
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_many),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
