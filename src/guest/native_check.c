/* The last proof that acceleration leaves nothing in an image: each file that the guest could see ends in
 * a mark (which an ELF file may have), the qemu with a door among them, which is every process's exe; and no file of a
 * layer may. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "guest/native.h"
#include "guest/native_files.h"

const char native_mark[NATIVE_MARK_SIZE] = "\nslipway: the host's, not an image's\n";

static bool is_marked(const char *path, off_t size)
{
        CLEANUP_CLOSE int fd = -1;
        char magic[SELFMAG], mark[NATIVE_MARK_SIZE];

        if (size < NATIVE_MARK_SIZE)
                return false;
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        return fd >= 0 && fd_pread_all(fd, magic, sizeof(magic), 0) == 0 && memcmp(magic, ELFMAG, SELFMAG) == 0 &&
               fd_pread_all(fd, mark, sizeof(mark), size - NATIVE_MARK_SIZE) == 0 &&
               memcmp(mark, native_mark, sizeof(mark)) == 0;
}

static void fts_closep(FTS **fts)
{
        if (*fts)
                fts_close(*fts);
}

int native_check(const char *upper, struct error *err)
{
        CLEANUP_FREE char *root = xstrdup(upper);
        CLEANUP(fts_closep) FTS *fts = fts_open((char *[]){root, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
        const FTSENT *entry;

        if (!fts)
                return error_errno(err, errno, "read '%s'", upper);
        while ((errno = 0, entry = fts_read(fts))) {
                if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS)
                        return error_errno(err, entry->fts_errno, "read '%s'", entry->fts_path);
                if (entry->fts_info == FTS_F && S_ISREG(entry->fts_statp->st_mode) &&
                    is_marked(entry->fts_path, entry->fts_statp->st_size))
                        return error_set(err, EUCLEAN,
                                         "'%s' of the image is a program of this host, which a provisioner took from "
                                         "/proc; let it take the guest's own, by its path",
                                         entry->fts_path + strlen(upper));
        }
        return errno ? error_errno(err, errno, "read '%s'", upper) : 0;
}
