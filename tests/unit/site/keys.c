/* The tables of keys: each is documented in slipway-site(5), and has a line of help. */
#include "sitetest.h"

#include <ctype.h>

/* Is the word there as `.It Ic WORD` or after a comma in such a line? */
static bool is_documented(const char *page, const char *word)
{
        size_t n = strlen(word);

        for (const char *at = page; (at = strstr(at, word)); at += n) {
                const char *line = at;

                while (line > page && line[-1] != '\n')
                        line--;
                if (str_starts(line, ".It Ic ") && at[-1] == ' ' && !isalnum((unsigned char)at[n]) && at[n] != '_')
                        return true;
        }
        return false;
}

static void test_manual(void **state)
{
        CLEANUP_FREE char *page = NULL;
        size_t len;

        (void)state;
        assert_int_equal(file_read(MAN_PAGE, 0, &page, &len, NULL), 0);
        for (size_t i = 0; site_blocks[i]; i++) {
                const struct site_block *block = site_blocks[i];
                CLEANUP_FREE char *heading = block->type ? xasprintf("\n.Ss %s", block->type) : NULL;

                if (heading && !strstr(page, heading))
                        fail_msg("slipway-site.5 lacks the block '%s'", block->type);
                assert_non_null(block->help);
                for (size_t j = 0; j < block->n_keys; j++) {
                        if (!is_documented(page, block->keys[j].name))
                                fail_msg("slipway-site.5 lacks the key '%s'", block->keys[j].name);
                        assert_non_null(block->keys[j].help);
                }
        }
        for (int i = 1; i < PLATFORMS; i++) {
                const char *name = client_platform_name((enum client_platform)i);

                if (!str_starts(name, "pi") && strcmp(name, "uefi-riscv32") != 0 && !strstr(page, name))
                        fail_msg("slipway-site.5 lacks the platform '%s'", name);
        }
}

/* The page's examples are site files. */
static void test_examples(void **state)
{
        CLEANUP_FREE char *page = NULL;
        size_t len, n = 0;
        char *end;

        (void)state;
        put("preseed.cfg.tmpl", "x\n");
        put("rack.csv", "name,mac,address\na,52:54:00:00:00:01,192.0.2.20\n");
        assert_int_equal(file_read(MAN_PAGE, 0, &page, &len, NULL), 0);
        for (char *at = page; (at = strstr(at, ".Bd -literal -offset indent\n")); at = end + 1) {
                CLEANUP(diags_clear) struct diags diags = {0};
                CLEANUP_STR struct str text = {0};
                struct site *site = NULL;

                at += strlen(".Bd -literal -offset indent\n");
                end = strstr(at, "\n.Ed");
                assert_non_null(end);
                *end = '\0';
                str_addf(&text, "%s\n%s", at, n == 1 ? "network \"n\" {\n subnet = \"192.0.2.0/24\"\n}\n" : "");
                if (site_load_text("slipway-site.5", str_get(&text), dir, &site, &diags) < 0)
                        fail_msg("%s\n%s", str_get(&text), messages(&diags));
                site_free(site);
                n++;
        }
        assert_int_equal(n, 2);
}

/* No block has more keys than the reader has room for, and none twice. */
static void test_tables(void **state)
{
        (void)state;
        for (size_t i = 0; site_blocks[i]; i++) {
                const struct site_block *block = site_blocks[i];

                assert_in_range(block->n_keys, 1, 32);
                for (size_t j = 0; j < block->n_keys; j++)
                        for (size_t k = 0; k < j; k++)
                                assert_string_not_equal(block->keys[j].name, block->keys[k].name);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_manual), cmocka_unit_test(test_tables),
                                           cmocka_unit_test(test_examples)};

        return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
