/* A unified diff of two texts of equally many lines, each of which is the same
 * or another. See format.h. */
#include <string.h>

#include "base/str.h"
#include "hcl/format.h"

enum { CONTEXT = 3 };

struct span {
        const char *s;
        size_t n;
};

struct spans {
        VEC(struct span) list;
};

static void split(const char *text, struct spans *ret)
{
        while (*text) {
                const char *end = strchrnul(text, '\n');
                size_t n = (size_t)(end - text) + (*end == '\n');

                vec_push(&ret->list, (struct span){text, n});
                text += n;
        }
}

static bool differs(const struct spans *a, const struct spans *b, size_t i)
{
        return a->list.v[i].n != b->list.v[i].n || memcmp(a->list.v[i].s, b->list.v[i].s, a->list.v[i].n) != 0;
}

static void add_line(struct str *out, char sign, const struct span *line)
{
        str_addc(out, sign);
        str_addn(out, line->s, line->n);
        if (line->s[line->n - 1] != '\n')
                str_add(out, "\n\\ No newline at end of file\n");
}

/* Lines [from, to), with a row of changed ones as all old ones and then all new ones. */
static void add_hunk(struct str *out, const struct spans *a, const struct spans *b, size_t from, size_t to)
{
        if (to - from == 1)
                str_addf(out, "@@ -%zu +%zu @@\n", from + 1, from + 1);
        else
                str_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", from + 1, to - from, from + 1, to - from);
        for (size_t i = from, end; i < to; i = end) {
                for (end = i; end < to && differs(a, b, end); end++)
                        add_line(out, '-', &a->list.v[end]);
                for (; i < end; i++)
                        add_line(out, '+', &b->list.v[i]);
                if (end < to)
                        add_line(out, ' ', &a->list.v[end++]);
        }
}

/* The end of the hunk whose first changed line is i: behind its context. */
static size_t hunk_end(const struct spans *a, const struct spans *b, size_t n, size_t i)
{
        size_t last = i;

        for (; i < n && i - last <= 2 * CONTEXT + 1; i++)
                if (differs(a, b, i))
                        last = i;
        return n - last > CONTEXT + 1 ? last + CONTEXT + 1 : n;
}

char *hcl_format_diff(const char *path, const char *before, const char *after)
{
        struct spans a = {0}, b = {0};
        struct str out = {0};
        size_t n;

        split(before, &a);
        split(after, &b);
        n = a.list.n < b.list.n ? a.list.n : b.list.n;
        str_addf(&out, "--- old/%s\n+++ new/%s\n", path, path);
        for (size_t i = 0; i < n; i++) {
                size_t end;

                if (!differs(&a, &b, i))
                        continue;
                end = hunk_end(&a, &b, n, i);
                add_hunk(&out, &a, &b, i > CONTEXT ? i - CONTEXT : 0, end);
                i = end - 1;
        }
        vec_free(&a.list);
        vec_free(&b.list);
        return str_steal(&out);
}
