/* xfs, as far as mkfs.xfs 6.1 goes: an empty file system, or one made from a
 * tree by a prototype file (mkfs.xfs(8), -p). That keeps owners, modes,
 * symlinks, devices and fifos. It does not keep times, extended attributes
 * (file capabilities and ACLs), hard links (they become copies) and holes, leaves out
 * sockets, and has no way to write a name with a blank in it: an error here. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "disk/fs_tools.h"
#include "disk/layer_walk.h"

struct prototype {
        struct str text;
        const char *dir;
};

/* "-u-755 0 0": type, set-uid, set-gid, permissions, owner, group. */
static void add_attributes(struct str *text, const struct stat *st)
{
        char type = S_ISDIR(st->st_mode)    ? 'd'
                    : S_ISLNK(st->st_mode)  ? 'l'
                    : S_ISCHR(st->st_mode)  ? 'c'
                    : S_ISBLK(st->st_mode)  ? 'b'
                    : S_ISFIFO(st->st_mode) ? 'p'
                                            : '-';

        str_addf(text, "%c%c%c%03o %u %u", type, st->st_mode & S_ISUID ? 'u' : '-', st->st_mode & S_ISGID ? 'g' : '-',
                 st->st_mode & 0777, st->st_uid, st->st_gid);
}

static bool has_blank(const char *s)
{
        return s[strcspn(s, " \t\n\r\v\f")] != '\0';
}

static int add_entry(struct prototype *proto, struct walk *walk, const char *name, const struct stat *st,
                     struct error *err)
{
        char target[PATH_MAX];
        ssize_t n;

        if (S_ISSOCK(st->st_mode))
                return 0;
        str_addf(&proto->text, "%s ", name);
        add_attributes(&proto->text, st);
        if (S_ISREG(st->st_mode))
                str_addf(&proto->text, " %s/%s", proto->dir, str_get(&walk->path));
        if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
                str_addf(&proto->text, " %u %u", major(st->st_rdev), minor(st->st_rdev));
        if (S_ISLNK(st->st_mode)) {
                n = readlinkat(walk->fd, name, target, sizeof(target) - 1);
                if (n < 0)
                        return error_errno(err, errno, "read symlink '/%s'", str_get(&walk->path));
                target[n] = '\0';
                if (has_blank(target))
                        return error_set(err, EINVAL,
                                         "'/%s': mkfs.xfs cannot write a symlink to a name with a blank ('%s')",
                                         str_get(&walk->path), target);
                str_addf(&proto->text, " %s", target);
        }
        str_addc(&proto->text, '\n');
        return 0;
}

static int visit(void *arg, struct walk *walk, enum walk_event event, const char *name, const struct stat *st,
                 struct error *err)
{
        struct prototype *proto = arg;

        if (event == WALK_LEAVE) {
                str_add(&proto->text, "$\n");
                return 0;
        }
        if (has_blank(name) || strcmp(name, "$") == 0)
                return error_set(
                        err, EINVAL,
                        "'/%s': mkfs.xfs cannot write a name with a blank in it; remove the file at the end of "
                        "provisioning, or use ext4 or btrfs",
                        str_get(&walk->path));
        if (event == WALK_ENTRY)
                return add_entry(proto, walk, name, st, err);
        if (walk->frames.n > 0)
                str_addf(&proto->text, "%s ", name);
        add_attributes(&proto->text, st);
        str_addc(&proto->text, '\n');
        return 0;
}

static int make_with(const struct fs_volume *volume, const struct fs_make *make, const char *prototype,
                     struct error *err)
{
        CLEANUP_STRV char **argv = NULL;
        struct fs_tool tool = {.options = make->options,
                               .operands = (const char *const[]){FS_TOOL_FILE, NULL},
                               .epoch = make->epoch,
                               .package = "xfsprogs"};
        char uuid[UUID_TEXT];

        fs_uuid(volume, make, uuid);
        strv_extend(&argv, (const char *const[]){"mkfs.xfs", "-q", "-f", "-m", NULL});
        strv_addf(&argv, "uuid=%s", uuid);
        if (!str_empty(make->label))
                strv_extend(&argv, (const char *const[]){"-L", make->label, NULL});
        if (prototype)
                strv_extend(&argv, (const char *const[]){"-p", prototype, NULL});
        tool.argv = STRV(argv);
        return fs_tools_make(volume, &tool, 1, err);
}

static int xfs_make(const struct fs_volume *volume, const struct fs_make *make, struct error *err)
{
        return make_with(volume, make, NULL, err);
}

static int xfs_populate(const struct fs_volume *volume, const struct fs_make *make, const char *dir, struct error *err)
{
        struct prototype proto = {.dir = dir};
        CLEANUP_CLOSE int fd = memfd_create("prototype", MFD_CLOEXEC);
        char path[64];
        int r;

        if (fd < 0 || fcntl(fd, F_SETFD, 0) < 0) /* mkfs.xfs inherits it and opens it by its number */
                return error_errno(err, errno, "create a prototype file");
        if (has_blank(dir))
                return error_set(err, EINVAL,
                                 "mkfs.xfs cannot read from '%s': there is a blank in it; move the cache folder "
                                 "(SLIPWAY_CACHE_DIR)",
                                 dir);
        str_add(&proto.text, "/\n0 0\n"); /* no boot block; sizes that nobody heeds any more */
        r = walk_tree(dir, visit, &proto, err);
        if (r == 0) {
                r = fd_write_all(fd, str_get(&proto.text), proto.text.len);
                if (r < 0)
                        error_errno(err, -r, "write a prototype file");
        }
        str_clear(&proto.text);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return r < 0 ? r : make_with(volume, make, path, err);
}

static int xfs_check(const struct fs_volume *volume, bool repair, struct error *err)
{
        struct fs_tool tool = {.argv = (const char *const[]){"xfs_repair", "-n", "-f", FS_TOOL_FILE, NULL},
                               .epoch = -1,
                               .package = "xfsprogs"};

        (void)repair;
        return fs_tool_check(volume, &tool, err);
}

const struct fs_type fs_xfs = {
        .name = "xfs",
        .make = xfs_make,
        .populate = xfs_populate,
        .check = xfs_check,
};
