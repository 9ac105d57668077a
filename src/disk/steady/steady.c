/* What disk/steady.h loads into programs. Time: begins where we are told, and passes by being read and by
 * sleeping. Randomness: splitmix64 of a seed. Interrupts of User-Mode Linux (arch/um/os-Linux in the kernel's sources):
 * its timer (SIGALRM) and its disk (SIGIO) interrupt it where it sleeps (sigsuspend), and where it reads a clock that
 * has come to the timer's time, never elsewhere. Its disk is a thread that gets requests by a pair of sockets, the only
 * one of which SIGIO is asked (O_ASYNC); before it sleeps for a time, all requests are done. Only the calls by which
 * these programs do these things are here. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define SECOND INT64_C(1000000000)

enum { READING_NS = 1000 }; /* what it takes to read the clock, so that waiting for a time ends */

static int64_t start_ns; /* of the wall clock */
static int64_t now_ns;   /* since the start */
static uint64_t random_state;

static int64_t due_ns, interval_ns; /* of the one timer */
static bool armed;

static int pair[2] = {-1, -1};          /* the last pair of sockets made */
static int requests = -1, answers = -1; /* the kernel's end of the pair, and its disk's */
static uint32_t sent, seen, done;       /* bytes of requests; `done` is the disk's thread's */

static void (*handlers[NSIG])(int, siginfo_t *, void *);

__attribute__((constructor)) static void begin(void)
{
        const char *text = getenv("SLIPWAY_STEADY");
        char *end;

        if (!text)
                return;
        start_ns = strtoll(text, &end, 10) * SECOND;
        random_state = strtoull(end, NULL, 16);
}

static void raise_here(int sig)
{
        syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), sig);
}

static void alarm_now(void)
{
        if (now_ns < due_ns)
                now_ns = due_ns;
        armed = interval_ns > 0;
        due_ns = now_ns + interval_ns;
        raise_here(SIGALRM);
}

static int64_t read_clock(void)
{
        now_ns += READING_NS;
        if (armed && now_ns >= due_ns)
                alarm_now();
        return now_ns;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *ret)
{
        bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
        int64_t ns = read_clock() + (wall ? start_ns : 0);

        *ret = (struct timespec){ns / SECOND, ns % SECOND};
        return 0;
}

EXPORT int gettimeofday(struct timeval *ret, void *zone)
{
        int64_t ns = start_ns + read_clock();

        (void)zone;
        *ret = (struct timeval){ns / SECOND, ns % SECOND / 1000};
        return 0;
}

EXPORT time_t time(time_t *ret)
{
        time_t now = (start_ns + read_clock()) / SECOND;

        if (ret)
                *ret = now;
        return now;
}

/* ---- random numbers ---- */

static uint64_t next_random(void)
{
        uint64_t z = random_state += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        return z ^ (z >> 31);
}

EXPORT ssize_t getrandom(void *buffer, size_t n, unsigned int flags)
{
        unsigned char *to = buffer;

        (void)flags;
        for (size_t i = 0; i < n; i++)
                to[i] = (unsigned char)next_random();
        return (ssize_t)n;
}

EXPORT void uuid_generate(unsigned char out[16]);
EXPORT void uuid_generate(unsigned char out[16])
{
        getrandom(out, 16, 0);
        out[6] = (out[6] & 0x0f) | 0x40;
        out[8] = (out[8] & 0x3f) | 0x80;
}

/* User-Mode Linux gathers from /dev/random in its own time; it does without. mkfs reads the others; mkfs.f2fs keeps the
 * version of the host's kernel. */
static int open_steady(const char *path, int flags, mode_t mode)
{
        if (strcmp(path, "/dev/random") == 0) {
                errno = ENOENT;
                return -1;
        }
        if (strcmp(path, "/dev/urandom") == 0)
                path = "/dev/zero";
        if (strcmp(path, "/proc/version") == 0)
                path = "/dev/null";
        return openat(AT_FDCWD, path, flags, mode);
}

EXPORT int open(const char *path, int flags, ...)
{
        mode_t mode = 0;
        va_list args;

        va_start(args, flags);
        if (flags & (O_CREAT | __O_TMPFILE))
                mode = va_arg(args, mode_t);
        va_end(args);
        return open_steady(path, flags, mode);
}
EXPORT int open64(const char *path, int flags, ...) __attribute__((alias("open")));

/* ---- the timer, and sleeping ---- */

