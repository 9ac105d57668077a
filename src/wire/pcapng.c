#include "wire/pcapng.h"

#include <string.h>

#include "base/bytes.h"

enum {
        SECTION_HEADER = 0x0a0d0d0a,
        INTERFACE_DESCRIPTION = 1,
        ENHANCED_PACKET = 6,
        BYTE_ORDER = 0x1a2b3c4d,
        LINK_ETHERNET = 1,
        OPTION_END = 0,
        OPTION_APPLICATION = 4, /* of a section header */
        OPTION_FLAGS = 2,       /* of a packet */
        FLAG_INBOUND = 1,
        FLAG_OUTBOUND = 2,
        BLOCK_HEAD = 8, /* type and length, which stands at the end again */
        BLOCK_TAIL = 4,
        SECTION_FIXED = 16,
        INTERFACE_FIXED = 8,
        PACKET_FIXED = 20,
        FLAGS_OPTION = 8 + 4, /* and the end of options */
};
_Static_assert(PCAPNG_PACKET_OVERHEAD >= BLOCK_HEAD + PACKET_FIXED + 3 + FLAGS_OPTION + BLOCK_TAIL, "room for padding");

static size_t padded(size_t n)
{
        return (n + 3) & ~(size_t)3;
}

/* Fields of 4 bytes. */
static size_t put_words(uint8_t *p, const uint32_t *words, size_t n)
{
        for (size_t i = 0; i < n; i++)
                put_le32(p + 4 * i, words[i]);
        return 4 * n;
}

/* Type and lengths around `n` bytes that are written behind the room for them. Returns the block's length. */
static size_t close_block(uint8_t *block, uint32_t type, size_t n)
{
        size_t size = BLOCK_HEAD + n + BLOCK_TAIL;

        put_le32(block, type);
        put_le32(block + 4, (uint32_t)size);
        put_le32(block + size - BLOCK_TAIL, (uint32_t)size);
        return size;
}

static size_t put_option(uint8_t *p, uint16_t code, const void *data, size_t n)
{
        put_le16(p, code);
        put_le16(p + 2, (uint16_t)n);
        memset(p + 4, 0, padded(n));
        memcpy(p + 4, data, n);
        return 4 + padded(n);
}

size_t pcapng_head(const char *application, uint8_t buf[static PCAPNG_HEAD_MAX])
{
        static const uint32_t section[] = {BYTE_ORDER, 1 /* version 1.0 */, UINT32_MAX,
                                           UINT32_MAX /* length unknown */};
        static const uint32_t interface[] = {LINK_ETHERNET, PCAPNG_SNAP};
        size_t n = put_words(buf + BLOCK_HEAD, section, SECTION_FIXED / 4);

        n += put_option(buf + BLOCK_HEAD + n, OPTION_APPLICATION, application,
                        strnlen(application, PCAPNG_APPLICATION_TEXT));
        n += put_option(buf + BLOCK_HEAD + n, OPTION_END, "", 0);
        n = close_block(buf, SECTION_HEADER, n);
        put_words(buf + n + BLOCK_HEAD, interface, INTERFACE_FIXED / 4);
        return n + close_block(buf + n, INTERFACE_DESCRIPTION, INTERFACE_FIXED);
}

size_t pcapng_packet(const struct pcapng_packet *packet, uint8_t *buf)
{
        const uint32_t fixed[] = {0 /* the only interface */, (uint32_t)((uint64_t)packet->time_us >> 32),
                                  (uint32_t)packet->time_us, (uint32_t)packet->kept, (uint32_t)packet->size};
        uint8_t flags[4], *p = buf + BLOCK_HEAD;
        size_t n = put_words(p, fixed, PACKET_FIXED / 4);

        memset(p + n, 0, padded(packet->kept));
        memcpy(p + n, packet->frame, packet->kept);
        n += padded(packet->kept);
        put_le32(flags, packet->outgoing ? FLAG_OUTBOUND : FLAG_INBOUND);
        n += put_option(p + n, OPTION_FLAGS, flags, sizeof(flags));
        n += put_option(p + n, OPTION_END, "", 0);
        return close_block(buf, ENHANCED_PACKET, n);
}
