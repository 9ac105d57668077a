/* Databases of packages into one list, and the list as documents. */
#include "scratch.h"

#include "sbom/database.h"

static void put(const char *path, const char *text)
{
        CLEANUP_FREE char *folder = path_dir(path);

        assert_int_equal(dir_make(folder, 0755, NULL), 0);
        assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
}

static void read_tree(const char *root, struct sbom *ret)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_CLOSE int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct sbom_tree tree = {.root_fd = fd};

        assert_true(fd >= 0);
        if (sbom_read(&tree, "test", ret, &err) < 0)
                fail_msg("%s", error_message(&err));
}

static void test_dpkg(void **state)
{
        CLEANUP(sbom_clear) struct sbom sbom = {0};

        (void)state;
        put("deb/usr/lib/os-release", "PRETTY_NAME=\"Debian 12\"\nID=debian\nVERSION_ID=\"12\"\n");
        assert_int_equal(mkdir("deb/etc", 0755), 0);
        assert_int_equal(symlink("/usr/lib/os-release", "deb/etc/os-release"), 0); /* absolute: in the tree */
        put("deb/var/lib/dpkg/status",
            "Package: zlib1g\nStatus: install ok installed\nMaintainer: Mark Brown <broonie@debian.org>\nArchitecture: "
            "arm64\nSource: zlib (1:1.2)\nVersion: 1:1.2.13.dfsg-1\nDescription: x\n Package: not-this\nHomepage: "
            "http://zlib.net/\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\nPackage: "
            "g++\nStatus: hold "
            "ok installed\nVersion: 4:12~1+b2\nArchitecture: arm64");
        put("deb/var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4\nArchitecture: arm64\n");
        put("deb/var/lib/dpkg/status.d/base.md5sums", "Package: no\nVersion: 1\n");
        read_tree("deb", &sbom);
        assert_string_equal(sbom.os_name, "Debian 12");
        assert_int_equal(sbom.packages.n, 3);
        assert_string_equal(sbom.packages.v[0].purl, "pkg:deb/debian/base-files@12.4?arch=arm64&distro=debian-12");
        assert_string_equal(sbom.packages.v[1].purl, "pkg:deb/debian/g%2B%2B@4:12~1%2Bb2?arch=arm64&distro=debian-12");
        assert_string_equal(sbom.packages.v[2].name, "zlib1g");
        assert_string_equal(sbom.packages.v[2].version, "1:1.2.13.dfsg-1");
        assert_string_equal(sbom.packages.v[2].supplier, "Mark Brown <broonie@debian.org>");
        assert_string_equal(sbom.packages.v[2].source, "zlib (1:1.2)");
}

/* What is not UTF-8, as in old databases, costs a letter and not the package. */
static void test_encoding(void **state)
{
        CLEANUP(sbom_clear) struct sbom sbom = {0};
        json_t *spdx, *package;

        (void)state;
        put("latin/var/lib/dpkg/status",
            "Package: a\nVersion: 1\nMaintainer: J\xf6rg <j@example.org>\n\n"
            "Package: b\nVersion: 1\nMaintainer: <b@example.org>\nHomepage: none at all\n");
        read_tree("latin", &sbom);
        assert_int_equal(sbom.packages.n, 2);
        assert_string_equal(sbom.packages.v[0].supplier, "J\xef\xbf\xbdrg <j@example.org>");
        spdx = sbom_spdx(&sbom, 0);
        assert_int_equal(json_array_size(json_object_get(spdx, "packages")), 3);
        package = json_array_get(json_object_get(spdx, "packages"), 2);
        assert_string_equal(json_string_value(json_object_get(package, "supplier")), "Person: b@example.org");
        assert_null(json_object_get(package, "homepage"));
        json_decref(spdx);
}

static void test_apk(void **state)
{
        CLEANUP(sbom_clear) struct sbom sbom = {0};

        (void)state;
        put("apk/etc/os-release", "ID=alpine\nVERSION_ID=3.19.1\n");
        put("apk/lib/apk/db/installed", "C:Q1\nP:musl\nV:1.2.4_git20230717-r4\nA:armhf\nL:MIT\nU:https://musl.libc.org/"
                                        "\no:musl\nm:A B <a@b>\nF:lib\nR:x\n\n"
                                        "P:busybox\nV:1.36.1-r15\nA:armhf\nL:GPL-2.0-only\n\n");
        read_tree("apk", &sbom);
        assert_int_equal(sbom.packages.n, 2);
        assert_string_equal(sbom.packages.v[0].name, "busybox");
        assert_string_equal(sbom.packages.v[1].purl,
                            "pkg:apk/alpine/musl@1.2.4_git20230717-r4?arch=armhf&distro=alpine-3.19.1");
        assert_string_equal(sbom.packages.v[1].license, "MIT");
}

