/* Every compressed format against the program that everybody has for it. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/sparse.h"
#include "base/spawn.h"
#include "base/str.h"
#include "package/encoder.h"
#include "package/parallel.h"

static char dir[] = "/tmp/slipway-test.XXXXXX";
static char *image;

enum { IMAGE_BYTES = 6 * 1000 * 1000 + 77 };

/* Text, noise, zeros that are written and zeros that are not. */
static int make_image(const char *path)
{
        CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        CLEANUP_FREE uint8_t *buffer = xmalloc(1 << 20);
        uint32_t seed = 1;

        if (fd < 0 || ftruncate(fd, IMAGE_BYTES) < 0)
                return -1;
        for (int mib = 0; mib < 5; mib++) {
                for (size_t i = 0; i < 1 << 20; i++) {
                        seed = seed * 1664525 + 1013904223;
                        buffer[i] = mib % 4 == 0 ? (uint8_t)(seed >> 24) : mib % 4 == 1 ? "image "[i % 6] : 0;
                }
                if (mib % 4 != 3 && fd_pwrite_all(fd, buffer, 1 << 20, (off_t)mib << 20) < 0)
                        return -1;
        }
        return fd_pwrite_all(fd, "the end", 7, IMAGE_BYTES - 7);
}

static int setup(void **state)
{
        (void)state;
        if (!mkdtemp(dir))
                return -1;
        image = path_join(dir, "image");
        return make_image(image);
}

static int teardown(void **state)
{
        (void)state;
        free(image);
        return tree_remove(dir, NULL);
}

static int write_stream(void *arg, const void *data, size_t n, struct error *err)
{
        return encoder_write(arg, data, n, err);
}

static int encode(const char *from, uint64_t size, const char *to, const char *extension, int level,
                  unsigned int threads)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
        CLEANUP(encoder_close) struct encoder encoder = {0};
        uint64_t done = 0;
        int r;

        out = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        r = encoder_open(&encoder, encoder_find(extension), out, level, threads, &err);
        if (r == 0)
                r = sparse_pour(in, size, NULL, &done, write_stream, &encoder, &err);
        if (r == 0)
                r = encoder_finish(&encoder, &err);
        if (r < 0)
                print_error("%s: %s\n", extension, error_message(&err));
        return r;
}

static const struct judge {
        const char *extension, *program, *decompress;
} judges[] = {
        {"gz", "gzip", "-dc"},  {"bgzf", "gzip", "-dc"}, {"bz2", "bzip2", "-dc"},
        {"lz4", "lz4", "-dcq"}, {"xz", "xz", "-dc"},     {"zst", "zstd", "-dcq"},
};

enum { N_JUDGES = sizeof(judges) / sizeof(*judges) };

