/* RE2's syntax on top of PCRE2. */
#pragma once

#include "base/vec.h"
#include "hcl/func.h"

/* Of the groups, in their order: names, or NULL. */
struct func_regex_names {
        VEC(const char *) list;
        bool any;
};

/* The pattern as PCRE2 must be given it to mean what it means in RE2 (as Go's
 * regexp/syntax parses it). What RE2 does not have is an error: lookaround,
 * backreferences, possessive repetition, PCRE's own escapes. Names of groups, which may begin with a digit there, are
 * left out of it; the caller frees names->list, in error too. */
int func_regex_translate(struct arena *arena, struct hcl_string pattern, struct str *out,
                         struct func_regex_names *names, struct error *err);
