/* One environment variable as env_var_format writes it: the part of Go's
 * fmt.Sprintf that such formats use. */
#pragma once

#include "base/error.h"

/* %s and %v take the next of (name, value), %[1]s and %[2]s a certain one, %% is
 * a percent sign; all else is text. Both must be used. The caller frees *ret. */
int format_variable(const char *format, const char *name, const char *value, char **ret, struct error *err);
