/* Parts of URLs. */
#pragma once

#include "base/str.h"

/* As part of a query: RFC 3986's unreserved characters stay, a blank becomes "+" (Go's url.QueryEscape). */
void url_add_query(struct str *out, const char *s, size_t n);
