/* FAT, with fsck.fat and mtools as judges. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "disk/fs.h"

#define MIB (1024 * 1024ULL)

enum { OFFSET = 1024 * 1024 };

static char dir[] = "/tmp/slipway-test.XXXXXX";
static char *image, *at;
static const struct fs_type *fat;
static struct fs_volume volume = {.offset_bytes = OFFSET, .name = "partition 1 (boot)"};

static int setup(void **state)
{
        (void)state;
        if (!mkdtemp(dir))
                return -1;
        image = path_join(dir, "disk.img");
        at = xasprintf("%s@@1M", image);
        fat = fs_type_find("fat");
        setenv("MTOOLS_SKIP_CHECK", "1", 1);
        setenv("MTOOLSRC", "/dev/null", 1);
        setenv("TZ", "UTC", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        free(image);
        free(at);
        return tree_remove(dir, NULL);
}

static char *judge(const char *const *argv)
{
        CLEANUP_ERROR struct error err = {0};
        char *out = NULL;

        if (spawn_capture(argv, &out, &err) < 0)
                fail_msg("%s", error_message(&err));
        return out;
}

static void ok(int r, struct error *err)
{
        if (r < 0)
                fail_msg("%s", error_message(err));
}

static void make_with(uint64_t size, const char *const *options)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        struct fs_make how = {.label = "BOOT", .options = options, .id_seed = "seed", .epoch = 1700000000};

        assert_int_equal(ftruncate(fd, (off_t)(OFFSET + size)), 0);
        volume.path = image;
        volume.size_bytes = size;
        ok(fat->make(&volume, &how, &err), &err);
}

static void make(uint64_t size, const char *bits)
{
        make_with(size, (const char *const[]){"-F", bits, NULL});
}

static void sound(void)
{
        CLEANUP_ERROR struct error err = {0};

        ok(fat->check(&volume, false, &err), &err);
}

static void *writer_new(void)
{
        CLEANUP_ERROR struct error err = {0};
        void *writer = NULL;

        ok(fat->write_open(&volume, -1, &writer, &err), &err);
        return writer;
}

static int change(void *writer, enum fs_change_kind kind, const char *path, const char *content, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        struct fs_change c = {.kind = kind, .path = path, .fd = -1, .target = content};

        c.st.st_mtim.tv_sec = 1600000000;
        if (kind == FS_FILE) {
                assert_int_equal(file_nameless(dir, 0600, &fd, NULL), 0);
                assert_int_equal(fd_write_all(fd, content, strlen(content)), 0);
                c.fd = fd;
                c.st.st_size = (off_t)strlen(content);
        }
        return fat->write_change(writer, &c, err);
}

static void put(void *writer, enum fs_change_kind kind, const char *path, const char *content)
{
        CLEANUP_ERROR struct error err = {0};

        ok(change(writer, kind, path, content, &err), &err);
}

static void done(void *writer)
{
        CLEANUP_ERROR struct error err = {0};

        ok(fat->write_close(writer, &err), &err);
        sound();
}

static void expect_file(const char *path, const char *content)
{
        CLEANUP_FREE char *mtools = xasprintf("::%s", path);
        CLEANUP_FREE char *out = judge((const char *const[]){"mtype", "-i", at, mtools, NULL});

        /* spawn_capture() gives whole lines. */
        if (!str_ends(content, "\n"))
                out[strlen(out) - 1] = '\0';
        assert_string_equal(out, content);
}

static void expect_cat(const char *path, const char *content)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *name = path_join(dir, "out"), *text = NULL;
        CLEANUP_CLOSE int out = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        ok(fat->cat(&volume, path, out, &err), &err);
        ok(file_read(name, 0, &text, NULL, &err), &err);
        assert_string_equal(text, content);
}

static const char *const widths[] = {"12", "16", "32"};
static const uint64_t sizes[] = {4 * MIB, 32 * MIB, 64 * MIB};

