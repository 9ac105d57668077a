/* A batch of messages: all of them through the engine, and the answers, but
 * for those whose leases must be on disk first: see dhcp_wait.c and dhcp.h. */
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

static void emit_note(const struct dhcp_server *server, const struct dhcp_job *job, const struct dhcp_note *note)
{
        const struct client *client = &job->result.client;
        struct event event = {.kind = note->kind,
                              .time_us = job->time_us,
                              .has_mac = client->has_mac,
                              .address = note->address,
                              .text = note->text,
                              .client = client,
                              .path = note->path[0] ? note->path : NULL};

        memcpy(event.mac, client->mac, sizeof(event.mac));
        event_emit(server->events, &event);
}

/* That a message came is told when it comes, and not once more after the probe that it waited for. */
static void emit_notes(const struct dhcp_server *server, const struct dhcp_job *job)
{
        const struct dhcp_result *result = &job->result;

        for (size_t i = 0; i < result->n_notes; i++)
                if (job->in->probes == 0 || result->notes[i].kind != EVENT_DHCP_IN)
                        emit_note(server, job, &result->notes[i]);
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

/* ---- the engine ---- */

void dhcp_job_handle(struct dhcp_server *server, struct dhcp_job *job)
{
        if (!job->parsed)
                return;
        dhcp_engine_handle(server->engine, dhcp_now_ms(server), &job->received, &job->result);
        while (job->result.probe && !dhcp_probe_start(server, job)) {
                dhcp_engine_probed(server->engine, dhcp_now_ms(server), job->result.probe, false);
                dhcp_engine_handle(server->engine, dhcp_now_ms(server), &job->received, &job->result);
        }
}

void dhcp_job_prepare(struct dhcp_job *job, const struct dhcp_incoming *in)
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
        job->result.client = (struct client){0};
        job->result.notes[job->result.n_notes++] = (struct dhcp_note){.kind = EVENT_DHCP_DROP, .address = in->source};
        snprintf(job->result.notes[0].text, sizeof(job->result.notes[0].text), "malformed: %s", reason);
}

/* Under the lock. */
static void handle_all(struct dhcp_server *server, size_t n)
{
        dhcp_engine_read_only(server->engine,
                              server->write_again_ms != 0 && dhcp_now_ms(server) < server->write_again_ms);
        for (size_t i = 0; i < n; i++) {
                struct dhcp_job *job = &server->jobs[i];

                dhcp_job_handle(server, job);
                job->deferred = job->result.n_writes > 0;
                if (job->deferred) /* now: the next message may change the lease again */
                        dhcp_wait_add(server, job);
        }
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

static void send_answers(struct dhcp_server *server, size_t n)
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

                        if (job->result.send == DHCP_SEND_NONE || job->deferred || packet != ways[w].packet ||
                            (!packet && job->received.binl != ways[w].binl))
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
static void note_answers(struct dhcp_server *server, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (server->jobs[i].parsed && !server->jobs[i].deferred) {
                        count(&server->counters, &server->jobs[i]);
                        dhcp_peer_note(server, &server->jobs[i]);
                }
}

void dhcp_jobs_finish(struct dhcp_server *server, size_t n)
{
        pthread_mutex_lock(&server->lock);
        note_answers(server, n);
        pthread_mutex_unlock(&server->lock);
        send_answers(server, n);
        for (size_t i = 0; i < n; i++)
                if (!server->jobs[i].deferred)
                        emit_notes(server, &server->jobs[i]);
}

void dhcp_batch_run(struct dhcp_server *server, const struct dhcp_incoming *messages, size_t n)
{
        int64_t time_us = wall_us();

        pthread_mutex_lock(&server->lock);
        for (size_t i = 0; i < n; i++) {
                dhcp_job_prepare(&server->jobs[i], &messages[i]);
                server->jobs[i].time_us = time_us;
                server->counters.received += messages[i].probes == 0;
                server->counters.malformed += !server->jobs[i].parsed;
        }
        handle_all(server, n);
        pthread_mutex_unlock(&server->lock);
        dhcp_jobs_finish(server, n);
        dhcp_disk_begin(server);
}
