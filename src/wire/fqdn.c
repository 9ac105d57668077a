#include "wire/fqdn.h"

#include <string.h>

#include "wire/dhcp_option.h"

enum {
        FIXED = 3, /* flags and two bytes that once were results of DNS, now 255 */
        SERVER_UPDATES = 1,
        OVERRIDDEN = 2,
        ENCODED = 4,
        NO_UPDATES = 8,
        LABEL_MAX = 63,
};

/* Of labels one that holds a dot or a NUL cannot be written as a text. */
static bool read_labels(const uint8_t *p, size_t n, char ret[FQDN_NAME])
{
        size_t at = 0;

        while (n > 0 && *p) {
                size_t label = *p;

                if (label > LABEL_MAX || label > n - 1 || label + 1 >= FQDN_NAME - at)
                        return false;
                if (memchr(p + 1, '.', label) || memchr(p + 1, '\0', label))
                        return false;
                if (at > 0)
                        ret[at++] = '.';
                memcpy(ret + at, p + 1, label);
                at += label;
                p += label + 1;
                n -= label + 1;
        }
        ret[at] = '\0';
        return true;
}

static bool read_ascii(const uint8_t *p, size_t n, char ret[FQDN_NAME])
{
        if (n > 0 && p[n - 1] == '\0')
                n--;
        if (n >= FQDN_NAME || memchr(p, '\0', n))
                return false;
        memcpy(ret, p, n);
        ret[n] = '\0';
        return true;
}

bool fqdn_read(const uint8_t *data, size_t len, struct fqdn *ret)
{
        *ret = (struct fqdn){0};
        if (len < FIXED)
                return false;
        ret->encoded = data[0] & ENCODED;
        ret->server_updates = data[0] & SERVER_UPDATES;
        return ret->encoded ? read_labels(data + FIXED, len - FIXED, ret->name)
                            : read_ascii(data + FIXED, len - FIXED, ret->name);
}

size_t fqdn_write(const struct fqdn *asked, const char *name, uint8_t buf[static FQDN_SIZE])
{
        const struct dhcp_option labels = {.type = DHCP_DOMAIN};
        size_t len = strlen(name);
        int n = 0;

        buf[0] = (uint8_t)(NO_UPDATES | (asked->encoded ? ENCODED : 0) | (asked->server_updates ? OVERRIDDEN : 0));
        buf[1] = buf[2] = 255;
        if (len >= FQDN_NAME)
                return 0;
        if (asked->encoded && len > 0)
                n = dhcp_option_encode(&labels, &name, 1, buf + FIXED, FQDN_SIZE - FIXED, NULL);
        else
                memcpy(buf + FIXED, name, len + 1); /* its NUL is not counted */
        if (n < 0)
                return 0;
        return FIXED + (asked->encoded ? (size_t)n : len);
}
