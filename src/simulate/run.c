#include "simulate/simulate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/cancel.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/vec.h"

enum {
        BUFFER = 16 << 20,
        TICK_MS = 5,
        BATCH = 256, /* frames between two looks at the clock */
        CHADDR = 28,
};

struct run {
        const struct simulate_options *options;
        struct sim_io io;
        struct sim *sims;
        int fd, send_errno;
        unsigned int started, over;
        int64_t start_ms;
        VEC(int64_t) took;
        struct simulate_result *result;
        uint8_t *buf, *out;
};

static int open_socket(const char *interface, int *ret, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
        struct packet_mreq promiscuous = {.mr_type = PACKET_MR_PROMISC};
        int on = 1, size = BUFFER;

        address.sll_ifindex = (int)if_nametoindex(interface);
        if (address.sll_ifindex == 0)
                return error_errno(err, errno, "interface '%s'", interface);
        fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return errno == EPERM ? error_set(err, EPERM, "a packet socket needs root (or CAP_NET_RAW)")
                                      : error_errno(err, errno, "open a packet socket");
        if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0)
                return error_errno(err, errno, "set up a packet socket");
        promiscuous.mr_ifindex = address.sll_ifindex;
        if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) < 0)
                return error_errno(err, errno, "make '%s' promiscuous", interface);
        if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
                (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return error_errno(err, errno, "bind to interface '%s'", interface);
        *ret = steal_fd(&fd);
        return 0;
}

static void send_frame(void *arg, const struct frame *frame)
{
        struct run *run = arg;
        size_t n = frame_write(frame, run->out, FRAME_MAX);

        /* What a full queue drops is sent again when its client times out. */
        if (n > 0 && send(run->fd, run->out, n, 0) < 0 && errno != ENOBUFS && errno != EAGAIN)
                run->send_errno = errno;
}

static void stage(void *arg, const struct sim *sim, const char *text)
{
        struct run *run = arg;

        if (run->options->stage)
                run->options->stage(run->options->arg, sim, sim->now_ms - sim->started_ms, text);
}

static void over(struct run *run, struct sim *sim, int64_t now)
{
        int64_t took = now - sim->started_ms;

        run->over++;
        run->result->bytes += sim->bytes;
        if (sim->state == SIM_DONE) {
                run->result->done++;
                vec_push(&run->took, took);
        } else {
                run->result->failed++;
        }
        if (run->options->over)
                run->options->over(run->options->arg, sim, took);
}

static void input(struct run *run, struct sim *sim, const struct frame *frame, int64_t now)
{
        bool was_over = sim_over(sim);

        if (sim->state == SIM_NEW)
                return;
        sim_input(sim, frame, now);
        if (!was_over && sim_over(sim))
                over(run, sim, now);
}

/* The client that has this MAC, or NULL. */
static struct sim *by_mac(struct run *run, const uint8_t *mac)
{
        unsigned int number = get_be32(mac + 2) - get_be32(run->sims[0].who.mac + 2);

        return number < run->started && memcmp(run->sims[number].who.mac, mac, 6) == 0 ? &run->sims[number] : NULL;
}

static void dispatch(struct run *run, size_t n, int64_t now)
{
        struct frame frame;
        struct sim *sim;

        if (!frame_parse(run->buf, n, &frame))
                return;
        sim = by_mac(run, frame.to_mac);
        if (!sim && frame.kind == FRAME_UDP && frame.to_port == DHCP_CLIENT_PORT && frame.n >= CHADDR + 6)
                sim = by_mac(run, (const uint8_t *)frame.data + CHADDR);
        if (sim)
                input(run, sim, &frame, now);
        else if (frame.kind == FRAME_ARP)
                for (unsigned int i = 0; i < run->started; i++)
                        if (run->sims[i].offer.address == frame.to)
                                input(run, &run->sims[i], &frame, now);
}

static void start_due(struct run *run, int64_t now)
{
        const struct simulate_options *options = run->options;
        unsigned int due = options->count;

        if (options->rate) {
                uint64_t n = (uint64_t)(now - run->start_ms) * options->rate / 1000 + 1;

                due = n < due ? (unsigned int)n : due;
        }
        for (; run->started < due; run->started++)
                sim_start(&run->sims[run->started], now);
}

static void tick(struct run *run, int64_t now)
{
        start_due(run, now);
        for (unsigned int i = 0; i < run->started; i++) {
                struct sim *sim = &run->sims[i];

                if (sim_over(sim) || now < sim->deadline_ms)
                        continue;
                sim_timeout(sim, now);
                if (sim_over(sim))
                        over(run, sim, now);
        }
}

static int loop(struct run *run, struct error *err)
{
        struct pollfd poller = {.fd = run->fd, .events = POLLIN};
        int64_t now, ticked = 0;
        ssize_t n;

        while (run->over < run->options->count) {
                now = monotonic_ms();
                if (now - run->start_ms >= run->options->timeout_ms)
                        break;
                if (now - ticked >= TICK_MS) {
                        tick(run, now);
                        ticked = now;
                }
                if (run->send_errno)
                        return error_errno(err, run->send_errno, "send on interface '%s'", run->options->interface);
                if (cancel_check(err) < 0)
                        return -ECANCELED;
                if (poll(&poller, 1, TICK_MS) <= 0)
                        continue;
                for (int i = 0; i < BATCH && (n = recv(run->fd, run->buf, FRAME_MAX, 0)) > 0; i++)
                        dispatch(run, (size_t)n, now);
        }
        return 0;
}

static int by_value(const void *a, const void *b)
{
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

        return (x > y) - (x < y);
}

static void finish(struct run *run)
{
        struct simulate_result *result = run->result;

        result->took_ms = monotonic_ms() - run->start_ms;
        for (unsigned int i = 0; i < run->options->count; i++) {
                if (!sim_over(&run->sims[i])) {
                        result->failed++;
                        if (run->options->over)
                                run->options->over(run->options->arg, &run->sims[i], result->took_ms);
                }
                sim_clear(&run->sims[i]);
        }
        if (run->took.n > 0) {
                qsort(run->took.v, run->took.n, sizeof(run->took.v[0]), by_value);
                result->median_ms = run->took.v[run->took.n / 2];
                result->slowest_ms = run->took.v[run->took.n - 1];
        }
        vec_free(&run->took);
}

int simulate_run(const struct simulate_options *options, struct simulate_result *ret, struct error *err)
{
        CLEANUP_CLOSE int fd = -1;
        CLEANUP_FREE struct sim *sims = xcalloc(options->count, sizeof(*sims));
        CLEANUP_FREE uint8_t *buf = xmalloc(FRAME_MAX), *out = xmalloc(FRAME_MAX);
        struct run run = {.options = options, .sims = sims, .buf = buf, .out = out, .result = ret};
        int r = open_socket(options->interface, &fd, err);

        if (r < 0)
                return r;
        *ret = (struct simulate_result){0};
        run.io = (struct sim_io){.send = send_frame, .stage = stage, .arg = &run};
        run.fd = fd;
        run.start_ms = monotonic_ms();
        for (unsigned int i = 0; i < options->count; i++)
                sim_init(&sims[i], options->kind, options->first + i, options->hurry, &run.io);
        r = loop(&run, err);
        finish(&run);
        return r;
}
