/* See checksum.h. The forms of lines are those of coreutils' sha256sum
 * (digest, blank, blank or '*', name; a leading backslash where the name is
 * escaped) and of BSD's md5 ("SHA256 (name) = digest"), which sha256sum --tag
 * writes too. A clear-signed file (RFC 9580, section 7) has its text between
 * a header that ends with an empty line and "-----BEGIN PGP SIGNATURE-----". */
#include "source/checksum.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"

static const struct {
        const char *name;
        size_t digits;
} types[] = {
        [CHECKSUM_UNKNOWN] = {"unknown", 0}, [CHECKSUM_NONE] = {"none", 0},      [CHECKSUM_MD5] = {"md5", 32},
        [CHECKSUM_SHA1] = {"sha1", 40},      [CHECKSUM_SHA256] = {"sha256", 64}, [CHECKSUM_SHA512] = {"sha512", 128},
};

enum { NAMES_SHOWN = 20 };

const char *checksum_type_name(enum checksum_type type)
{
        return types[type].name;
}

/* Lower case, without '-', '_' and a last "sum": "SHA-256" and "sha256sum" are "sha256". */
static enum checksum_type type_find(const char *name, size_t len)
{
        char plain[16];
        size_t n = 0;

        for (size_t i = 0; i < len; i++) {
                if (name[i] == '-' || name[i] == '_')
                        continue;
                if (n + 1 >= sizeof(plain))
                        return CHECKSUM_UNKNOWN;
                plain[n++] = (char)tolower((unsigned char)name[i]);
        }
        plain[n] = '\0';
        if (n > 3 && str_ends(plain, "sum"))
                plain[n - 3] = '\0';
        if (strncmp(plain, "sha2", 4) == 0 && strlen(plain) == 7) /* OpenSSL's SHA2-256 */
                memmove(plain + 3, plain + 4, 4);
        for (enum checksum_type type = CHECKSUM_NONE; type <= CHECKSUM_SHA512; type++)
                if (strcmp(types[type].name, plain) == 0)
                        return type;
        return CHECKSUM_UNKNOWN;
}

int checksum_type_parse(const char *name, enum checksum_type *ret, struct error *err)
{
        enum checksum_type type = CHECKSUM_UNKNOWN;

        if (!str_empty(name)) {
                type = type_find(name, strlen(name));
                if (type == CHECKSUM_UNKNOWN)
                        return error_set(err, EINVAL, "checksum type '%s': use md5, sha1, sha256, sha512 or none",
                                         name);
        }
        *ret = type;
        return 0;
}

static size_t hex_span(const char *s)
{
        size_t n = 0;

        while (isxdigit((unsigned char)s[n]))
                n++;
        return n;
}

static enum checksum_type type_of_digits(size_t digits)
{
        for (enum checksum_type type = CHECKSUM_MD5; type <= CHECKSUM_SHA512; type++)
                if (types[type].digits == digits)
                        return type;
        return CHECKSUM_UNKNOWN;
}

static void checksum_set(struct checksum *sum, enum checksum_type type, const char *hex)
{
        *sum = (struct checksum){.type = type};
        for (size_t i = 0; i < types[type].digits; i++)
                sum->hex[i] = (char)tolower((unsigned char)hex[i]);
}

