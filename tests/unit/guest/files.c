/* Files to and from a guest. */
#include "test.h"

#include "guesttree.h"

static struct userns *ns;

static void test_put_and_get(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);
        CLEANUP_FREE char *from = path_join(tree->dir, "from"), *back = path_join(tree->dir, "back/deep");
        CLEANUP_FREE char *script = path_join(from, "sub/run.sh"), *link = path_join(from, "link"), *text = NULL;
        CLEANUP_FREE char *got = path_join(back, "sub/run.sh"), *got_link = path_join(back, "link");
        char target[64] = "";
        struct stat st;

        (void)state;
        tree_write(from, "sub/run.sh", "#!/bin/sh\n");
        assert_int_equal(chmod(script, 04755), 0);
        assert_int_equal(symlink("/etc/../sub", link), 0);
        assert_int_equal(guest_put_data(guest, "a\0b", 3, "/new/dir/data", 0600, NULL), 0);
        tree_expect(guest, "wc -c < /new/dir/data; stat -c '%a %u:%g' /new /new/dir/data", "3\n755 0:0\n600 0:0\n");
        assert_int_equal(guest_put(guest, from, "/opt/tree", NULL), 0);
        tree_expect(guest, "stat -c '%a %u:%g' /opt/tree/sub/run.sh; readlink /opt/tree/link",
                    "4755 0:0\n/etc/../sub\n");
        assert_int_equal(guest_get(guest, "/opt/tree", back, NULL), 0);
        assert_int_equal(file_read(got, 0, &text, NULL, NULL), 0);
        assert_string_equal(text, "#!/bin/sh\n");
        assert_int_equal(stat(got, &st), 0);
        assert_int_equal(st.st_uid, getuid());
        assert_true(readlink(got_link, target, sizeof(target) - 1) > 0);
        assert_int_equal(guest_remove(guest, "/opt/tree", NULL), 0);
        assert_int_equal(guest_remove(guest, "/opt/tree", NULL), 0);
        assert_int_equal(guest_stat(guest, "/opt/tree", &st, NULL), -ENOENT);
        tree_stop(guest);
        tree_free(tree);
}

static void test_errors(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(guest_put(guest, "/no/such/file", "/x", &err), -ENOENT);
        assert_non_null(strstr(err.message, "/no/such/file"));
        assert_int_equal(guest_get(guest, "/missing", "/tmp/slipway-never", &err), -ENOENT);
        assert_non_null(strstr(err.message, "'/missing' in the guest"));
        assert_int_equal(guest_put_data(guest, "", 0, "/etc/passwd/x", 0600, &err), -ENOTDIR);
        assert_int_equal(guest_put(guest, "/dev/null", "/x", &err), -EINVAL);
        assert_int_equal(guest_stop(guest, false, NULL), 0);
        assert_int_equal(guest_put_data(guest, "", 0, "/x", 0600, &err), -ESRCH);
        guest_free(guest);
        tree_free(tree);
}

/* Symlinks in the guest, absolute or with .., lead nowhere outside. */
static void test_symlinks_stay_inside(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);
        CLEANUP_FREE char *outside = path_join(tree->dir, "outside"), *script = NULL;
        struct stat st;

        (void)state;
        assert_int_equal(mkdir(outside, 0777), 0);
        script = xasprintf("ln -s %s /abs; ln -s ../../../../../../..%s /up; ln -s /proc/self/root /magic; mkdir -p %s",
                           outside, outside, outside);
        free(tree_sh(guest, script, 0));
        assert_int_equal(guest_put_data(guest, "1", 1, "/abs/one", 0644, NULL), 0);
        assert_int_equal(guest_put_data(guest, "2", 1, "/up/two", 0644, NULL), 0);
        assert_true(guest_put_data(guest, "3", 1, "/magic/three", 0644, NULL) < 0);
        assert_int_equal(guest_put_data(guest, "4", 1, "/../../four", 0644, NULL), 0);
        assert_int_equal(rmdir(outside), 0); /* still empty */
        assert_int_equal(guest_stat(guest, "/abs/one", &st, NULL), 0);
        assert_int_equal(guest_stat(guest, "/four", &st, NULL), 0);
        tree_expect(guest, "chown 33:44 /four", "");
        assert_int_equal(guest_stat(guest, "/four", &st, NULL), 0);
        assert_int_equal(st.st_uid, 33); /* as the guest counts */
        tree_stop(guest);
        tree_free(tree);
}

/* Uploaded beneath a mount of the guest, it is there and not in the image. */
static void test_into_a_mount(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);

        (void)state;
        free(tree_sh(guest, "mkdir /m; mount -t tmpfs tmpfs /m", 0));
        assert_int_equal(guest_put_data(guest, "m\n", 2, "/m/file", 0644, NULL), 0);
        tree_expect(guest, "cat /m/file", "m\n");
        tree_stop(guest);
        tree_upper_is(tree, "m/file", "-");
        tree_free(tree);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_put_and_get),
                cmocka_unit_test(test_errors),
                cmocka_unit_test(test_symlinks_stay_inside),
                cmocka_unit_test(test_into_a_mount),
        };
        int r;

        ns = userns_or_skip();
        r = cmocka_run_group_tests(tests, NULL, NULL);
        userns_free(ns);
        return r;
}
