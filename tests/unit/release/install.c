/* Installing, using, verifying and removing; and all that must not happen. */
#include "helper.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/digest.h"
#include "release/profile.h"
#include "release/release_internal.h"

static struct release_place place = {.root = "", .prefix = NULL};

/* tool-VERSION.tar.gz with a program that says VERSION. */
static void make_archive(const char *version)
{
        CLEANUP_FREE char *script = xasprintf(
                "v=%s; rm -rf pack; mkdir -p pack/tool/bin pack/tool/share/empty; printf '#!/bin/sh\\necho tool "
                "%%s\\n' $v "
                ">pack/tool/bin/tool; chmod 6755 pack/tool/bin/tool; echo data >pack/tool/share/data; chmod 666 "
                "pack/tool/share/data; ln -s bin/tool pack/tool/link; ln pack/tool/share/data pack/tool/share/hard; "
                "tar -C pack --owner=1234 --group=1234 -czf tool-$v.tar.gz tool",
                version);

        sh(script);
}

static struct release release_of(const char *version)
{
        struct release release = {
                .name = xstrdup("tool"),
                .version = xstrdup(version),
                .selector = xstrdup(version),
                .machine = xstrdup(release_host_machine()),
                .url = xasprintf("%s/tool-%s.tar.gz", dir, version),
                .strip = 1,
                .expect = xasprintf("tool %s", version),
        };

        strv_add(&release.bin, "bin");
        strv_add(&release.env, "TOOL_HOME=${dir}/share");
        strv_add(&release.validate, "bin/tool");
        return release;
}

static int install(const struct release *release, const struct release_options *options, bool *ret_there,
                   struct error *err)
{
        CLEANUP_FREE char *name = xasprintf("tool-%s.tar.gz", release->version);
        CLEANUP(release_archive_clear)
        struct release_archive archive = {.fd = open(path_name(release->url), O_RDONLY | O_CLOEXEC),
                                          .name = xstrdup(name)};

        char hex[DIGEST_HEX_MAX];

        assert_true(archive.fd >= 0);
        assert_int_equal(digest_file("sha256", path_name(release->url), hex, NULL), 0);
        memcpy(archive.sha256, hex, sizeof(archive.sha256));
        return release_install(release, &archive, &place, options, ret_there, err);
}

static int install_version(const char *version, bool force, struct error *err)
{
        CLEANUP(release_clear) struct release release = release_of(version);

        return install(&release, &(struct release_options){.force = force, .validate = true}, NULL, err);
}

static void assert_in_use(const char *version)
{
        CLEANUP_FREE char *script = xasprintf("[ \"$(p/tool/bin/tool)\" = 'tool %s' ]", version);

        sh(script);
}

static void assert_clean(void)
{
        sh("! ls p/.slipway-release | grep stage-");
}

static int setup(void **state)
{
        if (scratch_setup(state) < 0)
                return -1;
        place.prefix = xasprintf("%s/p", dir);
        make_archive("1.0");
        make_archive("2.0");
        return 0;
}

static int teardown(void **state)
{
        free((char *)place.prefix);
        return scratch_teardown(state);
}

static void test_install(void **state)
{
        CLEANUP(release_clear) struct release release = release_of("1.0");
        bool there = true;

        (void)state;
        assert_int_equal(install(&release, &(struct release_options){.validate = true}, &there, NULL), 0);
        assert_false(there);
        assert_in_use("1.0");
        assert_clean();
        /* nobody's ids, no set-id bits, nothing that others may write */
        sh("[ $(stat -c %a:%u p/tool-1.0/bin/tool) = 755:$(id -u) ]; [ $(stat -c %a p/tool-1.0/share/data) = 644 ]");
        sh("[ $(readlink p/tool) = tool-1.0 ]; [ $(readlink p/tool/link) = bin/tool ]");
        sh(". p/.slipway-release/tool.sh; [ $(command -v tool) = $PWD/p/tool/bin/tool ]; [ $TOOL_HOME = "
           "$PWD/p/tool/share ]");
        sh(". p/.slipway-release/tool.sh; first=$PATH; . p/.slipway-release/tool.sh; [ $PATH = $first ]");
        assert_int_equal(install(&release, &(struct release_options){0}, &there, NULL), 0);
        assert_true(there);
}

