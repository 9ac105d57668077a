/* What e2fsprogs' own programs do for the ext rows, on the image file at an
 * offset: mke2fs, resize2fs, e2fsck ("IMAGE?offset=N", as unix_io reads it).
 * Time stands still for them (E2FSPROGS_FAKE_TIME, E2FSCK_TIME), so that the
 * same input gives the same bytes: at the epoch for a new file system, for an
 * existing one at the latest time that its superblock knows. */
#include "disk/ext_ops.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <seccomp.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/size.h"
#include "base/spawn.h"
#include "base/str.h"
#include "disk/fs_tools.h"

extern char **environ;

enum { LABEL_MAX = 16, LINES_MAX = 25, GROWTH_SHARE = 64 };

/* --- the image under a name that these programs take --- */

struct device {
        char *path;             /* what to pass, without "?offset=" */
        char *folder, *symlink; /* temporary, or NULL */
};

static void device_clear(struct device *device)
{
        if (device->symlink)
                unlink(device->symlink);
        if (device->folder)
                rmdir(device->folder);
        free(device->symlink);
        free(device->folder);
        free(device->path);
}

/* Our descriptors are seen from a child under our process id; a question mark
 * in a name would begin the options. */
static int device_name(const char *path, struct device *ret, struct error *err)
{
        CLEANUP(device_clear) struct device device = {0};
        CLEANUP_FREE char *real = NULL;

        if (str_starts(path, "/proc/self/fd/")) {
                ret->path = xasprintf("/proc/%d/fd/%s", getpid(), path + strlen("/proc/self/fd/"));
                return 0;
        }
        if (!strchr(path, '?')) {
                ret->path = xstrdup(path);
                return 0;
        }
        real = realpath(path, NULL);
        if (!real)
                return error_errno(err, errno, "find '%s'", path);
        device.folder = xstrdup("/tmp/slipway-image.XXXXXX");
        if (!mkdtemp(device.folder)) {
                free(steal(&device.folder));
                return error_errno(err, errno, "make a folder in /tmp");
        }
        device.symlink = path_join(device.folder, "image");
        device.path = xstrdup(device.symlink);
        if (symlink(real, device.symlink) < 0)
                return error_errno(err, errno, "make the symlink '%s'", device.symlink);
        *ret = steal(&device);
        return 0;
}

static char **environment(int64_t now)
{
        char **env = strv_dup(STRV(environ));
        CLEANUP_FREE char *text = xasprintf("%" PRId64, now > 0 ? now : 1); /* 0 would be none */

        strv_setenv(&env, "E2FSPROGS_FAKE_TIME", text);
        strv_setenv(&env, "E2FSCK_TIME", text);
        strv_setenv(&env, "LC_ALL", "C");
        return env;
}

/* --- make --- */

static void ext_uuid(const struct fs_volume *volume, const struct fs_make *make, const char *what, char ret[UUID_TEXT])
{
        CLEANUP_FREE char *purpose = xasprintf("%s at %" PRIu64, what, volume->offset_bytes);

        seed_uuid(make->id_seed, purpose, ret);
}

/* The template's options, with those of its -E gathered in `extended`: mke2fs heeds only the last. */
static void add_options(char ***argv, struct str *extended, const char *const *options)
{
        for (; options && *options; options++) {
                const char *value = NULL;

                if (str_eq(*options, "-E") && options[1])
                        value = *++options;
                else if (str_starts(*options, "-E") && (*options)[2])
                        value = *options + 2;
                if (value)
                        str_addf(extended, ",%s", value);
                else
                        strv_add(argv, *options);
        }
}

