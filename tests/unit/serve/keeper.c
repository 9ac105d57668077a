/* serve/keeper: jobs in processes of their own, begun again when they end. */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/file.h"
#include "base/str.h"
#include "serve/keeper.h"

static char dir[] = "/tmp/slipway-keeper-XXXXXX";

/* ---- what is said ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct str said;

static void emit(void *arg, const struct event *event)
{
        (void)arg;
        pthread_mutex_lock(&lock);
        str_addf(&said, "%s\n", event->text);
        pthread_mutex_unlock(&lock);
}
static const struct event_sink sink = {emit, NULL};

static size_t times(const char *text)
{
        size_t n = 0;

        pthread_mutex_lock(&lock);
        for (const char *at = str_get(&said); (at = strstr(at, text)); at += strlen(text))
                n++;
        pthread_mutex_unlock(&lock);
        return n;
}

static void wait_for(const char *text)
{
        for (int i = 0; i < 600 && times(text) == 0; i++)
                usleep(50000);
        if (times(text) == 0)
                fail_msg("'%s' was not said, but:\n%s", text, str_get(&said));
}

/* ---- jobs ---- */

/* Its process is told by a file, and then it waits for its end. */
static int stay(const struct keeper_job *job, struct error *err)
{
        CLEANUP_FREE char *path = path_join(job->folder, job->name), *text = xasprintf("%d", getpid());

        if (file_write(path, text, strlen(text), 0644, err) < 0)
                return -EIO;
        keeper_say("%s runs\nas %s", job->name, job->text);
        while (!cancel_requested())
                pause();
        keeper_say("%s is told to end", job->name);
        return cancel_check(err);
}

static int give_up(const struct keeper_job *job, struct error *err)
{
        CLEANUP_FREE char *path = path_join(job->folder, "tries");
        CLEANUP_FCLOSE FILE *f = fopen(path, "a");

        fprintf(f, "x");
        return error_set(err, EIO, "it cannot be");
}

static void add(struct keeper_jobs *jobs, const char *name, int (*run)(const struct keeper_job *, struct error *))
{
        vec_push(&jobs->list, (struct keeper_job){.key = xstrdup(name),
                                                  .name = xstrdup(name),
                                                  .run = run,
                                                  .folder = xstrdup(dir),
                                                  .text = xstrdup("text")});
}

/* What is in the file `list`. */
static int list(void *arg, struct keeper_jobs *ret, struct error *err)
{
        CLEANUP_FREE char *path = path_join(dir, "list"), *text = NULL;
        CLEANUP_STRV char **names = NULL;
        int r = file_read(path, 0, &text, NULL, err);

        (void)arg;
        if (r < 0)
                return r;
        names = str_split(text, " ");
        for (char **name = names; name && *name; name++)
                add(ret, *name, strcmp(*name, "fails") == 0 ? give_up : stay);
        return 0;
}

static void put_list(const char *text)
{
        CLEANUP_FREE char *path = path_join(dir, "list");

        assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
}

static pid_t process_of(const char *name)
{
        CLEANUP_FREE char *path = path_join(dir, name), *text = NULL;

        assert_int_equal(file_read(path, 0, &text, NULL, NULL), 0);
        return (pid_t)strtol(text, NULL, 10);
}

static void wait_for_end(pid_t pid)
{
        for (int i = 0; i < 400 && kill(pid, 0) == 0; i++)
                usleep(50000);
        assert_int_equal(kill(pid, 0), -1);
}

/* ---- tests ---- */

static int begin(void **state)
{
        str_clear(&said);
        return keeper_open(list, NULL, (struct keeper **)state, NULL);
}

static int end(void **state)
{
        keeper_free(*state);
        return 0;
}

static void test_list(void **state)
{
        struct keeper *keeper = *state;
        pid_t one, two;

        put_list("one two");
        assert_int_equal(keeper_start(keeper, &sink, NULL), 0);
        wait_for("one runs as text\n");
        wait_for("two runs as text\n");
        one = process_of("one");
        two = process_of("two");

        put_list("one three");
        keeper_look(keeper);
        wait_for("three runs");
        wait_for_end(two);
        assert_int_equal(times("one runs"), 1);
        assert_int_equal(process_of("one"), one);
        assert_int_equal(times("two is told to end"), 1);

        /* What cannot be listed changes nothing. */
        CLEANUP_FREE char *path = path_join(dir, "list");
        unlink(path);
        keeper_look(keeper);
        wait_for("stay as they are: ");
        assert_int_equal(kill(one, 0), 0);
}

static void test_again(void **state)
{
        pid_t one;

        put_list("one");
        assert_int_equal(keeper_start(*state, &sink, NULL), 0);
        wait_for("one runs");
        one = process_of("one");
        kill(one, SIGKILL);
        wait_for("one: a helper process of slipway was ended by signal 9 (Killed); it is tried again");
        for (int i = 0; i < 200 && process_of("one") == one; i++)
                usleep(50000);
        assert_int_not_equal(process_of("one"), one);
}

static void test_said_once(void **state)
{
        CLEANUP_FREE char *path = path_join(dir, "tries"), *tries = NULL;

        put_list("fails");
        assert_int_equal(keeper_start(*state, &sink, NULL), 0);
        wait_for("fails: it cannot be; it is tried again");
        for (int i = 0; i < 200 && (!tries || strlen(tries) < 3); i++) {
                usleep(50000);
                free(tries);
                assert_int_equal(file_read(path, 0, &tries, NULL, NULL), 0);
        }
        assert_true(strlen(tries) >= 3);
        assert_int_equal(times("it cannot be"), 1);
}

/* A process with a keeper is killed: nothing of it goes on. */
static void test_killed(void **state)
{
        struct keeper *keeper;
        pid_t pid, one;

        (void)state;
        put_list("one");
        str_clear(&said);
        CLEANUP_FREE char *path = path_join(dir, "one");
        unlink(path);
        pid = fork();
        if (pid == 0) {
                if (keeper_open(list, NULL, &keeper, NULL) < 0 || keeper_start(keeper, &sink, NULL) < 0)
                        _exit(1);
                pause();
                _exit(1);
        }
        for (int i = 0; i < 200 && !path_exists(path); i++)
                usleep(50000);
        one = process_of("one");
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        wait_for_end(one);
}

static int make_folder(void **state)
{
        (void)state;
        return mkdtemp(dir) ? 0 : -1;
}

static int remove_folder(void **state)
{
        (void)state;
        str_clear(&said);
        return tree_remove(dir, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_list, begin, end),
                cmocka_unit_test_setup_teardown(test_again, begin, end),
                cmocka_unit_test_setup_teardown(test_said_once, begin, end),
                cmocka_unit_test(test_killed),
        };

        return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
