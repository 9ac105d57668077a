/* Values: see value.h. */
#include "hcl/value.h"

#include <string.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/alloc.h"
#include "base/str.h"
#include "hcl/value_internal.h"

static const struct hcl_type empty_tuple_type = {.kind = HCL_TUPLE, .depth = 1};
static const struct hcl_type empty_object_type = {.kind = HCL_OBJECT, .depth = 1};

const struct hcl_value hcl_true = {.type = &hcl_bool, .boolean = true};
const struct hcl_value hcl_false = {.type = &hcl_bool, .boolean = false};
const struct hcl_value hcl_null_any = {.type = &hcl_any, .state = HCL_NULL};
const struct hcl_value hcl_unknown_any = {.type = &hcl_any, .state = HCL_UNKNOWN};
const struct hcl_value hcl_empty_tuple = {.type = &empty_tuple_type};
const struct hcl_value hcl_empty_object = {.type = &empty_object_type};
const struct hcl_value hcl_empty_string = {.type = &hcl_string, .string = {.s = ""}};

static const struct hcl_value *new_value(struct arena *arena, const struct hcl_value *value)
{
        return arena_memdup(arena, value, sizeof(*value));
}

const struct hcl_value *hcl_null(struct arena *arena, const struct hcl_type *type)
{
        return type->kind == HCL_ANY ? &hcl_null_any
                                     : new_value(arena, &(struct hcl_value){.type = type, .state = HCL_NULL});
}

const struct hcl_value *hcl_unknown(struct arena *arena, const struct hcl_type *type)
{
        return type->kind == HCL_ANY ? &hcl_unknown_any
                                     : new_value(arena, &(struct hcl_value){.type = type, .state = HCL_UNKNOWN});
}

const struct hcl_value *hcl_bool_value(bool b)
{
        return b ? &hcl_true : &hcl_false;
}

/* ---- strings ---- */

/* What is no UTF-8 (of an environment variable, say) becomes U+FFFD. */
static void add_repaired(struct str *text, const char *s, size_t len)
{
        for (size_t i = 0; i < len;) {
                ucs4_t c;

                i += (size_t)u8_mbtouc(&c, (const uint8_t *)s + i, len - i);
                str_add_utf8(text, c);
        }
}

static bool all_ascii(const char *s, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if ((unsigned char)s[i] >= 0x80)
                        return false;
        return true;
}

const struct hcl_value *hcl_string_value(struct arena *arena, const char *s, size_t len)
{
        CLEANUP_STR struct str repaired = {0};
        struct hcl_string string = {.len = len};

        if (all_ascii(s, len)) {
                string.s = arena_strndup(arena, s, len);
        } else {
                CLEANUP_FREE uint8_t *normal = NULL;

                if (u8_check((const uint8_t *)s, len)) {
                        add_repaired(&repaired, s, len);
                        s = str_get(&repaired);
                        len = repaired.len;
                }
                normal = u8_normalize(UNINORM_NFC, (const uint8_t *)s, len, NULL, &string.len);
                string.s = normal ? arena_strndup(arena, (const char *)normal, string.len)
                                  : arena_strndup(arena, s, string.len = len);
        }
        return new_value(arena, &(struct hcl_value){.type = &hcl_string, .string = string});
}

const struct hcl_value *hcl_string_from(struct arena *arena, const char *s)
{
        return hcl_string_value(arena, s, strlen(s));
}

/* ---- collections ---- */

static const struct hcl_value *new_list(struct arena *arena, const struct hcl_type *type,
                                        const struct hcl_value *const *v, const struct hcl_string *keys, size_t n)
{
        size_t weight = n;

        for (size_t i = 0; i < n && weight < HCL_MAX_WEIGHT; i++)
                weight += v[i]->weight;
        return new_value(arena,
                         &(struct hcl_value){.type = type,
                                             .weight = weight < HCL_MAX_WEIGHT ? (unsigned int)weight : HCL_MAX_WEIGHT,
                                             .list = {.v = v, .keys = keys, .n = n}});
}

const struct hcl_value *hcl_list_value(struct arena *arena, const struct hcl_type *element,
                                       const struct hcl_value *const *v, size_t n)
{
        return new_list(arena, hcl_type_list(arena, element), v, NULL, n);
}

static int by_order(const void *a, const void *b)
{
        return hcl_value_compare(*(const struct hcl_value *const *)a, *(const struct hcl_value *const *)b);
}

const struct hcl_value *hcl_set_value(struct arena *arena, const struct hcl_type *element, const struct hcl_value **v,
                                      size_t n)
{
        const struct hcl_type *type = hcl_type_set(arena, element);
        const struct hcl_value *set;
        bool known = true, sensitive = false;
        size_t kept = 0;

        /* An element's mark is the set's: which one it was cannot be told any more. */
        for (size_t i = 0; i < n; i++) {
                sensitive |= hcl_value_sensitive(v[i]);
                known &= hcl_value_known(v[i]);
        }
        for (size_t i = 0; i < n && sensitive; i++)
                v[i] = hcl_unmark(arena, v[i]);
        if (known) {
                if (n > 0)
                        qsort(v, n, sizeof(*v), by_order);
                for (size_t i = 0; i < n; i++)
                        if (kept == 0 || hcl_value_compare(v[kept - 1], v[i]) != 0)
                                v[kept++] = v[i];
                set = new_list(arena, type, v, NULL, kept);
        } else {
                set = hcl_unknown(arena, type); /* not even its size is known */
        }
        return sensitive ? hcl_mark_sensitive(arena, set) : set;
}

