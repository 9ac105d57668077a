/* Provisioners on a real guest: a root of BusyBox, one layer over it. Also for
 * those that need no guest (fixture->guest stays NULL until fixture_start). */
#pragma once

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "guest/guest.h"
#include "provision/provision.h"
#include "step.h"

struct fixture {
        char dir[64];
        char *base, *upper, *work, *scratch, *files; /* files: for things of the host */
        struct userns *ns;
        struct guest *guest;
        struct ui ui;
        struct interp interp;
        struct provision_context context;
        char *output; /* what the last run showed */
        char *why;    /* ... and its error */
};

static const struct interp_pair fixture_build[] = {{"ID", "the-id"}, {0}};
static const struct interp_pair fixture_user[] = {{"name", "value"}, {0}};

static inline char *fixture_path(struct fixture *f, const char *name)
{
        return path_join(f->dir, name);
}

static inline void fixture_link(struct fixture *f, const char *name)
{
        CLEANUP_FREE char *path = xasprintf("%s/%s", f->base, name);

        assert_int_equal(symlink("busybox", path), 0);
}

static inline void fixture_base(struct fixture *f)
{
        static const char *const dirs[] = {"bin", "tmp", "etc", "proc", "sys", "dev", "root", "run", "home"};
        static const char *const tools[] = {"sh",    "cat",   "chmod", "chown", "ls",    "rm",      "echo",
                                            "env",   "mkdir", "id",    "kill",  "sleep", "adduser", "stat",
                                            "touch", "mv",    "awk",   "grep",  "find",  "dirname", "addgroup",
                                            "pwd",   "rmdir", "test",  "true"};
        CLEANUP_FREE char *busybox = program_find("busybox"), *to = NULL, *passwd = NULL, *group = NULL;
        const char *argv[] = {"cp", "-L", busybox, NULL, NULL};

        for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
                CLEANUP_FREE char *path = path_join(f->base, dirs[i]);

                assert_int_equal(dir_make(path, 0755, NULL), 0);
        }
        argv[3] = to = path_join(f->base, "bin/busybox");
        assert_int_equal(spawn_check(&(struct spawn){.argv = argv}, NULL), 0);
        for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
                CLEANUP_FREE char *name = path_join("bin", tools[i]);

                fixture_link(f, name);
        }
        passwd = path_join(f->base, "etc/passwd");
        group = path_join(f->base, "etc/group");
        assert_int_equal(file_write(passwd, "root:x:0:0::/root:/bin/sh\n", 26, 0644, NULL), 0);
        assert_int_equal(file_write(group, "root:x:0:\nstaff:x:50:\n", 22, 0644, NULL), 0);
}

static inline int fixture_setup(void **state)
{
        struct fixture *f = xcalloc(1, sizeof(*f));

        strcpy(f->dir, "/tmp/slipway-provision.XXXXXX");
        if (!mkdtemp(f->dir))
                return -1;
        chmod(f->dir, 0755);
        f->base = fixture_path(f, "base");
        f->upper = fixture_path(f, "upper");
        f->work = fixture_path(f, "work");
        f->scratch = fixture_path(f, "scratch");
        f->files = fixture_path(f, "files");
        dir_make(f->upper, 0755, NULL);
        dir_make(f->work, 0755, NULL);
        dir_make(f->scratch, 0755, NULL);
        dir_make(f->files, 0755, NULL);
        fixture_base(f);
        ui_init(&f->ui, "test");
        f->ui.color = false;
        f->interp = (struct interp){.user = fixture_user,
                                    .build_name = "pi",
                                    .build_type = "arm",
                                    .template_dir = f->files,
                                    .build = fixture_build};
        f->context = (struct provision_context){.ui = &f->ui,
                                                .build_name = "pi",
                                                .builder_type = "arm",
                                                .interp = &f->interp,
                                                .run_uuid = "uuid",
                                                .timeout_ms = 60000};
        *state = f;
        return 0;
}

static inline void fixture_start(struct fixture *f)
{
        const char *const lowers[] = {f->base, NULL};
        CLEANUP_ERROR struct error err = {0};

        if (!f->ns && userns_new(&f->ns, &err) < 0)
                fail_msg("%s", error_message(&err));
        if (guest_start(
                    f->ns,
                    &(struct guest_config){.lowers = lowers, .upper = f->upper, .work = f->work, .scratch = f->scratch},
                    &f->guest, &err) < 0)
                fail_msg("%s", error_message(&err));
        f->context.guest = f->guest;
}

static inline int fixture_setup_guest(void **state)
{
        int r = fixture_setup(state);

        if (r == 0)
                fixture_start(*state);
        return r;
}

/* End the guest, so that the upper folder can be looked at. */
static inline void fixture_stop(struct fixture *f)
{
        CLEANUP_ERROR struct error err = {0};

        if (guest_stop(f->guest, true, &err) < 0)
                fail_msg("%s", error_message(&err));
        f->guest = guest_free(f->guest);
        f->context.guest = NULL;
}

static inline int fixture_remove(void *arg, struct error *err)
{
        return tree_remove(arg, err);
}

