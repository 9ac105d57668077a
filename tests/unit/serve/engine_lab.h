/* An engine on a small site, and clients that talk to it: for the engine's tests. */
#pragma once

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/str.h"
#include "serve/engine.h"

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

enum {
        SERVER = IP(192, 0, 2, 1),
        FIRST = IP(192, 0, 2, 100),
        LAST = IP(192, 0, 2, 103),
        RESERVED = IP(192, 0, 2, 11),
};

/* Two networks on one relay's other side, one here. */
static const struct site_range lab_ranges[] = {{FIRST, LAST}};
static const struct site_range far_ranges[] = {{IP(10, 1, 0, 10), IP(10, 1, 0, 20)}};
static const uint8_t lab_router[] = {192, 0, 2, 254}, lab_dns[] = {192, 0, 2, 53};
static const struct site_option lab_options[] = {
        {.code = DHCP_OPT_ROUTER, .data = lab_router, .len = 4},
        {.code = DHCP_OPT_DNS, .data = lab_dns, .len = 4},
        {.code = 224, .data = lab_dns, .len = 1, .force = true},
        {.code = 225, .data = lab_dns, .len = 2, .vendor_class = "special"},
        {.code = 225, .data = lab_dns, .len = 1},
};
static const uint8_t reserved_macs[][6] = {{2, 0, 0, 0, 0, 0xaa}, {2, 0, 0, 0, 0, 0xab}};
static const struct site_machine lab_machines[] = {
        {.name = "rack1", .macs = reserved_macs, .n_macs = 2, .address = RESERVED, .host_name = "rack1"},
};

struct lab {
        struct site_network networks[2];
        struct site site;
        struct dhcp_engine *engine;
        int64_t now_ms;
        const char *boot_file; /* what everybody boots, or NULL */
        enum site_pxe pxe;
        struct dhcp_writer w; /* the client's next message */
        struct dhcp_received in;
        struct dhcp_message message, reply;
        struct dhcp_result out;
};
static struct lab lab;

static inline const struct site_machine *lab_machine(const struct site *site, const struct client *client)
{
        for (size_t i = 0; i < site->n_machines; i++)
                for (size_t k = 0; client->has_mac && k < site->machines[i].n_macs; k++)
                        if (memcmp(site->machines[i].macs[k], client->mac, 6) == 0)
                                return &site->machines[i];
        return NULL;
}

static inline int lab_boot(const struct site *site, const struct site_network *network, const struct client *client,
                           uint32_t server, struct site_boot *ret, struct error *err)
{
        (void)site;
        (void)network;
        (void)client;
        (void)server;
        (void)err;
        if (lab.boot_file)
                ret->file = xstrdup(lab.boot_file);
        ret->pxe = lab.pxe;
        return 0;
}

static inline void lab_boot_clear(struct site_boot *boot)
{
        free(boot->file);
}

static const struct dhcp_policy lab_policy = {lab_machine, lab_boot, lab_boot_clear};

static inline int lab_setup(void **state)
{
        (void)state;
        memset(&lab, 0, sizeof(lab));
        lab.networks[0] = (struct site_network){
                .name = "lab",
                .interface = "eth0",
                .address = SERVER,
                .subnet = IP(192, 0, 2, 0),
                .mask = 0xffffff00,
                .ranges = {lab_ranges, 1},
                .options = {lab_options, sizeof(lab_options) / sizeof(lab_options[0])},
                .lease_sec = 1000,
                .max_lease_sec = 2000,
        };
        lab.networks[1] = (struct site_network){
                .name = "far",
                .subnet = IP(10, 1, 0, 0),
                .mask = 0xffff0000,
                .ranges = {far_ranges, 1},
                .lease_sec = 1000,
        };
        lab.site = (struct site){.networks = lab.networks, .n_networks = 2, .machines = lab_machines, .n_machines = 1};
        lab.engine = dhcp_engine_new(&lab.site, &lab_policy, 42);
        lab.now_ms = 1700000000000;
        return 0;
}

