/* A folder's blocks, from its entries: a plain list where one block is enough
 * or the file system has no dir_index, else a hash tree, as the kernel makes it
 * (kernel documentation, ext4: "Directory Entries", "Hash Tree Directories").
 * Leaves are filled to four fifths, so that a few additions split nothing. */
#include "disk/ext_writer.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

/* Offsets in the root and in an inner node, both of which look like an empty
 * directory block to code that knows no trees. */
enum { ROOT_INFO = 24, ROOT_ENTRIES = 32, NODE_ENTRIES = 8, ENTRY = 8, DX_TAIL = 8 };

struct item {
        uint32_t hash, minor, number;
};

struct leaf {
        uint32_t hash; /* of its first entry; bit 0: the leaf before ends with the same one */
        size_t first, n;
};

struct layout {
        struct ext_writer *w;
        const struct ext_dir *dir;
        size_t block_size, room; /* room: for entries */
        VEC(struct item) items;
        VEC(struct leaf) leaves;
        char *data;
        size_t n_blocks;
};

static size_t rec_len(size_t name_len)
{
        return (8 + name_len + 3) & ~(size_t)3;
}

static bool has_csum(const struct layout *layout)
{
        return ext2fs_has_feature_metadata_csum(layout->w->ext.fs->super);
}

static void put_entry(struct layout *layout, char *at, size_t len, ext2_ino_t ino, const char *name, size_t n,
                      unsigned int type)
{
        struct ext2_dir_entry *entry = (struct ext2_dir_entry *)at;

        entry->inode = ino;
        ext2fs_set_rec_len(layout->w->ext.fs, (unsigned int)len, entry);
        entry->name_len = 0;
        ext2fs_dirent_set_name_len(entry, (int)n);
        ext2fs_dirent_set_file_type(entry, (int)type);
        memcpy(entry->name, name, n);
}

static unsigned int folder_type(const struct layout *layout)
{
        return ext2fs_has_feature_filetype(layout->w->ext.fs->super) ? EXT2_FT_DIR : 0;
}

/* The tail that will take a leaf's checksum. */
static void end_leaf(struct layout *layout, char *block)
{
        if (has_csum(layout))
                ext2fs_initialize_dirent_tail(layout->w->ext.fs, EXT2_DIRENT_TAIL(block, layout->block_size));
}

/* Entries first..first+n of the items from `at` in the block on; the last one reaches to the end. */
static void fill(struct layout *layout, char *block, size_t at, size_t first, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const struct ext_name *name = &layout->dir->names.v[layout->items.v[first + i].number];
                size_t len = i + 1 < n ? rec_len(name->len) : layout->room - at;

                put_entry(layout, block + at, len, name->ino, layout->dir->text.s + name->at, name->len, name->type);
                at += len;
        }
        end_leaf(layout, block);
}

/* --- plain --- */

static int layout_plain(struct layout *layout)
{
        size_t used = 24, first = 0; /* "." and ".." */
        size_t cap = 0;
        char *block;

        layout->n_blocks = 0;
        layout->data = NULL;
        for (size_t i = 0;; i++) {
                bool last = i == layout->items.n;
                size_t len = last ? 0 : rec_len(layout->dir->names.v[layout->items.v[i].number].len);

                if (!last && len <= layout->room - used) {
                        used += len;
                        continue;
                }
                if (layout->n_blocks == cap) {
                        cap = cap ? 2 * cap : 1;
                        layout->data = xreallocarray(layout->data, cap, layout->block_size);
                }
                block = layout->data + layout->n_blocks * layout->block_size;
                memset(block, 0, layout->block_size);
                used = 0;
                if (layout->n_blocks == 0) {
                        put_entry(layout, block, 12, layout->dir->ino, ".", 1, folder_type(layout));
                        put_entry(layout, block + 12, i > first ? 12 : layout->room - 12, layout->dir->parent, "..", 2,
                                  folder_type(layout));
                        used = 24;
                }
                fill(layout, block, used, first, i - first);
                layout->n_blocks++;
                first = i;
                used = len;
                if (last)
                        return 0;
        }
}

/* --- hash tree --- */

static int by_hash(const void *a, const void *b)
{
        const struct item *left = a, *right = b;

        if (left->hash != right->hash)
                return left->hash < right->hash ? -1 : 1;
        if (left->minor != right->minor)
                return left->minor < right->minor ? -1 : 1;
        return left->number < right->number ? -1 : 1;
}

static int hash_items(struct layout *layout, struct error *err)
{
        ext2_filsys fs = layout->w->ext.fs;
        int version = fs->super->s_def_hash_version;

        if (version <= EXT2_HASH_TEA && (fs->super->s_flags & EXT2_FLAGS_UNSIGNED_HASH))
                version += 3;
        for (size_t i = 0; i < layout->items.n; i++) {
                struct item *item = &layout->items.v[i];
                const struct ext_name *name = &layout->dir->names.v[item->number];
                errcode_t code = ext2fs_dirhash2(version, layout->dir->text.s + name->at, name->len, NULL, 0,
                                                 fs->super->s_hash_seed, &item->hash, &item->minor);

                if (code)
                        return ext_error(err, code, "compute the hash of a name");
        }
        qsort(layout->items.v, layout->items.n, sizeof(*layout->items.v), by_hash);
        return 0;
}

