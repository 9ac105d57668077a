/* See tftp_transfer.h. */
#include "serve/tftp_transfer.h"

enum { HEADERS = 20 + 8 + TFTP_HEADER }; /* IPv4 without options, UDP, TFTP */

/* ---- what is granted ---- */

static void grant_blksize(struct tftp_transfer *t, const struct tftp_terms *asked, const struct tftp_path *path)
{
        unsigned int max = path->mtu > HEADERS + TFTP_BLKSIZE_MIN ? path->mtu - HEADERS : TFTP_BLKSIZE_MIN;

        t->blksize = TFTP_BLKSIZE;
        if (!asked->has_blksize)
                return;
        t->blksize = asked->blksize > max && !path->fragment ? (uint16_t)max : asked->blksize;
        t->granted.has_blksize = true;
        t->granted.blksize = t->blksize;
}

static void grant_windowsize(struct tftp_transfer *t, const struct tftp_terms *asked)
{
        unsigned int max = TFTP_WINDOW_BYTES / t->blksize;

        t->windowsize = 1;
        if (!asked->has_windowsize)
                return;
        t->windowsize = asked->windowsize > max ? (uint16_t)max : asked->windowsize;
        t->granted.has_windowsize = true;
        t->granted.windowsize = t->windowsize;
}

/* Only what was asked for, nothing larger, and the timeout as it is: anything else is fatal to EDK2. */
static void grant(struct tftp_transfer *t, const struct tftp_packet *request, uint64_t size,
                  const struct tftp_path *path)
{
        const struct tftp_terms *asked = &request->terms;

        grant_blksize(t, asked, path);
        grant_windowsize(t, asked);
        t->granted.has_timeout = asked->has_timeout;
        t->granted.timeout_sec = asked->timeout_sec;
        t->granted.has_tsize = asked->has_tsize && request->mode == TFTP_OCTET;
        t->granted.tsize_bytes = t->granted.has_tsize ? size : 0;
        t->oack = t->granted.has_blksize || t->granted.has_windowsize || t->granted.has_timeout || t->granted.has_tsize;
}

/* ---- steps ---- */

static void wait_from(struct tftp_transfer *t, int64_t now_ms)
{
        t->deadline_ms = now_ms + t->wait_ms;
}

static enum tftp_step send_oack(struct tftp_transfer *t, int64_t now_ms)
{
        wait_from(t, now_ms);
        return TFTP_SEND_OACK;
}

/* The window after the last block that the client has. */
static enum tftp_step send_window(struct tftp_transfer *t, int64_t now_ms)
{
        uint64_t left = t->blocks - t->acked;

        t->next = t->acked + 1;
        t->limit = t->next + (left < t->windowsize ? left : t->windowsize);
        t->pending = false;
        wait_from(t, now_ms);
        return TFTP_SEND_BLOCKS;
}

enum tftp_step tftp_transfer_start(struct tftp_transfer *t, const struct tftp_packet *request, uint64_t size,
                                   const struct tftp_path *path, int64_t now_ms)
{
        *t = (struct tftp_transfer){.size = size, .next = 1, .limit = 1, .tries = 1};
        grant(t, request, size, path);
        t->blocks = size / t->blksize + 1;
        t->base_ms = t->granted.has_timeout ? t->granted.timeout_sec * 1000U : TFTP_WAIT_MS;
        t->wait_ms = t->base_ms;
        return t->oack ? send_oack(t, now_ms) : send_window(t, now_ms);
}

static enum tftp_step resend_window(struct tftp_transfer *t, int64_t now_ms)
{
        t->quiet_until_ms = now_ms + TFTP_QUIET_MS;
        return send_window(t, now_ms);
}

static void progress(struct tftp_transfer *t)
{
        t->answered = true;
        t->tries = 1;
        t->wait_ms = t->base_ms;
}

/* The client has nothing of the window, which is sent again; but at most once in a while: an ACK that the network
 * doubled would double every window that follows, each of which is acknowledged twice. With windows of
 * one block it is always ignored (RFC 1123, 4.2.3.1): here our own timer serves. */
static enum tftp_step duplicate(struct tftp_transfer *t, int64_t now_ms)
{
        if (t->windowsize == 1 || t->next == t->acked + 1)
                return TFTP_WAIT;
        if (now_ms >= t->quiet_until_ms)
                return resend_window(t, now_ms);
        t->pending = true;
        t->deadline_ms = t->quiet_until_ms;
        return TFTP_WAIT;
}

static enum tftp_step acknowledge(struct tftp_transfer *t, uint16_t block, int64_t now_ms)
{
        uint16_t ahead = (uint16_t)(block - (uint16_t)t->acked);

        if (t->oack) {
                if (block != 0)
                        return TFTP_WAIT;
                t->oack = false;
                progress(t);
                return send_window(t, now_ms);
        }
        if (ahead == 0)
                return duplicate(t, now_ms);
        if (ahead > t->next - 1 - t->acked) /* of long ago, or of what was never sent */
                return TFTP_WAIT;
        progress(t);
        t->acked += ahead;
        return t->acked == t->blocks ? TFTP_COMPLETE : send_window(t, now_ms);
}

enum tftp_step tftp_transfer_handle(struct tftp_transfer *t, const struct tftp_packet *packet, int64_t now_ms)
{
        bool probe = t->granted.has_tsize && t->acked == 0 &&
                     (packet->code == TFTP_ERROR_UNDEFINED || packet->code == TFTP_ERROR_OPTION);

        if (packet->opcode == TFTP_ACK)
                return acknowledge(t, packet->block, now_ms);
        if (packet->opcode == TFTP_ERROR)
                return probe ? TFTP_PROBED : TFTP_REFUSED;
        return TFTP_WAIT;
}

enum tftp_step tftp_transfer_again(struct tftp_transfer *t, int64_t now_ms)
{
        if (t->oack) {
                t->resent++;
                return send_oack(t, now_ms);
        }
        return t->acked == 0 && !t->answered ? send_window(t, now_ms) : TFTP_WAIT;
}

enum tftp_step tftp_transfer_expire(struct tftp_transfer *t, int64_t now_ms)
{
        uint32_t max = t->base_ms > TFTP_WAIT_MAX_MS ? t->base_ms : TFTP_WAIT_MAX_MS;

        if (t->pending)
                return resend_window(t, now_ms);
        if (t->tries >= (t->answered ? TFTP_TRIES : TFTP_TRIES_UNANSWERED))
                return TFTP_GAVE_UP;
        t->tries++;
        t->wait_ms = t->wait_ms > max / 2 ? max : t->wait_ms * 2;
        if (!t->oack)
                return resend_window(t, now_ms);
        t->resent++;
        return send_oack(t, now_ms);
}

void tftp_transfer_sent(struct tftp_transfer *t, uint64_t n, int64_t now_ms)
{
        uint64_t end = t->next + n - 1;

        if (t->next <= t->highest)
                t->resent += (end < t->highest ? end : t->highest) - t->next + 1;
        if (end > t->highest)
                t->highest = end;
        t->next += n;
        wait_from(t, now_ms);
}
