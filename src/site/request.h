/* One question of one client: who it is, and what the expressions of its
 * profile see. Everything made for the answer is the request's arena's. */
#pragma once

#include "site/site_internal.h"

/* How a client is known to be what it says. */
enum site_trust {
        SITE_NOBODY,   /* an address that nobody was given */
        SITE_BY_PATH,  /* the path names a MAC or a serial number: anybody can ask so */
        SITE_BY_LEASE, /* the address is that of its lease, or kept for it */
};

struct site_request {
        const struct site *site;
        const struct site_network *network; /* or NULL */
        const struct site_machine *machine; /* NULL: not in the site file */
        const struct site_profile *profile; /* NULL: nothing to boot */
        const struct client *client;        /* or NULL */
        enum site_trust trust;
        bool has_mac;
        uint8_t mac[6];
        bool pi;                  /* a Raspberry Pi asks for its firmware */
        bool in_folder;           /* the configuration is asked for beside a loader that is not in the root */
        bool autoexec;            /* iPXE asks, and has no address yet */
        uint32_t address, server; /* the client's, and ours as it sees it */
        struct arena arena;
        struct diags diags;
        struct hcl_scope scope; /* set by site_request_scope() */
};

void site_request_clear(struct site_request *request);
/* The machine's own profile, or the site's default. */
const struct site_profile *site_profile_of(const struct site *site, const struct site_machine *machine);
/* `machine`, `var`, `server`, `network`, `client` and `answers`. For a request
 * without a site (when a profile is read and checked) all is unknown. */
void site_request_scope(struct site_request *request, const struct hcl_scope *parent,
                        const struct site_profile *profile);

/* The expression's text; "" for null. A text that is secret is for machines of
 * the site file, known by their lease, only: -EACCES. `what`: "the kernel". */
int site_eval_text(struct site_request *request, const struct hcl_expr *expr, const char *what, const char **ret,
                   struct error *err);
/* The same, of one line without control characters. */
int site_eval_line(struct site_request *request, const struct hcl_expr *expr, const char *what, const char **ret,
                   struct error *err);
/* A member of the object that the expression is, as a line; "" where there is none. */
int site_eval_member(struct site_request *request, const struct hcl_expr *expr, const char *key, const char *what,
                     const char **ret, struct error *err);
/* One text or a list of them, each of one line; empty ones are left out. NULL-terminated. */
int site_eval_lines(struct site_request *request, const struct hcl_expr *expr, const char *what,
                    const char *const **ret, struct error *err);

/* "http://192.0.2.1:8080/a%20b"; tftp where no HTTP is served or wanted. Never NULL. */
const char *site_url(struct site_request *request, bool http, const char *path);
/* 52:54:00:12:34:56, for people; 52-54-00-12-34-56, for paths. */
const char *site_mac_text(struct arena *arena, const uint8_t mac[6]);
const char *site_mac_dashed(struct arena *arena, const uint8_t mac[6]);

/* check_profile.c: a warning where nothing is at the path; NULL is fine. */
void site_check_path(struct load *load, const char *path, struct range at, const char *what);
/* A profile's files, as warnings, the names of platforms in `boot`, and its `san`. */
void site_check_files(struct load *load, const struct site_profile *profile, struct site_request *request);
void site_check_boot(struct load *load, struct site_profile *profile, struct site_request *request);
void site_check_san(struct load *load, const struct site_profile *profile, struct site_request *request);
/* san.c: what is wrong with iPXE's name of a disk on the network, made in the arena; NULL: nothing. */
const char *site_san_mistake(struct arena *arena, const char *san);
