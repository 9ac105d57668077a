/* compress, checksum, manifest, artifice, docker-*, shell-local and an
 * executable, as templates use them. Judges: bsdtar, unzip, sha256sum, jq and their like. */
#include "post.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/spawn.h"

static char dir[] = "/tmp/slipway-test.XXXXXX";
static char *image, *notes;
static const char *both[3], *one[2];
static size_t n_files;

static const struct package_context context = {
        .build_name = "board", .builder_type = "arm", .run_uuid = "run-1", .build_time = 1700000000};

static int setup(void **state)
{
        CLEANUP_CLOSE int fd = -1;

        (void)state;
        if (!mkdtemp(dir) || chdir(dir) < 0)
                return -1;
        image = path_join(dir, "disk.img");
        notes = path_join(dir, "notes.txt");
        fd = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (ftruncate(fd, 3000001) < 0 || fd_pwrite_all(fd, "boot", 4, 0) < 0 || fd_pwrite_all(fd, "x", 1, 3000000) < 0)
                return -1;
        both[0] = one[0] = image;
        both[1] = notes;
        return file_write(notes, "hello\n", 6, 0640, NULL);
}

static int teardown(void **state)
{
        (void)state;
        free(image);
        free(notes);
        if (chdir("/") < 0)
                return -1;
        return tree_remove(dir, NULL);
}

/* argv[0..n) must succeed; its standard output. */
#define CAPTURE(...) capture((const char *const[]){__VA_ARGS__, NULL})
static char *capture(const char *const *argv)
{
        CLEANUP_ERROR struct error err = {0};
        char *out = NULL;

        if (spawn_capture(argv, &out, &err) < 0)
                fail_msg("%s", error_message(&err));
        return out;
}

static int count_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
        (void)path;
        (void)st;
        (void)type;
        (void)where;
        n_files++;
        return 0;
}

static size_t count_files(void)
{
        n_files = 0;
        assert_int_equal(nftw(dir, count_one, 8, FTW_PHYS), 0);
        return n_files;
}

static void compress_to(const char *json, const char *const *files, const char *expected)
{
        CLEANUP(artifact_clear) struct artifact made = {0};
        bool keep = true;

        assert_int_equal(post_run("compress", json, &context, files, &made, &keep, NULL), 0);
        assert_false(keep);
        assert_string_equal(made.files[0], expected);
        assert_null(made.files[1]);
        assert_true(path_exists(expected));
}

static void test_compress_names(void **state)
{
        CLEANUP_FREE char *names = NULL, *listed = NULL, *zipped = NULL, *back = NULL;

        (void)state;
        compress_to("{}", both, "packer_board_arm.tar.gz");
        names = CAPTURE("bsdtar", "-tf", "packer_board_arm.tar.gz");
        assert_string_equal(names, "disk.img\nnotes.txt\n");
        compress_to("{\"format\": \"zst\"}", one, "packer_board_arm.zst");
        free(CAPTURE("zstd", "-tq", "packer_board_arm.zst"));
        compress_to("{\"output\": \"new/{{.BuildName}}.tar.xz\"}", both, "new/board.tar.xz");
        listed = CAPTURE("tar", "-tf", "new/board.tar.xz");
        assert_string_equal(listed, "disk.img\nnotes.txt\n");
        compress_to("{\"output\": \"a.zip\", \"compression_level\": 9}", both, "a.zip");
        free(CAPTURE("unzip", "-t", "a.zip"));
        free(CAPTURE("7z", "t", "a.zip"));
        zipped = CAPTURE("bsdtar", "-tf", "a.zip");
        assert_string_equal(zipped, "disk.img\nnotes.txt\n");
        back = CAPTURE("bsdtar", "-xOf", "a.zip", "notes.txt");
        assert_string_equal(back, "hello\n");
        compress_to("{\"output\": \"plain.tar\"}", both, "plain.tar");
        compress_to("{\"output\": \"short.tbz2\"}", both, "short.tbz2");
        free(CAPTURE("bzip2", "-t", "short.tbz2"));
        compress_to("{\"output\": \"named\", \"format\": \"tar.lz4\"}", both, "named");
        free(CAPTURE("lz4", "-tq", "named"));
        compress_to("{\"output\": \"unknown.img\"}", both, "unknown.img"); /* Packer's default */
        free(CAPTURE("gunzip", "-t", "-S", ".img", "unknown.img"));
}

