/* What a client fetches: the file that the server named, then those of its
 * own table; how each transfer ends. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "simulate/sim_internal.h"

void sim_transfer_free(struct sim *sim)
{
        struct sim_transfer *transfer = sim->transfer;

        if (!transfer)
                return;
        digest_free(transfer->digest);
        str_clear(&transfer->text);
        str_clear(&transfer->request);
        str_clear(&transfer->head);
        free(transfer->path);
        free(transfer);
        sim->transfer = NULL;
}

void sim_transfer_data(struct sim *sim, const uint8_t *data, size_t n)
{
        struct sim_transfer *transfer = sim->transfer;
        size_t room = SIM_KEEP - transfer->text.len;

        if (n == 0)
                return;
        digest_update(transfer->digest, data, n);
        str_addn(&transfer->text, (const char *)data, n < room ? n : room);
        transfer->n += n;
}

/* A path of the table with this client's own words in it; NULL: it has none such. */
static char *expand(const struct sim *sim, const char *pattern)
{
        struct str path = {0};

        for (const char *p = pattern; *p; p++) {
                if (*p != '%') {
                        str_addc(&path, *p);
                        continue;
                }
                p++;
                if (*p == 'S')
                        str_addf(&path, "%08x", sim->who.serial);
                else if (*p == 'P')
                        str_add(&path, sim->prefix);
                else if (*p == 'K')
                        str_add(&path, sim->kernel);
                else if (*p == 'I')
                        str_add(&path, *sim->initramfs ? sim->initramfs : "");
                else if (*p == 'M')
                        str_addf(&path, "01-%02x-%02x-%02x-%02x-%02x-%02x", sim->who.mac[0], sim->who.mac[1],
                                 sim->who.mac[2], sim->who.mac[3], sim->who.mac[4], sim->who.mac[5]);
                else
                        str_addf(&path, "%0*X", *p - '0', sim->offer.address >> 4 * (8 - (*p - '0')));
        }
        return str_steal(&path);
}

/* The file that the server named: a URI, or a path on its next server. False: it cannot be fetched. */
static bool named_file(struct sim *sim, struct sim_transfer *transfer)
{
        const char *file = sim->boot.file, *host, *slash;
        char address[INET_ADDRSTRLEN] = "";
        struct in_addr in;
        bool http = str_starts(file, "http://");

        transfer->to_port = http ? 80 : 69;
        transfer->over_http = http;
        transfer->server = sim->boot.next_server ? sim->boot.next_server : sim->boot.server;
        if (!http && !str_starts(file, "tftp://")) {
                transfer->path = xstrdup(file);
                return true;
        }
        host = file + strlen("http://");
        slash = strchr(host, '/');
        if (!slash || sscanf(host, "%15[0-9.]", address) != 1 || inet_pton(AF_INET, address, &in) != 1)
                return false;
        if (host[strlen(address)] == ':')
                transfer->to_port = (uint16_t)strtoul(host + strlen(address) + 1, NULL, 10);
        transfer->server = ntohl(in.s_addr);
        transfer->path = xstrdup(http ? slash : slash + 1);
        return true;
}

static void begin(struct sim *sim, struct sim_transfer *transfer)
{
        transfer->digest = digest_sha256();
        transfer->from_port = sim->next_port++;
        if (sim->next_port == 0)
                sim->next_port = 49152;
        sim->transfer = transfer;
}

static bool needs_named(const struct sim *sim)
{
        return !sim->named && *sim->boot.file && sim->kind->rules != SIM_PI;
}

static void finished(struct sim *sim)
{
        sim_enter(sim, SIM_DONE, 0);
        sim_stage(sim, "has all it asks for: %u file%s, %llu bytes", sim->n_files, sim->n_files == 1 ? "" : "s",
                  (unsigned long long)sim->bytes);
}

uint32_t sim_files_server(struct sim *sim)
{
        struct sim_transfer *transfer;

        if (sim->transfer)
                return sim->transfer->server;
        if (!needs_named(sim) && sim->next_file >= sim->kind->n_files) {
                if (sim->n_files > 0)
                        finished(sim);
                else
                        sim_fail(sim, "found none of the files that it looks for");
                return 0;
        }
        transfer = xcalloc(1, sizeof(*transfer));
        if (needs_named(sim)) {
                transfer->origin = SIM_NAMED;
                transfer->probing = sim->kind->rules == SIM_PXE && sim->kind->ndi[1] == 3;
                if (!named_file(sim, transfer)) {
                        free(transfer);
                        sim_fail(sim, "cannot make anything of '%s'", sim->boot.file);
                        return 0;
                }
                transfer->probing = transfer->probing && !transfer->over_http;
        } else {
                transfer->origin = SIM_LISTED;
                transfer->server = sim->boot.next_server;
                transfer->to_port = 69;
                transfer->path = expand(sim, sim->kind->files[sim->next_file].path);
        }
        begin(sim, transfer);
        return transfer->server;
}

void sim_files_start(struct sim *sim)
{
        if (sim->transfer->over_http)
                sim_http_start(sim);
        else
                sim_tftp_start(sim);
}

/* What config.txt of a Raspberry Pi says of the files that follow. */
static void read_config(struct sim *sim)
{
        CLEANUP_STRV char **lines = str_split(str_get(&sim->transfer->text), "\r\n");

        for (char **line = lines; line && *line; line++) {
                if (sscanf(*line, "kernel=%127s", sim->kernel) != 1)
                        (void)sscanf(*line, "initramfs %127s", sim->initramfs);
        }
}

static void take(struct sim *sim)
{
        struct sim_transfer *transfer = sim->transfer;
        char hex[DIGEST_HEX_MAX];

        digest_final(transfer->digest, hex);
        sim->n_files++;
        sim->bytes += transfer->n;
        sim_stage(sim, "%s %s: %llu bytes, sha256 %.16s", transfer->over_http ? "HTTP" : "TFTP", transfer->path,
                  (unsigned long long)transfer->n, hex);
        if (sim->kind->rules == SIM_PI && str_ends(transfer->path, "config.txt"))
                read_config(sim);
}

/* Of the table: what follows from a file that is there, or not. False: the client gives up. */
static bool listed(struct sim *sim, bool found)
{
        const struct sim_file *file = &sim->kind->files[sim->next_file++];

        if (file->need == SIM_PREFIX && found)
                snprintf(sim->prefix, sizeof(sim->prefix), "%08x/", sim->who.serial);
        if (file->need == SIM_FIRST_FOUND && found)
                sim->next_file = sim->kind->n_files;
        return found || file->need != SIM_REQUIRED;
}

void sim_files_ended(struct sim *sim, bool found, const char *text)
{
        struct sim_transfer *transfer = sim->transfer;
        bool go_on = true;

        if (found)
                take(sim);
        else
                sim_stage(sim, "%s %s: %s", transfer->over_http ? "HTTP" : "TFTP", transfer->path, text);
        if (transfer->origin == SIM_LISTED)
                go_on = listed(sim, found);
        else
                sim->named = go_on = found;
        if (!go_on)
                sim_fail(sim, "cannot go on without %s", transfer->path);
        sim_transfer_free(sim);
        while (!sim_over(sim) && sim->next_file < sim->kind->n_files && !*sim->initramfs &&
               str_ends(sim->kind->files[sim->next_file].path, "%I"))
                sim->next_file++;
        if (!sim_over(sim))
                sim_proceed(sim);
}
