/* What of HTTP is read by us: the bytes of a header or of a path. The first line is a path, what
 * follows the value of Range. */
#include <string.h>

#include "fuzz.h"
#include "serve/http_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char path[512], range[512], before[512];
        const uint8_t *end = memchr(data, '\n', size);
        size_t n = end ? (size_t)(end - data) : size, n_range = size - n;
        uint64_t first = 0, last = 0;

        n = n < sizeof(path) ? n : sizeof(path) - 1;
        n_range = n_range < sizeof(range) ? n_range : sizeof(range) - 1;
        memcpy(path, data, n);
        path[n] = '\0';
        if (end)
                memcpy(range, end + (n_range > 0), n_range > 0 ? n_range - 1 : 0);
        range[end && n_range > 0 ? n_range - 1 : 0] = '\0';

        strcpy(before, path);
        FUZZ_ASSERT(http_target_path(path) >= path || *http_target_path(path) == '/');
        FUZZ_ASSERT(http_content_type(path));
        n = strlen(path);
        FUZZ_ASSERT(http_decode(path) == strlen(path) && strlen(path) <= n);
        FUZZ_ASSERT(strchr(before, '%') || strcmp(before, path) == 0);
        for (uint64_t length = 0; length < 3000; length = length * 10 + 3)
                if (http_range(range, length, &first, &last) == HTTP_RANGE_PART)
                        FUZZ_ASSERT(first <= last && last < length);
        return 0;
}
