/* The data source http, with the keys and attributes of Packer's own. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "hcl/func.h"
#include "source/exchange.h"
#include "template/data.h"
#include "template/module_internal.h"

struct http_config {
        char *url, *method, *request_body;
        char **request_headers; /* "Name=value" */
};

static const char *const methods[] = {"HEAD", "GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", NULL};

#define STRUCT struct http_config
static const struct schema_key keys[] = {
        KEY("url", SCHEMA_STRING, SCHEMA_REQUIRED, url, .help = "http or https; it must answer with a text"),
        KEY("method", SCHEMA_STRING, 0, method, .fallback = "GET", .choices = methods, .help = "of the request"),
        KEY("request_headers", SCHEMA_STRING_MAP, 0, request_headers, .help = "more headers of the request"),
        KEY("request_body", SCHEMA_STRING, 0, request_body, .help = "what is sent"),
};
#undef STRUCT
static const struct schema schema = {.name = "the http data source",
                                     .size = sizeof(struct http_config),
                                     .keys = keys,
                                     .n_keys = sizeof(keys) / sizeof(keys[0])};

static char **header_lines(char *const *pairs)
{
        char **lines = NULL;

        for (; pairs && *pairs; pairs++) {
                int name = (int)strcspn(*pairs, "=");

                strv_addf(&lines, "%.*s: %s", name, *pairs, *pairs + name + 1);
        }
        return lines;
}

/* "Name: value" each, as a map of strings. */
static const struct hcl_value *header_map(struct arena *arena, char *const *lines)
{
        size_t n = strv_len(STRV(lines));
        struct hcl_string *names = arena_array(arena, n, sizeof(*names));
        const struct hcl_value **values = arena_array(arena, n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < n; i++) {
                size_t name = strcspn(lines[i], ":");

                names[i] = (struct hcl_string){arena_strndup(arena, lines[i], name), name};
                values[i] = hcl_string_from(arena, lines[i] + name + 2);
        }
        return hcl_map_value(arena, &hcl_string, names, values, n);
}

static int http_read(struct arena *arena, const void *arg, const struct hcl_value **ret, struct error *err)
{
        static const char *const names[] = {"body", "request_headers", "response_headers", "url"};
        const struct http_config *config = arg;
        CLEANUP_STRV char **lines = header_lines(config->request_headers);
        CLEANUP(exchange_reply_clear) struct exchange_reply reply = {0};
        const struct exchange exchange = {.url = config->url,
                                          .method = config->method,
                                          .headers = STRV(lines),
                                          .body = str_empty(config->request_body) ? NULL : config->request_body,
                                          .user_agent = "slipway/" SLIPWAY_VERSION};
        const struct hcl_value *headers;
        int r;

        r = exchange_run(&exchange, &reply, err);
        if (r < 0)
                return r;
        if (!func_valid_utf8(str_get(&reply.body), reply.body.len))
                return error_set(err, EILSEQ, "%s: the answer is no text in UTF-8", config->url);
        headers = header_map(arena, reply.headers);
        /* Packer calls the headers of the answer request_headers. */
        *ret = module_object(
                arena, names,
                (const struct hcl_value *const[]){hcl_string_value(arena, str_get(&reply.body), reply.body.len),
                                                  headers, headers, hcl_string_from(arena, config->url)},
                4);
        return 0;
}

const struct data_type data_http = {"http", &schema, http_read};
