/* See idmap.h. An ordinary user becomes id 0 inside, and ids from 1 on are the
 * user's subordinate ids, which newuidmap and newgidmap (setuid, package
 * uidmap) write for us. Root gets the ids it has, each mapped to itself, so
 * that it works in a container with a part of the ids, too. */
#include "guest/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"

static bool parse_id(const char *s, uint32_t *ret)
{
        char *end;
        unsigned long long value;

        errno = 0;
        value = strtoull(s, &end, 10);
        if (errno || end == s || *end || *s == '-' || value > UINT32_MAX)
                return false;
        *ret = (uint32_t)value;
        return true;
}

void idmap_parse_subids(struct idmap *map, const char *text, const char *user, uid_t uid, uint32_t self)
{
        CLEANUP_STRV char **lines = str_split(text, "\n");
        CLEANUP_FREE char *number = xasprintf("%u", uid);
        uint32_t inside = 1, first, count;

        map->ranges[0] = (struct idmap_range){.inside = 0, .outside = self, .count = 1};
        map->n = 1;
        for (size_t i = 0; lines && lines[i] && map->n < IDMAP_RANGES_MAX; i++) {
                CLEANUP_STRV char **fields = str_split(lines[i], ":");

                if (strv_len(STRV(fields)) != 3 || (!str_eq(fields[0], user) && !str_eq(fields[0], number)))
                        continue;
                if (!parse_id(fields[1], &first) || !parse_id(str_trim(fields[2]), &count) || count == 0)
                        continue;
                if (count > UINT32_MAX - inside || count > UINT32_MAX - first)
                        continue;
                map->ranges[map->n++] = (struct idmap_range){.inside = inside, .outside = first, .count = count};
                inside += count;
        }
}

/* A line of /proc/PID/uid_map: three numbers; the first and the last count. */
static bool parse_range(const char *line, unsigned long ret[3])
{
        for (int i = 0; i < 3; i++) {
                char *end;

                ret[i] = strtoul(line, &end, 10);
                if (end == line)
                        return false;
                line = end;
        }
        return true;
}

void idmap_parse_identity(struct idmap *map, const char *text)
{
        CLEANUP_STRV char **lines = str_split(text, "\n");
        unsigned long numbers[3];

        map->n = 0;
        for (size_t i = 0; lines && lines[i] && map->n < IDMAP_RANGES_MAX; i++)
                if (parse_range(lines[i], numbers))
                        map->ranges[map->n++] = (struct idmap_range){.inside = (uint32_t)numbers[0],
                                                                     .outside = (uint32_t)numbers[0],
                                                                     .count = (uint32_t)numbers[2]};
}

uint64_t idmap_count(const struct idmap *map)
{
        uint64_t count = 0;

        for (size_t i = 0; i < map->n; i++)
                count += map->ranges[i].count;
        return count;
}

bool idmap_privileged(void)
{
        cap_flag_value_t value = CAP_CLEAR;
        cap_t caps = cap_get_proc();

        if (!caps)
                return false;
        if (cap_get_flag(caps, CAP_SETUID, CAP_EFFECTIVE, &value) < 0)
                value = CAP_CLEAR;
        cap_free(caps);
        return value == CAP_SET;
}

static int find_identity(struct idmap *map, const char *path, struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        int r = file_read(path, 0, &text, NULL, err);

        if (r < 0)
                return r;
        idmap_parse_identity(map, text);
        if (idmap_count(map) < 2)
                return error_set(err, EPERM,
                                 "we are root in a user namespace that has a single id, so that files could not have "
                                 "other owners. Run slipway outside of it, or give it a range of ids "
                                 "(unshare --map-auto --map-root-user)");
        return 0;
}

static int find_subids(struct idmap *map, const char *path, const char *user, uint32_t self, struct error *err)
{
        CLEANUP_FREE char *text = NULL;

        if (file_read(path, 0, &text, NULL, NULL) < 0)
                text = xstrdup("");
        idmap_parse_subids(map, text, user, getuid(), self);
        if (map->n < 2)
                return error_set(err, EPERM,
                                 "user '%s' has no range of subordinate ids in %s, which the owners of files in an "
                                 "image need. Mend it with:\n"
                                 "    sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s",
                                 user, path, user);
        return 0;
}

int idmap_find(struct idmap *uids, struct idmap *gids, struct error *err)
{
        CLEANUP_FREE char *user = NULL, *program = NULL;
        const struct passwd *pw;
        int r;

        if (idmap_privileged()) {
                r = find_identity(uids, "/proc/self/uid_map", err);
                return r < 0 ? r : find_identity(gids, "/proc/self/gid_map", err);
        }
        pw = getpwuid(getuid());
        user = pw ? xstrdup(pw->pw_name) : xasprintf("%u", getuid());
        r = find_subids(uids, "/etc/subuid", user, geteuid(), err);
        if (r == 0)
                r = find_subids(gids, "/etc/subgid", user, getegid(), err);
        if (r < 0)
                return r;
        for (int i = 0; i < 2; i++) {
                free(program);
                program = program_find(i ? "newgidmap" : "newuidmap");
                if (!program)
                        return error_set(err, ENOENT,
                                         "'%s' is not installed, which gives an ordinary user the ids that the files "
                                         "of an image need. Mend it with:\n    sudo apt-get install uidmap",
                                         i ? "newgidmap" : "newuidmap");
        }
        return 0;
}

static int write_direct(pid_t pid, const char *name, const struct idmap *map, struct error *err)
{
        CLEANUP_FREE char *path = xasprintf("/proc/%d/%s", pid, name);
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
        CLEANUP_STR struct str text = {0};

        for (size_t i = 0; i < map->n; i++)
                str_addf(&text, "%u %u %u\n", map->ranges[i].inside, map->ranges[i].outside, map->ranges[i].count);
        /* One write, as the kernel demands. */
        if (fd < 0 || write(fd, str_get(&text), text.len) != (ssize_t)text.len)
                return error_errno(err, errno, "give the user namespace its ids (%s)", name);
        return 0;
}

static int write_by_program(pid_t pid, const char *program, const struct idmap *map, struct error *err)
{
        CLEANUP_STRV char **argv = NULL;
        int r;

        strv_add(&argv, program);
        strv_addf(&argv, "%d", pid);
        for (size_t i = 0; i < map->n; i++) {
                strv_addf(&argv, "%u", map->ranges[i].inside);
                strv_addf(&argv, "%u", map->ranges[i].outside);
                strv_addf(&argv, "%u", map->ranges[i].count);
        }
        r = spawn_check(&(struct spawn){.argv = STRV(argv)}, err);
        return r < 0 ? error_wrap(err, r, "give the user namespace its ids") : 0;
}

int idmap_write(pid_t pid, const struct idmap *uids, const struct idmap *gids, struct error *err)
{
        int r;

        if (idmap_privileged()) {
                r = write_direct(pid, "uid_map", uids, err);
                return r < 0 ? r : write_direct(pid, "gid_map", gids, err);
        }
        r = write_by_program(pid, "newuidmap", uids, err);
        return r < 0 ? r : write_by_program(pid, "newgidmap", gids, err);
}
