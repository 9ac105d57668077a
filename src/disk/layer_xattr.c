/* See layer_xattr.h. There are no *at() calls for extended attributes before
 * Linux 6.13: the folder is reached through /proc/self/fd, and the calls that
 * do not follow a symlink take the last step. The overlay's marks are those of
 * Documentation/filesystems/overlayfs.rst. */
#include "disk/layer_xattr.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

enum { NAMES_MAX = 65536, VALUE_MAX = 65536 }; /* XATTR_LIST_MAX, XATTR_SIZE_MAX */

void xattr_clear(struct xattr_list *list)
{
        for (char **p = list->owned; p && *p; p++)
                free(*p);
        free(list->owned);
        free(list->v);
        *list = (struct xattr_list){0};
}

/* A mark of overlayfs: noted, and true. */
static bool overlay_mark(struct xattr_list *list, const char *name, const char *value, size_t len)
{
        const char *mark = NULL;

        if (str_starts(name, "user.overlay."))
                mark = name + strlen("user.overlay.");
        else if (str_starts(name, "trusted.overlay."))
                mark = name + strlen("trusted.overlay.");
        if (!mark)
                return false;
        if (strcmp(mark, "opaque") == 0 && len == 1) {
                list->opaque = *value == 'y';
                list->xwhiteout = *value == 'x';
        }
        if (strcmp(mark, "whiteout") == 0)
                list->whiteout = true;
        if (strcmp(mark, "redirect") == 0 || strcmp(mark, "metacopy") == 0)
                list->redirect = true;
        return true;
}

/* What belongs to this machine and not to the image. */
static bool host_only(const char *name)
{
        return strcmp(name, "security.selinux") == 0 && access("/sys/fs/selinux/enforce", F_OK) == 0;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct fs_xattr *)a)->name, ((const struct fs_xattr *)b)->name);
}

static int read_value(const char *path, const char *name, char **ret, size_t *ret_len)
{
        char small[256];
        ssize_t n = lgetxattr(path, name, small, sizeof(small));

        *ret = NULL;
        if (n >= 0) {
                *ret = xmalloc((size_t)n + 1);
                memcpy(*ret, small, (size_t)n);
        } else if (errno == ERANGE) {
                *ret = xmalloc(VALUE_MAX + 1);
                n = lgetxattr(path, name, *ret, VALUE_MAX);
        }
        if (n < 0)
                return -errno;
        *ret_len = (size_t)n;
        return 0;
}

static int read_all(const char *path, const char *names, size_t names_len, struct xattr_list *list, struct error *err)
{
        size_t count = 0, owned = 0;

        for (const char *name = names; name < names + names_len; name += strlen(name) + 1)
                count++;
        list->v = xcalloc(count + 1, sizeof(*list->v));
        list->owned = xcalloc(2 * count + 1, sizeof(*list->owned));
        for (const char *name = names; name < names + names_len; name += strlen(name) + 1) {
                CLEANUP_FREE char *value = NULL;
                size_t len = 0;
                int r = read_value(path, name, &value, &len);

                if (r == -ENODATA)
                        continue;
                if (r < 0)
                        return error_errno(err, -r, "read extended attribute '%s'", name);
                if (overlay_mark(list, name, value, len) || host_only(name))
                        continue;
                list->owned[owned++] = xstrdup(name);
                list->v[list->n].name = list->owned[owned - 1];
                list->owned[owned++] = steal(&value);
                list->v[list->n].value = list->owned[owned - 1];
                list->v[list->n++].len = len;
        }
        qsort(list->v, list->n, sizeof(*list->v), by_name);
        return 0;
}

int xattr_read(int dirfd, const char *name, struct xattr_list *ret, struct error *err)
{
        CLEANUP(xattr_clear) struct xattr_list list = {0};
        CLEANUP_FREE char *path = xasprintf("/proc/self/fd/%d/%s", dirfd, name), *large = NULL;
        char small[1024], *names = small;
        ssize_t n = llistxattr(path, small, sizeof(small));
        int r;

        if (n < 0 && errno == ERANGE) {
                names = large = xmalloc(NAMES_MAX);
                n = llistxattr(path, large, NAMES_MAX);
        }
        if (n < 0 && errno != EOPNOTSUPP)
                return error_errno(err, errno, "list extended attributes");
        if (n > 0) {
                r = read_all(path, names, (size_t)n, &list, err);
                if (r < 0)
                        return r;
        }
        *ret = steal(&list);
        return 0;
}
