/* See transfer.h. HTTP semantics are those of RFC 9110: sections 13.1.5
 * (If-Range), 14.4 (Content-Range), 8.8 (validators). */
#include "source/transfer.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "source/http.h"

struct running {
        const struct transfer *transfer;
        CURL *curl;
        struct curl_slist *headers;
        struct transfer_reply reply;
        uint64_t received;
        bool begun;
        struct error failure; /* of a callback of ours */
        char text[CURL_ERROR_SIZE];
};

static void reply_clear(struct transfer_reply *reply)
{
        free(reply->etag);
        free(reply->last_modified);
        *reply = (struct transfer_reply){0};
}

static void running_done(struct running *run)
{
        curl_slist_free_all(run->headers);
        curl_easy_cleanup(run->curl);
        reply_clear(&run->reply);
        error_clear(&run->failure);
}

char *url_show(const char *url)
{
        CURLU *parsed = curl_url();
        char *text = NULL, *shown;

        if (parsed && strstr(url, "://") && curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == 0) {
                curl_url_set(parsed, CURLUPART_USER, NULL, 0);
                curl_url_set(parsed, CURLUPART_PASSWORD, NULL, 0);
                curl_url_get(parsed, CURLUPART_URL, &text, 0);
        }
        shown = str_printable(text ? text : url);
        curl_free(text);
        curl_url_cleanup(parsed);
        return shown;
}

char *url_name(const char *url)
{
        CURLU *parsed = curl_url();
        char *path = NULL, *name = NULL, *slash;

        if (parsed && strstr(url, "://") && curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == 0)
                curl_url_get(parsed, CURLUPART_PATH, &path, CURLU_URLDECODE);
        name = xstrdup(path_name(path ? path : url));
        slash = strchr(name, '/');
        if (slash)
                *slash = '\0';
        if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
                free(name);
                name = xstrdup("download");
        }
        curl_free(path);
        curl_url_cleanup(parsed);
        return name;
}

/* "Name: value" -> value into *field, if the name is that. */
static bool take_header(const char *line, size_t n, const char *name, char **field)
{
        size_t len = strlen(name);
        char *value;

        if (n <= len || strncasecmp(line, name, len) != 0 || line[len] != ':')
                return false;
        value = xstrndup(line + len + 1, n - len - 1);
        free(*field);
        *field = xstrdup(str_trim(value));
        free(value);
        return true;
}

/* "bytes 100-199/200" or "bytes 100-199/" and a '*' */
static void take_range(struct transfer_reply *reply, const char *text)
{
        const char *slash = strchr(text, '/');

        if (!str_starts(text, "bytes ") || !isdigit((unsigned char)text[6]))
                return;
        reply->offset = strtoull(text + 6, NULL, 10);
        if (slash && isdigit((unsigned char)slash[1]))
                reply->total = strtoull(slash + 1, NULL, 10);
}

static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
        struct running *run = arg;
        CLEANUP_FREE char *range = NULL;

        n *= size;
        if (n > 5 && strncasecmp(line, "HTTP/", 5) == 0) /* of a redirect or "100 Continue" before */
                reply_clear(&run->reply);
        else if (take_header(line, n, "etag", &run->reply.etag) ||
                 take_header(line, n, "last-modified", &run->reply.last_modified))
                return n;
        else if (take_header(line, n, "content-range", &range))
                take_range(&run->reply, range);
        return n;
}

static int begin(struct running *run)
{
        struct transfer_reply *reply = &run->reply;
        curl_off_t length = -1;

        if (run->begun)
                return 0;
        run->begun = true;
        curl_easy_getinfo(run->curl, CURLINFO_RESPONSE_CODE, &reply->status);
        curl_easy_getinfo(run->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        if (reply->status == 206 && reply->offset != run->transfer->offset)
                return error_set(&run->failure, EPROTO, "the server sent bytes from %llu, not from %llu",
                                 (unsigned long long)reply->offset, (unsigned long long)run->transfer->offset);
        if (reply->status == 206 && run->transfer->offset == 0)
                return error_set(&run->failure, EPROTO, "the server sent a part of the file without being asked");
        if (reply->status != 206)
                reply->offset = 0;
        if (reply->total == 0 && length > 0)
                reply->total = reply->offset + (uint64_t)length;
        return run->transfer->begin(run->transfer->arg, reply, &run->failure);
}

static size_t on_data(char *data, size_t size, size_t n, void *arg)
{
        struct running *run = arg;

        n *= size;
        if (begin(run) < 0 || run->transfer->data(run->transfer->arg, data, n, &run->failure) < 0)
                return 0;
        run->received += n;
        progress_update(run->transfer->ui, run->reply.offset + run->received);
        return n;
}

static void add_header(struct running *run, const char *name, const char *value)
{
        CLEANUP_FREE char *line = NULL;

        if (!value)
                return;
        line = xasprintf("%s: %s", name, value);
        run->headers = curl_slist_append(run->headers, line);
}

static void set_options(struct running *run)
{
        const struct transfer *transfer = run->transfer;
        CURL *curl = run->curl;
        CLEANUP_FREE char *range = xasprintf("%llu-", (unsigned long long)transfer->offset);

        curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 256L << 10);
        http_deliver(curl, on_header, on_data, run, run->text);
        if (transfer->offset > 0) {
                curl_easy_setopt(curl, CURLOPT_RANGE, range);
                add_header(run, "If-Range", transfer->if_range);
        }
        add_header(run, "If-None-Match", transfer->if_none_match);
        add_header(run, "If-Modified-Since", transfer->if_modified_since);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, run->headers);
}

