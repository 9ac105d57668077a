/* DHCP exchanges of four messages at a steady rate, as perfdhcp makes them, and independent of it: for
 * bench/serve-dhcp.
 *
 *     dhcp_load SERVER RELAY CLIENTS RATE SECONDS
 *
 * RELAY is an address of this host: we are the relay agent of all clients (giaddr). Exchanges begin at RATE a
 * second whether the server keeps up or not; after SECONDS, a second more is waited for answers. A line at the end:
 * exchanges begun, OFFERs, ACKs, both without repetitions, messages that were refused (NAK) or are none, and addresses
 * that two clients were given. Exit code 1: there was one. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "wire/dhcp.h"

enum { AT_ONCE = 64, BUFFERS = 8 << 20, ADDRESSES = 1 << 22 };

struct load {
        int fd;
        struct sockaddr_in server;
        uint32_t relay;
        uint32_t clients, begun, offers, acks, odd, twice;
        struct exchange {
                bool offered, acked;
        } * exchanges;
        uint32_t *owners; /* by the low bits of the address: client + 1 */
};

static double now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
        fprintf(stderr, "dhcp_load: %s\n", what);
        exit(2);
}

/* Exchange n, whose number is its xid: a DISCOVER, or the REQUEST that follows an OFFER. */
static void transmit(const struct load *load, uint32_t n, uint8_t type, const struct dhcp_message *offer)
{
        static struct dhcp_writer writer;
        static const uint8_t wanted[] = {1, 3, 6, 51};
        const uint32_t client = n % load->clients;
        uint8_t bytes[DHCP_SIZE_MAX];
        size_t len;

        dhcp_writer_init(&writer);
        writer.h.op = DHCP_REQUEST_OP;
        writer.h.htype = DHCP_ETHERNET;
        writer.h.hlen = 6;
        writer.h.hops = 1;
        writer.h.xid = n;
        writer.h.giaddr = load->relay;
        memcpy(writer.h.chaddr,
               (uint8_t[]){2, 0, (uint8_t)(client >> 24), (uint8_t)(client >> 16), (uint8_t)(client >> 8),
                           (uint8_t)client},
               6);
        dhcp_put_u8(&writer, 53, type);
        if (offer) {
                dhcp_put_u32(&writer, 50, offer->h.yiaddr);
                dhcp_put_u32(&writer, 54, dhcp_get_u32(offer, 54, 0));
        }
        dhcp_put(&writer, 55, wanted, sizeof(wanted));
        len = dhcp_write(&writer, DHCP_DEFAULT_SIZE, bytes);
        (void)sendto(load->fd, bytes, len, 0, (const struct sockaddr *)&load->server, sizeof(load->server));
}

static void take_ack(struct load *load, uint32_t n, uint32_t address)
{
        uint32_t client = n % load->clients + 1, *owner = &load->owners[address % ADDRESSES];

        load->acks++;
        load->twice += *owner != 0 && *owner != client;
        *owner = client;
}

static void take(struct load *load, const void *bytes, size_t size)
{
        static struct dhcp_message message;
        struct exchange *exchange;
        const char *reason;

        if (dhcp_parse(bytes, size, &message, &reason) < 0 || message.h.xid >= load->begun) {
                load->odd++;
                return;
        }
        exchange = &load->exchanges[message.h.xid];
        if (message.type == DHCP_OFFER && !exchange->offered) {
                exchange->offered = true;
                load->offers++;
                transmit(load, message.h.xid, DHCP_REQUEST, &message);
        } else if (message.type == DHCP_ACK && !exchange->acked) {
                exchange->acked = true;
                take_ack(load, message.h.xid, message.h.yiaddr);
        } else if (message.type == DHCP_NAK) {
                load->odd++;
        }
}

static void receive(struct load *load)
{
        static uint8_t bytes[AT_ONCE][DHCP_SIZE_MAX];
        struct mmsghdr messages[AT_ONCE] = {0};
        struct iovec iov[AT_ONCE];
        int n;

        for (int i = 0; i < AT_ONCE; i++) {
                iov[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
                messages[i].msg_hdr.msg_iov = &iov[i];
                messages[i].msg_hdr.msg_iovlen = 1;
        }
        n = recvmmsg(load->fd, messages, AT_ONCE, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++)
                take(load, bytes[i], messages[i].msg_len);
}

static void run(struct load *load, double rate, double seconds)
{
        const uint32_t total = (uint32_t)(rate * seconds);
        struct pollfd pollfd = {.fd = load->fd, .events = POLLIN};
        double start = now(), end = start + seconds + 1;

        load->exchanges = xcalloc(total + 1, sizeof(*load->exchanges));
        load->owners = xcalloc(ADDRESSES, sizeof(*load->owners));
        while (now() < end && load->acks < total) {
                double due = (now() - start) * rate;

                for (int i = 0; i < AT_ONCE && load->begun < total && load->begun < due; i++) {
                        uint32_t n = load->begun++;

                        transmit(load, n, DHCP_DISCOVER, NULL);
                }
                if (poll(&pollfd, 1, load->begun < total && load->begun < due ? 0 : 1) > 0)
                        receive(load);
        }
}

int main(int argc, char **argv)
{
        struct load load = {.server = {.sin_family = AF_INET, .sin_port = htons(DHCP_SERVER_PORT)}};
        struct sockaddr_in relay = {.sin_family = AF_INET, .sin_port = htons(DHCP_SERVER_PORT)};
        int size = BUFFERS;

        if (argc != 6)
                die("usage: dhcp_load SERVER RELAY CLIENTS RATE SECONDS");
        load.server.sin_addr.s_addr = inet_addr(argv[1]);
        relay.sin_addr.s_addr = inet_addr(argv[2]);
        load.relay = ntohl(relay.sin_addr.s_addr);
        load.clients = (uint32_t)strtoul(argv[3], NULL, 10);
        load.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (load.clients == 0 || load.fd < 0 || bind(load.fd, (struct sockaddr *)&relay, sizeof(relay)) < 0)
                die("port 67 of the relay's address cannot be opened");
        setsockopt(load.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
        run(&load, strtod(argv[4], NULL), strtod(argv[5], NULL));
        printf("begun=%u offers=%u acks=%u odd=%u twice=%u\n", load.begun, load.offers, load.acks, load.odd,
               load.twice);
        free(load.exchanges);
        free(load.owners);
        close(load.fd);
        return load.twice > 0;
}
