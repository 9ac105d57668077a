/* Stand-alone executables as provisioners, in a real guest; the bundled example among them. */
#include "fixture.h"

static struct fixture *with_plugin(void **state, const char *name, const char *body)
{
        struct fixture *f = *state;
        CLEANUP_FREE char *file = xasprintf("slipway-provisioner-%s", name), *text = xasprintf("#!/bin/sh\n%s\n", body);

        setenv("SLIPWAY_PLUGIN_PATH", f->files, 1);
        fixture_file(f, file, text, 0755);
        return f;
}

#define DESCRIBE(more) "case $1 in describe) echo '{\"version\": 1" more "}';; run) "

static void test_steps(void **state)
{
        struct fixture *f = with_plugin(state, "steps",
                                        DESCRIBE(", \"keys\": {\"text\": {\"type\": \"string\", \"required\": "
                                                 "true}}") "in=$(cat); echo 'working' >&2\n"
                                                           "case $in in "
                                                           "*'\"text\":\"hello\"'*'\"build_name\":\"pi\"'*) ;; *) "
                                                           "echo \"$in\" >&2; exit 1;; esac\n"
                                                           "cat <<EOF\n"
                                                           "{\"steps\": [{\"shell\": \"echo \\$A >/shell; echo "
                                                           "from the guest\", \"env\": {\"A\": \"b c\"}},\n"
                                                           " {\"put\": {\"path\": \"/etc/x/put\", \"content\": "
                                                           "\"text\\n\", \"mode\": \"0600\"}},\n"
                                                           " {\"put\": {\"path\": \"/source\", \"source\": "
                                                           "\"$0\"}},\n"
                                                           " {\"run\": [\"/bin/mkdir\", \"/made here\"]},\n"
                                                           " {\"run\": [\"touch\", \"/removed\"]}, {\"remove\": "
                                                           "\"/removed\"}, {\"remove\": \"/not/there\"}]}\n"
                                                           "EOF\n"
                                                           ";; *) exit 2;; esac");

        assert_runs(f, "steps", "{\"text\": \"hello\"}");
        assert_guest_file(f, "/shell", "b c\n");
        assert_guest_file(f, "/etc/x/put", "text\n");
        assert_int_equal(fixture_mode(f, "/etc/x/put"), S_IFREG | 0600);
        assert_int_equal(fixture_mode(f, "/source"), S_IFREG | 0755);
        assert_int_equal(fixture_mode(f, "/made here") & S_IFMT, S_IFDIR);
        assert_guest_file(f, "/removed", NULL);
        assert_shows(f, "==> test: working\n");
        assert_shows(f, "==> test: from the guest\n");
        assert_fails(f, "steps", "{\"text\": \"other\"}", "\"text\":\"other\"");
}

static void fails(void **state, const char *name, const char *answer, const char *want)
{
        CLEANUP_FREE char *body = xasprintf("case $1 in describe) echo '{\"version\": 1}';; run) echo '%s';; "
                                            "*) exit 2;; esac",
                                            answer);
        struct fixture *f = with_plugin(state, name, body);

        assert_fails(f, name, "{}", want);
        assert_true(strstr(f->why, name) != NULL); /* says who */
        assert_guest_file(f, "/before", NULL);
}

static void test_bad_steps(void **state)
{
        static const char *const cases[][2] = {
                {"rubbish", "did not answer with one JSON object"},
                {"{\"steps\": {}}", "no list"},
                {"{\"steps\": [{\"shell\": \"echo >/before\"}, {}]}", "step 2, {}: expected an object"},
                {"{\"steps\": [{\"shell\": \"echo >/before\"}, {\"shell\": 1}]}", "expected text"},
                {"{\"steps\": [{\"run\": \"ls\"}]}", "list of words"},
                {"{\"steps\": [{\"run\": [1]}]}", "each of them text"},
                {"{\"steps\": [{\"run\": [\"ls\"], \"shell\": \"ls\"}]}", "several kinds"},
                {"{\"steps\": [{\"remove\": \"x\"}]}", "absolute path"},
                {"{\"steps\": [{\"put\": {\"path\": \"/x\"}}]}", "one of"},
                {"{\"steps\": [{\"put\": {\"path\": \"x\", \"content\": \"\"}}]}", "absolute path"},
                {"{\"steps\": [{\"put\": {\"path\": \"/x\", \"content\": \"\", \"mode\": \"9\"}}]}", "octal"},
                {"{\"steps\": [{\"put\": {\"path\": \"/x\", \"source\": \"/y\", \"mode\": \"0644\"}}]}",
                 "keeps its own"},
                {"{\"steps\": [{\"put\": {\"path\": \"/x\", \"source\": \"/no/such\"}}]}", "No such file"},
                {"{\"steps\": [{\"shell\": \"echo the reason; exit 5\"}]}", "exit code 5"},
                {"{\"steps\": [{\"run\": [\"no-such-program\"]}]}", "no-such-program"},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                CLEANUP_FREE char *name = xasprintf("bad%zu", i);

                fails(state, name, cases[i][0], cases[i][1]);
        }
}

