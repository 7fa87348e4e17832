/* What every driver shares: URIs, orders, outcomes, and the choice of a driver by scheme. */
#include "xenclient/drivers/driver.h"

#include "xenclient/util/text.h"

#include <stdarg.h>
#include <string.h>

/* Bound of every text of an order on a pipe; the owners of the columns allow less. */
#define WIRE_TEXT_MAX 4096
#define URI_MAX       255

/* --- URIs */

#define URI_FORM "expected scheme://[user@]host[:port][/path]"

static bool only(const char *text, size_t length, const char *extra)
{
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isalnum(text[i]) && !(text[i] && strchr(extra, text[i])))
            return false;
    return true;
}

/* Takes "scheme://"; *rest is what follows. */
static bool take_scheme(const char *text, struct xc_uri *out, const char **rest, GError **error)
{
    const char *colon = strstr(text, "://");
    size_t length = colon ? (size_t)(colon - text) : 0;

    if (length == 0 || length > 32 || !g_ascii_isalpha(text[0]) || !only(text, length, "+-."))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "URI without a scheme: " URI_FORM);
    out->scheme = g_ascii_strdown(text, (gssize)length);
    *rest = colon + 3;
    return true;
}

/* Takes "user@" when there is one. A user or host beginning with '-' could become an option of a
 * command somewhere, so it is refused here for all drivers. */
static bool take_user(const char **at, size_t length, struct xc_uri *out, GError **error)
{
    const char *sign = memchr(*at, '@', length);
    size_t n = sign ? (size_t)(sign - *at) : 0;

    out->user = g_strndup(*at, n);
    if (!sign)
        return true;
    if (memchr(*at, ':', n))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "a password has no place in a URI: put it into a credential file");
    if (n == 0 || (*at)[0] == '-' || !only(*at, n, "._-\\$"))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "illegal user in the URI: letters, digits and . _ - \\ $ are allowed");
    *at = sign + 1;
    return true;
}

static bool take_port(const char *text, size_t length, struct xc_uri *out, GError **error)
{
    g_autofree char *port = g_strndup(text, length);
    uint64_t number;

    if (!xc_text_to_u64(port, 1, 65535, &number, NULL))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "illegal port in the URI: 1 to 65535 is allowed");
    out->port = (unsigned)number;
    return true;
}

static bool is_host(const char *host, bool bracket)
{
    if (bracket)
        return strchr(host, ':') && g_hostname_is_ip_address(host);
    return host[0] != '-' && only(host, strlen(host), "._-");
}

/* "host", "host:port", "[v6]" or "[v6]:port". */
static bool take_host(const char *at, size_t length, struct xc_uri *out, GError **error)
{
    bool bracket = length > 0 && at[0] == '[';
    const char *end = memchr(at, bracket ? ']' : ':', length);
    const char *host = bracket ? at + 1 : at;
    size_t n = end ? (size_t)(end - host) : length;
    const char *after = bracket && end ? end + 1 : end;
    size_t left = after ? (size_t)(at + length - after) : 0;

    if (bracket && !end)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "URI with '[' but no ']': " URI_FORM);
    out->host = g_strndup(host, n);
    if (!is_host(out->host, bracket))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "illegal host in the URI: a name, an IPv4 address or [IPv6 address]");
    if (n == 0 && (left || *out->user))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "URI with user or port but no host: " URI_FORM);
    if (!left)
        return true;
    if (after[0] != ':')
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "URI with text behind ']': " URI_FORM);
    return take_port(after + 1, left - 1, out, error);
}

static bool parse_uri(const char *text, struct xc_uri *out, GError **error)
{
    const char *at = text;
    const char *slash;
    size_t authority;

    if (!text || strlen(text) > URI_MAX)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "URI longer than %d octets", URI_MAX);
    if (!take_scheme(text, out, &at, error))
        return false;
    slash = strchr(at, '/');
    authority = slash ? (size_t)(slash - at) : strlen(at);
    out->path = g_strdup(slash ? slash : "");
    if (!only(out->path, strlen(out->path), "/._-~+,:=@"))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "illegal path in the URI: letters, digits and / . _ - ~ + , : = @ are "
                       "allowed, no query");
    if (authority == 0 && !slash)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "URI without a host: " URI_FORM);
    const char *host = at;

    return take_user(&host, authority, out, error) &&
           take_host(host, authority - (size_t)(host - at), out, error);
}

bool xc_uri_parse(const char *text, struct xc_uri *out, GError **error)
{
    *out = (struct xc_uri){0};
    if (parse_uri(text, out, error))
        return true;
    xc_uri_clear(out);
    return false;
}

void xc_uri_clear(struct xc_uri *uri)
{
    g_clear_pointer(&uri->scheme, g_free);
    g_clear_pointer(&uri->user, g_free);
    g_clear_pointer(&uri->host, g_free);
    g_clear_pointer(&uri->path, g_free);
    uri->port = 0;
}

/* --- orders */

static const size_t texts[] = {
    offsetof(struct xc_order, name),      offsetof(struct xc_order, config),
    offsetof(struct xc_order, host_from), offsetof(struct xc_order, host_to),
    offsetof(struct xc_order, boot_id),   offsetof(struct xc_order, snapshot),
};

static char **text_at(struct xc_order *order, size_t i)
{
    return (char **)(void *)((char *)order + texts[i]);
}

static const char *const_text_at(const struct xc_order *order, size_t i)
{
    const char *text = *(const char *const *)(const void *)((const char *)order + texts[i]);

    return text ? text : "";
}

