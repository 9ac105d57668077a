#include "serve/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "serve/daemon_internal.h"
#include "serve/neighbour.h"
#include "serve/notify.h"
#include "serve/sandbox.h"

enum { DESCRIPTORS = 65536 };

/* ---- reload ---- */

/* Ports were opened with privileges: clients are sent to those. */
static void keep_ports(struct daemon *daemon, const struct site_listen *old, struct site_listen *new)
{
        if (old->tftp != new->tftp || old->http != new->http || old->https != new->https ||
            old->tftp_single_port != new->tftp_single_port || old->tftp_fragments != new->tftp_fragments ||
            !str_eq(old->certificate, new->certificate) || !str_eq(old->key, new->key))
                daemon_log(daemon, "what the site file says in `listen` counts after a restart");
        new->tftp = old->tftp;
        new->http = old->http;
        new->https = old->https;
}

static int reload(struct daemon *daemon, struct error *err)
{
        struct site *site = NULL;
        const struct site *old = daemon->dhcp_site;
        int r;

        notify_send("RELOADING=1");
        r = daemon_site(daemon->options, BIND_ERROR, &site);
        if (r == 0) {
                keep_ports(daemon, &old->listen, &site->listen);
                current_replace(daemon->current, site);
                daemon->dhcp_site = current_acquire(daemon->current);
                if (daemon->dhcp)
                        dhcp_server_reload(daemon->dhcp, daemon->dhcp_site);
                current_release(daemon->current, old);
                if (daemon->keeper)
                        keeper_look(daemon->keeper);
                daemon_log(daemon, "the site file was read again");
        } else {
                error_set(err, EINVAL, "the site file has errors (they are in the server's log); the old one stays");
                daemon_log(daemon, "the site file was not taken over: %s", error_message(err));
        }
        notify_send("READY=1");
        return r;
}

int daemon_reload(struct daemon *daemon, struct error *err)
{
        int r;

        pthread_mutex_lock(&daemon->mutex);
        r = reload(daemon, err);
        pthread_mutex_unlock(&daemon->mutex);
        return r;
}

/* ---- history ---- */

/* The timeline is locked meanwhile: the rest is for the next time. */
enum { SAVED_AT_ONCE = 256 };

struct saving {
        struct daemon *daemon;
        struct error *err;
        int64_t now_us;
        bool begun;
        int n;
};

static int save_boot(void *arg, struct boot *boot)
{
        struct saving *saving = arg;
        enum boot_state state = boot_state(boot, saving->now_us);
        CLEANUP_FREE char *line = NULL;
        json_t *object;
        int r = 0;

        /* It may come to a stop by saying nothing. */
        if ((!boot->dirty && state == boot->saved) || saving->n >= SAVED_AT_ONCE)
                return 0;
        if (!saving->begun)
                r = event_store_begin(saving->daemon->store, saving->err);
        if (r < 0)
                return r;
        saving->begun = true;
        saving->n++;
        object = boot_json(boot, true, saving->now_us);
        line = json_dumps(object, JSON_COMPACT);
        json_decref(object);
        r = event_store_put(saving->daemon->store, &boot->id, boot->mac, boot->started_us, line ? line : "{}",
                            saving->err);
        boot->dirty = r < 0;
        boot->saved = state;
        return r;
}

static int save_again(void *arg, struct boot *boot)
{
        (void)arg;
        boot->dirty = true;
        return 0;
}

static int save(struct daemon *daemon, struct error *err)
{
        struct saving saving = {.daemon = daemon, .err = err, .now_us = event_now_us()};
        int r;

        r = timeline_each(daemon->timeline, save_boot, &saving);
        if (saving.begun && r == 0)
                r = event_store_commit(daemon->store, err);
        else if (saving.begun)
                event_store_commit(daemon->store, NULL);
        if (r < 0) /* it is not known which of them are there */
                (void)timeline_each(daemon->timeline, save_again, NULL);
        return r;
}

int daemon_save(struct daemon *daemon, struct error *err)
{
        int r = 0;

        pthread_mutex_lock(&daemon->mutex);
        if (daemon->store)
                r = save(daemon, err);
        if (daemon->store && r == 0)
                r = daemon_save_packets(daemon, err);
        pthread_mutex_unlock(&daemon->mutex);
        return r;
}

