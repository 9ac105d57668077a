/* See plugin.h. The contract follows the manner of nbdkit-sh-plugin(3): the
 * method is an argument, and the exit code tells "failed" from "cannot". */
#include "base/plugin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/tail.h"

enum { DESCRIBE_MS = 10000, ANSWER_MAX_BYTES = 16 << 20, CHUNK_BYTES = 1 << 20 };

const char *const plugin_key_types[] = {"string",  "bool", "int",        "size",  "duration",
                                        "strings", "ints", "string_map", "value", NULL};

static const char *const prefixes[] = {"slipway", "packer"};

enum { N_PREFIXES = sizeof(prefixes) / sizeof(prefixes[0]) };

const char *plugin_kind_name(enum plugin_kind kind)
{
        static const char *const names[] = {"provisioner", "post-processor", "data-source"};

        return names[kind];
}

static void add_list(char ***dirs, const char *variable)
{
        const char *value = getenv(variable);
        CLEANUP_STRV char **parts = NULL;

        if (str_empty(value))
                return;
        parts = str_split(value, ":");
        for (char **part = parts; *part; part++)
                if (**part)
                        strv_add(dirs, *part);
}

static char **search_folders(void)
{
        const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        char **dirs = NULL;

        strv_add(&dirs, "./plugins");
        add_list(&dirs, "SLIPWAY_PLUGIN_PATH");
        add_list(&dirs, "PACKER_PLUGIN_PATH");
        if (!str_empty(config))
                strv_addf(&dirs, "%s/slipway/plugins", config);
        else if (!str_empty(home))
                strv_addf(&dirs, "%s/.config/slipway/plugins", home);
        add_list(&dirs, "PATH");
        return dirs;
}

static bool is_name(const char *name)
{
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

        return *name && strspn(name, letters) == strlen(name);
}

/* The first regular file of a right name; *ret_usable says whether it may be run. */
static char *find(enum plugin_kind kind, const char *name, bool *ret_usable)
{
        CLEANUP_STRV char **dirs = search_folders();
        CLEANUP_FREE char *unusable = NULL;

        if (!is_name(name))
                return NULL;
        for (char **dir = dirs; *dir; dir++)
                for (size_t i = 0; i < N_PREFIXES; i++) {
                        CLEANUP_FREE char *path =
                                xasprintf("%s/%s-%s-%s", *dir, prefixes[i], plugin_kind_name(kind), name);
                        struct stat st;

                        if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
                                continue;
                        if (access(path, X_OK) == 0) {
                                *ret_usable = true;
                                return steal(&path);
                        }
                        if (!unusable)
                                unusable = steal(&path);
                }
        *ret_usable = false;
        return steal(&unusable);
}

