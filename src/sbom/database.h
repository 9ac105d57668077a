/* Where packages are recorded: one file and one row (sbom.c) for each manager. */
#pragma once

#include "sbom/sbom.h"

struct database {
        const char *name;
        int (*read)(const struct sbom_tree *tree, struct sbom *sbom, struct error *err);
};

extern const struct database database_dpkg, database_rpm, database_apk, database_pacman, database_release;

/* A package with all fields NULL but the type. */
struct sbom_package *sbom_add(struct sbom *sbom, const char *type);
/* The value of "KEY<separator>value" if the line is one, or NULL. */
const char *line_value(const char *line, const char *key, const char *separator);
/* Set a field that is not set yet; blanks at both ends go, and what is not UTF-8 becomes U+FFFD. */
void field_set(char **field, const char *value);

/* purl.c: pkg:TYPE/NAMESPACE/NAME@VERSION?qualifiers, as package-url's specification has it. The caller frees. */
char *sbom_purl(const struct sbom *sbom, const struct sbom_package *package) __attribute__((warn_unused_result));
