/* See inroot.h; openat2(2). */
#include "guest/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

int inroot_open(int root_fd, const char *path, int flags, mode_t mode)
{
        struct open_how how = {
                .flags = (unsigned int)(flags | O_CLOEXEC),
                .mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
                .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
        };
        long fd;

        /* EAGAIN: something was renamed meanwhile, so the kernel could not be sure that we stayed inside. */
        do
                fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        while (fd < 0 && (errno == EAGAIN || errno == EINTR));
        return fd < 0 ? -errno : (int)fd;
}

int inroot_parent(int root_fd, const char *path, const char **ret_name)
{
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        CLEANUP_FREE char *folder = slash ? xstrndup(path, (size_t)(slash - path)) : NULL;
        int fd;

        if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
                return -EINVAL;
        fd = inroot_open(root_fd, folder && *folder ? folder : "/", O_PATH | O_DIRECTORY, 0);
        if (fd >= 0)
                *ret_name = name;
        return fd;
}

int inroot_mkdirs(int root_fd, const char *path, mode_t mode)
{
        CLEANUP_FREE char *copy = xstrdup(path);
        char *end = copy;

        for (;;) {
                CLEANUP_CLOSE int parent = -1, there = -1;
                const char *name;
                char saved;

                end += strspn(end, "/");
                if (!*end)
                        return 0;
                end += strcspn(end, "/");
                saved = *end;
                *end = '\0';
                there = inroot_open(root_fd, copy, O_PATH | O_DIRECTORY, 0);
                if (there == -ENOENT) {
                        parent = inroot_parent(root_fd, copy, &name);
                        if (parent < 0)
                                return parent;
                        if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
                                return -errno;
                } else if (there < 0) {
                        return there;
                }
                *end = saved;
        }
}