/* ---- opening: with privileges ---- */

static const struct site *held_acquire(void *arg)
{
        struct daemon *daemon = arg;

        return current_acquire(daemon->current);
}

static void held_release(void *arg, const struct site *site)
{
        struct daemon *daemon = arg;

        current_release(daemon->current, site);
}

static bool any_dhcp(const struct site *site)
{
        for (size_t i = 0; i < site->n_networks; i++)
                if (site->networks[i].mode != SITE_OFF)
                        return true;
        return false;
}

static int open_files(struct daemon *daemon, const struct site_listen *listen, struct error *err)
{
        const struct tftp_options tftp = {
                .port = listen->tftp, .single_port = listen->tftp_single_port, .fragment = listen->tftp_fragments};
        struct http_options http = {.routes = daemon->routes, .n_routes = 1};
        int r = 0;

        if (listen->tftp)
                r = tftp_server_open(&tftp, &daemon->tftp, err);
        if (r < 0)
                return r;
        http.port = listen->http;
        if (listen->http)
                r = http_server_open(&http, &daemon->http, err);
        if (r < 0 || !listen->https)
                return r;
        http.port = listen->https;
        http.certificate = listen->certificate;
        http.key = listen->key;
        return http_server_open(&http, &daemon->https, err);
}

static int open_history(struct daemon *daemon, const char *state, struct error *err)
{
        bool damaged;
        int r = event_store_open(state, &daemon->store, &damaged, err);

        if (damaged)
                daemon_log(daemon, "the history was damaged: it is kept as events.db.damaged, and a new one begun");
        return r;
}

static int open_all(struct daemon *daemon, const struct site *site, struct error *err)
{
        const struct daemon_options *options = daemon->options;
        CLEANUP_FREE char *control = options->control ? xstrdup(options->control) : path_join(site->state, "control");
        int r = dir_make(site->state, 0755, err);

        if (r == 0)
                r = control_open(control, &daemon->control, err);
        if (r == 0 && any_dhcp(site))
                r = dhcp_server_open(site, &daemon->events, &daemon->dhcp, err);
        if (r == 0)
                r = open_files(daemon, &site->listen, err);
        if (r == 0)
                r = open_history(daemon, site->state, err);
        if (site->capture)
                daemon_capture_open(daemon, &site->listen);
        daemon->neighbours = neighbour_open();
        notify_open();
        return r;
}

static int confine(struct daemon *daemon, const struct site *site, struct error *err)
{
        const struct daemon_options *options = daemon->options;
        CLEANUP_STRV char **readable = daemon_folders(site);
        CLEANUP_STRV char **writable = NULL;
        const char *strength = "with all its privileges";
        int r = 0;

        strv_add(&writable, site->state);
        if (options->control)
                strv_take(&writable, path_dir(options->control));
        if (!options->no_sandbox)
                r = sandbox_enter(&(struct sandbox){.readable = STRV(readable), .writable = STRV(writable)}, &strength,
                                  err);
        if (r == 0)
                daemon_log(daemon, "runs %s", strength);
        return r;
}

/* ---- serving: without ---- */

static int start_all(struct daemon *daemon, struct error *err)
{
        const struct files *files = site_files_interface(daemon->files);
        int r = 0;

        if (daemon->tftp)
                r = tftp_server_start(daemon->tftp, files, &daemon->events, err);
        if (r == 0 && daemon->http)
                r = http_server_start(daemon->http, files, &daemon->events, err);
        if (r == 0 && daemon->https)
                r = http_server_start(daemon->https, files, &daemon->events, err);
        if (r == 0)
                r = daemon_capture_start(daemon, err);
        if (r == 0 && daemon->dhcp)
                r = dhcp_server_start(daemon->dhcp, err);
        if (r == 0 && daemon->keeper)
                r = keeper_start(daemon->keeper, &daemon->events, err);
        if (r == 0)
                r = control_start(daemon->control, daemon_handle, daemon, err);
        return r;
}

