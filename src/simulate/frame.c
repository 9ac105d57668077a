#include "simulate/frame.h"

#include <string.h>

#include "base/bytes.h"

enum {
        ETHERNET = 14,
        IP = 20,
        UDP = 8,
        TCP = 20,
        ARP = 28,
        TYPE_IP = 0x0800,
        TYPE_ARP = 0x0806,
        PROTOCOL_TCP = 6,
        PROTOCOL_UDP = 17,
        SEGMENT_MAX = 1460,
};

static bool parse_arp(const uint8_t *p, size_t n, struct frame *ret)
{
        if (n < ARP || get_be16(p) != 1 || get_be16(p + 2) != TYPE_IP || p[4] != 6 || p[5] != 4)
                return false;
        ret->kind = FRAME_ARP;
        ret->arp_reply = get_be16(p + 6) == 2;
        ret->from = get_be32(p + 14);
        ret->to = get_be32(p + 24);
        return true;
}

static bool parse_udp(const uint8_t *p, size_t n, struct frame *ret)
{
        size_t length = n < UDP ? 0 : get_be16(p + 4);

        if (length < UDP || length > n)
                return false;
        ret->kind = FRAME_UDP;
        ret->data = p + UDP;
        ret->n = length - UDP;
        return true;
}

static bool parse_tcp(const uint8_t *p, size_t n, struct frame *ret)
{
        size_t header = n < TCP ? 0 : (size_t)(p[12] >> 4) * 4;

        if (header < TCP || header > n)
                return false;
        ret->kind = FRAME_TCP;
        ret->seq = get_be32(p + 4);
        ret->ack = get_be32(p + 8);
        ret->flags = p[13];
        ret->window = get_be16(p + 14);
        ret->data = p + header;
        ret->n = n - header;
        return true;
}

static bool parse_ip(const uint8_t *p, size_t n, struct frame *ret)
{
        size_t header, length;

        if (n < IP || p[0] >> 4 != 4)
                return false;
        header = (size_t)(p[0] & 15) * 4;
        length = get_be16(p + 2);
        /* A large segment that is still to be cut may have no length. */
        if (length == 0)
                length = n;
        if (header < IP || length > n || length < header + UDP || (get_be16(p + 6) & 0x3fff) != 0)
                return false;
        ret->from = get_be32(p + 12);
        ret->to = get_be32(p + 16);
        ret->from_port = get_be16(p + header);
        ret->to_port = get_be16(p + header + 2);
        if (p[9] == PROTOCOL_UDP)
                return parse_udp(p + header, length - header, ret);
        return p[9] == PROTOCOL_TCP && parse_tcp(p + header, length - header, ret);
}

bool frame_parse(const void *bytes, size_t n, struct frame *ret)
{
        const uint8_t *p = bytes;

        *ret = (struct frame){0};
        if (n < ETHERNET)
                return false;
        memcpy(ret->to_mac, p, 6);
        memcpy(ret->from_mac, p + 6, 6);
        switch (get_be16(p + 12)) {
        case TYPE_ARP:
                return parse_arp(p + ETHERNET, n - ETHERNET, ret);
        case TYPE_IP:
                return parse_ip(p + ETHERNET, n - ETHERNET, ret);
        default:
                return false;
        }
}

/* RFC 1071. */
static uint32_t sum(const uint8_t *p, size_t n, uint32_t sum)
{
        size_t i;

        for (i = 0; i + 1 < n; i += 2)
                sum += get_be16(p + i);
        if (i < n)
                sum += (uint32_t)p[i] << 8;
        return sum;
}

static uint16_t folded(uint32_t sum)
{
        while (sum >> 16)
                sum = (sum & 0xffff) + (sum >> 16);
        return (uint16_t)~sum;
}

/* Over the pseudo header of UDP and TCP too. */
static uint16_t checksum(const struct frame *frame, uint8_t protocol, const uint8_t *p, size_t n)
{
        uint8_t pseudo[12] = {0};

        put_be32(pseudo, frame->from);
        put_be32(pseudo + 4, frame->to);
        pseudo[9] = protocol;
        put_be16(pseudo + 10, (uint16_t)n);
        return folded(sum(p, n, sum(pseudo, sizeof(pseudo), 0)));
}

static size_t write_arp(const struct frame *frame, uint8_t *p)
{
        static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0};

        memcpy(p, head, sizeof(head));
        p[7] = frame->arp_reply ? 2 : 1;
        memcpy(p + 8, frame->from_mac, 6);
        put_be32(p + 14, frame->from);
        memset(p + 18, 0, 6);
        if (frame->arp_reply)
                memcpy(p + 18, frame->to_mac, 6);
        put_be32(p + 24, frame->to);
        return ARP;
}

static size_t write_udp(const struct frame *frame, uint8_t *p)
{
        size_t n = UDP + frame->n;
        uint16_t check;

        put_be16(p, frame->from_port);
        put_be16(p + 2, frame->to_port);
        put_be16(p + 4, (uint16_t)n);
        put_be16(p + 6, 0);
        memcpy(p + UDP, frame->data, frame->n);
        if (frame->no_checksum)
                return n;
        check = checksum(frame, PROTOCOL_UDP, p, n);
        put_be16(p + 6, check ? check : 0xffff);
        return n;
}

static size_t write_tcp(const struct frame *frame, uint8_t *p)
{
        size_t header = TCP + (frame->flags & TCP_SYN ? 4 : 0), n = header + frame->n;

        put_be16(p, frame->from_port);
        put_be16(p + 2, frame->to_port);
        put_be32(p + 4, frame->seq);
        put_be32(p + 8, frame->ack);
        p[12] = (uint8_t)(header / 4 << 4);
        p[13] = frame->flags;
        put_be16(p + 14, frame->window);
        put_be32(p + 16, 0);
        if (frame->flags & TCP_SYN) {
                p[20] = 2; /* maximum segment size */
                p[21] = 4;
                put_be16(p + 22, SEGMENT_MAX);
        }
        if (frame->n)
                memcpy(p + header, frame->data, frame->n);
        put_be16(p + 16, checksum(frame, PROTOCOL_TCP, p, n));
        return n;
}

size_t frame_write(const struct frame *frame, uint8_t *buf, size_t size)
{
        uint8_t *p = buf + ETHERNET;
        size_t n;

        if (size < ETHERNET + IP + TCP + 4 || frame->n > size - (ETHERNET + IP + TCP + 4) ||
            frame->n > 65535 - IP - TCP - 4)
                return 0;
        memcpy(buf, frame->to_mac, 6);
        memcpy(buf + 6, frame->from_mac, 6);
        put_be16(buf + 12, frame->kind == FRAME_ARP ? TYPE_ARP : TYPE_IP);
        if (frame->kind == FRAME_ARP)
                return ETHERNET + write_arp(frame, p);
        n = frame->kind == FRAME_UDP ? write_udp(frame, p + IP) : write_tcp(frame, p + IP);
        memset(p, 0, IP);
        p[0] = 0x45;
        put_be16(p + 2, (uint16_t)(IP + n));
        p[8] = frame->ttl ? frame->ttl : 64;
        p[9] = frame->kind == FRAME_UDP ? PROTOCOL_UDP : PROTOCOL_TCP;
        put_be32(p + 12, frame->from);
        put_be32(p + 16, frame->to);
        put_be16(p + 10, folded(sum(p, IP, 0)));
        return ETHERNET + IP + n;
}
