/* Stand-alone executables as post-processors (base/plugin.h). */
#pragma once

#include "package/package.h"

/* The row of the executable that `name` stands for, or NULL. It lives until the program ends. */
const struct post_processor_type *executable_find(const char *name);
