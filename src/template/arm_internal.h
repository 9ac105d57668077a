/* What the files of the arm builder's check share. */
#pragma once

#include "template/arm.h"

enum { SECTOR = 512 };

void arm_check_partitions(struct arm_builder *arm, const struct value *value, struct diags *diags);
