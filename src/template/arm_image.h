/* The `arm-image` builder's keys (packer-plugin-arm-image), decoded. They are
 * another way to tell the arm builder what to do: those with a counterpart
 * are read straight into `arm`, arm_image_check() makes the others into it. */
#pragma once

#include "template/arm.h"

struct arm_image_builder {
        struct arm_builder arm;
        char *iso_url, *iso_checksum;
        char *image_type, *image_arch, *output_directory, *resolv_conf, *command_wrapper, *podman_image;
        char **image_mounts, **qemu_args;
        struct schema_string_lists chroot_mounts, additional_chroot_mounts;
        uint64_t target_image_size;
        bool qemu_required, disable_embedded, disable_autofetch;
};

extern const struct schema arm_image_schema;
/* After schema_decode(). Messages into diags; returns 0, or -EINVAL after errors. */
int arm_image_check(struct arm_image_builder *config, const struct value *value, struct diags *diags);
/* Free what arm_image_check() made; before schema_free(). */
void arm_image_clear(struct arm_image_builder *config);
