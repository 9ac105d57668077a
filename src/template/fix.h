/* Old spellings in JSON templates, brought to what Packer 1.16 and slipway
 * read: the part of `packer fix` that concerns what is built here. */
#pragma once

#include <jansson.h>

struct template_fixer {
        const char *name;     /* as `packer fix` calls it, where it has it */
        const char *synopsis; /* one line */
        void (*fix)(json_t *root);
};

/* In the order in which they run; ended by a NULL name. Each leaves alone what
 * is not of the type that it looks for, so any object may be given. */
extern const struct template_fixer template_fixers[];

/* Run all of them on a template's top-level object. */
void template_fix(json_t *root);
