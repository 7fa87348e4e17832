/* The server's database. */
#include "tools/xapi-farm/db.h"

#include "tools/xapi-farm/xml.h"
#include "xenclient/model/field.h"
#include "xenclient/util/clock.h"

#include <string.h>

static unsigned class_number(const struct xf_class *class)
{
    return (unsigned)(class - xf_classes);
}

static void free_object(gpointer data)
{
    struct xf_object *object = data;

    for (unsigned i = 0; i < object->class->n_fields; i++)
        g_variant_unref(object->values[i]);
    g_free(object->values);
    g_free(object->ref);
    g_free(object);
}

static void free_deleted(struct xf_deleted *deleted)
{
    g_free(deleted->ref);
    g_free(deleted);
}

static void add_standard(struct xf_db *db, const struct xf_class *class)
{
    for (unsigned i = 0; i < class->n_fields; i++) {
        const struct xf_field *field = &class->fields[i];
        g_autoptr(GError) error = NULL;
        GVariant *value =
            g_variant_parse(G_VARIANT_TYPE(field->type), field->standard, NULL, NULL, &error);

        if (!value)
            g_error("%s.%s: %s", class->name, field->name, error->message);
        g_ptr_array_add(db->standard, value);
    }
}

struct xf_db *xf_db_new(unsigned dialect, const char *pool)
{
    struct xf_db *db = g_new0(struct xf_db, 1);

    g_mutex_init(&db->lock);
    g_cond_init(&db->changed);
    db->dialect = dialect;
    db->pool = pool ? pool : "";
    /* Later than any token of an earlier life of this server. */
    db->generation = (guint64)xc_clock_real() / 1000;
    db->by_ref = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_object);
    db->objects = g_new0(GQueue, xf_n_classes);
    db->standard = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
    for (unsigned i = 0; i < xf_n_classes; i++)
        add_standard(db, &xf_classes[i]);
    return db;
}

void xf_db_free(struct xf_db *db)
{
    if (!db)
        return;
    g_hash_table_unref(db->by_ref);
    for (unsigned i = 0; i < xf_n_classes; i++)
        g_queue_clear(&db->objects[i]);
    g_free(db->objects);
    g_ptr_array_unref(db->standard);
    while (!g_queue_is_empty(&db->deleted))
        free_deleted(g_queue_pop_head(&db->deleted));
    g_cond_clear(&db->changed);
    g_mutex_clear(&db->lock);
    g_free(db);
}

void xf_db_lock(struct xf_db *db)
{
    g_mutex_lock(&db->lock);
}

void xf_db_unlock(struct xf_db *db)
{
    if (db->announced != db->generation)
        g_cond_broadcast(&db->changed);
    db->announced = db->generation;
    g_mutex_unlock(&db->lock);
}

void xf_db_wake(struct xf_db *db)
{
    g_cond_broadcast(&db->changed);
}

/* --- names */

void xf_derive_uuid(char out[XF_UUID_SIZE], const char *what, const char *of, unsigned number)
{
    g_autofree char *seed = g_strdup_printf("%s/%s/%u", what, of, number);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, seed, -1);

    g_snprintf(out, XF_UUID_SIZE, "%.8s-%.4s-4%.3s-a%.3s-%.12s", hash, hash + 8, hash + 12,
               hash + 15, hash + 18);
}

void xf_derive_ref(char out[XF_REF_SIZE], const char *what, const char *of, unsigned number)
{
    g_autofree char *kind = g_strconcat("ref of ", what, NULL);
    char uuid[XF_UUID_SIZE];

    xf_derive_uuid(uuid, kind, of, number);
    g_snprintf(out, XF_REF_SIZE, "OpaqueRef:%s", uuid);
}

void xf_db_ref(const struct xf_db *db, char out[XF_REF_SIZE], const char *what, const char *of,
               unsigned number)
{
    g_autofree char *own = g_strconcat(db->pool, *db->pool ? "/" : "", of, NULL);

    xf_derive_ref(out, what, own, number);
}

void xf_random_ref(char out[XF_REF_SIZE])
{
    struct xc_uuid uuid;
    char text[XC_UUID_TEXT];

    xc_uuid_random(&uuid);
    xc_uuid_format(&uuid, text);
    g_snprintf(out, XF_REF_SIZE, "OpaqueRef:%s", text);
}

/* --- objects */

struct xf_object *xf_db_find(struct xf_db *db, const char *class, const char *ref)
{
    struct xf_object *object = g_hash_table_lookup(db->by_ref, ref);

    return object && strcmp(object->class->name, class) == 0 ? object : NULL;
}

static gpointer *standard_of(struct xf_db *db, const struct xf_class *class)
{
    unsigned first = 0;

    for (const struct xf_class *before = xf_classes; before < class; before++)
        first += before->n_fields;
    return db->standard->pdata + first;
}

