/* The table of functions, and the search in it. See function.h. */
#include "hcl/function.h"

#include <string.h>

#include "hcl/func.h"

#define FUNC_POINTER(name) &hcl_function_##name,
const struct hcl_function *const hcl_functions[] = {HCL_FUNCTIONS(FUNC_POINTER)};
#undef FUNC_POINTER

const size_t hcl_n_functions = sizeof(hcl_functions) / sizeof(hcl_functions[0]);

const struct hcl_function *hcl_function_find(const struct hcl_function *const *functions, size_t n, const char *name)
{
        size_t low = 0, high = n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(name, functions[middle]->name);

                if (order == 0)
                        return functions[middle];
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}
