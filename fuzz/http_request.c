/* A request of HTTP as a socket brings it: in pieces, whose length is the first byte. What is read does not depend
 * on where they end, and what was read can be asked for. */
#include <string.h>

#include "fuzz.h"
#include "serve/http_input.h"

/* The number of bytes that belong to the request. */
static size_t feed(struct http_input *in, const uint8_t *data, size_t size, size_t piece)
{
        size_t taken = 0;

        http_input_begin(in);
        while (taken < size && !in->whole && in->refused == 0) {
                size_t n = size - taken < piece ? size - taken : piece;

                taken += http_input_feed(in, data + taken, n);
        }
        return taken;
}

static void check(const struct http_input *in)
{
        FUZZ_ASSERT(in->headed || !in->whole);
        FUZZ_ASSERT(in->body.len <= HTTP_BODY_MAX);
        if (!in->headed)
                return;
        FUZZ_ASSERT(in->method && in->path);
        for (size_t i = 0; i < in->headers.n; i++)
                FUZZ_ASSERT(http_input_header(in, in->text.s + in->headers.v[i].name));
        for (size_t i = 0; i < in->arguments.n; i++)
                FUZZ_ASSERT(http_input_argument(in, in->text.s + in->arguments.v[i].name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct http_input once = {0}, pieces = {0};
        size_t n;

        if (size == 0)
                return 0;
        n = feed(&once, data + 1, size - 1, size);
        check(&once);
        FUZZ_ASSERT(feed(&pieces, data + 1, size - 1, (size_t)data[0] + 1) == n || pieces.refused != 0);
        check(&pieces);
        FUZZ_ASSERT(once.whole == pieces.whole && once.refused == pieces.refused);
        if (once.whole) {
                FUZZ_ASSERT(strcmp(once.path, pieces.path) == 0 && once.headers.n == pieces.headers.n);
                FUZZ_ASSERT(once.text.len == pieces.text.len && memcmp(once.text.s, pieces.text.s, once.text.len) == 0);
                FUZZ_ASSERT(once.body.len == pieces.body.len);
        }
        http_input_clear(&once);
        http_input_clear(&pieces);
        return 0;
}
