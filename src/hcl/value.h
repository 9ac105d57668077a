/* Types and values of HCL, after HashiCorp's cty: immutable, in an arena,
 * shared freely. A value is known, null or unknown, and always has a type; it
 * may be sensitive, and what is made from it then is so too.
 *
 * Numbers are binary floats, rounded to nearest even, as HCL's own
 * implementation has them: every 64-bit integer is exact, and results agree
 * with it to the last digit. Each has a precision, at most 512 bits, by which
 * its text is the shortest that reads back: literals have 512, what functions
 * count has 64, what they compute in float64 has 53; the result of an
 * operation has the greater one of its operands. */
#pragma once

#include <mpfr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* ---- types ---- */

enum hcl_kind {
        HCL_ANY, /* cty's DynamicPseudoType: of null, of unknown values, and "any" in constraints */
        HCL_BOOL,
        HCL_NUMBER,
        HCL_STRING,
        HCL_LIST,
        HCL_SET,
        HCL_MAP,
        HCL_TUPLE,
        HCL_OBJECT,
};

struct hcl_type;

struct hcl_attr_type {
        const char *name;
        const struct hcl_type *type;
        bool optional;                    /* in constraints: optional(TYPE) */
        const struct hcl_value *fallback; /* optional(TYPE, DEFAULT), or NULL */
};

struct hcl_type {
        enum hcl_kind kind;
        const struct hcl_type *element;        /* list, set, map */
        const struct hcl_type *const *members; /* tuple: n of them */
        const struct hcl_attr_type *attrs;     /* object: n of them, sorted by name (bytes) */
        size_t n;
        unsigned int depth; /* of nesting, set by the constructors; of values too: see HCL_MAX_VALUE_DEPTH */
};

/* Values nested deeper than this are errors of evaluation, so that what walks them may recurse. */
enum { HCL_MAX_VALUE_DEPTH = 1024 };
/* The same for values with so many inside. A few locals that each hold the one before twice make more than any
 * machine could walk, though they take no memory. */
enum { HCL_MAX_WEIGHT = 1 << 21 };

extern const struct hcl_type hcl_any, hcl_bool, hcl_number, hcl_string;
const struct hcl_type *hcl_type_list(struct arena *arena, const struct hcl_type *element);
const struct hcl_type *hcl_type_set(struct arena *arena, const struct hcl_type *element);
const struct hcl_type *hcl_type_map(struct arena *arena, const struct hcl_type *element);
/* The arrays are borrowed: they must be the arena's. Attributes get sorted in place. */
const struct hcl_type *hcl_type_tuple(struct arena *arena, const struct hcl_type *const *members, size_t n);
const struct hcl_type *hcl_type_object(struct arena *arena, struct hcl_attr_type *attrs, size_t n);
bool hcl_type_equal(const struct hcl_type *a, const struct hcl_type *b);
/* Does "any" occur in it? */
bool hcl_type_has_any(const struct hcl_type *type);
const struct hcl_attr_type *hcl_type_attr(const struct hcl_type *type, const char *name); /* or NULL */
/* The same type with all attributes required, at every depth: what values of it have. */
const struct hcl_type *hcl_type_concrete(struct arena *arena, const struct hcl_type *type);
/* As it is written in a type constraint: "list(string)", "object({a=number})". */
const char *hcl_type_text(struct arena *arena, const struct hcl_type *type);
/* For messages: "string", "list of string", "tuple", "object"; "any type". */
const char *hcl_type_friendly(struct arena *arena, const struct hcl_type *type);

/* ---- values ---- */

enum hcl_state { HCL_KNOWN, HCL_NULL, HCL_UNKNOWN };

struct hcl_string {
        const char *s; /* UTF-8 in NFC, NUL-terminated; it may contain NUL bytes */
        size_t len;
};

struct hcl_value {
        const struct hcl_type *type; /* never NULL; of a collection: with the elements' real types */
        enum hcl_state state;
        bool sensitive; /* of the value itself; see hcl_value_sensitive() for what is inside */
        unsigned int
                weight; /* how many values are inside, each as often as it is referred to; at most HCL_MAX_WEIGHT */
        union {         /* HCL_KNOWN */
                bool boolean;
                mpfr_srcptr number;
                struct hcl_string string;
                struct {
                        const struct hcl_value *const *v;
                        const struct hcl_string *keys; /* map, object: sorted by bytes; else NULL */
                        size_t n;                      /* sets: sorted by hcl_value_compare(), without duplicates */
                } list;
        };
};

extern const struct hcl_value hcl_true, hcl_false, hcl_null_any, hcl_unknown_any, hcl_empty_tuple, hcl_empty_object,
        hcl_empty_string;

