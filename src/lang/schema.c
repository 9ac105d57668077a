/* From an object to a C struct by a table of keys. See schema.h; single values
 * are read by schema_scalar.c. */
#include "lang/schema.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/str.h"
#include "lang/schema_internal.h"

/* A string where a list is expected: its parts between commas, as Packer's decoder has it. */
static bool split_string(const struct decode *decode, const struct value *value, char ***field)
{
        CLEANUP_FREE char *text = NULL;

        if (value->typed) {
                schema_wrong_type(decode, value, "a list of strings");
                return false;
        }
        text = schema_text(decode, value);
        if (!text)
                return false;
        strv_freep(field);
        *field = *text ? str_split(text, ",") : NULL;
        return true;
}

static bool decode_strings(const struct decode *decode, const struct value *value, char ***field)
{
        bool ok = true;

        if (value->type == VALUE_OBJECT && value->object.n > 0) {
                schema_wrong_type(decode, value, "a list of strings");
                return false;
        }
        if (value->type != VALUE_LIST)
                return value->type == VALUE_OBJECT || split_string(decode, value, field);
        for (size_t i = 0; i < value->list.n; i++) {
                const struct value *element = value->list.v[i];
                char *text;

                if (element->type == VALUE_NULL || element->type == VALUE_LIST || element->type == VALUE_OBJECT) {
                        diag_error(decode->diags, element->range, "element %zu of '%s' must be a string, not %s", i + 1,
                                   decode->key->name, value_type_name(element->type));
                        ok = false;
                } else if ((text = schema_text(decode, element))) {
                        strv_take(field, text);
                } else {
                        ok = false;
                }
        }
        return ok;
}

static bool decode_ints(const struct decode *decode, const struct value *value, struct schema_ints *field)
{
        const struct schema_key element_key = {
                .name = decode->key->name, .type = SCHEMA_INT, .flags = decode->key->flags};
        const struct decode one = {decode->schema, &element_key, decode->interp, decode->diags};
        bool is_list = value->type == VALUE_LIST, ok = true;
        size_t n = is_list ? value->list.n : 1;

        field->v = xcalloc(n + 1, sizeof(*field->v));
        field->n = n;
        for (size_t i = 0; i < n; i++)
                ok &= schema_scalar(&one, is_list ? value->list.v[i] : value, &field->v[i]);
        return ok;
}

static bool decode_string_lists(const struct decode *decode, const struct value *value,
                                struct schema_string_lists *field)
{
        bool ok = true;

        if (value->type != VALUE_LIST) {
                schema_wrong_type(decode, value, "a list of lists of strings, [[\"program\", \"argument\"], ...]");
                return false;
        }
        field->v = xcalloc(value->list.n + 1, sizeof(*field->v));
        field->n = value->list.n;
        for (size_t i = 0; i < value->list.n; i++)
                ok &= decode_strings(decode, value->list.v[i], &field->v[i]);
        return ok;
}

static int compare_strings(const void *a, const void *b)
{
        const char *x = *(char *const *)a, *y = *(char *const *)b;
        size_t n = strcspn(x, "="), m = strcspn(y, "=");
        int order = strncmp(x, y, n < m ? n : m);

        return order != 0 ? order : (n > m) - (n < m);
}

static bool add_map(const struct decode *decode, const struct value *value, char ***field)
{
        bool ok = true;

        if (value->type != VALUE_OBJECT) {
                schema_wrong_type(decode, value, "an object of strings, {\"NAME\": \"value\"}");
                return false;
        }
        for (size_t i = 0; i < value->object.n; i++) {
                const struct value_entry *entry = &value->object.v[i];
                CLEANUP_FREE char *text = NULL;

                if (entry->value->type == VALUE_LIST || entry->value->type == VALUE_OBJECT) {
                        diag_error(decode->diags, entry->value->range, "'%s' in '%s' must be a string, not %s",
                                   entry->key, decode->key->name, value_type_name(entry->value->type));
                        ok = false;
                        continue;
                }
                text = entry->value->type == VALUE_NULL ? xstrdup("") : schema_text(decode, entry->value);
                if (text)
                        strv_setenv(field, entry->key, text);
                ok &= text != NULL;
        }
        return ok;
}

static bool decode_string_map(const struct decode *decode, const struct value *value, char ***field)
{
        bool ok = true;

        /* A list of objects is merged, as mapstructure does. */
        if (value->type == VALUE_LIST)
                for (size_t i = 0; i < value->list.n; i++)
                        ok &= add_map(decode, value->list.v[i], field);
        else
                ok = add_map(decode, value, field);
        if (*field)
                qsort(*field, strv_len(STRV(*field)), sizeof(char *), compare_strings);
        return ok;
}

