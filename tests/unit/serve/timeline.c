/* Events folded into boots, and what is said of those that stop. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include "serve/timeline.h"

static const uint8_t mac[6] = {0x52, 0x54, 0, 1, 2, 3};
static int64_t clock_us;

static bool happens(struct timeline *timeline, enum event_kind kind, const char *text, const char *path,
                    enum client_kind client, int status)
{
        struct client who = {.kind = client, .platform = PLATFORM_UEFI_X64};
        bool transfer = kind >= EVENT_TFTP_START && kind <= EVENT_HTTP_ERROR;
        struct event event = {.kind = kind,
                              .time_us = clock_us += 1000,
                              .text = text,
                              .path = path,
                              .status = status,
                              .address = kind == EVENT_OTHER_SERVER ? 0x0a000002 : 0x0a000007,
                              .client = client < CLIENT_KINDS ? &who : NULL};

        event.has_mac = !transfer;
        memcpy(event.mac, mac, 6);
        return timeline_event(timeline, &event, NULL);
}

struct looked {
        enum boot_state state;
        char diagnosis[256];
        size_t n, stages;
        unsigned int files;
};

static int take(void *arg, struct boot *boot)
{
        struct looked *looked = arg;
        CLEANUP_FREE char *diagnosis = boot_diagnose(&boot->facts, clock_us);

        looked->n++;
        looked->state = boot_state(boot, clock_us);
        looked->stages = boot->stages.n;
        looked->files = boot->facts.total_files;
        snprintf(looked->diagnosis, sizeof(looked->diagnosis), "%s", diagnosis ? diagnosis : "");
        return 0;
}

static struct looked look(struct timeline *timeline)
{
        struct looked looked = {0};

        timeline_each(timeline, take, &looked);
        return looked;
}

static const enum client_kind NONE = CLIENT_KINDS;

static void from_firmware_to_system(void **state)
{
        struct timeline *t = timeline_new();
        struct looked looked;

        (void)state;
        clock_us = 1000000;
        /* Nobody that boots: not kept. */
        assert_false(happens(t, EVENT_DHCP_IN, "DISCOVER", NULL, CLIENT_OTHER, 0));
        assert_false(happens(t, EVENT_TFTP_START, NULL, "x", NONE, 0));
        assert_int_equal(look(t).n, 0);

        assert_true(happens(t, EVENT_DHCP_IN, "DISCOVER", NULL, CLIENT_PXE, 0));
        happens(t, EVENT_DHCP_OUT, "OFFER", "snponly.efi", CLIENT_PXE, 0);
        happens(t, EVENT_DHCP_IN, "REQUEST", NULL, CLIENT_PXE, 0);
        happens(t, EVENT_DHCP_OUT, "ACK", "snponly.efi", CLIENT_PXE, 0);
        happens(t, EVENT_TFTP_START, NULL, "snponly.efi", NONE, 0);
        assert_true(happens(t, EVENT_TFTP_END, NULL, "snponly.efi", NONE, 0));
        happens(t, EVENT_DHCP_IN, "DISCOVER", NULL, CLIENT_IPXE, 0);
        happens(t, EVENT_DHCP_IN, "DISCOVER", NULL, CLIENT_IPXE, 0);
        happens(t, EVENT_DHCP_OUT, "ACK", "boot.ipxe", CLIENT_IPXE, 0);
        happens(t, EVENT_HTTP_START, "GET", "/vmlinuz", NONE, 0);
        happens(t, EVENT_HTTP_END, NULL, "/vmlinuz", NONE, 200);
        looked = look(t);
        assert_int_equal(looked.n, 1);
        assert_int_equal(looked.state, BOOT_UNDER_WAY);
        assert_int_equal(looked.files, 2);
        assert_int_equal(looked.stages, 10); /* two DISCOVERs are one */
        happens(t, EVENT_DHCP_IN, "DISCOVER", NULL, CLIENT_OTHER, 0);
        happens(t, EVENT_DHCP_OUT, "ACK", NULL, CLIENT_OTHER, 0);
        assert_int_equal(look(t).state, BOOT_UP);
        clock_us += 3600 * (int64_t)1000000;
        assert_int_equal(look(t).state, BOOT_UP);

        /* It is started again. */
        happens(t, EVENT_DHCP_IN, "DISCOVER", NULL, CLIENT_PXE, 0);
        looked = look(t);
        assert_int_equal(looked.n, 1);
        assert_int_equal(looked.stages, 1);
        assert_int_equal(looked.state, BOOT_UNDER_WAY);
        timeline_free(t);
}

/* What happens, and what is said of it when nothing follows. */
struct step {
        enum event_kind kind;
        const char *text, *path;
        int client, status;
};
#define ASKS(who)                                                                                                      \
        {                                                                                                              \
                EVENT_DHCP_IN, "DISCOVER", NULL, who, 0                                                                \
        }
