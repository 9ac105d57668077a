/* Downloads, from a real HTTP server (server.py) that fails as it is told. */
#include "helper.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cancel.h"

enum { SIZE = 600000 };

static int port, server_stdin = -1;
static pid_t server;
static char sum[DIGEST_HEX_MAX]; /* sha256 of www/a.img */

static int start_server(void)
{
        int in[2], out[2];
        char line[16] = "";

        if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
                return -1;
        server = fork();
        if (server == 0) {
                dup2(in[0], 0);
                dup2(out[1], 1);
                execlp("python3", "python3", SERVER, "www", (char *)NULL);
                _exit(127);
        }
        close(in[0]);
        close(out[1]);
        server_stdin = in[1];
        if (read(out[0], line, sizeof(line) - 1) <= 0)
                return -1;
        close(out[0]);
        port = (int)strtol(line, NULL, 10);
        return port > 0 ? 0 : -1;
}

static int setup(void **state)
{
        if (scratch_setup(state) < 0)
                return -1;
        unsetenv("http_proxy");
        sh("mkdir www; head -c 600000 /dev/urandom > www/a.img; cp www/a.img www/b.img; : > www/empty\n"
           "sha256sum www/a.img > www/one.sha256; (cd www; sha256sum *.img > SHA256SUMS; sha512sum --tag a.img > BSD)\n"
           "md5sum < www/a.img | cut -c1-32 > www/bare; echo 0123 > www/short; mkdir cache");
        return digest_file("sha256", "www/a.img", sum, NULL) < 0 ? -1 : start_server();
}

static int teardown(void **state)
{
        close(server_stdin);
        waitpid(server, NULL, 0);
        return scratch_teardown(state);
}

/* Every test with a cache and a list of requests of its own. */
static int each(void **state)
{
        (void)state;
        sh("rm -rf cache www/requests; mkdir cache; : > www/requests");
        return 0;
}

static char *url(const char *path)
{
        return xasprintf("http://127.0.0.1:%d/%s", port, path);
}

static char *requests(void)
{
        char *text = NULL;

        assert_int_equal(file_read("www/requests", 0, &text, NULL, NULL), 0);
        return text;
}

static size_t n_requests(void)
{
        CLEANUP_FREE char *text = requests();
        size_t n = 0;

        for (char *p = text; *p; p++)
                n += *p == '\n';
        return n;
}

static struct source_request request_of(const char *const *urls)
{
        return (struct source_request){.urls = urls, .cache = "cache", .retry_ms = 10, .stall_sec = 1};
}

static void assert_fetches(const struct source_request *request)
{
        CLEANUP(source_file_clear) struct source_file file = {0};
        CLEANUP_ERROR struct error err = {0};
        char found[DIGEST_HEX_MAX] = "";

        if (source_fetch(request, &file, &err) < 0)
                fail_msg("%s", error_message(&err));
        assert_int_equal(digest_file("sha256", file.path, found, NULL), 0);
        assert_string_equal(found, sum);
        assert_string_equal(file.sha256, sum);
        sh("test -z \"$(ls cache/downloads)\"");
}

static void assert_fails(const struct source_request *request, const char *part)
{
        CLEANUP(source_file_clear) struct source_file file = {0};
        CLEANUP_ERROR struct error err = {0};

        if (source_fetch(request, &file, &err) == 0)
                fail_msg("fetched, without '%s'", part);
        assert_null(file.path);
        assert_contains(error_message(&err), part);
}

/* One URL with the right checksum. */
static void fetches(const char *path)
{
        CLEANUP_FREE char *address = url(path);
        struct source_request request = request_of((const char *const[]){address, NULL});

        request.checksum = sum;
        request.checksum_type = "sha256";
        assert_fetches(&request);
}

static void fails(const char *path, const char *part)
{
        CLEANUP_FREE char *address = url(path);
        struct source_request request = request_of((const char *const[]){address, NULL});

        request.checksum = sum;
        assert_fails(&request, part);
}

static void test_cached_by_content(void **state)
{
        (void)state;
        fetches("a.img");
        assert_int_equal(n_requests(), 1);
        fetches("a.img");
        fetches("b.img"); /* the same bytes: no network */
        fetches("missing.img");
        assert_int_equal(n_requests(), 1);
}

static void test_forced(void **state)
{
        CLEANUP_FREE char *address = url("a.img"), *text = NULL;
        struct source_request request = request_of((const char *const[]){address, NULL});

        (void)state;
        request.checksum = sum;
        request.user_agent = "Frobnicator/7";
        request.force = true;
        assert_fetches(&request);
        assert_fetches(&request);
        assert_int_equal(n_requests(), 2);
        text = requests();
        assert_contains(text, "Frobnicator/7");
}

