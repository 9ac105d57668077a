/* slipway release: tools installed the way that their makers ship them. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "cmd/cmd.h"
#include "cmd/release_place.h"
#include "release/release.h"

#define OPTION(option, kind, member, ...)                                                                              \
        {                                                                                                              \
                .name = (option), .type = (kind), .offset = offsetof(struct release_args, member), __VA_ARGS__         \
        }

static const char *const outputs[] = {"text", "json", NULL};

static const struct option_spec specs[] = {
        OPTION("prefix", OPTION_STRING, prefix, .argument = "DIR",
               .help = "The folder of releases (default /usr/local)"),
        OPTION("user", OPTION_BOOL, user, .help = "For yourself alone: in ~/.local/opt"),
        OPTION("root", OPTION_STRING, root, .argument = "DIR",
               .help = "In the system whose root is DIR, for its architecture"),
        OPTION("arch", OPTION_STRING, arch, .argument = "NAME", .help = "The architecture: x86_64, aarch64, armv6l..."),
        OPTION("force", OPTION_BOOL, force, .help = "install, use: replace what slipway did not make"),
        OPTION("edit-profile", OPTION_BOOL, edit_profile,
               .help = "-user: have your login shell's own file read what puts releases on PATH"),
        OPTION("no-validate", OPTION_BOOL, no_validate, .help = "install: do not try whether it runs"),
        OPTION("offline", OPTION_BOOL, offline, .help = "Take everything from the cache"),
        OPTION("base-url", OPTION_STRING, base_url, .argument = "URL",
               .help = "A mirror: in place of the entry's own base"),
        OPTION("catalogue", OPTION_STRING, catalogue, .argument = "DIR", .help = "A folder of more entries, NAME.hcl"),
        OPTION("url", OPTION_STRING, url, .argument = "URL",
               .help = "install NAME@VERSION from there, without an entry; ${version} and ${arch} are replaced"),
        OPTION("checksum", OPTION_STRING, checksum, .argument = "HEX", .help = "What it must have; also sha512:HEX"),
        OPTION("keyring", OPTION_STRING, keyring, .argument = "FILE",
               .help = "The makers' public keys, by which its signature must be good"),
        OPTION("strip", OPTION_INT, strip, .argument = "N", .help = "Leave out N folders at the archive's top"),
        OPTION("file", OPTION_STRING, file, .argument = "NAME",
               .help = "The download is one program, which gets this name"),
        OPTION("bin", OPTION_LIST, bin, .argument = "FOLDERS", .help = "Folders of the release that go on PATH"),
        OPTION("validate", OPTION_LIST, validate, .argument = "WORDS", .help = "A command that must succeed"),
        OPTION("o", OPTION_STRING, output, .argument = "FORMAT", .choices = outputs, .help = "text or json"),
};

static bool as_json(const struct release_args *args)
{
        return str_eq(args->output, "json");
}

static int print_json(json_t *root)
{
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
        return 0;
}

/* NAME[@SELECTOR]; both are the caller's to free. */
static int split(const char *argument, char **ret_name, char **ret_selector, struct error *err)
{
        const char *at = strchr(argument, '@');

        if (*argument == '\0' || at == argument)
                return error_set(err, EINVAL,
                                 "'%s' does not begin with the name of a tool: NAME[@VERSION], as in go@1.22.1",
                                 argument);
        if (at && at[1] == '\0')
                return error_set(err, EINVAL, "'%s' lacks the version: %s1.22.1, %slatest, or '%s~> 1.22'", argument,
                                 argument, argument, argument);
        *ret_name = xstrndup(argument, at ? (size_t)(at - argument) : strlen(argument));
        *ret_selector = at ? xstrdup(at + 1) : NULL;
        return 0;
}

/* ---- install, upgrade ---- */

struct wanted {
        const struct release_args *args;
        struct release_paths *paths;
        struct ui ui;
        char *cache;
};

static int wanted_open(struct wanted *wanted, struct error *err)
{
        ui_init(&wanted->ui, NULL);
        if (as_json(wanted->args))
                wanted->ui.machine_readable = false;
        wanted->paths->place.ui = as_json(wanted->args) ? NULL : &wanted->ui;
        return cache_dir(&wanted->cache, err);
}

static struct release_request request_of(const struct wanted *wanted, const char *name, const char *selector)
{
        const struct release_args *args = wanted->args;

        return (struct release_request){
                .name = name,
                .selector = selector,
                .machine = wanted->paths->machine,
                .base_url = args->base_url,
                .catalogue = args->catalogue,
                .url = args->url,
                .checksum = args->checksum,
                .keyring = args->keyring,
                .file = args->file,
                .bin = STRV(args->bin),
                .validate = STRV(args->validate),
                .strip = args->strip,
                .cache = wanted->cache,
                .network = args->offline ? RELEASE_OFFLINE : RELEASE_ASK,
                .ui = wanted->paths->place.ui,
        };
}

