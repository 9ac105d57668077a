/* A simulated client's DHCP: DISCOVER until an offer fits, a while for better
 * ones, REQUEST, and port 4011 where the answers ask for it. */
#include <string.h>

#include "base/bytes.h"
#include "simulate/sim_internal.h"
#include "wire/pxe.h"

#define ADDRESS(a) (a) >> 24, (a) >> 16 & 255, (a) >> 8 & 255, (a)&255
#define DOTTED     "%u.%u.%u.%u"

static void send_dhcp(struct sim *sim, const uint8_t *message, size_t n)
{
        struct frame frame = {.kind = FRAME_UDP,
                              .to = 0xffffffff,
                              .from_port = DHCP_CLIENT_PORT,
                              .to_port = DHCP_SERVER_PORT,
                              .data = message,
                              .n = n};

        sim->has_hop = false;
        sim_send(sim, &frame);
}

static struct sim_ask ask_of(const struct sim *sim)
{
        return (struct sim_ask){.tries = sim->tries,
                                .got_offer = sim->offer.there,
                                .got_proxy = sim->proxy.there,
                                .address = sim->offer.address,
                                .server = sim->offer.server};
}

void sim_dhcp_discover(struct sim *sim)
{
        uint8_t message[DHCP_SIZE_MAX];
        struct sim_ask ask = ask_of(sim);
        const size_t last = sizeof(sim->kind->discover_ms) / sizeof(sim->kind->discover_ms[0]) - 1;
        unsigned int tries = sim->tries;

        sim_enter(sim, SIM_DISCOVERING, sim->kind->discover_ms[tries < last ? tries : last]);
        sim->tries++;
        send_dhcp(sim, message, sim_discover(sim->kind, &sim->who, &ask, message));
        if (tries == 0)
                sim_stage(sim, "DISCOVER");
        else
                sim_stage(sim, "DISCOVER again (%u)", tries + 1);
}

static void read_answer(const struct dhcp_message *message, struct sim_answer *ret)
{
        struct pxe_vendor vendor;
        const uint8_t *p;
        size_t n;

        *ret = (struct sim_answer){.there = true,
                                   .address = message->h.yiaddr,
                                   .mask = dhcp_get_u32(message, DHCP_OPT_SUBNET_MASK, 0xffffff00),
                                   .router = dhcp_get_u32(message, DHCP_OPT_ROUTER, 0),
                                   .server = dhcp_get_u32(message, DHCP_OPT_SERVER_ID, 0),
                                   .next_server = message->h.siaddr};
        snprintf(ret->file, sizeof(ret->file), "%s", message->h.file);
        p = dhcp_get(message, DHCP_OPT_BOOT_FILE, &n);
        if (p)
                snprintf(ret->file, sizeof(ret->file), "%.*s", (int)n, (const char *)p);
        p = dhcp_get(message, DHCP_OPT_VENDOR_CLASS, &n);
        ret->pxe_class = p && n >= 9 && memcmp(p, "PXEClient", 9) == 0;
        ret->http_class = p && n >= 10 && memcmp(p, "HTTPClient", 10) == 0;
        p = dhcp_get(message, DHCP_OPT_VENDOR, &n);
        if (!p)
                return;
        pxe_read(p, n, &vendor);
        ret->has_vendor = vendor.has_control || vendor.n_servers || vendor.n_menu || vendor.has_prompt;
        ret->use_file = vendor.has_control && (vendor.control & PXE_USE_FILE);
        ret->item = vendor.n_menu ? vendor.menu[0].type : 0;
        for (size_t i = 0; i < vendor.n_menu && i < PXE_ITEMS; i++)
                if (vendor.menu[i].len >= 17 && memcmp(vendor.menu[i].text, "Raspberry Pi Boot", 17) == 0)
                        ret->pi_menu = true;
}

/* ACK came, or the client does without. */
static void leased(struct sim *sim)
{
        const struct sim_answer *answer = NULL;
        const char *why = NULL;
        enum sim_way way = sim_decide(sim->kind, &sim->offer, &sim->proxy, &answer, &why);

        if (way == SIM_WAY_NONE) {
                sim_fail(sim, "has " DOTTED ", but nothing to boot: %s", ADDRESS(sim->offer.address), why);
                return;
        }
        sim->boot = *answer;
        sim->ask_binl = way == SIM_WAY_BINL;
        sim_proceed(sim);
}

static void request(struct sim *sim)
{
        uint8_t message[DHCP_SIZE_MAX];
        struct sim_ask ask = ask_of(sim);

        if (sim->kind->silent) {
                leased(sim);
                return;
        }
        sim_enter(sim, SIM_REQUESTING, 1000 * ((int64_t)sim->tries + 1));
        if (sim->tries++ == 4) {
                sim_fail(sim, DOTTED " does not answer the REQUEST for " DOTTED, ADDRESS(sim->offer.server),
                         ADDRESS(sim->offer.address));
                return;
        }
        send_dhcp(sim, message, sim_request(sim->kind, &sim->who, &ask, message));
        if (sim->tries == 1)
                sim_stage(sim, "REQUEST");
}

