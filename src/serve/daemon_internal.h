/* Shared by the files of the daemon. */
#pragma once

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "serve/bind.h"
#include "serve/capture.h"
#include "serve/control.h"
#include "serve/current.h"
#include "serve/daemon.h"
#include "serve/dhcp.h"
#include "serve/http.h"
#include "serve/keeper.h"
#include "serve/site_files.h"
#include "serve/tftp.h"
#include "serve/timeline.h"
#include "store/event.h"

struct daemon {
        const struct daemon_options *options;
        struct event_sink events;
        struct current *current;
        const struct site *dhcp_site; /* held for the DHCP server */
        struct timeline *timeline;
        struct site_files *files;
        struct dhcp_server *dhcp;
        struct tftp_server *tftp;
        struct http_server *http, *https;
        struct control *control;
        struct capture *capture; /* NULL: packets are not captured */
        struct keeper *keeper;   /* NULL: a site that is made of a folder needs none */
        struct event_store *store;
        struct http_route routes[1];
        pthread_mutex_t mutex; /* of reloads, and of writing to the store: SIGHUP and commands may meet */
        int neighbours;        /* the kernel's table of them */
        int64_t started_us;
        _Atomic uint64_t counts[EVENT_KINDS];
        bool timestamps; /* in the log */
};

/* daemon_site.c: the site, on the interfaces of this host. Messages go to stderr; -EINVAL after an error. */
int daemon_site(const struct daemon_options *options, enum bind_missing missing, struct site **ret);
/* A keeper_list: `arg` is the options. The daemon has read the same file, and said what is wrong with it. */
int daemon_roots(void *arg, struct keeper_jobs *ret, struct error *err);
/* Folders and files that are read while it serves (strv). */
char **daemon_folders(const struct site *site);

/* daemon_event.c: log, timeline, watchers. */
void daemon_emit(void *arg, const struct event *event);
void daemon_log(struct daemon *daemon, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A machine of the site file is one in the history, whichever of its hardware addresses it uses: by the first. */
void daemon_machine_mac(struct daemon *daemon, uint8_t mac[6]);
/* Who has an address. */
void daemon_identify(void *arg, struct site_peer *peer);

/* daemon_control.c: requests of other commands, and metrics. */
bool daemon_handle(void *arg, const json_t *request, FILE *out);
void daemon_metrics(void *arg, const struct http_request *request, struct http_answer *answer);

/* daemon_capture.c: packets of machines that boot. */
void daemon_capture_open(struct daemon *daemon, const struct site_listen *listen);
int daemon_capture_start(struct daemon *daemon, struct error *err);
/* Those that came go to the store; under the mutex. */
int daemon_save_packets(struct daemon *daemon, struct error *err);
/* All that are kept of a machine, as lines {"pcapng": HEX} which are a file together; under the mutex. */
int daemon_put_packets(struct daemon *daemon, const uint8_t (*macs)[6], size_t n, FILE *out, struct error *err);

/* Read the site file again and go by it. */
int daemon_reload(struct daemon *daemon, struct error *err);
/* Boots that changed go to the store, and packets. */
int daemon_save(struct daemon *daemon, struct error *err);
