/* One HTTP request of any method and its answer as a text in memory: what
 * templates ask of servers. Files are fetched by source/source.h. */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct exchange {
        const char *url, *method;   /* http or https; "GET", "POST", ... */
        const char *const *headers; /* "Name: value", NULL-terminated, or NULL */
        const char *body;           /* NULL: none */
        const char *user_agent;
};
struct exchange_reply {
        long status; /* of the last answer, redirects being followed: 200 to 299 */
        struct str body;
        char **headers; /* "Name: value"; names as in RFC 9110's text (Content-Type), values of one name joined by ", "
                         */
};
void exchange_reply_clear(struct exchange_reply *reply);

/* Proxies are those of the environment. -EINVAL: the URL or a header is none;
 * any status but 2xx is an error too. *ret is to be cleared in any case. */
int exchange_run(const struct exchange *exchange, struct exchange_reply *ret, struct error *err);