static void test_local(void **state)
{
        CLEANUP_FREE char *file_url = xasprintf("file://%s/www/a%%2eimg", dir);
        const char *const *const lists[] = {(const char *const[]){"www/a.img", NULL},
                                            (const char *const[]){"./www/../www/a.img", NULL},
                                            (const char *const[]){file_url, NULL}};

        (void)state;
        for (size_t i = 0; i < 3; i++) {
                struct source_request request = request_of(lists[i]);

                sh("rm -rf cache/*");
                request.checksum_type = "none";
                assert_fetches(&request);
                assert_fetches(&request);
                request.checksum = sum;
                request.checksum_type = "sha256";
                assert_fetches(&request);
        }
        sh("cp www/a.img local.img; ");
        {
                struct source_request request = request_of((const char *const[]){"local.img", NULL});
                CLEANUP(source_file_clear) struct source_file file = {0};

                request.checksum_type = "none";
                assert_fetches(&request);
                sh("echo more >> local.img");
                assert_int_equal(source_fetch(&request, &file, NULL), 0);
                assert_string_not_equal(file.sha256, sum);
                request.checksum_type = "sha256";
                request.checksum = sum;
                assert_fetches(&request); /* from the cache: the file is another now */
                sh("rm -rf cache/*");
                assert_fails(&request, "wrong sha256");
        }
}

static void test_urls_in_turn(void **state)
{
        CLEANUP_FREE char *bad = url("missing.img"), *worse = url("a.img?status=403"), *good = url("a.img");
        struct source_request request = request_of((const char *const[]){bad, worse, "nowhere.img", good, NULL});

        (void)state;
        request.checksum = sum;
        assert_fetches(&request);
        sh("rm -rf cache/*");
        request.urls = (const char *const[]){bad, worse, "nowhere.img", "gopher://x/y", NULL};
        assert_fails(&request, "none of the 4 addresses");
        assert_fails(&request, "missing.img': there is no such file on the server (HTTP 404)");
        assert_fails(&request, "the server refuses it (HTTP 403)");
        assert_fails(&request, "\n    'nowhere.img': No such file");
        assert_fails(&request, "'gopher' is not supported");
}

static void test_passwords_are_not_shown(void **state)
{
        CLEANUP_FREE char *address = xasprintf("http://user:secret@127.0.0.1:%d/missing", port);
        struct source_request request = request_of((const char *const[]){address, NULL});
        CLEANUP(source_file_clear) struct source_file file = {0};
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_true(source_fetch(&request, &file, &err) < 0); /* without a checksum */
        assert_null(strstr(error_message(&err), "secret"));
        request.checksum = sum;
        assert_true(source_fetch(&request, &file, &err) < 0);
        assert_null(strstr(error_message(&err), "secret"));
        sh("test -s debug.log; ! grep 'secre[t]' debug.log");
}

static void test_retries(void **state)
{
        (void)state;
        fetches("a.img?fail=3");
        assert_int_equal(n_requests(), 4);
        each(NULL);
        fails("a.img?fail=99", "HTTP 503 (tried 5 times)");
        assert_int_equal(n_requests(), 5);
        each(NULL);
        fails("missing.img", "no such file");
        assert_int_equal(n_requests(), 1);
        fails("a.img?status=500", "HTTP 500");
        fails("a.img?status=429", "HTTP 429");
}

static void test_broken_connections(void **state)
{
        static const char *const ways[] = {"a.img?cut=300000", "a.img?reset=300000", "a.img?cut=300000&noetag",
                                           "a.img?cut=300000&weak", "a.img?cut=300000&noetag&nodate"};

        (void)state;
        for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
                CLEANUP_FREE char *text = NULL;

                each(NULL);
                fetches(ways[i]);
                text = requests();
                assert_contains(text, " bytes=");
        }
        each(NULL);
        fails("a.img?cut=300000&norange", "tried 5 times");
}

static void test_stalls(void **state)
{
        (void)state;
        fetches("a.img?stall=1");
        assert_int_equal(n_requests(), 2);
}

static void test_redirects(void **state)
{
        (void)state;
        fetches("x?redirect=/y?redirect=/a.img");
        each(NULL);
        fails("x?loop", "redirects");
        fails("x?redirect=/missing", "no such file");
        fails("x?redirect=file:///etc/passwd", "rotocol");
}

static void test_nothing_runs_there(void **state)
{
        struct source_request request = request_of((const char *const[]){"http://127.0.0.1:1/a.img", NULL});

        (void)state;
        request.checksum = sum;
        assert_fails(&request, "127.0.0.1");
}

