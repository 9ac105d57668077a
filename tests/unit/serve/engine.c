/* Addresses and leases: RFC 2131 state by state. */
#include "engine_lab.h"

static void test_dora(void **state)
{
        uint32_t address;

        (void)state;
        say(DHCP_DISCOVER, 1);
        dhcp_put(&lab.w, DHCP_OPT_CLIENT_ID, "\1\2\0\0\0\0\1", 7);
        handle();
        address = lab.reply.h.yiaddr;
        assert_answer(DHCP_OFFER, address);
        assert_in_range(address, FIRST, LAST);
        assert_int_equal(lab.out.n_writes, 0);
        assert_int_equal(lab.out.send, DHCP_SEND_HARDWARE);
        assert_int_equal(lab.out.to, address);
        assert_int_equal(lab.out.to_port, 68);
        assert_int_equal(lab.out.from, SERVER);
        assert_int_equal(lab.reply.h.xid, 0x1001);
        assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_SERVER_ID, 0), SERVER);
        assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_LEASE_TIME, 0), 1000);
        assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_T1, 0), 500);
        assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_T2, 0), 875);
        assert_true(dhcp_has(&lab.reply, DHCP_OPT_CLIENT_ID)); /* RFC 6842 */
        assert_int_equal(lease_state(address), LEASE_OFFERED);

        say(DHCP_REQUEST, 1);
        dhcp_put(&lab.w, DHCP_OPT_CLIENT_ID, "\1\2\0\0\0\0\1", 7);
        put_address(DHCP_OPT_SERVER_ID, SERVER);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
        dhcp_put_text(&lab.w, DHCP_OPT_HOST_NAME, "kitchen");
        lab.w.h.flags = DHCP_BROADCAST_FLAG;
        handle();
        assert_answer(DHCP_ACK, address);
        assert_int_equal(lab.out.send, DHCP_SEND_BROADCAST);
        assert_int_equal(lab.out.n_writes, 1);
        assert_int_equal(lab.out.writes[0], address);
        assert_int_equal(lease_state(address), LEASE_ACTIVE);
        assert_string_equal(dhcp_engine_lease(lab.engine, address)->host_name, "kitchen");
        assert_int_equal(dhcp_engine_lease(lab.engine, address)->end_sec, lab.now_ms / 1000 + 1000);
}

/* An offer is held, then free again; the client that comes back gets the same. */
static void test_offers_are_held(void **state)
{
        uint32_t mine = offered(1), all = 0;

        (void)state;
        assert_int_equal(offered(1), mine);
        for (uint8_t mac = 2; mac <= 4; mac++) {
                uint32_t address = offered(mac);

                assert_in_range(address, FIRST, LAST);
                assert_int_not_equal(address, mine);
                all |= 1u << (address - FIRST);
        }
        assert_int_equal(all | 1u << (mine - FIRST), 15); /* all four, each once */
        assert_int_equal(offered(5), 0);
        assert_silent("no free address in network 'lab'");
        pass_sec(DHCP_OFFER_SCARCE_SEC + 1); /* nobody asked for theirs: one of them is offered again */
        assert_in_range(offered(5), FIRST, LAST);
        pass_sec(DHCP_OFFER_SEC + 1);
        assert_in_range(offered(6), FIRST, LAST);
}

static void test_pool_is_used_up(void **state)
{
        uint32_t first = acquire(1);

        (void)state;
        for (uint8_t mac = 2; mac <= 4; mac++)
                assert_int_not_equal(acquire(mac), 0);
        assert_int_equal(acquire(5), 0);
        pass_sec(999);
        assert_int_equal(acquire(5), 0);
        pass_sec(2);
        assert_int_not_equal(acquire(5), 0); /* a lease has ended */
        assert_int_not_equal(acquire(1), 0);
        (void)first;
}

/* Order: current binding, earlier one, what is asked for, the pool. */
static void test_choice(void **state)
{
        uint32_t address;

        (void)state;
        say(DHCP_DISCOVER, 1);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, LAST);
        handle();
        assert_answer(DHCP_OFFER, LAST);
        select_address(1, LAST);
        assert_answer(DHCP_ACK, LAST);
        pass_sec(5000); /* ended, and nobody else wanted it */
        say(DHCP_DISCOVER, 1);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, FIRST);
        handle();
        assert_answer(DHCP_OFFER, LAST);

        say(DHCP_DISCOVER, 2); /* somebody else's, out of the range, reserved, ours: none of these */
        put_address(DHCP_OPT_REQUESTED_ADDRESS, LAST);
        handle();
        address = lab.reply.h.yiaddr;
        assert_in_range(address, FIRST, LAST - 1);
        for (uint32_t wish = IP(192, 0, 2, 0); wish < IP(192, 0, 2, 20); wish++) {
                say(DHCP_DISCOVER, 3);
                put_address(DHCP_OPT_REQUESTED_ADDRESS, wish);
                handle();
                assert_in_range(lab.reply.h.yiaddr, FIRST, LAST);
        }
}

