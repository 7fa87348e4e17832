/* event.from: what changed since a token, or all there is. */
#include "tools/xapi-farm/call.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/text.h"

#include <string.h>

/* So long what comes together is gathered; not where tasks alone are watched. */
#define BATCH_USEC (50 * 1000)
#define DAY_SEC    86400

/* What a client wants to hear of: a class ("*": all), or one object. */
struct subscription {
    char *class; /* lower case */
    char *ref;   /* NULL: all of the class */
};

struct asked {
    GArray *subscriptions;
    bool tasks_only;
    guint64 since;
};

static void clear_subscription(gpointer data)
{
    struct subscription *subscription = data;

    g_free(subscription->class);
    g_free(subscription->ref);
}

static bool read_subscriptions(struct xf_call *call, struct asked *asked)
{
    g_auto(GStrv) texts = xf_param_texts(call, 0);

    asked->tasks_only = true;
    for (unsigned i = 0; texts[i]; i++) {
        g_auto(GStrv) parts = g_strsplit(texts[i], "/", -1);
        unsigned n = g_strv_length(parts);
        struct subscription one = {0};

        if (n < 1 || n > 2)
            return xf_call_fail(call, "EVENT_SUBSCRIPTION_PARSE_FAILURE", texts[i]);
        one.class = g_ascii_strdown(parts[0], -1);
        one.ref = g_strdup(parts[1]);
        asked->tasks_only = asked->tasks_only && strcmp(one.class, "task") == 0;
        g_array_append_val(asked->subscriptions, one);
    }
    return true;
}

/* Two numbers of 20 digits with a comma; "" is the beginning of time. */
static bool read_token(struct xf_call *call, guint64 *since)
{
    const char *token = xf_param_text(call, 1);
    g_auto(GStrv) parts = g_strsplit(token, ",", -1);
    guint64 messages;

    *since = 0;
    if (!*token)
        return true;
    if (call->endpoint->mode != XF_BAD_TOKEN && g_strv_length(parts) == 2 &&
        g_ascii_string_to_unsigned(parts[0], 10, 0, G_MAXUINT64, since, NULL) &&
        g_ascii_string_to_unsigned(parts[1], 10, 0, G_MAXUINT64, &messages, NULL))
        return true;
    return xf_call_fail(call, "EVENT_FROM_TOKEN_PARSE_FAILURE", token);
}

static bool wanted(const struct asked *asked, const struct xf_class *class, const char *ref)
{
    for (guint i = 0; i < asked->subscriptions->len; i++) {
        const struct subscription *one =
            &g_array_index(asked->subscriptions, struct subscription, i);

        if (strcmp(one->class, "*") == 0 || (g_ascii_strcasecmp(one->class, class->name) == 0 &&
                                             (!one->ref || strcmp(one->ref, ref) == 0)))
            return true;
    }
    return false;
}

/* --- the answer */

static void put_member(GString *out, const char *name, const char *value)
{
    xf_xml_member(out, name);
    xf_xml_string(out, value);
    g_string_append(out, "</member>");
}

static void put_head(GString *out, guint64 id, const struct xf_class *class, const char *ref,
                     const char *operation)
{
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, id);
    g_autofree char *lower = g_ascii_strdown(class->name, -1);

    g_string_append(out, "<value><struct>");
    put_member(out, "id", number);
    put_member(out, "timestamp", "0.0");
    put_member(out, "class", lower);
    put_member(out, "operation", operation);
    put_member(out, "ref", ref);
}

static unsigned put_living(struct xf_db *db, const struct asked *asked, GString *out)
{
    unsigned n = 0;

    for (unsigned i = 0; i < xf_n_classes; i++)
        for (GList *at = xf_db_all(db, &xf_classes[i]); at; at = at->next) {
            const struct xf_object *object = at->data;

            if (object->changed <= asked->since || !wanted(asked, object->class, object->ref))
                continue;
            put_head(out, object->changed, object->class, object->ref,
                     object->created > asked->since ? "add" : "mod");
            xf_xml_member(out, "snapshot");
            xf_db_record(db, object, out);
            g_string_append(out, "</member></struct></value>");
            n++;
        }
    return n;
}

