/* What body.c, json_body.c and dynamic.c share: content on its way from a body
 * of either form to what a schema asks for. */
#pragma once

#include "base/vec.h"
#include "hcl/eval.h"

struct reader {
        struct arena *arena;
        const struct hcl_body_schema *schema;
        const struct hcl_scope *scope; /* dynamic blocks are expanded in it; or NULL */
        struct diags *diags;
        bool partial; /* what the schema does not have is left */
        VEC(struct hcl_attr) attrs;
        VEC(struct hcl_block) blocks;
        /* what is left */
        VEC(struct hcl_attr) rest_attrs;
        VEC(struct hcl_block) rest_blocks;
        VEC(struct value_entry) rest_json;
};

const struct hcl_attr_schema *reader_attr_schema(const struct reader *reader, const char *name);   /* or NULL */
const struct hcl_block_schema *reader_block_schema(const struct reader *reader, const char *type); /* or NULL */
/* False: there is one of this name already. */
bool reader_add_attr(struct reader *reader, struct hcl_attr attr);
/* A block that the schema has; its labels are counted. */
void reader_add_block(struct reader *reader, const struct hcl_block_schema *schema, struct hcl_block block);
/* The schema does not have it: the nearest name that it has is offered. */
void reader_unknown(struct reader *reader, const char *what, const char *name, struct range at);
size_t schema_labels(const struct hcl_block_schema *schema);

/* The members of a body in JSON form: those that the schema has are added, others are left. */
void reader_json(struct reader *reader, const struct value *json);
/* All members as arguments. */
void reader_json_attributes(struct reader *reader, const struct value *json);
/* What is left of it, as a body; the members are borrowed. */
const struct hcl_body *reader_json_rest(struct reader *reader, const struct hcl_body *body);

/* `dynamic "TYPE"`: blocks of that type for each element. False: the schema has no such blocks. */
bool reader_dynamic(struct reader *reader, const struct hcl_block *dynamic);
