/* A rootfs archive in place of an image: image_path ends in .tar, .tar.gz and
 * the like. All mounted file systems are in it, /boot too. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
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

/* A member for each device node of the base's archive, which the tree cannot
 * hold: bare headers (POSIX ustar), without the zero blocks that end an archive. */
static int node_headers(const struct source_nodes *nodes, int64_t epoch, void **ret, size_t *ret_len, struct error *err)
{
        size_t room = 20480 + nodes->n * 512, used = 0;
        CLEANUP_FREE char *buffer = xcalloc(1, room);
        struct archive *archive = archive_write_new();
        struct archive_entry *entry = archive_entry_new();
        int r = archive && entry ? archive_write_set_format_ustar(archive) : ARCHIVE_FATAL;

        if (r == ARCHIVE_OK)
                r = archive_write_open_memory(archive, buffer, room, &used);
        for (size_t i = 0; r == ARCHIVE_OK && i < nodes->n; i++) {
                const struct source_node *node = &nodes->v[i];
                CLEANUP_FREE char *path = xasprintf("./%s", node->path);

                archive_entry_clear(entry);
                archive_entry_set_pathname(entry, path);
                archive_entry_set_mode(entry, (mode_t)node->mode);
                archive_entry_set_uid(entry, node->uid);
                archive_entry_set_gid(entry, node->gid);
                archive_entry_set_rdevmajor(entry, node->major);
                archive_entry_set_rdevminor(entry, node->minor);
                archive_entry_set_mtime(entry, epoch >= 0 && node->mtime_sec > epoch ? epoch : node->mtime_sec, 0);
                r = archive_write_header(archive, entry);
        }
        if (r == ARCHIVE_OK)
                r = archive_write_close(archive);
        archive_entry_free(entry);
        archive_write_free(archive);
        if (r != ARCHIVE_OK)
                return error_set(err, EIO, "write the device nodes");
        *ret = steal(&buffer);
        *ret_len = nodes->n * 512;
        return 0;
}

/* In front of tar's own output: all the compressors' formats may be put one
 * behind the other, and are read as one. */
static int write_nodes(const struct rootfs *rootfs, const char *compressor, struct error *err)
{
        const struct source_nodes *nodes = &rootfs->job->base.nodes;
        CLEANUP_FREE void *headers = NULL;
        CLEANUP_STRV char **argv = NULL;
        CLEANUP_CLOSE int fd = memfd_create("nodes", MFD_CLOEXEC);
        size_t len = 0;
        int r;

        if (nodes->n == 0)
                return 0;
        r = fd < 0 ? error_errno(err, errno, "memfd_create")
                   : node_headers(nodes, rootfs->job->epoch, &headers, &len, err);
        if (r < 0)
                return r;
        r = fd_pwrite_all(compressor ? fd : rootfs->fd, headers, len, 0);
        if (r < 0)
                return error_errno(err, -r, "write the device nodes");
        if (!compressor)
                return lseek(rootfs->fd, 0, SEEK_END) < 0 ? error_errno(err, errno, "lseek") : 0;
        argv = str_split(compressor, " ");
        return spawn_check(
                &(struct spawn){.argv = STRV(argv), .stdin_plus1 = SPAWN_FD(fd), .stdout_plus1 = SPAWN_FD(rootfs->fd)},
                err);
}

static int write_archive(void *arg, struct error *err)
{
        struct rootfs *rootfs = arg;
        struct job *job = rootfs->job;
        const char *compressor = formats[find_format(job->arm->image_path)].compressor;
        CLEANUP_STRV char **argv = NULL;
        int r = merged_mount(STRV(job->layers), rootfs->place, err);

        if (r == 0)
                r = write_nodes(rootfs, compressor, err);
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
        CLEANUP_FILE_DROP int fd = -1;
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
        r = served_check(job, userns_call(job->ns, write_archive, &rootfs, err), err);
        if (r == 0)
                r = file_publish(fd, job->arm->image_path, err);
        return r < 0 ? error_wrap(err, r, "write '%s'", job->arm->image_path) : 0;
}
