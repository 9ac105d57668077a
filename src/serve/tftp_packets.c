/* DATA packets, ready to be sent. Several blocks are read at once, each behind its header, and when many machines
 * load the same file side by side, as machines do that are switched on together, these are read once for all of a
 * thread's transfers that are about there: a packet is the same for everybody who asked for the same block size. */
#include <string.h>

#include "base/bytes.h"
#include "serve/tftp_internal.h"

struct tftp_packets {
        struct tftp_packets *next; /* in its chain */
        unsigned int users;
        struct file_id id;     /* whose inode is 0: for one transfer alone */
        uint64_t offset, size; /* what of it is sent */
        uint16_t blksize;
        uint64_t first; /* block */
        uint8_t bytes[];
};

static struct tftp_packets **chain_of(struct tftp_worker *w, const struct tftp_packets *p)
{
        uint64_t key = (p->id.inode + p->offset + p->first) * 0x9e3779b97f4a7c15ULL;

        return &w->packets[(key >> 40) % TFTP_PACKETS_HASH];
}

static bool same(const struct tftp_packets *a, const struct tftp_packets *b)
{
        return a->id.inode != 0 && a->id.inode == b->id.inode && a->id.device == b->id.device &&
               a->id.mtime_ns == b->id.mtime_ns && a->id.size == b->id.size && a->offset == b->offset &&
               a->size == b->size && a->blksize == b->blksize && a->first == b->first;
}

static struct tftp_packets *find(struct tftp_worker *w, const struct tftp_packets *like)
{
        struct tftp_packets *p = *chain_of(w, like);

        while (p && !same(p, like))
                p = p->next;
        return p;
}

/* `like`, with up to n blocks of the session's file from its first on. */
static int read_packets(struct tftp_session *s, const struct tftp_packets *like, uint64_t n, struct tftp_packets **ret)
{
        size_t slot = (size_t)TFTP_HEADER + like->blksize;
        uint64_t left = s->transfer.blocks - like->first + 1;
        struct iovec iov[TFTP_PACKETS_MAX];
        struct tftp_packets *p;
        int r;

        n = n < left ? n : left;
        p = xmalloc(sizeof(*p) + n * slot);
        *p = *like;
        for (uint64_t i = 0; i < n; i++) {
                tftp_put_data_header(p->bytes + i * slot, (uint16_t)(like->first + i));
                iov[i] = (struct iovec){p->bytes + i * slot + TFTP_HEADER,
                                        tftp_block_len(&s->transfer, like->first + i)};
        }
        r = files_readv(s->file, iov, (int)n, tftp_block_offset(&s->transfer, like->first));
        if (r < 0)
                free(p);
        else
                *ret = p;
        return r;
}

static int take(struct tftp_worker *w, struct tftp_session *s, const struct tftp_packets *like, uint64_t n)
{
        struct tftp_packets *p = find(w, like), **chain;
        int r;

        if (!p) {
                r = read_packets(s, like, n, &p);
                if (r < 0)
                        return r;
                chain = chain_of(w, p);
                p->next = *chain;
                *chain = p;
        }
        p->users++;
        s->packets = p;
        return 0;
}

int tftp_packets_get(struct tftp_worker *w, struct tftp_session *s, uint64_t block, const uint8_t **ret)
{
        size_t slot = (size_t)TFTP_HEADER + s->transfer.blksize;
        uint64_t n = TFTP_PACKETS_BYTES / slot < TFTP_PACKETS_MAX ? TFTP_PACKETS_BYTES / slot : TFTP_PACKETS_MAX;
        uint64_t first = (block - 1) / n * n + 1;
        int r = 0;

        if (!s->packets || s->packets->first != first) {
                struct tftp_packets like = {.id = s->file->id,
                                            .offset = s->file->fd_offset,
                                            .size = s->file->size,
                                            .blksize = s->transfer.blksize,
                                            .first = first};

                tftp_packets_release(w, s);
                r = take(w, s, &like, n);
        }
        if (r == 0)
                *ret = s->packets->bytes + (block - first) * slot;
        return r;
}

void tftp_packets_release(struct tftp_worker *w, struct tftp_session *s)
{
        struct tftp_packets *p = s->packets, **link;

        s->packets = NULL;
        if (!p || --p->users > 0)
                return;
        link = chain_of(w, p);
        while (*link != p)
                link = &(*link)->next;
        *link = p->next;
        free(p);
}
