/* The files that a login shell reads. */
#pragma once

#include "base/error.h"

/* Have `login_file` (~/.profile) read `profile`, by one line at its end, unless it does so already. */
int release_edit_profile(const char *login_file, const char *profile, struct error *err);