/* A killed download goes on where it was; if the file has changed, from the start. */
static void test_resume_after_kill(void **state)
{
        static const char *const ways[] = {"a.img?slow=0.4", "a.img?slow=0.4&noetag", "a.img?slow=0.4&etag=%22x%22",
                                           "a.img?slow=0.4&weak"};

        (void)state;
        for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
                CLEANUP_FREE char *address = url(ways[i]), *text = NULL;
                struct source_request request = request_of((const char *const[]){address, NULL});
                pid_t child;

                each(NULL);
                request.checksum_type = "none";
                child = fork();
                if (child == 0) {
                        CLEANUP(source_file_clear) struct source_file file = {0};

                        source_fetch(&request, &file, NULL);
                        _exit(0);
                }
                for (int tries = 0; tries < 100; tries++) {
                        struct timespec nap = {.tv_nsec = 20000000};

                        nanosleep(&nap, NULL);
                        if (system("test -n \"$(find cache/downloads -name '*.part' -size +200k)\"") == 0)
                                break;
                }
                kill(child, SIGKILL);
                waitpid(child, NULL, 0);
                sh("test -z \"$(ls cache/blobs/sha256)\"; test -n \"$(ls cache/downloads/*.part)\"");
                if (i == 2)
                        sh("for f in cache/downloads/*.info; do sed -i 's/^etag .*/etag \"old\"/' $f; done");
                assert_fetches(&request);
                text = requests();
                assert_contains(text, i == 2 ? "- 200" : " 206 ");
        }
}

/* What an earlier run left may be wrong: the digest tells, and it starts again. */
static void test_damaged_leftover(void **state)
{
        CLEANUP_FREE char *address = url("a.img"), *text = NULL, *script = NULL;
        CLEANUP(digest_freep) struct digest *digest = digest_new("sha256");
        char key[DIGEST_HEX_MAX];

        (void)state;
        digest_string(digest, address);
        digest_final(digest, key);
        script = xasprintf("mkdir -p cache/downloads; head -c 1000 /dev/zero > cache/downloads/%s.part", key);
        sh(script);
        fetches("a.img");
        text = requests();
        assert_contains(text, "bytes=1000-");
        each(NULL);
        script = (free(script),
                  xasprintf("mkdir -p cache/downloads; cat www/a.img www/a.img > cache/downloads/%s.part", key));
        sh(script);
        fetches("a.img"); /* longer than the file: 416 */
}

static void test_revalidated(void **state)
{
        static const char *const ways[] = {"c.img", "c.img?noetag", "c.img?weak"};

        (void)state;
        for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
                CLEANUP_FREE char *address = url(ways[i]), *text = NULL;
                struct source_request request = request_of((const char *const[]){address, NULL});
                CLEANUP(source_file_clear) struct source_file file = {0};

                each(NULL);
                sh("cp www/a.img www/c.img; touch -d 2020-01-01 www/c.img");
                request.checksum_type = "none";
                assert_fetches(&request);
                assert_fetches(&request);
                text = requests();
                if (i != 1)
                        assert_contains(text, " 304 ");
                assert_int_equal(n_requests(), 2);
                sh("echo changed >> www/c.img");
                assert_int_equal(source_fetch(&request, &file, NULL), 0);
                assert_string_not_equal(file.sha256, sum);
        }
}

static void test_wrong_digest(void **state)
{
        CLEANUP_FREE char *wrong = xstrdup(sum);

        (void)state;
        wrong[0] = wrong[0] == '0' ? '1' : '0';
        {
                CLEANUP_FREE char *address = url("a.img");
                struct source_request request = request_of((const char *const[]){address, NULL});

                request.checksum = wrong;
                assert_fails(&request, wrong);
                assert_fails(&request, sum);
                assert_fails(&request, address);
                sh("test -z \"$(ls cache/downloads cache/blobs/sha256 | grep -v :)\"");
                request.checksum = "d41d8cd98f00b204e9800998ecf8427e";
                assert_fails(&request, "wrong md5");
                assert_fails(&request, "nothing was kept");
        }
}

static void test_checksum_files(void **state)
{
        static const char *const files[] = {"one.sha256", "SHA256SUMS", "BSD", "bare"};
        CLEANUP_FREE char *address = url("a.img"), *other = url("empty");
        struct source_request request = request_of((const char *const[]){address, NULL});

        (void)state;
        for (size_t i = 0; i < 4; i++) {
                CLEANUP_FREE char *there = url(files[i]), *local = xasprintf("www/%s", files[i]);

                each(NULL);
                request.checksum_url = there;
                assert_fetches(&request);
                request.checksum_url = local;
                assert_fetches(&request);
                assert_int_equal(n_requests(), 2);
        }
        request.checksum_url = "www/short";
        assert_fails(&request, "no digest in it");
        request.checksum_url = other;
        assert_fails(&request, "checksum file 'http");
        request.checksum_url = "www/missing";
        assert_fails(&request, "www/missing");
        request.checksum_url = "www/SHA256SUMS";
        request.urls = (const char *const[]){other, NULL};
        assert_fails(&request, "it has those of 'a.img', 'b.img'");
        request.urls = (const char *const[]){address, NULL};
        request.checksum = sum; /* wins over the file */
        request.checksum_url = "www/missing";
        assert_fetches(&request);
}

