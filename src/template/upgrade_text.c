/* Texts of a JSON template as HCL's quoted templates. The {{ actions }} of
 * Go's text/template become expressions: pipelines of functions with quoted
 * strings, numbers and parentheses. Actions with fields ({{ .Vars }}) are for
 * later, and stay; so does what HCL cannot say, with a note. See upgrade.h. */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "hcl/value.h"
#include "template/upgrade_internal.h"

enum { MAX_ARGUMENTS = 8, MAX_DEPTH = 32 };

bool upgrade_is_identifier(const char *s)
{
        if (!isalpha((unsigned char)*s) && *s != '_')
                return false;
        while (isalnum((unsigned char)*s) || *s == '_' || *s == '-')
                s++;
        return *s == '\0';
}

char *upgrade_identifier(const char *name)
{
        struct str out = {0};

        if (!isalpha((unsigned char)*name) && *name != '_')
                str_addc(&out, '_');
        for (; *name; name++)
                if (isalnum((unsigned char)*name) || strchr("_-", *name))
                        str_addc(&out, *name);
                else if ((*name & 0xc0) != 0x80) /* once for each character */
                        str_addc(&out, '_');
        return str_steal(&out);
}

/* As it stands between quotes. */
static void add_literal(struct str *out, const char *s, size_t n)
{
        CLEANUP(arena_free) struct arena arena = {0};
        const char *quoted = hcl_quote(&arena, s, n);

        str_addn(out, quoted + 1, strlen(quoted) - 2);
}

char *upgrade_quote(const char *text)
{
        struct str out = {0};

        str_addc(&out, '"');
        add_literal(&out, text, strlen(text));
        str_addc(&out, '"');
        return str_steal(&out);
}

/* ---- the inside of an action ---- */

struct operand {
        char *hcl;  /* the expression; owned */
        char *text; /* of a constant: what it is; owned; else NULL */
};

struct action {
        struct upgrade *upgrade;
        const char *pos;
        bool later; /* it has a field: it is for the one who renders the text later */
        int depth;
};

static void operand_clear(struct operand *operand)
{
        free(operand->hcl);
        free(operand->text);
        *operand = (struct operand){0};
}

struct arguments {
        struct operand v[MAX_ARGUMENTS];
        size_t n;
};

static void arguments_clear(struct arguments *arguments)
{
        for (size_t i = 0; i < arguments->n; i++)
                operand_clear(&arguments->v[i]);
}

static char *call_user(struct upgrade *upgrade, const struct arguments *arguments)
{
        CLEANUP_FREE char *name = arguments->v[0].text ? upgrade_identifier(arguments->v[0].text) : NULL;

        if (!name)
                return NULL;
        if (!strv_has(STRV(upgrade->used), arguments->v[0].text))
                strv_add(&upgrade->used, arguments->v[0].text);
        return xasprintf("%s.%s", strv_has(STRV(upgrade->locals), arguments->v[0].text) ? "local" : "var", name);
}

static char *call_env(struct upgrade *upgrade, const struct arguments *arguments)
{
        const char *name = arguments->v[0].text;
        CLEANUP_FREE char *variable = NULL;

        if (upgrade->in_variable || !name)
                return upgrade->in_variable ? xasprintf("env(%s)", arguments->v[0].hcl) : NULL;
        if (!strv_has(STRV(upgrade->env), name))
                strv_add(&upgrade->env, name);
        variable = upgrade_identifier(name);
        return xasprintf("var.env_%s", variable);
}

static char *call_build(struct upgrade *upgrade, const struct arguments *arguments)
{
        const char *name = arguments->v[0].text;

        (void)upgrade;
        return name && upgrade_is_identifier(name) ? xasprintf("build.%s", name) : NULL;
}

static char *call_timestamp(struct upgrade *upgrade, const struct arguments *arguments)
{
        (void)arguments;
        upgrade->uses_timestamp = true;
        return xasprintf("local.%s", upgrade->timestamp);
}

static char *call_build_name(struct upgrade *upgrade, const struct arguments *arguments)
{
        (void)arguments;
        return upgrade->build_name ? upgrade_quote(upgrade->build_name) : xstrdup("source.name");
}

static char *call_build_type(struct upgrade *upgrade, const struct arguments *arguments)
{
        (void)arguments;
        return upgrade->build_type ? upgrade_quote(upgrade->build_type) : xstrdup("source.type");
}

/* {{replace old new n text}}: HCL's replaces all, which n < 0 means. */
static char *call_replace(struct upgrade *upgrade, const struct arguments *arguments)
{
        (void)upgrade;
        if (*arguments->v[2].hcl != '-')
                return NULL;
        return xasprintf("replace(%s, %s, %s)", arguments->v[3].hcl, arguments->v[0].hcl, arguments->v[1].hcl);
}

