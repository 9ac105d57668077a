/* How often something is done for one address. A bucket of tokens for each:
 * each time takes one, and they come back with time, or when they are given
 * back. TFTP answers requests of one address by it: that may be forged, and
 * the answers may hit somebody, until the first packet that proves that the
 * client is there gives its token back; so honest clients are never limited.
 * What is logged of NBD connections is limited by it too. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { ADDRESS_BUCKETS = 2048 };

struct address_limit {
        uint32_t burst, rate; /* tokens; and new ones a second */
        uint32_t seed;        /* random: which addresses share a place is not to be guessed */
        struct address_bucket {
                uint32_t address;
                uint32_t millitokens_used;
                int64_t time_ms;
        } buckets[ADDRESS_BUCKETS];
};

bool address_limit_take(struct address_limit *limit, uint32_t address, int64_t now_ms);
void address_limit_give_back(struct address_limit *limit, uint32_t address);
