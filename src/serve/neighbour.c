#include "serve/neighbour.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "site/site.h"

enum { TABLE_MAX = 1 << 20 };

int neighbour_open(void)
{
        return open("/proc/net/arp", O_RDONLY | O_CLOEXEC);
}

/* "10.77.0.5  0x1  0x2  52:54:00:12:34:56  *  eth0": only what is complete (0x2) has a MAC. */
static bool line_mac(const char *line, uint8_t ret[6])
{
        char mac[18] = "", flags[12] = "";

        return sscanf(line, "%*s %*s %11s %17s", flags, mac) == 2 && strcmp(flags, "0x0") != 0 &&
               site_parse_mac(mac, ret) && memcmp(ret, "\0\0\0\0\0", 6) != 0;
}

bool neighbour_find(int table, uint32_t address, uint8_t ret_mac[6])
{
        CLEANUP_STR struct str text = {0};
        CLEANUP_FREE char *key = NULL;
        char buf[4096];
        const char *at;
        ssize_t n;

        if (table < 0)
                return false;
        str_addc(&text, '\n');
        while (text.len < TABLE_MAX && (n = pread(table, buf, sizeof(buf), (off_t)text.len - 1)) > 0)
                str_addn(&text, buf, (size_t)n);
        if (asprintf(&key, "\n%u.%u.%u.%u ", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255) < 0)
                return false;
        at = strstr(text.s, key);
        return at && line_mac(at + 1, ret_mac);
}
