/* Helpers of this room's tests: a scratch folder that a user namespace can
 * write, and skipping where there are no user namespaces. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "guest/userns.h"

static inline char *scratch_new(void)
{
        const char *tmp = getenv("TMPDIR");
        char *dir = xasprintf("%s/slipway-guest-XXXXXX", tmp ? tmp : "/tmp");

        assert_non_null(mkdtemp(dir));
        return dir;
}

static inline int scratch_remove_inside(void *dir, struct error *err)
{
        return tree_remove(dir, err);
}

static inline void scratch_free(struct userns *ns, char *dir)
{
        if (ns)
                assert_int_equal(userns_call(ns, scratch_remove_inside, dir, NULL), 0);
        else
                assert_int_equal(tree_remove(dir, NULL), 0);
        free(dir);
}

/* The namespaces, or exit 77 with the reason. */
static inline struct userns *userns_or_skip(void)
{
        struct error err = {0};
        struct userns *ns = NULL;

        if (userns_new(&ns, &err) < 0) {
                fprintf(stderr, "skipped: %s\n", error_message(&err));
                exit(77);
        }
        return ns;
}