struct xf_object *xf_db_have(struct xf_db *db, const char *class, const char *ref, bool *fresh)
{
    struct xf_object *object = xf_db_find(db, class, ref);
    gpointer *standard;

    if (fresh)
        *fresh = !object;
    if (object)
        return object;
    object = g_new0(struct xf_object, 1);
    object->class = xf_class_find(class);
    g_assert(object->class);
    object->ref = g_strdup(ref);
    object->values = g_new0(GVariant *, object->class->n_fields);
    standard = standard_of(db, object->class);
    for (unsigned i = 0; i < object->class->n_fields; i++)
        object->values[i] = g_variant_ref(standard[i]);
    object->created = object->changed = ++db->generation;
    if (strcmp(class, "message") == 0)
        db->messages++;
    g_queue_push_tail(&db->objects[class_number(object->class)], object);
    object->link = db->objects[class_number(object->class)].tail;
    g_hash_table_insert(db->by_ref, object->ref, object);
    return object;
}

void xf_db_delete(struct xf_db *db, struct xf_object *object)
{
    struct xf_deleted *deleted = g_new0(struct xf_deleted, 1);

    *deleted = (struct xf_deleted){.class = object->class,
                                   .ref = g_strdup(object->ref),
                                   .created = object->created,
                                   .deleted = ++db->generation};
    g_queue_push_tail(&db->deleted, deleted);
    while (db->deleted.length > (db->lose_events ? 0 : XF_DELETED_MAX))
        free_deleted(g_queue_pop_head(&db->deleted));
    g_queue_delete_link(&db->objects[class_number(object->class)], object->link);
    g_hash_table_remove(db->by_ref, object->ref);
}

GList *xf_db_all(struct xf_db *db, const struct xf_class *class)
{
    return db->objects[class_number(class)].head;
}

/* --- fields */

bool xf_db_knows(const struct xf_db *db, const struct xf_class *class, unsigned field)
{
    return (class->fields[field].dialects & db->dialect) != 0;
}

static unsigned field_number(const struct xf_object *object, const char *name)
{
    int number = xf_field_find(object->class, name);

    if (number < 0)
        g_error("class %s has no field %s", object->class->name, name);
    return (unsigned)number;
}

void xf_set(struct xf_db *db, struct xf_object *object, const char *field, GVariant *value)
{
    unsigned number = field_number(object, field);

    g_variant_ref_sink(value);
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE(object->class->fields[number].type)))
        g_error("%s.%s is no %s", object->class->name, field, g_variant_get_type_string(value));
    if (g_variant_equal(object->values[number], value)) {
        g_variant_unref(value);
        return;
    }
    g_variant_unref(object->values[number]);
    object->values[number] = value;
    if (xf_db_knows(db, object->class, number))
        object->changed = ++db->generation;
}

void xf_set_text(struct xf_db *db, struct xf_object *object, const char *field, const char *value)
{
    xf_set(db, object, field, g_variant_new_string(value));
}

GVariant *xf_get(const struct xf_object *object, const char *field)
{
    return object->values[field_number(object, field)];
}

const char *xf_get_text(const struct xf_object *object, const char *field)
{
    return g_variant_get_string(xf_get(object, field), NULL);
}

bool xf_get_bool(const struct xf_object *object, const char *field)
{
    return g_variant_get_boolean(xf_get(object, field));
}

gint64 xf_get_int(const struct xf_object *object, const char *field)
{
    return g_variant_get_int64(xf_get(object, field));
}

bool xf_map_put(struct xf_db *db, struct xf_object *object, const char *field, const char *key,
                const char *value)
{
    GVariant *map = xf_get(object, field);
    GVariantBuilder builder;
    GVariantIter iter;
    const char *k;
    const char *v;

    if (value && g_variant_lookup(map, key, "&s", &v))
        return false;
    g_variant_builder_init(&builder, G_VARIANT_TYPE("a{ss}"));
    g_variant_iter_init(&iter, map);
    while (g_variant_iter_next(&iter, "{&s&s}", &k, &v))
        if (strcmp(k, key) != 0)
            g_variant_builder_add(&builder, "{ss}", k, v);
    if (value)
        g_variant_builder_add(&builder, "{ss}", key, value);
    xf_set(db, object, field, g_variant_builder_end(&builder));
    return true;
}

void xf_db_record(const struct xf_db *db, const struct xf_object *object, GString *out)
{
    g_string_append(out, "<value><struct>");
    for (unsigned i = 0; i < object->class->n_fields; i++) {
        if (!xf_db_knows(db, object->class, i))
            continue;
        xf_xml_member(out, object->class->fields[i].name);
        xf_xml_value(out, object->values[i]);
        g_string_append(out, "</member>");
    }
    g_string_append(out, "</struct></value>");
}
