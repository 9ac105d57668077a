/* Writing DHCPv4 messages: see dhcp.h. */
#include <string.h>

#include "base/bytes.h"
#include "wire/dhcp.h"

enum { FILE_AT = 108, FILE_SIZE = 128, SNAME_AT = 44, SNAME_SIZE = 64, PIECE_MAX = 255 };

void dhcp_writer_init(struct dhcp_writer *writer)
{
        writer->h = (struct dhcp_header){0};
        writer->n_options = 0;
        writer->n_bytes = 0;
        writer->no_overload = false;
        writer->dropped = 0;
}

static bool has(const struct dhcp_writer *writer, uint8_t code)
{
        for (unsigned i = 0; i < writer->n_options; i++)
                if (writer->options[i].code == code)
                        return true;
        return false;
}

bool dhcp_put(struct dhcp_writer *writer, uint8_t code, const void *data, size_t len)
{
        if (has(writer, code) || len > sizeof(writer->bytes) - writer->n_bytes)
                return false;
        writer->options[writer->n_options].code = code;
        writer->options[writer->n_options].at = writer->n_bytes;
        writer->options[writer->n_options++].len = (uint16_t)len;
        if (len)
                memcpy(writer->bytes + writer->n_bytes, data, len);
        writer->n_bytes = (uint16_t)(writer->n_bytes + len);
        return true;
}

bool dhcp_put_u8(struct dhcp_writer *writer, uint8_t code, uint8_t value)
{
        return dhcp_put(writer, code, &value, 1);
}

bool dhcp_put_u16(struct dhcp_writer *writer, uint8_t code, uint16_t value)
{
        uint8_t wire[2];

        put_be16(wire, value);
        return dhcp_put(writer, code, wire, sizeof(wire));
}

bool dhcp_put_u32(struct dhcp_writer *writer, uint8_t code, uint32_t value)
{
        uint8_t wire[4];

        put_be32(wire, value);
        return dhcp_put(writer, code, wire, sizeof(wire));
}

bool dhcp_put_text(struct dhcp_writer *writer, uint8_t code, const char *text)
{
        return dhcp_put(writer, code, text, strlen(text));
}

/* ---- the layout ---- */

/* A part of the message that options go to; one byte of it is kept for the end. */
struct area {
        uint8_t *p;
        size_t left;
        bool used;
};

/* What an option takes: each piece has two bytes before it (RFC 3396). */
static size_t size_of(size_t len)
{
        return len + 2 * (len ? (len + PIECE_MAX - 1) / PIECE_MAX : 1);
}

static bool area_put(struct area *area, uint8_t code, const uint8_t *data, size_t len)
{
        if (size_of(len) > area->left)
                return false;
        area->left -= size_of(len);
        area->used = true;
        do {
                size_t piece = len < PIECE_MAX ? len : PIECE_MAX;

                *area->p++ = code;
                *area->p++ = (uint8_t)piece;
                memcpy(area->p, data, piece);
                area->p += piece;
                data += piece;
                len -= piece;
        } while (len > 0);
        return true;
}

static void write_header(const struct dhcp_header *h, uint8_t *p)
{
        p[0] = h->op;
        p[1] = h->htype;
        p[2] = h->hlen;
        p[3] = h->hops;
        put_be32(p + 4, h->xid);
        put_be16(p + 8, h->secs);
        put_be16(p + 10, h->flags);
        put_be32(p + 12, h->ciaddr);
        put_be32(p + 16, h->yiaddr);
        put_be32(p + 20, h->siaddr);
        put_be32(p + 24, h->giaddr);
        memcpy(p + 28, h->chaddr, sizeof(h->chaddr));
        memcpy(p + SNAME_AT, h->sname, strnlen(h->sname, SNAME_SIZE));
        memcpy(p + FILE_AT, h->file, strnlen(h->file, FILE_SIZE));
        put_be32(p + 236, 0x63825363);
}

/* Of all options but 82. */
static size_t total_size(const struct dhcp_writer *writer)
{
        size_t total = 0;

        for (unsigned i = 0; i < writer->n_options; i++)
                if (writer->options[i].code != DHCP_OPT_AGENT)
                        total += size_of(writer->options[i].len);
        return total;
}

/* The options field first, then `file` and `sname`: an option stays whole in one of them. */
static void place(struct dhcp_writer *writer, struct area areas[3])
{
        for (unsigned i = 0; i < writer->n_options; i++) {
                const uint8_t *data = writer->bytes + writer->options[i].at;
                uint8_t code = writer->options[i].code;
                size_t len = writer->options[i].len;

                if (code != DHCP_OPT_AGENT && !area_put(&areas[0], code, data, len) &&
                    !area_put(&areas[1], code, data, len) && !area_put(&areas[2], code, data, len))
                        writer->dropped++;
        }
}

/* Option 82 and what it takes; NULL and 0: there is none, or one beside which no message has room. */
static const uint8_t *agent_option(struct dhcp_writer *writer, size_t *ret_len, size_t *ret_size)
{
        *ret_len = *ret_size = 0;
        for (unsigned i = 0; i < writer->n_options; i++) {
                if (writer->options[i].code != DHCP_OPT_AGENT)
                        continue;
                if (size_of(writer->options[i].len) > DHCP_SIZE_MAX - DHCP_BOOTP_SIZE) {
                        writer->dropped++;
                        return NULL;
                }
                *ret_len = writer->options[i].len;
                *ret_size = size_of(*ret_len);
                return writer->bytes + writer->options[i].at;
        }
        return NULL;
}

/* 82 is added by the relay on top of what the client takes, and taken off by it again. */
static size_t clamp_limit(size_t limit, size_t agent_size)
{
        limit = (limit < DHCP_BOOTP_SIZE ? DHCP_BOOTP_SIZE : limit) + agent_size;
        return limit > DHCP_SIZE_MAX ? DHCP_SIZE_MAX : limit;
}

size_t dhcp_write(struct dhcp_writer *writer, size_t limit, uint8_t *buf)
{
        static const size_t overload_size = 3, end_size = 1;
        size_t agent_len, agent_size, room, size;
        struct area areas[3] = {{0}};
        const uint8_t *agent;

        writer->dropped = 0;
        agent = agent_option(writer, &agent_len, &agent_size);
        limit = clamp_limit(limit, agent_size);
        room = limit - DHCP_HEADER - end_size - agent_size;
        memset(buf, 0, limit);
        write_header(&writer->h, buf);
        areas[0] = (struct area){buf + DHCP_HEADER, room, true};
        if (total_size(writer) > room && !writer->no_overload) {
                areas[0].left -= overload_size;
                if (!writer->h.file[0])
                        areas[1] = (struct area){buf + FILE_AT, FILE_SIZE - end_size, false};
                if (!writer->h.sname[0])
                        areas[2] = (struct area){buf + SNAME_AT, SNAME_SIZE - end_size, false};
        }
        place(writer, areas);
        if (areas[1].used || areas[2].used) {
                uint8_t overload = (uint8_t)(areas[1].used | areas[2].used << 1);

                areas[0].left += overload_size;
                area_put(&areas[0], DHCP_OPT_OVERLOAD, &overload, 1);
        }
        if (agent) {
                areas[0].left += agent_size;
                area_put(&areas[0], DHCP_OPT_AGENT, agent, agent_len);
        }
        for (int i = 0; i < 3; i++)
                if (areas[i].used)
                        *areas[i].p = DHCP_OPT_END;
        size = (size_t)(areas[0].p + 1 - buf);
        return size < DHCP_BOOTP_SIZE ? DHCP_BOOTP_SIZE : size;
}
