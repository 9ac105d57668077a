/* Keys and values of a JSON template as arguments and blocks of HCL, laid out
 * as `slipway fmt` would have them. See upgrade.h. */
#include <string.h>

#include "base/alloc.h"
#include "template/upgrade_internal.h"

enum { MAX_WIDTH = 100 };

static void indent(struct str *out, int depth)
{
        for (int i = 0; i < depth; i++)
                str_add(out, "  ");
}

static bool is_simple(const struct value *value)
{
        return value->type != VALUE_LIST && value->type != VALUE_OBJECT;
}

static void write_items(struct upgrade *upgrade, const struct upgrade_body *body, int depth, struct str *out);

static char *list_text(struct upgrade *upgrade, const struct value *list, int depth)
{
        CLEANUP_STRV char **elements = NULL;
        CLEANUP_FREE char *joined = NULL;
        struct str out = {0};
        bool simple = true;

        for (size_t i = 0; i < list->list.n; i++) {
                strv_take(&elements, upgrade_value(upgrade, list->list.v[i], depth + 1));
                simple = simple && (is_simple(list->list.v[i]) || list->list.v[i]->type == VALUE_LIST) &&
                         !strchr(elements[i], '\n');
        }
        joined = strv_join(STRV(elements), ", ");
        if (simple && strlen(joined) + 2 * (size_t)depth <= MAX_WIDTH) {
                str_addf(&out, "[%s]", joined);
                return str_steal(&out);
        }
        str_add(&out, "[\n");
        for (char **element = elements; element && *element; element++) {
                indent(&out, depth + 1);
                str_addf(&out, "%s,\n", *element);
        }
        indent(&out, depth);
        str_addc(&out, ']');
        return str_steal(&out);
}

static int compare_entries(const void *a, const void *b)
{
        const struct value_entry *const *x = a, *const *y = b;

        return strcmp((*x)->key, (*y)->key);
}

/* Members sorted by key; the caller frees the list. */
static const struct value_entry **sorted(const struct value *object)
{
        const struct value_entry **entries = xcalloc(object->object.n + 1, sizeof(*entries));

        for (size_t i = 0; i < object->object.n; i++)
                entries[i] = &object->object.v[i];
        if (object->object.n > 1)
                qsort(entries, object->object.n, sizeof(*entries), compare_entries);
        return entries;
}

static char *object_text(struct upgrade *upgrade, const struct value *object, int depth)
{
        CLEANUP_FREE const struct value_entry **entries = sorted(object);
        struct upgrade_body body = {0};
        struct str out = {0};

        for (size_t i = 0; i < object->object.n; i++) {
                const char *key = entries[i]->key;
                CLEANUP_FREE char *quoted = upgrade_is_identifier(key) ? xstrdup(key) : upgrade_quote(key);

                upgrade_body_add(&body, quoted, upgrade_value(upgrade, entries[i]->value, depth + 1));
        }
        if (object->object.n == 0) {
                str_add(&out, "{}");
        } else {
                str_add(&out, "{\n");
                write_items(upgrade, &body, depth + 1, &out);
                indent(&out, depth);
                str_addc(&out, '}');
        }
        upgrade_body_clear(&body);
        return str_steal(&out);
}

char *upgrade_value(struct upgrade *upgrade, const struct value *value, int depth)
{
        switch (value->type) {
        case VALUE_NULL:
                return xstrdup("null");
        case VALUE_BOOL:
                return xstrdup(value->boolean ? "true" : "false");
        case VALUE_NUMBER:
                return xstrdup(value->string);
        case VALUE_STRING:
                return upgrade_text(upgrade, value->string, value->range);
        case VALUE_LIST:
                return list_text(upgrade, value, depth);
        case VALUE_OBJECT:
                return object_text(upgrade, value, depth);
        }
        return xstrdup("null");
}

void upgrade_body_add(struct upgrade_body *body, const char *name, char *text)
{
        vec_push(&body->items, (struct upgrade_item){.name = xstrdup(name), .text = text});
}

static void add_block(struct upgrade_body *body, const char *name, const struct value *block,
                      const struct schema *schema)
{
        vec_push(&body->items, (struct upgrade_item){.name = xstrdup(name), .block = block, .schema = schema});
}

