/* See fix.h. What each does follows `packer fix` of Packer 1.16; fixers for
 * builders that slipway does not have are left out. */
#include "template/fix.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

typedef void (*fix_block)(json_t *block);

static void each_in(json_t *list, fix_block fix)
{
        json_t *block;
        size_t i;

        json_array_foreach(list, i, block)
        {
                if (json_is_object(block))
                        fix(block);
                else if (json_is_array(block)) /* a chain of post-processors */
                        each_in(block, fix);
        }
}

static void each_builder(json_t *root, fix_block fix)
{
        each_in(json_object_get(root, "builders"), fix);
}

static void each_post_processor(json_t *root, fix_block fix)
{
        each_in(json_object_get(root, "post-processors"), fix);
}

static const char *text(const json_t *block, const char *key)
{
        const char *s = json_string_value(json_object_get(block, key));

        return s ? s : "";
}

static void rename_key(json_t *block, const char *from, const char *to)
{
        json_t *value = json_object_get(block, from);

        if (!value)
                return;
        json_object_set(block, to, value);
        json_object_del(block, from);
}

static void replace_in(json_t *block, const char *key, const char *from, const char *to)
{
        CLEANUP_FREE char *fixed = str_replace(text(block, key), from, to);

        if (strcmp(fixed, text(block, key)) != 0)
                json_object_set_new(block, key, json_string(fixed));
}

static void iso_md5(json_t *builder)
{
        if (!json_is_string(json_object_get(builder, "iso_md5")))
                return;
        rename_key(builder, "iso_md5", "iso_checksum");
        json_object_set_new(builder, "iso_checksum_type", json_string("md5"));
}

static void fix_iso_md5(json_t *root)
{
        each_builder(root, iso_md5);
}

static void iso_checksum(json_t *builder)
{
        CLEANUP_FREE char *sum = NULL;

        if (*text(builder, "iso_checksum_url"))
                sum = xasprintf("file:%s", text(builder, "iso_checksum_url"));
        else if (*text(builder, "iso_checksum") && *text(builder, "iso_checksum_type"))
                sum = xasprintf("%s:%s", text(builder, "iso_checksum_type"), text(builder, "iso_checksum"));
        json_object_del(builder, "iso_checksum_url");
        json_object_del(builder, "iso_checksum_type");
        if (sum)
                json_object_set_new(builder, "iso_checksum", json_string(sum));
}

static void fix_iso_checksum(json_t *root)
{
        each_builder(root, iso_checksum);
}

/* {{ .CreateTime }}, with any blanks, in one text. */
static char *replace_create_time(const char *s)
{
        static const char field[] = ".CreateTime";
        struct str out = {0};

        while (*s) {
                const char *after = NULL;

                if (str_starts(s, "{{")) {
                        after = s + 2 + strspn(s + 2, " \t\n\r\f");
                        after = str_starts(after, field) ? after + strlen(field) : NULL;
                        after = after ? after + strspn(after, " \t\n\r\f") : NULL;
                        after = after && str_starts(after, "}}") ? after + 2 : NULL;
                }
                if (after)
                        str_add(&out, "{{timestamp}}");
                else
                        str_addc(&out, *s);
                s = after ? after : s + 1;
        }
        return str_steal(&out);
}

/* In all texts of a builder, where Packer looks at three keys of cloud builders only. */
static void create_time(json_t *builder)
{
        const char *key;
        json_t *value;
        void *next;

        json_object_foreach_safe(builder, next, key, value)
        {
                CLEANUP_FREE char *fixed = json_is_string(value) ? replace_create_time(json_string_value(value)) : NULL;

                if (fixed && strcmp(fixed, json_string_value(value)) != 0)
                        json_object_set_new(builder, key, json_string(fixed));
        }
}

static void fix_create_time(json_t *root)
{
        each_builder(root, create_time);
}

static void manifest_filename(json_t *post_processor)
{
        if (strcmp(text(post_processor, "type"), "manifest") == 0)
                rename_key(post_processor, "filename", "output");
}

