/* The program: see hcldec.h. Exit codes are the original's: 2 after messages about files, 1 after others. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/vec.h"
#include "hcldec.h"

static const char help[] = "usage: hcldec --spec=SPEC-FILE [options] [HCL-FILE...]\n"
                           "Without files, standard input is read.\n"
                           "  -s, --spec=FILE    how to decode (required)\n"
                           "  -V, --vars=VALUES  variables: a JSON object, or a file; may be repeated\n"
                           "      --var-refs     describe the variables referred to, and decode nothing\n"
                           "      --with-type    put the type beside the value\n"
                           "      --keep-nulls   keep members of objects that are null\n"
                           "      --diags=json   messages as JSON\n"
                           "  -o, --out=FILE     write there, not to standard output\n"
                           "  -v, --version\n";

struct options {
        const char *spec, *out;
        bool json, references, with_type, keep_nulls;
        VEC(const char *) vars;
};

/* All that is read lives until the end. */
struct program {
        struct options options;
        struct arena arena;
        struct diags diags;
        VEC(struct source_text *) sources;
        VEC(struct value *) json;
        bool literal; /* nothing can be referred to: strings of JSON are no templates */
};

static void program_clear(struct program *program)
{
        vec_free(&program->options.vars);
        diags_clear(&program->diags);
        arena_free(&program->arena);
        for (size_t i = 0; i < program->json.n; i++)
                value_free(program->json.v[i]);
        vec_free(&program->json);
        for (size_t i = 0; i < program->sources.n; i++)
                source_text_free(program->sources.v[i]);
        vec_free(&program->sources);
}

static int parse_options(int argc, char **argv, struct options *options)
{
        enum { DIAGS = 256, VAR_REFS, WITH_TYPE, KEEP_NULLS };
        static const struct option longs[] = {
                {"spec", required_argument, NULL, 's'},
                {"out", required_argument, NULL, 'o'},
                {"vars", required_argument, NULL, 'V'},
                {"diags", required_argument, NULL, DIAGS},
                {"var-refs", no_argument, NULL, VAR_REFS},
                {"with-type", no_argument, NULL, WITH_TYPE},
                {"keep-nulls", no_argument, NULL, KEEP_NULLS},
                {"version", no_argument, NULL, 'v'},
                {0},
        };
        int c;

        while ((c = getopt_long(argc, argv, "s:o:V:v", longs, NULL)) != -1) {
                if (c == 's')
                        options->spec = optarg;
                else if (c == 'o')
                        options->out = optarg;
                else if (c == 'V')
                        vec_push(&options->vars, optarg);
                else if (c == DIAGS && str_eq(optarg, "json"))
                        options->json = true;
                else if (c == VAR_REFS)
                        options->references = true;
                else if (c == WITH_TYPE)
                        options->with_type = true;
                else if (c == KEEP_NULLS)
                        options->keep_nulls = true;
                else if (c == 'v')
                        return puts(SLIPWAY_VERSION) < 0;
                else
                        return fputs(help, stderr) < 0 ? 1 : 2;
        }
        if (!options->spec)
                fputs("Error: the --spec=... argument is required\n", stderr);
        return options->spec ? -1 : 1;
}

/* ---- reading ---- */

static const struct source_text *add_source(struct program *program, struct source_text *source)
{
        vec_push(&program->sources, source);
        return source;
}

static const struct source_text *read_source(struct program *program, const char *path)
{
        CLEANUP_ERROR struct error err = {0};
        struct source_text *source = NULL;

        if (source_text_read(path, &source, &err) < 0) {
                diag_error(&program->diags, NO_RANGE, "%s", error_message(&err));
                return NULL;
        }
        return add_source(program, source);
}

/* Strings of JSON as texts, not templates: what they say is escaped, so that it comes out as it stands. */
static void take_literally(struct value *json)
{
        struct str text = {0};

        for (size_t i = 0; json->type == VALUE_LIST && i < json->list.n; i++)
                take_literally(json->list.v[i]);
        for (size_t i = 0; json->type == VALUE_OBJECT && i < json->object.n; i++)
                take_literally(json->object.v[i].value);
        if (json->type != VALUE_STRING)
                return;
        for (const char *s = json->string; *s; s++) {
                if ((*s == '$' || *s == '%') && s[1] == '{')
                        str_addc(&text, *s);
                str_addc(&text, *s);
        }
        free(json->string);
        json->string = str_steal(&text);
}

static const struct hcl_body *parse(struct program *program, const struct source_text *source, bool is_json)
{
        struct value *json = NULL;
        const struct hcl_body *body;

        if (!source)
                return NULL;
        if (!is_json)
                return hcl_parse(&program->arena, source, &program->diags);
        body = hcl_parse_json(&program->arena, source, &json, &program->diags);
        vec_push(&program->json, json);
        if (json && program->literal)
                take_literally(json);
        return body;
}

