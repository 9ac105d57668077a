/* slipway build: carry out a template. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/str.h"
#include "build/build.h"
#include "cmd/template_args.h"

struct options {
        struct template_args template;
        const char *on_error;
        bool color, force, debug, machine_readable, timestamp_ui, no_cache, no_accelerate, warn_undeclared;
        long parallel;
};

static const char *const on_error_choices[] = {"cleanup", "abort", "ask", "run-cleanup-provisioner", NULL};

static const struct option_spec specs[] = {
        TEMPLATE_VALUE_OPTIONS(options, template),
        TEMPLATE_BUILD_OPTIONS(options, template),
        TEMPLATE_LANGUAGE_OPTION(options, template),
        TEMPLATE_IGNORED_OPTIONS(options, template),
        TEMPLATE_OPTION(options, template, ignored, "skip-enforcement", OPTION_BOOL, ),
        {"warn-on-undeclared-var", OPTION_BOOL, offsetof(struct options, warn_undeclared), NULL, NULL,
         "HCL2: warn of values in files for variables that the template does not have"},
        {"force", OPTION_BOOL, offsetof(struct options, force), NULL, NULL, "Replace an existing image"},
        {"on-error", OPTION_STRING, offsetof(struct options, on_error), "WHAT", on_error_choices,
         "cleanup (default), abort, ask or run-cleanup-provisioner"},
        {"debug", OPTION_BOOL, offsetof(struct options, debug), NULL, NULL,
         "Wait for Enter before each step; one build at a time"},
        {"parallel-builds", OPTION_INT, offsetof(struct options, parallel), "N", NULL,
         "Builds at the same time; 0: no limit"},
        {"no-cache", OPTION_BOOL, offsetof(struct options, no_cache), NULL, NULL,
         "Run every step again, and keep what they do now"},
        {"no-accelerate", OPTION_BOOL, offsetof(struct options, no_accelerate), NULL, NULL,
         "Emulate all of a guest for another processor"},
        {"machine-readable", OPTION_BOOL, offsetof(struct options, machine_readable), NULL, NULL, "Output for scripts"},
        {"timestamp-ui", OPTION_BOOL, offsetof(struct options, timestamp_ui), NULL, NULL,
         "Put the time before each line"},
        {"color", OPTION_BOOL, offsetof(struct options, color), NULL, NULL,
         "Colours; on a terminal that is the default, -color=false turns them off"},
};

static struct build_options build_options_of(const struct options *options)
{
        struct build_options out = {
                .force = options->force,
                .debug = options->debug,
                .no_cache = options->no_cache,
                .no_accelerate = options->no_accelerate,
                .on_error = (enum on_error)options_choice(on_error_choices, options->on_error),
                .parallel = options->debug ? 1 : options->parallel,
        };

        ui_init(&out.ui, NULL);
        out.ui.machine_readable = options->machine_readable;
        out.ui.timestamps = options->timestamp_ui;
        out.ui.color = options->color && str_empty(getenv("PACKER_NO_COLOR"));
        return out;
}

static int build(const char *path, const struct options *options)
{
        const struct template_options load = {
                .path = path, .evaluate_data = true, .warn_undeclared = options->warn_undeclared};
        struct build_options build_options = build_options_of(options);
        struct diags diags = {0};
        struct template *t;
        int r;

        t = template_args_load_builds(&options->template, load, &diags);
        diags_show(&diags, build_options.ui.color);
        r = diags.n_errors > 0 ? -EINVAL : build_run(t, &build_options);
        diags_clear(&diags);
        template_free(t);
        return r;
}

static bool color_by_default(void)
{
        struct ui ui;

        ui_init(&ui, NULL);
        return ui.color;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {.color = color_by_default()};
        int exit_code, first = options_parse_count(command, argc, argv, &options, 1, 1, &exit_code), r;

        if (first >= 0) {
                cancel_install();
                r = build(argv[first], &options);
                exit_code = r == -ECANCELED ? 128 + cancel_signal() : r != 0;
        }
        template_args_clear(&options.template);
        return exit_code;
}

const struct command command_build = {
        .name = "build",
        .arguments = "TEMPLATE",
        .summary = "Build images from a template, without root",
        OPTIONS(specs),
        .run = run,
};
