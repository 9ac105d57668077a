/* Which ids a user namespace of ours has, and writing its maps. Formats:
 * subuid(5), subgid(5), user_namespaces(7). Private to this room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

enum { IDMAP_RANGES_MAX = 32 };

struct idmap {
        struct idmap_range {
                uint32_t inside, outside, count;
        } ranges[IDMAP_RANGES_MAX];
        size_t n;
};

/* The ranges of a subuid(5) text that belong to the user (by name or by number), from inside id 1 on, after
 * `self` as id 0. */
void idmap_parse_subids(struct idmap *map, const char *text, const char *user, uid_t uid, uint32_t self);
/* Everything that a text in the format of /proc/PID/uid_map gives, mapped to itself. */
void idmap_parse_identity(struct idmap *map, const char *text);
/* How many ids there are inside. */
uint64_t idmap_count(const struct idmap *map);

/* Whether we write the maps ourselves (CAP_SETUID), or newuidmap does. */
bool idmap_privileged(void);
/* The maps that userns_new would use; an error says what is missing and how to mend it. */
int idmap_find(struct idmap *uids, struct idmap *gids, struct error *err);
/* Give them to the user namespace of process pid. */
int idmap_write(pid_t pid, const struct idmap *uids, const struct idmap *gids, struct error *err);