static void test_write_all_widths(void **state)
{
        (void)state;
        for (size_t i = 0; i < 3; i++) {
                CLEANUP_FREE char *big = xmalloc(300001), *list = NULL;
                void *writer;

                memset(big, 'x', 300000);
                big[300000] = '\0';
                make(sizes[i], widths[i]);
                sound();
                writer = writer_new();
                put(writer, FS_FILE, "cmdline.txt", "console=serial0\n");
                put(writer, FS_DIR, "overlays", NULL);
                put(writer, FS_DIR, "overlays/Deep Folder", NULL);
                put(writer, FS_FILE, "overlays/Deep Folder/a.long.file.name.dtbo", "dtbo");
                put(writer, FS_FILE, "overlays/été-Ω.txt", "utf-8");
                put(writer, FS_FILE, "overlays/😀", "a pair of units"); /* mtools knows no such name */
                put(writer, FS_FILE, "kernel8.img", big);
                put(writer, FS_FILE, "empty", "");
                put(writer, FS_LINK, "same.img", "kernel8.img");
                put(writer, FS_FILE, "cmdline.txt", "console=tty1\n");
                put(writer, FS_DIR, "overlays", NULL);
                done(writer);
                expect_file("/cmdline.txt", "console=tty1\n");
                expect_file("/overlays/Deep Folder/a.long.file.name.dtbo", "dtbo");
                expect_file("/overlays/été-Ω.txt", "utf-8");
                expect_cat("/overlays/😀", "a pair of units");
                expect_file("/kernel8.img", big);
                expect_file("/same.img", big);
                list = judge((const char *const[]){"mdir", "-i", at, "::", NULL});
                assert_non_null(strstr(list, "cmdline  txt"));
                assert_non_null(strstr(list, "2020-09-13  12:26"));
                assert_non_null(strstr(list, "Volume in drive : is BOOT"));
        }
}

static void test_remove(void **state)
{
        CLEANUP_FREE char *info = NULL, *again = NULL;
        void *writer;

        (void)state;
        make(64 * MIB, "32");
        info = judge((const char *const[]){"mdir", "-i", at, "::", NULL});
        writer = writer_new();
        put(writer, FS_DIR, "a", NULL);
        put(writer, FS_DIR, "a/b", NULL);
        put(writer, FS_FILE, "a/b/a file with a long name", "1");
        put(writer, FS_FILE, "a/c", "2");
        done(writer);
        writer = writer_new();
        put(writer, FS_CLEAR, "a", NULL);
        put(writer, FS_FILE, "a/new", "3");
        put(writer, FS_CLEAR, "nowhere", NULL);
        put(writer, FS_REMOVE, "nowhere/at/all", NULL);
        done(writer);
        expect_file("/a/new", "3");
        writer = writer_new();
        put(writer, FS_REMOVE, "a", NULL);
        done(writer);
        again = judge((const char *const[]){"mdir", "-i", at, "::", NULL});
        assert_string_equal(info, again); /* the same free space */
}

static void test_thousands(void **state)
{
        CLEANUP_FREE char *list = NULL;
        size_t found = 0;
        void *writer;

        (void)state;
        make(64 * MIB, "32");
        writer = writer_new();
        put(writer, FS_DIR, "many", NULL);
        for (int i = 0; i < 3000; i++) {
                CLEANUP_FREE char *name = xasprintf("many/a rather long name number %d.txt", i);

                put(writer, FS_FILE, name, "x");
        }
        done(writer);
        list = judge((const char *const[]){"mdir", "-b", "-i", at, "::/many", NULL});
        for (const char *p = list; (p = strstr(p, "number")); p++)
                found++;
        assert_int_equal(found, 3000);
}

