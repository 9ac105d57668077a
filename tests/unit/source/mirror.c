#include "helper.h"

#include "source/mirror.h"

static const char *const components[] = {"main", "contrib", NULL};

static void assert_lines(const char *suite, const char *expected)
{
        CLEANUP(mirror_clear) struct mirror mirror = {0};
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *lines = NULL;

        if (mirror_find("apt", suite, components, &mirror, &err) < 0)
                fail_msg("%s", error_message(&err));
        lines = strv_join(STRV(mirror.lines), "\n");
        assert_string_equal(lines, expected);
}

static int each(void **state)
{
        (void)state;
        sh("rm -rf apt; mkdir -p apt/sources.list.d");
        return 0;
}

static void test_deb822(void **state)
{
        (void)state;
        sh("cat > apt/sources.list.d/debian.sources <<'E'\n"
           "Types: deb deb-src\n# a comment\nURIs: http://mirror.example/debian\nSuites: bookworm\n bookworm-updates\n"
           "Components: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n"
           "Types: deb\nURIs: http://mirror.example/debian-security\nSuites: bookworm-security\nComponents: main\nE\n"
           "cat > apt/sources.list.d/a.sources <<'E'\n"
           "Types: deb\nURIs: https://node.example/node\nSuites: nodistro\nComponents: main\nSigned-By: /k.gpg\nE\n");
        assert_lines("bookworm", "deb http://mirror.example/debian bookworm main contrib\n"
                                 "deb http://mirror.example/debian bookworm-updates main contrib\n"
                                 "deb http://mirror.example/debian-security bookworm-security main contrib");
        assert_lines("trixie", "deb http://mirror.example/debian trixie main contrib");
}

static void test_one_line(void **state)
{
        (void)state;
        sh("cat > apt/sources.list <<'E'\n"
           "# deb http://commented.example/debian bookworm main\n"
           "deb [arch=amd64 signed-by=/k.gpg] https://docker.example/linux/debian bookworm stable\n"
           "deb cdrom:[Debian]/ bookworm main\n"
           "deb-src http://source.example/debian bookworm main\n"
           "deb [ arch=amd64 ] http://ftp.example/debian/ bookworm main non-free # the mirror\n"
           "deb http://security.example/debian-security bookworm-security main\nE");
        assert_lines("bookworm", "deb http://ftp.example/debian/ bookworm main contrib\n"
                                 "deb http://security.example/debian-security bookworm-security main contrib");
}

/* A company's mirror with another name, by its suite. */
static void test_odd_name(void **state)
{
        (void)state;
        sh("echo 'deb http://mirror.example/os/bookworm-frozen bookworm main' > apt/sources.list.d/x.list\n"
           "echo 'deb http://other.example/debian bookworm main' > apt/sources.list.d/y.disabled");
        assert_lines("bookworm", "deb http://mirror.example/os/bookworm-frozen bookworm main contrib");
}

static void test_none(void **state)
{
        CLEANUP(mirror_clear) struct mirror mirror = {0};
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        sh("printf 'Types: deb\\nURIs: http://off.example/debian\\nSuites: bookworm\\nComponents: main\\nEnabled: "
           "no\\n' "
           "> apt/sources.list.d/off.sources");
        assert_int_equal(mirror_find("apt", "bookworm", components, &mirror, &err), -ENOENT);
        assert_contains(error_message(&err), "set `mirror`");
        assert_int_equal(mirror_find("nowhere", "bookworm", components, &mirror, &err), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_deb822, each),
                cmocka_unit_test_setup(test_one_line, each),
                cmocka_unit_test_setup(test_odd_name, each),
                cmocka_unit_test_setup(test_none, each),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
