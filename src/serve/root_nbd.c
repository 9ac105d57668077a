/* Disks by NBD: we listen, and each connection gets an nbdkit of its own with
 * a copy-on-write of its own, so that many machines boot from one image and
 * none sees what another writes. What a machine wrote ends with its
 * connection. nbdkit finds the image by the name that the client asks for, in
 * a folder of links; it has no privileges, and may open little else. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/spawn.h"
#include "serve/address_limit.h"
#include "serve/roots.h"
#include "serve/sandbox.h"
#include "site/profile.h"

enum {
        NBD_PORT = 10809,
        MACHINES_MOST = 1000, /* at once; others wait until one leaves */
        ADDRESS_MOST = 8,     /* of one address */
        LOOK_MS = 500,
        REST_MS = 100,                  /* where nobody can be accepted, for want of fds */
        LINES_BURST = 2 * ADDRESS_MOST, /* of one address in the log, */
        LINES_RATE = 1,                 /* and new ones a second */
};

/* ---- one machine: a process of ours around nbdkit, for what it says and for its end ---- */

struct machine {
        struct child child;
        int fd; /* the connection: nbdkit ends when it is shut, whatever became of the process around it */
        uint32_t address;
};

struct nbd {
        const struct keeper_job *job;
        int listener;
        VEC(struct machine) machines;
        struct address_limit lines; /* in the log */
};

struct connection {
        const struct nbd *nbd;
        int fd;
        const char *address;
};

static const char *address_text(uint32_t address, char text[INET_ADDRSTRLEN])
{
        const struct in_addr in = {htonl(address)};

        return inet_ntop(AF_INET, &in, text, INET_ADDRSTRLEN);
}

/* The images are where the links lead now. */
static int confine(void *arg, struct error *err)
{
        static const char *const programs[] = {"/usr", "/lib", "/lib64", "/bin", NULL};
        const struct connection *connection = arg;
        const char *folder = connection->nbd->job->folder, *strength;
        CLEANUP_STRV char **readable = NULL;
        CLEANUP_STRV char **writable = NULL;
        CLEANUP_CLOSEDIR DIR *dir = opendir(folder);
        const struct dirent *entry;
        char target[PATH_MAX];

        strv_add(&readable, folder);
        strv_add(&readable, "/etc/ld.so.cache");
        strv_take(&writable, path_dir(folder));
        strv_add(&writable, "/dev/null");
        while (dir && (entry = readdir(dir))) {
                ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

                if (n > 0)
                        strv_take(&readable, xstrndup(target, (size_t)n));
        }
        return sandbox_enter(&(struct sandbox){STRV(readable), STRV(writable), programs}, &strength, err);
}

static void say_line(void *arg, bool is_stderr, const char *line)
{
        const struct connection *connection = arg;

        if (is_stderr)
                keeper_say("%s: %s", connection->address, line);
}

/* A machine that was switched off is noticed, and one that is there sees no delay for small answers. */
static void set_up(int fd)
{
        static const struct {
                int level, name, value;
        } options[] = {
                {SOL_SOCKET, SO_KEEPALIVE, 1}, {IPPROTO_TCP, TCP_KEEPIDLE, 60}, {IPPROTO_TCP, TCP_KEEPINTVL, 15},
                {IPPROTO_TCP, TCP_KEEPCNT, 4}, {IPPROTO_TCP, TCP_NODELAY, 1},   {IPPROTO_TCP, TCP_USER_TIMEOUT, 120000},
        };

        for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
                (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value));
}

