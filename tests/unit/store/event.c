/* Boots and packets of machines on disk. */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/str.h"
#include "store/event.h"

static const uint8_t one[6] = {2, 0, 0, 0, 0, 1}, two[6] = {2, 0, 0, 0, 0, 2};
static char folder[64];
static struct event_store *store;

static void open_it(bool expect_damaged)
{
        CLEANUP_ERROR struct error err = {0};
        bool damaged = !expect_damaged;

        if (event_store_open(folder, &store, &damaged, &err) < 0)
                fail_msg("%s: %s", folder, error_message(&err));
        assert_int_equal(damaged, expect_damaged);
}

static int setup(void **state)
{
        (void)state;
        strcpy(folder, "/tmp/slipway-event-XXXXXX");
        if (!mkdtemp(folder))
                return -1;
        open_it(false);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        event_store_free(store);
        return tree_remove(folder, NULL);
}

struct seen {
        int n, first, last;
};

static int see_packet(void *arg, const void *data, size_t size)
{
        struct seen *seen = arg;
        int value;

        assert_int_equal(size, sizeof(value));
        memcpy(&value, data, sizeof(value));
        if (seen->n++ == 0)
                seen->first = value;
        else
                assert_int_equal(value, seen->last + 1); /* in order */
        seen->last = value;
        return 0;
}

static struct seen packets_of(const uint8_t mac[6])
{
        struct seen seen = {0};

        assert_int_equal(event_store_each_packet(store, mac, see_packet, &seen, NULL), 0);
        return seen;
}

static void put_packets(const uint8_t mac[6], int from, int to)
{
        assert_int_equal(event_store_begin(store, NULL), 0);
        for (int i = from; i < to; i++)
                assert_int_equal(event_store_put_packet(store, mac, &i, sizeof(i), NULL), 0);
        assert_int_equal(event_store_prune_packets(store, mac, NULL), 0);
        assert_int_equal(event_store_commit(store, NULL), 0);
}

static void test_the_last_packets_are_kept(void **state)
{
        struct seen seen;

        (void)state;
        put_packets(one, 0, 10);
        put_packets(two, 0, EVENT_STORE_PACKETS + 500);
        seen = packets_of(one);
        assert_int_equal(seen.n, 10);
        assert_int_equal(seen.first, 0);
        seen = packets_of(two);
        assert_int_equal(seen.n, EVENT_STORE_PACKETS);
        assert_int_equal(seen.first, 500);
        assert_int_equal(seen.last, EVENT_STORE_PACKETS + 499);
}

static int see_boot(void *arg, const char *json)
{
        struct str *all = arg;

        str_add(all, json);
        return 0;
}

static void test_boots_change_and_are_kept_newest_first(void **state)
{
        CLEANUP_STR struct str all = {0};
        int64_t first = 0;

        (void)state;
        for (int i = 0; i < EVENT_STORE_PER_MACHINE + 5; i++) {
                char json[16];
                int64_t id = 0;

                snprintf(json, sizeof(json), "%d,", i);
                assert_int_equal(event_store_put(store, &id, one, i, json, NULL), 0);
                first = first ? first : id;
        }
        assert_int_equal(event_store_put(store, &(int64_t){0}, two, 1000, "other", NULL), 0);
        assert_int_equal(event_store_each(store, one, 3, see_boot, &all, NULL), 0);
        assert_string_equal(str_get(&all), "54,53,52,");
        str_clear(&all);
        assert_int_equal(event_store_each(store, one, 1000, see_boot, &all, NULL), 0);
        assert_true(str_ends(str_get(&all), ",6,5,"));
        /* A row that was removed meanwhile is no error. */
        assert_int_equal(event_store_put(store, &first, one, 0, "gone", NULL), 0);
}

static void boot_mac(unsigned int n, uint8_t mac[6])
{
        memcpy(mac, two, 6);
        put_be32(mac + 1, n);
}

static const char *boots_of(const uint8_t mac[6], struct str *all)
{
        str_clear(all);
        assert_int_equal(event_store_each(store, mac, 1000, see_boot, all, NULL), 0);
        return str_get(all);
}

/* Whoever invents machines does not fill the disk: the oldest boots and packets go, whose ever they are. */
static void test_all_of_it_is_bounded(void **state)
{
        CLEANUP_STR struct str all = {0};
        uint8_t mac[6];

        (void)state;
        put_packets(one, 0, 10);
        assert_int_equal(event_store_begin(store, NULL), 0);
        for (unsigned int i = 0; i < EVENT_STORE_BOOTS + 10; i++) {
                boot_mac(i, mac);
                assert_int_equal(event_store_put(store, &(int64_t){0}, mac, i, "boot", NULL), 0);
        }
        for (int i = 0; i < EVENT_STORE_ALL_PACKETS; i++) {
                boot_mac((unsigned int)i, mac);
                assert_int_equal(event_store_put_packet(store, mac, &i, sizeof(i), NULL), 0);
        }
        assert_int_equal(event_store_commit(store, NULL), 0);
        boot_mac(9, mac);
        assert_string_equal(boots_of(mac, &all), "");
        boot_mac(10, mac);
        assert_string_equal(boots_of(mac, &all), "boot");
        assert_int_equal(packets_of(one).n, 0);
        assert_int_equal(packets_of(mac).n, 1);
}

/* What a commit that failed had written is not there, and its place may be another boot's by now. */
static void test_a_row_that_was_lost(void **state)
{
        CLEANUP_STR struct str all = {0};
        int64_t lost = 0, other = 0;

        (void)state;
        assert_int_equal(event_store_put(store, &other, two, 1, "other", NULL), 0);
        lost = other;
        assert_int_equal(event_store_put(store, &lost, one, 2, "mine", NULL), 0);
        assert_int_not_equal(lost, other);
        assert_string_equal(boots_of(one, &all), "mine");
        assert_string_equal(boots_of(two, &all), "other");
        lost = 1000;
        assert_int_equal(event_store_put(store, &lost, one, 3, "once more,", NULL), 0);
        assert_string_equal(boots_of(one, &all), "once more,mine");
}

/* Better no history than no server. */
static void test_damaged(void **state)
{
        static const char rubbish[] =
                "this is no database, but long enough for one to be looked for in it, and then some";
        CLEANUP_FREE char *path = path_join(folder, "events.db"), *aside = path_join(folder, "events.db.damaged");
        CLEANUP_STR struct str all = {0};

        (void)state;
        store = event_store_free(store);
        assert_int_equal(file_write(path, rubbish, sizeof(rubbish), 0644, NULL), 0);
        open_it(true);
        assert_int_equal(access(aside, F_OK), 0);
        assert_int_equal(event_store_put(store, &(int64_t){0}, one, 0, "boot", NULL), 0);
        assert_string_equal(boots_of(one, &all), "boot");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_the_last_packets_are_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_boots_change_and_are_kept_newest_first, setup, teardown),
                cmocka_unit_test_setup_teardown(test_all_of_it_is_bounded, setup, teardown),
                cmocka_unit_test_setup_teardown(test_a_row_that_was_lost, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
