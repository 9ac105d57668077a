#include "test.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "wire/dhcp.h"

/* A request with these options; the size of the message. */
static size_t request(uint8_t *buf, const char *options, size_t n)
{
        memset(buf, 0, DHCP_SIZE_MAX);
        buf[0] = DHCP_REQUEST_OP;
        buf[1] = DHCP_ETHERNET;
        buf[2] = 6;
        put_be32(buf + 236, 0x63825363);
        memcpy(buf + DHCP_HEADER, options, n);
        return DHCP_HEADER + n;
}
#define REQUEST(buf, options) request(buf, options, sizeof(options) - 1)

static void assert_option(const struct dhcp_message *message, uint8_t code, const char *bytes, size_t n)
{
        size_t len;
        const uint8_t *data = dhcp_get(message, code, &len);

        assert_non_null(data);
        assert_int_equal(len, n);
        assert_memory_equal(data, bytes, n);
}

static void assert_refused(const uint8_t *buf, size_t n, const char *expected)
{
        static struct dhcp_message message;
        const char *reason = NULL;

        assert_int_equal(dhcp_parse(buf, n, &message, &reason), -EBADMSG);
        assert_string_equal(reason, expected);
}

static void test_refused(void **state)
{
        uint8_t buf[DHCP_SIZE_MAX];
        size_t n = REQUEST(buf, "\x35\x01\x01\xff");

        (void)state;
        assert_refused(buf, 0, "shorter than 240 bytes");
        assert_refused(buf, 239, "shorter than 240 bytes");
        assert_refused(buf, sizeof(buf), "longer than 4095 bytes");
        buf[0] = 3;
        assert_refused(buf, n, "op is neither 1 nor 2");
        buf[0] = 1;
        buf[2] = 17;
        assert_refused(buf, n, "a hardware address of more than 16 bytes");
        buf[2] = 6;
        buf[236] = 0;
        assert_refused(buf, n, "no DHCP magic cookie");
        n = REQUEST(buf, "\x35\x01\x01\x0c\x05"
                         "abcd");
        assert_refused(buf, n, "an option reaches past the end");
        n = REQUEST(buf, "\x35\x01\x01\x0c");
        assert_refused(buf, n, "an option reaches past the end");
        n = REQUEST(buf, "\x35\x01\x00\xff");
        assert_refused(buf, n, "option 53 (message type) is not from 1 to 8");
        n = REQUEST(buf, "\x35\x01\x0d\xff");
        assert_refused(buf, n, "option 53 (message type) is not from 1 to 8");
        n = REQUEST(buf, "\x35\x00\xff");
        assert_refused(buf, n, "option 53 (message type) is not from 1 to 8");
        n = REQUEST(buf, "\x34\x01\x04\xff");
        assert_refused(buf, n, "option 52 (overload) is neither 1, 2 nor 3");
        n = REQUEST(buf, "\x34\x00\xff");
        assert_refused(buf, n, "option 52 (overload) is neither 1, 2 nor 3");
}

static void test_accepted(void **state)
{
        static struct dhcp_message message;
        uint8_t buf[DHCP_SIZE_MAX];
        const char *reason;
        size_t n = REQUEST(buf, "\x00\x00\x35\x01\x01\x00\x0c\x00\x32\x04\x0a\x00\x00\x01"); /* no end; an empty 12 */

        (void)state;
        buf[2] = 16;
        assert_int_equal(dhcp_parse(buf, n, &message, &reason), 0);
        assert_int_equal(message.type, DHCP_DISCOVER);
        assert_int_equal(message.n_options, 3);
        assert_int_equal(message.order[1], 12);
        assert_option(&message, 12, "", 0);
        assert_int_equal(dhcp_get_u32(&message, 50, 0), 0x0a000001);
        assert_int_equal(dhcp_get_u32(&message, 53, 7), 7); /* of another length */
        assert_int_equal(dhcp_get_u16(&message, 57, 9), 9); /* not there */
        assert_false(dhcp_has(&message, 255));
        assert_false(dhcp_has(&message, 0));

        n = REQUEST(buf, "");
        assert_int_equal(dhcp_parse(buf, n, &message, &reason), 0);
        assert_int_equal(message.type, DHCP_NONE); /* BOOTP */
}

