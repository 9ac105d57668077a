/* Base64 as RFC 4648 has it, by libcrypto. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Blanks and line breaks are skipped. The number of bytes in out[], or -EBADMSG: no base64, or more than `max` bytes.
 */
long base64_decode(const char *text, size_t n, uint8_t *out, size_t max);