static void tell(const struct wanted *wanted, const struct release *release, bool was_there)
{
        const struct release_place *place = &wanted->paths->place;

        if (as_json(wanted->args)) {
                CLEANUP_FREE char *folder =
                        xasprintf("%s%s/%s-%s", place->root, place->prefix, release->name, release->version);

                print_json(json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "name", release->name, "version",
                                     release->version, "machine", release->machine, "url", release->url, "folder",
                                     folder, "was_installed", was_there));
                return;
        }
        printf("%s %s is in use: %s%s/%s\n", release->name, release->version, place->root, place->prefix,
               release->name);
        release_place_hint(wanted->paths, wanted->args->edit_profile, release->name);
}

static int install(const struct release_args *args, struct release_paths *paths, const char *name, const char *selector,
                   struct error *err)
{
        struct wanted wanted = {.args = args, .paths = paths};
        CLEANUP(release_clear) struct release release = {0};
        CLEANUP(release_archive_clear) struct release_archive archive = {.fd = -1};
        struct release_options options = {.force = args->force, .validate = !args->no_validate};
        struct release_request request;
        bool was_there = false;
        int r = wanted_open(&wanted, err);

        request = request_of(&wanted, name, selector);
        if (r == 0)
                r = release_resolve(&request, &release, err);
        if (r == 0)
                r = release_fetch(&request, &release, &archive, err);
        if (r == 0)
                r = release_install(&release, &archive, &paths->place, &options, &was_there, err);
        if (r == 0 && args->edit_profile)
                r = release_place_edit_profile(paths, err);
        if (r == 0)
                tell(&wanted, &release, was_there);
        free(wanted.cache);
        return r;
}

static int run_install(const struct release_args *args, struct release_paths *paths, char **words, struct error *err)
{
        CLEANUP_FREE char *name = NULL, *selector = NULL;
        int r = split(words[0], &name, &selector, err);

        if (r < 0)
                return r;
        if (args->url && !selector)
                return error_set(err, EINVAL, "-url needs to know the version: %s@VERSION", name);
        return install(args, paths, name, selector, err);
}

/* To the newest that the selector allows with which it was installed; an exact one allows no other, and is let go. */
static int run_upgrade(const struct release_args *args, struct release_paths *paths, char **words, struct error *err)
{
        CLEANUP(release_list_clear) struct release_list list = {0};
        CLEANUP_FREE char *name = NULL, *selector = NULL;
        const struct release_installed *installed;
        int r = split(words[0], &name, &selector, err);

        if (r == 0)
                r = release_list(&paths->place, &list, err);
        if (r < 0)
                return r;
        installed = release_list_find(&list, name, NULL);
        if (!installed)
                return error_set(err, ENOENT, "%s is not installed in '%s%s': slipway release install %s", name,
                                 paths->place.root, paths->place.prefix, name);
        if (!selector && strcspn(installed->selector, "~<>=!,") < strlen(installed->selector))
                selector = xstrdup(installed->selector);
        return install(args, paths, name, selector, err);
}

/* ---- ls, versions, show ---- */

static void print_installed(const struct release_installed *one)
{
        time_t then = (time_t)one->time_sec;
        struct tm tm;
        char when[32];

        strftime(when, sizeof(when), "%Y-%m-%d %H:%M", localtime_r(&then, &tm));
        printf("%-16s  %-16s  %-8s  %-11s  %s\n", one->name, one->version, one->machine, when,
               one->in_use ? "in use" : "");
}

static int run_ls(const struct release_args *args, struct release_paths *paths, char **words, struct error *err)
{
        CLEANUP(release_list_clear) struct release_list list = {0};
        json_t *out = as_json(args) ? json_array() : NULL;
        int r = release_list(&paths->place, &list, err);

        for (size_t i = 0; r == 0 && i < list.list.n; i++) {
                const struct release_installed *one = &list.list.v[i];

                if (words[0] && strcmp(words[0], one->name) != 0)
                        continue;
                if (out)
                        json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I}", "name",
                                                             one->name, "version", one->version, "machine",
                                                             one->machine, "url", one->url, "sha256", one->sha256,
                                                             "selector", one->selector, "in_use", one->in_use,
                                                             "installed_sec", (json_int_t)one->time_sec));
                else
                        print_installed(one);
        }
        if (out)
                print_json(out);
        else if (r == 0 && list.list.n == 0)
                fprintf(stderr, "nothing is installed in '%s%s'\n", paths->place.root, paths->place.prefix);
        return r;
}

