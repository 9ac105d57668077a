/* slipway image: look into an image without root or mounts. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "base/alloc.h"
#include "base/cancel.h"
#include "base/file.h"
#include "base/size.h"
#include "base/str.h"
#include "cmd/cmd.h"
#include "disk/view.h"

struct options {
        const char *output;
        bool details, recursive;
};

static const char *const outputs[] = {"text", "json", NULL};

static const struct option_spec option_table[] = {
        {"l", OPTION_BOOL, offsetof(struct options, details), NULL, NULL,
         "ls: mode, owner, size and time of each entry"},
        {"R", OPTION_BOOL, offsetof(struct options, recursive), NULL, NULL, "ls: folders below as well"},
        {"o", OPTION_STRING, offsetof(struct options, output), "FORMAT", outputs, "info, ls: text or json"},
};

static bool as_json(const struct options *options)
{
        return str_eq(options->output, "json");
}

static void set_string(json_t *object, const char *key, const char *value)
{
        if (value)
                json_object_set_new(object, key, json_string(value) ?: json_null());
}

static int print_json(json_t *root)
{
        json_dumpf(root, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(root);
        return 0;
}

/* ---- info ---- */

static const char *label_name(enum disk_label label)
{
        return label == DISK_GPT ? "gpt" : label == DISK_DOS ? "dos" : "none";
}

static json_t *partition_json(const struct disk_view *view, const struct disk_partition *part)
{
        json_t *object = json_object();
        uint64_t total, used;

        json_object_set_new(object, "number", json_integer(part->number));
        json_object_set_new(object, "start_bytes", json_integer((json_int_t)part->start_bytes));
        json_object_set_new(object, "size_bytes", json_integer((json_int_t)part->size_bytes));
        set_string(object, "type", part->type);
        set_string(object, "name", part->name);
        set_string(object, "uuid", part->uuid);
        json_object_set_new(object, "bootable", json_boolean(part->bootable));
        json_object_set_new(object, "extended", json_boolean(part->extended));
        set_string(object, "filesystem", part->fs);
        set_string(object, "filesystem_label", part->fs_label);
        set_string(object, "filesystem_uuid", part->fs_uuid);
        if (disk_usage(view->image, part, &total, &used) == 0) {
                json_object_set_new(object, "filesystem_bytes", json_integer((json_int_t)total));
                json_object_set_new(object, "used_bytes", json_integer((json_int_t)used));
        }
        set_string(object, "mountpoint", disk_view_mountpoint(view, part));
        return object;
}

static void info_json(const struct disk_view *view, const struct stat *st, const char *problem)
{
        json_t *object = json_object(), *partitions = json_array();

        set_string(object, "image", view->image);
        json_object_set_new(object, "size_bytes", json_integer((json_int_t)view->table->disk_bytes));
        json_object_set_new(object, "allocated_bytes", json_integer((json_int_t)st->st_blocks * 512));
        set_string(object, "table", label_name(view->table->label));
        set_string(object, "id", view->table->id);
        set_string(object, "problem", problem);
        for (size_t i = 0; i < view->table->n; i++)
                json_array_append_new(partitions, partition_json(view, &view->table->v[i]));
        json_object_set_new(object, "partitions", partitions);
        print_json(object);
}

