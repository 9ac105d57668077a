/* ansible: playbooks by the host's Ansible against the guest. Keys follow
 * Packer's ansible provisioner. Where that one opens an SSH server, Ansible is
 * given its chroot connection, with a command in place of chroot(1) that goes
 * into the guest with all its namespaces and none of the host's environment. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "provision/ansible.h"

/* Where Ansible puts its modules in the guest while they run. */
#define REMOTE_TMP "/tmp/.slipway-ansible"

#define KEY(key, kind, member, ...)                                                                                    \
        {                                                                                                              \
                .name = key, .type = kind, .offset = offsetof(struct ansible_config, member), __VA_ARGS__              \
        }
#define IGNORED(key) KEY(key, SCHEMA_VALUE, ignored, .help = "has no effect: there is no connection by SSH")

static const struct schema_key keys[] = {
        KEY("playbook_file", SCHEMA_STRING, playbook_file, .flags = SCHEMA_REQUIRED, .help = "path of the playbook"),
        KEY("extra_arguments", SCHEMA_STRINGS, extra_arguments, .help = "more arguments for ansible-playbook"),
        KEY("ansible_env_vars", SCHEMA_STRINGS, ansible_env_vars,
            .help = "variables for Ansible itself, NAME=VALUE each"),
        KEY("host_alias", SCHEMA_STRING, host_alias, .fallback = "default",
            .help = "the guest's name in the inventory"),
        KEY("groups", SCHEMA_STRINGS, groups, .help = "groups that the guest is in"),
        KEY("empty_groups", SCHEMA_STRINGS, empty_groups, .help = "groups that have no host"),
        KEY("inventory_file", SCHEMA_STRING, inventory_file,
            .help = "the inventory, in place of one made for the guest; ansible_host is the path of image_mount_path"),
        KEY("inventory_directory", SCHEMA_STRING, inventory_directory,
            .help = "a folder of inventories, group_vars and host_vars to use as well"),
        KEY("keep_inventory_file", SCHEMA_BOOL, keep_inventory_file, .help = "show the inventory that is made"),
        KEY("galaxy_file", SCHEMA_STRING, galaxy_file, .help = "roles and collections to install first"),
        KEY("galaxy_command", SCHEMA_STRING, galaxy_command, .fallback = "ansible-galaxy",
            .help = "the program that installs them"),
        KEY("galaxy_force_install", SCHEMA_BOOL, galaxy_force_install, .help = "install them even if they are there"),
        KEY("galaxy_force_with_deps", SCHEMA_BOOL, galaxy_force_with_deps, .help = "and what they depend on"),
        KEY("roles_path", SCHEMA_STRING, roles_path, .help = "where roles are installed and looked for"),
        KEY("collections_path", SCHEMA_STRING, collections_path, .help = "where collections are"),
        KEY("command", SCHEMA_STRING, command, .fallback = "ansible-playbook", .help = "the program that is run"),
        KEY("user", SCHEMA_STRING, user,
            .help = "ansible_user of the guest; all runs as root unless a play says become"),
        IGNORED("inventory_file_template"),
        IGNORED("local_port"),
        IGNORED("sftp_command"),
        IGNORED("use_sftp"),
        IGNORED("use_proxy"),
        IGNORED("ssh_host_key_file"),
        IGNORED("ssh_authorized_key_file"),
        IGNORED("ansible_ssh_extra_args"),
        IGNORED("ansible_proxy_key_type"),
        IGNORED("ansible_proxy_bind_address"),
        IGNORED("ansible_proxy_host"),
        IGNORED("ansible_winrm_use_http"),
        IGNORED("skip_version_check"),
};

static const struct schema schema = {.name = "the ansible provisioner",
                                     .size = sizeof(struct ansible_config),
                                     .keys = keys,
                                     .n_keys = sizeof(keys) / sizeof(keys[0])};

/* ---- what can be said before anything runs ---- */

static void check_there(const char *path, const char *key, bool folder, const struct value *value, struct diags *diags)
{
        struct stat st;

        if (str_empty(path))
                return;
        if (stat(path, &st) < 0)
                diag_error(diags, schema_range(value, key), "'%s': %s", path, strerror(errno));
        else if (folder != S_ISDIR(st.st_mode))
                diag_error(diags, schema_range(value, key), "'%s' is %s folder", path, folder ? "no" : "a");
}

