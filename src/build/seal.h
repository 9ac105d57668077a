/* Is a thing in the cache still what it was when it was made? Its seal, a JSON
 * file, holds two digests:
 *
 *     content   names, kinds, modes, owners, times, extended attributes, bytes
 *     state     the same without reading a file: sizes, inode numbers, the times of
 *               the last change of any kind (ctime), and which boot of the machine it was
 *
 * Nobody can write to a file and leave its ctime as it was, so a build looks at the state
 * alone. Where that differs (the cache was copied; the machine was started anew, maybe after a
 * power cut that lost what was written) the content decides, and the state is noted again. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Of a folder, whose seal is PATH/seal, or of a file: PATH.seal. Trees of mapped users: in their namespaces. */
int seal_make(const char *path, struct error *err);
/* 0; -EBADMSG: it is not what it was; -ENOENT: it was never sealed. `read`: the content in any case. */
int seal_check(const char *path, bool read, struct error *err);
/* Whether its state is that of the seal; nothing is read. */
bool seal_is_fresh(const char *path);
/* Seconds since 1970; -1: not known. */
int64_t seal_made_sec(const char *path);
/* Remove the seal of a file. */
void seal_remove(const char *path);
