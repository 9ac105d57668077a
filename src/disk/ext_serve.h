/* What the two files that serve an ext file system by FUSE share: folders by
 * their names, kept as long as there is room. */
#pragma once

#include "disk/ext_internal.h"

/* A folder as it was read: its entries sorted by name, so that whoever lists it
 * sees the same order every time and everywhere. */
struct ext_folder_entry {
        ext2_ino_t ino;
        uint32_t at; /* of the name, in names */
        uint8_t type;
};
struct ext_folder {
        ext2_ino_t ino; /* 0: an empty slot */
        uint64_t used;  /* when last */
        bool large;     /* not kept */
        VEC(struct ext_folder_entry) entries;
        VEC(char) names;
};

/* Folders of more than FOLDER_BYTES are read anew each time, in their own
 * order: memory stays small whatever the image. */
enum { EXT_FOLDERS = 16, EXT_FOLDER_BYTES = 1 << 20 };
struct ext_folders {
        struct ext *ext;
        struct ext_folder slots[EXT_FOLDERS];
        uint64_t clock;
};
void ext_folders_clear(struct ext_folders *folders);

/* *ret: the inode of `name`, or 0 where there is no such entry. */
int ext_folder_find(struct ext_folders *folders, ext2_ino_t dir, const char *name, ext2_ino_t *ret, struct error *err);
/* Entries from the one with this number on (0: the first), until `on_entry` says true: enough. */
typedef bool ext_folder_fn(void *arg, uint64_t number, const char *name, ext2_ino_t ino, unsigned int type);
int ext_folder_each(struct ext_folders *folders, ext2_ino_t dir, uint64_t from, ext_folder_fn *on_entry, void *arg,
                    struct error *err);
