/* Signatures of minisign (https://jedisct1.github.io/minisign/), by libcrypto:
 *
 *     key        base64: "Ed", 8 bytes that name the key, 32 bytes of Ed25519
 *     signature  base64: "Ed" or "ED", the key's name, 64 bytes: of the file, or of its BLAKE2b-512
 *                then the trusted comment, and base64: 64 bytes, of the signature and that comment
 */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "release/base64.h"
#include "release/release_internal.h"

enum { ALGORITHM = 2, KEY_ID = 8, KEY = 32, SIGNATURE = 64, BLAKE = 64 };

struct public_key {
        uint8_t algorithm[ALGORITHM], id[KEY_ID], key[KEY];
};
struct signature {
        uint8_t algorithm[ALGORITHM], id[KEY_ID], bytes[SIGNATURE];
};
_Static_assert(sizeof(struct public_key) == 42, "as in a .pub file");
_Static_assert(sizeof(struct signature) == 74, "as in a .minisig file");

static const char trusted[] = "trusted comment: ";

/* Lines that are no comment: the key or signature is the first, if there are more. */
static const char *data_line(char **lines, size_t number)
{
        for (; *lines; lines++) {
                const char *line = str_trim(*lines);

                if (*line && !str_starts(line, "untrusted comment:") && !str_starts(line, trusted) && number-- == 0)
                        return line;
        }
        return "";
}

static bool is_signed(const struct public_key *key, const void *data, size_t n, const uint8_t *signature)
{
        EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key->key, KEY);
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        bool good = pkey && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                    EVP_DigestVerify(ctx, signature, SIGNATURE, data, n) == 1;

        EVP_MD_CTX_free(ctx);
        EVP_PKEY_free(pkey);
        return good;
}

static int check_comment(char **lines, const struct public_key *key, const struct signature *signature,
                         struct error *err)
{
        uint8_t global[SIGNATURE];
        CLEANUP_STR struct str text = {0};
        const char *encoded = data_line(lines, 1), *comment = NULL;

        for (char **line = lines; *line && !comment; line++)
                if (str_starts(*line, trusted))
                        comment = *line + strlen(trusted);
        if (!comment || base64_decode(encoded, strlen(encoded), global, sizeof(global)) != SIGNATURE)
                return error_set(err, EBADMSG, "its trusted comment is missing or not signed");
        str_addn(&text, (const char *)signature->bytes, SIGNATURE);
        str_add(&text, comment);
        if (!is_signed(key, text.s, text.len, global))
                return error_set(err, EBADMSG, "its trusted comment is not what was signed");
        return 0;
}

static int check_hashed(const struct public_key *key, const struct signature *signature, int fd, struct error *err)
{
        char hex[DIGEST_HEX_MAX];
        uint8_t digest[BLAKE];
        int r = digest_fd("blake2b512", fd, hex, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i < BLAKE; i++) {
                const char two[] = {hex[2 * i], hex[2 * i + 1], '\0'};

                digest[i] = (uint8_t)strtoul(two, NULL, 16);
        }
        return is_signed(key, digest, BLAKE, signature->bytes);
}

static int check_whole(const struct public_key *key, const struct signature *signature, int fd, struct error *err)
{
        struct stat st;
        void *data;
        bool good;

        if (fstat(fd, &st) < 0)
                return error_errno(err, errno, "read the file");
        data = st.st_size > 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
        if (data == MAP_FAILED)
                return error_errno(err, errno, "read the file");
        good = is_signed(key, data, (size_t)st.st_size, signature->bytes);
        if (data)
                munmap(data, (size_t)st.st_size);
        return good;
}

int release_check_minisign(const char *text, const char *key_text, int data_fd, struct error *err)
{
        CLEANUP_FREE char *key_copy = xstrdup(key_text), *copy = xstrdup(text);
        CLEANUP_STRV char **key_lines = str_split(key_copy, "\n"), **lines = str_split(copy, "\r\n");
        const char *key_line = data_line(key_lines, 0), *line = data_line(lines, 0);
        struct public_key key;
        struct signature signature;
        int r;

        if (base64_decode(key_line, strlen(key_line), (uint8_t *)&key, sizeof(key)) != sizeof(key))
                return error_set(err, EINVAL, "'%s' is no public key of minisign", key_line);
        if (base64_decode(line, strlen(line), (uint8_t *)&signature, sizeof(signature)) != sizeof(signature))
                return error_set(err, EBADMSG, "it is no signature of minisign");
        if (memcmp(key.id, signature.id, KEY_ID) != 0)
                return error_set(err, EBADMSG, "it was made with another key than '%s'", key_line);
        if (memcmp(signature.algorithm, "ED", ALGORITHM) == 0)
                r = check_hashed(&key, &signature, data_fd, err);
        else if (memcmp(signature.algorithm, "Ed", ALGORITHM) == 0)
                r = check_whole(&key, &signature, data_fd, err);
        else
                return error_set(err, ENOTSUP, "it is of a kind that slipway does not know");
        if (r == 0)
                return error_set(err, EBADMSG,
                                 "it is not a signature of this file: the file, or the signature, was "
                                 "changed");
        return r < 0 ? r : check_comment(lines, &key, &signature, err);
}
