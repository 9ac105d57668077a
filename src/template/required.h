/* What packer { required_plugins {} } asks for, and what of it is here: Packer
 * downloads plug-ins, slipway has what they do built in. */
#pragma once

#include <stdbool.h>

/* The part of a plug-in's source, or of its name, that tells one from another:
 * "docker" of "github.com/hashicorp/docker" and of "packer-plugin-docker". A pointer into it. */
const char *required_plugin_name(const char *source);
/* What slipway has built in of it, in words ("the builder arm"); NULL: nothing. */
const char *required_plugin_built_in(const char *source);
/* The version of the plug-in whose keys those are; NULL: nothing is built in. */
const char *required_plugin_version(const char *source);
