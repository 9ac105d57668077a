/* A batch of messages: all of them through the engine, one commit for all
 * leases, and the answers. See dhcp.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "serve/dhcp_internal.h"

/* ---- events and counters ---- */

static int64_t wall_us(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void emit_notes(const struct dhcp_server *server, const struct dhcp_job *job, int64_t time_us)
{
        const struct dhcp_result *result = &job->result;

        for (size_t i = 0; i < result->n_notes; i++) {
                const struct dhcp_note *note = &result->notes[i];
                struct event event = {.kind = note->kind,
                                      .time_us = time_us,
                                      .has_mac = result->client.has_mac,
                                      .address = note->address,
                                      .text = note->text,
                                      .client = &result->client,
                                      .path = note->path[0] ? note->path : NULL};

                memcpy(event.mac, result->client.mac, sizeof(event.mac));
                event_emit(server->events, &event);
        }
}

static void count(struct dhcp_counters *counters, const struct dhcp_job *job)
{
        const struct dhcp_result *result = &job->result;

        if (result->send == DHCP_SEND_NONE) {
                counters->dropped += !result->probe;
        } else if (job->received.binl) {
                counters->binl_acks++;
        } else {
                counters->offers += result->type == DHCP_OFFER && result->yiaddr;
                counters->proxy_offers += result->type == DHCP_OFFER && !result->yiaddr;
                counters->acks += result->type == DHCP_ACK || result->type == DHCP_NONE;
                counters->naks += result->type == DHCP_NAK;
        }
}

void dhcp_tell(const struct dhcp_server *server, enum event_kind kind, uint32_t address, const char *text)
{
        const struct event event = {.kind = kind, .time_us = wall_us(), .address = address, .text = text};

        event_emit(server->events, &event);
}

/* ---- the disk ---- */

static int restore_one(void *arg, const struct lease *lease)
{
        dhcp_engine_restore(arg, lease->address, lease);
        return 0;
}

/* What is on disk is the truth: nothing of this batch. Under the lock. */
static void restore(struct dhcp_server *server, size_t n)
{
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < server->jobs[i].result.n_writes; k++) {
                        uint32_t address = server->jobs[i].result.writes[k];

                        if (lease_store_get(server->store, address, restore_one, server->engine, NULL) == 0)
                                dhcp_engine_restore(server->engine, address, NULL);
                }
}

/* Under the lock, since leases are read. */
static int put_writes(struct dhcp_server *server, const struct dhcp_result *result, struct error *err)
{
        int r = 0;

        for (size_t i = 0; i < result->n_writes && r == 0; i++) {
                const struct lease *lease = dhcp_engine_lease(server->engine, result->writes[i]);

                if (lease)
                        r = lease_store_put(server->store, lease, err);
        }
        return r;
}

static void tell_write_state(struct dhcp_server *server, int r, const struct error *err)
{
        char text[256];

        if (r < 0 && !server->write_again_ms) {
                snprintf(text, sizeof(text), "no leases are given until they can be written: %s", error_message(err));
                dhcp_tell(server, EVENT_LOG, 0, text);
        } else if (r == 0 && server->write_again_ms) {
                dhcp_tell(server, EVENT_LOG, 0, "leases can be written again");
        }
}

/* Returns how it went; any number of leases is one wait for the disk. */
static int commit(struct dhcp_server *server, int put_result, struct error *err)
{
        CLEANUP_ERROR struct error commit_err = {0};
        int r = lease_store_commit(server->store, &commit_err);

        if (r < 0 && put_result == 0)
                error_move(err, &commit_err);
        r = put_result < 0 ? put_result : r;
        tell_write_state(server, r, err);
        server->write_again_ms = r < 0 ? dhcp_now_ms(server) + WRITE_AGAIN_MS : 0;
        return r;
}

/* ---- the engine ---- */

