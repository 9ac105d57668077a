/* What machines that boot say and hear, as captured frames: so that `slipway
 * machine pcap` shows one machine's boot to Wireshark. A packet socket sees
 * what comes and goes, of which a filter in the kernel lets through little:
 * ARP, all of DHCP, of TFTP the requests, answers with options, errors and the
 * first block, of HTTP how connections begin and end and the heads of
 * requests and answers, ICMP's "unreachable". Frames wait here until they
 * are taken, which is to be once a second; what does not fit, or comes faster
 * than CAPTURE_PER_SEC, is left out: a flood costs no more than that. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct capture;

enum {
        CAPTURE_PENDING = 2 << 20, /* bytes that wait */
        CAPTURE_PER_SEC = 6400,    /* frames */
};

/* Whose is this address? False: not known, and the frame is that of its Ethernet address. From another thread. */
typedef bool capture_owner(void *arg, uint32_t address, uint8_t ret_mac[6]);

/* Needs CAP_NET_RAW. Interfaces are those that have an IPv4 address now. `http` and `https`: their ports, or 0. */
int capture_open(uint16_t http, uint16_t https, struct capture **ret, struct error *err);
/* Needs no privileges; `owner` may be NULL. */
int capture_start(struct capture *capture, capture_owner *owner, void *arg, struct error *err);

/* A frame as a block of pcapng (wire/pcapng.h); `block` is valid during the call. */
typedef int capture_visitor(void *arg, const uint8_t mac[6], const uint8_t *block, size_t size);
/* Each frame that waits, in the order of time; none waits afterwards. A negative result of `visit` ends it and is
 * returned. One thread at a time. */
int capture_take(struct capture *capture, capture_visitor *visit, void *arg);
/* Nothing more is captured, and nobody asked who an owner is; what waits can still be taken. NULL is nothing. */
void capture_stop(struct capture *capture);
struct capture *capture_free(struct capture *capture); /* returns NULL */
