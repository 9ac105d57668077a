/* See index.h. */
#include "template/index.h"

#include <string.h>

#include "base/str.h"

void index_add(struct index *index, const char *key, struct range range, void *item)
{
        vec_push(&index->list, (struct index_entry){key, item, range, index->list.n});
}

static int compare(const void *a, const void *b)
{
        const struct index_entry *x = a, *y = b;
        int order = strcmp(x->key, y->key);

        return order ? order : (x->number > y->number) - (x->number < y->number);
}

static void duplicate(const struct index_entry *first, const struct index_entry *again, const char *what,
                      struct diags *diags)
{
        unsigned int line, column;

        diag_error(diags, again->range, "there are two definitions of the %s '%s'", what, again->key);
        if (!first->range.source)
                return;
        range_position(&first->range, &line, &column);
        diag_detail(diags, "The other one is in %s, line %u.", first->range.source->path, line);
}

void index_sort(struct index *index, const char *what, struct diags *diags)
{
        enum { TOLD_MAX = 20 };
        size_t n = 0, told = 0;

        if (index->list.n > 1)
                qsort(index->list.v, index->list.n, sizeof(*index->list.v), compare);
        for (size_t i = 0; i < index->list.n; i++) {
                if (n == 0 || strcmp(index->list.v[n - 1].key, index->list.v[i].key) != 0)
                        index->list.v[n++] = index->list.v[i];
                else if (told++ < TOLD_MAX)
                        duplicate(&index->list.v[n - 1], &index->list.v[i], what, diags);
        }
        index->list.n = n;
}

static int compare_key(const void *key, const void *entry)
{
        return strcmp(key, ((const struct index_entry *)entry)->key);
}

void *index_find(const struct index *index, const char *key)
{
        const struct index_entry *entry =
                index->list.n == 0 ? NULL
                                   : bsearch(key, index->list.v, index->list.n, sizeof(*index->list.v), compare_key);

        return entry ? entry->item : NULL;
}

const char *index_nearest(const struct index *index, const char *word)
{
        const char **names = xcalloc(index->list.n + 1, sizeof(*names)), *nearest;

        for (size_t i = 0; i < index->list.n; i++)
                names[i] = index->list.v[i].key;
        nearest = str_nearest(word, names);
        free(names);
        return nearest;
}

void index_clear(struct index *index)
{
        vec_free(&index->list);
}
