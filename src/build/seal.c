/* See seal.h. */
#include "build/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "disk/layer_walk.h"
#include "disk/layer_xattr.h"

enum { CHUNK = 256 << 10 };

static const char seal_name[] = "seal";

struct seal {
        char content[DIGEST_HEX_MAX]; /* "" where it was not read */
        char state[DIGEST_HEX_MAX];
        int64_t made_sec;
};

struct survey {
        struct digest *content; /* NULL: nothing is read */
        struct digest *state;
        uint8_t *buffer; /* CHUNK bytes */
};

static char *seal_path(const char *path, bool folder)
{
        return folder ? path_join(path, seal_name) : xasprintf("%s.%s", path, seal_name);
}

/* ---- looking at it ---- */

static void add(struct digest *digest, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct digest *digest, const char *format, ...)
{
        char text[256];
        va_list args;

        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        digest_string(digest, text);
}

/* What is not zero, and where: holes and written zeros are the same. */
static int add_data(struct survey *survey, int fd, uint64_t size, struct error *err)
{
        off_t at = 0;

        while ((uint64_t)at < size) {
                off_t data = lseek(fd, at, SEEK_DATA);
                ssize_t n;
                int r = cancel_check(err);

                if (r < 0)
                        return r;
                if (data < 0 && errno == ENXIO)
                        return 0;
                at = data < 0 ? at : data - data % CHUNK;
                n = pread(fd, survey->buffer, CHUNK, at);
                if (n < 0)
                        return error_errno(err, errno, "read");
                if (n == 0)
                        return 0;
                if (!is_zero(survey->buffer, (size_t)n)) {
                        add(survey->content, "%" PRIu64, (uint64_t)at);
                        digest_update(survey->content, survey->buffer, (size_t)n);
                }
                at += n;
        }
        return 0;
}

static int add_file(struct survey *survey, int dirfd, const char *name, const struct stat *st, struct error *err)
{
        CLEANUP_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? error_errno(err, errno, "open") : add_data(survey, fd, (uint64_t)st->st_size, err);
}

static int add_symlink(struct survey *survey, int dirfd, const char *name, struct error *err)
{
        ssize_t n = readlinkat(dirfd, name, (char *)survey->buffer, CHUNK - 1);

        if (n < 0)
                return error_errno(err, errno, "read the link");
        survey->buffer[n] = '\0';
        digest_string(survey->content, (const char *)survey->buffer);
        return 0;
}

static int add_xattrs(struct survey *survey, int dirfd, const char *name, struct error *err)
{
        CLEANUP(xattr_clear) struct xattr_list list = {0};
        int r = xattr_read(dirfd, name, &list, err);

        for (size_t i = 0; r == 0 && i < list.n; i++) {
                add(survey->content, "%zu", list.v[i].len);
                digest_string(survey->content, list.v[i].name);
                digest_update(survey->content, list.v[i].value, list.v[i].len);
        }
        if (r == 0)
                add(survey->content, "%d%d%d%d", list.opaque, list.xwhiteout, list.whiteout, list.redirect);
        return r;
}

