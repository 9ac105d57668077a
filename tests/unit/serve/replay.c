/* Captures of real clients, replayed: each message goes to the engine, and
 * the answers are compared with golden files (tests/golden/dhcp), which were
 * read by hand: REVIEW.md there says what for, field by field. A client is
 * made to take what we offered: its capture has what another server gave it.
 * With SLIPWAY_GOLDEN_UPDATE set, the files are written instead.
 *
 *     replay GOLDEN_FOLDER PCAP_FOLDER */
#include "test.h"

#include <dirent.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/str.h"
#include "serve/engine.h"

enum { SERVER = 0x0a4d0001, ETHERNET_HEADER = 14, UDP_HEADER = 8 };

static const char *golden_folder, *pcap_folder;
static const struct dhcp_policy policy = {site_machine, site_boot, site_boot_clear};

static struct site *load_site(const char *mode)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        CLEANUP_FREE char *template = path_join(golden_folder, "site.hcl");
        CLEANUP_FREE char *text = NULL, *replaced = NULL, *path = NULL;
        char folder[] = "/tmp/slipway-replay-XXXXXX";
        struct site *site = NULL;
        size_t len;

        assert_int_equal(file_read(template, 0, &text, &len, NULL), 0);
        replaced = str_replace(text, "MODE", mode);
        assert_non_null(mkdtemp(folder));
        path = path_join(folder, "site.hcl");
        assert_int_equal(file_write(path, replaced, strlen(replaced), 0644, NULL), 0);
        assert_int_equal(site_load(path, &site, &diags), 0);
        tree_remove(folder, NULL);
        return site;
}

/* ---- one message ---- */

struct replay {
        struct dhcp_engine *engine;
        uint32_t offered; /* to the client that speaks */
        struct str text;
        struct dhcp_message message;
        struct dhcp_result result;
        int64_t now_ms;
};

/* The address that the capture's server gave becomes ours. */
static void take_our_offer(uint8_t *bytes, size_t size, uint32_t offered)
{
        for (size_t i = DHCP_HEADER; i + 6 <= size && bytes[i] != DHCP_OPT_END; i += bytes[i] ? 2u + bytes[i + 1] : 1)
                if (bytes[i] == DHCP_OPT_REQUESTED_ADDRESS && bytes[i + 1] == 4 && offered)
                        put_be32(bytes + i + 2, offered);
}

static void describe(struct replay *r)
{
        static const char *const ways[] = {"nothing", "broadcast", "hardware", "routed"};
        const struct dhcp_result *out = &r->result;
        char to[DHCP_ADDRESS_TEXT];
        const char *reason = "";

        str_addf(&r->text, "  (%s on %s)\n", client_kind_name(out->client.kind),
                 client_platform_name(out->client.platform));
        for (size_t i = 0; i < out->n_notes; i++)
                if (out->notes[i].kind == EVENT_DHCP_DROP || out->notes[i].kind == EVENT_LOG ||
                    out->notes[i].kind == EVENT_OTHER_SERVER)
                        str_addf(&r->text, "  (%s)\n", out->notes[i].text);
        if (out->send == DHCP_SEND_NONE) {
                str_add(&r->text, "\n");
                return;
        }
        assert_int_equal(dhcp_parse(out->bytes, out->len, &r->message, &reason), 0);
        str_addf(&r->text, "< %zu bytes, %s %s:%u from port %u, %zu leases written first\n< ", out->len,
                 ways[out->send], dhcp_address_text(out->to, to), out->to_port, out->from_port, out->n_writes);
        dhcp_format(&r->message, &r->text);
        str_add(&r->text, "\n");
        r->offered = r->message.h.yiaddr;
}

static void feed(struct replay *r, uint8_t *bytes, size_t size, bool binl, uint32_t source, uint16_t source_port)
{
        const char *reason = "";
        struct dhcp_received in = {.message = &r->message,
                                   .interface = "eth0",
                                   .our = SERVER,
                                   .destination = binl ? SERVER : UINT32_MAX,
                                   .source = source,
                                   .source_port = source_port,
                                   .binl = binl};

        take_our_offer(bytes, size, r->offered);
        if (dhcp_parse(bytes, size, &r->message, &reason) < 0) {
                str_addf(&r->text, "> refused: %s\n\n", reason);
                return;
        }
        str_addf(&r->text, "> %s", binl ? "port 4011: " : "");
        dhcp_format(&r->message, &r->text);
        r->now_ms += 1000;
        dhcp_engine_handle(r->engine, r->now_ms, &in, &r->result);
        if (r->result.probe) { /* nobody is there */
                dhcp_engine_probed(r->engine, r->now_ms, r->result.probe, false);
                dhcp_engine_handle(r->engine, r->now_ms, &in, &r->result);
        }
        describe(r);
}

