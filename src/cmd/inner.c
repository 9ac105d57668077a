/* The words by which the program runs itself, one row for each. */
#include <string.h>

#include "cmd/cmd.h"
#include "disk/kernel.h"

static const struct {
        const char *word;
        void (*run)(int argc, char **argv);
} inner[] = {
        {KERNEL_INIT, kernel_init},
};

void command_inner(int argc, char **argv)
{
        for (size_t i = 0; i < sizeof(inner) / sizeof(*inner); i++)
                if (strcmp(argv[0], inner[i].word) == 0)
                        inner[i].run(argc, argv);
}