static const struct release_installed *find_version(const struct release_list *list, const char *name,
                                                    const char *version)
{
        for (size_t i = 0; i < list->list.n; i++)
                if (strcmp(list->list.v[i].name, name) == 0 && strcmp(list->list.v[i].version, version) == 0)
                        return &list->list.v[i];
        return NULL;
}

static int run_versions(const struct release_args *args, struct release_paths *paths, char **words, struct error *err)
{
        struct wanted wanted = {.args = args, .paths = paths};
        CLEANUP(release_list_clear) struct release_list list = {0};
        CLEANUP_STRV char **versions = NULL;
        struct release_request request;
        json_t *out = as_json(args) ? json_array() : NULL;
        int r = wanted_open(&wanted, err);

        request = request_of(&wanted, words[0], NULL);
        request.ui = NULL; /* the list alone */
        if (r == 0)
                r = release_versions(&request, &versions, err);
        free(wanted.cache);
        if (r == 0)
                r = release_list(&paths->place, &list, err);
        for (char **version = versions; r == 0 && version && *version; version++) {
                const struct release_installed *one = find_version(&list, words[0], *version);

                if (out)
                        json_array_append_new(out, json_pack("{s:s, s:b, s:b}", "version", *version, "installed",
                                                             one != NULL, "in_use", one && one->in_use));
                else
                        printf("%s%s\n", *version, !one ? "" : one->in_use ? "  in use" : "  installed");
        }
        if (out)
                print_json(out);
        return r;
}

static int run_show(const struct release_args *args, struct release_paths *paths, char **words, struct error *err)
{
        CLEANUP_STRV char **names = NULL;
        CLEANUP_FREE char *text = NULL, *path = NULL;
        int r = words[0] ? release_entry_text(words[0], args->catalogue, &text, &path, err) : 0;

        (void)paths;
        if (r < 0)
                return r;
        if (text) {
                fputs(text, stdout);
                return 0;
        }
        names = release_names(args->catalogue);
        for (char **name = names; name && *name; name++) {
                CLEANUP_FREE char *title = release_title(*name, args->catalogue);

                printf("%-16s  %s\n", *name, title ? title : "");
        }
        return 0;
}

/* ---- use, rm, verify ---- */

static int find_installed(const struct release_args *args, struct release_paths *paths, const char *argument,
                          struct release_list *list, const struct release_installed **ret, struct error *err)
{
        CLEANUP_FREE char *name = NULL, *selector = NULL;
        int r = split(argument, &name, &selector, err);

        (void)args;
        if (r == 0)
                r = release_list(&paths->place, list, err);
        if (r < 0)
                return r;
        *ret = release_list_find(list, name, selector);
        return *ret ? 0
                    : error_set(err, ENOENT, "%s is not installed in '%s%s'; 'slipway release ls' lists what is",
                                argument, paths->place.root, paths->place.prefix);
}

static int run_use(const struct release_args *args, struct release_paths *paths, char **words, struct error *err)
{
        CLEANUP(release_list_clear) struct release_list list = {0};
        const struct release_installed *one;
        int r = find_installed(args, paths, words[0], &list, &one, err);

        if (r == 0)
                r = release_use(&paths->place, one, args->force, err);
        if (r == 0 && args->edit_profile)
                r = release_place_edit_profile(paths, err);
        if (r == 0)
                printf("%s %s is in use: %s%s/%s\n", one->name, one->version, paths->place.root, paths->place.prefix,
                       one->name);
        return r;
}

static int run_rm(const struct release_args *args, struct release_paths *paths, char **words, struct error *err)
{
        CLEANUP(release_list_clear) struct release_list list = {0};
        const struct release_installed *one;
        size_t left = 0;
        int r;

        if (!strchr(words[0], '@'))
                return error_set(err, EINVAL, "which version? %s@VERSION; 'slipway release ls' lists them", words[0]);
        r = find_installed(args, paths, words[0], &list, &one, err);
        if (r == 0)
                r = release_remove(&paths->place, one, &left, err);
        if (r < 0)
                return r;
        printf("%s %s is removed\n", one->name, one->version);
        if (left > 0)
                printf("%zu file%s in '%s%s/%s' %s not of the release, and stay%s\n", left, left == 1 ? "" : "s",
                       paths->place.root, paths->place.prefix, one->folder, left == 1 ? "is" : "are",
                       left == 1 ? "s" : "");
        return 0;
}

