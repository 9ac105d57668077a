/* What is at a path: see site.h. */
#include <stdlib.h>

#include "site/site.h"

void site_file_clear(struct site_file *file)
{
        free(file->text);
        free(file->root);
        free(file->path);
        free(file->what);
        *file = (struct site_file){0};
}
