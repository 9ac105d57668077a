/* See entry.h. */
#include "release/entry.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/str.h"
#include "hcl/function.h"
#include "hcl/syntax.h"

enum { KEYS_MAX = 24 };

#define KEYS(table) .keys = (table), .n_keys = sizeof(table) / sizeof((table)[0])

static const struct entry_key top_keys[] = {
        {"title", ENTRY_TEXT, .help = "What it is, in a few words"},
        {"homepage", ENTRY_TEXT, .help = "Where its makers present it"},
        {"license", ENTRY_TEXT, .help = "An SPDX expression"},
        {"os", ENTRY_TEXT, .help = "The makers' name of Linux; linux"},
        {"arch", ENTRY_MAP, .required = true,
         .help = "The makers' names of architectures, by those of uname -m: { x86_64 = \"amd64\" }"},
        {"libc", ENTRY_TEXT, .help = "The C library that its builds need: \"glibc\", or \"none\"; left out: not known"},
        {"base", ENTRY_TEXT, .help = "What addresses begin with: ${base}; -base-url takes its place"},
        {"url", ENTRY_TEXT, .required = true, .help = "The address of a release"},
        {"strip", ENTRY_NUMBER, .help = "How many folders at the archive's top are left out; 0"},
        {"file", ENTRY_TEXT, .help = "The release is no archive but one program, which gets this name"},
        {"merge", ENTRY_TEXTS, .help = "Folders of the archive that are laid over each other, as the release's top"},
        {"bin", ENTRY_TEXTS, .help = "Folders that go on PATH; \".\" is the release's top"},
        {"env", ENTRY_MAP, .help = "Environment of its users; ${dir} is where it lies"},
        {"validate", ENTRY_TEXTS, .help = "A command that must succeed before it comes into use"},
        {"expect", ENTRY_TEXT, .help = "What that command must say, among other things"},
};
static const struct entry_key versions_keys[] = {
        {"url", ENTRY_TEXT, .help = "A list of the versions that there are"},
        {"path", ENTRY_TEXTS, .help = "Where they are in JSON; left out: the text is searched by the pattern"},
        {"pattern", ENTRY_TEXT, .help = "A regular expression; its first group is the version"},
        {"list", ENTRY_TEXTS, .help = "The versions themselves, in place of an address"},
};
static const struct entry_key checksum_keys[] = {
        {"url", ENTRY_TEXT, .required = true, .help = "A file of checksums, or JSON that has them"},
        {"path", ENTRY_TEXTS, .help = "Where it is in JSON"},
        {"pattern", ENTRY_TEXT, .help = "A regular expression; its first group is the checksum"},
        {"type", ENTRY_TEXT, .help = "sha256, sha512...; left out: as its length tells"},
};
static const struct entry_key signature_keys[] = {
        {"url", ENTRY_TEXT, .required = true, .help = "The signature"},
        {"of", ENTRY_TEXT, .help = "\"archive\" or \"checksum\": what is signed; archive"},
        {"type", ENTRY_TEXT, .help = "\"openpgp\" or \"minisign\"; openpgp"},
        {"key", ENTRY_TEXT,
         .help = "minisign: the public key; openpgp: a file of public keys, or their armoured text; left out: a file "
                 "NAME.asc (NAME.pub of minisign) beside entries"},
};
const struct entry_table entry_tables[ENTRY_BLOCKS] = {
        [ENTRY_TOP] = {"release", KEYS(top_keys)},
        [ENTRY_VERSIONS] = {"versions", KEYS(versions_keys)},
        [ENTRY_CHECKSUM] = {"checksum", KEYS(checksum_keys)},
        [ENTRY_SIGNATURE] = {"signature", KEYS(signature_keys)},
};

static const char *const variables[] = {"arch", "base", "dir", "machine", "name", "os", "url", "version"};
enum { N_VARIABLES = sizeof(variables) / sizeof(variables[0]) };

struct entry {
        struct arena arena;
        struct source_text *source;
        struct hcl_env env;
        struct hcl_scope base;
        const struct hcl_value *values[N_VARIABLES];
        struct hcl_content content[ENTRY_BLOCKS];
        bool has[ENTRY_BLOCKS];
};

/* ---- messages ---- */

/* The first of the messages, with its place. */
static int failed(const struct diags *diags, struct error *err)
{
        const struct diag *diag = &diags->list.v[0];
        unsigned int line = 0, column = 0;

        if (!diag->range.source)
                return error_set(err, EINVAL, "%s", diag->summary);
        range_position(&diag->range, &line, &column);
        return error_set(err, EINVAL, "%s:%u:%u: %s%s%s", diag->range.source->path, line, column, diag->summary,
                         diag->detail ? "\n" : "", diag->detail ? diag->detail : "");
}

