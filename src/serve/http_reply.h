/* An answer of HTTP on its way out: its head, and the bytes behind it. Small
 * ones leave with the head in one piece; of large files the kernel sends the pages. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "serve/files.h"
#include "serve/http_input.h"

enum { HTTP_SMALL_FILE = 16 << 10 }; /* one that is read whole and leaves with its head */

struct http_reply {
        int status;     /* 0: there is none yet */
        bool close;     /* the connection ends behind it */
        uint64_t bytes; /* of its body */
        struct str head;
        size_t head_sent;
        struct file *file;     /* NULL: all of the body is in `head` */
        uint64_t offset, left; /* what of the file is still to be sent */
};

/* About the body. */
struct http_content {
        const char *type;  /* NULL: text/plain */
        const char *allow; /* for 405, or NULL */
};

/* `text` (len bytes) with a status; of HEAD only its length. */
void http_reply_text(struct http_reply *reply, const struct http_input *in, int status, const char *text, size_t len,
                     const struct http_content *content);
/* A file, or the range of it that was asked for. What of *file is sent later becomes the reply's. A negative errno: it
 * cannot be read, and there is no reply. */
int http_reply_file(struct http_reply *reply, const struct http_input *in, struct file **file, const char *type);
/* How many bytes of the body have left. */
uint64_t http_reply_sent(const struct http_reply *reply);
void http_reply_clear(struct http_reply *reply);