#define OFFER(who)                                                                                                     \
        {                                                                                                              \
                EVENT_DHCP_OUT, "OFFER", "boot.efi", who, 0                                                            \
        }
#define LEASED(who)                                                                                                    \
        {EVENT_DHCP_IN, "REQUEST", NULL, who, 0},                                                                      \
        {                                                                                                              \
                EVENT_DHCP_OUT, "ACK", "boot.efi", who, 0                                                              \
        }
#define LOADS(path)                                                                                                    \
        {EVENT_TFTP_START, NULL, path, CLIENT_KINDS, 0},                                                               \
        {                                                                                                              \
                EVENT_TFTP_END, NULL, path, CLIENT_KINDS, 0                                                            \
        }

static void where_it_stops(void **state)
{
        static const struct {
                const char *says;
                struct step steps[12];
        } rows[] = {
                {"did not take our OFFER: it does not reach", {ASKS(CLIENT_PXE), OFFER(CLIENT_PXE)}},
                {"option 43", {ASKS(CLIENT_PI), OFFER(CLIENT_PI)}},
                {"another DHCP server, 10.0.0.2",
                 {ASKS(CLIENT_PXE), OFFER(CLIENT_PXE), {EVENT_OTHER_SERVER, NULL, NULL, CLIENT_KINDS, 0}}},
                {"is not answered: no address is left",
                 {ASKS(CLIENT_PXE), {EVENT_DHCP_DROP, "no address is left", NULL, CLIENT_PXE, 0}}},
                {"never asked port 4011", {ASKS(CLIENT_PXE), {EVENT_PROXY_OUT, "OFFER", NULL, CLIENT_PXE, 0}}},
                {"asked on port 4011 and was not answered",
                 {ASKS(CLIENT_PXE),
                  {EVENT_PROXY_OUT, "OFFER", NULL, CLIENT_PXE, 0},
                  {EVENT_BINL_IN, "REQUEST", NULL, CLIENT_PXE, 0}}},
                {"was told to load 'boot.efi', and never asked",
                 {ASKS(CLIENT_PXE), OFFER(CLIENT_PXE), LEASED(CLIENT_PXE)}},
                {"nothing to boot", {ASKS(CLIENT_PXE), {EVENT_DHCP_OUT, "ACK", NULL, CLIENT_PXE, 0}}},
                {"asked for 'boot.efi', which is not there",
                 {ASKS(CLIENT_PXE),
                  OFFER(CLIENT_PXE),
                  LEASED(CLIENT_PXE),
                  {EVENT_TFTP_ERROR, "no such file", "boot.efi", CLIENT_KINDS, 1}}},
                {"asked for '/linux', which is not there",
                 {ASKS(CLIENT_IPXE),
                  LEASED(CLIENT_IPXE),
                  {EVENT_HTTP_START, "GET", "/linux", CLIENT_KINDS, 0},
                  {EVENT_HTTP_END, NULL, "/linux", CLIENT_KINDS, 404}}},
                {"a download broke off: silence",
                 {ASKS(CLIENT_PXE),
                  LEASED(CLIENT_PXE),
                  {EVENT_TFTP_START, NULL, "boot.efi", CLIENT_KINDS, 0},
                  {EVENT_TFTP_ERROR, "silence", "boot.efi", CLIENT_KINDS, 0}}},
                {"in the middle of 'boot.efi'",
                 {ASKS(CLIENT_PXE), LEASED(CLIENT_PXE), {EVENT_TFTP_START, NULL, "boot.efi", CLIENT_KINDS, 0}}},
                {"loads 'boot.efi' over and over",
                 {ASKS(CLIENT_IPXE),
                  LEASED(CLIENT_IPXE),
                  LOADS("boot.efi"),
                  ASKS(CLIENT_IPXE),
                  LEASED(CLIENT_IPXE),
                  LOADS("boot.efi"),
                  ASKS(CLIENT_IPXE),
                  {EVENT_DHCP_OUT, "OFFER", "boot.efi", CLIENT_IPXE, 0}}},
                {"loaded 'boot.efi' last", {ASKS(CLIENT_PXE), LEASED(CLIENT_PXE), LOADS("boot.efi")}},
                {"loaded '/ipxe.efi' last, and was not heard of again: with Secure Boot",
                 {ASKS(CLIENT_HTTP), LEASED(CLIENT_HTTP), LOADS("/ipxe.efi")}},
                {"loaded GRUB, 'grubnetx64.efi', which asks the server that gave the address",
                 {{EVENT_PROXY_IN, "DISCOVER", NULL, CLIENT_PXE, 0},
                  {EVENT_PROXY_OUT, "OFFER", NULL, CLIENT_PXE, 0},
                  {EVENT_BINL_IN, "REQUEST", NULL, CLIENT_PXE, 0},
                  {EVENT_BINL_OUT, "ACK", "grubnetx64.efi", CLIENT_PXE, 0},
                  LOADS("grubnetx64.efi")}},
                {"loaded 'linux' last",
                 {{EVENT_PROXY_IN, "DISCOVER", NULL, CLIENT_UBOOT, 0},
                  {EVENT_DHCP_DROP, "U-Boot knows nothing of proxyDHCP", NULL, CLIENT_UBOOT, 0},
                  LOADS("linux")}},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct timeline *t = timeline_new();
                struct looked looked;

                clock_us = 1000000;
                for (const struct step *step = rows[i].steps;
                     step < rows[i].steps + 12 && (step->text || step->path || step->kind); step++)
                        happens(t, step->kind, step->text, step->path, (enum client_kind)step->client, step->status);
                if (!strstr(rows[i].says, "over and over")) {
                        looked = look(t);
                        assert_int_equal(looked.state, BOOT_UNDER_WAY);
                }
                clock_us += 300 * (int64_t)1000000;
                looked = look(t);
                assert_int_equal(looked.state, BOOT_STOPPED);
                if (!strstr(looked.diagnosis, rows[i].says))
                        fail_msg("row %zu: '%s' is not in '%s'", i, rows[i].says, looked.diagnosis);
                timeline_free(t);
        }
}

