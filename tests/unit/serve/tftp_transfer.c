/* Transfers without a network: every packet and every moment is the test's. */
#include <string.h>

#include "serve/tftp_transfer.h"
#include "test.h"

enum { MTU = 1500 };

static enum tftp_step start_path(struct tftp_transfer *t, struct tftp_terms terms, uint64_t size, struct tftp_path path)
{
        struct tftp_packet request = {.opcode = TFTP_RRQ, .path = "f", .mode = TFTP_OCTET, .terms = terms};

        return tftp_transfer_start(t, &request, size, &path, 0);
}

static enum tftp_step start(struct tftp_transfer *t, struct tftp_terms terms, uint64_t size)
{
        return start_path(t, terms, size, (struct tftp_path){.mtu = MTU});
}

static enum tftp_step ack(struct tftp_transfer *t, uint16_t block, int64_t now)
{
        return tftp_transfer_handle(t, &(struct tftp_packet){.opcode = TFTP_ACK, .block = block, .text = ""}, now);
}

static enum tftp_step client_error(struct tftp_transfer *t, uint16_t code)
{
        return tftp_transfer_handle(t, &(struct tftp_packet){.opcode = TFTP_ERROR, .code = code, .text = ""}, 0);
}

static void send_all(struct tftp_transfer *t, int64_t now)
{
        tftp_transfer_sent(t, t->limit - t->next, now);
}

/* Acknowledged from the first to the last block; how many windows that took. */
static uint64_t run(struct tftp_transfer *t, enum tftp_step step)
{
        uint64_t windows = 0;

        if (step == TFTP_SEND_OACK)
                step = ack(t, 0, 0);
        for (; step == TFTP_SEND_BLOCKS; windows++) {
                assert_true(t->limit > t->next && t->limit - t->next <= t->windowsize);
                send_all(t, 0);
                step = ack(t, (uint16_t)(t->next - 1), 0);
        }
        assert_int_equal(step, TFTP_COMPLETE);
        return windows;
}

static void test_sizes(void **state)
{
        static const struct {
                uint64_t size, blocks;
                uint32_t last;
        } rows[] = {{0, 1, 0}, {1, 1, 1}, {511, 1, 511}, {512, 2, 0}, {513, 2, 1}, {512 * 70000ULL, 70001, 0}};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct tftp_transfer t;
                enum tftp_step step = start(&t, (struct tftp_terms){0}, rows[i].size);

                assert_int_equal(step, TFTP_SEND_BLOCKS); /* no option, no OACK */
                assert_int_equal(t.blocks, rows[i].blocks);
                assert_int_equal(tftp_block_len(&t, t.blocks), rows[i].last);
                assert_int_equal(run(&t, step), rows[i].blocks); /* past 65535 too */
                assert_int_equal(t.resent, 0);
        }
}

static void test_granted_terms(void **state)
{
        struct tftp_terms all = {true, true, true, true, 65464, 255, 65535, 0};
        struct tftp_transfer t;

        (void)state;
        assert_int_equal(start(&t, all, 1000000), TFTP_SEND_OACK);
        assert_int_equal(t.granted.blksize, MTU - 32);
        assert_int_equal(t.granted.timeout_sec, 255);
        assert_int_equal(t.granted.tsize_bytes, 1000000);
        assert_true(t.granted.windowsize <= TFTP_WINDOW_BYTES / t.granted.blksize);
        assert_int_equal(start_path(&t, all, 1000000, (struct tftp_path){MTU, true}), TFTP_SEND_OACK);
        assert_int_equal(t.granted.blksize, 65464);
        assert_true(t.granted.windowsize >= 1);
        start_path(&t, all, 1, (struct tftp_path){.mtu = 8});
        assert_int_equal(t.granted.blksize, TFTP_BLKSIZE_MIN);
        start(&t, (struct tftp_terms){.has_blksize = true, .blksize = 8}, 100);
        assert_false(t.granted.has_tsize || t.granted.has_timeout || t.granted.has_windowsize);
        assert_int_equal(t.blksize, 8);
}

