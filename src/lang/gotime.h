/* Times as text, always in UTC: by Go's reference layout, and by strftime's
 * conversions as far as Packer has them. */
#pragma once

#include <time.h>

#include "base/error.h"

/* The caller frees. */
char *gotime_format(time_t when, const char *layout) __attribute__((warn_unused_result));
/* -EINVAL for a conversion that it does not know. The caller frees *ret. */
int gotime_strftime(time_t when, const char *format, char **ret, struct error *err);
