/* Starter templates for boards, inside the program: those of the folder
 * boards/ when it was compiled. Each stands alone, to be changed by its user. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct board {
        const char *name;  /* "raspios-lite-arm64" */
        const char *title; /* one line */
        const char *text;  /* of the template, HCL2 */
};

/* All of them, by name. */
extern const struct board boards[];
extern const size_t boards_n;

/* NULL if there is none of this name. */
const struct board *board_find(const char *name);
/* The name that was meant, or NULL. */
const char *board_nearest(const char *name);
/* Write it as NAME.pkr.hcl into `folder`, which is made if it is missing. A file that is there
 * already is an error (-EEXIST) unless `force`. *ret_path is the file; the caller frees. */
int board_write(const struct board *board, const char *folder, bool force, char **ret_path, struct error *err);
