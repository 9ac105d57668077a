/* A JSON template as HCL2: what `packer hcl2_upgrade` does. What it makes
 * builds the same image; where Packer's own leaves a function behind
 * (upper, split, override...), it is written in HCL here. */
#pragma once

#include "lang/schema.h"
#include "lang/value.h"

struct template_upgrade_options {
        bool annotations; /* comments that explain the blocks */
        /* Which keys of a step are blocks; NULL for a type of which nothing is known: then it is
         * told from the values. */
        const struct schema *(*provisioner_schema)(const char *type);
        const struct schema *(*post_processor_schema)(const char *type);
};

/* The HCL text of a template that template_load() was content with; the
 * caller frees it. What cannot be said in HCL stays as it is, with a comment
 * in the text and a warning in diags. */
char *template_upgrade(const struct value *root, const struct template_upgrade_options *options, struct diags *diags)
        __attribute__((returns_nonnull, warn_unused_result));