static void test_side_by_side(void **state)
{
        CLEANUP(release_list_clear) struct release_list list = {0};

        (void)state;
        assert_int_equal(install_version("2.0", false, NULL), 0);
        assert_in_use("2.0");
        assert_int_equal(release_list(&place, &list, NULL), 0);
        assert_int_equal(list.list.n, 2);
        assert_string_equal(list.list.v[0].version, "2.0");
        assert_true(list.list.v[0].in_use);
        assert_false(list.list.v[1].in_use);
        assert_ptr_equal(release_list_find(&list, "tool", NULL), &list.list.v[0]);
        assert_ptr_equal(release_list_find(&list, "tool", "< 2"), &list.list.v[1]);
        assert_null(release_list_find(&list, "tool", "3.0"));
        assert_null(release_list_find(&list, "other", NULL));
        assert_int_equal(release_use(&place, &list.list.v[1], false, NULL), 0);
        assert_in_use("1.0");
}

static void count(void *arg, const char *what, const char *path)
{
        struct str *out = arg;

        str_addf(out, "%s %s;", what, path);
}

static int verify(const char *version, struct str *out)
{
        CLEANUP(release_list_clear) struct release_list list = {0};

        assert_int_equal(release_list(&place, &list, NULL), 0);
        return release_verify(&place, release_list_find(&list, "tool", version), count, out, NULL);
}

static void test_verify(void **state)
{
        CLEANUP_STR struct str out = {0};

        (void)state;
        assert_int_equal(verify("2.0", &out), 0);
        assert_string_equal(str_get(&out), "");
        sh("cd p/tool-2.0; echo x >>share/data; chmod 700 bin/tool; rm link; ln -s elsewhere link; rmdir share/empty; "
           "mkdir new; echo >new/file");
        assert_int_equal(verify("2.0", &out), 5); /* a hard link is changed under both names */
        assert_contains(str_get(&out), "changed bin/tool;");
        assert_contains(str_get(&out), "changed share/data;");
        assert_contains(str_get(&out), "changed share/hard;");
        assert_contains(str_get(&out), "changed link;");
        assert_contains(str_get(&out), "missing share/empty;");
        assert_contains(str_get(&out), "added new/file;");
        assert_int_equal(install_version("2.0", true, NULL), 0);
        str_clear(&out);
        assert_int_equal(verify("2.0", &out), 0);
        assert_string_equal(str_get(&out), "");
        assert_clean();
}

static void test_remove(void **state)
{
        CLEANUP(release_list_clear) struct release_list list = {0};
        size_t left = 0;

        (void)state;
        sh("echo mine >p/tool-2.0/share/mine; mkdir outside; mv p/tool-2.0/bin outside; ln -s ../../outside/bin "
           "p/tool-2.0/bin");
        assert_int_equal(release_list(&place, &list, NULL), 0);
        assert_int_equal(release_remove(&place, release_list_find(&list, "tool", "2.0"), &left, NULL), 0);
        /* the user's file, and his link where a folder was; what the link leads to is not touched */
        assert_int_equal(left, 2);
        sh("[ -e outside/bin/tool ]; [ \"$(find p/tool-2.0 ! -type d | sort | tr '\\n' ' ')\" = 'p/tool-2.0/bin "
           "p/tool-2.0/share/mine ' ]; [ ! -e p/tool ]; [ ! -e p/.slipway-release/tool.sh ]");
        sh("rm -r p/tool-2.0 outside");
        assert_int_equal(release_remove(&place, release_list_find(&list, "tool", "1.0"), &left, NULL), 0);
        assert_int_equal(left, 0);
        sh("[ -z \"$(ls -A p)\" ]");
}

static void test_not_ours(void **state)
{
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        sh("mkdir -p p/tool; echo mine >p/tool/file");
        assert_int_equal(install_version("1.0", false, &err), -EEXIST);
        assert_contains(error_message(&err), "slipway did not make it");
        sh("[ -e p/tool/file ]; [ ! -e p/tool-1.0 ]; rm -r p/tool; mkdir p/tool-1.0; echo mine >p/tool-1.0/file");
        assert_int_equal(install_version("1.0", false, &err), -EEXIST);
        sh("[ -e p/tool-1.0/file ]; mkdir p/tool; ln -s /elsewhere p/other");
        assert_int_equal(install_version("1.0", true, NULL), 0);
        assert_in_use("1.0");
        assert_clean();
        sh("rm -r p; mkdir -p p elsewhere; ln -s ../elsewhere p/tool");
        assert_int_equal(install_version("1.0", false, &err), -EEXIST);
        sh("rm -r p");
}

