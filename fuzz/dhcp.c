/* DHCPv4 messages: any bytes are read or refused; what was read can be shown,
 * tells who a client is, and comes back the same when it is written again. */
#include <string.h>

#include "fuzz.h"
#include "wire/client.h"
#include "wire/dhcp.h"

static struct dhcp_message message, again;
static struct dhcp_writer writer;

static void check_round_trip(size_t limit)
{
        static uint8_t buf[DHCP_SIZE_MAX];
        const char *reason;
        size_t n;

        dhcp_writer_init(&writer);
        writer.h = message.h;
        for (unsigned i = 0; i < message.n_options; i++) {
                size_t len;
                const uint8_t *data = dhcp_get(&message, message.order[i], &len);

                if (message.order[i] != DHCP_OPT_OVERLOAD)
                        dhcp_put(&writer, message.order[i], data, len);
        }
        n = dhcp_write(&writer, limit, buf);
        FUZZ_ASSERT(n >= DHCP_BOOTP_SIZE && n <= DHCP_SIZE_MAX);
        if (n == DHCP_SIZE_MAX)
                return;
        FUZZ_ASSERT(dhcp_parse(buf, n, &again, &reason) == 0);
        FUZZ_ASSERT(again.h.xid == message.h.xid && again.type <= message.type);
        for (unsigned i = 0; i < again.n_options; i++) {
                uint8_t code = again.order[i];
                size_t len, before_len;
                const uint8_t *data = dhcp_get(&again, code, &len), *before = dhcp_get(&message, code, &before_len);

                if (code != DHCP_OPT_OVERLOAD)
                        FUZZ_ASSERT(before && len == before_len && memcmp(data, before, len) == 0);
        }
        FUZZ_ASSERT(writer.dropped == 0 || again.n_options < message.n_options + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct client client;
        struct str text = {0};
        const char *reason = NULL;

        if (dhcp_parse(data, size, &message, &reason) < 0) {
                FUZZ_ASSERT(reason && *reason);
                return 0;
        }
        client_read(&message, &client);
        FUZZ_ASSERT(client.id_len <= sizeof(client.id) && client.n_archs <= CLIENT_ARCHS);
        FUZZ_ASSERT(strnlen(client.host_name, CLIENT_TEXT) < CLIENT_TEXT);
        dhcp_format(&message, &text);
        for (size_t i = 0; i < text.len; i++) /* nothing that a terminal would obey */
                FUZZ_ASSERT(text.s[i] == '\n' || (text.s[i] >= 0x20 && text.s[i] < 0x7f));
        str_clear(&text);
        check_round_trip(DHCP_DEFAULT_SIZE);
        check_round_trip(DHCP_ETHERNET_SIZE);
        return 0;
}
