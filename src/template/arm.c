/* The keys of the `arm` builder: packer-builder-arm's, and our `bootstrap`.
 * What one key has to do with another is in arm_check.c. */
#include "template/arm.h"

#include "template/template_internal.h"

static const char *const image_types[] = {"dos", "gpt", NULL};
static const char *const methods[] = {"new", "reuse", "resize", NULL};

#define STRUCT struct arm_partition
static const struct schema_key partition_keys[] = {
        KEY("name", SCHEMA_STRING, 0, name, .help = "name of the partition; with gpt its label"),
        KEY("type", SCHEMA_STRING, 0, type,
            .help = "dos: a hexadecimal code (\"c\" FAT32, \"83\" Linux, \"82\" swap); gpt: sgdisk's code (\"8300\") "
                    "or a GUID"),
        KEY("size", SCHEMA_STRING, 0, size,
            .help = "\"256M\" is 256*10^6 bytes, \"256MiB\" 256*2^20; \"0\": the rest of the image"),
        KEY("start_sector", SCHEMA_STRING, 0, start_sector_text,
            .help = "first sector, of 512 bytes; left out: after the partition before, at a full MiB"),
        KEY("filesystem", SCHEMA_STRING, 0, filesystem,
            .help = "ext2, ext3, ext4, vfat (or fat), swap, raw; with method new btrfs, f2fs, xfs too"),
        KEY("filesystem_make_options", SCHEMA_STRINGS, 0, filesystem_make_options,
            .help = "more arguments for mkfs (method new)"),
        KEY("mountpoint", SCHEMA_STRING, 0, mountpoint,
            .help = "where it is mounted in the guest, \"/\" for the root; left out: it stays untouched"),
};
#undef STRUCT

#define SCHEMA(title, type, table)                                                                                     \
        {                                                                                                              \
                .name = (title), .size = sizeof(type), .keys = (table), .n_keys = sizeof(table) / sizeof((table)[0])   \
        }
static const struct schema partition_schema = SCHEMA("a partition", struct arm_partition, partition_keys);

#define STRUCT struct arm_mount
static const struct schema_key mount_keys[] = {
        KEY("mount_type", SCHEMA_STRING, SCHEMA_REQUIRED, mount_type,
            .help = "kind of file system (\"proc\", \"sysfs\", \"tmpfs\"...), or \"bind\""),
        KEY("source_path", SCHEMA_STRING, 0, source_path, .help = "what is mounted; for \"bind\" a path of the host"),
        KEY("destination_path", SCHEMA_STRING, SCHEMA_REQUIRED, destination_path, .help = "where, in the guest"),
};
#undef STRUCT
static const struct schema mount_schema = SCHEMA("a chroot mount", struct arm_mount, mount_keys);

#define STRUCT struct arm_bootstrap
static const struct schema_key bootstrap_keys[] = {
        KEY("suite", SCHEMA_STRING, SCHEMA_REQUIRED, suite, .help = "release of the distribution: \"bookworm\""),
        KEY("architecture", SCHEMA_STRING, SCHEMA_REQUIRED, architecture,
            .help = "as Debian names it: \"arm64\", \"armhf\", \"amd64\""),
        KEY("variant", SCHEMA_STRING, 0, variant, .fallback = "minbase",
            .help = "mmdebstrap's variant: \"minbase\", \"apt\", \"essential\"..."),
        KEY("components", SCHEMA_STRINGS, 0, components, .fallback = "main",
            .help = "components of the archive: [\"main\", \"non-free-firmware\"]"),
        KEY("mirror", SCHEMA_STRING, 0, mirror, .help = "URL of the archive; left out: the host's own"),
        KEY("packages", SCHEMA_STRINGS, 0, packages, .help = "packages to install besides the variant's"),
};
#undef STRUCT
static const struct schema bootstrap_schema = SCHEMA("the bootstrap block", struct arm_bootstrap, bootstrap_keys);

