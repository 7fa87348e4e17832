/* What happened to a member of a group. */
#include "xenclient/model/history.h"

static const struct xc_label events[] = {
    {1, "started"},   {2, "stopped"},  {3, "moved"},      {4, "crashed"},
    {5, "suspended"}, {6, "resumed"},  {7, "paused"},     {8, "unpaused"},
    {9, "created"},   {10, "deleted"}, {11, "operation"},
};
XC_ENUM_DEFINE(xc_history_event_labels, "XenHistoryKind", events);

struct xc_history *xc_history_new(const char *group, const char *member, const char *host,
                                  const char *text)
{
    struct xc_history *history = g_new0(struct xc_history, 1);

    history->group = g_strdup(group);
    history->member = g_strdup(member);
    history->host = g_strdup(host);
    history->text = g_strdup(text);
    history->result = XC_RESULT_NONE;
    return history;
}

void *xc_history_free(struct xc_history *history)
{
    if (!history)
        return NULL;
    g_free(history->group);
    g_free(history->member);
    g_free(history->host);
    g_free(history->text);
    g_free(history);
    return NULL;
}
