/* One operation. */
#include "xenclient/model/operation.h"

/* Every string of an operation: "" when there is nothing, never NULL. */
static const size_t strings[] = {
    offsetof(struct xc_op, text),      offsetof(struct xc_op, phase),
    offsetof(struct xc_op, target),    offsetof(struct xc_op, source),
    offsetof(struct xc_op, host_from), offsetof(struct xc_op, host_to),
    offsetof(struct xc_op, argument),  offsetof(struct xc_op, content),
    offsetof(struct xc_op, note),      offsetof(struct xc_op, boot_id),
    offsetof(struct xc_op, group),     offsetof(struct xc_op, member),
};

static char **string_at(struct xc_op *op, size_t i)
{
    return (char **)(void *)((char *)op + strings[i]);
}

void xc_op_init(struct xc_op *op)
{
    *op = (struct xc_op){0};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        *string_at(op, i) = g_strdup("");
    op->state = XC_OP_ACCEPTED;
    op->result = XC_RESULT_NONE;
    op->cause = XC_CAUSE_NONE;
    op->progress = -1;
    op->target_domid = -1;
}

void xc_op_clear(struct xc_op *op)
{
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_clear_pointer(string_at(op, i), g_free);
}

struct xc_op *xc_op_new(void)
{
    struct xc_op *op = g_new(struct xc_op, 1);

    xc_op_init(op);
    return op;
}

void *xc_op_free(struct xc_op *op)
{
    if (op)
        xc_op_clear(op);
    g_free(op);
    return NULL;
}
