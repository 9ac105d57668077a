/* A template carried out: the rooms below, composed. The way of the data:
 *
 *     template -> plan (steps read by their own tables)
 *     base     -> fetched, verified, unpacked once into a tree in the cache
 *     steps    -> each a layer on the ones before, cached by its key
 *     image    -> base plus layers, written in user space
 *     packages -> post-processors
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/ui.h"
#include "base/vec.h"
#include "template/template.h"

/* Check what only the steps' own tables know: types and keys of provisioners
 * and post-processors, for every build that they apply to. Needs no network,
 * no root, no qemu. Messages into diags; returns 0, or -EINVAL after errors.
 * The template may have errors of its own; where its variables have no values, nothing is checked. */
int build_check(const struct template *t, struct diags *diags);

enum on_error { ON_ERROR_CLEANUP, ON_ERROR_ABORT, ON_ERROR_ASK, ON_ERROR_RUN_CLEANUP_PROVISIONER };

struct build_options {
        bool force;         /* replace an existing image_path */
        bool debug;         /* wait for Enter before each step */
        bool no_cache;      /* run every step again */
        bool no_accelerate; /* emulate all of a guest for another processor */
        enum on_error on_error;
        long parallel; /* builds at the same time; 0: no limit */
        struct ui ui;  /* how to show: machine_readable, timestamps, color */
};

/* What build_run() would do now, one line for each thing. */
enum plan_state {
        PLAN_CACHED, /* taken from the cache */
        PLAN_RUNS,   /* made, and kept for the next time */
        PLAN_ALWAYS, /* done each time */
};
struct plan_line {
        enum plan_state state;
        char *what; /* "base", "Provisioner shell 2" */
        char *why;  /* "changed: file scripts/setup.sh"; "" where there is nothing to say */
};
struct plan {
        VEC(struct plan_line) lines;
};
/* For one build (template_build); nothing is fetched, run or written. */
int build_plan(const struct template *t, size_t build, const struct build_options *options, struct plan *ret,
               struct error *err);
void plan_clear(struct plan *plan);

/* PACKER_RUN_UUID, if it is not set: to be called before the template is
 * loaded, which may ask for it; any number of calls. */
void build_name_run(void);

/* Run all builds of a template that build_check() found good. Says what
 * happens through the ui, and the errors too. Returns the number of builds
 * that failed, or -ECANCELED. */
int build_run(const struct template *t, const struct build_options *options);
