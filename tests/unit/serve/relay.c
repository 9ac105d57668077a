#include "test.h"

#include <string.h>

#include "base/bytes.h"
#include "base/str.h"
#include "serve/relay.h"

enum { OUR = 0x0a010001, SERVER = 0x0a000002 };

static struct relay relay;
static struct dhcp_writer w;
static struct dhcp_message message;
static uint8_t in[DHCP_SIZE_MAX], out[DHCP_SIZE_MAX];
static size_t size;
static const char *reason;

static int setup(void **state)
{
        (void)state;
        relay = (struct relay){.interfaces = {{"eth1", 2, OUR, 1500}, {"eth2", 3, 0x0a020001, 1500}},
                               .n_interfaces = 2,
                               .servers = {SERVER},
                               .n_servers = 1,
                               .add_agent_option = true,
                               .hop_limit = RELAY_HOPS};
        return 0;
}

static void start(uint8_t op, enum dhcp_type type)
{
        dhcp_writer_init(&w);
        w.h.op = op;
        w.h.htype = DHCP_ETHERNET;
        w.h.hlen = 6;
        w.h.chaddr[0] = 2;
        dhcp_put_u8(&w, DHCP_OPT_TYPE, (uint8_t)type);
        dhcp_put_text(&w, DHCP_OPT_HOST_NAME, "pi");
}

static void request(void)
{
        size_t n = dhcp_write(&w, DHCP_ETHERNET_SIZE, in);

        size = relay_request(&relay, &relay.interfaces[0], in, n, out, &reason);
        if (size)
                assert_int_equal(dhcp_parse(out, size, &message, &reason), 0);
}

static bool agent_is(const char *bytes, size_t n)
{
        size_t len;
        const uint8_t *data = dhcp_get(&message, DHCP_OPT_AGENT, &len);

        return data && len == n && memcmp(data, bytes, n) == 0;
}
#define AGENT_IS(bytes) agent_is(bytes, sizeof(bytes) - 1)

static void assert_dropped(const char *expected)
{
        assert_int_equal(size, 0);
        assert_string_equal(reason, expected);
}

static void test_request(void **state)
{
        (void)state;
        start(DHCP_REQUEST_OP, DHCP_DISCOVER);
        request();
        assert_true(size >= DHCP_BOOTP_SIZE);
        assert_int_equal(message.h.giaddr, OUR);
        assert_int_equal(message.h.hops, 1);
        assert_true(AGENT_IS("\1\4eth1"));
        assert_int_equal(message.order[message.n_options - 1], DHCP_OPT_AGENT);
        assert_true(dhcp_has(&message, DHCP_OPT_HOST_NAME));

        relay.remote_id = "rack 7";
        request();
        assert_true(AGENT_IS("\1\4eth1\2\6rack 7"));
        relay.add_agent_option = false;
        request();
        assert_false(dhcp_has(&message, DHCP_OPT_AGENT));
}

static void test_other_relay(void **state)
{
        (void)state;
        start(DHCP_REQUEST_OP, DHCP_DISCOVER);
        w.h.giaddr = 0x0a630001;
        w.h.hops = 3;
        dhcp_put(&w, DHCP_OPT_AGENT, "\1\1x", 3);
        request();
        assert_int_equal(message.h.giaddr, 0x0a630001);
        assert_int_equal(message.h.hops, 4);
        assert_true(AGENT_IS("\1\1x")); /* its option, not ours */
}

static void test_dropped(void **state)
{
        (void)state;
        start(DHCP_REPLY_OP, DHCP_OFFER);
        request();
        assert_dropped("a reply from a client");
        start(DHCP_REQUEST_OP, DHCP_DISCOVER);
        w.h.hops = RELAY_HOPS;
        request();
        assert_dropped("too many hops");
        w.h.hops = 255;
        request();
        assert_dropped("too many hops");
        w.h.hops = 4;
        relay.hop_limit = 4;
        request();
        assert_dropped("too many hops");
        w.h.hops = 0;
        w.h.giaddr = 0x0a020001;
        request();
        assert_dropped("our own address as that of another relay");
        w.h.giaddr = 0;
        relay.min_secs = 5;
        w.h.secs = 4;
        request();
        assert_dropped("the client has only begun");
        w.h.secs = 5;
        request();
        assert_true(size > 0);
        relay.interfaces[0].address = 0;
        request();
        assert_dropped("the interface has no address");
        size = relay_request(&relay, &relay.interfaces[0], in, 100, out, &reason);
        assert_dropped("shorter than 240 bytes");
}

