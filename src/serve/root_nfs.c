/* Folders by NFS, with nfs-ganesha, which needs no help from the kernel: one
 * server for all profiles, version 3 over TCP (all that klibc's nfsmount can)
 * and 4. Version 3 is found through a portmapper: rpcbind, which is started too unless
 * the host has one running. The configuration is a file that only exists in
 * memory: nobody can change what runs with these privileges. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/child.h"
#include "base/file.h"
#include "base/spawn.h"
#include "serve/roots.h"
#include "serve/sandbox.h"
#include "site/profile.h"

enum { NFS_PORT = 2049, MOUNT_PORT = 20048, PORTMAPPER_PORT = 111, PORTMAPPER_TRIES = 50 };

/* Files are opened by handle, as the user who asks, whoever that is. */
static const char capabilities[] = "cap_chown,cap_dac_override,cap_dac_read_search,cap_fowner,cap_fsetid,cap_mknod,"
                                   "cap_setgid,cap_setuid,cap_net_bind_service,cap_sys_resource=ep";

/* ---- running ---- */

struct start {
        const struct keeper_job *job;
        int config;
};

static int enter(void *arg, struct error *err)
{
        const struct start *start = arg;

        int r = sandbox_keep(capabilities, err);

        if (r < 0)
                return r;
        if (start->config >= 0 && fcntl(start->config, F_SETFD, 0) < 0)
                return error_errno(err, errno, "hand the configuration over");
        return 0;
}

static bool portmapper_answers(void)
{
        const struct sockaddr_in here = {
                .sin_family = AF_INET, .sin_port = htons(PORTMAPPER_PORT), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        CLEANUP_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return fd >= 0 && connect(fd, (const struct sockaddr *)&here, sizeof(here)) == 0;
}

/* What ganesha told it is gone with it: then ganesha has to begin anew too. */
static int portmapper_run(void *arg, int sock, struct error *err)
{
        static const char *const argv[] = {"rpcbind", "-f", NULL};
        struct start start = {.job = arg, .config = -1};
        pid_t parent = getppid();
        int r;

        (void)sock;
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        r = spawn_check(&(struct spawn){.argv = argv, .enter = enter, .enter_arg = &start}, err);
        if (!cancel_requested()) {
                keeper_say("%s: %s", start.job->name, r < 0 ? error_message(err) : "rpcbind ended");
                kill(parent, SIGTERM);
        }
        return r;
}

static int portmapper_start(const struct keeper_job *job, struct child *portmapper, struct error *err)
{
        const struct timespec pause = {.tv_nsec = 100000000};
        int r = portmapper_answers() ? 0 : child_start(portmapper, portmapper_run, (void *)job, err);

        for (int i = 0; r == 0 && portmapper->pid > 0 && i < PORTMAPPER_TRIES; i++) {
                if (portmapper_answers())
                        return 0;
                r = cancel_check(err);
                nanosleep(&pause, NULL);
        }
        if (r == 0 && portmapper->pid > 0)
                return error_set(err, ETIMEDOUT, "rpcbind does not answer");
        return r;
}

static void portmapper_end(struct child *portmapper)
{
        cancel_clear();
        if (portmapper->pid > 0 && kill(portmapper->pid, SIGTERM) == 0)
                (void)child_receive(portmapper, NULL, 0, NULL, NULL);
        child_done(portmapper);
}

static int config_file(const char *text, int *ret_fd, struct error *err)
{
        CLEANUP_CLOSE int fd = memfd_create("ganesha.conf", MFD_CLOEXEC);
        int r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));

        if (r < 0)
                return error_errno(err, -r, "write the configuration of nfs-ganesha");
        *ret_fd = steal_fd(&fd);
        return 0;
}

static int ganesha_run(const struct keeper_job *job, struct error *err)
{
        CLEANUP_CLOSE int config = -1;
        CLEANUP_FREE char *pid = path_join(job->folder, "ganesha.pid");
        int r = config_file(job->text, &config, err);
        CLEANUP_FREE char *path = xasprintf("/proc/self/fd/%d", config);
        const char *const argv[] = {"ganesha.nfsd", "-F",       "-f", path, "-L", "STDERR",
                                    "-N",           "NIV_CRIT", "-p", pid,  NULL};
        struct start start = {.job = job, .config = config};

        if (r == 0)
                r = spawn_check(&(struct spawn){.argv = argv, .enter = enter, .enter_arg = &start}, err);
        return r == 0 ? error_set(err, EIO, "nfs-ganesha ended") : r;
}

static bool is_version_4(const char *options)
{
        return strstr(options, "vers=4") != NULL; /* nfsvers=4 too */
}

