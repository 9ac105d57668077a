/* Which thread serves whom. A request comes to the thread that the kernel chose by
 * a hash of addresses and ports, which as often as not is the same one for both of two clients. So
 * it is handed on to the one that has least to do. Who it was is remembered until the transfer has
 * ended, since a request that is repeated must meet its transfer. Requests are few beside blocks:
 * one lock will do. */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "serve/tftp_internal.h"

enum { INBOX_MAX = 1024 }; /* requests; what is more is lost, as on any way, and asked for again */

struct tftp_client {
        struct sockaddr_in address;
        struct tftp_worker *worker;
        struct tftp_client *next;
};

struct tftp_handed {
        struct tftp_peer peer;
        size_t n;
        uint8_t packet[TFTP_RECEIVE_BYTES];
};

static struct tftp_client **find(struct tftp_server *server, const struct sockaddr_in *address)
{
        struct tftp_client **link = &server->clients[tftp_chain(address)];

        while (*link && !tftp_same_address(&(*link)->address, address))
                link = &(*link)->next;
        return link;
}

static struct tftp_worker *least_loaded(struct tftp_worker *w)
{
        struct tftp_worker *least = w, *end = w->server->workers + w->server->n_workers;

        for (struct tftp_worker *other = w->server->workers; other < end; other++)
                if (other->n_clients < least->n_clients)
                        least = other;
        return least;
}

static void insert(struct tftp_client **link, struct tftp_worker *w, const struct sockaddr_in *address)
{
        struct tftp_client *client = xmalloc(sizeof(*client));

        *client = (struct tftp_client){.address = *address, .worker = w};
        *link = client;
        w->n_clients++;
}

/* Whose it is; if it is nobody's, it becomes that of w or of the one with least to do. */
static struct tftp_worker *whose(struct tftp_worker *w, const struct sockaddr_in *address, bool spread)
{
        struct tftp_client **link;
        struct tftp_worker *worker;

        pthread_mutex_lock(&w->server->lock);
        link = find(w->server, address);
        if (!*link)
                insert(link, spread ? least_loaded(w) : w, address);
        worker = (*link)->worker;
        pthread_mutex_unlock(&w->server->lock);
        return worker;
}

struct tftp_worker *tftp_spread_choose(struct tftp_worker *w, const struct sockaddr_in *address)
{
        return whose(w, address, true);
}

void tftp_spread_keep(struct tftp_worker *w, const struct sockaddr_in *address)
{
        (void)whose(w, address, false);
}

void tftp_spread_forget(struct tftp_worker *w, const struct sockaddr_in *address)
{
        struct tftp_client **link, *client;

        pthread_mutex_lock(&w->server->lock);
        link = find(w->server, address);
        client = *link;
        if (client) {
                *link = client->next;
                client->worker->n_clients--;
                free(client);
        }
        pthread_mutex_unlock(&w->server->lock);
}

void tftp_spread_hand_on(struct tftp_worker *to, const struct tftp_peer *peer, const void *packet, size_t n)
{
        struct tftp_handed *handed = xmalloc(sizeof(*handed));
        uint64_t one = 1;

        handed->peer = *peer;
        handed->n = n;
        memcpy(handed->packet, packet, n);
        pthread_mutex_lock(&to->server->lock);
        if (to->inbox.n < INBOX_MAX)
                vec_push(&to->inbox, steal(&handed));
        pthread_mutex_unlock(&to->server->lock);
        free(handed);
        if (write(to->handed.fd, &one, sizeof(one)) < 0)
                return; /* the counter is full: it is awake */
}

void tftp_spread_receive(struct tftp_worker *w)
{
        __typeof__(w->inbox) inbox;
        uint64_t n;

        if (read(w->handed.fd, &n, sizeof(n)) < 0)
                return; /* nothing new */
        pthread_mutex_lock(&w->server->lock);
        inbox = w->inbox;
        memset(&w->inbox, 0, sizeof(w->inbox));
        pthread_mutex_unlock(&w->server->lock);
        for (size_t i = 0; i < inbox.n; i++) {
                struct tftp_packet packet;

                if (tftp_parse(inbox.v[i]->packet, inbox.v[i]->n, &packet) == 0)
                        tftp_session_request(w, &inbox.v[i]->peer, &packet);
                free(inbox.v[i]);
        }
        vec_free(&inbox);
}

void tftp_spread_free(struct tftp_server *server)
{
        for (unsigned int i = 0; i < TFTP_HASH; i++) {
                while (server->clients[i]) {
                        struct tftp_client *client = server->clients[i];

                        server->clients[i] = client->next;
                        free(client);
                }
        }
        for (unsigned int i = 0; i < server->n_workers; i++) {
                for (size_t j = 0; j < server->workers[i].inbox.n; j++)
                        free(server->workers[i].inbox.v[j]);
                vec_free(&server->workers[i].inbox);
        }
        pthread_mutex_destroy(&server->lock);
}