/* The file, decompressed by the judge, has this digest. */
static void assert_decodes(const struct judge *judge, const char *path, const char *expected)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *plain = path_join(dir, "plain");
        CLEANUP_CLOSE int in = open(path, O_RDONLY | O_CLOEXEC), out = -1;
        const char *const argv[] = {judge->program, judge->decompress, NULL};
        char hex[DIGEST_HEX_MAX];

        out = open(plain, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (spawn_check(&(struct spawn){.argv = argv, .stdin_plus1 = SPAWN_FD(in), .stdout_plus1 = SPAWN_FD(out)},
                        &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_int_equal(digest_file("sha256", plain, hex, NULL), 0);
        assert_string_equal(hex, expected);
}

static void test_others_read_it(void **state)
{
        char expected[DIGEST_HEX_MAX];

        (void)state;
        assert_int_equal(digest_file("sha256", image, expected, NULL), 0);
        for (size_t i = 0; i < N_JUDGES; i++) {
                CLEANUP_FREE char *to = xasprintf("%s.%s", image, judges[i].extension);
                struct stat st;

                assert_int_equal(encode(image, IMAGE_BYTES, to, judges[i].extension, 1, 0), 0);
                assert_decodes(&judges[i], to, expected);
                assert_int_equal(stat(to, &st), 0);
                assert_true(st.st_size < 5 << 19);
        }
}

/* The same bytes from one thread and from five, from holes and from zeros. */
static void test_bytes_depend_on_input_alone(void **state)
{
        CLEANUP_FREE char *full = path_join(dir, "full");
        const char *const argv[] = {"cp", "--sparse=never", image, full, NULL};
        char hex[3][DIGEST_HEX_MAX];

        (void)state;
        assert_int_equal(spawn_check(&(struct spawn){.argv = argv}, NULL), 0);
        for (size_t i = 0; i < N_JUDGES; i++) {
                CLEANUP_FREE char *to = path_join(dir, "out");

                assert_int_equal(encode(image, IMAGE_BYTES, to, judges[i].extension, 1, 1), 0);
                assert_int_equal(digest_file("sha256", to, hex[0], NULL), 0);
                assert_int_equal(encode(image, IMAGE_BYTES, to, judges[i].extension, 1, 5), 0);
                assert_int_equal(digest_file("sha256", to, hex[1], NULL), 0);
                assert_int_equal(encode(full, IMAGE_BYTES, to, judges[i].extension, 1, 2), 0);
                assert_int_equal(digest_file("sha256", to, hex[2], NULL), 0);
                assert_string_equal(hex[0], hex[1]);
                assert_string_equal(hex[0], hex[2]);
        }
}

/* Nothing, a byte, and lengths around the size of a block. */
static void test_odd_lengths(void **state)
{
        static const uint64_t sizes[] = {0, 1, 65279, 65280, 65281, 262143, 262144, 262145, 524288, 899980, 1 << 20};
        CLEANUP_FREE char *part = path_join(dir, "part"), *to = path_join(dir, "out");
        char expected[DIGEST_HEX_MAX];

        (void)state;
        for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
                CLEANUP_CLOSE int from = open(image, O_RDONLY | O_CLOEXEC), fd = -1;

                fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
                assert_int_equal(ftruncate(fd, (off_t)sizes[s]), 0);
                assert_int_equal(fd_copy_sparse(from, fd, 0, sizes[s], NULL), 0);
                assert_int_equal(digest_file("sha256", part, expected, NULL), 0);
                for (size_t i = 0; i < N_JUDGES; i++) {
                        assert_int_equal(encode(part, sizes[s], to, judges[i].extension, 1, 2), 0);
                        assert_decodes(&judges[i], to, expected);
                }
        }
}

static void test_levels(void **state)
{
        CLEANUP_FREE char *to = path_join(dir, "out");
        char expected[DIGEST_HEX_MAX];

        (void)state;
        assert_int_equal(encode(image, 1 << 20, to, "gz", 9, 2), 0);
        assert_int_equal(digest_file("sha256", to, expected, NULL), 0);
        for (size_t i = 0; i < N_JUDGES; i++) {
                CLEANUP_FREE char *part = path_join(dir, "levels");
                CLEANUP_CLOSE int from = open(image, O_RDONLY | O_CLOEXEC), fd = -1;

                fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
                assert_int_equal(ftruncate(fd, 1 << 20), 0);
                assert_int_equal(fd_copy_sparse(from, fd, 0, 1 << 20, NULL), 0);
                assert_int_equal(digest_file("sha256", part, expected, NULL), 0);
                for (int level = 1; level <= 9; level += 4) {
                        assert_int_equal(encode(part, 1 << 20, to, judges[i].extension, level, 1), 0);
                        assert_decodes(&judges[i], to, expected);
                }
                assert_int_equal(encode(part, 1 << 20, to, judges[i].extension, 99, 1), 0);
        }
}

static void test_full_disk(void **state)
{
        (void)state;
        for (size_t i = 0; i < N_JUDGES; i++) {
                CLEANUP_ERROR struct error err = {0};
                CLEANUP_CLOSE int in = open(image, O_RDONLY | O_CLOEXEC), out = open("/dev/full", O_WRONLY | O_CLOEXEC);
                CLEANUP(encoder_close) struct encoder encoder = {0};
                uint64_t done = 0;
                int r = encoder_open(&encoder, encoder_find(judges[i].extension), out, 1, 3, &err);

                if (r == 0)
                        r = sparse_pour(in, IMAGE_BYTES, NULL, &done, write_stream, &encoder, &err);
                if (r == 0)
                        r = encoder_finish(&encoder, &err);
                assert_int_equal(r, -ENOSPC);
                assert_non_null(strstr(error_message(&err), "No space left on device"));
        }
}

static void test_by_extension(void **state)
{
        (void)state;
        assert_ptr_equal(encoder_find("GZ"), &gzip_encoder);
        assert_ptr_equal(encoder_find("bzip2"), &bzip2_encoder);
        assert_null(encoder_find("img"));
        assert_null(encoder_find(""));
        assert_true(parallel_cores() >= 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_by_extension),
                cmocka_unit_test(test_others_read_it),
                cmocka_unit_test(test_bytes_depend_on_input_alone),
                cmocka_unit_test(test_odd_lengths),
                cmocka_unit_test(test_levels),
                cmocka_unit_test(test_full_disk),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
