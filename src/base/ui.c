/* See ui.h. */
#include "base/ui.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/size.h"
#include "base/str.h"

bool ui_errors_on_stdout;

FILE *ui_error_stream(void)
{
        return ui_errors_on_stdout ? stdout : stderr;
}

void ui_init(struct ui *ui, const char *target)
{
        *ui = (struct ui){.target = target, .paint = 32};
        ui->color = isatty(STDOUT_FILENO) && !getenv("PACKER_NO_COLOR") && !getenv("NO_COLOR");
}

static char *hide_secrets(const struct ui *ui, char *text)
{
        for (const char *const *secret = ui->secrets; secret && *secret; secret++) {
                char *hidden;

                if (!**secret)
                        continue;
                hidden = str_replace(text, *secret, "<sensitive>");
                free(text);
                text = hidden;
        }
        return text;
}

static void erase_bar(struct ui *ui)
{
        if (ui->drawn)
                fputs("\r\033[K", stderr);
        ui->drawn = false;
}

/* RFC 3339: the offset is +02:00, and that of UTC is Z. */
static void add_stamp(const struct ui *ui, struct str *out)
{
        char stamp[40], offset[8];
        time_t now = time(NULL);
        struct tm tm;

        if (!ui->timestamps)
                return;
        localtime_r(&now, &tm);
        strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
        strftime(offset, sizeof(offset), "%z", &tm);
        if (tm.tm_gmtoff == 0)
                str_addf(out, "%sZ: ", stamp);
        else
                str_addf(out, "%s%.3s:%s: ", stamp, offset, offset + 3);
}

/* The build's name before each line; nothing blank at the end, as Packer has it. */
static char *name_lines(const struct ui *ui, const char *text)
{
        CLEANUP_STRV char **lines = str_split(text, "\n");
        CLEANUP_STR struct str out = {0};
        char *named;

        if (!ui->target)
                return xstrdup(text);
        for (char **line = lines; *line; line++)
                str_addf(&out, "%s==> %s: %s", line == lines ? "" : "\n", ui->target, *line);
        named = str_steal(&out);
        for (size_t n = strlen(named); n > 0 && isspace((unsigned char)named[n - 1]); n--)
                named[n - 1] = '\0';
        return named;
}

/* One write for the whole. */
static void print_text(struct ui *ui, FILE *stream, int color, const char *text)
{
        CLEANUP_STR struct str out = {0};

        if (ui->color)
                str_addf(&out, "\033[1;%dm", color);
        add_stamp(ui, &out);
        str_add(&out, text);
        str_addf(&out, "%s\n", ui->color ? "\033[0m" : "");
        erase_bar(ui);
        fflush(stdout);
        fwrite(str_get(&out), 1, out.len, stream);
        fflush(stream);
}

__attribute__((format(printf, 3, 0))) static void say(struct ui *ui, const char *kind, const char *format, va_list ap)
{
        CLEANUP_FREE char *text = hide_secrets(ui, xvasprintf(format, ap));
        CLEANUP_FREE char *named = name_lines(ui, text);
        bool is_error = strcmp(kind, "error") == 0;
        struct ui whole = {.machine_readable = true};

        if (ui->machine_readable)
                ui_machine(&whole, "ui", (const char *const[]){kind, named, NULL});
        else
                print_text(ui, is_error ? ui_error_stream() : stdout, is_error ? 31 : ui->paint, named);
}

#define SAY(kind)                                                                                                      \
        do {                                                                                                           \
                va_list ap;                                                                                            \
                va_start(ap, format);                                                                                  \
                say(ui, kind, format, ap);                                                                             \
                va_end(ap);                                                                                            \
        } while (0)

void ui_say(struct ui *ui, const char *format, ...)
{
        SAY("say");
}

void ui_message(struct ui *ui, const char *format, ...)
{
        SAY("message");
}

void ui_error(struct ui *ui, const char *format, ...)
{
        SAY("error");
}

static void add_escaped(struct str *out, const char *s)
{
        for (; *s; s++) {
                switch (*s) {
                case ',':
                        str_add(out, "%!(PACKER_COMMA)");
                        break;
                case '\n':
                        str_add(out, "\\n");
                        break;
                case '\r':
                        str_add(out, "\\r");
                        break;
                default:
                        str_addc(out, *s);
                }
        }
}

void ui_machine(struct ui *ui, const char *type, const char *const *data)
{
        CLEANUP_STR struct str out = {0};

        if (!ui->machine_readable)
                return;
        str_addf(&out, "%lld,%s,%s,", (long long)time(NULL), ui->target ? ui->target : "", type);
        for (size_t i = 0; data[i]; i++) {
                CLEANUP_FREE char *shown = hide_secrets(ui, xstrdup(data[i]));

                if (i > 0)
                        str_addc(&out, ',');
                add_escaped(&out, shown);
        }
        str_addc(&out, '\n');
        fwrite(str_get(&out), 1, out.len, stdout);
        fflush(stdout);
}

static bool is_quiet(const struct ui *ui)
{
        return !ui || ui->machine_readable || !ui->label;
}

void progress_start(struct ui *ui, const char *label, uint64_t total_bytes)
{
        if (!ui)
                return;
        ui->label = label;
        ui->total = total_bytes;
        ui->done = 0;
        ui->started_ms = ui->drawn_ms = monotonic_ms();
}

static void draw_bar(struct ui *ui, double seconds)
{
        double rate = seconds > 0 ? (double)ui->done / seconds : 0;
        char bar[31];

        if (ui->total == 0) {
                fprintf(stderr, "\r\033[K    %s: %s, %s/s", ui->label, size_show(ui->done), size_show((uint64_t)rate));
        } else {
                size_t full = (size_t)((double)ui->done / (double)ui->total * 30);
                double left = rate > 0 ? (double)(ui->total - ui->done) / rate : 0;

                full = full > 30 ? 30 : full;
                memset(bar, ' ', 30);
                memset(bar, '=', full);
                bar[30] = '\0';
                fprintf(stderr, "\r\033[K    %s: [%s] %3.0f %% of %s, %s/s, %.0f s left", ui->label, bar,
                        (double)ui->done / (double)ui->total * 100, size_show(ui->total), size_show((uint64_t)rate),
                        left);
        }
        fflush(stderr);
        ui->drawn = true;
}

void progress_update(struct ui *ui, uint64_t done_bytes)
{
        bool terminal = isatty(STDERR_FILENO);
        int64_t now;

        if (is_quiet(ui))
                return;
        ui->done = ui->total && done_bytes > ui->total ? ui->total : done_bytes;
        now = monotonic_ms();
        if (now - ui->drawn_ms < (terminal ? 100 : 10000))
                return;
        ui->drawn_ms = now;
        if (terminal)
                draw_bar(ui, (double)(now - ui->started_ms) / 1000);
        else if (ui->total)
                ui_say(ui, "%s: %s of %s", ui->label, size_show(ui->done), size_show(ui->total));
        else
                ui_say(ui, "%s: %s", ui->label, size_show(ui->done));
}

void progress_end(struct ui *ui)
{
        const char *label;
        double seconds;

        if (!ui)
                return;
        erase_bar(ui);
        label = steal(&ui->label);
        if (!label || ui->machine_readable)
                return;
        seconds = (double)(monotonic_ms() - ui->started_ms) / 1000;
        if (seconds >= 0.5)
                ui_say(ui, "%s: %s in %.1f s (%s/s)", label, size_show(ui->done), seconds,
                       size_show((uint64_t)((double)ui->done / seconds)));
}