/* Each of these leaves the old version in use, and nothing else. */
static void test_failures(void **state)
{
        static const struct {
                const char *make, *message;
        } rows[] = {
                {"head -c 200 tool-2.0.tar.gz >t; mv t tool-2.1.tar.gz", "tool-2.1.tar.gz"},
                {"echo text >tool-2.1.tar.gz", "an archive is expected"},
                {": >tool-2.1.tar.gz", "it is empty"},
                {"mkdir -p two/a two/b; tar -C two -czf tool-2.1.tar.gz a b", "'strip' is too large"},
                {"mkdir -p evil; echo x >evil/x; tar -C evil -P -czf tool-2.1.tar.gz --transform='s|x|../../x|' x",
                 "leads out of the folder"},
                {"mkdir -p f/tool; mkfifo f/tool/fifo; tar -C f -czf tool-2.1.tar.gz tool", "a kind of file"},
                {"cp tool-2.0.tar.gz tool-2.1.tar.gz", "it does not say 'tool 2.1'"},
                {"mkdir -p g/tool; tar -C g -czf tool-2.1.tar.gz tool", "the release has no folder 'bin'"},
                {"mkdir -p i/tool/bin; tar -C i -czf tool-2.1.tar.gz tool", "the release has no file 'bin/tool'"},
                {"mkdir -p h/tool/bin; printf '#!/bin/sh\\necho no such library >&2; exit 3\\n' >h/tool/bin/tool; "
                 "chmod 755 "
                 "h/tool/bin/tool; tar -C h -czf tool-2.1.tar.gz tool",
                 "no such library"},
        };

        (void)state;
        assert_int_equal(install_version("1.0", false, NULL), 0);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP_ERROR struct error err = {0};

                sh(rows[i].make);
                assert_true(install_version("2.1", false, &err) < 0);
                assert_contains(error_message(&err), rows[i].message);
                assert_in_use("1.0");
                assert_clean();
                sh("[ ! -e p/tool-2.1 ]");
        }
}

/* Killed at any moment: the old version is in use or the new one, and the next installation cleans up. */
static void test_killed(void **state)
{
        (void)state;
        sh("rm -rf pack; mkdir -p pack/tool/bin; printf '#!/bin/sh\\necho tool 3.0\\n' >pack/tool/bin/tool; chmod 755 "
           "pack/tool/bin/tool; for i in $(seq 300); do echo $i >pack/tool/$i; done; tar -C pack -czf tool-3.0.tar.gz "
           "tool");
        for (int i = 0; i < 40; i++) {
                pid_t pid = fork();

                assert_true(pid >= 0);
                if (pid == 0)
                        _exit(install_version("3.0", false, NULL) < 0);
                usleep((useconds_t)(i * 700));
                kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
                sh("case $(p/tool/bin/tool) in 'tool 1.0') ;; 'tool 3.0') rm -rf p/tool-3.0; ln -sfn tool-1.0 p/tool "
                   ";; *) "
                   "exit 1 ;; esac");
                sh("[ ! -e p/tool-3.0 ] || { [ -e p/tool-3.0/.slipway-release.json ] && rm -rf p/tool-3.0; }");
        }
        assert_int_equal(install_version("3.0", false, NULL), 0);
        assert_in_use("3.0");
        assert_clean();
}

static void test_merge_and_file(void **state)
{
        CLEANUP(release_clear) struct release merged = release_of("1.5"), single = release_of("1.6");

        (void)state;
        sh("rm -rf pack; mkdir -p pack/tool/a/bin pack/tool/b/bin pack/tool/b/lib/x; printf '#!/bin/sh\\necho tool "
           "1.5\\n' "
           ">pack/tool/b/bin/tool; chmod 755 pack/tool/b/bin/tool; echo a >pack/tool/a/bin/a; echo doc >pack/tool/doc; "
           "tar -C "
           "pack -cJf tool-1.5.tar.gz tool; printf '#!/bin/sh\\necho tool 1.6\\n' | gzip >tool-1.6.tar.gz");
        strv_add(&merged.merge, "a");
        strv_add(&merged.merge, "b");
        strv_free(steal(&single.bin));
        strv_add(&single.bin, ".");
        assert_int_equal(install(&merged, &(struct release_options){.validate = true}, NULL, NULL), 0);
        assert_in_use("1.5");
        sh("[ \"$(cd p/tool; find . -type f ! -name '.slip*' | sort | tr '\\n' ' ')\" = './bin/a ./bin/tool ' ]; [ -d "
           "p/tool/lib/x ]");
        single.strip = 0;
        single.file = xstrdup("tool");
        strv_free(single.validate);
        single.validate = NULL;
        strv_add(&single.validate, "tool");
        assert_int_equal(install(&single, &(struct release_options){.validate = true}, NULL, NULL), 0);
        sh("[ \"$(p/tool/tool)\" = 'tool 1.6' ]");
}

