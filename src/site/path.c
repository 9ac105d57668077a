/* Paths that clients ask for: see path.h. */
#include "site/path.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

/* ---- safety ---- */

static int add_part(struct str *out, const char *part, size_t n, struct error *err)
{
        if (n == 0 || (n == 1 && part[0] == '.'))
                return 0;
        if (n == 2 && part[0] == '.' && part[1] == '.')
                return error_set(err, EACCES, "a path with '..' is refused");
        for (size_t i = 0; i < n; i++)
                if (iscntrl((unsigned char)part[i]))
                        return error_set(err, ENOENT, "a path with control characters is refused");
        if (out->len > 0)
                str_addc(out, '/');
        str_addn(out, part, n);
        return 0;
}

int site_path_clean(const char *path, char **ret, struct error *err)
{
        CLEANUP_STR struct str out = {0};

        while (*path) {
                size_t n = strcspn(path, "/\\");
                int r = add_part(&out, path, n, err);

                if (r < 0)
                        return r;
                path += n + (path[n] != '\0');
        }
        if (out.len == 0)
                return error_set(err, ENOENT, "no file is named");
        *ret = str_steal(&out);
        return 0;
}

/* ---- names that loaders try ---- */

static bool is_hex(const char *s, size_t n)
{
        return strspn(s, "0123456789abcdefABCDEF") == n && s[n] == '\0';
}

/* 01-52-54-00-12-34-56; 01 is the hardware type, Ethernet. */
static bool read_hardware(const char *name, uint8_t mac[6])
{
        return str_starts(name, "01-") && strlen(name) == 20 && site_parse_mac(name + 3, mac);
}

/* UUID, MAC, IP address in hexadecimal and the beginnings of it. */
static bool is_tried_name(const char *name)
{
        size_t n = strlen(name);
        uint8_t bytes[16];

        return read_hardware(name, bytes) || (n >= 1 && n <= 8 && is_hex(name, n)) ||
               (n == 36 && site_parse_uuid(name, bytes));
}

bool site_path_is_ipxe(const char *path)
{
        return strcmp(path, "boot.ipxe") == 0 || strcmp(path, "autoexec.ipxe") == 0;
}

bool site_path_is_pxelinux(const char *path)
{
        const char *name = path_name(path);
        CLEANUP_FREE char *folder = path_dir(path);

        if (strcmp(path_name(folder), "pxelinux.cfg") != 0)
                return false;
        return strcmp(name, "default") == 0 || str_starts(name, "default-") || is_tried_name(name);
}

bool site_path_is_grub(const char *path)
{
        const char *name = path_name(path);

        return strcmp(name, "grub.cfg") == 0 || (str_starts(name, "grub.cfg-") && is_tried_name(name + 9));
}

bool site_path_is_uboot(const char *path)
{
        return strcmp(path, "boot.scr.uimg") == 0 || strcmp(path, "boot.scr") == 0;
}

bool site_path_is_own(const struct site_request *request, const char *path)
{
        const char *name = path_name(path);
        char address[9];
        uint8_t mac[6];

        if (str_starts(name, "grub.cfg-"))
                name += strlen("grub.cfg-");
        if (read_hardware(name, mac))
                return !request->has_mac || memcmp(mac, request->mac, 6) == 0;
        if (strlen(name) > 8 || !is_hex(name, strlen(name)))
                return true;
        snprintf(address, sizeof(address), "%08X", request->address);
        return strncasecmp(address, name, strlen(name)) == 0;
}

/* ---- who asks ---- */

static void set_mac(struct site_request *request, const uint8_t mac[6])
{
        request->has_mac = true;
        memcpy(request->mac, mac, 6);
        request->machine = site_machine_by_mac(request->site, mac);
}

static void by_lease(struct site_request *request, const struct site_peer *peer)
{
        const struct site *site = request->site;

        if (peer->has_mac)
                set_mac(request, peer->mac);
        if (!request->machine && peer->client)
                request->machine = site_machine(site, peer->client);
        if (!peer->has_mac && !request->machine) {
                request->machine = peer->address ? site_machine_by_address(site, peer->address) : NULL;
                if (request->machine && request->machine->n_macs > 0)
                        set_mac(request, request->machine->macs[0]);
        }
        if (request->has_mac || request->machine)
                request->trust = SITE_BY_LEASE;
}

