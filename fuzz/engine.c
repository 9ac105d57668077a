/* The DHCP engine, driven by a row of messages: however they follow each
 * other, an answer is whole, its address is one that may be given, a lease is
 * to be written before it is acknowledged, and option 82 comes back last.
 *
 * Input: any number of {kind, client, address, flags, n, n bytes of options}. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "fuzz.h"
#include "serve/engine.h"
#include "serve/relay.h"

enum { SERVER = 0x0a000001, FIRST = 0x0a000064, LAST = 0x0a000067, RESERVED = 0x0a00000b, RELAYED = 0x0a010000 };

static const struct site_range near[] = {{FIRST, LAST}}, far[] = {{RELAYED + 10, RELAYED + 12}};
static const uint8_t mac[][6] = {{2, 0, 0, 0, 0, 7}};
static const struct site_machine machines[] = {{.name = "m", .macs = mac, .n_macs = 1, .address = RESERVED}};
static const uint8_t router[] = {10, 0, 0, 254};
static const struct site_option options[] = {{.code = 3, .data = router, .len = 4},
                                             {.code = 224, .data = router, .len = 3, .force = true}};

static const struct site_machine *machine_of(const struct site *site, const struct client *client)
{
        return client->has_mac && memcmp(client->mac, mac[0], 6) == 0 ? &site->machines[0] : NULL;
}

static int boot_of(const struct site *site, const struct site_network *network, const struct client *client,
                   uint32_t server, struct site_boot *ret, struct error *err)
{
        (void)site;
        (void)network;
        (void)server;
        if (client->kind == CLIENT_GRUB)
                return error_set(err, EINVAL, "no");
        ret->file = xstrdup(client->http ? "http://10.0.0.1/x.efi" : client->kind == CLIENT_OTHER ? "" : "x.efi");
        ret->pxe = client->kind == CLIENT_PI ? SITE_PXE_PI : SITE_PXE_DIRECT;
        return 0;
}

static void boot_clear(struct site_boot *boot)
{
        free(boot->file);
}

static const struct dhcp_policy policy = {machine_of, boot_of, boot_clear};

struct world {
        struct site_network networks[3];
        struct site site;
        struct dhcp_engine *engine;
        int64_t now_ms;
        struct dhcp_message message, answer;
        struct dhcp_result result;
};

static void world_init(struct world *w, uint8_t flags)
{
        w->networks[0] = (struct site_network){.name = "near",
                                               .interface = "a",
                                               .address = SERVER,
                                               .subnet = 0x0a000000,
                                               .mask = 0xffffff00,
                                               .ranges = {near, 1},
                                               .options = {options, 2},
                                               .lease_sec = 100,
                                               .max_lease_sec = 1000,
                                               .authoritative = flags & 1,
                                               .only_known = flags & 2,
                                               .probe = flags & 4};
        w->networks[1] = (struct site_network){.name = "far",
                                               .subnet = RELAYED,
                                               .mask = 0xffffff00,
                                               .ranges = {far, 1},
                                               .shared = flags & 8 ? "s" : NULL};
        w->networks[2] = (struct site_network){.name = "beside",
                                               .interface = "b",
                                               .mode = SITE_PROXY,
                                               .address = 0x0a020001,
                                               .subnet = 0x0a020000,
                                               .mask = 0xffffff00};
        if (flags & 8)
                w->networks[0].shared = "s";
        w->site = (struct site){.networks = w->networks, .n_networks = 3, .machines = machines, .n_machines = 1};
        w->engine = dhcp_engine_new(&w->site, &policy, 3);
        w->now_ms = 1700000000000;
}

static bool may_be_given(uint32_t address)
{
        return (address >= FIRST && address <= LAST) || address == RESERVED ||
               (address >= RELAYED + 10 && address <= RELAYED + 12);
}

static void check_agent(const struct world *w)
{
        size_t len, echo_len;
        const uint8_t *agent = dhcp_get(&w->message, DHCP_OPT_AGENT, &len),
                      *echo = dhcp_get(&w->answer, DHCP_OPT_AGENT, &echo_len);

        FUZZ_ASSERT(!agent == !echo);
        if (agent)
                FUZZ_ASSERT(len == echo_len && memcmp(agent, echo, len) == 0 &&
                            w->answer.order[w->answer.n_options - 1] == DHCP_OPT_AGENT);
}

static void check_answer(struct world *w, bool read_only)
{
        const struct dhcp_result *result = &w->result;
        const char *reason;
        uint32_t address;

        FUZZ_ASSERT(result->n_notes <= DHCP_NOTES && result->n_writes <= DHCP_WRITES);
        FUZZ_ASSERT(!read_only || result->n_writes == 0 || w->message.type == DHCP_DECLINE ||
                    w->message.type == DHCP_RELEASE);
        for (size_t i = 0; i < result->n_writes; i++)
                FUZZ_ASSERT(dhcp_engine_lease(w->engine, result->writes[i]));
        if (result->send == DHCP_SEND_NONE)
                return;
        FUZZ_ASSERT(result->len >= DHCP_BOOTP_SIZE && result->len < DHCP_SIZE_MAX);
        FUZZ_ASSERT(dhcp_parse(result->bytes, result->len, &w->answer, &reason) == 0);
        FUZZ_ASSERT(w->answer.h.op == DHCP_REPLY_OP && w->answer.h.xid == w->message.h.xid);
        FUZZ_ASSERT(result->to != 0 && result->to_port != 0 && result->from != 0);
        check_agent(w);
        address = w->answer.h.yiaddr;
        FUZZ_ASSERT(address == 0 || may_be_given(address));
        if (address && w->answer.type != DHCP_OFFER) {
                const struct lease *lease = dhcp_engine_lease(w->engine, address);

                FUZZ_ASSERT(lease && lease->state == LEASE_ACTIVE && lease->end_sec > w->now_ms / 1000);
                FUZZ_ASSERT(result->n_writes > 0 || read_only);
        }
}

static size_t make_message(const uint8_t *p, const uint8_t *extra, size_t n, uint8_t *buf)
{
        static const enum dhcp_type types[] = {DHCP_DISCOVER, DHCP_REQUEST, DHCP_DECLINE,
                                               DHCP_RELEASE,  DHCP_INFORM,  DHCP_NONE};
        enum dhcp_type type = types[p[0] % 6];
        uint32_t address = p[2] & 0x80 ? (uint32_t)RELAYED + (p[2] & 0x1f) : 0x0a000000u + (p[2] & 0x7f);
        uint8_t *o = buf + DHCP_HEADER;

        memset(buf, 0, DHCP_HEADER);
        buf[0] = DHCP_REQUEST_OP;
        buf[1] = p[3] & 1 ? 32 : 1;
        buf[2] = 6;
        buf[7] = p[1];
        buf[10] = p[3] & 2 ? 0x80 : 0;
        buf[28] = 2;
        buf[33] = p[1] & 15;
        put_be32(buf + 12, p[3] & 4 ? address : 0);
        put_be32(buf + 24, p[3] & 8 ? RELAYED + 1 : 0);
        put_be32(buf + 236, 0x63825363);
        if (type != DHCP_NONE) {
                *o++ = DHCP_OPT_TYPE;
                *o++ = 1;
                *o++ = (uint8_t)type;
        }
        if (p[3] & 16) {
                *o++ = DHCP_OPT_REQUESTED_ADDRESS;
                *o++ = 4;
                put_be32(o, address);
                o += 4;
        }
        if (p[3] & 32) {
                *o++ = DHCP_OPT_SERVER_ID;
                *o++ = 4;
                put_be32(o, SERVER);
                o += 4;
        }
        memcpy(o, extra, n);
        return (size_t)(o + n - buf);
}

static void handle(struct world *w, const struct dhcp_received *in, bool read_only)
{
        dhcp_engine_read_only(w->engine, read_only);
        dhcp_engine_handle(w->engine, w->now_ms, in, &w->result);
        for (int i = 0; w->result.probe && i < 4; i++) {
                FUZZ_ASSERT(may_be_given(w->result.probe));
                dhcp_engine_probed(w->engine, w->now_ms, w->result.probe, (w->message.h.chaddr[5] + i) & 1);
                dhcp_engine_handle(w->engine, w->now_ms, in, &w->result);
        }
        check_answer(w, read_only);
}

/* The same message through a relay, there and back. */
static void relay_it(const uint8_t *buf, size_t size)
{
        static const struct relay relay = {.interfaces = {{"eth0", 2, RELAYED + 1, 1500}},
                                           .n_interfaces = 1,
                                           .servers = {SERVER},
                                           .n_servers = 1,
                                           .add_agent_option = true,
                                           .remote_id = "r",
                                           .hop_limit = 16};
        static uint8_t out[DHCP_SIZE_MAX], back[DHCP_SIZE_MAX];
        const struct relay_interface *to;
        const char *reason;
        bool broadcast;
        size_t n = relay_request(&relay, &relay.interfaces[0], buf, size, out, &reason);

        FUZZ_ASSERT(n <= DHCP_SIZE_MAX);
        if (n == 0)
                return;
        out[0] = DHCP_REPLY_OP;
        n = relay_reply(&relay, out, n < DHCP_SIZE_MAX ? n : DHCP_SIZE_MAX - 1, back, &to, &broadcast, &reason);
        FUZZ_ASSERT(n <= DHCP_SIZE_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct world *w = xcalloc(1, sizeof(*w));
        uint8_t buf[DHCP_HEADER + 16 + 255];

        world_init(w, size ? data[0] : 0);
        for (size_t i = 1; size - i >= 6 && i < size;) {
                const uint8_t *p = data + i;
                size_t n = p[5] < size - i - 6 ? p[5] : size - i - 6, message_size = make_message(p, p + 6, n, buf);
                const char *reason;
                struct dhcp_received in = {.message = &w->message,
                                           .interface = p[4] & 1 ? "b" : "a",
                                           .our = SERVER,
                                           .destination = p[4] & 2 ? SERVER : UINT32_MAX,
                                           .source = get_be32(buf + 12),
                                           .source_port = 68,
                                           .binl = p[4] & 4};

                relay_it(buf, message_size);
                if (dhcp_parse(buf, message_size, &w->message, &reason) == 0)
                        handle(w, &in, p[4] & 8);
                w->now_ms += (int64_t)(p[4] >> 4) * 10000;
                i += 6 + n;
        }
        dhcp_engine_free(w->engine);
        free(w);
        return 0;
}
