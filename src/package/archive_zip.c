/* zip (PKWARE APPNOTE 6.3.9), written here because libarchive compresses zip
 * on one core only. Sizes and CRC are written into each local header when they
 * are known, so that no data descriptors are needed and every reader is content. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/sparse.h"
#include "base/str.h"
#include "base/vec.h"
#include "package/archives.h"
#include "package/deflate.h"
#include "package/parallel.h"

enum {
        LOCAL_BYTES = 30,
        LOCAL_EXTRA_BYTES = 20,
        CENTRAL_BYTES = 46,
        END64_BYTES = 56,
        LOCATOR_BYTES = 20,
        END_BYTES = 22,
        FLAG_UTF8 = 1 << 11,
        METHOD_DEFLATE = 8,
        MADE_BY_UNIX = 3 << 8,
        VERSION_DEFLATE = 20,
        VERSION_ZIP64 = 45,
};

#define MAX32 0xffffffffU

struct member {
        const struct archive_file *file;
        uint64_t offset;
        struct deflate_result result;
        bool zip64; /* the local header has room for 64-bit sizes */
};

struct zip {
        int fd, level;
        VEC(struct member) members;
        struct str central;
};

static void zip_done(struct zip *zip)
{
        vec_free(&zip->members);
        str_clear(&zip->central);
}

static uint32_t min32(uint64_t v)
{
        return v > MAX32 ? MAX32 : (uint32_t)v;
}

/* MS-DOS date and time (4.4.6), of UTC so that it does not depend on where we are. */
static uint32_t dos_time(int64_t seconds)
{
        time_t t = seconds < 315532800 ? 315532800 : seconds; /* 1980 */
        struct tm tm;

        gmtime_r(&t, &tm);
        return (uint32_t)(tm.tm_year - 80) << 25 | (uint32_t)(tm.tm_mon + 1) << 21 | (uint32_t)tm.tm_mday << 16 |
               (uint32_t)tm.tm_hour << 11 | (uint32_t)tm.tm_min << 5 | (uint32_t)tm.tm_sec / 2;
}

/* 4.3.7, and 4.5.3 for the 64-bit sizes. */
static void local_header(const struct member *member, uint8_t header[LOCAL_BYTES], uint8_t extra[LOCAL_EXTRA_BYTES])
{
        memset(header, 0, LOCAL_BYTES);
        put_le32(header, 0x04034b50);
        put_le16(header + 4, member->zip64 ? VERSION_ZIP64 : VERSION_DEFLATE);
        put_le16(header + 6, FLAG_UTF8);
        put_le16(header + 8, METHOD_DEFLATE);
        put_le32(header + 10, dos_time(member->file->mtime));
        put_le32(header + 14, member->result.crc);
        put_le32(header + 18, member->zip64 ? MAX32 : (uint32_t)member->result.out_bytes);
        put_le32(header + 22, member->zip64 ? MAX32 : (uint32_t)member->result.in_bytes);
        put_le16(header + 26, (uint16_t)strlen(member->file->name));
        put_le16(header + 28, member->zip64 ? LOCAL_EXTRA_BYTES : 0);
        put_le16(extra, 1);
        put_le16(extra + 2, 16);
        put_le64(extra + 4, member->result.in_bytes);
        put_le64(extra + 12, member->result.out_bytes);
}

static int write_header(int fd, const struct member *member, struct error *err)
{
        uint8_t header[LOCAL_BYTES], extra[LOCAL_EXTRA_BYTES];
        size_t n_name = strlen(member->file->name);
        off_t at = (off_t)member->offset;
        int r;

        local_header(member, header, extra);
        r = fd_pwrite_all(fd, header, LOCAL_BYTES, at);
        if (r == 0)
                r = fd_pwrite_all(fd, member->file->name, n_name, at + LOCAL_BYTES);
        if (r == 0 && member->zip64)
                r = fd_pwrite_all(fd, extra, LOCAL_EXTRA_BYTES, at + LOCAL_BYTES + (off_t)n_name);
        return r < 0 ? error_errno(err, -r, "write the zip archive") : 0;
}

static int write_member(void *arg, const void *data, size_t n, struct error *err)
{
        return deflate_write(arg, data, n, err);
}

