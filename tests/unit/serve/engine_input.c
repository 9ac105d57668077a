/* What a server must survive: odd, damaged and hostile messages. What the
 * parser refuses already is in the tests of src/wire. */
#include "engine_lab.h"

static void assert_alive(void)
{
        assert_in_range(offered(200), FIRST, LAST);
}

static void test_headers(void **state)
{
        (void)state;
        say(DHCP_DISCOVER, 1);
        lab.w.h.op = DHCP_REPLY_OP;
        handle();
        assert_silent("op 2");
        say(DHCP_DISCOVER, 1);
        lab.w.h.hlen = 0;
        handle();
        assert_silent("neither a hardware address");
        say(DHCP_DISCOVER, 1); /* InfiniBand: an identifier, no hardware address; answered to all */
        lab.w.h.hlen = 0;
        lab.w.h.htype = 32;
        dhcp_put(&lab.w, DHCP_OPT_CLIENT_ID,
                 "\xff"
                 "abcdef",
                 7);
        handle();
        assert_in_range(lab.reply.h.yiaddr, FIRST, LAST);
        assert_int_equal(lab.out.send, DHCP_SEND_BROADCAST);
        say(DHCP_DISCOVER, 1);
        lab.w.h.htype = 6;
        lab.w.h.hlen = 16;
        handle();
        assert_in_range(lab.reply.h.yiaddr, FIRST, LAST);
        assert_int_equal(lab.out.send, DHCP_SEND_BROADCAST);
        for (int type = 0; type < 256; type++) {
                say(DHCP_NONE, 3);
                dhcp_put_u8(&lab.w, DHCP_OPT_TYPE, (uint8_t)type);
                handle();
        }
        for (enum dhcp_type type = DHCP_OFFER; type <= DHCP_NAK; type += type == DHCP_OFFER ? 3 : 1) {
                say(type, 4);
                handle();
                assert_silent("a server's message");
        }
}

static void test_lengths(void **state)
{
        uint8_t bytes[600];

        (void)state;
        memset(bytes, 0xff, sizeof(bytes));
        for (size_t code = 1; code < 255; code++) /* every option, empty, of one byte, and too long */
                for (size_t len = 0; len < 3; len++) {
                        static const size_t lengths[] = {0, 1, 300};

                        if (code == DHCP_OPT_TYPE || code == DHCP_OPT_OVERLOAD)
                                continue;
                        say(DHCP_DISCOVER, 1);
                        dhcp_put(&lab.w, (uint8_t)code, bytes, lengths[len]);
                        handle();
                        if (lab.out.send == DHCP_SEND_NONE)
                                continue;
                        say(DHCP_REQUEST, 1);
                        dhcp_put(&lab.w, (uint8_t)code, bytes, lengths[len]);
                        put_address(DHCP_OPT_REQUESTED_ADDRESS, lab.reply.h.yiaddr);
                        put_address(DHCP_OPT_SERVER_ID, SERVER);
                        handle();
                }
        pass_sec(100000);
        assert_alive();
}

static void test_long_identifier(void **state)
{
        uint8_t id[300];
        uint32_t address;

        (void)state;
        memset(id, 7, sizeof(id));
        say(DHCP_DISCOVER, 1);
        dhcp_put(&lab.w, DHCP_OPT_CLIENT_ID, id, sizeof(id));
        dhcp_put_u16(&lab.w, DHCP_OPT_MAX_SIZE, 1500);
        handle();
        address = lab.reply.h.yiaddr;
        assert_int_equal(lab.reply.len[DHCP_OPT_CLIENT_ID], sizeof(id)); /* echoed as it came */
        assert_int_equal(dhcp_engine_lease(lab.engine, address)->id_len, 255);
}

