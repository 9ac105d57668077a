/* One simulated client: a state machine from DISCOVER to the last file. It
 * has no socket and no clock: frames and the time go in, frames and stages
 * come out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "simulate/frame.h"
#include "simulate/kind.h"

enum sim_state {
        SIM_NEW,
        SIM_DISCOVERING,
        SIM_REQUESTING,
        SIM_ASKING,    /* on port 4011 */
        SIM_RESOLVING, /* the next hop's MAC */
        SIM_TFTP,
        SIM_HTTP_GET,
        SIM_DONE,
        SIM_FAILED,
};

struct sim;
struct sim_io {
        void (*send)(void *arg, const struct frame *frame);
        /* Something was reached: "OFFER of 10.0.0.7 from 10.0.0.1". */
        void (*stage)(void *arg, const struct sim *sim, const char *text);
        void *arg;
};

/* What an answer of a server says. */
struct sim_answer {
        bool there;
        uint32_t address, mask, router, server, next_server;
        char file[256];
        bool pxe_class, http_class; /* option 60 */
        bool has_vendor, use_file;  /* option 43 is there; says to boot the file */
        bool pi_menu;
        uint16_t item; /* first of its menu, 0: none */
};

struct sim_transfer; /* the file under way */

struct sim {
        const struct sim_kind *kind;
        const struct sim_io *io;
        struct sim_identity who;
        bool hurry;
        enum sim_state state;
        int64_t started_ms, now_ms, deadline_ms; /* of the state; sim_timeout() is due then */
        int64_t collected_ms;                    /* when offers are no longer waited for; 0: none came yet */
        unsigned int tries;
        bool ask_binl;                        /* before any file */
        struct sim_answer offer, proxy, boot; /* boot: the one it boots from */
        /* Next hop. */
        uint32_t hop;
        bool has_hop;
        uint8_t hop_mac[6];
        size_t next_file; /* of kind->files */
        bool named;       /* the file that the server named was fetched */
        char prefix[64], kernel[128], initramfs[128];
        struct sim_transfer *transfer;
        uint16_t next_port;
        uint64_t bytes;
        unsigned int n_files;
        char *failure; /* of SIM_FAILED */
};

void sim_init(struct sim *sim, const struct sim_kind *kind, unsigned int number, bool hurry, const struct sim_io *io);
void sim_clear(struct sim *sim);
void sim_start(struct sim *sim, int64_t now_ms);
/* A frame that is for its MAC or for all. */
void sim_input(struct sim *sim, const struct frame *frame, int64_t now_ms);
/* deadline_ms was reached. */
void sim_timeout(struct sim *sim, int64_t now_ms);
static inline bool sim_over(const struct sim *sim)
{
        return sim->state >= SIM_DONE;
}

/* Which answer a client of this kind boots from, and how. */
enum sim_way { SIM_WAY_FILE, SIM_WAY_BINL, SIM_WAY_NONE };
/* *ret is offer or proxy; on SIM_WAY_NONE *ret_why says what was missing. */
enum sim_way sim_decide(const struct sim_kind *kind, const struct sim_answer *offer, const struct sim_answer *proxy,
                        const struct sim_answer **ret, const char **ret_why);
