/* Trees of the host as part of a layer's key. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "provision/rows.h"

static int by_name(const FTSENT **a, const FTSENT **b)
{
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int feed_file(const char *path, struct digest *digest, struct error *err)
{
        char hex[DIGEST_HEX_MAX];
        int r = digest_file("sha256", path, hex, err);

        if (r == 0)
                digest_string(digest, hex);
        return r;
}

static int feed_link(const char *path, struct digest *digest, struct error *err)
{
        char target[PATH_MAX];
        ssize_t n = readlink(path, target, sizeof(target) - 1);

        if (n < 0)
                return error_errno(err, errno, "read the symlink '%s'", path);
        target[n] = '\0';
        digest_string(digest, target);
        return 0;
}

static int feed_entry(const FTSENT *entry, size_t skip, struct digest *digest, struct error *err)
{
        char kind[32];
        int r = cancel_check(err);

        if (r < 0)
                return r;
        switch (entry->fts_info) {
        case FTS_DP:
                return 0;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
                return error_errno(err, entry->fts_errno, "read '%s'", entry->fts_path);
        case FTS_DC:
                return error_set(err, ELOOP, "the folder '%s' contains itself", entry->fts_path);
        default:
                break;
        }
        snprintf(kind, sizeof(kind), "%o", entry->fts_statp->st_mode);
        digest_string(digest, entry->fts_path + skip);
        digest_string(digest, kind);
        if (entry->fts_info == FTS_F)
                return feed_file(entry->fts_accpath, digest, err);
        if (entry->fts_info == FTS_SL || entry->fts_info == FTS_SLNONE)
                return feed_link(entry->fts_accpath, digest, err);
        return 0;
}

int provision_digest_tree(const char *path, struct digest *digest, struct error *err)
{
        CLEANUP_FREE char *real = realpath(path, NULL);
        char *const roots[] = {real, NULL};
        const FTSENT *entry;
        int r = 0;
        FTS *fts;

        if (!real)
                return error_errno(err, errno, "find '%s'", path);
        fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
        if (!fts)
                return error_errno(err, errno, "read '%s'", path);
        while (r == 0 && (errno = 0, entry = fts_read(fts)))
                r = feed_entry(entry, strlen(real), digest, err);
        if (r == 0 && errno)
                r = error_errno(err, errno, "read '%s'", path);
        fts_close(fts);
        digest_string(digest, NULL); /* the end: two trees in a row differ from one */
        return r;
}

int provision_key_tree(const char *path, struct key *key, struct error *err)
{
        CLEANUP_FREE char *name = xasprintf("file %s", path);

        return provision_digest_tree(path, key_part(key, name), err);
}
