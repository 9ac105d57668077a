/* Functions of paths and files, as Go's filepath and os packages have them. */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "hcl/func.h"

/* "a//b/./c/../d" -> "a/b/d"; "" -> "." */
const char *func_clean(struct arena *arena, const char *path)
{
        bool rooted = *path == '/';
        char *out = arena_alloc(arena, strlen(path) + 3), *end = out, *stop;

        if (rooted)
                *end++ = '/';
        stop = end; /* what ".." does not take away */
        while (*path) {
                size_t n = strcspn(path, "/");

                if (n == 2 && memcmp(path, "..", 2) == 0 && end > stop) {
                        do
                                end--;
                        while (end > stop && *end != '/');
                } else if (n > 0 && !(n == 1 && *path == '.') && !(n == 2 && memcmp(path, "..", 2) == 0 && rooted)) {
                        if (end > out + rooted)
                                *end++ = '/';
                        memcpy(end, path, n);
                        end += n;
                        if (n == 2 && memcmp(path, "..", 2) == 0)
                                stop = end;
                }
                path += n + (path[n] == '/');
        }
        *end = '\0';
        return end > out ? out : ".";
}

static const char *text_without_nul(struct hcl_call *call, size_t arg)
{
        struct hcl_string text = func_text(call, arg);

        if (strlen(text.s) == text.len)
                return text.s;
        func_fail(call, arg, "a path cannot contain a NUL byte");
        return NULL;
}

static const char *home(void)
{
        const char *path = getenv("HOME");
        const struct passwd *user = path && *path ? NULL : getpwuid(getuid());

        return path && *path ? path : user ? user->pw_dir : NULL;
}

/* ~ and ~/... with the home folder, the rest as it is; NULL with the error set for ~user. */
static const char *expand_home(struct hcl_call *call, size_t arg)
{
        const char *path = text_without_nul(call, arg), *folder;

        if (!path || *path != '~')
                return path;
        folder = home();
        if (path[1] != '\0' && path[1] != '/')
                func_fail(call, arg, "\"%s\": home folders of other users are not expanded; write the whole path",
                          path);
        else if (!folder)
                func_fail(call, arg, "\"%s\": there is no home folder; HOME is not set", path);
        else
                return path[1] ? func_clean(call->arena, arena_printf(call->arena, "%s/%s", folder, path + 1)) : folder;
        return NULL;
}

static const char *below(struct arena *arena, const char *folder, const char *path)
{
        if (*path != '/' && folder && *folder)
                path = arena_printf(arena, "%s/%s", folder, path);
        return func_clean(arena, path);
}

/* An argument as a file that is read: relative to base_dir, ~ expanded, checked for NUL. NULL with the error set. */
static const char *path_of(struct hcl_call *call, size_t arg)
{
        const char *path = expand_home(call, arg);

        return path ? below(call->arena, call->env->base_dir, path) : NULL;
}

/* The bytes of a regular file. NULL with the error set. */
static const char *read_file(struct hcl_call *call, size_t arg, const char *path, size_t *ret_len)
{
        CLEANUP_ERROR struct error err = {0};
        CLEANUP_FREE char *text = NULL;
        struct stat st;

        if (stat(path, &st) < 0 && errno == ENOENT) {
                func_fail(call, arg, "there is no file '%s'", path);
                return NULL;
        }
        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* a pipe would never end */
                func_fail(call, arg, "'%s' is no regular file", path);
                return NULL;
        }
        if (file_read(path, FUNC_TEXT_MAX, &text, ret_len, &err) < 0) {
                func_fail(call, arg, "%s", error_message(&err));
                return NULL;
        }
        return arena_memdup(call->arena, text, *ret_len + 1);
}

const char *func_read_text(struct hcl_call *call, size_t arg, const char **ret_path, size_t *ret_len)
{
        const char *path = path_of(call, arg), *text = path ? read_file(call, arg, path, ret_len) : NULL;

        if (text && !func_valid_utf8(text, *ret_len)) {
                func_fail(call, arg, "'%s' is no UTF-8 text; filebase64() reads any file", path);
                return NULL;
        }
        *ret_path = path;
        return text;
}

