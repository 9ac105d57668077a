/* The name servers that a guest is given, and telling them from what the image
 * has itself. Private to this room. */
#pragma once

#include <stdbool.h>

#define RESOLV_PATH "etc/resolv.conf"

/* The text of the guest's resolv.conf: the host's lines between two marks. The caller frees. */
char *resolv_content(void);
/* The same from a given text of the host's. */
char *resolv_from(const char *host);
/* A provisioner's text without our block: `original` (NULL: none) stands in its place.
 * NULL if the block is not in it; the caller frees. */
char *resolv_without_block(const char *text, const char *original);