static int machine_run(void *arg, int sock, struct error *err)
{
        struct connection *connection = arg;
        const char *folder = connection->nbd->job->folder;
        CLEANUP_FREE char *links = xasprintf("dir=%s", folder);
        CLEANUP_FREE char *copies = path_dir(folder);
        CLEANUP_STRV char **env = strv_dup(STRV(environ));
        /* Connections share nothing here: no client may spread its writes over several. */
        const char *const argv[] = {"nbdkit", "--single", "--filter=multi-conn",     "--filter=cow",
                                    "file",   links,      "multi-conn-mode=disable", NULL};
        struct spawn spawn = {.argv = argv,
                              .stdin_plus1 = SPAWN_FD(connection->fd),
                              .stdout_plus1 = SPAWN_FD(connection->fd),
                              .on_line = say_line,
                              .arg = connection,
                              .enter = confine,
                              .enter_arg = connection};
        int status = 0, r;

        (void)sock;
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        close(connection->nbd->listener);
        strv_setenv(&env, "TMPDIR", copies);
        spawn.env = STRV(env);
        set_up(connection->fd);
        r = spawn_run(&spawn, &status, err);
        if (r == 0 && status != 0)
                return error_set(err, EIO, "nbdkit ended with exit code %d", status);
        return r;
}

/* One that comes again and again does not fill the log. */
static bool is_told(struct nbd *nbd, uint32_t address)
{
        return address_limit_take(&nbd->lines, address, monotonic_ms());
}

/* True: the connection is its own now. */
static bool machine_begin(struct nbd *nbd, int fd, uint32_t address)
{
        CLEANUP_ERROR struct error err = {0};
        char text[INET_ADDRSTRLEN];
        struct connection connection = {nbd, fd, address_text(address, text)};
        struct machine machine = {.fd = fd, .address = address};
        size_t n = 0;

        for (size_t i = 0; i < nbd->machines.n; i++)
                n += nbd->machines.v[i].address == address;
        if (n >= ADDRESS_MOST) {
                if (is_told(nbd, address))
                        keeper_say("%s: more than %d connections by NBD are refused", connection.address, ADDRESS_MOST);
        } else if (child_start(&machine.child, machine_run, &connection, &err) < 0) {
                keeper_say("%s: %s", connection.address, error_message(&err));
        } else {
                if (is_told(nbd, address))
                        keeper_say("%s: took a disk by NBD", connection.address);
                vec_push(&nbd->machines, machine);
                return true;
        }
        return false;
}

static void machine_done(struct machine *machine)
{
        child_done(&machine->child);
        (void)shutdown(machine->fd, SHUT_RDWR);
        close_p(&machine->fd);
}

static void machine_end(struct nbd *nbd, size_t i)
{
        CLEANUP_ERROR struct error err = {0};
        struct machine *machine = &nbd->machines.v[i];
        char text[INET_ADDRSTRLEN];
        int r = child_receive(&machine->child, NULL, 0, NULL, &err);

        machine_done(machine);
        if (is_told(nbd, machine->address))
                keeper_say("%s: left its disk%s%s", address_text(machine->address, text), r < 0 ? ": " : "",
                           r < 0 ? error_message(&err) : "");
        *machine = nbd->machines.v[--nbd->machines.n];
}

/* ---- the port ---- */

static int listen_at(uint16_t port, int *ret_fd, struct error *err)
{
        const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        int on = 1;

        if (fd < 0)
                return error_errno(err, errno, "make a socket");
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, SOMAXCONN) < 0)
                return error_errno(err, errno, "listen at TCP port %u", port);
        *ret_fd = steal_fd(&fd);
        return 0;
}

static void accept_one(struct nbd *nbd)
{
        struct sockaddr_in from = {0};
        socklen_t len = sizeof(from);
        CLEANUP_CLOSE int fd = accept4(nbd->listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);

        if (fd < 0) /* it would be ready all the time */
                (void)poll(NULL, 0, REST_MS);
        else if (machine_begin(nbd, fd, ntohl(from.sin_addr.s_addr)))
                (void)steal_fd(&fd);
}