/* All codes are asked for, and few bytes are taken. */
static void test_parameters(void **state)
{
        static const uint16_t sizes[] = {0, 1, 27, 28, 300, 575, 576, 1500, 65535};
        uint8_t all[255];

        (void)state;
        for (size_t i = 0; i < sizeof(all); i++)
                all[i] = (uint8_t)i;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                say(DHCP_DISCOVER, 1);
                dhcp_put(&lab.w, DHCP_OPT_PARAMETERS, all, sizeof(all));
                dhcp_put_u16(&lab.w, DHCP_OPT_MAX_SIZE, sizes[i]);
                handle();
                assert_int_equal(lab.reply.type, DHCP_OFFER);
                assert_in_range(lab.out.len, DHCP_BOOTP_SIZE, DHCP_ETHERNET_SIZE);
                assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_ROUTER, 0), IP(192, 0, 2, 254));
        }
}

/* In the client's order; 1 before 3; what it did not ask for only by force; by class. */
static void test_order(void **state)
{
        unsigned at[256] = {0};

        (void)state;
        say(DHCP_DISCOVER, 1);
        dhcp_put(&lab.w, DHCP_OPT_PARAMETERS, "\x06\x03\x01\xe1", 4);
        handle();
        for (unsigned i = 0; i < lab.reply.n_options; i++)
                at[lab.reply.order[i]] = i + 1;
        assert_true(at[1] && at[1] < at[3] && at[6] && at[6] < at[3]);
        assert_true(at[224]);
        assert_int_equal(lab.reply.len[225], 1);
        say(DHCP_DISCOVER, 1);
        dhcp_put(&lab.w, DHCP_OPT_PARAMETERS, "\xe1", 1);
        dhcp_put_text(&lab.w, DHCP_OPT_VENDOR_CLASS, "special device");
        handle();
        assert_int_equal(lab.reply.len[225], 2);
        assert_false(dhcp_has(&lab.reply, DHCP_OPT_ROUTER));
        say(DHCP_DISCOVER, 1); /* no 55: all */
        handle();
        assert_true(dhcp_has(&lab.reply, DHCP_OPT_ROUTER) && dhcp_has(&lab.reply, DHCP_OPT_DNS));
}

static void test_truncated_nested(void **state)
{
        static const uint8_t codes[] = {DHCP_OPT_VENDOR, DHCP_OPT_AGENT, DHCP_OPT_IPXE};

        (void)state;
        lab.boot_file = "x";
        for (size_t i = 0; i < sizeof(codes); i++)
                for (size_t len = 0; len < 8; len++) {
                        say(DHCP_DISCOVER, 1);
                        dhcp_put_text(&lab.w, DHCP_OPT_VENDOR_CLASS, "PXEClient");
                        dhcp_put(&lab.w, codes[i], "\x47\x04\x05\x06\x0b\x04\x13\x09", len);
                        lab.in.binl = len & 1;
                        handle();
                }
        assert_alive();
}

static void test_host_names(void **state)
{
        static const char *const names[] = {"<script>", "\xff\xfe", "a\nb", ""};
        static const char *const kept[] = {"<script>", "\\xff\\xfe", "a\\x0ab", NULL};

        (void)state;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                uint32_t address = offered(1);
                const struct lease *lease;

                say(DHCP_REQUEST, 1);
                dhcp_put_text(&lab.w, DHCP_OPT_HOST_NAME, names[i]);
                put_address(DHCP_OPT_SERVER_ID, SERVER);
                put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
                handle();
                lease = dhcp_engine_lease(lab.engine, address);
                if (kept[i])
                        assert_string_equal(lease->host_name, kept[i]);
                else
                        assert_null(lease->host_name);
        }
}

static void test_unknown_places(void **state)
{
        (void)state;
        say(DHCP_DISCOVER, 1);
        lab.in.interface = "eth7";
        handle();
        assert_silent("no network of the site is on interface eth7");
        say(DHCP_REQUEST, 1); /* unicast for a subnet that nobody knows */
        lab.w.h.ciaddr = IP(203, 0, 113, 5);
        lab.in.source = IP(203, 0, 113, 5);
        lab.in.destination = SERVER;
        lab.in.interface = "eth7";
        handle();
        assert_silent("eth7");
        lab.in.interface = "eth0";
        handle();
        assert_answer(DHCP_NAK, 0);
}

