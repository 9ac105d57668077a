/* Templates: variables, builds, steps. */
#include "test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "template/template.h"

#define BUILDER                                                                                                        \
        "{\"type\": \"arm\", \"file_urls\": [\"/base.img\"], \"file_checksum_type\": \"none\", "                       \
        "\"image_build_method\": \"reuse\", \"image_path\": \"{{user `out`}}\"}"
#define NAMED(name)                                                                                                    \
        "{\"type\": \"arm\", \"name\": \"" name                                                                        \
        "\", \"file_urls\": [\"/base.img\"], \"file_checksum_type\": \"none\", "                                       \
        "\"image_build_method\": \"reuse\", \"image_path\": \"{{build_name}}.img\"}"

static char dir[] = "/tmp/slipway-template-XXXXXX";

static char *put(const char *name, const char *text)
{
        char *path = path_join(dir, name);

        assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
        return path;
}

static struct template *load(const char *text, struct template_options options, struct diags *diags)
{
        CLEANUP_FREE char *path = put("template.json", text);
        struct template *t;

        options.path = path;
        t = template_load(&options, diags);
        return diags->n_errors > 0 ? template_free(t) : t;
}

/* A template that must be right. */
static struct template *load_good(const char *text, struct template_options options)
{
        struct diags diags = {0};
        struct template *t = load(text, options, &diags);

        if (!t)
                fail_msg("%s", diags.list.v[0].summary);
        diags_clear(&diags);
        return t;
}

static const char *value_of(const struct template *t, const char *name)
{
        for (size_t i = 0; i < t->n_variables; i++)
                if (strcmp(t->variables[i].name, name) == 0)
                        return t->variables[i].value;
        return NULL;
}

static void test_variables(void **state)
{
        static const char text[] =
                "{\"variables\": {\"out\": \"{{user `dir`}}/{{user `name`}}.img\", \"dir\": \"/d\", "
                "\"name\": null, \"home\": \"{{env `SLIPWAY_TEST`}}\", \"n\": 12, \"flag\": true, "
                "\"list\": [\"a\", \"b\"], \"_c\": 1}, \"_comment\": {}, \"builders\": [" BUILDER "]}";
        CLEANUP_FREE char *file_a = put("a.json", "{\"name\": \"from-a\", \"dir\": \"/a\", \"other\": 1, \"_x\": {}}");
        CLEANUP_FREE char *file_b = put("b.json", "{\"dir\": \"/b\"}");
        const char *files[] = {file_a, file_b, NULL};
        struct template *t;

        (void)state;
        setenv("SLIPWAY_TEST", "home", 1);
        t = load_good(text, (struct template_options){.var_args = (const char *const[]){"name=x=y", NULL}});
        assert_string_equal(value_of(t, "out"), "/d/x=y.img");
        assert_string_equal(value_of(t, "home"), "home");
        assert_string_equal(value_of(t, "n"), "12");
        assert_string_equal(value_of(t, "flag"), "1");
        assert_string_equal(value_of(t, "list"), "a,b");
        assert_string_equal(t->builds[0].image->image_path, "/d/x=y.img");
        assert_int_equal(t->n_variables, 7);
        template_free(t);

        t = load_good(text, (struct template_options){.var_files = files});
        assert_string_equal(value_of(t, "out"), "/b/from-a.img");
        template_free(t);

        t = load_good(text, (struct template_options){.var_files = files,
                                                      .var_args = (const char *const[]){"dir=/1", "dir=/2", NULL}});
        assert_string_equal(value_of(t, "out"), "/2/from-a.img");
        template_free(t);
}

static void test_var_file_slip(void **state)
{
        CLEANUP_FREE char *file = put("a.json", "{\"ouut\": \"x\"}");
        struct diags diags = {0};
        struct template *t = load("{\"variables\": {\"out\": \"o\"}, \"builders\": [" BUILDER "]}",
                                  (struct template_options){.var_files = (const char *const[]){file, NULL}}, &diags);

        (void)state;
        assert_non_null(t);
        assert_int_equal(diags.n_errors, 0);
        assert_int_equal(diags.list.n, 1);
        assert_string_equal(diags.list.v[0].summary, "the template has no variable 'ouut'; did you mean 'out'?");
        template_free(t);
        diags_clear(&diags);
}

