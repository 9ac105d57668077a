/* See netascii.h. The encoder is remembered every so many bytes of its
 * output; reading begins at the last such place. */
#include "serve/netascii.h"

#include <errno.h>

#include "base/vec.h"
#include "wire/tftp.h"

enum { MARK_BYTES = 64 * 1024, PIECE = 8192 };

/* The state of the encoder when it had put out `out` bytes. */
struct mark {
        uint64_t in, out;
        int pending;
};

struct netascii {
        struct file *plain;
        struct mark at; /* where the last read ended */
        VEC(struct mark) marks;
};

/* Encode at most n bytes to buf, from n->at on, which moves. Returns how many; 0 at the end. */
static ssize_t encode_some(struct netascii *n, uint8_t *buf, size_t len)
{
        uint8_t piece[PIECE];
        uint64_t left = n->plain->size - n->at.in;
        size_t n_in = left < sizeof(piece) ? left : sizeof(piece);
        struct tftp_encoded e;
        int r = 0;

        n_in = n_in < len ? n_in : len; /* never more than can be put out */
        if (n_in > 0)
                r = files_read(n->plain, piece, n_in, n->at.in);
        if (r < 0)
                return r;
        e = tftp_netascii_encode(&n->at.pending, piece, n_in, buf, len);
        n->at.in += e.n_in;
        n->at.out += e.n_out;
        return (ssize_t)e.n_out;
}

/* To a place before `offset`, near it. */
static void rewind_to(struct netascii *n, uint64_t offset)
{
        size_t mark = offset / MARK_BYTES;

        if (n->at.out > offset || n->at.out < n->marks.v[mark].out)
                n->at = n->marks.v[mark];
}

static ssize_t netascii_read(struct file *file, void *buf, size_t len, uint64_t offset)
{
        struct netascii *n = file->data;
        uint8_t skipped[PIECE];
        ssize_t r = 1;

        rewind_to(n, offset);
        while (r > 0 && n->at.out < offset) {
                uint64_t left = offset - n->at.out;

                r = encode_some(n, skipped, left < sizeof(skipped) ? left : sizeof(skipped));
        }
        return r > 0 ? encode_some(n, buf, len) : r;
}

static void netascii_close(struct file *file)
{
        struct netascii *n = file->data;

        files_close(n->plain);
        vec_free(&n->marks);
        free(n);
        free(file);
}

/* Through the whole file once: its encoded size, and the marks. */
static int measure(struct netascii *n, uint64_t *ret_size)
{
        uint8_t piece[PIECE];
        ssize_t r;

        do {
                uint64_t to_mark = n->marks.n * (uint64_t)MARK_BYTES - n->at.out;

                if (to_mark == 0) {
                        vec_push(&n->marks, n->at);
                        to_mark = MARK_BYTES;
                }
                r = encode_some(n, piece, to_mark < sizeof(piece) ? to_mark : sizeof(piece));
        } while (r > 0);
        *ret_size = n->at.out;
        return (int)r;
}

int file_netascii(struct file **file, struct error *err)
{
        CLEANUP(files_closep) struct file *encoded = NULL;
        struct netascii *n;
        int r;

        if ((*file)->size > NETASCII_FILE_MAX)
                return error_set(err, EFBIG, "too large for netascii; mode octet serves files of any size");
        n = xcalloc(1, sizeof(*n));
        n->at.pending = -1;
        n->plain = *file;
        encoded = xcalloc(1, sizeof(*encoded));
        *encoded = (struct file){
                .mtime_sec = n->plain->mtime_sec, .fd = -1, .read = netascii_read, .close = netascii_close, .data = n};
        *file = NULL;
        r = measure(n, &encoded->size);
        if (r < 0)
                return error_set(err, -r, "read it to encode it as netascii");
        *file = steal(&encoded);
        return 0;
}
