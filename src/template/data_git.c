/* The data sources git-commit, git-repository and git-tree, with the keys and
 * attributes of github.com/ethanmdavidson/packer-plugin-git. They ask the git
 * program: it is there wherever there is a repository, and reads every format of one. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/spawn.h"
#include "base/str.h"
#include "template/data.h"
#include "template/module_internal.h"

struct git_config {
        char *path, *commit_ish;
};

#define STRUCT struct git_config
static const struct schema_key keys[] = {
        KEY("path", SCHEMA_STRING, 0, path, .fallback = ".", .help = "a folder in the repository"),
        KEY("commit_ish", SCHEMA_STRING, 0, commit_ish, .fallback = "HEAD", .help = "the commit: a tag, a branch, ..."),
};
#undef STRUCT

#define SCHEMA(title, n)                                                                                               \
        {                                                                                                              \
                .name = (title), .size = sizeof(struct git_config), .keys = keys, .n_keys = (n)                        \
        }
static const struct schema commit_schema = SCHEMA("the git-commit data source", 2);
static const struct schema repository_schema = SCHEMA("the git-repository data source", 1);
static const struct schema tree_schema = SCHEMA("the git-tree data source", 2);

/* What git answers, as it is; NULL with err set. The arena's. */
static const char *git(struct arena *arena, const struct git_config *config, const char *const *arguments,
                       struct error *err)
{
        const char *argv[16] = {"git", "-C", config->path};
        CLEANUP_FREE char *out = NULL;
        size_t n = 3;

        while (*arguments && n < 15)
                argv[n++] = *arguments++;
        if (spawn_capture(argv, &out, err) < 0)
                return NULL;
        return arena_strdup(arena, out);
}

#define GIT(arena, config, err, ...) git(arena, config, (const char *const[]){__VA_ARGS__, NULL}, err)

/* The same for an answer of one line, without its newline. */
static const char *git_line(struct arena *arena, const struct git_config *config, const char *const *arguments,
                            struct error *err)
{
        const char *out = git(arena, config, arguments, err);

        return out ? arena_strndup(arena, out, strcspn(out, "\n")) : NULL;
}

#define GIT_LINE(arena, config, err, ...) git_line(arena, config, (const char *const[]){__VA_ARGS__, NULL}, err)

/* The lines, or the words, as a list of strings. */
static const struct hcl_value *list_of(struct arena *arena, const char *text, const char *separators)
{
        CLEANUP_STRV char **parts = str_split(text, separators);
        const struct hcl_value **values = arena_array(arena, strv_len(STRV(parts)), sizeof(const struct hcl_value *));
        size_t n = 0;

        for (char **part = parts; *part; part++)
                if (**part)
                        values[n++] = hcl_string_from(arena, *part);
        return hcl_list_value(arena, &hcl_string, values, n);
}

/* The full hash of commit_ish, which is looked up as data, never as an option. */
static const char *resolve(struct arena *arena, const struct git_config *config, struct error *err)
{
        const char *commit = arena_printf(arena, "%s^{commit}", config->commit_ish);

        return GIT_LINE(arena, config, err, "rev-parse", "--verify", "--quiet", "--end-of-options", commit);
}

/* The text after "-----BEGIN" of the header gpgsig; "" of a commit that is not signed. */
static const char *signature_of(struct arena *arena, const char *raw)
{
        const char *end = strstr(raw, "\n\n"), *at = strstr(raw, "\ngpgsig ");
        CLEANUP_STR struct str out = {0};

        if (!at || (end && at > end))
                return "";
        at += strlen("\ngpgsig ");
        for (;;) {
                size_t n = strcspn(at, "\n");

                str_addn(&out, at, n);
                str_addc(&out, '\n');
                if (at[n] != '\n' || at[n + 1] != ' ')
                        break;
                at += n + 2; /* lines that belong to it begin with a blank */
        }
        return arena_strdup(arena, str_get(&out));
}

