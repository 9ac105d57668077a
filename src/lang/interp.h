/* Text with {{ actions }} in it: the part of Go's text/template that Packer's
 * JSON templates use. Pipelines, parentheses, quoted and raw strings, numbers,
 * comments, {{- trim -}}, if/else/end, fields (.Vars), Packer's functions
 * (isotime, user, env, upper, ...) and Go's own (eq, and, or, not, len, index,
 * printf, ...). */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "base/error.h"

/* The version of Packer whose templates are understood: {{packer_version}}, min_packer_version. */
#define PACKER_COMPATIBLE "1.16.0"

struct interp_pair {
        const char *name, *value;
};

/* What the functions may see; borrowed, all of it. */
struct interp {
        const struct interp_pair *user; /* user variables, ended by a NULL name */
        bool env_allowed;               /* {{env}} is for the defaults of variables only */
        const char *build_name, *build_type;
        const char *template_dir; /* folder of the template */
        time_t start;             /* {{timestamp}}, {{isotime}}: the same for the whole run */
        /* Fields such as .Vars and .Path, and what {{build `ID`}} knows
         * (ID, Host, PackerRunUUID, ...); ended by a NULL name; NULL: none.
         * Where `build` is NULL, {{build `X`}} stays as it is, for later. */
        const struct interp_pair *fields;
        const struct interp_pair *build;
};

/* The text rendered; the caller frees *ret. Errors say at which byte of the
 * text the action begins and what is wrong with it. */
int interp_render(const struct interp *interp, const char *text, char **ret, struct error *err);
