/* The sockets of the DHCP server and of the relay agent: UDP ports that tell
 * which interface and address a message came to, and packet sockets by which
 * a client is reached that has no address yet. */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "wire/dhcp.h"

/* A message as it came. */
struct dhcp_incoming {
        uint32_t source, destination, our; /* our: our address on the interface */
        uint16_t source_port, port;
        int ifindex;
        char interface[IF_NAMESIZE];
        int probes; /* addresses that were asked for on its behalf so far */
        size_t size;
        uint8_t bytes[DHCP_SIZE_MAX];
};

/* One to be sent. */
struct dhcp_outgoing {
        uint32_t from, to;
        uint16_t from_port, to_port;
        int ifindex;
        uint8_t hw[6]; /* for packet sockets; all 0xff: to all */
        const uint8_t *bytes;
        size_t size;
};

enum { DHCP_BATCH = 128 };

/* Names of interfaces by index, kept for a while: see dhcp_interface_name(). */
struct dhcp_interfaces {
        int64_t until_ms;
        size_t n;
        struct {
                int ifindex;
                char name[IF_NAMESIZE];
        } v[32];
};
/* The name, or "?". */
const char *dhcp_interface_name(struct dhcp_interfaces *interfaces, int ifindex, int64_t now_ms);

/* A UDP socket on this port of all interfaces; broadcasts may be sent. Returns an fd or a negative errno. */
int dhcp_udp_open(uint16_t port, struct error *err);
/* Packet sockets without link header: for sending IPv4 alone; for replies to
 * ARP; for what other DHCP servers send to clients. */
int dhcp_packet_open(struct error *err);
int dhcp_arp_open(struct error *err);
int dhcp_watch_open(struct error *err);
/* For ICMP echo. */
int dhcp_icmp_open(struct error *err);

/* What waits in a UDP socket, at most `max` (and DHCP_BATCH) messages; does not
 * block. Returns how many. */
size_t dhcp_udp_receive(int fd, uint16_t port, struct dhcp_incoming *messages, size_t max);
/* Send many; those that the kernel refuses are lost, as on the wire. Returns how many were refused. */
size_t dhcp_udp_send(int fd, const struct dhcp_outgoing *messages, size_t n);
size_t dhcp_packet_send(int fd, const struct dhcp_outgoing *messages, size_t n);
/* What both are made of: prepared headers, and messages in batches of at most DHCP_BATCH. */
typedef size_t dhcp_send_batch(int fd, const struct dhcp_outgoing *messages, size_t n);
size_t dhcp_send_batches(int fd, const struct dhcp_outgoing *messages, size_t n, dhcp_send_batch *send_batch);
size_t dhcp_send_all(int fd, struct mmsghdr *headers, size_t n);

/* Ask who has an address, without claiming one (RFC 5227, section 2.1.1); false: it could not be sent. */
bool dhcp_arp_ask(int fd, int ifindex, const uint8_t hw[6], uint32_t address);
/* The address that somebody says is his; 0: no more for now. */
uint32_t dhcp_arp_receive(int fd);
bool dhcp_icmp_ask(int fd, uint32_t address);
uint32_t dhcp_icmp_receive(int fd);
/* A DHCP message to a client that was seen on an interface. False: no more for now. */
bool dhcp_watch_receive(int fd, struct dhcp_incoming *ret);

/* The hardware address of an interface; false: it has none of Ethernet's form. */
bool dhcp_interface_hw(const char *interface, uint8_t hw[6]);
