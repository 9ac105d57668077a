/* The cache of downloads below the cache folder:
 *
 *     blobs/sha256/HEX    contents, never written to again, read-only
 *     index/KEY           what a URL or a checksum gave: lines "name value"
 *     downloads/KEY.part  a download that is not finished
 *     downloads/KEY.info  its validators, written before its first byte
 *     locks/KEY           held by who downloads KEY
 *
 * KEY is the sha256 of what it is about. A name appears by rename or link of
 * a complete file, so that the cache is consistent at any moment. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "source/checksum.h"

/* What is known of a URL's or checksum's content. */
struct record {
        char *sha256; /* of the blob, or NULL */
        char *etag, *last_modified;
};
void record_clear(struct record *record);

/* sha256 of the parts, each with its NUL: a file name. `b` may be NULL. */
void cache_key(const char *a, const char *b, char hex[65]);
/* The caller frees. */
char *cache_path(const char *cache, const char *folder, const char *name, const char *suffix);
/* Make the folders. */
int cache_prepare(const char *cache, struct error *err);

/* A missing or damaged file gives an empty record. */
void record_read(const char *path, struct record *ret);
int record_write(const char *path, const struct record *record, struct error *err);

/* The digest of the blob that this checksum (from this URL) is known to
 * stand for, if the blob is there. md5 and sha1 do not name a content by
 * themselves any more: they count only together with the URL. */
bool cache_find(const char *cache, const char *url, const struct checksum *sum, char hex[65]);
int cache_remember(const char *cache, const char *url, const struct checksum *sum, const char *hex, struct error *err);

/* Is the blob there? */
bool cache_has(const char *cache, const char *hex);
/* The file at `path` (or the nameless fd, path NULL) becomes the blob `hex`: synced, read-only, named. */
int cache_adopt(const char *cache, const char *path, int fd, const char *hex, struct error *err);
