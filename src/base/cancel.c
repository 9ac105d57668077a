/* See cancel.h. */
#include "base/cancel.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static volatile sig_atomic_t count;

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

static void on_signal(int signo)
{
        caught = signo;
        if (++count >= 3)
                _exit(128 + signo);
}

static void set_handlers(void (*handler)(int))
{
        struct sigaction action = {.sa_handler = handler}; /* no SA_RESTART: waits wake up */

        for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
                sigaction(signals[i], &action, NULL);
}

void cancel_install(void)
{
        set_handlers(on_signal);
}

void cancel_clear(void)
{
        caught = 0;
        count = 0;
}

void cancel_reset(void)
{
        set_handlers(SIG_DFL);
        cancel_clear();
}

int cancel_signal(void)
{
        return caught;
}

int cancel_check(struct error *err)
{
        if (!caught)
                return 0;
        return error_set(err, ECANCELED, "stopped by signal %d (%s)", caught, strsignal(caught));
}
