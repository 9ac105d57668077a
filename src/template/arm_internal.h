/* What the files that check the arm builders' keys share. */
#pragma once

#include "template/arm.h"

enum { SECTOR = 512 };

/* Is there no error yet about what the key holds, or its misspelling? */
bool arm_key_is_sound(const struct value *value, const char *key, const struct diags *diags);
/* What can be said of `file_urls`, and of `file_checksum`, before anything is fetched; `key` is what
 * the template calls them. The digest loses its prefix ("sha256:"), and file_checksum_type is set.
 * `given`: the type that another key names, or NULL. */
struct digest_kind;
void arm_check_urls(const struct arm_builder *arm, const struct value *value, const char *key, struct diags *diags);
void arm_check_digest(struct arm_builder *arm, const struct value *value, const char *key,
                      const struct digest_kind *given, struct diags *diags);
void arm_check_partitions(struct arm_builder *arm, const struct value *value, struct diags *diags);
