/* The flasher: into a plain file; onto a loop device where there is one (root); and all that it refuses. */
#include "post.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/spawn.h"
#include "package/target.h"

static char dir[] = "/tmp/slipway-test.XXXXXX";
static const char *const image[] = {"disk.img", NULL};
static const struct package_context context = {.build_name = "b", .builder_type = "arm"};

static int run(const char *script, char **ret)
{
        CLEANUP_ERROR struct error err = {0};
        int r = spawn_capture((const char *const[]){"sh", "-ec", script, NULL}, ret, &err);

        if (r < 0)
                print_error("%s\n", error_message(&err));
        return r;
}

static void sh(const char *script)
{
        CLEANUP_FREE char *out = NULL;

        assert_int_equal(run(script, &out), 0);
}

static int setup(void **state)
{
        CLEANUP_FREE char *out = NULL;

        (void)state;
        if (!mkdtemp(dir) || chdir(dir) < 0)
                return -1;
        return run(
                "truncate -s 40M disk.img; printf 'start=2048,size=40960,type=83\\nstart=43008,type=83\\n' | sfdisk -q "
                "disk.img; mkdir tree; head -c 200000 /dev/urandom > tree/a; head -c 200000 /dev/zero > tree/z; "
                "truncate -s 20M ext; mkfs.ext4 -q -d tree ext; "
                "dd if=ext of=disk.img bs=1M seek=1 conv=notrunc,sparse status=none",
                &out);
}

static int teardown(void **state)
{
        (void)state;
        return chdir("/") == 0 ? tree_remove(dir, NULL) : -1;
}

static int flash(const char *json, const char *const *files, char **ret_message)
{
        CLEANUP(artifact_clear) struct artifact made = {0};
        bool keep = false;
        int r = post_run("flasher", json, &context, files, &made, &keep, ret_message);

        if (r == 0) {
                assert_true(keep);
                assert_string_equal(made.files[0], files[0]);
        }
        return r;
}

static void assert_refused(const char *json, const char *const *files, const char *expected)
{
        CLEANUP_FREE char *message = NULL;

        assert_true(flash(json, files, &message) < 0);
        assert_non_null(message);
        if (!strstr(message, expected))
                fail_msg("'%s' does not say '%s'", message, expected);
}

static void test_into_a_file(void **state)
{
        struct stat st;

        (void)state;
        assert_int_equal(flash("{\"device\": \"out/copy.img\"}", image, NULL), 0);
        sh("cmp disk.img out/copy.img");
        assert_int_equal(stat("out/copy.img", &st), 0);
        assert_true(st.st_blocks * 512 < 12 << 20);
        sh("head -c 50M /dev/urandom > old; chmod 600 old");
        assert_int_equal(flash("{\"device\": \"old\", \"block_size\": 4096}", image, NULL), 0);
        sh("cmp disk.img old");
}

static void test_refusals(void **state)
{
        const char *const packed[] = {"disk.gz", NULL}, *const two[] = {"a.img", "b.img", NULL};

        (void)state;
        sh("gzip -c disk.img > disk.gz; echo > a.img; echo > b.img");
        assert_refused("{\"device\": \"/dev/no-such-disk\"}", image, "there is no disk '/dev/no-such-disk'");
        assert_refused("{\"device\": \"/dev/null\"}", image, "neither a disk nor a plain file");
        assert_refused("{\"device\": \"tree\"}", image, "neither a disk nor a plain file");
        assert_refused("{\"device\": \"disk.img\"}", image, "the input itself");
        assert_refused("{\"device\": \"x\"}", packed, "gzip data; put this post-processor before compress");
        assert_refused("{\"device\": \"x\"}", two, "expected one disk image");
        assert_refused("{\"device\": \"x\", \"block_size\": 1000}", image, "multiple of 512");
        assert_refused("{\"device\": \"x\", \"holes\": \"dig\"}", image, "dig");
        assert_refused("{}", image, "device");
        assert_false(path_exists("x"));
}