static void info_partition(const struct disk_view *view, const struct disk_partition *part)
{
        const char *at = disk_view_mountpoint(view, part);
        CLEANUP_FREE char *name = str_printable(part->name ?: ""), *label = str_printable(part->fs_label ?: ""),
                          *mountpoint = str_printable(at ?: "");
        uint64_t total, used;

        printf("\nPartition %u%s%s%s\n", part->number, part->name ? " '" : "", name, part->name ? "'" : "");
        printf("  place       sectors %llu to %llu, %s\n", (unsigned long long)part->start_bytes / 512,
               (unsigned long long)(part->start_bytes + part->size_bytes) / 512 - 1, size_show(part->size_bytes));
        if (part->type)
                printf("  type        %s%s%s\n", part->type, part->extended ? ", extended" : "",
                       part->bootable ? ", bootable" : "");
        if (part->uuid)
                printf("  PARTUUID    %s\n", part->uuid);
        if (!part->extended)
                printf("  file system %s\n", part->fs ? part->fs : "none that is known");
        if (part->fs_label)
                printf("  LABEL       %s\n", label);
        if (part->fs_uuid)
                printf("  UUID        %s\n", part->fs_uuid);
        if (disk_usage(view->image, part, &total, &used) == 0)
                printf("  used        %s of %s\n", size_show(used), size_show(total));
        if (at)
                printf("  mounted on  %s\n", mountpoint);
}

/* What is wrong with the table, or that a file system does not lie in the image to its end. */
static int look_for_damage(const struct disk_view *view, struct error *err)
{
        int r = disk_verify(view->image, err);

        for (size_t i = 0; r == 0 && i < view->table->n; i++) {
                const struct disk_partition *part = &view->table->v[i];
                uint64_t total, used;

                if (disk_usage(view->image, part, &total, &used) == 0 && total > part->size_bytes)
                        r = error_set(err, EBADMSG, "the file system of partition %u has %s, the partition %s",
                                      part->number, size_show(total), size_show(part->size_bytes));
        }
        return r;
}

static void info_text(const struct disk_view *view, const struct stat *st, const char *problem)
{
        printf("%s: %s (%llu bytes), %s of it allocated\n", view->image, size_show(view->table->disk_bytes),
               (unsigned long long)view->table->disk_bytes, size_show((uint64_t)st->st_blocks * 512));
        if (view->table->label == DISK_NONE)
                fputs("No partition table: one file system", stdout);
        else
                printf("Partition table: %s, id %s", label_name(view->table->label),
                       view->table->id ? view->table->id : "none");
        printf("%s%s\n", problem ? "; DAMAGED: " : "", problem ? problem : "");
        for (size_t i = 0; i < view->table->n; i++)
                info_partition(view, &view->table->v[i]);
}

/* Damage is exit code 1: scripts ask by this command. */
static int info(const struct disk_view *view, const struct options *options, const char *const *paths,
                struct error *err)
{
        struct stat st;
        int r = stat(view->image, &st) < 0 ? error_errno(err, errno, "stat '%s'", view->image) : 0;
        bool bad = r == 0 && look_for_damage(view, err) < 0;

        (void)paths;
        if (r < 0)
                return r;
        if (as_json(options))
                info_json(view, &st, bad ? error_message(err) : NULL);
        else
                info_text(view, &st, bad ? error_message(err) : NULL);
        return bad ? error_wrap(err, -EBADMSG, "'%s' is damaged", view->image) : 0;
}

/* ---- ls ---- */

static char type_letter(mode_t mode)
{
        switch (mode & S_IFMT) {
        case S_IFDIR:
                return 'd';
        case S_IFLNK:
                return 'l';
        case S_IFCHR:
                return 'c';
        case S_IFBLK:
                return 'b';
        case S_IFIFO:
                return 'p';
        case S_IFSOCK:
                return 's';
        default:
                return '-';
        }
}

static void mode_text(mode_t mode, char out[11])
{
        static const char letters[] = "rwxrwxrwx";

        out[0] = type_letter(mode);
        for (int i = 0; i < 9; i++)
                out[i + 1] = mode & (0400 >> i) ? letters[i] : '-';
        if (mode & S_ISUID)
                out[3] = mode & 0100 ? 's' : 'S';
        if (mode & S_ISGID)
                out[6] = mode & 0010 ? 's' : 'S';
        if (mode & S_ISVTX)
                out[9] = mode & 0001 ? 't' : 'T';
        out[10] = '\0';
}

