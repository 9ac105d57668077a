/* Base64, character sets, URLs, gzip. */
#include <iconv.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/alloc.h"
#include "hcl/func.h"
#include "lang/url.h"

void func_base64(struct str *out, const void *data, size_t n)
{
        enum { CHUNK = 3 << 10 };
        const unsigned char *p = data;
        unsigned char buffer[CHUNK / 3 * 4 + 1];

        for (size_t done = 0; done < n; done += CHUNK) {
                size_t step = n - done < CHUNK ? n - done : CHUNK;

                str_addn(out, (char *)buffer, (size_t)EVP_EncodeBlock(buffer, p + done, (int)step));
        }
}

static const struct hcl_value *base64_value(struct hcl_call *call, const void *data, size_t n)
{
        CLEANUP_STR struct str out = {0};

        func_base64(&out, data, n);
        return func_string(call, &out);
}

/* libcrypto's decoder takes blanks and any padding; Go's wants quartets, and "=" only at the end. */
const char *func_base64_decode(struct arena *arena, struct hcl_string text, size_t *ret_len)
{
        static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        char *digits = arena_alloc(arena, text.len + 1), *out;
        size_t n = 0, padding;
        int len;

        for (size_t i = 0; i < text.len; i++)
                if (text.s[i] != '\n' && text.s[i] != '\r')
                        digits[n++] = text.s[i];
        padding = n - strspn(digits, alphabet);
        if (n % 4 != 0 || padding > 2 || strspn(digits + n - padding, "=") != padding || strlen(digits) != n ||
            n > INT32_MAX)
                return NULL;
        out = arena_alloc(arena, n / 4 * 3 + 1);
        len = n > 0 ? EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)digits, (int)n) : 0;
        if (len < 0)
                return NULL;
        *ret_len = (size_t)len - padding;
        out[*ret_len] = '\0';
        return out;
}

CALL(base64encode)
{
        return base64_value(call, func_text(call, 0).s, func_text(call, 0).len);
}

CALL(base64decode)
{
        size_t len;
        const char *text = func_base64_decode(call->arena, func_text(call, 0), &len);

        if (!text)
                return func_fail(call, 0, "this is no base64 (RFC 4648)");
        if (!func_valid_utf8(text, len))
                return func_fail(call, 0, "what is encoded is no UTF-8 text, and there are no other strings");
        return hcl_string_value(call->arena, text, len);
}

CALL(base64gzip)
{
        struct hcl_string text = func_text(call, 0);
        z_stream stream = {.next_in = (unsigned char *)text.s, .avail_in = (uInt)text.len};
        gz_header header = {.os = 255}; /* no time, no system: the same text gives the same bytes */
        CLEANUP_FREE unsigned char *out = NULL;
        uLong size;
        int r;

        if (text.len > FUNC_TEXT_MAX)
                return func_fail(call, 0, "the text is longer than %d MiB", FUNC_TEXT_MAX >> 20);
        if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
                return func_fail(call, FUNC_WHOLE, "zlib cannot compress");
        deflateSetHeader(&stream, &header);
        size = deflateBound(&stream, text.len);
        out = xmalloc(size);
        stream.next_out = out;
        stream.avail_out = (uInt)size;
        r = deflate(&stream, Z_FINISH);
        size = stream.total_out;
        deflateEnd(&stream);
        if (r != Z_STREAM_END)
                return func_fail(call, FUNC_WHOLE, "zlib cannot compress");
        return base64_value(call, out, size);
}

CALL(urlencode)
{
        struct hcl_string text = func_text(call, 0);
        CLEANUP_STR struct str out = {0};

        url_add_query(&out, text.s, text.len);
        return func_string(call, &out);
}

static void iconv_closep(iconv_t *cd)
{
        if (*cd != (iconv_t)-1)
                iconv_close(*cd);
}

/* All of the text in another character set. -EILSEQ where it has no such character. */
static int recode(iconv_t cd, const char *in, size_t n, struct str *out)
{
        char buffer[4096], *p = (char *)in;

        while (n > 0) {
                char *to = buffer;
                size_t room = sizeof(buffer), r = iconv(cd, &p, &n, &to, &room);
                int error = errno;

                str_addn(out, buffer, sizeof(buffer) - room);
                if (r == (size_t)-1 && error != E2BIG)
                        return -EILSEQ;
        }
        return 0;
}

/* A character set by the name that IANA gives it; -1 with the error set. UTF-16 is written as big-endian. */
static iconv_t open_charset(struct hcl_call *call, bool encode)
{
        struct hcl_string name = func_text(call, 1);
        const char *charset = encode && strcasecmp(name.s, "UTF-16") == 0 ? "UTF-16BE" : name.s;
        iconv_t cd = (iconv_t)-1;

        /* what follows a slash are iconv's own options */
        if (name.len > 0 && strlen(name.s) == name.len && !strpbrk(name.s, "/,"))
                cd = encode ? iconv_open(charset, "UTF-8") : iconv_open("UTF-8", charset);
        if (cd == (iconv_t)-1)
                func_fail(call, 1, "\"%s\" is no known character set; names are IANA's, such as \"UTF-16LE\"", name.s);
        return cd;
}

CALL(textencodebase64)
{
        CLEANUP(iconv_closep) iconv_t cd = open_charset(call, true);
        struct hcl_string text = func_text(call, 0);
        CLEANUP_STR struct str out = {0};

        if (cd == (iconv_t)-1)
                return NULL;
        if (strcasecmp(func_text(call, 1).s, "UTF-16") == 0)
                str_addn(&out, "\xfe\xff", 2);
        if (recode(cd, text.s, text.len, &out) < 0)
                return func_fail(call, 0, "the text has characters that %s cannot represent", func_text(call, 1).s);
        return base64_value(call, str_get(&out), out.len);
}

CALL(textdecodebase64)
{
        CLEANUP(iconv_closep) iconv_t cd = open_charset(call, false);
        CLEANUP_STR struct str out = {0};
        const char *text;
        size_t len;

        if (cd == (iconv_t)-1)
                return NULL;
        text = func_base64_decode(call->arena, func_text(call, 0), &len);
        if (!text)
                return func_fail(call, 0, "this is no base64 (RFC 4648)");
        if (recode(cd, text, len, &out) < 0 || memmem(str_get(&out), out.len, "\xef\xbf\xbd", 3))
                return func_fail(call, 0, "the bytes are no text in %s", func_text(call, 1).s);
        return func_string(call, &out);
}

#define TEXT .returns = &hcl_string

FUNCTION(base64decode, TEXT, PARAMS({"str", &hcl_string}), .help = "The text that base64 stands for.");
FUNCTION(base64encode, TEXT, PARAMS({"str", &hcl_string}), .help = "The text in base64.");
FUNCTION(base64gzip, TEXT, PARAMS({"str", &hcl_string}), .help = "The text compressed with gzip, in base64.");
FUNCTION(textdecodebase64, TEXT, PARAMS({"source", &hcl_string}, {"encoding", &hcl_string}),
         .help = "The text that base64 of a character set stands for.");
FUNCTION(textencodebase64, TEXT, PARAMS({"string", &hcl_string}, {"encoding", &hcl_string}),
         .help = "The text in another character set, in base64.");
FUNCTION(urlencode, TEXT, PARAMS({"str", &hcl_string}), .help = "The text as part of a URL's query.");
