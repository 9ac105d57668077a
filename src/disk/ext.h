/* ext2, ext3 and ext4 in a part of an image file, through libext2fs and the
 * programs of e2fsprogs: one row for each, which differ only in what make()
 * makes. Contract of the functions: disk/fs.h.
 *
 * extract() leaves lost+found and device nodes out, and refuses a file system
 * that was not cleanly unmounted: check(repair) comes first. A writer keeps
 * nothing to itself at the end: what it changed is in the image after
 * write_close(), and an image whose writer was aborted is damaged. */
#pragma once

#include "disk/fs.h"

extern const struct fs_type fs_ext2, fs_ext3, fs_ext4;