static int punch(const struct fs_volume *volume, struct error *err)
{
        CLEANUP_CLOSE int fd = open(volume->path, O_RDWR | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_errno(err, errno, "open the image '%s'", volume->path);
        if (volume->offset_bytes > (uint64_t)st.st_size ||
            volume->size_bytes > (uint64_t)st.st_size - volume->offset_bytes)
                return error_set(err, EINVAL, "%s ends past the end of the image", volume->name);
        if (volume->size_bytes > 0 &&
            fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)volume->offset_bytes,
                      (off_t)volume->size_bytes) < 0 &&
            errno != EOPNOTSUPP)
                return error_errno(err, errno, "empty the place of %s", volume->name);
        return 0;
}

static void make_argv(const char *type, const struct fs_volume *volume, const struct fs_make *make, const char *device,
                      char ***argv)
{
        CLEANUP_STR struct str extended = {0};
        CLEANUP_STRV char **options = NULL;
        char uuid[UUID_TEXT];

        str_addf(&extended, "offset=%" PRIu64 ",nodiscard,lazy_itable_init=0,lazy_journal_init=0",
                 volume->offset_bytes);
        strv_extend(argv, (const char *[]){"mke2fs", "-q", "-F", "-t", type, NULL});
        if (make->label)
                strv_extend(argv, (const char *[]){"-L", make->label, NULL});
        if (make->id_seed) {
                ext_uuid(volume, make, "file system", uuid);
                strv_extend(argv, (const char *[]){"-U", uuid, NULL});
                ext_uuid(volume, make, "hash seed of the file system", uuid);
                str_addf(&extended, ",hash_seed=%s", uuid);
        }
        add_options(&options, &extended, make->options);
        strv_extend(argv, STRV(options));
        strv_extend(argv, (const char *[]){"-E", str_get(&extended), "--", device, NULL});
        strv_addf(argv, "%" PRIu64 "k", volume->size_bytes / 1024);
}

/* System calls that the tools make and that would do harm here: in the child
 * they do nothing and say it went well. Waiting for the disk is of no use for
 * an image that has no name yet; and resize2fs cuts a regular file down to the
 * size of its file system, whatever its offset. */
static const int no_sync[] = {SCMP_SYS(fsync), SCMP_SYS(fdatasync), -1};
static const int no_sync_no_cut[] = {SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), -1};

static int without_calls(void *calls, struct error *err)
{
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        int r = 0;

        if (!filter)
                return error_set(err, ENOMEM, "make a system call filter");
        for (const int *call = calls; r == 0 && *call != -1; call++)
                r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), *call, 0);
        if (r == 0)
                r = seccomp_load(filter);
        seccomp_release(filter);
        return r < 0 ? error_errno(err, -r, "load a system call filter") : 0;
}

static int run_tool(struct spawn spawn, const int *calls, struct error *err)
{
        spawn.enter = without_calls;
        spawn.enter_arg = (void *)(uintptr_t)calls;
        return spawn_check(&spawn, err);
}

static int make_type(const char *type, const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        CLEANUP(device_clear) struct device device = {0};
        CLEANUP_STRV char **argv = NULL, **env = NULL;
        int r;

        if (make->label && strlen(make->label) > LABEL_MAX)
                return error_set(err, EINVAL,
                                 "%s: the label '%s' is longer than %d bytes, which is all %s has room for",
                                 volume->name, make->label, LABEL_MAX, type);
        r = punch(volume, err);
        if (r == 0)
                r = device_name(volume->path, &device, err);
        if (r < 0)
                return r;
        make_argv(type, volume, make, device.path, &argv);
        env = environment(make->epoch >= 0 ? make->epoch : (int64_t)time(NULL));
        r = run_tool((struct spawn){.argv = STRV(argv), .env = STRV(env)}, no_sync, err);
        return r < 0 ? error_wrap(err, r, "make %s in %s (%s)", type, volume->name, size_show(volume->size_bytes)) : 0;
}

int ext2_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        return make_type("ext2", volume, make, err);
}

int ext3_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        return make_type("ext3", volume, make, err);
}

int ext4_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        return make_type("ext4", volume, make, err);
}

/* --- check --- */

