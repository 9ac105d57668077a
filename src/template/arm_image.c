/* The keys of the `arm-image` builder, packer-plugin-arm-image's, and what
 * they are in terms of the `arm` builder. That plug-in takes a vendor's image
 * as it is: the method is always reuse, or resize where a size is given. */
#include "template/arm_image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "template/arm_internal.h"
#include "template/template_internal.h"

/* What is known of a vendor's images. */
struct image_kind {
        const char *name;
        const char *in_url[3]; /* an URL with one of these words leads to it */
        const char *mounts[3]; /* of its partitions, in their order */
        const char *cpu;       /* that qemu must have */
};

static const struct image_kind kinds[] = {
        {"raspberrypi", {"raspbian", "raspios"}, {"/boot", "/"}, NULL},
        {"beaglebone", {"bone"}, {"/"}, "cortex-a8"},
        {"kali", {"kali"}, {"/root", "/"}, NULL},
        {"ubuntu", {"ubuntu"}, {"/boot/firmware", "/"}, NULL},
        {"armbian", {"armbian", "Armbian"}, {"/"}, NULL},
};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static const char *const kind_names[] = {"raspberrypi", "beaglebone", "kali", "ubuntu", "armbian", NULL};
_Static_assert(sizeof(kind_names) / sizeof(kind_names[0]) == N_KINDS + 1, "a name for each kind");
static const char *const arch_names[] = {"arm", "armbe", "arm64", "arm64be", NULL};
static const char *const resolv_names[] = {"off", "copy-host", "bind-host", "delete", NULL};

#define STRUCT struct arm_image_builder
static const struct schema_key keys[] = {
        KEY("iso_url", SCHEMA_STRING, 0, iso_url, .help = "where the image is: http://, https://, file:// or a path"),
        KEY("iso_urls", SCHEMA_STRINGS, 0, arm.file_urls, .help = "the same, several places, tried in order"),
        KEY("iso_checksum", SCHEMA_STRING, SCHEMA_REQUIRED, iso_checksum,
            .help = "\"sha256:DIGEST\", a digest alone, \"file:URL\" of a file that holds it, or \"none\""),
        KEY("iso_target_path", SCHEMA_STRING, 0, arm.file_target_path, .help = "where the download is kept too"),
        KEY("iso_target_extension", SCHEMA_STRING, 0, arm.file_target_extension,
            .help = "kind of the archive; it is told by its content anyway"),
        KEY("output_filename", SCHEMA_STRING, 0, arm.image_path,
            .help = "the image that is made (default: output-NAME/image)"),
        KEY("output_directory", SCHEMA_STRING, 0, output_directory, .fallback = "output-{{build_name}}",
            .help = "folder of the output, called \"image\""),
        KEY("image_type", SCHEMA_STRING, 0, image_type, .choices = kind_names,
            .help = "whose image it is, which gives image_mounts; left out, the image's own fstab does"),
        KEY("image_mounts", SCHEMA_STRINGS, 0, image_mounts,
            .help = "where each partition is mounted, in their order: [\"/boot\", \"/\"]; \"\" leaves one out"),
        KEY("mount_path", SCHEMA_STRING, 0, arm.image_mount_path,
            .help = "a fixed path at which tools of the host find the guest's root"),
        KEY("target_image_size", SCHEMA_SIZE, 0, target_image_size,
            .help = "size that the image and its last partition grow to, in bytes"),
        KEY("last_partition_extra_size", SCHEMA_SIZE, 0, arm.image_grow_bytes,
            .help = "how much the image and its last partition grow, in bytes"),
        KEY("chroot_mounts", SCHEMA_STRING_LISTS, 0, chroot_mounts,
            .help = "[[type, device, path]...]: mounts in the guest, in place of /proc, /sys, /dev, /dev/pts and "
                    "binfmt_misc"),
        KEY("additional_chroot_mounts", SCHEMA_STRING_LISTS, 0, additional_chroot_mounts,
            .help = "mounts in the guest besides those"),
        KEY("resolv-conf", SCHEMA_STRING, 0, resolv_conf, .choices = resolv_names,
            .help = "copy-host replaces the image's /etc/resolv.conf by the host's, delete removes it; else it stays"),
        KEY("image_arch", SCHEMA_STRING, 0, image_arch, .choices = arch_names,
            .help = "the image's processor; it is read from the image anyway"),
        KEY("image_shrink", SCHEMA_BOOL, 0, arm.image_shrink,
            .help = "true: in the end the last partition and the image are as small as their contents allow"),
        KEY("image_shrink_slack", SCHEMA_SIZE, 0, arm.image_shrink_slack, .fallback = "64MiB",
            .help = "room that is left in it then"),
        KEY("accelerate", SCHEMA_BOOL, 0, arm.accelerate, .fallback = "true",
            .help = "false: no program of the host's runs in place of the same one that would be emulated"),
        KEY("package_cache", SCHEMA_BOOL, 0, arm.package_cache, .fallback = "true",
            .help = "false: packages that apt fetches in the guest are neither kept for other builds nor taken from "
                    "them"),
        KEY("qemu_binary", SCHEMA_STRING, 0, arm.qemu_binary_source_path,
            .help = "qemu-user for the image's processor; found by itself where it is left out"),
        KEY("qemu_args", SCHEMA_STRINGS, 0, qemu_args, .help = "its arguments: [\"-cpu\", \"cortex-a8\"]"),
        KEY("qemu_required", SCHEMA_BOOL, 0, qemu_required, .help = "has no effect: qemu runs what the host cannot"),
        KEY("disable_embedded", SCHEMA_BOOL, 0, disable_embedded, .help = "has no effect: qemu is the host's"),
        KEY("disable_autofetch", SCHEMA_BOOL, 0, disable_autofetch, .help = "has no effect: qemu is the host's"),
        KEY("command_wrapper", SCHEMA_STRING, SCHEMA_LATE, command_wrapper,
            .help = "has no effect: no command needs privileges"),
        KEY("podman_image", SCHEMA_STRING, 0, podman_image, .help = "has no effect: no container is needed"),
};
#undef STRUCT