static void cut_leaves(struct layout *layout)
{
        size_t used = 0, limit = layout->room / 5 * 4;

        for (size_t i = 0; i < layout->items.n; i++) {
                const struct item *item = &layout->items.v[i];
                size_t len = rec_len(layout->dir->names.v[item->number].len);

                if (layout->leaves.n == 0 || used + len > limit) {
                        uint32_t same = i > 0 && layout->items.v[i - 1].hash == item->hash;

                        vec_push(&layout->leaves, (struct leaf){.hash = item->hash | same, .first = i});
                        used = 0;
                }
                layout->leaves.v[layout->leaves.n - 1].n++;
                used += len;
        }
}

/* Count, limit and entries of a node; the first entry has no hash, since the
 * limit (16 bits) and the count lie in its place. */
static void put_limits(char *entries, size_t limit, size_t count)
{
        put_le16(entries, (uint16_t)limit);
        put_le16(entries + 2, (uint16_t)count);
}

static void put_child(char *entries, size_t i, uint32_t hash, size_t block)
{
        if (i > 0)
                put_le32(entries + i * ENTRY, hash);
        put_le32(entries + i * ENTRY + 4, (uint32_t)block);
}

static void put_root(struct layout *layout, size_t levels)
{
        char *root = layout->data;

        put_entry(layout, root, 12, layout->dir->ino, ".", 1, folder_type(layout));
        put_entry(layout, root + 12, layout->block_size - 12, layout->dir->parent, "..", 2, folder_type(layout));
        root[ROOT_INFO + 4] = (char)layout->w->ext.fs->super->s_def_hash_version;
        root[ROOT_INFO + 5] = 8; /* length of this */
        root[ROOT_INFO + 6] = (char)levels;
}

/* Root, then inner nodes if the root cannot list all leaves, then the leaves.
 * False: more leaves than two levels can hold. */
static bool layout_tree(struct layout *layout)
{
        size_t tail = has_csum(layout) ? DX_TAIL : 0, n = layout->leaves.n;
        size_t root_limit = (layout->block_size - ROOT_ENTRIES - tail) / ENTRY;
        size_t node_limit = (layout->block_size - NODE_ENTRIES - tail) / ENTRY;
        size_t nodes = n > root_limit ? (n + node_limit - 1) / node_limit : 0;
        char *root;

        if (nodes > root_limit)
                return false;
        layout->n_blocks = 1 + nodes + n;
        layout->data = root = xcalloc(layout->n_blocks, layout->block_size);
        put_root(layout, nodes ? 1 : 0);
        put_limits(root + ROOT_ENTRIES, root_limit, nodes ? nodes : n);
        for (size_t i = 0; i < n; i++) {
                const struct leaf *leaf = &layout->leaves.v[i];
                size_t node = nodes ? i / node_limit : 0, block = 1 + nodes + i;
                char *inner = layout->data + (1 + node) * layout->block_size;

                fill(layout, layout->data + block * layout->block_size, 0, leaf->first, leaf->n);
                if (!nodes) {
                        put_child(root + ROOT_ENTRIES, i, leaf->hash, block);
                        continue;
                }
                if (i % node_limit == 0) {
                        ext2fs_set_rec_len(layout->w->ext.fs, (unsigned int)layout->block_size,
                                           (struct ext2_dir_entry *)inner);
                        put_limits(inner + NODE_ENTRIES, node_limit, n - i < node_limit ? n - i : node_limit);
                        put_child(root + ROOT_ENTRIES, node, leaf->hash, 1 + node);
                }
                put_child(inner + NODE_ENTRIES, i % node_limit, leaf->hash, block);
        }
        return true;
}

static int layout_any(struct layout *layout, bool *ret_indexed, struct error *err)
{
        size_t bytes = 24;
        int r;

        for (size_t i = 0; i < layout->dir->names.n; i++) {
                const struct ext_name *name = &layout->dir->names.v[i];

                if (!name->ino)
                        continue;
                vec_push(&layout->items, (struct item){.number = (uint32_t)i});
                bytes += rec_len(name->len);
        }
        *ret_indexed = false;
        if (bytes <= layout->room || !ext2fs_has_feature_dir_index(layout->w->ext.fs->super) ||
            layout->w->ext.fs->super->s_def_hash_version > EXT2_HASH_TEA)
                return layout_plain(layout);
        r = hash_items(layout, err);
        if (r < 0)
                return r;
        cut_leaves(layout);
        *ret_indexed = layout_tree(layout);
        return *ret_indexed ? 0 : layout_plain(layout);
}

int ext_dir_layout(struct ext_writer *w, const struct ext_dir *dir, char **ret, size_t *ret_blocks, bool *ret_indexed,
                   struct error *err)
{
        struct layout layout = {.w = w, .dir = dir, .block_size = w->ext.fs->blocksize};
        int r;

        layout.room = layout.block_size - (has_csum(&layout) ? sizeof(struct ext2_dir_entry_tail) : 0);
        r = layout_any(&layout, ret_indexed, err);
        vec_free(&layout.items);
        vec_free(&layout.leaves);
        if (r < 0) {
                free(layout.data);
                return r;
        }
        *ret = layout.data;
        *ret_blocks = layout.n_blocks;
        return 0;
}
