/* The running server, and a disk that takes as long as the test wants, or fails: see dhcp_lab.h. */
#include "dhcp_lab.h"

#include <pthread.h>
#include <sys/syscall.h>

/* ---- the disk ---- */

static struct {
        pthread_mutex_t mutex;
        pthread_cond_t changed;
        bool stalled, failing;
        unsigned int waiting;
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* In place of the C library's for all of this process: what SQLite waits for. */
int fdatasync(int fd)
{
        bool fails;

        pthread_mutex_lock(&disk.mutex);
        disk.waiting++;
        pthread_cond_broadcast(&disk.changed);
        while (disk.stalled)
                pthread_cond_wait(&disk.changed, &disk.mutex);
        disk.waiting--;
        fails = disk.failing;
        pthread_mutex_unlock(&disk.mutex);
        if (!fails)
                return (int)syscall(SYS_fdatasync, fd);
        errno = EIO;
        return -1;
}

static void set_disk(bool stalled, bool failing)
{
        pthread_mutex_lock(&disk.mutex);
        disk.stalled = stalled;
        disk.failing = failing;
        pthread_cond_broadcast(&disk.changed);
        pthread_mutex_unlock(&disk.mutex);
}

static void await_writer(void)
{
        pthread_mutex_lock(&disk.mutex);
        while (disk.waiting == 0)
                pthread_cond_wait(&disk.changed, &disk.mutex);
        pthread_mutex_unlock(&disk.mutex);
}

/* ---- clients ---- */

/* The next message is an OFFER to this client: nothing else was said in between. */
static uint32_t get_offer(const struct wire *wire, uint32_t client)
{
        static struct dhcp_message answer;

        say(wire, DHCP_DISCOVER, client, 0);
        assert_true(hear(wire, 5000, &answer));
        assert_int_equal(answer.type, DHCP_OFFER);
        assert_int_equal(answer.h.xid, client);
        return answer.h.yiaddr;
}

/* The next message is an ACK: to whom? */
static uint32_t get_ack(const struct wire *wire)
{
        static struct dhcp_message answer;

        assert_true(hear(wire, 5000, &answer));
        assert_int_equal(answer.type, DHCP_ACK);
        return answer.h.xid;
}

static int count_active(void *arg, const struct lease *lease)
{
        *(int *)arg += lease->state == LEASE_ACTIVE;
        return 0;
}

static int leases_on_disk(void)
{
        CLEANUP(lease_store_freep) struct lease_store *store = NULL;
        CLEANUP_FREE char *path = xasprintf("%s/state", folder);
        bool damaged;
        int n = 0;

        assert_int_equal(lease_store_open(path, &store, &damaged, NULL), 0);
        assert_int_equal(lease_store_each(store, count_active, &n, NULL), 0);
        return n;
}

static uint64_t count_leases(struct dhcp_server *server)
{
        struct dhcp_counters counters;

        dhcp_server_counters(server, &counters);
        return counters.leases;
}

/* ---- tests ---- */

/* While a lease is being written, OFFERs leave; ACKs do not, neither its own nor later ones. */
static void test_slow_disk(void **state)
{
        struct site *site = load_site(false);
        struct dhcp_server *server = start_server(site, NULL);
        struct wire wire = wire_open();
        struct dhcp_counters counters;
        uint32_t address;

        (void)state;
        address = get_offer(&wire, 20);
        set_disk(true, false);
        say(&wire, DHCP_REQUEST, 20, address);
        await_writer();
        address = get_offer(&wire, 21);
        say(&wire, DHCP_REQUEST, 21, address);
        get_offer(&wire, 22); /* so that the REQUEST before it has been read */
        dhcp_server_counters(server, &counters);
        assert_int_equal(counters.acks, 0);
        assert_int_equal(counters.offers, 3);
        set_disk(false, false);
        assert_int_equal(get_ack(&wire), 20);
        assert_int_equal(get_ack(&wire), 21);
        wire_close(&wire);
        dhcp_server_free(server);
        site_free(site);
        assert_int_equal(leases_on_disk(), 2);
}

/* A server that ends waits for its disk. */
static void test_ends_while_writing(void **state)
{
        struct site *site = load_site(false);
        struct dhcp_server *server = start_server(site, NULL);
        struct wire wire = wire_open();
        uint32_t addresses[2];

        (void)state;
        addresses[0] = get_offer(&wire, 25);
        addresses[1] = get_offer(&wire, 26);
        set_disk(true, false);
        say(&wire, DHCP_REQUEST, 25, addresses[0]);
        await_writer();
        say(&wire, DHCP_REQUEST, 26, addresses[1]);
        get_offer(&wire, 27);
        set_disk(false, false);
        dhcp_server_free(server);
        assert_int_equal(get_ack(&wire), 25);
        assert_int_equal(get_ack(&wire), 26);
        wire_close(&wire);
        site_free(site);
        assert_int_equal(leases_on_disk(), 4);
}

/* What was gathered while a write failed stands on what is not there: none of it is acknowledged, but who had a lease
 * is served within it. */
static void test_failing_disk(void **state)
{
        struct site *site = load_site(false);
        struct dhcp_server *server = start_server(site, NULL);
        struct wire wire = wire_open();
        static struct dhcp_message answer;
        struct dhcp_counters counters;
        uint32_t known = acquire(&wire, 30), addresses[2];
        int before = (int)count_leases(server);

        (void)state;
        addresses[0] = get_offer(&wire, 31);
        addresses[1] = get_offer(&wire, 32);
        set_disk(true, false);
        say(&wire, DHCP_REQUEST, 31, addresses[0]);
        await_writer();
        say(&wire, DHCP_REQUEST, 32, addresses[1]);
        say(&wire, DHCP_REQUEST, 30, known);
        get_offer(&wire, 33);
        set_disk(false, true);
        assert_int_equal(get_ack(&wire), 30);
        assert_false(hear(&wire, 300, &answer));
        dhcp_server_counters(server, &counters);
        assert_true(counters.write_errors > 0);
        assert_int_equal((int)count_leases(server), before);
        assert_int_equal(dhcp_server_release(server, known, NULL), -EIO);
        assert_int_equal((int)count_leases(server), before);
        set_disk(false, false);
        for (int i = 0; i < 10 && acquire(&wire, 31) == 0; i++)
                usleep(300000);
        assert_int_not_equal(acquire(&wire, 31), acquire(&wire, 32));
        assert_int_equal(acquire(&wire, 30), known);
        wire_close(&wire);
        dhcp_server_free(server);
        site_free(site);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_slow_disk),
                cmocka_unit_test(test_ends_while_writing),
                cmocka_unit_test(test_failing_disk),
        };

        if (!enter_namespace()) {
                fprintf(stderr, "no network namespaces here\n");
                return 77;
        }
        return cmocka_run_group_tests(tests, setup, teardown);
}
