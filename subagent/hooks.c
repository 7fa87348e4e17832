/* SETs as transactions of the engine. */
#include "subagent/context.h"
#include "subagent/set.h"

static bool allowed(void *context, GError **error)
{
    const struct st_context *st = context;

    if (xc_engine_config(st->engine)->control)
        return true;
    return xc_fail(error, XC_CAUSE_POLICY,
                   "control is off: set `control = yes` in section [agent] of the configuration");
}

static void *begin(void *context)
{
    return xc_txn_new(((const struct st_context *)context)->engine);
}

static bool write_out(void *transaction, GError **error)
{
    return xc_txn_write(transaction, error);
}

static void dispatch(void *transaction)
{
    xc_txn_dispatch(transaction);
    xc_txn_free(transaction);
}

static void release(void *transaction)
{
    xc_txn_free(transaction);
}

static void refused(void *context, const char *object, const char *value, int snmp_error,
                    enum xc_cause cause, const char *text)
{
    xc_refusal_add(((const struct st_context *)context)->engine, object, value, snmp_error, cause,
                   text);
}

const struct st_set_hooks st_engine_hooks = {
    .allowed = allowed,
    .begin = begin,
    .write = write_out,
    .dispatch = dispatch,
    .release = release,
    .refused = refused,
};
