/* Events as names, sentences and JSON: one table. */
#include "serve/event.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"

/* What an event is called by programs, and what it says to people. */
static const struct {
        const char *name, *what;
} kinds[EVENT_KINDS] = {
        [EVENT_DHCP_IN] = {"dhcp-in", ""},
        [EVENT_DHCP_OUT] = {"dhcp-out", "answered: "},
        [EVENT_DHCP_DROP] = {"dhcp-drop", "not answered: "},
        [EVENT_PROXY_IN] = {"proxy-in", "proxyDHCP: "},
        [EVENT_PROXY_OUT] = {"proxy-out", "proxyDHCP answered: "},
        [EVENT_BINL_IN] = {"binl-in", "port 4011: "},
        [EVENT_BINL_OUT] = {"binl-out", "port 4011 answered: "},
        [EVENT_OTHER_SERVER] = {"other-server", "another DHCP server: "},
        [EVENT_TFTP_START] = {"tftp-start", "TFTP begins: "},
        [EVENT_TFTP_END] = {"tftp-end", "TFTP: "},
        [EVENT_TFTP_PROBE] = {"tftp-probe", "TFTP, the size only: "},
        [EVENT_TFTP_ERROR] = {"tftp-error", "TFTP failed: "},
        [EVENT_HTTP_START] = {"http-start", "HTTP begins: "},
        [EVENT_HTTP_END] = {"http-end", "HTTP: "},
        [EVENT_HTTP_ERROR] = {"http-error", "HTTP failed: "},
        [EVENT_LOG] = {"log", ""},
};

const char *event_name(enum event_kind kind)
{
        return kind < EVENT_KINDS ? kinds[kind].name : "unknown";
}

int64_t event_now_us(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

const char *event_mac_text(const uint8_t mac[6], char buf[EVENT_MAC_TEXT])
{
        snprintf(buf, EVENT_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
        return buf;
}

static void add_size(const struct event *event, struct str *ret)
{
        static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
        double size = (double)event->bytes;
        size_t unit = 0;

        for (; size >= 1024 && unit < 4; unit++)
                size /= 1024;
        str_addf(ret, unit ? ", %.1f %s" : ", %.0f %s", size, units[unit]);
        if (event->duration_us > 0)
                str_addf(ret, " in %.2f s", (double)event->duration_us / 1e6);
}

static void add_words(const char *words, struct str *ret)
{
        CLEANUP_FREE char *safe = str_printable(words);

        str_add(ret, safe);
}

static bool is_answer(enum event_kind kind)
{
        return kind == EVENT_DHCP_OUT || kind == EVENT_PROXY_OUT || kind == EVENT_BINL_OUT;
}

static bool is_end(enum event_kind kind)
{
        return kind == EVENT_TFTP_END || kind == EVENT_HTTP_END || kind == EVENT_TFTP_PROBE;
}

void event_describe(const struct event *event, struct str *ret)
{
        str_add(ret, kinds[event->kind].what);
        if (event->path && !is_answer(event->kind)) {
                add_words(event->path, ret);
                if (event->text)
                        str_add(ret, event->kind == EVENT_HTTP_START ? " by " : ": ");
        }
        if (event->text)
                add_words(event->text, ret);
        if (event->client && event->client->kind != CLIENT_OTHER && !is_answer(event->kind))
                str_addf(ret, " by %s on %s", client_kind_name(event->client->kind),
                         client_platform_name(event->client->platform));
        if (event->address && (is_answer(event->kind) || event->kind == EVENT_OTHER_SERVER))
                str_addf(ret, " %u.%u.%u.%u", event->address >> 24, event->address >> 16 & 255,
                         event->address >> 8 & 255, event->address & 255);
        if (event->path && is_answer(event->kind)) {
                str_add(ret, ", boot file ");
                add_words(event->path, ret);
        }
        if (event->status && event->kind == EVENT_HTTP_END && event->status >= 400)
                str_addf(ret, ", status %d", event->status);
        if (is_end(event->kind))
                add_size(event, ret);
}

/* Clients choose them: names of files, and of themselves. */
static void set_words(json_t *object, const char *key, const char *words)
{
        CLEANUP_FREE char *safe = words ? str_printable(words) : NULL;

        if (safe)
                json_object_set_new(object, key, json_string(safe));
}

json_t *event_json(const struct event *event)
{
        char mac[EVENT_MAC_TEXT], address[16];
        json_t *object =
                json_pack("{s:I, s:s}", "time_us", (json_int_t)event->time_us, "event", event_name(event->kind));

        if (event->has_mac)
                json_object_set_new(object, "mac", json_string(event_mac_text(event->mac, mac)));
        if (event->address) {
                snprintf(address, sizeof(address), "%u.%u.%u.%u", event->address >> 24, event->address >> 16 & 255,
                         event->address >> 8 & 255, event->address & 255);
                json_object_set_new(object, "address", json_string(address));
        }
        if (event->client) {
                json_object_set_new(object, "client", json_string(client_kind_name(event->client->kind)));
                json_object_set_new(object, "platform", json_string(client_platform_name(event->client->platform)));
        }
        set_words(object, "text", event->text);
        set_words(object, "path", event->path);
        if (is_end(event->kind))
                json_object_set_new(object, "bytes", json_integer((json_int_t)event->bytes));
        if (event->duration_us)
                json_object_set_new(object, "duration_us", json_integer(event->duration_us));
        if (event->status)
                json_object_set_new(object, "status", json_integer(event->status));
        return object;
}