int checksum_parse(const char *text, enum checksum_type type, struct checksum *ret, struct error *err)
{
        CLEANUP_FREE char *copy = xstrdup(text);
        char *hex = str_trim(copy), *colon = strchr(hex, ':');
        size_t digits;

        if (colon) {
                enum checksum_type prefix = type_find(hex, (size_t)(colon - hex));

                if (prefix < CHECKSUM_MD5)
                        return error_set(err, EINVAL, "checksum '%s': '%.*s' is none of md5, sha1, sha256, sha512",
                                         text, (int)(colon - hex), hex);
                if (type != CHECKSUM_UNKNOWN && type != prefix)
                        return error_set(err, EINVAL, "checksum '%s' says %s, but the checksum type is %s", text,
                                         types[prefix].name, types[type].name);
                type = prefix;
                hex = colon + 1;
        }
        digits = hex_span(hex);
        if (hex[digits] != '\0' || digits == 0)
                return error_set(err, EINVAL, "checksum '%s' is not a hexadecimal number", text);
        if (type == CHECKSUM_UNKNOWN)
                type = type_of_digits(digits);
        if (type == CHECKSUM_UNKNOWN)
                return error_set(err, EINVAL,
                                 "checksum '%s' has %zu digits: md5 has 32, sha1 40, sha256 64, sha512 128", text,
                                 digits);
        if (digits != types[type].digits) {
                enum checksum_type fits = type_of_digits(digits);

                return error_set(err, EINVAL, "checksum '%s' has %zu digits, but %s has %zu%s%s%s", text, digits,
                                 types[type].name, types[type].digits, fits ? " (it looks like " : "",
                                 fits ? types[fits].name : "", fits ? ")" : "");
        }
        checksum_set(ret, type, hex);
        return 0;
}

/* One line of a checksum file. */
struct entry {
        enum checksum_type type;
        char *hex;  /* points into the line */
        char *name; /* points into the line; NULL: a bare digest */
        bool bad_length;
};

/* coreutils escapes backslash, newline and CR in names, and says so by a backslash before the digest. */
static void unescape(char *name)
{
        char *out = name;

        for (char *in = name; *in; in++) {
                if (in[0] == '\\' && in[1]) {
                        in++;
                        *out++ = (char)(*in == 'n' ? '\n' : *in == 'r' ? '\r' : *in);
                } else {
                        *out++ = *in;
                }
        }
        *out = '\0';
}

/* "SHA256 (name) = digest", and openssl's "SHA2-256(name)= digest" */
static bool parse_bsd(char *line, struct entry *entry)
{
        char *open = strchr(line, '('), *close = NULL, *end = open;
        enum checksum_type type;

        if (!open)
                return false;
        while (end > line && end[-1] == ' ')
                end--;
        type = type_find(line, (size_t)(end - line));
        for (char *p = strstr(open, ")= "), *q = strstr(open, ") = "); p || q;
             p = strstr(close + 1, ")= "), q = strstr(close + 1, ") = "))
                close = p && (!q || p > q) ? p : q;
        if (type < CHECKSUM_MD5 || !close)
                return false;
        *close = '\0';
        *entry = (struct entry){.type = type, .name = open + 1, .hex = str_trim(strchr(close + 1, '=') + 1)};
        entry->bad_length = hex_span(entry->hex) != types[type].digits || entry->hex[types[type].digits] != '\0';
        return true;
}

/* "digest  name", "digest *name", "digest" */
static bool parse_gnu(char *line, struct entry *entry)
{
        size_t digits = hex_span(line);
        char *rest = line + digits;

        if (digits < 16 || (*rest && *rest != ' ' && *rest != '\t'))
                return false;
        *entry = (struct entry){.type = type_of_digits(digits), .hex = line};
        entry->bad_length = entry->type == CHECKSUM_UNKNOWN;
        if (*rest) {
                *rest++ = '\0';
                while (*rest == ' ' || *rest == '\t')
                        rest++;
                if (*rest == '*')
                        rest++;
        }
        entry->name = *rest ? rest : NULL;
        return true;
}

static bool parse_line(char *line, struct entry *entry)
{
        bool escaped = *line == '\\';

        if (escaped)
                line++;
        if (!parse_bsd(line, entry) && !parse_gnu(line, entry))
                return false;
        if (escaped && entry->name)
                unescape(entry->name);
        return true;
}

