/* The rows of provisioner_types, one for each file here, and what they share. Private to the room. */
#pragma once

#include "local/script.h"
#include "provision/provision.h"

extern const struct provisioner_type provision_ansible, provision_breakpoint, provision_file, provision_release,
        provision_shell, provision_shell_local, provision_sleep;

/* A row for the stand-alone executable of this name, made at its first use. Errors as plugin_load's. */
int provision_external(const char *name, const struct provisioner_type **ret, struct error *err);

/* Sleep; ends early with -ECANCELED. */
int provision_pause(int64_t ms, struct error *err);
/* For guest_command's timeout_ms. */
unsigned int provision_timeout(const struct provision_context *context);
struct script_context provision_script_context(const struct provision_context *context);

/* Feed a file, or a folder with all below it in sorted order, to a digest: kinds, names,
 * modes, bytes, targets of symlinks; no owners and times. */
int provision_digest_tree(const char *path, struct digest *digest, struct error *err);
/* The same as a part of a key, "file PATH". */
int provision_key_tree(const char *path, struct key *key, struct error *err);
