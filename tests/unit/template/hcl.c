/* HCL2 modules: variables, locals, sources and builds as a struct template. */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "template/module.h"

#define NULL_SOURCE "source \"null\" \"x\" {\n communicator = \"none\"\n}\n"

static char dir[] = "/tmp/slipway-hcl-XXXXXX";

static char *put(const char *name, const char *text)
{
        char *path = path_join(dir, name);

        assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
        return path;
}

static struct template *load(const char *text, struct template_options options, struct diags *diags)
{
        CLEANUP_FREE char *path = put("t.pkr.hcl", text);

        options.path = path;
        return template_load(&options, diags);
}

/* One that must be right. */
static struct template *load_good(const char *text, struct template_options options)
{
        struct diags diags = {0};
        struct template *t = load(text, options, &diags);

        if (diags.list.n > 0)
                fail_msg("%s", diags.list.v[0].summary);
        return t;
}

/* The first error; the caller frees. */
static char *first_error(const char *text, struct template_options options)
{
        struct diags diags = {0};
        struct template *t = load(text, options, &diags);
        char *message = NULL;

        diags_sort(&diags);
        for (size_t i = 0; i < diags.list.n && !message; i++)
                if (diags.list.v[i].severity == SEVERITY_ERROR)
                        message = xstrdup(diags.list.v[i].summary);
        diags_clear(&diags);
        template_free(t);
        return message ? message : xstrdup("");
}

static const char *value_of(const struct template_variable *variables, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(variables[i].name, name) == 0)
                        return variables[i].value;
        return NULL;
}

static void test_values(void **state)
{
        struct template *t =
                load_good("variable \"a\" {\n type = number\n default = \"12\"\n}\n"
                          "variable \"b\" {\n default = [1]\n}\n"
                          "variables {\n c = true\n}\n"
                          "locals {\n x = local.y + var.a\n y = local.z\n}\nlocal \"z\" {\n expression = "
                          "var.b[0]\n}\n" NULL_SOURCE "build {\n sources = [\"null.x\"]\n}\n",
                          (struct template_options){.var_args = (const char *const[]){"b=[30, 1]", "c=false", NULL}});

        (void)state;
        assert_string_equal(value_of(t->variables, t->n_variables, "a"), "12");
        assert_string_equal(value_of(t->variables, t->n_variables, "c"), "false");
        assert_string_equal(value_of(t->locals, t->n_locals, "x"), "42");
        template_free(t);
}

static void test_nullable(void **state)
{
        struct template *t =
                load_good("variable \"a\" {\n default = [1]\n type = list(number)\n nullable = false\n}\n"
                          "variable \"b\" {\n default = [1]\n type = list(number)\n}\n"
                          "locals {\n a = length(var.a)\n b = var.b == null ? 5 : 6\n}\n" NULL_SOURCE
                          "build {\n sources = [\"null.x\"]\n}\n",
                          (struct template_options){.var_args = (const char *const[]){"a=null", "b=null", NULL}});

        (void)state;
        assert_string_equal(value_of(t->locals, t->n_locals, "a"), "1");
        assert_string_equal(value_of(t->locals, t->n_locals, "b"), "5");
        template_free(t);
}

static void test_builds(void **state)
{
        static const char text[] =
                "source \"arm\" \"pi\" {\n file_urls = [\"/b.img\"]\n file_checksum_type = \"none\"\n"
                " image_build_method = \"resize\"\n image_size_bytes = 4 * 1024 * 1024 * 1024\n image_path = "
                "\"${path.root}/x.img\"\n"
                " image_partitions {\n  size = 0\n  mountpoint = \"/\"\n }\n}\n"
                "build {\n name = \"b\"\n source \"arm.pi\" {\n  name = \"q\"\n  image_path = \"${source.name}\"\n }\n"
                " sources = [source.arm.pi]\n"
                " provisioner \"shell\" {\n  only = [\"arm.pi\"]\n  inline = [\"echo ${source.name} ${build.ID}\"]\n "
                "}\n"
                " provisioner \"shell\" {\n  except = [\"b.arm.pi\"]\n  inline = [source.type]\n  timeout = \"1m\"\n "
                "}\n}\n";
        CLEANUP_FREE char *message = first_error(text, (struct template_options){0});
        CLEANUP_FREE char *right = str_replace(text, "${source.name}\"\n }", "other.img\"\n }");
        struct template *t = load_good(right, (struct template_options){0});
        CLEANUP_FREE char *said = NULL;
        const struct template_steps *pi, *q;

        (void)state;
        assert_non_null(strstr(message, "source")); /* not there in the body of a source */
        assert_int_equal(t->n_builds, 2);
        assert_string_equal(t->builds[0].name, "b.arm.pi");
        assert_string_equal(t->builds[1].name, "b.arm.q");
        assert_string_equal(t->builds[1].interp.build_name, "q");
        assert_true(str_ends(t->builds[0].image->image_path, "/x.img"));
        assert_string_equal(t->builds[1].image->image_path, "other.img");
        assert_true(t->builds[0].image->image_size_bytes == 4ull << 30);
        pi = t->builds[0].steps;
        q = t->builds[1].steps;
        assert_int_equal(pi->n_provisioners, 1);
        said = xasprintf("echo pi %s", t->builds[0].image->image_path);
        assert_string_equal(value_get(pi->provisioners[0].config, "inline")->list.v[0]->string, said);
        assert_int_equal(q->n_provisioners, 1);
        assert_int_equal(q->provisioners[0].timeout_ms, 60000);
        assert_string_equal(value_get(q->provisioners[0].config, "inline")->list.v[0]->string, "arm");
        template_free(t);
}

