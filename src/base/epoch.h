/* SOURCE_DATE_EPOCH (reproducible-builds.org): the time at which everything is
 * made, so that the same inputs give the same bytes. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* Seconds since 1970, or -1 where it is not set or empty. -EINVAL: it is no such number. */
int epoch_read(int64_t *ret_sec, struct error *err);
