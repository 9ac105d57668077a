/* Source texts and places in them; UTF-8 as in RFC 3629. See diag.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "lang/diag.h"

enum { SOURCE_MAX = 64 << 20 };

static int read_stdin(char **ret, size_t *ret_len, struct error *err)
{
        CLEANUP_STR struct str text = {0};
        char buffer[16384];

        for (;;) {
                ssize_t n = read(STDIN_FILENO, buffer, sizeof(buffer));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return error_errno(err, errno, "read standard input");
                if (n == 0)
                        break;
                if (text.len + (size_t)n > SOURCE_MAX)
                        return error_set(err, EFBIG, "standard input is longer than 64 MiB: is it a template?");
                str_addn(&text, buffer, (size_t)n);
        }
        *ret_len = text.len;
        *ret = str_steal(&text);
        return 0;
}

int source_text_read(const char *path, struct source_text **ret, struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        bool is_stdin = strcmp(path, "-") == 0;
        size_t len;
        int r;

        r = is_stdin ? read_stdin(&text, &len, err) : file_read(path, SOURCE_MAX, &text, &len, err);
        if (r < 0)
                return r;
        *ret = source_text_new(is_stdin ? "<stdin>" : path, text, len);
        return 0;
}

struct source_text *source_text_new(const char *path, const char *text, size_t len)
{
        struct source_text *source = xcalloc(1, sizeof(*source));

        source->path = xstrdup(path);
        source->text = xmalloc(len + 1);
        memcpy(source->text, text, len);
        source->text[len] = '\0';
        source->len = len;
        source->refs = 1;
        return source;
}

struct source_text *source_text_ref(const struct source_text *source)
{
        struct source_text *counted = (struct source_text *)source; /* the count is no part of what is const */

        if (counted)
                counted->refs++;
        return counted;
}

struct source_text *source_text_free(struct source_text *source)
{
        if (!source || --source->refs > 0)
                return NULL;
        free(source->path);
        free(source->text);
        free(source->hidden);
        free(source);
        return NULL;
}

void source_text_hide(const struct source_text *source, size_t start, size_t end)
{
        struct source_text *shown = (struct source_text *)source; /* what is shown is no part of what is const */

        if (!source || start >= end)
                return;
        shown->hidden = xreallocarray(shown->hidden, shown->n_hidden + 1, sizeof(*shown->hidden));
        shown->hidden[shown->n_hidden++] = (struct source_span){start, end};
}

void source_text_hide_words(const struct source_text *source, const char *const *words)
{
        for (; words && *words; words++) {
                size_t n = strlen(*words);

                for (const char *at = source->text; n > 0 && (at = strstr(at, *words)); at += n)
                        source_text_hide(source, (size_t)(at - source->text), (size_t)(at - source->text) + n);
        }
}

size_t utf8_length(const char *s)
{
        const unsigned char *b = (const unsigned char *)s;
        unsigned char low = 0x80, high = 0xbf;
        size_t n;

        if (b[0] < 0x80)
                return 1;
        if (b[0] < 0xc2 || b[0] > 0xf4)
                return 0;
        n = b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
        if (b[0] == 0xe0)
                low = 0xa0;
        if (b[0] == 0xed)
                high = 0x9f;
        if (b[0] == 0xf0)
                low = 0x90;
        if (b[0] == 0xf4)
                high = 0x8f;
        if (b[1] < low || b[1] > high)
                return 0;
        for (size_t i = 2; i < n; i++)
                if ((b[i] & 0xc0) != 0x80)
                        return 0;
        return n;
}

/* A byte order mark takes no column. */
static size_t mark_length(const struct source_text *source)
{
        static const char mark[] = "\xef\xbb\xbf";

        return source->len >= strlen(mark) && memcmp(source->text, mark, strlen(mark)) == 0 ? strlen(mark) : 0;
}

void range_locate(const struct range *range, struct range_cursor *cursor)
{
        const struct source_text *source = range->source;

        if (!source || source != cursor->source || range->start < cursor->at)
                *cursor = (struct range_cursor){
                        .source = source, .at = source ? mark_length(source) : 0, .line = 1, .column = 1};
        for (; source && cursor->at < range->start && cursor->at < source->len; cursor->at++) {
                if (source->text[cursor->at] == '\n') {
                        cursor->line++;
                        cursor->column = 1;
                } else if (((unsigned char)source->text[cursor->at] & 0xc0) != 0x80) {
                        cursor->column++; /* not a continuation byte of UTF-8 */
                }
        }
}

void range_position(const struct range *range, unsigned int *ret_line, unsigned int *ret_column)
{
        struct range_cursor cursor = {0};

        range_locate(range, &cursor);
        *ret_line = cursor.line;
        *ret_column = cursor.column;
}