void xc_order_copy(struct xc_order *to, const struct xc_order *from)
{
    *to = *from;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        *text_at(to, i) = g_strdup(const_text_at(from, i));
    to->content = g_strdup(from->content ? from->content : "");
    xc_source_spec_copy(&to->target, &from->target);
}

void xc_order_clear(struct xc_order *order)
{
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_clear_pointer(text_at(order, i), g_free);
    g_clear_pointer(&order->content, g_free);
    xc_source_spec_clear(&order->target);
}

void xc_order_write(const struct xc_order *order, GByteArray *to)
{
    const char *content = order->content ? order->content : "";

    xc_put_raw(to, &order->op, sizeof(order->op));
    xc_put_u32(to, (uint32_t)order->action);
    xc_put_u8(to, order->attach);
    xc_put_raw(to, &order->uuid, sizeof(order->uuid));
    xc_put_u8(to, order->has_domid);
    xc_put_u64(to, (uint64_t)order->domid);
    xc_put_u32(to, order->live);
    xc_put_u32(to, order->amount);
    xc_put_u64(to, (uint64_t)order->timeout_usec);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        xc_put_text(to, const_text_at(order, i));
    xc_put_blob(to, content, (uint32_t)strlen(content));
    xc_source_spec_write(&order->target, to);
}

static void read_uuid(struct xc_uuid *uuid, struct xc_reader *from)
{
    const uint8_t *raw = xc_get_raw(from, sizeof(*uuid));

    if (raw)
        memcpy(uuid, raw, sizeof(*uuid));
}

/* A blob, since a configuration may be longer than a text and in any encoding; but no NUL. */
static char *read_content(struct xc_reader *from)
{
    size_t length;
    const uint8_t *at = xc_get_blob(from, XC_ORDER_CONTENT_MAX, &length);

    if (length && memchr(at, 0, length))
        from->bad = true;
    return from->bad || !length ? g_strdup("") : g_strndup((const char *)at, length);
}

void xc_order_read(struct xc_order *order, struct xc_reader *from)
{
    uint32_t action;
    uint64_t timeout;

    *order = (struct xc_order){0};
    read_uuid(&order->op, from);
    action = xc_get_u32(from);
    order->attach = xc_get_flag(from);
    read_uuid(&order->uuid, from);
    order->has_domid = xc_get_flag(from);
    order->domid = (int64_t)xc_get_u64(from);
    order->live = xc_get_u32(from);
    order->amount = xc_get_u32(from);
    timeout = xc_get_u64(from);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        *text_at(order, i) = xc_get_text(from, WIRE_TEXT_MAX);
    order->content = read_content(from);
    xc_source_spec_read(&order->target, from);
    if (action > G_MAXINT || !xc_enum_has(&xc_action_labels, (int)action) || order->live > 1 ||
        timeout > (uint64_t)XC_ORDER_TIMEOUT_MAX)
        from->bad = true;
    if (!from->bad) {
        order->action = (enum xc_action)action;
        order->timeout_usec = (gint64)timeout;
    }
}

/* --- outcomes */

void xc_outcome_clear(struct xc_outcome *outcome)
{
    g_clear_pointer(&outcome->text, g_free);
}

void xc_outcome_set(struct xc_outcome *outcome, enum xc_result result, enum xc_cause cause,
                    const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    /* Hypervisors answer in lines; one line of text is what a column and a log can show. */
    g_strdelimit(g_strchomp(text), "\r\n\t", ' ');
    g_free(outcome->text);
    outcome->text = xc_text_clean(text, strlen(text), XC_OUTCOME_TEXT_MAX);
    outcome->result = result;
    outcome->cause = cause;
}

void xc_outcome_from_error(struct xc_outcome *outcome, const GError *error)
{
    enum xc_cause cause = error ? xc_error_cause(error) : XC_CAUSE_INTERNAL;
    enum xc_result result = XC_RESULT_FAILED;

    if (cause == XC_CAUSE_TIMED_OUT)
        result = XC_RESULT_TIMED_OUT;
    else if (cause == XC_CAUSE_CANCELLED)
        result = XC_RESULT_CANCELLED;
    else if (cause == XC_CAUSE_LOST)
        result = XC_RESULT_LOST;
    xc_outcome_set(outcome, result, cause, "%s",
                   error ? error->message : "a driver failed without saying why");
}

/* --- the choice of a driver */

static char *all_schemes(void)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (unsigned i = 0; i < xc_n_drivers; i++)
        for (const char *const *s = xc_drivers[i]->schemes; *s; s++)
            g_string_append_printf(list, "%s%s", list->len ? ", " : "", *s);
    return g_strdup(list->str);
}

const struct xc_driver *xc_driver_for(const char *uri, GError **error)
{
    const char *colon = strstr(uri, "://");
    g_autofree char *scheme = g_ascii_strdown(uri, colon ? colon - uri : 0);
    g_autofree char *shown = NULL;
    g_autofree char *known = NULL;

    for (unsigned i = 0; i < xc_n_drivers; i++)
        if (g_strv_contains(xc_drivers[i]->schemes, scheme))
            return xc_drivers[i];
    shown = xc_text_escape(scheme, 32);
    known = all_schemes();
    xc_fail(error, XC_CAUSE_BAD_VALUE, "no driver for scheme \"%s\" of the URI; there are: %s",
            shown, known);
    return NULL;
}
