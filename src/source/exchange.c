/* See exchange.h. Semantics are those of RFC 9110. */
#include "source/exchange.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/log.h"
#include "source/http.h"
#include "source/transfer.h"

enum { STALL_SEC = 60, MAX_BODY = 64 << 20 };

struct running {
        CURL *curl;
        struct curl_slist *headers;
        struct exchange_reply *reply;
        bool too_large;
        char text[CURL_ERROR_SIZE];
};

static void running_done(struct running *run)
{
        curl_slist_free_all(run->headers);
        curl_easy_cleanup(run->curl);
}

void exchange_reply_clear(struct exchange_reply *reply)
{
        str_clear(&reply->body);
        strv_free(reply->headers);
        *reply = (struct exchange_reply){0};
}

/* ---- what is sent ---- */

static int check_header(const char *header, struct error *err)
{
        const char *colon = strchr(header, ':');

        if (!colon || colon == header || strpbrk(header, "\r\n"))
                return error_set(err, EINVAL, "this is no header of HTTP, or it goes over several lines");
        return 0;
}

static bool names_header(const char *const *headers, const char *name)
{
        size_t n = strlen(name);

        for (; headers && *headers; headers++)
                if (strncasecmp(*headers, name, n) == 0 && (*headers)[n] == ':')
                        return true;
        return false;
}

static void add_header(struct running *run, const char *header)
{
        size_t n = strcspn(header, ":");
        CLEANUP_FREE char *empty = header[n + strspn(header + n, ": ")] ? NULL : xasprintf("%.*s;", (int)n, header);

        /* libcurl sends a header without a value when it is written so */
        run->headers = curl_slist_append(run->headers, empty ? empty : header);
}

static void set_method(struct running *run, const struct exchange *exchange)
{
        bool post = strcmp(exchange->method, "POST") == 0;

        if (exchange->body || post)
                curl_easy_setopt(run->curl, CURLOPT_COPYPOSTFIELDS, exchange->body ? exchange->body : "");
        if (strcmp(exchange->method, "HEAD") == 0)
                curl_easy_setopt(run->curl, CURLOPT_NOBODY, 1L);
        else if (!post)
                curl_easy_setopt(run->curl, CURLOPT_CUSTOMREQUEST, exchange->method);
        /* libcurl's own: what is not asked for is not sent */
        if (!names_header(exchange->headers, "Content-Type"))
                run->headers = curl_slist_append(run->headers, "Content-Type:");
        if (!names_header(exchange->headers, "Expect"))
                run->headers = curl_slist_append(run->headers, "Expect:");
}

/* ---- what comes ---- */

/* "content-TYPE" -> "Content-Type", in place */
static void canonical_name(char *name)
{
        bool first = true;

        for (; *name; name++) {
                *name = (char)(first ? toupper((unsigned char)*name) : tolower((unsigned char)*name));
                first = *name == '-';
        }
}

static void take_header(struct exchange_reply *reply, char *name, const char *value)
{
        size_t n = strlen(name);

        canonical_name(name);
        for (char **header = reply->headers; header && *header; header++)
                if (strncmp(*header, name, n) == 0 && (*header)[n] == ':') {
                        char *joined = xasprintf("%s, %s", *header, value);

                        free(*header);
                        *header = joined;
                        return;
                }
        strv_addf(&reply->headers, "%s: %s", name, value);
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
        struct running *run = arg;
        CLEANUP_FREE char *line = xstrndup(data, n * size);
        char *colon = strchr(line, ':');

        if (strncasecmp(line, "HTTP/", 5) == 0) { /* those of a redirect or "100 Continue" do not count */
                run->reply->headers = strv_free(run->reply->headers);
        } else if (colon) {
                *colon = '\0';
                take_header(run->reply, line, str_trim(colon + 1));
        }
        return n * size;
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
        struct running *run = arg;

        n *= size;
        run->too_large = n > MAX_BODY - run->reply->body.len;
        if (run->too_large)
                return 0;
        str_addn(&run->reply->body, data, n);
        return n;
}

/* ---- the request ---- */

static void set_options(struct running *run, const struct exchange *exchange)
{
        http_deliver(run->curl, on_header, on_data, run, run->text);
        set_method(run, exchange);
        for (const char *const *header = exchange->headers; header && *header; header++)
                add_header(run, *header);
        curl_easy_setopt(run->curl, CURLOPT_HTTPHEADER, run->headers);
}

static int explain(const struct running *run, CURLcode code, const char *shown, struct error *err)
{
        int r = cancel_check(err);

        if (r < 0)
                return r;
        if (run->too_large)
                return error_set(err, EFBIG, "%s: the answer is larger than %d MiB", shown, MAX_BODY >> 20);
        return error_set(err, code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL ? EINVAL : EIO,
                         "%s: %s", shown, run->text[0] ? run->text : curl_easy_strerror(code));
}

int exchange_run(const struct exchange *exchange, struct exchange_reply *ret, struct error *err)
{
        CLEANUP_FREE char *shown = url_show(exchange->url);
        CLEANUP(running_done) struct running run = {.reply = ret};
        CURLcode code;

        *ret = (struct exchange_reply){0};
        for (const char *const *header = exchange->headers; header && *header; header++) {
                int r = check_header(*header, err);

                if (r < 0)
                        return r;
        }
        run.curl = http_request(exchange->url, exchange->user_agent, STALL_SEC);
        if (!run.curl)
                return error_set(err, ENOMEM, "libcurl cannot be started");
        set_options(&run, exchange);
        log_debug("request: %s %s", exchange->method, shown);
        code = curl_easy_perform(run.curl);
        if (code != CURLE_OK)
                return explain(&run, code, shown, err);
        curl_easy_getinfo(run.curl, CURLINFO_RESPONSE_CODE, &ret->status);
        if (ret->status < 200 || ret->status > 299)
                return error_set(err, EIO, "%s: the server answers with HTTP %ld", shown, ret->status);
        return 0;
}
