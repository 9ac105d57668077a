/* Names and what they stand for, for quick look-ups: filled, sorted once, searched. */
#pragma once

#include "base/vec.h"
#include "lang/diag.h"

struct index_entry {
        const char *key; /* borrowed */
        void *item;
        struct range range; /* where it is defined */
        size_t number;      /* in the order of additions */
};
struct index {
        VEC(struct index_entry) list;
};

void index_add(struct index *index, const char *key, struct range range, void *item);
/* To be called once after all additions. Of equal keys the first stays, and
 * for the others there are messages, 20 at most; `what`: "variable". */
void index_sort(struct index *index, const char *what, struct diags *diags);
void *index_find(const struct index *index, const char *key); /* or NULL */
/* The key nearest to the word, if it is near enough to be what was meant; else NULL. */
const char *index_nearest(const struct index *index, const char *word);
void index_clear(struct index *index);
