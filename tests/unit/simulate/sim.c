/* Simulated clients without a network: which answers they boot from, frames
 * and TCP. */
#include "test.h"

#include <string.h>

#include "simulate/sim.h"
#include "simulate/tcp.h"

static enum sim_way decide(const char *kind, const struct sim_answer *offer, const struct sim_answer *proxy,
                           const struct sim_answer **ret)
{
        const char *why = NULL;
        enum sim_way way = sim_decide(sim_kind_find(kind), offer, proxy, ret, &why);

        assert_true((way == SIM_WAY_NONE) == (why != NULL));
        return way;
}

static void decisions(void **state)
{
        const struct sim_answer nothing = {0}, bare = {.there = true, .address = 7, .next_server = 1},
                                file = {.there = true, .address = 7, .next_server = 1, .file = "boot"},
                                binl = {.there = true, .server = 1, .pxe_class = true, .file = "boot"},
                                direct = {.there = true,
                                          .server = 1,
                                          .next_server = 1,
                                          .pxe_class = true,
                                          .has_vendor = true,
                                          .use_file = true,
                                          .file = "boot"},
                                http = {.there = true, .address = 7, .http_class = true, .file = "http://1.2.3.4/x"},
                                pi = {.there = true,
                                      .server = 1,
                                      .next_server = 1,
                                      .pxe_class = true,
                                      .has_vendor = true,
                                      .pi_menu = true};
        static const struct {
                const char *kind;
                int offer, proxy; /* in `answers` */
                enum sim_way way;
                int from;
        } rows[] = {
                {"uefi-x64", 2, 0, SIM_WAY_FILE, 2},  {"uefi-x64", 1, 0, SIM_WAY_NONE, 1},
                {"uefi-x64", 1, 3, SIM_WAY_BINL, 3},  {"uefi-x64", 3, 0, SIM_WAY_BINL, 3},
                {"uefi-x64", 1, 4, SIM_WAY_FILE, 4},  {"uefi-x64", 2, 4, SIM_WAY_FILE, 4},
                {"bios", 1, 4, SIM_WAY_FILE, 4},      {"ipxe", 2, 0, SIM_WAY_FILE, 2},
                {"ipxe", 1, 3, SIM_WAY_BINL, 3},      {"ipxe", 1, 4, SIM_WAY_FILE, 4},
                {"uefi-http", 2, 0, SIM_WAY_NONE, 2}, {"uefi-http", 5, 0, SIM_WAY_FILE, 5},
                {"uefi-http", 2, 5, SIM_WAY_FILE, 5}, {"u-boot", 1, 0, SIM_WAY_FILE, 1},
                {"u-boot", 1, 4, SIM_WAY_FILE, 1},    {"pi3", 2, 0, SIM_WAY_NONE, 2},
                {"pi4", 1, 6, SIM_WAY_FILE, 6},       {"pi4", 6, 0, SIM_WAY_FILE, 6},
        };
        const struct sim_answer *answers[] = {&nothing, &bare, &file, &binl, &direct, &http, &pi};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const struct sim_answer *from = NULL;

                if (decide(rows[i].kind, answers[rows[i].offer], answers[rows[i].proxy], &from) != rows[i].way)
                        fail_msg("row %zu", i);
                assert_ptr_equal(from, answers[rows[i].from]);
        }
}

static void frames(void **state)
{
        uint8_t bytes[256];
        const struct frame frames[] = {
                {.kind = FRAME_ARP, .from = 0x0a000001, .to = 0x0a000002},
                {.kind = FRAME_ARP, .from = 0x0a000001, .to = 0x0a000002, .arp_reply = true},
                {.kind = FRAME_UDP, .from = 1, .to = 2, .from_port = 68, .to_port = 67, .data = "abc", .n = 3},
                {.kind = FRAME_TCP, .from = 1, .to = 2, .from_port = 5, .to_port = 80, .flags = TCP_SYN, .seq = 9},
                {.kind = FRAME_TCP,
                 .from = 1,
                 .to = 2,
                 .to_port = 80,
                 .flags = TCP_ACK,
                 .ack = 7,
                 .data = "xy",
                 .n = 2},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
                size_t n = frame_write(&frames[i], bytes, sizeof(bytes));
                struct frame got;

                assert_true(n > 0);
                assert_true(frame_parse(bytes, n, &got));
                assert_int_equal(got.kind, frames[i].kind);
                assert_int_equal(got.from, frames[i].from);
                assert_int_equal(got.to, frames[i].to);
                assert_int_equal(got.to_port, frames[i].to_port);
                assert_int_equal(got.seq, frames[i].seq);
                assert_int_equal(got.arp_reply, frames[i].arp_reply);
                assert_int_equal(got.n, frames[i].n);
                if (got.n)
                        assert_memory_equal(got.data, frames[i].data, got.n);
                for (size_t cut = 0; cut < n; cut++)
                        assert_false(frame_parse(bytes, cut, &got));
                assert_int_equal(frame_write(&frames[i], bytes, 20), 0);
        }
}

/* A server's segment. */
static struct frame segment(uint32_t seq, uint32_t ack, const char *data, uint8_t flags)
{
        return (struct frame){
                .kind = FRAME_TCP, .seq = seq, .ack = ack, .data = data, .n = strlen(data), .flags = flags};
}

static void connection(void **state)
{
        struct tcp tcp;
        struct frame out = {0}, in;
        const uint8_t *data;
        size_t n;

        (void)state;
        tcp_open(&tcp, 1000, 80, 0xffffffff); /* numbers wrap around */
        tcp_segment(&tcp, &out);
        assert_int_equal(out.flags, TCP_SYN);
        assert_int_equal(out.seq, 0xffffffff);
        in = segment(500, 0, "", TCP_SYN | TCP_ACK);
        assert_true(tcp_input(&tcp, &in, &data, &n));
        assert_int_equal(tcp.state, TCP_OPEN);
        tcp_request(&tcp, "GET", 3);
        tcp_segment(&tcp, &out);
        assert_int_equal(out.n, 3);
        assert_int_equal(out.ack, 501);

        in = segment(504, 3, "de", TCP_ACK); /* a gap */
        assert_true(tcp_input(&tcp, &in, &data, &n));
        assert_int_equal(n, 0);
        in = segment(501, 3, "abc", TCP_ACK);
        assert_true(tcp_input(&tcp, &in, &data, &n));
        assert_int_equal(n, 3);
        in = segment(502, 3, "bcde", TCP_ACK | TCP_FIN); /* two of them are old */
        assert_true(tcp_input(&tcp, &in, &data, &n));
        assert_int_equal(n, 2);
        assert_memory_equal(data, "de", 2);
        assert_int_equal(tcp.state, TCP_ENDED);
        out = (struct frame){0};
        tcp_segment(&tcp, &out);
        assert_int_equal(out.n, 0);
        assert_int_equal(out.ack, 507);

        tcp_open(&tcp, 1000, 80, 1);
        in = segment(0, 2, "", TCP_RST | TCP_ACK);
        assert_false(tcp_input(&tcp, &in, &data, &n));
        assert_int_equal(tcp.state, TCP_REFUSED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(decisions),
                cmocka_unit_test(frames),
                cmocka_unit_test(connection),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
