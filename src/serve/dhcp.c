/* The DHCP server's life: sockets and leases opened, a thread that waits for
 * messages, another site, the end. See dhcp.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "serve/dhcp_internal.h"

static const struct dhcp_policy site_policy = {site_machine, site_boot, site_boot_clear};

static int64_t clock_ms(clockid_t clock)
{
        struct timespec now;

        clock_gettime(clock, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t dhcp_now_ms(const struct dhcp_server *server)
{
        return server->wall_ms + (clock_ms(CLOCK_BOOTTIME) - server->boot_ms);
}

/* ---- opening ---- */

/* After a clock that was ahead, leases would last for years: none does longer than a new one would. */
static int64_t latest_end(const struct dhcp_server *server)
{
        uint32_t most = 0;

        for (size_t i = 0; i < server->site->n_networks; i++) {
                const struct site_network *network = &server->site->networks[i];

                most = network->lease_sec > most ? network->lease_sec : most;
                most = network->max_lease_sec > most ? network->max_lease_sec : most;
        }
        return dhcp_now_ms(server) / 1000 + (most ? most : UINT32_MAX);
}

struct loading {
        struct dhcp_server *server;
        int64_t latest_sec;
};

static int load_one(void *arg, const struct lease *lease)
{
        const struct loading *loading = arg;
        struct lease copy = *lease;

        if (copy.end_sec != LEASE_FOREVER && copy.end_sec > loading->latest_sec)
                copy.end_sec = loading->latest_sec;
        dhcp_engine_restore(loading->server->engine, copy.address, &copy);
        return 0;
}

static int open_leases(struct dhcp_server *server, struct error *err)
{
        struct loading loading = {server, latest_end(server)};
        bool damaged;
        int r;

        if (mkdir(server->site->state, 0750) < 0 && errno != EEXIST)
                return error_errno(err, errno, "folder of leases '%s'", server->site->state);
        r = lease_store_open(server->site->state, &server->disk.store, &damaged, err);
        if (r < 0)
                return r;
        if (damaged)
                dhcp_tell(server, EVENT_LOG, 0,
                          "the file of leases was damaged: it is kept as leases.db.damaged, and a new one begun");
        return lease_store_each(server->disk.store, load_one, &loading, err);
}

static int open_sockets(struct dhcp_server *server, struct error *err)
{
        const struct {
                int *fd;
                int (*open)(struct error *err);
        } rows[] = {{&server->packet, dhcp_packet_open},
                    {&server->arp, dhcp_arp_open},
                    {&server->icmp, dhcp_icmp_open},
                    {&server->watch, dhcp_watch_open}};

        server->udp = dhcp_udp_open(DHCP_SERVER_PORT, err);
        if (server->udp < 0)
                return server->udp;
        server->binl = dhcp_udp_open(DHCP_BINL_PORT, err);
        if (server->binl < 0)
                return server->binl;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                *rows[i].fd = rows[i].open(err);
                if (*rows[i].fd < 0)
                        return *rows[i].fd;
        }
        if (pipe2(server->wake, O_CLOEXEC | O_NONBLOCK) < 0)
                return error_errno(err, errno, "pipe");
        return 0;
}

static struct dhcp_server *server_new(const struct site *site, const struct event_sink *events)
{
        struct dhcp_server *server = xcalloc(1, sizeof(*server));
        uint64_t seed = 0;

        server->udp = server->binl = server->packet = server->arp = server->icmp = server->watch = -1;
        server->wake[0] = server->wake[1] = -1;
        server->wall_ms = clock_ms(CLOCK_REALTIME);
        server->boot_ms = clock_ms(CLOCK_BOOTTIME);
        server->site = site;
        server->events = events;
        server->batch = xcalloc(DHCP_BATCH, sizeof(*server->batch));
        server->jobs = xcalloc(DHCP_BATCH, sizeof(*server->jobs));
        server->out = xcalloc(DHCP_BATCH, sizeof(*server->out));
        server->probes = xcalloc(PROBES_MAX, sizeof(*server->probes));
        server->delayed = xcalloc(DELAYED_MAX, sizeof(*server->delayed));
        server->peers = xcalloc(PEERS, sizeof(*server->peers));
        pthread_mutex_init(&server->lock, NULL);
        pthread_mutex_init(&server->release_lock, NULL);
        pthread_cond_init(&server->done, NULL);
        dhcp_disk_init(&server->disk);
        if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
                seed = (uint64_t)server->wall_ms;
        server->engine = dhcp_engine_new(site, &site_policy, seed);
        return server;
}

