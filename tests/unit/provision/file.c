/* file: every key and every error, in a real guest. */
#include "fixture.h"

#include <sys/wait.h>

static void make_tree(struct fixture *f)
{
        CLEANUP_FREE char *link = path_join(f->files, "tree/link"), *sub = path_join(f->files, "tree/sub");

        fixture_file(f, "tree/a", "a\n", 0640);
        fixture_file(f, "tree/sub/b", "b\n", 0755);
        assert_int_equal(symlink("sub/b", link), 0);
        assert_int_equal(chmod(sub, 0750), 0);
}

static void test_content(void **state)
{
        struct fixture *f = *state;

        assert_runs(f, "file", "{\"content\": \"hello {{user `name`}}\\n\", \"destination\": \"/etc/new/motd\"}");
        assert_guest_file(f, "/etc/new/motd", "hello value\n");
        assert_int_equal(fixture_mode(f, "/etc/new/motd"), S_IFREG | 0644);
        assert_runs(f, "file", "{\"content\": \"\", \"destination\": \"empty\"}");
        assert_guest_file(f, "/empty", "");
        assert_fails(f, "file", "{\"content\": \"x\", \"destination\": \"/etc\"}", "'/etc' is a folder in the guest");
}

static void test_one_file(void **state)
{
        struct fixture *f = *state;

        fixture_file(f, "resizerootfs", "#!/bin/sh\n", 0755);
        assert_runs(f, "file", "{\"source\": \"%s/resizerootfs\", \"destination\": \"/tmp\"}");
        assert_guest_file(f, "/tmp/resizerootfs", "#!/bin/sh\n");
        assert_int_equal(fixture_mode(f, "/tmp/resizerootfs"), S_IFREG | 0755);
        assert_shows(f, "resizerootfs => /tmp\n");
        assert_runs(f, "file", "{\"source\": \"%s/resizerootfs\", \"destination\": \"/opt/\"}");
        assert_guest_file(f, "/opt/resizerootfs", "#!/bin/sh\n");
        assert_runs(f, "file", "{\"source\": \"%s/resizerootfs\", \"destination\": \"/opt/other\"}");
        assert_guest_file(f, "/opt/other", "#!/bin/sh\n");
        fixture_file(f, "resizerootfs", "new\n", 0600);
        assert_runs(f, "file", "{\"source\": \"%s/resizerootfs\", \"destination\": \"/opt/other\"}");
        assert_guest_file(f, "/opt/other", "new\n");
        assert_int_equal(fixture_mode(f, "/opt/other"), S_IFREG | 0600);
        assert_runs(f, "shell", "{\"inline\": [\"mkdir /etc/other; id -u >/uid; stat -c %u:%g /opt/other >/owner\"]}");
        assert_guest_file(f, "/owner", "0:0\n");
        assert_fails(f, "shell", "{\"inline\": [\"test -d /opt/other\"]}", "exit code 1");
        assert_fails(f, "file", "{\"source\": \"%s/resizerootfs\", \"destination\": \"/opt/other/x\"}", "/opt/other");
}

static void test_sources(void **state)
{
        struct fixture *f = *state;

        fixture_file(f, "one", "1\n", 0644);
        fixture_file(f, "two", "2\n", 0644);
        make_tree(f);
        assert_runs(f, "file", "{\"sources\": [\"%s/one\", \"%s/two\", \"%s/tree\"], \"destination\": \"/opt/many/\"}");
        assert_guest_file(f, "/opt/many/one", "1\n");
        assert_guest_file(f, "/opt/many/two", "2\n");
        assert_guest_file(f, "/opt/many/tree/sub/b", "b\n");
        assert_runs(f, "file", "{\"sources\": [\"%s/one\", \"%s/two\"], \"destination\": \"/opt/few\"}");
        assert_guest_file(f, "/opt/few/two", "2\n");
}

static void test_folders(void **state)
{
        struct fixture *f = *state;

        make_tree(f);
        assert_runs(f, "file", "{\"source\": \"%s/tree\", \"destination\": \"/tmp\"}"); /* the folder itself */
        assert_guest_file(f, "/tmp/tree/a", "a\n");
        assert_int_equal(fixture_mode(f, "/tmp/tree/a"), S_IFREG | 0640);
        assert_int_equal(fixture_mode(f, "/tmp/tree/sub"), S_IFDIR | 0750);
        assert_int_equal(fixture_mode(f, "/tmp/tree/sub/b"), S_IFREG | 0755);
        assert_runs(f, "shell", "{\"inline\": [\"test -L /tmp/tree/link && cat /tmp/tree/link >/link\"]}");
        assert_guest_file(f, "/link", "b\n");
        assert_runs(f, "file", "{\"source\": \"%s/tree/\", \"destination\": \"/opt/contents\"}"); /* what is in it */
        assert_guest_file(f, "/opt/contents/sub/b", "b\n");
        assert_runs(f, "file", "{\"source\": \"%s/tree\", \"destination\": \"/opt/copy\"}"); /* a new name for it */
        assert_guest_file(f, "/opt/copy/sub/b", "b\n");
        assert_runs(f, "file", "{\"source\": \"%s/tree\", \"destination\": \"/opt/in/\"}");
        assert_guest_file(f, "/opt/in/tree/sub/b", "b\n");
        assert_fails(f, "file", "{\"source\": \"%s/tree\", \"destination\": \"/etc/passwd\"}", "/etc/passwd");
}

