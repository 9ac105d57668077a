/* The functions of {{ }}: Packer's (packer-plugin-sdk, template/interpolate/
 * funcs.go) and those of Go's text/template that work on strings and numbers.
 * See interp_internal.h. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "lang/gotime.h"
#include "lang/interp_internal.h"
#include "lang/url.h"

#define FUNCTION(name)                                                                                                 \
        static int name(const struct interp *interp __attribute__((unused)),                                           \
                        const struct term *args __attribute__((unused)), size_t n __attribute__((unused)),             \
                        struct term *ret __attribute__((unused)), struct error *err __attribute__((unused)))

static int give(struct term *ret, const char *s)
{
        *ret = term_string(s);
        return 0;
}

static int give_bool(struct term *ret, bool value)
{
        *ret = (struct term){.type = TERM_BOOL, .boolean = value};
        return 0;
}

static int give_int(struct term *ret, int64_t value)
{
        *ret = (struct term){.type = TERM_INT, .integer = value};
        return 0;
}

static const char *pair_value(const struct interp_pair *pairs, const char *name)
{
        for (; pairs && pairs->name; pairs++)
                if (strcmp(pairs->name, name) == 0)
                        return pairs->value ? pairs->value : "";
        return NULL;
}

static int no_pair(const struct interp_pair *pairs, const char *what, const char *name, struct error *err)
{
        CLEANUP_STRV char **names = NULL;
        const char *nearest;

        for (; pairs && pairs->name; pairs++)
                strv_add(&names, pairs->name);
        nearest = str_nearest(name, STRV(names));
        return error_set(err, ENOENT, "%s '%s' is not defined%s%s%s", what, name, nearest ? "; did you mean '" : "",
                         nearest ? nearest : "", nearest ? "'?" : "");
}

FUNCTION(f_user)
{
        const char *value = pair_value(interp->user, args[0].string);

        return value ? give(ret, value) : no_pair(interp->user, "the variable", args[0].string, err);
}

FUNCTION(f_env)
{
        const char *value;

        if (!interp->env_allowed)
                return error_set(err, EPERM,
                                 "{{env}} works in the default of a variable only; put \"%s\": \"{{env `%s`}}\" into "
                                 "\"variables\" and use {{user `%s`}} here",
                                 args[0].string, args[0].string, args[0].string);
        value = getenv(args[0].string);
        return give(ret, value ? value : "");
}

FUNCTION(f_build_name)
{
        if (!interp->build_name)
                return error_set(err, EINVAL, "{{build_name}} has a value inside of builds only");
        return give(ret, interp->build_name);
}

FUNCTION(f_build_type)
{
        if (!interp->build_type)
                return error_set(err, EINVAL, "{{build_type}} has a value inside of builds only");
        return give(ret, interp->build_type);
}

/* Without interp->build the evaluator does not come here: the action is kept for later. */
FUNCTION(f_build)
{
        const char *value = pair_value(interp->build, args[0].string);

        return value ? give(ret, value) : no_pair(interp->build, "the build's value", args[0].string, err);
}

FUNCTION(f_isotime)
{
        if (n > 1)
                return error_set(err, EINVAL, "isotime takes one layout, such as \"2006-01-02\", not %zu", n);
        *ret = term_take(gotime_format(interp->start, n ? args[0].string : "2006-01-02T15:04:05Z07:00"));
        return 0;
}

FUNCTION(f_strftime)
{
        char *text;

        if (n != 1)
                return error_set(err, EINVAL, "strftime takes one format, such as \"%%Y-%%m-%%d\", not %zu", n);
        if (gotime_strftime(interp->start, args[0].string, &text, err) < 0)
                return -EINVAL;
        *ret = term_take(text);
        return 0;
}

FUNCTION(f_timestamp)
{
        *ret = term_take(xasprintf("%lld", (long long)interp->start));
        return 0;
}

