/* A TFTP server over loopback, and a client made of single packets, so that it can be as bad as they come. */
#pragma once

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

static inline void count_event(void *arg, const struct event *event)
{
        struct lab *l = arg;

        l->seen[event->kind]++;
}

static inline int open_in_folder(void *arg, const struct file_request *request, struct file **ret, struct error *err)
{
        assert_int_equal(request->peer, INADDR_LOOPBACK);
        assert_int_equal(request->server, INADDR_LOOPBACK);
        return folder_file_open(arg, request->path, ret, err);
}

static inline void put_file(const char *name, size_t n)
{
        CLEANUP_FREE char *path = path_join(lab.folder, name), *data = xmalloc(n + 1);

        for (size_t i = 0; i < n; i++)
                data[i] = (char)(i * 7 + i / 512);
        assert_int_equal(file_write(path, data, n, 0644, NULL), 0);
}

static inline void serve(struct tftp_options options)
{
        struct error err = {0};

        options.any_port = true;
        for (int i = 0; i < EVENT_KINDS; i++)
                lab.seen[i] = 0;
        if (tftp_server_open(&options, &lab.server, &err) < 0 ||
            tftp_server_start(lab.server, &lab.files, &lab.events, &err) < 0)
                fail_msg("%s", error_message(&err));
}

static inline int teardown(void **state)
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

static inline struct sockaddr_in port_of(uint16_t port)
{
        return (struct sockaddr_in){
                .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static inline void peer_open(struct peer *p)
{
        p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_true(p->fd >= 0);
}

static inline void send_to(struct peer *p, struct sockaddr_in to, const void *packet, size_t n)
{
        assert_int_equal(sendto(p->fd, packet, n, 0, (struct sockaddr *)&to, sizeof(to)), n);
}

static inline void to_server(struct peer *p, const void *packet, size_t n)
{
        send_to(p, port_of(tftp_server_port(lab.server)), packet, n);
}

static inline void send_ack(struct peer *p, uint16_t block)
{
        uint8_t buf[TFTP_SMALL_PACKET];

        send_to(p, p->from, buf, tftp_put_ack(buf, block));
}

static inline bool receive(struct peer *p, int wait_ms)
{
        struct pollfd pollfd = {.fd = p->fd, .events = POLLIN};
        socklen_t len = sizeof(p->from);

        if (poll(&pollfd, 1, wait_ms) <= 0)
                return false;
        p->n = recvfrom(p->fd, p->buf, sizeof(p->buf), 0, (struct sockaddr *)&p->from, &len);
        assert_int_equal(tftp_parse(p->buf, (size_t)p->n, &p->packet), 0);
        return true;
}

static inline void expect(struct peer *p, enum tftp_opcode opcode)
{
        assert_true(receive(p, WAIT_MS));
        assert_int_equal(p->packet.opcode, opcode);
}

static inline void expect_error(struct peer *p, uint16_t code)
{
        expect(p, TFTP_ERROR);
        assert_int_equal(p->packet.code, code);
        assert_true(*p->packet.text);
}

static inline void expect_nothing(struct peer *p)
{
        assert_false(receive(p, QUIET_MS));
}

static inline void ask(struct peer *p, const char *path, enum tftp_mode mode, struct tftp_terms terms)
{
        uint8_t buf[TFTP_SMALL_PACKET];
        ssize_t n = tftp_put_rrq(buf, path, mode, &terms);

        assert_true(n > 0);
        to_server(p, buf, (size_t)n);
}

static inline void ask_plain(struct peer *p, const char *path)
{
        ask(p, path, TFTP_OCTET, (struct tftp_terms){0});
}

/* A whole file, from the request on, is what it should be. */
static inline void get(struct peer *p, const char *name, enum tftp_mode mode, struct tftp_terms terms, const char *want,
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

static inline void get_file(const char *name, struct tftp_terms terms)
{
        CLEANUP_FREE char *path = path_join(lab.folder, name), *data = NULL;
        struct peer p;
        size_t n;

        assert_int_equal(file_read(path, 1 << 30, &data, &n, NULL), 0);
        peer_open(&p);
        get(&p, name, TFTP_OCTET, terms, data, n);
        close(p.fd);
}

static inline void wait_events(enum event_kind kind, unsigned int n)
{
        for (int i = 0; i < WAIT_MS && lab.seen[kind] < n; i++)
                usleep(1000);
        assert_int_equal(lab.seen[kind], n);
}

/* ---- the folder ---- */

static inline void put_link(const char *target, const char *name)
{
        CLEANUP_FREE char *path = path_join(lab.folder, name);

        assert_int_equal(symlink(target, path), 0);
}

static inline int setup(void **state)
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

static inline int remove_all(void **state)
{
        (void)state;
        return tree_remove(lab.folder, NULL);
}

/* ---- what clients ask for ---- */

static const struct tftp_terms no_terms;
static const struct tftp_terms small_blocks = {.has_blksize = true, .blksize = 8};
static const struct tftp_terms windows = {
        .has_windowsize = true, .windowsize = 16, .has_blksize = true, .blksize = 1428};