static bool decode_blocks(const struct decode *decode, const struct value *value, struct schema_blocks *field)
{
        const struct schema *sub = decode->key->sub;
        bool is_list = value->type == VALUE_LIST, ok = true;
        size_t n = is_list ? value->list.n : 1;

        if (!is_list && value->type != VALUE_OBJECT) {
                schema_wrong_type(decode, value, "a list of objects");
                return false;
        }
        field->v = xcalloc(n + 1, sub->size);
        field->n = n;
        for (size_t i = 0; i < n; i++)
                ok &= schema_decode(sub, is_list ? value->list.v[i] : value, NULL, decode->interp,
                                    (char *)field->v + i * sub->size, decode->diags) == 0;
        return ok;
}

static bool decode_key(const struct decode *decode, const struct value *value, void *field)
{
        switch (decode->key->type) {
        case SCHEMA_STRING:
        case SCHEMA_BOOL:
        case SCHEMA_TRISTATE:
        case SCHEMA_INT:
        case SCHEMA_SIZE:
        case SCHEMA_DURATION:
                return schema_scalar(decode, value, field);
        case SCHEMA_STRINGS:
                return decode_strings(decode, value, field);
        case SCHEMA_INTS:
                return decode_ints(decode, value, field);
        case SCHEMA_STRING_LISTS:
                return decode_string_lists(decode, value, field);
        case SCHEMA_STRING_MAP:
                return decode_string_map(decode, value, field);
        case SCHEMA_BLOCKS:
                return decode_blocks(decode, value, field);
        case SCHEMA_VALUE:
                *(const struct value **)field = value;
                return true;
        }
        return false;
}

static const char *same_but_for_case(const char *name, const char *const *names)
{
        for (; names && *names; names++)
                if (strcasecmp(*names, name) == 0)
                        return *names;
        return NULL;
}

void schema_unknown_key(const struct value_entry *entry, const char *where, const char *const *names,
                        struct diags *diags)
{
        const char *nearest = same_but_for_case(entry->key, names);
        CLEANUP_STR struct str all = {0};
        size_t column = 0;

        if (!nearest)
                nearest = str_nearest(entry->key, names);
        if (nearest) {
                diag_error(diags, entry->key_range, "unknown key '%s'; did you mean '%s'?", entry->key, nearest);
                diag_meant(diags, nearest);
                return;
        }
        diag_error(diags, entry->key_range, "unknown key '%s' in %s", entry->key, where);
        for (size_t i = 0; names && names[i]; i++) {
                bool wrap = column + strlen(names[i]) > 76;

                if (i > 0)
                        str_add(&all, wrap ? ",\n" : ", ");
                column = (wrap ? 0 : column) + strlen(names[i]) + 2;
                str_add(&all, names[i]);
        }
        if (all.len > 0)
                diag_detail(diags, "It takes these keys:\n%s", str_get(&all));
}

const struct value_entry *schema_misspelt(const struct value *value, const char *key, const struct diags *diags)
{
        for (size_t i = 0; i < diags->list.n; i++) {
                const struct diag *diag = &diags->list.v[i];

                for (size_t k = 0; str_eq(diag->meant, key) && k < value->object.n; k++) {
                        const struct value_entry *entry = &value->object.v[k];

                        if (entry->key_range.source == diag->range.source &&
                            entry->key_range.start == diag->range.start)
                                return entry;
                }
        }
        return NULL;
}

static void check_unknown(const struct schema *schema, const struct value *value, const char *const *ignore,
                          struct diags *diags)
{
        CLEANUP_STRV char **names = NULL;

        for (size_t i = 0; i < schema->n_keys; i++)
                if (schema->keys[i].name[0] != '_') /* not for templates */
                        strv_add(&names, schema->keys[i].name);
        strv_extend(&names, ignore);
        for (size_t i = 0; i < value->object.n; i++) {
                const struct value_entry *entry = &value->object.v[i];

                if (entry->key[0] != '_' && !strv_has(STRV(names), entry->key))
                        schema_unknown_key(entry, schema->name, STRV(names), diags);
        }
}

/* The key's default, as if it had been written: a list in JSON, or plain text. */
static void apply_fallback(const struct decode *decode, void *field)
{
        CLEANUP(source_text_freep) struct source_text *source = NULL;
        CLEANUP(value_freep) struct value *value = NULL;
        const char *text = decode->key->fallback;

        if (decode->key->type == SCHEMA_TRISTATE)
                *(int *)field = -1;
        if (!text)
                return;
        if (*text == '[' && decode->key->type != SCHEMA_STRING) {
                source = source_text_new(decode->schema->name, text, strlen(text));
                value = json_read(source, decode->diags);
        } else {
                value = value_new(VALUE_STRING, NO_RANGE);
                value->string = xstrdup(text);
        }
        if (value)
                decode_key(decode, value, field);
}

