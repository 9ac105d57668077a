/* The TFTP server with what it must survive: names, packets, options, floods, files that shrink. */
#include "tftp_lab.h"

static void test_refused_names(void **state)
{
        static const struct {
                const char *path;
                uint16_t code;
        } rows[] = {{"nothing", TFTP_ERROR_NOT_FOUND},
                    {"", TFTP_ERROR_NOT_FOUND},
                    {"../etc/passwd", TFTP_ERROR_ACCESS},
                    {"..\\etc\\passwd", TFTP_ERROR_ACCESS},
                    {"sub/../../x", TFTP_ERROR_ACCESS},
                    {"/etc/passwd", TFTP_ERROR_NOT_FOUND},
                    {"out", TFTP_ERROR_ACCESS},
                    {"out-relative", TFTP_ERROR_ACCESS},
                    {"out-folder/passwd", TFTP_ERROR_ACCESS},
                    {"fifo", TFTP_ERROR_ACCESS},
                    {"device", TFTP_ERROR_ACCESS},
                    {"sub", TFTP_ERROR_ACCESS},
                    {"long/x", TFTP_ERROR_NOT_FOUND},
                    {"circle", TFTP_ERROR_ACCESS},
                    {"\xff\n", TFTP_ERROR_NOT_FOUND}};
        struct peer p;

        (void)state;
        serve((struct tftp_options){0});
        peer_open(&p);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                if (strcmp(rows[i].path, "device") == 0 && geteuid() != 0)
                        continue;
                ask_plain(&p, rows[i].path);
                expect(&p, TFTP_ERROR);
                if (p.packet.code != rows[i].code)
                        fail_msg("'%s': error %u", rows[i].path, p.packet.code);
                assert_null(strstr(p.packet.text, lab.folder)); /* what is ours stays ours */
        }
        close(p.fd);
        get_file("inside", no_terms); /* a symlink that stays within */
}

static void test_bad_packets(void **state)
{
        static const char wrq[] = "\0\2a\0octet", mail[] = "\0\1exact\0mail", no_nul[] = {0, 1, 'a'}, odd[] = {9, 9, 9};
        uint8_t big[3000] = {0, 1};
        struct peer p;

        (void)state;
        serve((struct tftp_options){0});
        peer_open(&p);
        to_server(&p, wrq, sizeof(wrq));
        expect_error(&p, TFTP_ERROR_ACCESS);
        to_server(&p, mail, sizeof(mail));
        expect_error(&p, TFTP_ERROR_ILLEGAL);
        to_server(&p, no_nul, sizeof(no_nul));
        expect_error(&p, TFTP_ERROR_ILLEGAL);
        to_server(&p, odd, sizeof(odd));
        expect_error(&p, TFTP_ERROR_ILLEGAL);
        to_server(&p, odd, 0);
        expect_error(&p, TFTP_ERROR_ILLEGAL);
        memset(big + 2, 'x', sizeof(big) - 2);
        to_server(&p, big, sizeof(big));
        expect_error(&p, TFTP_ERROR_ILLEGAL);
        to_server(&p, big, (size_t)tftp_put_ack(big, 1)); /* no transfer of this client's */
        expect_error(&p, TFTP_ERROR_UNKNOWN_TID);
        to_server(&p, big, tftp_put_error(big, 0, "an error is not answered"));
        expect_nothing(&p);
        close(p.fd);
        get_file("long", windows);
}

