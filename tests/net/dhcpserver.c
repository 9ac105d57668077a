/* Serves DHCP alone, for tests and benchmarks:
 *
 *     dhcpserver SITE [quiet]
 *
 * It says "ready", then an event a line, reads the site file again by SIGHUP,
 * and ends by SIGTERM or SIGINT, with its counters. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "serve/dhcp.h"
#include "wire/dhcp.h"

static void print_event(void *arg, const struct event *event)
{
        static const char *const names[EVENT_KINDS] = {
                [EVENT_DHCP_IN] = "<",        [EVENT_DHCP_OUT] = ">",          [EVENT_DHCP_DROP] = "dropped:",
                [EVENT_PROXY_IN] = "proxy <", [EVENT_PROXY_OUT] = "proxy >",   [EVENT_BINL_IN] = "4011 <",
                [EVENT_BINL_OUT] = "4011 >",  [EVENT_OTHER_SERVER] = "other:", [EVENT_LOG] = "log:"};
        char address[DHCP_ADDRESS_TEXT];

        (void)arg;
        printf("%02x:%02x:%02x:%02x:%02x:%02x %s %s %s %s\n", event->mac[0], event->mac[1], event->mac[2],
               event->mac[3], event->mac[4], event->mac[5], names[event->kind] ? names[event->kind] : "?",
               event->text ? event->text : "", event->address ? dhcp_address_text(event->address, address) : "-",
               event->path ? event->path : "");
        fflush(stdout);
}

static struct site *load(const char *path)
{
        CLEANUP(diags_clear) struct diags diags = {0};
        struct site *site = NULL;

        if (site_load(path, &site, &diags) < 0)
                diags_print(&diags, stderr, false);
        return site;
}

static void print_counters(struct dhcp_server *server)
{
        struct dhcp_counters c;
        struct rusage usage;

        dhcp_server_counters(server, &c);
        getrusage(RUSAGE_SELF, &usage);
        printf("received=%llu offers=%llu acks=%llu naks=%llu dropped=%llu malformed=%llu leases=%llu commits=%llu "
               "write_errors=%llu cpu_ms=%ld rss_kib=%ld\n",
               (unsigned long long)c.received, (unsigned long long)c.offers, (unsigned long long)c.acks,
               (unsigned long long)c.naks, (unsigned long long)c.dropped, (unsigned long long)c.malformed,
               (unsigned long long)c.leases, (unsigned long long)c.commits, (unsigned long long)c.write_errors,
               (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000,
               usage.ru_maxrss);
}

static int serve(const char *path, const struct event_sink *events)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP(dhcp_server_freep) struct dhcp_server *server = NULL;
        struct site *site = load(path), *next;
        sigset_t signals;
        int signal_number;

        sigemptyset(&signals);
        sigaddset(&signals, SIGHUP);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        if (!site)
                return 1;
        if (dhcp_server_open(site, events, &server, &err) < 0 || dhcp_server_start(server, &err) < 0) {
                fprintf(stderr, "%s\n", error_message(&err));
                return 1;
        }
        printf("ready\n");
        fflush(stdout);
        while (sigwait(&signals, &signal_number) == 0 && signal_number == SIGHUP) {
                next = load(path);
                if (!next)
                        continue;
                dhcp_server_reload(server, next);
                site_free(site);
                site = next;
                printf("reloaded\n");
                fflush(stdout);
        }
        print_counters(server);
        server = dhcp_server_free(server);
        site_free(site);
        return 0;
}

int main(int argc, char **argv)
{
        const struct event_sink events = {print_event, NULL};
        bool quiet = argc == 3 && strcmp(argv[2], "quiet") == 0;

        if (argc != 2 && !quiet)
                return 2;
        return serve(argv[1], quiet ? NULL : &events);
}
