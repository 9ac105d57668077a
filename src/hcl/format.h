/* The canonical layout of HCL's native syntax, as hclfmt and `packer fmt` make
 * it: two spaces for each level, the '=' of arguments in consecutive lines and
 * the comments behind them in one column. It differs from theirs in two things:
 * spaces at the end of a file without a last newline go, and no two numbers become
 * one (a.0 .1). */
#pragma once

#include "lang/diag.h"

/* Only spaces between tokens change: lines stay lines, heredocs, comments and
 * strings stay as they are. Formatting twice changes nothing more. -EINVAL, with
 * messages, for a text that is no HCL. The caller frees *ret. */
int hcl_format(const struct source_text *source, char **ret, size_t *ret_len, struct diags *diags);
/* Two texts with equally many lines as a diff (diff -u). The caller frees. */
char *hcl_format_diff(const char *path, const char *before, const char *after) __attribute__((warn_unused_result));
