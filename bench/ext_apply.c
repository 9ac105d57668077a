/* Apply the tree in DIR to the ext4 file system at OFFSET of IMAGE, SIZE bytes
 * long: what bench/ext measures. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "disk/ext.h"
#include "disk/layer.h"

int main(int argc, char **argv)
{
        CLEANUP_ERROR struct error err = {0};
        struct fs_volume volume = {.name = "partition 1"};
        struct layer_target target = {.mountpoint = "/", .type = &fs_ext4};
        int r;

        if (argc != 5) {
                fprintf(stderr, "usage: %s IMAGE OFFSET SIZE DIR\n", argv[0]);
                return 1;
        }
        volume.path = argv[1];
        volume.offset_bytes = strtoull(argv[2], NULL, 10);
        volume.size_bytes = strtoull(argv[3], NULL, 10);
        r = fs_ext4.write_open(&volume, -1, &target.writer, &err);
        if (r == 0) {
                r = layer_apply(argv[4], &target, 1, NULL, &err);
                if (r == 0)
                        r = fs_ext4.write_close(target.writer, &err);
                else
                        fs_ext4.write_abort(target.writer);
        }
        if (r < 0)
                fprintf(stderr, "%s\n", error_message(&err));
        return r < 0;
}
