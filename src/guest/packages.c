/* See packages.h. */
#include "guest/packages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/inroot.h"

static int read_in(int root, const char *path, char **ret)
{
        CLEANUP_CLOSE int fd = inroot_open(root, path, O_RDONLY | O_NONBLOCK, 0);
        CLEANUP_FREE char *self = fd < 0 ? NULL : xasprintf("/proc/self/fd/%d", fd);

        return fd < 0 ? fd : file_read(self, 0, ret, NULL, NULL);
}

int packages_open(struct packages *packages, int root_fd)
{
        packages->root = root_fd;
        return read_in(root_fd, "/var/lib/dpkg/status", &packages->status);
}

void packages_close(struct packages *packages)
{
        free(packages->status);
        packages->status = NULL;
        for (size_t i = 0; i < packages->sums.n; i++) {
                free(packages->sums.v[i].package);
                free(packages->sums.v[i].text);
        }
        vec_free(&packages->sums);
}

/* The value of a field in the stanza that begins at `stanza`; *ret_n its length. */
static const char *field(const char *stanza, const char *name, size_t *ret_n)
{
        size_t n = strlen(name);

        for (const char *line = stanza; *line && *line != '\n'; line += strcspn(line, "\n"), line += *line == '\n') {
                if (strncmp(line, name, n) != 0)
                        continue;
                line += n;
                line += strspn(line, " ");
                *ret_n = strcspn(line, "\n");
                return line;
        }
        return NULL;
}

/* An installed package's part of the text, or NULL. While its scripts have not run yet, its files are there already. */
static const char *find_stanza(const struct packages *packages, const char *name)
{
        static const char *const states[] = {" installed", " unpacked", " half-configured", " triggers-awaited",
                                             " triggers-pending"};
        CLEANUP_FREE char *wanted = xasprintf("Package: %s\n", name);
        const char *at = packages->status;

        while (at && (at = strstr(at, wanted))) {
                const char *stanza = at, *status;
                size_t n;

                at += strlen(wanted);
                if (stanza != packages->status && stanza[-1] != '\n')
                        continue;
                status = field(stanza, "Status:", &n);
                for (size_t i = 0; status && i < sizeof(states) / sizeof(states[0]); i++)
                        if (n > strlen(states[i]) &&
                            memcmp(status + n - strlen(states[i]), states[i], strlen(states[i])) == 0)
                                return stanza;
        }
        return NULL;
}

char *packages_upstream(const struct packages *packages, const char *name)
{
        const char *stanza = find_stanza(packages, name), *version;
        size_t n_version, n;

        version = stanza ? field(stanza, "Version:", &n_version) : NULL;
        if (!version)
                return NULL;
        for (n = n_version; n > 0 && version[n - 1] != '-'; n--)
                ;
        return xstrndup(version, n > 0 ? n - 1 : n_version);
}

/* Where a package may be installed for several processors at once, their names are those of its files. */
static char *read_sums(const struct packages *packages, const char *name)
{
        CLEANUP_FREE char *path = xasprintf("/var/lib/dpkg/info/%s.md5sums", name), *other = NULL;
        const char *stanza, *processor;
        char *sums = NULL;
        size_t n;

        if (read_in(packages->root, path, &sums) == 0)
                return sums;
        stanza = find_stanza(packages, name);
        processor = stanza ? field(stanza, "Architecture:", &n) : NULL;
        other = processor ? xasprintf("/var/lib/dpkg/info/%s:%.*s.md5sums", name, (int)n, processor) : NULL;
        return !other || read_in(packages->root, other, &sums) < 0 ? NULL : sums;
}

const char *packages_sums(struct packages *packages, const char *name)
{
        struct packages_sums sums;

        for (size_t i = 0; i < packages->sums.n; i++)
                if (str_eq(packages->sums.v[i].package, name))
                        return packages->sums.v[i].text;
        sums = (struct packages_sums){xstrdup(name), read_sums(packages, name)};
        vec_push(&packages->sums, sums);
        return sums.text;
}

/* What stands in `seen` for a file with that sum. */
static char *line_of(const struct packages *packages, const char *path, int fd, const char *sum)
{
        struct stat st;

        if (!packages->seen || fstat(fd, &st) < 0)
                return NULL;
        return xasprintf("%s %s %.32s %ju %jd %jd.%ld %jd.%ld\n", packages->name, path, sum, (uintmax_t)st.st_ino,
                         (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
                         (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
}

static bool has_sum(int fd, const char *sum)
{
        char hex[DIGEST_HEX_MAX];

        return digest_fd("md5", fd, hex, NULL) == 0 && memcmp(hex, sum, 32) == 0;
}

bool packages_owns(const struct packages *packages, const char *sums, const char *path, int *ret_fd)
{
        CLEANUP_FREE char *line_end = xasprintf("  %s\n", path + 1), *line = NULL;
        CLEANUP_CLOSE int fd = -1;
        const char *at = strstr(sums, line_end);

        if (!at || at - sums < 32)
                return false;
        fd = inroot_open(packages->root, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
        line = fd < 0 ? NULL : line_of(packages, path, fd, at - 32);
        if (fd < 0 || (!(line && strstr(str_get(packages->seen), line)) && !has_sum(fd, at - 32)))
                return false;
        if (line && !strstr(str_get(packages->seen), line))
                str_add(packages->seen, line);
        *ret_fd = steal_fd(&fd);
        return true;
}
