/* A site file, then (after NUL bytes) a path that is asked for and a host name of the client: read, checked, and
 * asked as the server asks. Whatever the site says, a script consists of the commands that we write, and a
 * path leads out of no folder. */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "fuzz.h"
#include "site/site_internal.h"

static const uint32_t server = 0x0a4d0001;

/* Begins each line with one of the words? */
static void check_lines(const char *text, const char *const *words)
{
        while (*text) {
                size_t i = 0;

                while (words[i] && !str_starts(text, words[i]))
                        i++;
                FUZZ_ASSERT(words[i]);
                text += strcspn(text, "\n");
                text += *text == '\n';
        }
}

static void check_path(const char *path)
{
        FUZZ_ASSERT(*path != '/' && strcmp(path, "..") != 0);
        FUZZ_ASSERT(!str_starts(path, "../") && !strstr(path, "/../") && !str_ends(path, "/.."));
}

/* NULL: any text. */
static void ask(const struct site *site, const char *path, const struct site_peer *peer, const char *const *words)
{
        CLEANUP(site_file_clear) struct site_file file = {0};
        CLEANUP_ERROR struct error err = {0};

        if (site_file(site, path, peer, &file, &err) < 0) {
                FUZZ_ASSERT(err.message && !file.text && !file.path);
                return;
        }
        if (file.kind == SITE_FILE_DISK && !words)
                check_path(file.path);
        if (file.kind == SITE_FILE_TEXT && words)
                check_lines(file.text, words);
}

static void ask_all(const struct site *site, const char *path, const struct client *client)
{
        static const char *const ipxe[] = {"#!ipxe", "kernel ", "initrd --name initrd", "sanhook ", "sanboot ", "boot",
                                           "exit",   NULL};
        static const char *const grub[] = {"linux '", "linux ", "initrd '", "devicetree '", "boot", "exit 1", NULL};
        static const char *const pxelinux[] = {"DEFAULT slipway", "PROMPT 0",  "LABEL slipway",
                                               "  LOCALBOOT 0",   "  KERNEL ", "  INITRD ",
                                               "  APPEND ",       "  FDT ",    NULL};
        struct site_peer known = {.address = 0x0a4d000b, .server = server, .has_mac = true, .client = client};
        const struct site_peer nobody = {.address = 0x0a4d0064, .server = server};

        memcpy(known.mac, client->mac, 6);
        ask(site, path, &known, NULL);
        ask(site, path, &nobody, NULL);
        ask(site, "boot.ipxe", &known, ipxe);
        ask(site, "grub/grub.cfg", &known, grub);
        ask(site, "pxelinux.cfg/default", &known, pxelinux);
}

static void boot_all(const struct site *site, struct client *client)
{
        for (int kind = 0; kind < CLIENT_KINDS; kind++) {
                CLEANUP(site_boot_clear) struct site_boot boot = {0};
                CLEANUP_ERROR struct error err = {0};

                client->kind = (enum client_kind)kind;
                client->platform = (enum client_platform)(kind * 2 % PLATFORMS);
                client->http = kind % 2;
                if (site_boot(site, site->n_networks ? site->networks : NULL, client, server, &boot, &err) < 0)
                        FUZZ_ASSERT(err.message && !boot.file);
                else
                        FUZZ_ASSERT(boot.why && boot.why[0]);
        }
}

/* Functions that read files, or take long by design, are not for this. */
static bool is_tame(const char *text)
{
        return !strstr(text, "file") && !strstr(text, "bcrypt") && !strstr(text, "template");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        CLEANUP_FREE char *text = xstrndup((const char *)data, size);
        CLEANUP(diags_clear) struct diags diags = {0};
        size_t n = strlen(text);
        CLEANUP_FREE char *path = xstrndup(n < size ? (const char *)data + n + 1 : "", n < size ? size - n - 1 : 0);
        size_t m = n + 1 + strlen(path) + 1;
        struct client client = {.has_mac = true, .mac = {0x52, 0x54, 0, 0, 0, 1}, .pi_serial = 0x0a};
        struct site *site = NULL;

        for (size_t i = 0; m + i < size && i + 1 < sizeof(client.host_name); i++)
                client.host_name[i] = (char)data[m + i];
        if (!is_tame(text))
                return 0;
        if (site_load_text("site.hcl", text, "/nonexistent", &site, &diags) < 0) {
                FUZZ_ASSERT(diags.n_errors > 0 && !site);
                return 0;
        }
        for (size_t i = 0; i < site->n_networks; i++)
                site_bind(site, i, server, 0xffffff00, &diags);
        site_machine(site, &client);
        boot_all(site, &client);
        ask_all(site, path, &client);
        site_free(site);
        return 0;
}