/* RFC 3396: pieces in options, then file, then sname. */
static void test_overload_and_pieces(void **state)
{
        static struct dhcp_message message;
        uint8_t buf[DHCP_SIZE_MAX];
        const char *reason;
        size_t n = REQUEST(buf, "\x35\x01\x03\x34\x01\x03\x0c\x02"
                                "ab"
                                "\x3d\x03"
                                "xyz"
                                "\x0c\x02"
                                "cd"
                                "\xff");

        (void)state;
        memcpy(buf + 44,
               "\x0c\x01"
               "f"
               "\xff",
               4); /* sname */
        memcpy(buf + 108,
               "\x0c\x01"
               "e"
               "\x0f\x01"
               "d"
               "\xff",
               7); /* file */
        assert_int_equal(dhcp_parse(buf, n, &message, &reason), 0);
        assert_int_equal(message.overload, 3);
        assert_option(&message, 12, "abcdef", 6);
        assert_option(&message, 15, "d", 1);
        assert_option(&message, 61, "xyz", 3);
        assert_string_equal(message.h.file, "");
        assert_string_equal(message.h.sname, "");

        buf[DHCP_HEADER + 5] = 1; /* file alone: sname is a name */
        assert_int_equal(dhcp_parse(buf, n, &message, &reason), 0);
        assert_option(&message, 12, "abcde", 5);
        assert_string_equal(message.h.sname, "\x0c\x01"
                                             "f"
                                             "\xff");
        buf[DHCP_HEADER + 5] = 2;
        assert_int_equal(dhcp_parse(buf, n, &message, &reason), 0);
        assert_option(&message, 12, "abcdf", 5);

        buf[DHCP_HEADER + 5] = 1;
        memset(buf + 108, 12, 128); /* file holds options that reach past its end */
        assert_refused(buf, n, "an option reaches past the end");
}

/* Every size of message, cut at every place, is read or refused. */
static void test_cut_everywhere(void **state)
{
        static struct dhcp_message message;
        uint8_t buf[DHCP_SIZE_MAX];
        const char *reason;
        size_t n = REQUEST(buf, "\x35\x01\x01\x37\x03\x01\x03\x06\x52\x04\x01\x02"
                                "ab"
                                "\x3d\x03"
                                "xyz"
                                "\xff");

        (void)state;
        for (size_t i = 0; i <= n; i++) {
                uint8_t *exact = malloc(i ? i : 1); /* of this size, so that a sanitizer sees a byte too far */

                memcpy(exact, buf, i);
                dhcp_parse(exact, i, &message, &reason);
                free(exact);
        }
}

static void test_sub_options(void **state)
{
        static const uint8_t data[] = {1, 2, 'a', 'b', 2, 0, 9, 5, 'x'};
        size_t len;

        (void)state;
        assert_ptr_equal(dhcp_sub_get(data, sizeof(data), 1, &len), data + 2);
        assert_int_equal(len, 2);
        assert_non_null(dhcp_sub_get(data, sizeof(data), 2, &len));
        assert_int_equal(len, 0);
        assert_null(dhcp_sub_get(data, sizeof(data), 9, &len)); /* cut off */
        assert_null(dhcp_sub_get(data, sizeof(data), 5, &len));
        assert_null(dhcp_sub_get(data, 0, 1, &len));
}

/* ---- writing ---- */

static struct dhcp_writer writer;
static struct dhcp_message back;

static size_t written(size_t limit, uint8_t *buf)
{
        const char *reason = "";
        size_t n = dhcp_write(&writer, limit, buf);

        assert_int_equal(dhcp_parse(buf, n, &back, &reason), 0);
        return n;
}

static void start_reply(void)
{
        dhcp_writer_init(&writer);
        writer.h.op = DHCP_REPLY_OP;
        writer.h.htype = DHCP_ETHERNET;
        writer.h.hlen = 6;
        dhcp_put_u8(&writer, DHCP_OPT_TYPE, DHCP_OFFER);
}

static void test_write(void **state)
{
        uint8_t buf[DHCP_SIZE_MAX];

        (void)state;
        start_reply();
        writer.h.xid = 0x12345678;
        writer.h.flags = DHCP_BROADCAST_FLAG;
        writer.h.yiaddr = 0xc0000205;
        strcpy(writer.h.file, "boot.efi");
        dhcp_put(&writer, DHCP_OPT_AGENT, "\1\1a", 3);
        assert_true(dhcp_put_u32(&writer, DHCP_OPT_SERVER_ID, 0xc0000201));
        assert_false(dhcp_put_u32(&writer, DHCP_OPT_SERVER_ID, 1));
        assert_true(dhcp_put_text(&writer, DHCP_OPT_HOST_NAME, "pi"));
        assert_int_equal(written(DHCP_DEFAULT_SIZE, buf), DHCP_BOOTP_SIZE);
        assert_int_equal(back.h.xid, 0x12345678);
        assert_int_equal(back.h.flags, DHCP_BROADCAST_FLAG);
        assert_int_equal(back.h.yiaddr, 0xc0000205);
        assert_string_equal(back.h.file, "boot.efi");
        assert_int_equal(back.n_options, 4);
        assert_int_equal(back.order[0], DHCP_OPT_TYPE);
        assert_int_equal(back.order[3], DHCP_OPT_AGENT); /* last, though it was put before others */
        assert_int_equal(dhcp_get_u32(&back, DHCP_OPT_SERVER_ID, 0), 0xc0000201);
}

