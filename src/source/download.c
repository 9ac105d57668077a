/* See download.h. What has come stays in downloads/KEY.part, also when we are
 * killed; the validator beside it tells whether the rest still fits. */
#include "source/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/log.h"
#include "base/size.h"
#include "base/sparse.h"
#include "base/str.h"
#include "source/transfer.h"

enum { TRIES = 5, RETRY_MS = 1000, RETRY_MAX_MS = 30000, STALL_SEC = 60, TEXT_MAX = 16 << 20 };

static const char default_agent[] = "slipway/" SLIPWAY_VERSION;

/* Where the bytes go: a file, with its digests, or a string. */
struct sink {
        const struct download *download;
        char *part, *info; /* NULL: into text */
        int fd;
        uint64_t size, best, total;    /* so far; at most so far; of the whole, 0: not known */
        struct digest *sha256, *other; /* of the bytes so far; other: of the asked type, or NULL */
        struct record validators;
        bool resumed; /* the file begins with what an earlier run left */
        struct str text;
};

static void sink_done(struct sink *sink)
{
        free(sink->part);
        free(sink->info);
        file_drop(&sink->fd);
        digest_free(sink->sha256);
        digest_free(sink->other);
        record_clear(&sink->validators);
        str_clear(&sink->text);
}

static void sink_digests(struct sink *sink)
{
        enum checksum_type type = sink->download->sum.type;

        sink->size = 0;
        digest_free(sink->sha256);
        digest_free(sink->other);
        sink->sha256 = digest_new("sha256");
        sink->other = type > CHECKSUM_NONE && type != CHECKSUM_SHA256 ? digest_new(checksum_type_name(type)) : NULL;
}

static void sink_hash(struct sink *sink, const void *data, size_t n)
{
        digest_update(sink->sha256, data, n);
        if (sink->other)
                digest_update(sink->other, data, n);
        sink->size += n;
}

/* Forget what has come. */
static int sink_restart(struct sink *sink, struct error *err)
{
        if (!sink->part) {
                str_clear(&sink->text);
                sink->size = 0;
                return 0;
        }
        sink_digests(sink);
        sink->resumed = false;
        if (ftruncate(sink->fd, 0) < 0 || lseek(sink->fd, 0, SEEK_SET) < 0)
                return error_errno(err, errno, "empty '%s'", sink->part);
        return 0;
}

/* Read what an earlier run left into the digests. */
static int sink_reload(struct sink *sink, struct error *err)
{
        CLEANUP_FREE char *buffer = xmalloc(1 << 17);
        ssize_t n;

        sink_digests(sink);
        while ((n = read(sink->fd, buffer, 1 << 17)) > 0) {
                int r = cancel_check(err);

                if (r < 0)
                        return r;
                sink_hash(sink, buffer, (size_t)n);
        }
        if (n < 0)
                return error_errno(err, errno, "read '%s'", sink->part);
        sink->resumed = sink->size > 0;
        return 0;
}

