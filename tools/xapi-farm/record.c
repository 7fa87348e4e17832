/* Names the kinds of parameters, never what is in them: there are passwords and sessions among them. */
#include "tools/xapi-farm/record.h"

#include "xenclient/util/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool xf_record_open(struct xf_server *server, GError **error)
{
    const char *path = server->options->record;

    server->record = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    return !path || server->record >= 0 ||
           xc_fail(error, XC_CAUSE_BAD_VALUE, "--record: %s: %s", path, g_strerror(errno));
}

void xf_record_close(struct xf_server *server)
{
    if (server->record >= 0)
        close(server->record);
}

/* --- parameters */

static bool is_digits(const char *text)
{
    text += *text == '-';
    return *text && strspn(text, "0123456789") == strlen(text);
}

static char letter_of_text(const char *text)
{
    if (g_str_has_prefix(text, "OpaqueRef:"))
        return 'r';
    return is_digits(text) ? 'i' : 's';
}

static bool is_text(GVariant *boxed)
{
    g_autoptr(GVariant) value = g_variant_get_variant(boxed);

    return g_variant_is_of_type(value, G_VARIANT_TYPE_STRING);
}

static bool holds_texts(GVariant *value, bool map)
{
    for (gsize i = 0; i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
        g_autoptr(GVariant) item = map ? g_variant_get_child_value(child, 1) : g_variant_ref(child);

        if (!is_text(item))
            return false;
    }
    return true;
}

static char letter_of(GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return letter_of_text(g_variant_get_string(value, NULL));
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_INT64))
        return 'n';
    if (g_variant_is_of_type(value, G_VARIANT_TYPE("av")))
        return holds_texts(value, false) ? 'a' : 'x';
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT))
        return holds_texts(value, true) ? 'm' : 'x';
    return *g_variant_get_type_string(value);
}

/* --- who asks */

/* Borrowed from the parameters; NULL: there is no such text. */
static const char *text_at(const struct xf_call *call, gsize at)
{
    g_autoptr(GVariant) boxed = NULL;
    g_autoptr(GVariant) value = NULL;

    if (at >= g_variant_n_children(call->params))
        return NULL;
    boxed = g_variant_get_child_value(call->params, at);
    value = g_variant_get_variant(boxed);
    return g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) ? g_variant_get_string(value, NULL)
                                                              : NULL;
}

static char *originator_of(const struct xf_call *call)
{
    const struct xf_session *session;
    const char *said = NULL;
    char *name;

    if (strcmp(call->method, "session.login_with_password") == 0)
        said = text_at(call, 3);
    xf_db_lock(call->server->db);
    session = xf_session_find(call->server, call->session);
    name = g_strdup(session ? session->originator : said ? said : "?");
    xf_db_unlock(call->server->db);
    return g_strdelimit(name, "\t\n", ' ');
}

void xf_record(const struct xf_call *call)
{
    g_autoptr(GString) line = NULL;
    g_autofree char *who = NULL;

    if (call->server->record < 0)
        return;
    who = originator_of(call);
    line = g_string_new(who);
    g_string_append_printf(line, "\t%s%s\t", call->async ? "Async." : "", call->method);
    for (gsize i = *call->session ? 1 : 0; i < g_variant_n_children(call->params); i++) {
        g_autoptr(GVariant) boxed = g_variant_get_child_value(call->params, i);
        g_autoptr(GVariant) value = g_variant_get_variant(boxed);

        g_string_append_c(line, letter_of(value));
    }
    g_string_append_c(line, '\n');
    /* One write each, so that lines of several threads stay whole. */
    if (write(call->server->record, line->str, line->len) < 0)
        fprintf(stderr, "xapi-farm: --record: %s\n", g_strerror(errno));
}