#define STRUCT struct arm_builder
static const struct schema_key arm_keys[] = {
        KEY("file_urls", SCHEMA_STRINGS, 0, file_urls,
            .help = "where the base is, tried in order: http://, https://, file:// or a path"),
        KEY("file_checksum", SCHEMA_STRING, 0, file_checksum,
            .help = "its digest in hexadecimal, or \"sha256:DIGEST\""),
        KEY("file_checksum_url", SCHEMA_STRING, 0, file_checksum_url,
            .help = "a file that holds the digest, as sha256sum and the like write it"),
        KEY("file_checksum_type", SCHEMA_STRING, 0, file_checksum_type,
            .help = "md5, sha1, sha256, sha512, or none: not verified"),
        KEY("file_unarchive_cmd", SCHEMA_STRINGS, 0, file_unarchive_cmd,
            .help = "program and arguments that unpack it; $ARCHIVE_PATH, $MOUNTPOINT (new), $TMP_DIR are replaced"),
        KEY("file_user_agent", SCHEMA_STRING, 0, file_user_agent, .help = "User-Agent of the download"),
        KEY("file_target_path", SCHEMA_STRING, 0, file_target_path,
            .help = "where the download is kept too; a folder if it has no extension"),
        KEY("file_target_extension", SCHEMA_STRING, 0, file_target_extension,
            .help = "kind of the archive; it is told by its content anyway"),
        KEY("file_tmp_dir_location", SCHEMA_STRING, 0, file_tmp_dir_location,
            .help = "scratch space; $TMPDIR where it is left out"),
        KEY("image_path", SCHEMA_STRING, SCHEMA_REQUIRED, image_path,
            .help = "the output: \"name.img\" an image, \"name.tar.gz\" and the like an archive of the root"),
        KEY("image_size", SCHEMA_STRING, 0, image_size,
            .help = "size of the image: \"4G\" is 4*10^9 bytes, \"4GiB\" 2^32"),
        KEY("image_size_bytes", SCHEMA_INT, 0, image_size_bytes_key, .help = "the same in bytes"),
        KEY("image_shrink", SCHEMA_BOOL, 0, image_shrink,
            .help = "true: in the end the last partition and the image are as small as their contents allow"),
        KEY("image_shrink_slack", SCHEMA_SIZE, 0, image_shrink_slack, .fallback = "64MiB",
            .help = "room that is left in it then"),
        KEY("image_type", SCHEMA_STRING, 0, image_type, .choices = image_types,
            .help = "partition table: dos (where it is left out) or gpt"),
        KEY("image_build_method", SCHEMA_STRING, SCHEMA_REQUIRED, image_build_method, .choices = methods,
            .help = "new: from a root archive; reuse: change a vendor's image; resize: that, made larger"),
        KEY("image_mount_path", SCHEMA_STRING, 0, image_mount_path,
            .help = "a fixed path at which tools of the host find the guest's root"),
        KEY("image_partitions", SCHEMA_BLOCKS, 0, image_partitions, .sub = &partition_schema,
            .help = "the partitions; reuse and resize find them in the image where this is left out"),
        KEY("image_chroot_mounts", SCHEMA_BLOCKS, 0, image_chroot_mounts, .sub = &mount_schema,
            .help = "mounts in the guest, in place of /proc, /sys, /dev, /dev/pts and binfmt_misc"),
        KEY("additional_chroot_mounts", SCHEMA_BLOCKS, 0, additional_chroot_mounts, .sub = &mount_schema,
            .help = "mounts in the guest besides those"),
        KEY("image_setup_extra", SCHEMA_STRING_LISTS, 0, image_setup_extra,
            .help = "programs of the host, with arguments, run before the chroot; $MOUNTPOINT, $IMAGE_PATH are "
                    "replaced"),
        KEY("image_chroot_env", SCHEMA_STRINGS, 0, image_chroot_env,
            .help = "\"NAME=value\": the environment of everything that runs in the guest"),
        KEY("qemu_binary_source_path", SCHEMA_STRING, 0, qemu_binary_source_path,
            .help = "qemu-user for the guest's architecture; found by itself where it is left out"),
        KEY("qemu_binary_destination_path", SCHEMA_STRING, 0, qemu_binary_destination_path,
            .help = "where it would be in the guest; nothing is copied there"),
        KEY("accelerate", SCHEMA_BOOL, 0, accelerate, .fallback = "true",
            .help = "false: no program of the host's runs in place of the same one that would be emulated"),
        KEY("package_cache", SCHEMA_BOOL, 0, package_cache, .fallback = "true",
            .help = "false: packages that apt fetches in the guest are neither kept for other builds nor taken from "
                    "them"),
        KEY("bootstrap", SCHEMA_BLOCKS, 0, bootstrap, .sub = &bootstrap_schema,
            .help = "instead of file_urls: a Debian made by mmdebstrap (method new)"),
};
#undef STRUCT

const struct schema arm_schema = SCHEMA("the arm builder", struct arm_builder, arm_keys);