static void test_netascii_has_no_tsize(void **state)
{
        struct tftp_packet request = {
                .opcode = TFTP_RRQ, .mode = TFTP_NETASCII, .terms = {.has_tsize = true}, .path = "f"};
        struct tftp_transfer t;

        (void)state;
        assert_int_equal(tftp_transfer_start(&t, &request, 100, &(struct tftp_path){MTU, false}, 0), TFTP_SEND_BLOCKS);
        assert_false(t.granted.has_tsize);
}

static void test_windows_and_rollover(void **state)
{
        struct tftp_terms terms = {.has_blksize = true, .blksize = 8, .has_windowsize = true, .windowsize = 64};
        struct tftp_transfer t;
        enum tftp_step step = start(&t, terms, 8 * 140000ULL);

        (void)state;
        assert_int_equal(run(&t, step), (140001 + 63) / 64);
        assert_int_equal(t.resent, 0);
}

/* The sorcerer's apprentice: an ACK twice must not bring a block twice. */
static void test_duplicate_ack(void **state)
{
        struct tftp_transfer t;

        (void)state;
        start(&t, (struct tftp_terms){0}, 5000);
        send_all(&t, 0);
        assert_int_equal(ack(&t, 1, 0), TFTP_SEND_BLOCKS);
        send_all(&t, 0);
        for (int i = 0; i < 10; i++)
                assert_int_equal(ack(&t, 1, 10000 * i), TFTP_WAIT);
        assert_int_equal(ack(&t, 0, 0), TFTP_WAIT); /* of long ago */
        assert_int_equal(ack(&t, 3, 0), TFTP_WAIT); /* of what was not sent */
        assert_int_equal(ack(&t, 65535, 0), TFTP_WAIT);
        assert_int_equal(ack(&t, 2, 0), TFTP_SEND_BLOCKS);
        assert_int_equal(t.next, 3);
}

static void test_ack_inside_window(void **state)
{
        struct tftp_terms terms = {.has_windowsize = true, .windowsize = 8};
        struct tftp_transfer t;

        (void)state;
        start(&t, terms, 512 * 100);
        assert_int_equal(ack(&t, 5, 0), TFTP_WAIT); /* the OACK waits for ACK 0 */
        assert_int_equal(ack(&t, 0, 0), TFTP_SEND_BLOCKS);
        send_all(&t, 0);
        assert_int_equal(ack(&t, 3, 0), TFTP_SEND_BLOCKS);
        assert_int_equal(t.next, 4);
        assert_int_equal(t.limit, 12);
        send_all(&t, 0);
        assert_int_equal(t.resent, 5);               /* 4 to 8 */
        assert_int_equal(ack(&t, 12, 0), TFTP_WAIT); /* past the edge */
        assert_int_equal(ack(&t, 11, 0), TFTP_SEND_BLOCKS);
        assert_int_equal(t.next, 12);
}

/* The first block of a window was lost: the client repeats its last ACK. */
static void test_window_lost(void **state)
{
        struct tftp_terms terms = {.has_windowsize = true, .windowsize = 4};
        struct tftp_transfer t;

        (void)state;
        start(&t, terms, 512 * 100);
        ack(&t, 0, 1000);
        send_all(&t, 1000);
        assert_int_equal(ack(&t, 0, 1001), TFTP_SEND_BLOCKS); /* at once */
        send_all(&t, 1001);
        assert_int_equal(t.resent, 4);
        assert_int_equal(ack(&t, 0, 1002), TFTP_WAIT); /* a second copy is on its way */
        assert_int_equal(t.deadline_ms, 1001 + TFTP_QUIET_MS);
        assert_int_equal(tftp_transfer_expire(&t, t.deadline_ms), TFTP_SEND_BLOCKS);
        assert_int_equal(t.tries, 1);
        send_all(&t, 1102);
        assert_int_equal(ack(&t, 4, 1102), TFTP_SEND_BLOCKS);
        send_all(&t, 1102);
        /* the client has had that window twice, and acknowledges it twice: the next is not doubled */
        assert_int_equal(ack(&t, 4, 1103), TFTP_WAIT);
        assert_int_equal(ack(&t, 8, 1104), TFTP_SEND_BLOCKS);
        assert_true(t.deadline_ms >= 1104 + TFTP_WAIT_MS);
}

