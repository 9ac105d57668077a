/* What expressions see when a client asks: see request.h. */
#include "site/request.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/str.h"
#include "wire/dhcp_option.h"

void site_request_clear(struct site_request *request)
{
        diags_clear(&request->diags);
        arena_free(&request->arena);
}

const struct site_profile *site_profile_of(const struct site *site, const struct site_machine *machine)
{
        return machine && machine->profile ? machine->profile : site->default_profile;
}

/* ---- texts ---- */

const char *site_mac_text(struct arena *arena, const uint8_t mac[6])
{
        return arena_printf(arena, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

const char *site_mac_dashed(struct arena *arena, const uint8_t mac[6])
{
        return arena_printf(arena, "%02x-%02x-%02x-%02x-%02x-%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static const char *uuid_text(struct arena *arena, const uint8_t u[16])
{
        return arena_printf(arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
                            u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}

/* Scheme, address, and the port where it is not the scheme's own. */
static void add_origin(struct str *url, const struct site_request *request, bool http)
{
        const struct site_listen *listen = &request->site->listen;
        bool plain = http && listen->http, secure = http && !plain && listen->https;
        uint16_t port = plain ? listen->http : secure ? listen->https : 0;

        str_addf(url, "%s://%u.%u.%u.%u",
                 plain    ? "http"
                 : secure ? "https"
                          : "tftp",
                 request->server >> 24, request->server >> 16 & 0xff, request->server >> 8 & 0xff,
                 request->server & 0xff);
        if (port && port != (plain ? 80 : 443))
                str_addf(url, ":%u", port);
}

const char *site_url(struct site_request *request, bool http, const char *path)
{
        CLEANUP_STR struct str url = {0};

        add_origin(&url, request, http);
        if (*path && *path != '/')
                str_addc(&url, '/');
        for (; *path; path++)
                if (isalnum((unsigned char)*path) || strchr("-._~/+,=@:", *path))
                        str_addc(&url, *path);
                else
                        str_addf(&url, "%%%02X", (unsigned char)*path);
        return arena_strdup(&request->arena, str_get(&url));
}

/* What a client says of itself goes into texts only if it can do no harm in any of them. */
static const char *harmless(const char *s)
{
        return s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-")] ? "" : s;
}

/* ---- objects ---- */

struct members {
        struct arena *arena;
        struct hcl_string keys[16];
        const struct hcl_value *values[16];
        size_t n;
        bool unknown;
};

static void add_value(struct members *m, const char *name, const struct hcl_value *value)
{
        m->keys[m->n] = (struct hcl_string){name, strlen(name)};
        m->values[m->n++] = m->unknown ? hcl_unknown(m->arena, value->type) : value;
}

static void add(struct members *m, const char *name, const char *text)
{
        add_value(m, name, hcl_string_from(m->arena, text ? text : ""));
}

static void add_address(struct members *m, const char *name, uint32_t address)
{
        add(m, name, address ? site_show_address(m->arena, address) : "");
}

static const struct hcl_value *finish(const struct members *m)
{
        return hcl_object_value(m->arena, arena_memdup(m->arena, m->keys, m->n * sizeof(m->keys[0])),
                                arena_memdup(m->arena, m->values, m->n * sizeof(m->values[0])), m->n);
}

static const struct hcl_value *machine_object(struct site_request *request, bool unknown)
{
        struct members m = {.arena = &request->arena, .unknown = unknown};
        const struct site_machine *machine = request->machine;
        const char *dashed = request->has_mac ? site_mac_dashed(m.arena, request->mac) : "";

        add(&m, "name", machine ? machine->name : dashed);
        add_value(&m, "known", hcl_bool_value(machine != NULL));
        add(&m, "mac", request->has_mac ? site_mac_text(m.arena, request->mac) : "");
        add(&m, "mac_dashed", dashed);
        add(&m, "host_name", machine ? machine->host_name : "");
        add_address(&m, "address", machine && machine->address ? machine->address : request->address);
        add(&m, "uuid", machine && machine->has_uuid ? uuid_text(m.arena, machine->uuid) : "");
        add(&m, "serial", machine && machine->pi_serial ? arena_printf(m.arena, "%08x", machine->pi_serial) : "");
        return finish(&m);
}

static const struct hcl_value *server_object(struct site_request *request, bool unknown)
{
        struct members m = {.arena = &request->arena, .unknown = unknown};

        add_address(&m, "address", request->server);
        add(&m, "http", unknown ? "" : site_url(request, true, ""));
        add(&m, "tftp", unknown ? "" : site_url(request, false, ""));
        return finish(&m);
}

/* The network's option without a condition. */
static const struct site_option *plain_option(const struct site_network *network, uint8_t code)
{
        for (size_t i = 0; network && i < network->options.n; i++) {
                const struct site_option *option = &network->options.v[i];

                if (option->code == code && !option->vendor_class && !option->user_class)
                        return option;
        }
        return NULL;
}

static uint32_t option_address(const struct site_network *network, uint8_t code)
{
        const struct site_option *option = plain_option(network, code);

        return option && option->len >= 4 ? get_be32(option->data) : 0;
}

static const struct hcl_value *network_object(struct site_request *request, bool unknown)
{
        struct members m = {.arena = &request->arena, .unknown = unknown};
        const struct site_network *network = request->network;
        const struct site_option *domain = plain_option(network, DHCP_OPT_DOMAIN_NAME);

        add(&m, "name", network ? network->name : "");
        add_address(&m, "subnet", network ? network->subnet : 0);
        add_address(&m, "netmask", network ? network->mask : 0);
        add_value(&m, "prefix", hcl_int_value(m.arena, network ? __builtin_popcount(network->mask) : 0));
        add_address(&m, "router", option_address(network, DHCP_OPT_ROUTER));
        add_address(&m, "dns", option_address(network, DHCP_OPT_DNS));
        add(&m, "domain", domain ? arena_strndup(m.arena, (const char *)domain->data, domain->len) : "");
        return finish(&m);
}

static const struct hcl_value *client_object(struct site_request *request, bool unknown)
{
        struct members m = {.arena = &request->arena, .unknown = unknown};
        const struct client *client = request->client;

        add(&m, "kind", client_kind_name(client ? client->kind : CLIENT_OTHER));
        add(&m, "platform", client_platform_name(client ? client->platform : PLATFORM_UNKNOWN));
        add(&m, "host_name", client ? harmless(client->host_name) : "");
        return finish(&m);
}

/* The profile's variables, and over them the machine's. */
static const struct hcl_value *variables(struct site_request *request, const struct site_profile *profile)
{
        return site_merge(&request->arena, profile ? profile->variables : NULL,
                          request->machine ? request->machine->variables : NULL, false);
}

static const struct hcl_value *answers_object(struct site_request *request, const struct site_profile *profile,
                                              bool unknown)
{
        struct arena *arena = &request->arena;
        size_t n = profile ? profile->n_answers : 0;
        struct hcl_string *keys = arena_array(arena, n, sizeof(*keys));
        const struct hcl_value **values = arena_array(arena, n, sizeof(const struct hcl_value *));

        for (size_t i = 0; i < n; i++) {
                const char *name = profile->answers[i].name;
                const char *folder = request->trust == SITE_BY_LEASE || !request->has_mac
                                             ? ""
                                             : arena_printf(arena, "mac/%s/", site_mac_dashed(arena, request->mac));

                keys[i] = (struct hcl_string){name, strlen(name)};
                values[i] =
                        unknown ? hcl_unknown(arena, &hcl_string)
                                : hcl_string_from(arena, site_url(request, true,
                                                                  arena_printf(arena, "%sanswers/%s", folder, name)));
        }
        return hcl_object_value(arena, keys, values, n);
}

void site_request_scope(struct site_request *request, const struct hcl_scope *parent,
                        const struct site_profile *profile)
{
        bool unknown = request->site == NULL;
        struct members m = {.arena = &request->arena};

        add_value(&m, "machine", machine_object(request, unknown));
        add_value(&m, "var", unknown ? &hcl_unknown_any : variables(request, profile));
        add_value(&m, "server", server_object(request, unknown));
        add_value(&m, "network", network_object(request, unknown));
        add_value(&m, "client", client_object(request, unknown));
        add_value(&m, "answers", answers_object(request, profile, unknown));
        request->scope = (struct hcl_scope){.parent = parent, .variables = finish(&m)};
}

/* ---- evaluation ---- */

/* The first message as one line: "site.hcl:12:3: there is no ...". */
static int complain(struct site_request *request, const char *what, struct error *err)
{
        for (size_t i = 0; i < request->diags.list.n; i++) {
                const struct diag *diag = &request->diags.list.v[i];
                unsigned int line, column;

                if (diag->severity != SEVERITY_ERROR)
                        continue;
                if (!diag->range.source)
                        return error_set(err, EINVAL, "%s: %s", what, diag->summary);
                range_position(&diag->range, &line, &column);
                return error_set(err, EINVAL, "%s:%u:%u: %s", diag->range.source->path, line, column, diag->summary);
        }
        return error_set(err, EINVAL, "%s cannot be made out", what);
}

static int check_secret(const struct site_request *request, const struct hcl_value *value, const char *what,
                        struct error *err)
{
        if (!hcl_value_sensitive(value) || (request->machine && request->trust == SITE_BY_LEASE))
                return 0;
        return error_set(err, EACCES,
                         "%s holds a secret, which is given only to a machine of the site file that asks from its own "
                         "address",
                         what);
}

static int text_of(struct site_request *request, const struct hcl_value *value, const char *what, const char **ret,
                   struct error *err)
{
        const struct hcl_value *text;

        if (value->state == HCL_NULL) {
                *ret = "";
                return 0;
        }
        if (hcl_convert(&request->arena, value, &hcl_string, &text, NULL) < 0 || text->state != HCL_KNOWN)
                return error_set(err, EINVAL, "%s must be a text, not %s", what,
                                 hcl_type_friendly(&request->arena, value->type));
        if (strlen(text->string.s) != text->string.len)
                return error_set(err, EINVAL, "%s contains a NUL character", what);
        *ret = text->string.s;
        return 0;
}

static int eval(struct site_request *request, const struct hcl_expr *expr, const char *what,
                const struct hcl_value **ret, struct error *err)
{
        const struct hcl_value *value = hcl_eval(&request->arena, expr, &request->scope, &request->diags);

        if (request->diags.n_errors > 0 || value->state == HCL_UNKNOWN)
                return complain(request, what, err);
        *ret = value;
        return check_secret(request, value, what, err);
}

int site_eval_text(struct site_request *request, const struct hcl_expr *expr, const char *what, const char **ret,
                   struct error *err)
{
        const struct hcl_value *value = &hcl_null_any;
        int r;

        if (!expr) {
                *ret = "";
                return 0;
        }
        r = eval(request, expr, what, &value, err);
        return r < 0 ? r : text_of(request, value, what, ret, err);
}

static int check_line(const char *s, const char *what, struct error *err)
{
        for (; *s; s++)
                if (iscntrl((unsigned char)*s))
                        return error_set(err, EINVAL, "%s must be one line without control characters", what);
        return 0;
}

int site_eval_line(struct site_request *request, const struct hcl_expr *expr, const char *what, const char **ret,
                   struct error *err)
{
        int r = site_eval_text(request, expr, what, ret, err);

        return r < 0 ? r : check_line(*ret, what, err);
}

int site_eval_member(struct site_request *request, const struct hcl_expr *expr, const char *key, const char *what,
                     const char **ret, struct error *err)
{
        const struct hcl_value *object = &hcl_unknown_any, *member = NULL;
        int r = eval(request, expr, what, &object, err);

        if (r < 0)
                return r;
        if (object->state == HCL_KNOWN && (object->type->kind == HCL_OBJECT || object->type->kind == HCL_MAP))
                member = hcl_member(object, key);
        *ret = "";
        r = member ? text_of(request, member, what, ret, err) : 0;
        return r < 0 ? r : check_line(*ret, what, err);
}

int site_eval_lines(struct site_request *request, const struct hcl_expr *expr, const char *what,
                    const char *const **ret, struct error *err)
{
        const struct hcl_value *value = &hcl_empty_tuple;
        const char **lines;
        size_t n = 0;
        bool many;
        int r = expr ? eval(request, expr, what, &value, err) : 0;

        if (r < 0)
                return r;
        many = value->state == HCL_KNOWN && (value->type->kind == HCL_TUPLE || value->type->kind == HCL_LIST);
        lines = arena_array(&request->arena, (many ? value->list.n : 1) + 1, sizeof(*lines));
        for (size_t i = 0; r == 0 && i < (many ? value->list.n : 1); i++) {
                r = text_of(request, many ? value->list.v[i] : value, what, &lines[n], err);
                if (r == 0)
                        r = check_line(lines[n], what, err);
                if (r == 0 && *lines[n])
                        n++;
        }
        lines[n] = NULL;
        *ret = lines;
        return r;
}
