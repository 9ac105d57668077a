/* The length of a partition in a dos table, changed in place. libfdisk 2.38
 * refuses a logical partition that grows together with the extended one around
 * it, and nothing but the length changes: so the entries are patched here.
 *
 * The table: four entries of 16 bytes at 446 of the first sector: flag, CHS of
 * the first sector (3), type, CHS of the last (3), first sector and number of
 * sectors (32 bits, little endian). An extended partition begins with such a
 * sector (EBR), in which one entry is the logical partition, relative to this
 * EBR, and another, of an extended type, the link to the next EBR, relative
 * to the extended partition; the link's length is that of what it leads to. */
#include <errno.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/file.h"
#include "disk/table.h"

enum {
        ENTRIES = 446,
        ENTRY = 16,
        ENTRY_TYPE = 4,
        ENTRY_CHS_END = 5,
        ENTRY_START = 8,
        ENTRY_COUNT = 12,
        MAX_LOGICALS = 128,
        HEADS = 255,
        TRACK = 63,
};

struct boot_record {
        uint64_t sector;
        uint8_t bytes[SECTOR];
};

static uint8_t *entry(struct boot_record *record, unsigned int slot)
{
        return record->bytes + ENTRIES + slot * ENTRY;
}

static int record_read(int fd, uint64_t sector, struct boot_record *record, struct error *err)
{
        int r = fd_pread_all(fd, record->bytes, SECTOR, (off_t)(sector * SECTOR));

        record->sector = sector;
        if (r < 0)
                return error_errno(err, -r, "read the partition table in sector %llu", (unsigned long long)sector);
        if (get_le16(record->bytes + 510) != 0xaa55)
                return error_set(err, EINVAL,
                                 "sector %llu should hold a part of the partition table, but has not its mark",
                                 (unsigned long long)sector);
        return 0;
}

static int record_write(int fd, const struct boot_record *record, struct error *err)
{
        int r = fd_pwrite_all(fd, record->bytes, SECTOR, (off_t)(record->sector * SECTOR));

        return r < 0 ? error_errno(err, -r, "write the partition table") : 0;
}

/* Cylinder, head and sector of an LBA in the geometry that all use today;
 * beyond 1023 cylinders the largest value. */
static void put_chs(uint8_t *out, uint64_t lba)
{
        uint64_t cylinder = lba / (HEADS * TRACK);

        if (cylinder > 1023) {
                out[0] = 0xfe;
                out[1] = 0xff;
                out[2] = 0xff;
                return;
        }
        out[0] = (uint8_t)(lba / TRACK % HEADS);
        out[1] = (uint8_t)((lba % TRACK + 1) | (cylinder >> 2 & 0xc0));
        out[2] = (uint8_t)cylinder;
}

/* `base`: what the entry's start is relative to. */
static void entry_resize(uint8_t *e, uint64_t base, uint64_t sectors)
{
        put_le32(e + ENTRY_COUNT, (uint32_t)sectors);
        put_chs(e + ENTRY_CHS_END, base + get_le32(e + ENTRY_START) + sectors - 1);
}

/* The entry of an EBR that is a link (or, not `link`, the logical partition); NULL if none. */
static uint8_t *ebr_entry(struct boot_record *record, bool link)
{
        for (unsigned int slot = 0; slot < 4; slot++) {
                uint8_t *e = entry(record, slot);

                if (e[ENTRY_TYPE] != 0 && get_le32(e + ENTRY_COUNT) != 0 && dos_type_extended(e[ENTRY_TYPE]) == link)
                        return e;
        }
        return NULL;
}

/* Walk to the logical partition: *before is the EBR whose link leads to it, if any. */
static int find_logical(int fd, unsigned int number, uint64_t extended, struct boot_record *before,
                        struct boot_record *record, struct error *err)
{
        uint64_t sector = extended;
        unsigned int at = 4;

        for (unsigned int i = 0; i < MAX_LOGICALS; i++) {
                uint8_t *link;
                int r = record_read(fd, sector, record, err);

                if (r < 0)
                        return r;
                if (ebr_entry(record, false) && ++at == number)
                        return 0;
                link = ebr_entry(record, true);
                if (!link)
                        break;
                sector = extended + get_le32(link + ENTRY_START);
                *before = *record;
        }
        return error_set(err, ENOENT, "logical partition %u was not found in the extended one", number);
}

static int resize_logical(int fd, struct boot_record *mbr, unsigned int number, uint64_t sectors, struct error *err)
{
        struct boot_record before = {0}, record;
        uint8_t *extended = ebr_entry(mbr, true), *e, *link;
        uint64_t base;
        int r;

        if (!extended)
                return error_set(err, ENOENT, "there is no extended partition");
        base = get_le32(extended + ENTRY_START);
        r = find_logical(fd, number, base, &before, &record, err);
        if (r < 0)
                return r;
        e = ebr_entry(&record, false);
        entry_resize(e, record.sector, sectors);
        r = record_write(fd, &record, err);
        if (r < 0 || record.sector == base)
                return r;
        link = ebr_entry(&before, true);
        entry_resize(link, base, get_le32(e + ENTRY_START) + sectors);
        return record_write(fd, &before, err);
}

int table_dos_resize(int fd, unsigned int number, uint64_t sectors, struct error *err)
{
        struct boot_record mbr;
        int r = record_read(fd, 0, &mbr, err);

        if (r < 0)
                return r;
        if (sectors == 0 || sectors > UINT32_MAX)
                return error_set(err, ERANGE, "a dos table cannot hold a partition of %llu sectors",
                                 (unsigned long long)sectors);
        if (number > 4)
                return resize_logical(fd, &mbr, number, sectors, err);
        entry_resize(entry(&mbr, number - 1), 0, sectors);
        return record_write(fd, &mbr, err);
}
