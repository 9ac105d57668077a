/* What stands in front of qemu while a guest is accelerated. A copy of the
 * static qemu-user gets one more segment, which holds the code of door.c and, behind it, the head that is
 * declared here; its entry point is the door. The door runs for each program of the guest: if that is, by
 * device, inode, size and times, one of the table, it starts the host's build of it in this very
 * process; else it goes on to qemu's own entry as if it had not been there. The table is a file, which is
 * replaced as a whole when the guest has got new programs.
 *
 * Shared by slipway, which writes it, and the door, which has no libc. Fixed layout, host byte order. */
#pragma once

#include <stdint.h>

enum { DOOR_PAGE = 4096, DOOR_PATH_MAX = 64 };

enum door_flags {
        DOOR_NAMED = 1,       /* it has the name of a processor built in: for who writes the table */
        DOOR_INTERPRETER = 2, /* only for scripts of the table, with the preamble before its arguments */
        DOOR_SCRIPT = 4,      /* no program; `path` is empty */
};

/* One file of the guest, as fstat(2) shows it, and its counterpart. */
struct door_tool {
        uint64_t dev, ino, size;
        int64_t mtime_sec, mtime_nsec, ctime_sec, ctime_nsec;
        char path[DOOR_PATH_MAX]; /* where the guest sees it */
        uint64_t flags;           /* DOOR_ */
        char emulated_with[8];    /* emulated where one of these letters is in an option ("-n", "-gr") */
};

struct door_head {
        uint64_t entry;                /* qemu's own, and this head's address, both as in the ELF file: */
        uint64_t address;              /* the difference to where the head lies is where qemu was loaded */
        char table[DOOR_PATH_MAX];     /* where the guest sees the table: door_tools, as many as fit into the file */
        char loader[DOOR_PATH_MAX];    /* the host's ld.so */
        char libraries[DOOR_PATH_MAX]; /* and the folder with its libraries */
        char preamble[DOOR_PATH_MAX];  /* an argument for interpreters */
};

_Static_assert(sizeof(struct door_tool) == 64 + DOOR_PATH_MAX + 8, "no padding");
_Static_assert(sizeof(struct door_head) == 16 + 4 * DOOR_PATH_MAX, "no padding");
