/* QEMU with the machine's console on our standard streams: handed over to the
 * user's terminal, or read for a text that says that the system is up. */
#include "boot/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"

static const char panic_text[] = "Kernel panic - not syncing";

struct watch {
        const struct boot_system *system;
        const char *until;
        int disk_fd;
        struct str seen;   /* the end of what the console showed */
        struct str errors; /* QEMU's own words */
        bool found, panicked;
};

/* In the child: QEMU opens our nameless files by number. */
static int keep_files(void *arg, struct error *err)
{
        const struct watch *watch = arg;
        const int fds[] = {watch->system->kernel.fd, watch->system->initrd.fd, watch->system->dtb.fd, watch->disk_fd};

        for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
                if (fds[i] >= 0 && fcntl(fds[i], F_SETFD, 0) < 0)
                        return error_errno(err, errno, "keep a file open for QEMU");
        return 0;
}

/* Keep as much of the end as a text can lie across two pieces of output. */
static void remember(struct str *seen, const char *data, size_t n)
{
        enum { KEPT = 4096 };

        str_addn(seen, data, n);
        if (seen->len > 2 * KEPT) {
                memmove(seen->s, seen->s + seen->len - KEPT, KEPT + 1);
                seen->len = KEPT;
        }
}

static bool on_output(void *arg, bool is_stderr, const char *data, size_t n)
{
        struct watch *watch = arg;

        if (is_stderr) {
                str_addn(&watch->errors, data, n);
                return false;
        }
        fd_write_all(STDOUT_FILENO, data, n);
        for (size_t i = 0; i < n; i++)
                if (data[i] != '\0')
                        remember(&watch->seen, &data[i], 1);
        watch->found = strstr(str_get(&watch->seen), watch->until) != NULL;
        watch->panicked = strstr(str_get(&watch->seen), panic_text) != NULL;
        return watch->found || watch->panicked;
}

static int verdict(struct watch *watch, const struct boot_options *options, int r, int status, struct error *err)
{
        if (watch->found)
                return 0;
        if (r == -ETIMEDOUT)
                return error_set(err, ETIMEDOUT, "the console did not show '%s' within %ld s", watch->until,
                                 options->timeout_sec);
        if (r < 0)
                return r;
        if (watch->panicked)
                return error_set(err, EIO, "the kernel panicked before the console showed '%s'", watch->until);
        error_set(err, EIO, "the machine stopped before the console showed '%s' (QEMU's exit code: %d)", watch->until,
                  status);
        if (watch->errors.len > 0)
                error_append(err, -EIO, "\n%s", str_trim(watch->errors.s));
        return -EIO;
}

int boot_run(const struct boot_system *system, const struct boot_options *options, char *const *argv, int disk_fd,
             int *ret_status, struct error *err)
{
        struct watch watch = {.system = system, .until = options->until, .disk_fd = disk_fd};
        struct spawn spawn = {
                .argv = (const char *const *)argv,
                .terminal = !options->until,
                .timeout_ms = (unsigned int)options->timeout_sec * 1000U,
                .on_output = options->until ? on_output : NULL,
                .arg = &watch,
                .enter = keep_files,
                .enter_arg = &watch,
        };
        int status = 0, r = spawn_run(&spawn, &status, err);

        if (options->until)
                r = verdict(&watch, options, r, status, err);
        str_clear(&watch.seen);
        str_clear(&watch.errors);
        if (r < 0)
                return r;
        *ret_status = options->until ? 0 : status;
        return 0;
}