/* As Packer's: the time in front, so that they sort by age. */
FUNCTION(f_uuid)
{
        uint32_t r[3];

        if (getrandom(r, sizeof(r), 0) != sizeof(r))
                return error_errno(err, errno, "get random numbers for {{uuid}}");
        *ret = term_take(xasprintf("%08" PRIx32 "-%04" PRIx32 "-%04" PRIx32 "-%04" PRIx32 "-%04" PRIx32 "%08" PRIx32,
                                   (uint32_t)interp->start, r[0] >> 16, r[0] & 0xffff, r[1] >> 16, r[1] & 0xffff,
                                   r[2]));
        return 0;
}

FUNCTION(f_pwd)
{
        CLEANUP_FREE char *dir = getcwd(NULL, 0);

        return dir ? give(ret, dir) : error_errno(err, errno, "find the working directory");
}

FUNCTION(f_template_dir)
{
        if (!interp->template_dir)
                return error_set(err, EINVAL, "{{template_dir}} has no value: the template is no file");
        return give(ret, interp->template_dir);
}

FUNCTION(f_packer_version)
{
        return give(ret, PACKER_COMPATIBLE);
}

static const char *next_character(const char *s)
{
        do
                s++;
        while (((unsigned char)*s & 0xc0) == 0x80);
        return s;
}

FUNCTION(f_split)
{
        const char *s = args[0].string, *separator = args[1].string, *end;
        int64_t index = args[2].integer;
        size_t m = strlen(separator);

        for (int64_t i = 0; index >= 0; i++) {
                /* Go splits at "" after each character. */
                end = m ? strstr(s, separator) : *s && *next_character(s) ? next_character(s) : NULL;
                if (i == index) {
                        *ret = term_take(end ? xstrndup(s, (size_t)(end - s)) : xstrdup(s));
                        return 0;
                }
                if (!end)
                        break;
                s = end + m;
        }
        return error_set(err, EINVAL, "split: \"%s\" has no part %lld between \"%s\" (the first one is 0)",
                         args[0].string, (long long)index, separator);
}

/* strings.Replace(s, from, to, limit): an empty `from` is found before each character and at the end. */
static int replace(const char *s, const char *from, const char *to, int64_t limit, struct term *ret, struct error *err)
{
        CLEANUP_STR struct str out = {0};
        size_t m = strlen(from);

        while (limit != 0) {
                const char *hit = m ? strstr(s, from) : s;

                if (!hit)
                        break;
                if (out.len > INTERP_TEXT_MAX)
                        return error_set(err, E2BIG, "replace: the text becomes too long");
                str_addn(&out, s, (size_t)(hit - s));
                str_add(&out, to);
                s = hit + m;
                limit -= limit > 0;
                if (m > 0)
                        continue;
                if (!*s)
                        break;
                str_addn(&out, s, (size_t)(next_character(s) - s));
                s = next_character(s);
        }
        str_add(&out, s);
        *ret = term_take(str_steal(&out));
        return 0;
}

FUNCTION(f_replace)
{
        return replace(args[3].string, args[0].string, args[1].string, args[2].integer, ret, err);
}

FUNCTION(f_replace_all)
{
        return replace(args[2].string, args[0].string, args[1].string, -1, ret, err);
}

FUNCTION(f_upper)
{
        *ret = term_string(args[0].string);
        for (char *s = ret->string; *s; s++)
                if (*s >= 'a' && *s <= 'z')
                        *s = (char)(*s - 'a' + 'A');
        return 0;
}

FUNCTION(f_lower)
{
        *ret = term_string(args[0].string);
        for (char *s = ret->string; *s; s++)
                if (*s >= 'A' && *s <= 'Z')
                        *s = (char)(*s - 'A' + 'a');
        return 0;
}

static int refuse(struct error *err, const char *name)
{
        return error_set(err, ENOTSUP,
                         "{{%s}} reads a secret from a cloud service, which slipway does not do; hand the secret over "
                         "in a variable instead (-var, -var-file, or a default of {{env `NAME`}}) and list it in "
                         "\"sensitive-variables\"",
                         name);
}

FUNCTION(f_vault)
{
        return refuse(err, "vault");
}

FUNCTION(f_consul_key)
{
        return refuse(err, "consul_key");
}

FUNCTION(f_aws_secretsmanager)
{
        return refuse(err, "aws_secretsmanager");
}