struct state {
        uint64_t blocks, free_blocks;
        uint32_t block_bytes;
        int64_t latest; /* time that is known to it */
        bool journal;   /* has to be replayed */
        bool clean;     /* unmounted well, without errors and orphans */
};

/* From the superblock (kernel documentation, ext4, "Super Block"): times of 32
 * bits each, with 8 more further on, the feature "recover", the state, the first orphan, and its size. */
static int read_state(const struct fs_volume *volume, struct state *ret, struct error *err)
{
        static const struct {
                unsigned int low, high;
        } fields[] = {{0x2c, 0x275}, {0x30, 0x274}, {0x40, 0x277}, {0x108, 0x276}};
        CLEANUP_CLOSE int fd = open(volume->path, O_RDONLY | O_CLOEXEC);
        uint8_t super[1024];
        int64_t latest = 0;
        int r;

        if (fd < 0)
                return error_errno(err, errno, "open the image '%s'", volume->path);
        r = fd_pread_all(fd, super, sizeof(super), (off_t)volume->offset_bytes + 1024);
        if (r < 0 || get_le16(super + 0x38) != 0xef53)
                return error_set(err, EINVAL, "%s: there is no ext file system at byte %" PRIu64 " of '%s'",
                                 volume->name, volume->offset_bytes, volume->path);
        for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
                int64_t t = (int64_t)get_le32(super + fields[i].low) | (int64_t)super[fields[i].high] << 32;

                latest = t > latest ? t : latest;
        }
        ret->latest = latest;
        ret->block_bytes = 1024U << (get_le32(super + 0x18) & 0xf);
        ret->blocks = get_le32(super + 0x4);
        ret->free_blocks = get_le32(super + 0xc);
        if (get_le32(super + 0x60) & 0x80) { /* feature "64bit" */
                ret->blocks |= (uint64_t)get_le32(super + 0x150) << 32;
                ret->free_blocks |= (uint64_t)get_le32(super + 0x158) << 32;
        }
        ret->journal = get_le32(super + 0x60) & 0x4;
        ret->clean = (get_le16(super + 0x3a) & 0x3) == 0x1 && get_le32(super + 0xe8) == 0;
        return 0;
}

struct words {
        struct str text;
        unsigned int lines;
};

static void on_line(void *arg, bool is_stderr, const char *line)
{
        struct words *words = arg;

        if ((is_stderr && str_starts(line, "e2fsck 1.")) || !*line)
                return;
        if (words->lines++ < LINES_MAX)
                str_addf(&words->text, "\n  %s", line);
        else if (words->lines == LINES_MAX + 1)
                str_add(&words->text, "\n  ...");
}

/* Exit codes of e2fsck(8): 1 mended, 2 mended and "reboot", which is for mounted ones. */
static bool sound(int status, bool repair)
{
        return status == 0 || (repair && status <= 3);
}

static int run_e2fsck(const struct fs_volume *volume, const char *mode, const char *device, int64_t now,
                      struct error *err)
{
        const char *argv[] = {"e2fsck", mode, device, NULL};
        CLEANUP_STRV char **env = environment(now);
        struct words words = {0};
        int status, r;

        r = spawn_run(&(struct spawn){.argv = argv,
                                      .env = STRV(env),
                                      .on_line = on_line,
                                      .arg = &words,
                                      .enter = without_calls,
                                      .enter_arg = (void *)(uintptr_t)no_sync},
                      &status, err);
        if (r == 0 && !sound(status, str_eq(mode, "-fp")))
                r = error_set(err, EUCLEAN, "%s: the file system is damaged (e2fsck %s gave %d):%s", volume->name, mode,
                              status, str_get(&words.text));
        str_clear(&words.text);
        return r;
}

/* After replaying a journal e2fsck 1.47 opens its device again and forgets the
 * offset; so it gets the file system in a file of its own. */
