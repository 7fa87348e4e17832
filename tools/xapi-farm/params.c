/* From the XML of a call to its parameters. xmlrpc-c reads it: its clients are tests. */
#include "tools/xapi-farm/params.h"

#include "xenclient/util/text.h"

#include <string.h>
#include <xmlrpc-c/base.h>

static GVariant *convert(xmlrpc_env *env, xmlrpc_value *value);

static GVariant *convert_text(xmlrpc_env *env, xmlrpc_value *value)
{
    const char *text = NULL;
    GVariant *out;

    xmlrpc_read_string(env, value, &text);
    if (env->fault_occurred)
        return NULL;
    out = g_variant_new_take_string(g_utf8_make_valid(text, -1));
    g_free((char *)text); /* xmlrpc-c has it from malloc, as GLib does */
    return out;
}

static GVariant *convert_date(xmlrpc_env *env, xmlrpc_value *value)
{
    time_t seconds = 0;

    xmlrpc_read_datetime_sec(env, value, &seconds);
    return env->fault_occurred ? NULL : g_variant_new_uint64((guint64)MAX(seconds, 0));
}

static GVariant *convert_array(xmlrpc_env *env, xmlrpc_value *value)
{
    GVariantBuilder builder;
    int n = xmlrpc_array_size(env, value);

    g_variant_builder_init(&builder, G_VARIANT_TYPE("av"));
    for (int i = 0; i < n && !env->fault_occurred; i++) {
        xmlrpc_value *item = NULL;
        GVariant *one;

        xmlrpc_array_read_item(env, value, (unsigned)i, &item);
        if (env->fault_occurred)
            break;
        one = convert(env, item);
        if (one)
            g_variant_builder_add(&builder, "v", one);
        xmlrpc_DECREF(item);
    }
    return g_variant_builder_end(&builder);
}

static void add_member(xmlrpc_env *env, xmlrpc_value *key, xmlrpc_value *item,
                       GVariantBuilder *builder)
{
    GVariant *name = convert_text(env, key);
    GVariant *one = name ? convert(env, item) : NULL;

    if (one)
        g_variant_builder_add(builder, "{sv}", g_variant_get_string(name, NULL), one);
    if (name)
        g_variant_unref(g_variant_ref_sink(name));
}

static GVariant *convert_struct(xmlrpc_env *env, xmlrpc_value *value)
{
    GVariantBuilder builder;
    int n = xmlrpc_struct_size(env, value);

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sv}"));
    for (int i = 0; i < n && !env->fault_occurred; i++) {
        xmlrpc_value *key = NULL;
        xmlrpc_value *item = NULL;

        xmlrpc_struct_read_member(env, value, (unsigned)i, &key, &item);
        if (env->fault_occurred)
            break;
        add_member(env, key, item, &builder);
        xmlrpc_DECREF(key);
        xmlrpc_DECREF(item);
    }
    return g_variant_builder_end(&builder);
}

static GVariant *convert_number(xmlrpc_env *env, xmlrpc_value *value)
{
    int number = 0;

    xmlrpc_read_int(env, value, &number);
    return g_variant_new_int64(number);
}

static GVariant *convert_double(xmlrpc_env *env, xmlrpc_value *value)
{
    double number = 0;

    xmlrpc_read_double(env, value, &number);
    return g_variant_new_double(number);
}

static GVariant *convert_bool(xmlrpc_env *env, xmlrpc_value *value)
{
    xmlrpc_bool truth = 0;

    xmlrpc_read_bool(env, value, &truth);
    return g_variant_new_boolean(truth != 0);
}

static GVariant *convert(xmlrpc_env *env, xmlrpc_value *value)
{
    switch (xmlrpc_value_type(value)) {
    case XMLRPC_TYPE_STRING:
        return convert_text(env, value);
    case XMLRPC_TYPE_INT:
        return convert_number(env, value);
    case XMLRPC_TYPE_DOUBLE:
        return convert_double(env, value);
    case XMLRPC_TYPE_BOOL:
        return convert_bool(env, value);
    case XMLRPC_TYPE_DATETIME:
        return convert_date(env, value);
    case XMLRPC_TYPE_ARRAY:
        return convert_array(env, value);
    case XMLRPC_TYPE_STRUCT:
        return convert_struct(env, value);
    default:
        return g_variant_new_string("");
    }
}

bool xf_params_read(const char *body, size_t length, char **method, GVariant **params)
{
    const char *name = NULL;
    xmlrpc_value *array = NULL;
    xmlrpc_env env;
    bool ok;

    xmlrpc_env_init(&env);
    *params = NULL;
    xmlrpc_parse_call(&env, body, length, &name, &array);
    ok = !env.fault_occurred;
    if (ok) {
        *method = g_strdup(name);
        *params = g_variant_ref_sink(convert_array(&env, array));
        ok = !env.fault_occurred;
        if (!ok) {
            g_free(*method);
            g_variant_unref(*params);
        }
        g_free((char *)name);
        xmlrpc_DECREF(array);
    }
    xmlrpc_env_clean(&env);
    return ok;
}

/* --- checks */

static bool fits(GVariant *value, char kind)
{
    static const struct {
        char kind;
        const char *type;
    } types[] = {{'s', "s"}, {'i', "s"},  {'b', "b"},    {'d', "d"},
                 {'t', "t"}, {'a', "av"}, {'m', "a{sv}"}};
    int64_t number;

    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++)
        if (types[i].kind == kind && !g_variant_is_of_type(value, G_VARIANT_TYPE(types[i].type)))
            return false;
    return kind != 'i' ||
           xc_text_to_i64(g_variant_get_string(value, NULL), G_MININT64, G_MAXINT64, &number, NULL);
}

void xf_params_count(const char *signature, unsigned *least, unsigned *most)
{
    const char *optional = strchr(signature, '?');

    *most = (unsigned)strlen(signature) - (optional ? 1 : 0);
    *least = optional ? (unsigned)(optional - signature) : *most;
}

int xf_params_misfit(GVariant *params, unsigned first, const char *signature)
{
    unsigned n = (unsigned)g_variant_n_children(params);
    unsigned at = first;

    for (const char *kind = signature; *kind && at < n; kind++) {
        g_autoptr(GVariant) boxed = NULL;
        g_autoptr(GVariant) value = NULL;

        if (*kind == '?')
            continue;
        boxed = g_variant_get_child_value(params, at);
        value = g_variant_get_variant(boxed);
        if (!fits(value, *kind))
            return (int)at;
        at++;
    }
    return -1;
}
