/* Feeds a target with files, or with all files of folders, and with damaged
 * copies of each: seeds as a test, and what a fuzzer has found, without libFuzzer.
 *
 *     replay COPIES FILE|FOLDER... */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "fuzz.h"
#include "mutate.h"

enum { LENGTH_MAX = 16384 };

static const char *const tokens[] = {
        "{",  "}",   "[",  "]",  "(",   ")",     "\"",    "${",   "%{",   "~}",           "$${",
        "\\", "\\u", "=",  "=>", "...", "<<E\n", "\nE\n", "[*]",  ".*",   "? 1 : 2",      "\n",
        "#",  "/*",  "*/", "in", "if",  "for",   "null",  "-1e9", "\r\n", "\xef\xbb\xbf", "\xff"};

static void replay_copies(const char *text, size_t len, long copies)
{
        char copy[LENGTH_MAX];

        for (; len < sizeof(copy) && copies > 0; copies--) {
                memcpy(copy, text, len);
                LLVMFuzzerTestOneInput((const uint8_t *)copy,
                                       mutate(copy, len, sizeof(copy), tokens, sizeof(tokens) / sizeof(tokens[0])));
        }
}

static int replay(const char *path, long copies)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *text = NULL;
        size_t len;

        if (file_read(path, 0, &text, &len, &err) < 0) {
                fprintf(stderr, "%s\n", error_message(&err));
                return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)text, len);
        replay_copies(text, len, copies);
        return 0;
}

static int replay_folder(const char *path, long copies)
{
        struct dirent **entries = NULL;
        int n = scandir(path, &entries, NULL, alphasort), failed = n <= 2;

        for (int i = 0; i < n; i++) {
                CLEANUP_FREE char *inner = path_join(path, entries[i]->d_name);

                if (entries[i]->d_name[0] != '.')
                        failed |= replay(inner, copies);
                free(entries[i]);
        }
        free(entries);
        return failed;
}

int main(int argc, char **argv)
{
        long copies = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
        int failed = argc < 3;
        struct stat st;

        for (int i = 2; i < argc; i++)
                failed |= stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode) ? replay_folder(argv[i], copies)
                                                                         : replay(argv[i], copies);
        return failed;
}
