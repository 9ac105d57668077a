/* Changes to a file system, kept in a file to be made later and elsewhere: a
 * stream of records, each a header, the path, the target, the extended
 * attributes and the data without blocks of zeros (but of swap files all). Written and read by the same
 * build of this program, so in the machine's own byte order. */
#pragma once

#include <stdio.h>

#include "disk/fs.h"

/* One change at the end of the stream. Errors: reading change->fd, writing (-ENOSPC ...). */
int change_log_write(FILE *stream, const struct fs_change *change, struct error *err);
/* The mark without which a stream is not whole; flushes. */
int change_log_end(FILE *stream, struct error *err);

/* Make all changes of a stream, up to its end mark, in the working folder,
 * which is the root of the file system and of this process (chroot), by system
 * calls: it must be the root of its user namespace. `epoch`: times later than it become it (-1: not).
 * The error names the path. */
int change_log_replay(FILE *stream, int64_t epoch, struct error *err);
