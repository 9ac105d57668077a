/* See roots.h. */
#include "serve/roots.h"

#include <glob.h>

#include "base/file.h"
#include "base/str.h"

static bool is_there(const struct root_need *need)
{
        CLEANUP_FREE char *program = need->program ? program_find(need->program) : NULL;
        glob_t found = {0};
        bool there = program || (need->pattern && glob(need->pattern, GLOB_BRACE, NULL, &found) == 0);

        globfree(&found);
        return there;
}

char *roots_missing(const struct root_need *needs, size_t n)
{
        struct str out = {0};

        for (size_t i = 0; i < n; i++)
                if (!is_there(&needs[i]))
                        str_addf(&out, "%s%s", out.len ? " " : "apt-get install ", needs[i].package);
        return str_steal(&out);
}

int roots_list(const struct site *site, struct keeper_jobs *ret, struct error *err)
{
        int r = nbd_jobs(site, ret, err);

        return r < 0 ? r : nfs_jobs(site, ret, err);
}
