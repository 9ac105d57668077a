/* From a name and a selector to one release: entry, architecture, version,
 * address, checksum, in this order, each seeing those before. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "release/catalogue.h"
#include "release/release_internal.h"
#include "source/checksum.h"
#include "source/transfer.h"

enum { KEY_BYTES = 1 << 16 };

/* The generic form as an entry: the architectures as uname -m has them. */
#define GENERIC                                                                                                        \
        "release \"%s\" {\n"                                                                                           \
        "  arch = { (trimsuffix(machine, \"-musl\")) = trimsuffix(machine, \"-musl\") }\n"                             \
        "  url  = \"%s\"\n"                                                                                            \
        "}\n"

void release_clear(struct release *release)
{
        char *const texts[] = {release->name,          release->version,      release->selector,
                               release->machine,       release->url,          release->checksum,
                               release->title,         release->homepage,     release->license,
                               release->file,          release->expect,       release->signature_url,
                               release->signature_key, release->signature_of, release->key_wanted};
        char **const lists[] = {release->merge, release->bin, release->env, release->validate};

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                free(texts[i]);
        for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
                strv_free(lists[i]);
        *release = (struct release){0};
}

/* ---- architecture ---- */

static const char *map_get(char *const *map, const char *key)
{
        size_t n = strlen(key);

        for (; map && *map; map++)
                if (strncmp(*map, key, n) == 0 && (*map)[n] == '=')
                        return *map + n + 1;
        return NULL;
}

/* The one of the map that fits best, or NULL. */
static const char *oldest_in(char *const *map, const char *machine)
{
        while (machine && !map_get(map, machine))
                machine = release_machine_older(machine);
        return machine;
}

/* The makers' word for the machine, or for an older one whose programs run there. On a system with musl, what is not
 * made for that may run all the same: see check_libc(). */
static int choose_arch(struct entry *entry, const char *name, const char *machine, char **ret_machine,
                       struct error *err)
{
        CLEANUP_STRV char **map = NULL;
        CLEANUP_FREE char *all = NULL;
        const char *found;
        int r = entry_map(entry, ENTRY_TOP, "arch", &map, err);

        if (r < 0)
                return r;
        found = oldest_in(map, machine);
        if (!found)
                found = oldest_in(map, release_machine_plain(machine));
        if (found) {
                entry_set(entry, "arch", map_get(map, found));
                *ret_machine = xstrdup(found);
                return 0;
        }
        for (char **pair = map; pair && *pair; pair++)
                (*pair)[strcspn(*pair, "=")] = '\0';
        all = strv_join(STRV(map), ", ");
        return error_set(err, ENOTSUP, "there is no release of %s for the architecture %s (there are: %s)", name,
                         machine, all);
}

static int generic_entry(const struct release_request *request, struct entry **ret, struct error *err)
{
        CLEANUP_FREE char *url = str_replace(request->url, "\"", "%22"), *text = xasprintf(GENERIC, request->name, url);

        if (!release_name_is_sound(request->name))
                return error_set(err, EINVAL, "'%s' is no name of a tool: letters, digits and . _ + - are expected",
                                 request->name);
        return entry_load(request->url, text, request->name, ret, err);
}

static int set_base(const struct release_request *request, struct entry *entry, struct error *err)
{
        CLEANUP_FREE char *written = NULL, *base = NULL;
        int r = entry_text(entry, ENTRY_TOP, "base", &written, err);
        size_t n;

        if (r < 0)
                return r;
        base = xstrdup(request->base_url ? request->base_url : written ? written : "");
        for (n = strlen(base); n > 0 && base[n - 1] == '/'; n--)
                base[n - 1] = '\0';
        entry_set(entry, "base", base);
        return 0;
}

/* The entry, with all variables set but the version. */
static int open_entry(const struct release_request *request, struct entry **ret, char **ret_machine, struct error *err)
{
        CLEANUP(entry_freep) struct entry *entry = NULL;
        CLEANUP_FREE char *os = NULL;
        const char *machine = request->machine ? release_machine(request->machine) : release_host_machine();
        int r;

        if (!machine)
                return error_set(err, EINVAL, "'%s' is no architecture that is known (x86_64, aarch64, armv6l...)",
                                 request->machine);
        r = request->url ? generic_entry(request, &entry, err)
                         : catalogue_find(request->name, request->catalogue, &entry, err);
        if (r < 0)
                return r;
        entry_set(entry, "machine", machine);
        entry_set(entry, "dir", "${dir}"); /* it is told when it is installed */
        r = entry_text(entry, ENTRY_TOP, "os", &os, err);
        entry_set(entry, "os", os ? os : "linux");
        if (r == 0)
                r = set_base(request, entry, err);
        if (r == 0)
                r = choose_arch(entry, request->name, machine, ret_machine, err);
        if (r == 0)
                *ret = steal(&entry);
        return r;
}