CALL(file)
{
        const char *path, *text;
        size_t len;

        text = func_read_text(call, 0, &path, &len);
        return text ? hcl_string_value(call->arena, text, len) : NULL;
}

/* The original looks in the working directory only; where nothing is there, this looks beside the template too. */
CALL(filebase64)
{
        const char *path = text_without_nul(call, 0), *data;
        CLEANUP_STR struct str out = {0};
        size_t len;

        if (!path)
                return NULL;
        if (access(path, F_OK) < 0)
                path = below(call->arena, call->env->base_dir, path);
        data = read_file(call, 0, path, &len);
        if (!data)
                return NULL;
        func_base64(&out, data, len);
        return hcl_string_value(call->arena, str_get(&out), out.len);
}

CALL(fileexists)
{
        const char *path = path_of(call, 0);
        struct stat st;

        if (!path)
                return NULL;
        if (stat(path, &st) < 0)
                return errno == ENOENT || errno == ENOTDIR
                               ? &hcl_false
                               : func_fail(call, 0, "'%s' cannot be looked at: %s", path, strerror(errno));
        if (!S_ISREG(st.st_mode))
                return func_fail(call, 0, "'%s' is there, but is no regular file", path);
        return &hcl_true;
}

CALL(abspath)
{
        const char *path = text_without_nul(call, 0);
        CLEANUP_FREE char *folder = NULL;

        if (!path)
                return NULL;
        folder = getcwd(NULL, 0);
        if (!folder && *path != '/')
                return func_fail(call, 0, "there is no working directory: %s", strerror(errno));
        return hcl_string_from(call->arena, below(call->arena, folder, path));
}

CALL(basename)
{
        struct hcl_string path = func_text(call, 0);
        size_t start;

        if (path.len == 0)
                return hcl_string_from(call->arena, ".");
        while (path.len > 1 && path.s[path.len - 1] == '/')
                path.len--;
        for (start = path.len; start > 0 && path.s[start - 1] != '/';)
                start--;
        if (start == path.len) /* nothing but slashes */
                return hcl_string_from(call->arena, "/");
        return hcl_string_value(call->arena, path.s + start, path.len - start);
}

CALL(dirname)
{
        const char *path = text_without_nul(call, 0), *slash = path ? strrchr(path, '/') : NULL;

        if (!path)
                return NULL;
        return hcl_string_from(
                call->arena,
                func_clean(call->arena, arena_strndup(call->arena, path, slash ? (size_t)(slash + 1 - path) : 0)));
}

CALL(pathexpand)
{
        const char *path = expand_home(call, 0);

        return path ? hcl_string_from(call->arena, path) : NULL;
}

CALL(env)
{
        struct hcl_string name = func_text(call, 0);
        const char *value;

        if (!call->env->env_allowed)
                return func_fail(
                        call, FUNC_WHOLE,
                        "the environment is read in defaults of variables only; write variable \"x\" { default = "
                        "env(\"%s\") } and use var.x here",
                        name.s);
        value = strlen(name.s) == name.len ? getenv(name.s) : NULL;
        if (value && !func_valid_utf8(value, strlen(value)))
                return func_fail(call, 0, "the environment's variable %s is no UTF-8 text", name.s);
        return hcl_string_from(call->arena, value ? value : "");
}

#define TEXT .returns = &hcl_string
#define PATH PARAMS({"path", &hcl_string})

FUNCTION(abspath, TEXT, PATH, .help = "The path from the root on; relative ones begin in the working directory.");
FUNCTION(basename, TEXT, PATH, .help = "The last part of a path.");
FUNCTION(dirname, TEXT, PATH, .help = "The path without its last part.");
FUNCTION(env, TEXT, PARAMS({"key", &hcl_string}), .flags = HCL_IMPURE,
         .help = "A variable of the environment, empty if it is not set; for defaults of variables only.");
FUNCTION(file, TEXT, PATH, .help = "The text in a file; relative paths begin in the template's folder.");
FUNCTION(filebase64, TEXT, PATH,
         .help = "The bytes of a file in base64; relative paths begin in the working directory.");
FUNCTION(fileexists, .returns = &hcl_bool, PATH, .help = "Is there such a file?");
FUNCTION(pathexpand, TEXT, PATH, .help = "The path with the home folder in place of a leading \"~\".");
