/* See address_limit.h. */
#include "serve/address_limit.h"

static struct address_bucket *bucket_of(struct address_limit *limit, uint32_t address)
{
        uint64_t mixed = (uint64_t)(address ^ limit->seed) * 0x9e3779b97f4a7c15ULL;

        return &limit->buckets[mixed >> 32 & (ADDRESS_BUCKETS - 1)];
}

static void refill(const struct address_limit *limit, struct address_bucket *bucket, int64_t now_ms)
{
        uint64_t gained = (uint64_t)(now_ms - bucket->time_ms) * limit->rate;

        bucket->millitokens_used = gained < bucket->millitokens_used ? bucket->millitokens_used - (uint32_t)gained : 0;
        bucket->time_ms = now_ms;
}

bool address_limit_take(struct address_limit *limit, uint32_t address, int64_t now_ms)
{
        struct address_bucket *bucket = bucket_of(limit, address);

        if (bucket->address != address)
                *bucket = (struct address_bucket){.address = address, .time_ms = now_ms};
        refill(limit, bucket, now_ms);
        if (bucket->millitokens_used > (limit->burst - 1) * 1000)
                return false;
        bucket->millitokens_used += 1000;
        return true;
}

void address_limit_give_back(struct address_limit *limit, uint32_t address)
{
        struct address_bucket *bucket = bucket_of(limit, address);

        if (bucket->address == address)
                bucket->millitokens_used -= bucket->millitokens_used < 1000 ? bucket->millitokens_used : 1000;
}
