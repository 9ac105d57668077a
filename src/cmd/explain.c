/* slipway explain: what a machine would be given to boot, and why. A DHCP
 * message such as its firmware sends is made, and read as the server reads it. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "cmd/template_args.h"
#include "serve/bind.h"
#include "site/profile.h"
#include "site/site.h"
#include "wire/dhcp.h"

struct options {
        const char *site, *class, *user_class, *arch, *uuid, *network, *file, *output;
};

static const char *const outputs[] = {"text", "json", NULL};

#define OPTION(option, kind, member, ...)                                                                              \
        {                                                                                                              \
                .name = (option), .type = (kind), .offset = offsetof(struct options, member), __VA_ARGS__              \
        }
static const struct option_spec specs[] = {
        OPTION("site", OPTION_STRING, site, .argument = "FILE", .help = "The site file; site.hcl"),
        OPTION("arch", OPTION_STRING, arch, .argument = "NUMBER",
               .help = "Architecture (option 93): 0 BIOS, 7 UEFI x64, 11 UEFI ARM64, 16 UEFI x64 by HTTP..."),
        OPTION("class", OPTION_STRING, class, .argument = "TEXT", .help = "Vendor class (option 60)"),
        OPTION("user-class", OPTION_STRING, user_class, .argument = "TEXT", .help = "User class (option 77): iPXE"),
        OPTION("uuid", OPTION_STRING, uuid, .argument = "UUID", .help = "The machine's UUID (option 97)"),
        OPTION("network", OPTION_STRING, network, .argument = "NAME", .help = "The network that it is plugged into"),
        OPTION("file", OPTION_STRING, file, .argument = "PATH", .help = "What it would get at this path"),
        OPTION("o", OPTION_STRING, output, .argument = "FORMAT", .choices = outputs, .help = "text or json"),
};
#undef OPTION

/* What is asked as, where no option says it: the firmwares that are common. */
static const struct stage {
        const char *title, *class, *user_class;
        long arch;
} stages[] = {
        {"BIOS, PXE", "PXEClient:Arch:00000:UNDI:002001", NULL, 0},
        {"UEFI x64, PXE", "PXEClient:Arch:00007:UNDI:003001", NULL, 7},
        {"UEFI x64, HTTP Boot", "HTTPClient:Arch:00016:UNDI:003001", NULL, 16},
        {"UEFI ARM64, PXE", "PXEClient:Arch:00011:UNDI:003001", NULL, 11},
        {"iPXE", "PXEClient:Arch:00007:UNDI:003010", "iPXE", 7},
        {"U-Boot ARM64", "U-Boot.armv8", NULL, 22},
};

struct asked {
        const struct site *site;
        const struct site_network *network;
        uint8_t mac[6];
        bool has_uuid;
        uint8_t uuid[16];
        uint32_t server;
};

static void read_stage(const struct asked *asked, const struct stage *stage, struct client *ret)
{
        static struct dhcp_writer writer; /* large */
        static struct dhcp_message message;
        uint8_t bytes[DHCP_SIZE_MAX], uuid[17] = {0};
        const char *reason;

        dhcp_writer_init(&writer);
        writer.h.op = DHCP_REQUEST_OP;
        writer.h.htype = DHCP_ETHERNET;
        writer.h.hlen = 6;
        memcpy(writer.h.chaddr, asked->mac, 6);
        dhcp_put_u8(&writer, DHCP_OPT_TYPE, DHCP_DISCOVER);
        if (stage->class)
                dhcp_put_text(&writer, DHCP_OPT_VENDOR_CLASS, stage->class);
        if (stage->user_class)
                dhcp_put_text(&writer, DHCP_OPT_USER_CLASS, stage->user_class);
        if (stage->arch >= 0)
                dhcp_put_u16(&writer, DHCP_OPT_ARCH, (uint16_t)stage->arch);
        site_swap_uuid(asked->uuid, uuid + 1);
        if (asked->has_uuid)
                dhcp_put(&writer, DHCP_OPT_UUID, uuid, sizeof(uuid));
        if (dhcp_parse(bytes, dhcp_write(&writer, DHCP_ETHERNET_SIZE, bytes), &message, &reason) < 0)
                *ret = (struct client){0};
        else
                client_read(&message, ret);
}

/* ---- the network, and our address in it ---- */