/* No time, no name, no order of threads in it; and an old output is replaced. */
static void test_compress_is_reproducible(void **state)
{
        static const char *const outputs[] = {"same.tar.gz", "same.zip", "same.tar", "same.tar.zst"};

        (void)state;
        setenv("SOURCE_DATE_EPOCH", "1600000000", 1);
        for (size_t i = 0; i < 4; i++) {
                CLEANUP_FREE char *json = xasprintf("{\"output\": \"%s\"}", outputs[i]);
                char before[DIGEST_HEX_MAX], after[DIGEST_HEX_MAX];

                compress_to(json, both, outputs[i]);
                assert_int_equal(digest_file("sha256", outputs[i], before, NULL), 0);
                free(CAPTURE("touch", image, notes));
                compress_to(json, both, outputs[i]);
                assert_int_equal(digest_file("sha256", outputs[i], after, NULL), 0);
                assert_string_equal(before, after);
        }
        unsetenv("SOURCE_DATE_EPOCH");
}

static void assert_fails(const char *type, const char *json, const char *const *files, const char *expected)
{
        CLEANUP(artifact_clear) struct artifact made = {0};
        CLEANUP_FREE char *message = NULL;
        size_t n = count_files();
        bool keep;

        assert_true(post_run(type, json, &context, files, &made, &keep, &message) < 0);
        assert_non_null(message);
        if (!strstr(message, expected))
                fail_msg("'%s' does not say '%s'", message, expected);
        assert_int_equal(count_files(), n);
        assert_null(made.files);
}

static void test_compress_errors(void **state)
{
        const char *const missing[] = {"/nonexistent.img", NULL}, *const folder[] = {dir, NULL};
        const char *const twins[] = {notes, notes, NULL};

        (void)state;
        assert_fails("compress", "{\"output\": \"x.gz\"}", both, "there are 2");
        assert_fails("compress", "{\"output\": \"x.gz\"}", missing, "No such file");
        assert_fails("compress", "{\"output\": \"x.gz\"}", folder, "not a regular file");
        assert_fails("compress", "{\"output\": \"x.tar\"}", twins, "two input files");
        assert_fails("compress", "{\"output\": \"disk.img\"}", one, "the input itself");
        assert_fails("compress", "{\"output\": \"notes.txt/x.gz\"}", one, "Not a directory");
        assert_fails("compress", "{\"format\": \"rar\"}", one, "unknown format 'rar'");
        assert_fails("compress", "{\"output\": \"{{.Nonsense}}.gz\"}", one, "Nonsense");
        assert_fails("compress", "{\"compression_level\": -7}", one, "compression_level");
        assert_fails("compress", "{\"outputt\": \"x\"}", one, "outputt");
}

