/* What simulated clients send, against captures of the firmware. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/file.h"
#include "simulate/kind.h"

/* A capture: bytes in hexadecimal. Returns their number. */
static size_t capture(const char *kind, const char *type, uint8_t *ret)
{
        CLEANUP_FREE char *text = NULL, *path = NULL;
        size_t n = 0;

        assert_true(asprintf(&path, "%s/simulate/%s.%s.hex", getenv("GOLDEN"), kind, type) > 0);
        assert_int_equal(file_read(path, 0, &text, NULL, NULL), 0);
        for (const char *p = text; *p; p += 2) {
                unsigned int byte;

                if (*p == '\n')
                        p++;
                if (sscanf(p, "%2x", &byte) != 1)
                        break;
                ret[n++] = (uint8_t)byte;
        }
        return n;
}

static uint32_t option_at(const uint8_t *message, size_t n, uint8_t code)
{
        struct dhcp_message parsed;
        const char *reason;

        assert_int_equal(dhcp_parse(message, n, &parsed, &reason), 0);
        return dhcp_get_u32(&parsed, code, 0);
}

static void as_captured(void **state)
{
        static const char *const kinds[] = {"ipxe", "uefi-x64", "uefi-arm64", "uefi-http", "u-boot"};
        uint8_t want[DHCP_SIZE_MAX], got[DHCP_SIZE_MAX];

        (void)state;
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                const struct sim_kind *kind = sim_kind_find(kinds[i]);
                struct sim_identity who = {0};
                struct sim_ask ask = {0};
                size_t n = capture(kinds[i], "discover", want);

                assert_non_null(kind);
                who.xid = get_be32(want + 4);
                memcpy(who.mac, want + 28, 6);
                assert_int_equal(sim_discover(kind, &who, &ask, got), n);
                assert_memory_equal(got, want, n);

                n = capture(kinds[i], "request", want);
                ask = (struct sim_ask){.tries = 3,
                                       .got_offer = true,
                                       .address = option_at(want, n, DHCP_OPT_REQUESTED_ADDRESS),
                                       .server = option_at(want, n, DHCP_OPT_SERVER_ID)};
                assert_int_equal(sim_request(kind, &who, &ask, got), n);
                assert_memory_equal(got, want, n);
        }
}

static void raspberry_pi(void **state)
{
        const struct sim_kind *kind = sim_kind_find("pi4");
        uint8_t bytes[DHCP_SIZE_MAX];
        struct dhcp_message message;
        struct sim_identity who;
        struct sim_ask ask = {0};
        const char *reason;
        const uint8_t *uuid;
        size_t n;

        (void)state;
        sim_identify(kind, 0, &who);
        assert_int_equal(dhcp_parse(bytes, sim_discover(kind, &who, &ask, bytes), &message, &reason), 0);
        uuid = dhcp_get(&message, DHCP_OPT_UUID, &n);
        assert_int_equal(n, 17);
        assert_memory_equal(uuid, "\0RPi4", 5);
        assert_memory_equal(uuid + 9, who.mac + 2, 4);
        assert_int_equal(get_le32(uuid + 13), who.serial);

        kind = sim_kind_find("pi3");
        sim_identify(kind, 7, &who);
        assert_int_equal(who.xid, 0x26f30339);
}

/* Each number is somebody else, and the same each time. */
static void identities(void **state)
{
        (void)state;
        for (size_t i = 0; i < sim_n_kinds; i++) {
                struct sim_identity a, b, again;

                sim_identify(&sim_kinds[i], 0, &a);
                sim_identify(&sim_kinds[i], 300, &b);
                sim_identify(&sim_kinds[i], 300, &again);
                assert_memory_not_equal(a.mac, b.mac, 6);
                assert_memory_equal(&b, &again, sizeof(b));
                assert_ptr_equal(sim_kind_find(sim_kinds[i].name), &sim_kinds[i]);
        }
        assert_null(sim_kind_find("toaster"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(as_captured),
                cmocka_unit_test(raspberry_pi),
                cmocka_unit_test(identities),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