/* What is in a folder goes over a whole system: its own folders keep mode and owner, symlinks to folders stay. */
static void test_merge(void **state)
{
        struct fixture *f = *state;
        CLEANUP_FREE char *root = path_join(f->files, "root"), *home = path_join(f->files, "root/home");

        assert_runs(
                f, "shell",
                "{\"inline\": [\"mkdir -p /usr/lib; echo x >/usr/lib/there\", \"mkdir /home/me; chown 50:50 /home/me\","
                " \"chmod 750 /home/me\", \"busybox ln -s usr/lib /lib\"]}");
        fixture_file(f, "root/home/me/.profile", "p\n", 0644);
        fixture_file(f, "root/lib/new", "n\n", 0644);
        assert_int_equal(chmod(root, 0700), 0);
        assert_int_equal(chmod(home, 0700), 0);
        assert_runs(f, "file", "{\"source\": \"%s/root/\", \"destination\": \"/\"}");
        assert_runs(f, "shell",
                    "{\"inline\": [\"stat -c %a:%u:%g / /home /home/me /home/me/.profile >/modes\", "
                    "\"test -L /lib && cat /usr/lib/there /usr/lib/new >/lib.list\"]}");
        assert_guest_file(f, "/modes", "755:0:0\n755:0:0\n750:50:50\n644:0:0\n");
        assert_guest_file(f, "/lib.list", "x\nn\n");
}

static char *host_text(struct fixture *f, const char *name)
{
        CLEANUP_FREE char *path = path_join(f->files, name);
        char *text = NULL;

        if (file_read(path, 0, &text, NULL, NULL) < 0)
                return xstrdup("(missing)");
        return text;
}

static void assert_host_file(struct fixture *f, const char *name, const char *want)
{
        CLEANUP_FREE char *text = host_text(f, name);

        assert_string_equal(text, want);
}

static void test_download(void **state)
{
        struct fixture *f = *state;

        assert_runs(
                f, "shell",
                "{\"inline\": [\"mkdir -p /var/log/sub\", \"echo 1 >/var/log/one\", \"echo 2 >/var/log/sub/two\"]}");
        assert_runs(f, "file",
                    "{\"direction\": \"download\", \"source\": \"/var/log/one\", \"destination\": \"%s/new/got\"}");
        assert_host_file(f, "new/got", "1\n");
        assert_runs(f, "file",
                    "{\"direction\": \"Download\", \"source\": \"/var/log/one\", \"destination\": \"%s/new/\"}");
        assert_host_file(f, "new/one", "1\n");
        assert_shows(f, "Downloading /var/log/one => ");
        assert_runs(f, "file",
                    "{\"direction\": \"download\", \"source\": \"/var/log/\", \"destination\": \"%s/logs\"}");
        assert_host_file(f, "logs/sub/two", "2\n");
        assert_runs(f, "file",
                    "{\"direction\": \"download\", \"sources\": [\"/var/log\", \"/etc/passwd\"], "
                    "\"destination\": \"%s/all/\"}");
        assert_host_file(f, "all/log/sub/two", "2\n");
        assert_host_file(f, "all/passwd", "root:x:0:0::/root:/bin/sh\n");
        assert_fails(f, "file", "{\"direction\": \"download\", \"source\": \"/none\", \"destination\": \"%s/x\"}",
                     "the guest has no '/none'");
        assert_fails(f, "file",
                     "{\"direction\": \"download\", \"source\": \"/etc/passwd/\", \"destination\": \"%s/x\"}",
                     "'/etc/passwd/'");
}

static void test_generated(void **state)
{
        struct fixture *f = *state;

        assert_fails(f, "file", "{\"source\": \"%s/later\", \"destination\": \"/later\", \"generated\": true}",
                     "later': No such file");
        fixture_file(f, "later", "now\n", 0644);
        assert_runs(f, "file", "{\"source\": \"%s/later\", \"destination\": \"/later\", \"generated\": true}");
        assert_guest_file(f, "/later", "now\n");
}

