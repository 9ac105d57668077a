/* The bytes of a connection: plain, or encrypted by OpenSSL with the user's certificate. */
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "serve/http_internal.h"

/* ---- certificate and key ---- */

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
        (void)buf;
        (void)size;
        (void)writing;
        (void)arg;
        return 0; /* asks nobody */
}

static int check_readable(const char *path, struct error *err)
{
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

        return fd < 0 ? error_errno(err, errno, "open '%s'", path) : 0;
}

static int load(SSL_CTX *tls, const char *certificate, const char *key, struct error *err)
{
        int r = check_readable(certificate, err);

        if (r == 0)
                r = check_readable(key, err);
        if (r < 0)
                return r;
        if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1)
                return error_set(err, EINVAL, "'%s' is no certificate in PEM form", certificate);
        if (SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1 &&
            ERR_GET_LIB(ERR_peek_last_error()) != ERR_LIB_X509)
                return error_set(err, EINVAL, "'%s' is no private key in PEM form without a passphrase", key);
        if (SSL_CTX_check_private_key(tls) != 1)
                return error_set(err, EINVAL, "the key '%s' is not that of the certificate '%s'", key, certificate);
        return 0;
}

int http_tls_open(const char *certificate, const char *key, SSL_CTX **ret, struct error *err)
{
        SSL_CTX *tls;
        int r;

        if (!certificate || !key)
                return error_set(err, EINVAL, "HTTPS needs both a certificate and its key");
        tls = SSL_CTX_new(TLS_server_method());
        if (!tls)
                return error_set(err, ENOMEM, "TLS cannot be set up");
        SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
        SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
        /* A write goes on from another buffer with the same bytes; idle connections hold none. */
        SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_default_passwd_cb(tls, no_passphrase);
        r = load(tls, certificate, key, err);
        ERR_clear_error();
        if (r == 0)
                *ret = tls;
        else
                SSL_CTX_free(tls);
        return r;
}

/* ---- bytes ---- */

/* What a call of OpenSSL that did not succeed comes to. */
static ssize_t tls_result(struct http_connection *c, int r)
{
        int saved = errno, error = SSL_get_error(c->ssl, r);

        ERR_clear_error();
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
                c->waits_for = error == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT;
                return -EAGAIN;
        }
        if (error == SSL_ERROR_ZERO_RETURN)
                return 0;
        return error == SSL_ERROR_SYSCALL && saved != 0 ? -saved : -EPROTO;
}

static ssize_t plain_result(struct http_connection *c, ssize_t n, uint32_t waits_for)
{
        if (n >= 0)
                return n;
        c->waits_for = waits_for;
        return -errno;
}

ssize_t http_receive(struct http_connection *c, void *buf, size_t n)
{
        size_t got;
        int r;

        if (!c->ssl)
                return plain_result(c, recv(c->fd, buf, n, MSG_DONTWAIT), EPOLLIN);
        r = SSL_read_ex(c->ssl, buf, n, &got);
        return r == 1 ? (ssize_t)got : tls_result(c, r);
}

ssize_t http_transmit(struct http_connection *c, const void *buf, size_t n, bool more)
{
        const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0);
        size_t sent;
        int r;

        if (!c->ssl)
                return plain_result(c, send(c->fd, buf, n, flags), EPOLLOUT);
        r = SSL_write_ex(c->ssl, buf, n, &sent);
        return r == 1 ? (ssize_t)sent : tls_result(c, r);
}

void http_shut(struct http_connection *c)
{
        if (c->ssl && SSL_is_init_finished(c->ssl))
                SSL_shutdown(c->ssl);
        ERR_clear_error();
        shutdown(c->fd, SHUT_WR);
}