static const char *utc_time(struct arena *arena, const char *seconds)
{
        time_t when = (time_t)strtoll(seconds, NULL, 10);
        char text[32] = "";
        struct tm tm = {0};

        gmtime_r(&when, &tm);
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
        return arena_strdup(arena, text);
}

static int commit_read(struct arena *arena, const void *arg, const struct hcl_value **ret, struct error *err)
{
        static const char *const names[] = {"author",        "branches",      "committer", "hash",     "message",
                                            "parent_hashes", "pgp_signature", "timestamp", "tree_hash"};
        const struct git_config *config = arg;
        const char *hash = resolve(arena, config, err), *shown, *raw, *branches, *message;
        CLEANUP_STRV char **fields = NULL;

        if (!hash)
                return error_wrap(err, -EINVAL, "commit '%s'", config->commit_ish);
        shown = GIT(arena, config, err, "log", "-1", "--format=%an <%ae>%n%cn <%ce>%n%P%n%ct%n%T", hash);
        raw = shown ? GIT(arena, config, err, "cat-file", "commit", hash) : NULL;
        branches = raw ? GIT(arena, config, err, "for-each-ref", "--points-at", hash, "--format=%(refname:short)",
                             "refs/heads")
                       : NULL;
        if (!branches)
                return -EIO;
        fields = str_split(shown, "\n");
        message = strstr(raw, "\n\n");
        if (strv_len(STRV(fields)) != 6)
                return error_set(err, EBADMSG, "git told %zu lines about the commit instead of 5",
                                 strv_len(STRV(fields)) - 1);
        *ret = module_object(arena, names,
                             (const struct hcl_value *const[]){
                                     hcl_string_from(arena, fields[0]), list_of(arena, branches, "\n"),
                                     hcl_string_from(arena, fields[1]), hcl_string_from(arena, hash),
                                     hcl_string_from(arena, message ? message + 2 : ""), list_of(arena, fields[2], " "),
                                     hcl_string_from(arena, signature_of(arena, raw)),
                                     hcl_string_from(arena, utc_time(arena, fields[3])),
                                     hcl_string_from(arena, fields[4])},
                             9);
        return 0;
}

static int repository_read(struct arena *arena, const void *arg, const struct hcl_value **ret, struct error *err)
{
        const struct git_config *config = arg;
        const char *head = GIT_LINE(arena, config, err, "rev-parse", "--abbrev-ref", "HEAD"), *branches, *tags, *status;

        branches = head ? GIT(arena, config, err, "for-each-ref", "--format=%(refname:short)", "refs/heads") : NULL;
        tags = branches ? GIT(arena, config, err, "for-each-ref", "--format=%(refname:short)", "refs/tags") : NULL;
        status = tags ? GIT(arena, config, err, "status", "--porcelain") : NULL;
        if (!status)
                return -EIO;
        *ret = module_object(arena, (const char *const[]){"branches", "head", "is_clean", "tags"},
                             (const struct hcl_value *const[]){list_of(arena, branches, "\n"),
                                                               hcl_string_from(arena, head), hcl_bool_value(!*status),
                                                               list_of(arena, tags, "\n")},
                             4);
        return 0;
}

static int tree_read(struct arena *arena, const void *arg, const struct hcl_value **ret, struct error *err)
{
        const struct git_config *config = arg;
        const char *commit = resolve(arena, config, err), *files;

        files = commit ? GIT(arena, config, err, "-c", "core.quotePath=off", "ls-tree", "-r", "--name-only",
                             "--full-tree", commit)
                       : NULL;
        if (!files)
                return -EIO;
        *ret = module_object(
                arena, (const char *const[]){"files", "hash"},
                (const struct hcl_value *const[]){list_of(arena, files, "\n"), hcl_string_from(arena, commit)}, 2);
        return 0;
}

const struct data_type data_git_commit = {"git-commit", &commit_schema, commit_read};
const struct data_type data_git_repository = {"git-repository", &repository_schema, repository_read};
const struct data_type data_git_tree = {"git-tree", &tree_schema, tree_read};
