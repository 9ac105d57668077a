/* Answers that wait before they leave: see dhcp_result's delay_ms. The server does not wait. See dhcp.h. */
#include <string.h>

#include "serve/dhcp_internal.h"

bool dhcp_delay_add(struct dhcp_server *server, int fd, bool packet, const struct dhcp_outgoing *out,
                    unsigned int delay_ms)
{
        for (size_t i = 0; i < DELAYED_MAX; i++) {
                struct dhcp_delayed *delayed = &server->delayed[i];

                if (delayed->out.size > 0)
                        continue;
                *delayed = (struct dhcp_delayed){
                        .until_ms = dhcp_now_ms(server) + delay_ms, .fd = fd, .packet = packet, .out = *out};
                memcpy(delayed->bytes, out->bytes, out->size);
                delayed->out.bytes = delayed->bytes;
                return true;
        }
        return false;
}

void dhcp_delay_run(struct dhcp_server *server)
{
        int64_t now_ms = dhcp_now_ms(server);

        for (size_t i = 0; i < DELAYED_MAX; i++) {
                struct dhcp_delayed *delayed = &server->delayed[i];

                if (delayed->out.size == 0 || now_ms < delayed->until_ms)
                        continue;
                dhcp_send(server, delayed->fd, delayed->packet, &delayed->out, 1);
                delayed->out.size = 0;
        }
}

int64_t dhcp_delay_next_ms(const struct dhcp_server *server)
{
        int64_t next_ms = INT64_MAX;

        for (size_t i = 0; i < DELAYED_MAX; i++)
                if (server->delayed[i].out.size > 0 && server->delayed[i].until_ms < next_ms)
                        next_ms = server->delayed[i].until_ms;
        return next_ms;
}
