/* What is written as pcapng, read by libpcap. */
#include "test.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/pcapng.h"

/* libpcap reads it from a file. */
static pcap_t *open_bytes(const uint8_t *bytes, size_t n)
{
        char reason[PCAP_ERRBUF_SIZE];
        FILE *file = tmpfile();
        pcap_t *pcap;

        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, n, file), n);
        rewind(file);
        pcap = pcap_fopen_offline(file, reason);
        if (!pcap)
                fail_msg("%s", reason);
        return pcap;
}

static void test_packets_are_read_back(void **state)
{
        static const size_t kept[] = {0, 1, 2, 3, 4, 60, PCAPNG_SNAP};
        enum { N = sizeof(kept) / sizeof(kept[0]) };
        static uint8_t frame[PCAPNG_SNAP], file[PCAPNG_HEAD_MAX + N * (PCAPNG_SNAP + PCAPNG_PACKET_OVERHEAD)];
        size_t n = pcapng_head("slipway 1.0", file);
        struct pcap_pkthdr header;
        const uint8_t *read;
        pcap_t *pcap;

        (void)state;
        assert_true(n <= PCAPNG_HEAD_MAX);
        for (size_t i = 0; i < sizeof(frame); i++)
                frame[i] = (uint8_t)(i * 7);
        for (size_t i = 0; i < N; i++) {
                const struct pcapng_packet packet = {.time_us = 1795881600123456 + (int64_t)i,
                                                     .outgoing = i % 2 == 1,
                                                     .frame = frame + (i % 2),
                                                     .kept = kept[i] > i % 2 ? kept[i] - i % 2 : 0,
                                                     .size = kept[i] + 1000};
                size_t size = pcapng_packet(&packet, file + n);

                assert_true(size <= packet.kept + PCAPNG_PACKET_OVERHEAD);
                assert_int_equal(size % 4, 0);
                n += size;
        }
        pcap = open_bytes(file, n);
        assert_int_equal(pcap_datalink(pcap), DLT_EN10MB);
        for (size_t i = 0; i < N; i++) {
                read = pcap_next(pcap, &header);
                assert_non_null(read);
                assert_int_equal(header.caplen, kept[i] > i % 2 ? kept[i] - i % 2 : 0);
                assert_int_equal(header.len, kept[i] + 1000);
                assert_memory_equal(read, frame + (i % 2), header.caplen);
                assert_int_equal(header.ts.tv_sec, 1795881600);
                assert_int_equal(header.ts.tv_usec, 123456 + i);
        }
        assert_null(pcap_next(pcap, &header));
        assert_string_equal(pcap_geterr(pcap), "");
        pcap_close(pcap);
}

static void test_a_long_name_is_cut(void **state)
{
        uint8_t file[PCAPNG_HEAD_MAX];
        char name[300];
        pcap_t *pcap;

        (void)state;
        memset(name, 'x', sizeof(name) - 1);
        name[sizeof(name) - 1] = '\0';
        for (size_t len = 0; len < sizeof(name); len++) {
                size_t n = pcapng_head(name + len, file);

                assert_true(n <= sizeof(file));
                pcap = open_bytes(file, n);
                pcap_close(pcap);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_packets_are_read_back),
                cmocka_unit_test(test_a_long_name_is_cut),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
