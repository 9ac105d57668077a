/* See sound.h. */
#include "build/sound.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/child.h"

struct look {
        const char *path;
        const struct job_mount *mount;
        bool repair, readable;
        struct child child;
};

static int look(void *arg, int sock, struct error *err)
{
        const struct look *look = arg;
        const struct job_mount *mount = look->mount;
        CLEANUP_FREE char *name = xasprintf("partition %u (%s)", mount->number, mount->mountpoint);
        struct fs_volume volume = {look->path, mount->start_bytes, mount->size_bytes, name};
        int r = mount->type->check ? mount->type->check(&volume, look->repair, err) : 0;

        (void)sock;
        if (r == 0 && look->readable && !mount->type->extract)
                r = error_set(err, ENOTSUP, "%s can be made (method new) but not read", mount->type->name);
        return r < 0 ? error_wrap(err, r, "%s of the image", name) : 0;
}

int sound_check(const char *path, const struct base *base, bool repair, bool readable, struct error *err)
{
        CLEANUP_FREE struct look *looks = xcalloc(base->n_mounts + 1, sizeof(*looks));
        size_t started = 0;
        int r = 0;

        for (; r == 0 && started < base->n_mounts; started += r == 0) {
                looks[started] = (struct look){path, &base->mounts[started], repair, readable, {.sock = -1}};
                r = child_start(&looks[started].child, look, &looks[started], err);
        }
        for (size_t i = 0; r == 0 && i < started; i++)
                r = child_receive(&looks[i].child, NULL, 0, NULL, err);
        while (started > 0)
                child_done(&looks[--started].child);
        return r;
}