static void wait_for_machines(struct nbd *nbd)
{
        size_t n = nbd->machines.n;
        CLEANUP_FREE struct pollfd *fds = xcalloc(n + 1, sizeof(*fds));

        for (size_t i = 0; i < n; i++)
                fds[i] = (struct pollfd){.fd = nbd->machines.v[i].child.sock, .events = POLLIN};
        fds[n] = (struct pollfd){.fd = n < MACHINES_MOST ? nbd->listener : -1, .events = POLLIN};
        if (poll(fds, n + 1, LOOK_MS) <= 0)
                return;
        for (size_t i = n; i-- > 0;) /* backwards: the last takes the place of the one that left */
                if (fds[i].revents)
                        machine_end(nbd, i);
        if (fds[n].revents)
                accept_one(nbd);
}

static void nbd_done(struct nbd *nbd)
{
        cancel_clear(); /* heeded: they are told once */
        for (size_t i = 0; i < nbd->machines.n; i++)
                kill(nbd->machines.v[i].child.pid, SIGTERM);
        for (size_t i = 0; i < nbd->machines.n; i++) {
                (void)child_receive(&nbd->machines.v[i].child, NULL, 0, NULL, NULL);
                machine_done(&nbd->machines.v[i]);
        }
        vec_free(&nbd->machines);
        close_p(&nbd->listener);
}

static int nbd_run(const struct keeper_job *job, struct error *err)
{
        static const struct root_need needs[] = {{.program = "nbdkit", .package = "nbdkit"}};
        CLEANUP_FREE char *missing = roots_missing(needs, 1);
        CLEANUP(nbd_done)
        struct nbd nbd = {.job = job, .listener = -1, .lines = {.burst = LINES_BURST, .rate = LINES_RATE}};
        int r;

        if (*missing)
                return error_set(err, ENOENT, "machines have no root: nbdkit is missing (%s)", missing);
        r = listen_at(job->port, &nbd.listener, err);
        if (r == 0)
                r = sandbox_keep("=", err);
        if (r < 0)
                return r;
        keeper_say("%s: %s", job->name, job->text);
        while (cancel_check(err) == 0)
                wait_for_machines(&nbd);
        return -ECANCELED;
}

/* ---- the list ---- */

static int job_of_port(struct keeper_jobs *jobs, const struct site *site, uint16_t port, struct keeper_job **ret,
                       struct error *err)
{
        CLEANUP_FREE char *key = xasprintf("nbd %u", port);
        CLEANUP_FREE char *folder = xasprintf("%s/nbd/%u", site->state, port);
        int r;

        for (size_t i = 0; i < jobs->list.n; i++) {
                *ret = &jobs->list.v[i];
                if (str_eq((*ret)->key, key))
                        return 0;
        }
        r = tree_remove(folder, err);
        if (r == 0)
                r = dir_make(folder, 0755, err);
        if (r < 0)
                return r;
        vec_push(&jobs->list, (struct keeper_job){.key = steal(&key),
                                                  .name = xasprintf("NBD on port %u", port),
                                                  .run = nbd_run,
                                                  .folder = steal(&folder),
                                                  .port = port});
        *ret = &jobs->list.v[jobs->list.n - 1];
        return 0;
}

static int add_export(struct keeper_job *job, const struct site_profile *profile, struct error *err)
{
        const struct site_root *root = &profile->root;
        CLEANUP_FREE char *link = path_join(job->folder, root->export_name);
        char *text = xasprintf("%s%s%s is %s", job->text ? job->text : "", job->text ? ", " : "", root->export_name,
                               root->path);

        free(job->text);
        job->text = text;
        if (symlink(root->path, link) < 0 && errno != EEXIST)
                return error_errno(err, errno, "link '%s'", link);
        return 0;
}

int nbd_jobs(const struct site *site, struct keeper_jobs *ret, struct error *err)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < site->n_profiles; i++) {
                const struct site_root *root = &site->profiles[i]->root;
                struct keeper_job *job = NULL;

                if (root->kind != SITE_ROOT_NBD || root->server)
                        continue;
                r = job_of_port(ret, site, root->port ? root->port : NBD_PORT, &job, err);
                if (r == 0)
                        r = add_export(job, site->profiles[i], err);
        }
        return r;
}