static int nfs_run(const struct keeper_job *job, struct error *err)
{
        static const struct root_need needs[] = {
                {.program = "ganesha.nfsd", .package = "nfs-ganesha"},
                {.pattern = "/usr/{lib,lib64,lib/*}/ganesha/libfsalvfs.so", .package = "nfs-ganesha-vfs"},
                {.program = "rpcbind", .package = "rpcbind"},
        };
        bool finds_version_3 = job->port == PORTMAPPER_PORT;
        CLEANUP_FREE char *missing = roots_missing(needs, finds_version_3 && !portmapper_answers() ? 3 : 2);
        CLEANUP(portmapper_end) struct child portmapper = {.sock = -1};
        int r;

        if (geteuid() != 0)
                return error_set(err, EPERM, "machines have no root: nfs-ganesha needs slipway to be started by root");
        if (*missing)
                return error_set(err, ENOENT, "machines have no root: nfs-ganesha is not all there (%s)", missing);
        r = finds_version_3 ? portmapper_start(job, &portmapper, err) : 0;
        if (r < 0)
                return r;
        keeper_say("%s: nfs-ganesha is started", job->name);
        return ganesha_run(job, err);
}

/* ---- the configuration: ganesha-config(8) and the pages that it names ---- */

/* Its log is read when it dies. Nothing but the file that we write is told to it by D-Bus. */
static const char settings[] = "NFSv4 { RecoveryRoot = \"%s\"; Graceless = true; Only_Numeric_Owners = true; }\n"
                               "NFS_KRB5 { Active_krb5 = false; }\n"
                               "EXPORT_DEFAULTS { SecType = sys; Squash = No_Root_Squash; Transports = TCP; }\n"
                               "LOG { Default_Log_Level = CRIT; COMPONENTS { DBUS = NULL; }\n"
                               "  Format { date_format = none; time_format = none; EPOCH = false; HOSTNAME = false;\n"
                               "    PROGNAME = false; PID = false; THREAD_NAME = false; FILE_NAME = false;\n"
                               "    LINE_NUM = false; FUNCTION_NAME = false; COMPONENT = false; LEVEL = false; } }\n";

/* Nobody else, since a machine's root user is root here too. */
static void add_clients(struct str *text, const struct site *site, bool writable)
{
        const char *separator = "";

        str_addf(text, "  CLIENT { Access_Type = %s; Clients = ", writable ? "RW" : "RO");
        for (size_t i = 0; i < site->n_networks; i++) {
                const struct site_network *network = &site->networks[i];
                uint32_t subnet = network->subnet;

                if (!network->mask)
                        continue;
                str_addf(text, "%s%u.%u.%u.%u/%d", separator, subnet >> 24, subnet >> 16 & 255, subnet >> 8 & 255,
                         subnet & 255, __builtin_popcount(network->mask));
                separator = ", ";
        }
        if (!*separator)
                str_add(text, "127.0.0.1");
        str_add(text, "; }\n");
}

static bool is_ours(const struct site_profile *profile)
{
        return profile->root.kind == SITE_ROOT_NFS && !profile->root.server;
}

static bool is_listed(const struct site *site, size_t i)
{
        for (size_t j = 0; j < i; j++)
                if (is_ours(site->profiles[j]) && str_eq(site->profiles[j]->root.path, site->profiles[i]->root.path))
                        return true;
        return false;
}

static void add_export(struct str *text, const struct site *site, size_t i)
{
        const char *path = site->profiles[i]->root.path;
        bool writable = false;

        for (size_t j = 0; j < site->n_profiles; j++)
                if (is_ours(site->profiles[j]) && str_eq(site->profiles[j]->root.path, path))
                        writable = writable || site->profiles[j]->root.writable;
        str_addf(text,
                 "EXPORT {\n  Export_Id = %zu; Path = \"%s\"; Pseudo = \"%s\"; Access_Type = NONE;\n"
                 "  FSAL { Name = VFS; }\n",
                 i + 1, path, path);
        add_clients(text, site, writable);
        str_add(text, "}\n");
}

int nfs_jobs(const struct site *site, struct keeper_jobs *ret, struct error *err)
{
        CLEANUP_STR struct str text = {0};
        CLEANUP_STR struct str exports = {0};
        CLEANUP_FREE char *folder = path_join(site->state, "nfs");
        uint16_t port = 0;
        bool version_3 = false;
        int r;

        for (size_t i = 0; i < site->n_profiles; i++) {
                const struct site_root *root = &site->profiles[i]->root;

                if (!is_ours(site->profiles[i]))
                        continue;
                if (!is_listed(site, i))
                        add_export(&exports, site, i);
                port = root->port ? root->port : NFS_PORT;
                version_3 = version_3 || !is_version_4(root->options);
        }
        if (!port)
                return 0;
        r = dir_make(folder, 0755, err);
        if (r < 0)
                return r;
        str_addf(&text,
                 "NFS_CORE_PARAM { NFS_Port = %u; MNT_Port = %u; Protocols = %s; Enable_NLM = false;\n"
                 "  Enable_RQUOTA = false; Enable_UDP = false; }\n",
                 port, MOUNT_PORT, version_3 ? "3,4" : "4");
        str_addf(&text, settings, folder);
        str_add(&text, str_get(&exports));
        vec_push(&ret->list, (struct keeper_job){.key = xstrdup(str_get(&text)),
                                                 .name = xstrdup("NFS"),
                                                 .run = nfs_run,
                                                 .folder = steal(&folder),
                                                 .text = str_steal(&text),
                                                 .port = version_3 ? PORTMAPPER_PORT : 0});
        return 0;
}
