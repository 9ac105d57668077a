/* An archive (tar, cpio, zip, 7z) by libarchive, over one of our streams. */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include "source/stream.h"

struct members {
        struct archive *archive;
        struct stream *stream; /* borrowed; NULL: the file below */
        int fd;                /* zip and 7z are read from their end: the file itself */
        struct ui *ui;
        uint64_t position;
        void *buffer;
        struct error failure;    /* of reading */
        locale_t locale, before; /* names are bytes or UTF-8, whatever the user's locale is */
};

/* `content` is the archive's kind. `stream` (borrowed) stands at its start; `fd` is
 * the file it comes from, which is used where `stream` is that file undecoded. */
int members_open(struct members *members, struct stream *stream, int fd, enum content content, struct error *err);
void members_close(struct members *members);
/* 1 and the next member; 0 at the end, when the stream below has been read (and verified) to its end too. */
int members_next(struct members *members, struct archive_entry **ret, struct error *err);
/* The error of the last call to libarchive. */
int members_failed(struct members *members, const char *what, struct error *err);
/* The member's name; never NULL. */
const char *member_name(struct archive_entry *entry);