static void check_error(const char *text, const char *wanted)
{
        CLEANUP_FREE char *message = first_error(text, (struct template_options){0});

        if (!strstr(message, wanted))
                fail_msg("'%s' is not in '%s'", wanted, message);
}

static void test_errors(void **state)
{
        (void)state;
        check_error("", "there is no build block");
        check_error("build {}\n", "no build with a source");
        check_error("build {\n sources = [\"null.y\"]\n}\n" NULL_SOURCE, "did you mean 'null.x'?");
        check_error("locals {\n a = local.b\n b = local.a\n}\n", "in a circle: local.a -> local.b -> local.a");
        check_error("locals {\n a = 1\n}\nlocal \"a\" {\n expression = 1\n}\n", "two definitions");
        check_error("variable \"v\" {}\n", "the variable 'v' has no value");
        check_error("packer {\n required_version = \"> 1.16.0\"\n}\n", "asks for Packer > 1.16.0");
        check_error("variable \"v\" {\n nullable = false\n default = null\n}\n", "does not fit its type: null");
        check_error("variable \"v\" {\n default = 1\n validation {\n  condition = var.v > 1\n  error_message = "
                    "\"no\"\n }\n}\n",
                    "is not valid: no");
}

/* What a few lines can make too much of: each is told, and nothing crashes or takes for ever. */
static char *doubling(const char *first, const char *pair)
{
        struct str out = {0};

        str_addf(&out, "locals {\n a00 = %s\n", first);
        for (int i = 1; i < 60; i++) {
                CLEANUP_FREE char *before = xasprintf("local.a%02d", i - 1);
                CLEANUP_FREE char *value = str_replace(pair, "X", before);

                str_addf(&out, " a%02d = %s\n", i, value);
        }
        str_add(&out, "}\n");
        return str_steal(&out);
}

static void test_too_much(void **state)
{
        CLEANUP_FREE char *texts = doubling("\"xxxxxxxxxx\"", "\"${X}${X}\"");
        CLEANUP_FREE char *numbers = doubling("1e100000", "X * X");
        CLEANUP_STR struct str chain = {0}, brackets = {0}, twice = {0};
        struct diags diags = {0};

        (void)state;
        check_error(texts, "the text becomes longer than 64 MiB here");
        check_error(numbers, "the result is too large for a number");
        check_error("locals {\n n = 1e99999\n z = format(\"%d\", local.n * local.n * local.n * local.n)\n}\n",
                    "the number has too many digits");
        check_error(
                "locals {\n r = range(1000)\n a = [for a in local.r : [for b in local.r : [for c in local.r : a + c]]]"
                "\n}\n",
                "the values made so far take more than 1024 MiB");
        str_add(&chain, "locals {\n a0 = 1\n");
        for (int i = 1; i < 20000; i++)
                str_addf(&chain, " a%d = local.a%d\n", i, i - 1);
        str_add(&chain, " Z = local.a19999\n}\n");
        check_error(chain.s, "more than 1000 values need each other");
        str_add(&brackets, "locals {\n a = )");
        for (int i = 0; i < 400000; i++)
                str_addc(&brackets, i < 200000 ? '(' : ']');
        str_add(&brackets, "\n b = {\n}\n}\nbuild {}\n");
        check_error(brackets.s, "a value was expected here, not ')'");
        str_add(&twice, "locals {\n");
        for (int i = 0; i < 20000; i++)
                str_add(&twice, " a = 1\n");
        str_add(&twice, "}\n");
        template_free(load(twice.s, (struct template_options){.syntax_only = true}, &diags));
        assert_true(diags.n_errors > 0 && diags.n_errors < 100);
        diags_clear(&diags);
}