static void test_reservation(void **state)
{
        (void)state;
        assert_int_equal(acquire(0xaa), RESERVED);
        say(DHCP_DISCOVER, 0xaa);
        dhcp_put(&lab.w, DHCP_OPT_PARAMETERS, "\x0c", 1);
        handle();
        assert_int_equal(lab.reply.len[DHCP_OPT_HOST_NAME], 5);
        say(DHCP_REQUEST, 1); /* nobody else gets it, lease or not */
        put_address(DHCP_OPT_SERVER_ID, SERVER);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, RESERVED);
        pass_sec(5000);
        handle();
        assert_answer(DHCP_NAK, 0);
}

/* A machine with a lease is given a reservation: a NAK sends it there, unless somebody else has it. */
static void test_new_reservation(void **state)
{
        uint32_t before;

        (void)state;
        lab.site.n_machines = 0;
        dhcp_engine_reload(lab.engine, &lab.site);
        before = acquire(0xaa);
        assert_in_range(before, FIRST, LAST);
        lab.site.n_machines = 1;
        dhcp_engine_reload(lab.engine, &lab.site);

        say(DHCP_REQUEST, 0xaa);
        lab.w.h.ciaddr = before;
        lab.in.source = before;
        lab.in.destination = SERVER;
        handle();
        assert_answer(DHCP_NAK, 0);
        assert_int_equal(acquire(0xaa), RESERVED);
        assert_int_equal(lease_state(before), LEASE_FREE);
        assert_int_equal(lab.out.n_writes, 2); /* the old address is free at once, on disk too */
}

static void test_reservation_in_use(void **state)
{
        struct lease other = {.address = RESERVED,
                              .state = LEASE_ACTIVE,
                              .end_sec = INT64_MAX,
                              .id = (const uint8_t *)"other",
                              .id_len = 5};
        uint32_t address;

        (void)state;
        dhcp_engine_restore(lab.engine, RESERVED, &other);
        address = acquire(0xaa);
        assert_in_range(address, FIRST, LAST);
        say(DHCP_REQUEST, 0xaa); /* no endless loop of NAKs */
        lab.w.h.ciaddr = address;
        lab.in.destination = SERVER;
        handle();
        assert_answer(DHCP_ACK, address);
}

static void test_renewing(void **state)
{
        uint32_t address = acquire(1);

        (void)state;
        pass_sec(500);
        say(DHCP_REQUEST, 1);
        lab.w.h.ciaddr = address;
        lab.in.source = address;
        lab.in.destination = SERVER;
        dhcp_put_u32(&lab.w, DHCP_OPT_LEASE_TIME, 100000);
        handle();
        assert_answer(DHCP_ACK, address);
        assert_int_equal(lab.reply.h.ciaddr, address);
        assert_int_equal(lab.out.send, DHCP_SEND_ROUTED);
        assert_int_equal(lab.out.to, address);
        assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_LEASE_TIME, 0), 2000); /* the most */
        assert_int_equal(lab.out.n_writes, 1);

        say(DHCP_REQUEST, 1);
        lab.w.h.ciaddr = address; /* REBINDING: to all */
        handle();
        assert_answer(DHCP_ACK, address);

        say(DHCP_REQUEST, 2); /* another's address */
        lab.w.h.ciaddr = address;
        lab.in.destination = SERVER;
        handle();
        assert_answer(DHCP_NAK, 0);
        assert_int_equal(lab.out.send, DHCP_SEND_BROADCAST);
}

