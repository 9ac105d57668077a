/* The catalogue: each built-in entry gives the addresses that its makers use; and what entries may be. */
#include "helper.h"

#include "release/catalogue.h"

/* The addresses as they are on the makers' own pages. */
static const struct {
        const char *name, *version, *machine, *url;
} releases[] = {
        {"go", "1.22.1", "x86_64", "https://go.dev/dl/go1.22.1.linux-amd64.tar.gz"},
        {"go", "1.22.1", "armv7l", "https://go.dev/dl/go1.22.1.linux-armv6l.tar.gz"},
        {"node", "20.11.1", "x86_64", "https://nodejs.org/dist/v20.11.1/node-v20.11.1-linux-x64.tar.xz"},
        {"node", "20.11.1", "armv7l", "https://nodejs.org/dist/v20.11.1/node-v20.11.1-linux-armv7l.tar.xz"},
        {"node", "20.11.1", "armv6l",
         "https://unofficial-builds.nodejs.org/download/release/v20.11.1/node-v20.11.1-linux-armv6l.tar.xz"},
        {"node", "22.11.0", "aarch64-musl",
         "https://unofficial-builds.nodejs.org/download/release/v22.11.0/node-v22.11.0-linux-arm64-musl.tar.xz"},
        {"go", "1.22.1", "armv6l", "https://go.dev/dl/go1.22.1.linux-armv6l.tar.gz"},
        {"go", "1.21.0", "amd64-musl", "https://go.dev/dl/go1.21.0.linux-amd64.tar.gz"},
        {"rust", "1.76.0", "x86_64-musl",
         "https://static.rust-lang.org/dist/rust-1.76.0-x86_64-unknown-linux-musl.tar.xz"},
        {"rust", "1.76.0", "aarch64", "https://static.rust-lang.org/dist/rust-1.76.0-aarch64-unknown-linux-gnu.tar.xz"},
        {"zig", "0.11.0", "x86_64", "https://ziglang.org/download/0.11.0/zig-linux-x86_64-0.11.0.tar.xz"},
        {"zig", "0.14.0", "x86_64", "https://ziglang.org/download/0.14.0/zig-linux-x86_64-0.14.0.tar.xz"},
        {"zig", "0.14.1", "x86_64", "https://ziglang.org/download/0.14.1/zig-x86_64-linux-0.14.1.tar.xz"},
        {"zig", "0.15.2", "aarch64", "https://ziglang.org/download/0.15.2/zig-aarch64-linux-0.15.2.tar.xz"},
        {"deno", "2.0.0", "x86_64",
         "https://github.com/denoland/deno/releases/download/v2.0.0/deno-x86_64-unknown-linux-gnu.zip"},
        {"terraform", "1.7.4", "armv6l",
         "https://releases.hashicorp.com/terraform/1.7.4/terraform_1.7.4_linux_arm.zip"},
        {"kubectl", "1.29.2", "aarch64", "https://dl.k8s.io/release/v1.29.2/bin/linux/arm64/kubectl"},
        {"helm", "3.14.2", "x86_64", "https://get.helm.sh/helm-v3.14.2-linux-amd64.tar.gz"},
        {"node_exporter", "1.7.0", "armv6l",
         "https://github.com/prometheus/node_exporter/releases/download/v1.7.0/node_exporter-1.7.0.linux-armv6.tar.gz"},
};

static void test_built_in(void **state)
{
        CLEANUP_STRV char **names = release_names(NULL);

        (void)state;
        for (char **name = names; *name; name++) {
                CLEANUP_FREE char *title = release_title(*name, NULL);
                bool tested = false;

                if (!title)
                        fail_msg("%s has no title", *name);
                for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++)
                        tested = tested || strcmp(releases[i].name, *name) == 0;
                if (!tested)
                        fail_msg("%s is not in the table of this test", *name);
        }
}

/* By the catalogue alone, without asking anybody. */
static int resolve_version(const char *name, const char *version, const char *machine, struct release *ret,
                           struct error *err)
{
        struct release_request request = {
                .name = name,
                .selector = version,
                .machine = machine,
                .checksum = "0123456789012345678901234567890123456789012345678901234567890123",
                .strip = -1,
                .cache = dir,
                .network = RELEASE_OFFLINE,
        };