static int repair_apart(const struct fs_volume *volume, int64_t now, struct error *err)
{
        CLEANUP_FREE char *device = NULL;
        CLEANUP_CLOSE int fd = -1;
        int r = fs_scratch(volume, true, &fd, err);

        if (r < 0)
                return r;
        device = xasprintf("/proc/%d/fd/%d", getpid(), fd);
        r = run_e2fsck(volume, "-fp", device, now, err);
        return r < 0 ? r : fs_scratch_store(volume, fd, volume->size_bytes, err);
}

static int check_on(const struct fs_volume *volume, const char *device, bool repair, const struct state *state,
                    struct error *err)
{
        CLEANUP_FREE char *name = xasprintf("%s?offset=%" PRIu64, device, volume->offset_bytes);

        if (repair && state->journal)
                return repair_apart(volume, state->latest, err);
        /* What is sound stays as it is, byte for byte, however often it is looked at:
         * -p would add to the counter of bytes written. */
        if (repair && state->clean && run_e2fsck(volume, "-fn", name, state->latest, NULL) == 0)
                return 0;
        return run_e2fsck(volume, repair ? "-fp" : "-fn", name, state->latest, err);
}

int ext_check(const struct fs_volume *volume, bool repair, struct error *err)
{
        CLEANUP(device_clear) struct device device = {0};
        struct state state = {0};
        int r = read_state(volume, &state, err);

        if (r == 0)
                r = device_name(volume->path, &device, err);
        return r < 0 ? r : check_on(volume, device.path, repair, &state, err);
}

/* --- grow and shrink --- */

/* A file system that is about to change its size: sound, and with what its tools need. */
struct resize {
        struct device device;
        struct state state;
        char **env;
        char *name; /* "IMAGE?offset=N" */
};

static void resize_clear(struct resize *resize)
{
        device_clear(&resize->device);
        strv_free(resize->env);
        free(resize->name);
}

static int resize_begin(const struct fs_volume *volume, struct resize *ret, struct error *err)
{
        int r = read_state(volume, &ret->state, err);

        if (r == 0)
                r = device_name(volume->path, &ret->device, err);
        if (r == 0)
                r = check_on(volume, ret->device.path, true, &ret->state, err);
        ret->env = environment(ret->state.latest);
        ret->name = xasprintf("%s?offset=%" PRIu64, ret->device.path ? ret->device.path : "", volume->offset_bytes);
        return r;
}

/* `size` as resize2fs takes it. */
static int resize_to(const struct resize *resize, const char *size, struct error *err)
{
        const char *argv[] = {"resize2fs", "-f", resize->name, size, NULL};

        return run_tool((struct spawn){.argv = argv, .env = STRV(resize->env)}, no_sync_no_cut, err);
}

int ext_grow(const struct fs_volume *volume, struct error *err)
{
        CLEANUP(resize_clear) struct resize resize = {0};
        CLEANUP_FREE char *size = xasprintf("%" PRIu64 "s", volume->size_bytes / 512);
        int r = resize_begin(volume, &resize, err);

        if (r == 0)
                r = resize_to(&resize, size, err);
        return r < 0 ? error_wrap(err, r, "grow the file system of %s to %s", volume->name,
                                  size_show(volume->size_bytes))
                     : 0;
}

static void read_minimum(void *arg, bool is_stderr, const char *line)
{
        const char *number = strrchr(line, ' ');

        if (!is_stderr && number && strstr(line, "minimum size"))
                *(uint64_t *)arg = strtoull(number, NULL, 10);
}

/* In blocks, as resize2fs estimates it. */
static int minimum(const struct resize *resize, uint64_t *ret, struct error *err)
{
        const char *argv[] = {"resize2fs", "-f", "-P", resize->name, NULL};
        uint64_t blocks = 0;
        int r = run_tool(
                (struct spawn){.argv = argv, .env = STRV(resize->env), .on_line = read_minimum, .arg = &blocks},
                no_sync_no_cut, err);

        if (r == 0 && blocks == 0)
                r = error_set(err, EPROTO, "resize2fs does not say how small it can be");
        *ret = blocks;
        return r;
}

