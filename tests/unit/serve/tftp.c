/* The TFTP server with clients that mean well: files, requests again, limits. */
#include "tftp_lab.h"

static void test_files(void **state)
{
        static const struct tftp_options ways[] = {{0}, {.single_port = true}, {.threads = 1}};

        (void)state;
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
                serve(ways[i]);
                get_file("empty", no_terms);
                get_file("exact", no_terms); /* 1024: an empty last block */
                get_file("long", no_terms);
                get_file("long", windows);
                get_file("long", (struct tftp_terms){.has_blksize = true, .blksize = 65464});
                get_file("exact", small_blocks);
                wait_events(EVENT_TFTP_END, 6);
                assert_int_equal(lab.seen[EVENT_TFTP_START], 6);
                lab.server = tftp_server_free(lab.server);
        }
}

/* 70,001 blocks: numbers go on at 0. */
static void test_rollover(void **state)
{
        (void)state;
        serve((struct tftp_options){0});
        get_file("many", small_blocks);
        get_file("many",
                 (struct tftp_terms){.has_blksize = true, .blksize = 8, .has_windowsize = true, .windowsize = 60});
}

static void test_netascii(void **state)
{
        static const char want[] = "one\r\ntwo\r\0\r\n";
        struct peer p;

        (void)state;
        serve((struct tftp_options){0});
        peer_open(&p);
        get(&p, "text", TFTP_NETASCII, (struct tftp_terms){.has_tsize = true, .has_blksize = true, .blksize = 8}, want,
            sizeof(want) - 1);
        close(p.fd);
}

static void test_other_names_of_a_file(void **state)
{
        (void)state;
        serve((struct tftp_options){0});
        for (size_t i = 0; i < 4; i++) {
                static const char *const names[] = {"/sub/File.efi", "\\sub\\File.efi", "SUB/FILE.EFI",
                                                    "//sub/./file.efi"};
                struct peer p;

                peer_open(&p);
                ask_plain(&p, names[i]);
                expect(&p, TFTP_DATA);
                assert_int_equal(p.packet.n_data, 100);
                send_ack(&p, 1);
                close(p.fd);
        }
        wait_events(EVENT_TFTP_END, 4);
}

static void test_duplicates(void **state)
{
        struct peer p;

        (void)state;
        serve((struct tftp_options){0});
        peer_open(&p);
        ask_plain(&p, "long");
        expect(&p, TFTP_DATA);
        for (int i = 0; i < 5; i++)
                send_ack(&p, 1);
        send_ack(&p, 9);
        send_ack(&p, 65535);
        expect(&p, TFTP_DATA);
        assert_int_equal(p.packet.block, 2);
        expect_nothing(&p);
        close(p.fd);
}

/* Blocks that were read together are sent one by one, and one that is not acknowledged is sent again as it was. */
static void test_silence(void **state)
{
        CLEANUP_FREE char *path = path_join(lab.folder, "long"), *want = NULL;
        const struct tftp_terms terms = {.has_timeout = true, .timeout_sec = 1, .has_blksize = true, .blksize = 1000};
        struct peer p;
        size_t n;

        (void)state;
        assert_int_equal(file_read(path, 1 << 30, &want, &n, NULL), 0);
        serve((struct tftp_options){0});
        peer_open(&p);
        ask(&p, "long", TFTP_OCTET, terms);
        expect(&p, TFTP_OACK);
        send_ack(&p, 0);
        for (uint16_t block = 1; block <= 40; block++) {
                int times = block == 5 || block == 33 ? 2 : 1;

                for (int i = 0; i < times; i++) {
                        expect(&p, TFTP_DATA);
                        assert_int_equal(p.packet.block, block);
                        assert_int_equal(p.packet.n_data, 1000);
                        assert_memory_equal(p.packet.data, want + (size_t)(block - 1) * 1000, 1000);
                }
                send_ack(&p, block);
        }
        close(p.fd);
}