        return release_resolve(&request, ret, err);
}

static void test_addresses(void **state)
{
        (void)state;
        for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
                CLEANUP(release_clear) struct release release = {0};
                CLEANUP_ERROR struct error err = {0};

                if (resolve_version(releases[i].name, releases[i].version, releases[i].machine, &release, &err) < 0)
                        fail_msg("%s: %s", releases[i].name, error_message(&err));
                assert_string_equal(release.url, releases[i].url);
                assert_non_null(release.validate);
                assert_non_null(release.bin);
        }
}

/* What is built for glibc is not fetched for a system with musl. */
static void test_musl(void **state)
{
        static const struct {
                const char *name, *version, *machine;
                int code;
                const char *built; /* the machine of what is chosen */
        } rows[] = {
                {"go", "1.20.14", "x86_64-musl", -ENOTSUP, NULL},
                {"go", "1.9", "x86_64-musl", -ENOTSUP, NULL},
                {"go", "1.20rc1", "x86_64-musl", -ENOTSUP, NULL},
                {"go", "1.21rc2", "x86_64-musl", 0, "x86_64"},
                {"go", "1.20.14", "x86_64", 0, "x86_64"},
                {"deno", "2.0.0", "x86_64-musl", -ENOTSUP, NULL},
                {"node", "20.11.1", "armv7l-musl", -ENOTSUP, NULL},
                {"node", "20.11.1", "x86_64-musl", 0, "x86_64-musl"},
                {"zig", "0.14.1", "riscv64-musl", 0, "riscv64"},
                {"helm", "3.14.2", "armhf-musl", 0, "armv7l"},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                CLEANUP(release_clear) struct release release = {0};
                CLEANUP_ERROR struct error err = {0};
                int r = resolve_version(rows[i].name, rows[i].version, rows[i].machine, &release, &err);

                if (r != rows[i].code)
                        fail_msg("%s %s for %s: %d %s", rows[i].name, rows[i].version, rows[i].machine, r,
                                 error_message(&err));
                if (r < 0)
                        assert_contains(error_message(&err),
                                        "is built for glibc and cannot run here, where the C library is musl");
                else
                        assert_string_equal(release.machine, rows[i].built);
        }
        assert_true(release_machine_runs("x86_64-musl", "x86_64"));
        assert_true(release_machine_runs("armv7l-musl", "armv6l"));
        assert_false(release_machine_runs("x86_64", "x86_64-musl"));
}

static int resolve(const char *name, const char *machine, struct release *ret, struct error *err)
{
        struct release_request request = {.name = name,
                                          .selector = "1.0",
                                          .machine = machine,
                                          .strip = -1,
                                          .catalogue = dir,
                                          .cache = dir,
                                          .network = RELEASE_OFFLINE};

        return release_resolve(&request, ret, err);
}

static void assert_refused(const char *text, int code, const char *message)
{
        CLEANUP(release_clear) struct release release = {0};
        CLEANUP_ERROR struct error err = {0};

        write_text("mine.hcl", text);
        assert_int_equal(resolve("mine", "x86_64", &release, &err), code);
        assert_contains(error_message(&err), message);
}

static void test_own(void **state)
{
        CLEANUP(release_clear) struct release release = {0};

        (void)state;
        write_text("mine.hcl", "release \"mine\" {\n arch = { x86_64 = \"pc\" }\n base = \"http://x/\"\n url = "
                               "\"${base}/${name}-${version}-${os}-${arch}-${machine}\"\n env = { B = \"1\", A = "
                               "\"${dir}/a\" }\n file = \"mine\"\n}\n");
        assert_int_equal(resolve("mine", "amd64", &release, NULL), 0);
        assert_string_equal(release.url, "http://x/mine-1.0-linux-pc-x86_64");
        assert_string_equal(release.env[0], "A=${dir}/a");
        assert_string_equal(release.env[1], "B=1");
        assert_null(release.checksum);
}

