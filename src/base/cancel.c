/* See cancel.h. */
#include "base/cancel.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static volatile sig_atomic_t count;
static volatile pid_t relay;

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

static void on_signal(int signo, siginfo_t *info, void *context)
{
        (void)context;
        if (relay == 0 || info->si_code != SI_USER || info->si_pid != relay)
                count++;
        caught = signo;
        if (count >= 3)
                _exit(128 + signo);
}

static void set_actions(const struct sigaction *action)
{
        for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
                sigaction(signals[i], action, NULL);
}

void cancel_install(void)
{
        set_actions(&(struct sigaction){.sa_sigaction = on_signal,
                                        .sa_flags = SA_SIGINFO}); /* no SA_RESTART: waits wake up */
}

void cancel_relayed_by(pid_t parent)
{
        relay = parent;
}

void cancel_clear(void)
{
        caught = 0;
        count = 0;
}

void cancel_defer(void)
{
        sigset_t set;

        sigemptyset(&set);
        for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
                sigaddset(&set, signals[i]);
        sigprocmask(SIG_BLOCK, &set, NULL);
        cancel_clear();
}

void cancel_reset(void)
{
        set_actions(&(struct sigaction){.sa_handler = SIG_DFL});
        relay = 0;
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