/* Of nobody else: the client's own, another of the same machine, or that of a client that is not known otherwise. */
static bool claim_mac(struct site_request *request, const uint8_t mac[6])
{
        const struct site_machine *machine = site_machine_by_mac(request->site, mac);

        if (request->trust == SITE_BY_LEASE)
                return (request->has_mac && memcmp(request->mac, mac, 6) == 0) ||
                       (machine && machine == request->machine);
        set_mac(request, mac);
        request->trust = SITE_BY_PATH;
        return true;
}

static bool claim_serial(struct site_request *request, uint32_t serial)
{
        const struct site_machine *machine = site_machine_by_serial(request->site, serial);

        if (request->trust == SITE_BY_LEASE)
                return !machine || machine == request->machine;
        if (!machine)
                return true;
        request->machine = machine;
        request->trust = SITE_BY_PATH;
        return true;
}

/* "mac/52-54-00-12-34-56/rest" */
static const char *after_mac_folder(struct site_request *request, const char *path)
{
        CLEANUP_FREE char *name = NULL;
        const char *rest;
        uint8_t mac[6];

        if (!str_starts(path, "mac/"))
                return path;
        rest = strchr(path + 4, '/');
        name = rest ? xstrndup(path + 4, (size_t)(rest - path - 4)) : NULL;
        return name && site_parse_mac(name, mac) && claim_mac(request, mac) ? rest + 1 : path;
}

static bool has_firmware(const struct site_profile *profile)
{
        return profile && (profile->firmware || profile->image);
}

/* "12345678/start4.elf", "dc-a6-32-01-02-03/start4.elf" */
static const char *after_pi_folder(struct site_request *request, const char *path)
{
        const char *slash = strchr(path, '/');
        CLEANUP_FREE char *name = slash ? xstrndup(path, (size_t)(slash - path)) : NULL;
        struct site_request claimed = *request;
        uint8_t mac[6];

        if (!name)
                return path;
        if (strlen(name) == 8 && is_hex(name, 8) ? !claim_serial(&claimed, (uint32_t)strtoul(name, NULL, 16))
                                                 : !site_parse_mac(name, mac) || !claim_mac(&claimed, mac))
                return path;
        if (!has_firmware(site_profile_of(request->site, claimed.machine)))
                return path;
        *request = claimed;
        request->pi = true;
        return slash + 1;
}

/* A loader's file for a UUID or a MAC, where nothing else tells who asks. */
static void by_name(struct site_request *request, const char *path)
{
        const char *name = path_name(path);
        struct client client = {.has_uuid = true};
        uint8_t mac[6];

        if (request->trust != SITE_NOBODY || (!site_path_is_pxelinux(path) && !site_path_is_grub(path)))
                return;
        if (str_starts(name, "grub.cfg-"))
                name += strlen("grub.cfg-");
        if (read_hardware(name, mac))
                claim_mac(request, mac);
        else if (site_parse_uuid(name, client.uuid))
                request->machine = site_machine(request->site, &client);
        if (request->machine)
                request->trust = SITE_BY_PATH;
}

const char *site_request_of_peer(struct site_request *request, const struct site *site, const struct site_peer *peer,
                                 const char *path)
{
        request->site = site;
        request->network = site_network_of(site, peer->address);
        request->client = peer->client;
        request->address = peer->address;
        request->server = peer->server;
        request->pi = peer->client && peer->client->kind == CLIENT_PI;
        by_lease(request, peer);
        path = after_mac_folder(request, path);
        path = after_pi_folder(request, path);
        by_name(request, path);
        request->profile = site_profile_of(site, request->machine);
        /* Nothing is known of the client, and the profile is for nothing else. */
        if (!peer->client && has_firmware(request->profile) && !request->profile->kernel)
                request->pi = true;
        return path;
}
