/* What other commands ask of the running server, and its metrics. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "serve/daemon_internal.h"

static void put_line(FILE *out, json_t *object)
{
        CLEANUP_FREE char *line = json_dumps(object, JSON_COMPACT);

        json_decref(object);
        fprintf(out, "%s\n", line ? line : "{}");
}

static void put_ok(FILE *out)
{
        fputs("{\"ok\":true}\n", out);
}

static void put_error(FILE *out, struct error *err)
{
        put_line(out, json_pack("{s:s}", "error", error_message(err)));
        error_clear(err);
}

static const char *text_of(const json_t *request, const char *key)
{
        return json_string_value(json_object_get(request, key));
}

static char *address_text(uint32_t address)
{
        return xasprintf("%u.%u.%u.%u", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

/* ---- requests ---- */

struct answering {
        struct daemon *daemon;
        const struct site *site;
        FILE *out;
        int64_t now_us;
        const uint8_t *mac; /* only this machine's; NULL: all */
        bool *seen;         /* by index of the site's machines; or NULL */
        bool found;
};

static bool watch(struct daemon *daemon, const json_t *request, FILE *out)
{
        (void)daemon;
        (void)request;
        put_ok(out);
        return true;
}

static bool reload(struct daemon *daemon, const json_t *request, FILE *out)
{
        CLEANUP_ERROR struct error err = {0};

        (void)request;
        if (daemon_reload(daemon, &err) < 0)
                put_error(out, &err);
        else
                put_ok(out);
        return false;
}

static int put_lease(void *arg, const struct lease *lease)
{
        struct answering *a = arg;
        CLEANUP_FREE char *address = address_text(lease->address);
        CLEANUP_FREE char *host_name = lease->host_name ? str_printable(lease->host_name) : NULL;
        char mac[EVENT_MAC_TEXT] = "";
        const struct site_machine *machine;
        json_t *object;

        if (lease->hlen == 6)
                event_mac_text(lease->hw, mac);
        object = json_pack("{s:s, s:s, s:s, s:I, s:I}", "address", address, "mac", mac, "state",
                           lease_state_name(lease->state), "start_sec", (json_int_t)lease->start_sec, "end_sec",
                           (json_int_t)(lease->end_sec == LEASE_FOREVER ? 0 : lease->end_sec));
        machine = lease->hlen == 6 ? site_machine_by_mac(a->site, lease->hw) : NULL;
        if (host_name)
                json_object_set_new(object, "host_name", json_string(host_name));
        if (machine)
                json_object_set_new(object, "machine", json_string(machine->name));
        put_line(a->out, object);
        return 0;
}

static bool leases(struct daemon *daemon, const json_t *request, FILE *out)
{
        struct answering a = {.daemon = daemon, .out = out};

        (void)request;
        put_ok(out);
        a.site = current_acquire(daemon->current);
        if (daemon->dhcp)
                dhcp_server_leases(daemon->dhcp, put_lease, &a);
        current_release(daemon->current, a.site);
        return false;
}

static bool release(struct daemon *daemon, const json_t *request, FILE *out)
{
        CLEANUP_ERROR struct error err = {0};
        json_int_t address = json_integer_value(json_object_get(request, "address"));

        if (!daemon->dhcp || address <= 0 || address > UINT32_MAX)
                error_set(&err, EINVAL, "this server gives no addresses");
        else
                dhcp_server_release(daemon->dhcp, (uint32_t)address, &err);
        if (err.code)
                put_error(out, &err);
        else
                put_ok(out);
        return false;
}

static int put_boot(void *arg, struct boot *boot)
{
        struct answering *a = arg;
        const struct site_machine *machine;
        json_t *object;

        if (a->mac && memcmp(a->mac, boot->mac, 6) != 0)
                return 0;
        a->found = true;
        object = boot_json(boot, a->mac != NULL, a->now_us);
        machine = site_machine_by_mac(a->site, boot->mac);
        if (machine)
                json_object_set_new(object, "machine", json_string(machine->name));
        if (machine && a->seen)
                a->seen[machine - a->site->machines] = true;
        put_line(a->out, object);
        return 0;
}

/* Machines of the site file that were not seen yet. */
static int put_unseen(struct answering *a)
{
        for (size_t i = 0; i < a->site->n_machines; i++) {
                const struct site_machine *machine = &a->site->machines[i];
                char mac[EVENT_MAC_TEXT] = "";

                if (a->seen[i])
                        continue;
                if (machine->n_macs > 0)
                        event_mac_text(machine->macs[0], mac);
                put_line(a->out, json_pack("{s:s, s:s, s:s}", "machine", machine->name, "mac", mac, "state", "known"));
        }
        return 0;
}

