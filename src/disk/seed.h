/* Identifiers that are a function of a seed: the same build gives the same
 * UUIDs. RFC 9562, version 8 (custom), over SHA-256 of seed and purpose. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { UUID_TEXT = 37 };

/* n (at most 32) bytes that depend on both strings only; seed NULL: random. */
void seed_bytes(const char *seed, const char *purpose, uint8_t *out, size_t n);
/* Lower-case text of a UUID. */
void seed_uuid(const char *seed, const char *purpose, char out[UUID_TEXT]);