static int choose_network(const struct options *options, struct site *site, struct asked *asked, struct error *err)
{
        const struct site_machine *machine = site_machine_by_mac(site, asked->mac);
        CLEANUP_FREE const char **names = xcalloc(site->n_networks + 1, sizeof(*names));
        const char *nearest;

        if (machine && machine->address)
                asked->network = site_network_of(site, machine->address);
        else if (site->n_networks > 0)
                asked->network = &site->networks[0];
        for (size_t i = 0; options->network && i < site->n_networks; i++) {
                names[i] = site->networks[i].name;
                if (strcmp(names[i], options->network) == 0) {
                        asked->network = &site->networks[i];
                        return 0;
                }
        }
        if (!options->network)
                return 0;
        nearest = str_nearest(options->network, names);
        return error_set(err, ENOENT, "there is no network '%s' in the site file%s%s%s", options->network,
                         nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

/* Where neither the file nor an interface says it, an address for documentation stands for ours (RFC 5737). */
static uint32_t server_address(const struct site_network *network)
{
        if (network && network->address)
                return network->address;
        fprintf(stderr, "explain: the server's address%s%s%s is not known here; 192.0.2.1 stands for it\n",
                network ? " in network '" : "", network ? network->name : "", network ? "'" : "");
        return 0xc0000201;
}

/* ---- output ---- */

static const char *const pxe_names[] = {
        [SITE_PXE_NONE] = "none", [SITE_PXE_DIRECT] = "boot the file", [SITE_PXE_PI] = "Raspberry Pi Boot"};

static void print_text(const struct stage *stage, const struct site_boot *boot)
{
        char address[DHCP_ADDRESS_TEXT];

        printf("%s:\n", stage->title);
        printf("  boots         %s\n", !boot->profile                ? "its own disk"
                                       : !boot->file || !*boot->file ? "what it asks for by itself"
                                                                     : boot->file);
        if (boot->profile)
                printf("  profile       %s\n  next server   %s\n  option 43     %s\n", boot->profile->name,
                       dhcp_address_text(boot->next_server, address), pxe_names[boot->pxe]);
        if (boot->root_path)
                printf("  root path     %s\n", boot->root_path);
        for (char **why = boot->why; why && *why; why++)
                printf("  %s\n", *why);
}

static json_t *to_json(const struct stage *stage, const struct site_boot *boot)
{
        char address[DHCP_ADDRESS_TEXT];
        json_t *why = json_array();

        for (char **line = boot->why; line && *line; line++)
                json_array_append_new(why, json_string(*line));
        return json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:s, s:s?, s:o}", "client", stage->title, "machine",
                         boot->machine ? boot->machine->name : NULL, "profile",
                         boot->profile ? boot->profile->name : NULL, "file",
                         boot->profile && boot->file && *boot->file ? boot->file : NULL, "next_server",
                         dhcp_address_text(boot->next_server, address), "pxe", pxe_names[boot->pxe], "root_path",
                         boot->root_path, "why", why);
}

static int explain_stage(const struct asked *asked, const struct stage *stage, json_t *json, struct error *err)
{
        struct site_boot boot = {0};
        struct client client;
        int r;

        read_stage(asked, stage, &client);
        r = site_boot(asked->site, asked->network, &client, asked->server, &boot, err);
        if (r < 0)
                return r;
        if (json)
                json_array_append_new(json, to_json(stage, &boot));
        else
                print_text(stage, &boot);
        site_boot_clear(&boot);
        return 0;
}

/* Its reserved address, or one that it may be given. */
static uint32_t client_address(const struct asked *asked)
{
        const struct site_machine *machine = site_machine_by_mac(asked->site, asked->mac);

        if (machine && machine->address)
                return machine->address;
        if (!asked->network)
                return 0;
        return asked->network->ranges.n > 0 ? asked->network->ranges.v[0].first : asked->network->subnet;
}

static void print_place(const struct site_file *file)
{
        if (file->kind == SITE_FILE_TEXT)
                puts(file->what);
        else
                printf("%s%s%s\n", file->root, file->kind == SITE_FILE_IMAGE ? ": " : "/", file->path);
}

static void print_file(const struct site_file *file)
{
        if (file->kind == SITE_FILE_TEXT)
                fwrite(file->text, 1, file->len, stdout);
        else if (file->kind != SITE_FILE_VOLUME)
                print_place(file);
        for (size_t i = 0; i < file->n_parts; i++) {
                printf("%s: ", file->parts[i].name);
                print_place(&file->parts[i].file);
        }
}

