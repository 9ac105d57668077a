/* What a build's layers were made of. */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "build/record.h"

static void make(struct key *key, const char *const *pairs, char hex[DIGEST_HEX_MAX])
{
        for (; *pairs; pairs += 2)
                key_text(key, pairs[0], pairs[1]);
        key_final(key, hex);
}

static void assert_changed(const struct plan_record *record, size_t i, const char *const *pairs, const char *want)
{
        CLEANUP_KEY struct key key = {0};
        CLEANUP_STRV char **names = NULL;
        CLEANUP_FREE char *joined = NULL;
        char hex[DIGEST_HEX_MAX];
        bool known;

        make(&key, pairs, hex);
        names = plan_record_changed(record, i, &key, &known);
        assert_int_equal(known, want != NULL);
        joined = names ? strv_join(STRV(names), ",") : xstrdup("");
        assert_string_equal(joined, want ? want : "");
}

static void test_changes(void **state)
{
        static const char *const was[] = {"parent", "0", "file a", "1", "env", "x", "env", "y", NULL};
        CLEANUP_FREE char *dir = xstrdup("/tmp/slipway-record.XXXXXX"), *template = NULL, *plans = NULL;
        CLEANUP(plan_record_clear) struct plan_record record = {0}, loaded = {0}, other = {0};
        CLEANUP_KEY struct key key = {0};
        char hex[DIGEST_HEX_MAX];

        (void)state;
        assert_non_null(mkdtemp(dir));
        template = path_join(dir, "t.json");
        plans = path_join(dir, "plans");
        assert_int_equal(mkdir(plans, 0755), 0);
        assert_int_equal(file_write(template, "{}", 2, 0644, NULL), 0);
        make(&key, was, hex);
        plan_record_add(&record, "Provisioner shell", hex, &key);
        assert_int_equal(plan_record_save(&record, dir, template, "arm", NULL), 0);
        plan_record_load(&loaded, dir, template, "arm");
        plan_record_load(&other, dir, template, "another");
        assert_changed(&loaded, 0, was, "");
        assert_changed(&loaded, 0, (const char *const[]){"parent", "0", "file a", "2", "env", "x", "env", "y", NULL},
                       "file a");
        assert_changed(&loaded, 0, (const char *const[]){"parent", "1", "env", "x", "env", "z", NULL},
                       "parent,env,file a");
        assert_changed(&loaded, 1, was, NULL);
        assert_changed(&other, 0, was, NULL);
        assert_int_equal(tree_remove(dir, NULL), 0);
}

/* A file that is damaged is none; a template without a place has none. */
static void test_none(void **state)
{
        CLEANUP(plan_record_clear) struct plan_record record = {0};

        (void)state;
        plan_record_load(&record, "/nonexistent", "-", "arm");
        assert_null(record.layers);
        assert_int_equal(plan_record_save(&record, "/nonexistent", "-", "arm", NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_changes), cmocka_unit_test(test_none)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