static void add_finding(void *arg, const char *what, const char *path)
{
        CLEANUP_FREE char *shown = str_printable(path);

        if (arg)
                json_array_append_new(arg, json_pack("{s:s, s:s}", "path", path, "problem", what));
        else
                printf("%-12s  %s\n", what, shown);
}

/* Every version of the name, or the one. */
static int run_verify(const struct release_args *args, struct release_paths *paths, char **words, struct error *err)
{
        CLEANUP(release_list_clear) struct release_list list = {0};
        const struct release_installed *one;
        json_t *out = as_json(args) ? json_array() : NULL;
        int r = find_installed(args, paths, words[0], &list, &one, err);

        if (r == 0)
                r = release_verify(&paths->place, one, add_finding, out, err);
        if (out)
                print_json(out);
        else if (r == 0)
                printf("%s %s is as it was installed\n", one->name, one->version);
        if (r > 0)
                return error_set(err, EBADMSG,
                                 "%d files of %s %s are not as they were installed; 'slipway release install -force "
                                 "%s@%s' mends them",
                                 r, one->name, one->version, one->name, one->version);
        return r;
}

/* ---- the verbs ---- */

static const struct verb {
        const char *name;
        int min, max; /* arguments */
        int (*run)(const struct release_args *args, struct release_paths *paths, char **words, struct error *err);
} verbs[] = {
        {"install", 1, 1, run_install}, {"ls", 0, 1, run_ls},           {"versions", 1, 1, run_versions},
        {"use", 1, 1, run_use},         {"upgrade", 1, 1, run_upgrade}, {"rm", 1, 1, run_rm},
        {"verify", 1, 1, run_verify},   {"show", 0, 1, run_show},
};
enum { N_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static const char *const *words(void)
{
        static const char *names[N_VERBS + 1];

        for (size_t i = 0; i < N_VERBS; i++)
                names[i] = verbs[i].name;
        return names;
}

/* What is wrong with the command line. */
static int wrong_words(const struct command *command, const char *verb, int n)
{
        if (!strv_has(words(), verb))
                return command_unknown_word(command, "verb", verb, words());
        for (size_t i = 0; i < N_VERBS; i++)
                if (strcmp(verbs[i].name, verb) == 0)
                        fprintf(stderr, "slipway release %s: %s\n", verb,
                                n < verbs[i].min
                                        ? "the name of a tool was expected; 'slipway release show' lists those of the "
                                          "catalogue, 'slipway release ls' what is installed"
                                        : "one name was expected, and more were given");
        fprintf(stderr, "Try 'slipway %s -help'.\n", command->name);
        return EXIT_USAGE;
}

static int run(const struct command *command, int argc, char **argv)
{
        CLEANUP(release_paths_clear) struct release_paths paths = {0};
        CLEANUP(release_args_clear) struct release_args args = {.strip = -1};
        CLEANUP_ERROR struct error err = {0};
        int exit_code, first = options_parse_anywhere(command, argc, argv, &args, &exit_code), n = argc - first - 1;

        if (first < 0)
                return exit_code;
        for (size_t i = 0; n >= 0 && i < N_VERBS; i++) {
                if (strcmp(verbs[i].name, argv[first]) != 0 || n < verbs[i].min || n > verbs[i].max)
                        continue;
                cancel_install();
                if (release_paths_find(&args, &paths, &err) < 0 ||
                    verbs[i].run(&args, &paths, argv + first + 1, &err) < 0)
                        return command_fail(&err);
                return 0;
        }
        if (n >= 0)
                return wrong_words(command, argv[first], n);
        command_usage(command, false);
        return EXIT_USAGE;
}

const struct command command_release = {
        .name = "release",
        .arguments = "install|upgrade|use|rm|verify|versions|ls|show [NAME[@VERSION]]",
        .summary = "Install tools the way that their makers ship them",
        .help = "  install NAME[@VERSION]  fetch it, verify it, unpack it to PREFIX/NAME-VERSION, and use it\n"
                "  upgrade NAME[@VERSION]  the newest version that is allowed, beside those that are there\n"
                "  use NAME@VERSION        another one of those that are installed\n"
                "  rm NAME@VERSION         remove what was installed, and nothing else\n"
                "  verify NAME[@VERSION]   compare each file with what was installed\n"
                "  versions NAME           what there is\n"
                "  ls [NAME]               what is installed\n"
                "  show [NAME]             the catalogue, or one entry of it\n\n"
                "VERSION is exact (1.22.1), \"latest\", or a constraint (\"~> 1.22\", \">= 20, < 21\"). Without "
                "-prefix, -user\n"
                "or -root it is the whole machine's: in /usr/local, on PATH by /etc/profile.d.",
        .words = words,
        OPTIONS(specs),
        .run = run,
};
