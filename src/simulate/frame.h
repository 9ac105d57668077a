/* Ethernet frames with ARP (RFC 826), or IPv4 (RFC 791) with UDP or TCP: bytes to a
 * struct and back, as far as a simulated client needs it. No fragments, no
 * options of IPv4. Addresses are in host order. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_kind { FRAME_ARP, FRAME_UDP, FRAME_TCP };

enum {
        FRAME_MAX = 65536 + 64, /* a segment that the kernel has not cut yet */
        TCP_FIN = 1,
        TCP_SYN = 2,
        TCP_RST = 4,
        TCP_PSH = 8,
        TCP_ACK = 16,
};

struct frame {
        uint8_t to_mac[6], from_mac[6];
        enum frame_kind kind;
        uint32_t from, to; /* addresses; of ARP sender and target */
        bool arp_reply;
        uint16_t from_port, to_port;
        uint32_t seq, ack; /* TCP */
        uint16_t window;
        uint8_t flags;
        uint8_t ttl;      /* to be written; 0: 64 */
        bool no_checksum; /* of UDP, to be written */
        const void *data; /* borrowed */
        size_t n;
};

/* False: something else, or damaged. Checksums are not looked at: those of frames from this host are not made yet. */
bool frame_parse(const void *bytes, size_t n, struct frame *ret);
/* Returns the length, 0 if it does not fit. A SYN says that segments of up to 1460 bytes are taken. */
size_t frame_write(const struct frame *frame, uint8_t *buf, size_t size);