static void test_refused(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        void *writer;

        (void)state;
        make(4 * MIB, "12");
        writer = writer_new();
        put(writer, FS_FILE, "Readme", "1");
        assert_int_equal(change(writer, FS_FILE, "README", "2", &err), -EEXIST);
        assert_non_null(strstr(error_message(&err), "'README' and 'Readme' differ only by case"));
        assert_int_equal(change(writer, FS_SYMLINK, "link", "Readme", &err), -EPERM);
        assert_non_null(strstr(error_message(&err), "'link' is a symlink, which FAT (partition 1 (boot)) cannot hold"));
        assert_int_equal(change(writer, FS_FILE, "a:b", "2", &err), -EINVAL);
        assert_int_equal(change(writer, FS_FILE, "dot.", "2", &err), -EINVAL);
        assert_int_equal(change(writer, FS_FILE, "bad\xff", "2", &err), -EILSEQ);
        put(writer, FS_FILE, "config.txt", "1");
        put(writer, FS_REMOVE, "Readme", NULL);
        put(writer, FS_FILE, "README", "2"); /* another case once it is gone */
        done(writer);
        expect_file("/README", "2");
}

static void test_full(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *big = xmalloc(3 * MIB + 1);
        void *writer;

        (void)state;
        memset(big, 'x', 3 * MIB);
        big[3 * MIB] = '\0';
        make(4 * MIB, "12");
        writer = writer_new();
        put(writer, FS_FILE, "one", big);
        put(writer, FS_FILE, "two", big);
        put(writer, FS_DIR, "more", NULL);
        put(writer, FS_FILE, "more/three", big);
        assert_int_equal(fat->write_close(writer, &err), -ENOSPC);
        assert_non_null(strstr(error_message(&err), "partition 1 (boot) is full: 5.0 MiB more are needed"));
}

