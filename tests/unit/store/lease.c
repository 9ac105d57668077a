#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "store/lease.h"

static char folder[64];
static struct lease_store *store;

static void open_it(bool expect_damaged)
{
        CLEANUP_ERROR struct error err = {0};
        bool damaged = false;

        if (lease_store_open(folder, &store, &damaged, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_int_equal(damaged, expect_damaged);
}

static int setup(void **state)
{
        (void)state;
        strcpy(folder, "/tmp/slipway-lease-XXXXXX");
        return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
        char command[128];

        (void)state;
        store = lease_store_free(store);
        for (int i = 0; i < 6; i++) {
                static const char *const names[] = {"leases.db",   "leases.db-wal",     "leases.db-shm",
                                                    "leases.lock", "leases.db.damaged", "filler"};

                snprintf(command, sizeof(command), "%s/%s", folder, names[i]);
                unlink(command);
        }
        return rmdir(folder);
}

static struct lease lease_of(uint32_t address)
{
        static uint8_t id[7];

        id[0] = 1;
        memcpy(id + 1, &address, 4);
        return (struct lease){.address = address,
                              .state = LEASE_ACTIVE,
                              .start_sec = 1000,
                              .end_sec = 5000000000,
                              .boot = true,
                              .htype = 1,
                              .hlen = 6,
                              .hw = {2, 0, 0, 0, 0, 9},
                              .id = id,
                              .id_len = sizeof(id),
                              .host_name = "kitchen"};
}

static int put(uint32_t address)
{
        struct lease lease = lease_of(address);

        return lease_store_put(store, &lease, NULL);
}

static int count(void *arg, const struct lease *lease)
{
        struct lease expected = lease_of(lease->address);

        if (lease->state != LEASE_DECLINED) {
                assert_int_equal(lease->state, LEASE_ACTIVE);
                assert_true(lease->end_sec == expected.end_sec && lease->boot);
                assert_int_equal(lease->hlen, 6);
                assert_memory_equal(lease->hw, expected.hw, sizeof(lease->hw));
                assert_int_equal(lease->id_len, expected.id_len);
                assert_memory_equal(lease->id, expected.id, expected.id_len);
                assert_string_equal(lease->host_name, "kitchen");
        }
        ++*(int *)arg;
        return 0;
}

static int how_many(void)
{
        int n = 0;

        assert_int_equal(lease_store_each(store, count, &n, NULL), 0);
        return n;
}

static void test_round_trip(void **state)
{
        struct lease bare = {.address = 7, .state = LEASE_DECLINED, .end_sec = LEASE_FOREVER};
        int n = 0;

        (void)state;
        open_it(false);
        assert_int_equal(put(1), 0);
        assert_int_equal(put(0xffffffff), 0);
        assert_int_equal(put(1), 0);
        assert_int_equal(lease_store_put(store, &bare, NULL), 0);
        assert_int_equal(lease_store_commit(store, NULL), 0);
        assert_int_equal(lease_store_commit(store, NULL), 0); /* nothing to do */
        store = lease_store_free(store);
        open_it(false);
        assert_int_equal(how_many(), 3);
        assert_int_equal(lease_store_get(store, 1, count, &n, NULL), 1);
        assert_int_equal(lease_store_get(store, 2, count, &n, NULL), 0);
        assert_int_equal(n, 1);
}

/* What was not committed is not there after kill -9; what was, is. */
static void test_killed(void **state)
{
        int channel[2], status;
        char byte;
        pid_t pid;

        (void)state;
        assert_int_equal(pipe(channel), 0);
        pid = fork();
        if (pid == 0) {
                open_it(false);
                for (uint32_t i = 1; i <= 1000; i++)
                        put(i);
                lease_store_commit(store, NULL);
                for (uint32_t i = 1001; i <= 1500; i++)
                        put(i);
                (void)!write(channel[1], "x", 1);
                pause();
                _exit(0);
        }
        close(channel[1]);
        assert_int_equal(read(channel[0], &byte, 1), 1);
        close(channel[0]);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        open_it(false);
        assert_int_equal(how_many(), 1000);
}

static void test_one_at_a_time(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        struct lease_store *second = NULL;
        bool damaged;

        (void)state;
        open_it(false);
        assert_int_equal(lease_store_open(folder, &second, &damaged, &err), -EBUSY);
        assert_non_null(strstr(error_message(&err), "another server"));
}

static void test_damaged(void **state)
{
        CLEANUP_FREE char *path = xasprintf("%s/leases.db", folder);
        CLEANUP_FREE char *aside = xasprintf("%s.damaged", path);
        FILE *f = fopen(path, "we");

        (void)state;
        fputs("this is no database, and long enough to be looked at: ................................................",
              f);
        fclose(f);
        open_it(true);
        assert_int_equal(access(aside, F_OK), 0);
        assert_int_equal(put(1), 0);
        assert_int_equal(lease_store_commit(store, NULL), 0);
        assert_int_equal(how_many(), 1);
}

static void test_no_folder(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        bool damaged;

        (void)state;
        assert_int_equal(lease_store_open("/nonexistent/x", &store, &damaged, &err), -ENOENT);
}

/* No file of this process may grow: as a full disk. Nothing of the failed
 * batch is there, and when there is room again, all works on. */
static void test_full_disk(void **state)
{
        struct rlimit before, none;
        int r = 0;

        (void)state;
        open_it(false);
        assert_int_equal(put(1), 0);
        assert_int_equal(lease_store_commit(store, NULL), 0);
        signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before);
        none = (struct rlimit){4096, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &none);
        for (uint32_t i = 2; i < 200 && r == 0; i++)
                r = put(i);
        if (r == 0)
                r = lease_store_commit(store, NULL);
        else
                assert_true(lease_store_commit(store, NULL) < 0);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_true(r < 0);
        assert_int_equal(how_many(), 1);
        assert_int_equal(put(3), 0);
        assert_int_equal(lease_store_commit(store, NULL), 0);
        assert_int_equal(how_many(), 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
                cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
                cmocka_unit_test_setup_teardown(test_one_at_a_time, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
                cmocka_unit_test_setup_teardown(test_no_folder, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
