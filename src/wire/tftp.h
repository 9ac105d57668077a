/* TFTP packets as structs and back: RFC 1350, options by RFC 2347, of which
 * blksize (2348), timeout and tsize (2349), windowsize (7440). No socket, no
 * clock, no allocation: texts of a parsed packet lie in the packet. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum tftp_opcode { TFTP_RRQ = 1, TFTP_WRQ, TFTP_DATA, TFTP_ACK, TFTP_ERROR, TFTP_OACK };

/* RFC 1350 page 10, RFC 2347. */
enum tftp_error_code {
        TFTP_ERROR_UNDEFINED,
        TFTP_ERROR_NOT_FOUND,
        TFTP_ERROR_ACCESS,
        TFTP_ERROR_DISK_FULL,
        TFTP_ERROR_ILLEGAL,
        TFTP_ERROR_UNKNOWN_TID,
        TFTP_ERROR_EXISTS,
        TFTP_ERROR_NO_USER,
        TFTP_ERROR_OPTION,
};

enum tftp_mode { TFTP_OCTET, TFTP_NETASCII, TFTP_OTHER_MODE };

enum {
        TFTP_HEADER = 4, /* of DATA */
        TFTP_BLKSIZE = 512,
        TFTP_BLKSIZE_MIN = 8,
        TFTP_BLKSIZE_MAX = 65464,
        TFTP_SMALL_PACKET = 512, /* room for everything but DATA */
};

/* Options of a request or an OACK. */
struct tftp_terms {
        bool has_blksize, has_timeout, has_tsize, has_windowsize;
        uint16_t blksize;     /* 8 to 65464 */
        uint8_t timeout_sec;  /* 1 to 255 */
        uint16_t windowsize;  /* 1 to 65535 */
        uint64_t tsize_bytes; /* 0 in a request to read */
};

struct tftp_packet {
        enum tftp_opcode opcode;
        /* RRQ, WRQ */
        const char *path; /* NUL-terminated; may be empty */
        enum tftp_mode mode;
        /* RRQ, WRQ, OACK. An option whose value is out of its range, or no number, counts as not there (RFC 2347:
         * it is not acknowledged); of one that is repeated the first counts. */
        struct tftp_terms terms;
        /* DATA, ACK */
        uint16_t block;
        const uint8_t *data; /* DATA: n_data bytes */
        size_t n_data;
        /* ERROR */
        uint16_t code;
        const char *text; /* "" where it is not terminated */
};

/* -EBADMSG: too short, an unknown opcode, or a name or mode that does not end. */
int tftp_parse(const void *packet, size_t n, struct tftp_packet *ret);

/* Into buf, of at least TFTP_SMALL_PACKET bytes; the length. Of a text what fits. */
size_t tftp_put_oack(uint8_t *buf, const struct tftp_terms *terms);
size_t tftp_put_ack(uint8_t *buf, uint16_t block);
size_t tftp_put_error(uint8_t *buf, uint16_t code, const char *text);
/* -ENAMETOOLONG */
ssize_t tftp_put_rrq(uint8_t *buf, const char *path, enum tftp_mode mode, const struct tftp_terms *terms);
void tftp_put_data_header(uint8_t buf[TFTP_HEADER], uint16_t block);

/* netascii (RFC 764): LF becomes CR LF, and CR becomes CR NUL. Encodes from `in` until it is used up or
 * `out` is full; how much of each that was. *pending, at first -1, is the second byte of a pair that did not fit. */
struct tftp_encoded {
        size_t n_in, n_out;
};
struct tftp_encoded tftp_netascii_encode(int *pending, const uint8_t *in, size_t n_in, uint8_t *out, size_t n_out);
