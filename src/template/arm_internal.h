/* What the files of the arm builder's check share. */
#pragma once

#include "template/arm.h"

enum { SECTOR = 512 };

/* Is there no error yet about what the key holds? */
bool arm_key_is_sound(const struct value *value, const char *key, const struct diags *diags);
void arm_check_partitions(struct arm_builder *arm, const struct value *value, struct diags *diags);