/* The functions that HCL has a word for. */
static const struct function {
        const char *name;
        size_t n_arguments;
        const char *hcl; /* $1: the first argument */
        char *(*call)(struct upgrade *upgrade, const struct arguments *arguments);
} functions[] = {
        {"user", 1, NULL, call_user},
        {"env", 1, NULL, call_env},
        {"build", 1, NULL, call_build},
        {"timestamp", 0, NULL, call_timestamp},
        {"build_name", 0, NULL, call_build_name},
        {"build_type", 0, NULL, call_build_type},
        {"isotime", 0, "timestamp()", NULL},
        {"isotime", 1, "legacy_isotime($1)", NULL},
        {"strftime", 0, "timestamp()", NULL},
        {"strftime", 1, "legacy_strftime($1)", NULL},
        {"template_dir", 0, "path.root", NULL},
        {"pwd", 0, "path.cwd", NULL},
        {"packer_version", 0, "packer.version", NULL},
        {"uuid", 0, "uuidv4()", NULL},
        {"upper", 1, "upper($1)", NULL},
        {"lower", 1, "lower($1)", NULL},
        {"split", 3, "split($2, $1)[$3]", NULL},
        {"replace_all", 3, "replace($3, $1, $2)", NULL},
        {"replace", 4, NULL, call_replace},
};

static char *fill_in(const char *pattern, const struct arguments *arguments)
{
        struct str out = {0};

        for (; *pattern; pattern++)
                if (*pattern == '$')
                        str_add(&out, arguments->v[*++pattern - '1'].hcl);
                else
                        str_addc(&out, *pattern);
        return str_steal(&out);
}

/* The call in HCL, or NULL where it has none. */
static char *call(struct upgrade *upgrade, const char *name, const struct arguments *arguments)
{
        for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
                const struct function *function = &functions[i];

                if (strcmp(function->name, name) != 0 || function->n_arguments != arguments->n)
                        continue;
                if (strcmp(name, "env") != 0)
                        upgrade->n_calls++;
                return function->call ? function->call(upgrade, arguments) : fill_in(function->hcl, arguments);
        }
        return NULL;
}

static bool apply(struct upgrade *upgrade, const char *name, const struct arguments *arguments, struct operand *ret)
{
        ret->hcl = call(upgrade, name, arguments);
        if (ret->hcl && *ret->hcl == '"') /* a constant after all */
                ret->text = xstrdup(strcmp(name, "build_name") == 0 ? upgrade->build_name : upgrade->build_type);
        return ret->hcl != NULL;
}

static void skip_blank(struct action *action)
{
        action->pos += strspn(action->pos, " \t\r\n");
}

static bool at_end(const struct action *action)
{
        return str_starts(action->pos, "}}") || str_starts(action->pos, "-}}");
}

/* `raw` or "quoted", of whose escapes \" \\ \n \t are known. */
static bool take_string(struct action *action, struct operand *ret)
{
        static const char names[] = "nt\"\\", values[] = "\n\t\"\\";
        CLEANUP_STR struct str out = {0};
        char quote = *action->pos++;

        for (; *action->pos != quote; action->pos++) {
                const char *hit;

                if (*action->pos == '\0')
                        return false;
                if (*action->pos != '\\' || quote == '`') {
                        str_addc(&out, *action->pos);
                        continue;
                }
                action->pos++;
                hit = *action->pos ? strchr(names, *action->pos) : NULL;
                if (!hit)
                        return false;
                str_addc(&out, values[hit - names]);
        }
        action->pos++;
        ret->text = str_steal(&out);
        ret->hcl = upgrade_quote(ret->text);
        return true;
}

static bool take_pipeline(struct action *action, struct operand *ret);

static char *take_word(struct action *action)
{
        size_t n = 0;

        while (isalnum((unsigned char)action->pos[n]) || action->pos[n] == '_')
                n++;
        action->pos += n;
        return xstrndup(action->pos - n, n);
}

static bool take_operand(struct action *action, struct operand *ret)
{
        static const struct arguments none;
        CLEANUP_FREE char *word = NULL;
        size_t n = strspn(action->pos, "-0123456789");

        if (*action->pos == '`' || *action->pos == '"')
                return take_string(action, ret);
        if (*action->pos == '.') {
                action->later = true;
                return false;
        }
        if (*action->pos == '(') {
                action->pos++;
                if (action->depth++ > MAX_DEPTH || !take_pipeline(action, ret) || *action->pos != ')')
                        return false;
                action->depth--;
                action->pos++;
                return true;
        }
        if (n > 0) {
                ret->hcl = xstrndup(action->pos, n);
                action->pos += n;
                return true;
        }
        word = take_word(action);
        return apply(action->upgrade, word, &none, ret);
}

