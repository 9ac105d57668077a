/* What image.c needs of the steps' set-up. See step.c. */
#pragma once

#include "build/job.h"

/* A guest on all layers so far; its changes go to stage/diff. */
int step_guest(struct job *job, const char *stage, struct guest **ret, struct error *err);

/* image_setup_extra: the commands that name $IMAGE_PATH run when the image is
 * written, the others as a layer before the provisioners. */
bool setup_extra_wanted(const struct job *job, bool with_image);
int setup_extra_run(struct job *job, struct guest *guest, bool with_image, const char *image_path, struct error *err);