static void test_var_file_errors(void **state)
{
        CLEANUP_FREE char *broken = put("broken.json", "{\"out\": \"x\",}"), *list = put("list.json", "[]");
        struct diags diags = {0};
        const char *files[] = {broken, list, "/nonexistent.json", "x.pkrvars.hcl", NULL};

        (void)state;
        assert_null(load("{\"variables\": {\"out\": \"o\"}, \"builders\": [" BUILDER "]}",
                         (struct template_options){.var_files = files}, &diags));
        assert_int_equal(diags.n_errors, 4);
        diags_clear(&diags);
}

static void test_sensitive(void **state)
{
        struct template *t = load_good("{\"variables\": {\"out\": \"o\", \"pw\": \"secret\", \"e\": \"\"}, "
                                       "\"sensitive-variables\": [\"pw\", \"e\"], \"builders\": [" BUILDER "]}",
                                       (struct template_options){0});

        (void)state;
        assert_int_equal(strv_len(STRV(t->secrets)), 1);
        assert_string_equal(t->secrets[0], "secret");
        template_free(t);
}

static void test_builds(void **state)
{
        static const char text[] = "{\"builders\": [" NAMED("rpi") ", " NAMED("rock") ", " NAMED("bone") "]}";
        struct diags diags = {0};
        struct template *t = load_good(text, (struct template_options){0});

        (void)state;
        assert_int_equal(t->n_builds, 3);
        assert_string_equal(t->builds[1].image->image_path, "rock.img");
        assert_string_equal(t->builds[1].interp.build_name, "rock");
        template_free(t);
        t = load_good(text, (struct template_options){.only = (const char *const[]){"r*", NULL}});
        assert_int_equal(t->n_builds, 2);
        assert_int_equal(strv_len(STRV(t->build_names)), 3);
        template_free(t);
        t = load_good(text, (struct template_options){.except = (const char *const[]){"rock", "elsewhere", NULL}});
        assert_int_equal(t->n_builds, 2);
        assert_string_equal(t->builds[1].name, "bone");
        template_free(t);
        t = load(text, (struct template_options){.only = (const char *const[]){"bnoe", NULL}}, &diags);
        assert_int_equal(t->n_builds, 0);
        assert_int_equal(diags.n_errors, 0);
        assert_string_equal(diags.list.v[0].summary, "-only: the template has no build 'bnoe'; did you mean 'bone'?");
        diags_clear(&diags);
        template_free(t);
}

static void test_steps(void **state)
{
        struct template *t = load_good(
                "{\"builders\": [" NAMED("rpi") ", " NAMED(
                        "rock") "], \"provisioners\": [{\"type\": \"shell\", "
                                "\"inline\": [\"a\"], \"only\": [\"rpi\"], \"pause_before\": \"10s\", \"timeout\": "
                                "\"5m\", "
                                "\"max_retries\": 3}, {\"type\": \"shell\", \"inline\": [\"a\"], \"except\": \"rpi\", "
                                "\"override\": "
                                "{\"rock\": {\"inline\": [\"b\"], \"binary\": true}}}], \"error-cleanup-provisioner\": "
                                "{\"type\": "
                                "\"shell-local\"}, \"post-processors\": [\"compress\", [{\"type\": \"artifice\", "
                                "\"files\": []}, "
                                "{\"type\": \"checksum\", \"name\": \"sums\", \"keep_input_artifact\": true}]]}",
                (struct template_options){0});
        struct value *config = template_step_config(&t->steps->provisioners[1], "rock");
        struct value *own = template_step_config(&t->steps->provisioners[1], "rpi");

        (void)state;
        assert_int_equal(t->steps->n_provisioners, 2);
        assert_int_equal(t->steps->provisioners[0].pause_before_ms, 10000);
        assert_int_equal(t->steps->provisioners[0].timeout_ms, 300000);
        assert_int_equal(t->steps->provisioners[0].max_retries, 3);
        assert_true(template_step_applies(&t->steps->provisioners[0], "rpi"));
        assert_false(template_step_applies(&t->steps->provisioners[0], "rock"));
        assert_false(template_step_applies(&t->steps->provisioners[1], "rpi"));
        assert_true(template_step_applies(&t->steps->provisioners[1], "rock"));
        assert_string_equal(value_get(config, "inline")->list.v[0]->string, "b");
        assert_true(value_get(config, "binary")->boolean);
        assert_string_equal(value_get(own, "inline")->list.v[0]->string, "a");
        assert_null(value_get(own, "binary"));
        assert_string_equal(t->steps->error_cleanup->type, "shell-local");
        assert_int_equal(t->steps->n_post_processors, 2);
        assert_string_equal(t->steps->post_processors[0].v[0].type, "compress");
        assert_int_equal(t->steps->post_processors[1].n, 2);
        assert_string_equal(t->steps->post_processors[1].v[1].name, "sums");
        assert_int_equal(t->steps->post_processors[1].v[1].keep_input_artifact, 1);
        assert_int_equal(t->steps->post_processors[1].v[0].keep_input_artifact, -1);
        value_free(config);
        value_free(own);
        template_free(t);
}