static void test_pacman(void **state)
{
        CLEANUP(sbom_clear) struct sbom sbom = {0};

        (void)state;
        put("arch/var/lib/pacman/local/ALPM_DB_VERSION", "9\n");
        put("arch/var/lib/pacman/local/gcc-libs-13.2.1-5/desc",
            "%NAME%\ngcc-libs\n\n%VERSION%\n13.2.1-5\n\n%BASE%\ngcc\n\n%ARCH%\naarch64\n\n%LICENSE%\nGPL-3.0\nLGPL\n\n%"
            "DEPENDS%\n"
            "glibc\n");
        read_tree("arch", &sbom);
        assert_int_equal(sbom.packages.n, 1);
        assert_string_equal(sbom.packages.v[0].license, "GPL-3.0 AND LGPL");
        assert_string_equal(sbom.packages.v[0].purl, "pkg:alpm/arch/gcc-libs@13.2.1-5?arch=aarch64");
}

static void test_releases(void **state)
{
        static const char manifest[] = "{\"slipway-release\": 1, \"name\": \"go\", \"version\": \"1.22\", \"machine\": "
                                       "\"aarch64\", \"url\": \"https://x/go.tgz\", \"sha256\": \"ab\", \"files\": {}}";
        CLEANUP(sbom_clear) struct sbom sbom = {0};

        (void)state;
        put("rel/usr/local/go-1.22/.slipway-release.json", manifest);
        put("rel/srv/tools/go-1.22/.slipway-release.json", manifest); /* the same in two places is one */
        put("rel/usr/local/other-1/file", "x");
        put("rel/etc/profile.d/slipway-release.sh",
            "# x\nfor release in '/srv/tools'/.slipway-release/*.sh; do x; done\n");
        read_tree("rel", &sbom);
        assert_int_equal(sbom.packages.n, 1);
        assert_string_equal(sbom.packages.v[0].purl,
                            "pkg:generic/go@1.22?arch=aarch64&checksum=sha256:ab&download_url=https:%2F%2Fx%2Fgo.tgz");
}

static void test_damaged(void **state)
{
        CLEANUP(sbom_clear) struct sbom sbom = {0};
        CLEANUP_ERROR struct error err = {0};
        struct sbom_tree tree = {.root_fd = -1};

        (void)state;
        put("bad/opt/x-1/.slipway-release.json", "{");
        tree.root_fd = open("bad", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(sbom_read(&tree, "bad", &sbom, &err), -EBADMSG);
        assert_non_null(strstr(error_message(&err), "/opt/x-1/.slipway-release.json"));
        close(tree.root_fd);
}

static void test_nothing(void **state)
{
        CLEANUP(sbom_clear) struct sbom sbom = {0};
        json_t *document;

        (void)state;
        assert_int_equal(mkdir("empty", 0755), 0);
        read_tree("empty", &sbom);
        assert_int_equal(sbom.packages.n, 0);
        document = sbom_spdx(&sbom, 0);
        assert_int_equal(json_array_size(json_object_get(document, "packages")), 1);
        json_decref(document);
        document = sbom_cyclonedx(&sbom, 0);
        assert_string_equal(json_string_value(json_object_get(json_object_get(document, "metadata"), "timestamp")),
                            "1970-01-01T00:00:00Z");
        json_decref(document);
}

/* A licence that two packages have is one text. */
static void test_spdx_licenses(void **state)
{
        CLEANUP(sbom_clear) struct sbom sbom = {0};
        json_t *document, *again;

        (void)state;
        put("lic/lib/apk/db/installed", "P:a\nV:1\nL:MIT\n\nP:b\nV:1\nL:MIT\n\nP:c\nV:1\nL:odd words\n");
        read_tree("lic", &sbom);
        document = sbom_spdx(&sbom, 1700000000);
        again = sbom_spdx(&sbom, 1700000000);
        assert_true(json_equal(document, again));
        assert_int_equal(json_array_size(json_object_get(document, "hasExtractedLicensingInfos")), 2);
        assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(document, "packages"), 3),
                                                              "licenseDeclared")),
                            "LicenseRef-2");
        json_decref(document);
        json_decref(again);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_dpkg),    cmocka_unit_test(test_encoding),      cmocka_unit_test(test_apk),
                cmocka_unit_test(test_pacman),  cmocka_unit_test(test_releases),      cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_nothing), cmocka_unit_test(test_spdx_licenses),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
