/* source_unpack_command(): file_unarchive_cmd, an argv of the template's. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"
#include "source/image.h"
#include "source/source.h"

static void on_line(void *arg, bool is_stderr, const char *line)
{
        struct ui *ui = arg;

        (void)is_stderr;
        if (ui)
                ui_say(ui, "%s", line);
}

/* Only whole elements are replaced, as the original does. */
static const char *replaced(const char *word, const char *archive, const char *dir)
{
        if (strcmp(word, "$ARCHIVE_PATH") == 0)
                return archive;
        if (strcmp(word, "$MOUNTPOINT") == 0 || strcmp(word, "$TMP_DIR") == 0)
                return dir;
        return word;
}

static char *absolute(const char *path)
{
        char *real = realpath(path, NULL);

        return real ? real : xstrdup(path);
}

int source_unpack_command(const char *const *argv, const char *archive, const char *dir, struct ui *ui,
                          struct error *err)
{
        CLEANUP_FREE char *archive_path = absolute(archive), *dir_path = absolute(dir);
        CLEANUP_STRV char **words = NULL;
        struct spawn spawn = {.cwd = dir_path, .on_line = on_line, .arg = ui};
        int r;

        for (const char *const *word = argv; *word; word++)
                strv_add(&words, replaced(*word, archive_path, dir_path));
        if (!words)
                return error_set(err, EINVAL, "file_unarchive_cmd is empty");
        spawn.argv = STRV(words);
        r = spawn_check(&spawn, err);
        return r < 0 ? error_wrap(err, r, "file_unarchive_cmd") : 0;
}

static int copy_archive(const char *from_path, const char *to_path, struct error *err)
{
        CLEANUP_CLOSE int from = open(from_path, O_RDONLY | O_CLOEXEC),
                          to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        struct stat st;
        int r;

        if (from < 0 || fstat(from, &st) < 0)
                return error_errno(err, errno, "open '%s'", from_path);
        if (to < 0)
                return error_errno(err, errno, "create '%s'", to_path);
        r = fd_copy_sparse(from, to, 0, (uint64_t)st.st_size, err);
        if (r == 0 && ftruncate(to, st.st_size) < 0)
                r = error_errno(err, errno, "write");
        return r < 0 ? error_wrap(err, r, "copy the archive to '%s'", to_path) : 0;
}

/* The file in the folder that looks most like an image. */
struct choice {
        char *path;
        int score;
        size_t n_best, n_files;
        struct str listing;
};

static void choice_done(struct choice *choice)
{
        free(choice->path);
        str_clear(&choice->listing);
}

static int consider(struct choice *choice, const char *path, struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        CLEANUP_FREE uint8_t *head = xmalloc(MAGIC_BYTES);
        const char *kind;
        struct stat st;
        ssize_t n;
        int score;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;
        n = pread(fd, head, MAGIC_BYTES, 0);
        if (n < 0)
                return error_errno(err, errno, "read '%s'", path);
        score = image_score(magic_content(head, (size_t)n, &kind), path);
        choice->n_files++;
        str_addf(&choice->listing, "\n    %s (%s)", path_name(path), kind);
        if (choice->path && score <= choice->score) {
                choice->n_best += score == choice->score;
                return 0;
        }
        choice->score = score;
        choice->n_best = 1;
        free(choice->path);
        choice->path = xstrdup(path);
        return 0;
}

static int look_through(struct choice *choice, const char *folder, int depth, struct error *err)
{
        CLEANUP_CLOSEDIR DIR *stream = opendir(folder);
        struct dirent *entry;
        int r = 0;

        if (!stream)
                return error_errno(err, errno, "open folder '%s'", folder);
        while (r == 0 && (entry = readdir(stream))) {
                CLEANUP_FREE char *path = path_join(folder, entry->d_name);
                struct stat st;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || lstat(path, &st) < 0)
                        continue;
                if (S_ISREG(st.st_mode))
                        r = consider(choice, path, err);
                else if (S_ISDIR(st.st_mode) && depth > 0)
                        r = look_through(choice, path, depth - 1, err);
        }
        return r;
}

int source_unpack_command_image(const char *const *argv, const char *archive, const char *name, const char *dir,
                                int to_fd, struct ui *ui, struct error *err)
{
        CLEANUP_FREE char *copy = path_join(dir, path_name(name));
        CLEANUP(choice_done) struct choice choice = {0};
        int r = copy_archive(archive, copy, err);

        if (r == 0)
                r = source_unpack_command(argv, copy, dir, ui, err);
        if (r < 0)
                return r;
        unlink(copy); /* unless the program has done so */
        r = look_through(&choice, dir, 4, err);
        if (r < 0)
                return r;
        if (choice.n_files == 0)
                return error_set(err, ENOENT, "file_unarchive_cmd left no file in its folder ($TMP_DIR)");
        if (choice.n_best > 1)
                return error_set(err, EINVAL, "exactly one image must come out of file_unarchive_cmd; it left:%s",
                                 str_get(&choice.listing));
        r = source_unpack_image(choice.path, to_fd, ui, err);
        return r < 0 ? error_wrap(err, r, "what file_unarchive_cmd left, '%s'", path_name(choice.path)) : 0;
}
