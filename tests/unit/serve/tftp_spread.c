/* Requests go to the thread with least to do, and those of one client's port to the same. */
#include <errno.h>
#include <unistd.h>

#include "serve/tftp_internal.h"
#include "test.h"

enum { WORKERS = 3 };

static struct tftp_server *server;

static int setup(void **state)
{
        struct tftp_options options = {.address = INADDR_LOOPBACK, .any_port = true, .threads = WORKERS};

        (void)state;
        assert_int_equal(tftp_server_open(&options, &server, NULL), 0);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        server = tftp_server_free(server);
        return 0;
}

static struct sockaddr_in client(uint16_t port)
{
        return (struct sockaddr_in){
                .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
}

static void test_least_loaded(void **state)
{
        struct tftp_worker *w = server->workers;

        (void)state;
        for (int i = 0; i < 10 * WORKERS; i++) {
                struct sockaddr_in address = client((uint16_t)(1000 + i));
                struct tftp_worker *first = tftp_spread_choose(&w[0], &address);

                for (int j = 0; j < WORKERS; j++) /* whoever of them receives the request again */
                        assert_ptr_equal(tftp_spread_choose(&w[j], &address), first);
        }
        for (int i = 0; i < WORKERS; i++)
                assert_int_equal(w[i].n_clients, 10);
}

static void test_who_has_room_keeps(void **state)
{
        struct sockaddr_in a = client(1000), b = client(1001);
        struct tftp_worker *w = server->workers;

        (void)state;
        assert_ptr_equal(tftp_spread_choose(&w[2], &a), &w[2]);
        assert_ptr_not_equal(tftp_spread_choose(&w[2], &b), &w[2]);
}

static void test_forgotten(void **state)
{
        struct sockaddr_in a = client(1000);
        struct tftp_worker *w = server->workers;

        (void)state;
        tftp_spread_forget(&w[0], &a); /* that nobody knows */
        assert_ptr_equal(tftp_spread_choose(&w[1], &a), &w[1]);
        tftp_spread_keep(&w[1], &a);
        assert_int_equal(w[1].n_clients, 1);
        tftp_spread_forget(&w[1], &a);
        assert_int_equal(w[1].n_clients, 0);
        assert_ptr_equal(tftp_spread_choose(&w[2], &a), &w[2]);
        tftp_spread_keep(&w[0], &a); /* who has it already keeps it */
        assert_ptr_equal(tftp_spread_choose(&w[0], &a), &w[2]);
}

/* More than a thread that hangs should be given: the rest is lost, and freed. */
static void test_handed_on(void **state)
{
        struct tftp_peer peer = {.address = client(1000)};
        uint64_t n = 0;

        (void)state;
        for (int i = 0; i < 5000; i++)
                tftp_spread_hand_on(&server->workers[1], &peer, "\0\1a\0octet", 10);
        assert_true(server->workers[1].inbox.n > 100);
        assert_true(server->workers[1].inbox.n < 5000);
        assert_int_equal(read(server->workers[1].handed.fd, &n, sizeof(n)), sizeof(n));
        assert_int_equal(n, 5000);
        tftp_spread_receive(&server->workers[2]); /* nothing for that one */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_least_loaded, setup, teardown),
                cmocka_unit_test_setup_teardown(test_who_has_room_keeps, setup, teardown),
                cmocka_unit_test_setup_teardown(test_forgotten, setup, teardown),
                cmocka_unit_test_setup_teardown(test_handed_on, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