static int sink_open(struct sink *sink, const struct download *download, struct error *err)
{
        const struct source_request *request = download->request;
        char key[65];

        cache_key(download->url, NULL, key);
        sink->part = cache_path(request->cache, "downloads", key, ".part");
        sink->info = cache_path(request->cache, "downloads", key, ".info");
        sink->fd = open(sink->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (sink->fd < 0)
                return error_errno(err, errno, "open '%s'", sink->part);
        record_read(sink->info, &sink->validators);
        /* Without a validator only the digest can tell that the rest belongs to it. */
        if (request->force ||
            (!sink->validators.etag && !sink->validators.last_modified && download->sum.type <= CHECKSUM_NONE))
                return sink_restart(sink, err);
        return sink_reload(sink, err);
}

static void sink_remove(struct sink *sink)
{
        if (sink->part)
                unlink(sink->part);
        if (sink->info)
                unlink(sink->info);
}

static bool is_strong(const char *etag)
{
        return etag && !str_starts(etag, "W/");
}

/* RFC 9110, 13.1.5: a strong entity tag, or else a date. */
static const char *sink_validator(const struct sink *sink)
{
        return is_strong(sink->validators.etag) ? sink->validators.etag : sink->validators.last_modified;
}

static int sink_begin(void *arg, const struct transfer_reply *reply, struct error *err)
{
        struct sink *sink = arg;
        struct ui *ui = sink->download->request->ui;
        int r;

        sink->total = reply->total;
        if (sink->part && reply->total > 0)
                progress_start(ui, "download", reply->total);
        if (reply->status == 206)
                return 0;
        r = sink_restart(sink, err);
        if (r < 0 || !sink->part)
                return r;
        record_clear(&sink->validators);
        if (reply->etag)
                sink->validators.etag = xstrdup(reply->etag);
        if (reply->last_modified)
                sink->validators.last_modified = xstrdup(reply->last_modified);
        return record_write(sink->info, &sink->validators, err);
}

static int sink_data(void *arg, const void *data, size_t n, struct error *err)
{
        struct sink *sink = arg;
        int r;

        if (!sink->part) {
                if (sink->text.len + n > TEXT_MAX)
                        return error_set(err, EFBIG, "it is larger than %s: not a file of checksums",
                                         size_show(TEXT_MAX));
                str_addn(&sink->text, data, n);
                sink->size += n;
                return 0;
        }
        r = fd_write_all(sink->fd, data, n);
        if (r == -ENOSPC || r == -EDQUOT)
                return error_set(err, -r, "no space left for '%s': %s are written of %s (SLIPWAY_CACHE_DIR moves it)",
                                 sink->part, size_show(sink->size),
                                 sink->total ? size_show(sink->total) : "a download of unknown length");
        if (r < 0)
                return error_errno(err, -r, "write '%s' at %s", sink->part, size_show(sink->size));
        sink_hash(sink, data, n);
        return 0;
}

/* Sleep in small steps, so that we can be told to stop. */
static int pause_ms(unsigned int ms, struct error *err)
{
        for (;;) {
                unsigned int step = ms > 50 ? 50 : ms;
                int r = cancel_check(err);

                if (r < 0 || step == 0)
                        return r;
                usleep(step * 1000);
                ms -= step;
        }
}

static void set_conditions(struct transfer *transfer, const struct sink *sink)
{
        const struct record *old = sink->download->old;

        transfer->offset = sink->size;
        transfer->if_range = NULL;
        transfer->if_none_match = transfer->if_modified_since = NULL;
        if (sink->size > 0) {
                transfer->if_range = sink_validator(sink);
                if (!transfer->if_range && sink->download->sum.type <= CHECKSUM_NONE)
                        transfer->offset = 0;
        } else if (old && old->sha256) {
                transfer->if_none_match = old->etag;
                transfer->if_modified_since = old->etag ? NULL : old->last_modified;
        }
}

/* After a failed request: wait (0), or give up (negative). */
static int retry(struct sink *sink, const struct transfer *transfer, int failed, bool transient, unsigned int wait_sec,
                 unsigned int *tries, struct error *err)
{
        const struct source_request *request = sink->download->request;
        CLEANUP_FREE char *shown = url_show(transfer->url);
        unsigned int ms = request->retry_ms ? request->retry_ms : RETRY_MS;

        if (failed == -ERANGE && transfer->offset > 0) /* it is shorter now, or was complete: from the start */
                return sink_restart(sink, err);
        if (sink->size > sink->best) { /* it gets on */
                sink->best = sink->size;
                *tries = 1;
        }
        if (!transient || *tries >= TRIES)
                return *tries > 1 ? error_append(err, failed, " (tried %u times)", *tries) : failed;
        for (unsigned int i = 1; i < *tries; i++)
                ms = ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : ms * 2;
        if (wait_sec * 1000 > ms)
                ms = wait_sec * 1000;
        (*tries)++;
        log_debug("'%s': %s; again in %u ms", shown, error_message(err), ms);
        if (request->ui && ms >= 1000)
                ui_say(request->ui, "%s; trying again in %u s", error_message(err), ms / 1000);
        return pause_ms(ms, err);
}

/* Until it is whole. *ret_status: 304 if it is not needed. */
static int fetch_into(struct sink *sink, long *ret_status, struct error *err)
{
        const struct source_request *request = sink->download->request;
        CLEANUP_ERROR struct error failure = {0};
        unsigned int tries = 1;
        struct transfer transfer = {
                .url = sink->download->url,
                .user_agent = request->user_agent ? request->user_agent : default_agent,
                .stall_sec = request->stall_sec ? request->stall_sec : STALL_SEC,
                .ui = sink->part ? request->ui : NULL,
                .begin = sink_begin,
                .data = sink_data,
                .arg = sink,
        };

        for (;;) {
                unsigned int wait_sec;
                bool transient;
                int r;

                set_conditions(&transfer, sink);
                r = transfer_run(&transfer, ret_status, &transient, &wait_sec, &failure);
                if (r == 0)
                        return 0;
                r = retry(sink, &transfer, r, transient, wait_sec, &tries, &failure);
                if (r < 0) {
                        if (err)
                                error_move(err, &failure);
                        return r;
                }
                error_clear(&failure);
        }
}

/* The digest of what has come against what was asked; gives the blob's name. */
static int sink_verify(struct sink *sink, char hex[65], struct error *err)
{
        const struct checksum *sum = &sink->download->sum;
        char sha256[DIGEST_HEX_MAX] = "", other[DIGEST_HEX_MAX] = "";
        const char *found = sha256;

        digest_final(sink->sha256, sha256);
        if (sink->other) {
                digest_final(sink->other, other);
                found = other;
        }
        memcpy(hex, sha256, 65);
        if (sum->type <= CHECKSUM_NONE || strcmp(found, sum->hex) == 0)
                return 0;
        return error_set(
                err, EBADMSG,
                "wrong %s:\n    expected %s\n    found    %s\n    in %s; nothing was kept. Either the file was "
                "changed or damaged, or the checksum is of another file",
                checksum_type_name(sum->type), sum->hex, found, size_show(sink->size));
}

static int fetch_http(const struct download *download, struct sink *sink, struct record *ret, struct error *err)
{
        char hex[65];
        long status = 0;
        int r = fetch_into(sink, &status, err);

        if (r < 0)
                return r;
        if (status == 304) {
                sink_remove(sink);
                *ret = (struct record){
                        .sha256 = xstrdup(download->old->sha256),
                        .etag = download->old->etag ? xstrdup(download->old->etag) : NULL,
                        .last_modified = download->old->last_modified ? xstrdup(download->old->last_modified) : NULL};
                return 0;
        }
        r = sink_verify(sink, hex, err);
        if (r < 0) {
                sink_remove(sink);
                return r;
        }
        r = cache_adopt(download->request->cache, sink->part, sink->fd, hex, err);
        if (r < 0)
                return r;
        unlink(sink->info);
        *ret = (struct record){.sha256 = xstrdup(hex),
                               .etag = steal(&sink->validators.etag),
                               .last_modified = steal(&sink->validators.last_modified)};
        return 0;
}

static int download_http(const struct download *download, struct record *ret, struct error *err)
{
        struct ui *ui = download->request->ui;

        for (;;) {
                CLEANUP(sink_done) struct sink sink = {.download = download, .fd = -1};
                CLEANUP_ERROR struct error failure = {0};
                int r = sink_open(&sink, download, err);

                if (r < 0)
                        return r;
                progress_start(ui, "download", 0);
                r = fetch_http(download, &sink, ret, &failure);
                progress_end(ui);
                if (r < 0 && sink.size == 0)
                        sink_remove(&sink);
                if (r == -EBADMSG && sink.resumed) {
                        CLEANUP_FREE char *shown = url_show(download->url);

                        log_debug("'%s': what an earlier run left does not fit: from the start", shown);
                        continue; /* fetch_http removed it */
                }
                if (r < 0 && err)
                        error_move(err, &failure);
                return r;
        }
}

static int hash_piece(void *sink, const void *data, size_t n, struct error *err)
{
        (void)err;
        sink_hash(sink, data, n);
        return 0;
}

static int copy_local(int from, uint64_t size, struct sink *sink, struct error *err)
{
        uint64_t done = 0;
        int r = fd_copy_sparse(from, sink->fd, 0, size, err);

        if (r == -ENOSPC || r == -EDQUOT)
                return error_set(err, -r,
                                 "no space left in the cache '%s' for a copy of %s (SLIPWAY_CACHE_DIR moves it)",
                                 sink->download->request->cache, size_show(size));
        if (r < 0)
                return r;
        if (ftruncate(sink->fd, (off_t)size) < 0)
                return error_errno(err, errno, "copy into the cache");
        /* The disk begins while the copy is read; cache_adopt() waits for it. */
        sync_file_range(sink->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        sink_digests(sink);
        return sparse_pour(sink->fd, size, sink->download->request->ui, &done, hash_piece, sink, err);
}

/* A file's validator: it changes with every write. */
static char *local_tag(const struct stat *st)
{
        return xasprintf("%llu-%llu-%lld-%lld.%09ld", (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
                         (long long)st->st_size, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
}

/* Whoever asked names the file in messages. */
static int download_local(const struct download *download, const char *path, struct record *ret, struct error *err)
{
        CLEANUP_CLOSE int from = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a FIFO is refused, not waited for */
        CLEANUP(sink_done) struct sink sink = {.download = download, .fd = -1};
        CLEANUP_FREE char *folder = path_join(download->request->cache, "downloads");
        char hex[65];
        struct stat st;
        int r;

        if (from < 0 || fstat(from, &st) < 0)
                return error_set(err, errno, "%s", strerror(errno));
        if (!S_ISREG(st.st_mode))
                return error_set(err, EINVAL, "it is not a file");
        sink.validators.etag = local_tag(&st);
        if (download->old && download->old->sha256 && str_eq(download->old->etag, sink.validators.etag)) {
                *ret = (struct record){.sha256 = xstrdup(download->old->sha256), .etag = steal(&sink.validators.etag)};
                return 0;
        }
        r = file_nameless(folder, 0644, &sink.fd, err);
        if (r < 0)
                return r;
        progress_start(download->request->ui, "copy", (uint64_t)st.st_size);
        r = copy_local(from, (uint64_t)st.st_size, &sink, err);
        progress_end(download->request->ui);
        if (r == 0)
                r = sink_verify(&sink, hex, err);
        if (r == 0)
                r = cache_adopt(download->request->cache, NULL, sink.fd, hex, err);
        if (r == 0)
                *ret = (struct record){.sha256 = xstrdup(hex), .etag = steal(&sink.validators.etag)};
        return r;
}

int download_file(const struct download *download, struct record *ret, struct error *err)
{
        CLEANUP_FREE char *path = url_local_path(download->url);

        return path ? download_local(download, path, ret, err) : download_http(download, ret, err);
}

int download_text(const struct source_request *request, const char *url, char **ret, struct error *err)
{
        CLEANUP_FREE char *path = url_local_path(url);
        struct download download = {.request = request, .url = url, .sum = {.type = CHECKSUM_NONE}};
        CLEANUP(sink_done) struct sink sink = {.download = &download, .fd = -1};
        long status;
        int r;

        if (path)
                return access(path, R_OK) < 0 ? error_set(err, errno, "%s", strerror(errno))
                                              : file_read(path, TEXT_MAX, ret, NULL, err);
        r = fetch_into(&sink, &status, err);
        if (r == 0)
                *ret = str_steal(&sink.text);
        return r;
}

static size_t scheme_length(const char *url)
{
        size_t n = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

        return strncmp(url + n, "://", 3) == 0 ? n : 0;
}

int url_check(const char *url, struct error *err)
{
        size_t n = scheme_length(url);

        if (*url == '\0')
                return error_set(err, EINVAL, "the address is empty");
        if (n == 0 || (n == 4 && (strncasecmp(url, "http", n) == 0 || strncasecmp(url, "file", n) == 0)) ||
            (n == 5 && strncasecmp(url, "https", n) == 0))
                return 0;
        return error_set(err, EINVAL, "'%.*s' is not supported: use http, https, file or a path", (int)n, url);
}

char *url_local_path(const char *url)
{
        const char *path = url + 7;
        char *decoded, *copy;
        int n = 0;

        if (scheme_length(url) == 0)
                return strncasecmp(url, "file:/", 6) == 0 ? xstrdup(url + 5) : xstrdup(url);
        if (strncasecmp(url, "file://", 7) != 0)
                return NULL;
        if (strncasecmp(path, "localhost/", 10) == 0)
                path += 9;
        decoded = curl_easy_unescape(NULL, path, 0, &n);
        copy = xstrndup(decoded ? decoded : path, decoded ? (size_t)n : strlen(path));
        curl_free(decoded);
        return copy;
}
