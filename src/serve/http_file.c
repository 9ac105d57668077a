/* Answers of HTTP: texts, and files, whole or a range of them. Small files
 * leave in one piece with their headers; of large ones the kernel sends the pages (sendfile). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "serve/http_internal.h"
#include "serve/http_text.h"

struct MHD_Response *http_text_response(char *text, size_t len, const char *type)
{
        struct MHD_Response *response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);

        if (!response)
                free(text);
        else
                MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type ? type : "text/plain");
        return response;
}

/* ---- the bytes ---- */

/* A part of a file that is read by a function. */
struct part {
        struct file *file;
        uint64_t first, len;
};

static ssize_t part_read(void *arg, uint64_t offset, char *buf, size_t n)
{
        struct part *part = arg;

        n = n < part->len - offset ? n : part->len - offset;
        return files_read(part->file, buf, n, part->first + offset) < 0 ? MHD_CONTENT_READER_END_WITH_ERROR
                                                                        : (ssize_t)n;
}

static void part_free(void *arg)
{
        struct part *part = arg;

        files_close(part->file);
        free(part);
}

static struct MHD_Response *read_response(struct file **file, uint64_t first, uint64_t len)
{
        struct part *part = xmalloc(sizeof(*part));
        struct MHD_Response *response;

        *part = (struct part){*file, first, len};
        response = MHD_create_response_from_callback(len, HTTP_SMALL_FILE, part_read, part, part_free);
        if (response)
                *file = NULL;
        else
                free(part);
        return response;
}

static struct MHD_Response *small_response(struct file *file, uint64_t first, uint64_t len)
{
        char *text = xmalloc(len + 1);
        struct MHD_Response *response = NULL;

        if (files_read(file, text, len, first) == 0)
                response = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
        if (!response)
                free(text);
        return response;
}

static struct MHD_Response *fd_response(struct file *file, uint64_t first, uint64_t len)
{
        int fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 0);
        struct MHD_Response *response;

        if (fd < 0)
                return NULL;
        response = MHD_create_response_from_fd_at_offset64(len, fd, file->fd_offset + first);
        if (!response)
                close(fd);
        return response;
}

static struct MHD_Response *bytes_response(struct file **file, bool head, uint64_t first, uint64_t len)
{
        if (head) /* nothing is read */
                return read_response(file, first, len);
        if (len <= HTTP_SMALL_FILE)
                return small_response(*file, first, len);
        return (*file)->fd >= 0 ? fd_response(*file, first, len) : read_response(file, first, len);
}

/* ---- its headers ---- */

/* IMF-fixdate (RFC 9110 5.6.7). */
static void show_time(int64_t sec, char buf[40])
{
        static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        time_t t = (time_t)sec;
        struct tm tm;

        gmtime_r(&t, &tm);
        snprintf(buf, 40, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + (ptrdiff_t)3 * tm.tm_wday, tm.tm_mday,
                 months + (ptrdiff_t)3 * tm.tm_mon, (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
        return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* A range is of this version of the file, or the client gets the whole (RFC 9110 13.1.5). */
static const char *wanted_range(struct MHD_Connection *connection, const char *modified)
{
        const char *condition = header(connection, MHD_HTTP_HEADER_IF_RANGE);

        return condition && strcmp(condition, modified) != 0 ? NULL : header(connection, MHD_HTTP_HEADER_RANGE);
}

static struct MHD_Response *outside_response(uint64_t size)
{
        char *text = xstrdup("The file has no such bytes.\n"), range[48];
        struct MHD_Response *response = http_text_response(text, strlen(text), NULL);

        snprintf(range, sizeof(range), "bytes */%llu", (unsigned long long)size);
        if (response)
                MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, range);
        return response;
}

static void add_headers(struct MHD_Response *response, const char *type, const char *modified)
{
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
        MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
        if (*modified)
                MHD_add_response_header(response, MHD_HTTP_HEADER_LAST_MODIFIED, modified);
}

struct MHD_Response *http_file_response(struct MHD_Connection *connection, const char *path, bool head,
                                        struct file **file, const char *type, int *ret_status, uint64_t *ret_bytes)
{
        uint64_t size = (*file)->size, first = 0, last = size - 1;
        char modified[40] = "", range[96];
        struct MHD_Response *response;
        enum http_range_kind kind;

        if ((*file)->mtime_sec != 0)
                show_time((*file)->mtime_sec, modified);
        /* A range of HEAD has no meaning (RFC 9110 14.2). */
        kind = head ? HTTP_RANGE_NONE : http_range(wanted_range(connection, modified), size, &first, &last);
        if (kind == HTTP_RANGE_OUTSIDE) {
                *ret_status = MHD_HTTP_RANGE_NOT_SATISFIABLE;
                return outside_response(size);
        }
        response = bytes_response(file, head, first, last - first + 1);
        if (!response)
                return NULL;
        add_headers(response, type ? type : http_content_type(path), modified);
        *ret_status = kind == HTTP_RANGE_PART ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK;
        *ret_bytes = head ? 0 : last - first + 1;
        snprintf(range, sizeof(range), "bytes %llu-%llu/%llu", (unsigned long long)first, (unsigned long long)last,
                 (unsigned long long)size);
        if (kind == HTTP_RANGE_PART)
                MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, range);
        return response;
}
