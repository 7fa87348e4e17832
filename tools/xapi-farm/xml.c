/* XAPI's spelling of XML-RPC. */
#include "tools/xapi-farm/xml.h"

#include <math.h>
#include <string.h>

/* Text between tags: escaped, without the control characters that XAPI drops too. */
static void put_text(GString *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (*at == '&')
            g_string_append(out, "&amp;");
        else if (*at == '<')
            g_string_append(out, "&lt;");
        else if (*at == '>')
            g_string_append(out, "&gt;");
        else if (*at == '"')
            g_string_append(out, "&quot;");
        else if ((unsigned char)*at >= 0x20 || strchr("\t\n\r", *at))
            g_string_append_c(out, *at);
    }
}

void xf_xml_string(GString *out, const char *text)
{
    g_string_append(out, "<value>");
    put_text(out, text);
    g_string_append(out, "</value>");
}

void xf_xml_member(GString *out, const char *name)
{
    g_string_append(out, "<member><name>");
    put_text(out, name);
    g_string_append(out, "</name>");
}

/* --- dates and numbers */

/* 20261121T22:56:57Z. Newly allocated. */
static char *date_text(guint64 seconds)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc((gint64)seconds);

    return date ? g_date_time_format(date, "%Y%m%dT%H:%M:%SZ") : g_strdup("19700101T00:00:00Z");
}

/* %.16g, and nan, inf, -inf; whatever the locale. Newly allocated. */
static char *double_text(double value)
{
    char buffer[G_ASCII_DTOSTR_BUF_SIZE];

    if (isnan(value))
        return g_strdup("nan");
    if (isinf(value))
        return g_strdup(value < 0 ? "-inf" : "inf");
    return g_strdup(g_ascii_formatd(buffer, sizeof(buffer), "%.16g", value));
}

/* --- values */

static void put_array(GString *out, GVariant *value)
{
    gsize n = g_variant_n_children(value);

    g_string_append(out, "<array><data>");
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) item = g_variant_get_child_value(value, i);

        xf_xml_value(out, item);
    }
    g_string_append(out, "</data></array>");
}

static void put_struct(GString *out, GVariant *value)
{
    gsize n = g_variant_n_children(value);

    g_string_append(out, "<struct>");
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(value, i);
        g_autoptr(GVariant) key = g_variant_get_child_value(entry, 0);
        g_autoptr(GVariant) item = g_variant_get_child_value(entry, 1);
        g_autofree char *name = g_variant_is_of_type(key, G_VARIANT_TYPE_STRING)
                                    ? g_variant_dup_string(key, NULL)
                                    : g_variant_print(key, FALSE);

        xf_xml_member(out, name);
        xf_xml_value(out, item);
        g_string_append(out, "</member>");
    }
    g_string_append(out, "</struct>");
}

static void put_double(GString *out, GVariant *value)
{
    g_autofree char *text = double_text(g_variant_get_double(value));

    g_string_append_printf(out, "<double>%s</double>", text);
}

static void put_date(GString *out, GVariant *value)
{
    g_autofree char *text = date_text(g_variant_get_uint64(value));

    g_string_append_printf(out, "<dateTime.iso8601>%s</dateTime.iso8601>", text);
}

static void put_inside(GString *out, GVariant *value)
{
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_STRING:
        put_text(out, g_variant_get_string(value, NULL));
        break;
    case G_VARIANT_CLASS_INT64:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, g_variant_get_int64(value));
        break;
    case G_VARIANT_CLASS_INT32:
        g_string_append_printf(out, "<i4>%d</i4>", g_variant_get_int32(value));
        break;
    case G_VARIANT_CLASS_BOOLEAN:
        g_string_append_printf(out, "<boolean>%d</boolean>", g_variant_get_boolean(value));
        break;
    case G_VARIANT_CLASS_DOUBLE:
        put_double(out, value);
        break;
    case G_VARIANT_CLASS_UINT64:
        put_date(out, value);
        break;
    default:
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_DICTIONARY))
            put_struct(out, value);
        else
            put_array(out, value);
    }
}

void xf_xml_value(GString *out, GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)) {
        g_autoptr(GVariant) inner = g_variant_get_variant(value);

        xf_xml_value(out, inner);
        return;
    }
    g_string_append(out, "<value>");
    put_inside(out, value);
    g_string_append(out, "</value>");
}
