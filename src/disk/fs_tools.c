/* See fs_tools.h. */
#include "disk/fs_tools.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/size.h"
#include "base/spawn.h"
#include "base/str.h"
#include "base/tail.h"
#include "disk/steady.h"

enum { BUFFER = 1 << 20 };

/* The environment: ours, but in a language and zone that do not vary. */
static char **tool_env(int64_t epoch)
{
        char **env = strv_dup(STRV(environ)), text[32];

        strv_setenv(&env, "LC_ALL", "C.UTF-8");
        strv_setenv(&env, "TZ", "UTC");
        if (epoch >= 0) {
                snprintf(text, sizeof(text), "%lld", (long long)epoch);
                strv_setenv(&env, "SOURCE_DATE_EPOCH", text);
        }
        return env;
}

static void keep_line(void *arg, bool is_stderr, const char *line)
{
        (void)is_stderr;
        if (!str_empty(line))
                tail_add(arg, line);
}

int fs_tool_run(const struct fs_tool *tool, int *ret_status, struct error *err)
{
        CLEANUP_STRV char **env = tool_env(tool->epoch), **argv = NULL;
        CLEANUP_FREE char *program = program_find(tool->argv[0]);
        CLEANUP_CLOSE int steady = -1;
        CLEANUP_TAIL struct tail tail = {0};
        struct spawn spawn = {.stdin_plus1 = SPAWN_FD(tool->fd), .on_line = keep_line, .arg = &tail};
        int status, r = 0;

        if (!program)
                return error_set(err, ENOENT, "the program '%s' is missing; install the package '%s'", tool->argv[0],
                                 tool->package);
        if (tool->epoch >= 0 && tool->id_seed)
                r = steady_env(&env, tool->epoch, tool->id_seed, &steady, err);
        if (r < 0)
                return r;
        strv_add(&argv, program);
        strv_extend(&argv, tool->argv + 1);
        strv_extend(&argv, tool->options);
        strv_extend(&argv, tool->operands);
        spawn.argv = STRV(argv);
        spawn.env = STRV(env);
        r = spawn_run(&spawn, &status, err);
        if (r < 0)
                return r;
        if (ret_status)
                *ret_status = status;
        if (status <= tool->ok_max)
                return 0;
        return tail_append(&tail, err, error_set(err, EIO, "%s failed (exit code %d)", tool->argv[0], status));
}

void fs_uuid(const struct fs_volume *volume, const struct fs_make *make, char out[UUID_TEXT])
{
        char purpose[64];

        snprintf(purpose, sizeof(purpose), "file system at %llu", (unsigned long long)volume->offset_bytes);
        seed_uuid(make->id_seed, purpose, out);
}

int fs_open(const struct fs_volume *volume, bool write, struct error *err)
{
        int fd = open(volume->path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);

        return fd < 0 ? error_errno(err, errno, "open image '%s'", volume->path) : fd;
}

/* The folder of the image, also where its path is one of /proc/self/fd. */
static char *image_dir(const struct fs_volume *volume)
{
        char real[PATH_MAX];
        ssize_t n = -1;

        if (str_starts(volume->path, "/proc/"))
                n = readlink(volume->path, real, sizeof(real) - 1);
        if (n <= 0)
                return path_dir(volume->path);
        real[n] = '\0';
        return *real == '/' ? path_dir(real) : xstrdup("/var/tmp");
}

/* Data of `from` at from_offset to `to` at to_offset; holes stay holes. */
static int copy_data(int from, off_t from_offset, int to, off_t to_offset, uint64_t size)
{
        CLEANUP_FREE char *buffer = xmalloc(BUFFER);
        off_t at = from_offset, end = from_offset + (off_t)size;

        while (at < end) {
                off_t data = lseek(from, at, SEEK_DATA), hole;

                if (data < 0 && errno == ENXIO)
                        return 0;
                if (data < 0)
                        data = at;
                hole = lseek(from, data, SEEK_HOLE);
                if (hole < 0 || hole > end)
                        hole = end;
                for (at = data; at < hole;) {
                        size_t want = hole - at > BUFFER ? BUFFER : (size_t)(hole - at);
                        int r = fd_pread_all(from, buffer, want, at);

                        if (r == 0)
                                r = fd_pwrite_sparse(to, buffer, want, at - from_offset + to_offset);
                        if (r == 0 && cancel_requested())
                                r = -ECANCELED;
                        if (r < 0)
                                return r;
                        at += (off_t)want;
                }
        }
        return 0;
}

int fs_scratch(const struct fs_volume *volume, bool filled, int *ret_fd, struct error *err)
{
        CLEANUP_FREE char *dir = image_dir(volume);
        CLEANUP_CLOSE int fd = -1, from = -1;
        int r = file_scratch(dir, 0600, &fd, err);

        if (r < 0)
                return r;
        if (ftruncate(fd, (off_t)volume->size_bytes) < 0)
                return error_errno(err, errno, "make a file of %s in '%s'", size_show(volume->size_bytes), dir);
        if (filled) {
                from = fs_open(volume, false, err);
                if (from < 0)
                        return from;
                r = copy_data(from, (off_t)volume->offset_bytes, fd, 0, volume->size_bytes);
                if (r < 0)
                        return error_errno(err, -r, "copy %s to '%s'", volume->name, dir);
        }
        *ret_fd = steal_fd(&fd);
        return 0;
}

/* Make a range read as zeros. */
static int zero_range(int fd, off_t offset, uint64_t size)
{
        CLEANUP_FREE char *zeros = NULL;

        if (size == 0 || fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, (off_t)size) == 0)
                return 0;
        zeros = xcalloc(1, BUFFER);
        while (size > 0) {
                size_t n = size > BUFFER ? BUFFER : (size_t)size;
                int r = fd_pwrite_all(fd, zeros, n, offset);

                if (r < 0)
                        return r;
                offset += (off_t)n;
                size -= n;
        }
        return 0;
}

int fs_scratch_store(const struct fs_volume *volume, int fd, uint64_t size, struct error *err)
{
        CLEANUP_CLOSE int to = fs_open(volume, true, err);
        int r;

        if (to < 0)
                return to;
        r = zero_range(to, (off_t)volume->offset_bytes, volume->size_bytes);
        if (r == 0)
                r = copy_data(fd, 0, to, (off_t)volume->offset_bytes, size);
        return r < 0 ? error_errno(err, -r, "write %s of '%s'", volume->name, volume->path) : 0;
}

int fs_tool_make(const struct fs_volume *volume, struct fs_tool *tool, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        int r = fs_scratch(volume, false, &fd, err);

        if (r < 0)
                return r;
        tool->fd = fd;
        r = fs_tool_run(tool, NULL, err);
        return r < 0 ? r : fs_scratch_store(volume, fd, volume->size_bytes, err);
}

int fs_tool_check(const struct fs_volume *volume, struct fs_tool *tool, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        int r = fs_scratch(volume, true, &fd, err);

        if (r < 0)
                return r;
        tool->fd = fd;
        r = fs_tool_run(tool, NULL, err);
        return r < 0 ? error_wrap(err, r, "the file system in %s", volume->name) : 0;
}
