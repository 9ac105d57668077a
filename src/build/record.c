/* See record.h. */
#include "build/record.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

void plan_record_add(struct plan_record *record, const char *what, const char *hex, const struct key *parts)
{
        json_t *list = json_array();

        if (!record->layers)
                record->layers = json_array();
        for (size_t i = 0; i < parts->parts.n; i++)
                json_array_append_new(list, json_pack("[s,s]", parts->parts.v[i].name, parts->parts.v[i].hex));
        json_array_append_new(record->layers, json_pack("{s:s,s:s,s:o}", "what", what, "key", hex, "parts", list));
}

/* NULL for a template that has no place. */
static char *path_of(const char *root, const char *template_path, const char *name)
{
        CLEANUP_FREE char *real = realpath(template_path, NULL);
        CLEANUP_KEY struct key key = {0};
        char hex[DIGEST_HEX_MAX];

        if (!real)
                return NULL;
        key_text(&key, "template", real);
        key_text(&key, "build", name);
        key_final(&key, hex);
        return xasprintf("%s/plans/%s.json", root, hex);
}

int plan_record_save(const struct plan_record *record, const char *root, const char *template_path, const char *name,
                     struct error *err)
{
        CLEANUP_FREE char *path = record->layers ? path_of(root, template_path, name) : NULL, *text = NULL;

        if (!path)
                return 0;
        text = json_dumps(record->layers, JSON_COMPACT);
        return text ? file_write(path, text, strlen(text), 0644, err) : error_set(err, EINVAL, "a name is not UTF-8");
}

void plan_record_load(struct plan_record *record, const char *root, const char *template_path, const char *name)
{
        CLEANUP_FREE char *path = path_of(root, template_path, name);

        record->layers = path ? json_load_file(path, 0, NULL) : NULL;
        if (!json_is_array(record->layers))
                plan_record_clear(record);
}

/* The n-th part of this name, since names may repeat; or NULL. */
static const char *part_of(const json_t *parts, const char *name, size_t n)
{
        const json_t *part;
        size_t i;

        json_array_foreach(parts, i, part)
        {
                const char *found = json_string_value(json_array_get(part, 0));

                if (str_eq(found, name) && n-- == 0)
                        return json_string_value(json_array_get(part, 1));
        }
        return NULL;
}

static size_t same_before(const struct key *parts, size_t i)
{
        size_t n = 0;

        for (size_t j = 0; j < i; j++)
                n += strcmp(parts->parts.v[j].name, parts->parts.v[i].name) == 0;
        return n;
}

/* Parts that the layer had and has no more. */
static void add_gone(const json_t *old, const struct key *parts, char ***names)
{
        const json_t *part;
        size_t i;

        json_array_foreach(old, i, part)
        {
                const char *name = json_string_value(json_array_get(part, 0));
                bool there = false;

                for (size_t j = 0; name && j < parts->parts.n; j++)
                        there = there || strcmp(parts->parts.v[j].name, name) == 0;
                if (name && !there && !strv_has(STRV(*names), name))
                        strv_add(names, name);
        }
}

char **plan_record_changed(const struct plan_record *record, size_t i, const struct key *parts, bool *ret_known)
{
        const json_t *old = json_object_get(json_array_get(record->layers, i), "parts");
        char **names = NULL;

        *ret_known = old != NULL;
        if (!old)
                return NULL;
        for (size_t j = 0; j < parts->parts.n; j++) {
                const struct key_part *part = &parts->parts.v[j];

                if (!str_eq(part_of(old, part->name, same_before(parts, j)), part->hex) &&
                    !strv_has(STRV(names), part->name))
                        strv_add(&names, part->name);
        }
        add_gone(old, parts, &names);
        return names;
}

void plan_record_clear(struct plan_record *record)
{
        json_decref(record->layers);
        record->layers = NULL;
}

/* ---- platforms ---- */

int base_platform_save(const char *root, const char *base_key, const char *platform, struct error *err)
{
        CLEANUP_FREE char *path = xasprintf("%s/plans/%s.platform", root, base_key);

        return file_write(path, platform, strlen(platform), 0644, err);
}

void base_platform_load(const char *root, const char *base_key, char *ret, size_t size)
{
        CLEANUP_FREE char *path = xasprintf("%s/plans/%s.platform", root, base_key), *text = NULL;

        snprintf(ret, size, "%s", file_read(path, size - 1, &text, NULL, NULL) == 0 ? text : "");
}
