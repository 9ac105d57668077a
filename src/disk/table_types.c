/* Partition types as templates write them. A dos type is a byte in hex; a gpt
 * type is a GUID, or the four-digit code that sgdisk gave it, or the dos byte
 * of which that code is the extension. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "disk/table.h"

static int parse_hex(const char *s, unsigned long *ret)
{
        const char *digits = strncasecmp(s, "0x", 2) == 0 ? s + 2 : s;
        size_t n = strspn(digits, "0123456789abcdefABCDEF");

        if (n == 0 || n > 4 || digits[n])
                return -EINVAL;
        *ret = strtoul(digits, NULL, 16);
        return 0;
}

int dos_type_parse(const char *s, unsigned int *ret, struct error *err)
{
        unsigned long code;

        if (parse_hex(s, &code) == 0 && code > 0xff && (code & 0xff) == 0)
                code >>= 8; /* sgdisk's way of writing it */
        else if (parse_hex(s, &code) < 0 || code > 0xff || code == 0)
                return error_set(err, EINVAL,
                                 "'%s' is not a partition type of a dos table: a hex byte was expected, such as 83 "
                                 "(Linux), c (FAT32), 82 (swap), ef (EFI system)",
                                 s);
        *ret = (unsigned int)code;
        return 0;
}

bool dos_type_extended(unsigned int type)
{
        return type == 0x05 || type == 0x0f || type == 0x85;
}

static bool is_guid(const char *s)
{
        static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

        if (strlen(s) != sizeof(form) - 1)
                return false;
        for (size_t i = 0; form[i]; i++)
                if (form[i] == '-' ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
                        return false;
        return true;
}

int gpt_type_parse(const char *s, const char **ret_guid, struct error *err)
{
        unsigned long code;

        if (is_guid(s)) {
                *ret_guid = s;
                return 0;
        }
        if (parse_hex(s, &code) < 0)
                return error_set(err, EINVAL,
                                 "'%s' is not a partition type of a gpt table: an sgdisk code was expected, such as "
                                 "8300 (Linux), ef00 (EFI system), 0700 (FAT), or a GUID",
                                 s);
        if (code <= 0xff)
                code <<= 8;
        if ((code >= 0x0100 && code <= 0x0c00 && (code & 0xff) == 0) || code == 0x0e00)
                code = 0x0700; /* every FAT and NTFS byte is "basic data" there, as in sgdisk */
        for (size_t i = 0; i < gpt_types_n; i++) {
                if (gpt_types[i].code != code)
                        continue;
                *ret_guid = gpt_types[i].guid;
                return 0;
        }
        return error_set(err, EINVAL,
                         "partition type '%s' is not known for gpt tables; 'sgdisk -L' lists the codes, and a "
                         "GUID is always understood",
                         s);
}
