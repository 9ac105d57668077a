/* The post-processors `docker-import` and `docker-push`, by the host's docker
 * program: a root file system archive becomes an image of the local daemon, which goes to a
 * registry. A login is made in a configuration folder of its own, so that the user's own logins stay. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "package/post.h"

#define IMPORT_ID "packer.post-processor.docker-import"

struct import_config {
        char *repository, *tag, *platform, **changes;
};

struct push_config {
        bool login, ecr_login;
        char *username, *password, *server, *platform;
};

static void show_line(void *arg, bool is_stderr, const char *line)
{
        struct ui *ui = arg;

        (void)is_stderr;
        if (ui)
                ui_say(ui, "%s", line);
}

static int import_run(const void *arg, const struct package_context *context, const struct artifact *in,
                      struct artifact *ret, bool *ret_keep, struct error *err)
{
        const struct import_config *config = arg;
        CLEANUP_STRV char **argv = NULL;
        CLEANUP_CLOSE int fd = -1;
        CLEANUP_FREE char *name =
                xasprintf("%s%s%s", config->repository, str_empty(config->tag) ? "" : ":", config->tag ?: "");
        uint64_t size;
        int r;

        if (strv_len(STRV(in->files)) != 1)
                return error_set(err, EINVAL, "expected one root file system archive, but there are %zu files",
                                 strv_len(STRV(in->files)));
        r = input_open(in->files[0], &fd, &size, err);
        if (r < 0)
                return r;
        strv_add(&argv, "docker");
        strv_add(&argv, "import");
        for (char **change = config->changes; change && *change; change++) {
                strv_add(&argv, "--change");
                strv_add(&argv, *change);
        }
        if (!str_empty(config->platform)) {
                strv_add(&argv, "--platform");
                strv_add(&argv, config->platform);
        }
        strv_add(&argv, "-");
        strv_add(&argv, name);
        if (context->ui)
                ui_say(context->ui, "Importing %s as %s", in->files[0], name);
        r = spawn_check(
                &(struct spawn){
                        .argv = STRV(argv), .stdin_plus1 = SPAWN_FD(fd), .on_line = show_line, .arg = context->ui},
                err);
        if (r < 0)
                return r;
        *ret = (struct artifact){.builder_id = xstrdup(IMPORT_ID), .id = steal(&name)};
        *ret_keep = false;
        return 0;
}

/* A configuration folder that vanishes with everything in it. */
struct docker_home {
        char *path; /* NULL: the user's own */
        struct ui *ui;
};

static void docker_home_done(struct docker_home *home)
{
        if (home->path)
                tree_remove(home->path, NULL);
        free(home->path);
}

static int docker_home_make(struct docker_home *home, struct error *err)
{
        const char *tmp = getenv("TMPDIR");
        char *path = xasprintf("%s/slipway-docker.XXXXXX", str_empty(tmp) ? "/tmp" : tmp);

        if (!mkdtemp(path)) {
                int code = errno;

                free(path);
                return error_errno(err, code, "make a folder for docker's login");
        }
        home->path = path;
        return 0;
}

static int docker(const struct docker_home *home, int stdin_fd, const char *const *words, struct error *err)
{
        CLEANUP_STRV char **argv = NULL;

        strv_add(&argv, "docker");
        if (home->path) {
                strv_add(&argv, "--config");
                strv_add(&argv, home->path);
        }
        strv_extend(&argv, words);
        return spawn_check(&(struct spawn){.argv = STRV(argv),
                                           .stdin_plus1 = stdin_fd < 0 ? 0 : SPAWN_FD(stdin_fd),
                                           .on_line = show_line,
                                           .arg = home->ui},
                           err);
}

/* The password goes by standard input, never by the command line, which everybody can read. */
static int docker_login(const struct docker_home *home, const struct push_config *config, struct error *err)
{
        CLEANUP_CLOSE int fd = memfd_create("password", MFD_CLOEXEC);
        const char *password = config->password ?: "";
        const char *const words[] = {"login",
                                     "--username",
                                     config->username ?: "",
                                     "--password-stdin",
                                     str_empty(config->server) ? NULL : config->server,
                                     NULL};
        int r;

        if (fd < 0)
                return error_errno(err, errno, "pass the password on");
        r = fd_write_all(fd, password, strlen(password));
        if (r < 0)
                return error_errno(err, -r, "pass the password on");
        lseek(fd, 0, SEEK_SET);
        r = docker(home, fd, words, err);
        return r < 0 ? error_wrap(err, r, "log in") : 0;
}

