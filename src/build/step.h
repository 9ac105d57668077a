/* What image.c and plan.c need of the steps. See step.c. */
#pragma once

#include "build/job.h"

/* One step for this build, decoded. */
struct build_step {
        const struct template_step *block;
        const struct provisioner_type *type;
        struct value *value;
        void *config;
        char *what; /* "shell": for messages */
};
int build_step_decode(const struct job *job, const struct template_step *block, struct build_step *ret,
                      struct error *err);
void build_step_clear(struct build_step *step);
/* May the host's own tools run in the guest? */
bool step_accelerated(const struct job *job);

/* A guest on all layers so far; its changes go to stage/layer/diff. */
int step_guest(struct job *job, const char *stage, struct guest **ret, struct error *err);

/* image_setup_extra: the commands that name $IMAGE_PATH run when the image is
 * written, the others as a layer before the provisioners. */
bool setup_extra_wanted(const struct job *job, bool with_image);
int setup_extra_run(struct job *job, struct guest *guest, bool with_image, const char *image_path, struct error *err);
