/* The host's programs and libraries, copied to where the guest sees them. Private to this room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct native_files {
        const char *folder;                 /* bin/, lib/ and modules/ are made in it, and ld.so */
        char *interpreter;                  /* the host's ld.so; the first program names it */
        char *library_folder;               /* where that lies */
        char **libraries;                   /* copied, by name */
        const char *host_name, *guest_name; /* Debian's of the processors, of one length; or NULL */
};

/* What each of these files ends in: see native_check.c. */
enum { NATIVE_MARK_SIZE = 40 };
extern const char native_mark[NATIVE_MARK_SIZE];

/* A file for all guests of a build is whole or not there: native_part() says where it is made (and removes what was
 * begun there; the caller frees), native_whole() gives it its name. */
int native_part(const char *path, char **ret, struct error *err);
int native_whole(const char *part, const char *path, struct error *err);

/* A program of the host's as a new file that is so marked. */
int native_copy(const char *from, const char *to, struct error *err);

void native_files_clear(struct native_files *files);
int native_files_begin(struct native_files *files, const char *folder, struct error *err);
/* What is other in a copy. */
enum native_change {
        NATIVE_SAME,
        NATIVE_NAME,     /* the guest's name of its processor is built in */
        NATIVE_NAMELESS, /* it does not ask which file it is run from, and goes by its first argument */
};
/* A program as bin/NAME, and the libraries that it needs. -ENOTSUP (with a message): not one that we can start so. */
int native_files_add(struct native_files *files, int fd, const char *name, enum native_change change,
                     struct error *err);
/* A library that programs load by its path, as modules/NAME, and what it needs. */
int native_files_add_module(struct native_files *files, int fd, const char *name, struct error *err);
/* The loader, in a copy that does not read the guest's /etc/ld.so.preload. */
int native_files_end(struct native_files *files, struct error *err);

/* Write `to`: the static qemu with a segment more, `size` bytes of data (with a head in it, whose
 * `entry` and `address` are set) that are run first. */
struct door_head;
int native_door_write(const char *qemu, const char *to, void *data, size_t size, struct door_head *head,
                      struct error *err);