/* ---- version ---- */

/* As the makers list them. */
static int read_versions(const struct release_request *request, struct entry *entry, char ***ret, struct error *err)
{
        CLEANUP_FREE char *url = NULL, *pattern = NULL, *text = NULL;
        CLEANUP_STRV char **path = NULL;
        int r = entry_texts(entry, ENTRY_VERSIONS, "list", ret, err);

        if (r == 0)
                r = entry_text(entry, ENTRY_VERSIONS, "url", &url, err);
        if (r == 0)
                r = entry_texts(entry, ENTRY_VERSIONS, "path", &path, err);
        if (r == 0)
                r = entry_text(entry, ENTRY_VERSIONS, "pattern", &pattern, err);
        if (r < 0 || *ret)
                return r;
        if (!url)
                return error_set(err, EINVAL, "the entry's block `versions` has neither a list nor an url");
        r = release_text(request, url, &text, err);
        if (r == 0)
                r = release_pick(text, STRV(path), pattern, ret, err);
        if (r == 0 && !*ret)
                r = error_set(err, EBADMSG, "'%s' names none in the way that is expected", url);
        return r;
}

static int list_versions(const struct release_request *request, struct entry *entry, char ***ret, struct error *err)
{
        CLEANUP_STRV char **found = NULL, **unique = NULL;
        int r;

        if (!entry_has(entry, ENTRY_VERSIONS))
                return error_set(err, ENOTSUP, "which versions of %s there are is not known: name one exactly",
                                 request->name);
        r = read_versions(request, entry, &found, err);
        if (r < 0)
                return error_wrap(err, r, "the versions of %s", request->name);
        for (char **version = found; version && *version; version++)
                if (release_name_is_sound(*version) && !strv_has(STRV(unique), *version))
                        strv_add(&unique, *version);
        release_sort_versions(unique);
        *ret = steal(&unique);
        return 0;
}

static int choose_version(const struct release_request *request, struct entry *entry, char **ret, struct error *err)
{
        const char *selector = request->selector ? request->selector : "latest";
        CLEANUP_STRV char **versions = NULL;
        bool fits = false;
        int r;

        if (release_selector_is_exact(selector)) {
                *ret = xstrdup(selector + (selector[0] == 'v' && selector[1] >= '0' && selector[1] <= '9'));
                return release_name_is_sound(*ret) ? 0 : error_set(err, EINVAL, "'%s' is no version", selector);
        }
        r = release_selector_fits(selector, "0", &fits, err); /* can it be read? */
        if (r == 0)
                r = list_versions(request, entry, &versions, err);
        for (char **version = versions; r == 0 && version && *version; version++) {
                r = release_selector_fits(selector, *version, &fits, err);
                if (r == 0 && fits) {
                        *ret = xstrdup(*version);
                        return 0;
                }
        }
        return r < 0 ? r
                     : error_set(err, ENOENT, "no version of %s is \"%s\" (the newest is %s)", request->name, selector,
                                 versions && versions[0] ? versions[0] : "none");
}

/* ---- checksum and signature ---- */

static int checksum_in(const char *text, char *const *path, const char *pattern, const char *url,
                       enum checksum_type type, struct checksum *ret, struct error *err)
{
        CLEANUP_STRV char **found = NULL;
        CLEANUP_FREE char *name = url_name(url);
        int r;

        if (!path && !pattern)
                return checksum_file_find(text, name, type, ret, err);
        r = release_pick(text, STRV(path), pattern, &found, err);
        if (r == 0 && !found)
                r = error_set(err, ENOENT, "it has none of '%s'", name);
        return r < 0 ? r : checksum_parse(found[0], type, ret, err);
}

static int set_checksum(struct release *release, const struct checksum *sum)
{
        free(release->checksum);
        release->checksum = xasprintf("%s:%s", checksum_type_name(sum->type), sum->hex);
        return 0;
}

