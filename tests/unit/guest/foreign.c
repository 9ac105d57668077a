/* Guests for other processors, run by qemu. argv[1]: the script that makes a
 * small base image for an architecture (tests/images/small). */
#include "test.h"

#include <signal.h>

#include "base/spawn.h"
#include "guest/arch.h"
#include "guesttree.h"

static struct userns *ns;
static const char *small;

/* busybox for `debian` (arm64, armhf) in the folder dir. The caller frees. */
static char *fetch_busybox(const char *dir, const char *debian)
{
        const char *make[] = {small, debian, NULL};
        CLEANUP_FREE char *folder = NULL, *archive = NULL;
        CLEANUP_ERROR struct error err = {0};

        if (spawn_capture(make, &folder, &err) < 0)
                fail_msg("%s", error_message(&err));
        archive = path_join(str_trim(folder), "rootfs.tar.gz");
        const char *extract[] = {"tar",
                                 "-xzf",
                                 archive,
                                 "-C",
                                 dir,
                                 "--wildcards",
                                 "--no-anchored",
                                 "--no-same-owner",
                                 "--strip-components=2",
                                 "*bin/busybox",
                                 NULL};
        if (spawn_check(&(struct spawn){.argv = extract}, &err) < 0)
                fail_msg("%s", error_message(&err));
        return path_join(dir, "busybox");
}

static void runs(const char *debian, const char *machine)
{
        char *dir = scratch_new();
        CLEANUP_FREE char *busybox = fetch_busybox(dir, debian);
        CLEANUP_FREE char *want = xasprintf("%s\nvessel\n1000\n", machine);
        struct tree *tree = tree_new(ns, busybox);
        struct guest *guest = tree_start(tree);

        tree_expect(guest, "uname -m | sed s/armv8l/armv7l/; hostname; su ship -c 'id -u'", want);
        /* argv[0] is kept, or a login shell would not know that it is one. */
        tree_expect(guest, "su - ship -c 'echo $0'", "-sh\n");
        free(tree_sh(guest, "exit 9", 9));
        free(tree_sh(guest, "kill -KILL $$", 128 + SIGKILL));
        tree_stop(guest);
        tree_upper_is(tree, "usr", "-");
        tree_free(tree);
        scratch_free(NULL, dir);
}

static void test_arm64(void **state)
{
        (void)state;
        runs("arm64", "aarch64");
}

static void test_armhf(void **state)
{
        (void)state;
        runs("armhf", "armv7l");
}

/* A processor that is fast to emulate, unless the template names one. */
static void test_cpu(void **state)
{
        static const char *const own[] = {"QEMU_CPU=cortex-a53", NULL};
        char *dir = scratch_new();
        CLEANUP_FREE char *busybox = fetch_busybox(dir, "arm64");
        struct tree *tree = tree_new(ns, busybox);
        struct guest *guest;

        (void)state;
        if (arch_native(arch_by_name("aarch64")))
                skip();
        unsetenv("QEMU_CPU");
        guest = tree_start(tree);
        tree_expect(guest, "echo $QEMU_CPU", "cortex-a72\n");
        tree_stop(guest);
        guest = tree_start_with(tree, (struct guest_config){.env = own});
        tree_expect(guest, "echo $QEMU_CPU", "cortex-a53\n");
        tree_stop(guest);
        setenv("QEMU_CPU", "max", 1);
        guest = tree_start(tree);
        tree_expect(guest, "echo $QEMU_CPU", "max\n");
        tree_stop(guest);
        unsetenv("QEMU_CPU");
        tree_free(tree);
        scratch_free(NULL, dir);
}

/* Where a template says that qemu should be, it is seen, may be removed or changed, and is never in the image. */
static void test_qemu_in_its_place(void **state)
{
        static const char place[] = "/usr/bin/qemu-aarch64-static";
        char *dir = scratch_new();
        CLEANUP_FREE char *busybox = fetch_busybox(dir, "arm64");
        struct tree *tree = tree_new(ns, busybox);
        struct guest_config config = {.qemu = "/nowhere/qemu-aarch64-static", .qemu_destination = place};
        struct guest *guest;

        (void)state;
        if (arch_native(arch_by_name("aarch64")))
                skip();
        guest = tree_start_with(tree, config);
        free(tree_sh(guest, "test -x /usr/bin/qemu-aarch64-static && chmod 700 /usr/bin/qemu-aarch64-static", 0));
        tree_stop(guest);
        tree_upper_is(tree, "usr/bin/qemu-aarch64-static", "-");
        guest = tree_start_with(tree, config);
        free(tree_sh(guest, "rm /usr/bin/qemu-aarch64-static && echo mine > /usr/bin/other", 0));
        tree_stop(guest);
        tree_upper_is(tree, "usr/bin/qemu-aarch64-static", "-");
        tree_upper_is(tree, "usr/bin/other", "f:mine\n");
        tree_free(tree);
        scratch_free(NULL, dir);
}

static void test_time_out(void **state)
{
        char *dir = scratch_new();
        CLEANUP_FREE char *busybox = fetch_busybox(dir, "arm64");
        struct tree *tree = tree_new(ns, busybox);
        struct guest *guest = tree_start(tree);
        const char *argv[] = {"sh", "-c", "setsid sleep 1234 & sleep 1234", NULL};
        int status;

        (void)state;
        assert_int_equal(guest_run(guest, &(struct guest_command){.argv = argv, .timeout_ms = 500}, &status, NULL),
                         -ETIMEDOUT);
        tree_expect(guest, "ps | grep -c '[s]leep 1234'; true", "0\n");
        tree_stop(guest);
        tree_free(tree);
        scratch_free(NULL, dir);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_arm64),    cmocka_unit_test(test_armhf),
                cmocka_unit_test(test_cpu),      cmocka_unit_test(test_qemu_in_its_place),
                cmocka_unit_test(test_time_out),
        };
        int r;

        if (argc != 2)
                return 2;
        small = argv[1];
        ns = userns_or_skip();
        r = cmocka_run_group_tests(tests, NULL, NULL);
        userns_free(ns);
        return r;
}
