/* release: a tool as its makers ship it, for the guest's architecture. What it
 * is (version, checksum) is settled before, as a part of the layer's key; then
 * it is installed by the same code as on the host, with the guest's root as its
 * own, and tried in the guest. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "provision/rows.h"
#include "release/manifest.h"
#include "release/release.h"

struct release_config {
        char *name, *version, *prefix, *arch;
        char *url, *checksum, *keyring, *base_url, *catalogue, *file;
        char **bin, **validate, **env;
        int64_t strip;
        bool force, offline;
};

#define KEY(key, kind, member, ...)                                                                                    \
        {                                                                                                              \
                .name = key, .type = kind, .offset = offsetof(struct release_config, member), __VA_ARGS__              \
        }

static const struct schema_key keys[] = {
        KEY("name", SCHEMA_STRING, name, .flags = SCHEMA_REQUIRED,
            .help = "the tool: an entry of the catalogue (slipway release show), or any name with a url"),
        KEY("version", SCHEMA_STRING, version, .fallback = "latest",
            .help = "1.22.1, \"~> 1.22\" or latest, which asks the makers at each build"),
        KEY("prefix", SCHEMA_STRING, prefix, .fallback = "/usr/local",
            .help = "folder of the guest it is installed in"),
        KEY("arch", SCHEMA_STRING, arch, .help = "another architecture than the guest's: armv6l"),
        KEY("url", SCHEMA_STRING, url, .help = "its address, without an entry; ${version} and ${arch} are replaced"),
        KEY("checksum", SCHEMA_STRING, checksum, .help = "what the archive must have: HEX, or sha512:HEX"),
        KEY("keyring", SCHEMA_STRING, keyring,
            .help = "a file of the makers' public keys, by which its signature must be good"),
        KEY("base_url", SCHEMA_STRING, base_url, .help = "a mirror, in place of the entry's base"),
        KEY("catalogue", SCHEMA_STRING, catalogue, .help = "a folder of more entries, NAME.hcl"),
        KEY("strip", SCHEMA_INT, strip, .fallback = "-1", .help = "folders at the archive's top that are left out"),
        KEY("file", SCHEMA_STRING, file, .help = "the download is one program, which gets this name"),
        KEY("bin", SCHEMA_STRINGS, bin, .help = "folders of the release that go on PATH"),
        KEY("env", SCHEMA_STRING_MAP, env, .help = "environment of its users; ${dir} is where it lies"),
        KEY("validate", SCHEMA_STRINGS, validate, .help = "a command that must succeed in the guest"),
        KEY("force", SCHEMA_BOOL, force, .help = "replace files and folders of those names that slipway did not make"),
        KEY("offline", SCHEMA_BOOL, offline, .help = "take everything from the cache"),
};

static const struct schema schema = {.name = "the release provisioner",
                                     .size = sizeof(struct release_config),
                                     .keys = keys,
                                     .n_keys = sizeof(keys) / sizeof(keys[0])};

static int check(void *config, const struct value *value, struct diags *diags)
{
        const struct release_config *c = config;
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *text = NULL, *path = NULL;
        size_t before = diags->n_errors;

        if (c->name && !c->url && release_entry_text(c->name, c->catalogue, &text, &path, &err) < 0)
                diag_error(diags, schema_range(value, "name"), "%s", error_message(&err));
        if (c->url && strcmp(c->version, "latest") == 0)
                diag_error(diags, schema_range(value, "url"), "a release by its url needs a version");
        if (c->prefix && *c->prefix != '/')
                diag_error(diags, schema_range(value, "prefix"), "the prefix '%s' is not absolute", c->prefix);
        if (c->arch && !release_machine(c->arch))
                diag_error(diags, schema_range(value, "arch"),
                           "'%s' is no architecture that is known (x86_64, aarch64, armv6l...)", c->arch);
        if (c->keyring && access(c->keyring, R_OK) < 0)
                diag_error(diags, schema_range(value, "keyring"), "the keyring '%s': %s", c->keyring, strerror(errno));
        return diags->n_errors > before ? -EINVAL : 0;
}

static struct release_request request_of(const struct release_config *c, const char *platform, const char *cache)
{
        return (struct release_request){
                .name = c->name,
                .selector = c->version,
                .machine = c->arch ? c->arch : platform,
                .base_url = c->base_url,
                .catalogue = c->catalogue,
                .url = c->url,
                .checksum = c->checksum,
                .keyring = c->keyring,
                .file = c->file,
                .bin = STRV(c->bin),
                .validate = STRV(c->validate),
                .env = STRV(c->env),
                .strip = c->strip,
                .cache = cache,
                .network = c->offline ? RELEASE_OFFLINE : RELEASE_ASK,
        };
}

static void feed_list(struct digest *digest, char *const *list)
{
        for (; list && *list; list++)
                digest_string(digest, *list);
        digest_string(digest, NULL);
}

/* What the version is now, and all that says how it is installed. */
static int guest_inputs(const void *config, const char *platform, struct key *key, struct error *err)
{
        const struct release_config *c = config;
        CLEANUP(release_clear) struct release release = {0};
        CLEANUP_FREE char *cache = NULL, *name = NULL;
        struct release_request request;
        struct digest *digest;
        int r = cache_dir(&cache, err);

        if (r < 0)
                return r;
        if (!c->arch && *platform == '\0')
                return error_set(err, EAGAIN, "the guest's architecture is not known before its base is unpacked");
        request = request_of(c, platform, cache);
        r = release_resolve(&request, &release, err);
        if (r < 0)
                return r;
        name = xasprintf("version and checksum of %s", c->name);
        digest = key_part(key, name);
        digest_string(digest, release.version);
        digest_string(digest, release.checksum);
        digest = key_part(key, "entry of the catalogue");
        digest_string(digest, release.machine);
        digest_string(digest, release.url);
        digest_string(digest, release.file);
        digest_update(digest, &release.strip, sizeof(release.strip));
        feed_list(digest, release.merge);
        feed_list(digest, release.bin);
        feed_list(digest, release.env);
        feed_list(digest, release.validate);
        digest_string(digest, release.expect);
        digest_string(digest, release.signature_url);
        digest_string(digest, release.signature_key);
        return 0;
}

