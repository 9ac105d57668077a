/* slipway plan: what a build would take from the cache, and what it would run and why. */
#include <jansson.h>
#include <stdio.h>

#include "base/str.h"
#include "build/build.h"
#include "cmd/template_args.h"

struct options {
        struct template_args template;
        const char *output;
        bool no_cache, no_accelerate;
};

static const char *const outputs[] = {"text", "json", NULL};
static const char *const states[] = {[PLAN_CACHED] = "cached", [PLAN_RUNS] = "runs", [PLAN_ALWAYS] = "always"};

static const struct option_spec specs[] = {
        TEMPLATE_VALUE_OPTIONS(options, template),
        TEMPLATE_BUILD_OPTIONS(options, template),
        TEMPLATE_LANGUAGE_OPTION(options, template),
        {"no-cache", OPTION_BOOL, offsetof(struct options, no_cache), NULL, NULL, "As `slipway build -no-cache` would"},
        {"no-accelerate", OPTION_BOOL, offsetof(struct options, no_accelerate), NULL, NULL,
         "As `slipway build -no-accelerate` would"},
        {"o", OPTION_STRING, offsetof(struct options, output), "FORMAT", outputs, "text or json"},
};

static json_t *plan_json(const char *build, const struct plan *plan)
{
        json_t *lines = json_array();

        for (size_t i = 0; i < plan->lines.n; i++)
                json_array_append_new(lines, json_pack("{s:s,s:s,s:s}", "what", plan->lines.v[i].what, "state",
                                                       states[plan->lines.v[i].state], "why", plan->lines.v[i].why));
        return json_pack("{s:s,s:o}", "build", build, "steps", lines);
}

static void print_plan(const char *build, const struct plan *plan)
{
        printf("%s\n", build);
        for (size_t i = 0; i < plan->lines.n; i++) {
                const struct plan_line *line = &plan->lines.v[i];

                printf("    %-8s %s%s%s\n", states[line->state], line->what, line->why[0] ? ": " : "", line->why);
        }
}

static int plan_builds(const struct template *t, const struct options *options, struct error *err)
{
        struct build_options build_options = {.no_cache = options->no_cache, .no_accelerate = options->no_accelerate};
        json_t *list = str_eq(options->output, "json") ? json_array() : NULL;
        int r = 0;

        ui_init(&build_options.ui, NULL);
        for (size_t i = 0; r == 0 && i < t->n_builds; i++) {
                struct plan plan = {0};

                r = build_plan(t, i, &build_options, &plan, err);
                if (r < 0)
                        error_wrap(err, r, "build '%s'", t->builds[i].name);
                else if (list)
                        json_array_append_new(list, plan_json(t->builds[i].name, &plan));
                else
                        print_plan(t->builds[i].name, &plan);
                plan_clear(&plan);
        }
        if (list && r == 0) {
                json_dumpf(list, stdout, JSON_INDENT(2));
                putchar('\n');
        }
        json_decref(list);
        return r;
}

static int plan(const char *path, const struct options *options)
{
        const struct template_options load = {.path = path, .evaluate_data = true};
        struct diags diags = {0};
        CLEANUP(template_freep) struct template *t = NULL;
        CLEANUP_ERROR struct error err = {0};
        bool good;

        t = template_args_load_builds(&options->template, load, &diags);
        diags_show(&diags, diags_color());
        good = t && diags.n_errors == 0;
        diags_clear(&diags);
        if (!good)
                return 1;
        return plan_builds(t, options, &err) < 0 ? command_fail(&err) : 0;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};
        int exit_code, first = options_parse_count(command, argc, argv, &options, 1, 1, &exit_code);

        if (first >= 0)
                exit_code = plan(argv[first], &options);
        template_args_clear(&options.template);
        return exit_code;
}

const struct command command_plan = {
        .name = "plan",
        .arguments = "TEMPLATE",
        .summary = "Show what a build would take from the cache, and what it would run and why",
        .help = "Nothing is fetched, run or written. The last build of the template tells what has changed since.",
        OPTIONS(specs),
        .run = run,
};
