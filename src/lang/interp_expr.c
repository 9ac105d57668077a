/* What stands in one {{ action }}: pipelines of commands, each a function or a
 * value with its arguments, after Go's text/template. They are evaluated as
 * they are parsed; where render->live is false they are parsed only. See
 * interp_internal.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "lang/interp_internal.h"

static int pipeline(struct render *render, struct term *ret, struct error *err);

void term_clear(struct term *term)
{
        if (term->type == TERM_STRING)
                free(term->string);
        *term = (struct term){0};
}

static void terms_clear(struct terms *terms)
{
        for (size_t i = 0; i < terms->n; i++)
                term_clear(&terms->v[i]);
        vec_free(terms);
}

struct term term_take(char *s)
{
        return (struct term){.type = TERM_STRING, .string = s};
}

struct term term_string(const char *s)
{
        return term_take(xstrdup(s));
}

struct term term_copy(const struct term *term)
{
        return term->type == TERM_STRING ? term_string(term->string) : *term;
}

bool term_is_true(const struct term *term)
{
        switch (term->type) {
        case TERM_NIL:
                return false;
        case TERM_BOOL:
                return term->boolean;
        case TERM_INT:
                return term->integer != 0;
        case TERM_FLOAT:
                return term->real != 0;
        case TERM_STRING:
                return *term->string != '\0';
        }
        return false;
}

const char *term_type_name(const struct term *term)
{
        static const char *const names[] = {"nil", "bool", "int", "float64", "string"};

        return names[term->type];
}

void interp_skip_blank(struct render *render)
{
        render->pos += strspn(render->pos, " \t\r\n");
}

static bool is_word(char c)
{
        return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static char *take_word(struct render *render)
{
        const char *start = render->pos;

        while (is_word(*render->pos))
                render->pos++;
        return xstrndup(start, (size_t)(render->pos - start));
}

/* Is this the end of the action, perhaps with its trim marker? */
static bool at_end(const struct render *render)
{
        const char *p = render->pos;

        return str_starts(p, "}}") || (p > render->text && strchr(" \t\r\n", p[-1]) && str_starts(p, "-}}"));
}

/* One escape of a "..." string or '.' character, after its backslash. */
static int unescape(struct render *render, struct str *out, struct error *err)
{
        static const char names[] = "abfnrtv\\\"'", values[] = "\a\b\f\n\r\t\v\\\"'";
        char c = *render->pos;
        const char *hit = c ? strchr(names, c) : NULL;
        int digits = c == 'x' ? 2 : c >= '0' && c <= '7' ? 3 : 0, base = c == 'x' ? 16 : 8;
        char number[4] = {0}, *end;
        long value;

        if (hit) {
                str_addc(out, values[hit - names]);
                render->pos++;
                return 0;
        }
        render->pos += c == 'x';
        if (digits == 0 || strnlen(render->pos, (size_t)digits) < (size_t)digits)
                return error_set(err, EINVAL, "unknown escape '\\%c' in a string", c ? c : ' ');
        memcpy(number, render->pos, (size_t)digits);
        value = strtol(number, &end, base);
        if (*end || !isxdigit((unsigned char)number[0]) || value < 1 || value > 255)
                return error_set(err, EINVAL, "bad escape '\\%s%s' in a string", base == 16 ? "x" : "", number);
        str_addc(out, (char)value);
        render->pos += digits;
        return 0;
}

static int quoted(struct render *render, struct term *ret, struct error *err)
{
        CLEANUP_STR struct str out = {0};
        char quote = *render->pos++;

        while (*render->pos != quote) {
                char c = *render->pos;

                if (!c || (c == '\n' && quote != '`'))
                        return error_set(err, EINVAL, "a string is not closed: its %c is missing", quote);
                render->pos++;
                if (c != '\\' || quote == '`')
                        str_addc(&out, c);
                else if (unescape(render, &out, err) < 0)
                        return -EINVAL;
        }
        render->pos++;
        if (quote != '\'') {
                *ret = term_take(str_steal(&out));
                return 0;
        }
        if (out.len != 1)
                return error_set(err, EINVAL,
                                 "'%s': single quotes hold one character; a string is written \"%s\" or `%s`",
                                 str_get(&out), str_get(&out), str_get(&out));
        *ret = (struct term){.type = TERM_INT, .integer = (unsigned char)out.s[0]};
        return 0;
}

