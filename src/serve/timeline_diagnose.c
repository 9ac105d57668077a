/* Where a boot stopped, and what that usually means: one table. A row fits
 * when nothing was heard for as long as the firmware would have been patient;
 * the first that fits counts. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "serve/timeline.h"
#include "site/loader.h"

typedef bool fits(const struct boot_facts *f);

static bool no_files(const struct boot_facts *f)
{
        return f->files == 0 && f->under_way == 0 && !*f->missing && !*f->failed;
}

static bool loops(const struct boot_facts *f)
{
        return f->rounds >= 2;
}
static bool missing(const struct boot_facts *f)
{
        return *f->missing != '\0';
}
static bool broke_off(const struct boot_facts *f)
{
        return *f->failed != '\0';
}
static bool silent_midway(const struct boot_facts *f)
{
        return f->under_way > 0;
}
static bool took_other(const struct boot_facts *f)
{
        return f->others > 0 && f->offers > 0 && f->requests == 0 && f->acks == 0 && no_files(f);
}
static bool not_answered(const struct boot_facts *f)
{
        return f->drops > 0 && f->offers == 0 && f->proxy_offers == 0 && f->acks == 0 && no_files(f);
}
static bool no_request(const struct boot_facts *f)
{
        return f->offers > 0 && f->requests == 0 && f->acks == 0 && f->kind != CLIENT_PI && no_files(f);
}
static bool refused_offer(const struct boot_facts *f)
{
        return f->offers > 0 && f->requests == 0 && f->kind == CLIENT_PI && no_files(f);
}
static bool never_asked_4011(const struct boot_facts *f)
{
        return f->proxy_offers > 0 && f->binl_asks == 0 && no_files(f);
}
static bool binl_unanswered(const struct boot_facts *f)
{
        return f->binl_asks > 0 && f->binl_answers == 0 && no_files(f);
}
static bool never_asked_files(const struct boot_facts *f)
{
        return (f->acks > 0 || f->binl_answers > 0) && f->boot_file && no_files(f) && f->kind != CLIENT_OTHER;
}
static bool nothing_to_boot(const struct boot_facts *f)
{
        return f->acks > 0 && !f->boot_file && no_files(f) && f->kind != CLIENT_OTHER;
}
/* The last file was a loader of ours, given to firmware. */
static bool loaded(const struct boot_facts *f, bool grub)
{
        enum site_loader family = site_loader_family(path_name(f->path));

        return f->files > 0 && (f->kind == CLIENT_PXE || f->kind == CLIENT_HTTP) &&
               (grub ? site_loader_is_grub(family) : family == SITE_LOADER_IPXE);
}
static bool grub_elsewhere(const struct boot_facts *f)
{
        return f->proxy_offers > 0 && f->kind == CLIENT_PXE && loaded(f, true);
}
static bool refused_loader(const struct boot_facts *f)
{
        return loaded(f, false);
}
static bool u_boot_quiet(const struct boot_facts *f)
{
        return f->files > 0 && f->kind == CLIENT_UBOOT;
}
static bool quiet_after_files(const struct boot_facts *f)
{
        return f->files > 0 && f->kind != CLIENT_OTHER;
}

/* Words with %s: the text at `detail` in the facts. */
static const struct {
        fits *fits;
        int after_sec;
        enum { NO_DETAIL, PATH, MISSING, FAILED, DROP, NAMED, OTHER } detail;
        const char *words;
} rows[] = {
        {loops, 0, NAMED,
         "its boot program loads '%s' over and over: it is given itself again; name another boot file for iPXE, or a "
         "script"},
        {missing, 5, MISSING, "asked for '%s', which is not there, and went no further"},
        {broke_off, 10, FAILED, "a download broke off: %s"},
        {silent_midway, 20, PATH, "stopped in the middle of '%s': the machine went off, or the network lost it"},
        {took_other, 10, OTHER,
         "did not take our OFFER: another DHCP server, %s, answered too; turn it off, or use mode \"proxy\""},
        {not_answered, 5, DROP, "is not answered: %s"},
        {refused_offer, 10, NO_DETAIL,
         "did not take our OFFER: a Raspberry Pi wants option 43 with its menu, and a link that is up within seconds"},
        {no_request, 10, NO_DETAIL,
         "did not take our OFFER: it does not reach the machine (spanning tree, a filter on UDP 68), or its firmware "
         "misses something in it"},
        {never_asked_4011, 15, NO_DETAIL,
         "took our proxy OFFER, never asked port 4011 nor for a file: UDP 4011 is filtered, or another server's answer "
         "was "
         "preferred"},
        {binl_unanswered, 5, NO_DETAIL, "asked on port 4011 and was not answered there"},
        {never_asked_files, 15, NAMED,
         "was told to load '%s', and never asked for it: TFTP (UDP 69) or HTTP is filtered, or the firmware cannot use "
         "that name"},
        {nothing_to_boot, 10, NO_DETAIL, "has an address and nothing to boot: no profile is for it"},
        {grub_elsewhere, 30, PATH,
         "loaded GRUB, '%s', which asks the server that gave the address for its files: that one must name this one as "
         "the next server"},
        {refused_loader, 60, PATH,
         "loaded '%s' last, and was not heard of again: with Secure Boot on firmware refuses it (loader = \"shim\"), "
         "or "
         "it finds no network"},
        {u_boot_quiet, 180, PATH,
         "loaded '%s' last, and was not heard of again: what it runs has no network, hangs, or has another MAC than "
         "U-Boot; the site file's machine can list both"},
        {quiet_after_files, 180, PATH,
         "loaded '%s' last, and was not heard of again: what it runs has no network, or hangs"},
};

char *boot_diagnose(const struct boot_facts *facts, int64_t now_us)
{
        char other[16];
        const char *const details[] = {[NO_DETAIL] = "",         [PATH] = facts->path, [MISSING] = facts->missing,
                                       [FAILED] = facts->failed, [DROP] = facts->drop, [NAMED] = facts->named,
                                       [OTHER] = other};

        snprintf(other, sizeof(other), "%u.%u.%u.%u", facts->other_server >> 24, facts->other_server >> 16 & 255,
                 facts->other_server >> 8 & 255, facts->other_server & 255);
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                const char *at = strstr(rows[i].words, "%s");

                if (!rows[i].fits(facts) || now_us - facts->last_us < (int64_t)rows[i].after_sec * 1000000)
                        continue;
                if (!at)
                        return xstrdup(rows[i].words);
                return xasprintf("%.*s%s%s", (int)(at - rows[i].words), rows[i].words, details[rows[i].detail], at + 2);
        }
        return NULL;
}