/* The lines of the text, or of what a PGP signature covers. */
static char **text_lines(const char *text)
{
        CLEANUP_STRV char **all = str_split(text, "\n");
        char **lines = NULL;
        bool clear_signed = strstr(text, "-----BEGIN PGP SIGNED MESSAGE-----") != NULL;
        enum { BEFORE, HEADER, BODY } state = clear_signed ? BEFORE : BODY;

        for (char **at = all; *at; at++) {
                char *line = str_starts(*at, "\xef\xbb\xbf") ? *at + 3 : *at; /* byte order mark */
                size_t n = strlen(line);

                while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' ' || line[n - 1] == '\t'))
                        line[--n] = '\0';
                if (str_starts(line, "-----BEGIN PGP SIGNED MESSAGE-----")) {
                        state = HEADER;
                } else if (state == HEADER && n == 0) {
                        state = BODY;
                } else if (str_starts(line, "-----BEGIN PGP SIGNATURE-----")) {
                        break;
                } else if (state == BODY && n > 0 && *line != '#' && *line != ';') {
                        strv_add(&lines,
                                 clear_signed && str_starts(line, "- ") ? line + 2 : line + strspn(line, " \t"));
                }
        }
        return lines;
}

struct entries {
        VEC(struct entry) list;
};

static void entries_clear(struct entries *entries)
{
        vec_free(&entries->list);
}

static bool entry_usable(const struct entry *entry, enum checksum_type type)
{
        return !entry->bad_length && (type == CHECKSUM_UNKNOWN || entry->type == type);
}

/* Why no line was taken: the names that are there, and what is odd about the right one. */
static int explain(const struct entries *entries, const char *name, enum checksum_type type, struct error *err)
{
        CLEANUP_STR struct str names = {0};
        size_t shown = 0;

        for (size_t i = 0; i < entries->list.n; i++) {
                const struct entry *entry = &entries->list.v[i];

                if (!entry->name || strcmp(path_name(entry->name), name) == 0) {
                        if (type != CHECKSUM_UNKNOWN)
                                return error_set(err, EINVAL, "the digest of '%s' there has %zu digits, but %s has %zu",
                                                 name, hex_span(entry->hex), types[type].name, types[type].digits);
                        return error_set(err, EINVAL,
                                         "the digest of '%s' there has %zu digits: md5 has 32, sha1 40, sha256 64, "
                                         "sha512 128",
                                         name, hex_span(entry->hex));
                }
                if (shown++ < NAMES_SHOWN) {
                        CLEANUP_FREE char *printable = str_printable(path_name(entry->name));

                        str_addf(&names, "%s'%s'", names.len ? ", " : "", printable);
                }
        }
        if (shown > NAMES_SHOWN)
                str_addf(&names, " and %zu more", shown - NAMES_SHOWN);
        return error_set(err, ENOENT, "no digest of '%s' there; it has those of %s", name, str_get(&names));
}

/* The strongest digest for the name; a bare one stands for any name if it is alone. */
static const struct entry *entries_pick(const struct entries *entries, const char *name, enum checksum_type type)
{
        const struct entry *best = NULL;

        for (size_t i = 0; i < entries->list.n; i++) {
                const struct entry *entry = &entries->list.v[i];
                bool match = entry->name ? strcmp(path_name(entry->name), name) == 0 : entries->list.n == 1;

                if (match && entry_usable(entry, type) && (!best || entry->type > best->type))
                        best = entry;
        }
        /* "digest  -", or a file renamed after it was summed: one line, and it says no other known thing */
        if (!best && entries->list.n == 1 && entries->list.v[0].name && strcmp(entries->list.v[0].name, "-") == 0 &&
            entry_usable(&entries->list.v[0], type))
                best = &entries->list.v[0];
        return best;
}

int checksum_file_find(const char *text, const char *name, enum checksum_type type, struct checksum *ret,
                       struct error *err)
{
        CLEANUP_STRV char **lines = text_lines(text);
        CLEANUP(entries_clear) struct entries entries = {0};
        const struct entry *found;
        struct entry entry;

        for (char **line = lines; line && *line; line++)
                if (parse_line(*line, &entry))
                        vec_push(&entries.list, entry);
        if (entries.list.n == 0) {
                CLEANUP_FREE char *start = xstrndup(text, 60), *shown = str_printable(start);

                return error_set(err, EINVAL, "there is no digest in it (it begins with \"%s\")", shown);
        }
        found = entries_pick(&entries, name, type);
        if (!found)
                return explain(&entries, name, type, err);
        checksum_set(ret, found->type, found->hex);
        return 0;
}
