/* The last refused SETs, explained. */
#include "xenclient/engine/private.h"

static void refusal_clear(void *data)
{
    struct xc_refusal *refusal = data;

    g_free(refusal->object);
    g_free(refusal->value);
    g_free(refusal->text);
}

void xc_refusal_add(struct xc_engine *engine, const char *object, const char *value, int snmp_error,
                    enum xc_cause cause, const char *text)
{
    struct xc_refusal refusal = {
        .serial = ++engine->refusal_serial,
        .when_real = xc_clock_real(),
        .object = xc_text_clean(object, strlen(object), XC_TEXT_MAX),
        .value = xc_text_clean(value, strlen(value), XC_TEXT_MAX),
        .snmp_error = snmp_error,
        .cause = cause,
        .text = xc_text_clean(text, strlen(text), XC_TEXT_MAX),
    };

    if (!engine->refusals) {
        engine->refusals = g_array_new(FALSE, FALSE, sizeof(struct xc_refusal));
        g_array_set_clear_func(engine->refusals, refusal_clear);
    }
    if (engine->refusals->len == XC_REFUSALS)
        g_array_remove_index(engine->refusals, 0);
    engine->sets_refused++;
    g_array_append_val(engine->refusals, refusal);
    xc_events_refused(engine, refusal.object, refusal.text);
    xc_log(XC_LOG_INFO, "SET of %s refused: %s", refusal.object, refusal.text);
}

const struct xc_refusal *xc_refusals(const struct xc_engine *engine, size_t *n)
{
    *n = engine->refusals ? engine->refusals->len : 0;
    return engine->refusals ? (const struct xc_refusal *)(const void *)engine->refusals->data
                            : NULL;
}
