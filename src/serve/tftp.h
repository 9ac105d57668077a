/* The TFTP server: RFC 1350 with the options of RFC 2347, 2348, 2349 and
 * 7440, reading only. It has threads of its own, each with an epoll of the
 * transfers that it owns; what a transfer does is tftp_transfer.h, which has
 * neither socket nor clock.
 *
 * tftp_server_open() binds the sockets and may need privileges;
 * tftp_server_start() reads the first packet and needs none: in between the
 * daemon drops them. IPv4 only, since that is what boots by TFTP here. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "serve/event.h"
#include "serve/files.h"

enum {
        TFTP_PORT = 69,
        TFTP_THREADS_MAX = 16,
};

/* Zero means the default, given in brackets. */
struct tftp_options {
        uint32_t address;      /* host order; [any: each client is answered from the address that it asked] */
        uint16_t port;         /* [69]; see tftp_server_port() for `any_port` */
        bool any_port;         /* one that the kernel chooses: for tests */
        const char *interface; /* bind to this device; [all] */
        bool single_port;      /* all transfers on `port`: for clients behind a NAT or firewall; [a port for each] */
        bool fragment;         /* grant a blksize above the path MTU; [no: many boot ROMs cannot reassemble] */
        unsigned int threads;  /* [as many as processors, at most 4] */
        unsigned int max_transfers;  /* at once; [4096] */
        unsigned int requests_burst; /* of one address, unanswered by it: forged sources; [256] */
        unsigned int requests_rate;  /* the same, further ones a second; [32] */
};

struct tftp_counters {
        uint64_t requests;  /* RRQs */
        uint64_t refused;   /* by an ERROR of ours: no such file, WRQ... */
        uint64_t limited;   /* not answered: too many requests or transfers */
        uint64_t completed; /* transfers */
        uint64_t probes;    /* that ended when the client had read the size */
        uint64_t failed;    /* began, and ended by an ERROR or by silence */
        uint64_t active;    /* now */
        uint64_t bytes;     /* of files, as sent: with what was sent again */
        uint64_t resent;    /* packets sent again */
};

struct tftp_server;

int tftp_server_open(const struct tftp_options *options, struct tftp_server **ret, struct error *err);
/* `files` and `events` (may be NULL) are borrowed until tftp_server_free(). */
int tftp_server_start(struct tftp_server *server, const struct files *files, const struct event_sink *events,
                      struct error *err);
uint16_t tftp_server_port(const struct tftp_server *server);
/* From any thread. */
void tftp_server_counters(const struct tftp_server *server, struct tftp_counters *ret);
/* Transfers under way end with an ERROR to the client. Returns NULL. */
struct tftp_server *tftp_server_free(struct tftp_server *server);
static inline void tftp_server_freep(struct tftp_server **server)
{
        *server = tftp_server_free(*server);
}