static void check_ignored(const struct value *value, struct diags *diags)
{
        for (size_t i = 0; i < schema.n_keys; i++)
                if (keys[i].offset == offsetof(struct ansible_config, ignored) && value_get(value, keys[i].name))
                        diag_warning(diags, schema_range(value, keys[i].name),
                                     "'%s' has no effect: the guest is reached without SSH", keys[i].name);
}

static int check(void *config, const struct value *value, struct diags *diags)
{
        const struct ansible_config *c = config;
        size_t before = diags->n_errors;

        if (str_empty(c->playbook_file))
                diag_error(diags, schema_range(value, "playbook_file"), "'playbook_file' is empty");
        check_there(c->playbook_file, "playbook_file", false, value, diags);
        check_there(c->galaxy_file, "galaxy_file", false, value, diags);
        check_there(c->inventory_file, "inventory_file", false, value, diags);
        check_there(c->inventory_directory, "inventory_directory", true, value, diags);
        for (char **entry = c->ansible_env_vars; entry && *entry; entry++)
                if (!strchr(*entry, '=') || **entry == '=')
                        diag_error(diags, schema_range(value, "ansible_env_vars"),
                                   "'ansible_env_vars' holds \"NAME=VALUE\", not \"%s\"", *entry);
        check_ignored(value, diags);
        return diags->n_errors > before ? -EINVAL : 0;
}

/* ---- the run ---- */

struct run {
        const struct ansible_config *config;
        const struct provision_context *context;
        char *folder; /* of the host, for this run */
        char *entry, *inventory;
        char **env;
};

static void run_clear(struct run *run)
{
        if (run->folder)
                tree_remove(run->folder, NULL);
        free(run->folder);
        free(run->entry);
        free(run->inventory);
        strv_free(run->env);
}

static int prepare_folder(struct run *run, struct error *err)
{
        /* Modules in the guest are not to leave byte code of its Python's libraries. */
        static const char *const more_env[] = {"PYTHONDONTWRITEBYTECODE=1", NULL};
        CLEANUP_FREE char *text = NULL, *tmp = NULL;
        int r;

        run->folder = path_join(guest_scratch(run->context->guest), "ansible");
        run->entry = path_join(run->folder, "chroot");
        run->inventory = path_join(run->folder, "inventory.json");
        tmp = path_join(run->folder, "tmp");
        r = dir_make(tmp, 0700, err);
        if (r == 0)
                r = guest_entry(run->context->guest, more_env, &text, err);
        return r < 0 ? r : file_write(run->entry, text, strlen(text), 0755, err);
}

/* The guest's variables: {"ansible_connection": "chroot", ...} */
static json_t *host_variables(const struct run *run)
{
        json_t *vars = json_object();

        json_object_set_new(vars, "ansible_connection", json_string("chroot"));
        json_object_set_new(vars, "ansible_host", json_string_nocheck(guest_root(run->context->guest)));
        json_object_set_new(vars, "ansible_chroot_exe", json_string_nocheck(run->entry));
        json_object_set_new(vars, "ansible_remote_tmp", json_string(REMOTE_TMP));
        if (!str_empty(run->config->user))
                json_object_set_new(vars, "ansible_user", json_string_nocheck(run->config->user));
        return vars;
}

static void add_groups(json_t *inventory, char *const *groups, const char *host)
{
        for (; groups && *groups; groups++) {
                json_t *hosts = json_object(), *group = json_object();

                if (host)
                        json_object_set_new(hosts, host, json_object());
                json_object_set_new(group, "hosts", hosts);
                json_object_set_new(inventory, *groups, group);
        }
}

