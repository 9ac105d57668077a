/* The makers' lists and checksums, in the forms in which they publish them: what the built-in entries read out of them.
 * Each tool's site is a folder, with a few of the members that the real answers have; the digests are made up. */
#include "helper.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "release/catalogue.h"
#include "release/release_internal.h"

#define A "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
#define B "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* The answers, by their paths below `base`. */
static const struct {
        const char *path, *text;
} site[] = {
        {"go/?mode=json&include=all",
         "[{\"version\": \"go1.23rc1\", \"stable\": false, \"files\": []},\n"
         " {\"version\": \"go1.22.1\", \"stable\": true, \"files\": [\n"
         "  {\"filename\": \"go1.22.1.src.tar.gz\", \"os\": \"\", \"arch\": \"\", \"version\": \"go1.22.1\", "
         "\"sha256\": \"" B "\", \"size\": 27550000, \"kind\": \"source\"},\n"
         "  {\"filename\": \"go1.22.1.linux-armv6l.tar.gz\", \"os\": \"linux\", \"arch\": \"armv6l\", \"version\": "
         "\"go1.22.1\", \"sha256\": \"" A "\", \"size\": 66783340, \"kind\": \"archive\"}]},\n"
         " {\"version\": \"go1.21\", \"stable\": true, \"files\": []}]"},
        {"node/index.json", "[{\"version\":\"v21.7.1\",\"date\":\"2024-03-08\",\"files\":[\"linux-arm64\",\"linux-"
                            "x64\"],\"npm\":\"10.5.0\","
                            "\"lts\":false,\"security\":false},\n{\"version\":\"v20.11.1\",\"date\":\"2024-02-14\","
                            "\"files\":[\"linux-x64\"],"
                            "\"npm\":\"10.2.4\",\"lts\":\"Iron\",\"security\":true},\n{\"version\":\"v0.12.18\","
                            "\"files\":[],\"lts\":false}]"},
        {"node/v21.7.1/SHASUMS256.txt", B "  node-v21.7.1-aix-ppc64.tar.gz\n" B "  node-v21.7.1-linux-x64.tar.gz\n" A
                                          "  node-v21.7.1-linux-x64.tar.xz\n" B "  win-x64/node.exe\n"},
        {"rust/manifests.txt", "static.rust-lang.org/dist/2015-08-07/channel-rust-stable.toml\n"
                               "static.rust-lang.org/dist/2024-02-08/channel-rust-1.76.0.toml\n"
                               "static.rust-lang.org/dist/2024-02-08/channel-rust-1.76.0-beta.toml\n"
                               "static.rust-lang.org/dist/2024-02-08/channel-rust-stable.toml\n"
                               "static.rust-lang.org/dist/2023-12-28/channel-rust-1.75.0.toml\n"
                               "static.rust-lang.org/dist/2024-02-09/channel-rust-nightly.toml\n"},
        {"rust/dist/rust-1.76.0-x86_64-unknown-linux-gnu.tar.xz.sha256",
         A "  rust-1.76.0-x86_64-unknown-linux-gnu.tar.xz\n"},
        {"zig/download/index.json",
         "{\"master\": {\"version\": \"0.15.0-dev.1\", \"date\": \"2025-07-01\", \"x86_64-linux\": {\"tarball\": "
         "\"x\", "
         "\"shasum\": \"" B
         "\", \"size\": \"1\"}},\n \"0.14.1\": {\"date\": \"2025-05-21\", \"notes\": \"x\", \"src\": "
         "{\"shasum\": \"" B "\"}, \"x86_64-linux\": {\"tarball\": \"x\", \"shasum\": \"" A
         "\", \"size\": \"49086504\"}},\n"
         " \"0.14.0\": {\"x86_64-linux\": {\"shasum\": \"" B "\"}}}"},
        {"terraform/index.json", "{\"name\": \"terraform\", \"versions\": {\"1.7.4\": {\"name\": \"terraform\", "
                                 "\"version\": \"1.7.4\", \"shasums\": "
                                 "\"terraform_1.7.4_SHA256SUMS\", \"builds\": []}, \"1.8.0-beta1\": {\"version\": "
                                 "\"1.8.0-beta1\"}, \"0.9.11\": {}}}"},
        {"terraform/1.7.4/terraform_1.7.4_SHA256SUMS",
         B "  terraform_1.7.4_darwin_amd64.zip\n" A "  terraform_1.7.4_linux_amd64.zip\n"},
        {"helm/helm-v3.14.2-linux-amd64.tar.gz.sha256sum", A "  helm-v3.14.2-linux-amd64.tar.gz\n"},
        {"kubectl/v1.29.2/bin/linux/amd64/kubectl.sha256", A},
        {"deno/v2.0.0/deno-x86_64-unknown-linux-gnu.zip.sha256sum", A "  deno-x86_64-unknown-linux-gnu.zip\n"},
        {"node_exporter/v1.7.0/sha256sums.txt",
         B "  node_exporter-1.7.0.linux-armv6.tar.gz\n" A "  node_exporter-1.7.0.linux-amd64.tar.gz\n"},
};

