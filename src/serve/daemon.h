/* `slipway serve`: a site file becomes servers. Everything is opened first;
 * then privileges go; then the first packet is read. A reload puts another
 * site in place whole, or leaves the old one as it is. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "site/site.h"

enum daemon_log { DAEMON_LOG_TEXT, DAEMON_LOG_JSON, DAEMON_LOG_BRIEF }; /* brief: without what clients do */

struct daemon_options {
        const char *site;              /* file; NULL: quick */
        const char *quick, *interface; /* a folder that is served on an interface */
        enum site_mode mode;           /* of quick */
        const char *state;             /* folder of leases and events; NULL: the site's */
        const char *control;           /* socket for other commands; NULL: in the folder `state` */
        enum daemon_log log;
        bool check;   /* read the site file, say what is wrong with it, and do nothing */
        bool verbose; /* log each transfer's beginning too */
        bool no_sandbox;
};

/* Until SIGTERM or SIGINT. Messages about the site file go to stderr, and -EINVAL is returned without a message. */
int daemon_run(const struct daemon_options *options, struct error *err);
