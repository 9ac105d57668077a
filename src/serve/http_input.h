/* A request on its way in: bytes, in pieces of any size, become a method, a
 * path, headers, arguments and a body, within limits. The grammar (RFC 9112) is
 * http-parser's. Nothing here knows a socket. */
#pragma once

#include <http_parser.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/vec.h"

enum {
        HTTP_HEAD_MAX = 16 << 10, /* target and headers */
        HTTP_BODY_MAX = 4 << 20,
};

/* Where two strings begin in `text`. */
struct http_field {
        uint32_t name, value;
};

/* What is there of it. Fields beneath `text` are its own. */
struct http_input {
        bool headed;        /* from here on there are method, path, headers and arguments */
        bool whole;         /* the body is there too */
        bool keep_alive;    /* the connection is to stay open */
        bool old;           /* HTTP/1.0 */
        bool waits;         /* with its body, to be told to go on (RFC 9110 10.1.1) */
        int refused;        /* not 0: it cannot be answered but with this status, and nothing behind it can be read */
        const char *method; /* "GET"; static */
        char *path;         /* percent-decoded, without the query */
        struct str body;

        struct str text; /* the target, then names and values; each ends with a NUL */
        VEC(struct http_field) headers, arguments;
        bool in_value; /* the last that came was a value */
        http_parser parser;
};

/* Ready for a request; `in` is zero or has been cleared. */
void http_input_begin(struct http_input *in);
/* Take what belongs to the request; the number of bytes that did. Call it no more when it is whole or refused. */
size_t http_input_feed(struct http_input *in, const void *data, size_t n);
/* Once it has a head: the first header of that name, in any case; an argument of the query, percent-decoded. NULL:
 * none. */
const char *http_input_header(const struct http_input *in, const char *name);
const char *http_input_argument(const struct http_input *in, const char *name);
void http_input_clear(struct http_input *in);
