#include "serve/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"

enum {
        WATCHERS = 64,
        CONNECTIONS = 32, /* at once; for another one the one that has been silent for longest is let go */
        REQUEST_MAX = 4096,
        PATIENCE_MS = 10000, /* for a request's line, and for an answer to be read */
        REST_MS = 100,       /* where nobody can be accepted, for want of fds */
};

/* One that asks. */
struct connection {
        int fd;           /* -1: nobody */
        int64_t until_ms; /* then it is let go */
        size_t n;
        char request[REQUEST_MAX];
        char *answer; /* NULL: the request is not whole yet */
        size_t size, sent;
        bool watch;
};

struct control {
        char *path;
        int fd, wake_fd;
        bool running;
        pthread_t thread;
        control_handler *handle;
        void *arg;
        struct connection connections[CONNECTIONS];
        pthread_mutex_t mutex; /* of the watchers */
        int watchers[WATCHERS];
        size_t n_watchers;
};

static int address_of(const char *path, struct sockaddr_un *ret, struct error *err)
{
        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        if (strlen(path) >= sizeof(ret->sun_path))
                return error_set(err, ENAMETOOLONG, "control socket '%s': a name has at most %zu bytes", path,
                                 sizeof(ret->sun_path) - 1);
        strncpy(ret->sun_path, path, sizeof(ret->sun_path) - 1);
        return 0;
}

int control_open(const char *path, struct control **ret, struct error *err)
{
        CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address;
        struct control *control;
        mode_t mask;
        int r = address_of(path, &address, err);

        if (r < 0)
                return r;
        if (fd < 0)
                return error_errno(err, errno, "control socket");
        if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                return error_set(err, EADDRINUSE, "a server runs already: '%s' answers", path);
        if (errno == ECONNREFUSED)
                unlink(path);
        mask = umask(0077);
        r = bind(fd, (struct sockaddr *)&address, sizeof(address));
        umask(mask);
        if (r < 0 || listen(fd, 16) < 0)
                return error_errno(err, errno, "control socket '%s'", path);
        control = xcalloc(1, sizeof(*control));
        control->path = xstrdup(path);
        control->fd = steal_fd(&fd);
        control->wake_fd = eventfd(0, EFD_CLOEXEC);
        for (size_t i = 0; i < CONNECTIONS; i++)
                control->connections[i].fd = -1;
        pthread_mutex_init(&control->mutex, NULL);
        *ret = control;
        return 0;
}

/* ---- watchers ---- */

static void add_watcher(struct control *control, int fd)
{
        pthread_mutex_lock(&control->mutex);
        if (control->n_watchers < WATCHERS)
                control->watchers[control->n_watchers++] = fd;
        else
                close(fd);
        pthread_mutex_unlock(&control->mutex);
}

bool control_watched(struct control *control)
{
        bool watched;

        pthread_mutex_lock(&control->mutex);
        watched = control->n_watchers > 0;
        pthread_mutex_unlock(&control->mutex);
        return watched;
}

