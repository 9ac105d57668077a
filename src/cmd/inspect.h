/* What inspect shows of an HCL2 template: inspect_hcl.c. */
#pragma once

#include "base/ui.h"
#include "template/template.h"

/* In the form of Packer's "HCL2 mode". */
void inspect_hcl(struct ui *ui, const struct template *t);
/* {"variables": [...], "locals": [...], "builds": [...]} */
void inspect_hcl_json(const struct template *t);
