#include "simulate/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "simulate/sim_internal.h"

static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

void sim_init(struct sim *sim, const struct sim_kind *kind, unsigned int number, bool hurry, const struct sim_io *io)
{
        *sim = (struct sim){.kind = kind, .io = io, .hurry = hurry};
        sim_identify(kind, number, &sim->who);
        snprintf(sim->kernel, sizeof(sim->kernel), "%s",
                 kind->board && kind->board[3] == '5' ? "kernel_2712.img" : "kernel8.img");
}

void sim_clear(struct sim *sim)
{
        sim_transfer_free(sim);
        free(sim->failure);
        sim->failure = NULL;
}

void sim_stage(struct sim *sim, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        sim->io->stage(sim->io->arg, sim, text);
}

void sim_fail(struct sim *sim, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        free(sim->failure);
        sim->failure = xvasprintf(format, ap);
        va_end(ap);
        sim_enter(sim, SIM_FAILED, 0);
        sim->io->stage(sim->io->arg, sim, sim->failure);
}

void sim_enter(struct sim *sim, enum sim_state state, int64_t patience_ms)
{
        if (sim->state != state)
                sim->tries = 0;
        sim->state = state;
        sim->deadline_ms = sim->now_ms + patience_ms;
}

void sim_send(struct sim *sim, struct frame *frame)
{
        memcpy(frame->from_mac, sim->who.mac, 6);
        memcpy(frame->to_mac, sim->has_hop ? sim->hop_mac : everybody, 6);
        frame->ttl = sim->kind->ttl;
        frame->no_checksum = sim->kind->no_checksum;
        sim->io->send(sim->io->arg, frame);
}

/* Who has the next hop's address? */
static void resolve(struct sim *sim)
{
        struct frame frame = {.kind = FRAME_ARP, .from = sim->offer.address, .to = sim->hop};

        if (sim->tries++ == SIM_TRIES) {
                sim_fail(sim, "nobody answers for %u.%u.%u.%u", sim->hop >> 24, sim->hop >> 16 & 255,
                         sim->hop >> 8 & 255, sim->hop & 255);
                return;
        }
        sim->deadline_ms = sim->now_ms + (sim->hurry ? SIM_HURRY_MS : 1000);
        memcpy(frame.to_mac, everybody, 6);
        memcpy(frame.from_mac, sim->who.mac, 6);
        sim->io->send(sim->io->arg, &frame);
}

static bool reached(struct sim *sim, uint32_t address)
{
        uint32_t hop = (address ^ sim->offer.address) & sim->offer.mask ? sim->offer.router : address;

        if (sim->has_hop && sim->hop == hop)
                return true;
        sim->hop = hop;
        sim->has_hop = false;
        if (hop) {
                sim_enter(sim, SIM_RESOLVING, 0);
                resolve(sim);
        } else {
                sim_fail(sim, "%u.%u.%u.%u is on another network, and there is no router", address >> 24,
                         address >> 16 & 255, address >> 8 & 255, address & 255);
        }
        return false;
}

void sim_proceed(struct sim *sim)
{
        uint32_t target = sim->ask_binl ? sim->boot.server : sim_files_server(sim);

        if (!sim_over(sim) && reached(sim, target)) {
                if (sim->ask_binl)
                        sim_dhcp_binl(sim);
                else
                        sim_files_start(sim);
        }
}

static void arp_input(struct sim *sim, const struct frame *frame)
{
        struct frame answer = {.kind = FRAME_ARP, .arp_reply = true, .from = frame->to, .to = frame->from};

        if (frame->arp_reply) {
                if (sim->state != SIM_RESOLVING || frame->from != sim->hop)
                        return;
                memcpy(sim->hop_mac, frame->from_mac, 6);
                sim->has_hop = true;
                sim_proceed(sim);
        } else if (sim->offer.address && frame->to == sim->offer.address && sim->state > SIM_REQUESTING) {
                memcpy(answer.to_mac, frame->from_mac, 6);
                memcpy(answer.from_mac, sim->who.mac, 6);
                sim->io->send(sim->io->arg, &answer);
        }
}

void sim_start(struct sim *sim, int64_t now_ms)
{
        sim->now_ms = sim->started_ms = now_ms;
        /* Not the port of the last run, which the server may not be done with. */
        sim->next_port = (uint16_t)(49152 + (now_ms + sim->who.serial) % 16000);
        sim_dhcp_discover(sim);
}

void sim_input(struct sim *sim, const struct frame *frame, int64_t now_ms)
{
        bool files = sim->state == SIM_TFTP || sim->state == SIM_HTTP_GET;

        sim->now_ms = now_ms;
        if (frame->kind == FRAME_ARP)
                arp_input(sim, frame);
        else if (sim_over(sim))
                return;
        else if (frame->kind == FRAME_UDP && (frame->to_port == DHCP_CLIENT_PORT || frame->to_port == DHCP_BINL_PORT))
                sim_dhcp_input(sim, frame);
        else if (!files || frame->to != sim->offer.address)
                return;
        else if (frame->kind == FRAME_UDP && sim->state == SIM_TFTP)
                sim_tftp_input(sim, frame);
        else if (frame->kind == FRAME_TCP && sim->state == SIM_HTTP_GET)
                sim_http_input(sim, frame);
}

void sim_timeout(struct sim *sim, int64_t now_ms)
{
        sim->now_ms = now_ms;
        switch (sim->state) {
        case SIM_DISCOVERING:
        case SIM_REQUESTING:
        case SIM_ASKING:
                sim_dhcp_timeout(sim);
                break;
        case SIM_RESOLVING:
                resolve(sim);
                break;
        case SIM_TFTP:
                sim_tftp_timeout(sim);
                break;
        case SIM_HTTP_GET:
                sim_http_timeout(sim);
                break;
        case SIM_NEW:
        case SIM_DONE:
        case SIM_FAILED:
                break;
        }
}