static int number(struct render *render, struct term *ret, struct error *err)
{
        size_t n = strspn(render->pos, "+-.0123456789abcdefABCDEFxXoO_");
        CLEANUP_FREE char *word = xstrndup(render->pos, n);
        char *end;

        errno = 0;
        *ret = (struct term){.type = TERM_INT, .integer = strtoll(word, &end, 0)};
        if (*end || errno) {
                errno = 0;
                *ret = (struct term){.type = TERM_FLOAT, .real = strtod(word, &end)};
        }
        if (*end || errno || is_word(render->pos[n]))
                return error_set(err, EINVAL, "'%s' is not a number", word);
        render->pos += n;
        return 0;
}

/* .Name; a lone dot has no value here. */
static int field(struct render *render, struct term *ret, struct error *err)
{
        CLEANUP_FREE char *name = (render->pos++, take_word(render));
        CLEANUP_STRV char **names = NULL;
        CLEANUP_FREE char *all = NULL;
        const char *nearest;

        if (!render->live)
                return 0;
        for (const struct interp_pair *pair = render->interp->fields; pair && pair->name; pair++) {
                if (strcmp(pair->name, name) == 0) {
                        *ret = term_string(pair->value ? pair->value : "");
                        return 0;
                }
                strv_add(&names, pair->name);
        }
        nearest = str_nearest(name, STRV(names));
        if (!names)
                return error_set(err, ENOENT, "there is no '.%s' here", name);
        if (nearest)
                return error_set(err, ENOENT, "there is no '.%s' here; did you mean '.%s'?", name, nearest);
        all = strv_join(STRV(names), ", .");
        return error_set(err, ENOENT, "there is no '.%s' here; there are .%s", name, all);
}

static int variable(struct render *render, struct term *ret, struct error *err)
{
        CLEANUP_FREE char *name = (render->pos++, take_word(render));

        if (!*name && *render->pos == '.')
                return field(render, ret, err); /* $ is what . is */
        for (size_t i = render->variables.n; i > 0; i--) {
                if (strcmp(render->variables.v[i - 1].name, name) != 0)
                        continue;
                *ret = term_copy(&render->variables.v[i - 1].value);
                return 0;
        }
        return error_set(err, ENOENT, "the variable '$%s' is not defined", name);
}

static int parenthesised(struct render *render, struct term *ret, struct error *err)
{
        int r;

        if (render->depth >= INTERP_DEPTH_MAX)
                return error_set(err, EINVAL, "parentheses lie in each other more than %d deep", INTERP_DEPTH_MAX);
        render->pos++;
        render->depth++;
        r = pipeline(render, ret, err);
        render->depth--;
        if (r < 0)
                return r;
        interp_skip_blank(render);
        if (*render->pos != ')') {
                term_clear(ret);
                return error_set(err, EINVAL, "a ')' is missing");
        }
        render->pos++;
        return 0;
}

static int unknown_function(const char *name, struct error *err)
{
        const char *nearest = str_nearest(name, interp_function_names());

        return error_set(err, ENOENT, "unknown function '%s'%s%s%s", name, nearest ? "; did you mean '" : "",
                         nearest ? nearest : "", nearest ? "'?" : "");
}

static int run_function(struct render *render, const struct interp_function *function, const struct terms *args,
                        struct term *ret, struct error *err)
{
        if (!render->live || render->later)
                return 0;
        if (strcmp(function->name, "build") == 0 && !render->interp->build) {
                render->later = true;
                return 0;
        }
        return interp_call(function, render->interp, args, ret, err);
}

/* A word: true, false, nil, or a function without arguments; with `ret_function` one that may have some. */
static int word(struct render *render, const struct interp_function **ret_function, struct term *ret, struct error *err)
{
        CLEANUP_FREE char *name = take_word(render);
        const struct interp_function *function;

        if (strcmp(name, "nil") == 0)
                return 0;
        if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0) {
                *ret = (struct term){.type = TERM_BOOL, .boolean = *name == 't'};
                return 0;
        }
        function = interp_function_find(name);
        if (!function)
                return unknown_function(name, err);
        if (ret_function) {
                *ret_function = function;
                return 0;
        }
        return run_function(render, function, &(struct terms){0}, ret, err);
}

/* Something that can be an argument. */
static int operand(struct render *render, const struct interp_function **ret_function, struct term *ret,
                   struct error *err)
{
        char c = *render->pos;

