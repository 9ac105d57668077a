/* csvdecode(): RFC 4180 as Go's encoding/csv reads it: lines end with LF or
 * CRLF, empty ones are left out, blanks count, quotes are strict. */
#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "hcl/func.h"
#include "hcl/value_internal.h"

typedef VEC(const struct hcl_value *) values;

struct table {
        struct hcl_call *call;
        values row, rows;
        struct hcl_string *names;
        size_t n_names;
        bool failed;
};

static int no_space(unsigned char c)
{
        (void)c;
        return 0;
}

static int line_feed(unsigned char c)
{
        return c == '\n';
}

static void on_field(void *data, size_t n, void *user)
{
        struct table *table = user;

        vec_push(&table->row, hcl_string_value(table->call->arena, data ? data : "", n));
}

static int by_text(const void *a, const void *b)
{
        return hcl_string_compare(a, b);
}

static void take_names(struct table *table)
{
        struct arena *arena = table->call->arena;
        struct hcl_string *sorted;

        table->n_names = table->row.n;
        table->names = arena_array(arena, table->n_names, sizeof(*table->names));
        for (size_t i = 0; i < table->n_names; i++)
                table->names[i] = table->row.v[i]->string;
        sorted = arena_memdup(arena, table->names, table->n_names * sizeof(*sorted));
        qsort(sorted, table->n_names, sizeof(*sorted), by_text);
        for (size_t i = 1; i < table->n_names && !table->failed; i++) {
                table->failed = hcl_string_compare(&sorted[i - 1], &sorted[i]) == 0;
                if (table->failed)
                        func_fail(table->call, 0, "the column \"%s\" stands twice in the first line", sorted[i].s);
        }
}

static void take_row(struct table *table)
{
        struct arena *arena = table->call->arena;

        if (table->row.n != table->n_names) {
                func_fail(table->call, 0, "record %zu has %zu fields, the first line %zu", table->rows.n + 1,
                          table->row.n, table->n_names);
                table->failed = true;
                return;
        }
        vec_push(&table->rows,
                 hcl_object_value(arena, arena_memdup(arena, table->names, table->n_names * sizeof(*table->names)),
                                  arena_memdup(arena, table->row.v, table->row.n * sizeof(*table->row.v)),
                                  table->row.n));
}

static void on_row(int end, void *user)
{
        struct table *table = user;

        (void)end;
        if (!table->failed && !table->names)
                take_names(table);
        else if (!table->failed)
                take_row(table);
        table->row.n = 0;
}

/* CRLF as LF, as on every line in Go; a CR at the very end goes too. */
static void normalize(struct hcl_string text, struct str *out)
{
        for (size_t i = 0; i < text.len; i++)
                if (text.s[i] != '\r' || (i + 1 < text.len && text.s[i + 1] != '\n'))
                        str_addc(out, text.s[i]);
}

static const struct hcl_value *bad_quotes(struct hcl_call *call, const char *text, size_t at)
{
        size_t line = 1;

        for (size_t i = 0; i < at; i++)
                line += text[i] == '\n';
        return func_fail(call, 0, "line %zu: a quote stands in the wrong place, or is not closed", line);
}

static const struct hcl_value *list_of(struct table *table)
{
        struct arena *arena = table->call->arena;
        struct hcl_attr_type *attrs = arena_array(arena, table->n_names, sizeof(*attrs));

        for (size_t i = 0; i < table->n_names; i++)
                attrs[i] = (struct hcl_attr_type){.name = table->names[i].s, .type = &hcl_string};
        return hcl_list_value(arena, hcl_type_object(arena, attrs, table->n_names),
                              arena_memdup(arena, table->rows.v, table->rows.n * sizeof(*table->rows.v)),
                              table->rows.n);
}

CALL(csvdecode)
{
        struct table table = {.call = call};
        const struct hcl_value *result = NULL;
        CLEANUP_STR struct str text = {0};
        struct csv_parser parser;
        size_t done;

        normalize(func_text(call, 0), &text);
        if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
                return func_fail(call, FUNC_WHOLE, "libcsv cannot start");
        csv_set_space_func(&parser, no_space);
        csv_set_term_func(&parser, line_feed);
        done = csv_parse(&parser, str_get(&text), text.len, on_field, on_row, &table);
        if (done < text.len || csv_fini(&parser, on_field, on_row, &table) != 0)
                bad_quotes(call, str_get(&text), done);
        else if (!table.failed && !table.names)
                func_fail(call, 0, "the text is empty; its first line must name the columns");
        else if (!table.failed)
                result = list_of(&table);
        csv_free(&parser);
        vec_free(&table.row);
        vec_free(&table.rows);
        return result;
}

FUNCTION(
        csvdecode, .returns = &hcl_any, PARAMS({"str", &hcl_string}),
        .help = "A list of objects from a table of comma-separated values, the first line of which names the columns.");