static void test_except_cuts_chains(void **state)
{
        static const char text[] =
                "{\"builders\": [" NAMED("rpi") "], \"post-processors\": [\"compress\", [\"artifice\", "
                                                "{\"type\": \"checksum\", \"name\": \"sums\"}, \"manifest\"]]}";
        struct template *t =
                load_good(text, (struct template_options){.except = (const char *const[]){"sums", "compress", NULL}});

        (void)state;
        assert_int_equal(t->steps->n_post_processors, 1);
        assert_int_equal(t->steps->post_processors[0].n, 1);
        assert_string_equal(t->steps->post_processors[0].v[0].type, "artifice");
        template_free(t);
}

static void test_versions(void **state)
{
        static const char *const good[] = {"1.16.0", "1.16", "v1.8.3", "0.12.0-beta", "1"};
        static const char *const bad[] = {"1.17.0", "2", "1.16.1", "latest", "1..2", ""};

        (void)state;
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
                CLEANUP_FREE char *text =
                        xasprintf("{\"min_packer_version\": \"%s\", \"builders\": [%s]}", good[i], NAMED("x"));

                template_free(load_good(text, (struct template_options){0}));
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                CLEANUP_FREE char *text =
                        xasprintf("{\"min_packer_version\": \"%s\", \"builders\": [%s]}", bad[i], NAMED("x"));
                struct diags diags = {0};

                assert_null(load(text, (struct template_options){0}, &diags));
                assert_int_equal(diags.n_errors, 1);
                diags_clear(&diags);
        }
}

static void test_syntax_only(void **state)
{
        struct template *t = load_good("{\"variables\": {\"out\": null}, \"builders\": [{\"type\": \"arm\"}]}",
                                       (struct template_options){.syntax_only = true});

        (void)state;
        assert_true(t->variables[0].required);
        assert_null(t->variables[0].value);
        assert_string_equal(t->builds[0].name, "arm");
        template_free(t);
}

static void test_epoch_and_dir(void **state)
{
        struct template *t;
        CLEANUP_FREE char *real = realpath(dir, NULL);

        (void)state;
        setenv("SOURCE_DATE_EPOCH", "1136214245", 1);
        t = load_good("{\"variables\": {\"out\": \"{{template_dir}}/{{isotime `2006`}}-{{timestamp}}.img\"}, "
                      "\"builders\": [" BUILDER "]}",
                      (struct template_options){0});
        unsetenv("SOURCE_DATE_EPOCH");
        assert_string_equal(t->dir, real);
        assert_true(str_starts(t->builds[0].image->image_path, real));
        assert_true(str_ends(t->builds[0].image->image_path, "/2006-1136214245.img"));
        template_free(t);
}

static void test_missing_file(void **state)
{
        struct diags diags = {0};

        (void)state;
        assert_null(template_load(&(struct template_options){.path = "/nonexistent/x.json"}, &diags));
        assert_int_equal(diags.n_errors, 1);
        assert_non_null(strstr(diags.list.v[0].summary, "/nonexistent/x.json"));
        diags_clear(&diags);
}

static int set_up(void **state)
{
        (void)state;
        return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
        (void)state;
        return tree_remove(dir, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_variables),
                cmocka_unit_test(test_var_file_slip),
                cmocka_unit_test(test_var_file_errors),
                cmocka_unit_test(test_sensitive),
                cmocka_unit_test(test_builds),
                cmocka_unit_test(test_steps),
                cmocka_unit_test(test_except_cuts_chains),
                cmocka_unit_test(test_versions),
                cmocka_unit_test(test_syntax_only),
                cmocka_unit_test(test_epoch_and_dir),
                cmocka_unit_test(test_missing_file),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
