/* The plug-ins that a template requires: what `init` and `plugins required` share. */
#pragma once

#include "template/module.h"

/* Read the template's required_plugins; its variables need no values. Messages
 * are shown. Returns the module, to be freed, or NULL after errors; a JSON
 * template, which cannot ask for plug-ins, gives an empty one. */
struct template_module *required_load(const char *path);
/* Where what the plug-in does is to be found: "built in", or paths of
 * executables. NULL: nowhere. The caller frees. */
char *required_found(const struct template_plugin *plugin);
/* Say that nothing is required. */
void required_none(void);
/* Say what of it is there, or complain that nothing is. Returns whether it is there. */
bool required_report(const struct template_plugin *plugin);
