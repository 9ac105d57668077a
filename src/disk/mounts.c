/* See mounts.h. */
#include "disk/mounts.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "base/vec.h"
#include "disk/fs.h"

typedef VEC(struct disk_mount) mount_list;

static struct fs_volume volume_of(const char *image, const struct disk_partition *partition)
{
        return (struct fs_volume){image, partition->start_bytes, partition->size_bytes, "partition"};
}

struct seen {
        bool etc, programs;
};

static int look_at_entry(void *arg, const struct fs_entry *entry)
{
        struct seen *seen = arg;

        if (strcmp(entry->name, "etc") == 0)
                seen->etc = true;
        if (strcmp(entry->name, "bin") == 0 || strcmp(entry->name, "usr") == 0)
                seen->programs = true;
        return 0;
}

static bool is_root(const char *image, const struct disk_partition *partition)
{
        const struct fs_type *type = partition->fs ? fs_type_find(partition->fs) : NULL;
        struct fs_volume volume = volume_of(image, partition);
        struct seen seen = {0};

        if (!type || !type->list || type->no_owners || type->list(&volume, "/", look_at_entry, &seen, NULL) < 0)
                return false;
        return seen.etc && seen.programs;
}

/* The number in "/dev/mmcblk0p2", "/dev/sda2", "/dev/disk/by-.../x-part2"; 0: none. */
static unsigned int device_number(const char *device)
{
        const char *end = device + strlen(device), *p = end;

        while (p > device && isdigit((unsigned char)p[-1]))
                p--;
        if (p == end || p == device || !str_starts(device, "/dev/"))
                return 0;
        if ((str_starts(device, "/dev/mmcblk") || str_starts(device, "/dev/nvme")) && p[-1] != 'p')
                return 0;
        return (unsigned int)strtoul(p, NULL, 10);
}

static bool is_named(const struct disk_partition *partition, const char *spec)
{
        static const struct {
                const char *prefix;
                size_t offset;
        } tags[] = {
                {"UUID=", offsetof(struct disk_partition, fs_uuid)},
                {"LABEL=", offsetof(struct disk_partition, fs_label)},
                {"PARTUUID=", offsetof(struct disk_partition, uuid)},
                {"PARTLABEL=", offsetof(struct disk_partition, name)},
                {"/dev/disk/by-uuid/", offsetof(struct disk_partition, fs_uuid)},
                {"/dev/disk/by-label/", offsetof(struct disk_partition, fs_label)},
                {"/dev/disk/by-partuuid/", offsetof(struct disk_partition, uuid)},
        };

        for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
                const char *have;

                if (!str_starts(spec, tags[i].prefix))
                        continue;
                memcpy(&have, (const char *)partition + tags[i].offset, sizeof(have));
                return have && strcasecmp(have, spec + strlen(tags[i].prefix)) == 0;
        }
        return device_number(spec) == partition->number;
}

static void read_line(char *line, const struct disk_table *table, mount_list *mounts)
{
        char *rest = NULL, *spec, *mountpoint;

        line[strcspn(line, "#")] = '\0';
        spec = strtok_r(line, " \t", &rest);
        mountpoint = strtok_r(NULL, " \t", &rest);
        if (!spec || !mountpoint || mountpoint[0] != '/' || mountpoint[1] == '\0')
                return;
        for (size_t i = 0; i < mounts->n; i++)
                if (strcmp(mounts->v[i].mountpoint, mountpoint) == 0)
                        return;
        for (size_t i = 0; i < table->n; i++) {
                const struct disk_partition *partition = &table->v[i];

                if (!is_named(partition, spec) || partition == mounts->v[0].partition || !partition->fs ||
                    !fs_type_find(partition->fs))
                        continue;
                vec_push(mounts, (struct disk_mount){xstrdup(mountpoint), partition});
                return;
        }
}

/* No fstab, or one that cannot be read: the root alone. */
static void read_fstab(const char *image, const struct disk_table *table, mount_list *mounts)
{
        const struct disk_partition *root = mounts->v[0].partition;
        const struct fs_type *type = fs_type_find(root->fs);
        struct fs_volume volume = volume_of(image, root);
        CLEANUP_CLOSE int fd = memfd_create("fstab", MFD_CLOEXEC);
        CLEANUP_FREE char *text = xcalloc(1, 1 << 16);
        CLEANUP_STRV char **lines = NULL;

        if (fd < 0 || !type->cat || type->cat(&volume, "/etc/fstab", fd, NULL) < 0)
                return;
        if (pread(fd, text, (1 << 16) - 1, 0) < 0)
                return;
        lines = str_split(text, "\n");
        for (char **line = lines; *line; line++)
                read_line(*line, table, mounts);
}

static int no_root(const struct disk_table *table, struct error *err)
{
        error_set(err, ENOENT, "no partition holds a system (folders etc and usr or bin in its root)");
        for (size_t i = 0; i < table->n; i++)
                error_append(err, -ENOENT, "\n    partition %u: %s", table->v[i].number,
                             table->v[i].fs ? table->v[i].fs : "no known file system");
        return -ENOENT;
}

int disk_mounts_find(const char *image, const struct disk_table *table, struct disk_mount **ret, size_t *ret_n,
                     struct error *err)
{
        mount_list mounts = {0};

        for (size_t i = 0; i < table->n && mounts.n == 0; i++)
                if (is_root(image, &table->v[i]))
                        vec_push(&mounts, (struct disk_mount){xstrdup("/"), &table->v[i]});
        if (mounts.n == 0)
                return no_root(table, err);
        read_fstab(image, table, &mounts);
        *ret = mounts.v;
        *ret_n = mounts.n;
        return 0;
}

void disk_mounts_free(struct disk_mount *mounts, size_t n)
{
        for (size_t i = 0; i < n; i++)
                free(mounts[i].mountpoint);
        free(mounts);
}
