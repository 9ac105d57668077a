/* The running server: see dhcp_lab.h. */
#include "dhcp_lab.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { CLIENTS = 20000, WINDOW = 200 };

/* In a process of its own, to be killed. Returns when it serves. */
static pid_t fork_server(const struct site *site)
{
        int channel[2];
        char byte;
        pid_t pid;

        assert_int_equal(pipe2(channel, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                start_server(site, NULL);
                (void)!write(channel[1], "x", 1);
                for (;;)
                        pause();
        }
        close(channel[1]);
        assert_int_equal(read(channel[0], &byte, 1), 1);
        close(channel[0]);
        return pid;
}

static void kill_server(pid_t pid)
{
        int status;

        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* What was acknowledged: the client of each address, and the address of each client. */
struct ledger {
        uint32_t client_of[65536], address_of[CLIENTS];
        size_t n;
};

static void note_ack(struct ledger *ledger, const struct dhcp_message *ack)
{
        uint32_t client = ack->h.xid, *owner = &ledger->client_of[ack->h.yiaddr & 0xffff];

        assert_true(client > 0 && client < CLIENTS);
        assert_true(*owner == 0 || *owner == client); /* no address is given twice */
        *owner = client;
        ledger->n += ledger->address_of[client] == 0;
        ledger->address_of[client] = ack->h.yiaddr;
}

static int64_t now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Clients from *next on ask for addresses for so long, or until there are no more clients. */
static void load(const struct wire *wire, struct ledger *ledger, uint32_t *next, uint32_t last, int64_t for_ms)
{
        static struct dhcp_message answer;
        int64_t end_ms = now_ms() + for_ms;
        int under_way = 0;

        while (now_ms() < end_ms && (*next < last || under_way > 0)) {
                for (; under_way < WINDOW && *next < last; under_way++)
                        say(wire, DHCP_DISCOVER, (*next)++, 0);
                if (!hear(wire, 200, &answer)) {
                        under_way = 0; /* lost, with the server or on the way */
                        continue;
                }
                if (answer.type == DHCP_OFFER)
                        say(wire, DHCP_REQUEST, answer.h.xid, answer.h.yiaddr);
                if (answer.type == DHCP_ACK) {
                        note_ack(ledger, &answer);
                        under_way--;
                }
        }
}

/* ---- tests ---- */

static void test_acquire(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        struct site *site = load_site(false);
        struct dhcp_server *server = start_server(site, NULL);
        struct wire wire = wire_open();
        struct dhcp_counters counters;
        struct dhcp_peer peer;
        uint32_t address = acquire(&wire, 7);

        (void)state;
        assert_in_range(address, 0x0a4d0100, 0x0a4dfeff);
        assert_int_equal(acquire(&wire, 7), address);
        assert_int_not_equal(acquire(&wire, 8), address);
        assert_true(dhcp_server_peer(server, address, &peer));
        assert_memory_equal(peer.mac, "\2\0\0\0\0\7", 6);
        assert_false(dhcp_server_peer(server, SERVER, &peer));
        dhcp_server_counters(server, &counters);
        assert_int_equal(counters.acks, 3);
        assert_int_equal(counters.leases, 2);
        assert_int_equal(dhcp_server_release(server, address, &err), 0);
        assert_int_equal(dhcp_server_release(server, address, &err), -ENOENT);
        dhcp_server_counters(server, &counters);
        assert_int_equal(counters.leases, 1);
        wire_close(&wire);
        dhcp_server_free(server);
        site_free(site);
}

/* Somebody without a lease is there: his address is not offered. */
static void test_probe(void **state)
{
        struct site *site = load_site(true);
        struct dhcp_server *server = start_server(site, NULL);
        struct wire wire = wire_open();
        uint32_t first = acquire(&wire, 9), second;
        char text[DHCP_ADDRESS_TEXT + 4];

        (void)state;
        assert_int_not_equal(first, 0);
        assert_int_equal(dhcp_server_release(server, first, NULL), 0);
        dhcp_address_text(first, text);
        strcat(text, "/16");
        RUN("ip", "address", "add", text, "dev", "wb");
        second = acquire(&wire, 10);
        assert_int_not_equal(second, 0);
        dhcp_server_free(server);

        /* The server forgets it, and so must ask. */
        server = start_server(site, NULL);
        second = acquire(&wire, 9);
        assert_int_not_equal(second, first);
        RUN("ip", "address", "delete", text, "dev", "wb");
        wire_close(&wire);
        dhcp_server_free(server);
        site_free(site);
}

static int check_lease(void *arg, const struct lease *lease)
{
        const struct ledger *ledger = arg;
        uint32_t client = ledger->client_of[lease->address & 0xffff];

        if (client && lease->state == LEASE_ACTIVE)
                assert_int_equal(get_be32(lease->hw + 2), client);
        return 0;
}

/* Every address that was acknowledged is on disk, and its client's. */
static void check_store(const struct ledger *ledger)
{
        CLEANUP(lease_store_freep) struct lease_store *store = NULL;
        CLEANUP_FREE char *path = xasprintf("%s/state", folder);
        bool damaged;

        assert_int_equal(lease_store_open(path, &store, &damaged, NULL), 0);
        assert_false(damaged);
        for (uint32_t i = 0; i < 65536; i++)
                if (ledger->client_of[i])
                        assert_int_equal(lease_store_get(store, 0x0a4d0000 | i, check_lease, (void *)ledger, NULL), 1);
}

/* kill -9 at any moment, many times. */
static void test_killed_under_load(void **state)
{
        static struct ledger ledger;
        struct site *site = load_site(false);
        struct wire wire = wire_open();
        uint32_t next = 1000, seed = 12345;

        (void)state;
        for (int round = 0; round < 50; round++) {
                pid_t pid = fork_server(site);

                seed = seed * 1103515245 + 12345;
                load(&wire, &ledger, &next, CLIENTS, 5 + (seed >> 16) % 60);
                kill_server(pid);
                while (next > 1400 && next >= CLIENTS - 1)
                        next = 1000; /* the first ones come again, as after a power cut */
                check_store(&ledger);
        }
        assert_true(ledger.n > 100);
        wire_close(&wire);
        site_free(site);
}

static int check_end(void *arg, const struct lease *lease)
{
        const int64_t *latest_sec = arg;

        assert_in_range(lease->end_sec, 1, *latest_sec);
        return 0;
}

/* Leases of a time when the clock was years ahead end as new ones would. */
static void test_clock_was_ahead(void **state)
{
        const uint8_t id[] = {1, 2, 0, 0, 0, 0, 77};
        struct lease lease = {.address = 0x0a4d0120,
                              .state = LEASE_ACTIVE,
                              .start_sec = time(NULL) + 100000000,
                              .end_sec = time(NULL) + 100003600,
                              .htype = DHCP_ETHERNET,
                              .hlen = 6,
                              .hw = {2, 0, 0, 0, 0, 77},
                              .id = id,
                              .id_len = sizeof(id)};
        CLEANUP_FREE char *path = xasprintf("%s/state", folder);
        struct site *site = load_site(false);
        struct lease_store *store;
        struct dhcp_server *server;
        int64_t latest_sec;
        bool damaged;

        (void)state;
        RUN("rm", "-rf", path);
        assert_int_equal(mkdir(path, 0755), 0);
        assert_int_equal(lease_store_open(path, &store, &damaged, NULL), 0);
        assert_int_equal(lease_store_put(store, &lease, NULL), 0);
        assert_int_equal(lease_store_commit(store, NULL), 0);
        lease_store_free(store);
        server = start_server(site, NULL);
        latest_sec = time(NULL) + 3600;
        assert_int_equal(dhcp_server_leases(server, check_end, &latest_sec), 0);
        dhcp_server_free(server);
        site_free(site);
}

/* No file may grow: no ACK without a lease; who has one is served within it. */
static void test_full_disk(void **state)
{
        static struct dhcp_message answer;
        struct site *site = load_site(false);
        struct dhcp_server *server = start_server(site, NULL);
        struct wire wire = wire_open();
        struct dhcp_counters counters;
        struct rlimit before, none;
        uint32_t address = acquire(&wire, 11);

        (void)state;
        assert_int_not_equal(address, 0);
        signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before);
        none = (struct rlimit){0, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &none);
        say(&wire, DHCP_DISCOVER, 12, 0);
        assert_true(hear(&wire, 5000, &answer));
        assert_int_equal(answer.type, DHCP_OFFER);
        say(&wire, DHCP_REQUEST, 12, answer.h.yiaddr);
        assert_false(hear(&wire, 300, &answer)); /* silence */
        say(&wire, DHCP_REQUEST, 11, address);
        assert_true(hear(&wire, 5000, &answer));
        assert_int_equal(answer.type, DHCP_ACK);
        assert_in_range(dhcp_get_u32(&answer, DHCP_OPT_LEASE_TIME, 0), 3000, 3600);
        setrlimit(RLIMIT_FSIZE, &before);
        dhcp_server_counters(server, &counters);
        assert_true(counters.write_errors > 0);
        for (int i = 0; i < 10 && acquire(&wire, 12) == 0; i++)
                usleep(300000);
        assert_int_not_equal(acquire(&wire, 12), 0);
        wire_close(&wire);
        dhcp_server_free(server);
        site_free(site);
}

/* Rubbish of every size does not end it. */
static void test_rubbish(void **state)
{
        struct site *site = load_site(false);
        struct dhcp_server *server = start_server(site, NULL);
        struct wire wire = wire_open();
        uint8_t bytes[1400];
        struct dhcp_outgoing out = {
                .to = UINT32_MAX, .from_port = 68, .to_port = 67, .ifindex = wire.ifindex, .bytes = bytes};

        (void)state;
        memset(out.hw, 0xff, sizeof(out.hw));
        memset(bytes, 1, sizeof(bytes));
        put_be32(bytes + 236, 0x63825363);
        for (out.size = 0; out.size < sizeof(bytes); out.size += 7)
                dhcp_packet_send(wire.send, &out, 1);
        assert_int_not_equal(acquire(&wire, 13), 0);
        wire_close(&wire);
        dhcp_server_free(server);
        site_free(site);
}

static void count_questions(void *arg, const struct event *event)
{
        _Atomic int *n = arg;

        *n += event->kind == EVENT_DHCP_IN;
}

/* A message that waits for a probe is handled twice, and came once. */
static void test_told_once(void **state)
{
        struct site *site = load_site(true);
        _Atomic int questions = 0;
        const struct event_sink sink = {count_questions, &questions};
        struct dhcp_server *server = start_server(site, &sink);
        struct wire wire = wire_open();
        static struct dhcp_message answer;
        struct dhcp_counters counters;

        (void)state;
        say(&wire, DHCP_DISCOVER, CLIENTS + 1, 0);
        assert_true(hear(&wire, 5000, &answer));
        assert_int_equal(answer.type, DHCP_OFFER);
        dhcp_server_counters(server, &counters);
        assert_int_equal(counters.received, 1);
        dhcp_server_free(server);
        assert_int_equal(questions, 1);
        wire_close(&wire);
        site_free(site);
}

/* Whoever wants a lease to end is not kept waiting by a server that does not run, or runs no more. */
static void test_ended(void **state)
{
        struct site *site = load_site(false);
        CLEANUP_ERROR struct error err = {0};
        struct dhcp_server *server = NULL;
        struct rlimit before, few;

        (void)state;
        alarm(60);
        assert_int_equal(dhcp_server_open(site, NULL, &server, NULL), 0);
        assert_int_equal(dhcp_server_release(server, SERVER + 1, &err), -ESHUTDOWN);
        assert_string_equal(error_message(&err), "the DHCP server has ended");
        assert_int_equal(dhcp_server_start(server, NULL), 0);
        assert_int_equal(dhcp_server_release(server, SERVER + 1, NULL), -ENOENT);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        few = before;
        few.rlim_cur = 1; /* poll() refuses to look at more than that */
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        while (dhcp_server_release(server, SERVER + 1, NULL) == -ENOENT)
                ;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(dhcp_server_release(server, SERVER + 1, NULL), -ESHUTDOWN);
        dhcp_server_free(server);
        site_free(site);
        alarm(0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_acquire),   cmocka_unit_test(test_probe),
                cmocka_unit_test(test_rubbish),   cmocka_unit_test(test_killed_under_load),
                cmocka_unit_test(test_full_disk), cmocka_unit_test(test_clock_was_ahead),
                cmocka_unit_test(test_ended),     cmocka_unit_test(test_told_once),
        };

        if (!enter_namespace()) {
                fprintf(stderr, "no network namespaces here\n");
                return 77;
        }
        return cmocka_run_group_tests(tests, setup, teardown);
}
