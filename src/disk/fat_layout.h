/* A FAT16 volume around files that lie elsewhere: where each of them would
 * begin, and the bytes before them (boot sector, table, folders). Nothing is
 * copied: who serves such a volume reads the files as it is read. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct fat_layout_file {
        const char *path; /* "EFI/BOOT/BOOTX64.EFI"; its folders are made */
        uint64_t size_bytes;
};

struct fat_layout {
        uint8_t *head; /* the volume's beginning */
        size_t head_bytes;
        uint64_t *at; /* where the bytes of each file begin, in the order of the files, which ascends */
        uint64_t size_bytes;
};

/* Behind a file's bytes and between files are zeros. -EEXIST: two names are one to FAT; -EFBIG: a file of 4 GiB, or
 * more than 2 GiB in all; or a name that FAT cannot store. *ret is untouched then. */
int fat_layout_make(const struct fat_layout_file *files, size_t n, struct fat_layout *ret, struct error *err);
void fat_layout_clear(struct fat_layout *layout);
