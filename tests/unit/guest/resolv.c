/* Name servers in the guest, and the image's own resolv.conf afterwards. */
#include "test.h"

#include "guest/resolv.h"
#include "guesttree.h"

static struct userns *ns;

static void test_text(void **state)
{
        CLEANUP_FREE char *block =
                resolv_from("# comment\nnameserver 127.0.0.53\n search\texample.org\noptionsx\nfoo\n");
        CLEANUP_FREE char *more = xasprintf("%snameserver 1.1.1.1\n", block);
        CLEANUP_FREE char *clean = resolv_without_block(more, "nameserver 9.9.9.9\n");
        CLEANUP_FREE char *alone = resolv_without_block(more, NULL);

        (void)state;
        assert_non_null(strstr(block, "\nnameserver 127.0.0.53\nsearch\texample.org\n# slipway: end\n"));
        assert_null(strstr(block, "optionsx"));
        assert_string_equal(clean, "nameserver 9.9.9.9\nnameserver 1.1.1.1\n");
        assert_string_equal(alone, "nameserver 1.1.1.1\n");
        assert_null(resolv_without_block("nameserver 1.1.1.1\n", "x"));
}

/* What the image has. */
enum kind { NONE, OWN, LINK };

static int prepare_image(void *arg, struct error *err)
{
        const struct probe *probe = arg;
        CLEANUP_FREE char *path = path_join(probe->tree->base, "etc/resolv.conf");

        if (str_empty(probe->name))
                return 0;
        if (probe->name[0] == '/')
                return symlink(probe->name, path) < 0 ? error_errno(err, errno, "symlink") : 0;
        return file_write(path, probe->name, strlen(probe->name), 0640, err);
}

/* Run the script in a guest whose image has this resolv.conf; then look at the layer. */
static struct tree *after(enum kind kind, const char *script)
{
        static const char *const contents[] = {"", "nameserver 192.0.2.1\n", "/run/resolved/stub.conf"};
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct probe probe = {.tree = tree, .name = contents[kind]};
        CLEANUP_FREE char *check = xasprintf("grep -q slipway /etc/resolv.conf && %s", script);
        struct guest *guest;

        assert_int_equal(userns_call(ns, prepare_image, &probe, NULL), 0);
        guest = tree_start(tree);
        free(tree_sh(guest, check, 0));
        tree_stop(guest);
        return tree;
}

struct row {
        const char *script;
        const char *name;
        const char *want[3]; /* by kind */
};

static const struct row rows[] = {
        {"true", "etc/resolv.conf", {"-", "-", "-"}},
        {"true", "etc", {"-", "-", "-"}},
        {"chmod 600 /etc/resolv.conf; chown 7:8 /etc/resolv.conf", "etc/resolv.conf", {"-", "-", "-"}},
        {"chmod 644 /etc/resolv.conf", "etc", {"-", "-", "-"}},
        {"rm -f /etc/resolv.conf; echo nameserver 8.8.8.8 > /etc/resolv.conf",
         "etc/resolv.conf",
         {"f:nameserver 8.8.8.8\n", "f:nameserver 8.8.8.8\n", "f:nameserver 8.8.8.8\n"}},
        {"echo nameserver 8.8.8.8 > /etc/resolv.conf",
         "etc/resolv.conf",
         {"f:nameserver 8.8.8.8\n", "f:nameserver 8.8.8.8\n", "f:nameserver 8.8.8.8\n"}},
        {"echo nameserver 8.8.8.8 >> /etc/resolv.conf",
         "etc/resolv.conf",
         {"f:nameserver 8.8.8.8\n", "f:nameserver 192.0.2.1\nnameserver 8.8.8.8\n", "f:nameserver 8.8.8.8\n"}},
        {"mv /etc/resolv.conf /etc/resolv.conf.bk", "etc/resolv.conf", {"-", "w", "w"}},
        {"mv /etc/resolv.conf /etc/resolv.conf.bk",
         "etc/resolv.conf.bk",
         {"-", "f:nameserver 192.0.2.1\n", "l:/run/resolved/stub.conf"}},
        {"mv /etc/resolv.conf /etc/b; mv /etc/b /etc/resolv.conf", "etc/resolv.conf", {"-", "-", "-"}},
        {"cp /etc/resolv.conf /tmp/copy", "tmp/copy", {"-", "f:nameserver 192.0.2.1\n", "l:/run/resolved/stub.conf"}},
        {"rm /etc/resolv.conf", "etc/resolv.conf", {"-", "w", "w"}},
        {"rm /etc/resolv.conf; ln -s ../x /etc/resolv.conf", "etc/resolv.conf", {"l:../x", "l:../x", "l:../x"}},
        {"cp /etc/resolv.conf /etc/resolv.conf.bk; echo a >> /etc/resolv.conf.bk",
         "etc/resolv.conf.bk",
         {"f:a\n", "f:nameserver 192.0.2.1\na\n", "f:a\n"}},
};

