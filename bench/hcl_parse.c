/* Reads an HCL file so many times: the median of the times, and the memory of the tree.
 *
 *     hcl_parse FILE ROUNDS */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hcl/syntax.h"

static int compare(const void *a, const void *b)
{
        double x = *(const double *)a, y = *(const double *)b;

        return (x > y) - (x < y);
}

static double now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
        long rounds = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
        struct source_text *source = NULL;
        struct error err = {0};
        VEC(double) times = {0};
        size_t errors = 0, bytes = 0, blocks = 0;

        if (rounds < 1 || source_text_read(argv[1], &source, &err) < 0) {
                fprintf(stderr, "usage: hcl_parse FILE ROUNDS: %s\n", error_message(&err));
                return 2;
        }
        for (long i = 0; i < rounds; i++) {
                struct arena arena = {0};
                struct diags diags = {0};
                double start = now_ms();

                blocks = hcl_parse(&arena, source, &diags)->n_blocks;
                vec_push(&times, now_ms() - start);
                errors = diags.n_errors;
                bytes = arena.used;
                diags_clear(&diags);
                arena_free(&arena);
        }
        qsort(times.v, times.n, sizeof(*times.v), compare);
        printf("parsed %.2f MB, %zu blocks, %zu errors: %.1f ms, tree %.1f MiB; %ld rounds\n",
               (double)source->len / 1e6, blocks, errors, times.v[times.n / 2], (double)bytes / 1048576.0, rounds);
        vec_free(&times);
        source_text_free(source);
        return errors > 0;
}