/* Punches holes where nothing is allocated. */
static int discard(const struct resize *resize, struct error *err)
{
        const char *argv[] = {"e2fsck", "-fp", "-E", "discard", resize->name, NULL};
        int status, r = spawn_run(&(struct spawn){.argv = argv,
                                                  .env = STRV(resize->env),
                                                  .enter = without_calls,
                                                  .enter_arg = (void *)(uintptr_t)no_sync},
                                  &status, err);

        if (r == 0 && !sound(status, true))
                r = error_set(err, EUCLEAN, "e2fsck gave %d", status);
        return r;
}

/* As small as resize2fs is sure of. */
static int shrink_safely(const struct fs_volume *volume, struct resize *resize, uint64_t slack, struct error *err)
{
        CLEANUP_FREE char *size = NULL;
        uint64_t blocks;
        int r = minimum(resize, &blocks, err);

        if (r < 0 || __builtin_add_overflow(blocks, slack, &blocks) || blocks >= resize->state.blocks)
                return r;
        size = xasprintf("%" PRIu64, blocks);
        r = resize_to(resize, size, err);
        return r < 0 ? r : read_state(volume, &resize->state, err);
}

/* Its estimate leaves up to a third over. Whether less will do shows when it is tried, which
 * damages the file system if it will not: so in a copy. -ENOSPC: it will not. */
static int shrink_copy(const struct fs_volume *volume, const struct resize *resize, uint64_t blocks, struct error *err)
{
        CLEANUP_FREE char *device = NULL, *size = xasprintf("%" PRIu64, blocks);
        const char *argv[] = {"resize2fs", "-f", NULL, size, NULL};
        CLEANUP_CLOSE int fd = -1;
        int r = fs_scratch(volume, true, &fd, err);

        if (r < 0)
                return r;
        argv[2] = device = xasprintf("/proc/%d/fd/%d", getpid(), fd);
        if (run_tool((struct spawn){.argv = argv, .env = STRV(resize->env)}, no_sync_no_cut, NULL) < 0 ||
            run_e2fsck(volume, "-fn", device, resize->state.latest, NULL) < 0)
                return cancel_requested() ? cancel_check(err) : -ENOSPC;
        return fs_scratch_store(volume, fd, blocks * resize->state.block_bytes, err);
}

static int shrink_tightly(const struct fs_volume *volume, struct resize *resize, uint64_t slack, struct error *err)
{
        const struct state *state = &resize->state;
        uint64_t used = state->blocks - state->free_blocks, blocks = used + used / GROWTH_SHARE;
        struct fs_volume inner = *volume;
        int r;

        inner.size_bytes = state->blocks * state->block_bytes;
        if (__builtin_add_overflow(blocks, slack, &blocks) || blocks >= state->blocks)
                return 0;
        r = shrink_copy(&inner, resize, blocks, err);
        if (r < 0)
                return r == -ENOSPC ? 0 : r;
        return read_state(volume, &resize->state, err);
}

int ext_shrink(const struct fs_volume *volume, uint64_t slack_bytes, uint64_t *ret_bytes, struct error *err)
{
        CLEANUP(resize_clear) struct resize resize = {0};
        int r = resize_begin(volume, &resize, err);

        if (r == 0)
                r = shrink_safely(volume, &resize, slack_bytes / resize.state.block_bytes, err);
        if (r == 0)
                r = shrink_tightly(volume, &resize, slack_bytes / resize.state.block_bytes, err);
        if (r == 0)
                r = discard(&resize, err);
        if (r < 0)
                return error_wrap(err, r, "shrink the file system of %s", volume->name);
        *ret_bytes = resize.state.blocks * resize.state.block_bytes;
        return punch(&(struct fs_volume){volume->path, volume->offset_bytes + *ret_bytes,
                                         volume->size_bytes - *ret_bytes, volume->name},
                     err);
}
