/* The kernel as a judge: what was written to an image is mounted, compared with
 * what it was made from, and changed by the kernel in turn. Needs root, loop
 * devices and ext4 in the kernel; exits 77 without. */
#include "ext_trees.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "disk/layer.h"

static int run(const char *format, const char *a, const char *b)
{
        CLEANUP_FREE char *command = str_replace(format, "%a", a), *both = str_replace(command, "%b", b);

        return spawn_check(&(struct spawn){.argv = (const char *[]){"sh", "-ec", both, NULL}}, NULL);
}

static void must_run(const char *format, const char *a, const char *b)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *command = str_replace(format, "%a", a), *both = str_replace(command, "%b", b);

        if (spawn_check(&(struct spawn){.argv = (const char *[]){"sh", "-ec", both, NULL}}, &err) < 0)
                fail_msg("%s", error_message(&err));
}

static int mount_image(const struct image *image, const char *at)
{
        CLEANUP_FREE char *command = xasprintf("mount -o loop,offset=%d %%a %%b", IMAGE_OFFSET);

        return run(command, image->path, at);
}

/* A tree with a bit of everything; 400 names in one folder. */
static char *source_tree(const struct image *image)
{
        char *dir = path_join(image->dir, "source");

        must_run("mkdir -p %a/a/b/c %a/many && cd %a/many && seq -f 'file-with-a-longer-name-%05g' 400 | xargs touch "
                 "-d @5000"
                 " && cd .. && head -c 1000000 /dev/urandom > a/big && truncate -s 50M a/sparse && echo x >> a/sparse"
                 " && echo text > a/b/c/text && ln a/b/c/text a/hard && ln -s text a/b/c/soft && ln -s %a%a%a a/long"
                 " && mkfifo a/fifo && chown 70000:70001 a/big && chmod 4755 a/big && setfattr -n user.x -v y a/big"
                 " && setfattr -n user.long -v $(printf '%0600d' 1) a/hard && setfacl -m u:5:r a/big && setfacl -d -m "
                 "g:6:rwx a/b"
                 " && setcap cap_net_raw+ep a/hard",
                 dir, "");
        return dir;
}

static void apply(const struct image *image, const char *dir)
{
        CLEANUP_ERROR struct error err = {0};
        struct layer_target target = {.mountpoint = "/", .type = image->type, .writer = write_begin(image)};

        if (layer_apply(dir, &target, 1, NULL, &err) < 0)
                fail_msg("%s", error_message(&err));
        write_end(target.writer);
}

static void check_type(const char *type, const char *const *options)
{
        CLEANUP_FREE char *mountpoint = NULL, *source = NULL, *out = NULL, *copy = NULL;
        struct image image;

        image_make(&image, type, 65536, options);
        mountpoint = path_join(image.dir, "mnt");
        copy = path_join(image.dir, "copy");
        assert_int_equal(mkdir(mountpoint, 0700), 0);
        source = source_tree(&image);
        apply(&image, source);
        image_check(&image);
        assert_int_equal(mount_image(&image, mountpoint), 0);
        must_run("rmdir %a/lost+found && touch -r %b %a", mountpoint, source);
        trees_equal(source, mountpoint);
        /* The kernel goes on with what we left: the index of a folder, bitmaps, free inodes. */
        must_run("cd %a/many && seq -f 'another-file-%05g' 400 | xargs touch && rm file-with-a-longer-name-*7"
                 " && cp -a ../a ../copied && rm -r ../a/b",
                 mountpoint, "");
        must_run("cp -a %a %b", mountpoint, copy);
        assert_int_equal(umount(mountpoint), 0);
        image_check(&image);
        out = image_extract(&image, "out");
        trees_equal(copy, out);
        image_clear(&image);
}

/* Two files whose attributes are alike share one block: it goes with the second. */
static void test_shared_attributes(void **state)
{
        static const char *const doomed[] = {"one", "two"};
        CLEANUP_FREE char *mountpoint = NULL;
        struct image image;

        (void)state;
        image_make(&image, "ext4", 16384, (const char *[]){"-I", "128", NULL});
        mountpoint = path_join(image.dir, "mnt");
        assert_int_equal(mkdir(mountpoint, 0700), 0);
        assert_int_equal(mount_image(&image, mountpoint), 0);
        must_run("cd %a && touch one two three && setfattr -n user.x -v $(printf '%0300d' 1) one two three", mountpoint,
                 "");
        assert_int_equal(umount(mountpoint), 0);
        for (size_t i = 0; i < 2; i++) {
                void *writer = write_begin(&image);

                write_one(writer, &(struct fs_change){.kind = FS_REMOVE, .path = doomed[i], .fd = -1});
                write_end(writer);
                image_check(&image);
        }
        image_clear(&image);
}

static void test_ext4(void **state)
{
        (void)state;
        check_type("ext4", (const char *[]){"-b", "4096", NULL});
}

static void test_ext4_small_blocks(void **state)
{
        (void)state;
        check_type("ext4", (const char *[]){"-b", "1024", "-O", "inline_data,^metadata_csum", NULL});
}

static void test_ext4_bigalloc(void **state)
{
        (void)state;
        check_type("ext4", (const char *[]){"-b", "4096", "-O", "bigalloc", "-N", "8192", NULL});
}

static void test_ext2(void **state)
{
        (void)state;
        check_type("ext2", (const char *[]){"-b", "1024", NULL});
}

static int why_not(void)
{
        struct image image;
        CLEANUP_FREE char *mountpoint = NULL;
        int r;

        if (getuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
                fprintf(stderr, "skipped: mounting needs root\n");
                return 77;
        }
        image_make(&image, "ext4", 16384, NULL);
        mountpoint = path_join(image.dir, "mnt");
        r = mkdir(mountpoint, 0700) < 0 || mount_image(&image, mountpoint) < 0 || umount(mountpoint) < 0;
        image_clear(&image);
        if (r)
                fprintf(stderr, "skipped: no loop device, or no ext4 in this kernel\n");
        return r ? 77 : 0;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ext4),
                cmocka_unit_test(test_ext4_small_blocks),
                cmocka_unit_test(test_ext4_bigalloc),
                cmocka_unit_test(test_ext2),
                cmocka_unit_test(test_shared_attributes),
        };
        int skip = why_not();

        return skip ? skip : cmocka_run_group_tests(tests, NULL, NULL);
}