static bool machines(struct daemon *daemon, const json_t *request, FILE *out)
{
        struct answering a = {.daemon = daemon, .out = out, .now_us = event_now_us()};
        CLEANUP_FREE bool *seen = NULL;

        (void)request;
        put_ok(out);
        a.site = current_acquire(daemon->current);
        seen = xcalloc(a.site->n_machines + 1, sizeof(*seen));
        a.seen = seen;
        timeline_each(daemon->timeline, put_boot, &a);
        put_unseen(&a);
        current_release(daemon->current, a.site);
        return false;
}

static int put_old(void *arg, const char *json)
{
        struct answering *a = arg;

        fprintf(a->out, "%s\n", json);
        return 0;
}

/* The hardware addresses of the machine that is asked about, by its name or one of them; none is -ENOENT. */
struct macs {
        const uint8_t (*v)[6]; /* of the site, or `one` */
        size_t n;
        uint8_t one[1][6];
};

static int find_macs(const struct site *site, const char *name, struct macs *ret, struct error *err)
{
        const struct site_machine *known = name ? site_machine_by_name(site, name) : NULL;

        *ret = (struct macs){.v = ret->one, .n = 1};
        if ((!known || known->n_macs == 0) && !(name && site_parse_mac(name, ret->one[0])))
                return error_set(err, ENOENT, "'%s' is neither a machine of the site file nor a MAC address",
                                 name ? name : "");
        if (!known)
                known = site_machine_by_mac(site, ret->one[0]);
        if (known && known->n_macs > 0)
                *ret = (struct macs){.v = known->macs, .n = known->n_macs};
        return 0;
}

/* Of one of its hardware addresses: the last boot, or all that the store has. */
static int put_boots(struct answering *a, const uint8_t mac[6], bool last, struct error *err)
{
        struct daemon *daemon = a->daemon;
        int r;

        a->mac = mac;
        if (last)
                return timeline_each(daemon->timeline, put_boot, a);
        pthread_mutex_lock(&daemon->mutex);
        r = event_store_each(daemon->store, mac, EVENT_STORE_PER_MACHINE, put_old, a, err);
        pthread_mutex_unlock(&daemon->mutex);
        return r;
}

/* The boots of one machine, for each hardware address the newest first. */
static bool machine(struct daemon *daemon, const json_t *request, FILE *out)
{
        struct answering a = {.daemon = daemon, .out = out, .now_us = event_now_us()};
        bool last = json_is_true(json_object_get(request, "last"));
        CLEANUP_ERROR struct error err = {0};
        struct macs macs;

        a.site = current_acquire(daemon->current);
        if (find_macs(a.site, text_of(request, "name"), &macs, &err) == 0 && daemon_save(daemon, &err) == 0) {
                put_ok(out);
                for (size_t i = 0; i < macs.n && !err.code; i++)
                        (void)put_boots(&a, macs.v[i], last, &err);
        }
        if (err.code)
                put_error(out, &err);
        current_release(daemon->current, a.site);
        return false;
}

static bool packets(struct daemon *daemon, const json_t *request, FILE *out)
{
        CLEANUP_ERROR struct error err = {0};
        const struct site *site = current_acquire(daemon->current);
        struct macs macs;

        if (find_macs(site, text_of(request, "name"), &macs, &err) == 0 && daemon_save(daemon, &err) == 0) {
                put_ok(out);
                pthread_mutex_lock(&daemon->mutex);
                (void)daemon_put_packets(daemon, macs.v, macs.n, out, &err);
                pthread_mutex_unlock(&daemon->mutex);
        }
        if (err.code)
                put_error(out, &err);
        current_release(daemon->current, site);
        return false;
}

static const struct {
        const char *name;
        bool (*handle)(struct daemon *daemon, const json_t *request, FILE *out);
} requests[] = {
        {"watch", watch},       {"reload", reload},   {"leases", leases},   {"release", release},
        {"machines", machines}, {"machine", machine}, {"packets", packets},
};

bool daemon_handle(void *arg, const json_t *request, FILE *out)
{
        const char *name = text_of(request, "do");

        for (size_t i = 0; name && i < sizeof(requests) / sizeof(requests[0]); i++)
                if (strcmp(name, requests[i].name) == 0)
                        return requests[i].handle(arg, request, out);
        fputs("{\"error\":\"unknown request\"}\n", out);
        return false;
}

/* ---- metrics (Prometheus' text format) ---- */

struct metric {
        const char *name, *type, *help;
        double value;
};

static void put_metrics(struct str *text, const struct metric *metrics, size_t n)
{
        for (size_t i = 0; i < n; i++)
                str_addf(text, "# HELP slipway_%s %s\n# TYPE slipway_%s %s\nslipway_%s %.17g\n", metrics[i].name,
                         metrics[i].help, metrics[i].name, metrics[i].type, metrics[i].name, metrics[i].value);
}

