/* source_fetch(): which bytes are wanted, are they in the cache already, and
 * else which of the URLs gives them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "source/cache.h"
#include "source/checksum.h"
#include "source/download.h"
#include "source/source.h"
#include "source/transfer.h"

struct fetch {
        const struct source_request *request;
        struct checksum sum; /* hex "" where the checksum file has to be read */
        char *listing;       /* text of the checksum file, once read */
};

static void fetch_done(struct fetch *fetch)
{
        free(fetch->listing);
}

void source_file_clear(struct source_file *file)
{
        free(file->path);
        free(file->name);
        *file = (struct source_file){0};
}

/* What the request says of the checksum, before anything is read. */
static int fetch_checksum(struct fetch *fetch, struct error *err)
{
        const struct source_request *request = fetch->request;
        CLEANUP_FREE char *shown = url_show(request->urls[0]);
        enum checksum_type type;
        int r = checksum_type_parse(request->checksum_type, &type, err);

        if (r < 0)
                return r;
        fetch->sum.type = type;
        if (type == CHECKSUM_NONE) {
                if (!str_empty(request->checksum) || !str_empty(request->checksum_url))
                        log_debug("checksum type 'none': the checksum that is given is not looked at");
                return 0;
        }
        if (!str_empty(request->checksum)) {
                if (!str_empty(request->checksum_url))
                        log_debug("a checksum is given: the file of checksums is not read");
                return checksum_parse(request->checksum, type, &fetch->sum, err);
        }
        if (!str_empty(request->checksum_url))
                return url_check(request->checksum_url, err);
        return error_set(err, EINVAL,
                         "no checksum is given for '%s': set file_checksum or file_checksum_url, or file_checksum_type "
                         "to \"none\" to use the file unverified",
                         shown);
}

/* The digest of this URL's file, from the checksum file if need be. */
static int fetch_expect(struct fetch *fetch, const char *url, struct checksum *ret, struct error *err)
{
        const struct source_request *request = fetch->request;
        CLEANUP_FREE char *shown = NULL, *name = NULL;
        int r = 0;

        if (fetch->sum.type == CHECKSUM_NONE || fetch->sum.hex[0]) {
                *ret = fetch->sum;
                return 0;
        }
        shown = url_show(request->checksum_url);
        if (!fetch->listing)
                r = download_text(request, request->checksum_url, &fetch->listing, err);
        if (r < 0)
                return error_wrap(err, r, "checksum file '%s'", shown);
        name = url_name(url);
        r = checksum_file_find(fetch->listing, name, fetch->sum.type, ret, err);
        return r < 0 ? error_wrap(err, r, "checksum file '%s'", shown) : 0;
}

static void on_wait(void *arg)
{
        const struct source_request *request = arg;

        if (request->ui)
                ui_say(request->ui, "waiting for another process that downloads the same file");
}

static int give(const struct source_request *request, const char *url, const char *hex, struct source_file *ret)
{
        *ret = (struct source_file){.path = cache_path(request->cache, "blobs/sha256", hex, ""), .name = url_name(url)};
        memcpy(ret->sha256, hex, 65);
        return 0;
}

/* The address is not asked: what is known by its checksum is the same everywhere. */
static int give_cached(const struct source_request *request, const char *url, const char *hex, struct source_file *ret)
{
        if (request->ui)
                ui_message(request->ui, "a file with that checksum is in the cache");
        return give(request, url, hex, ret);
}

/* Plain paths are kept by their absolute name. */
static char *url_identity(const char *url)
{
        CLEANUP_FREE char *path = url_local_path(url);
        char *absolute = path ? realpath(path, NULL) : NULL;

        return absolute ? absolute : xstrdup(url);
}

static int fetch_locked(struct fetch *fetch, const char *url, const char *identity, const struct checksum *sum,
                        struct source_file *ret, struct error *err)
{
        const struct source_request *request = fetch->request;
        CLEANUP(record_clear) struct record old = {0}, now = {0};
        CLEANUP_FREE char *index = NULL, *shown = url_show(url);
        char key[65], hex[65];
        int r;

        if (sum->hex[0] && !request->force && cache_find(request->cache, identity, sum, hex))
                return give_cached(request, url, hex, ret); /* who held the lock before us fetched it */
        cache_key(identity, NULL, key);
        index = cache_path(request->cache, "index", key, "");
        record_read(index, &old);
        if (sum->hex[0] || request->force || !old.sha256 || !cache_has(request->cache, old.sha256))
                record_clear(&old);
        if (request->ui && !old.sha256)
                ui_say(request->ui, "fetching %s", shown);
        r = download_file(&(struct download){.request = request, .url = url, .sum = *sum, .old = &old}, &now, err);
        if (r < 0)
                return r;
        r = record_write(index, &now, err);
        if (r == 0)
                r = cache_remember(request->cache, identity, sum, now.sha256, err);
        return r < 0 ? r : give(request, url, now.sha256, ret);
}

