#include "simulate/tcp.h"

enum { WINDOW = 65535 };

void tcp_open(struct tcp *tcp, uint16_t from_port, uint16_t to_port, uint32_t first)
{
        *tcp = (struct tcp){.state = TCP_OPENING,
                            .from_port = from_port,
                            .to_port = to_port,
                            .sent = first + 1,
                            .acknowledged = first};
}

void tcp_request(struct tcp *tcp, const void *data, size_t n)
{
        tcp->request = data;
        tcp->n_request = n;
        tcp->sent = tcp->acknowledged + (uint32_t)n;
}

static void header(const struct tcp *tcp, struct frame *frame)
{
        frame->kind = FRAME_TCP;
        frame->from_port = tcp->from_port;
        frame->to_port = tcp->to_port;
        frame->seq = tcp->acknowledged;
        frame->window = WINDOW;
        if (tcp->state == TCP_OPENING) {
                frame->flags = TCP_SYN;
                return;
        }
        frame->flags = TCP_ACK;
        frame->ack = tcp->received;
}

void tcp_segment(struct tcp *tcp, struct frame *frame)
{
        header(tcp, frame);
        if (tcp->state != TCP_OPENING && tcp->n_request) {
                frame->flags |= TCP_PSH;
                frame->data = tcp->request;
                frame->n = tcp->n_request;
        }
}

void tcp_close(struct tcp *tcp, struct frame *frame)
{
        header(tcp, frame);
        frame->seq = tcp->sent;
        frame->flags |= TCP_FIN;
        tcp->state = TCP_CLOSED;
}

static bool opening(struct tcp *tcp, const struct frame *frame)
{
        if (!(frame->flags & TCP_SYN) || !(frame->flags & TCP_ACK) || frame->ack != tcp->sent)
                return false;
        tcp->received = frame->seq + 1;
        tcp->acknowledged = frame->ack;
        tcp->state = TCP_OPEN;
        return true;
}

/* What the segment acknowledges of our request. */
static void acknowledge(struct tcp *tcp, uint32_t ack)
{
        uint32_t n = ack - tcp->acknowledged;

        if (n == 0 || n > tcp->n_request)
                return;
        tcp->acknowledged = ack;
        tcp->request = (const char *)tcp->request + n;
        tcp->n_request -= n;
}

bool tcp_input(struct tcp *tcp, const struct frame *frame, const uint8_t **ret_data, size_t *ret_n)
{
        uint32_t old;

        *ret_n = 0;
        if (tcp->state == TCP_CLOSED)
                return false;
        if (frame->flags & TCP_RST) {
                tcp->state = TCP_REFUSED;
                return false;
        }
        if (tcp->state == TCP_OPENING)
                return opening(tcp, frame);
        if (frame->flags & TCP_ACK)
                acknowledge(tcp, frame->ack);
        old = tcp->received - frame->seq; /* bytes of it that came before */
        if (old > frame->n)
                return frame->n > 0; /* a gap, or all of it old: say what we wait for */
        *ret_data = (const uint8_t *)frame->data + old;
        *ret_n = frame->n - old;
        tcp->received += (uint32_t)*ret_n;
        if (frame->flags & TCP_FIN) {
                tcp->received++;
                tcp->state = TCP_ENDED;
        }
        return frame->n > 0 || (frame->flags & TCP_FIN) != 0;
}
