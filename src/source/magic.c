/* See magic.h. Signatures: RFC 1952 (gzip), the .xz and .lzma format papers,
 * lzip's manual, RFC 8878 (zstd), the LZ4 frame format, PKWARE's APPNOTE
 * (zip), 7zFormat.txt, POSIX pax (ustar, cpio), the UEFI specification (GPT,
 * MBR), and the kernel's include/uapi/linux/magic.h for file systems. */
#include "source/magic.h"

#include <stdint.h>
#include <string.h>

#include "base/bytes.h"

static const struct {
        enum content content;
        size_t offset;
        const char *bytes;
        size_t n;
        const char *name;
} signatures[] = {
#define MAGIC(content, offset, bytes, name)                                                                            \
        {                                                                                                              \
                content, offset, bytes, sizeof(bytes) - 1, name                                                        \
        }
        MAGIC(CONTENT_GZIP, 0, "\x1f\x8b\x08", "gzip"),
        MAGIC(CONTENT_XZ, 0,
              "\xfd"
              "7zXZ\0",
              "xz"),
        MAGIC(CONTENT_LZIP, 0, "LZIP", "lzip"),
        MAGIC(CONTENT_ZSTD, 0, "\x28\xb5\x2f\xfd", "zstd"),
        MAGIC(CONTENT_LZ4, 0, "\x04\x22\x4d\x18", "lz4"),
        MAGIC(CONTENT_LZ4, 0, "\x02\x21\x4c\x18", "lz4"),
        MAGIC(CONTENT_COMPRESS, 0, "\x1f\x9d", "compress"),
        MAGIC(CONTENT_ZIP, 0, "PK\x03\x04", "zip"),
        MAGIC(CONTENT_ZIP, 0, "PK\x05\x06", "zip"),
        MAGIC(CONTENT_7ZIP, 0, "7z\xbc\xaf\x27\x1c", "7z"),
        MAGIC(CONTENT_CPIO, 0, "070701", "cpio"),
        MAGIC(CONTENT_CPIO, 0, "070702", "cpio"),
        MAGIC(CONTENT_CPIO, 0, "070707", "cpio"),
        MAGIC(CONTENT_FOREIGN, 0, "QFI\xfb", "qcow2 (convert it with qemu-img)"),
        MAGIC(CONTENT_FOREIGN, 0, "KDMV", "VMDK (convert it with qemu-img)"),
        MAGIC(CONTENT_FOREIGN, 0, "vhdxfile", "VHDX (convert it with qemu-img)"),
        MAGIC(CONTENT_FOREIGN, 0, "\x3a\xff\x26\xed", "an Android sparse image (convert it with simg2img)"),
        MAGIC(CONTENT_TABLE, 512, "EFI PART", "a GPT"),
        MAGIC(CONTENT_TABLE, 4096, "EFI PART", "a GPT with sectors of 4096 bytes"),
        MAGIC(CONTENT_FILESYSTEM, 1080, "\x53\xef", "ext2/3/4"),
        MAGIC(CONTENT_FILESYSTEM, 0, "XFSB", "xfs"),
        MAGIC(CONTENT_FILESYSTEM, 65600, "_BHRfS_M", "btrfs"),
        MAGIC(CONTENT_FILESYSTEM, 1024, "\x10\x20\xf5\xf2", "f2fs"),
        MAGIC(CONTENT_FILESYSTEM, 1024, "\xe2\xe1\xf5\xe0", "erofs"),
        MAGIC(CONTENT_FILESYSTEM, 0, "hsqs", "squashfs"),
        MAGIC(CONTENT_FILESYSTEM, 3, "NTFS    ", "ntfs"),
        MAGIC(CONTENT_FILESYSTEM, 4086, "SWAPSPACE2", "swap"),
        MAGIC(CONTENT_FILESYSTEM, 0, "LUKS\xba\xbe", "LUKS"),
        MAGIC(CONTENT_FILESYSTEM, 32769, "CD001", "iso9660"),
#undef MAGIC
};

