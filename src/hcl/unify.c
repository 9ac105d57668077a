/* Unification of types: see value.h. After cty's convert.Unify, including
 * its preferences: string before number and bool, list before tuple, map
 * before object, list before set. */
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "hcl/value_internal.h"

struct unify {
        struct arena *arena;
        bool unsafe;
};

/* All of them, each once: large tuples have few types of elements. */
struct types {
        const struct hcl_type **v;
        size_t n;
};

static struct types distinct(struct arena *arena, const struct hcl_type *const *types, size_t n)
{
        struct types ret = {.v = arena_array(arena, n, sizeof(*ret.v))};

        for (size_t i = 0; i < n; i++) {
                size_t j = 0;

                while (j < ret.n && !hcl_type_equal(ret.v[j], types[i]))
                        j++;
                if (j == ret.n)
                        ret.v[ret.n++] = types[i];
        }
        return ret;
}

static const struct hcl_type *unify(const struct unify *u, const struct hcl_type *const *types, size_t n);

/* ---- which of two types is the more general one: < 0: a; > 0: b; 0: neither ---- */

static int more_general(const struct hcl_type *a, const struct hcl_type *b);

static int more_general_members(const struct hcl_type *a, const struct hcl_type *b)
{
        bool a_more = false, b_more = false;

        if (a->n != b->n)
                return 0;
        for (size_t i = 0; i < a->n; i++) {
                bool tuple = a->kind == HCL_TUPLE;
                int r;

                if (!tuple && !str_eq(a->attrs[i].name, b->attrs[i].name))
                        return 0;
                r = more_general(tuple ? a->members[i] : a->attrs[i].type, tuple ? b->members[i] : b->attrs[i].type);
                a_more |= r < 0;
                b_more |= r > 0;
        }
        return b_more - a_more;
}

static int more_general(const struct hcl_type *a, const struct hcl_type *b)
{
        /* Of types of one row, those further right are more general. */
        static const unsigned int rank[] = {
                [HCL_ANY] = 0,   [HCL_BOOL] = 1, [HCL_NUMBER] = 1, [HCL_STRING] = 2, [HCL_SET] = 4,
                [HCL_TUPLE] = 5, [HCL_LIST] = 6, [HCL_OBJECT] = 8, [HCL_MAP] = 9};

        if (a->kind == HCL_ANY || b->kind == HCL_ANY)
                return (a->kind == HCL_ANY) - (b->kind == HCL_ANY);
        if (a->kind == b->kind)
                return a->element                                      ? more_general(a->element, b->element)
                       : a->kind == HCL_TUPLE || a->kind == HCL_OBJECT ? more_general_members(a, b)
                                                                       : 0;
        return rank[a->kind] / 4 != rank[b->kind] / 4 ? 0 : (int)rank[b->kind] - (int)rank[a->kind];
}

/* ---- types of one kind ---- */

static const struct hcl_type *of_kind(struct arena *arena, enum hcl_kind kind, const struct hcl_type *element)
{
        return kind == HCL_LIST  ? hcl_type_list(arena, element)
               : kind == HCL_SET ? hcl_type_set(arena, element)
                                 : hcl_type_map(arena, element);
}

static bool all_convertible(const struct unify *u, const struct hcl_type *const *types, size_t n,
                            const struct hcl_type *to)
{
        for (size_t i = 0; i < n; i++)
                if (!hcl_type_equal(types[i], to) && !hcl_convertible(u->arena, types[i], to, u->unsafe))
                        return false;
        return true;
}

static const struct hcl_type *unify_collections(const struct unify *u, const struct types *types)
{
        const struct hcl_type **elements = arena_array(u->arena, types->n, sizeof(*elements)), *element;

        for (size_t i = 0; i < types->n; i++)
                elements[i] = types->v[i]->element;
        element = unify(u, elements, types->n);
        return element ? of_kind(u->arena, types->v[0]->kind, element) : NULL;
}

static const struct hcl_type *member(const struct hcl_type *type, size_t i)
{
        return type->kind == HCL_TUPLE ? type->members[i] : type->attrs[i].type;
}

/* A list (of tuples) or map (of objects) whose elements all members of all types convert to. */
static const struct hcl_type *unify_as_collection(const struct unify *u, const struct hcl_type *const *types, size_t n)
{
        const struct hcl_type **members, *element, *ret;
        size_t total = 0;

        for (size_t i = 0; i < n; i++)
                total += types[i]->n;
        members = arena_array(u->arena, total, sizeof(*members));
        total = 0;
        for (size_t i = 0; i < n; i++)
                for (size_t j = 0; j < types[i]->n; j++)
                        members[total++] = member(types[i], j);
        element = unify(u, members, total);
        if (!element)
                return NULL;
        ret = of_kind(u->arena, types[0]->kind == HCL_TUPLE ? HCL_LIST : HCL_MAP, element);
        return all_convertible(u, types, n, ret) ? ret : NULL;
}

static bool same_shape(const struct hcl_type *a, const struct hcl_type *b)
{
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n && a->kind == HCL_OBJECT; i++)
                if (!str_eq(a->attrs[i].name, b->attrs[i].name))
                        return false;
        return true;
}

