/* A simulated client's TFTP. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "simulate/sim_internal.h"

static void send_to(struct sim *sim, uint16_t port, const uint8_t *packet, size_t n)
{
        struct frame frame = {.kind = FRAME_UDP,
                              .from = sim->offer.address,
                              .to = sim->transfer->server,
                              .from_port = sim->transfer->from_port,
                              .to_port = port,
                              .data = packet,
                              .n = n};

        sim_send(sim, &frame);
}

static void acknowledge(struct sim *sim)
{
        uint8_t packet[TFTP_SMALL_PACKET];

        sim->transfer->unanswered = 0;
        send_to(sim, sim->transfer->to_port, packet, tftp_put_ack(packet, (uint16_t)sim->transfer->block));
}

static void ask(struct sim *sim)
{
        struct tftp_terms terms = sim->kind->terms;
        uint8_t packet[TFTP_SMALL_PACKET];
        ssize_t n;

        if (sim->transfer->probing)
                terms.has_windowsize = false;
        n = tftp_put_rrq(packet, sim->transfer->path, TFTP_OCTET, &terms);
        if (n < 0)
                sim_files_ended(sim, false, "the name is too long");
        else
                send_to(sim, 69, packet, (size_t)n);
}

void sim_tftp_start(struct sim *sim)
{
        sim->transfer->blksize = TFTP_BLKSIZE;
        sim->transfer->windowsize = 1;
        sim->state = SIM_NEW; /* so that the count of tries begins anew */
        sim_enter(sim, SIM_TFTP, SIM_PATIENCE_MS);
        ask(sim);
}

void sim_tftp_timeout(struct sim *sim)
{
        if (++sim->tries == SIM_TRIES) {
                sim_fail(sim, "TFTP %s: the server %s", sim->transfer->path,
                         sim->transfer->answered ? "stopped sending" : "does not answer");
                return;
        }
        sim->deadline_ms = sim->now_ms + SIM_PATIENCE_MS;
        if (sim->transfer->answered)
                acknowledge(sim);
        else
                ask(sim);
}

/* EDK2 reads the size, stops, and asks again. */
static void probed(struct sim *sim)
{
        uint8_t packet[TFTP_SMALL_PACKET];
        struct sim_transfer *transfer = sim->transfer;

        send_to(sim, transfer->to_port, packet, tftp_put_error(packet, TFTP_ERROR_OPTION, "User aborted the transfer"));
        sim_stage(sim, "TFTP %s: is of %llu bytes", transfer->path, (unsigned long long)transfer->size);
        transfer->probing = transfer->answered = false;
        transfer->from_port = sim->next_port++;
        transfer->to_port = 69;
        sim_tftp_start(sim);
}

static void agreed(struct sim *sim, const struct tftp_terms *terms)
{
        const struct tftp_terms *asked = &sim->kind->terms;
        struct sim_transfer *transfer = sim->transfer;

        if ((terms->has_blksize && (!asked->has_blksize || terms->blksize > asked->blksize)) ||
            (terms->has_windowsize && (!asked->has_windowsize || terms->windowsize > asked->windowsize)) ||
            (terms->has_timeout && (!asked->has_timeout || terms->timeout_sec != asked->timeout_sec)) ||
            (terms->has_tsize && !asked->has_tsize)) {
                sim_fail(sim, "TFTP %s: the server grants what was not asked for", transfer->path);
                return;
        }
        transfer->blksize = terms->has_blksize ? terms->blksize : TFTP_BLKSIZE;
        transfer->windowsize = terms->has_windowsize ? terms->windowsize : 1;
        transfer->has_size = terms->has_tsize;
        transfer->size = terms->tsize_bytes;
        if (transfer->probing)
                probed(sim);
        else
                acknowledge(sim);
}

static void data(struct sim *sim, const struct tftp_packet *packet)
{
        struct sim_transfer *transfer = sim->transfer;

        if (packet->block != (uint16_t)(transfer->block + 1)) {
                /* Twice the same is left alone; a gap is told of, once for each window (RFC 7440). */
                if ((uint16_t)(packet->block - transfer->block) < 0x8000 && transfer->unanswered++ == 0)
                        acknowledge(sim);
                return;
        }
        transfer->block++;
        sim_transfer_data(sim, packet->data, packet->n_data);
        if (packet->n_data < transfer->blksize) {
                acknowledge(sim);
                if (transfer->has_size && transfer->size != transfer->n)
                        sim_fail(sim, "TFTP %s: %llu bytes came of %llu", transfer->path,
                                 (unsigned long long)transfer->n, (unsigned long long)transfer->size);
                else
                        sim_files_ended(sim, true, NULL);
        } else if (++transfer->unanswered >= transfer->windowsize) {
                acknowledge(sim);
        }
}

static void datagram(struct sim *sim, const struct frame *frame)
{
        CLEANUP_FREE char *why = NULL;
        struct sim_transfer *transfer = sim->transfer;
        struct tftp_packet packet;

        if (frame->to_port != transfer->from_port || tftp_parse(frame->data, frame->n, &packet) < 0)
                return;
        if (transfer->answered && frame->from_port != transfer->to_port)
                return;
        transfer->to_port = frame->from_port;
        sim->tries = 0;
        sim->deadline_ms = sim->now_ms + SIM_PATIENCE_MS;
        if (packet.opcode == TFTP_ERROR) {
                why = str_printable(packet.text);
                sim_files_ended(sim, false, why);
                return;
        }
        if (packet.opcode == TFTP_OACK && !(transfer->answered && transfer->block)) {
                transfer->answered = true;
                agreed(sim, &packet.terms);
        } else if (packet.opcode == TFTP_DATA) {
                transfer->answered = true;
                data(sim, &packet);
        }
}

void sim_tftp_input(struct sim *sim, const struct frame *frame)
{
        size_t whole = TFTP_HEADER + (size_t)sim->transfer->blksize, left = frame->n;
        const uint8_t *at = frame->data;
        struct frame one = *frame;

        /* Blocks that were sent by one call (UDP_SEGMENT) come in one piece where no device has cut them: over a veth.
         */
        do {
                one.data = at;
                one.n = left > whole && get_be16(frame->data) == TFTP_DATA ? whole : left;
                datagram(sim, &one);
                at += one.n;
                left -= one.n;
        } while (left > 0 && sim->state == SIM_TFTP);
}