/* ---- values ---- */

void entry_set(struct entry *entry, const char *variable, const char *value)
{
        for (size_t i = 0; i < N_VARIABLES; i++)
                if (strcmp(variables[i], variable) == 0)
                        entry->values[i] = hcl_string_from(&entry->arena, value);
}

bool entry_has(const struct entry *entry, enum entry_block block)
{
        return entry->has[block];
}

static const struct hcl_value *scope_object(struct entry *entry)
{
        struct hcl_string *keys = arena_array(&entry->arena, N_VARIABLES, sizeof(*keys));
        const struct hcl_value **values = arena_memdup(&entry->arena, entry->values, sizeof(entry->values));

        for (size_t i = 0; i < N_VARIABLES; i++)
                keys[i] = (struct hcl_string){variables[i], strlen(variables[i])};
        return hcl_object_value(&entry->arena, keys, values, N_VARIABLES);
}

static const struct hcl_type *type_of(struct entry *entry, enum entry_key_type type)
{
        switch (type) {
        case ENTRY_TEXTS:
                return hcl_type_list(&entry->arena, &hcl_string);
        case ENTRY_MAP:
                return hcl_type_map(&entry->arena, &hcl_string);
        case ENTRY_NUMBER:
                return &hcl_number;
        case ENTRY_TEXT:
        default:
                return &hcl_string;
        }
}

/* The key's value, of its type; *ret is NULL where it is left out. It may be unknown. */
static int evaluate(struct entry *entry, enum entry_block block, const struct entry_key *key,
                    const struct hcl_value **ret, struct error *err)
{
        const struct hcl_attr *attr = hcl_content_attr(&entry->content[block], key->name);
        struct hcl_scope scope = {.parent = &entry->base, .variables = scope_object(entry)};
        struct diags diags = {0};
        CLEANUP_ERROR struct error problem = {0};
        const struct hcl_value *value;
        int r = 0;

        *ret = NULL;
        if (!attr)
                return 0;
        value = hcl_eval(&entry->arena, attr->expr, &scope, &diags);
        if (diags.n_errors == 0 && hcl_convert(&entry->arena, value, type_of(entry, key->type), &value, &problem) < 0)
                diag_error(&diags, attr->expr->range, "'%s': %s", key->name, error_message(&problem));
        if (diags.n_errors > 0)
                r = failed(&diags, err);
        else if (value->state != HCL_NULL)
                *ret = value;
        diags_clear(&diags);
        return r;
}

static int known(struct entry *entry, enum entry_block block, const char *name, const struct hcl_value **ret,
                 struct error *err)
{
        const struct entry_table *table = &entry_tables[block];
        const struct entry_key *key = table->keys;
        int r;

        while (strcmp(key->name, name) != 0)
                key++;
        r = evaluate(entry, block, key, ret, err);
        if (r == 0 && *ret && !hcl_value_known(*ret))
                return error_set(err, EINVAL, "%s: '%s' depends on what is not known before it", entry->source->path,
                                 name);
        return r;
}

int entry_text(struct entry *entry, enum entry_block block, const char *key, char **ret, struct error *err)
{
        const struct hcl_value *value;
        int r = known(entry, block, key, &value, err);

        if (r == 0)
                *ret = value ? xstrdup(value->string.s) : NULL;
        return r;
}

int entry_texts(struct entry *entry, enum entry_block block, const char *key, char ***ret, struct error *err)
{
        const struct hcl_value *value;
        int r = known(entry, block, key, &value, err);

        if (r < 0)
                return r;
        *ret = NULL;
        for (size_t i = 0; value && i < value->list.n; i++)
                strv_add(ret, value->list.v[i]->state == HCL_KNOWN ? value->list.v[i]->string.s : "");
        return 0;
}

int entry_map(struct entry *entry, enum entry_block block, const char *key, char ***ret, struct error *err)
{
        const struct hcl_value *value;
        int r = known(entry, block, key, &value, err);

        if (r < 0)
                return r;
        *ret = NULL;
        for (size_t i = 0; value && i < value->list.n; i++)
                if (value->list.v[i]->state == HCL_KNOWN)
                        strv_addf(ret, "%s=%s", value->list.keys[i].s, value->list.v[i]->string.s);
        return 0;
}