static void test_untrusted(void **state)
{
        (void)state;
        start(DHCP_REQUEST_OP, DHCP_DISCOVER);
        dhcp_put(&w, DHCP_OPT_AGENT, "\1\1x", 3);
        request();
        assert_dropped("option 82 from a client");
        relay.untrusted = RELAY_KEEP;
        request();
        assert_true(AGENT_IS("\1\1x"));
        assert_int_equal(message.h.giaddr, OUR);
        relay.untrusted = RELAY_REPLACE;
        request();
        assert_true(AGENT_IS("\1\4eth1"));
}

/* Option 82 goes in up to the MTU, and is left out beyond. */
static void test_mtu(void **state)
{
        uint8_t filler[1500] = {0};
        bool with = false, without = false;

        (void)state;
        for (size_t len = 1150; len < 1230; len++) {
                start(DHCP_REQUEST_OP, DHCP_DISCOVER);
                dhcp_put(&w, 224, filler, len);
                request();
                assert_in_range(size, 1, 1472);
                with |= dhcp_has(&message, DHCP_OPT_AGENT);
                without |= !dhcp_has(&message, DHCP_OPT_AGENT);
        }
        assert_true(with && without);
}

static void test_reply(void **state)
{
        const struct relay_interface *to = NULL;
        bool broadcast = true;
        size_t n;

        (void)state;
        start(DHCP_REPLY_OP, DHCP_OFFER);
        w.h.giaddr = OUR;
        w.h.yiaddr = 0x0a010063;
        dhcp_put(&w, DHCP_OPT_AGENT, "\1\4eth1", 6);
        n = dhcp_write(&w, DHCP_ETHERNET_SIZE, in);
        size = relay_reply(&relay, in, n, out, &to, &broadcast, &reason);
        assert_int_equal(dhcp_parse(out, size, &message, &reason), 0);
        assert_ptr_equal(to, &relay.interfaces[0]);
        assert_false(broadcast);
        assert_false(dhcp_has(&message, DHCP_OPT_AGENT)); /* stripped */
        assert_int_equal(message.h.giaddr, OUR);
        assert_int_equal(message.h.yiaddr, 0x0a010063);
        assert_true(dhcp_has(&message, DHCP_OPT_HOST_NAME));

        put_be16(in + 10, DHCP_BROADCAST_FLAG);
        size = relay_reply(&relay, in, n, out, &to, &broadcast, &reason);
        assert_true(size > 0 && broadcast);
        put_be16(in + 10, 0);
        put_be32(in + 16, 0); /* no address to send it to */
        size = relay_reply(&relay, in, n, out, &to, &broadcast, &reason);
        assert_true(size > 0 && broadcast);
        put_be32(in + 24, 0x0a630001);
        size = relay_reply(&relay, in, n, out, &to, &broadcast, &reason);
        assert_dropped("for another relay");
        put_be32(in + 24, 0);
        size = relay_reply(&relay, in, n, out, &to, &broadcast, &reason);
        assert_dropped("for another relay");
        in[0] = DHCP_REQUEST_OP;
        size = relay_reply(&relay, in, n, out, &to, &broadcast, &reason);
        assert_dropped("a request from a server");
}

/* The longest message, with no end: nothing is written beyond what the contract says. */
static void test_longest(void **state)
{
        (void)state;
        memset(in, 0, sizeof(in));
        in[0] = DHCP_REQUEST_OP;
        in[1] = DHCP_ETHERNET;
        in[2] = 6;
        put_be32(in + 236, 0x63825363);
        memset(in + DHCP_HEADER, 1, sizeof(in) - DHCP_HEADER); /* many options of one byte */
        size = relay_request(&relay, &relay.interfaces[0], in, DHCP_SIZE_MAX - 1, out, &reason);
        assert_true(size <= DHCP_SIZE_MAX);
        memset(in + DHCP_HEADER, 0, sizeof(in) - DHCP_HEADER);
        size = relay_request(&relay, &relay.interfaces[0], in, DHCP_SIZE_MAX - 1, out, &reason);
        assert_int_equal(size, DHCP_SIZE_MAX);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_request, setup), cmocka_unit_test_setup(test_other_relay, setup),
                cmocka_unit_test_setup(test_dropped, setup), cmocka_unit_test_setup(test_untrusted, setup),
                cmocka_unit_test_setup(test_mtu, setup),     cmocka_unit_test_setup(test_reply, setup),
                cmocka_unit_test_setup(test_longest, setup),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