static const struct hcl_body *read_vars(struct program *program, const char *argument)
{
        const char *trimmed = argument + strspn(argument, " \t\r\n");

        if (*trimmed == '{')
                return parse(program,
                             add_source(program, source_text_new("<vars argument>", argument, strlen(argument))), true);
        return parse(program, read_source(program, argument), str_ends(argument, ".json"));
}

/* The specification's variables, and those of --vars after them. */
static const struct hcl_value *all_variables(struct program *program, const struct hcl_value *variables)
{
        VEC(struct hcl_string) keys = {0};
        VEC(const struct hcl_value *) v = {0};
        const struct hcl_value *ret;

        for (size_t i = 0; i < variables->list.n; i++) {
                vec_push(&keys, variables->list.keys[i]);
                vec_push(&v, variables->list.v[i]);
        }
        for (size_t i = 0; i < program->options.vars.n; i++) {
                const struct hcl_body *body = read_vars(program, program->options.vars.v[i]);
                struct hcl_content content = {0};

                if (body)
                        hcl_body_attributes(&program->arena, body, &content, &program->diags);
                for (size_t j = 0; j < content.n_attrs; j++) {
                        const char *name = content.attrs[j].name;

                        vec_push(&keys, (struct hcl_string){.s = name, .len = strlen(name)});
                        vec_push(&v, hcl_eval(&program->arena, content.attrs[j].expr, NULL, &program->diags));
                }
        }
        ret = hcl_object_value(&program->arena, arena_memdup(&program->arena, keys.v, keys.n * sizeof(*keys.v)),
                               arena_memdup(&program->arena, v.v, v.n * sizeof(*v.v)), v.n);
        vec_free(&keys);
        vec_free(&v);
        return ret->list.n > 0 ? ret : NULL;
}

static struct bodies read_files(struct program *program, char **paths, size_t n)
{
        static char *const standard_input[] = {(char *)"-", NULL};
        size_t count = n > 0 ? n : 1;
        const struct hcl_body **v = arena_array(&program->arena, count, sizeof(const struct hcl_body *));

        for (size_t i = 0; i < count; i++) {
                const char *path = n > 0 ? paths[i] : standard_input[i];

                v[i] = parse(program, read_source(program, path), str_ends(path, ".json"));
        }
        return (struct bodies){.v = v, .n = count};
}

/* ---- writing ---- */

static int write_result(const struct program *program, const char *text)
{
        FILE *file = program->options.out ? fopen(program->options.out, "we") : stdout;
        bool failed;

        if (!file) {
                fprintf(stderr, "Error: cannot open %s for writing\n", program->options.out);
                return 1;
        }
        failed = fprintf(file, "%s\n", text) < 0 || fflush(file) != 0;
        if (file != stdout)
                fclose(file);
        return failed;
}

static int write_diags(struct program *program)
{
        if (program->options.json)
                fprintf(stderr, "%s\n", json_diags(&program->arena, &program->diags));
        else
                diags_print(&program->diags, stderr, false);
        return 2;
}

static int run(struct program *program, char **paths, size_t n)
{
        struct arena *arena = &program->arena;
        struct spec_file file = {0};
        struct hcl_scope scope = {0};
        struct hcl_traversals references;
        struct bodies bodies;
        const struct hcl_value *value;
        const struct source_text *source = read_source(program, program->options.spec);
        const char *text;

        if (!source || !spec_read(arena, source, &file, &program->diags))
                return write_diags(program);
        scope = (struct hcl_scope){.functions = file.functions,
                                   .n_functions = file.n_functions,
                                   .variables = all_variables(program, file.variables)};
        program->literal = !scope.variables && scope.n_functions == 0;
        bodies = read_files(program, paths, n);
        if (program->diags.n_errors > 0)
                return write_diags(program);
        if (program->options.references) {
                references = decode_references(arena, &bodies, file.root);
                return write_result(program, json_traversals(arena, &references, &scope));
        }
        value = decode(arena, &bodies, file.root, &scope, &program->diags);
        if (program->diags.n_errors > 0)
                return write_diags(program);
        text = json_value(arena, value, program->options.with_type, program->options.keep_nulls);
        if (text)
                return write_result(program, text);
        fputs("Error: value is not known\n", stderr);
        return 1;
}

int main(int argc, char **argv)
{
        CLEANUP(program_clear) struct program program = {0};
        int r = parse_options(argc, argv, &program.options);

        return r >= 0 ? r : run(&program, argv + optind, (size_t)(argc - optind));
}
