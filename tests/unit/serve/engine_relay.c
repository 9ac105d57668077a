/* Clients behind relays: RFC 2131, 3046, 3011, 3527, 5107, 8357. */
#include "engine_lab.h"

enum { RELAY = IP(10, 1, 0, 1), FAR_FIRST = IP(10, 1, 0, 10), FAR_LAST = IP(10, 1, 0, 20) };

static void relayed(enum dhcp_type type, uint8_t mac)
{
        say(type, mac);
        lab.w.h.giaddr = RELAY;
        lab.w.h.hops = 1;
        lab.in.source = RELAY;
        lab.in.source_port = 67;
        lab.in.destination = SERVER;
}

static void test_by_giaddr(void **state)
{
        uint32_t address;

        (void)state;
        relayed(DHCP_DISCOVER, 1);
        handle();
        address = lab.reply.h.yiaddr;
        assert_in_range(address, FAR_FIRST, FAR_LAST);
        assert_int_equal(lab.out.send, DHCP_SEND_ROUTED);
        assert_int_equal(lab.out.to, RELAY);
        assert_int_equal(lab.out.to_port, 67);
        assert_int_equal(lab.reply.h.giaddr, RELAY);
        assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_SERVER_ID, 0), SERVER);
        assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_SUBNET_MASK, 0), 0xffff0000);

        relayed(DHCP_REQUEST, 1); /* an address of the wrong network: NAK by the relay, to all */
        put_address(DHCP_OPT_REQUESTED_ADDRESS, FIRST);
        handle();
        assert_answer(DHCP_NAK, 0);
        assert_int_equal(lab.out.to, RELAY);
        assert_int_equal(lab.reply.h.flags, DHCP_BROADCAST_FLAG);

        say(DHCP_REQUEST, 1); /* renewed directly, through a router */
        lab.w.h.ciaddr = address;
        lab.in.source = address;
        lab.in.destination = SERVER;
        handle();
        assert_answer(DHCP_ACK, address);
        assert_int_equal(lab.out.to, address);
}

static void test_agent_option(void **state)
{
        static const char agent[] = "\x01\x04"
                                    "eth1"
                                    "\x02\x03"
                                    "abc"
                                    "\x01"; /* damaged at its end: echoed all the same */
        size_t len;
        const uint8_t *echo;

        (void)state;
        relayed(DHCP_DISCOVER, 1);
        dhcp_put(&lab.w, DHCP_OPT_AGENT, agent, sizeof(agent) - 1);
        handle();
        echo = dhcp_get(&lab.reply, DHCP_OPT_AGENT, &len);
        assert_int_equal(len, sizeof(agent) - 1);
        assert_memory_equal(echo, agent, len);
        assert_int_equal(lab.reply.order[lab.reply.n_options - 1], DHCP_OPT_AGENT);

        say(DHCP_DISCOVER, 2); /* 82 without a relay, as switches add it: echoed */
        dhcp_put(&lab.w, DHCP_OPT_AGENT, "\1\1a", 3);
        handle();
        assert_in_range(lab.reply.h.yiaddr, FIRST, LAST);
        assert_true(dhcp_has(&lab.reply, DHCP_OPT_AGENT));
}

static void test_link_selection(void **state)
{
        (void)state;
        relayed(DHCP_DISCOVER, 1);
        dhcp_put(&lab.w, DHCP_OPT_AGENT, "\5\4\xc0\0\2\0", 6); /* 192.0.2.0 */
        handle();
        assert_in_range(lab.reply.h.yiaddr, FIRST, LAST);
        assert_int_equal(lab.out.to, RELAY);

        relayed(DHCP_DISCOVER, 2); /* of three bytes: as if it were not there */
        dhcp_put(&lab.w, DHCP_OPT_AGENT, "\5\3\xc0\0\2", 5);
        handle();
        assert_in_range(lab.reply.h.yiaddr, FAR_FIRST, FAR_LAST);

        relayed(DHCP_DISCOVER, 3); /* RFC 3011 */
        put_address(DHCP_OPT_SUBNET_SELECTION, IP(192, 0, 2, 0));
        handle();
        assert_in_range(lab.reply.h.yiaddr, FIRST, LAST);
}

