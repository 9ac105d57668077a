/* See resolv.h; resolv.conf(5). The guest shares the host's network, so that
 * even a resolver on the host's loopback (127.0.0.53) is reached. */
#include "guest/resolv.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

#define BEGIN_MARK "# slipway: the name servers of the host, while this image is built\n"
#define END_MARK   "# slipway: end\n"

char *resolv_from(const char *host)
{
        static const char *const words[] = {"nameserver", "search", "domain", "options", "sortlist", NULL};
        CLEANUP_STRV char **lines = str_split(host, "\n");
        struct str out = {0};

        str_add(&out, BEGIN_MARK);
        for (size_t i = 0; lines && lines[i]; i++) {
                const char *line = str_trim(lines[i]);

                for (size_t w = 0; words[w]; w++)
                        if (str_starts(line, words[w]) && strchr(" \t", line[strlen(words[w])]) &&
                            line[strlen(words[w])])
                                str_addf(&out, "%s\n", line);
        }
        str_add(&out, END_MARK);
        return str_steal(&out);
}

char *resolv_content(void)
{
        CLEANUP_FREE char *host = NULL;

        /* Without the file, libc asks a name server on this machine. */
        if (file_read("/etc/resolv.conf", 0, &host, NULL, NULL) < 0)
                host = xstrdup("nameserver 127.0.0.1\n");
        return resolv_from(host);
}

char *resolv_without_block(const char *text, const char *original)
{
        const char *begin = strstr(text, BEGIN_MARK), *end = begin ? strstr(begin, END_MARK) : NULL;
        struct str out = {0};

        if (!end)
                return NULL;
        str_addn(&out, text, (size_t)(begin - text));
        str_add(&out, original ? original : "");
        str_add(&out, end + strlen(END_MARK));
        return str_steal(&out);
}
