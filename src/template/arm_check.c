/* What keys of the arm builder have to do with each other: where the base
 * comes from, how it is verified, sizes. Partitions: arm_partition.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/size.h"
#include "base/str.h"
#include "template/arm_internal.h"

struct digest_kind {
        const char *name;
        size_t hex_length;
};

static const struct digest_kind digests[] = {{"md5", 32}, {"sha1", 40}, {"sha256", 64}, {"sha512", 128}, {"none", 0}};

enum { N_DIGESTS = sizeof(digests) / sizeof(digests[0]) };

/* "SHA256", "sha256sum", "md5sum": the kind, or NULL. */
static const struct digest_kind *digest_by_name(const char *name, size_t n)
{
        if (n > 3 && strncasecmp(name + n - 3, "sum", 3) == 0)
                n -= 3;
        for (size_t i = 0; i < N_DIGESTS; i++)
                if (strlen(digests[i].name) == n && strncasecmp(digests[i].name, name, n) == 0)
                        return &digests[i];
        return NULL;
}

static const struct digest_kind *digest_by_length(size_t n)
{
        for (size_t i = 0; i < N_DIGESTS; i++)
                if (digests[i].hex_length == n && n > 0)
                        return &digests[i];
        return NULL;
}

static void set(char **field, const char *text)
{
        char *copy = xstrdup(text);

        free(*field);
        *field = copy;
}

/* "sha256:DIGEST" becomes DIGEST, and the type sha256. */
static const struct digest_kind *take_prefix(struct arm_builder *arm, const struct value *value, const char *key,
                                             struct diags *diags)
{
        const char *colon = strchr(arm->file_checksum, ':');
        const struct digest_kind *kind;

        if (!colon)
                return NULL;
        kind = digest_by_name(arm->file_checksum, (size_t)(colon - arm->file_checksum));
        if (!kind || kind->hex_length == 0) {
                diag_error(diags, schema_range(value, key),
                           "'%s' does not begin with a type of digest: md5:, sha1:, sha256: or sha512:",
                           arm->file_checksum);
                return NULL;
        }
        set(&arm->file_checksum, colon + 1);
        return kind;
}

void arm_check_digest(struct arm_builder *arm, const struct value *value, const char *key,
                      const struct digest_kind *given, struct diags *diags)
{
        size_t before = diags->n_errors;
        struct range at = schema_range(value, key);
        const struct digest_kind *prefix = take_prefix(arm, value, key, diags);
        const struct digest_kind *kind = prefix ? prefix : given;
        size_t n = strlen(arm->file_checksum);

        if (diags->n_errors > before || (given && given->hex_length == 0))
                return;
        if (prefix && given && prefix != given) {
                diag_error(diags, at, "'file_checksum' says %s, 'file_checksum_type' says %s", prefix->name,
                           given->name);
                return;
        }
        if (strspn(arm->file_checksum, "0123456789abcdefABCDEF") != n || n == 0) {
                diag_error(diags, at, "'%s' must be a digest in hexadecimal, not \"%s\"", key, arm->file_checksum);
                return;
        }
        if (!kind)
                kind = digest_by_length(n);
        if (!kind) {
                diag_error(diags, at, "a digest of %zu digits is of no known type; give '%s'", n,
                           str_eq(key, "file_checksum") ? "file_checksum_type" : "TYPE:DIGEST");
                diag_detail(diags, "md5 has 32 digits, sha1 40, sha256 64, sha512 128.");
        } else if (kind->hex_length != n) {
                diag_error(diags, at, "a %s digest has %zu digits, not %zu", kind->name, kind->hex_length, n);
        } else {
                set(&arm->file_checksum_type, kind->name);
        }
}

