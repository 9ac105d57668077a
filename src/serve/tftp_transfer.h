/* One transfer of a file by TFTP as a state machine: packets and time in, what
 * to do out. No socket, no clock, no file: the caller sends.
 *
 * Blocks are counted from 1 in 64 bits; on the wire their numbers go on at 0
 * after 65535. Those in [next, limit) are to be sent now. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wire/tftp.h"

enum {
        TFTP_WINDOW_BYTES = 1 << 20, /* of one transfer under way at most */
        TFTP_WAIT_MS = 2000,         /* for the first answer, doubled each time up to ... */
        TFTP_WAIT_MAX_MS = 8000,     /* ... this, or the timeout that the client asked for */
        TFTP_TRIES = 6,
        TFTP_TRIES_UNANSWERED = 3, /* to an address that may be forged */
        TFTP_QUIET_MS = 100,       /* between two times that a window is sent again */
};

enum tftp_step {
        TFTP_WAIT,        /* nothing to send */
        TFTP_SEND_OACK,   /* t->granted */
        TFTP_SEND_BLOCKS, /* [next, limit), and tftp_transfer_sent() after it */
        TFTP_COMPLETE,    /* the rest are ends */
        TFTP_PROBED,      /* the client has read the size and wants no more */
        TFTP_REFUSED,     /* the client sent an ERROR */
        TFTP_GAVE_UP,     /* the client is silent */
};

struct tftp_transfer {
        struct tftp_terms granted;
        uint16_t blksize, windowsize;
        uint64_t size, blocks; /* blocks: how many, the last being shorter than blksize */
        uint64_t acked, next, limit;
        uint64_t highest;       /* block ever sent: those up to it are sent again */
        bool oack, answered;    /* an OACK waits for its ACK; the client is really there */
        unsigned int tries;     /* since the last progress */
        uint32_t base_ms;       /* first wait */
        uint32_t wait_ms;       /* the present one */
        int64_t deadline_ms;    /* when to call tftp_transfer_expire() */
        int64_t quiet_until_ms; /* the window is not sent again before this, */
        bool pending;           /* but then */
        uint64_t resent;        /* packets */
};

/* What of the path the transfer may use. */
struct tftp_path {
        unsigned int mtu; /* bytes of an IPv4 packet */
        bool fragment;    /* blocks may be larger */
};

/* Begins with a request to read `size` bytes (in netascii: as encoded). */
enum tftp_step tftp_transfer_start(struct tftp_transfer *t, const struct tftp_packet *request, uint64_t size,
                                   const struct tftp_path *path, int64_t now_ms);
/* A packet of the client's, but for requests. */
enum tftp_step tftp_transfer_handle(struct tftp_transfer *t, const struct tftp_packet *packet, int64_t now_ms);
/* The same request came again: the first answer is due again, while there was nothing else. */
enum tftp_step tftp_transfer_again(struct tftp_transfer *t, int64_t now_ms);
/* Nothing came until deadline_ms. */
enum tftp_step tftp_transfer_expire(struct tftp_transfer *t, int64_t now_ms);
/* n blocks from `next` on were sent. */
void tftp_transfer_sent(struct tftp_transfer *t, uint64_t n, int64_t now_ms);

/* Where a block lies in the file; its length, 0 to blksize. */
static inline uint64_t tftp_block_offset(const struct tftp_transfer *t, uint64_t block)
{
        return (block - 1) * t->blksize;
}
static inline uint32_t tftp_block_len(const struct tftp_transfer *t, uint64_t block)
{
        return block < t->blocks ? t->blksize : (uint32_t)(t->size % t->blksize);
}
/* Of a transfer that was given up: all is there but the last ACK, which some clients never send. */
static inline bool tftp_transfer_all_sent(const struct tftp_transfer *t)
{
        return t->answered && t->highest == t->blocks;
}
