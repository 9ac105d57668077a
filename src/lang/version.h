/* Versions and constraints on them, as Packer's templates write them (and
 * hashicorp/go-version reads them): ">= 1.7.0, < 2", "~> 1.8". */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Is it one or more numbers with dots between, perhaps with a 'v' before and -PRERELEASE or +BUILD after? */
bool version_is_valid(const char *text);
/* <0, 0, >0. Both must be valid; missing numbers are 0, and a pre-release is before its release. */
int version_compare(const char *a, const char *b);
/* Does the version meet all constraints (operators = != > >= < <= ~>, commas
 * between)? -EINVAL: `constraints` cannot be read. */
int version_satisfies(const char *version, const char *constraints, bool *ret, struct error *err);
/* Do the constraints ask for something later than the version? What cannot be read asks for nothing. */
bool version_wants_newer(const char *version, const char *constraints);