/* On port 4011 of the server that told of it; from our address, so that the answer finds us. */
void sim_dhcp_binl(struct sim *sim)
{
        uint8_t message[DHCP_SIZE_MAX];
        struct sim_ask ask = ask_of(sim);
        struct frame frame = {.kind = FRAME_UDP,
                              .from = sim->offer.address,
                              .to = sim->boot.server,
                              .from_port = DHCP_CLIENT_PORT,
                              .to_port = DHCP_BINL_PORT,
                              .data = message};

        sim_enter(sim, SIM_ASKING, 0);
        if (sim->tries++ == 4) {
                sim_fail(sim, DOTTED " does not answer on port 4011", ADDRESS(sim->boot.server));
                return;
        }
        sim->deadline_ms = sim->now_ms + 1000 * (int64_t)sim->tries;
        frame.n = sim_binl(sim->kind, &sim->who, &ask, sim->boot.item, message);
        sim_send(sim, &frame);
        if (sim->tries == 1)
                sim_stage(sim, "REQUEST to " DOTTED " port 4011", ADDRESS(sim->boot.server));
}

void sim_dhcp_timeout(struct sim *sim)
{
        if (sim->state == SIM_REQUESTING)
                request(sim);
        else if (sim->state == SIM_ASKING)
                sim_dhcp_binl(sim);
        else if (sim->collected_ms && sim->now_ms >= sim->collected_ms)
                request(sim);
        else if (sim->tries == 4)
                sim_fail(sim, sim->proxy.there ? "a proxy answered, but no server offers an address"
                                               : "no server offers an address");
        else
                sim_dhcp_discover(sim);
}

/* Is there nothing left to wait for? */
static bool content(const struct sim *sim)
{
        const struct sim_answer *answer;
        const char *why;

        return sim->offer.there && sim->hurry &&
               sim_decide(sim->kind, &sim->offer, &sim->proxy, &answer, &why) != SIM_WAY_NONE;
}

static void offered(struct sim *sim, const struct sim_answer *answer)
{
        bool proxy = !answer->address;
        struct sim_answer *kept = proxy ? &sim->proxy : &sim->offer;

        if (kept->there)
                return;
        *kept = *answer;
        if (proxy)
                sim_stage(sim, "proxy OFFER from " DOTTED "%s%s", ADDRESS(answer->server), *answer->file ? ": " : "",
                          answer->file);
        else
                sim_stage(sim, "OFFER of " DOTTED " from " DOTTED "%s%s", ADDRESS(answer->address),
                          ADDRESS(answer->server), *answer->file ? ": " : "", answer->file);
        if (!sim->offer.there)
                return;
        if (!sim->collected_ms) {
                sim->collected_ms = sim->now_ms + (sim->hurry ? SIM_HURRY_MS : sim->kind->wait_ms);
                sim->deadline_ms = sim->collected_ms;
        }
        if (content(sim) || sim->now_ms >= sim->collected_ms)
                request(sim);
}

static void acknowledged(struct sim *sim, const struct sim_answer *answer)
{
        if (!answer->address || answer->server != sim->offer.server)
                return;
        sim->offer = *answer;
        sim_stage(sim, "ACK of " DOTTED, ADDRESS(answer->address));
        leased(sim);
}

static void told(struct sim *sim, const struct sim_answer *answer)
{
        if (!*answer->file)
                return;
        sim->boot = *answer;
        if (!sim->boot.next_server)
                sim->boot.next_server = answer->server;
        sim_stage(sim, "ACK from port 4011: %s", answer->file);
        sim->ask_binl = false;
        sim_proceed(sim);
}

void sim_dhcp_input(struct sim *sim, const struct frame *frame)
{
        struct dhcp_message message;
        struct sim_answer answer;
        const char *reason;

        if (dhcp_parse(frame->data, frame->n, &message, &reason) < 0 || message.h.op != DHCP_REPLY_OP ||
            message.h.xid != sim->who.xid || memcmp(message.h.chaddr, sim->who.mac, 6) != 0)
                return;
        read_answer(&message, &answer);
        if (sim->state == SIM_DISCOVERING && message.type == DHCP_OFFER)
                offered(sim, &answer);
        else if (sim->state == SIM_REQUESTING && message.type == DHCP_ACK)
                acknowledged(sim, &answer);
        else if (sim->state == SIM_REQUESTING && message.type == DHCP_NAK)
                sim_fail(sim, DOTTED " refuses " DOTTED, ADDRESS(answer.server), ADDRESS(sim->offer.address));
        else if (sim->state == SIM_ASKING && message.type == DHCP_ACK)
                told(sim, &answer);
}
