/* What all requests by libcurl have in common. Private to the room. */
#pragma once

#include <curl/curl.h>

/* A request of this URL, http or https, that follows redirects and gives up
 * when nothing comes for stall_sec; NULL: no memory. The caller curl_easy_cleanup()s it. */
CURL *http_request(const char *url, const char *user_agent, unsigned int stall_sec);
