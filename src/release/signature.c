/* OpenPGP signatures, judged by gpgv. It takes keys from a file of bare packets:
 * armour (RFC 4880, 6.2) is taken off first. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "release/base64.h"
#include "release/release_internal.h"

enum { KEY_BYTES = 4 << 20 };

static const char armour[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----", armour_end[] = "-----END PGP";

/* One armoured block at *text, which goes past it: its packets are appended. */
static int add_block(const char **text, struct str *out, struct error *err)
{
        const char *body = strstr(*text, armour), *end = strstr(body, armour_end), *start;
        CLEANUP_FREE uint8_t *packets = NULL;
        CLEANUP_FREE char *copy = NULL;
        char *sum;
        long n;

        start = end ? strstr(body, "\n\n") : NULL; /* after the armour's headers */
        if (end && (!start || start > end))
                start = strstr(body, "\r\n\r\n");
        if (!start || start > end)
                return error_set(err, EBADMSG, "the armour of the public key is damaged");
        copy = xstrndup(start, (size_t)(end - start));
        sum = strstr(copy, "\n="); /* a checksum, which nothing hangs on */
        if (sum)
                *sum = '\0';
        packets = xmalloc(strlen(copy) + 1);
        n = base64_decode(copy, strlen(copy), packets, strlen(copy));
        if (n < 0)
                return error_set(err, EBADMSG, "the armour of the public key is damaged");
        str_addn(out, (const char *)packets, (size_t)n);
        *text = end + 1;
        return 0;
}

/* The keys as packets: `key` is their armoured text, or the name of a file of either form. */
static int read_keys(const char *key, struct str *out, struct error *err)
{
        CLEANUP_FREE char *content = NULL;
        const char *text = key;
        size_t n = 0;
        int r = 0;

        if (!strstr(key, armour)) {
                r = file_read(key, KEY_BYTES, &content, &n, err);
                if (r < 0)
                        return error_wrap(err, r, "the makers' public key");
                text = content;
        }
        if (!strstr(text, armour)) {
                str_addn(out, text, n);
                return 0;
        }
        while (r == 0 && strstr(text, armour))
                r = add_block(&text, out, err);
        return r;
}

static int run_gpgv(const char *folder, const char *keyring, const char *signature, int data_fd, struct error *err)
{
        CLEANUP_FREE char *program = program_find("gpgv");
        const char *const argv[] = {"gpgv", "--homedir", folder, "--keyring", keyring, signature, "-", NULL};
        int r;

        if (!program)
                return error_set(err, ENOENT, "it needs the program gpgv: install the package gpgv");
        r = spawn_check(&(struct spawn){.argv = argv, .stdin_plus1 = SPAWN_FD(data_fd), .timeout_ms = 10 * 60 * 1000},
                        err);
        return r == -EIO ? error_wrap(err, r, "it is not good") : r;
}

int release_check_gpg(const char *signature, size_t n, const char *key, int data_fd, struct error *err)
{
        const char *tmp = getenv("TMPDIR");
        CLEANUP_FREE char *folder = xasprintf("%s/slipway-gpgv-XXXXXX", str_empty(tmp) ? "/tmp" : tmp);
        CLEANUP_FREE char *keyring = NULL, *file = NULL;
        CLEANUP_STR struct str keys = {0};
        int r = read_keys(key, &keys, err);

        if (r < 0)
                return r;
        if (!mkdtemp(folder))
                return error_errno(err, errno, "create a folder '%s'", folder);
        keyring = path_join(folder, "keys.gpg");
        file = path_join(folder, "signature");
        r = file_write(keyring, str_get(&keys), keys.len, 0600, err);
        if (r == 0)
                r = file_write(file, signature, n, 0600, err);
        if (r == 0)
                r = run_gpgv(folder, keyring, file, data_fd, err);
        tree_remove(folder, NULL);
        return r;
}