static int push_check(void *arg, const struct value *value, struct diags *diags)
{
        const struct push_config *config = arg;

        if (config->ecr_login) {
                diag_error(diags, schema_range(value, "ecr_login"),
                           "'ecr_login' is not supported: it needs Amazon's own programs");
                diag_detail(diags, "Use login_server, login_username \"AWS\" and the output of "
                                   "`aws ecr get-login-password` as login_password.");
                return -EINVAL;
        }
        /* Empty ones may come from variables that are given only where it is pushed: push_run() refuses them. */
        if (config->login && (!config->username || !config->password)) {
                diag_error(diags, schema_range(value, "login"), "'login' needs 'login_username' and 'login_password'");
                return -EINVAL;
        }
        return 0;
}

static int push_run(const void *arg, const struct package_context *context, const struct artifact *in,
                    struct artifact *ret, bool *ret_keep, struct error *err)
{
        const struct push_config *config = arg;
        CLEANUP(docker_home_done) struct docker_home home = {.ui = context->ui};
        const char *const with_platform[] = {"push", "--platform", config->platform, in->id, NULL};
        const char *const plain[] = {"push", in->id, NULL};
        int r = 0;

        if (!str_eq(in->builder_id, IMPORT_ID) && !str_eq(in->builder_id, "packer.post-processor.docker-tag"))
                return error_set(
                        err, EINVAL,
                        "docker-push sends what docker-import made; put it behind docker-import, in the same list");
        if (config->login && (str_empty(config->username) || str_empty(config->password)))
                return error_set(err, EINVAL, "'login' needs 'login_username' and 'login_password', and %s is empty",
                                 str_empty(config->username) ? "the first" : "the second");
        if (config->login) {
                r = docker_home_make(&home, err);
                if (r == 0)
                        r = docker_login(&home, config, err);
        }
        if (r == 0 && context->ui)
                ui_say(context->ui, "Pushing: %s", in->id);
        if (r == 0)
                r = docker(&home, -1, str_empty(config->platform) ? plain : with_platform, err);
        if (r < 0)
                return r;
        artifact_copy(in, ret);
        *ret_keep = true;
        return 0;
}

#define IMPORT_AT(field) offsetof(struct import_config, field)
#define PUSH_AT(field)   offsetof(struct push_config, field)

static const struct schema_key import_keys[] = {
        {"repository", SCHEMA_STRING, SCHEMA_REQUIRED, IMPORT_AT(repository), .help = "name of the image"},
        {"tag", SCHEMA_STRING, 0, IMPORT_AT(tag), .help = "its tag"},
        {"platform", SCHEMA_STRING, 0, IMPORT_AT(platform), .help = "such as linux/arm/v7"},
        {"changes", SCHEMA_STRINGS, 0, IMPORT_AT(changes), .help = "Dockerfile instructions for the image's metadata"},
};

static const struct schema_key push_keys[] = {
        {"login", SCHEMA_BOOL, 0, PUSH_AT(login), .fallback = "false", .help = "log in before"},
        {"login_username", SCHEMA_STRING, 0, PUSH_AT(username), .help = "user name at the registry"},
        {"login_password", SCHEMA_STRING, SCHEMA_SECRET, PUSH_AT(password), .help = "password or token"},
        {"login_server", SCHEMA_STRING, 0, PUSH_AT(server), .help = "the registry; docker's default if not given"},
        {"ecr_login", SCHEMA_BOOL, 0, PUSH_AT(ecr_login), .fallback = "false", .help = "not supported"},
        {"platform", SCHEMA_STRING, 0, PUSH_AT(platform), .help = "push this platform's image only"},
};

static const struct schema import_schema = {
        .name = "the docker-import post-processor",
        .size = sizeof(struct import_config),
        .keys = import_keys,
        .n_keys = sizeof(import_keys) / sizeof(*import_keys),
};

static const struct schema push_schema = {
        .name = "the docker-push post-processor",
        .size = sizeof(struct push_config),
        .keys = push_keys,
        .n_keys = sizeof(push_keys) / sizeof(*push_keys),
};

const struct post_processor_type docker_import_post_processor = {
        .name = "docker-import",
        .schema = &import_schema,
        .run = import_run,
};

const struct post_processor_type docker_push_post_processor = {
        .name = "docker-push",
        .schema = &push_schema,
        .check = push_check,
        .run = push_run,
};
