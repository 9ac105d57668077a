/* The TFTP server over loopback: a client made of single packets, so that it can be as bad as they come. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "serve/site_files.h"
#include "serve/tftp.h"
#include "test.h"
#include "wire/tftp.h"

enum { WAIT_MS = 5000, QUIET_MS = 150 };

struct lab {
        char folder[64];
        struct files files;
        struct event_sink events;
        struct tftp_server *server;
        _Atomic unsigned int seen[EVENT_KINDS];
};

static struct lab lab;

static void count_event(void *arg, const struct event *event)
{
        struct lab *l = arg;

        l->seen[event->kind]++;
}

static int open_in_folder(void *arg, const struct file_request *request, struct file **ret, struct error *err)
{
        assert_int_equal(request->peer, INADDR_LOOPBACK);
        assert_int_equal(request->server, INADDR_LOOPBACK);
        return folder_file_open(arg, request->path, ret, err);
}

static void put_file(const char *name, size_t n)
{
        CLEANUP_FREE char *path = path_join(lab.folder, name), *data = xmalloc(n + 1);

        for (size_t i = 0; i < n; i++)
                data[i] = (char)(i * 7 + i / 512);
        assert_int_equal(file_write(path, data, n, 0644, NULL), 0);
}

static void serve(struct tftp_options options)
{
        struct error err = {0};

        options.any_port = true;
        for (int i = 0; i < EVENT_KINDS; i++)
                lab.seen[i] = 0;
        if (tftp_server_open(&options, &lab.server, &err) < 0 ||
            tftp_server_start(lab.server, &lab.files, &lab.events, &err) < 0)
                fail_msg("%s", error_message(&err));
}

static int teardown(void **state)
{
        (void)state;
        lab.server = tftp_server_free(lab.server);
        return 0;
}

/* ---- the client ---- */

struct peer {
        int fd;
        struct sockaddr_in from; /* of the last packet */
        uint8_t buf[65536];
        ssize_t n;
        struct tftp_packet packet;
};

