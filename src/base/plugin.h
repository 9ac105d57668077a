/* Stand-alone executables as provisioners, post-processors and data sources.
 *
 * FINDING. A template's type NAME that slipway does not have itself is looked
 * for as an executable file slipway-KIND-NAME, then packer-KIND-NAME, where
 * KIND is "provisioner", "post-processor" or "data-source", in
 *
 *     ./plugins
 *     each folder of $SLIPWAY_PLUGIN_PATH, then of $PACKER_PLUGIN_PATH (lists with colons)
 *     $XDG_CONFIG_HOME/slipway/plugins (~/.config/slipway/plugins)
 *     each folder of $PATH
 *
 * and the first that is found is taken.
 *
 * CALLING. It is run on the host, as the user who builds, in the working
 * directory of slipway. Its only argument is a method. It reads one JSON
 * object from its standard input and answers with one JSON object, or with
 * nothing, on its standard output. What it writes to standard error during
 * `run` is shown to the user line by line. Exit codes:
 *
 *     0       done
 *     1       failed; standard error says why
 *     2       this method is not supported
 *     others  reserved; so is being ended by a signal: taken as a failure
 *
 * Unknown members of an object are ignored on both sides, so that both can grow.
 *
 * METHODS.
 *
 * describe (required; within 10 s; reads {}). The answer:
 *
 *     {"version": 1, "name": NAME, "kind": KIND, "guest": "steps" or "root",
 *      "keys": {KEY: {"type": TYPE, "required": BOOL, "default": TEXT, "choices": [TEXT...], "help": TEXT}, ...}}
 *
 * `version` is that of this contract. TYPE is one of string, bool, int, size
 * ("2GiB"; bytes for the executable), duration ("1m30s"; milliseconds for the
 * executable), strings, ints, string_map, value (anything, as it is written; no default). All but `version` and `type`
 * may be left out. A template's keys are checked against `keys`: unknown keys and wrong types never reach the
 * executable.
 *
 * check (optional; within 30 s). Reads {"config": {KEY: value, ...}}, with
 * defaults filled in; keys that were not given and have none are left out.
 * It looks at what `keys` cannot say and must not
 * change anything. The answer lists what is wrong; empty lists, or no answer, mean all is well:
 *
 *     {"errors": [{"key": KEY, "message": TEXT}, ...], "warnings": [...]}
 *
 * inputs (optional, provisioners only; within 30 s). Reads the same as check. Answers
 * {"files": [PATH...]}: files and folders on the host that the outcome depends on. Their
 * contents become part of the layer's key; so does the executable itself in any case.
 *
 * run (required; within the step's `timeout`). Reads what check reads and, for both kinds,
 *
 *     "version": 1, "build_name", "builder_type", "run_uuid", "template_dir"
 *
 * A provisioner also gets "debug": BOOL. How it acts on the guest depends on `guest` of its description:
 *
 *   "steps" (the default): it does not see the guest. It answers with steps,
 *   which slipway then carries out in the guest as root, one after the other, until one fails:
 *
 *     {"steps": [{"shell": TEXT, "env": {...}},      run by /bin/sh -e
 *                {"run": [ARGV...], "env": {...}},   run as it is
 *                {"put": {"path": GUEST, "content": TEXT, "mode": "0644"}},
 *                {"put": {"path": GUEST, "source": HOST}},   a file or a folder
 *                {"remove": GUEST}]}
 *
 *   "root": it is run inside the build's namespaces, where it is root over all
 *   owners of the guest's files, and gets "root": PATH, the guest's root folder
 *   as it sees it, with everything mounted; chroot(1) works there. It may answer with steps too.
 *
 * A post-processor also gets "build_time" (seconds since 1970), "force": BOOL, and
 *
 *     "artifact": {"builder_id", "id", "files": [PATH...]}
 *
 * and answers with the artifact it made, of which missing members are taken
 * over from what it got, and whether the files that it got
 * are to be kept where the template does not say (the default is that they are):
 *
 *     {"artifact": {"id", "files": [PATH...]}, "keep_input": BOOL}
 *
 * data (data sources, in place of run; within 5 min). Reads {"version": 1, "config": {...}, "template_dir"}
 * and answers with {"value": {NAME: value, ...}}: what data.NAME.LABEL is in the template.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

enum { PLUGIN_VERSION = 1 };

enum plugin_kind { PLUGIN_PROVISIONER, PLUGIN_POST_PROCESSOR, PLUGIN_DATA_SOURCE };

/* Types of keys, NULL-terminated, as listed above. */
extern const char *const plugin_key_types[];

struct plugin {
        enum plugin_kind kind;
        char *name;          /* as templates write it */
        char *path;          /* of the executable */
        json_t *description; /* checked: version, kind, the types of keys */
};

/* "provisioner", "post-processor" */
const char *plugin_kind_name(enum plugin_kind kind);
/* The path of the executable, or NULL; the caller frees. */
char *plugin_find(enum plugin_kind kind, const char *name) __attribute__((warn_unused_result));
/* All that plugin_find() would find: their paths, in the order of their names. The caller frees. */
char **plugin_list(enum plugin_kind kind) __attribute__((warn_unused_result));
/* Find it and have it describe itself. -ENOENT (with a message that says where
 * it was looked for) if there is none; other errors name the executable. */
int plugin_load(enum plugin_kind kind, const char *name, struct plugin **ret, struct error *err);
struct plugin *plugin_free(struct plugin *plugin); /* returns NULL */
static inline void plugin_freep(struct plugin **plugin)
{
        *plugin = plugin_free(*plugin);
}

struct plugin_call {
        const char *method;
        const json_t *input;                             /* NULL: {} */
        unsigned int timeout_ms;                         /* 0: none */
        void (*on_message)(void *arg, const char *line); /* each line of standard error; NULL: only kept for errors */
        void *arg;
        int (*enter)(void *enter_arg, struct error *err); /* as struct spawn's */
        void *enter_arg;
};

/* Call a method. *ret is an object, {} if nothing was answered; json_decref()
 * it. -EOPNOTSUPP: the method is not supported. Every error names the
 * executable and the method. */
int plugin_call(const struct plugin *plugin, const struct plugin_call *call, json_t **ret, struct error *err);
