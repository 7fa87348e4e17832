/* Methods that every class has: its objects, and the values of their fields. The name says which class and field. */
#include "tools/xapi-farm/call.h"

#include <string.h>

/* The part of the name before the dot. */
static const struct xf_class *class_of(const char *name)
{
    const char *dot = strchr(name, '.');
    g_autofree char *class = dot ? g_strndup(name, (gsize)(dot - name)) : NULL;

    return class ? xf_class_find(class) : NULL;
}

static const char *verb_of(const char *name)
{
    return strchr(name, '.') + 1;
}

static bool get_all(struct xf_call *call)
{
    struct xf_db *db = call->server->db;

    xf_db_lock(db);
    g_string_append(call->out, "<value><array><data>");
    for (GList *at = xf_db_all(db, class_of(call->method)); at; at = at->next)
        xf_xml_string(call->out, ((const struct xf_object *)at->data)->ref);
    g_string_append(call->out, "</data></array></value>");
    xf_db_unlock(db);
    return true;
}

static bool get_all_records(struct xf_call *call)
{
    struct xf_db *db = call->server->db;

    xf_db_lock(db);
    g_string_append(call->out, "<value><struct>");
    for (GList *at = xf_db_all(db, class_of(call->method)); at; at = at->next) {
        const struct xf_object *object = at->data;

        xf_xml_member(call->out, object->ref);
        xf_db_record(db, object, call->out);
        g_string_append(call->out, "</member>");
    }
    g_string_append(call->out, "</struct></value>");
    xf_db_unlock(db);
    return true;
}

static bool get_record(struct xf_call *call)
{
    struct xf_object *object;

    xf_db_lock(call->server->db);
    object = xf_param_object(call, 0, class_of(call->method)->name);
    if (object)
        xf_db_record(call->server->db, object, call->out);
    xf_db_unlock(call->server->db);
    return object != NULL;
}

static bool get_by_uuid(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    const struct xf_class *class = class_of(call->method);
    const char *uuid = xf_param_text(call, 0);

    xf_db_lock(db);
    for (GList *at = xf_db_all(db, class); at && !call->out->len; at = at->next)
        if (strcmp(xf_get_text(at->data, "uuid"), uuid) == 0)
            xf_xml_string(call->out, ((const struct xf_object *)at->data)->ref);
    xf_db_unlock(db);
    return call->out->len || xf_call_fail(call, "UUID_INVALID", class->name, uuid);
}

static bool get_by_name_label(struct xf_call *call)
{
    struct xf_db *db = call->server->db;
    const char *label = xf_param_text(call, 0);

    xf_db_lock(db);
    g_string_append(call->out, "<value><array><data>");
    for (GList *at = xf_db_all(db, class_of(call->method)); at; at = at->next)
        if (strcmp(xf_get_text(at->data, "name_label"), label) == 0)
            xf_xml_string(call->out, ((const struct xf_object *)at->data)->ref);
    g_string_append(call->out, "</data></array></value>");
    xf_db_unlock(db);
    return true;
}

static bool get_field(struct xf_call *call)
{
    struct xf_object *object;

    xf_db_lock(call->server->db);
    object = xf_param_object(call, 0, class_of(call->method)->name);
    if (object)
        xf_xml_value(call->out, xf_get(object, verb_of(call->method) + strlen("get_")));
    xf_db_unlock(call->server->db);
    return object != NULL;
}

static bool change_map(struct xf_call *call, const char *field, const char *key, const char *value)
{
    const struct xf_class *class = class_of(call->method);
    struct xf_db *db = call->server->db;
    struct xf_object *object;
    bool ok;

    xf_db_lock(db);
    object = xf_param_object(call, 0, class->name);
    ok = object && (xf_map_put(db, object, field, key, value) ||
                    xf_call_fail(call, "MAP_DUPLICATE_KEY", class->name, field,
                                 xf_get_text(object, "uuid"), key));
    xf_db_unlock(db);
    return ok;
}

