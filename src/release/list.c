/* What is installed in a prefix: its folders that have a manifest. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "release/release_internal.h"

void release_list_clear(struct release_list *list)
{
        for (size_t i = 0; i < list->list.n; i++) {
                struct release_installed *one = &list->list.v[i];
                char *const texts[] = {one->name,   one->version,  one->machine, one->url,
                                       one->sha256, one->selector, one->folder};

                for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
                        free(texts[k]);
        }
        vec_free(&list->list);
}

static bool is_in_use(const char *prefix, const char *name, const char *folder)
{
        CLEANUP_FREE char *link = path_join(prefix, name);
        char target[RELEASE_NAME_MAX * 2 + 4];
        ssize_t n = readlink(link, target, sizeof(target) - 1);

        if (n <= 0)
                return false;
        target[n] = '\0';
        return strcmp(target, folder) == 0;
}

static int add(struct release_list *list, const char *prefix, const char *folder, struct error *err)
{
        CLEANUP_FREE char *path = path_join(prefix, folder), *manifest_path = path_join(path, RELEASE_MANIFEST);
        CLEANUP_FREE char *whole = NULL;
        const char *name, *version;
        json_t *manifest;
        struct stat st;
        int r;

        if (stat(manifest_path, &st) < 0)
                return 0; /* somebody else's */
        r = release_manifest_read(path, &manifest, err);
        if (r < 0)
                return r;
        name = release_manifest_text(manifest, "name");
        version = release_manifest_text(manifest, "version");
        whole = xasprintf("%s-%s", name, version);
        if (strcmp(whole, folder) == 0) /* else a copy under another name */
                vec_push(&list->list, (struct release_installed){
                                              .name = xstrdup(name),
                                              .version = xstrdup(version),
                                              .machine = xstrdup(release_manifest_text(manifest, "machine")),
                                              .url = xstrdup(release_manifest_text(manifest, "url")),
                                              .sha256 = xstrdup(release_manifest_text(manifest, "sha256")),
                                              .selector = xstrdup(release_manifest_text(manifest, "selector")),
                                              .folder = xstrdup(folder),
                                              .in_use = is_in_use(prefix, name, folder),
                                              .time_sec = st.st_mtim.tv_sec,
                                      });
        json_decref(manifest);
        return 0;
}

static int by_name_and_version(const void *p, const void *q)
{
        const struct release_installed *a = p, *b = q;
        int order = strcmp(a->name, b->name);

        return order ? order : -release_compare_versions(a->version, b->version);
}

int release_list(const struct release_place *place, struct release_list *ret, struct error *err)
{
        CLEANUP(release_list_clear) struct release_list list = {0};
        CLEANUP_FREE char *prefix = release_prefix(place);
        CLEANUP_CLOSEDIR DIR *dir = opendir(prefix);
        const struct dirent *entry;
        int r = 0;

        if (!dir && errno != ENOENT)
                return error_errno(err, errno, "read '%s'", prefix);
        while (r == 0 && dir && (entry = readdir(dir)))
                if (release_name_is_sound(entry->d_name) && entry->d_type != DT_LNK)
                        r = add(&list, prefix, entry->d_name, err);
        if (r < 0)
                return r;
        if (list.list.n > 0)
                qsort(list.list.v, list.list.n, sizeof(*list.list.v), by_name_and_version);
        *ret = steal(&list);
        return 0;
}

const struct release_installed *release_list_find(const struct release_list *list, const char *name,
                                                  const char *selector)
{
        const struct release_installed *found = NULL;

        for (size_t i = 0; i < list->list.n; i++) {
                const struct release_installed *one = &list->list.v[i];
                bool fits = !selector;

                if (strcmp(one->name, name) != 0 ||
                    (selector && release_selector_fits(selector, one->version, &fits, NULL) < 0) || !fits)
                        continue;
                if (!found || (!selector && one->in_use))
                        found = one;
        }
        return found;
}
