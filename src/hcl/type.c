/* Types: see value.h. */
#include "hcl/value.h"

const struct hcl_type hcl_any = {.kind = HCL_ANY};
const struct hcl_type hcl_bool = {.kind = HCL_BOOL};
const struct hcl_type hcl_number = {.kind = HCL_NUMBER};
const struct hcl_type hcl_string = {.kind = HCL_STRING};