/* Forged RELEASEs of everybody's addresses, from one sender. */
static void test_release_flood(void **state)
{
        uint32_t address = acquire(1);

        (void)state;
        for (uint32_t i = 0; i < 2000; i++) {
                say(DHCP_RELEASE, (uint8_t)(2 + i % 250));
                lab.w.h.ciaddr = FIRST + i % 4;
                lab.in.source = FIRST + i % 4;
                handle();
                assert_int_equal(lab.out.n_writes, 0);
        }
        assert_int_equal(lease_state(address), LEASE_ACTIVE);
}

static uint32_t forged(uint32_t i)
{
        say(DHCP_DISCOVER, 1);
        put_be32(lab.w.h.chaddr + 1, i);
        handle();
        return lab.reply.type == DHCP_OFFER ? lab.reply.h.yiaddr : 0;
}

/* Starvation: a flood of clients that never were. The last addresses of a
 * large pool go slowly, a reservation never, and offers that nobody takes
 * come back. Memory does not grow beyond the pool. */
static int count_one(void *arg, const struct lease *lease)
{
        (void)lease;
        ++*(size_t *)arg;
        return 0;
}

static void test_starvation(void **state)
{
        static const struct site_range wide[] = {{IP(10, 1, 0, 0) + 1, IP(10, 1, 0, 0) + 2000}};
        size_t given = 0, kept = 0;

        (void)state;
        lab.networks[0] = (struct site_network){.name = "wide",
                                                .interface = "eth0",
                                                .address = IP(10, 1, 255, 1),
                                                .subnet = IP(10, 1, 0, 0),
                                                .mask = 0xffff0000,
                                                .ranges = {wide, 1}};
        lab.site.n_networks = 1;
        dhcp_engine_reload(lab.engine, &lab.site);
        for (uint32_t i = 0; i < 10000; i++)
                given += forged(i) != 0;
        assert_in_range(given, 1900, 1960);
        dhcp_engine_each(lab.engine, count_one, &kept);
        assert_in_range(kept, 1900, 1960);
        pass_sec(DHCP_OFFER_SEC + 1);
        assert_int_not_equal(forged(50000), 0);
}

/* Two servers with one pool each take what they offer alone: the other's is refused, or asked for. */
static void test_two_servers(void **state)
{
        uint32_t address = offered(1);

        (void)state;
        say(DHCP_REQUEST, 1);
        put_address(DHCP_OPT_SERVER_ID, IP(192, 0, 2, 2));
        put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
        handle();
        assert_int_equal(lab.out.send, DHCP_SEND_NONE);
        assert_int_equal(lease_state(address), LEASE_FREE);
}

/* Times far away do not overflow. */
static void test_clock(void **state)
{
        static const int64_t times_ms[] = {0, 1000, 1700000000000, 4102444800000, INT64_MAX / 4};

        (void)state;
        for (size_t i = 0; i < sizeof(times_ms) / sizeof(times_ms[0]); i++) {
                lab.now_ms = times_ms[i];
                assert_int_not_equal(acquire(1), 0);
        }
        lab.now_ms = 0; /* back: the lease seems to last for long, and its client goes on with it */
        assert_int_not_equal(acquire(1), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                LAB_TEST(test_headers),    LAB_TEST(test_lengths),        LAB_TEST(test_long_identifier),
                LAB_TEST(test_parameters), LAB_TEST(test_order),          LAB_TEST(test_truncated_nested),
                LAB_TEST(test_host_names), LAB_TEST(test_unknown_places), LAB_TEST(test_release_flood),
                LAB_TEST(test_starvation), LAB_TEST(test_two_servers),    LAB_TEST(test_clock),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
