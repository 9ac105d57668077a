/* Lines typed at a terminal: editing, history, completion (libedit). */
#pragma once

#include "base/error.h"

struct edit;

/* `words` (NULL-terminated) are offered by Tab; borrowed. The history is read from
 * $XDG_STATE_HOME/slipway/NAME, and written there by edit_free(). */
int edit_new(const char *name, const char *const *words, struct edit **ret, struct error *err);
struct edit *edit_free(struct edit *edit); /* returns NULL */
static inline void edit_freep(struct edit **edit)
{
        *edit = edit_free(*edit);
}

enum edit_result {
        EDIT_LINE,
        EDIT_CANCELLED,   /* Ctrl-C took back what was typed */
        EDIT_INTERRUPTED, /* Ctrl-C on an empty line */
        EDIT_END,         /* Ctrl-D */
};

/* The next line, without its newline, to be freed (EDIT_LINE). */
enum edit_result edit_line(struct edit *edit, const char *prompt, char **ret);
/* Remember it, all lines of it as one. */
void edit_remember(struct edit *edit, const char *text);