static void unknown_digest(const struct arm_builder *arm, const struct value *value, struct diags *diags)
{
        const char *names[N_DIGESTS + 1] = {0}, *nearest;

        for (size_t i = 0; i < N_DIGESTS; i++)
                names[i] = digests[i].name;
        nearest = str_nearest(arm->file_checksum_type, names);
        diag_error(diags, schema_range(value, "file_checksum_type"), "'file_checksum_type' cannot be \"%s\"%s%s%s",
                   arm->file_checksum_type, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                   nearest ? "\"?" : "");
        diag_detail(diags, "It is one of: md5, sha1, sha256, sha512, none");
}

static void check_checksum(struct arm_builder *arm, const struct value *value, struct diags *diags)
{
        CLEANUP_FREE char *hint = NULL;
        const char *type = arm->file_checksum_type;
        const struct digest_kind *kind = str_empty(type) ? NULL : digest_by_name(type, strlen(type));

        if (!str_empty(type) && !kind) {
                unknown_digest(arm, value, diags);
                return;
        }
        if (kind)
                set(&arm->file_checksum_type, kind->name);
        if (!str_empty(arm->file_checksum)) {
                arm_check_digest(arm, value, "file_checksum", kind, diags);
        } else if (str_empty(arm->file_checksum_url) && !(kind && kind->hex_length == 0)) {
                diag_error(diags, schema_range(value, kind ? "file_checksum_type" : "file_urls"),
                           "the download could not be verified: 'file_checksum' or 'file_checksum_url' is missing");
                hint = schema_written(value->range, "file_checksum_type", "\"none\"");
                diag_detail(diags, "%s leaves it unverified.", hint);
        } else if (!kind) {
                diag_error(diags, schema_range(value, "file_checksum_url"),
                           "'file_checksum_type' is missing: md5, sha1, sha256 or sha512");
        }
}

void arm_check_urls(const struct arm_builder *arm, const struct value *value, const char *key, struct diags *diags)
{
        const struct value *list = value_get(value, key);

        for (size_t i = 0; arm->file_urls && arm->file_urls[i]; i++) {
                const char *url = arm->file_urls[i], *colon = strstr(url, "://");
                bool in_list = list->type == VALUE_LIST && i < list->list.n;
                struct range at = in_list ? list->list.v[i]->range : list->range;
                size_t n = colon ? (size_t)(colon - url) : 0;

                if (!*url)
                        diag_error(diags, at, "'%s' holds an empty URL", key);
                else if (colon && !(n == 4 && strncasecmp(url, "http", n) == 0) &&
                         !(n == 5 && strncasecmp(url, "https", n) == 0) &&
                         !(n == 4 && strncasecmp(url, "file", n) == 0))
                        diag_error(diags, at, "'%.*s://' cannot be fetched; http://, https://, file:// and paths can",
                                   (int)n, url);
        }
}

static void check_bootstrap(const struct arm_builder *arm, const struct value *value, struct diags *diags)
{
        static const char *const useless[] = {"file_checksum", "file_checksum_url", "file_checksum_type",
                                              "file_unarchive_cmd"};

        if (arm->bootstrap.n > 1)
                diag_error(diags, schema_block(value, "bootstrap", 1)->range,
                           "there can be one 'bootstrap' block only");
        if (arm->image_build_method && arm->method != IMAGE_NEW)
                diag_error(diags, schema_range(value, "image_build_method"),
                           "a bootstrapped base needs the method \"new\", not \"%s\"", arm->image_build_method);
        for (size_t i = 0; i < sizeof(useless) / sizeof(useless[0]); i++) {
                const struct value_entry *entry = value_entry(value, useless[i]);

                if (entry)
                        diag_error(diags, entry->key_range, "'%s' belongs to 'file_urls'; a bootstrapped base has none",
                                   useless[i]);
        }
}