/* What a folder of the archive leads to, if it is a link, is not the archive's to lay over anything. */
static void test_merge_follows_no_link(void **state)
{
        CLEANUP(release_clear) struct release release = release_of("1.7");
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        sh("rm -rf pack mine; mkdir -p pack/tool/a mine/bin; echo mine >mine/bin/file; ln -s \"$PWD/mine\" "
           "pack/tool/b; "
           "tar -C pack -czf tool-1.7.tar.gz tool");
        strv_add(&release.merge, "a");
        strv_add(&release.merge, "b");
        assert_int_equal(install(&release, &(struct release_options){0}, NULL, &err), -EPERM);
        assert_non_null(strstr(error_message(&err), "leads out of the archive"));
        sh("[ \"$(cat mine/bin/file)\" = mine ]; [ ! -e p/tool-1.7 ]");
        assert_clean();
}

static void test_profile(void **state)
{
        struct release_place before = place;
        CLEANUP_FREE char *root = xasprintf("%s/root", dir), *prefix = NULL;
        CLEANUP(release_list_clear) struct release_list list = {0};
        size_t left;

        (void)state;
        place = (struct release_place){.root = root, .prefix = "/opt/it's here", .profile = "/etc/profile.d/x.sh"};
        sh("mkdir root");
        assert_int_equal(install_version("1.0", false, NULL), 0);
        place.prefix = "/usr/local";
        assert_int_equal(install_version("1.0", false, NULL), 0);
        assert_int_equal(install_version("2.0", false, NULL), 0);
        sh("[ $(grep -c ^for root/etc/profile.d/x.sh) = 2 ]");
        sh("grep -q \"PATH='/usr/local/tool/bin'\" root/usr/local/.slipway-release/tool.sh");
        prefix = release_profile_prefix("for release in '/opt/it'\"'\"'s here'/.slipway-release/*.sh; do ...");
        assert_string_equal(prefix, "/opt/it's here");
        assert_null(release_profile_prefix("PATH=x"));
        assert_int_equal(release_list(&place, &list, NULL), 0);
        for (size_t i = 0; i < list.list.n; i++)
                assert_int_equal(release_remove(&place, &list.list.v[i], &left, NULL), 0);
        sh("[ $(grep -c ^for root/etc/profile.d/x.sh) = 1 ]");
        sh("rm -r root/usr/local; ln -s ../../outside root/usr/local; mkdir -p outside");
        assert_int_equal(install_version("1.0", false, NULL), -EXDEV);
        sh("rm root/usr/local; mkdir root/usr/local; rm -r root/etc; ln -s /etc root/etc");
        assert_int_equal(install_version("1.0", false, NULL), -EXDEV);
        sh("[ -z \"$(find outside root/usr/local -type f)\" ]");
        place = before;
        assert_int_equal(release_edit_profile("login", "/home/x/y.sh", NULL), 0);
        assert_int_equal(release_edit_profile("login", "/home/x/y.sh", NULL), 0);
        sh("[ $(wc -l <login) = 1 ]; printf 'umask 022' >login2");
        assert_int_equal(release_edit_profile("login2", "/home/x/y.sh", NULL), 0);
        sh("[ $(wc -l <login2) = 2 ]; head -n 1 login2 | grep -qx 'umask 022'");
        sh("mkdir dotfiles; echo 'umask 022' >dotfiles/profile; ln -s dotfiles/profile login3");
        assert_int_equal(release_edit_profile("login3", "/home/x/y.sh", NULL), 0);
        sh("[ -L login3 ]; [ $(wc -l <dotfiles/profile) = 2 ]");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_install),
                cmocka_unit_test(test_side_by_side),
                cmocka_unit_test(test_verify),
                cmocka_unit_test(test_remove),
                cmocka_unit_test(test_not_ours),
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_killed),
                cmocka_unit_test(test_merge_and_file),
                cmocka_unit_test(test_merge_follows_no_link),
                cmocka_unit_test(test_profile),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