/* A function with its arguments, of which `last` (from the pipe; may be NULL) is the last; or a value. */
static bool take_command(struct action *action, struct operand *last, struct operand *ret)
{
        CLEANUP(arguments_clear) struct arguments arguments = {0};
        CLEANUP_FREE char *word = NULL;

        skip_blank(action);
        if (!isalpha((unsigned char)*action->pos))
                return !last && take_operand(action, ret);
        word = take_word(action);
        skip_blank(action);
        while (!at_end(action) && *action->pos != '|' && *action->pos != ')') {
                if (arguments.n == MAX_ARGUMENTS - 1 || !take_operand(action, &arguments.v[arguments.n]))
                        return false;
                arguments.n++;
                skip_blank(action);
        }
        if (last)
                arguments.v[arguments.n++] = steal(last);
        return apply(action->upgrade, word, &arguments, ret);
}

static bool take_pipeline(struct action *action, struct operand *ret)
{
        CLEANUP(operand_clear) struct operand value = {0};
        bool first = true;

        do {
                CLEANUP(operand_clear) struct operand next = {0};

                action->pos += !first;
                if (!take_command(action, first ? NULL : &value, &next))
                        return false;
                operand_clear(&value);
                value = steal(&next);
                first = false;
                skip_blank(action);
        } while (*action->pos == '|');
        *ret = steal(&value);
        return true;
}

/* ---- a text ---- */

/* The action's end behind its }}, strings in it skipped; NULL if it is not closed. */
static const char *action_end(const char *s)
{
        while (*s && !str_starts(s, "}}")) {
                char quote = *s++;

                if (quote != '`' && quote != '"')
                        continue;
                while (*s && *s != quote)
                        s += *s == '\\' && quote == '"' && s[1] ? 2 : 1;
                s += *s == quote;
        }
        return *s ? s + 2 : NULL;
}

/* Actions without a value of their own: what they enclose decides. */
static bool is_control(const char *s)
{
        static const char *const words[] = {"end", "else", "if", "range", "with", "template", "block", "define"};

        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
                if (str_starts(s, words[i]) && !isalnum((unsigned char)s[strlen(words[i])]))
                        return true;
        return false;
}

static void note(struct upgrade *upgrade, const char *start, const char *end, struct range at)
{
        CLEANUP_FREE char *raw = xstrndup(start, (size_t)(end - start)), *shown = str_printable(raw);

        strv_addf(&upgrade->notes, "%s cannot be written in HCL2 and was left as it is.", shown);
        diag_warning(upgrade->diags, at, "%s cannot be written in HCL2 and was left as it is", shown);
}

/* A text in the making: literal characters are collected until an interpolation comes. */
struct text {
        struct str out, literal;
};

static void flush(struct text *text, bool interpolation_follows)
{
        size_t n = text->literal.len;
        bool dollar = interpolation_follows && n > 0 && text->literal.s[n - 1] == '$'; /* $${ would be an escape */

        add_literal(&text->out, str_get(&text->literal), dollar ? n - 1 : n);
        if (dollar)
                str_add(&text->out, "${\"$\"}");
        str_clear(&text->literal);
}

/* The action at `start`, up to `end`. */
static void add_action(struct upgrade *upgrade, struct text *text, const char *start, const char *end, struct range at)
{
        CLEANUP(operand_clear) struct operand value = {0};
        struct action action = {.upgrade = upgrade, .pos = start + 2};
        bool converted;

        action.pos += str_starts(action.pos, "- ");
        skip_blank(&action);
        if (str_starts(action.pos, "/*"))
                return;
        if (is_control(action.pos))
                action.later = str_starts(action.pos, "e");
        action.later = action.later || memmem(start, (size_t)(end - start), " .", 2) || start[2] == '.';
        converted = !is_control(action.pos) && take_pipeline(&action, &value) && at_end(&action);
        if (converted && value.text && !strstr(value.text, "{{") && !strstr(value.text, "}}")) {
                str_add(&text->literal, value.text);
        } else if (converted && !value.text) {
                flush(text, true);
                str_addf(&text->out, "${%s}", value.hcl);
        } else { /* braces in quotes too: what builders and steps get is rendered once more */
                if (!converted && !action.later)
                        note(upgrade, start, end, at);
                str_addn(&text->literal, start, (size_t)(end - start));
        }
}

char *upgrade_text(struct upgrade *upgrade, const char *s, struct range at)
{
        struct text text = {0};

        str_addc(&text.out, '"');
        while (*s) {
                const char *start = strstr(s, "{{"), *end = start ? action_end(start + 2) : NULL;
                size_t n = end ? (size_t)(start - s) : strlen(s);
                bool trimmed = end && end - start > 4 && str_starts(start, "{{- ");

                while (trimmed && n > 0 && isspace((unsigned char)s[n - 1]))
                        n--;
                str_addn(&text.literal, s, n);
                if (!end)
                        break;
                add_action(upgrade, &text, start, end, at);
                s = end;
                if (end - start > 4 && strncmp(end - 3, "-}}", 3) == 0)
                        s += strspn(s, " \t\r\n");
        }
        flush(&text, false);
        str_addc(&text.out, '"');
        return str_steal(&text.out);
}