static int explain_file(const struct asked *asked, const struct stage *stage, const char *path, struct error *err)
{
        struct site_peer peer = {.server = asked->server, .has_mac = true};
        struct site_file file = {0};
        struct client client;
        int r;

        read_stage(asked, stage, &client);
        memcpy(peer.mac, asked->mac, 6);
        peer.client = &client;
        peer.address = client_address(asked);
        r = site_file(asked->site, path, &peer, &file, err);
        if (r < 0)
                return r;
        print_file(&file);
        site_file_clear(&file);
        return 0;
}

/* ---- the command ---- */

/* What firmware of an architecture type calls itself. */
static const char *class_of(uint16_t arch)
{
        bool http = false;

        client_platform_of_arch(arch, &http);
        return http ? "HTTPClient" : "PXEClient";
}

static int read_options(const struct options *options, struct stage *ret, bool *ret_given, struct error *err)
{
        char *end = NULL;

        *ret = (struct stage){
                .title = "client", .class = options->class, .user_class = options->user_class, .arch = -1};
        *ret_given = options->class || options->user_class || options->arch;
        if (options->arch) {
                ret->arch = strtol(options->arch, &end, 0);
                if (*end || end == options->arch || ret->arch < 0 || ret->arch > UINT16_MAX)
                        return error_set(err, EINVAL, "-arch is a number of option 93, such as 7, not '%s'",
                                         options->arch);
                if (!ret->class)
                        ret->class = class_of((uint16_t)ret->arch);
        } else if (options->user_class && !ret->class) {
                ret->class = "PXEClient";
                ret->arch = 7;
        }
        return 0;
}

static int explain_all(const struct options *options, const struct asked *asked, struct error *err)
{
        bool as_json = options->output && strcmp(options->output, "json") == 0, given;
        json_t *json = as_json ? json_array() : NULL;
        struct stage stage;
        int r = read_options(options, &stage, &given, err);

        if (r == 0 && options->file)
                r = explain_file(asked, given ? &stage : &stages[4], options->file, err);
        else if (r == 0 && given)
                r = explain_stage(asked, &stage, json, err);
        for (size_t i = 0; r == 0 && !given && !options->file && i < sizeof(stages) / sizeof(stages[0]); i++) {
                if (i > 0 && !json)
                        putchar('\n');
                r = explain_stage(asked, &stages[i], json, err);
        }
        if (r == 0 && json && !options->file) {
                json_dumpf(json, stdout, JSON_INDENT(2));
                putchar('\n');
        }
        json_decref(json);
        return r;
}

static int explain(const struct options *options, const char *who)
{
        CLEANUP_ERROR struct error err = {0};
        struct asked asked = {0};
        const struct site_machine *machine;
        struct diags diags = {0};
        struct site *site = NULL;
        int r = site_load(options->site ? options->site : "site.hcl", &site, &diags);

        if (r == 0)
                r = bind_networks(site, BIND_SILENT, &diags);
        diags_show(&diags, diags_color());
        diags_clear(&diags);
        if (r < 0) {
                site_free(site);
                return 1;
        }
        asked.site = site;
        machine = site_machine_by_name(site, who);
        if (machine && machine->n_macs > 0)
                memcpy(asked.mac, machine->macs[0], 6);
        else if (!site_parse_mac(who, asked.mac))
                r = error_set(&err, EINVAL, "'%s' is neither a MAC address nor a machine of the site file", who);
        if (r == 0 && options->uuid) {
                asked.has_uuid = site_parse_uuid(options->uuid, asked.uuid);
                if (!asked.has_uuid)
                        r = error_set(&err, EINVAL, "'%s' is no UUID", options->uuid);
        }
        if (r == 0)
                r = choose_network(options, site, &asked, &err);
        asked.server = r == 0 ? server_address(asked.network) : 0;
        if (r == 0)
                r = explain_all(options, &asked, &err);
        site_free(site);
        return r < 0 ? command_fail(&err) : 0;
}

static int run(const struct command *command, int argc, char **argv)
{
        struct options options = {0};
        int exit_code, first = options_parse_anywhere(command, argc, argv, &options, &exit_code);

        if (options_count(command, argc, first, 1, 1, &exit_code) < 0)
                return exit_code;
        return explain(&options, argv[first]);
}

const struct command command_explain = {
        .name = "explain",
        .arguments = "MAC|MACHINE",
        .summary = "Say what a machine would be given to boot, and why",
        .help = "  Reads a site file and answers as the server would: for the usual firmwares one after the other, or\n"
                "  for the client that -arch, -class and -user-class describe. -file shows what it would get at a "
                "path,\n"
                "  such as boot.ipxe, pxelinux.cfg/default, grub/grub.cfg, answers/NAME.",
        OPTIONS(specs),
        .run = run,
};
