/* All builds of a template: each in a process of its own, as many at once as
 * is allowed; then what came of them. See build.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uuid.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/epoch.h"
#include "base/file.h"
#include "base/log.h"
#include "base/size.h"
#include "base/str.h"
#include "build/job.h"
#include "build/stock.h"

/* A build under way, seen from the parent. */
struct child {
        const struct template_build *build;
        struct ui ui;
        pid_t pid;
        int from; /* read end: its result */
        struct str result;
        time_t started;
        bool done;
        char *problem; /* NULL: it went well */
        struct artifacts artifacts;
};

/* ---- in the child ---- */

int job_call(struct job *job, int (*fn)(void *arg, struct error *err), void *arg, size_t size, struct error *err)
{
        void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int r;

        if (shared == MAP_FAILED)
                return error_errno(err, errno, "share memory");
        memcpy(shared, arg, size);
        r = userns_call(job->ns, fn, shared, err);
        memcpy(arg, shared, size);
        munmap(shared, size);
        return r;
}

/* Can a file be made in the folder, or in that of its parents which is there already? */
static int check_folder(const char *path, struct error *err)
{
        CLEANUP_FREE char *dir = path_dir(path);
        struct stat st = {0};

        while (stat(dir, &st) < 0 && errno == ENOENT && strcmp(dir, "/") != 0 && strcmp(dir, ".") != 0) {
                char *parent = path_dir(dir);

                free(dir);
                dir = parent;
        }
        if (access(dir, W_OK | X_OK) < 0)
                return error_errno(err, errno, "image_path '%s': write in the folder '%s'", path, dir);
        return S_ISDIR(st.st_mode) ? 0 : error_set(err, ENOTDIR, "image_path '%s': '%s' is no folder", path, dir);
}