static struct sockaddr_in port_of(uint16_t port)
{
        return (struct sockaddr_in){
                .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void peer_open(struct peer *p)
{
        p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(p->fd >= 0);
}

static void send_to(struct peer *p, struct sockaddr_in to, const void *packet, size_t n)
{
        assert_int_equal(sendto(p->fd, packet, n, 0, (struct sockaddr *)&to, sizeof(to)), n);
}

static void to_server(struct peer *p, const void *packet, size_t n)
{
        send_to(p, port_of(tftp_server_port(lab.server)), packet, n);
}

static void send_ack(struct peer *p, uint16_t block)
{
        uint8_t buf[TFTP_SMALL_PACKET];

        send_to(p, p->from, buf, tftp_put_ack(buf, block));
}

static bool receive(struct peer *p, int wait_ms)
{
        struct pollfd pollfd = {.fd = p->fd, .events = POLLIN};
        socklen_t len = sizeof(p->from);

        if (poll(&pollfd, 1, wait_ms) <= 0)
                return false;
        p->n = recvfrom(p->fd, p->buf, sizeof(p->buf), 0, (struct sockaddr *)&p->from, &len);
        assert_int_equal(tftp_parse(p->buf, (size_t)p->n, &p->packet), 0);
        return true;
}

static void expect(struct peer *p, enum tftp_opcode opcode)
{
        assert_true(receive(p, WAIT_MS));
        assert_int_equal(p->packet.opcode, opcode);
}

static void expect_error(struct peer *p, uint16_t code)
{
        expect(p, TFTP_ERROR);
        assert_int_equal(p->packet.code, code);
        assert_true(*p->packet.text);
}

static void expect_nothing(struct peer *p)
{
        assert_false(receive(p, QUIET_MS));
}

static void ask(struct peer *p, const char *path, enum tftp_mode mode, struct tftp_terms terms)
{
        uint8_t buf[TFTP_SMALL_PACKET];
        ssize_t n = tftp_put_rrq(buf, path, mode, &terms);

        assert_true(n > 0);
        to_server(p, buf, (size_t)n);
}

static void ask_plain(struct peer *p, const char *path)
{
        ask(p, path, TFTP_OCTET, (struct tftp_terms){0});
}

/* A whole file, from the request on, is what it should be. */
static void get(struct peer *p, const char *name, enum tftp_mode mode, struct tftp_terms terms, const char *want,
                size_t n)
{
        size_t blksize = TFTP_BLKSIZE, got = 0;
        uint64_t block = 0, window = 1;

        ask(p, name, mode, terms);
        for (size_t len = blksize; len == blksize;) {
                assert_true(receive(p, WAIT_MS));
                if (p->packet.opcode == TFTP_OACK) {
                        blksize = len = p->packet.terms.has_blksize ? p->packet.terms.blksize : TFTP_BLKSIZE;
                        window = p->packet.terms.has_windowsize ? p->packet.terms.windowsize : 1;
                        send_ack(p, 0);
                        continue;
                }
                assert_int_equal(p->packet.opcode, TFTP_DATA);
                assert_int_equal(p->packet.block, (uint16_t)(block + 1));
                block++;
                len = p->packet.n_data;
                assert_true(len <= n - got);
                assert_memory_equal(want + got, p->packet.data, len);
                got += len;
                if (block % window == 0 || len < blksize)
                        send_ack(p, (uint16_t)block);
        }
        assert_int_equal(got, n);
}

static void get_file(const char *name, struct tftp_terms terms)
{
        CLEANUP_FREE char *path = path_join(lab.folder, name), *data = NULL;
        struct peer p;
        size_t n;

        assert_int_equal(file_read(path, 1 << 30, &data, &n, NULL), 0);
        peer_open(&p);
        get(&p, name, TFTP_OCTET, terms, data, n);
        close(p.fd);
}

static void wait_events(enum event_kind kind, unsigned int n)
{
        for (int i = 0; i < WAIT_MS && lab.seen[kind] < n; i++)
                usleep(1000);
        assert_int_equal(lab.seen[kind], n);
}

/* ---- tests ---- */

static const struct tftp_terms no_terms;
static const struct tftp_terms small_blocks = {.has_blksize = true, .blksize = 8};
static const struct tftp_terms windows = {
        .has_windowsize = true, .windowsize = 16, .has_blksize = true, .blksize = 1428};

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

/* ---- */

static void put_link(const char *target, const char *name)
{
        CLEANUP_FREE char *path = path_join(lab.folder, name);

        assert_int_equal(symlink(target, path), 0);
}

static int setup(void **state)
{
        CLEANUP_FREE char *fifo = NULL, *sub = NULL, *device = NULL, *text = NULL;

        (void)state;
        strcpy(lab.folder, "/tmp/slipway-tftp.XXXXXX");
        assert_non_null(mkdtemp(lab.folder));
        lab.files = (struct files){open_in_folder, lab.folder};
        lab.events = (struct event_sink){count_event, &lab};
        fifo = path_join(lab.folder, "fifo");
        sub = path_join(lab.folder, "sub");
        device = path_join(lab.folder, "device");
        text = path_join(lab.folder, "text");
        assert_int_equal(mkfifo(fifo, 0644), 0);
        assert_int_equal(mkdir(sub, 0755), 0);
        if (geteuid() == 0)
                (void)!mknod(device, S_IFCHR | 0644, 1 << 8 | 3);
        assert_int_equal(file_write(text, "one\ntwo\r\n", 9, 0644, NULL), 0);
        put_file("empty", 0);
        put_file("exact", 1024);
        put_file("long", 100000);
        put_file("many", (size_t)8 * 70000);
        put_file("sub/File.efi", 100);
        put_link("/etc/passwd", "out");
        put_link("../../etc/passwd", "out-relative");
        put_link("/etc", "out-folder");
        put_link("sub/File.efi", "inside");
        put_link("circle", "circle");
        return 0;
}

static int remove_all(void **state)
{
        (void)state;
        return tree_remove(lab.folder, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_teardown(test_files, teardown),
                cmocka_unit_test_teardown(test_rollover, teardown),
                cmocka_unit_test_teardown(test_netascii, teardown),
                cmocka_unit_test_teardown(test_refused_names, teardown),
                cmocka_unit_test_teardown(test_other_names_of_a_file, teardown),
                cmocka_unit_test_teardown(test_bad_packets, teardown),
                cmocka_unit_test_teardown(test_options_out_of_range, teardown),
                cmocka_unit_test_teardown(test_wrong_tid, teardown),
                cmocka_unit_test_teardown(test_duplicates, teardown),
                cmocka_unit_test_teardown(test_repeated_request, teardown),
                cmocka_unit_test_teardown(test_probe, teardown),
                cmocka_unit_test_teardown(test_shrinks, teardown),
                cmocka_unit_test_teardown(test_flood, teardown),
                cmocka_unit_test_teardown(test_limit_of_transfers, teardown),
                cmocka_unit_test_teardown(test_port_in_use, teardown),
        };

        return cmocka_run_group_tests(tests, setup, remove_all);
}