static int find_checksum(const struct release_request *request, struct entry *entry, struct release *release,
                         char **ret_text, struct error *err)
{
        CLEANUP_FREE char *url = NULL, *pattern = NULL, *type_name = NULL;
        CLEANUP_STRV char **path = NULL;
        enum checksum_type type = CHECKSUM_UNKNOWN;
        struct checksum sum = {0};
        int r = entry_text(entry, ENTRY_CHECKSUM, "url", &url, err);

        if (r == 0)
                r = entry_texts(entry, ENTRY_CHECKSUM, "path", &path, err);
        if (r == 0)
                r = entry_text(entry, ENTRY_CHECKSUM, "pattern", &pattern, err);
        if (r == 0)
                r = entry_text(entry, ENTRY_CHECKSUM, "type", &type_name, err);
        if (r == 0)
                r = checksum_type_parse(type_name, &type, err);
        if (r == 0)
                r = release_text(request, url, ret_text, err);
        if (r == 0)
                r = checksum_in(*ret_text, path, pattern, release->url, type, &sum, err);
        if (r == -ENOENT && request->network != RELEASE_OFFLINE)
                error_append(err, r, "; 'slipway release versions %s' lists the versions that there are",
                             release->name);
        if (r < 0)
                return error_wrap(err, r, "the checksum of %s %s", release->name, release->version);
        return set_checksum(release, &sum);
}

/* The makers' key: the one that the caller names, the entry's, or a file beside entries. */
static int find_key(const struct release_request *request, struct release *release, struct error *err)
{
        const char *suffix = release->signature_minisign ? "pub" : "asc";
        CLEANUP_FREE char *path = request->keyring ? xstrdup(request->keyring) : NULL;

        if (!path && release->signature_key)
                return 0;
        if (!path)
                catalogue_beside(request->name, suffix, request->catalogue, &path, &release->key_wanted);
        free(steal(&release->signature_key));
        if (!path) {
                free(steal(&release->signature_url));
                return 0;
        }
        free(steal(&release->key_wanted));
        if (release->signature_minisign)
                return file_read(path, KEY_BYTES, &release->signature_key, NULL, err);
        release->signature_key = steal(&path);
        return 0;
}

static int find_signature(const struct release_request *request, struct entry *entry, struct release *release,
                          char **checksums, struct error *err)
{
        CLEANUP_FREE char *of = NULL, *type = NULL;
        int r = entry_text(entry, ENTRY_SIGNATURE, "url", &release->signature_url, err);

        if (r == 0)
                r = entry_text(entry, ENTRY_SIGNATURE, "of", &of, err);
        if (r == 0)
                r = entry_text(entry, ENTRY_SIGNATURE, "type", &type, err);
        if (r == 0)
                r = entry_text(entry, ENTRY_SIGNATURE, "key", &release->signature_key, err);
        if (r < 0 || !release->signature_url)
                return r;
        if (of && strcmp(of, "archive") != 0 && strcmp(of, "checksum") != 0)
                return error_set(err, EINVAL, "a signature is of \"archive\" or \"checksum\", not \"%s\"", of);
        if (type && strcmp(type, "openpgp") != 0 && strcmp(type, "minisign") != 0)
                return error_set(err, EINVAL, "a signature's type is \"openpgp\" or \"minisign\", not \"%s\"", type);
        release->signature_minisign = str_eq(type, "minisign");
        r = find_key(request, release, err);
        if (r < 0 || !release->signature_url)
                return r;
        if (str_eq(of, "checksum") && !*checksums)
                return error_set(err, EINVAL, "a signature of checksums needs a block `checksum`");
        if (str_eq(of, "checksum"))
                release->signature_of = steal(checksums);
        return 0;
}

static int verify_by(const struct release_request *request, struct entry *entry, struct release *release,
                     struct error *err)
{
        CLEANUP_FREE char *checksums = NULL;
        struct checksum sum = {0};
        int r = 0;

        if (request->checksum) {
                r = checksum_parse(request->checksum, CHECKSUM_UNKNOWN, &sum, err);
                if (r < 0 || !request->keyring)
                        return r < 0 ? r : set_checksum(release, &sum);
        }
        if (entry_has(entry, ENTRY_CHECKSUM))
                r = find_checksum(request, entry, release, &checksums, err);
        if (r == 0 && request->checksum)
                r = set_checksum(release, &sum);
        if (r == 0 && entry_has(entry, ENTRY_SIGNATURE))
                r = find_signature(request, entry, release, &checksums, err);
        if (r == 0 && request->keyring && !release->signature_url)
                r = error_set(err, EINVAL, "a keyring is given, but of no signature of %s %s is known where it is",
                              release->name, release->version);
        return r;
}