const struct hcl_value *hcl_null(struct arena *arena, const struct hcl_type *type);
const struct hcl_value *hcl_unknown(struct arena *arena, const struct hcl_type *type);
const struct hcl_value *hcl_bool_value(bool b);
/* The text is copied and brought to NFC. */
const struct hcl_value *hcl_string_value(struct arena *arena, const char *s, size_t len);
const struct hcl_value *hcl_string_from(struct arena *arena, const char *s);
const struct hcl_value *hcl_int_value(struct arena *arena, int64_t n);
/* A copy of the number, in its own precision. */
const struct hcl_value *hcl_number_value(struct arena *arena, mpfr_srcptr number);
/* "12", "-0.5", "1e10"; NULL if the text is no number, or one whose exponent is past HCL_MAX_EXPONENT. */
enum { HCL_MAX_EXPONENT = 100000 };
const struct hcl_value *hcl_number_parse(struct arena *arena, const char *s);

/* Collections; `v` is borrowed and must be the arena's. Elements of lists,
 * sets and maps must all be of the type `element`, by which an empty one is typed too. */
const struct hcl_value *hcl_list_value(struct arena *arena, const struct hcl_type *element,
                                       const struct hcl_value *const *v, size_t n);
const struct hcl_value *hcl_set_value(struct arena *arena, const struct hcl_type *element, const struct hcl_value **v,
                                      size_t n); /* sorts v and drops duplicates */
const struct hcl_value *hcl_tuple_value(struct arena *arena, const struct hcl_value *const *v, size_t n);
/* Keys and values are sorted together, in place; of equal keys the last one counts. */
const struct hcl_value *hcl_map_value(struct arena *arena, const struct hcl_type *element, struct hcl_string *keys,
                                      const struct hcl_value **v, size_t n);
const struct hcl_value *hcl_object_value(struct arena *arena, struct hcl_string *keys, const struct hcl_value **v,
                                         size_t n);
/* The member of a known map or object, or NULL. */
const struct hcl_value *hcl_member(const struct hcl_value *value, const char *key);

/* Is it, or anything in it, unknown? Sensitive? */
bool hcl_value_known(const struct hcl_value *value);
bool hcl_value_sensitive(const struct hcl_value *value);
/* The same value, marked as sensitive (or not, with all that is inside it). */
const struct hcl_value *hcl_mark_sensitive(struct arena *arena, const struct hcl_value *value);
const struct hcl_value *hcl_unmark(struct arena *arena, const struct hcl_value *value);

/* What == answers, after cty's Equals: same type and same content; nulls are
 * equal whatever their types. 1: equal; 0: different; -1: it depends on what is unknown. */
int hcl_value_equality(const struct hcl_value *a, const struct hcl_value *b);
/* The same for values that are known. */
bool hcl_value_equal(const struct hcl_value *a, const struct hcl_value *b);
/* A total order: in it sets are kept, so that output is the same everywhere (strings by bytes, numbers by size;
 * null after all others, unknown last). */
int hcl_value_compare(const struct hcl_value *a, const struct hcl_value *b);

/* Number to text as HCL does: no exponent, the shortest text that reads back as
 * the same number. Past 10^HCL_MAX_EXPONENT, which only arithmetic reaches, with an exponent after all. */
const char *hcl_number_text(struct arena *arena, mpfr_srcptr number);
/* The number as an integer; false if it is none or does not fit. */
bool hcl_number_int(const struct hcl_value *value, int64_t *ret);

/* ---- conversion (cty's convert package) ---- */

/* The value as `type`, which may contain "any" and optional attributes.
 * Errors say where inside the value and what was expected: "element 2: string required". */
int hcl_convert(struct arena *arena, const struct hcl_value *value, const struct hcl_type *type,
                const struct hcl_value **ret, struct error *err);
/* The one type to which all of these convert (cty's UnifyUnsafe: "1" may become a number if it must); NULL if
 * there is none, or n is 0. */
const struct hcl_type *hcl_unify(struct arena *arena, const struct hcl_type *const *types, size_t n);
/* The same, but only with conversions that cannot fail (cty's Unify): bool and number to string... */
const struct hcl_type *hcl_unify_safe(struct arena *arena, const struct hcl_type *const *types, size_t n);

/* ---- text ---- */

/* As an expression of the language would be written, over several lines as
 * Packer's console prints it:
 *     {
 *       "a" = [
 *         1,
 *       ]
 *     }
 * Sensitive parts are <sensitive>, unknown ones <unknown>. */
const char *hcl_value_text(struct arena *arena, const struct hcl_value *value);
/* What the console answers: the same, but a string alone is its text. */
const char *hcl_console_text(struct arena *arena, const struct hcl_value *value);
/* A string in quotes as the language writes it: \n, \", $${ ... */
const char *hcl_quote(struct arena *arena, const char *s, size_t len);
