/* What of HTTP is ours to understand: percent-encoding of a path (RFC 3986
 * 2.1), one range of bytes (RFC 9110 14.1.2), dates, the type of a file by its name.
 * No connection, no file. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Decode %XX in place; the new length. What is no such triplet stays, and so does %00: no name has a NUL. */
size_t http_decode(char *text);
/* The path of a request's target: of "http://host/a" what begins at the '/' ("/" if there is none). */
const char *http_target_path(const char *target);

enum http_range_kind {
        HTTP_RANGE_NONE, /* none, several, another unit, or no sense: the whole */
        HTTP_RANGE_PART, /* *ret_first to *ret_last, inclusive, within the size */
        HTTP_RANGE_OUTSIDE,
};
/* value: of the header, or NULL. */
enum http_range_kind http_range(const char *value, uint64_t size, uint64_t *ret_first, uint64_t *ret_last);

enum { HTTP_DATE = 40 };
/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7) into buf. */
void http_date(int64_t sec, char buf[HTTP_DATE]);

/* "application/efi" for "/a/bootx64.EFI". */
const char *http_content_type(const char *path);