#define COUNTER(name, help, value)                                                                                     \
        {                                                                                                              \
                name, "counter", help, (double)(value)                                                                 \
        }
#define GAUGE(name, help, value)                                                                                       \
        {                                                                                                              \
                name, "gauge", help, (double)(value)                                                                   \
        }

static void add_http(struct http_server *server, struct http_counters *sum)
{
        struct http_counters counters = {0};

        if (server)
                http_server_counters(server, &counters);
        sum->requests += counters.requests;
        sum->errors += counters.errors;
        sum->bytes += counters.bytes;
        sum->connections += counters.connections;
}

static void put_servers(struct daemon *daemon, struct str *text)
{
        struct dhcp_counters dhcp = {0};
        struct tftp_counters tftp = {0};
        struct http_counters http = {0};

        if (daemon->dhcp)
                dhcp_server_counters(daemon->dhcp, &dhcp);
        if (daemon->tftp)
                tftp_server_counters(daemon->tftp, &tftp);
        add_http(daemon->http, &http);
        add_http(daemon->https, &http);
        const struct metric metrics[] = {
                GAUGE("start_time_seconds", "When the server started.", daemon->started_us / 1e6),
                COUNTER("dhcp_received_total", "DHCP messages.", dhcp.received),
                COUNTER("dhcp_malformed_total", "Messages that could not be read.", dhcp.malformed),
                COUNTER("dhcp_dropped_total", "Messages that were not answered.", dhcp.dropped),
                COUNTER("dhcp_offers_total", "OFFERs sent.", dhcp.offers),
                COUNTER("dhcp_acks_total", "ACKs sent.", dhcp.acks),
                COUNTER("dhcp_naks_total", "NAKs sent.", dhcp.naks),
                COUNTER("dhcp_proxy_offers_total", "OFFERs sent as proxyDHCP.", dhcp.proxy_offers),
                COUNTER("dhcp_binl_acks_total", "ACKs sent from port 4011.", dhcp.binl_acks),
                GAUGE("dhcp_leases", "Addresses that are leased now.", dhcp.leases),
                COUNTER("dhcp_commits_total", "Waits for the disk.", dhcp.commits),
                COUNTER("dhcp_write_errors_total", "Commits that failed.", dhcp.write_errors),
                COUNTER("tftp_requests_total", "Requests to read.", tftp.requests),
                COUNTER("tftp_refused_total", "Requests answered with an error.", tftp.refused),
                COUNTER("tftp_completed_total", "Transfers that ended well.", tftp.completed),
                COUNTER("tftp_failed_total", "Transfers that broke off.", tftp.failed),
                GAUGE("tftp_transfers", "Transfers under way.", tftp.active),
                COUNTER("tftp_bytes_total", "Bytes of files sent.", tftp.bytes),
                COUNTER("tftp_resent_total", "Packets sent again.", tftp.resent),
                COUNTER("http_requests_total", "HTTP requests.", http.requests),
                COUNTER("http_errors_total", "Answers of status 400 and above.", http.errors),
                GAUGE("http_connections", "Connections now.", http.connections),
                COUNTER("http_bytes_total", "Bytes of bodies sent.", http.bytes),
        };

        put_metrics(text, metrics, sizeof(metrics) / sizeof(metrics[0]));
}

static int count_state(void *arg, struct boot *boot)
{
        unsigned int *states = arg;

        states[boot_state(boot, event_now_us())]++;
        return 0;
}

void daemon_metrics(void *arg, const struct http_request *request, struct http_answer *answer)
{
        struct daemon *daemon = arg;
        unsigned int states[BOOT_STATES] = {0};
        struct str text = {0};

        if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
                *answer = (struct http_answer){.status = 405, .allow = "GET, HEAD"};
                return;
        }
        put_servers(daemon, &text);
        timeline_each(daemon->timeline, count_state, states);
        str_add(&text,
                "# HELP slipway_machines Machines, by how their last boot stands.\n# TYPE slipway_machines gauge\n");
        for (int i = 0; i < BOOT_STATES; i++)
                str_addf(&text, "slipway_machines{state=\"%s\"} %u\n", boot_state_name((enum boot_state)i), states[i]);
        str_add(&text, "# HELP slipway_events_total What happened, by kind.\n# TYPE slipway_events_total counter\n");
        for (int i = 0; i < EVENT_KINDS; i++)
                str_addf(&text, "slipway_events_total{kind=\"%s\"} %llu\n", event_name((enum event_kind)i),
                         (unsigned long long)atomic_load_explicit(&daemon->counts[i], memory_order_relaxed));
        *answer = (struct http_answer){.status = 200, .content_type = "text/plain; version=0.0.4"};
        answer->body_len = text.len;
        answer->body = str_steal(&text);
}
