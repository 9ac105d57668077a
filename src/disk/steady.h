/* Programs of the host that do the same each time: a small library (steady/steady.c) goes into them before libc
 * (LD_PRELOAD) and answers in its place what they ask of time and of randomness. User-Mode Linux sees
 * nothing of the world but by such calls: its clock moves when it sleeps, straight to its next timer, and its disk
 * answers when it sleeps. So the order of everything in it is a function of its inputs, and nobody waits. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* Add to an environment what loads the library. The clock starts at `epoch`, random numbers are a function of the seed;
 * now and random numbers if epoch is -1 or the seed NULL. *ret_fd is inherited by what is run: close it then. */
int steady_env(char ***env, int64_t epoch, const char *id_seed, int *ret_fd, struct error *err);