static void test_extract(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *tree = path_join(dir, "tree"), *file = path_join(tree, "sub/A File.Txt"), *text = NULL,
                          *source = path_join(dir, "source");
        struct stat st;

        (void)state;
        make(32 * MIB, "16");
        ok(file_write(source, "by mtools", 9, 0644, &err), &err);
        free(judge((const char *const[]){"mmd", "-i", at, "::sub", NULL}));
        free(judge((const char *const[]){"mcopy", "-m", "-i", at, source, "::sub/A File.Txt", NULL}));
        free(judge((const char *const[]){"mcopy", "-m", "-i", at, source, "::UPPER.TXT", NULL}));
        ok(dir_make(tree, 0755, &err), &err);
        ok(fat->extract(&volume, tree, NULL, &err), &err);
        ok(file_read(file, 0, &text, NULL, &err), &err);
        assert_string_equal(text, "by mtools");
        assert_int_equal(stat(file, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0755);
        ok(tree_remove(tree, &err), &err);
}

static void test_same_bytes(void **state)
{
        CLEANUP_FREE char *first = NULL;
        size_t n, m;

        (void)state;
        for (int i = 0; i < 2; i++) {
                CLEANUP_FREE char *bytes = NULL;
                void *writer;

                make(4 * MIB, "12");
                writer = writer_new();
                put(writer, FS_DIR, "folder", NULL);
                put(writer, FS_FILE, "folder/some file", "content");
                done(writer);
                assert_int_equal(file_read(image, 0, &bytes, i ? &m : &n, NULL), 0);
                if (i == 0)
                        first = steal(&bytes);
                else
                        assert_true(n == m && memcmp(first, bytes, n) == 0);
        }
}

static int count(void *arg, const struct fs_entry *entry)
{
        if (strcmp(entry->name, "some file") == 0 && entry->st.st_size == 7)
                ++*(int *)arg;
        return 0;
}

static void test_list_and_damage(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = open(image, O_RDWR | O_CLOEXEC);
        CLEANUP_FREE char *tree = path_join(dir, "tree2");
        uint8_t boot[512], slot[32];
        uint64_t data;
        int n = 0;

        (void)state; /* the image of test_same_bytes */
        ok(fat->list(&volume, "/folder", count, &n, &err), &err);
        assert_int_equal(n, 1);
        assert_int_equal(fat->list(&volume, "folder/nothing", count, &n, &err), -ENOENT);
        assert_int_equal(fd_pread_all(fd, boot, sizeof(boot), OFFSET), 0);
        data = OFFSET + (get_le16(boot + 14) + boot[16] * get_le16(boot + 22)) * 512u + get_le16(boot + 17) * 32u;
        /* "some file" (third slot of the folder and its long name) becomes a folder that is its own parent. */
        assert_int_equal(fd_pread_all(fd, slot, sizeof(slot), (off_t)data + 96), 0);
        slot[11] = 0x10;
        slot[26] = 2;
        assert_int_equal(fd_pwrite_all(fd, slot, sizeof(slot), (off_t)data + 96), 0);
        ok(dir_make(tree, 0755, &err), &err);
        assert_int_equal(fat->extract(&volume, tree, NULL, &err), -EUCLEAN);
        assert_non_null(strstr(error_message(&err), "damaged"));
        assert_true(fat->check(&volume, false, &err) < 0);
        volume.size_bytes = 1 * MIB;
        assert_int_equal(fat->list(&volume, "", count, &n, &err), -EUCLEAN);
}

/* The file "big", which is the first of the root folder, is made to lie in every second cluster from 4 on. */
static void scatter(uint32_t n_clusters)
{
        CLEANUP_CLOSE int fd = open(image, O_RDWR | O_CLOEXEC);
        CLEANUP_FREE uint8_t *table = xcalloc(n_clusters, 8);
        uint8_t boot[512], entry[32];
        uint64_t table_at, root_at;

        assert_int_equal(fd_pread_all(fd, boot, sizeof(boot), OFFSET), 0);
        assert_int_equal(boot[13], 1); /* sectors in a cluster */
        table_at = OFFSET + get_le16(boot + 14) * 512ULL;
        root_at = table_at + boot[16] * get_le32(boot + 36) * 512ULL;
        for (uint32_t i = 0; i < n_clusters; i++)
                put_le32(table + 8 * (size_t)i, i + 1 < n_clusters ? 4 + 2 * (i + 1) : 0x0fffffff);
        for (unsigned int copy = 0; copy < boot[16]; copy++)
                assert_int_equal(fd_pwrite_all(fd, table, n_clusters * 8ULL,
                                               (off_t)(table_at + copy * get_le32(boot + 36) * 512ULL + 16)),
                                 0);
        for (;; root_at += 32) { /* behind the label and long names */
                assert_int_equal(fd_pread_all(fd, entry, sizeof(entry), (off_t)root_at), 0);
                assert_int_not_equal(entry[0], 0);
                if (memcmp(entry, "BIG     ", 8) == 0)
                        break;
        }
        put_le16(entry + 20, 0);
        put_le16(entry + 26, 4);
        put_le32(entry + 28, n_clusters * 512);
        assert_int_equal(fd_pwrite_all(fd, entry, sizeof(entry), (off_t)root_at), 0);
}

/* Where a file lies is kept in memory: not without a limit. */
static void test_pieces_are_limited(void **state)
{
        CLEANUP(fs_extents_clear) struct fs_extents extents = {0};
        CLEANUP_ERROR struct error err = {0};
        void *writer;

        (void)state;
        make_with(300 * MIB, (const char *const[]){"-F", "32", "-s", "1", NULL});
        writer = writer_new();
        put(writer, FS_FILE, "big", "x");
        ok(fat->write_close(writer, &err), &err);
        scatter(1000);
        ok(fat->locate(&volume, "/big", &extents, &err), &err);
        assert_int_equal(extents.n, 1000);
        scatter((1 << 18) + 1);
        fs_extents_clear(&extents);
        assert_int_equal(fat->locate(&volume, "/big", &extents, &err), -EFBIG);
        assert_non_null(strstr(error_message(&err), "'big': the file lies in more than 262144 pieces"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_write_all_widths),
                cmocka_unit_test(test_remove),
                cmocka_unit_test(test_thousands),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_full),
                cmocka_unit_test(test_extract),
                cmocka_unit_test(test_same_bytes),
                cmocka_unit_test(test_list_and_damage),
                cmocka_unit_test(test_pieces_are_limited),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
