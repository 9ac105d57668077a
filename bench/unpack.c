/* Unpack an image as a build does, and nothing else: what bench/streams measures. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "source/source.h"

int main(int argc, char **argv)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = -1;

        if (argc != 3) {
                fprintf(stderr, "usage: %s COMPRESSED IMAGE\n", argv[0]);
                return 1;
        }
        fd = open(argv[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0) {
                perror(argv[2]);
                return 1;
        }
        if (source_unpack_image(argv[1], fd, NULL, &err) < 0) {
                fprintf(stderr, "%s\n", error_message(&err));
                return 1;
        }
        return 0;
}