/* ---- C library ---- */

/* A build for glibc does not start on a system with musl: that is said before it is fetched. */
static int check_libc(const struct release_request *request, struct entry *entry, const struct release *release,
                      struct error *err)
{
        const char *machine = request->machine ? release_machine(request->machine) : release_host_machine();
        CLEANUP_FREE char *libc = NULL;
        int r = entry_text(entry, ENTRY_TOP, "libc", &libc, err);

        if (r < 0)
                return r;
        if (libc && strcmp(libc, "glibc") != 0 && strcmp(libc, "none") != 0)
                return error_set(err, EINVAL, "'libc' is \"glibc\" or \"none\", not \"%s\"", libc);
        if (!str_eq(libc, "glibc") || !release_machine_plain(machine) || release_machine_plain(release->machine))
                return 0;
        return error_set(err, ENOTSUP,
                         "%s %s is built for glibc and cannot run here, where the C library is musl (%s): nothing was "
                         "fetched; the distribution may have it as a package",
                         release->name, release->version, machine);
}

/* ---- all of it ---- */

static int read_texts(struct entry *entry, struct release *release, struct error *err)
{
        const struct {
                const char *key;
                char **to;
        } texts[] = {{"title", &release->title}, {"homepage", &release->homepage}, {"license", &release->license},
                     {"url", &release->url},     {"file", &release->file},         {"expect", &release->expect}};
        const struct {
                const char *key;
                char ***to;
        } lists[] = {{"merge", &release->merge}, {"bin", &release->bin}, {"validate", &release->validate}};
        int r = 0;

        for (size_t i = 0; r == 0 && i < sizeof(texts) / sizeof(texts[0]); i++)
                r = entry_text(entry, ENTRY_TOP, texts[i].key, texts[i].to, err);
        for (size_t i = 0; r == 0 && i < sizeof(lists) / sizeof(lists[0]); i++)
                r = entry_texts(entry, ENTRY_TOP, lists[i].key, lists[i].to, err);
        if (r == 0)
                r = entry_map(entry, ENTRY_TOP, "env", &release->env, err);
        return r == 0 ? entry_number(entry, ENTRY_TOP, "strip", &release->strip, err) : r;
}

static void override_texts(char ***list, const char *const *with)
{
        if (!with)
                return;
        strv_free(*list);
        *list = strv_dup(with);
}

static void override(const struct release_request *request, struct release *release)
{
        override_texts(&release->bin, request->bin);
        override_texts(&release->validate, request->validate);
        override_texts(&release->env, request->env);
        if (request->file) {
                free(release->file);
                release->file = xstrdup(request->file);
        }
        if (request->strip >= 0)
                release->strip = request->strip;
}

int release_resolve(const struct release_request *request, struct release *ret, struct error *err)
{
        CLEANUP(entry_freep) struct entry *entry = NULL;
        CLEANUP(release_clear) struct release release = {.name = xstrdup(request->name)};
        int r = request->keyring && access(request->keyring, R_OK) < 0
                        ? error_errno(err, errno, "the keyring '%s'", request->keyring)
                        : open_entry(request, &entry, &release.machine, err);

        if (r == 0)
                r = choose_version(request, entry, &release.version, err);
        if (r < 0)
                return r;
        release.selector = xstrdup(request->selector ? request->selector : "latest");
        entry_set(entry, "version", release.version);
        r = read_texts(entry, &release, err);
        if (r == 0)
                entry_set(entry, "url", release.url);
        if (r == 0 && request->strip < -1)
                r = error_set(err, EINVAL, "'strip' is a number of folders, not %lld", (long long)request->strip);
        override(request, &release);
        if (r == 0 && release.file && !release_name_is_sound(release.file))
                r = error_set(err, EINVAL, "'file' is a name without folders, not '%s'", release.file);
        if (r == 0)
                r = check_libc(request, entry, &release, err);
        if (r == 0)
                r = verify_by(request, entry, &release, err);
        if (r < 0)
                return r;
        *ret = steal(&release);
        return 0;
}

int release_versions(const struct release_request *request, char ***ret, struct error *err)
{
        CLEANUP(entry_freep) struct entry *entry = NULL;
        CLEANUP_FREE char *machine = NULL;
        int r = open_entry(request, &entry, &machine, err);

        return r < 0 ? r : list_versions(request, entry, ret, err);
}