const struct schema arm_image_schema = {.name = "the arm-image builder",
                                        .size = sizeof(struct arm_image_builder),
                                        .keys = keys,
                                        .n_keys = sizeof(keys) / sizeof(keys[0])};

/* ---- where the image is ---- */

static void check_urls(struct arm_image_builder *config, const struct value *value, struct diags *diags)
{
        bool has_list = config->arm.file_urls && config->arm.file_urls[0];

        if (!str_empty(config->iso_url) && has_list) {
                diag_error(diags, schema_range(value, "iso_urls"),
                           "'iso_url' and 'iso_urls' exclude each other; keep one");
                return;
        }
        if (str_empty(config->iso_url) && !has_list) {
                diag_error(diags, schema_range(value, "iso_url"), "the arm-image builder needs the key 'iso_url'");
                diag_detail(diags, "Where the vendor's image is, packed or not: an URL, or a path.");
                return;
        }
        if (!has_list) {
                config->arm.file_urls = strv_free(config->arm.file_urls);
                strv_add(&config->arm.file_urls, config->iso_url);
        }
        arm_check_urls(&config->arm, value, has_list ? "iso_urls" : "iso_url", diags);
}

static void check_checksum(struct arm_image_builder *config, const struct value *value, struct diags *diags)
{
        const char *text = config->iso_checksum;

        if (str_empty(text)) {
                if (text)
                        diag_error(diags, schema_range(value, "iso_checksum"), "'iso_checksum' is empty");
        } else if (str_eq(text, "none")) {
                config->arm.file_checksum_type = xstrdup("none");
        } else if (str_starts(text, "file:")) {
                /* "file:https://..." as well as "file:///..." and "file:PATH" */
                config->arm.file_checksum_url = xstrdup(str_starts(text, "file://") ? text : text + strlen("file:"));
        } else {
                config->arm.file_checksum = xstrdup(text);
                arm_check_digest(&config->arm, value, "iso_checksum", NULL, diags);
        }
}

static void check_output(struct arm_image_builder *config, const struct value *value, struct diags *diags)
{
        struct arm_builder *arm = &config->arm;

        if (arm->image_path && !*arm->image_path)
                diag_error(diags, schema_range(value, "output_filename"), "'output_filename' is empty");
        if (arm->image_path)
                return;
        arm->image_path = path_join(config->output_directory, "image");
}

/* ---- partitions ---- */

