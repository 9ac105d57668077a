/* See http_reply.h. */
#include "serve/http_reply.h"

#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "serve/http_text.h"

/* ---- the head ---- */

/* One date serves all answers of a second. */
static const char *date_now(void)
{
        static _Thread_local struct {
                time_t sec;
                char text[HTTP_DATE];
        } date;
        time_t now = time(NULL);

        if (now != date.sec)
                http_date(date.sec = now, date.text);
        return date.text;
}

static void begin(struct http_reply *reply, int status, uint64_t length, const char *type)
{
        reply->status = status;
        str_addf(&reply->head, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nContent-Length: %llu\r\n", status,
                 http_status_str((enum http_status)status), date_now(), type ? type : "text/plain",
                 (unsigned long long)length);
}

static void finish(struct http_reply *reply, const struct http_input *in)
{
        reply->close = in->refused != 0 || !in->keep_alive;
        if (reply->close)
                str_add(&reply->head, "Connection: close\r\n");
        else if (in->old)
                str_add(&reply->head, "Connection: keep-alive\r\n");
        str_add(&reply->head, "\r\n");
}

static bool is_head(const struct http_input *in)
{
        return in->headed && strcmp(in->method, "HEAD") == 0;
}

/* ---- texts ---- */

void http_reply_text(struct http_reply *reply, const struct http_input *in, int status, const char *text, size_t len,
                     const struct http_content *content)
{
        begin(reply, status, len, content->type);
        if (content->allow)
                str_addf(&reply->head, "Allow: %s\r\n", content->allow);
        finish(reply, in);
        if (is_head(in))
                return;
        reply->bytes = len;
        str_addn(&reply->head, text, len);
}

/* ---- files ---- */

/* A range is of this version of the file, or the client gets the whole (RFC 9110 13.1.5). */
static const char *wanted_range(const struct http_input *in, const char *modified)
{
        const char *condition = http_input_header(in, "If-Range");

        return condition && strcmp(condition, modified) != 0 ? NULL : http_input_header(in, "Range");
}

static void reply_outside(struct http_reply *reply, const struct http_input *in, uint64_t size)
{
        static const char text[] = "The file has no such bytes.\n";

        begin(reply, HTTP_STATUS_RANGE_NOT_SATISFIABLE, sizeof(text) - 1, NULL);
        str_addf(&reply->head, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
        finish(reply, in);
        str_add(&reply->head, text);
        reply->bytes = sizeof(text) - 1;
}

/* Behind the head at once if it is little, or else later. */
static int add_bytes(struct http_reply *reply, struct file **file, uint64_t first, uint64_t len)
{
        char bytes[HTTP_SMALL_FILE];
        int r;

        reply->bytes = len;
        if (len > sizeof(bytes)) {
                reply->file = steal(file);
                reply->offset = first;
                reply->left = len;
                return 0;
        }
        r = files_read(*file, bytes, len, first);
        if (r == 0)
                str_addn(&reply->head, bytes, len);
        return r;
}

int http_reply_file(struct http_reply *reply, const struct http_input *in, struct file **file, const char *type)
{
        uint64_t size = (*file)->size, first = 0, last = size - 1; /* of an empty file, 0 bytes from 0 on */
        enum http_range_kind kind = HTTP_RANGE_NONE;
        char modified[HTTP_DATE] = "";
        int r;

        if ((*file)->mtime_sec != 0)
                http_date((*file)->mtime_sec, modified);
        if (!is_head(in)) /* a range of HEAD has no meaning (RFC 9110 14.2) */
                kind = http_range(wanted_range(in, modified), size, &first, &last);
        if (kind == HTTP_RANGE_OUTSIDE) {
                reply_outside(reply, in, size);
                return 0;
        }
        begin(reply, kind == HTTP_RANGE_PART ? HTTP_STATUS_PARTIAL_CONTENT : HTTP_STATUS_OK, last - first + 1, type);
        str_add(&reply->head, "Accept-Ranges: bytes\r\n");
        if (*modified)
                str_addf(&reply->head, "Last-Modified: %s\r\n", modified);
        if (kind == HTTP_RANGE_PART)
                str_addf(&reply->head, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)first,
                         (unsigned long long)last, (unsigned long long)size);
        finish(reply, in);
        r = is_head(in) ? 0 : add_bytes(reply, file, first, last - first + 1);
        if (r < 0)
                http_reply_clear(reply);
        return r;
}

/* ---- */

uint64_t http_reply_sent(const struct http_reply *reply)
{
        return reply->head_sent < reply->head.len ? 0 : reply->bytes - reply->left;
}

void http_reply_clear(struct http_reply *reply)
{
        str_clear(&reply->head);
        files_close(reply->file);
        *reply = (struct http_reply){0};
}