static void handle(struct dhcp_server *server, struct dhcp_job *job)
{
        if (!job->parsed)
                return;
        dhcp_engine_handle(server->engine, dhcp_now_ms(server), &job->received, &job->result);
        while (job->result.probe && !dhcp_probe_start(server, job)) {
                dhcp_engine_probed(server->engine, dhcp_now_ms(server), job->result.probe, false);
                dhcp_engine_handle(server->engine, dhcp_now_ms(server), &job->received, &job->result);
        }
}

static void prepare(struct dhcp_server *server, struct dhcp_job *job, const struct dhcp_incoming *in)
{
        const char *reason;

        job->in = in;
        job->result.send = DHCP_SEND_NONE;
        job->result.n_notes = job->result.n_writes = 0;
        job->result.probe = 0;
        job->deferred = false;
        job->parsed = dhcp_parse(in->bytes, in->size, &job->message, &reason) == 0;
        job->received = (struct dhcp_received){.message = &job->message,
                                               .interface = in->interface,
                                               .our = in->our,
                                               .destination = in->destination,
                                               .source = in->source,
                                               .source_port = in->source_port,
                                               .binl = in->port == DHCP_BINL_PORT};
        if (job->parsed)
                return;
        server->counters.malformed++;
        job->result.client = (struct client){0};
        job->result.notes[job->result.n_notes++] = (struct dhcp_note){.kind = EVENT_DHCP_DROP, .address = in->source};
        snprintf(job->result.notes[0].text, sizeof(job->result.notes[0].text), "malformed: %s", reason);
}

/* Under the lock. Returns whether there is something to commit; *ret_r: what the store said to the writes. */
static bool handle_all(struct dhcp_server *server, size_t n, int *ret_r, struct error *err)
{
        bool any = false;

        *ret_r = 0;
        dhcp_engine_read_only(server->engine,
                              server->write_again_ms != 0 && dhcp_now_ms(server) < server->write_again_ms);
        for (size_t i = 0; i < n; i++) {
                struct dhcp_job *job = &server->jobs[i];

                handle(server, job);
                job->deferred = job->result.n_writes > 0;
                any |= job->deferred;
                if (*ret_r == 0)
                        *ret_r = put_writes(server, &job->result, err);
        }
        return any;
}

/* The batch again, of which nothing could be written: who has a lease is served. Under the lock. */
static void handle_again(struct dhcp_server *server, size_t n)
{
        restore(server, n);
        dhcp_engine_read_only(server->engine, true);
        for (size_t i = 0; i < n; i++)
                if (server->jobs[i].deferred)
                        handle(server, &server->jobs[i]);
        server->counters.write_errors++;
}

/* ---- the answers ---- */

static struct dhcp_outgoing outgoing(const struct dhcp_job *job)
{
        const struct dhcp_result *result = &job->result;
        struct dhcp_outgoing out = {.from = result->from,
                                    .to = result->to,
                                    .from_port = result->from_port,
                                    .to_port = result->to_port,
                                    .ifindex = result->send == DHCP_SEND_ROUTED ? 0 : job->in->ifindex,
                                    .bytes = result->bytes,
                                    .size = result->len};

        if (result->send == DHCP_SEND_HARDWARE)
                memcpy(out.hw, job->message.h.chaddr, sizeof(out.hw));
        else
                memset(out.hw, 0xff, sizeof(out.hw));
        return out;
}

/* An interface may be down, or an address of the site file not ours. */
static void tell_unsent(struct dhcp_server *server, size_t n)
{
        int64_t now_ms = dhcp_now_ms(server);

        pthread_mutex_lock(&server->lock);
        server->counters.unsent += n;
        pthread_mutex_unlock(&server->lock);
        if (now_ms < server->unsent_again_ms)
                return;
        server->unsent_again_ms = now_ms + UNSENT_AGAIN_MS;
        dhcp_tell(server, EVENT_LOG, 0,
                  "answers cannot be sent: is the interface up, and has it the network's address?");
}

