/* The one name space of files that TFTP and HTTP serve from. How a path
 * becomes a file (a folder, an image, a text rendered for this client) is
 * behind struct files; the servers only read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum file_protocol { FILE_TFTP, FILE_HTTP, FILE_HTTPS };

struct file_request {
        enum file_protocol protocol;
        const char *path; /* as the client sent it, percent-decoded for HTTP */
        uint32_t peer;    /* its address, host order */
        uint32_t server;  /* the address that it was asked at */
};

/* An open file: either text, or an fd with a range of it, or something that is read by a function. Its size does not
 * change while it is open; what is cut off meanwhile is -EIO of file_read(). */
struct file {
        uint64_t size;
        int64_t mtime_sec; /* 0: not known */
        int fd;            /* -1: none; the bytes are [fd_offset, fd_offset + size) of it: for sendfile */
        uint64_t fd_offset;
        ssize_t (*read)(struct file *file, void *buf, size_t n, uint64_t offset); /* for fd -1 */
        void (*close)(struct file *file);                                         /* frees it */
        void *data;
};

struct files {
        /* -ENOENT, -EACCES, -EISDIR...: *err says what and which path. *ret is the caller's to close. */
        int (*open)(void *arg, const struct file_request *request, struct file **ret, struct error *err);
        void *arg;
};

/* Exactly n bytes at the offset, which lie within the size; -EIO if they are no longer there. */
int file_read(struct file *file, void *buf, size_t n, uint64_t offset);
struct file *file_close(struct file *file); /* returns NULL */
