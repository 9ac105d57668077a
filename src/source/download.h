/* One URL, by all means: retries, resume, conditional requests; local files
 * as well. */
#pragma once

#include "base/error.h"
#include "source/cache.h"
#include "source/checksum.h"
#include "source/source.h"

struct download {
        const struct source_request *request;
        const char *url;
        struct checksum sum;      /* what it must have; type NONE: anything */
        const struct record *old; /* what the cache has of this URL, or NULL: revalidate */
};

/* Fetch into the cache's downloads, verify, make it a blob. *ret: its sha256 and
 * validators; if it is unchanged since `old`, that one's. Called with the URL's lock held. */
int download_file(const struct download *download, struct record *ret, struct error *err);

/* A small text file (of checksums), at most 16 MiB. The caller frees. */
int download_text(const struct source_request *request, const char *url, char **ret, struct error *err);

/* The path that a plain path or file: URL names, or NULL: it is none. The caller frees. */
char *url_local_path(const char *url);
/* A scheme that we have: http, https, file, none. The error names the others. */
int url_check(const char *url, struct error *err);
