/* A small root tree with busybox, and a guest on it. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sys/xattr.h>

#include "guest/guest.h"
#include "guesttest.h"

struct tree {
        struct userns *ns;
        char *dir, *base, *upper, *work, *scratch;
        char *busybox; /* to be copied into it */
        int layers;
};

static inline void tree_write(const char *base, const char *name, const char *text)
{
        CLEANUP_FREE char *path = path_join(base, name), *folder = path_dir(path);

        assert_int_equal(dir_make(folder, 0755, NULL), 0);
        assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
}

/* Runs inside. /tmp is for all, /proc and /sys are missing on purpose. */
static inline int tree_fill(void *arg, struct error *err)
{
        static const char *const applets[] = {
                "sh",       "cat",      "echo",  "ls",  "mount",    "umount", "rm",    "mv",    "cp",
                "chmod",    "kill",     "sleep", "id",  "hostname", "touch",  "mkdir", "stat",  "grep",
                "ps",       "setsid",   "tty",   "env", "ln",       "sed",    "chown", "pwd",   "wc",
                "readlink", "nslookup", "true",  "yes", "rmdir",    "su",     "test",  "uname", NULL};
        const struct tree *tree = arg;
        CLEANUP_FREE char *bin = path_join(tree->base, "bin"), *busybox = path_join(bin, "busybox");
        CLEANUP_FREE char *tmp = path_join(tree->base, "tmp"), *dev = path_join(tree->base, "dev");
        CLEANUP_FREE char *text = NULL;
        size_t n;

        umask(022);
        if (dir_make(bin, 0755, err) < 0 || dir_make(tmp, 0755, err) < 0 || dir_make(dev, 0755, err) < 0)
                return -EIO;
        if (file_read(tree->busybox, 0, &text, &n, err) < 0 || file_write(busybox, text, n, 0755, err) < 0)
                return -EIO;
        for (size_t i = 0; applets[i]; i++) {
                CLEANUP_FREE char *link = path_join(bin, applets[i]);

                if (symlink("busybox", link) < 0)
                        return error_errno(err, errno, "symlink");
        }
        tree_write(tree->base, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nship:x:1000:1000::/:/bin/sh\n");
        tree_write(tree->base, "etc/group", "root:x:0:\nship:x:1000:\n");
        tree_write(tree->base, "etc/hostname", "vessel\n");
        return chmod(tmp, 01777) < 0 ? error_errno(err, errno, "chmod") : 0;
}

static inline struct tree *tree_new(struct userns *ns, const char *busybox)
{
        struct tree *tree = xcalloc(1, sizeof(*tree));
        struct error err = {0};

        tree->ns = ns;
        tree->dir = scratch_new();
        tree->base = path_join(tree->dir, "base");
        tree->upper = path_join(tree->dir, "upper");
        tree->work = path_join(tree->dir, "work");
        tree->scratch = path_join(tree->dir, "scratch");
        tree->busybox = xstrdup(busybox);
        assert_int_equal(mkdir(tree->upper, 0755), 0);
        assert_int_equal(mkdir(tree->work, 0755), 0);
        if (userns_call(ns, tree_fill, tree, &err) < 0)
                fail_msg("%s", error_message(&err));
        return tree;
}

static inline void tree_free(struct tree *tree)
{
        scratch_free(tree->ns, tree->dir);
        free(tree->base);
        free(tree->upper);
        free(tree->work);
        free(tree->scratch);
        free(tree->busybox);
        free(tree);
}

static inline struct guest *tree_start_with(struct tree *tree, struct guest_config config)
{
        const char *lowers[] = {tree->base, NULL};
        struct error err = {0};
        struct guest *guest = NULL;

        if (!config.lowers)
                config.lowers = lowers;
        config.upper = tree->upper;
        config.work = tree->work;
        config.scratch = tree->scratch;
        if (guest_start(tree->ns, &config, &guest, &err) < 0)
                fail_msg("%s", error_message(&err));
        return guest;
}

static inline struct guest *tree_start(struct tree *tree)
{
        return tree_start_with(tree, (struct guest_config){0});
}

static inline void tree_stop(struct guest *guest)
{
        struct error err = {0};

        if (guest_stop(guest, true, &err) < 0)
                fail_msg("%s", error_message(&err));
        guest_free(guest);
}

static inline void tree_line(void *arg, bool is_stderr, const char *line)
{
        str_addf(arg, "%s%s\n", is_stderr ? "E:" : "", line);
}

/* Output and status of a shell script in the guest. The caller frees. */
static inline char *tree_sh(struct guest *guest, const char *script, int want_status)
{
        const char *argv[] = {"/bin/sh", "-c", script, NULL};
        struct str out = {0};
        struct guest_command command = {.argv = argv, .on_line = tree_line, .arg = &out};
        struct error err = {0};
        int status = -1;

        if (guest_run(guest, &command, &status, &err) < 0)
                fail_msg("%s: %s", script, error_message(&err));
        if (status != want_status)
                fail_msg("%s: exit code %d\n%s", script, status, str_get(&out));
        return str_steal(&out);
}

static inline void tree_expect(struct guest *guest, const char *script, const char *want)
{
        CLEANUP_FREE char *got = tree_sh(guest, script, 0);

        assert_string_equal(got, want);
}

/* Is there this name in the upper folder? As type and content: "-" absent, "w" whiteout, "d", "l:target", "f:text". */
struct probe {
        struct tree *tree;
        const char *name;
        char *out; /* file for the answer */
};

static inline int probe_inside(void *arg, struct error *err)
{
        const struct probe *probe = arg;
        CLEANUP_FREE char *path = xasprintf("%s/%s", probe->tree->upper, probe->name), *text = NULL;
        CLEANUP_STR struct str answer = {0};
        char target[4096] = "";
        struct stat st;

        if (lstat(path, &st) < 0)
                str_add(&answer, "-");
        else if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
                str_add(&answer, "w");
        else if (S_ISDIR(st.st_mode))
                str_add(&answer, "d");
        else if (S_ISLNK(st.st_mode) && readlink(path, target, sizeof(target) - 1) > 0)
                str_addf(&answer, "l:%s", target);
        else if (S_ISREG(st.st_mode) && file_read(path, 0, &text, NULL, err) == 0)
                str_addf(&answer, "f:%s", text);
        return file_write(probe->out, str_get(&answer), answer.len, 0644, err);
}

static inline void tree_upper_is(struct tree *tree, const char *name, const char *want)
{
        CLEANUP_FREE char *out = path_join(tree->dir, "probe"), *got = NULL;
        struct probe probe = {.tree = tree, .name = name, .out = out};

        assert_int_equal(userns_call(tree->ns, probe_inside, &probe, NULL), 0);
        assert_int_equal(file_read(out, 0, &got, NULL, NULL), 0);
        assert_string_equal(got, want);
}