static void make_site(void)
{
        for (size_t i = 0; i < sizeof(site) / sizeof(site[0]); i++) {
                CLEANUP_FREE char *path = path_join(dir, site[i].path), *folder = path_dir(path);

                assert_int_equal(dir_make(folder, 0755, NULL), 0);
                assert_int_equal(file_write(path, site[i].text, strlen(site[i].text), 0644, NULL), 0);
        }
}

/* Where the list is a part of the site: the newest release, or the newest that fits, and its checksum. */
static const struct {
        const char *name, *selector, *machine, *version;
} releases[] = {
        {"go", "latest", "armv7l", "1.22.1"},   {"go", "~> 1.22", "armv6l", "1.22.1"},
        {"node", "latest", "x86_64", "21.7.1"}, {"rust", "latest", "x86_64", "1.76.0"},
        {"zig", "latest", "x86_64", "0.14.1"},  {"terraform", "latest", "x86_64", "1.7.4"},
        {"helm", "3.14.2", "x86_64", "3.14.2"}, {"kubectl", "1.29.2", "x86_64", "1.29.2"},
        {"deno", "2.0.0", "x86_64", "2.0.0"},   {"node_exporter", "1.7.0", "x86_64", "1.7.0"},
};

static void test_releases(void **state)
{
        (void)state;
        make_site();
        for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
                CLEANUP(release_clear) struct release release = {0};
                CLEANUP_ERROR struct error err = {0};
                CLEANUP_FREE char *base = path_join(dir, releases[i].name);
                struct release_request request = {
                        .name = releases[i].name,
                        .selector = releases[i].selector,
                        .machine = releases[i].machine,
                        .base_url = base,
                        .strip = -1,
                        .cache = dir,
                };

                if (release_resolve(&request, &release, &err) < 0)
                        fail_msg("%s: %s", releases[i].name, error_message(&err));
                assert_string_equal(release.version, releases[i].version);
                assert_string_equal(release.checksum, "sha256:" A);
        }
}

/* GitHub's list of releases, which four of them read. */
static void test_github(void **state)
{
        static const char *const names[] = {"deno", "helm", "kubectl", "node_exporter"};
        static const char answer[] =
                "[{\"url\": \"https://api.github.com/repos/x/y/releases/1\", \"tag_name\": \"v2.1.0-rc.1\", \"name\": "
                "\"x\", "
                "\"draft\": false, \"prerelease\": true, \"assets\": [{\"name\": \"z\", \"state\": \"uploaded\"}]},\n"
                " {\"tag_name\": \"v2.0.0\", \"prerelease\": false, \"assets\": []}]";

        (void)state;
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                CLEANUP(entry_freep) struct entry *entry = NULL;
                CLEANUP_STRV char **path = NULL, **found = NULL;
                CLEANUP_FREE char *pattern = NULL, *url = NULL;

                assert_int_equal(catalogue_find(names[i], NULL, &entry, NULL), 0);
                assert_int_equal(entry_text(entry, ENTRY_VERSIONS, "url", &url, NULL), 0);
                assert_int_equal(entry_texts(entry, ENTRY_VERSIONS, "path", &path, NULL), 0);
                assert_int_equal(entry_text(entry, ENTRY_VERSIONS, "pattern", &pattern, NULL), 0);
                assert_contains(url, "https://api.github.com/repos/");
                assert_int_equal(release_pick(answer, STRV(path), pattern, &found, NULL), 0);
                assert_string_equal(found[0], "2.1.0-rc.1");
                assert_string_equal(found[1], "2.0.0");
                assert_null(found[2]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_releases),
                cmocka_unit_test(test_github),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
