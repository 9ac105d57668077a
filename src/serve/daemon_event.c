/* Where the servers' events go: counted, put into the timeline, logged, and
 * sent to whoever watches. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "serve/daemon_internal.h"
#include "serve/neighbour.h"

/* A client's last DHCP message, for as long as this thread holds the site. */
static _Thread_local struct dhcp_peer asked;

void daemon_identify(void *arg, struct site_peer *peer)
{
        struct daemon *daemon = arg;

        if (daemon->dhcp && dhcp_server_peer(daemon->dhcp, peer->address, &asked)) {
                peer->has_mac = asked.has_mac;
                memcpy(peer->mac, asked.mac, 6);
                peer->client = asked.has_client ? &asked.client : NULL;
        } else if (neighbour_find(daemon->neighbours, peer->address, peer->mac)) {
                peer->has_mac = true;
        }
}

void daemon_machine_mac(struct daemon *daemon, uint8_t mac[6])
{
        const struct site *site = current_acquire(daemon->current);
        const struct site_machine *machine = site_machine_by_mac(site, mac);

        if (machine)
                memcpy(mac, machine->macs[0], 6);
        current_release(daemon->current, site);
}

/* ---- the log ---- */

static void log_text(const struct daemon *daemon, const struct event *event)
{
        CLEANUP_STR struct str line = {0};
        char mac[EVENT_MAC_TEXT], when[32];
        time_t sec = (time_t)(event->time_us / 1000000);
        struct tm tm;

        if (daemon->timestamps && localtime_r(&sec, &tm) && strftime(when, sizeof(when), "%H:%M:%S", &tm) > 0)
                str_addf(&line, "%s.%03d ", when, (int)(event->time_us / 1000 % 1000));
        if (event->has_mac)
                str_addf(&line, "%s ", event_mac_text(event->mac, mac));
        else if (event->address)
                str_addf(&line, "%u.%u.%u.%u ", event->address >> 24, event->address >> 16 & 255,
                         event->address >> 8 & 255, event->address & 255);
        event_describe(event, &line);
        str_addc(&line, '\n');
        fwrite(line.s, 1, line.len, stderr);
}

static bool is_logged(const struct daemon_options *options, enum event_kind kind)
{
        if (options->log == DAEMON_LOG_BRIEF)
                return kind == EVENT_LOG || kind == EVENT_OTHER_SERVER;
        return options->verbose || (kind != EVENT_TFTP_START && kind != EVENT_HTTP_START);
}

void daemon_emit(void *arg, const struct event *given)
{
        struct daemon *daemon = arg;
        struct event event = *given, of_machine;
        json_t *object = NULL;

        if (event.kind >= EVENT_KINDS)
                return;
        if (!event.time_us)
                event.time_us = event_now_us();
        atomic_fetch_add_explicit(&daemon->counts[event.kind], 1, memory_order_relaxed);
        if (!event.has_mac && event.address && event.kind >= EVENT_TFTP_START && event.kind <= EVENT_HTTP_ERROR) {
                struct site_peer peer = {.address = event.address};

                daemon_identify(daemon, &peer);
                event.has_mac = peer.has_mac;
                memcpy(event.mac, peer.mac, 6);
        }
        of_machine = event;
        if (event.has_mac)
                daemon_machine_mac(daemon, of_machine.mac);
        timeline_event(daemon->timeline, &of_machine, NULL);
        if (daemon->options->log == DAEMON_LOG_JSON || (daemon->control && control_watched(daemon->control)))
                object = event_json(&event);
        if (is_logged(daemon->options, event.kind)) {
                if (daemon->options->log != DAEMON_LOG_JSON) {
                        log_text(daemon, &event);
                } else {
                        CLEANUP_FREE char *line = json_dumps(object, JSON_COMPACT);

                        fprintf(stderr, "%s\n", line ? line : "{}");
                }
        }
        if (object && daemon->control)
                control_broadcast(daemon->control, object);
        json_decref(object);
}

void daemon_log(struct daemon *daemon, const char *format, ...)
{
        CLEANUP_FREE char *text = NULL;
        struct event event = {.kind = EVENT_LOG};
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);
        event.text = text;
        daemon_emit(daemon, &event);
}
