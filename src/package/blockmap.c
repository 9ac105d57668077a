/* See blockmap.h. One pass over the image; zero blocks count when it
 * is clear that they belong to a range, and are then hashed as zeros. */
#include "package/blockmap.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/sparse.h"
#include "package/inuse.h"

/* A gap this small costs less to write than to skip. */
enum { SMALL_GAP = 16 };

static const uint8_t zeros[BLOCKMAP_BLOCK];

#define NO_BLOCK UINT64_MAX

struct blockmap_maker {
        struct blockmap map;
        struct ui *ui;
        struct inuse_map *inuse;
        struct digest *digest; /* of the range under way; NULL: none is */
        uint64_t first, next;  /* its first block, and the one after its last */
        uint64_t inner;      /* first of the zero blocks that count if something follows in their region; or NO_BLOCK */
        uint64_t region_end; /* of that region, in bytes */
};

static void end_range(struct blockmap_maker *m)
{
        struct blockmap_range range = {.first = m->first, .last = m->next - 1};
        char hex[DIGEST_HEX_MAX];

        if (!m->digest)
                return;
        digest_final(m->digest, hex);
        m->digest = digest_free(m->digest);
        memcpy(range.sha256, hex, SHA256_HEX);
        m->map.n_mapped += range.last - range.first + 1;
        vec_push(&m->map.ranges, range);
}

static int begin_range(struct blockmap_maker *m, uint64_t first, struct error *err)
{
        m->first = m->next = first;
        m->digest = digest_new("sha256");
        return m->digest ? 0 : error_set(err, ENOTSUP, "this host's OpenSSL has no SHA-256");
}

/* The block belongs to the map, and with it zeros before it that count or are few. */
static int add_block(struct blockmap_maker *m, uint64_t block, const void *data, size_t n, struct error *err)
{
        uint64_t inner = m->inner < block ? m->inner : block;
        int r;

        if (m->digest && inner > m->next && block - m->next > SMALL_GAP)
                end_range(m);
        if (!m->digest) {
                r = begin_range(m, inner, err);
                if (r < 0)
                        return r;
        }
        for (; m->next < block; m->next++)
                digest_update(m->digest, zeros, BLOCKMAP_BLOCK);
        digest_update(m->digest, data, n);
        m->next = block + 1;
        m->inner = NO_BLOCK;
        return 0;
}

/* Zeros that count only up to the end of their region do not beyond it. */
static void leave_region(struct blockmap_maker *m, uint64_t offset)
{
        if (m->inner != NO_BLOCK && offset >= m->region_end)
                m->inner = NO_BLOCK;
}

static int add_zero(struct blockmap_maker *m, uint64_t offset, size_t n, struct error *err)
{
        uint64_t region_end;
        enum inuse use = inuse_of(m->inuse, offset, &region_end);

        leave_region(m, offset);
        if (use == INUSE_YES)
                return add_block(m, offset / BLOCKMAP_BLOCK, zeros, n, err);
        if (use == INUSE_INNER && m->inner == NO_BLOCK) {
                m->inner = offset / BLOCKMAP_BLOCK;
                m->region_end = region_end;
        }
        return 0;
}

int blockmap_data(void *maker, uint64_t offset, const void *data, size_t n, struct error *err)
{
        struct blockmap_maker *m = maker;
        const uint8_t *p = data;
        int r = 0;

        progress_update(m->ui, offset);
        for (size_t at = 0; at < n && r == 0; at += BLOCKMAP_BLOCK) {
                size_t some = n - at < BLOCKMAP_BLOCK ? n - at : BLOCKMAP_BLOCK;

                if (is_zero(p + at, some)) {
                        r = add_zero(m, offset + at, some, err);
                } else {
                        leave_region(m, offset + at);
                        r = add_block(m, (offset + at) / BLOCKMAP_BLOCK, p + at, some, err);
                }
        }
        return r;
}

int blockmap_hole(void *maker, uint64_t offset, uint64_t n, struct error *err)
{
        struct blockmap_maker *m = maker;
        int r = 0;

        for (uint64_t at = 0; at < n && r == 0; at += BLOCKMAP_BLOCK) {
                size_t some = n - at < BLOCKMAP_BLOCK ? (size_t)(n - at) : BLOCKMAP_BLOCK;

                if (at % (1 << 28) == 0)
                        r = cancel_check(err);
                if (r == 0)
                        r = add_zero(m, offset + at, some, err);
        }
        progress_update(m->ui, offset + n);
        return r;
}

int blockmap_begin(int fd, uint64_t size, struct ui *ui, struct blockmap_maker **ret, struct error *err)
{
        CLEANUP(blockmap_freep) struct blockmap_maker *m = xcalloc(1, sizeof(*m));
        int r;

        m->map = (struct blockmap){.size = size, .n_blocks = size / BLOCKMAP_BLOCK + (size % BLOCKMAP_BLOCK > 0)};
        m->ui = ui;
        m->inner = NO_BLOCK;
        r = inuse_read(fd, size, &m->inuse, err);
        if (r == 0)
                *ret = steal(&m);
        return r;
}

void blockmap_finish(struct blockmap_maker *m, struct blockmap *ret)
{
        end_range(m);
        *ret = steal(&m->map);
}

struct blockmap_maker *blockmap_free(struct blockmap_maker *m)
{
        if (m) {
                digest_free(m->digest);
                inuse_free(m->inuse);
                blockmap_clear(&m->map);
                free(m);
        }
        return NULL;
}

int blockmap_read(int fd, uint64_t size, struct ui *ui, struct blockmap *ret, struct error *err)
{
        static const struct sparse_ops ops = {.data = blockmap_data, .hole = blockmap_hole};
        CLEANUP(blockmap_freep) struct blockmap_maker *maker = NULL;
        int r = blockmap_begin(fd, size, ui, &maker, err);

        if (r < 0 || !maker)
                return r;
        progress_start(ui, "block map", size);
        r = sparse_read(fd, size, &ops, maker, err);
        progress_end(ui);
        if (r == 0)
                blockmap_finish(maker, ret);
        return r;
}

void blockmap_clear(struct blockmap *map)
{
        vec_free(&map->ranges);
        *map = (struct blockmap){0};
}

uint64_t blockmap_start(const struct blockmap_range *range)
{
        return range->first * BLOCKMAP_BLOCK;
}

uint64_t blockmap_end(const struct blockmap *map, const struct blockmap_range *range)
{
        uint64_t end = (range->last + 1) * BLOCKMAP_BLOCK;

        return end > map->size ? map->size : end;
}

uint64_t blockmap_bytes(const struct blockmap *map)
{
        uint64_t bytes = 0;

        for (size_t i = 0; i < map->ranges.n; i++)
                bytes += blockmap_end(map, &map->ranges.v[i]) - blockmap_start(&map->ranges.v[i]);
        return bytes;
}
