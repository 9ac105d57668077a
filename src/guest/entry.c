/* A way into a running guest for programs of the host that want a command like
 * chroot(1) to reach it. See guest.h. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/inside.h"

/* Of the guest's first process: nsenter opens them all before it enters the first. */
static const char *const places[][2] = {
        {"ipc", "ns/ipc"},   {"uts", "ns/uts"},     {"pid", "ns/pid"},
        {"mount", "ns/mnt"}, {"root", "root/root"}, {"wd", "root/root"},
};

static void add_word(struct str *out, const char *word)
{
        CLEANUP_FREE char *quoted = str_shell_quote(word);

        str_addf(out, " %s", quoted);
}

int guest_entry(const struct guest *guest, const char *const *more_env, char **ret, struct error *err)
{
        CLEANUP_FREE char *nsenter = program_find("nsenter"), *env = program_find("env");
        CLEANUP_STR struct str out = {0};

        if (!nsenter || !env)
                return error_set(err, ENOENT, "'%s' is not installed", nsenter ? "env" : "nsenter");
        if (guest->init == 0)
                return error_set(err, ESRCH, "the guest has ended");
        str_addf(&out,
                 "#!/bin/sh\n# ROOT COMMAND...: as chroot(1), into the guest that runs\nshift\numask 022\nexec %s -i",
                 env);
        for (char *const *entry = guest->env; entry && *entry; entry++)
                add_word(&out, *entry);
        for (; more_env && *more_env; more_env++)
                add_word(&out, *more_env);
        str_addf(&out, " %s", nsenter);
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
                str_addf(&out, " --%s=/proc/%d/%s", places[i][0], (int)guest->init, places[i][1]);
        str_add(&out, " -- \"$@\"\n");
        *ret = str_steal(&out);
        return 0;
}

const char *guest_scratch(const struct guest *guest)
{
        return guest->scratch;
}
