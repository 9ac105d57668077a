/* The `arm` builder's keys (packer-builder-arm), decoded. Names are the
 * template's. Strings may be NULL where a key was left out. */
#pragma once

#include <stdint.h>

#include "lang/schema.h"

enum image_method { IMAGE_NEW, IMAGE_REUSE, IMAGE_RESIZE };

/* What becomes of the image's /etc/resolv.conf before the first step. */
enum arm_resolv_conf { ARM_RESOLV_KEEP, ARM_RESOLV_COPY_HOST, ARM_RESOLV_DELETE };

struct arm_partition {
        char *name, *type, *size, *filesystem, *mountpoint;
        char *start_sector_text; /* as written */
        char **filesystem_make_options;
        /* checked: */
        uint64_t start_sector, size_bytes; /* 512-byte sectors; size 0: the rest */
        const struct value *value;         /* for messages */
};

struct arm_mount {
        char *mount_type, *source_path, *destination_path;
};

/* Our own addition: instead of file_urls, a Debian-like base made by mmdebstrap. */
struct arm_bootstrap {
        char *suite;        /* "bookworm" */
        char *architecture; /* Debian's name: "arm64", "armhf", "amd64" */
        char *variant;      /* mmdebstrap's: "minbase", "apt", ... */
        char **components;
        char *mirror; /* NULL: the host's own */
        char **packages;
};

struct arm_builder {
        char **file_urls;
        char *file_checksum, *file_checksum_url, *file_checksum_type;
        char **file_unarchive_cmd;
        char *file_user_agent, *file_target_path, *file_target_extension, *file_tmp_dir_location;
        char *image_path, *image_size, *image_type, *image_build_method, *image_mount_path;
        int64_t image_size_bytes_key;
        bool image_shrink;
        uint64_t image_shrink_slack;
        struct schema_blocks image_partitions;    /* of struct arm_partition */
        struct schema_blocks image_chroot_mounts; /* of struct arm_mount */
        struct schema_blocks additional_chroot_mounts;
        struct schema_string_lists image_setup_extra;
        char **image_chroot_env;
        char *qemu_binary_source_path, *qemu_binary_destination_path;
        bool accelerate, package_cache;
        struct schema_blocks bootstrap; /* of struct arm_bootstrap; at most one */
        /* checked: */
        enum image_method method;
        uint64_t image_size_bytes; /* 0: not given (reuse: as the image is) */
        uint64_t image_grow_bytes; /* resize: so much larger than the image is, in place of image_size_bytes */
        enum arm_resolv_conf resolv_conf;
        int gpt; /* 1: gpt, 0: dos, -1: not said */
};

extern const struct schema arm_schema;
/* After schema_decode(): relations between keys, sizes, overlaps. Keys about
 * which there is an error already in diags are left alone. */
int arm_check(struct arm_builder *arm, const struct value *value, struct diags *diags);
