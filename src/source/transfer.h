/* One HTTP request by libcurl: headers looked at, body handed on as it comes.
 * No retry, no file: download.c does that. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ui.h"

struct transfer_reply {
        long status; /* 200, 206 or 304 */
        char *etag, *last_modified;
        uint64_t offset; /* 206: where the body begins */
        uint64_t total;  /* of the whole file; 0: not known */
};

struct transfer {
        const char *url, *user_agent;
        unsigned int stall_sec; /* give up when nothing comes for so long */
        uint64_t offset;        /* > 0: only the rest of the file, if it is still the same */
        const char *if_range;   /* validator for that; NULL: ask without */
        /* Conditional: 304 if unchanged. NULL: not asked. */
        const char *if_none_match, *if_modified_since;
        struct ui *ui; /* progress_update with offset + what came */
        /* Once, before the first byte of a body (also of an empty one). */
        int (*begin)(void *arg, const struct transfer_reply *reply, struct error *err);
        int (*data)(void *arg, const void *data, size_t n, struct error *err);
        void *arg;
};

/* *ret_status: 200, 206, 304. On error *ret_transient says whether trying
 * again may help, and *ret_wait_sec what the server asked us to wait (0: nothing). */
int transfer_run(const struct transfer *transfer, long *ret_status, bool *ret_transient, unsigned int *ret_wait_sec,
                 struct error *err);

/* The URL without user name and password, as it may be shown. The caller frees. */
char *url_show(const char *url);
/* The last part of the URL's path, decoded: "raspbian.img.xz"; of a plain path
 * too. Never empty, never with a slash. The caller frees. */
char *url_name(const char *url);
