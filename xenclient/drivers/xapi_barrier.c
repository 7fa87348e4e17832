/* The mark is a token of event.inject, remembered for the source while the process lives. Tokens are two numbers of 20
 * digits, so that those of one server sort by age (xen-api, event_access). */
#include "xenclient/drivers/xapi_barrier.h"

#include <string.h>

#define WAIT_USEC (2 * XC_USEC_PER_SEC)
#define LOOK_USEC (20 * 1000)
#define DIGITS    20

static char *key_of(const struct xc_source_spec *spec)
{
    return g_strconcat("xapi barrier ", spec->key, NULL);
}

static bool is_token(const char *text)
{
    return strspn(text, "0123456789") == DIGITS && text[DIGITS] == ',';
}

void xapi_barrier_set(struct xapi_job *job)
{
    g_autofree char *key = key_of(job->spec);
    g_autoptr(GPtrArray) pools = xapi_job_ask_refs(job, "pool.get_all", XAPI_WITH(NULL), NULL);
    g_autofree char *token =
        pools && pools->len
            ? xapi_job_ask_text(job, "event.inject", XAPI_WITH("pool", pools->pdata[0]), NULL)
            : NULL;

    if (token && is_token(token))
        xc_memory_put(job->env->memory, key, token);
}

void xapi_barrier_wait(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                       struct xapi_feed *feed, struct xc_call *call)
{
    g_autofree char *key = key_of(spec);
    g_autofree char *mark = xc_memory_get(env->memory, key);
    gint64 until = xc_clock_mono() + WAIT_USEC;
    bool waits = *mark;

    while (waits) {
        g_autofree char *now = xapi_feed_token(feed);

        if (is_token(now) && strncmp(now, mark, DIGITS) >= 0)
            return;
        waits = xapi_feed_goes_on(feed) && xc_clock_mono() < until &&
                xc_call_wait(call, -1, 0, LOOK_USEC, "waiting for events", NULL);
    }
    /* Of another coordinator, or lost: it would be waited for each time. */
    if (*mark)
        xc_memory_put(env->memory, key, "");
}
