/* See http.h. */
#include "source/http.h"

#include <pthread.h>

#include "base/cancel.h"

enum { CONNECT_TIMEOUT_SEC = 30, MAX_REDIRECTS = 10 };

/* Once for the process, before threads use it; curl_global_init is not safe to race. */
static void init_curl(void)
{
        curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int on_progress(void *arg, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
        (void)arg, (void)total, (void)now, (void)up_total, (void)up_now;
        return cancel_requested();
}

CURL *http_request(const char *url, const char *user_agent, unsigned int stall_sec)
{
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        CURL *curl;

        pthread_once(&once, init_curl);
        curl = curl_easy_init();
        if (!curl)
                return NULL;
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
        curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_SEC);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)stall_sec);
        curl_easy_setopt(curl, CURLOPT_USERAGENT, user_agent);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        return curl;
}

void http_deliver(CURL *curl, http_taker *on_header, http_taker *on_data, void *arg, char text[CURL_ERROR_SIZE])
{
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, arg);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, arg);
}
