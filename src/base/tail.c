/* See tail.h. */
#include "base/tail.h"

#include <stdlib.h>

#include "base/alloc.h"

void tail_add(struct tail *tail, const char *line)
{
        char **slot = &tail->lines[tail->n++ % TAIL_LINES];

        free(*slot);
        *slot = xstrdup(line);
}

int tail_append(const struct tail *tail, struct error *err, int r)
{
        for (size_t i = tail->n > TAIL_LINES ? tail->n - TAIL_LINES : 0; i < tail->n; i++)
                error_append(err, r, "\n    %s", tail->lines[i % TAIL_LINES]);
        return r;
}

const char *tail_last(const struct tail *tail)
{
        return tail->n ? tail->lines[(tail->n - 1) % TAIL_LINES] : NULL;
}

void tail_clear(struct tail *tail)
{
        for (size_t i = 0; i < TAIL_LINES; i++)
                free(tail->lines[i]);
        *tail = (struct tail){0};
}
