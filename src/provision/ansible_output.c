/* Reading along with ansible-playbook (its default callback's format): which
 * task is under way, and with what it failed. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "provision/ansible.h"

static void replace(char **field, char *text)
{
        free(*field);
        *field = text;
}

/* "TASK [install : packages] ****": what is in the brackets, or NULL. */
static char *bracketed(const char *line, const char *head)
{
        const char *end = strstr(line, "] ");

        if (!str_starts(line, head) || !end)
                return NULL;
        return xstrndup(line + strlen(head), (size_t)(end - line) - strlen(head));
}

static void add_member(struct str *out, const json_t *result, const char *key, const char *before)
{
        const char *text = json_string_value(json_object_get(result, key));

        if (str_empty(text))
                return;
        str_addf(out, "%s%s", out->len ? before : "", text);
        while (out->len > 0 && out->s[out->len - 1] == '\n')
                out->s[--out->len] = '\0';
}

/* The members that say something, if there are any. */
static void add_result(struct str *out, const json_t *result)
{
        json_t *failed = json_object_get(result, "failed_modules");
        const char *name;
        json_t *module;

        add_member(out, result, "msg", "\n  ");
        add_member(out, result, "module_stderr", "\n  ");
        add_member(out, result, "module_stdout", "\n  ");
        add_member(out, result, "stderr", "\n  ");
        if (json_string_length(json_object_get(result, "stderr")) == 0)
                add_member(out, result, "stdout", "\n  ");
        json_object_foreach(failed, name, module) add_result(out, module);
}

/* {"msg": "non-zero return code", "stderr": "...", ...} as people read it. */
static char *read_result(const char *text)
{
        json_t *result = json_loads(text, 0, NULL);
        CLEANUP_STR struct str out = {0};

        add_result(&out, result);
        json_decref(result);
        return out.len ? str_steal(&out) : xstrdup(text);
}

static void forget_failure(struct ansible_output *output)
{
        replace(&output->host, NULL);
        replace(&output->failed, NULL);
        replace(&output->reason, NULL);
}

/* "fatal: [default]: FAILED! => {...}", "failed: [default] (item=x) => {...}" */
static void read_failure(struct ansible_output *output, const char *line)
{
        const char *bracket = strchr(line, '['), *end = bracket ? strchr(bracket, ']') : NULL;
        const char *arrow = strstr(line, "=> ");

        if (!end || !arrow || output->reason)
                return;
        replace(&output->host, xstrndup(bracket + 1, (size_t)(end - bracket) - 1));
        replace(&output->failed, output->task ? xstrdup(output->task) : NULL);
        replace(&output->reason, read_result(arrow + 3));
}

/* "ERROR! why", " [ERROR]: why": why; else NULL. */
static const char *complaint(const char *line)
{
        static const char *const heads[] = {"ERROR! ", "[ERROR]: ", " [ERROR]: ", NULL};

        for (const char *const *head = heads; *head; head++)
                if (str_starts(line, *head))
                        return line + strlen(*head);
        return NULL;
}

void ansible_output_line(void *arg, bool is_stderr, const char *line)
{
        struct ansible_output *output = arg;
        char *task = bracketed(line, "TASK [");

        script_output_line(&output->lines, is_stderr, line);
        if (!task)
                task = bracketed(line, "RUNNING HANDLER [");
        if (task) {
                replace(&output->task, task);
        } else if (str_starts(line, "fatal: [") || str_starts(line, "failed: [")) {
                read_failure(output, line);
        } else if (str_starts(line, "...ignoring")) {
                forget_failure(output);
        } else if (complaint(line) && !output->reason) {
                replace(&output->reason, xstrdup(complaint(line)));
                output->in_error = true;
                return;
        } else if (output->in_error && *line && *line != '[' && !complaint(line) && output->reason) {
                replace(&output->reason, xasprintf("%s\n  %s", output->reason, line));
                return;
        }
        output->in_error = output->in_error && !*line;
}

/* What people meet first, and what to do about it. */
static int add_hint(const char *reason, int r, struct error *err)
{
        if (strstr(reason, "connection plugin 'chroot' was not found") || strstr(reason, "community.general.chroot"))
                return error_append(err, r,
                                    "\n  Ansible lacks its chroot connection, which is in the collection "
                                    "community.general: install "
                                    "the package ansible, or run: ansible-galaxy collection install community.general");
        if (strstr(reason, "interpreter") || (strstr(reason, "python") && strstr(reason, "not found")))
                return error_append(
                        err, r,
                        "\n  Ansible's modules need Python in the image: install it in an earlier step (a shell "
                        "provisioner: apt-get update && apt-get install -y python3-minimal), or use the module raw");
        return r;
}

int ansible_output_error(const struct ansible_output *output, const char *what, int status, struct error *err)
{
        if (!output->reason)
                return script_status_error(what, status, &(struct schema_ints){0}, &output->lines.tail, err);
        if (output->failed)
                error_set(err, EIO, "%s: the task '%s' failed on the host '%s': %s", what, output->failed, output->host,
                          output->reason);
        else
                error_set(err, EIO, "%s: %s", what, output->reason);
        return add_hint(output->reason, -EIO, err);
}

void ansible_output_clear(struct ansible_output *output)
{
        forget_failure(output);
        replace(&output->task, NULL);
        script_output_clear(&output->lines);
}