EXPORT int timer_create(clockid_t clock, struct sigevent *event, timer_t *ret)
{
        (void)clock;
        (void)event;
        *ret = NULL;
        return 0;
}

EXPORT int timer_settime(timer_t timer, int flags, const struct itimerspec *value, struct itimerspec *old)
{
        (void)timer;
        (void)flags;
        (void)old;
        interval_ns = value->it_interval.tv_sec * SECOND + value->it_interval.tv_nsec;
        due_ns = value->it_value.tv_sec * SECOND + value->it_value.tv_nsec;
        armed = due_ns > 0;
        due_ns += now_ns;
        return 0;
}

/* Asked before sleeping, which sees for itself. */
EXPORT int timer_gettime(timer_t timer, struct itimerspec *ret)
{
        (void)timer;
        *ret = (struct itimerspec){.it_value.tv_nsec = 1};
        return 0;
}

static int interrupted(int sig, const sigset_t *mask)
{
        sigset_t old;

        sigprocmask(SIG_SETMASK, mask, &old);
        if (sig == SIGALRM)
                alarm_now();
        else
                raise_here(sig);
        sigprocmask(SIG_SETMASK, &old, NULL);
        errno = EINTR;
        return -1;
}

/* The next thing that happens: first what the disk does, all of it, then the timer. */
EXPORT int sigsuspend(const sigset_t *mask)
{
        if (seen != sent) {
                for (uint32_t now; (now = __atomic_load_n(&done, __ATOMIC_ACQUIRE)) != sent;)
                        syscall(SYS_futex, &done, FUTEX_WAIT, now, NULL, NULL, 0);
                seen = sent;
                return interrupted(SIGIO, mask);
        }
        if (armed)
                return interrupted(SIGALRM, mask);
        return (int)syscall(SYS_rt_sigsuspend, mask, NSIG / 8);
}

/* ---- interrupts ---- */

/* Where it was interrupted is mixed into the kernel's random numbers. */
static void on_signal(int sig, siginfo_t *info, void *context)
{
        ucontext_t copy = *(ucontext_t *)context;

#ifdef __x86_64__
        copy.uc_mcontext.gregs[REG_RIP] = 0;
#endif
        handlers[sig](sig, info, &copy);
}

/* libc's own. */
int __sigaction(int sig, const struct sigaction *action, struct sigaction *old);
EXPORT int sigaction(int sig, const struct sigaction *action, struct sigaction *old)
{
        struct sigaction ours;
        int r;

        if (sig != SIGALRM && sig != SIGIO)
                return __sigaction(sig, action, old);
        if (action && (action->sa_flags & SA_SIGINFO)) {
                ours = *action;
                ours.sa_sigaction = on_signal;
                r = __sigaction(sig, &ours, old);
        } else {
                r = __sigaction(sig, action, old);
        }
        if (r == 0 && old && old->sa_sigaction == on_signal)
                old->sa_sigaction = handlers[sig];
        if (r == 0 && action && (action->sa_flags & SA_SIGINFO))
                handlers[sig] = action->sa_sigaction;
        return r;
}

EXPORT int socketpair(int domain, int type, int protocol, int ret[2])
{
        int r = (int)syscall(SYS_socketpair, domain, type, protocol, ret);

        if (r == 0)
                memcpy(pair, ret, sizeof(pair));
        return r;
}

EXPORT int fcntl(int fd, int cmd, ...)
{
        va_list args;
        long arg;

        va_start(args, cmd);
        arg = va_arg(args, long);
        va_end(args);
        if (cmd == F_SETFL && (arg & O_ASYNC)) {
                if (fd == pair[0] || fd == pair[1]) {
                        requests = fd;
                        answers = fd == pair[0] ? pair[1] : pair[0];
                }
                arg &= ~(long)O_ASYNC;
        }
        return (int)syscall(SYS_fcntl, fd, cmd, arg);
}
EXPORT int fcntl64(int fd, int cmd, ...) __attribute__((alias("fcntl")));

EXPORT ssize_t write(int fd, const void *data, size_t n)
{
        ssize_t r = syscall(SYS_write, fd, data, n);

        if (r > 0 && fd == requests)
                sent += (uint32_t)r;
        if (r > 0 && fd == answers) {
                __atomic_add_fetch(&done, (uint32_t)r, __ATOMIC_RELEASE);
                syscall(SYS_futex, &done, FUTEX_WAKE, 1, NULL, NULL, 0);
        }
        return r;
}