static void wait_for_end(struct daemon *daemon, const sigset_t *signals)
{
        const struct timespec second = {.tv_sec = 1};
        bool told = false;
        int signal;

        do {
                CLEANUP_ERROR struct error err = {0};

                signal = sigtimedwait(signals, NULL, &second);
                if (signal == SIGHUP)
                        (void)daemon_reload(daemon, &err);
                else if (daemon_save(daemon, &err) < 0 && !told)
                        daemon_log(daemon, "history is not kept: %s", error_message(&err));
                told = err.code != 0;
        } while (signal != SIGTERM && signal != SIGINT);
}

static void say_ready(struct daemon *daemon, const struct site *site)
{
        static const char *const modes[] = {[SITE_DHCP] = "DHCP", [SITE_PROXY] = "proxyDHCP", [SITE_OFF] = "no DHCP"};

        for (size_t i = 0; i < site->n_networks; i++) {
                const struct site_network *network = &site->networks[i];

                daemon_log(daemon, "network '%s'%s%s: %s", network->name, network->interface ? " on " : "",
                           network->interface ? network->interface : "", modes[network->mode]);
        }
        daemon_log(daemon, "ready");
        notify_send("READY=1");
}

static void close_all(struct daemon *daemon)
{
        notify_send("STOPPING=1");
        /* Who asks goes first, and last what events need: transfers that are ended are events, of a client that DHCP
         * knows. */
        control_stop(daemon->control);
        capture_stop(daemon->capture);
        keeper_free(daemon->keeper);
        tftp_server_free(daemon->tftp);
        http_server_free(daemon->http);
        http_server_free(daemon->https);
        dhcp_server_free(daemon->dhcp);
        daemon->dhcp = NULL;
        daemon->control = control_free(daemon->control);
        (void)daemon_save(daemon, NULL);
        capture_free(daemon->capture);
        site_files_free(daemon->files);
        event_store_free(daemon->store);
        timeline_free(daemon->timeline);
        if (daemon->dhcp_site)
                current_release(daemon->current, daemon->dhcp_site);
        current_free(daemon->current);
        if (daemon->neighbours >= 0)
                close(daemon->neighbours);
}

/* A transfer by TFTP has three, a connection of HTTP two. What a shell allows, 1024, is select()'s measure. */
static void allow_descriptors(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= DESCRIPTORS)
                return;
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* then there are fewer */
}

static int serve(struct daemon *daemon, struct error *err)
{
        sigset_t signals;
        int r = 0;

        /* It has none of our sockets, and signals are not held back in it. */
        if (daemon->options->site)
                r = keeper_open(daemon_roots, (void *)daemon->options, &daemon->keeper, err);
        if (r < 0)
                return r;
        allow_descriptors();
        /* Threads inherit it: only the main one is told of signals. */
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        pthread_sigmask(SIG_BLOCK, &signals, NULL);
        r = open_all(daemon, daemon->dhcp_site, err);
        if (r == 0)
                r = confine(daemon, daemon->dhcp_site, err);
        if (r == 0)
                r = start_all(daemon, err);
        if (r < 0)
                return r;
        say_ready(daemon, daemon->dhcp_site);
        wait_for_end(daemon, &signals);
        return 0;
}

int daemon_run(const struct daemon_options *options, struct error *err)
{
        struct daemon daemon = {.options = options, .started_us = event_now_us(), .neighbours = -1};
        struct site_files_source source = {held_acquire, held_release, daemon_identify, &daemon};
        struct site *site = NULL;
        int r = daemon_site(options, options->check ? BIND_WARNING : BIND_ERROR, &site);

        if (r < 0 || options->check) {
                site_free(site);
                return r;
        }
        pthread_mutex_init(&daemon.mutex, NULL);
        daemon.events = (struct event_sink){daemon_emit, &daemon};
        daemon.routes[0] = (struct http_route){"/metrics", daemon_metrics, &daemon};
        daemon.timestamps = isatty(STDERR_FILENO) || !getenv("JOURNAL_STREAM");
        daemon.timeline = timeline_new();
        daemon.files = site_files_new(&source);
        daemon.current = current_new(site);
        daemon.dhcp_site = current_acquire(daemon.current);
        r = serve(&daemon, err);
        close_all(&daemon);
        pthread_mutex_destroy(&daemon.mutex);
        return r;
}