static void test_refused(void **state)
{
        struct fixture *f = *state;

        fixture_file(f, "one", "1\n", 0644);
        assert_check_refuses(f, "file", "{\"destination\": \"/x\"}", "expected one of content, source, sources");
        assert_check_refuses(f, "file", "{\"content\": \"x\"}", "needs the key 'destination'");
        assert_check_refuses(f, "file", "{\"content\": \"x\", \"destination\": \"\"}", "destination is empty");
        assert_check_refuses(f, "file", "{\"content\": \"x\", \"destination\": \"/x/\"}", "needs the name of a file");
        assert_check_refuses(f, "file", "{\"content\": \"x\", \"source\": \"%s/one\", \"destination\": \"/x\"}",
                             "one of the two");
        assert_check_refuses(f, "file", "{\"source\": \"%s/none\", \"destination\": \"/x\"}", "No such file");
        assert_check_refuses(f, "file", "{\"sources\": [\"%s/one/\"], \"destination\": \"/x\"}", "one/'");
        assert_check_refuses(f, "file", "{\"sources\": [\"\"], \"destination\": \"/x\"}", "empty");
        assert_check_refuses(f, "file", "{\"source\": \"%s/one\", \"destination\": \"/x\", \"direction\": \"up\"}",
                             "'direction' cannot be \"up\"");
        assert_check_refuses(f, "file", "{\"source\": \"/l/*\", \"destination\": \"x\", \"direction\": \"download\"}",
                             "wildcards");
        assert_check_refuses(f, "file", "{\"content\": \"x\", \"destination\": \"x\", \"direction\": \"download\"}",
                             "cannot be downloaded");
}

/* The key of a config's inputs. */
static char *key_of(struct fixture *f, const char *name, const char *json)
{
        const struct provisioner_type *type = fixture_type(name);
        CLEANUP_FREE char *full = fixture_json(f, json);
        CLEANUP_KEY struct key key = {0};
        CLEANUP_STEP struct step step = {0};
        CLEANUP_ERROR struct error err = {0};
        char hex[DIGEST_HEX_MAX];

        assert_reads(&step, type->schema, type->check, full);
        if (type->inputs(step.config, &key, &err) < 0)
                return xstrdup(error_message(&err));
        key_final(&key, hex);
        return xstrdup(hex);
}

#define TREE "{\"source\": \"%s/tree\", \"destination\": \"/x\"}"

static void assert_key(struct fixture *f, char **last, bool same)
{
        char *key = key_of(f, "file", TREE);

        assert_int_equal(strlen(key), 64);
        if (str_eq(key, *last) != same)
                fail_msg("the key is %s; expected %s", str_eq(key, *last) ? "the same" : "another",
                         same ? "the same" : "another");
        free(*last);
        *last = key;
}

static void test_inputs(void **state)
{
        struct fixture *f = *state;
        CLEANUP_FREE char *key = NULL, *link = path_join(f->files, "tree/link"), *a = path_join(f->files, "tree/a"),
                          *moved = path_join(f->files, "tree/aa"), *tree = path_join(f->files, "tree"), *other = NULL;

        make_tree(f);
        assert_key(f, &key, false);
        assert_key(f, &key, true);
        fixture_file(f, "tree/a", "a\n", 0640); /* another time and inode, the same bytes */
        assert_key(f, &key, true);
        fixture_file(f, "tree/a", "A\n", 0640);
        assert_key(f, &key, false);
        assert_int_equal(chmod(a, 0600), 0);
        assert_key(f, &key, false);
        assert_int_equal(rename(a, moved), 0);
        assert_key(f, &key, false);
        assert_int_equal(unlink(link), 0);
        assert_int_equal(symlink("elsewhere", link), 0);
        assert_key(f, &key, false);
        assert_int_equal(chmod(tree, 0700), 0);
        assert_key(f, &key, false);
        other = key_of(f, "file", "{\"source\": \"%s/gone\", \"destination\": \"/x\", \"generated\": true}");
        assert_non_null(strstr(other, "gone'"));
        free(other);
        fixture_file(f, "script", "one\n", 0644);
        free(key);
        key = key_of(f, "shell", "{\"script\": \"%s/script\"}");
        fixture_file(f, "script", "two\n", 0644);
        other = key_of(f, "shell", "{\"script\": \"%s/script\"}");
        assert_string_not_equal(key, other);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_content, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_one_file, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_sources, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_folders, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_merge, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_download, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_generated, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_refused, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_inputs, fixture_setup, fixture_teardown),
        };
        int skip = fixture_main_skip();

        return skip ? skip : cmocka_run_group_tests(tests, NULL, NULL);
}
