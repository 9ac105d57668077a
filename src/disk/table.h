/* What the files that read and write partition tables share; see disk.h for
 * what others use. Sectors are of 512 bytes throughout: an image file has no
 * other. */
#pragma once

#include <libfdisk/libfdisk.h>

#include "base/str.h"
#include "disk/disk.h"

enum { SECTOR = 512, ALIGN_SECTORS = 2048 /* 1 MiB */ };

struct gpt_type {
        unsigned int code; /* sgdisk's */
        const char *guid, *name;
};
extern const struct gpt_type gpt_types[];
extern const size_t gpt_types_n;

/* A dos type: one hex byte, with or without 0x ("c", "0C", "0x83"); sgdisk's "8300" too. */
int dos_type_parse(const char *s, unsigned int *ret, struct error *err);
bool dos_type_extended(unsigned int type); /* 5, f, 85 */
/* A gpt type as a GUID: from a GUID, an sgdisk code or a dos code. The result is static or s. */
int gpt_type_parse(const char *s, const char **ret_guid, struct error *err);

/* A libfdisk context on a file; what libfdisk has to say is kept as lines. */
struct table_context {
        struct fdisk_context *cxt;
        int fd;
        struct str messages;
};
int table_open(struct table_context *ctx, const char *path, bool write, struct error *err);
/* Write the table to the file. */
int table_write(struct table_context *ctx, struct error *err);
void table_close(struct table_context *ctx);
#define CLEANUP_TABLE CLEANUP(table_close)

/* Change the length of partition `number` of a dos table, logical ones included. */
int table_dos_resize(int fd, unsigned int number, uint64_t sectors, struct error *err);

/* A partition's place, resolved to sectors. */
struct table_place {
        uint64_t start, size;
        unsigned int number;
        bool extended, logical;
};
/* Places for a layout on a disk of `sectors` sectors; v_places has n elements. */
int table_layout(enum disk_label label, const struct disk_layout_partition *v, size_t n, uint64_t sectors,
                 struct table_place *v_places, struct error *err);
/* "partition 2 'root' (sectors 2048 to 10239, 4.0 MiB)"; the caller frees. */
char *table_describe(const struct table_place *place, const char *name) __attribute__((warn_unused_result));
