/* Runs all cases in a folder: see suite.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/spawn.h"
#include "base/str.h"
#include "base/vec.h"
#include "suite.h"

struct suite {
        const char *hcldec;
        size_t passed, failed;
};

/* One input file of a case. */
struct run {
        struct arena *arena;
        const char *hcldec, *spec, *input;
        const struct expected *expected;
        bool failed;
};

static void complain(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(struct run *run, const char *format, ...)
{
        va_list ap;

        printf("# %s: ", run->input);
        va_start(ap, format);
        vprintf(format, ap);
        va_end(ap);
        putchar('\n');
        run->failed = true;
}

/* ---- hcldec ---- */

struct output {
        struct str out, err;
        int status;
};

static void output_clear(struct output *output)
{
        str_clear(&output->out);
        str_clear(&output->err);
}

static bool on_output(void *arg, bool is_stderr, const char *data, size_t n)
{
        struct output *output = arg;

        str_addn(is_stderr ? &output->err : &output->out, data, n);
        return false;
}

static bool run_hcldec(struct run *run, bool references, struct output *output)
{
        CLEANUP_ERROR struct error err = {0};
        const char *spec = arena_printf(run->arena, "--spec=%s", run->spec);
        const char *const decode[] = {run->hcldec, spec, "--diags=json", "--with-type", "--keep-nulls",
                                      run->input,  NULL};
        const char *const refer[] = {run->hcldec, spec, "--diags=json", "--var-refs", run->input, NULL};
        const struct spawn spawn = {
                .argv = references ? refer : decode, .timeout_ms = 60000, .on_output = on_output, .arg = output};

        if (spawn_run(&spawn, &output->status, &err) == 0)
                return true;
        complain(run, "%s", error_message(&err));
        return false;
}

/* ---- comparing ---- */

static const char *range_text(const struct run *run, const struct place *place)
{
        return arena_printf(run->arena, "from line %jd column %jd byte %jd to line %jd column %jd byte %jd",
                            (intmax_t)place->from.line, (intmax_t)place->from.column, (intmax_t)place->from.byte,
                            (intmax_t)place->to.line, (intmax_t)place->to.column, (intmax_t)place->to.byte);
}

static bool same_position(const struct position *a, const struct position *b)
{
        return a->line == b->line && a->column == b->column && a->byte == b->byte;
}

static bool same_range(const struct place *a, const struct place *b)
{
        return same_position(&a->from, &b->from) && same_position(&a->to, &b->to);
}

/* Is there one of the same severity and range, and, of references, with the same text? */
static bool has_place(const struct places *places, const struct place *wanted, bool by_text)
{
        for (size_t i = 0; i < places->n; i++) {
                const struct place *place = &places->v[i];

                if (same_range(place, wanted) && place->severity == wanted->severity &&
                    (!by_text || str_eq(place->text, wanted->text)))
                        return true;
        }
        return false;
}

static void compare_places(struct run *run, const struct places *found, const struct places *wanted, bool by_text)
{
        for (size_t i = 0; i < found->n; i++)
                if (!has_place(wanted, &found->v[i], by_text))
                        complain(run, "not expected: %s, %s", found->v[i].text, range_text(run, &found->v[i]));
        for (size_t i = 0; i < wanted->n; i++)
                if (!has_place(found, &wanted->v[i], by_text))
                        complain(run, "missing: %s, %s", wanted->v[i].text, range_text(run, &wanted->v[i]));
}

/* Is the type one of those that the constraint allows? */
static bool conforms(const struct hcl_type *type, const struct hcl_type *to)
{
        if (to->kind == HCL_ANY)
                return true;
        if (type->kind != to->kind || type->n != to->n)
                return false;
        if (type->element)
                return conforms(type->element, to->element);
        for (size_t i = 0; i < type->n; i++)
                if (type->kind == HCL_TUPLE ? !conforms(type->members[i], to->members[i])
                                            : !str_eq(type->attrs[i].name, to->attrs[i].name) ||
                                                      !conforms(type->attrs[i].type, to->attrs[i].type))
                        return false;
        return true;
}

static void compare_value(struct run *run, const struct hcl_value *value)
{
        const struct expected *expected = run->expected;

        if (!conforms(value->type, expected->type))
                complain(run, "the result is %s, but %s was expected", hcl_type_text(run->arena, value->type),
                         hcl_type_text(run->arena, expected->type));
        if (expected->result && !hcl_value_equal(value, expected->result))
                complain(run, "the result is\n%s\n# but expected was\n%s", hcl_value_text(run->arena, value),
                         hcl_value_text(run->arena, expected->result));
}

/* ---- one case ---- */

static void check_references(struct run *run)
{
        CLEANUP(output_clear) struct output output = {0};
        CLEANUP_ERROR struct error err = {0};
        struct places found = {0};

        if (!run_hcldec(run, true, &output))
                return;
        if (output.status != 0)
                complain(run, "hcldec --var-refs failed: %s", str_get(&output.err));
        else if (answer_references(run->arena, str_get(&output.out), &found, &err) < 0)
                complain(run, "%s", error_message(&err));
        else
                compare_places(run, &found, &run->expected->references, true);
}

static void check_result(struct run *run)
{
        CLEANUP(output_clear) struct output output = {0};
        CLEANUP_ERROR struct error err = {0};
        const struct hcl_value *value;
        struct places found = {0};

        if (!run_hcldec(run, false, &output))
                return;
        if (output.status == 0 && run->expected->diags.n == 0) {
                value = answer_value(run->arena, str_get(&output.out), &err);
                if (value)
                        compare_value(run, value);
                else
                        complain(run, "%s", error_message(&err));
        } else if (output.status != 0 && answer_diags(run->arena, str_get(&output.err), run->input, &found, &err) < 0) {
                complain(run, "%s", error_message(&err));
        } else {
                compare_places(run, &found, &run->expected->diags, false);
        }
}

static void run_input(struct suite *suite, struct arena *arena, const struct expected *expected, const char *spec,
                      const char *input)
{
        struct run run = {.arena = arena, .hcldec = suite->hcldec, .spec = spec, .input = input, .expected = expected};

        if (access(input, F_OK) != 0)
                return;
        if (expected->checks_references)
                check_references(&run);
        check_result(&run);
        printf("%s - %s\n", run.failed ? "not ok" : "ok", input);
        *(run.failed ? &suite->failed : &suite->passed) += 1;
}

static void run_case(struct suite *suite, const char *path)
{
        CLEANUP(arena_free) struct arena arena = {0};
        CLEANUP(source_text_freep) struct source_text *source = NULL;
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP_ERROR struct error err = {0};
        struct expected expected;
        const char *base = arena_strndup(&arena, path, strlen(path) - strlen(".t"));
        const char *spec = arena_printf(&arena, "%s.hcldec", base);

        if (source_text_read(path, &source, &err) < 0 || !expected_read(&arena, source, &expected, &diags)) {
                diags_print(&diags, stdout, false);
                printf("not ok - %s %s\n", path, err.code ? error_message(&err) : "");
                suite->failed++;
                return;
        }
        run_input(suite, &arena, &expected, spec, arena_printf(&arena, "%s.hcl", base));
        run_input(suite, &arena, &expected, spec, arena_printf(&arena, "%s.hcl.json", base));
}

/* ---- folders ---- */

static int by_name(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static void run_folder(struct suite *suite, const char *path)
{
        struct dirent **entries = NULL;
        int n = scandir(path, &entries, NULL, by_name);

        for (int i = 0; i < n; i++) {
                CLEANUP_FREE char *inner = xasprintf("%s/%s", path, entries[i]->d_name);
                struct stat st;

                if (entries[i]->d_name[0] != '.' && stat(inner, &st) == 0) {
                        if (S_ISDIR(st.st_mode))
                                run_folder(suite, inner);
                        else if (str_ends(inner, ".t"))
                                run_case(suite, inner);
                }
                free(entries[i]);
        }
        free(entries);
}

int main(int argc, char **argv)
{
        struct suite suite = {.hcldec = argc == 3 ? argv[1] : NULL};

        if (argc != 3) {
                fputs("usage: hclspecsuite HCLDEC FOLDER\n"
                      "Runs the cases (NAME.t) in the folder and those beneath it with the program hcldec.\n",
                      stderr);
                return 2;
        }
        if (access(argv[2], R_OK) != 0) {
                printf("%s: there are no cases\n", argv[2]);
                return 77;
        }
        setvbuf(stdout, NULL, _IOLBF, 0);
        run_folder(&suite, argv[2]);
        printf("# %zu passed, %zu failed\n", suite.passed, suite.failed);
        return suite.failed > 0 || suite.passed == 0;
}
