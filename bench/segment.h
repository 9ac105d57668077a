/* A host of its own on an Ethernet segment, in this process: an address and a MAC beside those of the interface,
 * ARP, and UDP to one peer, through a packet socket. What comes is read out of a ring that the kernel shares,
 * what goes leaves many frames at a time: so that a client of a benchmark costs little, however many it
 * plays. The kernel's own IP takes these frames for another host's, and drops them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "simulate/frame.h"

enum {
        SEGMENT_DATAGRAM_MAX = 1472, /* in one frame of 1500 bytes; larger ones are dropped */
        SEGMENT_BATCH = 64,          /* frames sent at once */
        SEGMENT_SMALL = 600,         /* bytes of a frame that is sent */
};

struct segment {
        int fd;
        uint8_t *ring;
        size_t slots; /* of the ring */
        size_t next;  /* slot of the ring to be read */
        bool held;    /* that slot has been handed out */
        uint8_t peer_mac[6];
        uint32_t address, peer; /* host order */
        uint8_t out[SEGMENT_BATCH][SEGMENT_SMALL];
        size_t len[SEGMENT_BATCH], n_out;
};

/* The ring holds at least so many frames (a small one stays in the processor's caches). Needs CAP_NET_RAW. -ETIMEDOUT:
 * nobody has the peer's address. */
int segment_open(struct segment *s, const char *interface, uint32_t address, uint32_t peer, size_t frames,
                 struct error *err);
/* The next datagram for us, if there is one; its data is borrowed until the next call. ARP is answered on the way. */
bool segment_next(struct segment *s, struct frame *ret);
/* Leaves with the next flush, or when there are enough. */
void segment_send(struct segment *s, uint16_t from_port, uint16_t to_port, const void *data, size_t n);
void segment_flush(struct segment *s);
/* Until there is something to read, or the time is over. */
void segment_wait(const struct segment *s, int timeout_ms);