static void test_unknown_renewals(void **state)
{
        (void)state;
        say(DHCP_REQUEST, 1); /* to us alone */
        lab.w.h.ciaddr = FIRST;
        lab.in.destination = SERVER;
        handle();
        assert_answer(DHCP_NAK, 0);
        say(DHCP_REQUEST, 1); /* to all: perhaps another server's */
        lab.w.h.ciaddr = FIRST;
        handle();
        assert_silent("not authoritative");
        say(DHCP_REQUEST, 1);
        lab.w.h.ciaddr = IP(172, 16, 0, 9);
        handle();
        assert_silent("not authoritative");

        lab.networks[0].authoritative = true; /* a lost lease is made again */
        say(DHCP_REQUEST, 1);
        lab.w.h.ciaddr = FIRST;
        handle();
        assert_answer(DHCP_ACK, FIRST);
        say(DHCP_REQUEST, 2);
        lab.w.h.ciaddr = IP(192, 0, 2, 99);
        handle();
        assert_answer(DHCP_NAK, 0);
}

static void test_init_reboot(void **state)
{
        uint32_t address = acquire(1), other = address == FIRST ? LAST : FIRST;

        (void)state;
        say(DHCP_REQUEST, 1);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
        handle();
        assert_answer(DHCP_ACK, address);
        say(DHCP_REQUEST, 1);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, other); /* not the one that it has */
        handle();
        assert_answer(DHCP_NAK, 0);
        say(DHCP_REQUEST, 1);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, IP(10, 9, 9, 9)); /* it was moved here */
        handle();
        assert_answer(DHCP_NAK, 0);
        assert_non_null(strstr(notes(), "wrong network"));
        say(DHCP_REQUEST, 2); /* unknown: another server may know it */
        put_address(DHCP_OPT_REQUESTED_ADDRESS, other);
        handle();
        assert_silent("not authoritative");
        lab.networks[0].authoritative = true;
        handle();
        assert_answer(DHCP_ACK, other);
}

static void test_selecting(void **state)
{
        uint32_t address = offered(1);

        (void)state;
        say(DHCP_REQUEST, 1);
        put_address(DHCP_OPT_SERVER_ID, IP(192, 0, 2, 250));
        put_address(DHCP_OPT_REQUESTED_ADDRESS, IP(192, 0, 2, 30));
        handle();
        assert_silent("chose another server");
        assert_int_equal(lab.out.notes[1].kind, EVENT_OTHER_SERVER);
        assert_int_equal(lab.out.notes[1].address, IP(192, 0, 2, 250));
        assert_int_equal(lease_state(address), LEASE_FREE);

        select_address(1, address); /* the offer is forgotten, as after a restart: it was ours */
        assert_answer(DHCP_ACK, address);
        select_address(2, address);
        assert_answer(DHCP_NAK, 0);
        assert_int_equal(lab.reply.h.yiaddr, 0);
        assert_int_equal(lab.out.send, DHCP_SEND_BROADCAST);
        select_address(3, IP(192, 0, 2, 99));
        assert_answer(DHCP_NAK, 0);
}

/* Neither 50 nor ciaddr: what the client has or was offered (as Kea). */
static void test_bare_request(void **state)
{
        uint32_t address = offered(1);

        (void)state;
        say(DHCP_REQUEST, 1);
        put_address(DHCP_OPT_SERVER_ID, SERVER);
        handle();
        assert_answer(DHCP_ACK, address);
        say(DHCP_REQUEST, 1);
        handle();
        assert_answer(DHCP_ACK, address);
        say(DHCP_REQUEST, 2);
        handle();
        assert_silent("no address");
}

static void test_release(void **state)
{
        uint32_t address = acquire(1);

        (void)state;
        say(DHCP_RELEASE, 2); /* forged: of another client */
        lab.w.h.ciaddr = address;
        lab.in.source = address;
        handle();
        assert_int_equal(lease_state(address), LEASE_ACTIVE);
        say(DHCP_RELEASE, 1); /* forged: from another address */
        lab.w.h.ciaddr = address;
        lab.in.source = LAST + 1;
        handle();
        assert_int_equal(lease_state(address), LEASE_ACTIVE);
        say(DHCP_RELEASE, 1);
        lab.w.h.ciaddr = address;
        lab.in.source = address;
        put_address(DHCP_OPT_SERVER_ID, IP(192, 0, 2, 250)); /* for another server */
        handle();
        assert_int_equal(lease_state(address), LEASE_ACTIVE);
        say(DHCP_RELEASE, 1); /* without 54: taken */
        lab.w.h.ciaddr = address;
        lab.in.source = address;
        handle();
        assert_int_equal(lab.out.send, DHCP_SEND_NONE);
        assert_int_equal(lab.out.n_writes, 1);
        assert_int_equal(lease_state(address), LEASE_FREE);
        assert_int_equal(offered(1), address); /* whose it was is remembered */
}