int dhcp_server_open(const struct site *site, const struct event_sink *events, struct dhcp_server **ret,
                     struct error *err)
{
        CLEANUP(dhcp_server_freep) struct dhcp_server *server = server_new(site, events);
        int r = open_sockets(server, err);

        if (r == 0)
                r = open_leases(server, err);
        if (r < 0)
                return error_wrap(err, r, "DHCP");
        *ret = steal(&server);
        return 0;
}

/* ---- the thread ---- */

static void receive(struct dhcp_server *server, int fd, uint16_t port)
{
        size_t n = dhcp_udp_receive(fd, port, server->batch, DHCP_BATCH);
        int64_t now_ms = dhcp_now_ms(server);

        for (size_t i = 0; i < n; i++) {
                struct dhcp_incoming *in = &server->batch[i];

                memcpy(in->interface, dhcp_interface_name(&server->interfaces, in->ifindex, now_ms),
                       sizeof(in->interface));
        }
        if (n > 0)
                dhcp_batch_run(server, server->batch, n);
}

static bool is_stopped(struct dhcp_server *server)
{
        char drained[64];
        bool stop;

        while (read(server->wake[0], drained, sizeof(drained)) > 0)
                ;
        pthread_mutex_lock(&server->lock);
        stop = server->stop;
        pthread_mutex_unlock(&server->lock);
        return stop;
}

/* Milliseconds until a probe or an answer is due, or -1. */
static int wait_ms(const struct dhcp_server *server)
{
        int64_t probe_ms = dhcp_probe_next_ms(server), delay_ms = dhcp_delay_next_ms(server);
        int64_t next_ms = probe_ms < delay_ms ? probe_ms : delay_ms, now_ms = dhcp_now_ms(server);

        if (next_ms == INT64_MAX)
                return -1;
        return next_ms <= now_ms ? 0 : (int)(next_ms - now_ms);
}

/* All that was answered is on disk, and who waits for it is told. */
static void finish_writes(struct dhcp_server *server)
{
        dhcp_disk_begin(server);
        while (dhcp_disk_wait(server))
                dhcp_wait_run(server);
}

/* Nobody is to wait for the thread from now on. */
static void end(struct dhcp_server *server, int error_number)
{
        char text[128];
        bool stop;

        pthread_mutex_lock(&server->lock);
        stop = server->stop;
        server->serves = false;
        pthread_cond_broadcast(&server->done);
        pthread_mutex_unlock(&server->lock);
        snprintf(text, sizeof(text), "DHCP is no longer served: %s", strerror(error_number));
        if (!stop)
                dhcp_tell(server, EVENT_LOG, 0, text);
}

static void *serve(void *arg)
{
        struct dhcp_server *server = arg;
        int error_number;
        struct pollfd fds[] = {{server->wake[0], POLLIN, 0}, {server->udp, POLLIN, 0},  {server->binl, POLLIN, 0},
                               {server->arp, POLLIN, 0},     {server->icmp, POLLIN, 0}, {server->watch, POLLIN, 0}};

        while (!is_stopped(server)) { /* the pipe is empty now, so that a wish that comes after this wakes us */
                dhcp_wait_run(server);
                dhcp_release_run(server);
                fds[1].fd = server->disk.n < WAITING_MAX ? server->udp : -1;
                if (poll(fds, sizeof(fds) / sizeof(fds[0]), wait_ms(server)) < 0 && errno != EINTR)
                        break;
                if (fds[1].revents)
                        receive(server, server->udp, DHCP_SERVER_PORT);
                if (fds[2].revents)
                        receive(server, server->binl, DHCP_BINL_PORT);
                if (fds[5].revents)
                        dhcp_watch_run(server);
                dhcp_probe_run(server);
                dhcp_delay_run(server);
        }
        error_number = errno;
        finish_writes(server);
        end(server, error_number);
        return NULL;
}

