#include "helper.h"

/* A small disk image with a table, data, and holes; made once. */
static int setup(void **state)
{
        int r = scratch_setup(state);

        if (r < 0)
                return r;
        sh("truncate -s 16M disk.img\n"
           "printf 'label: dos\\nstart=2048, size=4096, type=c\\nstart=6144, type=83\\n' | /sbin/sfdisk -q disk.img\n"
           "seq 1 150000 | dd of=disk.img bs=1M seek=2 conv=notrunc status=none\n"
           "head -c 700000 /dev/urandom | dd of=disk.img bs=1M seek=11 conv=notrunc status=none\n"
           "mkdir other; echo hello > other/README; head -c 100000 /dev/urandom > other/u-boot.bin\n");
        return 0;
}

static int unpack(const char *name, struct error *err)
{
        CLEANUP_CLOSE int fd = open("out.img", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        return source_unpack_image(name, fd, NULL, err);
}

static void assert_unpacks(const char *name)
{
        CLEANUP_ERROR struct error err = {0};
        struct stat st;

        if (unpack(name, &err) < 0)
                fail_msg("%s: %s", name, error_message(&err));
        sh("cmp disk.img out.img");
        assert_int_equal(stat("out.img", &st), 0);
        assert_true(st.st_blocks * 512 < 6 << 20); /* holes */
}

static void assert_fails(const char *name, const char *part)
{
        CLEANUP_ERROR struct error err = {0};

        if (unpack(name, &err) == 0)
                fail_msg("%s unpacks", name);
        assert_contains(error_message(&err), part);
}

static void test_streams(void **state)
{
        (void)state;
        sh("gzip -k -c disk.img > a; xz -1 -T1 -c disk.img > b; xz -0 --block-size=1MiB -T2 -c disk.img > c\n"
           "bzip2 -c disk.img > d; zstd -q -c disk.img > e; lz4 -q -c disk.img > f; xz --format=lzma -1 -c disk.img > "
           "g\n"
           "gzip -c a > i; cp disk.img h");
        for (const char *name = "abcdefghi"; *name; name++)
                assert_unpacks((const char[]){*name, '\0'});
}

static void test_archives(void **state)
{
        (void)state;
        sh("tar cf a.tar disk.img other; tar czf b disk.img other; tar cJf c other disk.img; tar cSf d disk.img\n"
           "zip -q -r e.zip other disk.img; mv e.zip e; 7z a -bd -mx1 f.7z disk.img other >/dev/null; mv f.7z f\n"
           "zstd -q -c a.tar > g; bzip2 -c a.tar > h; lz4 -q -c a.tar > i; echo disk.img | bsdcpio -o -H newc "
           "2>/dev/null > j\n"
           "xz -k -1 disk.img; tar cf k disk.img.xz other; cp a.tar a");
        for (const char *name = "abcdefghijk"; *name; name++)
                assert_unpacks((const char[]){*name, '\0'});
}

/* Members, streams and paddings one after the other are one image. */
static void test_concatenated(void **state)
{
        (void)state;
        sh("head -c 4M disk.img > 1; tail -c +4194305 disk.img > 2\n"
           "(gzip -c 1; gzip -c 2) > gz; (xz -1 -c 1; head -c 8 /dev/zero; xz -1 -c 2; head -c 4 /dev/zero) > xz\n"
           "(zstd -q -c 1; zstd -q -c 2) > zst; (bzip2 -c 1; bzip2 -c 2) > bz2; (lz4 -q -c 1; lz4 -q -c 2) > lz4");
        for (const char *const *name = (const char *const[]){"gz", "xz", "zst", "bz2", "lz4", NULL}; *name; name++)
                assert_unpacks(*name);
}

static void test_garbage_after_the_end(void **state)
{
        (void)state;
        for (const char *const *tool = (const char *const[]){"gzip -c", "xz -1 -c", "xz -1 --block-size=1MiB -c",
                                                             "zstd -q -c", "bzip2 -c", NULL};
             *tool; tool++) {
                CLEANUP_FREE char *script = xasprintf("(%s disk.img; echo some words after the end) > garbage", *tool);

                sh(script);
                assert_unpacks("garbage");
        }
}

static void test_truncated(void **state)
{
        (void)state;
        for (const char *const *tool =
                     (const char *const[]){"gzip -c", "xz -1 -c", "xz -1 --block-size=1MiB -c", "zstd -q -c",
                                           "bzip2 -c", "lz4 -q -c", "xz --format=lzma -1 -c", "tar cf -", "tar czf -",
                                           "zip -q -", NULL};
             *tool; tool++) {
                CLEANUP_FREE char *script = xasprintf(
                        "%s disk.img > whole; head -c $(($(stat -c %%s whole) * 9 / 10)) whole > truncated", *tool);

                sh(script);
                assert_fails("truncated", "truncated or damaged");
        }
}

static void test_corrupt(void **state)
{
        (void)state;
        for (const char *const *tool = (const char *const[]){"gzip -c", "xz -1 -c", "xz -1 --block-size=1MiB -c",
                                                             "zstd -q -c", "bzip2 -c", "zip -q -", "tar czf -", NULL};
             *tool; tool++) {
                CLEANUP_FREE char *script = xasprintf(
                        "%s disk.img > corrupt; s=$(stat -c %%s corrupt)\n"
                        "head -c 16 /dev/urandom | dd of=corrupt bs=1 seek=$((s / 2)) conv=notrunc status=none",
                        *tool);

                sh(script);
                assert_fails("corrupt", "truncated or damaged");
        }
        sh("gzip -c disk.img > crc; dd if=/dev/urandom of=crc bs=1 count=4 seek=$(($(stat -c %s crc) - 8)) "
           "conv=notrunc "
           "status=none");
        assert_fails("crc", "truncated or damaged");
}

static void test_what_is_no_image(void **state)
{
        (void)state;
        sh("echo '<!DOCTYPE html>' > page; : > empty; gzip -c empty > empty.gz; tar cf none.tar other\n"
           "cp disk.img second.img; tar cf two.tar disk.img second.img; mkdir void; tar cf void.tar void\n"
           "printf 'QFI\\373\\0\\0\\0\\3' > vm; for i in 1 2 3 4 5 6; do gzip -c < vm > vm2; mv vm2 vm; done");
        assert_fails("page", "<!DOCTYPE html>");
        assert_fails("empty", "it is empty");
        assert_fails("empty.gz", "it is empty");
        assert_fails("none.tar", "README (unknown)");
        assert_fails("two.tar", "more than one disk image");
        assert_fails("two.tar", "second.img");
        assert_fails("void.tar", "no files");
        assert_fails("vm", "compressed more than");
        assert_fails("missing", "No such file");
}

/* Names count little: the table decides, and what has a table wins over a file system. */
static void test_the_image_among_others(void **state)
{
        (void)state;
        sh("mkdir pick; cp disk.img pick/contents; truncate -s 1M pick/boot.vfat; /sbin/mkfs.fat pick/boot.vfat "
           ">/dev/null\n"
           "head -c 50000 /dev/urandom > pick/a.img; tar cf pick.tar -C pick .; cd pick; zip -q ../pick.zip *");
        assert_unpacks("pick.tar");
        assert_unpacks("pick.zip");
}

static void test_identified(void **state)
{
        static const struct {
                const char *path;
                enum source_kind kind;
                const char *name;
        } rows[] = {
                {"i.img", SOURCE_IMAGE, "a DOS partition table"},
                {"i.xz", SOURCE_IMAGE, "a DOS partition table"},
                {"i.tgz", SOURCE_ARCHIVE, "tar"},
                {"i.txt", SOURCE_UNKNOWN, "unknown"},
        };

        (void)state;
        sh("cp disk.img i.img; xz -0 -c disk.img > i.xz; tar czf i.tgz other; echo text > i.txt");
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                enum source_kind kind;
                const char *name;

                assert_int_equal(source_identify(rows[i].path, &kind, &name, NULL), 0);
                assert_int_equal(kind, rows[i].kind);
                assert_string_equal(name, rows[i].name);
        }
}

