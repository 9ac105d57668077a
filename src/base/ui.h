/* What a person, or a script with -machine-readable, is told. One struct ui
 * for each build, named after it:
 *
 *     ==> arm.raspbian: Provisioning with shell script
 *     ==> arm.raspbian: Reading package lists...
 *
 * Lines are written whole, so that parallel builds do not mix. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum ui_color { UI_COLOR_AUTO, UI_COLOR_ALWAYS, UI_COLOR_NEVER };

struct ui {
        const char *target; /* name of the build; NULL: none, and no prefix. Borrowed. */
        bool machine_readable, timestamps, color;
        const char *const *secrets; /* replaced by <sensitive> in everything that is shown. Borrowed. */
        int paint;                  /* ANSI colour of this build's lines: 32 (green), 36, 35, 33, 34 */
        /* Progress: what is being waited for, or NULL. */
        const char *label;    /* borrowed */
        uint64_t total, done; /* bytes; total 0: not known */
        int64_t started_ms, drawn_ms;
        bool drawn;
};

/* PACKER_NO_COLOR and NO_COLOR and a stdout that is no terminal switch colour off. */
void ui_init(struct ui *ui, const char *target);

void ui_say(struct ui *ui, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A result on its own (of an expression, a list): the same, but `message` with -machine-readable. For a build, Packer
 * has said all with ui_say since 1.13. */
void ui_message(struct ui *ui, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ui_error(struct ui *ui, const char *format, ...) __attribute__((format(printf, 2, 3))); /* to ui_error_stream() */
/* stderr; or stdout once `ui_errors_on_stdout` is set: Packer has all that it says there, and scripts read it there. */
FILE *ui_error_stream(void);
extern bool ui_errors_on_stdout;
/* `timestamp,target,type,data...` on stdout, escaped as Packer does; only with
 * -machine-readable. `data` is NULL-terminated. The texts of the three above are `ui` lines without a target, and name
 * the build in their text, as Packer's do. */
void ui_machine(struct ui *ui, const char *type, const char *const *data);

/* Progress of one long piece of work: a bar with rate and time left on a
 * terminal (stderr), else a plain line at the end of it, and one every 10 s
 * while it lasts. ui may be NULL: silence. */
void progress_start(struct ui *ui, const char *label, uint64_t total_bytes);
void progress_update(struct ui *ui, uint64_t done_bytes);
void progress_end(struct ui *ui);