/* All whiteouts of an overlay may be one inode, whose ctime and names change with each of them. */
static bool is_whiteout(const struct stat *st)
{
        return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

static void add_state(struct survey *survey, const char *path, const struct stat *st)
{
        digest_string(survey->state, path);
        add(survey->state, "%o %u %u", st->st_mode, st->st_uid, st->st_gid);
        if (!is_whiteout(st))
                add(survey->state, "%ju %jd %jd.%09ld %jd.%09ld", (uintmax_t)st->st_ino, (intmax_t)st->st_size,
                    (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec,
                    st->st_ctim.tv_nsec);
}

static int add_content(struct survey *survey, int dirfd, const char *name, const struct stat *st, struct error *err)
{
        int r;

        add(survey->content, "%o %u %u %ju", st->st_mode, st->st_uid, st->st_gid, (uintmax_t)st->st_rdev);
        if (is_whiteout(st))
                return 0;
        add(survey->content, "%jd.%09ld", (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
        r = add_xattrs(survey, dirfd, name, err);
        if (r < 0)
                return r;
        if (S_ISREG(st->st_mode)) {
                add(survey->content, "%jd %ju", (intmax_t)st->st_size, (uintmax_t)st->st_nlink);
                return add_file(survey, dirfd, name, st, err);
        }
        return S_ISLNK(st->st_mode) ? add_symlink(survey, dirfd, name, err) : 0;
}

static int visit(void *arg, struct walk *walk, enum walk_event event, const char *name, const struct stat *st,
                 struct error *err)
{
        struct survey *survey = arg;
        const char *path = str_get(&walk->path);
        int r;

        /* Its own folder is moved about, and holds the seal. */
        if (event == WALK_LEAVE || !*path || str_eq(path, seal_name))
                return 0;
        add_state(survey, path, st);
        if (!survey->content)
                return 0;
        digest_string(survey->content, path);
        r = add_content(survey, walk->fd, name, st, err);
        return r < 0 ? error_wrap(err, r, "'%s'", path) : 0;
}

/* Which run of the kernel this is: what a run wrote may be lost with it. */
static void add_boot(struct survey *survey)
{
        CLEANUP_FREE char *id = NULL;

        digest_string(survey->state,
                      file_read("/proc/sys/kernel/random/boot_id", 0, &id, NULL, NULL) == 0 ? id : "unknown");
}

static void survey_done(struct survey *survey)
{
        digest_free(survey->content);
        digest_free(survey->state);
        free(survey->buffer);
}

/* `read`: the content too. */
static int look(const char *path, bool read, struct seal *ret, bool *ret_folder, struct error *err)
{
        CLEANUP(survey_done) struct survey survey = {.state = digest_sha256(), .buffer = xmalloc(CHUNK)};
        struct stat st;
        int r;

        if (lstat(path, &st) < 0)
                return error_errno(err, errno, "stat '%s'", path);
        if (read)
                survey.content = digest_sha256();
        add_boot(&survey);
        *ret_folder = S_ISDIR(st.st_mode);
        if (*ret_folder) {
                r = walk_tree(path, visit, &survey, err);
        } else {
                add_state(&survey, "", &st);
                r = read ? add_file(&survey, AT_FDCWD, path, &st, err) : 0;
                if (read)
                        add(survey.content, "%jd", (intmax_t)st.st_size);
        }
        if (r < 0)
                return r;
        digest_final(survey.state, ret->state);
        if (read)
                digest_final(survey.content, ret->content);
        return 0;
}

/* ---- the seal's file ---- */

static int save(const char *path, bool folder, const struct seal *seal, struct error *err)
{
        CLEANUP_FREE char *place = seal_path(path, folder), *text = NULL;
        json_t *root = json_pack("{s:s,s:s,s:I}", "content", seal->content, "state", seal->state, "made",
                                 (json_int_t)seal->made_sec);

        text = json_dumps(root, JSON_INDENT(1));
        json_decref(root);
        return file_write(place, text, strlen(text), 0644, err);
}

static int load(const char *path, struct seal *ret)
{
        struct stat st;
        CLEANUP_FREE char *place = seal_path(path, lstat(path, &st) == 0 && S_ISDIR(st.st_mode));
        json_t *root = json_load_file(place, 0, NULL);
        const char *content, *state;
        json_int_t made;
        int r = root ? json_unpack(root, "{s:s,s:s,s:I}", "content", &content, "state", &state, "made", &made)
                     : -ENOENT;

        if (r == 0) {
                snprintf(ret->content, sizeof(ret->content), "%s", content);
                snprintf(ret->state, sizeof(ret->state), "%s", state);
                ret->made_sec = made;
        }
        json_decref(root);
        return r < 0 ? -ENOENT : 0;
}

int seal_make(const char *path, struct error *err)
{
        struct seal seal = {.made_sec = time(NULL)};
        bool folder;
        int r = look(path, true, &seal, &folder, err);

        return r < 0 ? r : save(path, folder, &seal, err);
}

int seal_check(const char *path, bool read, struct error *err)
{
        struct seal seal, now = {0};
        bool folder;
        int r = load(path, &seal);

        if (r < 0)
                return error_set(err, ENOENT, "it has no seal that could be read");
        r = read ? 0 : look(path, false, &now, &folder, err);
        if (r == 0 && !read && str_eq(now.state, seal.state))
                return 0;
        if (r == 0)
                r = look(path, true, &now, &folder, err);
        if (r < 0)
                return r == -ECANCELED ? r : error_wrap(err, -EBADMSG, "it cannot be read");
        if (!str_eq(now.content, seal.content))
                return error_set(err, EBADMSG, "it is not what it was when it was made (sha256 %.16s, now %.16s)",
                                 seal.content, now.content);
        now.made_sec = seal.made_sec;
        if (!str_eq(now.state, seal.state) && save(path, folder, &now, NULL) < 0)
                log_debug("the seal of '%s' is not renewed", path);
        return 0;
}

bool seal_is_fresh(const char *path)
{
        struct seal seal, now;
        bool folder;

        return load(path, &seal) == 0 && look(path, false, &now, &folder, NULL) == 0 && str_eq(now.state, seal.state);
}

void seal_remove(const char *path)
{
        CLEANUP_FREE char *seal = seal_path(path, false);

        unlink(seal);
}

int64_t seal_made_sec(const char *path)
{
        struct seal seal;

        return load(path, &seal) < 0 ? -1 : seal.made_sec;
}