/* ---- in the guest ---- */

static const char guest_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct work {
        const struct release *release;
        const struct release_archive *archive;
        struct release_place place;
        struct release_options options;
};

static int install(void *arg, struct error *err)
{
        const struct work *work = arg;

        return release_install(work->release, work->archive, &work->place, &work->options, NULL, err);
}

struct checking {
        struct release_check check;
        struct ui *ui;
};

static void on_line(void *arg, bool is_stderr, const char *line)
{
        struct checking *checking = arg;

        (void)is_stderr;
        ui_say(checking->ui, "%s", line);
        release_check_line(&checking->check, line);
}

static int validate(const struct release *release, const char *prefix, const struct provision_context *context,
                    struct error *err)
{
        CLEANUP_FREE char *dir = path_join(prefix, release->name);
        CLEANUP_STRV char **argv = NULL, **env = NULL;
        struct checking checking = {.check = {.release = release}, .ui = context->ui};
        int status = 0, r;

        if (!release->validate)
                return 0;
        release_check_command(release, dir, guest_path, &argv, &env);
        r = guest_run(context->guest,
                      &(struct guest_command){.argv = STRV(argv),
                                              .env = STRV(env),
                                              .timeout_ms = provision_timeout(context),
                                              .on_line = on_line,
                                              .arg = &checking},
                      &status, err);
        if (r < 0) {
                tail_clear(&checking.check.tail);
                return error_wrap(err, r, "%s %s does not run in the guest", release->name, release->version);
        }
        return release_check_result(&checking.check, status, "in the guest", err);
}

static int run(const void *config, const struct provision_context *context, struct error *err)
{
        const struct release_config *c = config;
        CLEANUP(release_clear) struct release release = {0};
        CLEANUP(release_archive_clear) struct release_archive archive = {.fd = -1};
        CLEANUP_FREE char *cache = NULL;
        struct release_request request;
        struct work work = {
                .release = &release,
                .archive = &archive,
                .place = {.root = "", .prefix = c->prefix, .profile = RELEASE_SYSTEM_PROFILE},
                .options = {.force = c->force},
        };
        int r = cache_dir(&cache, err);

        if (r < 0)
                return r;
        request = request_of(c, context->platform, cache);
        request.ui = context->ui;
        if (!c->offline)
                request.network = RELEASE_KNOWN_FIRST; /* the version that the layer's key is made of */
        r = release_resolve(&request, &release, err);
        if (r < 0)
                return r;
        ui_say(context->ui, "Installing %s %s (%s) in %s", release.name, release.version, release.machine, c->prefix);
        r = release_fetch(&request, &release, &archive, err);
        if (r == 0)
                r = guest_call(context->guest, install, &work, err);
        return r == 0 ? validate(&release, c->prefix, context, err) : r;
}

const struct provisioner_type provision_release = {
        .name = "release",
        .schema = &schema,
        .check = check,
        .guest_inputs = guest_inputs,
        .run = run,
};