static int fetch_one(struct fetch *fetch, const char *url, struct source_file *ret, struct error *err)
{
        const struct source_request *request = fetch->request;
        CLEANUP_FREE char *identity = url_identity(url), *lock_path = NULL;
        CLEANUP_CLOSE int lock = -1;
        struct checksum sum = {0};
        char key[65], hex[65];
        int r = url_check(url, err);

        if (r == 0)
                r = fetch_expect(fetch, url, &sum, err);
        if (r < 0)
                return r;
        if (sum.hex[0] && !request->force && cache_find(request->cache, identity, &sum, hex))
                return give_cached(request, url, hex, ret);
        cache_key(url, NULL, key);
        lock_path = cache_path(request->cache, "locks", key, "");
        r = file_lock(lock_path, on_wait, (void *)request, &lock, err);
        return r < 0 ? r : fetch_locked(fetch, url, identity, &sum, ret, err);
}

/* Each URL in turn; the error tells what was wrong with each. */
static int fetch_any(struct fetch *fetch, struct source_file *ret, struct error *err)
{
        const char *const *urls = fetch->request->urls;
        size_t n = strv_len(urls);
        CLEANUP_STR struct str failures = {0};
        int r = 0;

        for (size_t i = 0; i < n; i++) {
                CLEANUP_ERROR struct error failure = {0};
                CLEANUP_FREE char *shown = url_show(urls[i]);

                r = fetch_one(fetch, urls[i], ret, &failure);
                if (r == 0)
                        return 0;
                if (r == -ECANCELED || n == 1) {
                        if (err)
                                error_move(err, &failure);
                        return error_wrap(err, r, "'%s'", shown);
                }
                log_debug("'%s': %s", shown, error_message(&failure));
                str_addf(&failures, "\n    '%s': %s", shown, error_message(&failure));
        }
        return error_set(err, -r, "none of the %zu addresses gave the file:%s", n, str_get(&failures));
}

static bool same_file(const char *path, const char *hex, const struct stat *blob)
{
        char found[DIGEST_HEX_MAX];
        struct stat st;

        return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == blob->st_size &&
               digest_file("sha256", path, found, NULL) == 0 && strcmp(found, hex) == 0;
}

/* file_target_path: a copy, since the user may change it and the blob must stay. Reflinked where possible. */
static int put_target(const struct source_request *request, const struct source_file *file, struct error *err)
{
        const char *last = path_name(request->target_path);
        const char *dot = strrchr(last, '.');
        bool is_folder = !dot || dot == last || str_ends(last, "/");
        CLEANUP_FREE char *path =
                is_folder ? path_join(request->target_path, file->name) : xstrdup(request->target_path);
        CLEANUP_FREE char *folder = path_dir(path);
        CLEANUP_CLOSE int from = open(file->path, O_RDONLY | O_CLOEXEC);
        CLEANUP_FILE_DROP int to = -1;
        struct stat st;
        int r;

        if (from < 0 || fstat(from, &st) < 0)
                return error_errno(err, errno, "open '%s'", file->path);
        if (same_file(path, file->sha256, &st))
                return 0;
        r = dir_make(folder, 0755, err);
        if (r == 0)
                r = file_nameless(folder, 0644, &to, err);
        if (r == 0)
                r = fd_copy_sparse(from, to, 0, (uint64_t)st.st_size, err);
        if (r == 0 && ftruncate(to, st.st_size) < 0)
                r = error_errno(err, errno, "write");
        if (r == 0)
                r = file_publish(to, path, err);
        return r < 0 ? error_wrap(err, r, "put the download to '%s'", path) : 0;
}

int source_fetch(const struct source_request *request, struct source_file *ret, struct error *err)
{
        CLEANUP(fetch_done) struct fetch fetch = {.request = request};
        CLEANUP(source_file_clear) struct source_file file = {0};
        int r;

        if (!request->urls || !request->urls[0])
                return error_set(err, EINVAL, "no address to fetch from is given");
        r = fetch_checksum(&fetch, err);
        if (r == 0)
                r = cache_prepare(request->cache, err);
        if (r == 0)
                r = fetch_any(&fetch, &file, err);
        if (r == 0 && !str_empty(request->target_path))
                r = put_target(request, &file, err);
        if (r < 0)
                return r;
        utimensat(AT_FDCWD, file.path, NULL, 0); /* when it was used last */
        *ret = steal(&file);
        return 0;
}

/* As the address gave it last. */
static bool known_by_address(const struct source_request *request, const char *identity, char hex[65])
{
        CLEANUP(record_clear) struct record record = {0};
        CLEANUP_FREE char *index = NULL;
        char key[65];

        cache_key(identity, NULL, key);
        index = cache_path(request->cache, "index", key, "");
        record_read(index, &record);
        if (!record.sha256 || strlen(record.sha256) != 64 || !cache_has(request->cache, record.sha256))
                return false;
        memcpy(hex, record.sha256, 65);
        return true;
}

int source_known(const struct source_request *request, struct source_file *ret)
{
        CLEANUP(fetch_done) struct fetch fetch = {.request = request};
        int r = fetch_checksum(&fetch, NULL);

        for (const char *const *url = request->urls; r == 0 && *url; url++) {
                CLEANUP_FREE char *identity = url_identity(*url);
                char hex[65];

                if (fetch.sum.hex[0] ? cache_find(request->cache, identity, &fetch.sum, hex)
                                     : known_by_address(request, identity, hex))
                        return give(request, *url, hex, ret);
        }
        return -ENOENT;
}
