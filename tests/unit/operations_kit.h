/* For tests of operations: one SET with one action, what came of it, and its end. */
#pragma once

#include "tests/unit/engine_kit.h"

/* The cause it was refused for, or NONE. */
static inline enum xc_cause kit_ask(struct kit_fixture *f, const struct xc_request *request)
{
    struct xc_txn *txn = xc_txn_new(f->engine);
    g_autoptr(GError) error = NULL;

    if (xc_txn_add_op(txn, request, &error) && xc_txn_write(txn, &error))
        xc_txn_dispatch(txn);
    xc_txn_free(txn);
    kit_turn();
    g_test_message("%s", error ? error->message : "accepted");
    return xc_error_cause(error);
}

static inline size_t kit_count(struct kit_fixture *f)
{
    size_t n;

    xc_ops(f->engine, &n);
    return n;
}

static inline const struct xc_op *kit_newest(struct kit_fixture *f)
{
    size_t n;
    const struct xc_op *const *ops = xc_ops(f->engine, &n);

    g_assert_cmpuint(n, >, 0);
    return ops[n - 1];
}

/* The order that was sent so many before. */
static inline const struct xc_order *kit_order(guint i)
{
    g_assert_cmpuint(i, <, kit->orders->len);
    return kit->orders->pdata[i];
}

static inline const struct xc_order *kit_last_order(void)
{
    return kit_order(kit->orders->len - 1);
}

/* The worker tells how an order ended. */
static inline void kit_end(const struct xc_order *order, enum xc_result result, enum xc_cause cause,
                           const char *text)
{
    struct xc_outcome outcome = {result, cause, (char *)text};
    struct xc_uuid op = order->op;

    kit->events.outcome(&op, &outcome, kit->data);
    kit_turn();
}
