/* TFTP packets, from what is sound to what a hostile client makes up. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "test.h"
#include "wire/tftp.h"

/* A literal with its NULs, without the last. */
#define PACKET(text) (text), sizeof(text) - 1

static void assert_request(const char *packet, size_t n, const char *path, enum tftp_mode mode)
{
        struct tftp_packet p;

        assert_int_equal(tftp_parse(packet, n, &p), 0);
        assert_int_equal(p.opcode, TFTP_RRQ);
        assert_string_equal(p.path, path);
        assert_int_equal(p.mode, mode);
}

static void test_requests(void **state)
{
        struct tftp_packet p;

        (void)state;
        assert_request(PACKET("\0\1boot/a.efi\0octet\0"), "boot/a.efi", TFTP_OCTET);
        assert_request(PACKET("\0\1a\0NetASCII\0"), "a", TFTP_NETASCII);
        assert_request(PACKET("\0\1a\0mail\0"), "a", TFTP_OTHER_MODE);
        assert_request(PACKET("\0\1\0octet\0"), "", TFTP_OCTET); /* refused as a file, not as a packet */
        assert_int_equal(tftp_parse(PACKET("\0\2a\0octet\0"), &p), 0);
        assert_int_equal(p.opcode, TFTP_WRQ);
}

static void test_terms(void **state)
{
        struct tftp_packet p;

        (void)state;
        assert_int_equal(tftp_parse(PACKET("\0\1a\0octet\0tsize\0"
                                           "0\0BLKSIZE\0"
                                           "1468\0timeout\0"
                                           "255\0windowsize\0"
                                           "64\0utimeout\0"
                                           "5000\0"),
                                    &p),
                         0);
        assert_true(p.terms.has_tsize && p.terms.has_blksize && p.terms.has_timeout && p.terms.has_windowsize);
        assert_int_equal(p.terms.tsize_bytes, 0);
        assert_int_equal(p.terms.blksize, 1468);
        assert_int_equal(p.terms.timeout_sec, 255);
        assert_int_equal(p.terms.windowsize, 64);
}

static struct tftp_terms one_term(const char *name, const char *value)
{
        char packet[256] = "\0\1a\0octet";
        size_t n = sizeof("\0\1a\0octet");
        struct tftp_packet p;

        n += (size_t)sprintf(packet + n, "%s", name) + 1;
        n += (size_t)sprintf(packet + n, "%s", value) + 1;
        assert_int_equal(tftp_parse(packet, n, &p), 0);
        return p.terms;
}

static void test_terms_out_of_range(void **state)
{
        static const char *const bad_sizes[] = {"0", "7", "65465", "-1", "8x", "", " 8", "+8", "99999999999999999999"};

        (void)state;
        for (size_t i = 0; i < sizeof(bad_sizes) / sizeof(bad_sizes[0]); i++)
                assert_false(one_term("blksize", bad_sizes[i]).has_blksize);
        assert_true(one_term("blksize", "8").has_blksize);
        assert_int_equal(one_term("blksize", "65464").blksize, 65464);
        assert_false(one_term("timeout", "0").has_timeout);
        assert_false(one_term("timeout", "256").has_timeout);
        assert_false(one_term("windowsize", "0").has_windowsize);
        assert_false(one_term("windowsize", "65536").has_windowsize);
        assert_int_equal(one_term("windowsize", "65535").windowsize, 65535);
        assert_false(one_term("tsize", "18446744073709551616").has_tsize);
        assert_false(one_term("tsize", "9223372036854775808").has_tsize);
        assert_true(one_term("tsize", "9223372036854775807").has_tsize);
}

static void test_repeated_and_unfinished_terms(void **state)
{
        struct tftp_packet p;

        (void)state;
        assert_int_equal(tftp_parse(PACKET("\0\1a\0octet\0blksize\0"
                                           "1024\0blksize\0"
                                           "8\0"),
                                    &p),
                         0);
        assert_int_equal(p.terms.blksize, 1024);
        assert_int_equal(tftp_parse(PACKET("\0\1a\0octet\0blksize\0"
                                           "1024"),
                                    &p),
                         0);
        assert_false(p.terms.has_blksize);
        assert_int_equal(tftp_parse(PACKET("\0\1a\0octet\0\0\0\0\0"), &p), 0); /* filled up with zeros */
}