static void test_what_provisioners_do(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                for (int kind = NONE; kind <= LINK; kind++) {
                        struct tree *tree = after((enum kind)kind, rows[i].script);

                        fprintf(stderr, "# image %d: %s: %s\n", kind, rows[i].script, rows[i].name);
                        tree_upper_is(tree, rows[i].name, rows[i].want[kind]);
                        tree_free(tree);
                }
}

static int replace_etc(void *arg, struct error *err)
{
        const struct tree *tree = arg;
        CLEANUP_FREE char *etc = path_join(tree->base, "etc");
        int r = tree_remove(etc, err);

        return r < 0 || symlink("usr/etc", etc) == 0 ? r : error_errno(err, errno, "symlink");
}

/* An /etc that is a symlink is left alone. */
static void test_etc_is_a_symlink(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest;

        (void)state;
        assert_int_equal(userns_call(ns, replace_etc, tree, NULL), 0);
        guest = tree_start(tree);
        tree_expect(guest, "readlink /etc", "usr/etc\n");
        tree_stop(guest);
        tree_upper_is(tree, "etc", "-");
        tree_free(tree);
}

/* What is written beside it keeps the attributes of the image's /etc. */
static void test_folder_is_the_images(void **state)
{
        struct tree *tree = tree_new(ns, "/usr/bin/busybox");
        struct guest *guest = tree_start(tree);

        (void)state;
        tree_expect(guest, "stat -c '%a %u:%g' /etc; chown 5:6 /etc; chmod 750 /etc; echo x > /etc/x", "755 0:0\n");
        tree_stop(guest);
        guest = tree_start(tree);
        tree_expect(guest, "stat -c '%a %u:%g' /etc; cat /etc/x", "750 5:6\nx\n");
        tree_stop(guest);
        tree_upper_is(tree, "etc/x", "f:x\n");
        tree_upper_is(tree, "etc/resolv.conf", "-");
        tree_free(tree);
}

/* A second provisioner on the first one's layer: name servers again, its change stays. */
static void test_next_layer(void **state)
{
        struct tree *tree = after(OWN, "echo nameserver 8.8.8.8 > /etc/resolv.conf");
        CLEANUP_FREE char *first = path_join(tree->dir, "first");
        const char *lowers[] = {tree->base, first, NULL};
        struct guest *guest;

        (void)state;
        assert_int_equal(rename(tree->upper, first), 0);
        assert_int_equal(mkdir(tree->upper, 0755), 0);
        guest = tree_start_with(tree, (struct guest_config){.lowers = lowers});
        tree_expect(guest, "grep -c slipway /etc/resolv.conf; mv /etc/resolv.conf /etc/r", "2\n");
        tree_stop(guest);
        tree_upper_is(tree, "etc/r", "f:nameserver 8.8.8.8\n");
        tree_free(tree);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_what_provisioners_do),
                cmocka_unit_test(test_etc_is_a_symlink),
                cmocka_unit_test(test_folder_is_the_images),
                cmocka_unit_test(test_next_layer),
        };
        int r;

        ns = userns_or_skip();
        r = cmocka_run_group_tests(tests, NULL, NULL);
        userns_free(ns);
        return r;
}
