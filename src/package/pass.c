/* See pass.h. What goes wrong for one that has not been asked for yet is not told now: it is dropped from the
 * pass, reads for itself when its turn comes, and says what went wrong then. */
#include "package/pass.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/vec.h"
#include "package/post.h"

struct wish {
        const struct reader_type *type;
        const void *config;
        void *reader; /* NULL: not begun, or dropped */
        bool ended;   /* it has had all */
        bool given;   /* to the one who asked; wanted no more */
};

struct pass {
        char *path;
        struct stat as; /* it was read */
        VEC(struct wish) wishes;
        const struct wish *asking; /* these two while it is read */
        struct ui *ui;
};

static void drop(struct wish *wish)
{
        if (wish->reader)
                wish->type->free(wish->reader);
        wish->reader = NULL;
        wish->ended = false;
}

struct pass *pass_new(const char *path)
{
        struct pass *pass = xcalloc(1, sizeof(*pass));

        pass->path = xstrdup(path);
        return pass;
}

struct pass *pass_free(struct pass *pass)
{
        if (!pass)
                return NULL;
        for (size_t i = 0; i < pass->wishes.n; i++)
                drop(&pass->wishes.v[i]);
        vec_free(&pass->wishes);
        free(pass->path);
        free(pass);
        return NULL;
}

void pass_want(struct pass *pass, const struct reader_type *type, const void *config)
{
        struct wish wish = {.type = type, .config = config};

        vec_push(&pass->wishes, wish);
}

static struct wish *find(struct pass *pass, const struct reader_type *type, const void *config, const char *path)
{
        for (size_t i = 0; pass && str_eq(pass->path, path) && i < pass->wishes.n; i++)
                if (pass->wishes.v[i].type == type && pass->wishes.v[i].config == config)
                        return &pass->wishes.v[i];
        return NULL;
}

/* ---- reading ---- */

/* What an operation of a wish returned: an error of the one that asks ends the pass, of another only that one's part.
 */
static int settle(const struct pass *pass, struct wish *wish, int r, struct error *mine, struct error *err)
{
        if (r >= 0)
                return 0;
        drop(wish);
        if (wish == pass->asking || r == -ECANCELED)
                return error_set(err, -r, "%s", error_message(mine));
        log_debug("%s is made later: %s", wish->type->name, error_message(mine));
        return 0;
}

/* `data` is NULL for a hole. */
static int feed_one(const struct wish *wish, uint64_t offset, const void *data, uint64_t n, struct error *err)
{
        const struct reader_type *type = wish->type;

        if (type->write)
                return data ? type->write(wish->reader, data, (size_t)n, err)
                            : sparse_zeros(n, type->write, wish->reader, err);
        return data ? type->pieces.data(wish->reader, offset, data, (size_t)n, err)
                    : type->pieces.hole(wish->reader, offset, n, err);
}

static int feed(struct pass *pass, uint64_t offset, const void *data, uint64_t n, struct error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < pass->wishes.n; i++) {
                struct wish *wish = &pass->wishes.v[i];
                CLEANUP_ERROR struct error mine = {0};

                if (wish->reader)
                        r = settle(pass, wish, feed_one(wish, offset, data, n, &mine), &mine, err);
        }
        progress_update(pass->ui, offset + n);
        return r;
}

static int on_data(void *arg, uint64_t offset, const void *data, size_t n, struct error *err)
{
        return feed(arg, offset, data, n, err);
}

static int on_hole(void *arg, uint64_t offset, uint64_t n, struct error *err)
{
        return feed(arg, offset, NULL, n, err);
}

/* 1: the one that asks does not read it so. */
static int begin_all(struct pass *pass, const struct package_context *context, int fd, uint64_t size, struct str *names,
                     struct error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < pass->wishes.n; i++) {
                struct wish *wish = &pass->wishes.v[i];
                CLEANUP_ERROR struct error mine = {0};
                int begun;

                if (wish->given)
                        continue;
                begun = wish->type->begin(wish->config, context, fd, size, &wish->reader, &mine);
                r = settle(pass, wish, begun, &mine, err);
                if (begun == 1 && wish == pass->asking)
                        r = 1;
                if (begun == 0)
                        str_addf(names, "%s%s", names->len > 0 ? ", " : "", wish->type->name);
        }
        return r;
}

static int end_all(struct pass *pass, struct error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < pass->wishes.n; i++) {
                struct wish *wish = &pass->wishes.v[i];
                CLEANUP_ERROR struct error mine = {0};

                if (!wish->reader)
                        continue;
                wish->ended = true;
                if (wish->type->end)
                        r = settle(pass, wish, wish->type->end(wish->reader, &mine), &mine, err);
        }
        return r;
}

static int read_all(struct pass *pass, const struct package_context *context, struct error *err)
{
        static const struct sparse_ops ops = {.data = on_data, .hole = on_hole};
        CLEANUP_STR struct str names = {0};
        CLEANUP_CLOSE int fd = -1;
        uint64_t size;
        int r = input_open(pass->path, &fd, &size, err);

        if (r == 0)
                r = begin_all(pass, context, fd, size, &names, err);
        if (r != 0)
                return r;
        fstat(fd, &pass->as);
        log_debug("reading '%s' for %s", pass->path, str_get(&names));
        pass->ui = context->ui;
        progress_start(pass->ui, str_get(&names), size);
        r = sparse_read(fd, size, &ops, pass, err);
        progress_end(pass->ui);
        return r == 0 ? end_all(pass, err) : r;
}

static bool is_unchanged(const struct pass *pass)
{
        struct stat now;

        return stat(pass->path, &now) == 0 && now.st_dev == pass->as.st_dev && now.st_ino == pass->as.st_ino &&
               now.st_size == pass->as.st_size && now.st_mtim.tv_sec == pass->as.st_mtim.tv_sec &&
               now.st_mtim.tv_nsec == pass->as.st_mtim.tv_nsec && now.st_ctim.tv_sec == pass->as.st_ctim.tv_sec &&
               now.st_ctim.tv_nsec == pass->as.st_ctim.tv_nsec;
}

static void drop_all(struct pass *pass)
{
        for (size_t i = 0; i < pass->wishes.n; i++)
                drop(&pass->wishes.v[i]);
}

static int read_for(struct pass *pass, struct wish *wish, const struct package_context *context, void **ret,
                    struct error *err)
{
        int r = 0;

        if (!wish->ended || !is_unchanged(pass)) {
                drop_all(pass);
                pass->asking = wish;
                r = read_all(pass, context, err);
        }
        if (r != 0) {
                drop_all(pass);
                return r;
        }
        *ret = steal(&wish->reader);
        wish->given = true;
        return 0;
}

int pass_read(const struct package_context *context, const struct reader_type *type, const void *config,
              const char *path, void **ret, struct error *err)
{
        CLEANUP(pass_freep) struct pass *alone = NULL;
        struct pass *pass = context->pass;
        struct wish *wish = find(pass, type, config, path);

        if (!wish) {
                pass = alone = pass_new(path);
                pass_want(alone, type, config);
                wish = &alone->wishes.v[0];
        }
        return read_for(pass, wish, context, ret, err);
}