static void test_disk_full(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = open("/dev/full", O_RDWR | O_CLOEXEC);

        (void)state;
        sh("gzip -c disk.img > full.gz");
        if (fd < 0)
                skip();
        assert_int_equal(source_unpack_image("full.gz", fd, NULL, &err), -ENOSPC);
        assert_contains(error_message(&err), "does not fit");
}

static void test_command(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = open("out.img", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const char *const xz[] = {"xz", "-d", "$ARCHIVE_PATH", NULL};
        const char *const tar[] = {"tar", "xf", "$ARCHIVE_PATH", "-C", "$MOUNTPOINT", NULL};
        const char *const bad[] = {"sh", "-c", "echo it went wrong >&2; exit 3", NULL};

        (void)state;
        sh("xz -1 -c disk.img > blob; chmod 444 blob; mkdir work tree; tar cf tree.tar other");
        if (source_unpack_command_image(xz, "blob", "board.img.xz", "work", fd, NULL, &err) < 0)
                fail_msg("%s", error_message(&err));
        sh("cmp disk.img out.img; test -e blob");
        assert_int_equal(source_unpack_command(tar, "tree.tar", "tree", NULL, &err), 0);
        sh("test -e tree/other/README");
        assert_int_equal(source_unpack_command(bad, "blob", "tree", NULL, &err), -EIO);
        assert_contains(error_message(&err), "it went wrong");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_streams),          cmocka_unit_test(test_archives),
                cmocka_unit_test(test_concatenated),     cmocka_unit_test(test_garbage_after_the_end),
                cmocka_unit_test(test_truncated),        cmocka_unit_test(test_corrupt),
                cmocka_unit_test(test_what_is_no_image), cmocka_unit_test(test_the_image_among_others),
                cmocka_unit_test(test_identified),       cmocka_unit_test(test_disk_full),
                cmocka_unit_test(test_command),
        };

        return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
