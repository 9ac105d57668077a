/* What a fuzz target is: libFuzzer's entry point. The data is any bytes; what
 * it may do is refuse them. The same files are linked with replay.c as tests
 * of the seeds, with any compiler. */
#pragma once

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise of the code under test: ends the program, also in release builds. */
#define FUZZ_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
