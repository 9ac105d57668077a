/* What happens while machines boot, as a stream of events: the servers emit
 * them, and the log, the timeline, `slipway watch` and the metrics are made
 * of them. Times are the wall clock's, in microseconds since 1970. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/str.h"
#include "wire/client.h"

enum event_kind {
        EVENT_DHCP_IN,   /* a message from a client: text is its type ("DISCOVER") */
        EVENT_DHCP_OUT,  /* our answer ("OFFER"); path is the boot file */
        EVENT_DHCP_DROP, /* not answered; text says why */
        EVENT_PROXY_IN,  /* as proxyDHCP, on 67 */
        EVENT_PROXY_OUT,
        EVENT_BINL_IN, /* on 4011 */
        EVENT_BINL_OUT,
        EVENT_OTHER_SERVER, /* another DHCP server's answer was seen: address is that server's */
        EVENT_TFTP_START,   /* path, bytes: its size */
        EVENT_TFTP_END,     /* bytes sent */
        EVENT_TFTP_PROBE,   /* the client read the size and stopped: no failure */
        EVENT_TFTP_ERROR,   /* text says why */
        EVENT_HTTP_START,   /* text: "GET", "HEAD" */
        EVENT_HTTP_END,     /* bytes sent; status */
        EVENT_HTTP_ERROR,
        EVENT_LOG, /* text alone: for the operator */
        EVENT_KINDS,
};

struct event {
        enum event_kind kind;
        int64_t time_us;
        bool has_mac;
        uint8_t mac[6];
        uint32_t address; /* the client's, host order; 0: none yet */
        const char *text; /* borrowed for the call; may be NULL */
        const char *path; /* borrowed for the call; may be NULL */
        uint64_t bytes;
        int64_t duration_us;         /* of a transfer, at its end */
        int status;                  /* HTTP status or TFTP error code; else 0 */
        const struct client *client; /* who sent a DHCP message; borrowed for the call; may be NULL */
};

/* Where events go. Called from any thread; what is needed of the event is copied. */
struct event_sink {
        void (*emit)(void *arg, const struct event *event);
        void *arg;
};
static inline void event_emit(const struct event_sink *sink, const struct event *event)
{
        if (sink && sink->emit)
                sink->emit(sink->arg, event);
}

/* "dhcp-in", "tftp-end"... */
const char *event_name(enum event_kind kind);
/* The wall clock, as times of events are. */
int64_t event_now_us(void);
enum { EVENT_MAC_TEXT = 18 };
/* "52:54:00:12:34:56" into buf, which is returned. */
const char *event_mac_text(const uint8_t mac[6], char buf[EVENT_MAC_TEXT]);
/* What happened, in words on one line, safe for a terminal; without time and machine. */
void event_describe(const struct event *event, struct str *ret);
/* All of it; a new reference. */
json_t *event_json(const struct event *event);
