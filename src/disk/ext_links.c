/* Which names belong to files that have several: the inode tables tell which
 * files, the folders their names. */
#include "disk/ext_internal.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/str.h"
#include "disk/ext_ops.h"

struct folder {
        ext2_ino_t ino;
        char *path; /* "" is the root */
};

struct search {
        struct ext ext;
        ext2fs_inode_bitmap linked; /* files with several names, and folders that were seen */
        VEC(struct folder) pending;
        const char *path; /* of the folder that is read */
        fs_name_fn *on_name;
        void *arg;
};

static void search_clear(struct search *search)
{
        for (size_t i = 0; i < search->pending.n; i++)
                free(search->pending.v[i].path);
        vec_free(&search->pending);
        if (search->linked)
                ext2fs_free_inode_bitmap(search->linked);
        ext_free(&search->ext);
}

/* 1: there are such files. */
static int find_files(struct search *search, struct error *err)
{
        union ext_inode inode;
        ext2_inode_scan scan;
        ext2_ino_t ino;
        int found = 0;
        errcode_t code = ext2fs_open_inode_scan(search->ext.fs, 0, &scan);

        while (!code) {
                code = ext2fs_get_next_inode_full(scan, &ino, &inode.base, sizeof(inode));
                if (code || ino == 0)
                        break;
                if (!S_ISREG(inode.base.i_mode) || inode.base.i_links_count < 2)
                        continue;
                ext2fs_mark_inode_bitmap2(search->linked, ino);
                found = 1;
        }
        ext2fs_close_inode_scan(scan);
        return code ? ext_error(err, code, "read the inodes") : found;
}

static int on_entry(void *arg, const char *name, size_t len, ext2_ino_t ino, unsigned int type, struct error *err)
{
        struct search *search = arg;
        CLEANUP_FREE char *path = NULL;
        union ext_inode inode;
        int r;

        if (type == EXT2_FT_UNKNOWN) { /* without the feature filetype */
                r = ext_inode_read(&search->ext, ino, &inode, err);
                if (r < 0)
                        return r;
                type = S_ISDIR(inode.base.i_mode) ? EXT2_FT_DIR : EXT2_FT_REG_FILE;
        }
        if ((type == EXT2_FT_DIR) == !!ext2fs_test_inode_bitmap2(search->linked, ino))
                return 0;
        path = xasprintf("%s%s%.*s", search->path, *search->path ? "/" : "", (int)len, name);
        if (type != EXT2_FT_DIR) {
                search->on_name(search->arg, path);
                return 0;
        }
        ext2fs_mark_inode_bitmap2(search->linked, ino); /* once, even where the file system is damaged */
        vec_push(&search->pending, (struct folder){ino, steal(&path)});
        return 0;
}

static int find_names(struct search *search, struct error *err)
{
        int r = 0;

        ext2fs_mark_inode_bitmap2(search->linked, EXT2_ROOT_INO);
        vec_push(&search->pending, (struct folder){EXT2_ROOT_INO, xstrdup("")});
        while (r == 0 && search->pending.n > 0) {
                struct folder folder = search->pending.v[--search->pending.n];

                search->path = folder.path;
                r = ext_dir_each(&search->ext, folder.ino, on_entry, search, err);
                if (r < 0)
                        error_wrap(err, r, "folder '/%s'", folder.path);
                else
                        r = cancel_check(err);
                free(folder.path);
        }
        return r;
}

int ext_links(const struct fs_volume *volume, fs_name_fn *on_name, void *arg, struct error *err)
{
        CLEANUP(search_clear) struct search search = {.on_name = on_name, .arg = arg};
        errcode_t code;
        int r = ext_open(volume, EXT_READ, &search.ext, err);

        if (r < 0)
                return error_wrap(err, r, "%s", volume->name);
        code = ext2fs_allocate_inode_bitmap(search.ext.fs, "linked", &search.linked);
        r = code ? ext_error(err, code, "remember inodes") : find_files(&search, err);
        if (r > 0)
                r = find_names(&search, err);
        return r < 0 ? error_wrap(err, r, "%s", volume->name) : 0;
}