static void test_ack_past_rollover(void **state)
{
        struct tftp_terms terms = {.has_blksize = true, .blksize = 8, .has_windowsize = true, .windowsize = 16};
        struct tftp_transfer t;

        (void)state;
        start(&t, terms, 8 * 70000);
        ack(&t, 0, 0);
        while (t.acked + 16 < 65536) {
                send_all(&t, 0);
                ack(&t, (uint16_t)(t.next - 1), 0);
        }
        send_all(&t, 0);
        assert_true(t.next > 65536);
        assert_int_equal(ack(&t, 65535, 0), TFTP_SEND_BLOCKS); /* inside: from 0 on */
        assert_int_equal(t.next, 65536);
        send_all(&t, 0);
        assert_int_equal(ack(&t, 0, 0), TFTP_SEND_BLOCKS);
        assert_int_equal(t.acked, 65536);
}

static int count_tries(struct tftp_transfer *t, enum tftp_step want)
{
        enum tftp_step step;
        int64_t now = t->deadline_ms;
        int n = 0;

        for (; (step = tftp_transfer_expire(t, now)) != TFTP_GAVE_UP; now = t->deadline_ms) {
                assert_int_equal(step, want);
                if (step == TFTP_SEND_BLOCKS)
                        send_all(t, now);
                n++;
        }
        return n;
}

static void test_silence(void **state)
{
        struct tftp_transfer t;
        int64_t began;

        (void)state;
        start(&t, (struct tftp_terms){0}, 5000);
        send_all(&t, 0);
        assert_int_equal(count_tries(&t, TFTP_SEND_BLOCKS), TFTP_TRIES_UNANSWERED - 1); /* a forged address */
        start(&t, (struct tftp_terms){.has_tsize = true}, 5000);
        assert_int_equal(count_tries(&t, TFTP_SEND_OACK), TFTP_TRIES_UNANSWERED - 1);
        start(&t, (struct tftp_terms){0}, 5000);
        send_all(&t, 0);
        ack(&t, 1, 0);
        send_all(&t, 0);
        began = t.deadline_ms;
        assert_int_equal(began, TFTP_WAIT_MS);
        assert_int_equal(count_tries(&t, TFTP_SEND_BLOCKS), TFTP_TRIES - 1);
        assert_int_equal(t.deadline_ms, began + 4000 + 4 * TFTP_WAIT_MAX_MS); /* 2 s, 4 s, 8 s, and so on */
        assert_false(tftp_transfer_all_sent(&t));
}

static void test_timeout_asked_for(void **state)
{
        struct tftp_transfer t;

        (void)state;
        start(&t, (struct tftp_terms){.has_timeout = true, .timeout_sec = 1}, 5000);
        assert_int_equal(t.deadline_ms, 1000);
        start(&t, (struct tftp_terms){.has_timeout = true, .timeout_sec = 255}, 5000);
        assert_int_equal(t.deadline_ms, 255000);
        tftp_transfer_expire(&t, 255000);
        assert_int_equal(t.deadline_ms, 2 * 255000); /* not doubled past what was asked for */
}

static void test_progress_forgives(void **state)
{
        struct tftp_transfer t;

        (void)state;
        start(&t, (struct tftp_terms){0}, 512 * 100);
        send_all(&t, 0);
        for (uint16_t block = 1; block < 50; block++) {
                assert_int_equal(tftp_transfer_expire(&t, t.deadline_ms), TFTP_SEND_BLOCKS);
                send_all(&t, t.deadline_ms);
                assert_int_equal(ack(&t, block, t.deadline_ms), TFTP_SEND_BLOCKS);
                send_all(&t, t.deadline_ms);
        }
        assert_int_equal(t.resent, 49);
}

