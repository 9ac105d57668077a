/* The debug log, off unless SLIPWAY_LOG or PACKER_LOG is set to something
 * other than "" or "0". It goes to stderr, or to the file that
 * SLIPWAY_LOG_PATH or PACKER_LOG_PATH names. What a user must see goes
 * through struct ui instead (ui.h). */
#pragma once

#include <stdbool.h>

bool log_enabled(void);
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
