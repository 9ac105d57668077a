/* A text with {{ actions }} in it: text, values, comments, and if / else if /
 * else / end, after Go's text/template. See interp.h. */
#include "lang/interp.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "lang/interp_internal.h"

enum { IF_DEPTH_MAX = 32 };

enum action {
        ACTION_END_OF_TEXT,
        ACTION_VALUE,
        ACTION_IF,
        ACTION_ELSE,
        ACTION_ELSE_IF,
        ACTION_END,
        ACTION_COMMENT,
};

static int render_until(struct render *render, unsigned int depth, struct str *out, enum action *ret_stop,
                        struct error *err);

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The text up to the next action; a trim marker takes the white space before it. */
static void copy_text(struct render *render, struct str *out)
{
        const char *open = strstr(render->pos, "{{");
        const char *end = open ? open : render->pos + strlen(render->pos);
        const char *next = end;

        if (open && open[2] == '-' && is_blank(open[3]))
                while (end > render->pos && is_blank(end[-1]))
                        end--;
        if (render->live)
                str_addn(out, render->pos, (size_t)(end - render->pos));
        render->pos = next;
}

static int skip_comment(struct render *render, struct error *err)
{
        const char *end = strstr(render->pos, "*/");

        if (!end)
                return error_set(err, EINVAL, "the comment is not closed: its */ is missing");
        render->pos = end + 2;
        return 0;
}

static bool take_keyword(struct render *render, const char *word)
{
        size_t n = strlen(word);
        char after = str_starts(render->pos, word) ? render->pos[n] : 'x';

        if (!is_blank(after) && after != '}' && after != '(' && after != '"' && after != '`' && after != '$' &&
            after != '\0')
                return false;
        render->pos += n;
        interp_skip_blank(render);
        return true;
}

/* Which kind of action begins at pos, which stands after the "{{". */
static int classify(struct render *render, enum action *ret, struct error *err)
{
        static const char *const refused[] = {"range", "with", "define", "template", "block", "break", "continue"};

        if (render->pos[0] == '-' && is_blank(render->pos[1]))
                render->pos++;
        interp_skip_blank(render);
        if (str_starts(render->pos, "/*")) {
                *ret = ACTION_COMMENT;
                return skip_comment(render, err);
        }
        for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
                if (take_keyword(render, refused[i]))
                        return error_set(err, ENOTSUP, "{{%s}} is not supported; there are if, else and end",
                                         refused[i]);
        if (take_keyword(render, "if"))
                *ret = ACTION_IF;
        else if (take_keyword(render, "end"))
                *ret = ACTION_END;
        else if (take_keyword(render, "else"))
                *ret = take_keyword(render, "if") ? ACTION_ELSE_IF : ACTION_ELSE;
        else
                *ret = ACTION_VALUE;
        return 0;
}

static int close_action(struct render *render, struct error *err)
{
        bool trim;

        interp_skip_blank(render);
        trim = *render->pos == '-' && is_blank(render->pos[-1]);
        render->pos += trim;
        if (!*render->pos)
                return error_set(err, EINVAL, "the action is not closed: its }} is missing");
        if (!str_starts(render->pos, "}}"))
                return error_set(err, EINVAL, "'%.20s' was not expected here", render->pos);
        render->pos += 2;
        if (trim)
                interp_skip_blank(render);
        return 0;
}

static int condition(struct render *render, bool *ret, struct error *err)
{
        CLEANUP(term_clear) struct term term = {0};
        bool declares;
        int r = interp_pipeline(render, &term, &declares, err);

        if (r == 0)
                r = close_action(render, err);
        if (r == 0)
                *ret = render->live && term_is_true(&term);
        return r;
}

static void forget_variables(struct render *render, size_t keep)
{
        while (render->variables.n > keep) {
                struct variable *last = &render->variables.v[--render->variables.n];

                free(last->name);
                term_clear(&last->value);
        }
}

