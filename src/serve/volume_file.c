/* A FAT volume of other files: see site_files.h. Its beginning is made when it
 * is opened, and the files are read where they lie, when their part of it is. */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "disk/fat_layout.h"
#include "serve/site_files.h"

struct volume {
        struct fat_layout layout;
        struct file **parts; /* by where they lie */
        size_t n;
};

static void volume_free(struct volume *volume)
{
        for (size_t i = 0; i < volume->n; i++)
                files_close(volume->parts[i]);
        free(volume->parts);
        fat_layout_clear(&volume->layout);
        free(volume);
}

static void volume_close(struct file *file)
{
        volume_free(file->data);
        free(file);
}

static size_t at_most(size_t n, uint64_t limit)
{
        return n < limit ? n : (size_t)limit;
}

static ssize_t volume_read(struct file *file, void *buf, size_t n, uint64_t offset)
{
        const struct volume *volume = file->data;
        uint64_t next = file->size; /* where zeros end that lie at the offset */

        if (offset < volume->layout.head_bytes) {
                n = at_most(n, volume->layout.head_bytes - offset);
                memcpy(buf, volume->layout.head + offset, n);
                return (ssize_t)n;
        }
        for (size_t i = volume->n; i-- > 0;) {
                struct file *part = volume->parts[i];
                uint64_t at = volume->layout.at[i];
                int r;

                if (offset < at) {
                        next = at;
                        continue;
                }
                if (offset - at >= part->size)
                        break;
                n = at_most(n, part->size - (offset - at));
                r = files_read(part, buf, n, offset - at);
                return r < 0 ? r : (ssize_t)n;
        }
        n = at_most(n, next - offset);
        memset(buf, 0, n);
        return (ssize_t)n;
}

int volume_file_open(const char *const *names, struct file **parts, size_t n, struct file **ret, struct error *err)
{
        struct fat_layout_file *files = xcalloc(n + 1, sizeof(*files));
        struct volume *volume = xcalloc(1, sizeof(*volume));
        int r;

        *volume = (struct volume){.parts = parts, .n = n};
        for (size_t i = 0; i < n; i++)
                files[i] = (struct fat_layout_file){names[i], parts[i]->size};
        r = fat_layout_make(files, n, &volume->layout, err);
        free(files);
        if (r < 0) {
                volume_free(volume);
                return r;
        }
        *ret = xmalloc(sizeof(**ret));
        **ret = (struct file){.size = volume->layout.size_bytes,
                              .fd = -1,
                              .read = volume_read,
                              .close = volume_close,
                              .data = volume};
        return 0;
}
