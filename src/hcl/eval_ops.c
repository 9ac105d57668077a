/* Operators and conditions: see eval.h. */
#include "hcl/eval_internal.h"
#include "hcl/parser.h"
#include "hcl/value_internal.h"

/* ---- operators ---- */

static const struct operator
{
        const struct hcl_type *operands, *result;
}
operators[] = {
        [HCL_OP_OR] = {&hcl_bool, &hcl_bool},           [HCL_OP_AND] = {&hcl_bool, &hcl_bool},
        [HCL_OP_EQUAL] = {&hcl_any, &hcl_bool},         [HCL_OP_NOT_EQUAL] = {&hcl_any, &hcl_bool},
        [HCL_OP_LESS] = {&hcl_number, &hcl_bool},       [HCL_OP_LESS_EQUAL] = {&hcl_number, &hcl_bool},
        [HCL_OP_GREATER] = {&hcl_number, &hcl_bool},    [HCL_OP_GREATER_EQUAL] = {&hcl_number, &hcl_bool},
        [HCL_OP_ADD] = {&hcl_number, &hcl_number},      [HCL_OP_SUBTRACT] = {&hcl_number, &hcl_number},
        [HCL_OP_MULTIPLY] = {&hcl_number, &hcl_number}, [HCL_OP_DIVIDE] = {&hcl_number, &hcl_number},
        [HCL_OP_MODULO] = {&hcl_number, &hcl_number},   [HCL_OP_NOT] = {&hcl_bool, &hcl_bool},
        [HCL_OP_NEGATE] = {&hcl_number, &hcl_number},
};

/* The operand as the operator wants it, or NULL after a message. */
static const struct hcl_value *suit(const struct eval *e, enum hcl_op op, const struct hcl_value *value,
                                    const struct hcl_expr *expr)
{
        const struct hcl_type *type = operators[op].operands;

        if (type->kind == HCL_ANY)
                return value;
        if (value->state == HCL_NULL) {
                diag_error(e->diags, expr->range, "this operand is null; a %s is needed",
                           hcl_type_friendly(e->arena, type));
                return NULL;
        }
        return eval_convert(e, value, type, expr->range, "this operand does not fit");
}

const struct hcl_value *eval_unary(const struct eval *e, const struct hcl_expr *expr)
{
        const struct hcl_type *result = operators[expr->op].result;
        const struct hcl_value *value = suit(e, expr->op, eval_expr(e, expr->attr.operand), expr->attr.operand), *ret;

        if (!value)
                return hcl_unknown(e->arena, result);
        if (value->state == HCL_UNKNOWN) {
                ret = hcl_unknown(e->arena, result);
        } else if (expr->op == HCL_OP_NOT) {
                ret = hcl_bool_value(!value->boolean);
        } else {
                mpfr_t number;

                mpfr_init2(number, mpfr_get_prec(value->number));
                mpfr_neg(number, value->number, MPFR_RNDN);
                ret = hcl_number_value(e->arena, number);
                mpfr_clear(number);
        }
        return eval_marked(e, ret, value->sensitive);
}

/* The remainder of the division whose quotient is cut towards zero. */
static void modulo(mpfr_ptr ret, mpfr_srcptr a, mpfr_srcptr b)
{
        mpfr_div(ret, a, b, MPFR_RNDN);
        mpfr_trunc(ret, ret);
        mpfr_mul(ret, b, ret, MPFR_RNDN);
        mpfr_sub(ret, a, ret, MPFR_RNDN);
}

static void calculate(mpfr_ptr ret, enum hcl_op op, mpfr_srcptr a, mpfr_srcptr b)
{
        if (op == HCL_OP_ADD)
                mpfr_add(ret, a, b, MPFR_RNDN);
        else if (op == HCL_OP_SUBTRACT)
                mpfr_sub(ret, a, b, MPFR_RNDN);
        else if (op == HCL_OP_MULTIPLY)
                mpfr_mul(ret, a, b, MPFR_RNDN);
        else if (op == HCL_OP_DIVIDE)
                mpfr_div(ret, a, b, MPFR_RNDN);
        else
                modulo(ret, a, b);
}

/* The precision of a result is the greater one of its operands'; a product has what it needs. */
static mpfr_prec_t result_precision(enum hcl_op op, mpfr_srcptr a, mpfr_srcptr b)
{
        enum { MAX_PRECISION = 512 };
        mpfr_prec_t x = mpfr_get_prec(a), y = mpfr_get_prec(b), greater = x > y ? x : y;
        mpfr_prec_t product = mpfr_min_prec(a) + mpfr_min_prec(b);

        if (op == HCL_OP_MULTIPLY && product > greater)
                greater = product;
        return greater < MAX_PRECISION ? greater : MAX_PRECISION;
}

static const struct hcl_value *arithmetic(const struct eval *e, const struct hcl_expr *expr,
                                          const struct hcl_value *left, const struct hcl_value *right)
{
        const struct hcl_value *ret = NULL;
        mpfr_t number;

        if ((expr->op == HCL_OP_DIVIDE || expr->op == HCL_OP_MODULO) && mpfr_zero_p(right->number)) {
                diag_error(e->diags, expr->range, "division by zero");
                return hcl_unknown(e->arena, &hcl_number);
        }
        mpfr_init2(number, result_precision(expr->op, left->number, right->number));
        calculate(number, expr->op, left->number, right->number);
        if (mpfr_number_p(number))
                ret = hcl_number_value(e->arena, number);
        mpfr_clear(number);
        if (!ret)
                diag_error(e->diags, expr->range, "the result is too large for a number");
        return ret ? ret : hcl_unknown(e->arena, &hcl_number);
}