void dhcp_send(struct dhcp_server *server, int fd, bool packet, const struct dhcp_outgoing *out, size_t n)
{
        size_t unsent = packet ? dhcp_packet_send(fd, out, n) : dhcp_udp_send(fd, out, n);

        if (unsent > 0)
                tell_unsent(server, unsent);
}

/* Those that wait for the disk, or those that do not. */
static void send_answers(struct dhcp_server *server, size_t n, bool deferred)
{
        const struct {
                int fd;
                bool packet, binl;
        } ways[] = {{server->packet, true, false}, {server->udp, false, false}, {server->binl, false, true}};

        for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
                size_t n_out = 0;

                for (size_t i = 0; i < n; i++) {
                        const struct dhcp_job *job = &server->jobs[i];
                        bool packet = job->result.send != DHCP_SEND_ROUTED;

                        if (job->result.send == DHCP_SEND_NONE || job->deferred != deferred ||
                            packet != ways[w].packet || (!packet && job->received.binl != ways[w].binl))
                                continue;
                        server->out[n_out] = outgoing(job);
                        if (!job->result.delay_ms ||
                            !dhcp_delay_add(server, ways[w].fd, packet, &server->out[n_out], job->result.delay_ms))
                                n_out++;
                }
                if (n_out > 0)
                        dhcp_send(server, ways[w].fd, ways[w].packet, server->out, n_out);
        }
}

/* Before they are sent: the client's next packet, by TFTP perhaps, finds what is known of it. Under the lock. */
static void note_answers(struct dhcp_server *server, size_t n, bool deferred)
{
        for (size_t i = 0; i < n; i++)
                if (server->jobs[i].parsed && server->jobs[i].deferred == deferred) {
                        count(&server->counters, &server->jobs[i]);
                        dhcp_peer_note(server, &server->jobs[i]);
                }
}

static void finish_deferred(struct dhcp_server *server, size_t n, int put_result, struct error *err)
{
        int r = commit(server, put_result, err);

        pthread_mutex_lock(&server->lock);
        server->counters.commits++;
        if (r < 0)
                handle_again(server, n);
        note_answers(server, n, true);
        pthread_mutex_unlock(&server->lock);
        send_answers(server, n, true);
}

void dhcp_batch_run(struct dhcp_server *server, const struct dhcp_incoming *messages, size_t n)
{
        CLEANUP_ERROR struct error err = {0};
        int64_t time_us = wall_us();
        bool any;
        int r;

        pthread_mutex_lock(&server->lock);
        server->counters.received += n;
        for (size_t i = 0; i < n; i++)
                prepare(server, &server->jobs[i], &messages[i]);
        any = handle_all(server, n, &r, &err);
        note_answers(server, n, false);
        pthread_mutex_unlock(&server->lock);
        send_answers(server, n, false);
        if (any)
                finish_deferred(server, n, r, &err);
        for (size_t i = 0; i < n; i++)
                emit_notes(server, &server->jobs[i], time_us);
}

/* As if the client had released it; under the lock. */
static int release(struct dhcp_server *server, uint32_t address)
{
        const struct lease *lease = dhcp_engine_lease(server->engine, address);
        struct lease freed;
        int r;

        if (!lease || lease->state == LEASE_FREE)
                return -ENOENT;
        freed = *lease;
        freed.state = LEASE_FREE;
        freed.end_sec = dhcp_now_ms(server) / 1000;
        r = lease_store_put(server->store, &freed, NULL);
        if (lease_store_commit(server->store, NULL) < 0 || r < 0)
                return -EIO;
        dhcp_engine_restore(server->engine, address, &freed);
        return 0;
}

void dhcp_release_run(struct dhcp_server *server)
{
        pthread_mutex_lock(&server->lock);
        if (server->release) {
                server->release_result = release(server, server->release);
                server->release = 0;
                pthread_cond_broadcast(&server->done);
        }
        pthread_mutex_unlock(&server->lock);
}