static inline int fixture_teardown(void **state)
{
        struct fixture *f = *state;

        f->guest = guest_free(f->guest);
        if (f->ns)
                userns_call(f->ns, fixture_remove, f->dir, NULL);
        else
                tree_remove(f->dir, NULL);
        userns_free(f->ns);
        free(f->base);
        free(f->upper);
        free(f->work);
        free(f->scratch);
        free(f->files);
        free(f->output);
        free(f->why);
        free(f);
        return 0;
}

static inline void fixture_file(struct fixture *f, const char *name, const char *text, mode_t mode)
{
        CLEANUP_FREE char *path = path_join(f->files, name), *dir = path_dir(path);

        assert_int_equal(dir_make(dir, 0755, NULL), 0);
        assert_int_equal(file_write(path, text, strlen(text), mode, NULL), 0);
}

/* %s in the JSON becomes the files' folder. */
static inline char *fixture_json(struct fixture *f, const char *json)
{
        return str_replace(json, "%s", f->files);
}

static inline const struct provisioner_type *fixture_type(const char *name)
{
        const struct provisioner_type *type = NULL;
        CLEANUP_ERROR struct error err = {0};

        if (provisioner_lookup(name, &type, &err) < 0)
                fail_msg("%s", error_message(&err));
        return type;
}

/* Run; what it shows goes to f->output, why it fails to f->why. */
static inline int fixture_run(struct fixture *f, const char *name, const char *json)
{
        const struct provisioner_type *type = fixture_type(name);
        CLEANUP_FREE char *full = fixture_json(f, json), *shown = fixture_path(f, "shown");
        CLEANUP_CLOSE int fd = open(shown, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), was = dup(1);
        CLEANUP_STEP struct step step = {0};
        CLEANUP_ERROR struct error err = {0};
        int r;

        assert_reads(&step, type->schema, type->check, full);
        fflush(stdout);
        dup2(fd, 1);
        r = type->run(step.config, &f->context, &err);
        fflush(stdout);
        dup2(was, 1);
        free(f->output);
        free(f->why);
        assert_int_equal(file_read(shown, 0, &f->output, NULL, NULL), 0);
        f->why = xstrdup(r < 0 ? error_message(&err) : "");
        return r;
}

#define assert_shows(f, want)                                                                                          \
        do {                                                                                                           \
                if (!strstr((f)->output, (want)))                                                                      \
                        fail_msg("no '%s' in: %s", (want), (f)->output);                                               \
        } while (0)

#define assert_runs(f, name, json)                                                                                     \
        do {                                                                                                           \
                if (fixture_run((f), (name), (json)) < 0)                                                              \
                        fail_msg("%s: %s\n%s", (json), (f)->why, (f)->output);                                         \
        } while (0)

#define assert_fails(f, name, json, want)                                                                              \
        do {                                                                                                           \
                if (fixture_run((f), (name), (json)) == 0)                                                             \
                        fail_msg("no failure: %s", (json));                                                            \
                if (!strstr((f)->why, (want)))                                                                         \
                        fail_msg("%s: no '%s' in: %s", (json), (want), (f)->why);                                      \
        } while (0)

#define assert_check_refuses(f, name, json, want)                                                                      \
        do {                                                                                                           \
                CLEANUP_STEP struct step _step = {0};                                                                  \
                CLEANUP_FREE char *_json = fixture_json((f), (json));                                                  \
                assert_refused(&_step, fixture_type(name)->schema, fixture_type(name)->check, _json, (want));          \
        } while (0)

/* A file of the guest as text; NULL if there is none. */
static inline char *fixture_cat(struct fixture *f, const char *path)
{
        CLEANUP_FREE char *to = fixture_path(f, "got");
        struct stat st;
        char *text = NULL;

        if (guest_stat(f->guest, path, &st, NULL) < 0)
                return NULL;
        unlink(to);
        assert_int_equal(guest_get(f->guest, path, to, NULL), 0);
        assert_int_equal(file_read(to, 0, &text, NULL, NULL), 0);
        return text;
}

static inline void assert_guest_file(struct fixture *f, const char *path, const char *want)
{
        CLEANUP_FREE char *text = fixture_cat(f, path);

        if (!str_eq(text, want))
                fail_msg("%s: '%s'; expected '%s'", path, text ? text : "(missing)", want ? want : "(missing)");
}

static inline mode_t fixture_mode(struct fixture *f, const char *path)
{
        struct stat st = {0};

        if (guest_stat(f->guest, path, &st, NULL) < 0)
                fail_msg("%s is missing", path);
        return st.st_mode;
}

/* What the layer holds, names in order, a blank after each; the folder itself is left out. */
static inline char *fixture_layer(struct fixture *f)
{
        const char *const argv[] = {"sh", "-c",     "cd \"$1\" && find . -mindepth 1 | sort | tr '\\n' ' '",
                                    "sh", f->upper, NULL};
        char *out = NULL;

        assert_int_equal(spawn_capture(argv, &out, NULL), 0);
        out[strcspn(out, "\n")] = '\0';
        return out;
}

static inline int fixture_main_skip(void)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP(userns_freep) struct userns *ns = NULL;
        CLEANUP_FREE char *busybox = program_find("busybox");

        if (!busybox) {
                fprintf(stderr, "skipped: busybox is not installed (busybox-static)\n");
                return 77;
        }
        if (userns_new(&ns, &err) < 0) {
                fprintf(stderr, "skipped: no namespaces: %s\n", error_message(&err));
                return 77;
        }
        return 0;
}