static void test_options_out_of_range(void **state)
{
        static const char *const pairs[][2] = {{"blksize", "0"},        {"blksize", "7"},
                                               {"blksize", "65465"},    {"blksize", "-1"},
                                               {"blksize", "8x"},       {"timeout", "0"},
                                               {"timeout", "256"},      {"windowsize", "0"},
                                               {"windowsize", "65536"}, {"tsize", "99999999999999999999"},
                                               {"unheard", "of"}};

        (void)state;
        serve((struct tftp_options){0});
        for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
                char buf[128] = "\0\1exact\0octet";
                size_t n = sizeof("\0\1exact\0octet");
                struct peer p;

                n += (size_t)sprintf(buf + n, "%s", pairs[i][0]) + 1;
                n += (size_t)sprintf(buf + n, "%s", pairs[i][1]) + 1;
                peer_open(&p);
                to_server(&p, buf, n);
                expect(&p, TFTP_DATA); /* as if it had not been asked for */
                assert_int_equal(p.packet.n_data, 512);
                close(p.fd);
        }
}

static void test_wrong_tid(void **state)
{
        struct peer p, other;
        uint8_t buf[TFTP_SMALL_PACKET];

        (void)state;
        serve((struct tftp_options){0});
        peer_open(&p);
        peer_open(&other);
        ask_plain(&p, "exact");
        expect(&p, TFTP_DATA);
        assert_int_not_equal(ntohs(p.from.sin_port), tftp_server_port(lab.server));
        send_to(&other, p.from, buf, tftp_put_ack(buf, 1));
        expect_error(&other, TFTP_ERROR_UNKNOWN_TID);
        send_to(&other, p.from, buf, tftp_put_error(buf, 0, "away with it"));
        send_ack(&p, 1);
        expect(&p, TFTP_DATA);
        assert_int_equal(p.packet.block, 2);
        close(p.fd);
        close(other.fd);
}

static void test_shrinks(void **state)
{
        CLEANUP_FREE char *path = path_join(lab.folder, "shrinks");
        struct peer p;

        (void)state;
        for (int i = 0; i < 2; i++) {
                put_file("shrinks", 500000);
                serve((struct tftp_options){0});
                peer_open(&p);
                ask(&p, "shrinks", TFTP_OCTET, i == 0 ? no_terms : windows);
                assert_true(receive(&p, WAIT_MS));
                assert_int_equal(truncate(path, 1000), 0);
                for (uint16_t block = i == 0; receive(&p, 0) || p.packet.opcode != TFTP_ERROR; block++) {
                        send_ack(&p, block);
                        assert_true(receive(&p, WAIT_MS));
                }
                assert_int_equal(p.packet.code, TFTP_ERROR_UNDEFINED);
                wait_events(EVENT_TFTP_ERROR, 1);
                close(p.fd);
                lab.server = tftp_server_free(lab.server);
        }
}

/* An address that never answers gets few answers. */
static void test_flood(void **state)
{
        struct tftp_counters counters;
        int answers = 0;
        static struct peer p[64];

        (void)state;
        serve((struct tftp_options){.requests_burst = 16, .requests_rate = 1, .threads = 1});
        for (size_t i = 0; i < 64; i++) {
                peer_open(&p[i]);
                ask_plain(&p[i], "long");
        }
        for (size_t i = 0; i < 64; i++)
                answers += receive(&p[i], i == 0 ? WAIT_MS : QUIET_MS / 10);
        assert_in_range(answers, 16, 20);
        for (size_t i = 0; i < 64; i++) { /* who answers is heard again */
                if (p[i].packet.opcode != TFTP_DATA)
                        continue;
                send_ack(&p[i], 1);
                expect(&p[i], TFTP_DATA);
        }
        tftp_server_counters(lab.server, &counters);
        assert_true(counters.limited >= 44);
        get_file("exact", no_terms);
        for (size_t i = 0; i < 64; i++)
                close(p[i].fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_refused_names, teardown),
                cmocka_unit_test_teardown(test_bad_packets, teardown),
                cmocka_unit_test_teardown(test_options_out_of_range, teardown),
                cmocka_unit_test_teardown(test_wrong_tid, teardown),
                cmocka_unit_test_teardown(test_shrinks, teardown),
                cmocka_unit_test_teardown(test_flood, teardown),
        };

        return cmocka_run_group_tests(tests, setup, remove_all);
}
