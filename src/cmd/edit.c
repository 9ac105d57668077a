/* See edit.h. Ctrl-C is taken as a key and not as a signal, so that it can give
 * up a line without giving up the program. */
#include "cmd/edit.h"

#include <ctype.h>
#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"

enum { HISTORY_LINES = 1000 };

struct edit {
        EditLine *el;
        History *history;
        char *path; /* of the history; NULL: it is not kept */
        const char *const *words;
        const char *prompt;
        bool cancelled, interrupted;
};

static struct edit *edit_of(EditLine *el)
{
        void *data = NULL;

        el_get(el, EL_CLIENTDATA, &data);
        return data;
}

static char *show_prompt(EditLine *el)
{
        return (char *)edit_of(el)->prompt;
}

static unsigned char take_interrupt(EditLine *el, wint_t c)
{
        struct edit *edit = edit_of(el);
        const LineInfo *line = el_line(el);

        (void)c;
        edit->interrupted = line->lastchar == line->buffer;
        edit->cancelled = !edit->interrupted;
        fputs("^C\r\n", stdout);
        fflush(stdout);
        return CC_NEWLINE; /* what was typed stays to be seen, and is dropped by edit_line() */
}

/* The name that ends at the cursor: letters, digits, '_' and '.'. */
static size_t name_length(const LineInfo *line)
{
        const char *p = line->cursor;

        while (p > line->buffer && (isalnum((unsigned char)p[-1]) || strchr("_.", p[-1])))
                p--;
        return (size_t)(line->cursor - p);
}

/* Insert what all words that begin so have in common; where that is nothing more, list them. */
static unsigned char complete(EditLine *el, wint_t c)
{
        const struct edit *edit = edit_of(el);
        const LineInfo *line = el_line(el);
        size_t n = name_length(line), common = 0, n_hits = 0;
        CLEANUP_FREE char *name = xstrndup(line->cursor - n, n), *more = NULL;
        const char *first = NULL;

        (void)c;
        for (const char *const *word = edit->words; n > 0 && word && *word; word++) {
                size_t same = 0;

                if (!str_starts(*word, name))
                        continue;
                first = first ? first : *word;
                while (first[same] && first[same] == (*word)[same])
                        same++;
                common = n_hits++ == 0 || same < common ? same : common;
        }
        if (n_hits == 0)
                return CC_REFRESH_BEEP;
        if (common > n) {
                more = xstrndup(first + n, common - n);
                return el_insertstr(el, more) < 0 ? CC_ERROR : CC_REFRESH;
        }
        if (n_hits == 1)
                return CC_NORM;
        fputc('\n', stdout);
        for (const char *const *word = edit->words; *word; word++)
                if (str_starts(*word, name))
                        printf("%s  ", *word);
        fputc('\n', stdout);
        fflush(stdout);
        return CC_REDISPLAY;
}

static char *history_path(const char *name)
{
        const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

        if (!str_empty(state))
                return xasprintf("%s/slipway/%s", state, name);
        return str_empty(home) ? NULL : xasprintf("%s/.local/state/slipway/%s", home, name);
}

static void load_history(struct edit *edit, const char *name)
{
        HistEvent event;

        edit->path = history_path(name);
        history(edit->history, &event, H_SETSIZE, HISTORY_LINES);
        history(edit->history, &event, H_SETUNIQUE, 1);
        if (edit->path)
                history(edit->history, &event, H_LOAD, edit->path);
        el_set(edit->el, EL_HIST, history, edit->history);
}

int edit_new(const char *name, const char *const *words, struct edit **ret, struct error *err)
{
        CLEANUP(edit_freep) struct edit *edit = xcalloc(1, sizeof(*edit));

        setlocale(LC_CTYPE, ""); /* which bytes make a character */
        edit->words = words;
        edit->history = history_init();
        edit->el = el_init("slipway", stdin, stdout, stderr);
        if (!edit->el || !edit->history)
                return error_set(err, ENOTTY, "cannot edit lines on this terminal");
        el_set(edit->el, EL_CLIENTDATA, edit);
        el_set(edit->el, EL_PROMPT, show_prompt);
        el_set(edit->el, EL_EDITOR, "emacs");
        el_set(edit->el, EL_SETTY, "-d", "-isig", NULL);
        el_wset(edit->el, EL_ADDFN, L"take-interrupt", L"Give up the line", take_interrupt); /* el_set leaks copies */
        el_set(edit->el, EL_BIND, "^C", "take-interrupt", NULL);
        el_wset(edit->el, EL_ADDFN, L"complete", L"Complete the name", complete);
        el_set(edit->el, EL_BIND, "^I", "complete", NULL);
        el_set(edit->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
        load_history(edit, name);
        el_source(edit->el, NULL);
        *ret = steal(&edit);
        return 0;
}

static void save_history(const struct edit *edit)
{
        CLEANUP_FREE char *dir = edit->path ? path_dir(edit->path) : NULL;
        HistEvent event;

        if (dir && dir_make(dir, 0700, NULL) == 0)
                history(edit->history, &event, H_SAVE, edit->path);
}

struct edit *edit_free(struct edit *edit)
{
        if (!edit)
                return NULL;
        if (edit->history && edit->el)
                save_history(edit);
        if (edit->el)
                el_end(edit->el);
        if (edit->history)
                history_end(edit->history);
        free(edit->path);
        free(edit);
        return NULL;
}

enum edit_result edit_line(struct edit *edit, const char *prompt, char **ret)
{
        const char *line;
        int n = 0;

        edit->prompt = prompt;
        edit->interrupted = edit->cancelled = false;
        line = el_gets(edit->el, &n);
        if (edit->interrupted || edit->cancelled)
                return edit->interrupted ? EDIT_INTERRUPTED : EDIT_CANCELLED;
        if (!line || n <= 0) {
                fputc('\n', stdout);
                return EDIT_END;
        }
        *ret = xstrndup(line, (size_t)n - (line[n - 1] == '\n'));
        return EDIT_LINE;
}

void edit_remember(struct edit *edit, const char *text)
{
        CLEANUP_FREE char *line = str_replace(text, "\n", " ");
        HistEvent event;

        history(edit->history, &event, H_ENTER, line);
}
