/* Feeds a target with files, or with all files of folders: seeds as a test,
 * and what a fuzzer has found, without libFuzzer. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "fuzz.h"

static int replay(const char *path)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *text = NULL;
        size_t len;

        if (file_read(path, 0, &text, &len, &err) < 0) {
                fprintf(stderr, "%s\n", error_message(&err));
                return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)text, len);
        return 0;
}

static int replay_folder(const char *path)
{
        struct dirent **entries = NULL;
        int n = scandir(path, &entries, NULL, alphasort), failed = n <= 2;

        for (int i = 0; i < n; i++) {
                CLEANUP_FREE char *inner = path_join(path, entries[i]->d_name);

                if (entries[i]->d_name[0] != '.')
                        failed |= replay(inner);
                free(entries[i]);
        }
        free(entries);
        return failed;
}

int main(int argc, char **argv)
{
        int failed = argc < 2;
        struct stat st;

        for (int i = 1; i < argc; i++)
                failed |= stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode) ? replay_folder(argv[i]) : replay(argv[i]);
        return failed;
}