const struct hcl_value *hcl_tuple_value(struct arena *arena, const struct hcl_value *const *v, size_t n)
{
        const struct hcl_type **members = arena_array(arena, n, sizeof(*members));

        for (size_t i = 0; i < n; i++)
                members[i] = v[i]->type;
        return new_list(arena, hcl_type_tuple(arena, members, n), v, NULL, n);
}

int hcl_string_compare(const struct hcl_string *a, const struct hcl_string *b)
{
        size_t n = a->len < b->len ? a->len : b->len;
        int r = n > 0 ? memcmp(a->s, b->s, n) : 0;

        return r != 0 ? r : (a->len > b->len) - (a->len < b->len);
}

struct pair {
        struct hcl_string key;
        const struct hcl_value *value;
        size_t place;
};

static int by_key(const void *a, const void *b)
{
        const struct pair *x = a, *y = b;
        int r = hcl_string_compare(&x->key, &y->key);

        return r != 0 ? r : (x->place > y->place) - (x->place < y->place);
}

/* Sort by key; of equal ones the last is kept. Returns how many remain. */
static size_t sort_pairs(struct hcl_string *keys, const struct hcl_value **v, size_t n)
{
        CLEANUP_FREE struct pair *pairs = NULL;
        size_t kept = 0, sorted = 1;

        while (sorted < n && hcl_string_compare(&keys[sorted - 1], &keys[sorted]) < 0)
                sorted++;
        if (sorted >= n)
                return n;
        pairs = xreallocarray(NULL, n, sizeof(*pairs));
        for (size_t i = 0; i < n; i++)
                pairs[i] = (struct pair){keys[i], v[i], i};
        qsort(pairs, n, sizeof(*pairs), by_key);
        for (size_t i = 0; i < n; i++) {
                if (i + 1 < n && hcl_string_compare(&pairs[i].key, &pairs[i + 1].key) == 0)
                        continue;
                keys[kept] = pairs[i].key;
                v[kept++] = pairs[i].value;
        }
        return kept;
}

const struct hcl_value *hcl_map_value(struct arena *arena, const struct hcl_type *element, struct hcl_string *keys,
                                      const struct hcl_value **v, size_t n)
{
        return new_list(arena, hcl_type_map(arena, element), v, keys, sort_pairs(keys, v, n));
}

const struct hcl_value *hcl_object_value(struct arena *arena, struct hcl_string *keys, const struct hcl_value **v,
                                         size_t n)
{
        struct hcl_attr_type *attrs;

        n = sort_pairs(keys, v, n);
        attrs = arena_array(arena, n, sizeof(*attrs));
        for (size_t i = 0; i < n; i++)
                attrs[i] = (struct hcl_attr_type){.name = keys[i].s, .type = v[i]->type};
        return new_list(arena, hcl_type_object(arena, attrs, n), v, keys, n);
}

const struct hcl_value *hcl_member_by_key(const struct hcl_value *value, const struct hcl_string *key)
{
        size_t low = 0, high = value->list.n;

        if (value->state != HCL_KNOWN || (value->type->kind != HCL_MAP && value->type->kind != HCL_OBJECT))
                return NULL;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int r = hcl_string_compare(&value->list.keys[middle], key);

                if (r == 0)
                        return value->list.v[middle];
                if (r < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return NULL;
}

const struct hcl_value *hcl_member(const struct hcl_value *value, const char *key)
{
        return hcl_member_by_key(value, &(struct hcl_string){.s = key, .len = strlen(key)});
}

/* ---- what is inside ---- */

bool hcl_has_elements(const struct hcl_value *value)
{
        return value->state == HCL_KNOWN && value->type->kind >= HCL_LIST;
}

bool hcl_value_known(const struct hcl_value *value)
{
        if (hcl_has_elements(value))
                for (size_t i = 0; i < value->list.n; i++)
                        if (!hcl_value_known(value->list.v[i]))
                                return false;
        return value->state != HCL_UNKNOWN;
}

bool hcl_value_sensitive(const struct hcl_value *value)
{
        if (hcl_has_elements(value))
                for (size_t i = 0; i < value->list.n; i++)
                        if (hcl_value_sensitive(value->list.v[i]))
                                return true;
        return value->sensitive;
}

const struct hcl_value *hcl_mark_sensitive(struct arena *arena, const struct hcl_value *value)
{
        struct hcl_value marked = *value;

        marked.sensitive = true;
        return value->sensitive ? value : new_value(arena, &marked);
}

const struct hcl_value *hcl_unmark(struct arena *arena, const struct hcl_value *value)
{
        struct hcl_value bare = *value;

        if (!hcl_value_sensitive(value))
                return value;
        bare.sensitive = false;
        if (hcl_has_elements(value)) {
                const struct hcl_value **v = arena_array(arena, value->list.n, sizeof(const struct hcl_value *));

                for (size_t i = 0; i < value->list.n; i++)
                        v[i] = hcl_unmark(arena, value->list.v[i]);
                bare.list.v = v;
        }
        return new_value(arena, &bare);
}