static bool add_to_map(struct xf_call *call)
{
    return change_map(call, verb_of(call->method) + strlen("add_to_"), xf_param_text(call, 1),
                      xf_param_text(call, 2));
}

static bool remove_from_map(struct xf_call *call)
{
    return change_map(call, verb_of(call->method) + strlen("remove_from_"), xf_param_text(call, 1),
                      NULL);
}

/* A class has the method when it has the field; NULL: the field whose name is behind the verb. */
struct generic {
    const char *verb; /* the whole one, or up to the field's name */
    const char *field;
    struct xf_method method;
};

static const struct generic generics[] = {
    {"get_all", "uuid", {"", "", 0, get_all}},
    {"get_all_records", "uuid", {"", "", 0, get_all_records}},
    {"get_record", "uuid", {"", "s", 0, get_record}},
    {"get_by_uuid", "uuid", {"", "s", 0, get_by_uuid}},
    {"get_by_name_label", "name_label", {"", "s", 0, get_by_name_label}},
    {"get_", NULL, {"", "s", 0, get_field}},
    {"add_to_other_config", "other_config", {"", "sss", XF_WRITES, add_to_map}},
    {"remove_from_other_config", "other_config", {"", "ss", XF_WRITES, remove_from_map}},
    {"add_to_blocked_operations", "blocked_operations", {"", "sss", XF_WRITES, add_to_map}},
    {"remove_from_blocked_operations",
     "blocked_operations",
     {"", "ss", XF_WRITES, remove_from_map}},
};

/* What a class lacks although it has the field. */
static const struct {
    const char *class;
    const char *verb;
} lacking[] = {{"message", "get_"}, {"pool", "get_by_name_label"}};

/* --- finding */

/* Does the class have it, and which field is it about? */
static bool is_generic(const struct xf_server *server, const struct generic *generic,
                       const struct xf_class *class, const char *verb)
{
    const char *field = generic->field;
    int number;

    for (unsigned i = 0; i < G_N_ELEMENTS(lacking); i++)
        if (strcmp(lacking[i].class, class->name) == 0 &&
            strcmp(lacking[i].verb, generic->verb) == 0)
            return false;
    if (field ? strcmp(verb, generic->verb) != 0 : !g_str_has_prefix(verb, generic->verb))
        return false;
    number = xf_field_find(class, field ? field : verb + strlen(generic->verb));
    return number >= 0 && xf_db_knows(server->db, class, (unsigned)number);
}

const struct xf_method *xf_generic_find(const struct xf_server *server, const char *name,
                                        struct xf_method *scratch)
{
    const struct xf_class *class = class_of(name);

    if (!class || !(class->dialects & server->db->dialect))
        return NULL;
    for (unsigned i = 0; i < G_N_ELEMENTS(generics); i++)
        if (is_generic(server, &generics[i], class, verb_of(name))) {
            *scratch = generics[i].method;
            return scratch;
        }
    return NULL;
}

static void list_generic(const struct xf_server *server, const struct xf_class *class,
                         const struct generic *generic, GPtrArray *names)
{
    for (unsigned i = 0; i < class->n_fields; i++) {
        g_autofree char *verb = generic->field
                                    ? g_strdup(generic->verb)
                                    : g_strconcat(generic->verb, class->fields[i].name, NULL);

        if (is_generic(server, generic, class, verb))
            g_ptr_array_add(names, g_strdup_printf("%s.%s", class->name, verb));
        if (generic->field)
            return;
    }
}

void xf_generic_list(const struct xf_server *server, GPtrArray *names)
{
    for (unsigned c = 0; c < xf_n_classes; c++)
        for (unsigned g = 0; g < G_N_ELEMENTS(generics); g++)
            if (xf_classes[c].dialects & server->db->dialect)
                list_generic(server, &xf_classes[c], &generics[g], names);
}