/* An inventory in YAML, of which JSON is a part. */
static int write_inventory(const struct run *run, struct error *err)
{
        const struct ansible_config *c = run->config;
        json_t *inventory = json_object(), *all = json_object(), *hosts = json_object();
        CLEANUP_FREE char *text = NULL;

        json_object_set_new(hosts, c->host_alias, host_variables(run));
        json_object_set_new(all, "hosts", hosts);
        json_object_set_new(inventory, "all", all);
        add_groups(inventory, c->empty_groups, NULL);
        add_groups(inventory, c->groups, c->host_alias);
        text = json_dumps(inventory, JSON_INDENT(2));
        json_decref(inventory);
        if (!text)
                return error_set(err, EINVAL, "a name in 'groups', 'host_alias' or 'user' is no UTF-8");
        if (c->keep_inventory_file)
                ui_say(run->context->ui, "Inventory:\n%s", text);
        return file_write(run->inventory, text, strlen(text), 0644, err);
}

static void default_env(char ***env, const char *key, const char *value)
{
        if (!getenv(key))
                strv_setenv(env, key, value);
}

/* Ansible makes ~/.ansible where there is none. */
static void set_home(const struct run *run, char ***env)
{
        const char *home = getenv("HOME");
        CLEANUP_FREE char *own = path_join(home ? home : "/", ".ansible");

        if (!path_exists(own))
                default_env(env, "ANSIBLE_HOME", run->folder);
}

/* Of Ansible on the host: ours, with what it needs to find the guest and to leave nothing. */
static void make_env(struct run *run)
{
        const struct ansible_config *c = run->config;
        CLEANUP_FREE char *tmp = path_join(run->folder, "tmp");

        run->env = strv_dup(STRV(environ));
        set_home(run, &run->env);
        strv_setenv(&run->env, "ANSIBLE_LOCAL_TEMP", tmp);
        strv_setenv(&run->env, "ANSIBLE_REMOTE_TMP", REMOTE_TMP);
        strv_setenv(&run->env, "ANSIBLE_CHROOT_EXE", run->entry);
        strv_setenv(&run->env, "PYTHONUNBUFFERED", "1");
        default_env(&run->env, "ANSIBLE_TRANSPORT", "chroot"); /* for hosts of the user's own inventory */
        default_env(&run->env, "ANSIBLE_PIPELINING", "1");
        default_env(&run->env, "ANSIBLE_NOCOLOR", "1");
        default_env(&run->env, "ANSIBLE_RETRY_FILES_ENABLED", "0");
        if (!str_empty(c->roles_path))
                strv_setenv(&run->env, "ANSIBLE_ROLES_PATH", c->roles_path);
        if (!str_empty(c->collections_path))
                strv_setenv(&run->env, "ANSIBLE_COLLECTIONS_PATH", c->collections_path);
        for (char **entry = c->ansible_env_vars; entry && *entry; entry++) {
                const char *equals = strchr(*entry, '=');
                CLEANUP_FREE char *name = xstrndup(*entry, (size_t)(equals - *entry));

                strv_setenv(&run->env, name, equals + 1);
        }
}

static int not_installed(const char *command, struct error *err)
{
        return error_set(
                err, ENOENT,
                "'%s' is not installed; the package ansible has it (apt-get install ansible), or give its path in "
                "'command'",
                command);
}

static int run_program(const struct run *run, char **argv, bool in_guest, struct error *err)
{
        CLEANUP(ansible_output_clear) struct ansible_output output = {.lines = {.ui = run->context->ui}};
        CLEANUP_FREE char *program = program_find(argv[0]);
        struct spawn spawn = {
                .argv = STRV(argv),
                .env = STRV(run->env),
                .timeout_ms = provision_timeout(run->context),
                .on_line = ansible_output_line,
                .arg = &output,
                .enter = in_guest ? guest_enter_mounts : NULL,
                .enter_arg = run->context->guest,
        };
        int status = 0, r;

        if (!program)
                return not_installed(argv[0], err);
        r = spawn_run(&spawn, &status, err);
        if (r < 0)
                return error_wrap(err, r, "%s", path_name(argv[0]));
        return status == 0 ? 0 : ansible_output_error(&output, path_name(argv[0]), status, err);
}

/* ---- ansible-galaxy ---- */

static int install(const struct run *run, const char *const *what, const char *path_option, const char *path,
                   struct error *err)
{
        const struct ansible_config *c = run->config;
        CLEANUP_STRV char **argv = NULL;

