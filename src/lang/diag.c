/* Messages about a source text, and how they are printed:
 *
 *     Error: unknown key 'image_sizes'; did you mean 'image_size'?
 *
 *       on board.json line 12, column 5:
 *       12:     "image_sizes": "2G",
 *               ^~~~~~~~~~~~~
 *
 * See diag.h. */
#include "lang/diag.h"

#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

/* A line that is longer is shown in part, around the place that is meant. */
enum { SNIPPET_MAX = 160, SNIPPET_BEFORE = 60 };

static void add(struct diags *diags, enum severity severity, struct range at, char *summary)
{
        source_text_ref(at.source);
        vec_push(&diags->list, (struct diag){.severity = severity, .range = at, .summary = summary});
        diags->n_errors += severity == SEVERITY_ERROR;
}

void diag_error(struct diags *diags, struct range at, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        add(diags, SEVERITY_ERROR, at, xvasprintf(format, ap));
        va_end(ap);
}

void diag_warning(struct diags *diags, struct range at, const char *format, ...)
{
        va_list ap;

        va_start(ap, format);
        add(diags, SEVERITY_WARNING, at, xvasprintf(format, ap));
        va_end(ap);
}

void diag_detail(struct diags *diags, const char *format, ...)
{
        struct diag *last = &diags->list.v[diags->list.n - 1];
        va_list ap;

        va_start(ap, format);
        free(last->detail);
        last->detail = xvasprintf(format, ap);
        va_end(ap);
}

void diag_meant(struct diags *diags, const char *key)
{
        struct diag *last = &diags->list.v[diags->list.n - 1];

        free(last->meant);
        last->meant = xstrdup(key);
}

static bool starts_character(char c)
{
        return ((unsigned char)c & 0xc0) != 0x80;
}

static bool is_secret(const struct source_text *source, size_t at)
{
        for (size_t i = 0; i < source->n_hidden; i++)
                if (at >= source->hidden[i].start && at < source->hidden[i].end)
                        return true;
        return false;
}

/* Bytes [from, to) of a line. What a terminal would obey, what shows nothing
 * (a byte order mark) and what is no text becomes a '?', one for each character
 * that range_position() counts. */
static void print_line(FILE *stream, const struct source_text *source, size_t from, size_t to)
{
        const char *text = source->text;

        for (size_t i = from, n; i < to; i += n) {
                unsigned char c = (unsigned char)text[i];
                bool hidden = (c < 0x20 && c != '\t') || c == 0x7f || str_starts(text + i, "\xef\xbb\xbf") ||
                              (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0);

                n = utf8_length(text + i);
                if (is_secret(source, i))
                        fputs(starts_character(text[i]) ? "*" : "", stream);
                else if (n == 0 || hidden)
                        fputs(n > 0 || starts_character(text[i]) ? "?" : "", stream);
                else
                        fwrite(text + i, 1, n, stream);
                n += n == 0;
        }
        fputc('\n', stream);
}

static void print_underline(FILE *stream, const char *text, size_t from, size_t start, size_t end)
{
        for (size_t i = from; i < start; i++)
                if (starts_character(text[i]))
                        fputc(text[i] == '\t' ? '\t' : ' ', stream);
        fputc('^', stream);
        for (size_t i = start + 1; i < end; i++)
                if (starts_character(text[i]))
                        fputc('~', stream);
        fputc('\n', stream);
}

static void print_snippet(const struct range *range, unsigned int line, FILE *stream)
{
        const char *text = range->source->text;
        size_t len = range->source->len, from, to, end;
        size_t start = range->start < len ? range->start : len;
        const char *cut = "";
        int indent;

        for (from = start; from > 0 && text[from - 1] != '\n'; from--)
                ;
        for (to = start; to < len && text[to] != '\n'; to++)
                ;
        if (to > from && text[to - 1] == '\r' && to > start)
                to--;
        if (start - from > SNIPPET_MAX - SNIPPET_BEFORE) {
                from = start - SNIPPET_BEFORE;
                while (!starts_character(text[from]))
                        from++;
                cut = "...";
        }
        if (to - from > SNIPPET_MAX)
                for (to = from + SNIPPET_MAX; !starts_character(text[to]); to--)
                        ;
        end = range->end < to ? range->end : to;
        indent = fprintf(stream, "  %u: %s", line, cut);
        print_line(stream, range->source, from, to);
        fprintf(stream, "%*s", indent, "");
        print_underline(stream, text, from, start, end);
}

