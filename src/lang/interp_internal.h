/* What the parts of the {{ }} engine share: interp.c splits a text into
 * actions, interp_expr.c parses and evaluates what is in them, interp_func.c
 * has the functions, interp_printf.c Go's formatting. */
#pragma once

#include <stdint.h>

#include "base/str.h"
#include "base/vec.h"
#include "lang/interp.h"

enum { INTERP_TEXT_MAX = 16 << 20, INTERP_DEPTH_MAX = 64 };

enum term_type { TERM_NIL, TERM_BOOL, TERM_INT, TERM_FLOAT, TERM_STRING };

/* A value inside an action. */
struct term {
        enum term_type type;
        union {
                bool boolean;
                int64_t integer;
                double real;
                char *string; /* owned */
        };
};

void term_clear(struct term *term);
struct term term_string(const char *s);
struct term term_take(char *s);
struct term term_copy(const struct term *term);
bool term_is_true(const struct term *term);          /* as Go's if sees it */
const char *term_type_name(const struct term *term); /* Go's name: string, int, ... */
/* As Go's Print writes it. */
void term_print(struct str *out, const struct term *term);

struct terms {
        struct term *v;
        size_t n, cap;
};

struct variable {
        char *name;
        struct term value;
};

/* One rendering. */
struct render {
        const struct interp *interp;
        const char *text, *pos;
        bool live;    /* false: parsed, but not evaluated (a branch not taken) */
        bool later;   /* an action asked for what is known only later: it stays as it is */
        bool located; /* the error says already where it is */
        unsigned int depth;
        VEC(struct variable) variables;
};

/* {{...}}'s inside: evaluate the pipeline at *pos up to the action's end. */
int interp_pipeline(struct render *render, struct term *ret, bool *ret_declares, struct error *err);
void interp_skip_blank(struct render *render);

struct interp_function {
        const char *name;
        /* A letter for each argument: s string, i int, v any; a letter before
         * '*' repeats, none or more times. */
        const char *arguments;
        int (*call)(const struct interp *interp, const struct term *args, size_t n, struct term *ret,
                    struct error *err);
};
const struct interp_function *interp_function_find(const char *name);
const char *const *interp_function_names(void);
/* Check the arguments against the function's letters and call it. */
int interp_call(const struct interp_function *function, const struct interp *interp, const struct terms *args,
                struct term *ret, struct error *err);

int interp_printf(const struct term *args, size_t n, struct str *out, struct error *err);
