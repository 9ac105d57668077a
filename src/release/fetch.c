/* What the makers publish, by source/source.h: texts and archives, kept in the
 * cache that builds use, too. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "release/release_internal.h"
#include "source/source.h"

enum { TEXT_BYTES = 64 << 20 };

/* By the cache or the network, as the request says. `checksum` NULL: unverified. */
static int get(const struct release_request *request, const char *url, const char *checksum, struct ui *ui,
               struct source_file *ret, struct error *err)
{
        const char *const urls[] = {url, NULL};
        struct source_request source = {
                .urls = urls,
                .checksum = checksum,
                .checksum_type = checksum ? NULL : "none",
                .cache = request->cache,
                .ui = ui,
        };

        if (request->network != RELEASE_ASK && source_known(&source, ret) == 0)
                return 0;
        if (request->network == RELEASE_OFFLINE)
                return error_set(err, ENOENT, "'%s' is not in the cache, and -offline keeps from fetching it", url);
        return source_fetch(&source, ret, err);
}

static int get_bytes(const struct release_request *request, const char *url, char **ret, size_t *ret_n,
                     struct error *err)
{
        CLEANUP(source_file_clear) struct source_file file = {0};
        int r = get(request, url, NULL, request->ui, &file, err);

        return r < 0 ? r : file_read(file.path, TEXT_BYTES, ret, ret_n, err);
}

int release_text(const struct release_request *request, const char *url, char **ret, struct error *err)
{
        return get_bytes(request, url, ret, NULL, err);
}

static int check_signature(const struct release_request *request, const struct release *release, int archive_fd,
                           struct error *err)
{
        CLEANUP_FREE char *signature = NULL;
        CLEANUP_CLOSE int text_fd = -1;
        size_t n = 0;
        int r = get_bytes(request, release->signature_url, &signature, &n, err), data_fd = archive_fd;

        if (r == 0 && release->signature_of) {
                r = file_scratch(request->cache, 0600, &text_fd, err);
                if (r == 0) {
                        r = fd_write_all(text_fd, release->signature_of, strlen(release->signature_of));
                        r = r < 0 ? error_errno(err, -r, "write the checksums to '%s'", request->cache) : 0;
                }
                data_fd = text_fd;
        }
        if (r == 0 && lseek(data_fd, 0, SEEK_SET) < 0)
                r = error_errno(err, errno, "read the archive again");
        if (r == 0)
                r = release->signature_minisign
                            ? release_check_minisign(signature, release->signature_key, data_fd, err)
                            : release_check_gpg(signature, n, release->signature_key, data_fd, err);
        if (r < 0)
                return error_wrap(err, r, "the signature '%s'", release->signature_url);
        return lseek(data_fd, 0, SEEK_SET) < 0 ? error_errno(err, errno, "read the archive again") : 0;
}

int release_fetch(const struct release_request *request, const struct release *release, struct release_archive *ret,
                  struct error *err)
{
        CLEANUP(source_file_clear) struct source_file file = {0};
        CLEANUP_CLOSE int fd = -1;
        int r;

        if (!release->checksum && request->ui)
                ui_say(request->ui, "no checksum of '%s' is known: it is taken as it comes", release->url);
        if (release->key_wanted && request->ui)
                ui_say(request->ui,
                       "the makers' signature is not verified, only the checksum that their site gives: their public "
                       "key would be '%s'",
                       release->key_wanted);
        r = get(request, release->url, release->checksum, request->ui, &file, err);
        if (r < 0)
                return r;
        fd = open(file.path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_errno(err, errno, "open '%s'", file.path);
        if (release->signature_url)
                r = check_signature(request, release, fd, err);
        if (r < 0)
                return r;
        *ret = (struct release_archive){.fd = steal_fd(&fd), .name = steal(&file.name)};
        memcpy(ret->sha256, file.sha256, sizeof(ret->sha256));
        return 0;
}

void release_archive_clear(struct release_archive *archive)
{
        close_p(&archive->fd);
        free(archive->name);
        archive->name = NULL;
}
