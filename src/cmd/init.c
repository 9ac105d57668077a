/* slipway init: a starter template for a board; or, as Packer's: are the
 * plug-ins there that a template requires? Nothing is installed: what Packer
 * has in plug-ins is built in, or an executable. */
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "cmd/boards.h"
#include "cmd/cmd.h"
#include "cmd/required.h"
#include "cmd/template_args.h"

struct options {
        bool list, upgrade, force;
        struct template_args ignored;
};

#define OPTION(option, kind, member, ...)                                                                              \
        {                                                                                                              \
                .name = (option), .type = (kind), .offset = offsetof(struct options, member), __VA_ARGS__              \
        }
static const struct option_spec specs[] = {
        OPTION("list", OPTION_BOOL, list, .help = "List the boards"),
        OPTION("force", OPTION_BOOL, force, .help = "Write the starter template over one that is there"),
        OPTION("upgrade", OPTION_BOOL, upgrade, ),
        TEMPLATE_ALL_IGNORED(options, ignored),
};

static int check_plugins(const char *path)
{
        CLEANUP(template_module_freep) struct template_module *module = required_load(path);
        struct template_plugins plugins;
        bool missing = false;

        if (!module)
                return 1;
        plugins = template_module_plugins(module);
        if (plugins.n == 0)
                required_none();
        for (size_t i = 0; i < plugins.n; i++)
                missing = !required_report(&plugins.v[i]) || missing;
        return missing;
}

/* A template, or the name of a board? */
static bool is_path(const char *argument)
{
        return strchr(argument, '/') || str_ends(argument, ".hcl") || str_ends(argument, ".json") ||
               strcmp(argument, "-") == 0 || path_exists(argument);
}

static int start_board(const char *name, const char *folder, bool force)
{
        const struct board *board = board_find(name);
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *path = NULL;

        if (!board) {
                const char *nearest = board_nearest(name);

                command_complain("Error: there is no template '%s', and no board of this name%s%s%s\n"
                                 "'slipway help init' lists the boards.",
                                 name, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
                return 1;
        }
        if (board_write(board, folder, force, &path, &err) < 0)
                return command_fail(&err);
        command_say("%s: %s\nLook through it, then: slipway build %s", path, board->title, path);
        return 0;
}

static void print_boards(FILE *stream)
{
        fputs("\nBoards:\n\n", stream);
        for (size_t i = 0; i < boards_n; i++)
                fprintf(stream, "  %-24s %s\n", boards[i].name, boards[i].title);
}

static int list_boards(void)
{
        for (size_t i = 0; i < boards_n; i++)
                command_say("%-24s %s", boards[i].name, boards[i].title);
        return 0;
}

static const char *const *board_names(void)
{
        static const char **names;

        if (!names)
                names = xcalloc(boards_n + 1, sizeof(*names));
        for (size_t i = 0; i < boards_n; i++)
                names[i] = boards[i].name;
        return names;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};
        int exit_code, first = options_parse_count(command, argc, argv, &options, 0, 2, &exit_code);

        template_args_clear(&options.ignored);
        if (first < 0)
                return exit_code;
        if (options.list && argc == first)
                return list_boards();
        if (!options.list && argc - first == 1 && is_path(argv[first]))
                return check_plugins(argv[first]);
        if (!options.list && (argc - first == 1 || argc - first == 2))
                return start_board(argv[first], first + 1 < argc ? argv[first + 1] : ".", options.force);
        command_usage(command, false);
        return EXIT_USAGE;
}

const struct command command_init = {
        .name = "init",
        .arguments = "BOARD [FOLDER] | TEMPLATE|FOLDER",
        .summary = "Start a template for a board, or check the plugins that a template requires",
        .help = "  With the name of a board, writes a template to start from into FOLDER, or here.\n\n"
                "  With a template (anything that is a file or a folder, or ends in .hcl or .json), says of each "
                "plugin\n"
                "  in its required_plugins what of it is built in, or which executable stands for it. Exit code 1\n"
                "  if one is missing. Nothing is downloaded.",
        .more_help = print_boards,
        .words = board_names,
        OPTIONS(specs),
        .run = run,
};