/* What does not fit goes to file and sname, and is left out after that; 82 never is. */
static void test_write_overload(void **state)
{
        uint8_t buf[DHCP_SIZE_MAX], filler[255];
        char agent[200];

        (void)state;
        memset(filler, 'x', sizeof(filler));
        memset(agent, 'a', sizeof(agent));
        start_reply();
        dhcp_put(&writer, 224, filler, 250);
        dhcp_put(&writer, 225, filler, 100); /* goes to file */
        dhcp_put(&writer, 226, filler, 50);  /* to sname */
        dhcp_put(&writer, 227, filler, 60);  /* nowhere */
        dhcp_put(&writer, DHCP_OPT_AGENT, agent, sizeof(agent));
        written(DHCP_DEFAULT_SIZE, buf);
        assert_int_equal(writer.dropped, 1);
        assert_int_equal(back.overload, 3);
        assert_true(dhcp_has(&back, 224) && dhcp_has(&back, 225) && dhcp_has(&back, 226));
        assert_false(dhcp_has(&back, 227));
        assert_option(&back, DHCP_OPT_AGENT, agent, sizeof(agent));

        strcpy(writer.h.file, "kept"); /* a file name stays one */
        written(DHCP_DEFAULT_SIZE, buf);
        assert_int_equal(back.overload, 2);
        assert_string_equal(back.h.file, "kept");
        assert_int_equal(writer.dropped, 2);
}

static void test_write_pieces(void **state)
{
        static const size_t lengths[] = {0, 1, 254, 255, 256, 510, 511, 1000};
        uint8_t buf[DHCP_SIZE_MAX], filler[1000];

        (void)state;
        for (size_t i = 0; i < sizeof(filler); i++)
                filler[i] = (uint8_t)(i * 7);
        for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
                start_reply();
                dhcp_put(&writer, 224, filler, lengths[i]);
                written(DHCP_ETHERNET_SIZE, buf);
                assert_option(&back, 224, (const char *)filler, lengths[i]);
                assert_int_equal(back.overload, 0);
        }
}

/* At every size around the limit the message is whole, and no longer than it may be. */
static void test_write_limits(void **state)
{
        uint8_t buf[DHCP_SIZE_MAX], filler[600] = {0};

        (void)state;
        for (size_t len = 0; len < sizeof(filler); len++) {
                size_t n;

                start_reply();
                dhcp_put(&writer, 224, filler, len);
                dhcp_put(&writer, 225, filler, 20);
                n = written(DHCP_DEFAULT_SIZE, buf);
                assert_true(n <= DHCP_DEFAULT_SIZE);
                assert_int_equal(back.n_options + writer.dropped, back.overload ? 4 : 3);
                assert_int_equal(buf[n - 1] == DHCP_OPT_END || n == DHCP_BOOTP_SIZE, 1);
        }
}

/* Fields that hold options too bring more of option 82 than an answer has room for: it is left out, and all else is
 * there. */
static void test_write_large_agent(void **state)
{
        static uint8_t agent[DHCP_SIZE_MAX];
        uint8_t buf[DHCP_SIZE_MAX];

        (void)state;
        for (size_t len = 3600; len < sizeof(agent) - 5; len++) {
                size_t n;

                start_reply();
                dhcp_put_u32(&writer, DHCP_OPT_SERVER_ID, 0xc0000201);
                dhcp_put(&writer, DHCP_OPT_AGENT, agent, len);
                n = dhcp_write(&writer, DHCP_ETHERNET_SIZE, buf);
                assert_in_range(n, DHCP_BOOTP_SIZE, DHCP_SIZE_MAX);
                if (n == DHCP_SIZE_MAX) /* it may be one byte more than is read */
                        continue;
                assert_int_equal(written(DHCP_ETHERNET_SIZE, buf), n);
                assert_int_equal(dhcp_get_u32(&back, DHCP_OPT_SERVER_ID, 0), 0xc0000201);
                assert_int_equal(dhcp_has(&back, DHCP_OPT_AGENT), writer.dropped == 0);
        }
}

static void test_format(void **state)
{
        CLEANUP_STR struct str text = {0};
        uint8_t buf[DHCP_SIZE_MAX];

        (void)state;
        start_reply();
        writer.h.yiaddr = 0xc0000205;
        dhcp_put_u32(&writer, DHCP_OPT_ROUTER, 0xc0000201);
        dhcp_put(&writer, 224, "\1\2", 2);
        written(DHCP_DEFAULT_SIZE, buf);
        dhcp_format(&back, &text);
        assert_string_equal(str_get(&text), "OFFER\n"
                                            "  xid 00000000 yiaddr 192.0.2.5 chaddr 00:00:00:00:00:00\n"
                                            "  3 routers 192.0.2.1\n"
                                            "  224 01:02\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_accepted),
                cmocka_unit_test(test_overload_and_pieces),
                cmocka_unit_test(test_cut_everywhere),
                cmocka_unit_test(test_sub_options),
                cmocka_unit_test(test_write),
                cmocka_unit_test(test_write_overload),
                cmocka_unit_test(test_write_pieces),
                cmocka_unit_test(test_write_limits),
                cmocka_unit_test(test_write_large_agent),
                cmocka_unit_test(test_format),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
