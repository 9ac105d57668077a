/* The one name space of files that TFTP and HTTP serve from. How a path
 * becomes a file (a folder, an image, a text rendered for this client) is
 * behind struct files; the servers only read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/error.h"

enum file_protocol { FILE_TFTP, FILE_HTTP, FILE_HTTPS };

struct file_request {
        enum file_protocol protocol;
        const char *path; /* as the client sent it, percent-decoded for HTTP */
        uint32_t peer;    /* its address, host order */
        uint32_t server;  /* the address that it was asked at */
};

/* Two with the same have the same bytes at the same offsets of their fd. */
struct file_id {
        uint64_t device, inode, size; /* inode 0: nothing is known */
        int64_t mtime_ns;
};

/* An open file: either text, or an fd with a range of it, or something that is read by a function. Its size does not
 * change while it is open; what is cut off meanwhile is -EIO of files_read(). */
struct file {
        uint64_t size;
        int64_t mtime_sec; /* 0: not known */
        int fd;            /* -1: none; the bytes are [fd_offset, fd_offset + size) of it: for sendfile */
        uint64_t fd_offset;
        struct file_id id;
        /* For fd -1: up to n bytes, of which there is at least one at the offset; 0: they are gone; or a
         * negative errno. One thread at a time. */
        ssize_t (*read)(struct file *file, void *buf, size_t n, uint64_t offset);
        void (*close)(struct file *file); /* frees it */
        void *data;
};

struct files {
        /* -ENOENT, -EACCES, -EISDIR...: *err says what and which path. *ret is the caller's to close.
         * Called from any thread of the servers. */
        int (*open)(void *arg, const struct file_request *request, struct file **ret, struct error *err);
        void *arg;
};

static inline int files_open(const struct files *files, const struct file_request *request, struct file **ret,
                             struct error *err)
{
        return files->open(files->arg, request, ret, err);
}
/* Exactly n bytes at the offset, which lie within the size; -EIO if they are no longer there. */
int files_read(struct file *file, void *buf, size_t n, uint64_t offset);
/* The same into several pieces, n in all. The pieces are changed. */
int files_readv(struct file *file, struct iovec *iov, int n_iov, uint64_t offset);
struct file *files_close(struct file *file); /* returns NULL */
static inline void files_closep(struct file **file)
{
        *file = files_close(*file);
}

/* A file whose bytes are these, which it frees with free() when it is closed. */
struct file *file_of_text(char *text, size_t len);
/* An open file, which it closes; fstat() says that it is this. */
struct file *file_of_fd(int fd, const struct stat *st);
struct file_id file_id_of(const struct stat *st);
