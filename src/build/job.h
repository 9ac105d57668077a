/* One build under way, and the parts of it that pass from hand to hand inside
 * this room: base.c, step.c, image.c, packages.c, run.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/ui.h"
#include "base/vec.h"
#include "build/build.h"
#include "build/cache.h"
#include "build/copy.h"
#include "build/record.h"
#include "build/served.h"
#include "disk/disk.h"
#include "disk/fs.h"
#include "guest/guest.h"
#include "package/package.h"
#include "provision/provision.h"
#include "source/source.h"

/* A file system of the image, and where the guest sees it. */
struct job_mount {
        unsigned int number; /* of the partition; from 1 */
        char *mountpoint;    /* "/", "/boot" */
        const struct fs_type *type;
        uint64_t start_bytes, size_bytes;
        const struct arm_partition *wanted; /* as the template has it, or NULL */
};

/* What the steps start from. */
struct base {
        char *image;               /* reuse, resize: the vendor's image in the cache; else NULL */
        char *tree;                /* all its mounted file systems as one tree; if served, its root */
        char *over;                /* served: the other file systems, a layer on it; or NULL */
        char *links;               /* file: which files have several names, for the guest */
        struct source_nodes nodes; /* devices of an archive */
        char key[DIGEST_HEX_MAX];  /* of the tree: the first layer's parent */
        struct job_mount *mounts;  /* by mountpoint, the root first */
        size_t n_mounts;
};

/* What to do after a failed try of a step: ABORT leaves what it did for a look,
 * STOP is for a build that is cancelled. */
enum decision { DECISION_NONE, DECISION_RETRY, DECISION_CLEAN_UP, DECISION_ABORT, DECISION_STOP };

struct job {
        const struct template *template;
        const struct template_build *build;
        const struct arm_builder *arm; /* the image to make; NULL: none, and no guest */
        const struct template_steps *steps;
        const struct build_options *options;
        struct ui *ui;
        struct cache cache;
        struct userns *ns;
        char run_uuid[37];
        int64_t epoch;   /* SOURCE_DATE_EPOCH, or -1 */
        int64_t started; /* seconds since 1970 */
        struct base base;
        struct served served;
        struct copy copy;
        pid_t sealing;             /* reads the base's image for its seal; 0: nobody does */
        size_t n_base_layers;      /* how many of `layers` are the base */
        int machine, bits;         /* of the guest (ELF) */
        char platform[32];         /* of the guest, as guest_platform() says it; "": not known yet */
        int64_t retries_left;      /* of the step under way */
        bool goes_on;              /* the step may fail: continue_on_error */
        enum decision decision;    /* after its last try */
        char **layers;             /* folders, the lowest first */
        struct plan_record record; /* of the layers that were taken or made */
        char key[DIGEST_HEX_MAX];  /* of the layers so far */
};

/* Fork into the namespaces, with what fn leaves in `arg` (size bytes) copied
 * back: fn must put no pointers there. */
int job_call(struct job *job, int (*fn)(void *arg, struct error *err), void *arg, size_t size, struct error *err);

/* base.c: fetch, verify, unpack; or bootstrap. Fills job->base and the architecture. */
int base_prepare(struct job *job, struct error *err);
/* Whether it is in the cache, and its key (base.key), without making anything. 1: the key cannot be known yet. */
int base_plan(struct job *job, bool *ret_ready, struct error *err);
/* Wait until its image is sealed; or, not `wanted`, give that up. */
void base_sealed(struct job *job, bool wanted);
void base_clear(struct base *base);

/* run.c: a job for one build, without anything open. `build` (the job's own copy) and `values` must outlast it. */
struct job job_begin(const struct template *t, struct template_build *build, struct interp_pair values[],
                     const struct build_options *options, struct ui *ui);

/* "1 hour 5 minutes"; the caller frees. */
char *duration_text(int64_t seconds) __attribute__((warn_unused_result));

/* mounts.c: which partition is mounted where. From the template's list, held
 * against the image's own table; or from the image's fstab. */
int mounts_find(struct job *job, const char *image, struct base *base, struct error *err);
/* For method new: where the template puts them. */
int mounts_plan(struct job *job, struct base *base, struct error *err);

/* step.c: every provisioner in turn, each a layer. */
int steps_run(struct job *job, struct error *err);

/* image.c: base and layers to image_path, whole or not at all. */
int job_write_image(struct job *job, struct error *err);

/* rootfs.c: base and layers as a rootfs archive at image_path (.tar.gz and the like). */
bool rootfs_wanted(const char *image_path);
int job_write_rootfs(struct job *job, struct error *err);

/* packages.c: post-processors. What is left in the end goes to *ret (a list of artifacts). */
struct artifacts {
        VEC(struct artifact) list;
};
void artifacts_clear(struct artifacts *artifacts);
int packages_run(struct job *job, struct artifacts *ret, struct error *err);