static void test_server_override(void **state)
{
        uint32_t address;

        (void)state;
        relayed(DHCP_DISCOVER, 1);
        dhcp_put(&lab.w, DHCP_OPT_AGENT, "\x0b\4\x0a\1\0\1", 6);
        handle();
        address = lab.reply.h.yiaddr;
        assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_SERVER_ID, 0), RELAY);
        relayed(DHCP_REQUEST, 1);
        dhcp_put(&lab.w, DHCP_OPT_AGENT, "\x0b\4\x0a\1\0\1", 6);
        put_address(DHCP_OPT_SERVER_ID, RELAY);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
        handle();
        assert_answer(DHCP_ACK, address);
}

/* What comes through a relay was broadcast: another server, to which the relay sends it too, may know the client. */
static void test_rebinding(void **state)
{
        uint32_t address;

        (void)state;
        relayed(DHCP_REQUEST, 1);
        lab.w.h.ciaddr = FAR_LAST;
        handle();
        assert_silent("is not authoritative");
        relayed(DHCP_REQUEST, 1); /* but with RFC 5107 it was sent to us, by the relay's address */
        lab.w.h.ciaddr = FAR_LAST;
        dhcp_put(&lab.w, DHCP_OPT_AGENT, "\x0b\4\x0a\1\0\1", 6);
        handle();
        assert_answer(DHCP_NAK, 0);
        lab.networks[1].authoritative = true;
        relayed(DHCP_REQUEST, 1);
        lab.w.h.ciaddr = FAR_LAST;
        handle();
        assert_answer(DHCP_ACK, FAR_LAST);

        relayed(DHCP_DISCOVER, 2);
        handle();
        address = lab.reply.h.yiaddr;
        relayed(DHCP_REQUEST, 2);
        put_address(DHCP_OPT_SERVER_ID, SERVER);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, address);
        handle();
        assert_answer(DHCP_ACK, address);
        relayed(DHCP_REQUEST, 2);
        lab.w.h.ciaddr = address;
        handle();
        assert_answer(DHCP_ACK, address);
}

static void test_source_port(void **state)
{
        (void)state;
        relayed(DHCP_DISCOVER, 1);
        lab.in.source_port = 40000;
        handle();
        assert_int_equal(lab.out.to_port, 67);
        relayed(DHCP_DISCOVER, 1);
        dhcp_put(&lab.w, DHCP_OPT_AGENT, "\x13\0", 2);
        lab.in.source_port = 40000;
        handle();
        assert_int_equal(lab.out.to_port, 40000);
}

static void test_spoofed(void **state)
{
        (void)state;
        relayed(DHCP_DISCOVER, 1);
        lab.w.h.giaddr = IP(203, 0, 113, 1);
        handle();
        assert_silent("no network holds 203.0.113.1");
        relayed(DHCP_DISCOVER, 1);
        lab.w.h.giaddr = SERVER;
        handle();
        assert_silent("is our own");
        relayed(DHCP_DISCOVER, 1); /* nothing is added up: the relay limits hops */
        lab.w.h.hops = 255;
        handle();
        assert_answer(DHCP_OFFER, lab.reply.h.yiaddr);
        assert_int_equal(lab.reply.h.hops, 0);
}

/* Two subnets of one segment: both may be given; a client keeps what it has of either. */
static void test_shared(void **state)
{
        static const struct site_range one[] = {{FIRST, FIRST}};
        uint32_t first, second;

        (void)state;
        lab.networks[0].shared = lab.networks[1].shared = "building";
        lab.networks[0].ranges.v = one;
        dhcp_engine_reload(lab.engine, &lab.site);
        first = acquire(1);
        second = acquire(2);
        assert_int_equal(first, FIRST);
        assert_in_range(second, FAR_FIRST, FAR_LAST);
        assert_int_equal(dhcp_get_u32(&lab.reply, DHCP_OPT_SUBNET_MASK, 0), 0xffff0000);
        assert_int_equal(acquire(1), first);
        assert_int_equal(acquire(2), second);
        say(DHCP_REQUEST, 2);
        put_address(DHCP_OPT_REQUESTED_ADDRESS, second);
        handle();
        assert_answer(DHCP_ACK, second);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                LAB_TEST(test_by_giaddr),       LAB_TEST(test_agent_option), LAB_TEST(test_link_selection),
                LAB_TEST(test_server_override), LAB_TEST(test_source_port),  LAB_TEST(test_spoofed),
                LAB_TEST(test_shared),          LAB_TEST(test_rebinding),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
