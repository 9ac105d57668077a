/* The table of builders. A new one is a file with its schema, and a row here. */
#include "template/builder.h"

#include "base/str.h"
#include "template/arm.h"
#include "template/arm_image.h"
#include "template/null.h"

static int check_arm(void *config, const struct value *value, struct diags *diags)
{
        return arm_check(config, value, diags);
}

static const struct arm_builder *arm_image(const void *config)
{
        return config;
}

static int check_arm_image(void *config, const struct value *value, struct diags *diags)
{
        return arm_image_check(config, value, diags);
}

static const struct arm_builder *image_of_arm_image(const void *config)
{
        return &((const struct arm_image_builder *)config)->arm;
}

static void clear_arm_image(void *config)
{
        arm_image_clear(config);
}

static const struct builder_type types[] = {
        {
                .name = "arm",
                .artifact_builder = "slipway.arm",
                .schema = &arm_schema,
                .check = check_arm,
                .image = arm_image,
        },
        {
                .name = "arm-image",
                .artifact_builder = "slipway.arm-image",
                .schema = &arm_image_schema,
                .check = check_arm_image,
                .image = image_of_arm_image,
                .clear = clear_arm_image,
        },
        {
                .name = "null",
                .artifact_builder = "slipway.null",
                .schema = &null_schema,
                .check = null_check,
        },
};

enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

const char *const *builder_names(void)
{
        static const char *names[N_TYPES + 1];

        for (size_t i = 0; i < N_TYPES; i++)
                names[i] = types[i].name;
        return names;
}

const struct builder_type *builder_find(const char *name)
{
        for (size_t i = 0; i < N_TYPES; i++)
                if (str_eq(types[i].name, name))
                        return &types[i];
        return NULL;
}
