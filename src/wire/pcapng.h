/* Packets as Wireshark, tshark and tcpdump read them: pcapng, of which three
 * kinds of blocks are needed here (section header, interface description,
 * enhanced packet). A file is what pcapng_head() writes, and after it any
 * number of blocks that pcapng_packet() wrote, which can be kept and put
 * together in any order. Little-endian, one interface of Ethernet frames,
 * microseconds. draft-ietf-opsawg-pcapng. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        PCAPNG_SNAP = 2048,           /* more of a frame is not kept */
        PCAPNG_HEAD_MAX = 160,        /* what pcapng_head() writes at most */
        PCAPNG_PACKET_OVERHEAD = 48,  /* a block is so much larger than what it keeps of the frame, at most */
        PCAPNG_APPLICATION_TEXT = 64, /* bytes of the application's name, at most */
};

struct pcapng_packet {
        int64_t time_us; /* since 1970 */
        bool outgoing;
        const uint8_t *frame; /* from the Ethernet header on */
        size_t kept;          /* bytes of it that are there, at most PCAPNG_SNAP */
        size_t size;          /* that it had on the wire */
};

/* The beginning of a file; returns its length. */
size_t pcapng_head(const char *application, uint8_t buf[static PCAPNG_HEAD_MAX]);
/* A packet's block into buf, which has room for `kept` and PCAPNG_PACKET_OVERHEAD; returns its length. */
size_t pcapng_packet(const struct pcapng_packet *packet, uint8_t *buf);
