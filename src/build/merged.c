/* See merged.h. */
#include "build/merged.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/alloc.h"
#include "base/str.h"

/* Layers by descriptor, since mount options hold no more than a page. */
static int lower_option(const char *const *lowers, char **ret, struct error *err)
{
        CLEANUP_STR struct str option = {0};

        str_add(&option, "userxattr,lowerdir=");
        for (size_t i = strv_len(lowers); i-- > 0;) {
                int fd = open(lowers[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

                if (fd < 0)
                        return error_errno(err, errno, "open layer '%s'", lowers[i]);
                str_addf(&option, "/proc/self/fd/%d%s", fd, i > 0 ? ":" : "");
        }
        *ret = str_steal(&option);
        return 0;
}

int merged_mount(const char *const *lowers, const char *place, struct error *err)
{
        CLEANUP_FREE char *option = NULL;
        int r;

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_errno(err, errno, "make a mount namespace");
        if (strv_len(lowers) == 1) {
                if (mount(lowers[0], place, NULL, MS_BIND, NULL) < 0)
                        return error_errno(err, errno, "mount '%s'", lowers[0]);
                return 0;
        }
        r = lower_option(lowers, &option, err);
        if (r < 0)
                return r;
        if (mount("overlay", place, "overlay", MS_RDONLY, option) < 0)
                return error_errno(err, errno, "mount %zu layers as an overlay", strv_len(lowers));
        return 0;
}
