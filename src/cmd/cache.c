/* slipway cache: what the cache holds, and looking after it. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/size.h"
#include "base/str.h"
#include "build/stock.h"
#include "cmd/cmd.h"
#include "lang/schema.h"

struct options {
        const char *output, *max_size, *older_than;
        bool all, dry_run, remove;
};

static const char *const outputs[] = {"text", "json", NULL};

static const struct option_spec specs[] = {
        {"o", OPTION_STRING, offsetof(struct options, output), "FORMAT", outputs, "text or json"},
        {"max-size", OPTION_STRING, offsetof(struct options, max_size), "SIZE", NULL,
         "prune: until the cache is no larger than this (20G), what was used longest ago first"},
        {"older-than", OPTION_STRING, offsetof(struct options, older_than), "DURATION", NULL,
         "prune: what was not used for so long (720h)"},
        {"all", OPTION_BOOL, offsetof(struct options, all), NULL, NULL, "prune: everything that no running build uses"},
        {"dry-run", OPTION_BOOL, offsetof(struct options, dry_run), NULL, NULL,
         "prune: only say what would be removed"},
        {"remove", OPTION_BOOL, offsetof(struct options, remove), NULL, NULL, "verify: remove what is damaged"},
};

enum { KEY_SHOWN = 12 };

static void print_json(json_t *root)
{
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
}

static json_t *items_json(const struct stock *stock)
{
        json_t *list = json_array();

        for (size_t i = 0; i < stock->items.n; i++) {
                const struct stock_item *item = &stock->items.v[i];

                json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:I,s:I,s:s?}", "kind", item->kind, "key",
                                                      item->key, "path", item->path, "bytes", (json_int_t)item->bytes,
                                                      "used", (json_int_t)item->used_sec, "what", item->what));
        }
        return list;
}

static void print_items(const struct stock *stock)
{
        for (size_t i = 0; i < stock->items.n; i++) {
                const struct stock_item *item = &stock->items.v[i];
                time_t used = (time_t)item->used_sec;
                struct tm tm;
                char when[32];

                strftime(when, sizeof(when), "%Y-%m-%d %H:%M", localtime_r(&used, &tm));
                printf("%-8s  %.*s  %10s  %s  %s\n", item->kind, KEY_SHOWN, item->key, size_show(item->bytes), when,
                       item->what ? item->what : "");
        }
}

/* ---- ls, du ---- */

static int ls(const struct options *options, struct error *err)
{
        CLEANUP(stock_clear) struct stock stock = {0};
        int r = stock_list(&stock, err);

        if (r < 0)
                return r;
        if (str_eq(options->output, "json"))
                print_json(items_json(&stock));
        else
                print_items(&stock);
        return 0;
}

static int du(const struct options *options, struct error *err)
{
        CLEANUP(stock_clear) struct stock stock = {0};
        json_t *kinds = json_object();
        uint64_t limit;
        int r = stock_limit(&limit, err);
        bool text = !str_eq(options->output, "json");

        if (r == 0)
                r = stock_list(&stock, err);
        for (const char *const *kind = stock_kinds; r == 0 && *kind; kind++) {
                uint64_t bytes = 0;
                size_t n = 0;

                for (size_t i = 0; i < stock.items.n; i++)
                        if (strcmp(stock.items.v[i].kind, *kind) == 0) {
                                bytes += stock.items.v[i].bytes;
                                n++;
                        }
                if (text)
                        printf("%-8s  %6zu  %10s\n", *kind, n, size_show(bytes));
                json_object_set_new(kinds, *kind,
                                    json_pack("{s:I,s:I}", "n", (json_int_t)n, "bytes", (json_int_t)bytes));
        }
        if (r == 0 && text)
                printf("%-8s  %6zu  %10s%s%s\n", "all", stock.items.n, size_show(stock.bytes),
                       limit == UINT64_MAX ? "" : ", limit ", limit == UINT64_MAX ? "" : size_show(limit));
        else if (r == 0)
                print_json(json_pack("{s:O,s:I,s:o}", "kinds", kinds, "bytes", (json_int_t)stock.bytes, "limit",
                                     limit == UINT64_MAX ? json_null() : json_integer((json_int_t)limit)));
        json_decref(kinds);
        return r;
}