static const struct image_kind *find_kind(const struct arm_image_builder *config)
{
        const char *url = config->arm.file_urls ? config->arm.file_urls[0] : NULL;

        for (size_t i = 0; i < N_KINDS; i++) {
                if (!str_empty(config->image_type)) {
                        if (str_eq(kinds[i].name, config->image_type))
                                return &kinds[i];
                        continue;
                }
                for (const char *const *word = kinds[i].in_url; url && *word; word++)
                        if (strstr(url, *word))
                                return &kinds[i];
        }
        return NULL;
}

static void set_partitions(struct arm_image_builder *config, const char *const *mounts, const struct value *value,
                           struct diags *diags)
{
        size_t n = strv_len(mounts);
        struct arm_partition *partitions = xcalloc(n + 1, sizeof(*partitions));
        bool has_root = false;

        config->arm.image_partitions = (struct schema_blocks){partitions, n};
        for (size_t i = 0; i < n; i++) {
                partitions[i].mountpoint = xstrdup(mounts[i]);
                partitions[i].value = value;
                /* Only the last may grow: the size "0" of the arm builder. */
                partitions[i].size_bytes = i + 1 < n;
                has_root |= str_eq(mounts[i], "/");
                for (size_t j = 0; j < i; j++)
                        if (*mounts[i] && str_eq(mounts[i], mounts[j]))
                                diag_error(diags, schema_range(value, "image_mounts"),
                                           "'image_mounts' has partitions %zu and %zu both on %s", j + 1, i + 1,
                                           mounts[i]);
                if (*mounts[i] && *mounts[i] != '/')
                        diag_error(diags, schema_range(value, "image_mounts"),
                                   "'image_mounts' holds absolute paths, such as \"/%s\", not \"%s\"", mounts[i],
                                   mounts[i]);
        }
        if (!has_root)
                diag_error(diags, schema_range(value, "image_mounts"),
                           "no partition of 'image_mounts' is the root, \"/\"");
}

/* Neither key: the arm builder finds the mounts in the image's fstab. */
static void check_mounts(struct arm_image_builder *config, const struct image_kind *kind, const struct value *value,
                         struct diags *diags)
{
        if (config->image_mounts && config->image_mounts[0])
                set_partitions(config, STRV(config->image_mounts), value, diags);
        else if (kind && !str_empty(config->image_type))
                set_partitions(config, kind->mounts, value, diags);
}

static void check_size(struct arm_image_builder *config, const struct value *value, struct diags *diags)
{
        struct arm_builder *arm = &config->arm;

        arm->method = IMAGE_REUSE;
        arm->gpt = -1;
        if (config->target_image_size > 0 && arm->image_grow_bytes > 0) {
                diag_error(diags, schema_range(value, "last_partition_extra_size"),
                           "'target_image_size' and 'last_partition_extra_size' exclude each other; keep the first");
                return;
        }
        if (config->target_image_size == 0 && arm->image_grow_bytes == 0)
                return;
        arm->method = IMAGE_RESIZE;
        arm->image_size_bytes = (config->target_image_size + SECTOR - 1) / SECTOR * SECTOR;
}

/* ---- the guest ---- */

static void read_chroot_mounts(const struct schema_string_lists *lists, struct schema_blocks *ret, const char *key,
                               const struct value *value, struct diags *diags)
{
        struct arm_mount *mounts = xcalloc(lists->n + 1, sizeof(*mounts));

        *ret = (struct schema_blocks){mounts, lists->n};
        for (size_t i = 0; i < lists->n; i++) {
                char **triple = lists->v[i];
                const struct value *at = schema_block(value, key, i);
                struct range range = at ? at->range : schema_range(value, key);

                mounts[i] = (struct arm_mount){xstrdup(""), xstrdup(""), xstrdup("/")};
                if (strv_len(STRV(triple)) != 3) {
                        diag_error(diags, range, "'%s' holds [\"type\", \"device\", \"path\"]; this has %zu elements",
                                   key, strv_len(STRV(triple)));
                        continue;
                }
                if (*triple[2] != '/') {
                        diag_error(diags, range, "'%s': the path in the guest must be absolute, not \"%s\"", key,
                                   triple[2]);
                        continue;
                }
                free(mounts[i].mount_type);
                free(mounts[i].source_path);
                free(mounts[i].destination_path);
                mounts[i] = (struct arm_mount){xstrdup(triple[0]), xstrdup(triple[1]), xstrdup(triple[2])};
        }
}