static bool in_order(enum hcl_op op, int r)
{
        return op == HCL_OP_LESS ? r < 0 : op == HCL_OP_LESS_EQUAL ? r <= 0 : op == HCL_OP_GREATER ? r > 0 : r >= 0;
}

/* Both are known, and of the operator's type. */
static const struct hcl_value *operate(const struct eval *e, const struct hcl_expr *expr, const struct hcl_value *left,
                                       const struct hcl_value *right)
{
        if (expr->op == HCL_OP_OR)
                return hcl_bool_value(left->boolean || right->boolean);
        if (expr->op == HCL_OP_AND)
                return hcl_bool_value(left->boolean && right->boolean);
        if (operators[expr->op].result->kind == HCL_BOOL)
                return hcl_bool_value(in_order(expr->op, mpfr_cmp(left->number, right->number)));
        return arithmetic(e, expr, left, right);
}

static const struct hcl_value *equality(const struct eval *e, enum hcl_op op, const struct hcl_value *left,
                                        const struct hcl_value *right)
{
        int equal = hcl_value_equality(left, right);
        const struct hcl_value *ret =
                equal < 0 ? hcl_unknown(e->arena, &hcl_bool) : hcl_bool_value((equal > 0) == (op == HCL_OP_EQUAL));

        return eval_marked(e, ret, hcl_value_sensitive(left) || hcl_value_sensitive(right));
}

/* Does the left operand of && or || say it all? Then nothing is wrong with the right one. */
static bool decides(enum hcl_op op, const struct hcl_value *left)
{
        return (op == HCL_OP_AND || op == HCL_OP_OR) && left && left->state == HCL_KNOWN &&
               left->boolean == (op == HCL_OP_OR);
}

const struct hcl_value *eval_binary(const struct eval *e, const struct hcl_expr *expr)
{
        const struct hcl_value *left = eval_expr(e, expr->binary.left), *right, *ret;

        left = suit(e, expr->op, left, expr->binary.left);
        if (decides(expr->op, left))
                return left;
        right = suit(e, expr->op, eval_expr(e, expr->binary.right), expr->binary.right);
        if (!left || !right)
                return hcl_unknown(e->arena, operators[expr->op].result);
        if (operators[expr->op].operands->kind == HCL_ANY)
                return equality(e, expr->op, left, right);
        ret = left->state == HCL_UNKNOWN || right->state == HCL_UNKNOWN
                      ? hcl_unknown(e->arena, operators[expr->op].result)
                      : operate(e, expr, left, right);
        return eval_marked(e, ret, left->sensitive || right->sensitive);
}

/* ---- condition ? yes : no ---- */

struct branches {
        const struct hcl_value *yes, *no;
        struct diags yes_diags, no_diags; /* only those of the branch that is taken count */
};

static void branches_clear(struct branches *branches)
{
        diags_clear(&branches->yes_diags);
        diags_clear(&branches->no_diags);
}

static bool is_plain_null(const struct hcl_value *value)
{
        return value->state == HCL_NULL && value->type->kind == HCL_ANY;
}

/* The type of both branches, or NULL after a message. */
static const struct hcl_type *common_type(const struct eval *e, const struct hcl_expr *expr,
                                          const struct branches *branches)
{
        const struct hcl_type *types[] = {branches->yes->type, branches->no->type}, *type;

        if (is_plain_null(branches->yes))
                return types[1];
        if (is_plain_null(branches->no))
                return types[0];
        if (types[0]->kind == HCL_ANY || types[1]->kind == HCL_ANY)
                return &hcl_any;
        type = hcl_unify(e->arena, types, 2);
        if (!type)
                diag_error(e->diags, range_between(expr->conditional.yes->range, expr->conditional.no->range),
                           "both results of a condition must be of types that have something in common, but found "
                           "%s and %s",
                           hcl_type_text(e->arena, types[0]), hcl_type_text(e->arena, types[1]));
        return type;
}

/* The condition as a bool, known or not; NULL after a message. */
static const struct hcl_value *condition(const struct eval *e, const struct hcl_expr *expr)
{
        const struct hcl_value *value = eval_expr(e, expr);

        if (value->state == HCL_NULL) {
                diag_error(e->diags, expr->range, "the condition is null; it must be true or false");
                return NULL;
        }
        return eval_convert(e, value, &hcl_bool, expr->range, "the condition must be true or false");
}

const struct hcl_value *eval_conditional(const struct eval *e, const struct hcl_expr *expr)
{
        CLEANUP(branches_clear) struct branches branches = {0};
        struct eval yes = *e, no = *e;
        const struct hcl_value *decision, *ret;
        const struct hcl_type *type;

        yes.diags = &branches.yes_diags;
        branches.yes = eval_expr(&yes, expr->conditional.yes);
        no.diags = &branches.no_diags;
        branches.no = eval_expr(&no, expr->conditional.no);
        type = common_type(e, expr, &branches);
        decision = condition(e, expr->conditional.condition);
        if (!type || !decision)
                return type ? hcl_unknown(e->arena, type) : &hcl_unknown_any;
        if (decision->state == HCL_UNKNOWN)
                return eval_marked(e, hcl_unknown(e->arena, type),
                                   decision->sensitive || hcl_value_sensitive(branches.yes) ||
                                           hcl_value_sensitive(branches.no));
        diags_move(e->diags, decision->boolean ? &branches.yes_diags : &branches.no_diags);
        ret = eval_convert(e, decision->boolean ? branches.yes : branches.no, type,
                           decision->boolean ? expr->conditional.yes->range : expr->conditional.no->range,
                           "this result does not fit the other one's type");
        return ret ? eval_marked(e, ret, decision->sensitive) : hcl_unknown(e->arena, type);
}