static int add_file(struct zip *zip, const struct archive_file *file, struct ui *ui, uint64_t *done, struct error *err)
{
        /* a size that deflate could push past 32 bits counts as one */
        struct member member = {
                .file = file, .offset = (uint64_t)lseek(zip->fd, 0, SEEK_END), .zip64 = file->size >= 0xf0000000U};
        struct deflate *deflate = NULL;
        int r = write_header(zip->fd, &member, err);

        if (r < 0)
                return r;
        lseek(zip->fd, 0, SEEK_END);
        r = deflate_open(zip->fd, zip->level, parallel_cores(), &deflate, err);
        if (r == 0)
                r = sparse_pour(file->fd, file->size, ui, done, write_member, deflate, err);
        if (r == 0)
                r = deflate_finish(deflate, &member.result, err);
        deflate_free(deflate);
        if (r == 0)
                r = write_header(zip->fd, &member, err);
        if (r < 0)
                return error_wrap(err, r, "'%s'", file->path);
        vec_push(&zip->members, member);
        return 0;
}

/* 4.3.12: only what does not fit in 32 bits goes into the zip64 extra field. */
static void add_central(struct str *out, const struct member *member)
{
        uint64_t in = member->result.in_bytes, compressed = member->result.out_bytes;
        uint8_t header[CENTRAL_BYTES] = {0}, extra[28];
        size_t n = 4;

        if (in >= MAX32)
                put_le64(extra + n, in), n += 8;
        if (compressed >= MAX32)
                put_le64(extra + n, compressed), n += 8;
        if (member->offset >= MAX32)
                put_le64(extra + n, member->offset), n += 8;
        put_le16(extra, 1);
        put_le16(extra + 2, (uint16_t)(n - 4));
        n = n == 4 ? 0 : n;
        put_le32(header, 0x02014b50);
        put_le16(header + 4, MADE_BY_UNIX | VERSION_ZIP64);
        put_le16(header + 6, n || member->zip64 ? VERSION_ZIP64 : VERSION_DEFLATE);
        put_le16(header + 8, FLAG_UTF8);
        put_le16(header + 10, METHOD_DEFLATE);
        put_le32(header + 12, dos_time(member->file->mtime));
        put_le32(header + 16, member->result.crc);
        put_le32(header + 20, min32(compressed));
        put_le32(header + 24, min32(in));
        put_le16(header + 28, (uint16_t)strlen(member->file->name));
        put_le16(header + 30, (uint16_t)n);
        put_le32(header + 38, (0100000U | member->file->mode) << 16);
        put_le32(header + 42, min32(member->offset));
        str_addn(out, (char *)header, sizeof(header));
        str_add(out, member->file->name);
        str_addn(out, (char *)extra, n);
}

/* 4.3.14 to 4.3.16 */
static void add_end(struct str *out, uint64_t count, uint64_t offset)
{
        uint8_t end64[END64_BYTES] = {0}, locator[LOCATOR_BYTES] = {0}, end[END_BYTES] = {0};
        uint64_t size = out->len;

        if (offset >= MAX32 || size >= MAX32 || count >= 0xffff) {
                put_le32(end64, 0x06064b50);
                put_le64(end64 + 4, END64_BYTES - 12);
                put_le16(end64 + 12, MADE_BY_UNIX | VERSION_ZIP64);
                put_le16(end64 + 14, VERSION_ZIP64);
                put_le64(end64 + 24, count);
                put_le64(end64 + 32, count);
                put_le64(end64 + 40, size);
                put_le64(end64 + 48, offset);
                put_le32(locator, 0x07064b50);
                put_le64(locator + 8, offset + size);
                put_le32(locator + 16, 1);
                str_addn(out, (char *)end64, sizeof(end64));
                str_addn(out, (char *)locator, sizeof(locator));
        }
        put_le32(end, 0x06054b50);
        put_le16(end + 8, count > 0xffff ? 0xffff : (uint16_t)count);
        put_le16(end + 10, count > 0xffff ? 0xffff : (uint16_t)count);
        put_le32(end + 12, min32(size));
        put_le32(end + 16, min32(offset));
        str_addn(out, (char *)end, sizeof(end));
}

int archive_zip(int fd, int level, const struct archive_file *files, size_t n, struct ui *ui, struct error *err)
{
        CLEANUP(zip_done) struct zip zip = {.fd = fd, .level = level > 9 ? 9 : level > 0 ? level : 6};
        uint64_t done = 0;
        off_t offset;

        for (size_t i = 0; i < n; i++) {
                int r = add_file(&zip, &files[i], ui, &done, err);

                if (r < 0)
                        return r;
        }
        offset = lseek(fd, 0, SEEK_END);
        for (size_t i = 0; i < zip.members.n; i++)
                add_central(&zip.central, &zip.members.v[i]);
        add_end(&zip.central, zip.members.n, (uint64_t)offset);
        return encoder_emit(fd, str_get(&zip.central), zip.central.len, err);
}
