/* Files that the servers read: of a folder, of an image, encoded as netascii; each compared with its bytes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "serve/folder_root.h"
#include "serve/netascii.h"
#include "serve/site_files.h"
#include "test.h"

static char folder[64];

static char *in_folder(const char *name)
{
        return path_join(folder, name);
}

static char *random_bytes(size_t n)
{
        char *data = xmalloc(n + 1);
        uint64_t x = 0x2545f4914f6cdd1dULL;

        for (size_t i = 0; i < n; i++) {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                data[i] = (char)(x >> 32);
        }
        return data;
}

/* Read from the begin, and from many places in any order. */
static void assert_content(struct file *file, const char *want, size_t n)
{
        char *buf = xmalloc(n + 1);
        uint64_t x = 88172645463325252ULL;

        assert_int_equal(file->size, n);
        assert_int_equal(files_read(file, buf, n, 0), 0);
        assert_memory_equal(buf, want, n);
        for (int i = 0; i < 300 && n > 0; i++) {
                size_t at, len;

                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                at = (size_t)(x >> 20) % n;
                len = (size_t)(x >> 40) % (n - at) % 20000;
                assert_int_equal(files_read(file, buf, len, at), 0);
                assert_memory_equal(buf, want + at, len);
        }
        free(buf);
}

static void test_pieces(void **state)
{
        CLEANUP_FREE char *data = random_bytes(1000);
        char out[1000];
        struct iovec iov[] = {{out, 0}, {out, 10}, {out + 10, 490}, {out + 500, 0}, {out + 500, 500}, {out, 0}};
        CLEANUP(files_closep) struct file *file = file_of_text(xstrdup(""), 0);

        (void)state;
        assert_int_equal(files_readv(file, iov, 1, 0), 0);
        file = files_close(file);
        file = file_of_text(memcpy(xmalloc(1000), data, 1000), 1000);
        assert_int_equal(files_readv(file, iov, 6, 0), 0);
        assert_memory_equal(out, data, 1000);
}

static void test_netascii(void **state)
{
        CLEANUP_FREE char *data = random_bytes(300000);
        CLEANUP(files_closep) struct file *file = NULL;
        struct str want = {0};

        (void)state;
        for (size_t i = 0; i < 300000; i++) {
                if (i % 5 == 0)
                        data[i] = i % 3 ? '\n' : '\r';
                str_addn(&want, data[i] == '\n' ? "\r" : &data[i], 1);
                if (data[i] == '\n' || data[i] == '\r')
                        str_addn(&want, data[i] == '\n' ? "\n" : "\0", 1);
        }
        file = file_of_text(steal(&data), 300000);
        assert_int_equal(file_netascii(&file, NULL), 0);
        assert_content(file, want.s, want.len);
        str_clear(&want);
}

static void test_netascii_too_large(void **state)
{
        CLEANUP_FREE char *path = in_folder("huge");
        CLEANUP(files_closep) struct file *file = NULL;

        (void)state;
        assert_int_equal(file_write(path, "", 0, 0644, NULL), 0);
        assert_int_equal(truncate(path, (off_t)NETASCII_FILE_MAX + 1), 0);
        assert_int_equal(folder_file_open(folder, "huge", &file, NULL), 0);
        assert_int_equal(file_netascii(&file, NULL), -EFBIG);
        assert_non_null(file);
}

/* ---- folders ---- */

static void test_other_case(void **state)
{
        CLEANUP_FREE char *a = in_folder("Boot/EFI"), *b = in_folder("Boot/EFI/Grub.CFG"),
                          *c = in_folder("Boot/EFI/grub.cfg");
        CLEANUP(files_closep) struct file *file = NULL;

        (void)state;
        assert_int_equal(dir_make(a, 0755, NULL), 0);
        assert_int_equal(file_write(b, "1", 1, 0644, NULL), 0);
        assert_int_equal(file_write(c, "22", 2, 0644, NULL), 0);
        assert_int_equal(folder_file_open(folder, "boot/efi/GRUB.cfg", &file, NULL), 0);
        assert_int_equal(file->size, 1); /* of two the first by their bytes */
        file = files_close(file);
        assert_int_equal(folder_file_open(folder, "boot/efi/grub.cfg", &file, NULL), 0);
        assert_int_equal(file->size, 2); /* in the folder that is there, itself */
        file = files_close(file);
        assert_int_equal(folder_file_open(folder, "boot/efi", &file, NULL), -EISDIR);
        assert_int_equal(folder_file_open(folder, "boot/efi/grub.cfg/x", &file, NULL), -ENOENT);
        assert_int_equal(folder_file_open("/nowhere", "x", &file, NULL), -ENOENT);
}

/* ---- images ---- */