static void test_checksum(void **state)
{
        static const char *const types[] = {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"};
        CLEANUP(artifact_clear) struct artifact made = {0};
        CLEANUP_FREE char *first = NULL, *again = NULL, *list = NULL;
        bool keep = false;

        (void)state;
        assert_int_equal(post_run("checksum",
                                  "{\"checksum_types\": [\"md5\",\"sha1\",\"sha224\",\"sha256\",\"sha384\",\"sha512\"],"
                                  " \"output\": \"{{.ChecksumType}}.{{.BuildName}}\"}",
                                  &context, both, &made, &keep, NULL),
                         0);
        assert_true(keep);
        assert_int_equal(strv_len(STRV(made.files)), 8);
        for (size_t i = 0; i < 6; i++) {
                CLEANUP_FREE char *tool = xasprintf("%ssum", types[i]), *file = xasprintf("%s.board", types[i]);

                list = CAPTURE(tool, "--strict", "-c", file);
                assert_string_equal(list, "disk.img: OK\nnotes.txt: OK\n");
                free(steal(&list));
        }
        assert_int_equal(file_read("md5.board", 0, &first, NULL, NULL), 0);
        assert_non_null(strstr(first, "b1946ac92492d2347c6235b4d2611184\tnotes.txt\n"));
        artifact_clear(&made);
        assert_int_equal(post_run("checksum", "{\"output\": \"md5.board\"}", &context, one, &made, &keep, NULL), 0);
        free(CAPTURE("md5sum", "--strict", "-c", "md5.board"));
        assert_int_equal(file_read("md5.board", 0, &again, NULL, NULL), 0);
        assert_int_equal(strlen(first), strlen(again)); /* the line for disk.img took the old one's place */
        artifact_clear(&made);
        assert_int_equal(post_run("checksum", "{}", &context, one, &made, &keep, NULL), 0);
        assert_string_equal(made.files[1], "packer_board_arm_md5.checksum");
        assert_fails("checksum", "{\"checksum_types\": [\"sha265\"]}", one, "did you mean 'sha256'?");
        assert_fails("checksum", "{\"checksum_types\": [\"md5\", \"md5\"]}", one, "twice");
}

static void manifest(const char *json, const char *uuid, bool force)
{
        CLEANUP(artifact_clear) struct artifact made = {0};
        struct package_context other = context;
        bool keep = false;

        other.run_uuid = uuid;
        other.force = force;
        assert_int_equal(post_run("manifest", json, &other, both, &made, &keep, NULL), 0);
        assert_true(keep);
        assert_string_equal(made.builder_id, "slipway.arm");
        assert_int_equal(strv_len(STRV(made.files)), 2);
}

static void test_manifest(void **state)
{
        CLEANUP_FREE char *text = NULL, *query = NULL, *expected = NULL;

        (void)state;
        manifest("{\"custom_data\": {\"z\": \"1\", \"a\": \"{{.BuildName}}\"}, \"strip_path\": true}", "run-1", false);
        assert_int_equal(file_read("packer-manifest.json", 0, &text, NULL, NULL), 0);
        expected = xstrdup("{\n"
                           "  \"builds\": [\n"
                           "    {\n"
                           "      \"name\": \"board\",\n"
                           "      \"builder_type\": \"arm\",\n"
                           "      \"build_time\": 1700000000,\n"
                           "      \"files\": [\n"
                           "        {\n"
                           "          \"name\": \"disk.img\",\n"
                           "          \"size\": 3000001\n"
                           "        },\n"
                           "        {\n"
                           "          \"name\": \"notes.txt\",\n"
                           "          \"size\": 6\n"
                           "        }\n"
                           "      ],\n"
                           "      \"artifact_id\": \"id\",\n"
                           "      \"packer_run_uuid\": \"run-1\",\n"
                           "      \"custom_data\": {\n"
                           "        \"a\": \"board\",\n"
                           "        \"z\": \"1\"\n"
                           "      }\n"
                           "    }\n"
                           "  ],\n"
                           "  \"last_run_uuid\": \"run-1\"\n"
                           "}");
        assert_string_equal(text, expected);
        manifest("{\"strip_time\": true}", "run-2", false);
        query = CAPTURE("jq", "-c",
                        "[(.builds|length), .last_run_uuid, (.builds[1]|has(\"build_time\")), "
                        ".builds[1].custom_data, .builds[1].files[1].name]",
                        "packer-manifest.json");
        expected = (free(expected), xasprintf("[2,\"run-2\",false,null,\"%s\"]\n", notes));
        assert_string_equal(query, expected);
        manifest("{}", "run-2", true); /* -force, but the same run: goes on */
        free(query);
        query = CAPTURE("jq", ".builds|length", "packer-manifest.json");
        assert_string_equal(query, "3\n");
        manifest("{}", "run-3", true);
        free(query);
        query = CAPTURE("jq", ".builds|length", "packer-manifest.json");
        assert_string_equal(query, "1\n");
        assert_int_equal(file_write("broken.json", "{\"builds\": 7}", 13, 0644, NULL), 0);
        assert_fails("manifest", "{\"output\": \"broken.json\"}", one, "not a manifest");
        assert_int_equal(file_write("broken.json", "{\"builds\"", 9, 0644, NULL), 0);
        assert_fails("manifest", "{\"output\": \"broken.json\"}", one, "not JSON: line 1");
}

static void test_artifice(void **state)
{
        CLEANUP(artifact_clear) struct artifact made = {0};
        bool keep = false;

        (void)state;
        assert_int_equal(post_run("artifice", "{\"files\": [\"notes.txt\", \"*.img\", \"disk*\"]}", &context, one,
                                  &made, &keep, NULL),
                         0);
        assert_true(keep);
        assert_string_equal(made.files[0], "notes.txt");
        assert_string_equal(made.files[1], "disk.img");
        assert_string_equal(made.builder_id, "packer.post-processor.artifice");
        assert_fails("artifice", "{\"files\": [\"none.img\"]}", one, "there is no file 'none.img'");
        assert_fails("artifice", "{\"files\": []}", one, "at least one");
        assert_fails("artifice", "{}", one, "files");
}

static void test_shell_local(void **state)
{
        CLEANUP(artifact_clear) struct artifact made = {0};
        CLEANUP_FREE char *text = NULL;
        bool keep = false;

        (void)state;
        assert_int_equal(post_run("shell-local", "{\"inline\": [\"echo $PACKER_BUILD_NAME > said\"]}", &context, one,
                                  &made, &keep, NULL),
                         0);
        assert_true(keep);
        assert_string_equal(made.files[0], image);
        assert_int_equal(file_read("said", 0, &text, NULL, NULL), 0);
        assert_string_equal(text, "board\n");
        assert_fails("shell-local", "{\"inline\": [\"exit 3\"]}", one, "3");
}

/* A docker that writes down what it was told: what is tested is what we say to it. */
static void test_docker(void **state)
{
        static const char script[] =
                "#!/bin/sh\necho \"$@\" | sed 's|/tmp/slipway-docker[^ ]*|HOME|' >> \"$DOCKER_LOG\"\n"
                "case \"$*\" in *login*) cat >> \"$DOCKER_LOG\";; esac\n";
        CLEANUP(artifact_clear) struct artifact made = {0};
        CLEANUP_FREE char *path = xstrdup(getenv("PATH")), *bin = path_join(dir, "bin"), *log = path_join(dir, "log"),
                          *docker = path_join(bin, "docker"), *text = NULL;
        bool keep = true;

        (void)state;
        assert_int_equal(dir_make(bin, 0755, NULL), 0);
        assert_int_equal(file_write(docker, script, strlen(script), 0755, NULL), 0);
        setenv("DOCKER_LOG", log, 1);
        free(steal(&bin));
        bin = xasprintf("%s/bin:%s", dir, path);
        setenv("PATH", bin, 1);
        assert_int_equal(post_run("docker-import",
                                  "{\"repository\": \"me/arm\", \"tag\": \"v7\", \"platform\": \"linux/arm/v7\","
                                  " \"changes\": [\"CMD [\\\"/bin/sh\\\"]\"]}",
                                  &context, one, &made, &keep, NULL),
                         0);
        assert_string_equal(made.id, "me/arm:v7");
        assert_string_equal(made.builder_id, "packer.post-processor.docker-import");
        assert_int_equal(file_read(log, 0, &text, NULL, NULL), 0);
        assert_string_equal(text, "import --change CMD [\"/bin/sh\"] --platform linux/arm/v7 - me/arm:v7\n");
        assert_fails("docker-push", "{}", one, "behind docker-import");
        assert_fails("docker-push", "{\"login\": true}", one, "login_password");
        assert_fails("docker-push", "{\"ecr_login\": true}", one, "not supported");
        assert_int_equal(tree_remove(dir, NULL), 0); /* and without docker */
        assert_int_equal(mkdir(dir, 0755), 0);
        assert_int_equal(chdir(dir), 0);
        assert_int_equal(file_write(image, "x", 1, 0644, NULL), 0);
        assert_int_equal(file_write(notes, "hello\n", 6, 0644, NULL), 0);
        setenv("PATH", "/nonexistent", 1);
        if (!path_exists("/usr/sbin/docker") && !path_exists("/sbin/docker"))
                assert_fails("docker-import", "{\"repository\": \"x\"}", one, "'docker' is not installed");
        setenv("PATH", path, 1);
}

static void test_executable(void **state)
{
        static const char script[] =
                "#!/bin/sh\ncase $1 in\n"
                "describe) echo "
                "'{\"version\":1,\"kind\":\"post-processor\",\"keys\":{\"suffix\":{\"type\":\"string\",\"required\":"
                "true}}}';;\n"
                "run) jq -c "
                "'{artifact:{id:.config.suffix,files:[.artifact.files[]+.config.suffix]},keep_input:false}';;\n"
                "*) exit 2;;\nesac\n";
        CLEANUP(artifact_clear) struct artifact made = {0};
        bool keep = true;

        (void)state;
        assert_int_equal(dir_make("plugins", 0755, NULL), 0);
        assert_int_equal(file_write("plugins/slipway-post-processor-suffix", script, strlen(script), 0755, NULL), 0);
        assert_int_equal(post_run("suffix", "{\"suffix\": \".new\"}", &context, one, &made, &keep, NULL), 0);
        assert_false(keep);
        assert_string_equal(made.id, ".new");
        assert_true(str_ends(made.files[0], "disk.img.new"));
        assert_fails("suffix", "{}", one, "suffix");
        assert_null(post_processor_find("no-such-thing"));
}

static void test_names(void **state)
{
        const char *const *names = post_processor_names();

        (void)state;
        for (size_t i = 0; names[i]; i++) {
                assert_non_null(post_processor_find(names[i]));
                if (i > 0)
                        assert_true(strcmp(names[i - 1], names[i]) < 0);
        }
        assert_true(strv_has(names, "compress"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_compress_names),
                cmocka_unit_test(test_compress_is_reproducible),
                cmocka_unit_test(test_compress_errors),
                cmocka_unit_test(test_checksum),
                cmocka_unit_test(test_manifest),
                cmocka_unit_test(test_artifice),
                cmocka_unit_test(test_shell_local),
                cmocka_unit_test(test_executable),
                cmocka_unit_test(test_docker),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
