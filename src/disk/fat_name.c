/* FAT: names and times. A name is stored as 11 bytes in capitals ("8.3", with two
 * bits that say that base or extension is meant in small letters, as Linux and
 * Windows NT do), and where that does not say it all, in UTF-16 as well. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "disk/fat.h"

enum { LOWER_BASE = 0x08, LOWER_EXT = 0x10 };

/* Code page 437 from 0x80 on: what short names were written in. */
static const uint16_t cp437[128] = {
        0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee,
        0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6,
        0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa,
        0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502,
        0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514,
        0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
        0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c,
        0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
        0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320,
        0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};

char *fat_name_decode(const uint16_t *units, size_t n)
{
        CLEANUP_STR struct str out = {0};

        for (size_t i = 0; i < n; i++) {
                uint32_t c = units[i];

                if (c >= 0xd800 && c < 0xdc00 && i + 1 < n && units[i + 1] >= 0xdc00 && units[i + 1] < 0xe000)
                        c = 0x10000 + ((c - 0xd800) << 10) + (units[++i] - 0xdc00u);
                else if (c >= 0xd800 && c < 0xe000)
                        c = 0xfffd;
                str_add_utf8(&out, c);
        }
        if (out.len == 0 || strchr(out.s, '/') || strlen(out.s) != out.len || str_eq(out.s, ".") || str_eq(out.s, ".."))
                return NULL;
        return str_steal(&out);
}

static void add_short_part(struct str *out, const uint8_t *bytes, size_t n, bool lower)
{
        while (n > 0 && bytes[n - 1] == ' ')
                n--;
        for (size_t i = 0; i < n; i++) {
                uint8_t c = bytes[i];

                if (lower && c >= 'A' && c <= 'Z')
                        c = (uint8_t)(c - 'A' + 'a');
                if (c < 0x20 || c == '/' || c == 0x7f)
                        c = '_'; /* no name at all; seen on damaged media only */
                str_add_utf8(out, c < 0x80 ? c : cp437[c - 0x80]);
        }
}

char *fat_short_name(const uint8_t raw[FAT_SLOT])
{
        CLEANUP_STR struct str out = {0};
        uint8_t bytes[11];

        memcpy(bytes, raw, sizeof(bytes));
        if (bytes[0] == 0x05)
                bytes[0] = 0xe5;
        add_short_part(&out, bytes, 8, raw[12] & LOWER_BASE);
        if (bytes[8] != ' ') {
                str_addc(&out, '.');
                add_short_part(&out, bytes + 8, 3, raw[12] & LOWER_EXT);
        }
        return str_steal(&out);
}

uint8_t fat_short_sum(const uint8_t raw[11])
{
        uint8_t sum = 0;

        for (int i = 0; i < 11; i++)
                sum = (uint8_t)((sum & 1 ? 0x80 : 0) + (sum >> 1) + raw[i]);
        return sum;
}

/* Capitals of the scripts in which FAT names are likely to differ by case only. */
static uint32_t capital(uint32_t c)
{
        if ((c >= 'a' && c <= 'z') || (c >= 0xe0 && c <= 0xfe && c != 0xf7) ||
            (c >= 0x3b1 && c <= 0x3c9 && c != 0x3c2) || (c >= 0x430 && c <= 0x44f))
                return c - 0x20;
        if (c >= 0x450 && c <= 0x45f)
                return c - 0x50;
        if ((c >= 0x100 && c <= 0x137 && c != 0x131) || (c >= 0x14a && c <= 0x177) || (c >= 0x460 && c <= 0x481))
                return c & ~1u;
        return c;
}

char *fat_name_key(const char *name)
{
        CLEANUP_STR struct str out = {0};

        while (*name) {
                int32_t c = str_next_utf8(&name);

                if (c < 0)
                        str_addc(&out, *name++);
                else
                        str_add_utf8(&out, capital((uint32_t)c));
        }
        return str_steal(&out);
}

/* ---- storing ---- */

static bool short_char(char c)
{
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'()-@^_`{}~", c));
}

/* A part of a short name (at most `max` characters) from n bytes of the name:
 * capitals, and '_' for what is not allowed. *ret_lossy: something was lost or
 * replaced; *ret_case: 0 none, 1 capitals, 2 small, 3 both. */
static size_t short_part(const char *s, size_t n, uint8_t *out, size_t max, bool *ret_lossy, unsigned int *ret_case)
{
        size_t len = 0;

        for (size_t i = 0; i < n; i++) {
                char c = s[i];

                if ((c & 0xc0) == 0x80) /* inside a UTF-8 sequence */
                        continue;
                if (c == ' ' || c == '.') {
                        *ret_lossy = true;
                        continue;
                }
                if (c >= 'a' && c <= 'z') {
                        c = (char)(c - 'a' + 'A');
                        *ret_case |= 2;
                } else if (c >= 'A' && c <= 'Z') {
                        *ret_case |= 1;
                }
                if (!short_char(c)) {
                        c = '_';
                        *ret_lossy = true;
                }
                if (len == max) {
                        *ret_lossy = true;
                        break;
                }
                out[len++] = (uint8_t)c;
        }
        return len;
}