static void test_no_packets(void **state)
{
        struct tftp_packet p;

        (void)state;
        assert_int_equal(tftp_parse("", 0, &p), -EBADMSG);
        assert_int_equal(tftp_parse(PACKET("\0"), &p), -EBADMSG);
        assert_int_equal(tftp_parse(PACKET("\0\0"), &p), -EBADMSG);
        assert_int_equal(tftp_parse(PACKET("\0\7"), &p), -EBADMSG);
        assert_int_equal(tftp_parse(PACKET("\1\1a\0octet\0"), &p), -EBADMSG);
        assert_int_equal(tftp_parse(PACKET("\0\1"), &p), -EBADMSG);
        assert_int_equal(tftp_parse(PACKET("\0\1name"), &p), -EBADMSG);
        assert_int_equal(tftp_parse(PACKET("\0\1name\0octet"), &p), -EBADMSG);
        assert_int_equal(tftp_parse(PACKET("\0\4\1"), &p), -EBADMSG);
        assert_int_equal(tftp_parse(PACKET("\0\5\0"), &p), -EBADMSG);
}

static void test_data_ack_error(void **state)
{
        struct tftp_packet p;

        (void)state;
        assert_int_equal(tftp_parse(PACKET("\0\3\xff\xfe"
                                           "abc"),
                                    &p),
                         0);
        assert_int_equal(p.block, 0xfffe);
        assert_int_equal(p.n_data, 3);
        assert_memory_equal(p.data, "abc", 3);
        assert_int_equal(tftp_parse(PACKET("\0\4\0\1trailing"), &p), 0);
        assert_int_equal(p.block, 1);
        assert_int_equal(p.n_data, 0);
        assert_int_equal(tftp_parse(PACKET("\0\5\0\10not this\0"), &p), 0);
        assert_int_equal(p.code, TFTP_ERROR_OPTION);
        assert_string_equal(p.text, "not this");
        assert_int_equal(tftp_parse(PACKET("\0\5\0\10no end"), &p), 0);
        assert_string_equal(p.text, "");
        assert_int_equal(tftp_parse(PACKET("\0\5\0\0"), &p), 0);
        assert_string_equal(p.text, "");
}

static void test_writing(void **state)
{
        struct tftp_terms terms = {true, true, true, true, 65464, 255, 65535, INT64_MAX};
        uint8_t buf[TFTP_SMALL_PACKET];
        char text[2 * TFTP_SMALL_PACKET];
        struct tftp_packet p;
        ssize_t n;

        (void)state;
        assert_int_equal(tftp_parse(buf, tftp_put_oack(buf, &terms), &p), 0);
        assert_int_equal(p.opcode, TFTP_OACK);
        assert_true(p.terms.has_blksize && p.terms.has_timeout && p.terms.has_tsize && p.terms.has_windowsize);
        assert_int_equal(p.terms.blksize, 65464);
        assert_int_equal(p.terms.timeout_sec, 255);
        assert_int_equal(p.terms.windowsize, 65535);
        assert_int_equal(p.terms.tsize_bytes, INT64_MAX);
        n = tftp_put_rrq(buf, "a/b", TFTP_NETASCII, &terms);
        assert_true(n > 0);
        assert_request((char *)buf, (size_t)n, "a/b", TFTP_NETASCII);
        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = '\0';
        assert_int_equal(tftp_put_rrq(buf, text, TFTP_OCTET, &terms), -ENAMETOOLONG);
        assert_int_equal(tftp_put_error(buf, 1, text), sizeof(buf));
        assert_int_equal(tftp_parse(buf, sizeof(buf), &p), 0);
        assert_int_equal(strlen(p.text), sizeof(buf) - 5);
        assert_int_equal(tftp_parse(buf, tftp_put_ack(buf, 65535), &p), 0);
        assert_int_equal(p.block, 65535);
}

static void test_netascii(void **state)
{
        static const char in[] = "a\nb\rc\r\n\n", want[] = "a\r\nb\r\0c\r\0\r\n\r\n";

        (void)state;
        for (size_t piece = 1; piece < sizeof(want); piece++) { /* pairs are cut at every place */
                uint8_t out[sizeof(want)];
                size_t n_in = 0, n_out = 0;
                int pending = -1;

                while (n_in < sizeof(in) - 1 || pending >= 0) {
                        size_t room = sizeof(want) - 1 - n_out;
                        struct tftp_encoded e =
                                tftp_netascii_encode(&pending, (const uint8_t *)in + n_in, sizeof(in) - 1 - n_in,
                                                     out + n_out, piece < room ? piece : room);

                        n_in += e.n_in;
                        n_out += e.n_out;
                }
                assert_int_equal(n_out, sizeof(want) - 1);
                assert_memory_equal(out, want, n_out);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requests),
                cmocka_unit_test(test_terms),
                cmocka_unit_test(test_terms_out_of_range),
                cmocka_unit_test(test_repeated_and_unfinished_terms),
                cmocka_unit_test(test_no_packets),
                cmocka_unit_test(test_data_ack_error),
                cmocka_unit_test(test_writing),
                cmocka_unit_test(test_netascii),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
