/* The relay agent's sockets: see relay.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "serve/dhcp_socket.h"
#include "serve/relay.h"

enum { LOOK_AGAIN_MS = 5000, UNSENT_AGAIN_MS = 60000 };

int relay_open(struct relay_sockets *ret, struct error *err)
{
        CLEANUP_CLOSE int udp = dhcp_udp_open(DHCP_SERVER_PORT, err);
        CLEANUP_CLOSE int packet = udp < 0 ? -1 : dhcp_packet_open(err);

        if (packet < 0)
                return udp < 0 ? udp : packet;
        *ret = (struct relay_sockets){steal_fd(&udp), steal_fd(&packet)};
        return 0;
}

void relay_close(struct relay_sockets *sockets)
{
        close_p(&sockets->udp);
        close_p(&sockets->packet);
}

/* ---- interfaces ---- */

static size_t mtu_of(const char *name)
{
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = {0};

        snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
        if (fd < 0 || ioctl(fd, SIOCGIFMTU, &request) < 0 || request.ifr_mtu < 576)
                return 576;
        return (size_t)request.ifr_mtu;
}

int relay_look(struct relay *relay, struct error *err)
{
        struct ifaddrs *all = NULL;

        if (getifaddrs(&all) < 0)
                return error_errno(err, errno, "addresses of the interfaces");
        for (size_t i = 0; i < relay->n_interfaces; i++) {
                struct relay_interface *interface = &relay->interfaces[i];

                interface->ifindex = (int)if_nametoindex(interface->name);
                interface->address = 0;
                interface->mtu = mtu_of(interface->name);
                for (const struct ifaddrs *a = all; a && !interface->address; a = a->ifa_next)
                        if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET &&
                            strcmp(a->ifa_name, interface->name) == 0)
                                interface->address =
                                        ntohl(((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr.s_addr);
        }
        freeifaddrs(all);
        for (size_t i = 0; i < relay->n_interfaces; i++)
                if (!relay->interfaces[i].ifindex)
                        return error_set(err, ENODEV, "there is no interface '%s'", relay->interfaces[i].name);
        return 0;
}

/* ---- messages ---- */

struct running {
        struct relay *relay;
        const struct relay_sockets *sockets;
        const struct relay_events *events;
        struct relay_counters *counters;
        int64_t unsent_again_ms; /* not told again before */
        uint8_t out[DHCP_SIZE_MAX];
};

static void say_dropped(const struct running *r, const struct dhcp_incoming *in, const char *reason)
{
        char text[160], address[DHCP_ADDRESS_TEXT];

        r->counters->dropped++;
        snprintf(text, sizeof(text), "dropped a message from %s: %s", dhcp_address_text(in->source, address), reason);
        r->events->say(r->events->arg, true, text);
}

static void say_unsent(struct running *r, uint32_t server)
{
        char text[160], address[DHCP_ADDRESS_TEXT];

        if (monotonic_ms() < r->unsent_again_ms)
                return;
        r->unsent_again_ms = monotonic_ms() + UNSENT_AGAIN_MS;
        snprintf(text, sizeof(text), "messages to %s cannot be sent: is there a route to it?",
                 dhcp_address_text(server, address));
        r->events->say(r->events->arg, false, text);
}

static const struct relay_interface *interface_of(const struct relay *relay, int ifindex)
{
        for (size_t i = 0; i < relay->n_interfaces; i++)
                if (relay->interfaces[i].ifindex == ifindex)
                        return &relay->interfaces[i];
        return NULL;
}

static void to_servers(struct running *r, const struct dhcp_incoming *in, const struct relay_interface *from)
{
        const char *reason = NULL;
        size_t n = relay_request(r->relay, from, in->bytes, in->size, r->out, &reason);

        if (n == 0) {
                say_dropped(r, in, reason);
                return;
        }
        r->counters->requests++;
        for (size_t i = 0; i < r->relay->n_servers; i++) {
                struct dhcp_outgoing out = {.from = from->address, /* the servers' answers come to it */
                                            .to = r->relay->servers[i],
                                            .from_port = DHCP_SERVER_PORT,
                                            .to_port = DHCP_SERVER_PORT,
                                            .bytes = r->out,
                                            .size = n};

                if (dhcp_udp_send(r->sockets->udp, &out, 1) > 0)
                        say_unsent(r, out.to);
        }
}

static void to_client(struct running *r, const struct dhcp_incoming *in)
{
        static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        const struct relay_interface *to = NULL;
        const char *reason = NULL;
        bool broadcast = false;
        size_t n = relay_reply(r->relay, in->bytes, in->size, r->out, &to, &broadcast, &reason);
        struct dhcp_message *message;
        struct dhcp_outgoing out;

        if (n == 0) {
                say_dropped(r, in, reason);
                return;
        }
        message = xmalloc(sizeof(*message));
        if (dhcp_parse(r->out, n, message, &reason) == 0) {
                out = (struct dhcp_outgoing){.from = to->address,
                                             .to = broadcast ? UINT32_MAX : message->h.yiaddr,
                                             .from_port = DHCP_SERVER_PORT,
                                             .to_port = DHCP_CLIENT_PORT,
                                             .ifindex = to->ifindex,
                                             .bytes = r->out,
                                             .size = n};
                memcpy(out.hw, broadcast ? all : message->h.chaddr, sizeof(out.hw));
                dhcp_packet_send(r->sockets->packet, &out, 1);
                r->counters->replies++;
        }
        free(message);
}

/* A server's answer comes to our address in giaddr, by whatever interface; the rest is clients' talk. */
static void handle(struct running *r, const struct dhcp_incoming *in)
{
        const struct relay_interface *from = interface_of(r->relay, in->ifindex);

        if (in->size > 0 && in->bytes[0] == DHCP_REPLY_OP)
                to_client(r, in);
        else if (from)
                to_servers(r, in, from);
}

/* Addresses may come and go; an interface that is away for a while is none to end for. */
static void look_again(struct running *r, int64_t *next_ms)
{
        if (monotonic_ms() < *next_ms)
                return;
        relay_look(r->relay, NULL);
        *next_ms = monotonic_ms() + LOOK_AGAIN_MS;
}

int relay_run(struct relay *relay, const struct relay_sockets *sockets, int stop_fd, const struct relay_events *events,
              struct relay_counters *counters, struct error *err)
{
        CLEANUP_FREE struct running *r = xcalloc(1, sizeof(*r));
        CLEANUP_FREE struct dhcp_incoming *batch = xcalloc(DHCP_BATCH, sizeof(*batch));
        struct pollfd fds[] = {{stop_fd, POLLIN, 0}, {sockets->udp, POLLIN, 0}};
        int64_t next_look_ms = monotonic_ms() + LOOK_AGAIN_MS;

        r->relay = relay;
        r->sockets = sockets;
        r->events = events;
        r->counters = counters;
        for (;;) {
                size_t n;

                if (poll(fds, 2, LOOK_AGAIN_MS) < 0 && errno != EINTR)
                        return error_errno(err, errno, "poll");
                if (fds[0].revents)
                        return 0;
                look_again(r, &next_look_ms);
                n = fds[1].revents ? dhcp_udp_receive(sockets->udp, DHCP_SERVER_PORT, batch, DHCP_BATCH) : 0;
                for (size_t i = 0; i < n; i++)
                        handle(r, &batch[i]);
        }
}