static void ls_entry(const struct disk_entry *entry, bool details)
{
        CLEANUP_FREE char *name = str_printable(entry->name), *target = str_printable(entry->target ?: "");
        char mode[11], when[32], size[32];
        struct tm tm;

        if (!details) {
                puts(name);
                return;
        }
        mode_text(entry->st.st_mode, mode);
        gmtime_r(&entry->st.st_mtim.tv_sec, &tm);
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
        if (S_ISCHR(entry->st.st_mode) || S_ISBLK(entry->st.st_mode))
                snprintf(size, sizeof(size), "%u, %u", major(entry->st.st_rdev), minor(entry->st.st_rdev));
        else
                snprintf(size, sizeof(size), "%lld", (long long)entry->st.st_size);
        printf("%s %3lu %5u %5u %11s %s %s%s%s\n", mode, (unsigned long)entry->st.st_nlink, entry->st.st_uid,
               entry->st.st_gid, size, when, name, entry->target ? " -> " : "", target);
}

static json_t *entry_json(const char *path, const struct disk_entry *entry)
{
        json_t *object = json_object();
        char mode[8], type[2] = {type_letter(entry->st.st_mode), '\0'};

        snprintf(mode, sizeof(mode), "%04o", entry->st.st_mode & 07777);
        set_string(object, "path", path);
        set_string(object, "type", type[0] == '-' ? "f" : type);
        set_string(object, "mode", mode);
        json_object_set_new(object, "uid", json_integer(entry->st.st_uid));
        json_object_set_new(object, "gid", json_integer(entry->st.st_gid));
        json_object_set_new(object, "size", json_integer((json_int_t)entry->st.st_size));
        json_object_set_new(object, "mtime", json_integer((json_int_t)entry->st.st_mtim.tv_sec));
        set_string(object, "target", entry->target);
        return object;
}

/* One folder; those in it are put on the stack for -R, the first on top. */
static int ls_folder(const struct disk_view *view, const struct options *options, const char *path, bool heading,
                     json_t *out, char ***stack, struct error *err)
{
        CLEANUP(disk_entries_clear) struct disk_entries entries = {0};
        CLEANUP_STRV char **below = NULL;
        bool folder;
        int r = disk_view_list(view, path, &entries, &folder, err);

        if (r < 0)
                return r;
        if (heading && folder && !out)
                printf("%s:\n", path);
        for (size_t i = 0; i < entries.n; i++) {
                CLEANUP_FREE char *full = folder ? path_join(path, entries.v[i].name) : xstrdup(path);

                if (out)
                        json_array_append_new(out, entry_json(full, &entries.v[i]));
                else
                        ls_entry(&entries.v[i], options->details);
                if (options->recursive && folder && S_ISDIR(entries.v[i].st.st_mode))
                        strv_add(&below, full);
        }
        for (size_t i = below ? strv_len(STRV(below)) : 0; i-- > 0;)
                strv_add(stack, below[i]);
        return 0;
}

static int ls(const struct disk_view *view, const struct options *options, const char *const *paths, struct error *err)
{
        CLEANUP_STRV char **stack = NULL;
        json_t *out = as_json(options) ? json_array() : NULL;
        bool first = true;
        int r = 0;

        strv_add(&stack, paths[0] ? paths[0] : view->n_mounts || view->table->n != 1 ? "/" : "1:/");
        while (r == 0 && strv_len(STRV(stack)) > 0) {
                CLEANUP_FREE char *path = steal(&stack[strv_len(STRV(stack)) - 1]);

                if (!first && !out)
                        putchar('\n');
                r = cancel_check(err);
                if (r == 0)
                        r = ls_folder(view, options, path, options->recursive, out, &stack, err);
                first = false;
        }
        if (r == 0 && out)
                return print_json(out);
        json_decref(out);
        return r;
}

/* ---- cat, extract ---- */

static int cat(const struct disk_view *view, const struct options *options, const char *const *paths, struct error *err)
{
        (void)options;
        fflush(stdout);
        return disk_view_cat(view, paths[0], STDOUT_FILENO, err);
}