int entry_number(struct entry *entry, enum entry_block block, const char *key, int64_t *ret, struct error *err)
{
        const struct hcl_value *value;
        int r = known(entry, block, key, &value, err);

        if (r < 0)
                return r;
        *ret = 0;
        if (value && (!hcl_number_int(value, ret) || *ret < 0))
                return error_set(err, EINVAL, "%s: '%s' is a whole number, 0 or more", entry->source->path, key);
        return 0;
}

/* ---- reading ---- */

static void read_block(struct entry *entry, enum entry_block block, const struct hcl_body *body, struct diags *diags)
{
        static const struct hcl_block_schema below[] = {
                {"versions", {NULL}}, {"checksum", {NULL}}, {"signature", {NULL}}};
        const struct entry_table *table = &entry_tables[block];
        struct hcl_attr_schema attrs[KEYS_MAX];

        for (size_t i = 0; i < table->n_keys; i++)
                attrs[i] = (struct hcl_attr_schema){table->keys[i].name, table->keys[i].required};
        hcl_body_content(&entry->arena, body,
                         &(struct hcl_body_schema){.attrs = attrs,
                                                   .n_attrs = table->n_keys,
                                                   .blocks = below,
                                                   .n_blocks = block == ENTRY_TOP ? 3 : 0},
                         NULL, &entry->content[block], diags);
        entry->has[block] = true;
}

static void read_release(struct entry *entry, const struct hcl_block *block, struct diags *diags)
{
        read_block(entry, ENTRY_TOP, block->body, diags);
        for (size_t i = 0; i < entry->content[ENTRY_TOP].n_blocks; i++) {
                const struct hcl_block *inner = &entry->content[ENTRY_TOP].blocks[i];

                for (enum entry_block kind = ENTRY_VERSIONS; kind < ENTRY_BLOCKS; kind++) {
                        if (strcmp(entry_tables[kind].type, inner->type) != 0)
                                continue;
                        if (entry->has[kind])
                                diag_error(diags, inner->open_range, "a second block '%s'", inner->type);
                        read_block(entry, kind, inner->body, diags);
                }
        }
}

/* With all variables unknown: names and types. */
static int check(struct entry *entry, struct error *err)
{
        const struct hcl_value *value;
        int r = 0;

        for (enum entry_block block = ENTRY_TOP; r == 0 && block < ENTRY_BLOCKS; block++)
                for (size_t i = 0; r == 0 && entry->has[block] && i < entry_tables[block].n_keys; i++)
                        r = evaluate(entry, block, &entry_tables[block].keys[i], &value, err);
        return r;
}

static int read_text(struct entry *entry, const char *name, struct error *err)
{
        static const struct hcl_block_schema kinds[] = {{"release", {"name"}}};
        static const struct hcl_body_schema schema = {.blocks = kinds, .n_blocks = 1};
        struct diags diags = {0};
        struct hcl_content content;
        int r = 0;

        hcl_body_content(&entry->arena, hcl_parse(&entry->arena, entry->source, &diags), &schema, NULL, &content,
                         &diags);
        for (size_t i = 0; i < content.n_blocks && !entry->has[ENTRY_TOP]; i++)
                if (content.blocks[i].n_labels == 1 && strcmp(content.blocks[i].labels[0].text, name) == 0)
                        read_release(entry, &content.blocks[i], &diags);
        if (diags.n_errors > 0)
                r = failed(&diags, err);
        else if (!entry->has[ENTRY_TOP])
                r = error_set(err, ENOENT, "'%s' has no block: release \"%s\" { ... }", entry->source->path, name);
        diags_clear(&diags);
        return r < 0 ? r : check(entry, err);
}

int entry_load(const char *path, const char *text, const char *name, struct entry **ret, struct error *err)
{
        CLEANUP(entry_freep) struct entry *entry = xcalloc(1, sizeof(*entry));
        int r;

        entry->source = source_text_new(path, text, strlen(text));
        entry->env = (struct hcl_env){.base_dir = ".", .start = time(NULL)};
        entry->base =
                (struct hcl_scope){.functions = hcl_functions, .n_functions = hcl_n_functions, .env = &entry->env};
        for (size_t i = 0; i < N_VARIABLES; i++)
                entry->values[i] = hcl_unknown(&entry->arena, &hcl_string);
        r = read_text(entry, name, err);
        if (r < 0)
                return r;
        entry_set(entry, "name", name);
        *ret = steal(&entry);
        return 0;
}

struct entry *entry_free(struct entry *entry)
{
        if (!entry)
                return NULL;
        arena_free(&entry->arena);
        source_text_free(entry->source);
        free(entry);
        return NULL;
}