static inline int lab_teardown(void **state)
{
        (void)state;
        lab.engine = dhcp_engine_free(lab.engine);
        return 0;
}

/* ---- a client's message ---- */

static inline void say(enum dhcp_type type, uint8_t mac)
{
        dhcp_writer_init(&lab.w);
        lab.w.h.op = DHCP_REQUEST_OP;
        lab.w.h.htype = DHCP_ETHERNET;
        lab.w.h.hlen = 6;
        lab.w.h.xid = 0x1000u + mac;
        lab.w.h.chaddr[0] = 2;
        lab.w.h.chaddr[5] = mac;
        if (type != DHCP_NONE)
                dhcp_put_u8(&lab.w, DHCP_OPT_TYPE, (uint8_t)type);
        lab.in = (struct dhcp_received){.message = &lab.message,
                                        .interface = "eth0",
                                        .our = SERVER,
                                        .destination = UINT32_MAX,
                                        .source_port = DHCP_CLIENT_PORT};
}

/* Hand in bytes; the answer, if there is one, is in lab.reply. */
static inline void handle_bytes(const uint8_t *buf, size_t n)
{
        const char *reason = NULL;

        lab.reply.type = 0;
        lab.out.send = DHCP_SEND_NONE;
        lab.out.n_writes = 0;
        if (dhcp_parse(buf, n, &lab.message, &reason) < 0)
                return;
        dhcp_engine_handle(lab.engine, lab.now_ms, &lab.in, &lab.out);
        if (lab.out.send != DHCP_SEND_NONE)
                assert_int_equal(dhcp_parse(lab.out.bytes, lab.out.len, &lab.reply, &reason), 0);
}

static inline void handle(void)
{
        uint8_t buf[DHCP_SIZE_MAX];

        handle_bytes(buf, dhcp_write(&lab.w, DHCP_ETHERNET_SIZE, buf));
}

static inline void put_address(uint8_t code, uint32_t address)
{
        dhcp_put_u32(&lab.w, code, address);
}

/* What the notes say, all of them; for strstr(). */
static inline const char *notes(void)
{
        static char text[1024];
        size_t n = 0;

        text[0] = '\0';
        for (size_t i = 0; i < lab.out.n_notes; i++)
                n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\n", lab.out.notes[i].text);
        return text;
}

static inline void assert_silent(const char *why)
{
        assert_int_equal(lab.out.send, DHCP_SEND_NONE);
        assert_non_null(strstr(notes(), why));
}

static inline void assert_answer(enum dhcp_type type, uint32_t address)
{
        assert_int_not_equal(lab.out.send, DHCP_SEND_NONE);
        assert_int_equal(lab.reply.type, type);
        assert_int_equal(lab.reply.h.yiaddr, address);
}

static inline uint32_t offered(uint8_t mac)
{
        say(DHCP_DISCOVER, mac);
        handle();
        return lab.reply.type == DHCP_OFFER ? lab.reply.h.yiaddr : 0;
}

static inline void select_address(uint8_t mac, uint32_t address)
{
        say(DHCP_REQUEST, mac);
        put_address(DHCP_OPT_SERVER_ID, SERVER);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
        handle();
}

/* A lease by all four messages; its address. */
static inline uint32_t acquire(uint8_t mac)
{
        uint32_t address = offered(mac);

        if (!address)
                return 0;
        select_address(mac, address);
        assert_answer(DHCP_ACK, address);
        return address;
}

static inline void pass_sec(int64_t sec)
{
        lab.now_ms += sec * 1000;
}

static inline enum lease_state lease_state(uint32_t address)
{
        const struct lease *lease = dhcp_engine_lease(lab.engine, address);

        return lease ? lease->state : LEASE_STATES;
}

#define LAB_TEST(test) cmocka_unit_test_setup_teardown(test, lab_setup, lab_teardown)
