/* breakpoint: wait for Enter, so that a person can look around. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/str.h"
#include "provision/rows.h"

struct breakpoint_config {
        char *note;
        bool disable;
};

static const struct schema_key keys[] = {
        {.name = "note",
         .type = SCHEMA_STRING,
         .offset = offsetof(struct breakpoint_config, note),
         .help = "shown while the build waits"},
        {.name = "disable",
         .type = SCHEMA_BOOL,
         .offset = offsetof(struct breakpoint_config, disable),
         .help = "go on without waiting"},
};

static const struct schema schema = {
        .name = "the breakpoint provisioner", .size = sizeof(struct breakpoint_config), .keys = keys, .n_keys = 2};

/* Until a line, or the end of input, has been read. */
static int wait_for_enter(struct error *err)
{
        struct pollfd fd = {.fd = STDIN_FILENO, .events = POLLIN};
        char byte = 0;
        int r;

        while ((r = cancel_check(err)) == 0) {
                if (poll(&fd, 1, 100) <= 0)
                        continue;
                if (read(STDIN_FILENO, &byte, 1) <= 0 || byte == '\n')
                        return 0;
        }
        return r;
}

static int run(const void *config, const struct provision_context *context, struct error *err)
{
        const struct breakpoint_config *c = config;
        bool has_note = !str_empty(c->note);

        if (c->disable) {
                if (has_note)
                        ui_say(context->ui, "Breakpoint provisioner with note \"%s\" disabled; continuing...", c->note);
                else
                        ui_say(context->ui, "Breakpoint provisioner disabled; continuing...");
                return 0;
        }
        if (has_note)
                ui_say(context->ui, "Pausing at breakpoint provisioner with note \"%s\".", c->note);
        else
                ui_say(context->ui, "Pausing at breakpoint provisioner.");
        if (!isatty(STDIN_FILENO)) {
                ui_say(context->ui, "Standard input is no terminal, so nobody can press Enter; continuing...");
                return 0;
        }
        ui_say(context->ui, "Press Enter to continue.");
        return wait_for_enter(err);
}

const struct provisioner_type provision_breakpoint = {
        .name = "breakpoint",
        .schema = &schema,
        .run = run,
        .on_host = true,
};
