/* A file system served by FUSE is what is extracted from it. Needs /dev/fuse and
 * user namespaces; exits 77 without. */
#include "ext_trees.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "disk/layer.h"
#include "guest/userns.h"

#define OPTIONS(...) ((const char *[]){__VA_ARGS__, NULL})

static struct userns *ns;

/* ---- serving ---- */

struct service {
        char *at;
        pid_t pid;
        int errors;
};

static void tell(void *arg, const struct error *err)
{
        const int *to = arg;

        assert_true(write(*to, error_message(err), strlen(error_message(err))) > 0);
}

static struct service serve(const struct image *image)
{
        struct service service = {.at = path_join(image->dir, "served")};
        CLEANUP_ERROR struct error err = {0};
        int fd = -1, pipes[2];

        assert_int_equal(mkdir(service.at, 0755), 0);
        if (userns_mount_fuse(ns, service.at, &fd, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
        service.pid = fork();
        assert_true(service.pid >= 0);
        if (service.pid == 0) {
                int r = image->type->serve(&image->volume, fd, tell, &pipes[1], &err);

                if (r < 0)
                        tell(&pipes[1], &err);
                error_clear(&err);
                _exit(r < 0);
        }
        close(fd);
        close(pipes[1]);
        service.errors = pipes[0];
        return service;
}

/* Unmounted, it ends by itself. */
static void service_end(struct service *service)
{
        CLEANUP_ERROR struct error err = {0};
        int status = -1;

        if (userns_unmount(ns, service->at, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_int_equal(waitpid(service->pid, &status, 0), service->pid);
        assert_int_equal(status, 0);
        close(service->errors);
        free(service->at);
}

/* What went wrong so far; "" if nothing. */
static const char *complaint(const struct service *service)
{
        static char text[4096];
        ssize_t n = read(service->errors, text, sizeof(text) - 1);

        text[n > 0 ? n : 0] = '\0';
        return text;
}

static void must_run(const char *command, const char *dir)
{
        CLEANUP_ERROR struct error err = {0};

        if (spawn_check(&(struct spawn){.argv = (const char *[]){"sh", "-ec", command, NULL}, .cwd = dir}, &err) < 0)
                fail_msg("%s", error_message(&err));
}

/* ---- the tests ---- */

/* A tree with a bit of everything, into the image. */
static void fill(const struct image *image)
{
        CLEANUP_FREE char *dir = path_join(image->dir, "source");
        CLEANUP_ERROR struct error err = {0};
        struct layer_target target = {.mountpoint = "/", .type = image->type};
        struct fs_change node = {.kind = FS_NODE, .path = "dev", .st = stat_of(S_IFCHR | 0666, 5), .fd = -1};

        assert_int_equal(mkdir(dir, 0755), 0);
        must_run("mkdir -p a/b/c many lost+found/x empty; echo x >lost+found/y; cd many"
                 "; seq -f 'file-with-a-longer-name-%05g' 900 | xargs touch -d @5000"
                 "; cd ..; head -c 1000003 /dev/urandom >a/big; truncate -s 20M a/sparse; echo x >>a/sparse"
                 "; truncate -s 100k a/hole; : >a/none; printf tiny >a/tiny"
                 "; i=0; while [ $i -lt 40 ]; do printf x | dd of=a/pieces bs=1 seek=$((i * 32768)) conv=notrunc "
                 "status=none"
                 "; i=$((i + 1)); done"
                 "; echo text >a/b/c/text; ln a/b/c/text a/hard; ln -s text a/b/c/soft; ln -s $(printf '%0900d' 1) "
                 "a/long"
                 "; mkfifo a/fifo; chown 70:71 a/big; chmod 4755 a/big; setfattr -n user.x -v y a/big"
                 "; setfattr -n user.long -v $(printf '%0600d' 1) a/hard; setfacl -m u:5:r a/big; setfacl -d -m "
                 "g:6:rwx a/b"
                 "; setcap cap_net_raw+ep a/hard",
                 dir);
        target.writer = write_begin(image);
        if (layer_apply(dir, &target, 1, NULL, &err) < 0)
                fail_msg("%s", error_message(&err));
        node.st.st_rdev = makedev(1, 3);
        write_one(target.writer, &node);
        write_end(target.writer);
        image_check(image);
}

static void check(const char *type, unsigned int kib, const char *const *options)
{
        CLEANUP_FREE char *out = NULL;
        struct service service;
        struct image image;
        struct stat st;

        image_make(&image, type, kib, options);
        fill(&image);
        out = image_extract(&image, "out");
        service = serve(&image);
        trees_equal(out, service.at);
        trees_equal(service.at, out); /* once more, from what the kernel has kept */
        must_run("[ ! -e dev ] && [ ! -e lost+found ] && [ ! -e a/nothing ] && [ ! -e a/nothing ]", service.at);
        must_run("[ \"$(ls -U many | sort -c 2>&1; ls many | wc -l)\" = 900 ]", service.at);
        must_run("! touch a/new 2>/dev/null && ! echo >a/none 2>/dev/null && ! rm a/none 2>/dev/null", service.at);
        must_run("cat ../source/a/tiny | cmp - a/tiny; cp /bin/true ../copy; cmp a/pieces ../source/a/pieces",
                 service.at);
        assert_int_equal(stat(service.at, &st), 0);
        assert_int_equal(st.st_ino, 2);
        assert_string_equal(complaint(&service), "");
        service_end(&service);
        image_clear(&image);
}

static void test_ext4(void **state)
{
        (void)state;
        check("ext4", 65536, OPTIONS("-b", "4096"));
}

static void test_ext4_small_blocks(void **state)
{
        (void)state;
        check("ext4", 65536, OPTIONS("-b", "1024", "-O", "inline_data"));
}

static void test_ext4_large_blocks(void **state)
{
        (void)state;
        check("ext4", 4 * 65536, OPTIONS("-b", "65536", "-N", "4096"));
}

static void test_ext2(void **state)
{
        (void)state;
        check("ext2", 65536, OPTIONS("-b", "1024", "-I", "128"));
}

/* One that is not kept in memory: names are found and listed all the same. */
static void test_large_folder(void **state)
{
        CLEANUP_FREE char *out = NULL;
        struct service service;
        struct image image;
        char path[800];
        void *writer;

        (void)state;
        make(&image, "ext4", 65536, NULL);
        writer = write_begin(&image);
        write_dir(writer, "large");
        for (int i = 0; i < 5200; i++) {
                snprintf(path, sizeof(path), "large/%0220d", i);
                write_one(writer, &(struct fs_change){.kind = FS_SYMLINK,
                                                      .path = path,
                                                      .st = stat_of(S_IFLNK | 0777, 10),
                                                      .target = "x",
                                                      .fd = -1});
        }
        write_end(writer);
        out = image_extract(&image, "out");
        service = serve(&image);
        snprintf(path, sizeof(path), "[ -L large/%0220d ] && [ ! -L large/%0220d ] && [ -L large/%0220d ]", 5199, 5200,
                 0);
        must_run(path, service.at);
        must_run("ls -1 ../out/large >../names; ls -1 large | cmp - ../names; ls -1 large | cmp - ../names",
                 service.at);
        assert_string_equal(complaint(&service), "");
        service_end(&service);
        image_clear(&image);
}

/* What is damaged is told to both sides, and the rest goes on. */
static void test_damage(void **state)
{
        CLEANUP_FREE char *path = NULL, *command = NULL;
        struct service service;
        struct image image;
        void *writer;
        char text[8];
        int fd;

        (void)state;
        make(&image, "ext4", 16384, NULL);
        writer = write_begin(&image);
        write_text(writer, "bad", "unreadable");
        write_text(writer, "good", "readable");
        write_end(writer);
        command = xasprintf("debugfs -w -R 'sif bad block[2] 0x7000' '%s?offset=%d' 2>/dev/null; debugfs -w -R "
                            "'sif bad block[5] 0x7fffffff' '%s?offset=%d' 2>/dev/null",
                            image.path, IMAGE_OFFSET, image.path, IMAGE_OFFSET);
        must_run(command, image.dir);
        service = serve(&image);
        path = path_join(service.at, "bad");
        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(read(fd, text, sizeof(text)), -1);
        assert_int_equal(errno, EIO);
        close(fd);
        assert_has(complaint(&service), "inode");
        must_run("[ \"$(cat good)\" = readable ]", service.at);
        service_end(&service);
        image_clear(&image);
}

/* A volume that cannot be opened: the mount answers with an error, and nobody waits. */
static void test_not_ext(void **state)
{
        struct service service;
        struct image image;
        struct statfs fs;

        (void)state;
        make(&image, "ext4", 16384, NULL);
        image.volume.offset_bytes += 512;
        service = serve(&image);
        assert_int_equal(waitpid(service.pid, NULL, 0), service.pid);
        assert_int_equal(statfs(service.at, &fs), -1);
        assert_int_equal(errno, ENOTCONN);
        assert_has(complaint(&service), "ext");
        assert_int_equal(userns_unmount(ns, service.at, NULL), 0);
        close(service.errors);
        free(service.at);
        image_clear(&image);
}

static void enter_or_skip(void)
{
        CLEANUP_ERROR struct error err = {0};
        char at[] = "/tmp/slipway-fuse.XXXXXX";
        int fd = -1, r = userns_new(&ns, &err);

        if (r == 0 && mkdtemp(at)) {
                r = userns_mount_fuse(ns, at, &fd, &err);
                userns_unmount(ns, at, NULL);
                rmdir(at);
                if (fd >= 0)
                        close(fd);
        }
        if (r < 0) {
                fprintf(stderr, "skipped: %s\n", error_message(&err));
                error_clear(&err);
                userns_free(ns);
                exit(77);
        }
        if (userns_enter(ns, &err) < 0) {
                fprintf(stderr, "%s\n", error_message(&err));
                exit(1);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ext4),    cmocka_unit_test(test_ext4_small_blocks),
                cmocka_unit_test(test_ext2),    cmocka_unit_test(test_ext4_large_blocks),
                cmocka_unit_test(test_damage),  cmocka_unit_test(test_large_folder),
                cmocka_unit_test(test_not_ext),
        };
        int failed;

        enter_or_skip();
        failed = cmocka_run_group_tests(tests, NULL, NULL);
        userns_free(ns);
        return failed;
}