/* Versions that the entry itself lists. */
static void test_list(void **state)
{
        CLEANUP(release_clear) struct release release = {0};
        struct release_request request = {.name = "mine",
                                          .selector = "~> 1.2",
                                          .machine = "x86_64",
                                          .strip = -1,
                                          .catalogue = dir,
                                          .cache = dir,
                                          .network = RELEASE_OFFLINE};

        (void)state;
        write_text("mine.hcl",
                   "release \"mine\" {\n arch = { x86_64 = \"pc\" }\n url = \"http://x/${version}\"\n versions {\n "
                   "list = [\"1.10\", \"1.2\", \"2.0\"]\n}\n}\n");
        assert_int_equal(release_resolve(&request, &release, NULL), 0);
        assert_string_equal(release.url, "http://x/1.10");
}

static void test_mistakes(void **state)
{
        (void)state;
        assert_refused("release \"other\" {}\n", -ENOENT, "has no block: release \"mine\"");
        assert_refused("release \"mine\" {\n arch = { x86_64 = \"x\" }\n}\n", -EINVAL, "mine.hcl:1:16");
        assert_refused("release \"mine\" {\n arch = { x86_64 = \"x\" }\n url = \"u\"\n strips = 1\n}\n", -EINVAL,
                       "mine.hcl:4:2");
        assert_refused("release \"mine\" {\n arch = { x86_64 = \"x\" }\n url = nothing\n}\n", -EINVAL, "mine.hcl:3:8");
        assert_refused("release \"mine\" {\n arch = { x86_64 = \"x\" }\n url = \"u\"\n bin = { a = 1 }\n}\n", -EINVAL,
                       "'bin'");
        assert_refused("release \"mine\" {\n arch = { x86_64 = \"x\" }\n url = \"u\"\n strip = 1.5\n}\n", -EINVAL,
                       "'strip' is a whole number");
        assert_refused("release \"mine\" {\n arch = { aarch64 = \"x\" }\n url = \"u\"\n}\n", -ENOTSUP,
                       "for the architecture x86_64 (there are: aarch64)");
        assert_refused("release \"mine\" {\n arch = { x86_64 = \"x\" }\n url = \"u\"\n file = \"../x\"\n}\n", -EINVAL,
                       "without folders");
        assert_refused("release \"mine\" {\n arch = { x86_64 = \"x\" }\n url = \"u\"\n base = version\n}\n", -EINVAL,
                       "'base' depends on what is not known");
        assert_refused(
                "release \"mine\" {\n arch = { x86_64 = \"x\" }\n url = \"u\"\n signature {\n url = \"s\"\n key = "
                "\"k\"\n of = \"x\"\n}\n}\n",
                -EINVAL, "not \"x\"");
        assert_refused("release \"mine\" {\n arch = { x86_64 = \"x\" }\n url = \"u\"\n libc = \"bionic\"\n}\n", -EINVAL,
                       "'libc' is \"glibc\" or \"none\", not \"bionic\"");
}

static void test_unknown(void **state)
{
        CLEANUP(release_clear) struct release release = {0};
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(resolve("terafrom", "x86_64", &release, &err), -ENOENT);
        assert_contains(error_message(&err), "did you mean 'terraform'?");
        assert_int_equal(resolve("../x", "x86_64", &release, &err), -EINVAL);
        assert_int_equal(resolve("go", "pdp11", &release, &err), -EINVAL);
}

/* Each key is in the manual. */
static void test_manual(void **state)
{
        CLEANUP_FREE char *page = NULL;

        (void)state;
        assert_int_equal(file_read(MANUAL, 0, &page, NULL, NULL), 0);
        for (size_t block = 0; block < ENTRY_BLOCKS; block++)
                for (size_t i = 0; i < entry_tables[block].n_keys; i++)
                        assert_contains(page, entry_tables[block].keys[i].name);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_built_in), cmocka_unit_test(test_addresses), cmocka_unit_test(test_musl),
                cmocka_unit_test(test_own),      cmocka_unit_test(test_list),      cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_unknown),  cmocka_unit_test(test_manual),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
