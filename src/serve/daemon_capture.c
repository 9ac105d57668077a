/* Captured packets: those of machines that boot go to the store, and from
 * there to `slipway machine pcap`. */
#include <string.h>

#include "base/alloc.h"
#include "serve/daemon_internal.h"
#include "wire/pcapng.h"

enum { PRUNE_EVERY = 64 }; /* packets */

static bool owner(void *arg, uint32_t address, uint8_t ret_mac[6])
{
        struct daemon *daemon = arg;
        struct dhcp_peer peer;

        if (!daemon->dhcp || !dhcp_server_peer(daemon->dhcp, address, &peer) || !peer.has_mac)
                return false;
        memcpy(ret_mac, peer.mac, 6);
        return true;
}

/* A server that may not see packets serves all the same. */
void daemon_capture_open(struct daemon *daemon, const struct site_listen *listen)
{
        CLEANUP_ERROR struct error err = {0};

        if (capture_open(listen->http, listen->https, &daemon->capture, &err) < 0)
                daemon_log(daemon, "packets are not captured for `slipway machine pcap`: %s", error_message(&err));
}

int daemon_capture_start(struct daemon *daemon, struct error *err)
{
        return daemon->capture ? capture_start(daemon->capture, owner, daemon, err) : 0;
}

/* ---- to the store ---- */

struct saving {
        struct daemon *daemon;
        struct error *err;
        bool begun;
};

static int save_packet(void *arg, const uint8_t owner_mac[6], const uint8_t *block, size_t size)
{
        struct saving *saving = arg;
        struct event_store *store = saving->daemon->store;
        uint8_t mac[6];
        unsigned int n;
        int r = 0;

        memcpy(mac, owner_mac, 6);
        daemon_machine_mac(saving->daemon, mac);
        if (!timeline_count_packet(saving->daemon->timeline, mac, &n))
                return 0;
        if (!saving->begun)
                r = event_store_begin(store, saving->err);
        if (r < 0)
                return r;
        saving->begun = true;
        r = event_store_put_packet(store, mac, block, size, saving->err);
        if (r == 0 && n % PRUNE_EVERY == 0)
                r = event_store_prune_packets(store, mac, saving->err);
        return r;
}

int daemon_save_packets(struct daemon *daemon, struct error *err)
{
        struct saving saving = {.daemon = daemon, .err = err};
        int r;

        if (!daemon->capture)
                return 0;
        r = capture_take(daemon->capture, save_packet, &saving);
        if (saving.begun && r == 0)
                r = event_store_commit(daemon->store, err);
        else if (saving.begun)
                event_store_commit(daemon->store, NULL);
        return r;
}

/* ---- and back: lines with bytes in hexadecimal ---- */

static int put_bytes(void *arg, const void *data, size_t size)
{
        static const char digits[] = "0123456789abcdef";
        const uint8_t *bytes = data;
        FILE *out = arg;

        fputs("{\"pcapng\":\"", out);
        for (size_t i = 0; i < size; i++) {
                putc(digits[bytes[i] >> 4], out);
                putc(digits[bytes[i] & 15], out);
        }
        fputs("\"}\n", out);
        return 0;
}

int daemon_put_packets(struct daemon *daemon, const uint8_t (*macs)[6], size_t n, FILE *out, struct error *err)
{
        uint8_t head[PCAPNG_HEAD_MAX];
        size_t size = pcapng_head("slipway " SLIPWAY_VERSION, head);
        int r = put_bytes(out, head, size);

        for (size_t i = 0; i < n && r == 0; i++)
                r = event_store_each_packet(daemon->store, macs[i], put_bytes, out, err);
        return r;
}
