/* What the files about values share. */
#pragma once

#include "hcl/value.h"

/* By bytes; a key may contain NUL. */
int hcl_string_compare(const struct hcl_string *a, const struct hcl_string *b);
/* hcl_member() by such a key. */
const struct hcl_value *hcl_member_by_key(const struct hcl_value *value, const struct hcl_string *key);
/* Is it a known list, set, map, tuple or object, so that `list` may be read? */
bool hcl_has_elements(const struct hcl_value *value);
/* Is there a conversion from values of the one type to the other? With `unsafe`, one that may
 * fail with some values counts too. */
bool hcl_convertible(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to, bool unsafe);
/* hcl_unify() and hcl_unify_safe(). */
const struct hcl_type *hcl_unify_types(struct arena *arena, const struct hcl_type *const *types, size_t n, bool unsafe);
/* Why there is no conversion: "element 2: string required, but found object". */
const char *hcl_mismatch(struct arena *arena, const struct hcl_type *from, const struct hcl_type *to);