void dhcp_wake(struct dhcp_server *server)
{
        ssize_t n = write(server->wake[1], "", 1); /* a full pipe wakes as well */

        (void)n;
}

int dhcp_server_start(struct dhcp_server *server, struct error *err)
{
        int r = dhcp_disk_start(server, err);

        if (r < 0)
                return r;
        server->serves = true;
        r = pthread_create(&server->thread, NULL, serve, server);
        if (r != 0) {
                server->serves = false;
                return error_errno(err, r, "DHCP: thread");
        }
        server->started = true;
        return 0;
}

struct dhcp_server *dhcp_server_free(struct dhcp_server *server)
{
        if (!server)
                return NULL;
        if (server->started) {
                pthread_mutex_lock(&server->lock);
                server->stop = true;
                pthread_mutex_unlock(&server->lock);
                dhcp_wake(server);
                pthread_join(server->thread, NULL);
        }
        dhcp_disk_clear(&server->disk);
        for (size_t i = 0; i < 2; i++)
                close_p(&server->wake[i]);
        close_p(&server->udp);
        close_p(&server->binl);
        close_p(&server->packet);
        close_p(&server->arp);
        close_p(&server->icmp);
        close_p(&server->watch);
        dhcp_engine_free(server->engine);
        pthread_mutex_destroy(&server->lock);
        pthread_mutex_destroy(&server->release_lock);
        pthread_cond_destroy(&server->done);
        free(server->batch);
        free(server->jobs);
        free(server->out);
        free(server->probes);
        free(server->delayed);
        free(server->peers);
        free(server);
        return NULL;
}

/* ---- from other threads ---- */

void dhcp_server_reload(struct dhcp_server *server, const struct site *site)
{
        pthread_mutex_lock(&server->lock);
        server->site = site;
        dhcp_engine_reload(server->engine, site);
        pthread_mutex_unlock(&server->lock);
}

static int count_active(void *arg, const struct lease *lease)
{
        struct dhcp_server *server = arg;

        server->counters.leases += lease->state == LEASE_ACTIVE && lease->end_sec > dhcp_now_ms(server) / 1000;
        return 0;
}

void dhcp_server_counters(struct dhcp_server *server, struct dhcp_counters *ret)
{
        pthread_mutex_lock(&server->lock);
        server->counters.leases = 0;
        dhcp_engine_each(server->engine, count_active, server);
        *ret = server->counters;
        pthread_mutex_unlock(&server->lock);
}

int dhcp_server_leases(struct dhcp_server *server, lease_visitor *visit, void *arg)
{
        int r;

        pthread_mutex_lock(&server->lock);
        r = dhcp_engine_each(server->engine, visit, arg);
        pthread_mutex_unlock(&server->lock);
        return r;
}

int dhcp_server_release(struct dhcp_server *server, uint32_t address, struct error *err)
{
        char text[DHCP_ADDRESS_TEXT];
        int r;

        pthread_mutex_lock(&server->release_lock);
        pthread_mutex_lock(&server->lock);
        server->release = address;
        server->release_result = -ESHUTDOWN;
        dhcp_wake(server);
        while (server->release && server->serves)
                pthread_cond_wait(&server->done, &server->lock);
        r = server->release_result;
        server->release = 0;
        pthread_mutex_unlock(&server->lock);
        pthread_mutex_unlock(&server->release_lock);
        if (r == -ESHUTDOWN)
                return error_set(err, ESHUTDOWN, "the DHCP server has ended");
        if (r == -ENOENT)
                return error_set(err, ENOENT, "nobody has a lease of %s", dhcp_address_text(address, text));
        return r < 0 ? error_set(err, -r, "the lease of %s could not be written", dhcp_address_text(address, text)) : 0;
}