/* The disk that we run from, and a partition of it, if it has any. */
static void test_refuses_the_root_disk(void **state)
{
        CLEANUP(target_close) struct target target = {.fd = -1};
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *node = path_join(dir, "node"), *sys = NULL;
        struct stat st;

        (void)state;
        assert_int_equal(stat("/", &st), 0);
        sys = xasprintf("/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
        if (!path_exists(sys) || mknod(node, S_IFBLK | 0600, st.st_dev) < 0) {
                free(steal(&node)); /* skip() jumps over the clean-up */
                free(steal(&sys));
                skip();
        }
        assert_true(target_open(node, 1, &target, &err) < 0);
        assert_true(strstr(error_message(&err), "root file system") || strstr(error_message(&err), "is a partition"));
}

static char *loop_attach(const char *options)
{
        CLEANUP_FREE char *command = xasprintf("losetup -f --show %s 2>/dev/null || :", options);
        char *out = NULL;

        if (geteuid() != 0 || run(command, &out) < 0 || !*out) {
                free(out);
                return NULL;
        }
        str_trim(out);
        return out;
}

static void loop_detach(const char *device)
{
        CLEANUP_FREE char *command = xasprintf("losetup -d %s", device);

        sh(command);
}

static void test_onto_a_disk(void **state)
{
        static const char *const holes[] = {"discard", "zero", "leave"};
        CLEANUP_FREE char *device = NULL;

        (void)state;
        sh("tr '\\0' '\\377' < /dev/zero | head -c 45M > rubbish; cp rubbish card");
        device = loop_attach("card");
        if (!device)
                skip();
        for (int i = 0; i < 3; i++) {
                CLEANUP_FREE char *json =
                        xasprintf("{\"device\": \"%s\", \"interactive\": false, \"holes\": \"%s\"}", device, holes[i]);

                sh("dd if=rubbish of=card conv=notrunc bs=1M status=none");
                assert_int_equal(flash(json, image, NULL), 0);
                sh("sync card; dd if=card of=ext2 bs=1M skip=1 count=20 status=none; e2fsck -fn ext2 > log 2>&1; "
                   "sfdisk -q --verify card; debugfs -R 'dump /z z2' ext2 2> /dev/null; cmp z2 tree/z; "
                   "tail -c 5M card | tr -d '\\377' | wc -c | grep -qx 0");
                if (i < 2)
                        sh("cmp -n 41943040 disk.img card");
        }
        loop_detach(device);
}

static void test_refuses_disks(void **state)
{
        CLEANUP_FREE char *small = NULL, *locked = NULL, *swap = NULL, *json = NULL, *mounted = NULL, *more = NULL;

        (void)state;
        sh("truncate -s 30M small; truncate -s 45M locked; truncate -s 45M swap; mkswap swap > log 2>&1");
        small = loop_attach("small");
        if (!small)
                skip();
        json = xasprintf("{\"device\": \"%s\", \"interactive\": false}", small);
        assert_refused(json, image, "is too small: it has 31457280 bytes");
        json = (free(json), xasprintf("{\"device\": \"%s\"}", small));
        loop_detach(small);
        locked = loop_attach("-r locked");
        json = (free(json), xasprintf("{\"device\": \"%s\", \"interactive\": false}", locked));
        assert_refused(json, image, "");
        loop_detach(locked);
        swap = loop_attach("swap");
        json = (free(json), xasprintf("{\"device\": \"%s\", \"interactive\": false}", swap));
        more = xasprintf("swapon %s 2> /dev/null && echo yes || echo no", swap);
        assert_int_equal(run(more, &mounted), 0);
        if (str_starts(mounted, "yes")) {
                CLEANUP_FREE char *off = xasprintf("swapoff %s", swap);

                assert_refused(json, image, "is swap space");
                sh(off);
        }
        loop_detach(swap);
}

static void test_refuses_a_mounted_disk(void **state)
{
        CLEANUP_FREE char *device = NULL, *mount = NULL, *json = NULL, *out = NULL;

        (void)state;
        sh("truncate -s 45M m; mkfs.ext4 -q -F m; mkdir -p mnt");
        device = loop_attach("m");
        if (!device)
                skip();
        mount = xasprintf("mount %s mnt 2> /dev/null && echo yes || echo no", device);
        json = xasprintf("{\"device\": \"%s\", \"interactive\": false}", device);
        assert_int_equal(run(mount, &out), 0);
        if (str_starts(out, "yes")) {
                assert_refused(json, image, "is mounted on '");
                sh("umount mnt");
        }
        /* and without a terminal nobody can say yes */
        json = (free(json), xasprintf("{\"device\": \"%s\"}", device));
        if (!isatty(STDIN_FILENO))
                assert_refused(json, image, "there is no terminal to ask on");
        loop_detach(device);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_into_a_file),           cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_refuses_the_root_disk), cmocka_unit_test(test_onto_a_disk),
                cmocka_unit_test(test_refuses_disks),         cmocka_unit_test(test_refuses_a_mounted_disk),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
