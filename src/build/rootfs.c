/* A rootfs archive in place of an image: image_path ends in .tar, .tar.gz and
 * the like. All mounted file systems are in it, /boot too. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "build/job.h"
#include "build/merged.h"

/* By the end of the name; GNU tar runs the compressor. */
static const struct {
        const char *suffix, *compressor;
} formats[] = {
        {".tar", NULL},        {".tar.gz", "gzip -n"}, {".tgz", "gzip -n"},    {".img.gz", "gzip -n"},
        {".tar.xz", "xz -T0"}, {".txz", "xz -T0"},     {".img.xz", "xz -T0"},  {".tar.zst", "zstd -q -T0"},
        {".tar.bz2", "bzip2"}, {".img.bz2", "bzip2"},  {".tar.lz4", "lz4 -q"}, {".img.zst", "zstd -q -T0"},
};

static int find_format(const char *path)
{
        for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
                if (str_ends(path, formats[i].suffix))
                        return (int)i;
        return -1;
}

bool rootfs_wanted(const char *image_path)
{
        return find_format(image_path) >= 0;
}

struct rootfs {
        struct job *job;
        int fd;
        const char *place;
};

static int write_archive(void *arg, struct error *err)
{
        struct rootfs *rootfs = arg;
        struct job *job = rootfs->job;
        const char *compressor = formats[find_format(job->arm->image_path)].compressor;
        CLEANUP_STRV char **argv = NULL;
        int r = merged_mount(STRV(job->layers), rootfs->place, err);

        if (r < 0)
                return r;
        strv_add(&argv, "tar");
        strv_addf(&argv, "--directory=%s", rootfs->place);
        strv_extend(&argv,
                    (const char *const[]){"--create", "--format=posix", "--numeric-owner", "--acls", "--sort=name",
                                          "--xattrs", "--xattrs-exclude=user.overlay.*",
                                          "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime", NULL});
        if (job->epoch >= 0) {
                strv_addf(&argv, "--mtime=@%lld", (long long)job->epoch);
                strv_add(&argv, "--clamp-mtime");
        }
        if (compressor)
                strv_addf(&argv, "--use-compress-program=%s", compressor);
        strv_add(&argv, ".");
        return spawn_check(&(struct spawn){.argv = STRV(argv), .stdout_plus1 = SPAWN_FD(rootfs->fd)}, err);
}

int job_write_rootfs(struct job *job, struct error *err)
{
        CLEANUP_FREE char *dir = path_dir(job->arm->image_path), *place = path_join(job->cache.staging, "merged");
        CLEANUP_CLOSE int fd = -1;
        struct rootfs rootfs = {.job = job, .place = place};
        int r = dir_make(dir, 0755, err);

        if (r == 0 && mkdir(place, 0755) < 0)
                r = error_errno(err, errno, "create folder '%s'", place);
        if (r == 0)
                r = file_nameless(dir, 0644, &fd, err);
        if (r < 0)
                return r;
        ui_say(job->ui, "Writing the root file system as an archive");
        rootfs.fd = fd;
        r = userns_call(job->ns, write_archive, &rootfs, err);
        if (r == 0)
                r = file_publish(fd, job->arm->image_path, err);
        return r < 0 ? error_wrap(err, r, "write '%s'", job->arm->image_path) : 0;
}
