/* As much of TCP (RFC 9293) as fetching a file takes: one connection that is
 * opened by us, asks for little at a time, and takes what comes in order. What comes
 * out of order is asked for again. No socket, no clock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "simulate/frame.h"

enum tcp_state { TCP_CLOSED, TCP_OPENING, TCP_OPEN, TCP_ENDED, TCP_REFUSED };

struct tcp {
        enum tcp_state state; /* ENDED: by the server's FIN; REFUSED: by its RST */
        uint16_t from_port, to_port;
        uint32_t sent, acknowledged,
                received;    /* sequence numbers: next to send, first not acknowledged, next expected */
        const void *request; /* not yet acknowledged: borrowed */
        size_t n_request;
};

void tcp_open(struct tcp *tcp, uint16_t from_port, uint16_t to_port, uint32_t first);
/* Ask for something: at most 1460 bytes, after what was asked before was acknowledged. Then call tcp_segment(). */
void tcp_request(struct tcp *tcp, const void *data, size_t n);
/* What is to be sent now, or again: ports, numbers, flags and data of *frame. */
void tcp_segment(struct tcp *tcp, struct frame *frame);
/* Close from our side: a segment with FIN. */
void tcp_close(struct tcp *tcp, struct frame *frame);
/* Take a segment of this connection; *ret_data are its new bytes, if any. True: tcp_segment() must be sent. */
bool tcp_input(struct tcp *tcp, const struct frame *frame, const uint8_t **ret_data, size_t *ret_n);
