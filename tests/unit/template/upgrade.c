/* The upgrade to HCL2: texts, and templates of odd shapes. What whole files
 * look like is in tests/cli/hcl2_upgrade.bats. */
#include "test.h"

#include <string.h>

#include "base/str.h"
#include "template/upgrade.h"

static char *upgrade(const char *text, size_t *ret_warnings)
{
        const struct template_upgrade_options options = {0};
        struct source_text *source = source_text_new("t.json", text, strlen(text));
        struct diags diags = {0};
        struct value *root = json_read(source, &diags);
        char *out;

        if (!root)
                fail_msg("%s: %s", text, diags.list.v[0].summary);
        out = template_upgrade(root, &options, &diags);
        *ret_warnings = diags.list.n;
        assert_int_equal(diags.n_errors, 0);
        value_free(root);
        diags_clear(&diags);
        source_text_free(source);
        return out;
}

static void expect_text(const char *json, const char *wanted, size_t n_warnings)
{
        CLEANUP_FREE char *text = xasprintf("{\"builders\": [{\"type\": \"arm\", \"image_path\": \"%s\"}], "
                                            "\"variables\": {\"v\": \"x\", \"l\": \"{{uuid}}\"}}",
                                            json);
        CLEANUP_FREE char *line = xasprintf("  image_path = %s\n", wanted);
        size_t warnings;
        CLEANUP_FREE char *out = upgrade(text, &warnings);

        if (!strstr(out, line))
                fail_msg("%s\n  wanted %s  in %s", json, line, out);
        assert_int_equal(warnings, n_warnings);
}

static void test_texts(void **state)
{
        (void)state;
        expect_text("a{{user `v`}}b", "\"a${var.v}b\"", 0);
        expect_text("{{ user \\\"v\\\" }}{{user `l`}}", "\"${var.v}${local.l}\"", 0);
        expect_text("{{`v` | user | upper | lower}}", "\"${lower(upper(var.v))}\"", 0);
        expect_text("{{upper (user `v`)}}", "\"${upper(var.v)}\"", 0);
        expect_text("{{ build_name }}-{{build_type | upper}}", "\"arm-${upper(\"arm\")}\"", 0);
        expect_text("{{isotime}}{{strftime `%Y`}}", "\"${timestamp()}${legacy_strftime(\"%Y\")}\"", 0);
        expect_text("{{replace `a` `b` -1 (user `v`)}}", "\"${replace(var.v, \"a\", \"b\")}\"", 0);
        expect_text("{{`constant`}} {{\\\"t\\\\tt\\\"}}", "\"constant t\\tt\"", 0);
        expect_text("a  {{- user `v` -}}  b", "\"a${var.v}b\"", 0);
        expect_text("a{{/* a comment */}}b", "\"ab\"", 0);
        expect_text("${x} %{y} $${z} $", "\"$${x} %%{y} $$${z} $\"", 0);
        expect_text("${{user `v`}} %{{user `v`}}", "\"${\"$\"}${var.v} %${var.v}\"", 0);
        expect_text("$ {{`{x`}}", "\"$ {x\"", 0);
        expect_text("${{`{x`}}", "\"$${x\"", 0);
}

static void test_left_alone(void **state)
{
        (void)state;
        expect_text("{{.Vars}} {{ .Path | upper }}", "\"{{.Vars}} {{ .Path | upper }}\"", 0);
        expect_text("{{`{{`}}.x{{`}}`}}", "\"{{`{{`}}.x{{`}}`}}\"", 0);
        expect_text("{{if .x}}a{{else}}b{{end}}", "\"{{if .x}}a{{else}}b{{end}}\"", 0);
        expect_text("{{printf `%s` 1}}", "\"{{printf `%s` 1}}\"", 1);
        expect_text("{{replace `a` `b` 1 `ab`}}", "\"{{replace `a` `b` 1 `ab`}}\"", 1);
        expect_text("{{user}}", "\"{{user}}\"", 1);
        expect_text("{{user `v`", "\"{{user `v`\"", 0);
        expect_text("{{user `v}}", "\"{{user `v}}\"", 0);
        expect_text("{{}}", "\"{{}}\"", 1);
        expect_text("{{((((((((((((((((((((((((((((((((((((`x`))))))))))))))))))))))))))))))))))))}}",
                    "\"{{((((((((((((((((((((((((((((((((((((`x`))))))))))))))))))))))))))))))))))))}}\"", 1);
        expect_text("{{upper 1 2 3 4 5 6 7 8 9 10}}", "\"{{upper 1 2 3 4 5 6 7 8 9 10}}\"", 1);
}

/* Nothing here is right; it must only not fall over. */
static void test_odd_shapes(void **state)
{
        static const char *const texts[] = {
                "{}",
                "{\"builders\": 1, \"variables\": [], \"provisioners\": {}, \"post-processors\": \"x\"}",
                "{\"builders\": [1, {}, {\"type\": 1}, {\"type\": \"x\", \"a\": [{}, 1, {\"b\": {\"c\": [[]]}}]}]}",
                "{\"builders\": [{\"type\": \"x\"}], \"provisioners\": [1, {}, \"x\", []], \"post-processors\": "
                "[[], [1, []], {}, \"y\", null], \"error-cleanup-provisioner\": {}}",
                "{\"builders\": [{\"type\": \"x\"}], \"provisioners\": [{\"type\": \"s\", \"only\": 1, \"except\": "
                "[1, \"no\"], \"override\": 3}], \"sensitive-variables\": [1], \"variables\": {\"a\": {}, \"\": null}}",
        };

        (void)state;
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                size_t warnings;

                free(upgrade(texts[i], &warnings));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_texts),
                cmocka_unit_test(test_left_alone),
                cmocka_unit_test(test_odd_shapes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