static void check_base(struct arm_builder *arm, const struct value *value, struct diags *diags)
{
        if (arm->file_urls && arm->bootstrap.n > 0) {
                diag_error(diags, schema_range(value, "bootstrap"), "'file_urls' and 'bootstrap' exclude each other");
        } else if (arm->bootstrap.n > 0) {
                check_bootstrap(arm, value, diags);
        } else if (!arm->file_urls && value_get(value, "file_urls") &&
                   value_get(value, "file_urls")->type != VALUE_NULL) {
                diag_error(diags, schema_range(value, "file_urls"),
                           "'file_urls' is empty; it holds one URL or path at least");
        } else if (!arm->file_urls) {
                diag_error(diags, schema_range(value, "file_urls"), "the arm builder needs the key 'file_urls'");
                diag_detail(diags, "Where the base image or root archive is: [\"https://...\"]. (Or 'bootstrap': a "
                                   "Debian made here.)");
        } else {
                arm_check_urls(arm, value, "file_urls", diags);
                check_checksum(arm, value, diags);
        }
}

static void check_size(struct arm_builder *arm, const struct value *value, struct diags *diags)
{
        CLEANUP_FREE char *hint = NULL;
        CLEANUP_ERROR struct error err = {0};
        const char *key = str_empty(arm->image_size) ? "image_size_bytes" : "image_size";
        bool has_bytes = value_get(value, "image_size_bytes") && arm->image_size_bytes_key != 0;
        struct range at = schema_range(value, key);

        if (!str_empty(arm->image_size) && has_bytes) {
                diag_error(diags, schema_range(value, "image_size_bytes"),
                           "'image_size' and 'image_size_bytes' exclude each other; keep one");
        } else if (!str_empty(arm->image_size)) {
                if (size_parse(arm->image_size, &arm->image_size_bytes, &err) < 0)
                        diag_error(diags, at, "'image_size': %s", error_message(&err));
                else if (arm->image_size_bytes == 0)
                        diag_error(diags, at, "'image_size' cannot be 0");
        } else if (arm->image_size_bytes_key < 0) {
                diag_error(diags, at, "'image_size_bytes' cannot be negative");
        } else if (has_bytes) {
                arm->image_size_bytes = (uint64_t)arm->image_size_bytes_key;
        } else if (arm->method != IMAGE_REUSE) {
                diag_error(diags, schema_range(value, "image_size"), "the method \"%s\" needs 'image_size'",
                           arm->image_build_method);
                hint = schema_written(value->range, "image_size", "\"4G\"");
                diag_detail(diags, "%s (or 'image_size_bytes', a number)", hint);
        }
        if (arm->image_size_bytes % SECTOR != 0)
                arm->image_size_bytes += SECTOR - arm->image_size_bytes % SECTOR;
}

static void check_mounts(const struct schema_blocks *mounts, const struct value *value, const char *key,
                         struct diags *diags)
{
        const struct arm_mount *mount = mounts->v;

        for (size_t i = 0; i < mounts->n; i++) {
                const struct value *block = schema_block(value, key, i);

                if (mount[i].destination_path[0] != '/')
                        diag_error(diags, schema_range(block, "destination_path"),
                                   "'destination_path' must be an absolute path of the guest, not \"%s\"",
                                   mount[i].destination_path);
                if (strcasecmp(mount[i].mount_type, "bind") == 0 && str_empty(mount[i].source_path))
                        diag_error(diags, schema_range(block, "mount_type"), "a bind mount needs 'source_path'");
        }
}

/* Of an element of a list, or of the string that stands for a list. */
static struct range element_range(const struct value *value, const char *key, size_t i)
{
        const struct value *element = schema_block(value, key, i);

        return element ? element->range : schema_range(value, key);
}