/* A range that shows where a block begins, not all of it. */
static struct range block_start(const struct value *value)
{
        struct range range = value->range;

        if (range.end > range.start + 1)
                range.end = range.start + 1;
        return range;
}

/* A key of the block that is nearly this one, and none of the schema's; or NULL. */
static const struct value_entry *slip_for(const struct schema *schema, const struct value *block, const char *key)
{
        const char *const names[] = {key, NULL};

        for (size_t i = 0; i < block->object.n; i++) {
                const struct value_entry *entry = &block->object.v[i];
                bool known = entry->key[0] == '_'; /* a comment */

                for (size_t k = 0; k < schema->n_keys; k++)
                        known = known || strcmp(schema->keys[k].name, entry->key) == 0;
                if (!known && (same_but_for_case(entry->key, names) || str_nearest(entry->key, names)))
                        return entry;
        }
        return NULL;
}

/* With `others`, where nobody has looked for unknown keys yet, what is nearly the key counts as a slip for it. */
static void missing(const struct decode *decode, const struct value *block, bool others)
{
        const struct value_entry *slip;

        if (schema_misspelt(block, decode->key->name, decode->diags))
                return;
        slip = others ? slip_for(decode->schema, block, decode->key->name) : NULL;
        if (slip) {
                schema_unknown_key(slip, decode->schema->name, (const char *const[]){decode->key->name, NULL},
                                   decode->diags);
                return;
        }
        diag_error(decode->diags, block_start(block), "%s needs the key '%s'", decode->schema->name, decode->key->name);
        if (decode->key->help)
                diag_detail(decode->diags, "%s", decode->key->help);
}

static void decode_keys(const struct schema *schema, const struct value *value, bool others,
                        const struct interp *interp, void *out, struct diags *diags)
{
        struct decode decode = {.schema = schema, .interp = interp, .diags = diags};

        for (size_t i = 0; i < schema->n_keys; i++) {
                const struct value *member = value_get(value, schema->keys[i].name);
                void *field = (char *)out + schema->keys[i].offset;

                decode.key = &schema->keys[i];
                if (member && member->type == VALUE_NULL && !member->unknown)
                        member = NULL; /* as if it were not there */
                if (!member && (decode.key->flags & SCHEMA_REQUIRED)) {
                        missing(&decode, value, others);
                } else if (member && member->unknown &&
                           (decode.key->type != SCHEMA_BLOCKS || member->type == VALUE_NULL)) {
                        continue; /* there is nothing yet to hold against its type */
                } else if (member) {
                        if (decode.key->type == SCHEMA_TRISTATE)
                                *(int *)field = -1;
                        decode_key(&decode, member, field);
                } else {
                        apply_fallback(&decode, field);
                }
        }
}

static int decode(const struct schema *schema, const struct value *value, bool others, const char *const *ignore,
                  const struct interp *interp, void *out, struct diags *diags)
{
        size_t errors_before = diags->n_errors;

        memset(out, 0, schema->size);
        if (value->type != VALUE_OBJECT) {
                diag_error(diags, value->range, "%s must be an object { ... }, not %s", schema->name,
                           value_type_name(value->type));
                return -EINVAL;
        }
        if (!others)
                check_unknown(schema, value, ignore, diags);
        decode_keys(schema, value, others, interp, out, diags);
        return diags->n_errors > errors_before ? -EINVAL : 0;
}

int schema_decode(const struct schema *schema, const struct value *value, const char *const *ignore,
                  const struct interp *interp, void *out, struct diags *diags)
{
        return decode(schema, value, false, ignore, interp, out, diags);
}

int schema_decode_part(const struct schema *schema, const struct value *value, const struct interp *interp, void *out,
                       struct diags *diags)
{
        return decode(schema, value, true, NULL, interp, out, diags);
}

struct range schema_range(const struct value *value, const char *key)
{
        const struct value *member = value_get(value, key);

        return member ? member->range : block_start(value);
}

char *schema_written(struct range at, const char *key, const char *value)
{
        const char *text = at.source ? at.source->text : "{";

        /* no HCL2 in native syntax begins with a brace, and no JSON without one */
        return text[strspn(text, " \t\r\n")] == '{' ? xasprintf("\"%s\": %s", key, value)
                                                    : xasprintf("%s = %s", key, value);
}

const struct value *schema_block(const struct value *value, const char *key, size_t i)
{
        const struct value *member = value_get(value, key);

        if (!member || member->type == VALUE_NULL)
                return NULL;
        if (member->type != VALUE_LIST)
                return i == 0 ? member : NULL;
        return i < member->list.n ? member->list.v[i] : NULL;
}
