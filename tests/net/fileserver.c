/* Serves a folder by TFTP, HTTP and HTTPS without a site file, for tests and
 * benchmarks of the servers alone:
 *
 *     fileserver FOLDER [tftp=PORT] [http=PORT] [https=PORT] [address=IPV4] [certificate=FILE] [key=FILE]
 *                [single-port] [fragment] [threads=N] [max=N] [burst=N] [idle=N] [quiet]
 *
 * Port 0 is one that the kernel chooses. It says the ports in a line when it serves
 * ("ready tftp=4069 http=4080"), then an event a line, and ends by SIGTERM or SIGINT,
 * with its counters. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/str.h"
#include "serve/http.h"
#include "serve/site_files.h"
#include "serve/tftp.h"

struct arguments {
        const char *folder;
        struct tftp_options tftp;
        struct http_options http, https;
        bool has_tftp, has_http, has_https, quiet;
};

static int open_in_folder(void *arg, const struct file_request *request, struct file **ret, struct error *err)
{
        return folder_file_open(arg, request->path, ret, err);
}

static void print_event(void *arg, const struct event *event)
{
        static const char *const names[EVENT_KINDS] = {
                [EVENT_TFTP_START] = "tftp-start", [EVENT_TFTP_END] = "tftp-end",
                [EVENT_TFTP_PROBE] = "tftp-probe", [EVENT_TFTP_ERROR] = "tftp-error",
                [EVENT_HTTP_START] = "http-start", [EVENT_HTTP_END] = "http-end",
                [EVENT_HTTP_ERROR] = "http-error", [EVENT_LOG] = "log"};
        CLEANUP_FREE char *path = str_printable(event->path ? event->path : "-");

        (void)arg;
        printf("%s %s bytes=%llu status=%d %s\n", names[event->kind] ? names[event->kind] : "?", path,
               (unsigned long long)event->bytes, event->status, event->text ? event->text : "");
        fflush(stdout);
}

static bool take_number(const char *argument, const char *name, unsigned int *ret)
{
        size_t n = strlen(name);

        if (strncmp(argument, name, n) != 0 || argument[n] != '=')
                return false;
        *ret = (unsigned int)strtoul(argument + n + 1, NULL, 10);
        return true;
}

static bool take_port(const char *argument, const char *name, bool *has, uint16_t *port, bool *any)
{
        unsigned int value;

        if (!take_number(argument, name, &value))
                return false;
        *has = true;
        *port = (uint16_t)value;
        *any = value == 0;
        return true;
}

static bool take_argument(struct arguments *a, const char *argument)
{
        unsigned int address;

        if (take_port(argument, "tftp", &a->has_tftp, &a->tftp.port, &a->tftp.any_port) ||
            take_port(argument, "http", &a->has_http, &a->http.port, &a->http.any_port) ||
            take_port(argument, "https", &a->has_https, &a->https.port, &a->https.any_port) ||
            take_number(argument, "max", &a->tftp.max_transfers) ||
            take_number(argument, "burst", &a->tftp.requests_burst))
                return true;
        if (take_number(argument, "threads", &a->tftp.threads)) {
                a->http.threads = a->https.threads = a->tftp.threads;
                return true;
        }
        if (take_number(argument, "idle", &a->http.idle_sec)) {
                a->https.idle_sec = a->http.idle_sec;
                return true;
        }
        if (str_starts(argument, "address=")) {
                address = ntohl(inet_addr(argument + 8));
                a->tftp.address = a->http.address = a->https.address = address;
                return true;
        }
        if (str_starts(argument, "certificate="))
                a->https.certificate = argument + 12;
        else if (str_starts(argument, "key="))
                a->https.key = argument + 4;
        else if (strcmp(argument, "single-port") == 0)
                a->tftp.single_port = true;
        else if (strcmp(argument, "fragment") == 0)
                a->tftp.fragment = true;
        else if (strcmp(argument, "quiet") == 0)
                a->quiet = true;
        else
                return false;
        return true;
}

static int fail(struct error *err)
{
        fprintf(stderr, "fileserver: %s\n", error_message(err));
        error_clear(err);
        return 1;
}

static void hello(void *arg, const struct http_request *request, struct http_answer *answer)
{
        const char *name = http_query(request, "name");
        struct str text = {0};

        (void)arg;
        str_addf(&text, "%s %s %s", request->method, name ? name : "nobody", request->body);
        answer->status = 200;
        answer->body_len = text.len;
        answer->body = str_steal(&text);
}

static void print_counters(const struct tftp_server *tftp, const struct http_server *http)
{
        struct tftp_counters t = {0};
        struct http_counters h = {0};

        if (tftp)
                tftp_server_counters(tftp, &t);
        if (http)
                http_server_counters(http, &h);
        printf("counters tftp requests=%llu refused=%llu limited=%llu completed=%llu probes=%llu failed=%llu "
               "bytes=%llu "
               "resent=%llu http requests=%llu errors=%llu bytes=%llu\n",
               (unsigned long long)t.requests, (unsigned long long)t.refused, (unsigned long long)t.limited,
               (unsigned long long)t.completed, (unsigned long long)t.probes, (unsigned long long)t.failed,
               (unsigned long long)t.bytes, (unsigned long long)t.resent, (unsigned long long)h.requests,
               (unsigned long long)h.errors, (unsigned long long)h.bytes);
}

static int serve(struct arguments *a, const struct files *files, const struct event_sink *events, struct error *err)
{
        static const struct http_route routes[] = {{.path = "/hello", .handle = hello}};
        CLEANUP(tftp_server_freep) struct tftp_server *tftp = NULL;
        CLEANUP(http_server_freep) struct http_server *http = NULL;
        CLEANUP(http_server_freep) struct http_server *https = NULL;
        sigset_t stop;
        int r = 0, signal;

        sigemptyset(&stop);
        sigaddset(&stop, SIGTERM);
        sigaddset(&stop, SIGINT);
        sigprocmask(SIG_BLOCK, &stop, NULL); /* before there are threads */
        a->http.routes = a->https.routes = routes;
        a->http.n_routes = a->https.n_routes = 1;
        if (a->has_tftp && (r = tftp_server_open(&a->tftp, &tftp, err)) == 0)
                r = tftp_server_start(tftp, files, events, err);
        if (r == 0 && a->has_http && (r = http_server_open(&a->http, &http, err)) == 0)
                r = http_server_start(http, files, events, err);
        if (r == 0 && a->has_https && (r = http_server_open(&a->https, &https, err)) == 0)
                r = http_server_start(https, files, events, err);
        if (r < 0)
                return r;
        printf("ready tftp=%u http=%u https=%u\n", tftp ? tftp_server_port(tftp) : 0, http ? http_server_port(http) : 0,
               https ? http_server_port(https) : 0);
        fflush(stdout);
        sigwait(&stop, &signal);
        print_counters(tftp, http);
        return 0;
}

int main(int argc, char **argv)
{
        struct arguments a = {0};
        struct error err = {0};
        struct rlimit files_limit;

        for (int i = 2; i < argc; i++) {
                if (!take_argument(&a, argv[i])) {
                        fprintf(stderr, "fileserver: unknown argument '%s'\n", argv[i]);
                        return 2;
                }
        }
        if (argc < 3) {
                fprintf(stderr, "usage: fileserver FOLDER [tftp=PORT] [http=PORT] [https=PORT] ...\n");
                return 2;
        }
        if (getrlimit(RLIMIT_NOFILE, &files_limit) == 0) {
                files_limit.rlim_cur = files_limit.rlim_max;
                setrlimit(RLIMIT_NOFILE, &files_limit);
        }
        struct files files = {open_in_folder, argv[1]};
        struct event_sink events = {a.quiet ? NULL : print_event, NULL};

        return serve(&a, &files, &events, &err) < 0 ? fail(&err) : 0;
}
