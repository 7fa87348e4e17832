/* XAPI's messages as notices of the report. */
#include "xenclient/drivers/xapi_notices.h"

#include "xenclient/model/event.h"

#include <string.h>

/* 1 data will be lost, 2 service will be, 3 service is worse than it should be, 4 it has recovered, 5 for information. */
static const enum xc_severity severities[] = {
    [1] = XC_SEVERITY_CRITICAL, [2] = XC_SEVERITY_MAJOR, [3] = XC_SEVERITY_WARNING,
    [4] = XC_SEVERITY_CLEAR,    [5] = XC_SEVERITY_INFO,
};

static int newest_first(gconstpointer a, gconstpointer b)
{
    const struct xapi_message *x = *(const struct xapi_message *const *)a;
    const struct xapi_message *y = *(const struct xapi_message *const *)b;

    if (x->time.value != y->time.value)
        return x->time.value > y->time.value ? -1 : 1;
    return memcmp(&x->uuid, &y->uuid, sizeof(x->uuid));
}

static void add(struct xc_report *report, const struct xapi_message *message)
{
    struct xc_notice *notice = xc_report_notice(report);
    const struct xapi_number *priority = &message->priority;

    if (!notice)
        return;
    XC_SET(NOTICE, notice, uuid, message->uuid);
    XC_SET(NOTICE, notice, time, message->time.value);
    if (priority->known && priority->value >= 1 && priority->value < (int)G_N_ELEMENTS(severities))
        XC_SET(NOTICE, notice, severity, (uint8_t)severities[priority->value]);
    if (!xc_uuid_is_nil(&message->about))
        XC_SET(NOTICE, notice, about, message->about);
    if (message->name)
        XC_SET(NOTICE, notice, name, xc_report_text(report, message->name, -1));
    if (message->body)
        XC_SET(NOTICE, notice, body, xc_report_text(report, message->body, -1));
}

void xapi_notices_add(struct xc_report *report, const struct xapi_mirror *mirror)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new();
    GHashTableIter iter;
    gpointer object;

    g_hash_table_iter_init(&iter, mirror->objects[XAPI_MESSAGE]);
    while (g_hash_table_iter_next(&iter, NULL, &object)) {
        const struct xapi_message *message = object;

        if (message->time.known && !xc_uuid_is_nil(&message->uuid))
            g_ptr_array_add(all, object);
    }
    g_ptr_array_sort(all, newest_first);
    for (guint i = MIN(all->len, XAPI_NOTICES_MAX); i-- > 0;)
        add(report, all->pdata[i]);
}