static void test_decline(void **state)
{
        uint32_t address = acquire(1);

        (void)state;
        say(DHCP_DECLINE, 2); /* forged */
        put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
        handle();
        assert_int_equal(lease_state(address), LEASE_ACTIVE);
        say(DHCP_DECLINE, 1);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
        handle();
        assert_int_equal(lab.out.send, DHCP_SEND_NONE);
        assert_int_equal(lab.out.n_writes, 1);
        assert_int_equal(lease_state(address), LEASE_DECLINED);
        for (uint8_t mac = 1; mac <= 3; mac++)
                assert_int_not_equal(acquire(mac), address);
        assert_int_equal(acquire(4), 0);
        pass_sec(DHCP_QUARANTINE_SEC + 1);
        assert_int_equal(acquire(4), address);
}

/* A flood of DECLINEs does not take the pool away. */
static void test_decline_flood(void **state)
{
        static const struct site_range wide[] = {{IP(192, 0, 2, 100), IP(192, 0, 2, 200)}};
        int declined = 0;

        (void)state;
        lab.networks[0].ranges.v = wide;
        dhcp_engine_reload(lab.engine, &lab.site);
        for (uint8_t mac = 1; mac < 100; mac++) {
                uint32_t address = acquire(mac);

                say(DHCP_DECLINE, mac);
                put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
                handle();
                declined += lease_state(address) == LEASE_DECLINED;
        }
        assert_int_equal(declined, 20);
}

static void test_inform(void **state)
{
        (void)state;
        say(DHCP_INFORM, 1);
        lab.w.h.ciaddr = IP(192, 0, 2, 77);
        lab.in.source = IP(192, 0, 2, 77);
        handle();
        assert_answer(DHCP_ACK, 0);
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_LEASE_TIME));
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_T1));
        assert_true(dhcp_has(&lab.reply, DHCP_OPT_ROUTER));
        assert_int_equal(lab.out.n_writes, 0);
        assert_int_equal(lab.out.to, IP(192, 0, 2, 77));
        say(DHCP_INFORM, 1);
        lab.w.h.ciaddr = IP(203, 0, 113, 77);
        handle();
        assert_silent("INFORM");
}

static void test_bootp(void **state)
{
        (void)state;
        lab.boot_file = "boot.img";
        say(DHCP_NONE, 0xaa);
        handle();
        assert_answer(DHCP_NONE, RESERVED);
        assert_int_equal(lab.out.len, DHCP_BOOTP_SIZE);
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_TYPE));
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_SERVER_ID));
        assert_string_equal(lab.reply.h.file, "boot.img");
        assert_int_equal(lab.out.n_writes, 1);
        assert_true(dhcp_engine_lease(lab.engine, RESERVED)->end_sec == LEASE_FOREVER);
        say(DHCP_NONE, 1);
        handle();
        assert_in_range(lab.reply.h.yiaddr, FIRST, LAST);
        assert_int_equal(dhcp_engine_lease(lab.engine, lab.reply.h.yiaddr)->end_sec, lab.now_ms / 1000 + 2000);
}

/* The address is the same from firmware to iPXE to the installed system, though each has another identifier. */
static void test_one_machine(void **state)
{
        uint32_t address;

        (void)state;
        say(DHCP_DISCOVER, 1);
        dhcp_put_text(&lab.w, DHCP_OPT_VENDOR_CLASS, "PXEClient:Arch:00007:UNDI:003000");
        dhcp_put(&lab.w, DHCP_OPT_CLIENT_ID, "\0firmware", 9);
        handle();
        address = lab.reply.h.yiaddr;
        say(DHCP_REQUEST, 1);
        dhcp_put_text(&lab.w, DHCP_OPT_VENDOR_CLASS, "PXEClient:Arch:00007:UNDI:003000");
        dhcp_put(&lab.w, DHCP_OPT_CLIENT_ID, "\0firmware", 9);
        put_address(DHCP_OPT_SERVER_ID, SERVER);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
        handle();
        assert_answer(DHCP_ACK, address);
        say(DHCP_DISCOVER, 1); /* a DUID */
        dhcp_put(&lab.w, DHCP_OPT_CLIENT_ID,
                 "\xff"
                 "system",
                 7);
        handle();
        assert_answer(DHCP_OFFER, address);
        say(DHCP_REQUEST, 1);
        dhcp_put(&lab.w, DHCP_OPT_CLIENT_ID,
                 "\xff"
                 "system",
                 7);
        put_address(DHCP_OPT_SERVER_ID, SERVER);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
        handle();
        assert_answer(DHCP_ACK, address);
        say(DHCP_DISCOVER, 1); /* two systems at one hardware address, as with ipvlan */
        dhcp_put(&lab.w, DHCP_OPT_CLIENT_ID,
                 "\xff"
                 "second",
                 7);
        handle();
        assert_int_not_equal(lab.reply.h.yiaddr, address);
}

