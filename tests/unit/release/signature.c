/* Signatures that the makers' own programs made. */
#include "helper.h"

#include "release/release_internal.h"

static int setup(void **state)
{
        if (scratch_setup(state) < 0)
                return -1;
        sh("echo 'the release' >data; echo 'another' >other\n"
           "minisign -G -W -f -p key.pub -s key.sec >/dev/null; minisign -G -W -f -p wrong.pub -s wrong.sec "
           ">/dev/null\n"
           "minisign -S -s key.sec -m data -x hashed.minisig -t 'file: data' >/dev/null\n"
           "minisign -S -l -s key.sec -m data -x whole.minisig >/dev/null\n"
           "sed 's/^trusted comment: .*/trusted comment: file: forged/' hashed.minisig >forged.minisig\n"
           "mkdir -m 700 gnupg; export GNUPGHOME=$PWD/gnupg\n"
           "trap 'gpgconf --kill all' EXIT\n" /* the agent goes, whatever fails */
           "gpg --batch --quiet --passphrase '' --quick-generate-key maker@example.org default default never "
           "2>/dev/null\n"
           "gpg --batch --quiet --passphrase '' --quick-generate-key other@example.org default default never "
           "2>/dev/null\n"
           "gpg --export maker@example.org >maker.gpg; gpg --armor --export maker@example.org >maker.asc\n"
           "gpg --armor --export other@example.org >other.asc\n"
           "gpg --batch -u maker@example.org --detach-sign -o data.sig data\n"
           "gpg --batch -u maker@example.org --armor --detach-sign -o data.asc data\n");
        return 0;
}

static int minisign(const char *signature, const char *key, const char *data, struct error *err)
{
        CLEANUP_FREE char *text = NULL, *key_text = NULL;
        CLEANUP_CLOSE int fd = open(data, O_RDONLY | O_CLOEXEC);

        assert_int_equal(file_read(signature, 0, &text, NULL, NULL), 0);
        assert_int_equal(file_read(key, 0, &key_text, NULL, NULL), 0);
        return release_check_minisign(text, key_text, fd, err);
}

static void test_minisign(void **state)
{
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        assert_int_equal(minisign("hashed.minisig", "key.pub", "data", NULL), 0);
        assert_int_equal(minisign("whole.minisig", "key.pub", "data", NULL), 0);
        assert_int_equal(minisign("hashed.minisig", "key.pub", "other", &err), -EBADMSG);
        assert_contains(error_message(&err), "not a signature of this file");
        assert_int_equal(minisign("whole.minisig", "key.pub", "other", &err), -EBADMSG);
        assert_int_equal(minisign("hashed.minisig", "wrong.pub", "data", &err), -EBADMSG);
        assert_contains(error_message(&err), "another key");
        assert_int_equal(minisign("forged.minisig", "key.pub", "data", &err), -EBADMSG);
        assert_contains(error_message(&err), "trusted comment");
        assert_int_equal(minisign("data", "key.pub", "data", &err), -EBADMSG);
        assert_int_equal(minisign("hashed.minisig", "data", "data", &err), -EINVAL);
}

/* Every text that is the signature with one byte changed is refused, and nothing is read past its end. */
static void test_minisign_mutations(void **state)
{
        CLEANUP_FREE char *text = NULL, *key = NULL;
        CLEANUP_CLOSE int fd = open("data", O_RDONLY | O_CLOEXEC);
        const char *line;
        size_t n;

        (void)state;
        assert_int_equal(file_read("hashed.minisig", 0, &text, &n, NULL), 0);
        assert_int_equal(file_read("key.pub", 0, &key, NULL, NULL), 0);
        line = strchr(text, '\n') + 1; /* the untrusted comment may say anything */
        for (size_t i = (size_t)(line - text); i + 1 < n; i++) {
                CLEANUP_FREE char *mutated = xstrdup(text);

                if (text[i] == '=' || text[i] == '\n')
                        continue;                        /* padding */
                mutated[i] = text[i] == 'A' ? 'g' : 'A'; /* other high bits: before padding the low ones mean nothing */
                assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
                assert_true(release_check_minisign(mutated, key, fd, NULL) < 0);
                mutated[i] = '\0';
                assert_true(release_check_minisign(mutated, key, fd, NULL) < 0);
        }
}

static int gpg(const char *signature, const char *key, const char *data, struct error *err)
{
        CLEANUP_FREE char *text = NULL;
        CLEANUP_CLOSE int fd = open(data, O_RDONLY | O_CLOEXEC);
        size_t n;

        assert_int_equal(file_read(signature, 0, &text, &n, NULL), 0);
        return release_check_gpg(text, n, key, fd, err);
}

static void test_gpg(void **state)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *armoured = NULL;

        (void)state;
        assert_int_equal(file_read("maker.asc", 0, &armoured, NULL, NULL), 0);
        assert_int_equal(gpg("data.sig", "maker.gpg", "data", NULL), 0);
        assert_int_equal(gpg("data.sig", "maker.asc", "data", NULL), 0);
        assert_int_equal(gpg("data.asc", armoured, "data", NULL), 0);
        assert_true(gpg("data.sig", "maker.gpg", "other", &err) < 0);
        assert_contains(error_message(&err), "BAD signature");
        assert_true(gpg("data.sig", "other.asc", "data", &err) < 0);
        assert_contains(error_message(&err), "No public key");
        assert_int_equal(gpg("data.sig", "missing.gpg", "data", &err), -ENOENT);
        assert_contains(error_message(&err), "public key");
        write_text("broken.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!!\n-----END PGP PUBLIC KEY BLOCK-----\n");
        assert_int_equal(gpg("data.sig", "broken.asc", "data", &err), -EBADMSG);
        write_text("broken.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\nmQ");
        assert_int_equal(gpg("data.sig", "broken.asc", "data", &err), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_minisign),
                cmocka_unit_test(test_minisign_mutations),
                cmocka_unit_test(test_gpg),
        };

        if (!has_program("minisign") || !has_program("gpg") || !has_program("gpgv")) {
                puts("minisign, gpg or gpgv is not installed");
                return 77;
        }
        return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