static void print_detail(const char *detail, FILE *stream)
{
        fputc('\n', stream);
        while (*detail) {
                size_t n = strcspn(detail, "\n");

                fprintf(stream, "  %.*s\n", (int)n, detail);
                detail += n + (detail[n] == '\n');
        }
}

static void print_one(const struct diag *diag, FILE *stream, bool color)
{
        const char *word = diag->severity == SEVERITY_ERROR ? "Error" : "Warning";
        const char *paint = diag->severity == SEVERITY_ERROR ? "\033[1;31m" : "\033[1;33m";
        unsigned int line, column;

        fprintf(stream, "%s%s: %s%s\n", color ? paint : "", word, color ? "\033[0m" : "", diag->summary);
        if (diag->range.source) {
                range_position(&diag->range, &line, &column);
                fprintf(stream, "\n  on %s line %u, column %u:\n", diag->range.source->path, line, column);
                print_snippet(&diag->range, line, stream);
        }
        if (diag->detail)
                print_detail(diag->detail, stream);
        fputc('\n', stream);
}

void diags_print(const struct diags *diags, FILE *stream, bool color)
{
        for (size_t i = 0; i < diags->list.n; i++)
                print_one(&diags->list.v[i], stream, color);
}

static void diag_clear(struct diag *diag)
{
        source_text_free((struct source_text *)diag->range.source);
        free(diag->summary);
        free(diag->detail);
        free(diag->meant);
}

static int compare_places(const struct diag *a, const struct diag *b)
{
        const struct range *x = &a->range, *y = &b->range;

        if (!x->source != !y->source)
                return x->source ? 1 : -1;
        if (x->source != y->source)
                return strcmp(x->source->path, y->source->path);
        return (x->start > y->start) - (x->start < y->start);
}

/* A message and when it came: qsort() alone does not keep the order of equals. */
struct numbered {
        struct diag diag;
        size_t number;
};

static int compare_numbered(const void *a, const void *b)
{
        const struct numbered *x = a, *y = b;
        int order = compare_places(&x->diag, &y->diag);

        return order ? order : (x->number > y->number) - (x->number < y->number);
}

static bool same_message(const struct diag *a, const struct diag *b)
{
        return a->severity == b->severity && a->range.source && compare_places(a, b) == 0 &&
               strcmp(a->summary, b->summary) == 0;
}

void diags_sort(struct diags *diags)
{
        struct numbered *all = xcalloc(diags->list.n, sizeof(*all));
        size_t n = 0;

        for (size_t i = 0; i < diags->list.n; i++)
                all[i] = (struct numbered){diags->list.v[i], i};
        if (diags->list.n > 1)
                qsort(all, diags->list.n, sizeof(*all), compare_numbered);
        for (size_t i = 0; i < diags->list.n; i++) {
                if (n > 0 && same_message(&diags->list.v[n - 1], &all[i].diag)) {
                        diags->n_errors -= all[i].diag.severity == SEVERITY_ERROR;
                        diag_clear(&all[i].diag);
                } else {
                        diags->list.v[n++] = all[i].diag;
                }
        }
        diags->list.n = n;
        free(all);
}

static void hide(char **text, const char *secret)
{
        char *shown;

        if (!*text || !strstr(*text, secret))
                return;
        shown = str_replace(*text, secret, "<sensitive>");
        free(*text);
        *text = shown;
}

void diags_hide(struct diags *diags, const char *const *secrets)
{
        for (; secrets && *secrets; secrets++)
                for (size_t i = 0; i < diags->list.n && **secrets; i++) {
                        hide(&diags->list.v[i].summary, *secrets);
                        hide(&diags->list.v[i].detail, *secrets);
                }
}

void diags_clear(struct diags *diags)
{
        for (size_t i = 0; i < diags->list.n; i++)
                diag_clear(&diags->list.v[i]);
        vec_free(&diags->list);
        diags->n_errors = 0;
}