        *ret = (struct term){0};
        if (c == '"' || c == '`' || c == '\'')
                return quoted(render, ret, err);
        if (c == '(')
                return parenthesised(render, ret, err);
        if (c == '$')
                return variable(render, ret, err);
        if (isdigit((unsigned char)c) || ((c == '+' || c == '-' || c == '.') && isdigit((unsigned char)render->pos[1])))
                return number(render, ret, err);
        if (c == '.')
                return field(render, ret, err);
        if (is_word(c))
                return word(render, ret_function, ret, err);
        if (!c)
                return error_set(err, EINVAL, "the action is not closed: its }} is missing");
        if (at_end(render) || c == '|' || c == ')')
                return error_set(err, EINVAL, "a value is missing before '%c'", c);
        return error_set(err, EINVAL, "'%c' was not expected here", c);
}

static bool at_command_end(struct render *render)
{
        interp_skip_blank(render);
        return !*render->pos || *render->pos == '|' || *render->pos == ')' || at_end(render);
}

/* The arguments of a function. Those that and, or do not need are not evaluated. */
static int arguments(struct render *render, const struct interp_function *function, struct terms *args,
                     struct error *err)
{
        bool live = render->live;
        bool is_and = strcmp(function->name, "and") == 0, is_or = strcmp(function->name, "or") == 0;
        int r = 0;

        while (r == 0 && !at_command_end(render)) {
                struct term term;

                if (!strchr(" \t\r\n", render->pos[-1])) {
                        r = error_set(err, EINVAL, "a blank is missing before '%.10s'", render->pos);
                        break;
                }
                r = operand(render, NULL, &term, err);
                if (r < 0)
                        break;
                if ((is_and && !term_is_true(&term)) || (is_or && term_is_true(&term)))
                        render->live = false;
                vec_push(args, term);
        }
        render->live = live;
        return r;
}

/* One command; `piped` is what the command before it gave, or NULL. */
static int command(struct render *render, struct term *piped, struct term *ret, struct error *err)
{
        CLEANUP(terms_clear) struct terms args = {0};
        const struct interp_function *function = NULL;

        *ret = (struct term){0};
        interp_skip_blank(render);
        if (operand(render, &function, ret, err) < 0)
                return -EINVAL;
        if (!function) {
                if (!piped && at_command_end(render))
                        return 0;
                term_clear(ret);
                return error_set(err, EINVAL, "a value that is no function takes no arguments%s",
                                 piped ? ", so that nothing can be piped into it" : "");
        }
        if (arguments(render, function, &args, err) < 0)
                return -EINVAL;
        if (piped)
                vec_push(&args, steal(piped));
        return run_function(render, function, &args, ret, err);
}

static int pipeline(struct render *render, struct term *ret, struct error *err)
{
        CLEANUP(term_clear) struct term piped = {0};
        int r = command(render, NULL, ret, err);

        while (r == 0 && (interp_skip_blank(render), *render->pos == '|')) {
                render->pos++;
                term_clear(&piped);
                piped = steal(ret);
                r = command(render, &piped, ret, err);
        }
        return r;
}

/* `$name :=` or `$name =` in front of a pipeline: the name, or NULL. */
static char *declaration(struct render *render, bool *ret_new)
{
        const char *start = render->pos, *p = start + 1;
        const char *end;

        if (*start != '$')
                return NULL;
        while (is_word(*p))
                p++;
        end = p;
        p += strspn(p, " \t\r\n");
        *ret_new = *p == ':';
        if (*ret_new ? p[1] != '=' : *p != '=')
                return NULL;
        render->pos = p + 1 + *ret_new;
        return xstrndup(start + 1, (size_t)(end - start - 1));
}

int interp_pipeline(struct render *render, struct term *ret, bool *ret_declares, struct error *err)
{
        CLEANUP_FREE char *name = (interp_skip_blank(render), declaration(render, ret_declares));
        bool is_new = name && *ret_declares;
        int r;

        *ret_declares = name != NULL;
        *ret = (struct term){0};
        r = pipeline(render, ret, err);
        if (r < 0 || !name)
                return r;
        if (is_new) {
                vec_push(&render->variables, (struct variable){.name = xstrdup(name), .value = term_copy(ret)});
                return 0;
        }
        for (size_t i = render->variables.n; i > 0; i--) {
                struct variable *known = &render->variables.v[i - 1];

                if (strcmp(known->name, name) != 0)
                        continue;
                if (render->live) {
                        term_clear(&known->value);
                        known->value = term_copy(ret);
                }
                return 0;
        }
        term_clear(ret);
        return error_set(err, ENOENT, "the variable '$%s' is not defined; the first time write $%s := ...", name, name);
}
