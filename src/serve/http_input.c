/* See http_input.h. */
#include "serve/http_input.h"

#include <string.h>
#include <strings.h>

#include "serve/http_text.h"

/* ---- what http-parser calls; anything but 0 ends the request ---- */

static struct http_input *input_of(http_parser *parser)
{
        return parser->data;
}

static int refuse(struct http_input *in, int status)
{
        in->refused = status;
        return -1;
}

static int add_text(struct http_input *in, const char *at, size_t n, int status)
{
        if (in->text.len > HTTP_HEAD_MAX || n > HTTP_HEAD_MAX - in->text.len)
                return refuse(in, status);
        str_addn(&in->text, at, n);
        return 0;
}

static int on_url(http_parser *parser, const char *at, size_t n)
{
        return add_text(input_of(parser), at, n, HTTP_STATUS_URI_TOO_LONG);
}

/* The NUL behind what came before; where the next string begins. */
static uint32_t next_string(struct http_input *in)
{
        str_addc(&in->text, '\0');
        return (uint32_t)in->text.len;
}

static int on_header_field(http_parser *parser, const char *at, size_t n)
{
        struct http_input *in = input_of(parser);

        if (in->headed) /* a trailer of a chunked body */
                return 0;
        if (in->headers.n == 0 || in->in_value)
                vec_push(&in->headers, (struct http_field){.name = next_string(in)});
        in->in_value = false;
        return add_text(in, at, n, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE);
}

static int on_header_value(http_parser *parser, const char *at, size_t n)
{
        struct http_input *in = input_of(parser);

        if (in->headed)
                return 0;
        if (!in->in_value)
                in->headers.v[in->headers.n - 1].value = next_string(in);
        in->in_value = true;
        return add_text(in, at, n, HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE);
}

/* '+' is a space in a query, as forms send it. */
static void decode_argument(char *text)
{
        for (char *p = text; (p = strchr(p, '+'));)
                *p = ' ';
        http_decode(text);
}

static void take_arguments(struct http_input *in, char *query)
{
        char *name;

        while ((name = strsep(&query, "&"))) {
                char *value = name + strcspn(name, "=");

                if (*value == '=')
                        *value++ = '\0';
                decode_argument(name);
                decode_argument(value);
                vec_push(&in->arguments,
                         (struct http_field){(uint32_t)(name - in->text.s), (uint32_t)(value - in->text.s)});
        }
}

static void take_target(struct http_input *in)
{
        char *target = in->text.s, *query;

        target[strcspn(target, "#")] = '\0';
        query = strchr(target, '?');
        if (query)
                *query++ = '\0';
        in->path = xstrdup(http_target_path(target));
        http_decode(in->path);
        take_arguments(in, query);
}

/* A request without Host is served: some firmware sends none, and there is one site only. */
static int on_headers_complete(http_parser *parser)
{
        struct http_input *in = input_of(parser);
        const char *expect;

        if (parser->http_major != 1)
                return refuse(in, HTTP_STATUS_HTTP_VERSION_NOT_SUPPORTED);
        next_string(in);
        in->headed = true;
        in->method = http_method_str(parser->method);
        in->old = parser->http_minor == 0;
        in->keep_alive = http_should_keep_alive(parser);
        take_target(in);
        expect = http_input_header(in, "Expect");
        in->waits = !in->old && expect && strcasecmp(expect, "100-continue") == 0;
        if (parser->content_length != UINT64_MAX && parser->content_length > HTTP_BODY_MAX)
                return refuse(in, HTTP_STATUS_PAYLOAD_TOO_LARGE);
        return 0;
}

static int on_body(http_parser *parser, const char *at, size_t n)
{
        struct http_input *in = input_of(parser);

        if (n > HTTP_BODY_MAX - in->body.len)
                return refuse(in, HTTP_STATUS_PAYLOAD_TOO_LARGE);
        in->waits = false;
        str_addn(&in->body, at, n);
        return 0;
}

static int on_message_complete(http_parser *parser)
{
        input_of(parser)->whole = true;
        http_parser_pause(parser, 1); /* what follows is another request */
        return 0;
}

/* ---- as others see it ---- */

void http_input_begin(struct http_input *in)
{
        http_parser_init(&in->parser, HTTP_REQUEST);
        in->parser.data = in;
}

size_t http_input_feed(struct http_input *in, const void *data, size_t n)
{
        static const http_parser_settings settings = {.on_url = on_url,
                                                      .on_header_field = on_header_field,
                                                      .on_header_value = on_header_value,
                                                      .on_headers_complete = on_headers_complete,
                                                      .on_body = on_body,
                                                      .on_message_complete = on_message_complete};
        size_t taken = http_parser_execute(&in->parser, &settings, data, n);
        enum http_errno error = HTTP_PARSER_ERRNO(&in->parser);

        if (error != HPE_OK && !in->whole && in->refused == 0)
                in->refused = error == HPE_INVALID_METHOD    ? HTTP_STATUS_NOT_IMPLEMENTED
                              : error == HPE_HEADER_OVERFLOW ? HTTP_STATUS_REQUEST_HEADER_FIELDS_TOO_LARGE
                                                             : HTTP_STATUS_BAD_REQUEST;
        return taken;
}

const char *http_input_header(const struct http_input *in, const char *name)
{
        for (size_t i = 0; i < in->headers.n; i++)
                if (strcasecmp(in->text.s + in->headers.v[i].name, name) == 0)
                        return in->text.s + in->headers.v[i].value;
        return NULL;
}

const char *http_input_argument(const struct http_input *in, const char *name)
{
        for (size_t i = 0; i < in->arguments.n; i++)
                if (strcmp(in->text.s + in->arguments.v[i].name, name) == 0)
                        return in->text.s + in->arguments.v[i].value;
        return NULL;
}

void http_input_clear(struct http_input *in)
{
        free(in->path);
        str_clear(&in->body);
        str_clear(&in->text);
        vec_free(&in->headers);
        vec_free(&in->arguments);
        *in = (struct http_input){0};
}
