/* Functions of files and templates, and of the environment. */
#include "functest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char folder[] = "/tmp/slipway-func-XXXXXX";

static void write_bytes(const char *name, const char *text, size_t n)
{
        CLEANUP_FREE char *path = path_join(folder, name);

        assert_int_equal(file_write(path, text, n, 0644, NULL), 0);
}

static void write_text(const char *name, const char *text)
{
        write_bytes(name, text, strlen(text));
}

static int setup(void **state)
{
        static const char *const empty[] = {"d/a.txt", "d/.hid", "d/x.TXT", "d/e/b.txt", "d/e/f/c.md"};
        CLEANUP_FREE char *deep = NULL, *loop = NULL, *pipe = NULL, *nowhere = NULL;

        (void)state;
        assert_non_null(mkdtemp(folder));
        deep = path_join(folder, "d/e/f");
        loop = path_join(folder, "d/e/up");
        nowhere = path_join(folder, "d/dangling");
        pipe = path_join(folder, "pipe");
        assert_int_equal(dir_make(deep, 0755, NULL), 0);
        assert_int_equal(symlink("..", loop), 0);
        assert_int_equal(symlink("nowhere", nowhere), 0);
        assert_int_equal(mkfifo(pipe, 0600), 0);
        for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
                write_text(empty[i], "");
        write_bytes("bad.txt", "\xff\xfe", 2);
        write_text("t.tpl", "Hello ${name}!%{ for x in l } ${x}%{ endfor }\n");
        write_text("number.tpl", "${1 + one}");
        write_text("again.tpl", "${templatefile(\"number.tpl\", {})}");
        write_text("missing.tpl", "\n  ${nope}");
        write_text("syntax.tpl", "${upper(}");
        write_text("error.tpl", "${1 + \"x\"}");
        return chdir(folder);
}

static int teardown(void **state)
{
        (void)state;
        return chdir("/") < 0 ? -1 : tree_remove(folder, NULL);
}

static void test_files(void **state)
{
        static const struct expectation rows[] = {
                {"file(\"number.tpl\")", "${1 + one}"},
                {"file(\"./d/../number.tpl\")", "${1 + one}"},
                {"file(\"nope\")", "Error: argument 'path' of file(): there is no file 'nope'"},
                {"file(\"d\")", "Error: argument 'path' of file(): 'd' is no regular file"},
                {"file(\"pipe\")", "Error: argument 'path' of file(): 'pipe' is no regular file"},
                {"file(\"/dev/zero\")", "Error: argument 'path' of file(): '/dev/zero' is no regular file"},
                {"file(\"bad.txt\")",
                 "Error: argument 'path' of file(): 'bad.txt' is no UTF-8 text; filebase64() reads any file"},
                {"file(\"a\\u0000b\")", "Error: argument 'path' of file(): a path cannot contain a NUL byte"},
                {"file(\"~nobody/x\")", "Error: argument 'path' of file(): \"~nobody/x\": home folders of other users "
                                        "are not expanded; write the whole path"},
                {"filebase64(\"bad.txt\")", "//4="},
                {"filebase64(\"nope\")", "Error: argument 'path' of filebase64(): there is no file 'nope'"},
                {"fileexists(\"bad.txt\")", "true"},
                {"fileexists(\"nope\")", "false"},
                {"fileexists(\"bad.txt/x\")", "false"},
                {"fileexists(\"d\")", "Error: argument 'path' of fileexists(): 'd' is there, but is no regular file"},
                {"basename(\"a/b/\")", "b"},
                {"dirname(\"a/b/c\")", "a/b"},
        };

        (void)state;
        CHECK(rows);
}

/* Relative paths begin in the template's folder; abspath() and filebase64() in the working directory. */
static void test_base_dir(void **state)
{
        const struct hcl_env env = {.base_dir = "d/e"};
        static const struct expectation rows[] = {
                {"fileexists(\"b.txt\")", "true"},
                {"file(\"../../number.tpl\")", "${1 + one}"},
                {"file(\"nope\")", "Error: argument 'path' of file(): there is no file 'd/e/nope'"},
                {"fileset(\"..\", \"*.txt\")", "[ \"a.txt\", ]"},
                {"filebase64(\"bad.txt\")", "//4="},
                {"filebase64(\"b.txt\")", ""},
        };
        CLEANUP_FREE char *here = answer_in("abspath(\"x/../y\")", &env, NULL), *wanted = path_join(folder, "y");

        (void)state;
        check_in(rows, sizeof(rows) / sizeof(rows[0]), &env);
        assert_string_equal(here, wanted);
}

