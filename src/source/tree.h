/* Inside of the room: what an archive's member has beside its contents. */
#pragma once

#include <archive_entry.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/ui.h"

struct tree_warned {
        bool xattr; /* said that some attribute cannot be kept */
};

/* Owner, mode, attributes, ACLs and times of a file or folder, by an fd that is open for it. */
int meta_apply(int fd, struct archive_entry *entry, struct tree_warned *warned, struct ui *ui, struct error *err);
/* The same for what cannot be opened (symlinks, fifos, sockets): name in the folder `parent`. */
int meta_apply_at(int parent, const char *name, struct archive_entry *entry, struct error *err);
/* The entry's times; ones that it does not say are left alone. */
void meta_times(struct archive_entry *entry, struct timespec times[2]);
/* For trees that belong to whoever runs us: the mode without set-id bits, and without leave to write for others; and
 * the times. No owners, ACLs and attributes. */
int meta_apply_plain(int fd, struct archive_entry *entry, struct error *err);
