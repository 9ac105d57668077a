/* Block maps of images with real file systems. The judge is bmaptool: what it
 * copies onto a disk full of rubbish must be a sound file system with the same files. */
#include "post.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/spawn.h"
#include "package/blockmap.h"

static char dir[] = "/tmp/slipway-test.XXXXXX";

static int setup(void **state)
{
        (void)state;
        return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
        (void)state;
        return chdir("/") == 0 ? tree_remove(dir, NULL) : -1;
}

static void sh(const char *script)
{
        CLEANUP_ERROR struct error err = {0};

        if (spawn_check(&(struct spawn){.argv = (const char *const[]){"sh", "-ec", script, NULL}}, &err) < 0)
                fail_msg("%s", error_message(&err));
}

static void map_of(const char *path, struct blockmap *map)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st;

        assert_int_equal(fstat(fd, &st), 0);
        if (blockmap_read(fd, (uint64_t)st.st_size, NULL, map, &err) < 0)
                fail_msg("%s", error_message(&err));
}

static void test_plain_data(void **state)
{
        CLEANUP(blockmap_clear) struct blockmap map = {0};

        (void)state;
        sh("truncate -s 1000001 a; printf x | dd of=a bs=1 seek=81920 conv=notrunc status=none");
        map_of("a", &map); /* no file system: up to the last byte that is not zero */
        assert_int_equal(map.n_blocks, 245);
        assert_int_equal(map.ranges.n, 1);
        assert_int_equal(map.ranges.v[0].first, 0);
        assert_int_equal(map.ranges.v[0].last, 20);
        assert_int_equal(map.n_mapped, 21);
        assert_string_equal(map.ranges.v[0].sha256, "b4f03159fecb3a03317894c59e6917d9e7a4af069398082a87e2c57ba1ce71b4");
}

static void test_empty(void **state)
{
        CLEANUP(blockmap_clear) struct blockmap none = {0};
        CLEANUP(blockmap_clear) struct blockmap zero = {0};

        (void)state;
        sh(": > none; truncate -s 9M zero");
        map_of("none", &none);
        assert_int_equal(none.n_blocks + none.ranges.n, 0);
        map_of("zero", &zero);
        assert_int_equal(zero.n_blocks, 2304);
        assert_int_equal(zero.ranges.n, 0);
}

/* dos: 1 MiB of boot loader with zeros in it, FAT, ext4 with a file of zeros, an empty partition. */
static const char make_disk[] =
        "truncate -s 96M disk.img\n"
        "printf 'start=2048,size=20480,type=c\\nstart=22528,size=122880,type=83\\nstart=145408,type=83\\n' |"
        " sfdisk -q disk.img\n"
        "printf loader | dd of=disk.img bs=1 seek=512000 conv=notrunc status=none\n"
        "mkdir -p tree; head -c 300000 /dev/zero > tree/zeros; head -c 300000 /dev/urandom > tree/noise\n"
        "truncate -s 10M fat; mkfs.vfat fat > /dev/null; mcopy -i fat tree/zeros tree/noise ::\n"
        "truncate -s 60M ext; mkfs.ext4 -q -d tree ext\n"
        "dd if=fat of=disk.img bs=1M seek=1 conv=notrunc,sparse status=none\n"
        "dd if=ext of=disk.img bs=1M seek=11 conv=notrunc,sparse status=none\n"
        "fallocate -d disk.img\n";

static void test_bmaptool_onto_rubbish(void **state)
{
        CLEANUP(artifact_clear) struct artifact made = {0};
        CLEANUP(blockmap_clear) struct blockmap map = {0};
        const struct package_context context = {.build_name = "b", .builder_type = "arm"};
        bool keep = false;

        (void)state;
        sh(make_disk);
        assert_int_equal(post_run("bmap", "{}", &context, (const char *const[]){"disk.img", NULL}, &made, &keep, NULL),
                         0);
        assert_true(keep);
        assert_string_equal(made.files[1], "disk.img.bmap");
        map_of("disk.img", &map);
        assert_true(blockmap_bytes(&map) < 20 << 20);
        sh("tr '\\0' '\\377' < /dev/zero | head -c 96M > target\n"
           "cp disk.img.bmap kept; bmaptool -q copy --bmap disk.img.bmap disk.img target; cmp kept disk.img.bmap\n"
           "dd if=target of=fat2 bs=1M skip=1 count=10 status=none; fsck.fat -n fat2 > /dev/null\n"
           "dd if=target of=ext2 bs=1M skip=11 count=60 status=none; e2fsck -fn ext2 > /dev/null 2>&1\n"
           "sfdisk -q --verify target\n"
           "mkdir -p back; mcopy -n -i fat2 ::zeros ::noise back; cmp back/zeros tree/zeros; cmp back/noise "
           "tree/noise\n"
           "debugfs -R 'dump /zeros back/z2' ext2 2> /dev/null; cmp back/z2 tree/zeros\n"
           "debugfs -R 'dump /noise back/n2' ext2 2> /dev/null; cmp back/n2 tree/noise\n"
           "cmp -n 512006 disk.img target\n");
}

/* As small as it is, it has the table of a large one (mkfs.fat -F 32): zeros in clusters that are in use count. */
static void test_small_fat32(void **state)
{
        CLEANUP(blockmap_clear) struct blockmap map = {0};

        (void)state;
        /* clusters 40000 to 40999 of 512 bytes, in the first table, behind 32 sectors */
        sh("truncate -s 24M fat32; mkfs.vfat -F 32 -s 1 fat32 > /dev/null 2>&1\n"
           "printf '\\377\\377\\377\\017%.0s' $(seq 1000) | dd of=fat32 bs=4 seek=$((4096 + 40000)) conv=notrunc "
           "status=none\n"
           "fallocate -d fat32");
        map_of("fat32", &map);
        assert_in_range(blockmap_bytes(&map), 1000 * 512, 2 << 20);
}

/* The map is proof against a damaged image: bmaptool refuses it. */
static void test_bmaptool_verifies(void **state)
{
        (void)state;
        sh("printf x | dd of=disk.img bs=1 seek=512001 conv=notrunc status=none\n"
           "! bmaptool -q copy --bmap disk.img.bmap disk.img target 2> /dev/null");
}

static void test_bmap_errors(void **state)
{
        const struct package_context context = {.build_name = "b", .builder_type = "arm"};
        CLEANUP(artifact_clear) struct artifact made = {0};
        CLEANUP_FREE char *message = NULL;
        bool keep;

        (void)state;
        sh("printf x | gzip > x.img; printf x > y.img");
        assert_true(post_run("bmap", "{}", &context, (const char *const[]){"x.img", NULL}, &made, &keep, &message) < 0);
        assert_non_null(strstr(message, "gzip data; put this post-processor before compress"));
        free(message);
        assert_true(post_run("bmap", "{}", &context, (const char *const[]){"x.img", "y.img", NULL}, &made, &keep,
                             &message) < 0);
        assert_non_null(strstr(message, "expected one disk image"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_plain_data),
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_bmaptool_onto_rubbish),
                cmocka_unit_test(test_small_fat32),
                cmocka_unit_test(test_bmaptool_verifies),
                cmocka_unit_test(test_bmap_errors),
        };

        if (access("/usr/bin/bmaptool", X_OK) < 0) {
                fputs("bmaptool is not installed\n", stderr);
                return 77;
        }
        return cmocka_run_group_tests(tests, setup, teardown);
}