void control_broadcast(struct control *control, const json_t *object)
{
        CLEANUP_FREE char *line = json_dumps(object, JSON_COMPACT);
        size_t n = line ? strlen(line) : 0;

        if (!line)
                return;
        line[n++] = '\n'; /* in place of the NUL */
        pthread_mutex_lock(&control->mutex);
        for (size_t i = 0; i < control->n_watchers;) {
                if (send(control->watchers[i], line, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n) {
                        i++;
                        continue;
                }
                close(control->watchers[i]);
                control->watchers[i] = control->watchers[--control->n_watchers];
        }
        pthread_mutex_unlock(&control->mutex);
}

/* ---- requests ---- */

static void let_go(struct connection *c)
{
        close_p(&c->fd);
        free(c->answer);
        c->answer = NULL;
}

/* As much as it takes at present; at its end it becomes a watcher, or is let go. */
static void send_answer(struct control *control, struct connection *c)
{
        while (c->sent < c->size) {
                ssize_t n = send(c->fd, c->answer + c->sent, c->size - c->sent, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (n < 0 && errno == EAGAIN)
                        return;
                if (n <= 0) {
                        let_go(c);
                        return;
                }
                c->sent += (size_t)n;
                c->until_ms = monotonic_ms() + PATIENCE_MS;
        }
        if (c->watch)
                add_watcher(control, steal_fd(&c->fd));
        let_go(c);
}

/* The first `n` bytes of the request are its line; 0: there is none. */
static void answer(struct control *control, struct connection *c, size_t n)
{
        json_t *request = n > 0 ? json_loadb(c->request, n, 0, NULL) : NULL;
        FILE *out = open_memstream(&c->answer, &c->size);

        if (request && out)
                c->watch = control->handle(control->arg, request, out);
        else if (out)
                fputs("{\"error\":\"a JSON object on a line was expected\"}\n", out);
        json_decref(request);
        if (out)
                fclose(out);
        send_answer(control, c);
}

static void read_request(struct control *control, struct connection *c)
{
        ssize_t got = recv(c->fd, c->request + c->n, sizeof(c->request) - c->n, MSG_DONTWAIT);
        const char *end;

        if (got < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        c->n += got > 0 ? (size_t)got : 0;
        end = memchr(c->request, '\n', c->n);
        if (end)
                answer(control, c, (size_t)(end - c->request));
        else if (got <= 0 || c->n == sizeof(c->request))
                answer(control, c, 0);
}

/* A free place, or that of the one that has been silent for longest; NULL: all are being answered. */
static struct connection *place_for_one(struct control *control)
{
        struct connection *silent = NULL;

        for (size_t i = 0; i < CONNECTIONS; i++) {
                struct connection *c = &control->connections[i];

                if (c->fd < 0)
                        return c;
                if (!c->answer && (!silent || c->until_ms < silent->until_ms))
                        silent = c;
        }
        if (silent)
                let_go(silent);
        return silent;
}

/* False: somebody is there, and cannot be taken now. */
static bool accept_one(struct control *control)
{
        struct connection *c = place_for_one(control);
        int fd;

        if (!c)
                return false;
        /* cppcheck-suppress nullPointer ; nobody asks for the peer's address */
        fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
                return false;
        *c = (struct connection){.fd = fd, .until_ms = monotonic_ms() + PATIENCE_MS};
        return true;
}

/* Who has something to say, or room for an answer, or has been waited for long enough. */
static void serve_all(struct control *control, const struct pollfd *polled)
{
        int64_t now = monotonic_ms();

        for (size_t i = 0; i < CONNECTIONS; i++) {
                struct connection *c = &control->connections[i];

                if (c->fd < 0)
                        continue;
                if (polled[i].revents && c->answer)
                        send_answer(control, c);
                else if (polled[i].revents)
                        read_request(control, c);
                else if (now >= c->until_ms)
                        let_go(c);
        }
}

/* What is waited for; and for how many milliseconds at most, or -1. */
static int look_out(const struct control *control, struct pollfd *polled)
{
        int64_t next = INT64_MAX, now = monotonic_ms();

        for (size_t i = 0; i < CONNECTIONS; i++) {
                const struct connection *c = &control->connections[i];

                polled[i] = (struct pollfd){.fd = c->fd, .events = c->answer ? POLLOUT : POLLIN};
                if (c->fd >= 0 && c->until_ms < next)
                        next = c->until_ms;
        }
        if (next == INT64_MAX)
                return -1;
        return next <= now ? 0 : (int)(next - now);
}

static void *loop(void *arg)
{
        struct control *control = arg;

        for (;;) {
                struct pollfd polled[2 + CONNECTIONS] = {{.fd = control->wake_fd, .events = POLLIN},
                                                         {.fd = control->fd, .events = POLLIN}};
                int timeout = look_out(control, polled + 2);

                if ((poll(polled, 2 + CONNECTIONS, timeout) < 0 && errno != EINTR) || polled[0].revents)
                        break;
                serve_all(control, polled + 2);
                if (polled[1].revents && !accept_one(control)) /* it would be ready all the time */
                        (void)poll(&polled[0], 1, REST_MS);
        }
        for (size_t i = 0; i < CONNECTIONS; i++)
                let_go(&control->connections[i]);
        return NULL;
}

int control_start(struct control *control, control_handler *handle, void *arg, struct error *err)
{
        int r;

        control->handle = handle;
        control->arg = arg;
        r = pthread_create(&control->thread, NULL, loop, control);
        control->running = r == 0;
        return r ? error_errno(err, r, "start a thread") : 0;
}

void control_stop(struct control *control)
{
        const uint64_t one = 1;

        if (control && control->running && write(control->wake_fd, &one, sizeof(one)) == sizeof(one)) {
                pthread_join(control->thread, NULL);
                control->running = false;
        }
}

struct control *control_free(struct control *control)
{
        if (!control)
                return NULL;
        control_stop(control);
        for (size_t i = 0; i < control->n_watchers; i++)
                close(control->watchers[i]);
        close(control->fd);
        close(control->wake_fd);
        unlink(control->path);
        pthread_mutex_destroy(&control->mutex);
        free(control->path);
        free(control);
        return NULL;
}

/* ---- the client's side ---- */

static bool send_all(int fd, const char *data, size_t n)
{
        while (n > 0) {
                ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);

                if (sent <= 0)
                        return false;
                data += sent;
                n -= (size_t)sent;
        }
        return true;
}

json_t *control_line(FILE *stream)
{
        CLEANUP_FREE char *line = NULL;
        size_t size = 0;

        return getline(&line, &size, stream) > 0 ? json_loads(line, 0, NULL) : NULL;
}

int control_ask(const char *path, json_t *request, FILE **ret, struct error *err)
{
        CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CLEANUP_FREE char *text = json_dumps(request, JSON_COMPACT);
        CLEANUP_FREE char *line = xasprintf("%s\n", text ? text : "{}");
        CLEANUP_FCLOSE FILE *stream = NULL;
        struct sockaddr_un address;
        json_t *first;
        int r = address_of(path, &address, err);

        json_decref(request);
        if (r < 0)
                return r;
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return error_errno(err, errno, "no server answers at '%s'", path);
        if (!send_all(fd, line, strlen(line)) || !(stream = fdopen(fd, "r")))
                return error_errno(err, errno, "ask the server at '%s'", path);
        (void)steal_fd(&fd);
        first = control_line(stream);
        if (json_is_true(json_object_get(first, "ok")))
                *ret = steal(&stream);
        else
                r = error_set(err, EIO, "%s",
                              json_is_string(json_object_get(first, "error"))
                                      ? json_string_value(json_object_get(first, "error"))
                                      : "the server did not answer");
        json_decref(first);
        return r;
}
