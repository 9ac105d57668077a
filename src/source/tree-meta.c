/* See tree.h. ACLs are set as the kernel keeps them in the attributes
 * system.posix_acl_access and _default: a 32-bit version 2, then entries of
 * tag, permissions and id, little-endian (include/uapi/linux/posix_acl_xattr.h). */
#include "source/tree.h"

#include <archive.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/str.h"
#include "base/vec.h"

enum {
        ACL_VERSION = 2,
        ACL_USER_OBJ = 1,
        ACL_USER = 2,
        ACL_GROUP_OBJ = 4,
        ACL_GROUP = 8,
        ACL_MASK = 16,
        ACL_OTHER = 32
};
#define ACL_NO_ID UINT32_MAX

struct acl_entry {
        uint16_t tag, perm;
        uint32_t id;
};

static uint16_t acl_tag(int tag)
{
        switch (tag) {
        case ARCHIVE_ENTRY_ACL_USER_OBJ:
                return ACL_USER_OBJ;
        case ARCHIVE_ENTRY_ACL_USER:
                return ACL_USER;
        case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
                return ACL_GROUP_OBJ;
        case ARCHIVE_ENTRY_ACL_GROUP:
                return ACL_GROUP;
        case ARCHIVE_ENTRY_ACL_MASK:
                return ACL_MASK;
        case ARCHIVE_ENTRY_ACL_OTHER:
                return ACL_OTHER;
        default:
                return 0;
        }
}

/* The kernel wants them in order of tag and id. */
static int acl_compare(const void *a, const void *b)
{
        const struct acl_entry *x = a, *y = b;

        if (x->tag != y->tag)
                return x->tag < y->tag ? -1 : 1;
        return x->id < y->id ? -1 : x->id > y->id;
}

static int acl_set(int fd, struct archive_entry *entry, int type, const char *attribute, struct error *err)
{
        VEC(struct acl_entry) acl = {0};
        int entry_type, permset, tag, id, r = 0;
        const char *name;
        CLEANUP_FREE uint8_t *raw = NULL;

        if (archive_entry_acl_reset(entry, type) == 0)
                return 0;
        while (archive_entry_acl_next(entry, type, &entry_type, &permset, &tag, &id, &name) == ARCHIVE_OK) {
                bool named = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;

                if (acl_tag(tag))
                        vec_push(&acl, (struct acl_entry){.tag = acl_tag(tag),
                                                          .perm = (uint16_t)(permset & 7),
                                                          .id = named ? (uint32_t)id : ACL_NO_ID});
        }
        if (acl.n > 0) {
                qsort(acl.v, acl.n, sizeof(*acl.v), acl_compare);
                raw = xmalloc(4 + 8 * acl.n);
                put_le32(raw, ACL_VERSION);
                for (size_t i = 0; i < acl.n; i++) {
                        put_le16(raw + 4 + 8 * i, acl.v[i].tag);
                        put_le16(raw + 6 + 8 * i, acl.v[i].perm);
                        put_le32(raw + 8 + 8 * i, acl.v[i].id);
                }
                if (fsetxattr(fd, attribute, raw, 4 + 8 * acl.n, 0) < 0)
                        r = error_errno(err, errno, "set its ACL");
        }
        vec_free(&acl);
        return r;
}

/* Some belong to the host's kernel (security.selinux, trusted.*) and cannot be set by everyone. */
static int xattrs_set(int fd, struct archive_entry *entry, struct tree_warned *warned, struct ui *ui, struct error *err)
{
        const char *name;
        const void *value;
        size_t size;

        archive_entry_xattr_reset(entry);
        while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
                if (!name || str_starts(name, "system.posix_acl_"))
                        continue;
                if (fsetxattr(fd, name, value, size, 0) == 0)
                        continue;
                if (strcmp(name, "security.capability") == 0 ||
                    (errno != EPERM && errno != EOPNOTSUPP && errno != EINVAL))
                        return error_errno(err, errno, "set its attribute '%s'", name);
                log_debug("attribute '%s' is not kept: %s", name, strerror(errno));
                if (!warned->xattr && ui)
                        ui_say(ui, "attributes such as '%s' cannot be kept here: %s", name, strerror(errno));
                warned->xattr = true;
        }
        return 0;
}

static struct timespec when(bool is_set, int64_t sec, long nsec)
{
        return is_set ? (struct timespec){.tv_sec = sec, .tv_nsec = nsec} : (struct timespec){.tv_nsec = UTIME_OMIT};
}

void meta_times(struct archive_entry *entry, struct timespec times[2])
{
        bool mtime = archive_entry_mtime_is_set(entry);

        times[1] = when(mtime, archive_entry_mtime(entry), archive_entry_mtime_nsec(entry));
        times[0] = times[1]; /* reading the tree must not depend on when it was packed */
        if (archive_entry_atime_is_set(entry))
                times[0] = when(true, archive_entry_atime(entry), archive_entry_atime_nsec(entry));
}

static int owner_failed(struct archive_entry *entry, int code, struct error *err)
{
        if (code == EINVAL)
                return error_set(err, code,
                                 "its owner %lld:%lld is not among the ids of the user namespace (/etc/subuid and "
                                 "/etc/subgid need a longer range)",
                                 (long long)archive_entry_uid(entry), (long long)archive_entry_gid(entry));
        return error_errno(err, code, "set its owner to %lld:%lld", (long long)archive_entry_uid(entry),
                           (long long)archive_entry_gid(entry));
}

/* chown clears setuid and capabilities, and an ACL's mask shows in the mode: this order. */
int meta_apply(int fd, struct archive_entry *entry, struct tree_warned *warned, struct ui *ui, struct error *err)
{
        struct timespec times[2];
        int r;

        if (fchown(fd, (uid_t)archive_entry_uid(entry), (gid_t)archive_entry_gid(entry)) < 0)
                return owner_failed(entry, errno, err);
        if (fchmod(fd, archive_entry_perm(entry) & 07777) < 0)
                return error_errno(err, errno, "set its mode");
        r = acl_set(fd, entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access", err);
        if (r == 0)
                r = acl_set(fd, entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default", err);
        if (r == 0)
                r = xattrs_set(fd, entry, warned, ui, err);
        if (r < 0)
                return r;
        meta_times(entry, times);
        return futimens(fd, times) < 0 ? error_errno(err, errno, "set its times") : 0;
}

int meta_apply_at(int parent, const char *name, struct archive_entry *entry, struct error *err)
{
        struct timespec times[2];

        if (fchownat(parent, name, (uid_t)archive_entry_uid(entry), (gid_t)archive_entry_gid(entry),
                     AT_SYMLINK_NOFOLLOW) < 0)
                return owner_failed(entry, errno, err);
        if (archive_entry_filetype(entry) != AE_IFLNK &&
            fchmodat(parent, name, archive_entry_perm(entry) & 07777, 0) < 0)
                return error_errno(err, errno, "set its mode");
        meta_times(entry, times);
        if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
                return error_errno(err, errno, "set its times");
        return 0;
}

int meta_apply_plain(int fd, struct archive_entry *entry, struct error *err)
{
        struct timespec times[2];

        if (fchmod(fd, (archive_entry_perm(entry) & 0755) | S_IRUSR | S_IWUSR) < 0)
                return error_errno(err, errno, "set its mode");
        meta_times(entry, times);
        return futimens(fd, times) < 0 ? error_errno(err, errno, "set its times") : 0;
}