/* "BZh" and the block size, then a block's or the end's magic number. */
static bool is_bzip2(const uint8_t *p, size_t n)
{
        return n >= 10 && memcmp(p, "BZh", 3) == 0 && p[3] >= '1' && p[3] <= '9' &&
               (memcmp(p + 4, "1AY&SY", 6) == 0 || memcmp(p + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/* .lzma has no magic number: properties, a dictionary size that encoders
 * write (2^n or 2^n + 2^(n-1)), a size that is unknown or below 1 PiB, and the
 * range coder's first byte, which is always 0. */
static bool is_lzma(const uint8_t *p, size_t n)
{
        uint32_t dictionary, top;
        uint64_t size;

        if (n < 14 || p[0] != 0x5d || p[13] != 0)
                return false;
        dictionary = get_le32(p + 1);
        size = get_le64(p + 5);
        if (dictionary < 4096)
                return false;
        top = UINT32_C(1) << (31 - __builtin_clz(dictionary));
        return (dictionary == UINT32_MAX || dictionary == top || dictionary == top + top / 2) &&
               (size == UINT64_MAX || size < UINT64_C(1) << 50);
}

/* zstd data may begin with a skippable frame (RFC 8878, 3.1.2), as pzstd writes. */
static bool is_zstd_skippable(const uint8_t *p, size_t n)
{
        uint32_t size;

        if (n < 12 || (get_le32(p) & 0xfffffff0) != 0x184d2a50)
                return false;
        size = get_le32(p + 4);
        return size <= n - 12 && get_le32(p + 8 + size) == 0xfd2fb528;
}

static bool octal(const uint8_t *p, size_t n, uint32_t *ret)
{
        size_t i = 0;
        uint32_t value = 0;

        while (i < n && p[i] == ' ')
                i++;
        if (i == n || p[i] < '0' || p[i] > '7')
                return false;
        for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
                value = value * 8 + p[i] - '0';
        *ret = value;
        return true;
}

/* A header's checksum is the sum of its bytes with its own field as blanks;
 * old tars have no "ustar". */
static bool is_tar(const uint8_t *p, size_t n)
{
        uint32_t stated, sum = 0;

        if (n < 512 || p[0] == 0 || !octal(p + 148, 8, &stated))
                return false;
        for (size_t i = 0; i < 512; i++)
                sum += i >= 148 && i < 156 ? ' ' : p[i];
        return sum == stated;
}

static bool is_power(uint32_t v)
{
        return v && (v & (v - 1)) == 0;
}

/* The BIOS parameter block of FAT (Microsoft's fatgen103, section 3.1). */
static bool is_fat(const uint8_t *p, size_t n)
{
        uint16_t sector;

        if (n < 512 || (p[0] != 0xeb && p[0] != 0xe9) || get_le16(p + 510) != 0xaa55)
                return false;
        sector = get_le16(p + 11);
        return is_power(sector) && sector >= 512 && sector <= 4096 && is_power(p[13]) && get_le16(p + 14) > 0 &&
               (p[16] == 1 || p[16] == 2) && (p[21] == 0xf0 || p[21] >= 0xf8) && (get_le16(p + 19) || get_le32(p + 32));
}

/* Four entries of 16 bytes from 446: a flag of 0 or 0x80, and a partition in at least one. */
static bool is_mbr(const uint8_t *p, size_t n)
{
        bool found = false;

        if (n < 512 || get_le16(p + 510) != 0xaa55)
                return false;
        for (size_t i = 0; i < 4; i++) {
                const uint8_t *entry = p + 446 + 16 * i;

                if (entry[0] != 0 && entry[0] != 0x80)
                        return false;
                if (entry[4] != 0 && get_le32(entry + 12) != 0)
                        found = true;
        }
        return found;
}

static const struct {
        enum content content;
        bool (*test)(const uint8_t *p, size_t n);
        const char *name;
} tests[] = {
        {CONTENT_BZIP2, is_bzip2, "bzip2"},  {CONTENT_ZSTD, is_zstd_skippable, "zstd"},
        {CONTENT_LZMA, is_lzma, "lzma"},     {CONTENT_TAR, is_tar, "tar"},
        {CONTENT_FILESYSTEM, is_fat, "FAT"}, {CONTENT_TABLE, is_mbr, "a DOS partition table"},
};

static enum content known(enum content content, const char *name, const char **ret_name)
{
        if (ret_name)
                *ret_name = name;
        return content;
}

enum content magic_content(const void *data, size_t n, const char **ret_name)
{
        const uint8_t *p = data;
        enum content content = CONTENT_UNKNOWN;
        const char *name = "unknown";

        if (n == 0)
                return known(CONTENT_EMPTY, "empty", ret_name);
        for (size_t i = 0; i < sizeof(signatures) / sizeof(*signatures); i++) {
                if (signatures[i].offset > n || n - signatures[i].offset < signatures[i].n ||
                    memcmp(p + signatures[i].offset, signatures[i].bytes, signatures[i].n) != 0)
                        continue;
                if (signatures[i].content != CONTENT_FILESYSTEM)
                        return known(signatures[i].content, signatures[i].name, ret_name);
                if (content == CONTENT_UNKNOWN) {
                        content = signatures[i].content;
                        name = signatures[i].name;
                }
        }
        /* A table comes before a file system: hybrid ISO images have both. But what
         * looks like a table in a FAT or NTFS boot sector is its code. */
        for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++)
                if (tests[i].test(p, n) && (content == CONTENT_UNKNOWN || tests[i].content == CONTENT_TABLE))
                        return known(tests[i].content, tests[i].name, ret_name);
        return known(content, name, ret_name);
}
