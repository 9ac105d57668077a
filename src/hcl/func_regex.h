/* RE2's syntax on top of PCRE2. */
#pragma once

#include "hcl/func.h"

/* The pattern as PCRE2 must be given it to mean what it means in RE2 (as Go's
 * regexp/syntax parses it). What RE2 does not have is an error: lookaround,
 * backreferences, possessive repetition, PCRE's own escapes. */
int func_regex_translate(struct hcl_string pattern, struct str *out, struct error *err);
