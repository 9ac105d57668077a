/* How many requests of one address are answered before it has answered back:
 * the address may be forged, and the answers may hit somebody. A bucket of
 * tokens for each; a request takes one, and the first packet that proves that
 * the client is there gives it back. So honest clients are never limited. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TFTP_BUCKETS = 2048 };

struct tftp_limit {
        uint32_t burst, rate; /* tokens; and new ones a second */
        uint32_t seed;        /* random: which addresses share a place is not to be guessed */
        struct tftp_bucket {
                uint32_t address;
                uint32_t millitokens_used;
                int64_t time_ms;
        } buckets[TFTP_BUCKETS];
};

bool tftp_limit_take(struct tftp_limit *limit, uint32_t address, int64_t now_ms);
void tftp_limit_give_back(struct tftp_limit *limit, uint32_t address);
