/* A client's whole name, option 81 (RFC 4702), and what a server that changes
 * no DNS says to it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FQDN_NAME = 254, FQDN_SIZE = 3 + 255 };

struct fqdn {
        bool encoded;        /* the name is in labels (RFC 1035), else in ASCII, as it was once */
        bool server_updates; /* the client wants the server to change DNS */
        char name[FQDN_NAME];
};

/* False: it is none that we can make sense of. A name without a dot is that of the host alone; it may be empty. */
bool fqdn_read(const uint8_t *data, size_t len, struct fqdn *ret);
/* The answer with this name, which is at most FQDN_NAME with its NUL; returns its length, or 0: the name is none. */
size_t fqdn_write(const struct fqdn *asked, const char *name, uint8_t buf[static FQDN_SIZE]);