/* ---- prune ---- */

static int limits_of(const struct options *options, struct stock_limits *ret, struct error *err)
{
        int64_t age_ms = 0;
        int r = stock_limit(&ret->max_bytes, err);

        ret->dry_run = options->dry_run;
        if (r == 0 && options->max_size)
                r = size_parse(options->max_size, &ret->max_bytes, err);
        if (r == 0 && options->older_than)
                r = duration_parse(options->older_than, &age_ms, err);
        if (r < 0)
                return r;
        if (options->older_than)
                ret->before_sec = time(NULL) - age_ms / 1000;
        if (options->all)
                ret->max_bytes = 0;
        if (ret->max_bytes == UINT64_MAX && ret->before_sec == 0)
                return error_set(err, EINVAL,
                                 "nothing says what may go: give -max-size, -older-than or -all, or set "
                                 "SLIPWAY_CACHE_LIMIT");
        return 0;
}

static int prune(const struct options *options, struct error *err)
{
        CLEANUP(stock_clear) struct stock gone = {0};
        struct stock_limits limits = {0};
        int r = limits_of(options, &limits, err);

        if (r < 0)
                return r;
        r = stock_prune(&limits, &gone, err);
        if (r < 0 && gone.items.n == 0)
                return r;
        if (str_eq(options->output, "json")) {
                print_json(items_json(&gone));
                return r;
        }
        print_items(&gone);
        printf("%s %zu, %s\n", options->dry_run ? "Would remove" : "Removed", gone.items.n, size_show(gone.bytes));
        if (gone.busy_since_sec != 0)
                puts("A build is running: what was used since it began stays.");
        return r;
}

/* ---- verify ---- */

static void add_finding(void *arg, const struct stock_item *item, const char *problem)
{
        if (arg)
                json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:s}", "kind", item->kind, "key", item->key, "path",
                                                     item->path, "problem", problem));
        else
                printf("%s '%s': %s\n", item->kind, item->path, problem);
}

/* Damage is exit code 1. */
static int verify(const struct options *options, struct error *err)
{
        json_t *list = str_eq(options->output, "json") ? json_array() : NULL;
        int r = stock_verify(options->remove, add_finding, list, err);

        if (list)
                print_json(list);
        else if (r == 0)
                puts("Nothing is damaged.");
        if (r > 0 && !options->remove)
                return error_set(err, EBADMSG, "%d damaged; -remove takes them out, and the next build makes them anew",
                                 r);
        return r < 0 ? r : 0;
}

static const struct action {
        const char *name;
        int (*run)(const struct options *options, struct error *err);
} actions[] = {{"ls", ls}, {"du", du}, {"prune", prune}, {"verify", verify}};

static const char *const action_names[] = {"ls", "du", "prune", "verify", NULL};

static const char *const *words(void)
{
        return action_names;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};
        CLEANUP_ERROR struct error err = {0};
        int exit_code, first = options_parse_anywhere(command, argc, argv, &options, &exit_code);

        if (options_count(command, argc, first, 1, 1, &exit_code) < 0)
                return exit_code;
        for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
                if (strcmp(actions[i].name, argv[first]) != 0)
                        continue;
                cancel_install();
                return actions[i].run(&options, &err) < 0 ? command_fail(&err) : 0;
        }
        return command_unknown_word(command, "action", argv[first], action_names);
}

const struct command command_cache = {
        .name = "cache",
        .arguments = "ls|du|prune|verify",
        .summary = "See what the cache holds, and make room",
        .help = "ls lists what was downloaded, unpacked and built, what was used longest ago first; du adds it up;\n"
                "prune removes what was not used for long, never what a running build needs; verify looks for damage.\n"
                "With SLIPWAY_CACHE_LIMIT=20G in the environment each build prunes to that size when it has ended.",
        .words = words,
        OPTIONS(specs),
        .run = run,
};
