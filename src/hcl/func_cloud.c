/* Secrets in services of others: Packer reads them, slipway does not talk to such services. */
#include "hcl/func.h"

#define WAY_OUT                                                                                                        \
        "slipway does not talk to it; hand the secret over in a variable that is marked sensitive (-var, -var-file, "  \
        "PKR_VAR_name)"

static const struct hcl_value *refuse(struct hcl_call *call)
{
        return func_fail(call, FUNC_WHOLE, "%s", call->function->help);
}

#define REFUSED(function, service, ...)                                                                                \
        CALL(function)                                                                                                 \
        {                                                                                                              \
                return refuse(call);                                                                                   \
        }                                                                                                              \
        FUNCTION(function, .returns = &hcl_string, .flags = HCL_REFUSED, PARAMS(__VA_ARGS__),                          \
                 .help = "it reads from " service ", and " WAY_OUT)

REFUSED(aws_secretsmanager, "AWS Secrets Manager", {"name", &hcl_string}, {"key", &hcl_string, HCL_ALLOW_NULL});
REFUSED(aws_secretsmanager_raw, "AWS Secrets Manager", {"name", &hcl_string});
REFUSED(consul_key, "Consul", {"key", &hcl_string});
REFUSED(vault, "Vault", {"path", &hcl_string}, {"key", &hcl_string});
