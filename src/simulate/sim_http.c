/* A simulated client's HTTP: HEAD and then GET on one connection, as UEFI's
 * does; iPXE asks with GET alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "simulate/sim_internal.h"

enum { HEAD_MAX = 16384 };

static void send_segment(struct sim *sim)
{
        struct frame frame = {.from = sim->offer.address, .to = sim->transfer->server};

        tcp_segment(&sim->transfer->tcp, &frame);
        sim_send(sim, &frame);
}

static void ask(struct sim *sim)
{
        struct sim_transfer *transfer = sim->transfer;
        bool head = sim->kind->rules == SIM_HTTP && !transfer->got_head;

        str_clear(&transfer->request);
        str_clear(&transfer->head);
        transfer->in_body = false;
        str_addf(&transfer->request, "%s %s HTTP/1.1\r\nHost: %u.%u.%u.%u\r\nAccept: */*\r\nUser-Agent: %s\r\n\r\n",
                 head ? "HEAD" : "GET", transfer->path, transfer->server >> 24, transfer->server >> 16 & 255,
                 transfer->server >> 8 & 255, transfer->server & 255,
                 sim->kind->rules == SIM_HTTP ? "UefiHttpBoot/1.0" : "iPXE/1.0.0+");
        tcp_request(&transfer->tcp, transfer->request.s, transfer->request.len);
}

void sim_http_start(struct sim *sim)
{
        struct sim_transfer *transfer = sim->transfer;

        tcp_open(&transfer->tcp, transfer->from_port, transfer->to_port,
                 (uint32_t)(sim->now_ms * 250) + transfer->from_port);
        sim->state = SIM_NEW; /* so that the count of tries begins anew */
        sim_enter(sim, SIM_HTTP_GET, SIM_PATIENCE_MS);
        send_segment(sim);
}

void sim_http_timeout(struct sim *sim)
{
        if (++sim->tries == SIM_TRIES) {
                sim_fail(sim, "HTTP %s: the server %s", sim->transfer->path,
                         sim->transfer->tcp.state == TCP_OPENING ? "does not answer" : "stopped sending");
                return;
        }
        sim->deadline_ms = sim->now_ms + SIM_PATIENCE_MS;
        send_segment(sim);
}

static void ended(struct sim *sim, bool found, const char *why)
{
        struct frame frame = {.from = sim->offer.address, .to = sim->transfer->server};

        if (sim->transfer->tcp.state != TCP_REFUSED) {
                tcp_close(&sim->transfer->tcp, &frame);
                sim_send(sim, &frame);
        }
        sim_files_ended(sim, found, why);
}

/* The value of a header, or NULL; names in any case. */
static const char *header(const char *head, const char *name)
{
        const char *at = strcasestr(head, name);

        return at ? at + strlen(name) : NULL;
}

/* The head is whole. False: the transfer is over. */
static bool head_read(struct sim *sim)
{
        struct sim_transfer *transfer = sim->transfer;
        const char *length = header(transfer->head.s, "\r\nContent-Length:");
        char why[64];

        if (str_starts(transfer->head.s, "HTTP/1."))
                transfer->status = (int)strtoul(transfer->head.s + strcspn(transfer->head.s, " "), NULL, 10);
        if (transfer->status != 200) {
                snprintf(why, sizeof(why), "status %d", transfer->status);
                ended(sim, false, why);
                return false;
        }
        if (!length) {
                sim_fail(sim, "HTTP %s: the answer has no Content-Length", transfer->path);
                return false;
        }
        transfer->size = strtoull(length, NULL, 10);
        return true;
}

/* The head of an answer, up to its empty line; returns how much of the data was of it. */
static size_t take_head(struct sim_transfer *transfer, const uint8_t *data, size_t n)
{
        size_t before = transfer->head.len;
        const char *end;

        str_addn(&transfer->head, (const char *)data, n);
        end = strstr(transfer->head.s, "\r\n\r\n");
        if (!end)
                return n;
        transfer->in_body = true;
        return (size_t)(end + 4 - transfer->head.s) - before;
}

/* True: something is to be asked, or acknowledged, as before. */
static bool take(struct sim *sim, const uint8_t *data, size_t n)
{
        struct sim_transfer *transfer = sim->transfer;
        size_t used;

        if (!transfer->in_body) {
                used = take_head(transfer, data, n);
                if (!transfer->in_body && transfer->head.len > HEAD_MAX)
                        sim_fail(sim, "HTTP %s: the answer's head is too long", transfer->path);
                if (!transfer->in_body)
                        return !sim_over(sim);
                if (!head_read(sim))
                        return false;
                data += used;
                n -= used;
                if (sim->kind->rules == SIM_HTTP && !transfer->got_head) {
                        transfer->got_head = true;
                        sim_stage(sim, "HTTP HEAD %s: %llu bytes", transfer->path, (unsigned long long)transfer->size);
                        ask(sim);
                        return true;
                }
        }
        sim_transfer_data(sim, data, n);
        if (transfer->n < transfer->size)
                return true;
        ended(sim, transfer->n == transfer->size, "more came than was said");
        return false;
}

void sim_http_input(struct sim *sim, const struct frame *frame)
{
        struct sim_transfer *transfer = sim->transfer;
        struct tcp *tcp = &transfer->tcp;
        bool was_opening = tcp->state == TCP_OPENING, answer;
        const uint8_t *data = NULL;
        size_t n = 0;

        if (frame->to_port != tcp->from_port || frame->from_port != tcp->to_port)
                return;
        answer = tcp_input(tcp, frame, &data, &n);
        sim->tries = 0;
        sim->deadline_ms = sim->now_ms + SIM_PATIENCE_MS;
        if (was_opening && tcp->state == TCP_OPEN)
                ask(sim);
        if (n > 0 && !take(sim, data, n))
                return;
        if (tcp->state == TCP_REFUSED)
                sim_fail(sim, was_opening ? "HTTP %s: connection refused" : "HTTP %s: connection reset",
                         transfer->path);
        else if (tcp->state == TCP_ENDED)
                sim_fail(sim, "HTTP %s: the server closed the connection", transfer->path);
        else if (answer)
                send_segment(sim);
}