static int extract(const struct disk_view *view, const struct options *options, const char *const *paths,
                   struct error *err)
{
        const char *to = paths[1] ? paths[1] : ".";
        CLEANUP_FREE char *source = xstrdup(paths[0]), *inside = NULL;
        size_t left_out;
        struct stat st;
        int r;

        (void)options;
        while (strlen(source) > 1 && str_ends(source, "/") && !str_ends(source, ":/"))
                source[strlen(source) - 1] = '\0';
        if (stat(to, &st) == 0 && S_ISDIR(st.st_mode)) {
                const char *name = path_name(source);

                if (str_empty(name) || strcmp(name, "/") == 0 || str_ends(name, ":/"))
                        return error_set(err, EEXIST,
                                         "to extract a whole file system, name a destination that does not exist");
                inside = path_join(to, name);
                to = inside;
        }
        r = disk_view_extract(view, source, to, &left_out, err);
        if (r == 0 && left_out > 0)
                fprintf(stderr, "%zu devices, fifos or sockets were left out\n", left_out);
        return r;
}

/* ---- the subcommands ---- */

static const struct action {
        const char *name;
        size_t min_paths, max_paths;
        const char *usage;
        int (*run)(const struct disk_view *view, const struct options *options, const char *const *paths,
                   struct error *err);
} actions[] = {
        {"info", 0, 0, "slipway image info [-o json] IMAGE", info},
        {"ls", 0, 1, "slipway image ls [-l] [-R] [-o json] IMAGE [PATH]", ls},
        {"cat", 1, 1, "slipway image cat IMAGE PATH", cat},
        {"extract", 1, 2, "slipway image extract IMAGE PATH [DEST]", extract},
};

enum { N_ACTIONS = sizeof(actions) / sizeof(actions[0]) };

static const struct action *find_action(const char *name)
{
        for (size_t i = 0; i < N_ACTIONS; i++)
                if (strcmp(actions[i].name, name) == 0)
                        return &actions[i];
        return NULL;
}

static const char *const *action_names(void)
{
        static const char *names[N_ACTIONS + 1];

        for (size_t i = 0; i < N_ACTIONS; i++)
                names[i] = actions[i].name;
        return names;
}

static int run(const struct command *command, int argc, char **argv)
{
        CLEANUP(disk_view_freep) struct disk_view *view = NULL;
        CLEANUP_ERROR struct error err = {0};
        struct options options = {0};
        const struct action *action;
        const char *const *words;
        int exit_code, first = options_parse_anywhere(command, argc, argv, &options, &exit_code);
        size_t n = (size_t)(argc - first);

        if (first < 0)
                return exit_code;
        if (n == 0) {
                command_usage(command, false);
                return EXIT_USAGE;
        }
        words = STRV(argv + first);
        action = find_action(words[0]);
        if (!action)
                return command_unknown_word(command, "action", words[0], action_names());
        if (n < 2 + action->min_paths || n > 2 + action->max_paths) {
                command_complain("Usage: %s", action->usage);
                return EXIT_USAGE;
        }
        cancel_install();
        if (disk_view_open(words[1], &view, &err) < 0 || action->run(view, &options, words + 2, &err) < 0)
                return command_fail(&err);
        return 0;
}

const struct command command_image = {
        .name = "image",
        .arguments = "info|ls|cat|extract IMAGE [PATH [DEST]]",
        .summary = "Look into an image, without root or mounts",
        .help = "  info     the partition table, and what is in the partitions\n"
                "  ls       a folder of the image ('/' if none is named)\n"
                "  cat      a file, to standard output\n"
                "  extract  a file or a folder, to DEST (default: the current folder); all of it is yours\n\n"
                "A PATH such as /boot/firmware/config.txt is looked up in the root partition and in those that the\n"
                "image's own /etc/fstab mounts; 1:/config.txt names the partition. Devices are not extracted.",
        .words = action_names,
        OPTIONS(option_table),
        .run = run,
};
