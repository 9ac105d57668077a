#include "serve/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

enum {
        WATCHERS = 64,
        REQUEST_MAX = 4096,
        PATIENCE_SEC = 2, /* for a request's line, and for an answer to be read */
        REST_MS = 100,    /* where nobody can be accepted, for want of fds */
};

struct control {
        char *path;
        int fd, wake_fd;
        bool running;
        pthread_t thread;
        control_handler *handle;
        void *arg;
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

/* A line of at most REQUEST_MAX bytes, as JSON; NULL: it was none. */
static json_t *read_request(int fd)
{
        char buf[REQUEST_MAX];
        size_t n = 0;
        ssize_t got;

        while (n < sizeof(buf) && (got = recv(fd, buf + n, sizeof(buf) - n, 0)) > 0) {
                n += (size_t)got;
                if (memchr(buf, '\n', n))
                        return json_loadb(buf, (size_t)((char *)memchr(buf, '\n', n) - buf), 0, NULL);
        }
        return NULL;
}

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

static void serve(struct control *control, int fd)
{
        struct timeval patience = {.tv_sec = PATIENCE_SEC};
        CLEANUP_FREE char *text = NULL;
        json_t *request;
        size_t n = 0;
        bool watch = false;
        FILE *out;

        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
        request = read_request(fd);
        out = open_memstream(&text, &n);
        if (request && out)
                watch = control->handle(control->arg, request, out);
        else if (out)
                fputs("{\"error\":\"a JSON object on a line was expected\"}\n", out);
        json_decref(request);
        if (out)
                fclose(out);
        if (send_all(fd, text, n) && watch)
                add_watcher(control, fd);
        else
                close(fd);
}

static void *loop(void *arg)
{
        struct control *control = arg;
        struct pollfd polled[] = {{.fd = control->fd, .events = POLLIN}, {.fd = control->wake_fd, .events = POLLIN}};

        while (poll(polled, 2, -1) >= 0 || errno == EINTR) {
                int fd;

                if (polled[1].revents)
                        break;
                /* cppcheck-suppress nullPointer ; nobody asks for the peer's address */
                fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC);
                if (fd >= 0)
                        serve(control, fd);
                else /* it would be ready all the time */
                        (void)poll(&polled[1], 1, REST_MS);
        }
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
