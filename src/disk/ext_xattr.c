/* Extended attributes of ext inodes, from the inode's own slot and from its
 * attribute block, as getxattr(2) gives them. POSIX ACLs lie in a shorter form
 * on the disk (fs/ext4/acl.h) than in the call (linux/posix_acl_xattr.h); the
 * translation is ours, since libext2fs' own trusts the lengths it reads. */
#include "disk/ext_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/str.h"

enum { DISK_ACL_VERSION = 1, CALL_ACL_VERSION = 2, ACL_USER = 0x02, ACL_GROUP = 0x08 };

bool ext_xattr_any(const struct ext *ext, const union ext_inode *inode)
{
        size_t slot = EXT2_INODE_SIZE(ext->fs->super), at = EXT2_GOOD_OLD_INODE_SIZE;
        uint32_t magic;

        if (ext2fs_file_acl_block(ext->fs, (struct ext2_inode *)&inode->base) != 0)
                return true;
        if (slot <= at)
                return false;
        at += inode->large.i_extra_isize;
        if (at + sizeof(magic) > slot)
                return false;
        memcpy(&magic, inode->bytes + at, sizeof(magic));
        return ext2fs_le32_to_cpu(magic) == EXT2_EXT_ATTR_MAGIC;
}

static void add_le32(struct str *str, uint32_t value)
{
        char bytes[4];

        put_le32(bytes, value);
        str_addn(str, bytes, sizeof(bytes));
}

/* Disk: {le32 version} {le16 tag, le16 perm [, le32 id]}...; call: the same with an id in each. */
static int acl_from_disk(const char *disk, size_t len, struct str *ret, struct error *err)
{
        if (len < 4 || get_le32(disk) != DISK_ACL_VERSION)
                return ext_damaged(err, "an access control list has no known version");
        add_le32(ret, CALL_ACL_VERSION);
        disk += 4;
        len -= 4;
        while (len > 0) {
                size_t n = 4;
                uint16_t tag;

                if (len >= 4) {
                        tag = get_le16(disk);
                        n = tag == ACL_USER || tag == ACL_GROUP ? 8 : 4;
                }
                if (len < n)
                        return ext_damaged(err, "an access control list is cut off");
                str_addn(ret, disk, 4);
                add_le32(ret, n == 8 ? get_le32(disk + 4) : UINT32_MAX);
                disk += n;
                len -= n;
        }
        return 0;
}

struct each {
        ext_xattr_fn *on_xattr;
        void *arg;
        struct error *err;
        int r;
};

static int on_attribute(char *name, char *value, size_t len, void *arg)
{
        struct each *each = arg;
        CLEANUP_STR struct str acl = {0};

        if (str_eq(name, "system.data")) /* inline data, not an attribute */
                return 0;
        if (str_eq(name, "system.posix_acl_access") || str_eq(name, "system.posix_acl_default")) {
                each->r = acl_from_disk(value, len, &acl, each->err);
                value = acl.s;
                len = acl.len;
        }
        if (each->r == 0)
                each->r = each->on_xattr(each->arg, name, value, len, each->err);
        return each->r < 0 ? XATTR_ABORT : 0;
}

int ext_xattr_each(struct ext *ext, ext2_ino_t ino, ext_xattr_fn *on_xattr, void *arg, struct error *err)
{
        struct each each = {.on_xattr = on_xattr, .arg = arg, .err = err};
        struct ext2_xattr_handle *handle;
        errcode_t code = ext2fs_xattrs_open(ext->fs, ino, &handle);

        if (code)
                return ext_error(err, code, "read attributes of inode %u", ino);
        code = ext2fs_xattrs_read(handle);
        if (code == 0)
                code = ext2fs_xattrs_iterate(handle, on_attribute, &each);
        ext2fs_xattrs_close(&handle);
        if (each.r < 0)
                return each.r;
        return code ? ext_error(err, code, "read attributes of inode %u", ino) : 0;
}