static int to_utf16(const char *name, struct fat_stored_name *ret, struct error *err)
{
        const char *p = name;

        ret->n = 0;
        while (*p) {
                int32_t c = str_next_utf8(&p);

                if (c < 0)
                        return error_set(err, EILSEQ, "the name is not UTF-8, which FAT's long names need");
                if (c < 0x20 || c == 0x7f || (c < 0x80 && strchr("\"*:<>?\\|", c)))
                        return error_set(err, EINVAL, "FAT allows no '%c' (byte 0x%02x) in a name",
                                         c < 0x20 ? '.' : (char)c, (unsigned int)c);
                if (ret->n + (c > 0xffff) >= sizeof(ret->units) / sizeof(ret->units[0]))
                        return error_set(err, ENAMETOOLONG, "the name is longer than FAT's 255 characters");
                if (c > 0xffff) {
                        ret->units[ret->n++] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
                        c = 0xdc00 + ((c - 0x10000) & 0x3ff);
                }
                ret->units[ret->n++] = (uint16_t)c;
        }
        p = name + strlen(name) - 1;
        if (*p == '.' || *p == ' ')
                return error_set(err, EINVAL, "FAT allows no name that ends in a dot or a blank");
        return 0;
}

int fat_name_encode(const char *name, struct fat_stored_name *ret, struct error *err)
{
        const char *dot = strrchr(name, '.');
        size_t base_len;
        unsigned int base_case = 0, ext_case = 0;
        bool lossy = false;
        int r;

        if (!*name)
                return error_set(err, EINVAL, "a name is missing");
        r = to_utf16(name, ret, err);
        if (r < 0)
                return r;
        if (dot == name)
                dot = NULL; /* ".profile" has no extension */
        memset(ret->base, ' ', sizeof(ret->base));
        base_len = short_part(name, dot ? (size_t)(dot - name) : strlen(name), ret->base, 8, &lossy, &base_case);
        if (dot)
                short_part(dot + 1, strlen(dot + 1), ret->base + 8, 3, &lossy, &ext_case);
        if (base_len == 0) {
                ret->base[0] = '_';
                lossy = true;
        }
        ret->exact = !lossy;
        ret->case_bits = (uint8_t)((base_case == 2 ? LOWER_BASE : 0) | (ext_case == 2 ? LOWER_EXT : 0));
        ret->short_only = !lossy && base_case != 3 && ext_case != 3;
        return 0;
}

void fat_short_try(const struct fat_stored_name *stored, const char *name, unsigned int attempt, uint8_t out[11])
{
        char tail[16];
        uint32_t hash = 2166136261u; /* FNV-1a */
        size_t base_len = 0, tail_len, keep;

        memcpy(out, stored->base, 11);
        if (stored->exact && attempt == 0)
                return;
        if (attempt <= 9) {
                snprintf(tail, sizeof(tail), "~%u", stored->exact ? attempt : attempt + 1);
        } else {
                for (const char *p = name; *p; p++)
                        hash = (hash ^ (uint8_t)*p) * 16777619u;
                hash = (hash ^ attempt) * 16777619u;
                snprintf(tail, sizeof(tail), "%04X~1", (hash >> 8) & 0xffff);
        }
        while (base_len < 8 && out[base_len] != ' ')
                base_len++;
        tail_len = strlen(tail);
        keep = base_len > 8 - tail_len ? 8 - tail_len : base_len;
        memcpy(out + keep, tail, tail_len);
}

/* ---- times ---- */

void fat_put_times(uint8_t raw[FAT_SLOT], int64_t unix_time)
{
        struct tm tm;
        time_t t = (time_t)unix_time;
        uint16_t date, clock;

        if (t < 315532800) /* 1980-01-01 */
                t = 315532800;
        if (t > 4354819198) /* 2107-12-31 23:59:58 */
                t = 4354819198;
        gmtime_r(&t, &tm);
        date = (uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
        clock = (uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
        raw[13] = 0; /* hundredths of the creation */
        put_le16(raw + 14, clock);
        put_le16(raw + 16, date);
        put_le16(raw + 18, date);
        put_le16(raw + 22, clock);
        put_le16(raw + 24, date);
}

int64_t fat_get_time(const uint8_t raw[FAT_SLOT])
{
        uint16_t clock = get_le16(raw + 22), date = get_le16(raw + 24);
        struct tm tm = {.tm_year = (date >> 9) + 80,
                        .tm_mon = (date >> 5 & 15) - 1,
                        .tm_mday = date & 31,
                        .tm_hour = clock >> 11,
                        .tm_min = clock >> 5 & 63,
                        .tm_sec = (clock & 31) * 2};

        return date == 0 ? 0 : (int64_t)timegm(&tm);
}
