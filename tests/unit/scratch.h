/* A scratch folder that the test works in, and a shell in it. For tests of several rooms. */
#pragma once

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/spawn.h"
#include "base/str.h"

static char dir[] = "/tmp/slipway-test.XXXXXX";

static inline int scratch_setup(void **state)
{
        (void)state;
        return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static inline int scratch_teardown(void **state)
{
        (void)state;
        return chdir("/") == 0 ? tree_remove(dir, NULL) : -1;
}

/* A shell script, run in the scratch folder; must succeed. */
static inline void sh(const char *script)
{
        CLEANUP_ERROR struct error err = {0};
        const char *const argv[] = {"/bin/bash", "-ec", script, NULL};

        if (spawn_check(&(struct spawn){.argv = argv, .cwd = dir}, &err) < 0)
                fail_msg("%s: %s", script, error_message(&err));
}

static inline bool has_program(const char *name)
{
        CLEANUP_FREE char *path = program_find(name);

        return path != NULL;
}

static inline void assert_contains(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("'%s' is not in: %s", part, text);
}

static inline void write_text(const char *path, const char *text)
{
        assert_int_equal(file_write(path, text, strlen(text), 0644, NULL), 0);
}
