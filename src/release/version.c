/* Which of a tool's versions is meant. Makers write versions of their own kind
 * ("1.22rc1"): those that lang/version.h cannot read are pre-releases, which
 * have to be named. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lang/version.h"
#include "release/release_internal.h"

bool release_selector_is_exact(const char *selector)
{
        return strcmp(selector, "latest") != 0 && strcspn(selector, "~<>=!,* ") == strlen(selector);
}

int release_selector_fits(const char *selector, const char *version, bool *ret, struct error *err)
{
        bool readable = version_is_valid(version);

        if (release_selector_is_exact(selector)) {
                *ret = strcmp(selector, version) == 0 || (*selector == 'v' && strcmp(selector + 1, version) == 0);
                return 0;
        }
        if (strcmp(selector, "latest") == 0) {
                *ret = readable && !strchr(version, '-');
                return 0;
        }
        if (!readable) {
                *ret = false;
                return version_satisfies("0", selector, &(bool){false}, err);
        }
        return version_satisfies(version, selector, ret, err);
}

int release_compare_versions(const char *a, const char *b)
{
        if (version_is_valid(a) && version_is_valid(b))
                return version_compare(a, b);
        return strverscmp(a, b);
}

/* A total order for qsort: those that can be read stand before those that cannot. */
static int newest_first(const void *p, const void *q)
{
        const char *a = *(char *const *)p, *b = *(char *const *)q;
        bool a_valid = version_is_valid(a), b_valid = version_is_valid(b);

        if (a_valid != b_valid)
                return a_valid ? -1 : 1;
        return -release_compare_versions(a, b);
}

void release_sort_versions(char **versions)
{
        if (versions)
                qsort(versions, strv_len(STRV(versions)), sizeof(*versions), newest_first);
}