static void test_no_checksum(void **state)
{
        CLEANUP_FREE char *address = url("a.img");
        struct source_request request = request_of((const char *const[]){address, NULL});

        (void)state;
        assert_fails(&request, "no checksum is given");
        request.checksum_type = "sha256";
        assert_fails(&request, "no checksum is given");
        request.checksum_type = "sha3";
        assert_fails(&request, "'sha3'");
        assert_int_equal(n_requests(), 0);
        request.checksum_type = "none";
        assert_fetches(&request);
        request.urls = (const char *const[]){NULL};
        assert_fails(&request, "no address");
}

static void test_two_at_once(void **state)
{
        CLEANUP_FREE char *address = url("a.img?slow=0.5");
        struct source_request request = request_of((const char *const[]){address, NULL});
        pid_t children[3];
        int status;

        (void)state;
        request.checksum = sum;
        for (size_t i = 0; i < 3; i++) {
                children[i] = fork();
                if (children[i] == 0) {
                        CLEANUP(source_file_clear) struct source_file file = {0};

                        _exit(source_fetch(&request, &file, NULL) < 0);
                }
        }
        for (size_t i = 0; i < 3; i++) {
                waitpid(children[i], &status, 0);
                assert_int_equal(status, 0);
        }
        assert_int_equal(n_requests(), 1);
}

/* SIGINT stops the wait for a server, and the pause between two tries. */
static void test_cancelled(void **state)
{
        static const char *const ways[] = {"a.img?slow=20", "a.img?fail=99"};

        (void)state;
        for (size_t i = 0; i < 2; i++) {
                CLEANUP_FREE char *address = url(ways[i]);
                struct source_request request = request_of((const char *const[]){address, NULL});
                struct timespec nap = {.tv_nsec = 500000000};
                pid_t child;
                int status;

                each(NULL);
                request.checksum = sum;
                request.retry_ms = 20000;
                request.stall_sec = 20;
                child = fork();
                if (child == 0) {
                        CLEANUP(source_file_clear) struct source_file file = {0};

                        cancel_install();
                        _exit(source_fetch(&request, &file, NULL) == -ECANCELED ? 7 : 1);
                }
                nanosleep(&nap, NULL);
                kill(child, SIGINT);
                waitpid(child, &status, 0);
                assert_true(WIFEXITED(status));
                assert_int_equal(WEXITSTATUS(status), 7);
        }
}

static void test_target(void **state)
{
        CLEANUP_FREE char *address = url("a.img");
        struct source_request request = request_of((const char *const[]){address, NULL});

        (void)state;
        request.checksum = sum;
        request.target_path = "kept/file.img";
        assert_fetches(&request);
        request.target_path = "kept/folder";
        assert_fetches(&request);
        sh("cmp www/a.img kept/file.img; cmp www/a.img kept/folder/a.img; echo x >> kept/file.img");
        request.target_path = "kept/file.img";
        assert_fetches(&request);
        sh("cmp www/a.img kept/file.img");
}

static void test_empty_file(void **state)
{
        CLEANUP_FREE char *address = url("empty");
        struct source_request request = request_of((const char *const[]){address, NULL});
        CLEANUP(source_file_clear) struct source_file file = {0};

        (void)state;
        request.checksum_type = "none";
        assert_int_equal(source_fetch(&request, &file, NULL), 0);
        sh("test $(cat cache/blobs/sha256/* | wc -c) = 0");
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup(test, each)
        const struct CMUnitTest tests[] = {
                EACH(test_cached_by_content),
                EACH(test_forced),
                EACH(test_local),
                EACH(test_urls_in_turn),
                EACH(test_passwords_are_not_shown),
                EACH(test_retries),
                EACH(test_broken_connections),
                EACH(test_stalls),
                EACH(test_redirects),
                EACH(test_nothing_runs_there),
                EACH(test_resume_after_kill),
                EACH(test_damaged_leftover),
                EACH(test_revalidated),
                EACH(test_wrong_digest),
                EACH(test_checksum_files),
                EACH(test_no_checksum),
                EACH(test_two_at_once),
                EACH(test_cancelled),
                EACH(test_target),
                EACH(test_empty_file),
        };

        setenv("SLIPWAY_LOG", "1", 1);
        setenv("SLIPWAY_LOG_PATH", "debug.log", 1);
        return cmocka_run_group_tests(tests, setup, teardown);
}