static void test_root(void **state)
{
        struct fixture *f =
                with_plugin(state, "root",
                            DESCRIBE(", \"guest\": \"root\"") "root=$(sed 's/.*\"root\":\"\\([^\"]*\\)\".*/\\1/'); "
                                                              "echo text >\"$root/by-hand\"\n"
                                                              "chown 12:34 \"$root/by-hand\"; chroot \"$root\" /bin/sh "
                                                              "-c 'stat -c %u:%g /by-hand >/owner'\n"
                                                              ";; *) exit 2;; esac");

        assert_runs(f, "root", "{}");
        assert_guest_file(f, "/by-hand", "text\n");
        assert_guest_file(f, "/owner", "12:34\n");
}

static void test_inputs(void **state)
{
        struct fixture *f = with_plugin(state, "inputs",
                                        "case $1 in describe) echo '{\"version\": 1}';; inputs) echo "
                                        "\"{\\\"files\\\": [\\\"$(dirname $0)/data\\\"]}\";; *) exit 2;; esac");
        const struct provisioner_type *type = fixture_type("inputs");
        CLEANUP_STEP struct step step = {0};
        CLEANUP_ERROR struct error err = {0};
        char hex[2][DIGEST_HEX_MAX];

        assert_reads(&step, type->schema, type->check, "{}");
        for (int i = 0; i < 2; i++) {
                CLEANUP_KEY struct key key = {0};

                fixture_file(f, "data", i ? "1" : "0", 0644);
                assert_int_equal(type->inputs(step.config, &key, NULL), 0);
                key_final(&key, hex[i]);
        }
        assert_string_not_equal(hex[0], hex[1]);
        with_plugin(state, "gone",
                    "case $1 in describe) echo '{\"version\": 1}';; inputs) echo "
                    "'{\"files\": [\"/no/such\"]}';; *) exit 2;; esac");
        type = fixture_type("gone");
        assert_reads(&step, type->schema, type->check, "{}");
        {
                CLEANUP_KEY struct key key = {0};

                assert_int_equal(type->inputs(step.config, &key, &err), -ENOENT);
                assert_non_null(strstr(error_message(&err), "slipway-provisioner-gone"));
        }
}

/* The host's own useradd and usermod with their libraries, over the base. */
static int with_shadow(void **state)
{
        static const char script[] =
                "for tool in useradd usermod; do path=/usr/sbin/$tool; cp --parents \"$path\" \"$1\"; "
                "ldd \"$path\" | grep -o '/[^ ]*' | while read -r lib; do "
                "cp -L --parents \"$lib\" \"$1\"; done; done";
        struct fixture *f;
        int r = fixture_setup(state);
        const char *argv[] = {"sh", "-c", script, "sh", NULL, NULL};

        if (r < 0)
                return r;
        f = *state;
        argv[4] = f->base;
        r = spawn_check(&(struct spawn){.argv = argv}, NULL);
        if (r == 0)
                fixture_start(f);
        return r;
}

static void test_example(void **state)
{
        struct fixture *f = *state;

        setenv("SLIPWAY_PLUGIN_PATH", EXAMPLES, 1);
        fixture_file(f, "key.pub", "ssh-ed25519 AAAA me\n\n", 0644);
        assert_runs(f, "users",
                    "{\"users\": {\"alice\": {\"groups\": [\"staff\"], \"ssh_key_files\": [\"%s/key.pub\"], "
                    "\"ssh_keys\": [\"ssh-rsa BBBB it's me\"]}, \"root\": {}}}");
        assert_guest_file(f, "/home/alice/.ssh/authorized_keys", "ssh-rsa BBBB it's me\nssh-ed25519 AAAA me\n");
        assert_int_equal(fixture_mode(f, "/home/alice/.ssh"), S_IFDIR | 0700);
        assert_runs(f, "shell", "{\"inline\": [\"id -Gn alice | grep staff; stat -c %U /home/alice/.ssh/* >/owner\"]}");
        assert_guest_file(f, "/owner", "alice\n");
        assert_shows(f, "staff");
        assert_check_refuses(f, "users", "{\"users\": {\"A b\": {}, \"x\": {\"group\": 1}}}", "'A b' is no name");
        assert_check_refuses(f, "users", "{\"users\": {\"x\": {\"group\": 1}}}", "unknown key 'group'");
        assert_check_refuses(f, "users", "{\"users\": [1]}", "expected an object of users");
        assert_check_refuses(f, "users", "{}", "the users provisioner needs the key 'users'");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_steps, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_bad_steps, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_root, fixture_setup_guest, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_inputs, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_example, with_shadow, fixture_teardown),
        };
        int skip = fixture_main_skip();

        return skip ? skip : cmocka_run_group_tests(tests, NULL, NULL);
}
