/* For tests of groups: SETs of one part each, and why they were refused. */
#pragma once

#include "tests/unit/engine_kit.h"

#include "xenclient/engine/groups.h"

/* Takes txn and error. */
static inline enum xc_cause kit_end_set(struct xc_txn *txn, bool ok, GError *error)
{
    enum xc_cause cause;

    if (ok && xc_txn_write(txn, &error))
        xc_txn_dispatch(txn);
    xc_txn_free(txn);
    kit_turn();
    cause = xc_error_cause(error);
    g_test_message("%s", error ? error->message : "accepted");
    g_clear_error(&error);
    return cause;
}

static inline enum xc_cause kit_put_group(struct kit_fixture *f, const struct xc_group_spec *spec)
{
    struct xc_txn *txn = xc_txn_new(f->engine);
    GError *error = NULL;
    bool ok = xc_txn_put_group(txn, spec, &error);

    return kit_end_set(txn, ok, error);
}

static inline enum xc_cause kit_drop_group(struct kit_fixture *f, const char *name)
{
    struct xc_txn *txn = xc_txn_new(f->engine);
    GError *error = NULL;
    bool ok = xc_txn_remove_group(txn, name, &error);

    return kit_end_set(txn, ok, error);
}