/* Options of qemu-user that its environment can give as well (qemu's linux-user/main.c). */
static const struct {
        const char *option, *variable;
        bool flag; /* takes no argument */
} qemu_options[] = {
        {"-cpu", "QEMU_CPU", false},
        {"-L", "QEMU_LD_PREFIX", false},
        {"-s", "QEMU_STACK_SIZE", false},
        {"-B", "QEMU_GUEST_BASE", false},
        {"-R", "QEMU_RESERVED_VA", false},
        {"-d", "QEMU_LOG", false},
        {"-D", "QEMU_LOG_FILENAME", false},
        {"-r", "QEMU_UNAME", false},
        {"-E", "QEMU_SET_ENV", false},
        {"-U", "QEMU_UNSET_ENV", false},
        {"-seed", "QEMU_RAND_SEED", false},
        {"-strace", "QEMU_STRACE", true},
        {"-singlestep", "QEMU_SINGLESTEP", true},
};

enum { N_QEMU_OPTIONS = sizeof(qemu_options) / sizeof(qemu_options[0]) };

static void check_qemu_args(struct arm_image_builder *config, const struct image_kind *kind, const struct value *value,
                            struct diags *diags)
{
        char ***env = &config->arm.image_chroot_env;

        if (!config->qemu_args && kind && kind->cpu)
                strv_setenv(env, "QEMU_CPU", kind->cpu);
        for (char **word = config->qemu_args; word && *word; word++) {
                const char *name = *word + (str_starts(*word, "--") ? 1 : 0);
                size_t i = 0;

                while (i < N_QEMU_OPTIONS && strcmp(qemu_options[i].option, name) != 0)
                        i++;
                if (i == N_QEMU_OPTIONS) {
                        diag_error(diags, schema_range(value, "qemu_args"),
                                   "'qemu_args': \"%s\" is no option that can be passed on to qemu-user", *word);
                        diag_detail(diags,
                                    "The options that can are those that qemu reads from its environment: -cpu, -L, "
                                    "-s, -B, -R, -d, -D, -r, -E, -U, -seed, -strace, -singlestep.");
                        return;
                }
                if (!qemu_options[i].flag && !word[1]) {
                        diag_error(diags, schema_range(value, "qemu_args"),
                                   "'qemu_args': \"%s\" needs a value after it", *word);
                        return;
                }
                strv_setenv(env, qemu_options[i].variable, qemu_options[i].flag ? "1" : *++word);
        }
}

static void check_guest(struct arm_image_builder *config, const struct value *value, struct diags *diags)
{
        struct arm_builder *arm = &config->arm;

        read_chroot_mounts(&config->chroot_mounts, &arm->image_chroot_mounts, "chroot_mounts", value, diags);
        read_chroot_mounts(&config->additional_chroot_mounts, &arm->additional_chroot_mounts,
                           "additional_chroot_mounts", value, diags);
        if (str_eq(config->resolv_conf, "copy-host"))
                arm->resolv_conf = ARM_RESOLV_COPY_HOST;
        else if (str_eq(config->resolv_conf, "delete"))
                arm->resolv_conf = ARM_RESOLV_DELETE;
        /* A bare name is looked up in PATH. */
        if (arm->qemu_binary_source_path && !strchr(arm->qemu_binary_source_path, '/')) {
                char *found = program_find(arm->qemu_binary_source_path);

                if (found) { /* else the build says so: a template is valid without it */
                        free(arm->qemu_binary_source_path);
                        arm->qemu_binary_source_path = found;
                }
        }
        if (!str_empty(config->command_wrapper) && !str_eq(config->command_wrapper, "{{.Command}}"))
                diag_warning(diags, schema_range(value, "command_wrapper"),
                             "'command_wrapper' has no effect: no command needs privileges");
}

int arm_image_check(struct arm_image_builder *config, const struct value *value, struct diags *diags)
{
        size_t errors_before = diags->n_errors;
        const struct image_kind *kind;

        if (arm_key_is_sound(value, "iso_url", diags) && arm_key_is_sound(value, "iso_urls", diags))
                check_urls(config, value, diags);
        check_checksum(config, value, diags);
        check_output(config, value, diags);
        kind = find_kind(config);
        check_mounts(config, kind, value, diags);
        check_size(config, value, diags);
        check_guest(config, value, diags);
        check_qemu_args(config, kind, value, diags);
        return diags->n_errors > errors_before ? -EINVAL : 0;
}

void arm_image_clear(struct arm_image_builder *config)
{
        schema_free(&arm_schema, &config->arm);
}