static const struct schema_key *find_key(const struct schema *schema, const char *name)
{
        for (size_t i = 0; schema && i < schema->n_keys; i++)
                if (strcmp(schema->keys[i].name, name) == 0)
                        return &schema->keys[i];
        return NULL;
}

/* Is the key written as blocks? Where no table says so, as Packer guesses: objects in a list, and
 * objects that hold more than plain values. */
static bool is_block(const struct schema *schema, const struct schema_key *key, const struct value *value)
{
        if (schema)
                return key && key->type == SCHEMA_BLOCKS;
        if (value->type == VALUE_LIST)
                return value->list.n > 0 && value->list.v[0]->type == VALUE_OBJECT;
        if (value->type != VALUE_OBJECT)
                return false;
        for (size_t i = 0; i < value->object.n; i++)
                if (!is_simple(value->object.v[i].value))
                        return true;
        return value->object.n == 0;
}

void upgrade_body_fill(struct upgrade *upgrade, struct upgrade_body *body, const struct value *object,
                       const struct schema *schema, const char *const *skip, int depth)
{
        CLEANUP_FREE const struct value_entry **entries = sorted(object);

        for (size_t i = 0; i < object->object.n; i++) {
                const struct value *value = entries[i]->value;
                const struct schema_key *key = find_key(schema, entries[i]->key);
                CLEANUP_FREE char *name = upgrade_identifier(entries[i]->key);

                if (entries[i]->key[0] == '_' || (skip && strv_has(skip, entries[i]->key)))
                        continue;
                if (!is_block(schema, key, value)) {
                        upgrade_body_add(body, name, upgrade_value(upgrade, value, depth));
                        continue;
                }
                if (value->type == VALUE_OBJECT)
                        add_block(body, name, value, key ? key->sub : NULL);
                for (size_t j = 0; value->type == VALUE_LIST && j < value->list.n; j++)
                        if (value->list.v[j]->type == VALUE_OBJECT)
                                add_block(body, name, value->list.v[j], key ? key->sub : NULL);
        }
}

/* The length of the longest name among the one-line arguments that follow each other. */
static size_t run_width(const struct upgrade_body *body, size_t at, size_t *ret_end)
{
        size_t width = 0;

        for (; at < body->items.n && body->items.v[at].text && !strchr(body->items.v[at].text, '\n'); at++)
                if (strlen(body->items.v[at].name) > width)
                        width = strlen(body->items.v[at].name);
        *ret_end = at;
        return width;
}

static void write_block(struct upgrade *upgrade, const struct upgrade_item *item, int depth, struct str *out)
{
        struct upgrade_body body = {0};

        upgrade_body_fill(upgrade, &body, item->block, item->schema, NULL, depth + 1);
        indent(out, depth);
        str_addf(out, "%s ", item->name);
        upgrade_body_braces(upgrade, &body, depth, out);
        upgrade_body_clear(&body);
}

static void write_items(struct upgrade *upgrade, const struct upgrade_body *body, int depth, struct str *out)
{
        size_t run_end = 0, width = 0;

        for (size_t i = 0; i < body->items.n; i++) {
                const struct upgrade_item *item = &body->items.v[i];

                if (i >= run_end)
                        width = run_width(body, i, &run_end);
                if (!item->text) {
                        write_block(upgrade, item, depth, out);
                        continue;
                }
                indent(out, depth);
                str_addf(out, "%-*s = %s\n", i < run_end ? (int)width : 0, item->name, item->text);
        }
}

void upgrade_body_braces(struct upgrade *upgrade, const struct upgrade_body *body, int depth, struct str *out)
{
        if (body->items.n == 0) {
                str_add(out, "{}\n");
                return;
        }
        str_add(out, "{\n");
        write_items(upgrade, body, depth + 1, out);
        indent(out, depth);
        str_add(out, "}\n");
}

void upgrade_body_clear(struct upgrade_body *body)
{
        for (size_t i = 0; i < body->items.n; i++) {
                free(body->items.v[i].name);
                free(body->items.v[i].text);
        }
        vec_free(&body->items);
}