#define BLOCKS                                                                                                         \
        "source \"arm\" \"x\" {\n file_urls = [\"a\"]\n file_checksum_type = \"none\"\n image_path = \"a.img\"\n"      \
        " image_build_method = \"reuse\"\n image_chroot_mounts {\n  mount_type = \"bind\"\n  source_path = \"/a\"\n"   \
        "  destination_path = \"/b\"\n }\n"

/* Blocks of one name make a list whose elements stand anywhere: what is wrong with one is no other one's business. */
static void test_blocks_apart(void **state)
{
        (void)state;
        check_error(BLOCKS " image_chroot_mounts {\n  mount_type = \"bind\"\n  source_path = \"/a\"\n }\n}\n"
                           "build {\n sources = [\"source.arm.x\"]\n}\n",
                    "a chroot mount needs the key 'destination_path'");
        check_error("build {\n source \"source.arm.x\" {\n image_chroot_mounts {\n  mount_type = \"proc\"\n"
                    "  destination_path = []\n }\n }\n}\n" BLOCKS "}\n",
                    "'destination_path' must be a string");
        check_error(BLOCKS "}\nbuild {\n source \"source.arm.x\" {\n file_urls = []\n }\n}\n", "'file_urls' is empty");
}

static bool has_error(const struct diags *diags, const char *word)
{
        for (size_t i = 0; i < diags->list.n; i++)
                if (strstr(diags->list.v[i].summary, word) || strstr(diags->list.v[i].detail ?: "", word))
                        return true;
        return false;
}

/* What is computed from a secret is one too. */
static void test_secrets(void **state)
{
        static const char text[] = "variable \"s\" {\n sensitive = true\n default = \"hunter2\"\n}\n"
                                   "locals {\n a = \"${var.s}!\"\n}\n" NULL_SOURCE
                                   "build {\n sources = [\"null.x\"]\n provisioner \"shell-local\" {\n"
                                   "  inline = [\"say ${local.a}\"]\n  timeout = var.s\n }\n}\n";
        struct diags diags = {0};
        struct template *t = load(text, (struct template_options){0}, &diags);

        (void)state;
        assert_true(strv_has(STRV(t->secrets), "hunter2"));
        assert_true(strv_has(STRV(t->secrets), "say hunter2!"));
        assert_true(has_error(&diags, "<sensitive>"));
        assert_false(has_error(&diags, "hunter2"));
        assert_string_equal(value_of(t->locals, t->n_locals, "a"), "<sensitive>");
        template_free(t);
        diags_clear(&diags);
}

static void test_module(void **state)
{
        struct diags diags = {0};
        struct template_module *module = template_module_load(&(struct template_options){0}, &diags);
        static const char text[] = "packer.version";
        CLEANUP(source_text_freep) struct source_text *source = source_text_new("<test>", text, strlen(text));
        const struct hcl_expr *expr = hcl_parse_expr(template_module_arena(module), source, &diags);
        const struct hcl_value *value =
                hcl_eval(template_module_arena(module), expr, template_module_scope(module), &diags);

        (void)state;
        assert_int_equal(diags.n_errors, 0);
        assert_string_equal(value->string.s, PACKER_COMPATIBLE);
        template_module_free(module);
        diags_clear(&diags);
}

static void test_plugins(void **state)
{
        CLEANUP_FREE char *path = put("p.pkr.hcl", "packer {\n required_plugins {\n  git = {\n   version = \">= 1\"\n"
                                                   "   source = \"github.com/x/git\"\n  }\n }\n}\n");
        struct diags diags = {0};
        struct template_module *module = template_module_load(&(struct template_options){.path = path}, &diags);
        struct template_plugins plugins = template_module_plugins(module);

        (void)state;
        assert_int_equal(diags.n_errors, 0);
        assert_int_equal(plugins.n, 1);
        assert_string_equal(plugins.v[0].name, "git");
        assert_string_equal(plugins.v[0].source, "github.com/x/git");
        assert_string_equal(plugins.v[0].version, ">= 1");
        template_module_free(module);
        diags_clear(&diags); /* a warning: it is later than what is built in */
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
                cmocka_unit_test(test_values),       cmocka_unit_test(test_nullable), cmocka_unit_test(test_builds),
                cmocka_unit_test(test_errors),       cmocka_unit_test(test_secrets),  cmocka_unit_test(test_too_much),
                cmocka_unit_test(test_blocks_apart), cmocka_unit_test(test_module),   cmocka_unit_test(test_plugins),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
