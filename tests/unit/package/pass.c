/* One reading for several: what each gets, what happens when one fails, and when the file changes in between. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "package/pass.h"

enum { SIZE = 8 << 20, HOLE = 4 << 20 };

static char path[] = "/tmp/slipway-test.XXXXXX";

/* A reader that counts; its config says how it behaves. */
struct behaviour {
        int begin;   /* what it returns */
        bool breaks; /* at the hole */
        unsigned int begun, freed;
};
struct counter {
        struct behaviour *behaviour;
        uint64_t data, hole;
        bool ended;
};

static int count_begin(const void *config, const struct package_context *context, int fd, uint64_t size, void **ret,
                       struct error *err)
{
        struct behaviour *behaviour = (void *)(uintptr_t)config;
        struct counter *counter;

        (void)context;
        (void)fd;
        assert_int_equal(size, SIZE);
        behaviour->begun++;
        if (behaviour->begin != 0)
                return behaviour->begin < 0 ? error_set(err, -behaviour->begin, "cannot begin") : 1;
        counter = xcalloc(1, sizeof(*counter));
        counter->behaviour = behaviour;
        *ret = counter;
        return 0;
}

static int count_data(void *arg, uint64_t offset, const void *data, size_t n, struct error *err)
{
        struct counter *counter = arg;

        (void)err;
        assert_non_null(data);
        assert_int_equal(offset, counter->data + counter->hole);
        counter->data += n;
        return 0;
}

static int count_hole(void *arg, uint64_t offset, uint64_t n, struct error *err)
{
        struct counter *counter = arg;

        assert_int_equal(offset, counter->data + counter->hole);
        counter->hole += n;
        return counter->behaviour->breaks ? error_set(err, ENOSPC, "broken") : 0;
}

static int count_end(void *arg, struct error *err)
{
        (void)err;
        ((struct counter *)arg)->ended = true;
        return 0;
}

static void count_free(void *arg)
{
        ((struct counter *)arg)->behaviour->freed++;
        free(arg);
}

static const struct reader_type counting = {
        .name = "count",
        .begin = count_begin,
        .pieces = {.data = count_data, .hole = count_hole},
        .end = count_end,
        .free = count_free,
};

/* Half of the file is data, half a hole (a file system that has none gives all as data). */
static int setup(void **state)
{
        CLEANUP_CLOSE int fd = mkstemp(path);
        CLEANUP_FREE char *data = xmalloc(HOLE);

        (void)state;
        memset(data, 'x', HOLE);
        return fd < 0 || fd_pwrite_all(fd, data, HOLE, 0) < 0 || ftruncate(fd, SIZE) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
        (void)state;
        return unlink(path);
}

/* How many bytes this process has read so far. */
static uint64_t bytes_read(void)
{
        CLEANUP_FREE char *text = NULL;

        assert_int_equal(file_read("/proc/self/io", 0, &text, NULL, NULL), 0);
        assert_memory_equal(text, "rchar: ", 7);
        return strtoull(text + 7, NULL, 10);
}

static void get(struct pass *pass, struct behaviour *behaviour)
{
        struct package_context context = {.pass = pass};
        CLEANUP_ERROR struct error err = {0};
        void *reader = NULL;
        struct counter *counter;

        if (pass_read(&context, &counting, behaviour, path, &reader, &err) != 0)
                fail_msg("%s", error_message(&err));
        counter = reader;
        assert_ptr_equal(counter->behaviour, behaviour);
        assert_true(counter->ended);
        assert_int_equal(counter->data + counter->hole, SIZE);
        count_free(reader);
}

static void test_once(void **state)
{
        CLEANUP(pass_freep) struct pass *pass = pass_new(path);
        struct behaviour a = {0}, b = {0}, c = {0}, stranger = {0};
        uint64_t before, one;

        (void)state;
        pass_want(pass, &counting, &a);
        pass_want(pass, &counting, &b);
        pass_want(pass, &counting, &c);
        before = bytes_read();
        get(pass, &b);
        one = bytes_read() - before;
        assert_in_range(one, HOLE, SIZE + (1 << 16));
        get(pass, &a);
        get(pass, &c);
        assert_true(bytes_read() - before < one + (1 << 16));
        assert_int_equal(a.begun + b.begun + c.begun, 3);
        get(pass, &stranger); /* who was not expected reads for itself */
        get(NULL, &stranger);
        assert_true(bytes_read() - before >= 3 * (uint64_t)HOLE);
        assert_int_equal(stranger.begun, 2);
}

static void test_changed(void **state)
{
        CLEANUP(pass_freep) struct pass *pass = pass_new(path);
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
        struct behaviour a = {0}, b = {0};

        (void)state;
        pass_want(pass, &counting, &a);
        pass_want(pass, &counting, &b);
        get(pass, &a);
        assert_int_equal(fd_pwrite_all(fd, "y", 1, 5), 0);
        get(pass, &b);
        assert_int_equal(a.begun, 1); /* it has its result, and is not asked again */
        assert_int_equal(b.begun, 2);
        assert_int_equal(b.freed, 2);
}

static void test_failing(void **state)
{
        CLEANUP(pass_freep) struct pass *pass = pass_new(path);
        struct package_context context = {.pass = pass};
        struct behaviour good = {0}, cannot = {.begin = -EROFS}, other = {.begin = 1}, breaks = {.breaks = true};
        CLEANUP_ERROR struct error err = {0}, second = {0};
        void *reader = NULL;

        (void)state;
        pass_want(pass, &counting, &cannot);
        pass_want(pass, &counting, &other);
        pass_want(pass, &counting, &breaks);
        pass_want(pass, &counting, &good);
        get(pass, &good); /* others' mistakes are not its own */
        assert_int_equal(pass_read(&context, &counting, &cannot, path, &reader, &err), -EROFS);
        assert_string_equal(error_message(&err), "cannot begin");
        assert_int_equal(pass_read(&context, &counting, &other, path, &reader, NULL), 1);
        assert_int_equal(pass_read(&context, &counting, &breaks, path, &reader, &second), -ENOSPC);
        assert_string_equal(error_message(&second), "broken");
        assert_null(reader);
        assert_int_equal(breaks.begun, breaks.freed);
}

static void test_no_file(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        struct package_context context = {0};
        struct behaviour a = {0};
        void *reader = NULL;

        (void)state;
        assert_int_equal(pass_read(&context, &counting, &a, "/nowhere/at/all", &reader, &err), -ENOENT);
        assert_int_equal(a.begun, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_once),
                cmocka_unit_test(test_changed),
                cmocka_unit_test(test_failing),
                cmocka_unit_test(test_no_file),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