/* Tuples of one length, or objects with the same attributes: member by member; others as lists or maps. */
static const struct hcl_type *unify_structures(const struct unify *u, const struct types *types)
{
        const struct hcl_type *first = types->v[0], *ret;
        const struct hcl_type **across = arena_array(u->arena, types->n, sizeof(*across));
        const struct hcl_type **members = arena_array(u->arena, first->n, sizeof(*members));
        struct hcl_attr_type *attrs = arena_array(u->arena, first->n, sizeof(*attrs));

        for (size_t i = 1; i < types->n; i++)
                if (!same_shape(first, types->v[i]))
                        return unify_as_collection(u, types->v, types->n);
        for (size_t i = 0; i < first->n; i++) {
                for (size_t j = 0; j < types->n; j++)
                        across[j] = member(types->v[j], i);
                members[i] = unify(u, across, types->n);
                if (!members[i])
                        return NULL;
                if (first->kind == HCL_OBJECT)
                        attrs[i] = (struct hcl_attr_type){.name = first->attrs[i].name, .type = members[i]};
        }
        ret = first->kind == HCL_TUPLE ? hcl_type_tuple(u->arena, members, first->n)
                                       : hcl_type_object(u->arena, attrs, first->n);
        return all_convertible(u, types->v, types->n, ret) ? ret : unify_as_collection(u, types->v, types->n);
}

/* Lists with tuples, or maps with objects: tuples are often lists in disguise. */
static const struct hcl_type *unify_disguised(const struct unify *u, const struct types *types,
                                              enum hcl_kind collection)
{
        enum hcl_kind structure = collection == HCL_LIST ? HCL_TUPLE : HCL_OBJECT;
        const struct hcl_type **members = arena_array(u->arena, types->n, sizeof(*members));
        const struct hcl_type **all = arena_array(u->arena, types->n, sizeof(*all));
        const struct hcl_type *common, *ret;
        size_t n = 0;

        for (size_t i = 0; i < types->n; i++)
                if (types->v[i]->kind == structure)
                        members[n++] = types->v[i];
        common = unify_as_collection(u, members, n);
        if (!common)
                return NULL;
        for (size_t i = 0; i < types->n; i++)
                all[i] = types->v[i]->kind == structure ? common : types->v[i];
        ret = unify(u, all, types->n);
        return ret && ret->kind == collection ? ret : NULL;
}

/* ---- any types ---- */

/* The most general one that all others convert to: candidates are tried as they come
 * when each is removed whom no other one left is more general than. */
static const struct hcl_type *unify_by_preference(const struct unify *u, const struct types *types)
{
        size_t *rivals = arena_array(u->arena, types->n, sizeof(*rivals));
        size_t *queue = arena_array(u->arena, types->n, sizeof(*queue));
        size_t n = 0;

        for (size_t i = 0; i < types->n; i++) {
                for (size_t j = 0; j < types->n; j++)
                        rivals[i] += more_general(types->v[j], types->v[i]) < 0;
                if (rivals[i] == 0)
                        queue[n++] = i;
        }
        for (size_t i = 0; i < n; i++) {
                const struct hcl_type *candidate = types->v[queue[i]];

                if (all_convertible(u, types->v, types->n, candidate))
                        return candidate;
                for (size_t j = 0; j < types->n; j++)
                        if (more_general(candidate, types->v[j]) < 0 && --rivals[j] == 0)
                                queue[n++] = j;
        }
        return NULL;
}

static const struct hcl_type *unify_distinct(const struct unify *u, const struct types *types)
{
        size_t count[HCL_OBJECT + 1] = {0}, n = types->n;
        const struct hcl_type *ret = NULL;

        for (size_t i = 0; i < n; i++)
                count[types->v[i]->kind]++;
        for (enum hcl_kind kind = HCL_LIST; kind <= HCL_OBJECT; kind++)
                if (count[kind] > 0 && count[kind] + count[HCL_ANY] == n)
                        return count[HCL_ANY] > 0 ? &hcl_any /* what comes of it is not known yet */
                               : kind < HCL_TUPLE ? unify_collections(u, types)
                                                  : unify_structures(u, types);
        if (count[HCL_MAP] > 0 && count[HCL_MAP] + count[HCL_OBJECT] + count[HCL_ANY] == n)
                ret = unify_disguised(u, types, HCL_MAP);
        else if (count[HCL_LIST] > 0 && count[HCL_LIST] + count[HCL_TUPLE] + count[HCL_ANY] == n)
                ret = unify_disguised(u, types, HCL_LIST);
        else if (count[HCL_OBJECT] > 0 && count[HCL_TUPLE] > 0)
                return NULL;
        return ret ? ret : unify_by_preference(u, types);
}

static const struct hcl_type *unify(const struct unify *u, const struct hcl_type *const *types, size_t n)
{
        struct types all = distinct(u->arena, types, n);

        return all.n == 0 ? NULL : all.n == 1 ? all.v[0] : unify_distinct(u, &all);
}

const struct hcl_type *hcl_unify_types(struct arena *arena, const struct hcl_type *const *types, size_t n, bool unsafe)
{
        return unify(&(struct unify){.arena = arena, .unsafe = unsafe}, types, n);
}

const struct hcl_type *hcl_unify(struct arena *arena, const struct hcl_type *const *types, size_t n)
{
        return hcl_unify_types(arena, types, n, true);
}

const struct hcl_type *hcl_unify_safe(struct arena *arena, const struct hcl_type *const *types, size_t n)
{
        return hcl_unify_types(arena, types, n, false);
}
