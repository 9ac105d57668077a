/* Packets of a file are made once for all transfers that are about there, and are never another file's. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "scratch.h"
#include "serve/netascii.h"
#include "serve/site_files.h"
#include "serve/tftp_internal.h"
#include "test.h"

enum { BLKSIZE = 1428, EACH = TFTP_PACKETS_BYTES / (BLKSIZE + TFTP_HEADER) };

static struct tftp_server *server;
static struct tftp_worker *w;

static int setup(void **state)
{
        struct tftp_options options = {.address = INADDR_LOOPBACK, .any_port = true, .threads = 1};

        (void)state;
        if (tftp_server_open(&options, &server, NULL) < 0)
                return -1;
        w = &server->workers[0];
        return 0;
}

static int teardown(void **state)
{
        int left = 0;

        (void)state;
        for (int i = 0; i < TFTP_PACKETS_HASH; i++)
                left += w->packets[i] != NULL;
        server = tftp_server_free(server);
        return -left; /* all of them were released */
}

static void put_file(const char *name, char c, size_t n, int64_t mtime_sec)
{
        struct timespec times[2] = {{.tv_sec = mtime_sec}, {.tv_sec = mtime_sec}};
        CLEANUP_FREE char *data = xmalloc(n + 1);

        memset(data, c, n);
        assert_int_equal(file_write(name, data, n, 0644, NULL), 0);
        assert_int_equal(utimensat(AT_FDCWD, name, times, 0), 0);
}

static struct tftp_session begin(const char *name, uint16_t blksize)
{
        struct tftp_packet request = {.opcode = TFTP_RRQ, .terms = {.has_blksize = true, .blksize = blksize}};
        struct tftp_path path = {.mtu = 9000};
        struct tftp_session s = {.connected.fd = -1};

        assert_int_equal(folder_file_open(".", name, &s.file, NULL), 0);
        tftp_transfer_start(&s.transfer, &request, s.file->size, &path, 0);
        return s;
}

static void end(struct tftp_session *s)
{
        tftp_packets_release(w, s);
        s->file = files_close(s->file);
}

static const uint8_t *get(struct tftp_session *s, uint64_t block)
{
        const uint8_t *packet = NULL;

        assert_int_equal(tftp_packets_get(w, s, block, &packet), 0);
        return packet;
}

static void check(struct tftp_session *s, uint64_t block, char c)
{
        size_t n = tftp_block_len(&s->transfer, block);
        const uint8_t *bytes = get(s, block);
        struct tftp_packet packet;

        assert_int_equal(tftp_parse(bytes, TFTP_HEADER + n, &packet), 0);
        assert_int_equal(packet.opcode, TFTP_DATA);
        assert_int_equal(packet.block, (uint16_t)block);
        assert_int_equal(packet.n_data, n);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(packet.data[i], c);
}

static void test_shared(void **state)
{
        struct tftp_session a, b, c;

        (void)state;
        put_file("f", 'f', (size_t)BLKSIZE * EACH * 3 + 7, 1000);
        a = begin("f", BLKSIZE);
        b = begin("f", BLKSIZE);
        c = begin("f", BLKSIZE - 1);
        check(&a, 1, 'f');
        assert_ptr_equal(get(&a, 2), get(&b, 2));
        assert_ptr_not_equal(get(&a, 2), get(&c, 2)); /* it wants them shorter */
        check(&c, 2, 'f');
        check(&a, EACH + 1, 'f'); /* ahead of the other, who still has its own */
        check(&b, EACH, 'f');
        assert_ptr_equal(get(&b, EACH + 1), get(&a, EACH + 1));
        end(&a);
        check(&b, EACH + 2, 'f');
        check(&b, 1, 'f'); /* back again */
        check(&b, (uint64_t)EACH * 3 + 1, 'f');
        end(&b);
        end(&c);
}

static void test_last_block(void **state)
{
        struct tftp_session a;

        (void)state;
        put_file("whole", 'w', (size_t)BLKSIZE * EACH,
                 1000); /* whose last block is empty, and the first of its packets */
        a = begin("whole", BLKSIZE);
        check(&a, EACH, 'w');
        check(&a, EACH + 1, 'w');
        end(&a);
        put_file("empty", 'e', 0, 1000);
        a = begin("empty", BLKSIZE);
        check(&a, 1, 'e');
        end(&a);
}

/* Block numbers go on at 0 after 65535. */
static void test_rollover(void **state)
{
        struct tftp_session a;

        (void)state;
        put_file("long", 'l', 70000 * 8, 1000);
        a = begin("long", 8);
        for (uint64_t block = 65500; block < 65600; block++)
                check(&a, block, 'l');
        end(&a);
}

static void test_another_file(void **state)
{
        struct tftp_session a, b, c;

        (void)state;
        put_file("f", 'f', 5000, 1000);
        put_file("g", 'g', 5000, 1000);
        a = begin("f", BLKSIZE);
        b = begin("g", BLKSIZE);
        check(&a, 1, 'f');
        check(&b, 1, 'g');
        put_file("f", 'n', 5000, 1001); /* written anew, in place or not */
        c = begin("f", BLKSIZE);
        check(&c, 1, 'n');
        end(&a);
        end(&b);
        end(&c);
}

/* Text of each client's own has no identity: as netascii, and what was rendered. */
static void test_not_shared(void **state)
{
        struct tftp_session a, b;

        (void)state;
        put_file("f", 'f', 5000, 1000);
        a = begin("f", BLKSIZE);
        b = begin("f", BLKSIZE);
        assert_int_equal(file_netascii(&a.file, NULL), 0);
        assert_int_equal(file_netascii(&b.file, NULL), 0);
        check(&a, 1, 'f');
        check(&b, 1, 'f');
        assert_ptr_not_equal(get(&a, 1), get(&b, 1));
        end(&a);
        end(&b);
}

static void test_cut_off(void **state)
{
        const uint8_t *packet;
        struct tftp_session a;

        (void)state;
        put_file("f", 'f', (size_t)BLKSIZE * EACH * 2, 1000);
        a = begin("f", BLKSIZE);
        check(&a, 1, 'f');
        assert_int_equal(truncate("f", BLKSIZE), 0);
        assert_int_equal(tftp_packets_get(w, &a, EACH + 1, &packet), -EIO);
        end(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_shared, setup, teardown),
                cmocka_unit_test_setup_teardown(test_last_block, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rollover, setup, teardown),
                cmocka_unit_test_setup_teardown(test_another_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_not_shared, setup, teardown),
                cmocka_unit_test_setup_teardown(test_cut_off, setup, teardown),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
