/* Disks on the network, as iPXE names them (ipxe.org/sanuri): one table. */
#include <regex.h>
#include <string.h>

#include "base/str.h"
#include "site/render.h"

static const struct {
        const char *scheme, *form, *pattern; /* an extended regular expression; NULL: whatever follows */
} sans[] = {
        /* RFC 4173 */
        {"iscsi:", "iscsi:SERVER:PROTOCOL:PORT:LUN:NAME", "^iscsi:(\\[[^]]+\\]|[^:]+):[^:]*:[0-9]*:[-0-9A-Fa-f]*:."},
        {"aoe:", "aoe:eSHELF.SLOT", "^aoe:e[0-9]+\\.[0-9]+$"},
        /* Fibre Channel, and by Ethernet too: FCoE has no scheme of its own */
        {"fcp:", "fcp:WWN:LUN", "^fcp:([0-9A-Fa-f]{2}:){8}[-0-9A-Fa-f]+$"},
        {"ib_srp:", "ib_srp:...", NULL},
        {"http:", "http://...", NULL},
        {"https:", "https://...", NULL},
};

enum { N_SANS = sizeof(sans) / sizeof(sans[0]) };

static bool matches(const char *pattern, const char *text)
{
        regex_t regex;
        bool yes = !pattern || regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0;

        if (yes)
                return true;
        yes = regexec(&regex, text, 0, NULL, 0) == 0;
        regfree(&regex);
        return yes;
}

const char *site_san_mistake(struct arena *arena, const char *san)
{
        CLEANUP_STR struct str forms = {0};

        for (size_t i = 0; i < N_SANS; i++) {
                if (str_starts(san, sans[i].scheme))
                        return matches(sans[i].pattern, san)
                                       ? NULL
                                       : arena_printf(arena, "'%s' is not '%s'", san, sans[i].form);
                str_addf(&forms, "%s%s", i == 0 ? "" : i == N_SANS - 1 ? " and " : ", ", sans[i].form);
        }
        return arena_printf(arena, "iPXE knows no disk '%s', but %s", san, forms.s);
}