static void test_last_ack_lost(void **state)
{
        struct tftp_transfer t;

        (void)state;
        start(&t, (struct tftp_terms){.has_tsize = true}, 100);
        ack(&t, 0, 0);
        send_all(&t, 0);
        count_tries(&t, TFTP_SEND_BLOCKS);
        assert_true(tftp_transfer_all_sent(&t));
}

static void test_probe(void **state)
{
        struct tftp_transfer t;

        (void)state;
        start(&t, (struct tftp_terms){.has_tsize = true}, 5000);
        assert_int_equal(client_error(&t, TFTP_ERROR_OPTION), TFTP_PROBED);
        start(&t, (struct tftp_terms){.has_tsize = true}, 5000);
        assert_int_equal(client_error(&t, TFTP_ERROR_UNDEFINED), TFTP_PROBED);
        start(&t, (struct tftp_terms){.has_tsize = true}, 5000);
        assert_int_equal(client_error(&t, TFTP_ERROR_DISK_FULL), TFTP_REFUSED);
        start(&t, (struct tftp_terms){0}, 5000); /* it never asked for the size */
        assert_int_equal(client_error(&t, TFTP_ERROR_UNDEFINED), TFTP_REFUSED);
        start(&t, (struct tftp_terms){.has_tsize = true}, 5000); /* half of it is there */
        ack(&t, 0, 0);
        send_all(&t, 0);
        ack(&t, 1, 0);
        assert_int_equal(client_error(&t, TFTP_ERROR_UNDEFINED), TFTP_REFUSED);
}

static void test_request_again(void **state)
{
        struct tftp_transfer t;

        (void)state;
        start(&t, (struct tftp_terms){.has_tsize = true}, 5000);
        assert_int_equal(tftp_transfer_again(&t, 10), TFTP_SEND_OACK);
        ack(&t, 0, 20);
        assert_int_equal(tftp_transfer_again(&t, 30), TFTP_WAIT);
        start(&t, (struct tftp_terms){0}, 5000);
        send_all(&t, 0);
        assert_int_equal(tftp_transfer_again(&t, 10), TFTP_SEND_BLOCKS);
        assert_int_equal(t.next, 1);
}

/* The socket took a part of the window only. */
static void test_partly_sent(void **state)
{
        struct tftp_terms terms = {.has_windowsize = true, .windowsize = 8};
        struct tftp_transfer t;

        (void)state;
        start(&t, terms, 512 * 100);
        ack(&t, 0, 0);
        tftp_transfer_sent(&t, 3, 0);
        assert_int_equal(t.next, 4);
        assert_int_equal(ack(&t, 4, 0), TFTP_WAIT); /* was never sent */
        tftp_transfer_sent(&t, 0, 0);
        send_all(&t, 0);
        assert_int_equal(t.resent, 0);
        assert_int_equal(ack(&t, 8, 0), TFTP_SEND_BLOCKS);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_granted_terms),
                cmocka_unit_test(test_netascii_has_no_tsize),
                cmocka_unit_test(test_windows_and_rollover),
                cmocka_unit_test(test_duplicate_ack),
                cmocka_unit_test(test_ack_inside_window),
                cmocka_unit_test(test_window_lost),
                cmocka_unit_test(test_ack_past_rollover),
                cmocka_unit_test(test_silence),
                cmocka_unit_test(test_timeout_asked_for),
                cmocka_unit_test(test_progress_forgives),
                cmocka_unit_test(test_last_ack_lost),
                cmocka_unit_test(test_probe),
                cmocka_unit_test(test_request_again),
                cmocka_unit_test(test_partly_sent),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