/* The same request again: its answer again, from the same port; once it was taken, a new transfer. */
static void check_repeated_request(struct tftp_options options)
{
        struct peer p;
        uint16_t port;

        serve(options);
        peer_open(&p);
        ask_plain(&p, "long");
        expect(&p, TFTP_DATA);
        port = p.from.sin_port;
        ask_plain(&p, "long");
        expect(&p, TFTP_DATA);
        assert_int_equal(p.packet.block, 1);
        assert_int_equal(p.from.sin_port, port);
        wait_events(EVENT_TFTP_START, 1);
        send_ack(&p, 1);
        expect(&p, TFTP_DATA);
        ask_plain(&p, "exact");
        expect(&p, TFTP_DATA);
        assert_int_equal(p.packet.block, 1);
        send_ack(&p, 1);
        expect(&p, TFTP_DATA);
        send_ack(&p, 2);
        expect(&p, TFTP_DATA);
        send_ack(&p, 3);
        wait_events(EVENT_TFTP_END, 1);
        assert_int_equal(lab.seen[EVENT_TFTP_ERROR], 1);
        close(p.fd);
        lab.server = tftp_server_free(lab.server);
}

static void test_repeated_request(void **state)
{
        (void)state;
        check_repeated_request((struct tftp_options){0});
        check_repeated_request((struct tftp_options){.single_port = true});
}

static void test_probe(void **state)
{
        uint8_t buf[TFTP_SMALL_PACKET];
        struct peer p;

        (void)state;
        serve((struct tftp_options){0});
        peer_open(&p);
        ask(&p, "long", TFTP_OCTET, (struct tftp_terms){.has_tsize = true});
        expect(&p, TFTP_OACK);
        assert_int_equal(p.packet.terms.tsize_bytes, 100000);
        send_to(&p, p.from, buf, tftp_put_error(buf, TFTP_ERROR_OPTION, "User aborted the transfer"));
        wait_events(EVENT_TFTP_PROBE, 1);
        assert_int_equal(lab.seen[EVENT_TFTP_ERROR], 0);
        close(p.fd);
}

static void test_limit_of_transfers(void **state)
{
        struct tftp_counters counters;
        struct peer p[4];

        (void)state;
        serve((struct tftp_options){.max_transfers = 3});
        for (size_t i = 0; i < 4; i++) {
                peer_open(&p[i]);
                ask_plain(&p[i], "exact");
                if (i < 3)
                        expect(&p[i], TFTP_DATA);
                else
                        expect_nothing(&p[i]);
        }
        tftp_server_counters(lab.server, &counters);
        assert_int_equal(counters.active, 3);
        assert_int_equal(counters.limited, 1);
        lab.server = tftp_server_free(lab.server);
        expect_error(&p[0], TFTP_ERROR_UNDEFINED); /* the server stops */
        for (size_t i = 0; i < 4; i++)
                close(p[i].fd);
}

static void test_port_in_use(void **state)
{
        struct tftp_server *second = NULL;
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        serve((struct tftp_options){0});
        assert_int_equal(tftp_server_open(&(struct tftp_options){.port = tftp_server_port(lab.server)}, &second, &err),
                         -EADDRINUSE);
        assert_non_null(strstr(error_message(&err), "TFTP"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_files, teardown),
                cmocka_unit_test_teardown(test_rollover, teardown),
                cmocka_unit_test_teardown(test_netascii, teardown),
                cmocka_unit_test_teardown(test_other_names_of_a_file, teardown),
                cmocka_unit_test_teardown(test_duplicates, teardown),
                cmocka_unit_test_teardown(test_silence, teardown),
                cmocka_unit_test_teardown(test_repeated_request, teardown),
                cmocka_unit_test_teardown(test_probe, teardown),
                cmocka_unit_test_teardown(test_limit_of_transfers, teardown),
                cmocka_unit_test_teardown(test_port_in_use, teardown),
        };

        return cmocka_run_group_tests(tests, setup, remove_all);
}