        strv_add(&argv, c->galaxy_command);
        strv_extend(&argv, what);
        strv_add(&argv, "-r");
        strv_add(&argv, c->galaxy_file);
        if (!str_empty(path)) {
                strv_add(&argv, path_option);
                strv_add(&argv, path);
        }
        if (c->galaxy_force_with_deps)
                strv_add(&argv, "--force-with-deps");
        else if (c->galaxy_force_install)
                strv_add(&argv, "--force");
        return run_program(run, argv, false, err);
}

/* Does the file have this key at its top level? */
static bool has_section(const char *text, const char *name)
{
        const char *at = text;
        size_t n = strlen(name);

        while ((at = strstr(at, name))) {
                if ((at == text || at[-1] == '\n') && at[n] == ':')
                        return true;
                at += n;
        }
        return false;
}

static int run_galaxy(const struct run *run, struct error *err)
{
        static const char *const roles[] = {"install", NULL}, *const collections[] = {"collection", "install", NULL};
        const struct ansible_config *c = run->config;
        CLEANUP_FREE char *text = NULL;
        int r;

        if (str_empty(c->galaxy_file))
                return 0;
        r = file_read(c->galaxy_file, 0, &text, NULL, err);
        if (r < 0)
                return error_wrap(err, r, "galaxy_file");
        ui_say(run->context->ui, "Executing Ansible Galaxy");
        /* A file without either section is a list of roles. */
        if (has_section(text, "roles") || !has_section(text, "collections"))
                r = install(run, roles, "-p", c->roles_path, err);
        if (r == 0 && has_section(text, "collections"))
                r = install(run, collections, "-p", c->collections_path, err);
        return r;
}

/* ---- ansible-playbook ---- */

static void add_inventories(const struct run *run, char ***argv)
{
        const struct ansible_config *c = run->config;
        const char *const sources[] = {c->inventory_directory,
                                       str_empty(c->inventory_file) ? run->inventory : c->inventory_file};

        for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
                if (str_empty(sources[i]))
                        continue;
                strv_add(argv, "-i");
                strv_add(argv, sources[i]);
        }
}

static int run_playbook(const struct run *run, struct error *err)
{
        const struct ansible_config *c = run->config;
        CLEANUP_STRV char **argv = NULL;

        strv_add(&argv, c->command);
        strv_add(&argv, "-e");
        strv_addf(&argv, "packer_build_name=\"%s\"", run->context->build_name);
        strv_add(&argv, "-e");
        strv_addf(&argv, "packer_builder_type=%s", run->context->builder_type);
        strv_extend(&argv, STRV(c->extra_arguments));
        add_inventories(run, &argv);
        strv_add(&argv, c->playbook_file);
        ui_say(run->context->ui, "Executing Ansible: %s", c->playbook_file);
        return run_program(run, argv, true, err);
}

/* Nothing of Ansible stays in the guest, not even in the time of /tmp. */
static int clean_guest(struct guest *guest, const struct stat *tmp, struct error *err)
{
        int r = guest_remove(guest, REMOTE_TMP, err);

        if (r < 0 && r != -ENOENT)
                return r;
        return S_ISDIR(tmp->st_mode) ? guest_set_mtime(guest, "/tmp", &tmp->st_mtim, err) : 0;
}

static int run(const void *config, const struct provision_context *context, struct error *err)
{
        CLEANUP(run_clear) struct run run = {.config = config, .context = context};
        CLEANUP_ERROR struct error cleaning = {0};
        struct stat tmp = {0};
        int r = guest_stat(context->guest, "/tmp", &tmp, err), cleaned;

        if (r == 0 || r == -ENOENT)
                r = prepare_folder(&run, err);
        if (r == 0)
                r = write_inventory(&run, err);
        if (r < 0)
                return error_wrap(err, r, "prepare Ansible");
        make_env(&run);
        r = run_galaxy(&run, err);
        if (r == 0)
                r = run_playbook(&run, err);
        cleaned = clean_guest(context->guest, &tmp, &cleaning);
        if (r == 0 && cleaned < 0) {
                error_move(err, &cleaning);
                r = error_wrap(err, cleaned, "clean up after Ansible");
        }
        return r;
}

const struct provisioner_type provision_ansible = {
        .name = "ansible",
        .schema = &schema,
        .check = check,
        .inputs = ansible_inputs,
        .run = run,
};