/* Errors of the way, not of the thing: the same request may work a moment later. */
static bool is_transient(CURLcode code, long status)
{
        static const CURLcode passing[] = {
                CURLE_COULDNT_RESOLVE_PROXY,
                CURLE_COULDNT_RESOLVE_HOST,
                CURLE_COULDNT_CONNECT,
                CURLE_OPERATION_TIMEDOUT,
                CURLE_GOT_NOTHING,
                CURLE_SEND_ERROR,
                CURLE_RECV_ERROR,
                CURLE_PARTIAL_FILE,
                CURLE_SSL_CONNECT_ERROR,
                CURLE_HTTP2,
                CURLE_HTTP2_STREAM,
                CURLE_WEIRD_SERVER_REPLY,
        };

        if (code == CURLE_HTTP_RETURNED_ERROR)
                return status >= 500 || status == 408 || status == 425 || status == 429;
        for (size_t i = 0; i < sizeof(passing) / sizeof(*passing); i++)
                if (passing[i] == code)
                        return true;
        return false;
}

static int explain(struct running *run, CURLcode code, long status, struct error *err)
{
        const char *text = run->text[0] ? run->text : curl_easy_strerror(code);
        int number = code == CURLE_OPERATION_TIMEDOUT ? ETIMEDOUT : EIO;
        int r = cancel_check(err);

        if (r < 0)
                return r;
        if (run->failure.code) {
                number = run->failure.code;
                if (err)
                        error_move(err, &run->failure);
                return -number;
        }
        if (code != CURLE_HTTP_RETURNED_ERROR)
                return error_set(err, number, "%s", text);
        switch (status) {
        case 401:
        case 403:
                return error_set(err, EACCES, "the server refuses it (HTTP %ld)", status);
        case 404:
        case 410:
                return error_set(err, ENOENT, "there is no such file on the server (HTTP %ld)", status);
        case 416:
                return error_set(err, ERANGE, "the server has no more of the file (HTTP 416)");
        default:
                return error_set(err, EIO, "the server answers with HTTP %ld", status);
        }
}

int transfer_run(const struct transfer *transfer, long *ret_status, bool *ret_transient, unsigned int *ret_wait_sec,
                 struct error *err)
{
        CLEANUP(running_done) struct running run = {.transfer = transfer};
        CLEANUP_FREE char *shown = url_show(transfer->url);
        curl_off_t wait_sec = 0;
        long status = 0;
        CURLcode code;

        *ret_transient = false;
        *ret_wait_sec = 0;
        run.curl = http_request(transfer->url, transfer->user_agent, transfer->stall_sec);
        if (!run.curl)
                return error_set(err, ENOMEM, "libcurl cannot be started");
        set_options(&run);
        log_debug("request: %s from byte %llu", shown, (unsigned long long)transfer->offset);
        code = curl_easy_perform(run.curl);
        curl_easy_getinfo(run.curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(run.curl, CURLINFO_RETRY_AFTER, &wait_sec);
        if (code == CURLE_OK && status != 304 && begin(&run) < 0)
                code = CURLE_WRITE_ERROR;
        if (code != CURLE_OK) {
                *ret_transient = !run.failure.code && is_transient(code, status);
                *ret_wait_sec = wait_sec > 60 ? 60 : (unsigned int)wait_sec;
                return explain(&run, code, status, err);
        }
        if (status != 200 && status != 206 && status != 304)
                return error_set(err, EPROTO, "the server answers with HTTP %ld", status);
        *ret_status = status;
        return 0;
}