static int in_order(void *arg, struct boot *boot)
{
        (void)arg;
        assert_int_equal(boot->stages.n, 3);
        for (size_t i = 1; i < boot->stages.n; i++)
                assert_true(boot->stages.v[i - 1].at_us < boot->stages.v[i].at_us);
        assert_int_equal(boot->stages.v[1].kind, EVENT_DHCP_OUT);
        return 0;
}

/* The DHCP server tells of its ACK after the file was fetched already. */
static void told_late(void **state)
{
        struct timeline *t = timeline_new();

        (void)state;
        clock_us = 1000000;
        happens(t, EVENT_DHCP_IN, "DISCOVER", NULL, CLIENT_IPXE, 0);
        clock_us += 100000;
        happens(t, EVENT_HTTP_END, "GET", "/boot.ipxe", CLIENT_KINDS, 200);
        clock_us -= 50000;
        happens(t, EVENT_DHCP_OUT, "ACK", "boot.ipxe", CLIENT_IPXE, 0);
        timeline_each(t, in_order, NULL);
        timeline_free(t);
}

static int all_in_json(void *arg, struct boot *boot)
{
        json_t *object = boot_json(boot, true, clock_us + 3600000000);
        const json_t *stages = json_object_get(object, "stages");

        (void)arg;
        assert_int_equal(json_array_size(stages), 3);
        assert_non_null(strstr(json_string_value(json_object_get(json_array_get(stages, 2), "text")), "gr\\xfc\\xdf"));
        assert_non_null(strstr(json_string_value(json_object_get(object, "diagnosis")), "'gr\\xfc\\xdf'"));
        json_decref(object);
        return 0;
}

/* What is not UTF-8 is no string of JSON: it is escaped, not left out. */
static void names_of_any_bytes(void **state)
{
        struct timeline *t = timeline_new();
        const struct event event = {.kind = EVENT_TFTP_ERROR, .text = "not\xff", .path = "gr\xfc\xdf"};
        json_t *object = event_json(&event);

        (void)state;
        assert_string_equal(json_string_value(json_object_get(object, "path")), "gr\\xfc\\xdf");
        assert_string_equal(json_string_value(json_object_get(object, "text")), "not\\xff");
        json_decref(object);
        clock_us = 1000000;
        happens(t, EVENT_DHCP_IN, "DISCOVER", NULL, CLIENT_PXE, 0);
        happens(t, EVENT_DHCP_OUT, "ACK", "boot.0", CLIENT_PXE, 0);
        happens(t, EVENT_TFTP_ERROR, "not there", "gr\xfc\xdf", CLIENT_KINDS, 1);
        timeline_each(t, all_in_json, NULL);
        timeline_free(t);
}

/* More machines and stages than are kept. */
static void bounded(void **state)
{
        struct timeline *t = timeline_new();
        struct client who = {.kind = CLIENT_PXE};
        struct event event = {.kind = EVENT_DHCP_IN, .text = "DISCOVER", .has_mac = true, .client = &who};
        char path[32];

        (void)state;
        for (unsigned int i = 0; i < 40000; i++) {
                event.time_us = i;
                event.mac[3] = (uint8_t)(i >> 16);
                event.mac[4] = (uint8_t)(i >> 8);
                event.mac[5] = (uint8_t)i;
                timeline_event(t, &event, NULL);
        }
        assert_in_range(look(t).n, 16000, 17000);
        event.kind = EVENT_TFTP_START;
        event.path = path;
        for (unsigned int i = 0; i < 1000; i++) {
                snprintf(path, sizeof(path), "file%u", i);
                timeline_event(t, &event, NULL);
        }
        timeline_free(t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(from_firmware_to_system),
                cmocka_unit_test(where_it_stops),
                cmocka_unit_test(told_late),
                cmocka_unit_test(names_of_any_bytes),
                cmocka_unit_test(bounded),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
