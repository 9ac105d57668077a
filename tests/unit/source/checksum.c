#include "test.h"

#include <errno.h>
#include <string.h>

#include "source/checksum.h"

#define MD5    "d41d8cd98f00b204e9800998ecf8427e"
#define SHA1   "da39a3ee5e6b4b0d3255bfef95601890afd80709"
#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OTHER  "0000000000000000000000000000000000000000000000000000000000000000"
#define SHA512                                                                                                         \
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd4741" \
        "7a"                                                                                                           \
        "81a538327af927da3e"

static void test_types(void **state)
{
        static const struct {
                const char *text;
                enum checksum_type type;
        } rows[] = {
                {NULL, CHECKSUM_UNKNOWN},       {"", CHECKSUM_UNKNOWN},      {"none", CHECKSUM_NONE},
                {"None", CHECKSUM_NONE},        {"md5", CHECKSUM_MD5},       {"md5sum", CHECKSUM_MD5},
                {"MD5SUM", CHECKSUM_MD5},       {"sha1", CHECKSUM_SHA1},     {"SHA-256", CHECKSUM_SHA256},
                {"sha256sum", CHECKSUM_SHA256}, {"Sha512", CHECKSUM_SHA512},
        };
        enum checksum_type type;
        CLEANUP_ERROR struct error err = {0};

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                assert_int_equal(checksum_type_parse(rows[i].text, &type, NULL), 0);
                assert_int_equal(type, rows[i].type);
        }
        assert_int_equal(checksum_type_parse("crc32", &type, &err), -EINVAL);
        assert_non_null(strstr(error_message(&err), "'crc32'"));
}

static void test_given(void **state)
{
        struct checksum sum;

        (void)state;
        assert_int_equal(checksum_parse(" E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855\n",
                                        CHECKSUM_SHA256, &sum, NULL),
                         0);
        assert_string_equal(sum.hex, SHA256);
        assert_int_equal(checksum_parse("md5:" MD5, CHECKSUM_UNKNOWN, &sum, NULL), 0);
        assert_int_equal(sum.type, CHECKSUM_MD5);
        assert_int_equal(checksum_parse(SHA512, CHECKSUM_UNKNOWN, &sum, NULL), 0);
        assert_int_equal(sum.type, CHECKSUM_SHA512);
}

static void refused(const char *text, enum checksum_type type, const char *part)
{
        CLEANUP_ERROR struct error err = {0};
        struct checksum sum;

        assert_int_equal(checksum_parse(text, type, &sum, &err), -EINVAL);
        if (!strstr(error_message(&err), part))
                fail_msg("'%s' is not in: %s", part, error_message(&err));
}

static void test_refused(void **state)
{
        (void)state;
        refused(MD5, CHECKSUM_SHA256, "has 32 digits, but sha256 has 64 (it looks like md5)");
        refused("sha1:" SHA1, CHECKSUM_SHA256, "says sha1");
        refused("crc:" SHA1, CHECKSUM_UNKNOWN, "'crc'");
        refused("abc", CHECKSUM_UNKNOWN, "has 3 digits");
        refused("word", CHECKSUM_SHA256, "not a hexadecimal number");
        refused("", CHECKSUM_SHA256, "not a hexadecimal number");
}

static void finds(const char *text, const char *name, enum checksum_type type, const char *hex)
{
        CLEANUP_ERROR struct error err = {0};
        struct checksum sum;

        if (checksum_file_find(text, name, type, &sum, &err) < 0)
                fail_msg("%s: %s", text, error_message(&err));
        assert_string_equal(sum.hex, hex);
}

static void test_files(void **state)
{
        (void)state;
        finds(SHA256, "a.img", CHECKSUM_SHA256, SHA256);
        finds(SHA256 "\r\n", "a.img", CHECKSUM_UNKNOWN, SHA256);
        finds(SHA256 "  a.img\n", "a.img", CHECKSUM_SHA256, SHA256);
        finds(OTHER " *b.img\n" SHA256 " *a.img\n", "a.img", CHECKSUM_SHA256, SHA256);
        finds("# comment\n\n" OTHER "  b.img\r\n" SHA256 "  ./deep/er/a.img\r\n", "a.img", CHECKSUM_SHA256, SHA256);
        finds("SHA256 (b.img) = " OTHER "\nSHA256 (a (1).img) = " SHA256 "\n", "a (1).img", CHECKSUM_SHA256, SHA256);
        finds("SHA2-256(a.img)= " SHA256 "\n", "a.img", CHECKSUM_UNKNOWN, SHA256);
        finds("\\" SHA256 "  a\\\\b\\nc.img\n", "a\\b\nc.img", CHECKSUM_SHA256, SHA256);
        finds(SHA256 "\ta.img", "a.img", CHECKSUM_SHA256, SHA256);
        finds("\xef\xbb\xbf" SHA256 "  a.img\n", "a.img", CHECKSUM_SHA256, SHA256);
        finds(SHA256 "  -\n", "a.img", CHECKSUM_SHA256, SHA256);
        finds(MD5 "  a.img\n" SHA512 "  a.img\n" SHA256 "  a.img\n", "a.img", CHECKSUM_SHA256, SHA256);
        finds("MD5 (a.img) = " MD5 "\nSHA512 (a.img) = " SHA512 "\n", "a.img", CHECKSUM_UNKNOWN, SHA512);
        finds(OTHER "  a.img.sig\n" SHA256 "  a.img\n", "a.img", CHECKSUM_SHA256, SHA256);
}

static void test_clear_signed(void **state)
{
        (void)state;
        finds("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n" OTHER " *b.img\n" SHA256
              " *a.img\n-----BEGIN PGP SIGNATURE-----\n\n" OTHER "  a.img\n-----END PGP SIGNATURE-----\n",
              "a.img", CHECKSUM_SHA256, SHA256);
        finds("junk before: " OTHER "  a.img\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA1\r\n\r\n" SHA256
              "  a.img\r\n",
              "a.img", CHECKSUM_SHA256, SHA256);
}

static void missing(const char *text, const char *name, enum checksum_type type, const char *part)
{
        CLEANUP_ERROR struct error err = {0};
        struct checksum sum;

        assert_true(checksum_file_find(text, name, type, &sum, &err) < 0);
        if (!strstr(error_message(&err), part))
                fail_msg("'%s' is not in: %s", part, error_message(&err));
}

static void test_not_there(void **state)
{
        (void)state;
        missing(OTHER "  b.img\n" SHA256 "  c.img\n", "a.img", CHECKSUM_SHA256, "it has those of 'b.img', 'c.img'");
        missing("<html>not found</html>", "a.img", CHECKSUM_SHA256, "begins with \"<html>");
        missing("", "a.img", CHECKSUM_SHA256, "no digest in it");
        missing(MD5 "  a.img\n", "a.img", CHECKSUM_SHA256, "has 32 digits, but sha256 has 64");
        missing(MD5, "a.img", CHECKSUM_SHA256, "has 32 digits, but sha256 has 64");
        missing(SHA256 "00  a.img\n", "a.img", CHECKSUM_UNKNOWN, "has 66 digits");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_types), cmocka_unit_test(test_given),        cmocka_unit_test(test_refused),
                cmocka_unit_test(test_files), cmocka_unit_test(test_clear_signed), cmocka_unit_test(test_not_there),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