static void test_fileset(void **state)
{
        static const struct expectation rows[] = {
                {"fileset(\"d\", \"*\")", "[ \".hid\", \"a.txt\", \"x.TXT\", ]"},
                {"fileset(\"d\", \"**\")", "[ \".hid\", \"a.txt\", \"e/b.txt\", \"e/f/c.md\", \"x.TXT\", ]"},
                {"fileset(\".\", \"d/**/*.{txt,md}\")", "[ \"d/a.txt\", \"d/e/b.txt\", \"d/e/f/c.md\", ]"},
                {"fileset(\"d\", \"**/f/*\")", "[ \"e/f/c.md\", ]"},
                {"fileset(\"d\", \"e/up/a.txt\")", "[ \"e/up/a.txt\", ]"},
                {"fileset(\"d/e\", \"**/*.txt\")", "[ \"b.txt\", \"up/a.txt\", ]"},
                {"fileset(\"d\", \"[ax].*\")", "[ \"a.txt\", \"x.TXT\", ]"},
                {"fileset(\"d\", \"[^a].*\")", "[ \"x.TXT\", ]"},
                {"fileset(\"d\", \"[!a].*\")", "[ \"a.txt\", ]"},
                {"fileset(\"d\", \"?.txt\")", "[ \"a.txt\", ]"},
                {"fileset(\"d\", \"{a,x}.{txt,TXT}\")", "[ \"a.txt\", \"x.TXT\", ]"},
                {"fileset(\"d\", \"{e/b,a}.txt\")", "[ \"a.txt\", \"e/b.txt\", ]"},
                {"fileset(\"d\", \"a\\\\.txt\")", "[ \"a.txt\", ]"},
                {"fileset(\"d\", \"../bad.txt\")", "[ \"../bad.txt\", ]"},
                {"fileset(\"d\", \"/a.txt\")", "[ \"a.txt\", ]"},
                {"fileset(\"\", \"bad.txt\")", "[ \"bad.txt\", ]"},
                {"fileset(\"d\", \"e\")", "[]"},
                {"fileset(\"nope\", \"**\")", "[]"},
                {"fileset(\"d\", \"{a\")", "Error: argument 'pattern' of fileset(): a { in the pattern is not closed"},
                {"fileset(\"d\", \"[a\")", "Error: argument 'pattern' of fileset(): a [ in the pattern is not closed"},
                {"fileset(\"d\", join(\"\", [for i in range(20) : \"{a,b}\"]))",
                 "Error: argument 'pattern' of fileset(): the pattern stands for more than 4096 patterns"},
                {"fileset(\"d\", \"**/**/**/**/**/**/**/**/**/c.md\")", "[ \"e/f/c.md\", ]"},
        };

        (void)state;
        CHECK(rows);
}

static void test_templatefile(void **state)
{
        static const struct expectation rows[] = {
                {"templatefile(\"t.tpl\", {name = \"World\", l = [1, 2]})", "Hello World! 1 2\n"},
                {"templatefile(\"number.tpl\", {one = 1})", "2"},
                {"templatefile(\"number.tpl\", convert({one = 1}, map(number)))", "2"},
                {"templatefile(\"t.tpl\", {name = \"World\"})",
                 "Error: argument 'vars' of templatefile(): the key \"l\" is missing, which t.tpl uses in line 1, "
                 "column 27"},
                {"templatefile(\"missing.tpl\", {})",
                 "Error: argument 'vars' of templatefile(): the key \"nope\" is missing, which missing.tpl uses in "
                 "line 2, column 5"},
                {"templatefile(\"again.tpl\", {})",
                 "Error: templatefile(): templatefile() cannot be called in a file that it reads"},
                {"templatefile(\"syntax.tpl\", {})", "Error: a value was expected here, not '}'"},
                {"try(templatefile(\"error.tpl\", {}), \"no\")", "no"},
                {"templatefile(\"bad.txt\", {})",
                 "Error: argument 'path' of templatefile(): 'bad.txt' is no UTF-8 text; filebase64() reads any file"},
                {"templatefile(\"t.tpl\", {\"1x\" = 1})",
                 "Error: argument 'vars' of templatefile(): \"1x\" is no name of a variable: it must be a letter, "
                 "followed by letters, digits and underscores"},
                {"templatefile(\"t.tpl\", [])",
                 "Error: argument 'vars' of templatefile(): a map or an object is needed, not tuple"},
        };

        (void)state;
        CHECK(rows);
}

static void test_environment(void **state)
{
        const struct hcl_env env = {.base_dir = ".", .env_allowed = true};
        static const struct expectation rows[] = {
                {"env(\"SLIPWAY_TEST_VALUE\")", "a b"},
                {"env(\"SLIPWAY_TEST_BAD\")",
                 "Error: argument 'key' of env(): the environment's variable SLIPWAY_TEST_BAD is no UTF-8 text"},
                {"env(\"SLIPWAY_TEST_NONE\")", ""},
                {"pathexpand(\"~/x\")", "/home/me/x"},
                {"pathexpand(\"~\")", "/home/me"},
                {"pathexpand(\"a/~\")", "a/~"},
        };

        (void)state;
        setenv("SLIPWAY_TEST_VALUE", "a b", 1);
        setenv("SLIPWAY_TEST_BAD", "\xff", 1);
        setenv("HOME", "/home/me", 1);
        unsetenv("SLIPWAY_TEST_NONE");
        check_in(rows, sizeof(rows) / sizeof(rows[0]), &env);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_files),        cmocka_unit_test(test_base_dir),    cmocka_unit_test(test_fileset),
                cmocka_unit_test(test_templatefile), cmocka_unit_test(test_environment),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
