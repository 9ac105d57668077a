/* See url.h. */
#include "lang/url.h"

#include <string.h>

void url_add_query(struct str *out, const char *s, size_t n)
{
        static const char same[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";

        for (size_t i = 0; i < n; i++) {
                if (s[i] && strchr(same, s[i]))
                        str_addc(out, s[i]);
                else if (s[i] == ' ')
                        str_addc(out, '+');
                else
                        str_addf(out, "%%%02X", (unsigned char)s[i]);
        }
}
