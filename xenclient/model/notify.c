/* Classes of notifications, the bucket, and what is told in bulk. */
#include "xenclient/model/notify.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/text.h"

#include <string.h>

static const struct xc_label classes[] = {
    {XC_CLASS_CRASH, "crash"},
    {XC_CLASS_HOST, "host"},
    {XC_CLASS_OPERATION_FAILED, "operationFailed"},
    {XC_CLASS_HYPERVISOR, "hypervisor"},
    {XC_CLASS_AGENT, "agent"},
    {XC_CLASS_THRESHOLD, "threshold"},
    {XC_CLASS_DOMAIN_STATE, "domainState"},
    {XC_CLASS_DOMAIN_LIFE, "domainLife"},
    {XC_CLASS_DOMAIN_MOVE, "domainMove"},
    {XC_CLASS_OPERATION_FINISHED, "operationFinished"},
    {XC_CLASS_SET_REFUSED, "setRefused"},
};
XC_ENUM_DEFINE(xc_notify_class_labels, "xenNotifyEnable", classes);

static const struct {
    enum xc_event_type type;
    enum xc_notify_class class;
} of_type[] = {
    {XC_EVENT_DOMAIN_STATE, XC_CLASS_DOMAIN_STATE},
    {XC_EVENT_DOMAIN_CREATED, XC_CLASS_DOMAIN_LIFE},
    {XC_EVENT_DOMAIN_DELETED, XC_CLASS_DOMAIN_LIFE},
    {XC_EVENT_DOMAIN_MOVED, XC_CLASS_DOMAIN_MOVE},
    {XC_EVENT_DOMAIN_CRASHED, XC_CLASS_CRASH},
    {XC_EVENT_HOST_DOWN, XC_CLASS_HOST},
    {XC_EVENT_HOST_UP, XC_CLASS_HOST},
    {XC_EVENT_HOST_UNAUTHORISED, XC_CLASS_HOST},
    {XC_EVENT_HOST_UNTRUSTED, XC_CLASS_HOST},
    {XC_EVENT_OPERATION_FINISHED, XC_CLASS_OPERATION_FINISHED},
    {XC_EVENT_OPERATION_FAILED, XC_CLASS_OPERATION_FAILED},
    {XC_EVENT_THRESHOLD, XC_CLASS_THRESHOLD},
    {XC_EVENT_SET_REFUSED, XC_CLASS_SET_REFUSED},
    {XC_EVENT_AGENT_STARTED, XC_CLASS_AGENT},
    {XC_EVENT_HYPERVISOR_MESSAGE, XC_CLASS_HYPERVISOR},
};

int xc_notify_class(enum xc_event_type type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(of_type); i++)
        if (of_type[i].type == type)
            return (int)of_type[i].class;
    return -1;
}

bool xc_notify_wanted(uint32_t wanted, enum xc_event_type type)
{
    int class = xc_notify_class(type);

    return class >= 0 && ((wanted >> class) & 1);
}

static int class_of_label(const char *word)
{
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
        if (strcmp(classes[i].label, word) == 0)
            return classes[i].number;
    return -1;
}

const char *xc_notify_parse(const char *const *words, uint32_t *out)
{
    *out = 0;
    if (words[0] && !words[1] && strcmp(words[0], "none") == 0)
        return NULL;
    for (; *words; words++) {
        int class = class_of_label(*words);

        if (class < 0)
            return *words;
        *out |= 1u << class;
    }
    return NULL;
}

/* --- the bucket */

#define TOKEN XC_USEC_PER_SEC /* millionths in one: at one a second, one comes in a microsecond */

static void fill(struct xc_bucket *bucket, gint64 now, unsigned rate, unsigned burst)
{
    gint64 full = (gint64)burst * TOKEN;
    gint64 passed = CLAMP(now - bucket->mono, 0, full / rate + 1);

    bucket->micro = bucket->looked ? MIN(bucket->micro + passed * rate, full) : full;
    bucket->mono = now;
    bucket->looked = true;
}

bool xc_bucket_take(struct xc_bucket *bucket, gint64 now, unsigned rate, unsigned burst)
{
    fill(bucket, now, rate, burst);
    if (bucket->micro < TOKEN)
        return false;
    bucket->micro -= TOKEN;
    return true;
}

gint64 xc_bucket_wait(struct xc_bucket *bucket, gint64 now, unsigned rate, unsigned burst)
{
    fill(bucket, now, rate, burst);
    return bucket->micro >= TOKEN ? 0 : (TOKEN - bucket->micro + rate - 1) / rate;
}

/* --- bulk */

void xc_bulk_clear(struct xc_bulk *bulk)
{
    g_free(bulk->worst);
    g_clear_pointer(&bulk->kinds, g_hash_table_unref);
    *bulk = (struct xc_bulk){0};
}

static void open_at(struct xc_bulk *bulk, uint32_t first, gint64 now)
{
    if (bulk->first)
        return;
    bulk->first = first;
    bulk->opened = now;
    bulk->kinds = g_hash_table_new(g_direct_hash, g_direct_equal);
}

/* How bad: that something is over is good news. */
static int weight(enum xc_severity severity)
{
    return severity == XC_SEVERITY_CLEAR ? 0 : (int)severity;
}

void xc_bulk_add(struct xc_bulk *bulk, const struct xc_event *event, gint64 now)
{
    gpointer kind = GINT_TO_POINTER(event->type);

    open_at(bulk, event->serial, now);
    bulk->last = event->serial;
    bulk->count++;
    g_hash_table_replace(
        bulk->kinds, kind,
        GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(bulk->kinds, kind)) + 1));
    if (bulk->severity && weight(event->severity) <= weight(bulk->severity))
        return;
    bulk->severity = event->severity;
    g_free(bulk->worst);
    bulk->worst =
        g_strdup_printf("%s %s %s", xc_enum_label(&xc_event_type_labels, (int)event->type),
                        event->object, event->text);
}

void xc_bulk_mute(struct xc_bulk *bulk, uint32_t serial)
{
    bulk->last = serial;
    bulk->muted++;
}

void xc_bulk_gone(struct xc_bulk *bulk, uint32_t first, uint32_t last, gint64 now)
{
    open_at(bulk, first, now);
    bulk->last = last;
    bulk->count += last - first + 1;
    bulk->gone += last - first + 1;
}

char *xc_bulk_text(const struct xc_bulk *bulk)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "%u events:", bulk->count);
    for (size_t i = 0; i < xc_event_type_labels.n_labels; i++) {
        const struct xc_label *kind = &xc_event_type_labels.labels[i];
        guint n =
            bulk->kinds
                ? GPOINTER_TO_UINT(g_hash_table_lookup(bulk->kinds, GINT_TO_POINTER(kind->number)))
                : 0;

        if (n)
            g_string_append_printf(text, " %u %s,", n, kind->label);
    }
    if (bulk->gone)
        g_string_append_printf(text, " %u no longer there,", bulk->gone);
    g_string_truncate(text, text->len - 1);
    if (bulk->worst)
        g_string_append_printf(text, "; worst: %s", bulk->worst);
    return xc_text_clean(text->str, text->len, XC_TEXT_MAX);
}
