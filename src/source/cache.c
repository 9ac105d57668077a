/* See cache.h. */
#include "source/cache.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/str.h"

enum { RECORD_MAX = 64 << 10 };

void record_clear(struct record *record)
{
        free(record->sha256);
        free(record->etag);
        free(record->last_modified);
        *record = (struct record){0};
}

void cache_key(const char *a, const char *b, char hex[65])
{
        CLEANUP(digest_freep) struct digest *digest = digest_new("sha256");
        char full[DIGEST_HEX_MAX] = "";

        digest_string(digest, a);
        if (b)
                digest_string(digest, b);
        digest_final(digest, full);
        memcpy(hex, full, 64);
        hex[64] = '\0';
}

char *cache_path(const char *cache, const char *folder, const char *name, const char *suffix)
{
        return xasprintf("%s/%s/%s%s", cache, folder, name, suffix);
}

int cache_prepare(const char *cache, struct error *err)
{
        static const char *const folders[] = {"blobs/sha256", "index", "downloads", "locks"};

        for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
                CLEANUP_FREE char *path = path_join(cache, folders[i]);
                int r = dir_make(path, 0755, err);

                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_sha256(const char *s)
{
        return s && strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

void record_read(const char *path, struct record *ret)
{
        CLEANUP_FREE char *text = NULL;
        CLEANUP_STRV char **lines = NULL;

        *ret = (struct record){0};
        if (file_read(path, RECORD_MAX, &text, NULL, NULL) < 0)
                return;
        lines = str_split(text, "\n");
        for (char **line = lines; *line; line++) {
                if (str_starts(*line, "sha256 ") && is_sha256(*line + 7) && !ret->sha256)
                        ret->sha256 = xstrdup(*line + 7);
                else if (str_starts(*line, "etag ") && !ret->etag)
                        ret->etag = xstrdup(*line + 5);
                else if (str_starts(*line, "last-modified ") && !ret->last_modified)
                        ret->last_modified = xstrdup(*line + 14);
        }
}

int record_write(const char *path, const struct record *record, struct error *err)
{
        CLEANUP_STR struct str text = {0};

        if (record->sha256)
                str_addf(&text, "sha256 %s\n", record->sha256);
        if (record->etag)
                str_addf(&text, "etag %s\n", record->etag);
        if (record->last_modified)
                str_addf(&text, "last-modified %s\n", record->last_modified);
        return file_write(path, str_get(&text), text.len, 0644, err);
}

bool cache_has(const char *cache, const char *hex)
{
        CLEANUP_FREE char *path = cache_path(cache, "blobs/sha256", hex, "");
        struct stat st;

        return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static char *index_path(const char *cache, const char *url, const struct checksum *sum)
{
        CLEANUP_FREE char *what = xasprintf("%s:%s", checksum_type_name(sum->type), sum->hex);
        bool weak = sum->type == CHECKSUM_MD5 || sum->type == CHECKSUM_SHA1;
        char key[65];

        cache_key(what, weak ? url : NULL, key);
        return cache_path(cache, "index", key, "");
}

bool cache_find(const char *cache, const char *url, const struct checksum *sum, char hex[65])
{
        CLEANUP_FREE char *path = NULL;
        CLEANUP(record_clear) struct record record = {0};

        if (sum->type == CHECKSUM_SHA256) {
                memcpy(hex, sum->hex, 65);
                return cache_has(cache, hex);
        }
        path = index_path(cache, url, sum);
        record_read(path, &record);
        if (!record.sha256 || !cache_has(cache, record.sha256))
                return false;
        memcpy(hex, record.sha256, 65);
        return true;
}

int cache_remember(const char *cache, const char *url, const struct checksum *sum, const char *hex, struct error *err)
{
        CLEANUP_FREE char *path = NULL;

        if (sum->type <= CHECKSUM_NONE || sum->type == CHECKSUM_SHA256)
                return 0;
        path = index_path(cache, url, sum);
        return record_write(path, &(struct record){.sha256 = (char *)hex}, err);
}

int cache_adopt(const char *cache, const char *path, int fd, const char *hex, struct error *err)
{
        CLEANUP_FREE char *blob = cache_path(cache, "blobs/sha256", hex, "");

        if (fsync(fd) < 0 || fchmod(fd, 0444) < 0)
                return error_errno(err, errno, "finish '%s'", blob);
        if (!path)
                return file_publish(fd, blob, err);
        return rename(path, blob) < 0 ? error_errno(err, errno, "create '%s'", blob) : 0;
}
