/* The clock that only goes on, whatever the time of day is set to: for waits and deadlines. */
#pragma once

#include <stdint.h>
#include <time.h>

static inline int64_t monotonic_ns(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static inline int64_t monotonic_ms(void)
{
        return monotonic_ns() / 1000000;
}