static void run(const char *const *argv)
{
        CLEANUP_ERROR struct error err = {0};

        if (spawn_check(&(struct spawn){.argv = argv, .timeout_ms = 60000}, &err) < 0)
                fail_msg("%s: %s", argv[0], error_message(&err));
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void assert_in_image(const char *image, const char *path, const char *want, size_t n, bool one_piece)
{
        CLEANUP(files_closep) struct file *file = NULL;
        CLEANUP_ERROR struct error err = {0};

        if (image_file_open(image, path, &file, &err) < 0)
                fail_msg("%s: %s", path, error_message(&err));
        assert_content(file, want, n);
        assert_int_equal(file->fd >= 0, one_piece);
}

static void put_bytes(const char *path, const char *data, size_t n, off_t offset)
{
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

        assert_int_equal(fd_pwrite_all(fd, data, n, offset), 0);
}

static const char *name_of(int i)
{
        static char name[16];

        snprintf(name, sizeof(name), "::s%d", i);
        return name;
}

/* It is kept open for a moment; who replaces it, or what leads there, sees the new one soon, and at once if told so. */
static void test_folder_replaced(void **state)
{
        CLEANUP_FREE char *one = in_folder("one"), *two = in_folder("two"), *link = in_folder("current"),
                          *a = in_folder("one/f"), *b = in_folder("two/f");
        struct file *file = NULL;

        (void)state;
        assert_int_equal(dir_make(one, 0755, NULL), 0);
        assert_int_equal(dir_make(two, 0755, NULL), 0);
        assert_int_equal(file_write(a, "a", 1, 0644, NULL), 0);
        assert_int_equal(file_write(b, "two", 3, 0644, NULL), 0);
        assert_int_equal(symlink("one", link), 0);
        assert_int_equal(folder_file_open(link, "f", &file, NULL), 0);
        assert_content(file, "a", 1);
        file = files_close(file);
        assert_int_equal(unlink(link), 0);
        assert_int_equal(symlink("two", link), 0);
        usleep(FOLDER_ROOT_MS * 2000);
        assert_int_equal(folder_file_open(link, "f", &file, NULL), 0);
        assert_content(file, "two", 3);
        file = files_close(file);
        assert_int_equal(unlink(link), 0);
        folder_roots_forget();
        assert_int_equal(folder_file_open(link, "f", &file, NULL), -ENOENT);
        for (int i = 0; i < 100; i++) { /* more than are kept */
                CLEANUP_FREE char *many = xasprintf("%s%.*s", one, i,
                                                    "/////////////////////////////////////////"
                                                    "///////////////////////////////////////////////");

                assert_int_equal(folder_file_open(many, "f", &file, NULL), 0);
                file = files_close(file);
        }
}

/* One piece, holes, and a file that lies in its inode. */
static void test_ext4_image(void **state)
{
        enum { PLAIN = 300000, HOLES = 3 << 20 };
        CLEANUP_FREE char *tree = in_folder("tree"), *sub = in_folder("tree/boot"),
                          *plain = in_folder("tree/boot/plain"), *holes = in_folder("tree/boot/holes"),
                          *tiny = in_folder("tree/tiny"), *other = in_folder("tree/other"),
                          *image = in_folder("ext4.img"), *data = random_bytes(PLAIN), *sparse = xcalloc(1, HOLES);
        CLEANUP(files_closep) struct file *file = NULL, *second = NULL;

        (void)state;
        assert_int_equal(dir_make(sub, 0755, NULL), 0);
        assert_int_equal(file_write(plain, data, PLAIN, 0644, NULL), 0);
        assert_int_equal(file_write(tiny, "tiny", 4, 0644, NULL), 0);
        assert_int_equal(file_write(other, "else", 4, 0644, NULL), 0);
        memcpy(sparse + (1 << 20), data, 5000);
        memcpy(sparse + (2 << 20), data, 100000);
        memcpy(sparse + HOLES - 1000, data, 1000);
        RUN("truncate", "-s", "3145728", holes);
        put_bytes(holes, data, 5000, 1 << 20);
        put_bytes(holes, data, 100000, 2 << 20);
        put_bytes(holes, data, 1000, HOLES - 1000); /* mke2fs drops a hole at the end */
        RUN("truncate", "-s", "16M", image);
        RUN("mke2fs", "-q", "-t", "ext4", "-O", "inline_data", "-d", tree, image);
        assert_in_image(image, "1:/boot/plain", data, PLAIN, true);
        assert_in_image(image, "1:/boot/plain", data, PLAIN, true); /* as it was remembered */
        assert_in_image(image, "1:/boot/holes", sparse, HOLES, false);
        assert_in_image(image, "1:/tiny", "tiny", 4, true);
        assert_int_equal(image_file_open(image, "1:/tiny", &file, NULL), 0); /* both are copies, and not of the same */
        assert_int_equal(image_file_open(image, "1:/other", &second, NULL), 0);
        assert_true(file->id.inode != second->id.inode);
        file = files_close(file);
        assert_int_equal(image_file_open(image, "1:/boot", &file, NULL), -EISDIR);
        assert_int_equal(image_file_open(image, "1:/nothing", &file, NULL), -ENOENT);
        assert_int_equal(image_file_open(image, "2:/tiny", &file, NULL), -ENOENT);
        assert_int_equal(image_file_open(plain, "1:/tiny", &file, NULL), -EINVAL);
}

/* In pieces: the free space between small files. And an image that is another one the next time. */
static void test_fat_image(void **state)
{
        enum { SMALL = 3000, LARGE = 400000 };
        CLEANUP_FREE char *image = in_folder("fat.img"), *small = in_folder("small"), *large = in_folder("large"),
                          *data = random_bytes(LARGE);
        CLEANUP(files_closep) struct file *open_before = NULL;

        (void)state;
        assert_int_equal(file_write(small, data, SMALL, 0644, NULL), 0);
        assert_int_equal(file_write(large, data, LARGE, 0644, NULL), 0);
        RUN("truncate", "-s", "1M", image);
        RUN("mkfs.fat", "-s", "1", image);
        for (int i = 0; i < 40; i++)
                RUN("mcopy", "-i", image, small, name_of(i));
        for (int i = 0; i < 40; i += 2)
                RUN("mdel", "-i", image, name_of(i));
        RUN("mcopy", "-i", image, large, "::large");
        assert_in_image(image, "1:/large", data, LARGE, false);
        assert_in_image(image, "1:/s1", data, SMALL, true);
        assert_int_equal(image_file_open(image, "1:/s1", &open_before, NULL), 0);
        RUN("mcopy", "-o", "-i", image, large, "::s1");
        assert_in_image(image, "1:/s1", data, LARGE, false);
        image_files_forget();
        assert_in_image(image, "1:/large", data, LARGE, false);
}

static int setup(void **state)
{
        (void)state;
        strcpy(folder, "/tmp/slipway-files.XXXXXX");
        return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
        (void)state;
        image_files_forget();
        return tree_remove(folder, NULL);
}

/* ---- volumes ---- */

static struct file *part_of(const char *data, size_t n)
{
        return file_of_text(memcpy(xmalloc(n + 1), data, n), n);
}

/* Its parts can be read where they lie, by the table of the volume itself: mtools finds them in a copy of it. */
static void test_volume(void **state)
{
        static const char *const names[] = {"EFI/BOOT/BOOTx64.EFI", "empty", "debian/initrd.img-6.1.0-18-amd64"};
        static const size_t sizes[] = {1000001, 0, 4096};
        CLEANUP_FREE char *data = random_bytes(1000001), *image = in_folder("volume.img");
        struct file **parts = xcalloc(3, sizeof(struct file *));
        CLEANUP(files_closep) struct file *file = NULL;
        CLEANUP_FREE char *bytes = NULL;

        (void)state;
        for (size_t i = 0; i < 3; i++)
                parts[i] = part_of(data + i, sizes[i]);
        assert_int_equal(volume_file_open(names, parts, 3, &file, NULL), 0);
        bytes = xmalloc(file->size);
        for (uint64_t at = 0; at < file->size;) { /* in the pieces that it comes in */
                ssize_t r = file->read(file, bytes + at, file->size - at, at);

                assert_true(r > 0);
                at += (uint64_t)r;
        }
        assert_content(file, bytes, file->size);
        assert_int_equal(file_write(image, bytes, file->size, 0644, NULL), 0);
        for (size_t i = 0; i < 3; i++) {
                CLEANUP_FREE char *inside = xasprintf("::/%s", names[i]), *out = in_folder("part"), *said = NULL,
                                  *got = NULL;
                CLEANUP_ERROR struct error err = {0};
                size_t len;

                if (spawn_capture((const char *[]){"mcopy", "-n", "-o", "-i", image, inside, out, NULL}, &said, &err) <
                    0)
                        fail_msg("%s", error_message(&err));
                assert_int_equal(file_read(out, 0, &got, &len, NULL), 0);
                assert_int_equal(len, sizes[i]);
                assert_memory_equal(got, data + i, len);
        }
}

/* The parts are closed then too. */
static void test_volume_refused(void **state)
{
        struct file **parts = xcalloc(2, sizeof(struct file *));
        CLEANUP_ERROR struct error err = {0};
        struct file *file = NULL;

        (void)state;
        parts[0] = part_of("a", 1);
        parts[1] = part_of("b", 1);
        assert_int_equal(volume_file_open((const char *const[]){"linux", "LINUX"}, parts, 2, &file, &err), -EEXIST);
        assert_null(file);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_pieces),
                cmocka_unit_test(test_netascii),
                cmocka_unit_test(test_netascii_too_large),
                cmocka_unit_test(test_other_case),
                cmocka_unit_test(test_folder_replaced),
                cmocka_unit_test(test_ext4_image),
                cmocka_unit_test(test_fat_image),
                cmocka_unit_test(test_volume),
                cmocka_unit_test(test_volume_refused),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