FUNCTION(f_sed)
{
        return error_set(err, ENOTSUP, "{{sed}} is gone from Packer; use {{replace}} or {{replace_all}}");
}

FUNCTION(f_call)
{
        return error_set(err, ENOTSUP, "{{call}} has nothing to call: no value of a template is a function");
}

/* and gives its first empty argument, or gives its first argument that is not; both else their last. */
FUNCTION(f_and)
{
        size_t i = 0;

        while (i + 1 < n && term_is_true(&args[i]))
                i++;
        *ret = term_copy(&args[i]);
        return 0;
}

FUNCTION(f_or)
{
        size_t i = 0;

        while (i + 1 < n && !term_is_true(&args[i]))
                i++;
        *ret = term_copy(&args[i]);
        return 0;
}

FUNCTION(f_not)
{
        return give_bool(ret, !term_is_true(&args[0]));
}

FUNCTION(f_len)
{
        return give_int(ret, (int64_t)strlen(args[0].string));
}

FUNCTION(f_index)
{
        if (n != 2 || args[1].integer < 0 || (uint64_t)args[1].integer >= strlen(args[0].string))
                return error_set(err, EINVAL, "index: \"%s\" has no such byte", args[0].string);
        return give_int(ret, (unsigned char)args[0].string[args[1].integer]);
}

FUNCTION(f_slice)
{
        size_t len = strlen(args[0].string);
        int64_t from = n > 1 ? args[1].integer : 0, to = n > 2 ? args[2].integer : (int64_t)len;

        if (n > 3 || from < 0 || to < from || to > (int64_t)len)
                return error_set(err, EINVAL, "slice: \"%s\" has no bytes from %lld to %lld", args[0].string,
                                 (long long)from, (long long)to);
        *ret = term_take(xstrndup(args[0].string + from, (size_t)(to - from)));
        return 0;
}

/* Go's Sprint puts a blank between two operands of which neither is a string, Sprintln between all. */
static int print(const struct term *args, size_t n, bool line, struct term *ret)
{
        CLEANUP_STR struct str out = {0};

        for (size_t i = 0; i < n; i++) {
                if (i > 0 && (line || (args[i - 1].type != TERM_STRING && args[i].type != TERM_STRING)))
                        str_addc(&out, ' ');
                term_print(&out, &args[i]);
        }
        if (line)
                str_addc(&out, '\n');
        *ret = term_take(str_steal(&out));
        return 0;
}

FUNCTION(f_print)
{
        return print(args, n, false, ret);
}

FUNCTION(f_println)
{
        return print(args, n, true, ret);
}

FUNCTION(f_printf)
{
        CLEANUP_STR struct str out = {0};

        if (interp_printf(args, n, &out, err) < 0)
                return -EINVAL;
        *ret = term_take(str_steal(&out));
        return 0;
}

FUNCTION(f_urlquery)
{
        CLEANUP_STR struct str out = {0};

        url_add_query(&out, args[0].string, strlen(args[0].string));
        *ret = term_take(str_steal(&out));
        return 0;
}

/* Order of two terms: -1, 0, 1; -2 where their types cannot be compared. */
static int compare(const struct term *a, const struct term *b)
{
        int order;

        if (a->type != b->type)
                return -2;
        switch (a->type) {
        case TERM_NIL:
                return 0;
        case TERM_BOOL:
                return (a->boolean > b->boolean) - (a->boolean < b->boolean);
        case TERM_INT:
                return (a->integer > b->integer) - (a->integer < b->integer);
        case TERM_FLOAT:
                return (a->real > b->real) - (a->real < b->real);
        case TERM_STRING:
                order = strcmp(a->string, b->string);
                return (order > 0) - (order < 0);
        }
        return -2;
}

static int incomparable(const char *name, const struct term *a, const struct term *b, struct error *err)
{
        return error_set(err, EINVAL, "%s: %s and %s cannot be compared", name, term_type_name(a), term_type_name(b));
}

