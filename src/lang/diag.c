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

/* What is shown of a line. */
struct snippet {
        size_t from, to;
        const char *cut; /* "..." where it does not begin with the line */
};

static struct snippet snippet_around(const struct source_text *source, size_t start)
{
        enum { REACH = SNIPPET_MAX - SNIPPET_BEFORE };
        const char *text = source->text;
        struct snippet ret = {.from = start, .to = start, .cut = ""};

        while (ret.from > 0 && text[ret.from - 1] != '\n' && start - ret.from <= REACH)
                ret.from--;
        if (start - ret.from > REACH) {
                ret.from = start - SNIPPET_BEFORE;
                while (ret.from < start && !starts_character(text[ret.from]))
                        ret.from++;
                ret.cut = "...";
        }
        while (ret.to < source->len && text[ret.to] != '\n' && ret.to - ret.from <= SNIPPET_MAX)
                ret.to++;
        if ((ret.to == source->len || text[ret.to] == '\n') && ret.to > start && text[ret.to - 1] == '\r')
                ret.to--;
        if (ret.to - ret.from > SNIPPET_MAX)
                for (ret.to = ret.from + SNIPPET_MAX; ret.to > start && !starts_character(text[ret.to]);)
                        ret.to--;
        return ret;
}

static void print_snippet(const struct range *range, unsigned int line, FILE *stream)
{
        const struct source_text *source = range->source;
        size_t start = range->start < source->len ? range->start : source->len;
        struct snippet snippet = snippet_around(source, start);
        int indent = fprintf(stream, "  %u: %s", line, snippet.cut);

        print_line(stream, source, snippet.from, snippet.to);
        fprintf(stream, "%*s", indent, "");
        print_underline(stream, source->text, snippet.from, start, range->end < snippet.to ? range->end : snippet.to);
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

static void print_one(const struct diag *diag, struct range_cursor *cursor, FILE *stream, bool color)
{
        const char *word = diag->severity == SEVERITY_ERROR ? "Error" : "Warning";
        const char *paint = diag->severity == SEVERITY_ERROR ? "\033[1;31m" : "\033[1;33m";

        fprintf(stream, "%s%s: %s%s\n", color ? paint : "", word, color ? "\033[0m" : "", diag->summary);
        if (diag->range.source) {
                range_locate(&diag->range, cursor);
                fprintf(stream, "\n  on %s line %u, column %u:\n", diag->range.source->path, cursor->line,
                        cursor->column);
                print_snippet(&diag->range, cursor->line, stream);
        }
        if (diag->detail)
                print_detail(diag->detail, stream);
        fputc('\n', stream);
}

void diags_print(const struct diags *diags, FILE *stream, bool color)
{
        struct range_cursor cursor = {0};

        for (size_t i = 0; i < diags->list.n; i++)
                print_one(&diags->list.v[i], &cursor, stream, color);
}

static void diag_clear(struct diag *diag)
{
        source_text_free((struct source_text *)diag->range.source);
        free(diag->summary);
        free(diag->detail);
        free(diag->meant);
}

void diags_forget_places(struct diags *diags)
{
        for (size_t i = 0; i < diags->list.n; i++) {
                source_text_free((struct source_text *)diags->list.v[i].range.source);
                diags->list.v[i].range = NO_RANGE;
        }
}

void diags_move(struct diags *dst, struct diags *src)
{
        for (size_t i = 0; i < src->list.n; i++)
                vec_push(&dst->list, src->list.v[i]);
        dst->n_errors += src->n_errors;
        vec_free(&src->list);
        src->n_errors = 0;
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
