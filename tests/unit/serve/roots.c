/* serve/roots: what must run for the roots of a site. */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "serve/roots.h"

static char dir[] = "/tmp/slipway-roots-XXXXXX";

#define NETWORKS            "network \"lab\" {\n subnet = \"10.77.0.0/24\"\n}\nnetwork \"far\" {\n subnet = \"10.78.0.0/22\"\n}\n"
#define PROFILE(name, root) "profile \"" name "\" {\n kernel = \"x\"\n " root "\n}\n"

static void list(const char *text, struct keeper_jobs *ret)
{
        CLEANUP_FREE char *path = path_join(dir, "site.hcl"), *state = path_join(dir, "state");
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP_ERROR struct error err = {0};
        struct site *site = NULL;
        int r;

        assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
        r = site_load(path, &site, &diags);
        if (r < 0)
                diags_print(&diags, stderr, false);
        assert_int_equal(r, 0);
        site->state = state;
        r = roots_list(site, ret, &err);
        site_free(site);
        if (r < 0)
                fail_msg("%s", error_message(&err));
}

static void expect_link(const struct keeper_job *job, const char *name, const char *target)
{
        CLEANUP_FREE char *path = path_join(job->folder, name);
        char found[PATH_MAX] = "";

        assert_true(readlink(path, found, sizeof(found) - 1) > 0);
        assert_string_equal(found, target);
}

/* One job for each port; another server's roots and those by HTTP are nobody's. */
static void test_nbd(void **state)
{
        CLEANUP(keeper_jobs_clear) struct keeper_jobs jobs = {0};

        (void)state;
        list(NETWORKS PROFILE("a", "root \"nbd\" { path = \"/images/a\" }")
                     PROFILE("b", "root \"nbd\" {\n path = \"/images/b\"\n export = \"debian\"\n}")
                             PROFILE("c", "root \"nbd\" {\n path = \"/images/a\"\n port = 1234\n}")
                                     PROFILE("d", "root \"nbd\" { server = \"10.0.0.1\" }")
                                             PROFILE("e", "root \"squashfs\" { path = \"e.squashfs\" }"),
             &jobs);
        assert_int_equal(jobs.list.n, 2);
        assert_string_equal(jobs.list.v[0].key, "nbd 10809");
        assert_string_equal(jobs.list.v[0].text, "a is /images/a, debian is /images/b");
        assert_int_equal(jobs.list.v[0].port, 10809);
        expect_link(&jobs.list.v[0], "a", "/images/a");
        expect_link(&jobs.list.v[0], "debian", "/images/b");
        assert_string_equal(jobs.list.v[1].key, "nbd 1234");
        expect_link(&jobs.list.v[1], "c", "/images/a");
}

/* What is no longer exported is no longer linked. */
static void test_nbd_again(void **state)
{
        CLEANUP(keeper_jobs_clear) struct keeper_jobs first = {0};
        CLEANUP(keeper_jobs_clear) struct keeper_jobs second = {0};
        CLEANUP_FREE char *old = NULL;

        (void)state;
        list(NETWORKS PROFILE("old", "root \"nbd\" { path = \"/images/old\" }"), &first);
        list(NETWORKS PROFILE("new", "root \"nbd\" { path = \"/images/new\" }"), &second);
        assert_string_equal(first.list.v[0].key, second.list.v[0].key);
        expect_link(&second.list.v[0], "new", "/images/new");
        old = path_join(second.list.v[0].folder, "old");
        assert_false(path_exists(old));
}

static void test_nfs(void **state)
{
        CLEANUP(keeper_jobs_clear) struct keeper_jobs jobs = {0};
        const char *text;

        (void)state;
        list(NETWORKS PROFILE("a", "root \"nfs\" { path = \"/srv/a\" }")
                     PROFILE("b", "root \"nfs\" {\n path = \"/srv/b\"\n writable = true\n}")
                             PROFILE("c", "root \"nfs\" { path = \"/srv/a\" }")
                                     PROFILE("d", "root \"nfs\" {\n path = \"/srv/d\"\n server = \"10.0.0.1\"\n}"),
             &jobs);
        assert_int_equal(jobs.list.n, 1);
        text = jobs.list.v[0].text;
        assert_string_equal(jobs.list.v[0].key, text);
        assert_non_null(strstr(text, "NFS_Port = 2049; MNT_Port = 20048; Protocols = 3,4;"));
        assert_non_null(strstr(text, "Path = \"/srv/a\"; Pseudo = \"/srv/a\"; Access_Type = NONE;\n"
                                     "  FSAL { Name = VFS; }\n"
                                     "  CLIENT { Access_Type = RO; Clients = 10.77.0.0/24, 10.78.0.0/22; }\n}\n"));
        assert_non_null(strstr(text, "CLIENT { Access_Type = RW; "));
        assert_non_null(strstr(strstr(text, "\"/srv/b\""), "Access_Type = RW"));
        assert_null(strstr(text, "/srv/d"));
        assert_null(strstr(strstr(text, "Path = \"/srv/a\"") + 1, "Path = \"/srv/a\""));
}

/* Version 4 alone needs no portmapper. */
static void test_nfs_4(void **state)
{
        CLEANUP(keeper_jobs_clear) struct keeper_jobs jobs = {0};

        (void)state;
        list(NETWORKS PROFILE("a", "initramfs = \"dracut\"\n root \"nfs\" {\n path = \"/srv/a\"\n"
                                   " options = \"vers=4.2\"\n port = 3049\n}"),
             &jobs);
        assert_int_equal(jobs.list.n, 1);
        assert_int_equal(jobs.list.v[0].port, 0);
        assert_non_null(strstr(jobs.list.v[0].text, "NFS_Port = 3049;"));
        assert_non_null(strstr(jobs.list.v[0].text, "Protocols = 4;"));
}

static void test_nothing(void **state)
{
        CLEANUP(keeper_jobs_clear) struct keeper_jobs jobs = {0};

        (void)state;
        list(NETWORKS PROFILE("a", ""), &jobs);
        assert_int_equal(jobs.list.n, 0);
}

static void test_missing(void **state)
{
        static const struct root_need needs[] = {{.program = "sh", .package = "dash"},
                                                 {.program = "no-such-program", .package = "one"},
                                                 {.pattern = "/nowhere/*", .package = "two"},
                                                 {.pattern = "/{nowhere,etc}/passwd", .package = "three"}};
        CLEANUP_FREE char *missing = roots_missing(needs, 4), *none = roots_missing(needs, 1);

        (void)state;
        assert_string_equal(missing, "apt-get install one two");
        assert_string_equal(none, "");
}

static int make_folder(void **state)
{
        (void)state;
        return mkdtemp(dir) ? 0 : -1;
}

static int remove_folder(void **state)
{
        (void)state;
        return tree_remove(dir, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_nbd),     cmocka_unit_test(test_nbd_again),
                                           cmocka_unit_test(test_nfs),     cmocka_unit_test(test_nfs_4),
                                           cmocka_unit_test(test_nothing), cmocka_unit_test(test_missing)};

        return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