static void fix_manifest(json_t *root)
{
        each_post_processor(root, manifest_filename);
}

static void login_email(json_t *block)
{
        json_object_del(block, "login_email");
}

static void fix_docker_email(json_t *root)
{
        if (!json_object_get(root, "post-processors"))
                return;
        each_builder(root, login_email);
        each_post_processor(root, login_email);
}

static bool has_text(const json_t *list, const char *s)
{
        const json_t *element;
        size_t i;

        json_array_foreach(list, i, element)
        {
                if (strcmp(json_string_value(element), s) == 0)
                        return true;
        }
        return false;
}

/* The tags of a list, or of "a, b", to `tags`, each once. */
static void gather_tags(const json_t *value, json_t *tags)
{
        CLEANUP_STRV char **parts = json_is_string(value) ? str_split(json_string_value(value), ",") : NULL;
        const json_t *element;
        size_t i;

        for (char **part = parts; part && *part; part++)
                if (!has_text(tags, str_trim(*part)))
                        json_array_append_new(tags, json_string(str_trim(*part)));
        json_array_foreach(value, i, element)
        {
                if (json_is_string(element) && !has_text(tags, json_string_value(element)))
                        json_array_append_new(tags, json_string(json_string_value(element)));
        }
}

static void docker_tag(json_t *post_processor)
{
        json_t *tags;

        if (strcmp(text(post_processor, "type"), "docker-tag") != 0)
                return;
        tags = json_array();
        gather_tags(json_object_get(post_processor, "tag"), tags);
        gather_tags(json_object_get(post_processor, "tags"), tags);
        json_object_del(post_processor, "tag");
        json_object_set_new(post_processor, "tags", tags);
}

static void fix_docker_tags(json_t *root)
{
        each_post_processor(root, docker_tag);
}

static void clean_name(json_t *builder)
{
        const char *key;
        json_t *value;
        void *next;

        json_object_foreach_safe(builder, next, key, value)
        {
                replace_in(builder, key, "clean_image_name", "clean_resource_name");
                replace_in(builder, key, "clean_ami_name", "clean_resource_name");
        }
}

static void fix_clean_name(json_t *root)
{
        each_builder(root, clean_name);
}

static void galaxy_command(json_t *provisioner)
{
        if (str_starts(text(provisioner, "type"), "ansible") && !json_object_get(provisioner, "galaxy_command"))
                rename_key(provisioner, "galaxycommand", "galaxy_command");
}

static void fix_galaxy_command(json_t *root)
{
        each_in(json_object_get(root, "provisioners"), galaxy_command);
}

const struct template_fixer template_fixers[] = {
        {"iso-md5", "Replaces \"iso_md5\" in builders with \"iso_checksum\"", fix_iso_md5},
        {"createtime", "Replaces \".CreateTime\" in builder configs with \"{{timestamp}}\"", fix_create_time},
        {"manifest-filename", "Updates \"manifest\" post-processor so any \"filename\" field is renamed to \"output\".",
         fix_manifest},
        {"docker-email", "Removes \"login_email\" from the Docker builder.", fix_docker_email},
        {"docker-tag-tags", "Updates \"docker\" post-processor so any \"tag\" field is renamed to \"tags\".",
         fix_docker_tags},
        {"clean-image-name", "Replaces /clean_(image|ami)_name/ in builder configs with \"clean_resource_name\"",
         fix_clean_name},
        {"galaxy-command", "Replaces \"galaxycommand\" in ansible provisioner configs with \"galaxy_command\"",
         fix_galaxy_command},
        {"iso-checksum-type-and-url",
         "Puts content of potential \"iso_checksum_url\" and \"iso_checksum_type\" in \"iso_checksum\"",
         fix_iso_checksum},
        {0},
};

void template_fix(json_t *root)
{
        for (const struct template_fixer *fixer = template_fixers; fixer->name; fixer++)
                fixer->fix(root);
}
