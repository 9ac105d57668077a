/* Digests, passwords, decryption, ids. */
#include <crypt.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>
#include <uuid/uuid.h>

#include "base/digest.h"
#include "hcl/func.h"

static const struct hcl_value *digest(struct hcl_call *call, const char *name)
{
        CLEANUP(digest_freep) struct digest *digest = digest_new(name);
        char hex[DIGEST_HEX_MAX];

        if (!digest)
                return func_fail(call, FUNC_WHOLE, "libcrypto has no %s here", name);
        digest_update(digest, func_text(call, 0).s, func_text(call, 0).len);
        digest_final(digest, hex);
        return hcl_string_from(call->arena, hex);
}

CALL(md5)
{
        return digest(call, "md5");
}

CALL(sha1)
{
        return digest(call, "sha1");
}

CALL(sha256)
{
        return digest(call, "sha256");
}

CALL(sha512)
{
        return digest(call, "sha512");
}

/* Each step of the cost doubles the time: 18 takes a quarter of a minute. */
CALL(bcrypt)
{
        enum { COST_MIN = 4, COST_DEFAULT = 10, COST_MAX = 18, PASSWORD_MAX = 72 };
        struct hcl_string password = func_text(call, 0);
        struct crypt_data *data = arena_alloc(call->arena, sizeof(*data));
        char setting[CRYPT_GENSALT_OUTPUT_SIZE], *hash;
        int64_t cost = COST_DEFAULT;

        if (call->n > 2)
                return func_fail(call, 2, "bcrypt takes a text, and a cost");
        if (call->n == 2 && !func_int(call, 1, &cost))
                return NULL;
        if (cost < COST_MIN)
                cost = COST_DEFAULT; /* as the original does */
        if (cost > COST_MAX)
                return func_fail(call, 1, "the cost must be at most %d: each step doubles the time", COST_MAX);
        if (password.len > PASSWORD_MAX || strlen(password.s) != password.len)
                return func_fail(call, 0, "bcrypt takes at most %d bytes, none of which is NUL", PASSWORD_MAX);
        if (!crypt_gensalt_rn("$2a$", (unsigned long)cost, NULL, 0, setting, sizeof(setting)))
                return func_fail(call, FUNC_WHOLE, "libcrypt gives no salt");
        hash = crypt_r(password.s, setting, data);
        if (!hash || *hash == '*')
                return func_fail(call, FUNC_WHOLE, "libcrypt has no bcrypt here");
        return hcl_string_from(call->arena, hash);
}

static int no_passphrase(char *buffer, int size, int writing, void *user)
{
        (void)buffer;
        (void)size;
        (void)writing;
        *(bool *)user = true;
        return -1;
}

static void pkey_freep(EVP_PKEY **key)
{
        EVP_PKEY_free(*key);
}

static void pkey_ctx_freep(EVP_PKEY_CTX **ctx)
{
        EVP_PKEY_CTX_free(*ctx);
}

static EVP_PKEY *read_key(struct hcl_call *call)
{
        struct hcl_string pem = func_text(call, 1);
        bool encrypted = false;
        BIO *bio = pem.len < FUNC_TEXT_MAX ? BIO_new_mem_buf(pem.s, (int)pem.len) : NULL;
        EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &encrypted) : NULL;

        BIO_free(bio);
        ERR_clear_error();
        if (key && EVP_PKEY_is_a(key, "RSA"))
                return key;
        EVP_PKEY_free(key);
        func_fail(call, 1,
                  encrypted ? "the key is protected by a password; decrypt it first (openssl rsa)"
                            : "this is no RSA key in PEM form");
        return NULL;
}

CALL(rsadecrypt)
{
        CLEANUP(pkey_ctx_freep) EVP_PKEY_CTX *ctx = NULL;
        CLEANUP(pkey_freep) EVP_PKEY *key = NULL;
        const char *cipher;
        size_t len, out_len;
        char *out;

        cipher = func_base64_decode(call->arena, func_text(call, 0), &len);
        if (!cipher)
                return func_fail(call, 0, "this is no base64 (RFC 4648)");
        key = read_key(call);
        if (!key)
                return NULL;
        ctx = EVP_PKEY_CTX_new(key, NULL);
        out_len = (size_t)EVP_PKEY_get_size(key);
        out = arena_alloc(call->arena, out_len + 1);
        if (!ctx || EVP_PKEY_decrypt_init(ctx) <= 0 || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) <= 0 ||
            EVP_PKEY_decrypt(ctx, (unsigned char *)out, &out_len, (const unsigned char *)cipher, len) <= 0) {
                ERR_clear_error();
                return func_fail(call, 0, "the text cannot be decrypted with this key");
        }
        if (!func_valid_utf8(out, out_len))
                return func_fail(call, 0, "what was encrypted is no UTF-8 text, and there are no other strings");
        return hcl_string_value(call->arena, out, out_len);
}

static const struct hcl_value *uuid_value(struct hcl_call *call, const uuid_t uuid)
{
        char text[UUID_STR_LEN];

        uuid_unparse_lower(uuid, text);
        return hcl_string_from(call->arena, text);
}

CALL(uuidv4)
{
        uuid_t uuid;

        uuid_generate_random(uuid);
        return uuid_value(call, uuid);
}

/* RFC 4122 section 4.3, SHA-1 */
CALL(uuidv5)
{
        struct hcl_string space = func_text(call, 0), name = func_text(call, 1);
        const uuid_t *known = uuid_get_template(space.s);
        uuid_t uuid, parent;

        if (known)
                uuid_copy(parent, *known);
        else if (strlen(space.s) != space.len || uuid_parse(space.s, parent) < 0)
                return func_fail(call, 0, "the namespace must be \"dns\", \"url\", \"oid\", \"x500\" or a UUID");
        uuid_generate_sha1(uuid, parent, name.s, name.len);
        return uuid_value(call, uuid);
}

#define TEXT     .returns = &hcl_string
#define ONE_TEXT PARAMS({"str", &hcl_string})

FUNCTION(bcrypt, TEXT, ONE_TEXT, VARIADIC("cost", &hcl_number), .flags = HCL_IMPURE,
         .help = "A hash of a password by bcrypt, with a cost (10).");
FUNCTION(md5, TEXT, ONE_TEXT, .help = "The MD5 digest of a text, in hex.");
FUNCTION(rsadecrypt, TEXT, PARAMS({"ciphertext", &hcl_string}, {"privatekey", &hcl_string}),
         .help = "The text that base64 of RSA (PKCS #1 v1.5) stands for.");
FUNCTION(sha1, TEXT, ONE_TEXT, .help = "The SHA-1 digest of a text, in hex.");
FUNCTION(sha256, TEXT, ONE_TEXT, .help = "The SHA-256 digest of a text, in hex.");
FUNCTION(sha512, TEXT, ONE_TEXT, .help = "The SHA-512 digest of a text, in hex.");
FUNCTION(uuidv4, TEXT, .flags = HCL_IMPURE, .help = "A random UUID.");
FUNCTION(uuidv5, TEXT, PARAMS({"namespace", &hcl_string}, {"name", &hcl_string}),
         .help = "The UUID of a name in a namespace.");
