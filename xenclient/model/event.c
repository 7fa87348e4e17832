/* One event. */
#include "xenclient/model/event.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/text.h"

#include <string.h>

static const struct xc_label types[] = {
    {1, "domainState"},      {2, "domainCreated"},    {3, "domainDeleted"},
    {4, "domainMoved"},      {5, "domainCrashed"},    {7, "hostDown"},
    {8, "hostUp"},           {9, "hostUnauthorised"}, {11, "operationFinished"},
    {12, "operationFailed"}, {18, "threshold"},       {22, "hostUntrusted"},
    {23, "setRefused"},      {24, "agentStarted"},    {25, "hypervisorMessage"},
};
XC_ENUM_DEFINE(xc_event_type_labels, "XenEventKind", types);

static const struct xc_label severities[] = {{1, "info"},  {2, "warning"},  {3, "minor"},
                                             {4, "major"}, {5, "critical"}, {6, "clear"}};
XC_ENUM_DEFINE(xc_severity_labels, "XenSeverity", severities);

struct xc_event *xc_event_new(enum xc_event_type type, enum xc_severity severity, const char *host,
                              const char *object, const char *format, ...)
{
    struct xc_event *event = g_new0(struct xc_event, 1);
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    event->time_real = xc_clock_real();
    event->type = type;
    event->severity = severity;
    event->host = g_strdup(host);
    event->object = xc_text_clean(object, strlen(object), XC_TEXT_MAX);
    event->text = xc_text_clean(text, strlen(text), XC_TEXT_MAX);
    event->source = g_strdup("");
    event->notice = g_strdup("");
    return event;
}

void *xc_event_free(struct xc_event *event)
{
    if (!event)
        return NULL;
    g_free(event->host);
    g_free(event->object);
    g_free(event->text);
    g_free(event->source);
    g_free(event->notice);
    g_clear_pointer(&event->history, g_ptr_array_unref);
    g_free(event);
    return NULL;
}
