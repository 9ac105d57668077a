/* See tftp.h. */
#include "wire/tftp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"

/* ---- reading ---- */

struct cursor {
        const char *p;
        size_t left;
};

/* The next text; NULL: it does not end in the packet. */
static const char *take_text(struct cursor *c)
{
        const char *text = c->p, *end = c->left > 0 ? memchr(c->p, '\0', c->left) : NULL;

        if (!end)
                return NULL;
        c->left -= (size_t)(end - text) + 1;
        c->p = end + 1;
        return text;
}

/* Digits only, at most max. */
static bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
        uint64_t value = 0;

        for (const char *p = text; *p; p++) {
                if (*p < '0' || *p > '9' || __builtin_mul_overflow(value, 10U, &value) ||
                    __builtin_add_overflow(value, (unsigned int)(*p - '0'), &value))
                        return false;
        }
        if (!*text || value < min || value > max)
                return false;
        *ret = value;
        return true;
}

static void take_term(struct tftp_terms *terms, const char *name, const char *text)
{
        uint64_t value;

        if (strcasecmp(name, "blksize") == 0 && !terms->has_blksize &&
            parse_number(text, TFTP_BLKSIZE_MIN, TFTP_BLKSIZE_MAX, &value)) {
                terms->has_blksize = true;
                terms->blksize = (uint16_t)value;
        } else if (strcasecmp(name, "timeout") == 0 && !terms->has_timeout && parse_number(text, 1, 255, &value)) {
                terms->has_timeout = true;
                terms->timeout_sec = (uint8_t)value;
        } else if (strcasecmp(name, "tsize") == 0 && !terms->has_tsize && parse_number(text, 0, INT64_MAX, &value)) {
                terms->has_tsize = true;
                terms->tsize_bytes = value;
        } else if (strcasecmp(name, "windowsize") == 0 && !terms->has_windowsize &&
                   parse_number(text, 1, 65535, &value)) {
                terms->has_windowsize = true;
                terms->windowsize = (uint16_t)value;
        }
}

/* Some clients fill their packet up with zeros, or with what lay in their buffer: an empty name, or
 * half a pair, ends the options. */
static void take_terms(struct cursor *c, struct tftp_terms *ret)
{
        for (;;) {
                const char *name = take_text(c), *value = name && *name ? take_text(c) : NULL;

                if (!value)
                        return;
                take_term(ret, name, value);
        }
}

static int parse_request(struct cursor *c, struct tftp_packet *ret)
{
        const char *mode;

        ret->path = take_text(c);
        mode = ret->path ? take_text(c) : NULL;
        if (!mode)
                return -EBADMSG;
        ret->mode = TFTP_OTHER_MODE;
        if (strcasecmp(mode, "octet") == 0)
                ret->mode = TFTP_OCTET;
        else if (strcasecmp(mode, "netascii") == 0)
                ret->mode = TFTP_NETASCII;
        take_terms(c, &ret->terms);
        return 0;
}

static int parse_block(struct cursor *c, struct tftp_packet *ret)
{
        if (c->left < 2)
                return -EBADMSG;
        ret->block = get_be16(c->p);
        ret->data = (const uint8_t *)c->p + 2;
        ret->n_data = ret->opcode == TFTP_DATA ? c->left - 2 : 0;
        return 0;
}

static int parse_error(struct cursor *c, struct tftp_packet *ret)
{
        struct cursor rest = {c->p + 2, c->left - 2};

        if (c->left < 2)
                return -EBADMSG;
        ret->code = get_be16(c->p);
        ret->text = take_text(&rest);
        if (!ret->text)
                ret->text = "";
        return 0;
}