/* From the condition of an if to its end. */
static int render_if(struct render *render, unsigned int depth, struct str *out, struct error *err)
{
        bool live = render->live, taken = false;
        size_t variables = render->variables.n;
        enum action stop = ACTION_IF;
        int r = 0;

        if (depth >= IF_DEPTH_MAX)
                return error_set(err, EINVAL, "if lies in if more than %d deep", IF_DEPTH_MAX);
        while (r == 0 && stop != ACTION_END) {
                bool holds = true;

                render->live = live && !taken;
                if (stop == ACTION_ELSE)
                        r = close_action(render, err);
                else
                        r = condition(render, &holds, err);
                if (r < 0)
                        break;
                render->live = live && !taken && holds;
                taken = taken || holds;
                r = render_until(render, depth + 1, out, &stop, err);
                if (r == 0 && stop == ACTION_END_OF_TEXT)
                        r = error_set(err, EINVAL, "{{end}} is missing");
        }
        forget_variables(render, variables);
        render->live = live;
        return r < 0 ? r : close_action(render, err);
}

static int render_value(struct render *render, struct str *out, struct error *err)
{
        CLEANUP(term_clear) struct term term = {0};
        bool declares;
        int r = interp_pipeline(render, &term, &declares, err);

        if (r == 0)
                r = close_action(render, err);
        if (r < 0 || !render->live || declares || render->later)
                return r;
        if (term.type == TERM_NIL)
                return error_set(err, EINVAL, "nil is not a text");
        term_print(out, &term);
        return 0;
}

/* Say where and in which action it went wrong. */
static int wrap(struct render *render, const char *open, int r, struct error *err)
{
        const char *close = strstr(open, "}}");
        size_t n = close ? (size_t)(close + 2 - open) : strlen(open);

        if (render->located)
                return r; /* by an action inside of this one */
        render->located = true;
        return error_wrap(err, r, "byte %zu, '%.*s%s'", (size_t)(open - render->text) + 1, n > 60 ? 60 : (int)n, open,
                          n > 60 ? "..." : "");
}

/* One action from its "{{". What is known only later is copied as it stands. */
static int render_action(struct render *render, unsigned int depth, struct str *out, enum action *ret,
                         struct error *err)
{
        const char *open = render->pos;
        bool later = render->later;
        size_t length = out->len;
        int r;

        render->later = false;
        if (!strstr(open, "}}"))
                return wrap(render, open, error_set(err, EINVAL, "the action is not closed: its }} is missing"), err);
        render->pos += 2;
        r = classify(render, ret, err);
        if (r == 0 && (*ret == ACTION_ELSE || *ret == ACTION_ELSE_IF || *ret == ACTION_END) && depth > 0) {
                render->later = later;
                return 0; /* its if reads on */
        }
        if (r == 0 && *ret == ACTION_IF)
                r = render_if(render, depth, out, err);
        else if (r == 0 && *ret == ACTION_VALUE)
                r = render_value(render, out, err);
        else if (r == 0 && *ret == ACTION_COMMENT)
                r = close_action(render, err);
        else if (r == 0)
                r = error_set(err, EINVAL, "there is no {{if}} that this belongs to");
        if (r < 0)
                return wrap(render, open, r, err);
        if (render->later && render->live) {
                if (out->s)
                        out->s[out->len = length] = '\0';
                str_addn(out, open, (size_t)(render->pos - open));
        }
        render->later = later;
        return 0;
}

/* Up to the end of the text, or to an else or end, which stands then at pos. */
static int render_until(struct render *render, unsigned int depth, struct str *out, enum action *ret_stop,
                        struct error *err)
{
        enum action action = ACTION_VALUE;

        for (;;) {
                int r;

                copy_text(render, out);
                if (!*render->pos) {
                        *ret_stop = ACTION_END_OF_TEXT;
                        return 0;
                }
                if (out->len > INTERP_TEXT_MAX)
                        return error_set(err, E2BIG, "the text becomes longer than 16 MiB");
                r = render_action(render, depth, out, &action, err);
                if (r < 0)
                        return r;
                if (depth > 0 && (action == ACTION_ELSE || action == ACTION_ELSE_IF || action == ACTION_END)) {
                        *ret_stop = action;
                        return 0;
                }
        }
}

int interp_render(const struct interp *interp, const char *text, char **ret, struct error *err)
{
        struct render render = {.interp = interp, .text = text, .pos = text, .live = true};
        CLEANUP_STR struct str out = {0};
        enum action stop;
        int r;

        r = render_until(&render, 0, &out, &stop, err);
        forget_variables(&render, 0);
        vec_free(&render.variables);
        if (r < 0)
                return r;
        *ret = str_steal(&out);
        return 0;
}
