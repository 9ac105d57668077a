/* sleep: wait, and nothing else. */
#include <errno.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/str.h"
#include "provision/rows.h"

struct sleep_config {
        int64_t duration_ms;
};

static const struct schema_key keys[] = {
        {.name = "duration",
         .type = SCHEMA_DURATION,
         .flags = SCHEMA_REQUIRED,
         .offset = offsetof(struct sleep_config, duration_ms),
         .help = "how long to wait, such as \"10s\" or \"1m30s\""},
};

static const struct schema schema = {
        .name = "the sleep provisioner", .size = sizeof(struct sleep_config), .keys = keys, .n_keys = 1};

static int64_t now_ms(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int provision_pause(int64_t ms, struct error *err)
{
        int64_t end = now_ms() + ms, left;
        int r;

        while ((r = cancel_check(err)) == 0 && (left = end - now_ms()) > 0) {
                struct timespec nap = {.tv_nsec = (left < 100 ? left : 100) * 1000000};

                nanosleep(&nap, NULL);
        }
        return r;
}

char *provision_duration(int64_t ms)
{
        long long hours = ms / 3600000, minutes = ms / 60000 % 60;
        double seconds = (double)(ms % 60000) / 1000;

        if (ms < 1000)
                return xasprintf("%lldms", (long long)ms);
        if (hours)
                return xasprintf("%lldh%lldm%gs", hours, minutes, seconds);
        if (minutes)
                return xasprintf("%lldm%gs", minutes, seconds);
        return xasprintf("%gs", seconds);
}

static int check(void *config, const struct value *value, struct diags *diags)
{
        const struct sleep_config *c = config;

        if (c->duration_ms >= 0)
                return 0;
        diag_error(diags, schema_range(value, "duration"), "the duration is negative");
        return -EINVAL;
}

static int run(const void *config, const struct provision_context *context, struct error *err)
{
        const struct sleep_config *c = config;
        CLEANUP_FREE char *shown = provision_duration(c->duration_ms);

        ui_say(context->ui, "Sleeping for %s...", shown);
        return provision_pause(c->duration_ms, err);
}

const struct provisioner_type provision_sleep = {
        .name = "sleep",
        .schema = &schema,
        .check = check,
        .run = run,
        .on_host = true,
};
