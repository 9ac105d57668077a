/* What all requests by libcurl have in common. Private to the room. */
#pragma once

#include <curl/curl.h>

/* A request of this URL, http or https, that follows redirects and gives up
 * when nothing comes for stall_sec, or we are cancelled; NULL: no memory. The caller curl_easy_cleanup()s it. */
CURL *http_request(const char *url, const char *user_agent, unsigned int stall_sec);

typedef size_t http_taker(char *data, size_t size, size_t n, void *arg);
/* Header lines, and pieces of the body, go to these two with arg; what went wrong, in libcurl's words, to text. */
void http_deliver(CURL *curl, http_taker *on_header, http_taker *on_data, void *arg, char text[CURL_ERROR_SIZE]);