static void check_lists(const struct arm_builder *arm, const struct value *value, struct diags *diags)
{
        for (size_t i = 0; arm->image_chroot_env && arm->image_chroot_env[i]; i++) {
                const char *equals = strchr(arm->image_chroot_env[i], '=');

                if (!equals || equals == arm->image_chroot_env[i])
                        diag_error(diags, element_range(value, "image_chroot_env", i),
                                   "'image_chroot_env' holds \"NAME=value\", not \"%s\"", arm->image_chroot_env[i]);
        }
        for (size_t i = 0; i < arm->image_setup_extra.n; i++)
                if (strv_len(STRV(arm->image_setup_extra.v[i])) == 0)
                        diag_error(diags, element_range(value, "image_setup_extra", i),
                                   "element %zu of 'image_setup_extra' is empty; the program is missing", i + 1);
}

static bool is_within(const struct range *at, const struct range *range)
{
        return at->source == range->source && at->start >= range->start && at->start < range->end;
}

/* Does the place lie in the value? Blocks that make a list together may stand far from each other. */
static bool holds(const struct value *value, const struct range *at)
{
        bool found = is_within(at, &value->range);

        for (size_t i = 0; value->type == VALUE_LIST && i < value->list.n && !found; i++)
                found = holds(value->list.v[i], at);
        for (size_t i = 0; value->type == VALUE_OBJECT && i < value->object.n && !found; i++) {
                const struct value_entry *entry = &value->object.v[i];

                found = is_within(at, &entry->key_range) || holds(entry->value, at);
        }
        return found;
}

bool arm_key_is_sound(const struct value *value, const char *key, const struct diags *diags)
{
        const struct value_entry *entry = value_entry(value, key);

        if (!entry)
                return schema_misspelt(value, key, diags) == NULL;
        for (size_t i = 0; i < diags->list.n; i++) {
                const struct diag *diag = &diags->list.v[i];

                if (diag->severity == SEVERITY_ERROR &&
                    (is_within(&diag->range, &entry->key_range) || holds(entry->value, &diag->range)))
                        return false;
        }
        return true;
}

/* Are all of these keys? */
static bool all_sound(const struct value *value, const char *const *keys, const struct diags *diags)
{
        for (; *keys; keys++)
                if (!arm_key_is_sound(value, *keys, diags))
                        return false;
        return true;
}

#define SOUND(...) all_sound(value, (const char *const[]){__VA_ARGS__, NULL}, diags)

static void check_method(struct arm_builder *arm, const struct value *value, struct diags *diags)
{
        static const char *const names[] = {[IMAGE_NEW] = "new", [IMAGE_REUSE] = "reuse", [IMAGE_RESIZE] = "resize"};

        for (int i = IMAGE_NEW; i <= IMAGE_RESIZE; i++)
                if (str_eq(arm->image_build_method, names[i]))
                        arm->method = (enum image_method)i;
        arm->gpt = !arm->image_type ? -1 : strcmp(arm->image_type, "gpt") == 0;
        if (arm->image_path && !*arm->image_path)
                diag_error(diags, schema_range(value, "image_path"), "'image_path' is empty");
}

int arm_check(struct arm_builder *arm, const struct value *value, struct diags *diags)
{
        size_t errors_before = diags->n_errors;

        check_method(arm, value, diags);
        if (SOUND("image_chroot_mounts"))
                check_mounts(&arm->image_chroot_mounts, value, "image_chroot_mounts", diags);
        if (SOUND("additional_chroot_mounts"))
                check_mounts(&arm->additional_chroot_mounts, value, "additional_chroot_mounts", diags);
        if (SOUND("image_chroot_env", "image_setup_extra"))
                check_lists(arm, value, diags);
        if (SOUND("file_urls", "file_checksum", "file_checksum_url", "file_checksum_type", "bootstrap"))
                check_base(arm, value, diags);
        if (!arm->image_build_method) /* which has its own message; all that follows depends on it */
                return -EINVAL;
        if (SOUND("image_size", "image_size_bytes"))
                check_size(arm, value, diags);
        if (SOUND("image_partitions", "image_type"))
                arm_check_partitions(arm, value, diags);
        return diags->n_errors > errors_before ? -EINVAL : 0;
}
