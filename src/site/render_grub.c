/* grub.cfg: GRUB's script language. Every word is in single quotes, in which
 * nothing but a quote means anything. Files are named from the device that GRUB itself came from. */
#include <string.h>

#include "site/render.h"

static void quote(struct str *out, const char *s, size_t n)
{
        str_add(out, " '");
        for (size_t i = 0; i < n; i++) {
                if (s[i] == '\'')
                        str_add(out, "'\\'");
                str_addc(out, s[i]);
        }
        str_addc(out, '\'');
}

/* "a=b c=\"d e\"" as words, without the double quotes: GRUB puts them back around a word with blanks. */
static void words(struct str *out, const char *line)
{
        while (*line) {
                CLEANUP_STR struct str word = {0};
                bool quoted = false;

                line += strspn(line, " ");
                for (; *line && (quoted || *line != ' '); line++)
                        if (*line == '"')
                                quoted = !quoted;
                        else
                                str_addc(&word, *line);
                if (word.len > 0)
                        quote(out, str_get(&word), word.len);
        }
}

static void path(struct str *out, const char *name)
{
        CLEANUP_STR struct str s = {0};

        str_addf(&s, "/%s", name);
        quote(out, str_get(&s), s.len);
}

int site_render_grub(struct site_request *request, struct str *out, struct error *err)
{
        struct site_kernel k = {0};
        int r;

        if (site_boots_disk(request)) {
                str_add(out, "exit 1\n");
                return 0;
        }
        r = site_kernel(request, &k, err);
        if (r < 0)
                return r;
        if (!*k.kernel)
                return 1;
        str_add(out, "linux");
        path(out, k.kernel);
        words(out, k.cmdline);
        str_addc(out, '\n');
        if (*k.initrds)
                str_add(out, "initrd");
        for (const char *const *initrd = k.initrds; *initrd; initrd++)
                path(out, *initrd);
        if (*k.initrds)
                str_addc(out, '\n');
        if (*k.dtb) {
                str_add(out, "devicetree");
                path(out, k.dtb);
                str_addc(out, '\n');
        }
        str_add(out, "boot\n");
        return 0;
}