int tftp_parse(const void *packet, size_t n, struct tftp_packet *ret)
{
        struct cursor c = {(const char *)packet + 2, n - 2};

        if (n < 2)
                return -EBADMSG;
        *ret = (struct tftp_packet){.opcode = get_be16(packet)};
        switch (ret->opcode) {
        case TFTP_RRQ:
        case TFTP_WRQ:
                return parse_request(&c, ret);
        case TFTP_DATA:
        case TFTP_ACK:
                return parse_block(&c, ret);
        case TFTP_ERROR:
                return parse_error(&c, ret);
        case TFTP_OACK:
                take_terms(&c, &ret->terms);
                return 0;
        }
        return -EBADMSG;
}

/* ---- writing ---- */

static size_t put_head(uint8_t *buf, enum tftp_opcode opcode)
{
        put_be16(buf, (uint16_t)opcode);
        return 2;
}

/* Name and value, each with its NUL; all four fit into TFTP_SMALL_PACKET. */
static size_t put_term(uint8_t *buf, bool has, const char *name, uint64_t value)
{
        size_t n = strlen(name) + 1;

        if (!has)
                return 0;
        memcpy(buf, name, n);
        return n + (size_t)sprintf((char *)buf + n, "%llu", (unsigned long long)value) + 1;
}

static size_t put_terms(uint8_t *buf, const struct tftp_terms *terms)
{
        size_t n = put_term(buf, terms->has_tsize, "tsize", terms->tsize_bytes);

        n += put_term(buf + n, terms->has_blksize, "blksize", terms->blksize);
        n += put_term(buf + n, terms->has_timeout, "timeout", terms->timeout_sec);
        n += put_term(buf + n, terms->has_windowsize, "windowsize", terms->windowsize);
        return n;
}

size_t tftp_put_oack(uint8_t *buf, const struct tftp_terms *terms)
{
        size_t n = put_head(buf, TFTP_OACK);

        return n + put_terms(buf + n, terms);
}

size_t tftp_put_ack(uint8_t *buf, uint16_t block)
{
        put_head(buf, TFTP_ACK);
        put_be16(buf + 2, block);
        return 4;
}

size_t tftp_put_error(uint8_t *buf, uint16_t code, const char *text)
{
        size_t n = strnlen(text, TFTP_SMALL_PACKET - 5);

        put_head(buf, TFTP_ERROR);
        put_be16(buf + 2, code);
        memcpy(buf + 4, text, n);
        buf[4 + n] = '\0';
        return n + 5;
}

ssize_t tftp_put_rrq(uint8_t *buf, const char *path, enum tftp_mode mode, const struct tftp_terms *terms)
{
        static const char octet[] = "octet", netascii[] = "netascii";
        const char *text = mode == TFTP_NETASCII ? netascii : octet;
        size_t n = put_head(buf, TFTP_RRQ), n_path = strlen(path) + 1, n_mode = strlen(text) + 1;

        if (n_path > TFTP_SMALL_PACKET - 128) /* what mode and options may need */
                return -ENAMETOOLONG;
        memcpy(buf + n, path, n_path);
        memcpy(buf + n + n_path, text, n_mode);
        n += n_path + n_mode;
        return (ssize_t)(n + put_terms(buf + n, terms));
}

void tftp_put_data_header(uint8_t buf[TFTP_HEADER], uint16_t block)
{
        put_head(buf, TFTP_DATA);
        put_be16(buf + 2, block);
}

/* ---- netascii ---- */

struct tftp_encoded tftp_netascii_encode(int *pending, const uint8_t *in, size_t n_in, uint8_t *out, size_t n_out)
{
        struct tftp_encoded e = {0};

        while (e.n_out < n_out && (*pending >= 0 || e.n_in < n_in)) {
                uint8_t c;

                if (*pending >= 0) {
                        out[e.n_out++] = (uint8_t)*pending;
                        *pending = -1;
                        continue;
                }
                c = in[e.n_in++];
                out[e.n_out++] = c == '\n' ? '\r' : c;
                if (c == '\n' || c == '\r')
                        *pending = c == '\n' ? '\n' : '\0';
        }
        return e;
}