char *plugin_find(enum plugin_kind kind, const char *name)
{
        bool usable = false;
        CLEANUP_FREE char *path = find(kind, name, &usable);

        return usable ? steal(&path) : NULL;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of files PREFIX-KIND-NAME of a folder; whether they may be run is for find() to see. */
static void add_names(char ***names, const char *dir, enum plugin_kind kind)
{
        CLEANUP_CLOSEDIR DIR *stream = opendir(dir);
        const struct dirent *entry;

        while (stream && (entry = readdir(stream))) {
                for (size_t i = 0; i < N_PREFIXES; i++) {
                        CLEANUP_FREE char *start = xasprintf("%s-%s-", prefixes[i], plugin_kind_name(kind));
                        const char *name = entry->d_name + strlen(start);

                        if (str_starts(entry->d_name, start) && is_name(name) && !strv_has(STRV(*names), name))
                                strv_add(names, name);
                }
        }
}

char **plugin_list(enum plugin_kind kind)
{
        CLEANUP_STRV char **dirs = search_folders(), **names = NULL;
        char **paths = NULL;

        for (char **dir = dirs; *dir; dir++)
                add_names(&names, *dir, kind);
        if (names)
                qsort(names, strv_len(STRV(names)), sizeof(*names), compare_names);
        for (char **name = names; name && *name; name++) {
                char *path = plugin_find(kind, *name);

                if (path)
                        strv_take(&paths, path);
        }
        return paths;
}

struct answer {
        const struct plugin_call *call;
        struct str out;
        struct tail tail; /* of standard error */
        bool too_long;
};

static void answer_done(struct answer *answer)
{
        str_clear(&answer->out);
        tail_clear(&answer->tail);
}

static void answer_line(void *arg, bool is_stderr, const char *line)
{
        struct answer *answer = arg;
        size_t n = strlen(line);

        if (!is_stderr) {
                answer->too_long = answer->too_long || answer->out.len + n > ANSWER_MAX_BYTES;
                if (answer->too_long)
                        return;
                str_addn(&answer->out, line, n);
                if (n < CHUNK_BYTES) /* else spawn cut a longer line here */
                        str_addc(&answer->out, '\n');
                return;
        }
        tail_add(&answer->tail, line);
        if (answer->call->on_message)
                answer->call->on_message(answer->call->arg, line);
}

/* The input as a file in memory: nothing to pump, and no pipe to block on. */
static int write_input(const json_t *input, int *ret_fd, struct error *err)
{
        CLEANUP_CLOSE int fd = memfd_create("plugin-input", MFD_CLOEXEC);
        CLEANUP_FREE char *text = input ? json_dumps(input, JSON_COMPACT) : xstrdup("{}");
        int r;

        if (fd < 0)
                return error_errno(err, errno, "create a file in memory");
        if (!text)
                return error_set(err, EINVAL, "cannot write the input as JSON (text that is not UTF-8?)");
        r = fd_write_all(fd, text, strlen(text));
        if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return error_errno(err, r < 0 ? -r : errno, "write a file in memory");
        *ret_fd = steal_fd(&fd);
        return 0;
}

static int fail(const struct answer *answer, int status, struct error *err)
{
        int r;

        if (status == 2)
                r = error_set(err, EOPNOTSUPP, "does not support this method (exit code 2)");
        else if (status == 1 && answer->tail.n == 0)
                r = error_set(err, EIO, "failed (exit code 1) and did not say why on standard error");
        else if (status == 1 && answer->tail.n == 1)
                return error_set(err, EIO, "%s", tail_last(&answer->tail));
        else if (status == 1)
                r = error_set(err, EIO, "failed");
        else if (status > 128)
                r = error_set(err, EIO, "was ended by signal %d (%s)", status - 128, strsignal(status - 128));
        else
                r = error_set(err, EIO, "ended with exit code %d; expected 0 (done), 1 (failed) or 2 (not supported)",
                              status);
        return tail_append(&answer->tail, err, r);
}

static int read_answer(struct answer *answer, json_t **ret, struct error *err)
{
        CLEANUP_FREE char *shown = NULL;
        const char *text = str_get(&answer->out);
        json_error_t at;
        json_t *json;

        if (answer->too_long)
                return error_set(err, EFBIG, "answered with more than %d MiB", ANSWER_MAX_BYTES >> 20);
        if (text[strspn(text, " \t\r\n")] == '\0') {
                *ret = json_object();
                return 0;
        }
        json = json_loads(text, JSON_REJECT_DUPLICATES, &at);
        if (json_is_object(json)) {
                *ret = json;
                return 0;
        }
        answer->out.s[answer->out.len > 200 ? 200 : answer->out.len - 1] = '\0';
        shown = str_printable(text);
        if (json) {
                json_decref(json);
                return error_set(err, EBADMSG, "answered with JSON that is not an object: %s", shown);
        }
        return error_set(err, EBADMSG, "did not answer with one JSON object (line %d: %s): %s", at.line, at.text,
                         shown);
}

static int call_method(const struct plugin *plugin, const struct plugin_call *call, json_t **ret, struct error *err)
{
        CLEANUP(answer_done) struct answer answer = {.call = call};
        CLEANUP_CLOSE int input = -1;
        const char *argv[] = {plugin->path, call->method, NULL};
        int status = 0, r = write_input(call->input, &input, err);

        if (r < 0)
                return r;
        r = spawn_run(&(struct spawn){.argv = argv,
                                      .stdin_plus1 = SPAWN_FD(input),
                                      .timeout_ms = call->timeout_ms,
                                      .on_line = answer_line,
                                      .arg = &answer,
                                      .enter = call->enter,
                                      .enter_arg = call->enter_arg,
                                      .exec_only = true},
                      &status, err);
        if (r == -ENOENT)
                return error_append(err, -ENOEXEC, " (is the interpreter that its first line names installed?)");
        if (r == -ENOEXEC)
                return error_append(err, r, " (a script must begin with a line such as #!/bin/sh)");
        if (r < 0)
                return r;
        return status == 0 ? read_answer(&answer, ret, err) : fail(&answer, status, err);
}

int plugin_call(const struct plugin *plugin, const struct plugin_call *call, json_t **ret, struct error *err)
{
        int r = call_method(plugin, call, ret, err);

        return r < 0 ? error_wrap(err, r, "%s '%s': %s", plugin_kind_name(plugin->kind), plugin->path, call->method)
                     : 0;
}

static int check_key(const char *key, const json_t *spec, struct error *err)
{
        const char *type = json_string_value(json_object_get(spec, "type"));
        const json_t *choice, *choices = json_object_get(spec, "choices");
        size_t i;

        if (!type || !strv_has(plugin_key_types, type)) {
                CLEANUP_FREE char *known = strv_join(plugin_key_types, ", ");

                return error_set(err, EBADMSG, "key '%s' has the type '%s'; a type is one of %s", key,
                                 type ? type : "(none)", known);
        }
        if (choices && !json_is_array(choices))
                return error_set(err, EBADMSG, "'choices' of key '%s' is no list", key);
        json_array_foreach(choices, i, choice)
        {
                if (!json_is_string(choice))
                        return error_set(err, EBADMSG, "'choices' of key '%s' has a member that is no string", key);
        }
        choice = json_object_get(spec, "default");
        if (choice && !json_is_string(choice))
                return error_set(err, EBADMSG, "'default' of key '%s' must be a string, as a template would have it",
                                 key);
        if (choice && strcmp(type, "value") == 0)
                return error_set(err, EBADMSG, "key '%s' of the type 'value' cannot have a default", key);
        return 0;
}

static int check_description(const struct plugin *plugin, json_t *description, struct error *err)
{
        const json_t *version = json_object_get(description, "version"), *keys = json_object_get(description, "keys");
        const char *kind = json_string_value(json_object_get(description, "kind"));
        const char *guest = json_string_value(json_object_get(description, "guest"));
        const char *key;
        json_t *spec;

        if (!json_is_integer(version))
                return error_set(err, EBADMSG, "the answer has no \"version\": %d", PLUGIN_VERSION);
        if (json_integer_value(version) != PLUGIN_VERSION)
                return error_set(err, EPROTONOSUPPORT,
                                 "it speaks version %lld of the contract, and this slipway speaks version %d",
                                 (long long)json_integer_value(version), PLUGIN_VERSION);
        if (kind && strcmp(kind, plugin_kind_name(plugin->kind)) != 0)
                return error_set(err, EBADMSG, "it says that it is a %s, and its name says %s", kind,
                                 plugin_kind_name(plugin->kind));
        if (guest && strcmp(guest, "steps") != 0 && strcmp(guest, "root") != 0)
                return error_set(err, EBADMSG, "\"guest\" is '%s'; expected \"steps\" or \"root\"", guest);
        if (keys && !json_is_object(keys))
                return error_set(err, EBADMSG, "\"keys\" is no object");
        json_object_foreach((json_t *)keys, key, spec)
        {
                int r = check_key(key, spec, err);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int describe(struct plugin *plugin, struct error *err)
{
        json_t *description = NULL;
        int r = plugin_call(plugin, &(struct plugin_call){.method = "describe", .timeout_ms = DESCRIBE_MS},
                            &description, err);

        if (r < 0)
                return error_append(err, r,
                                    "\n  A stand-alone executable must answer 'describe' with "
                                    "{\"version\": %d, ...}: see slipway-plugin(7)",
                                    PLUGIN_VERSION);
        plugin->description = description;
        r = check_description(plugin, description, err);
        return r < 0 ? error_wrap(err, r, "%s '%s': describe", plugin_kind_name(plugin->kind), plugin->path) : 0;
}

int plugin_load(enum plugin_kind kind, const char *name, struct plugin **ret, struct error *err)
{
        CLEANUP(plugin_freep) struct plugin *plugin = NULL;
        const char *kind_name = plugin_kind_name(kind);
        bool usable = false;
        CLEANUP_FREE char *path = find(kind, name, &usable);
        int r;

        if (path && !usable)
                return error_set(err, EACCES, "%s '%s' is not executable: chmod +x it", kind_name, path);
        if (!path)
                return error_set(err, ENOENT,
                                 "there is no %s '%s', and no executable slipway-%s-%s in ./plugins, "
                                 "$SLIPWAY_PLUGIN_PATH, ~/.config/slipway/plugins or PATH",
                                 kind_name, name, kind_name, name);
        plugin = xcalloc(1, sizeof(*plugin));
        plugin->kind = kind;
        plugin->name = xstrdup(name);
        plugin->path = steal(&path);
        r = describe(plugin, err);
        if (r < 0)
                return r;
        *ret = steal(&plugin);
        return 0;
}

struct plugin *plugin_free(struct plugin *plugin)
{
        if (!plugin)
                return NULL;
        json_decref(plugin->description);
        free(plugin->name);
        free(plugin->path);
        free(plugin);
        return NULL;
}