/* What firmware does after a proxy's OFFER of PXEClient without a menu: the same REQUEST, to port 4011. */
static void ask_4011(struct replay *r, const uint8_t *bytes, size_t size, uint32_t address)
{
        uint8_t copy[DHCP_SIZE_MAX];

        memcpy(copy, bytes, size);
        put_be32(copy + 12, address);
        feed(r, copy, size, true, address, DHCP_CLIENT_PORT);
}

/* ---- a capture ---- */

static void packet(struct replay *r, const uint8_t *p, size_t n, bool proxy)
{
        const uint8_t *ip = p + ETHERNET_HEADER, *udp;
        uint8_t copy[DHCP_SIZE_MAX];
        size_t head, size;
        uint32_t theirs;

        if (n < ETHERNET_HEADER + 28 || get_be16(p + 12) != 0x0800 || ip[9] != 17)
                return;
        head = (ip[0] & 15u) * 4;
        udp = ip + head;
        if (get_be16(udp + 2) != DHCP_SERVER_PORT)
                return;
        size = get_be16(udp + 4) - (size_t)UDP_HEADER;
        assert_true(ETHERNET_HEADER + head + UDP_HEADER + size <= n && size < sizeof(copy));
        memcpy(copy, udp + UDP_HEADER, size);
        feed(r, copy, size, false, get_be32(ip + 12), get_be16(udp));
        if (!proxy)
                return;
        assert_true(size > DHCP_HEADER + 3);
        theirs = 0x0a4d0064; /* what the other server gave */
        if (copy[DHCP_HEADER + 2] == DHCP_REQUEST)
                ask_4011(r, copy, size, theirs);
}

static void compare(const char *name, const char *mode, const char *text)
{
        CLEANUP_FREE char *file = xasprintf("%s/%.*s-%s.txt", golden_folder, (int)strcspn(name, "."), name, mode);
        CLEANUP_FREE char *expected = NULL;
        size_t len;

        if (getenv("SLIPWAY_GOLDEN_UPDATE")) {
                assert_int_equal(file_write(file, text, strlen(text), 0644, NULL), 0);
                return;
        }
        assert_int_equal(file_read(file, 0, &expected, &len, NULL), 0);
        if (strcmp(expected, text) != 0)
                fail_msg("%s differs; it is now:\n%s", file, text);
}

static void replay(const char *name, const char *mode)
{
        CLEANUP_FREE char *path = path_join(pcap_folder, name);
        char problem[PCAP_ERRBUF_SIZE];
        pcap_t *capture = pcap_open_offline(path, problem);
        struct pcap_pkthdr *header;
        const u_char *bytes;
        struct site *site = load_site(mode);
        struct replay *r = xcalloc(1, sizeof(*r));

        assert_non_null(capture);
        r->engine = dhcp_engine_new(site, &policy, 1);
        r->now_ms = 1700000000000;
        while (pcap_next_ex(capture, &header, &bytes) == 1)
                packet(r, bytes, header->caplen, strcmp(mode, "proxy") == 0);
        compare(name, mode, str_get(&r->text));
        dhcp_engine_free(r->engine);
        str_clear(&r->text);
        free(r);
        site_free(site);
        pcap_close(capture);
}

static void test_all(void **state)
{
        struct dirent **entries = NULL;
        int n = scandir(pcap_folder, &entries, NULL, alphasort), replayed = 0;

        (void)state;
        for (int i = 0; i < n; i++) {
                if (str_ends(entries[i]->d_name, ".pcap")) {
                        replay(entries[i]->d_name, "dhcp");
                        replay(entries[i]->d_name, "proxy");
                        replayed++;
                }
                free(entries[i]);
        }
        free(entries);
        assert_true(replayed > 0);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};

        if (argc != 3)
                return 2;
        golden_folder = argv[1];
        pcap_folder = argv[2];
        return cmocka_run_group_tests(tests, NULL, NULL);
}
