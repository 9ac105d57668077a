/* See guest.h: beginning and end of a guest. */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "guest/archives.h"
#include "guest/inject.h"
#include "guest/inside.h"
#include "guest/links.h"
#include "guest/native.h"
#include "guest/ns.h"

/* A path that stays right when the working folder does not. The caller frees. */
static char *absolute(const char *path)
{
        CLEANUP_FREE char *cwd = getcwd(NULL, 0);

        return path_join(cwd ? cwd : "/", path);
}

/* The environment of everything that runs in the guest. */
static char **make_env(const struct guest_config *config, const struct arch *emulated)
{
        const char *const *more = config->env;
        char **env = NULL;

        strv_setenv(&env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        strv_setenv(&env, "HOME", "/root");
        strv_setenv(&env, "LANG", "C.UTF-8");
        if (getenv("SOURCE_DATE_EPOCH"))
                strv_setenv(&env, "SOURCE_DATE_EPOCH", getenv("SOURCE_DATE_EPOCH"));
        if (emulated && getenv("QEMU_CPU"))
                strv_setenv(&env, "QEMU_CPU", getenv("QEMU_CPU"));
        else if (emulated && emulated->cpu)
                strv_setenv(&env, "QEMU_CPU", emulated->cpu);
        for (size_t i = 0; more && more[i]; i++) {
                const char *equals = strchr(more[i], '=');
                CLEANUP_FREE char *key = equals ? xstrndup(more[i], (size_t)(equals - more[i])) : NULL;

                if (key)
                        strv_setenv(&env, key, equals + 1);
        }
        return env;
}

/* Make a folder of the host's, and note which parts of it are new. */
static int make_mount_path(struct guest *guest, const char *path, struct error *err)
{
        CLEANUP_FREE char *at = xstrdup(path);
        int r;

        for (char *p = at + 1; *p; p++) {
                if (*p != '/')
                        continue;
                *p = '\0';
                if (!path_exists(at))
                        strv_add(&guest->made, at);
                *p = '/';
        }
        if (!path_exists(at))
                strv_add(&guest->made, at);
        r = dir_make(path, 0755, err);
        return r < 0 ? error_wrap(err, r, "the image's root is to be seen on '%s' (image_mount_path)", path) : 0;
}

static void remove_mount_path(struct guest *guest)
{
        for (size_t i = strv_len(STRV(guest->made)); i-- > 0;)
                rmdir(guest->made[i]);
        guest->made = strv_free(guest->made);
}

static int start(struct guest *guest, const struct guest_config *config, struct error *err)
{
        CLEANUP_CHILD struct child child = {.sock = -1};
        struct setup setup = {.ns = guest->ns, .config = config, .parent = getpid()};
        int r;

        if (pipe2(setup.control, O_CLOEXEC) < 0)
                return error_errno(err, errno, "make a pipe");
        guest->control = setup.control[1];
        r = child_start(&child, setup_start, &setup, err);
        close(setup.control[0]);
        /* First the guest's pid 1 says who it is, then it is all there. */
        if (r == 0)
                r = child_receive(&child, NULL, 0, &guest->init, err);
        if (r == 0)
                r = child_receive(&child, guest->fds, GUEST_FDS, NULL, err);
        return r;
}

/* The recogniser: sees what the guest's first process saw, but not from inside. */
static int recognise(void *arg, int sock, struct error *err)
{
        struct guest *guest = arg;
        pid_t parent = getppid();
        CLEANUP_CLOSE int root = -1;
        struct native native = {.arch = guest->emulated, .scratch = guest->scratch, .shared = guest->shared};
        int r = guest_enter_mounts(guest, err);

        (void)sock;
        if (r < 0)
                return r;
        child_bind_to_parent(parent);
        close_p(&guest->control);
        root = open(guest->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return error_errno(err, errno, "open '%s'", guest->root);
        native.root = root;
        return native_watch(&native, err);
}

static bool is_accelerated(const struct guest *guest)
{
        CLEANUP_FREE char *qemu = path_join(guest->scratch, "native-qemu");

        return guest->emulated && path_exists(qemu);
}

int guest_start(struct userns *ns, const struct guest_config *config, struct guest **ret, struct error *err)
{
        CLEANUP(guest_freep) struct guest *guest = xcalloc(1, sizeof(*guest));
        CLEANUP_STRV char **lowers = NULL;
        CLEANUP_FREE char *mount_path = config->mount_path ? absolute(config->mount_path) : NULL;
        CLEANUP_FREE char *packages = config->packages ? absolute(config->packages) : NULL;
        struct guest_config own = *config;
        int r = 0;

        guest->ns = ns;
        guest->control = -1;
        guest->recogniser.sock = -1;
        for (size_t i = 0; i < GUEST_FDS; i++)
                guest->fds[i] = -1;
        for (size_t i = 0; config->lowers && config->lowers[i]; i++)
                strv_take(&lowers, absolute(config->lowers[i]));
        guest->scratch = absolute(config->scratch);
        guest->shared = config->shared ? absolute(config->shared) : xstrdup(guest->scratch);
        guest->upper = absolute(config->upper);
        guest->work = absolute(config->work);
        guest->root = path_join(guest->scratch, "root");
        own.lowers = STRV(lowers);
        own.scratch = guest->scratch;
        own.upper = guest->upper;
        own.work = guest->work;
        own.mount_path = mount_path;
        own.packages = packages;
        if (mount_path)
                r = make_mount_path(guest, mount_path, err);
        if (r == 0)
                r = start(guest, &own, err);
        if (r > 0)
                guest->emulated = arch_at((size_t)r - 1);
        if (r >= 0) {
                guest->env = make_env(config, guest->emulated);
                r = archives_watch(guest, err);
        }
        if (r >= 0 && is_accelerated(guest))
                r = child_start(&guest->recogniser, recognise, guest, err);
        if (r < 0)
                return error_wrap(err, r, "start the guest");
        *ret = steal(&guest);
        return 0;
}

const char *guest_root(const struct guest *guest)
{
        return guest->root;
}

int guest_enter_mounts(void *arg, struct error *err)
{
        struct guest *guest = arg;
        int r = userns_enter_user(guest->ns, true, err);

        return r < 0 ? r : ns_join_mounts(guest->fds[GUEST_FD_HOST_MNT], err);
}

/* End its processes; with the last fd the mounts are gone, too. */
static void end(struct guest *guest)
{
        if (guest->recogniser.pid > 0)
                child_done(&guest->recogniser);
        guest->recogniser.pid = 0;
        if (guest->init > 0) {
                kill(guest->init, SIGKILL);
                while (waitpid(guest->init, NULL, 0) < 0 && errno == EINTR)
                        ;
        }
        guest->init = 0;
        archives_end(guest);
        close_p(&guest->control);
        for (size_t i = 0; i < GUEST_FDS; i++)
                close_p(&guest->fds[i]);
        remove_mount_path(guest);
}

static int clean_up(void *arg, struct error *err)
{
        static const char *const parts[] = {"below", "inject", "originals", "injected",    "links",
                                            "root",  "cell",   "native",    "native-qemu", "native-door",
                                            "first", "seen",   "store",     "fetched",     NULL};
        const struct guest *guest = arg;
        CLEANUP_FREE char *volatile_mark = path_join(guest->work, "work");
        int r = links_undo(guest->scratch, guest->upper, err);

        if (r == 0)
                r = archives_undo(guest->scratch, guest->upper, err);
        if (r == 0)
                r = inject_undo(guest->scratch, guest->upper, err);
        if (r == 0 && guest->emulated)
                r = native_check(guest->upper, err);
        if (r == 0)
                r = tree_remove(volatile_mark, err);
        for (size_t i = 0; r == 0 && parts[i]; i++) {
                CLEANUP_FREE char *path = path_join(guest->scratch, parts[i]);

                r = tree_remove(path, err);
        }
        return r;
}

int guest_stop(struct guest *guest, bool keep, struct error *err)
{
        int r;

        if (guest->init == 0)
                return 0;
        end(guest);
        if (!keep)
                return 0;
        r = userns_call(guest->ns, clean_up, guest, err);
        return r < 0 ? error_wrap(err, r, "finish the guest's layer") : 0;
}

struct guest *guest_free(struct guest *guest)
{
        if (!guest)
                return NULL;
        end(guest);
        free(guest->scratch);
        free(guest->shared);
        free(guest->upper);
        free(guest->work);
        free(guest->root);
        strv_free(guest->env);
        free(guest);
        return NULL;
}
