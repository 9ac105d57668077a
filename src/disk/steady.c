/* See steady.h. */
#include "disk/steady.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#include "base/file.h"
#include "base/str.h"
#include "disk/seed.h"

static const unsigned char library[] = {
#include "disk/steady.inc"
};

int steady_env(char ***env, int64_t epoch, const char *id_seed, int *ret_fd, struct error *err)
{
        CLEANUP_CLOSE int fd = memfd_create("slipway-steady.so", MFD_CLOEXEC);
        char text[64], path[64];
        uint8_t seed[8];
        int r;

        if (fd < 0)
                return error_errno(err, errno, "make a file in memory");
        r = fd_pwrite_all(fd, library, sizeof(library), 0);
        if (r == 0 && fcntl(fd, F_SETFD, 0) < 0)
                r = -errno;
        if (r < 0)
                return error_errno(err, -r, "write to a file in memory");
        seed_bytes(id_seed, "what programs ask of randomness", seed, sizeof(seed));
        r = snprintf(text, sizeof(text), "%lld ", (long long)(epoch >= 0 ? epoch : time(NULL)));
        for (size_t i = 0; i < sizeof(seed); i++)
                r += snprintf(text + r, sizeof(text) - (size_t)r, "%02x", seed[i]);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        strv_setenv(env, "LD_PRELOAD", path);
        strv_setenv(env, "SLIPWAY_STEADY", text);
        *ret_fd = steal_fd(&fd);
        return 0;
}
