/* What tests of the running DHCP server share: a wire of the test's own, two
 * ends of a veth in a network namespace, the server at one, packets made here at the other. */
#pragma once

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/spawn.h"
#include "serve/dhcp.h"
#include "serve/dhcp_socket.h"

enum { SERVER = 0x0a4d0001 };

static char folder[] = "/tmp/slipway-dhcp-XXXXXX";
static const char site_text[] = "state = \"state\"\n"
                                "network \"lab\" {\n  interface = \"wa\"\n  subnet = \"10.77.0.0/16\"\n"
                                "  address = \"10.77.0.1\"\n  range = [\"10.77.1.0\", \"10.77.254.255\"]\n"
                                "  lease_time = \"1h\"\n  probe = PROBE\n}\n";

static void run(const char *const *argv)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *out = NULL;

        if (spawn_capture(argv, &out, &err) < 0)
                fail_msg("%s", error_message(&err));
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void write_text(const char *path, const char *text)
{
        int fd = open(path, O_WRONLY | O_CLOEXEC);

        if (fd >= 0) {
                (void)!write(fd, text, strlen(text));
                close(fd);
        }
}

/* A network namespace, as an ordinary user in a user namespace. False: none can be had here. */
static bool enter_namespace(void)
{
        char map[64];
        unsigned uid = getuid();

        if (unshare(CLONE_NEWNET | (uid ? CLONE_NEWUSER : 0)) < 0)
                return false;
        if (uid) {
                write_text("/proc/self/setgroups", "deny");
                snprintf(map, sizeof(map), "0 %u 1", uid);
                write_text("/proc/self/uid_map", map);
        }
        return true;
}

static int setup(void **state)
{
        (void)state;
        if (!mkdtemp(folder))
                return -1;
        RUN("ip", "link", "add", "wa", "type", "veth", "peer", "name", "wb");
        RUN("ip", "address", "add", "10.77.0.1/16", "dev", "wa");
        RUN("ip", "link", "set", "wa", "up");
        RUN("ip", "link", "set", "wb", "up");
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        return tree_remove(folder, NULL);
}

static struct site *load_site(bool probe)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP_FREE char *path = xasprintf("%s/site.hcl", folder);
        CLEANUP_FREE char *text = str_replace(site_text, "PROBE", probe ? "true" : "false");
        struct site *site = NULL;

        assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
        assert_int_equal(site_load(path, &site, &diags), 0);
        return site;
}

/* ---- the server ---- */

static struct dhcp_server *start_server(const struct site *site, const struct event_sink *events)
{
        CLEANUP_ERROR struct error err = {0};
        struct dhcp_server *server = NULL;

        if (dhcp_server_open(site, events, &server, &err) < 0 || dhcp_server_start(server, &err) < 0) {
                fprintf(stderr, "%s\n", error_message(&err));
                exit(1);
        }
        return server;
}

/* ---- clients ---- */

struct wire {
        int send, receive, ifindex;
};

/* Room for a whole window of answers, where the system's limit allows. */
static struct wire wire_open(void)
{
        struct wire wire = {dhcp_packet_open(NULL), dhcp_watch_open(NULL), (int)if_nametoindex("wb")};
        int size = 8 << 20;

        assert_true(wire.send >= 0 && wire.receive >= 0 && wire.ifindex > 0);
        if (setsockopt(wire.receive, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
                setsockopt(wire.receive, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        return wire;
}

static void wire_close(struct wire *wire)
{
        close(wire->send);
        close(wire->receive);
}

static void say(const struct wire *wire, enum dhcp_type type, uint32_t client, uint32_t address)
{
        static struct dhcp_writer w;
        uint8_t buf[DHCP_SIZE_MAX];
        struct dhcp_outgoing out = {.to = UINT32_MAX,
                                    .from_port = DHCP_CLIENT_PORT,
                                    .to_port = DHCP_SERVER_PORT,
                                    .ifindex = wire->ifindex,
                                    .bytes = buf};

        dhcp_writer_init(&w);
        w.h.op = DHCP_REQUEST_OP;
        w.h.htype = DHCP_ETHERNET;
        w.h.hlen = 6;
        w.h.xid = client;
        w.h.chaddr[0] = 2;
        put_be32(w.h.chaddr + 2, client);
        dhcp_put_u8(&w, DHCP_OPT_TYPE, (uint8_t)type);
        if (type == DHCP_REQUEST) {
                dhcp_put_u32(&w, DHCP_OPT_REQUESTED_ADDRESS, address);
                dhcp_put_u32(&w, DHCP_OPT_SERVER_ID, SERVER);
        }
        out.size = dhcp_write(&w, DHCP_DEFAULT_SIZE, buf);
        memset(out.hw, 0xff, sizeof(out.hw));
        dhcp_packet_send(wire->send, &out, 1);
}

/* An answer within so many ms. */
static bool hear(const struct wire *wire, int wait_ms, struct dhcp_message *ret)
{
        static struct dhcp_incoming in;
        struct pollfd fd = {wire->receive, POLLIN, 0};
        const char *reason;

        for (;;) {
                if (dhcp_watch_receive(wire->receive, &in)) {
                        if (in.ifindex == wire->ifindex && dhcp_parse(in.bytes, in.size, ret, &reason) == 0)
                                return true;
                        continue;
                }
                if (poll(&fd, 1, wait_ms) <= 0)
                        return false;
        }
}

static uint32_t acquire(const struct wire *wire, uint32_t client)
{
        static struct dhcp_message answer;

        say(wire, DHCP_DISCOVER, client, 0);
        while (hear(wire, 5000, &answer)) {
                if (answer.h.xid != client)
                        continue;
                if (answer.type == DHCP_ACK)
                        return answer.h.yiaddr;
                if (answer.type == DHCP_OFFER)
                        say(wire, DHCP_REQUEST, client, answer.h.yiaddr);
        }
        return 0;
}