/* The constant xid of every Raspberry Pi 3: clients are told apart all the same. */
static void test_one_xid(void **state)
{
        uint32_t first = offered(1);

        (void)state;
        say(DHCP_DISCOVER, 2);
        lab.w.h.xid = 0x1001;
        handle();
        assert_int_not_equal(lab.reply.h.yiaddr, first);
}

static void test_only_known(void **state)
{
        (void)state;
        lab.networks[0].only_known = true;
        assert_int_equal(acquire(1), 0);
        assert_silent("not a machine of the site file");
        assert_int_equal(acquire(0xaa), RESERVED);
}

/* A range is taken out of the site file while its addresses are leased. */
static void test_reload(void **state)
{
        static const struct site_range moved[] = {{IP(192, 0, 2, 200), IP(192, 0, 2, 210)}};
        uint32_t address = acquire(1);

        (void)state;
        lab.networks[0].ranges.v = moved;
        dhcp_engine_reload(lab.engine, &lab.site);
        say(DHCP_REQUEST, 1);
        lab.w.h.ciaddr = address;
        lab.in.destination = SERVER;
        handle();
        assert_answer(DHCP_NAK, 0);
        assert_in_range(acquire(1), moved[0].first, moved[0].last);
        assert_int_equal(lease_state(address), LEASE_FREE);
}

/* The disk is full: who has a lease goes on within it, others wait. */
static void test_read_only(void **state)
{
        uint32_t address = acquire(1);

        (void)state;
        dhcp_engine_read_only(lab.engine, true);
        pass_sec(400);
        say(DHCP_REQUEST, 1);
        lab.w.h.ciaddr = address;
        lab.in.destination = SERVER;
        handle();
        assert_answer(DHCP_ACK, address);
        assert_int_equal(lab.out.n_writes, 0);
        assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_LEASE_TIME, 0), 600);
        select_address(2, address == FIRST ? LAST : FIRST);
        assert_silent("leases cannot be written");
        say(DHCP_NONE, 3);
        handle();
        assert_int_equal(lab.out.send, DHCP_SEND_NONE);
        dhcp_engine_read_only(lab.engine, false);
        assert_int_not_equal(acquire(2), 0);
}

/* The clock that leases are measured with may not be the one of the last run. */
static void test_restore(void **state)
{
        uint32_t address = acquire(1);
        struct lease kept = *dhcp_engine_lease(lab.engine, address);
        uint8_t id[8];

        (void)state;
        memcpy(id, kept.id, kept.id_len);
        kept.id = id;
        dhcp_engine_restore(lab.engine, address, NULL); /* the write failed, and nothing is on disk */
        assert_null(dhcp_engine_lease(lab.engine, address));
        dhcp_engine_restore(lab.engine, address, &kept);
        assert_int_equal(lease_state(address), LEASE_ACTIVE);
        assert_int_equal(offered(1), address);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                LAB_TEST(test_dora),
                LAB_TEST(test_offers_are_held),
                LAB_TEST(test_pool_is_used_up),
                LAB_TEST(test_choice),
                LAB_TEST(test_reservation),
                LAB_TEST(test_new_reservation),
                LAB_TEST(test_reservation_in_use),
                LAB_TEST(test_renewing),
                LAB_TEST(test_unknown_renewals),
                LAB_TEST(test_init_reboot),
                LAB_TEST(test_selecting),
                LAB_TEST(test_bare_request),
                LAB_TEST(test_release),
                LAB_TEST(test_decline),
                LAB_TEST(test_decline_flood),
                LAB_TEST(test_inform),
                LAB_TEST(test_bootp),
                LAB_TEST(test_one_machine),
                LAB_TEST(test_one_xid),
                LAB_TEST(test_only_known),
                LAB_TEST(test_reload),
                LAB_TEST(test_read_only),
                LAB_TEST(test_restore),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
