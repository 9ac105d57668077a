/* The ansible provisioner, as its files know it. Private to the room. */
#pragma once

#include "provision/rows.h"

struct ansible_config {
        char *playbook_file, *command, *user, *host_alias;
        char **extra_arguments, **ansible_env_vars;
        char **groups, **empty_groups;
        char *inventory_file, *inventory_directory;
        bool keep_inventory_file;
        char *galaxy_file, *galaxy_command, *roles_path, *collections_path;
        bool galaxy_force_install, galaxy_force_with_deps;
        const struct value *ignored; /* of keys that only a connection by SSH needs */
};

/* Feed what the playbook may read to a layer's key. */
int ansible_inputs(const void *config, struct key *key, struct error *err);

/* What Ansible writes, and what of it says why it failed. Zero-initialised, with ui, is empty. */
struct ansible_output {
        struct script_output lines;
        char *task;    /* under way */
        char *host;    /* on which it failed, or NULL */
        char *failed;  /* the task */
        char *reason;  /* as far as it could be read */
        bool in_error; /* the lines of an ERROR! follow */
};
/* For on_line of a spawn. */
void ansible_output_line(void *arg, bool is_stderr, const char *line);
/* -EIO: why the program, which ended with this status, failed; and what would help. */
int ansible_output_error(const struct ansible_output *output, const char *what, int status, struct error *err);
void ansible_output_clear(struct ansible_output *output);
