/* See version.h. */
#include "lang/version.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

enum { MAX_NUMBERS = 8 };

struct version {
        unsigned long v[MAX_NUMBERS];
        size_t n;
        const char *prerelease; /* "rc1", up to the end or a '+'; "" of a release */
        size_t prerelease_len;
};

static bool parse(const char *s, struct version *ret)
{
        *ret = (struct version){.prerelease = ""};
        s += *s == 'v';
        for (;;) {
                char *end;

                if (*s < '0' || *s > '9' || ret->n == MAX_NUMBERS)
                        return false;
                ret->v[ret->n++] = strtoul(s, &end, 10);
                s = end;
                if (*s != '.')
                        break;
                s++;
        }
        if (*s == '-') {
                ret->prerelease = s + 1;
                ret->prerelease_len = strcspn(s + 1, "+");
                s += 1 + ret->prerelease_len;
                if (ret->prerelease_len == 0)
                        return false;
        }
        return *s == '\0' || (*s == '+' && s[1]);
}

static size_t digits(const char *s, size_t n)
{
        size_t i = 0;

        while (i < n && s[i] >= '0' && s[i] <= '9')
                i++;
        return i;
}

/* Parts of pre-releases: numbers by size, and before words; words by their bytes. */
static int compare_part(const char *a, size_t n, const char *b, size_t m)
{
        bool a_number = digits(a, n) == n, b_number = digits(b, m) == m;
        int order;

        if (a_number != b_number)
                return a_number ? -1 : 1;
        for (; a_number && n > 1 && *a == '0'; n--)
                a++;
        for (; b_number && m > 1 && *b == '0'; m--)
                b++;
        if (a_number && n != m)
                return n < m ? -1 : 1;
        order = memcmp(a, b, n < m ? n : m);
        return order ? order : (n > m) - (n < m);
}

/* Semantic Versioning 2.0.0, section 11: part by part; fewer of them come first, and all before none. */
static int compare_prerelease(const struct version *a, const struct version *b)
{
        const char *p = a->prerelease, *q = b->prerelease;
        const char *p_end = p + a->prerelease_len, *q_end = q + b->prerelease_len;

        if (p == p_end || q == q_end)
                return (p == p_end) - (q == q_end);
        for (;;) {
                size_t n = strcspn(p, ".+"), m = strcspn(q, ".+");
                int order = compare_part(p, n, q, m);

                p += n;
                q += m;
                if (order)
                        return order;
                if (p == p_end || q == q_end)
                        return (p != p_end) - (q != q_end);
                p++;
                q++;
        }
}

static int compare(const struct version *a, const struct version *b)
{
        for (size_t i = 0; i < MAX_NUMBERS; i++)
                if (a->v[i] != b->v[i])
                        return a->v[i] > b->v[i] ? 1 : -1;
        return compare_prerelease(a, b);
}

bool version_is_valid(const char *text)
{
        struct version version;

        return parse(text, &version);
}

int version_compare(const char *a, const char *b)
{
        struct version x, y;

        parse(a, &x);
        parse(b, &y);
        return compare(&x, &y);
}

static bool equal(const struct version *have, const struct version *want)
{
        return compare(have, want) == 0;
}
static bool different(const struct version *have, const struct version *want)
{
        return compare(have, want) != 0;
}
static bool greater(const struct version *have, const struct version *want)
{
        return compare(have, want) > 0;
}
static bool at_least(const struct version *have, const struct version *want)
{
        return compare(have, want) >= 0;
}
static bool less(const struct version *have, const struct version *want)
{
        return compare(have, want) < 0;
}
static bool at_most(const struct version *have, const struct version *want)
{
        return compare(have, want) <= 0;
}

/* "~> 1.8": at least that, and all numbers but the last one as they stand. */
static bool pessimistic(const struct version *have, const struct version *want)
{
        for (size_t i = 0; i + 1 < want->n; i++)
                if (have->v[i] != want->v[i])
                        return false;
        return compare(have, want) >= 0;
}

static const struct constraint_op {
        const char *name;
        bool (*holds)(const struct version *have, const struct version *want);
        bool is_floor; /* nothing below the version that it names is taken */
} operators[] = {{">=", at_least, true}, {"<=", at_most, false}, {"!=", different, false}, {"~>", pessimistic, true},
                 {">", greater, true},   {"<", less, false},     {"=", equal, true},       {"", equal, true}};

static int parse_constraint(const char *constraint, const struct constraint_op **ret, struct version *want,
                            struct error *err)
{
        const struct constraint_op *op = operators;
        const char *version;

        while (!str_starts(constraint, op->name))
                op++;
        version = constraint + strlen(op->name);
        *ret = op;
        if (parse(version + strspn(version, " \t"), want))
                return 0;
        return error_set(err, EINVAL, "'%s' is not a constraint on a version; write it as in \">= 1.7.0\"", constraint);
}

static int satisfies_one(const struct version *have, const char *constraint, bool *ret, struct error *err)
{
        const struct constraint_op *op;
        struct version want;
        int r = parse_constraint(constraint, &op, &want, err);

        if (r < 0)
                return r;
        *ret = op->holds(have, &want);
        /* A pre-release is taken only where the constraint names one of the same numbers. */
        if (have->prerelease_len > 0 && op->holds != different)
                *ret = *ret && want.prerelease_len > 0 && memcmp(have->v, want.v, sizeof(want.v)) == 0;
        return 0;
}

int version_satisfies(const char *version, const char *constraints, bool *ret, struct error *err)
{
        CLEANUP_STRV char **list = str_split(constraints, ",");
        struct version have;

        if (!parse(version, &have))
                return error_set(err, EINVAL, "'%s' is not a version", version);
        *ret = true;
        for (char **constraint = list; *constraint; constraint++) {
                bool holds = false;
                int r = satisfies_one(&have, str_trim(*constraint), &holds, err);

                if (r < 0)
                        return r;
                *ret = *ret && holds;
        }
        return 0;
}

bool version_wants_newer(const char *version, const char *constraints)
{
        CLEANUP_STRV char **list = str_split(constraints, ",");
        const struct constraint_op *op;
        struct version have, want;

        if (!parse(version, &have))
                return false;
        for (char **constraint = list; *constraint; constraint++)
                if (parse_constraint(str_trim(*constraint), &op, &want, NULL) == 0 && op->is_floor &&
                    !op->holds(&have, &want) && compare(&have, &want) <= 0)
                        return true;
        return false;
}
