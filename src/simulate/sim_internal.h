/* Shared by the files of a simulated client. */
#pragma once

#include "base/digest.h"
#include "simulate/sim.h"
#include "simulate/tcp.h"

enum {
        SIM_TRIES = 6,
        SIM_PATIENCE_MS = 2000, /* of TFTP, TCP and ARP */
        SIM_HURRY_MS = 300,
        SIM_KEEP = 65536, /* of a file's text */
};

struct sim_transfer {
        char *path;
        enum { SIM_NAMED, SIM_LISTED } origin;
        bool over_http, probing; /* probing: wants its size only */
        uint32_t server;
        struct digest *digest;
        struct str text; /* its first bytes */
        uint64_t n, size;
        bool has_size;
        /* TFTP */
        uint16_t from_port, to_port;
        uint32_t block; /* last one in order */
        uint16_t blksize, windowsize, unanswered;
        bool answered; /* by an OACK or DATA */
        /* HTTP */
        struct tcp tcp;
        struct str request, head;
        bool in_body, got_head;
        int status;
};

void sim_stage(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* To the state, in which sim_timeout() is called after so long. */
void sim_enter(struct sim *sim, enum sim_state state, int64_t patience_ms);
/* To the next hop. */
void sim_send(struct sim *sim, struct frame *frame);

/* With port 4011, or the next file, as soon as the way there is known. */
void sim_proceed(struct sim *sim);

/* sim_dhcp.c */
void sim_dhcp_input(struct sim *sim, const struct frame *frame);
void sim_dhcp_timeout(struct sim *sim);
void sim_dhcp_discover(struct sim *sim);
void sim_dhcp_binl(struct sim *sim);

/* sim_files.c: what to fetch. The server of the next file, which is made ready; 0 when it is over. */
uint32_t sim_files_server(struct sim *sim);
void sim_files_start(struct sim *sim);
/* The transfer ended: error 0, or the server's code, with its text. */
void sim_files_ended(struct sim *sim, bool found, const char *text);
void sim_transfer_free(struct sim *sim);
void sim_transfer_data(struct sim *sim, const uint8_t *data, size_t n);

void sim_tftp_start(struct sim *sim);
void sim_tftp_input(struct sim *sim, const struct frame *frame);
void sim_tftp_timeout(struct sim *sim);
void sim_http_start(struct sim *sim);
void sim_http_input(struct sim *sim, const struct frame *frame);
void sim_http_timeout(struct sim *sim);