static unsigned put_deleted(struct xf_db *db, const struct asked *asked, GString *out)
{
    unsigned n = 0;

    for (const GList *at = db->deleted.head; at; at = at->next) {
        const struct xf_deleted *deleted = at->data;

        if (deleted->deleted <= asked->since || deleted->created > asked->since ||
            !wanted(asked, deleted->class, deleted->ref))
            continue;
        put_head(out, deleted->deleted, deleted->class, deleted->ref, "del");
        g_string_append(out, "</struct></value>");
        n++;
    }
    return n;
}

static void put_counts(struct xf_db *db, GString *out)
{
    xf_xml_member(out, "valid_ref_counts");
    g_string_append(out, "<value><struct>");
    for (unsigned i = 0; i < xf_n_classes; i++) {
        g_autofree char *lower = g_ascii_strdown(xf_classes[i].name, -1);
        GVariant *count =
            g_variant_ref_sink(g_variant_new_int32((gint32)g_queue_get_length(&db->objects[i])));

        if (xf_classes[i].dialects & db->dialect) {
            xf_xml_member(out, lower);
            xf_xml_value(out, count);
            g_string_append(out, "</member>");
        }
        g_variant_unref(count);
    }
    g_string_append(out, "</struct></value></member>");
}

static void put_answer(struct xf_db *db, const char *events, GString *out)
{
    g_autofree char *token = g_strdup_printf("%020" G_GUINT64_FORMAT ",%020" G_GUINT64_FORMAT,
                                             db->generation, db->messages);

    g_string_append(out, "<value><struct>");
    xf_xml_member(out, "events");
    g_string_append_printf(out, "<value><array><data>%s</data></array></value></member>", events);
    put_counts(db, out);
    put_member(out, "token", token);
    g_string_append(out, "</struct></value>");
}

/* --- waiting */

static bool may_go_on(struct xf_call *call)
{
    if (!xf_session_find(call->server, call->session))
        return xf_call_fail(call, "SESSION_INVALID", call->session);
    return true;
}

/* With the lock, which it gives away while it waits. */
static bool wait_for_events(struct xf_call *call, const struct asked *asked, gint64 until,
                            GString *events)
{
    struct xf_db *db = call->server->db;
    bool gathered = asked->tasks_only || asked->since == 0;

    for (;;) {
        g_string_truncate(events, 0);
        if (!may_go_on(call))
            return false;
        if (put_living(db, asked, events) + put_deleted(db, asked, events)) {
            if (gathered)
                return true;
            gathered = true;
            xf_db_unlock(db);
            g_usleep(BATCH_USEC);
            xf_db_lock(db);
            continue;
        }
        if (call->endpoint->stopping || !g_cond_wait_until(&db->changed, &db->lock, until))
            return true;
    }
}

bool xf_event_from(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    struct asked asked = {.subscriptions = g_array_new(FALSE, FALSE, sizeof(struct subscription))};
    double timeout = xf_param_double(call, 2);
    gint64 until = g_get_monotonic_time();
    g_autoptr(GString) events = g_string_new(NULL);
    bool ok;

    if (timeout > 0)
        until += (gint64)(MIN(timeout, DAY_SEC) * G_USEC_PER_SEC);
    g_array_set_clear_func(asked.subscriptions, clear_subscription);
    xf_db_lock(db);
    ok = read_subscriptions(call, &asked) && read_token(call, &asked.since) &&
         wait_for_events(call, &asked, until, events);
    if (ok)
        put_answer(db, events->str, call->out);
    xf_db_unlock(db);
    g_array_unref(asked.subscriptions);
    return ok;
}

/* A change that is none, and a token from just before it. */
bool xf_event_inject(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    g_autofree char *token = NULL;
    struct xf_object *object;

    xf_db_lock(db);
    object = g_hash_table_lookup(db->by_ref, xf_param_text(call, 1));
    if (object && g_ascii_strcasecmp(object->class->name, xf_param_text(call, 0)) == 0) {
        token = g_strdup_printf("%020" G_GUINT64_FORMAT ",%020" G_GUINT64_FORMAT, db->generation,
                                db->messages);
        object->changed = ++db->generation;
        xf_xml_string(call->out, token);
    } else {
        xf_call_fail(call, "HANDLE_INVALID", xf_param_text(call, 0), xf_param_text(call, 1));
    }
    xf_db_unlock(db);
    return token != NULL;
}
