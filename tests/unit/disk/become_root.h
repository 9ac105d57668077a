/* For tests of what is to run as root of a user namespace. */
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

static inline bool write_to(const char *path, const char *text)
{
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

        return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* An ordinary user becomes root of a namespace of its own, with its one id. */
static inline bool become_root(void)
{
        CLEANUP_FREE char *uids = xasprintf("0 %u 1", getuid()), *gids = xasprintf("0 %u 1", getgid());

        return geteuid() == 0 || (unshare(CLONE_NEWUSER) == 0 && write_to("/proc/self/setgroups", "deny") &&
                                  write_to("/proc/self/uid_map", uids) && write_to("/proc/self/gid_map", gids));
}