/* What would only be found when the steps have run, an hour later. */
static int check_output(const struct job *job, struct error *err)
{
        const char *path = job->arm->image_path;
        struct stat st = {0};
        bool exists = lstat(path, &st) == 0;

        if (!exists && errno != ENOENT && errno != ENOTDIR)
                return error_errno(err, errno, "image_path '%s'", path);
        if (S_ISDIR(st.st_mode) || str_ends(path, "/"))
                return error_set(
                        err, EISDIR,
                        "image_path '%s' is a folder; the name of a file was expected, such as '%s%simage.img'", path,
                        path, str_ends(path, "/") ? "" : "/");
        if (exists && !S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
                return error_set(
                        err, EINVAL,
                        "image_path '%s' is no file; an image is written to a device by the post-processor flasher",
                        path);
        if (exists && !job->options->force)
                return error_set(err, EEXIST,
                                 "output file '%s' exists already; use -force to replace it, or change image_path",
                                 path);
        return check_folder(path, err);
}

/* Everything that a guest needs, the guest's steps, and the image. */
static int make_image(struct job *job, struct error *err)
{
        CLEANUP_ERROR struct error unsaved = {0};
        int r = check_output(job, err);

        if (r == 0)
                r = userns_new(&job->ns, err);
        if (r == 0)
                r = cache_open(&job->cache, job->ns, err);
        if (r == 0)
                r = base_prepare(job, err);
        if (r == 0)
                copy_start(job);
        if (r == 0)
                r = steps_run(job, err);
        if (plan_record_save(&job->record, job->cache.root, job->template->path, job->build->name, &unsaved) < 0)
                log_debug("what the layers were made of is not kept: %s", error_message(&unsaved));
        if (r == 0)
                r = rootfs_wanted(job->arm->image_path) ? job_write_rootfs(job, err) : job_write_image(job, err);
        return r;
}

static int job_run(struct job *job, struct artifacts *ret, struct error *err)
{
        int r = epoch_read(&job->epoch, err);

        if (r == 0)
                r = job->arm ? make_image(job, err) : steps_run(job, err);
        if (r == 0)
                r = packages_run(job, ret, err);
        base_sealed(job, r == 0);
        cancel_defer(); /* clean-up is not cancelled */
        copy_stop(job);
        served_stop(job);
        if (job->ns)
                cache_close(&job->cache, job->ns);
        job->ns = userns_free(job->ns);
        base_clear(&job->base);
        job->layers = strv_free(job->layers);
        plan_record_clear(&job->record);
        return r;
}

/* What a build's process says in the end: strings of any bytes, each behind the letter that says what it is. */
enum said {
        SAID_PROBLEM = 'p',
        SAID_ARTIFACT = 'a', /* its builder's id; of it are the strings that follow */
        SAID_ID = 'i',
        SAID_FILE = 'f',
        SAID_ALL = '.',
};

static void say(struct str *out, enum said what, const char *text)
{
        str_addc(out, (char)what);
        str_addn(out, text, strlen(text) + 1);
}

static void send_result(int fd, int r, const struct error *err, const struct artifacts *artifacts)
{
        CLEANUP_STR struct str out = {0};

        if (r < 0)
                say(&out, SAID_PROBLEM, error_message(err));
        for (size_t i = 0; i < artifacts->list.n; i++) {
                const struct artifact *artifact = &artifacts->list.v[i];

                say(&out, SAID_ARTIFACT, artifact->builder_id);
                say(&out, SAID_ID, artifact->id ? artifact->id : "");
                for (char **file = artifact->files; file && *file; file++)
                        say(&out, SAID_FILE, *file);
        }
        say(&out, SAID_ALL, "");
        fd_write_all(fd, out.s, out.len);
}

struct job job_begin(const struct template *t, struct template_build *build, struct interp_pair values[],
                     const struct build_options *options, struct ui *ui)
{
        struct job job = {
                .template = t,
                .build = build,
                .arm = build->image,
                .steps = build->steps,
                .options = options,
                .ui = ui,
                .started = time(NULL),
                .cache = {.staging_lock = -1},
                .served = {.errors = -1},
                .copy = {.fd = -1},
        };
        const char *run_uuid = getenv("PACKER_RUN_UUID");

        snprintf(job.run_uuid, sizeof(job.run_uuid), "%s", run_uuid ? run_uuid : "");
        template_build_values(build, job.run_uuid, values);
        build->interp.build = values;
        return job;
}

static int child_main(const struct template *t, struct child *child, const struct build_options *options, int to)
{
        struct interp_pair values[TEMPLATE_BUILD_VALUES];
        struct template_build build = *child->build;
        struct job job = job_begin(t, &build, values, options, &child->ui);
        CLEANUP(artifacts_clear) struct artifacts artifacts = {0};
        CLEANUP_ERROR struct error err = {0};
        int r = job_run(&job, &artifacts, &err);

        send_result(to, r, &err, &artifacts);
        return r < 0 ? 1 : 0;
}

/* ---- in the parent ---- */

static int start(const struct template *t, struct child *child, const struct build_options *options)
{
        pid_t parent = getpid();
        int pipes[2];

        if (pipe2(pipes, O_CLOEXEC) < 0)
                return -errno;
        child->started = time(NULL);
        fflush(NULL);
        child->pid = fork();
        if (child->pid < 0) {
                int code = errno;

                close(pipes[0]);
                close(pipes[1]);
                return -code;
        }
        if (child->pid == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                if (getppid() != parent)
                        _exit(1);
                cancel_relayed_by(parent);
                close(pipes[0]);
                _exit(child_main(t, child, options, pipes[1]));
        }
        close(pipes[1]);
        child->from = pipes[0];
        return 0;
}

char *duration_text(int64_t seconds)
{
        struct str out = {0};
        int left = 2; /* units that are told, as Packer does */
        const struct {
                int64_t unit;
                const char *name;
        } units[] = {{3600, "hour"}, {60, "minute"}, {1, "second"}};

        if (seconds < 1)
                return xstrdup("less than a second");
        for (size_t i = 0; i < 3 && left > 0; i++) {
                int64_t n = seconds / units[i].unit;

                seconds %= units[i].unit;
                left -= n > 0;
                if (n > 0)
                        str_addf(&out, "%s%lld %s%s", out.len ? " " : "", (long long)n, units[i].name,
                                 n == 1 ? "" : "s");
        }
        return str_steal(&out);
}

/* False: it did not come to its end. */
static bool read_result(struct child *child)
{
        const char *text = str_get(&child->result);
        struct artifact *last = NULL;

        for (size_t at = 0; at < child->result.len; at += strlen(text + at) + 1) {
                const char *value = text + at + 1;

                switch (text[at]) {
                case SAID_PROBLEM:
                        child->problem = xstrdup(value);
                        break;
                case SAID_ARTIFACT:
                        vec_push(&child->artifacts.list, (struct artifact){.builder_id = xstrdup(value)});
                        last = &child->artifacts.list.v[child->artifacts.list.n - 1];
                        break;
                case SAID_ID:
                        if (last)
                                last->id = xstrdup(value);
                        break;
                case SAID_FILE:
                        if (last)
                                strv_add(&last->files, value);
                        break;
                default:
                        return text[at] == SAID_ALL;
                }
        }
        return false;
}

static void finish(struct child *child)
{
        CLEANUP_FREE char *took = duration_text(time(NULL) - child->started);
        bool whole = read_result(child);
        int status = 0;

        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (!whole && !child->problem)
                child->problem = WIFSIGNALED(status) ? xasprintf("the build's process was ended by signal %d (%s)",
                                                                 WTERMSIG(status), strsignal(WTERMSIG(status)))
                                                     : xstrdup("the build's process ended without a result");
        child->done = true;
        child->ui.target = NULL;
        if (child->problem) {
                artifacts_clear(&child->artifacts); /* those of a failed build count for nothing, as Packer has it */
                ui_error(&child->ui, "Build '%s' errored after %s: %s", child->build->shown, took, child->problem);
        } else {
                ui_say(&child->ui, "Build '%s' finished after %s.", child->build->shown, took);
        }
}

static void pass_on_cancel(struct child *children, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (children[i].pid > 0 && !children[i].done)
                        kill(children[i].pid, cancel_signal());
}

/* Read what the running ones say; one that closes its end is finished. */
static void pump(struct child *children, size_t n)
{
        CLEANUP_FREE struct pollfd *fds = xcalloc(n, sizeof(*fds));

        for (size_t i = 0; i < n; i++)
                fds[i] = (struct pollfd){.fd = children[i].from, .events = POLLIN};
        if (poll(fds, n, 200) <= 0)
                return;
        for (size_t i = 0; i < n; i++) {
                char buffer[4096];
                ssize_t got;

                if (!fds[i].revents)
                        continue;
                got = read(children[i].from, buffer, sizeof(buffer));
                if (got > 0) {
                        str_addn(&children[i].result, buffer, (size_t)got);
                } else if (got == 0) {
                        close_p(&children[i].from);
                        finish(&children[i]);
                }
        }
}

static void run_all(const struct template *t, struct child *children, const struct build_options *options)
{
        size_t next = 0, running = 0, done = 0, n = t->n_builds;
        bool told = false;

        while (done < n) {
                while (next < n && !cancel_requested() &&
                       (options->parallel <= 0 || running < (size_t)options->parallel)) {
                        int r = start(t, &children[next], options);

                        if (r < 0) {
                                children[next].problem = xasprintf("start a process: %s", strerror(-r));
                                children[next].done = true;
                        }
                        next++;
                        running++;
                }
                if (cancel_requested() && !told) {
                        pass_on_cancel(children, n);
                        told = true;
                        n = next; /* the others are not begun */
                }
                pump(children, n);
                done = running = 0;
                for (size_t i = 0; i < n; i++) {
                        done += children[i].done;
                        running += i < next && !children[i].done;
                }
        }
}

/* Its files; of what has none (an image in docker) its id. */
static char *artifact_text(const struct artifact *artifact)
{
        if (artifact->files && *artifact->files)
                return strv_join(STRV(artifact->files), ", ");
        if (str_empty(artifact->id) || strcmp(artifact->id, "Null") == 0)
                return xstrdup("Did not export anything. This is the null builder");
        return xstrdup(artifact->id);
}

/* Number `i` of a build: `target` is the ui with its name, for scripts; `ui` is that of the whole run. */
static void report_artifact(const struct artifact *artifact, size_t i, struct ui *target, struct ui *ui)
{
        CLEANUP_FREE char *index = xasprintf("%zu", i);
        CLEANUP_FREE char *n_files = xasprintf("%zu", strv_len(STRV(artifact->files)));
        CLEANUP_FREE char *text = artifact_text(artifact);
        const char *const facts[][2] = {
                {"builder-id", artifact->builder_id}, {"id", artifact->id}, {"string", text}, {"files-count", n_files}};

        for (size_t j = 0; j < sizeof(facts) / sizeof(facts[0]); j++)
                ui_machine(target, "artifact", (const char *const[]){index, facts[j][0], facts[j][1], NULL});
        for (size_t j = 0; artifact->files && artifact->files[j]; j++) {
                CLEANUP_FREE char *number = xasprintf("%zu", j);

                ui_machine(target, "artifact", (const char *const[]){index, "file", number, artifact->files[j], NULL});
        }
        ui_machine(target, "artifact", (const char *const[]){index, "end", NULL});
        ui_say(ui, "--> %s: %s", target->target, text);
}

/* What the closing list has of a problem that was shown when it happened: its first line. Where that only announces
 * the others ("...:") they come along, or, if they are many (of a program's output, say), the last one does. */
static char *summary_of(const char *problem)
{
        enum { LINES_MAX = 4 };
        size_t n = strcspn(problem, "\n"), n_lines = 0;
        const char *last = strrchr(problem, '\n');

        if (!last || n == 0 || problem[n - 1] != ':')
                return xstrndup(problem, n);
        for (const char *p = problem; *p; p++)
                n_lines += *p == '\n';
        return n_lines <= LINES_MAX ? xstrdup(problem) : xasprintf("%.*s\n    ...%s", (int)n, problem, last);
}

static void report_failed(struct child *children, size_t n, size_t failed, struct ui *ui)
{
        CLEANUP_FREE char *count = xasprintf("%zu", failed);

        ui_machine(ui, "error-count", (const char *const[]){count, NULL});
        ui_error(ui, "\n==> Some builds didn't complete successfully and had errors:");
        for (size_t i = 0; i < n; i++) {
                const char *problem = children[i].problem;
                CLEANUP_FREE char *summary = problem ? summary_of(problem) : NULL;

                if (!problem)
                        continue;
                ui_machine(&children[i].ui, "error", (const char *const[]){problem, NULL});
                ui_error(ui, "--> %s: %s", children[i].build->shown, summary);
        }
}

static void report_made(struct child *children, size_t n, struct ui *ui)
{
        ui_say(ui, "\n==> Builds finished. The artifacts of successful builds are:");
        for (size_t i = 0; i < n; i++) {
                const struct artifacts *artifacts = &children[i].artifacts;
                CLEANUP_FREE char *count = xasprintf("%zu", artifacts->list.n);

                if (artifacts->list.n > 0)
                        ui_machine(&children[i].ui, "artifact-count", (const char *const[]){count, NULL});
                for (size_t j = 0; j < artifacts->list.n; j++)
                        report_artifact(&artifacts->list.v[j], j, &children[i].ui, ui);
        }
}

/* What came of all, in Packer's lines and in their order; neither coloured nor stamped. */
static void report(struct child *children, size_t n, int64_t seconds, const struct ui *from)
{
        CLEANUP_FREE char *took = duration_text(seconds);
        size_t failed = 0, made = 0;
        struct ui ui = *from;

        ui.color = ui.timestamps = false;
        for (size_t i = 0; i < n; i++) {
                children[i].ui.target = children[i].build->shown;
                failed += children[i].problem != NULL;
                made += children[i].artifacts.list.n;
        }
        ui_say(&ui, "\n==> Wait completed after %s", took);
        if (cancel_requested())
                ui_say(&ui, "Cleanly cancelled builds after being interrupted.");
        if (failed > 0)
                report_failed(children, n, failed, &ui);
        if (made > 0)
                report_made(children, n, &ui);
        else if (!cancel_requested())
                ui_say(&ui, "\n==> Builds finished but no artifacts were created.");
}

static void child_clear(struct child *child)
{
        close_p(&child->from);
        str_clear(&child->result);
        free(child->problem);
        artifacts_clear(&child->artifacts);
}

void build_name_run(void)
{
        char id[37];
        uuid_t uuid;

        uuid_generate(uuid);
        uuid_unparse_lower(uuid, id);
        setenv("PACKER_RUN_UUID", id, 0);
}

/* The cache to the limit that the user has set; no failure of the builds if that cannot be. */
static void keep_to_limit(const struct ui *ui)
{
        CLEANUP(stock_clear) struct stock gone = {0};
        CLEANUP_ERROR struct error err = {0};
        struct stock_limits limits = {0};
        struct ui own = *ui;
        int r = stock_limit(&limits.max_bytes, &err);

        if (r == 0 && limits.max_bytes == UINT64_MAX)
                return;
        if (r == 0)
                r = stock_prune(&limits, &gone, &err);
        if (r < 0)
                ui_error(&own, "The cache was not pruned: %s", error_message(&err));
        else if (gone.items.n > 0)
                ui_say(&own, "Removed %zu things from the cache, %s (SLIPWAY_CACHE_LIMIT)", gone.items.n,
                       size_show(gone.bytes));
}

int build_run(const struct template *t, const struct build_options *options)
{
        static const int paints[] = {32, 36, 35, 33, 34};
        CLEANUP_FREE struct child *children = xcalloc(t->n_builds, sizeof(*children));
        const time_t started = time(NULL);
        struct ui ui = options->ui;
        int failed = 0;

        build_name_run();
        for (size_t i = 0; i < t->n_builds; i++) {
                children[i] = (struct child){.build = &t->builds[i], .ui = options->ui, .from = -1};
                children[i].ui.target = t->builds[i].shown;
                children[i].ui.paint = paints[i % 5];
                children[i].ui.secrets = STRV(t->secrets);
        }
        ui.secrets = STRV(t->secrets);
        if (options->debug)
                ui_say(&ui, "Debug mode enabled. Builds will not be parallelized.");
        run_all(t, children, options);
        report(children, t->n_builds, time(NULL) - started, &ui);
        for (size_t i = 0; i < t->n_builds; i++) {
                failed += children[i].problem || !children[i].done;
                child_clear(&children[i]);
        }
        if (!cancel_requested())
                keep_to_limit(&ui);
        return cancel_requested() ? -ECANCELED : failed;
}
