/* TFTP packets: texts end in the packet, numbers are in their range, and what
 * is written of a packet reads the same. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "wire/tftp.h"

static void check_text(const char *text, const char *packet, size_t size)
{
        FUZZ_ASSERT(!*text ||
                    (text >= packet && text < packet + size && memchr(text, '\0', size - (size_t)(text - packet))));
}

static void check_terms(const struct tftp_terms *terms)
{
        uint8_t buf[TFTP_SMALL_PACKET];
        struct tftp_packet again;

        FUZZ_ASSERT(!terms->has_blksize || (terms->blksize >= TFTP_BLKSIZE_MIN && terms->blksize <= TFTP_BLKSIZE_MAX));
        FUZZ_ASSERT(!terms->has_timeout || terms->timeout_sec > 0);
        FUZZ_ASSERT(!terms->has_windowsize || terms->windowsize > 0);
        FUZZ_ASSERT(tftp_parse(buf, tftp_put_oack(buf, terms), &again) == 0);
        FUZZ_ASSERT(again.terms.blksize == terms->blksize && again.terms.timeout_sec == terms->timeout_sec &&
                    again.terms.tsize_bytes == terms->tsize_bytes && again.terms.windowsize == terms->windowsize);
}

static void check_netascii(const uint8_t *data, size_t size)
{
        uint8_t out[7];
        int pending = -1;

        for (size_t at = 0; at < size || pending >= 0;) {
                struct tftp_encoded e = tftp_netascii_encode(&pending, data + at, size - at, out, sizeof(out));

                FUZZ_ASSERT(e.n_out > 0 && e.n_out <= sizeof(out) && e.n_in <= size - at);
                at += e.n_in;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *packet = malloc(size + 1); /* of its exact size, for ASan */
        struct tftp_packet p;

        memcpy(packet, data, size);
        packet = realloc(packet, size > 0 ? size : 1);
        if (tftp_parse(packet, size, &p) == 0) {
                if (p.path)
                        check_text(p.path, packet, size);
                if (p.text)
                        check_text(p.text, packet, size);
                FUZZ_ASSERT(p.n_data <= size);
                check_terms(&p.terms);
        }
        check_netascii(data, size);
        free(packet);
        return 0;
}