FUNCTION(f_eq)
{
        for (size_t i = 1; i < n; i++) {
                int order = compare(&args[0], &args[i]);

                if (order == -2)
                        return incomparable("eq", &args[0], &args[i], err);
                if (order == 0)
                        return give_bool(ret, true);
        }
        return n > 1 ? give_bool(ret, false) : error_set(err, EINVAL, "eq compares two values; one is missing");
}

#define COMPARISON(function, name, test)                                                                               \
        FUNCTION(function)                                                                                             \
        {                                                                                                              \
                int order = compare(&args[0], &args[1]);                                                               \
                                                                                                                       \
                return order == -2 ? incomparable(name, &args[0], &args[1], err) : give_bool(ret, order test);         \
        }

COMPARISON(f_ne, "ne", != 0)
COMPARISON(f_lt, "lt", < 0)
COMPARISON(f_le, "le", <= 0)
COMPARISON(f_gt, "gt", > 0)
COMPARISON(f_ge, "ge", >= 0)

static const struct interp_function functions[] = {
        {"user", "s", f_user},
        {"env", "s", f_env},
        {"build_name", "", f_build_name},
        {"build_type", "", f_build_type},
        {"build", "s", f_build},
        {"isotime", "s*", f_isotime},
        {"strftime", "s*", f_strftime},
        {"timestamp", "", f_timestamp},
        {"uuid", "", f_uuid},
        {"pwd", "", f_pwd},
        {"template_dir", "", f_template_dir},
        {"packer_version", "", f_packer_version},
        {"split", "ssi", f_split},
        {"replace", "ssis", f_replace},
        {"replace_all", "sss", f_replace_all},
        {"upper", "s", f_upper},
        {"lower", "s", f_lower},
        {"vault", "v*", f_vault},
        {"consul_key", "v*", f_consul_key},
        {"aws_secretsmanager", "v*", f_aws_secretsmanager},
        {"sed", "v*", f_sed},
        {"and", "vv*", f_and},
        {"or", "vv*", f_or},
        {"not", "v", f_not},
        {"len", "s", f_len},
        {"index", "si*", f_index},
        {"slice", "si*", f_slice},
        {"print", "v*", f_print},
        {"println", "v*", f_println},
        {"printf", "sv*", f_printf},
        {"urlquery", "s", f_urlquery},
        {"eq", "vv*", f_eq},
        {"ne", "vv", f_ne},
        {"lt", "vv", f_lt},
        {"le", "vv", f_le},
        {"gt", "vv", f_gt},
        {"ge", "vv", f_ge},
        {"call", "v*", f_call},
};

enum { N_FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

const struct interp_function *interp_function_find(const char *name)
{
        for (size_t i = 0; i < N_FUNCTIONS; i++)
                if (strcmp(functions[i].name, name) == 0)
                        return &functions[i];
        return NULL;
}

const char *const *interp_function_names(void)
{
        static const char *names[N_FUNCTIONS + 1];

        for (size_t i = 0; i < N_FUNCTIONS; i++)
                names[i] = functions[i].name;
        return names;
}

static int check_argument(const struct interp_function *function, char letter, size_t index, const struct term *term,
                          struct error *err)
{
        if (letter == 'v' || (letter == 's' && term->type == TERM_STRING) || (letter == 'i' && term->type == TERM_INT))
                return 0;
        return error_set(err, EINVAL, "%s: argument %zu must be %s, not %s", function->name, index + 1,
                         letter == 's' ? "a string" : "a whole number", term_type_name(term));
}

int interp_call(const struct interp_function *function, const struct interp *interp, const struct terms *args,
                struct term *ret, struct error *err)
{
        const char *letter = function->arguments;
        bool many = str_ends(letter, "*");
        size_t fixed = strlen(letter) - (many ? 2 : 0);

        if (args->n < fixed || (!many && args->n > fixed))
                return error_set(err, EINVAL, "%s takes %s%zu argument%s, not %zu", function->name,
                                 many ? "at least " : "", fixed, fixed == 1 ? "" : "s", args->n);
        for (size_t i = 0; i < args->n; i++)
                if (check_argument(function, letter[i < fixed ? i : fixed], i, &args->v[i], err) < 0)
                        return -EINVAL;
        return function->call(interp, args->v, args->n, ret, err);
}
