/* The networks of a site, and the interfaces of this host. */
#pragma once

#include "site/site.h"

/* What is said where the host has no such interface, or that no address. */
enum bind_missing {
        BIND_ERROR,
        BIND_WARNING, /* the site file may be another host's */
        BIND_SILENT,
};

/* Addresses and subnets that the file leaves out are those of the interfaces: see site_bind(). Returns 0, or -EINVAL
 * after an error. */
int bind_networks(struct site *site, enum bind_missing missing, struct diags *diags);
