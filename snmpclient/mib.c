/* The objects of XENSNMP-MIB by name. */
#include "snmpclient/mib.h"

#include <stdlib.h>
#include <string.h>

/* Three passes over the generated lines: labels, indexes and numbers, objects. */
#define SN_INDEX(...)
#define SN_OBJECT(...)
#define SN_LABELS(name, ...) static const struct xc_label labels_##name[] = {__VA_ARGS__};
#include "xen_mib.def"
#undef SN_LABELS
#undef SN_INDEX
#undef SN_OBJECT

#define SN_LABELS(...)
#define SN_INDEX(name, ...) static const enum sn_id index_##name[] = {__VA_ARGS__};
#define SN_OBJECT(name, kind, base, type, decimals, access, units, parent, ...)                    \
    static const uint32_t ids_##name[] = {__VA_ARGS__};
#include "xen_mib.def"
#undef SN_LABELS
#undef SN_INDEX
#undef SN_OBJECT

static const struct sn_object objects[SN_N_OBJECTS] = {
#define SN_LABELS(...)
#define SN_INDEX(...)
#define SN_OBJECT(o_name, o_kind, o_base, o_type, o_decimals, o_access, o_units, o_parent, ...)    \
    [o_name] = {.name = #o_name,                                                                   \
                .kind = SN_##o_kind,                                                               \
                .base = SN_BASE_##o_base,                                                          \
                .type = (o_type),                                                                  \
                .decimals = (o_decimals),                                                          \
                .access = SN_##o_access,                                                           \
                .units = (o_units),                                                                \
                .parent = (o_parent),                                                              \
                .ids = ids_##o_name,                                                               \
                .n_ids = G_N_ELEMENTS(ids_##o_name),                                               \
                .labels = labels_##o_name,                                                         \
                .n_labels = G_N_ELEMENTS(labels_##o_name) - 1,                                     \
                .index = index_##o_name},
#include "xen_mib.def"
#undef SN_LABELS
#undef SN_INDEX
#undef SN_OBJECT
};

const struct sn_object *sn_object(enum sn_id id)
{
    g_return_val_if_fail(id > SN_NONE && id < SN_N_OBJECTS, NULL);
    return &objects[id];
}

enum sn_id sn_object_find(const char *name)
{
    for (int i = 0; i < SN_N_OBJECTS; i++)
        if (g_str_equal(objects[i].name, name))
            return (enum sn_id)i;
    return SN_NONE;
}

static bool begins(const struct sn_object *object, const struct sn_oid *oid)
{
    return object->n_ids <= oid->n &&
           memcmp(object->ids, oid->id, object->n_ids * sizeof(object->ids[0])) == 0;
}

enum sn_id sn_object_of(const struct sn_oid *oid)
{
    enum sn_id best = SN_NONE;

    for (int i = 0; i < SN_N_OBJECTS; i++)
        if (begins(&objects[i], oid) && (best == SN_NONE || objects[i].n_ids > objects[best].n_ids))
            best = (enum sn_id)i;
    return best;
}

/* --- OIDs */
struct sn_oid sn_oid_of(enum sn_id id)
{
    struct sn_oid oid = {0};

    sn_oid_append(&oid, objects[id].ids, objects[id].n_ids);
    return oid;
}

struct sn_oid sn_oid_scalar(enum sn_id id)
{
    return sn_oid_number(id, 0);
}

struct sn_oid sn_oid_number(enum sn_id id, uint32_t index)
{
    struct sn_oid oid = sn_oid_of(id);

    sn_oid_append_number(&oid, index);
    return oid;
}

struct sn_oid sn_oid_text(enum sn_id id, const char *index)
{
    struct sn_oid oid = sn_oid_of(id);

    sn_oid_append_text(&oid, index, strlen(index));
    return oid;
}

struct sn_oid sn_oid_row(enum sn_id id, const struct sn_oid *index)
{
    struct sn_oid oid = sn_oid_of(id);

    sn_oid_append(&oid, index->id, index->n);
    return oid;
}

/* --- labels */
int sn_label_number(enum sn_id id, const char *label)
{
    for (size_t i = 0; i < objects[id].n_labels; i++)
        if (g_str_equal(objects[id].labels[i].label, label))
            return objects[id].labels[i].number;
    return -1;
}

const char *sn_number_label(enum sn_id id, int64_t number)
{
    for (size_t i = 0; i < objects[id].n_labels; i++)
        if (objects[id].labels[i].number == number)
            return objects[id].labels[i].label;
    return NULL;
}

/* --- values as text */
static char *format_number(enum sn_id id, const struct sn_value *value)
{
    const char *label = sn_number_label(id, sn_value_number(value, -1));

    if (label)
        return g_strdup(label);
    if (objects[id].decimals == 2)
        return g_strdup_printf("%" G_GINT64_FORMAT ".%02d", sn_value_number(value, 0) / 100,
                               abs((int)(sn_value_number(value, 0) % 100)));
    if (value->type == SN_UNSIGNED)
        return g_strdup_printf("%" G_GUINT64_FORMAT, value->number);
    return g_strdup_printf("%" G_GINT64_FORMAT, value->integer);
}

static char *format_bits(enum sn_id id, const struct sn_value *value)
{
    GString *out = g_string_new(NULL);

    for (size_t bit = 0; bit < value->length * 8; bit++) {
        const char *label = sn_number_label(id, (int64_t)bit);

        if (!((unsigned char)value->bytes[bit / 8] & (0x80u >> (bit % 8))))
            continue;
        if (out->len)
            g_string_append_c(out, ' ');
        if (label)
            g_string_append(out, label);
        else
            g_string_append_printf(out, "%u", (unsigned)bit);
    }
    return g_string_free(out, FALSE);
}

/* DateAndTime: year (2), month, day, hour, minute, second, tenths, and perhaps +/-, hours, minutes.
 */
static GDateTime *parse_date(const struct sn_value *value)
{
    const unsigned char *d = (const unsigned char *)sn_value_text(value);
    g_autoptr(GTimeZone) zone = NULL;
    int offset = 0;

    if (value->type != SN_BYTES || (value->length != 8 && value->length != 11))
        return NULL;
    if (value->length == 11)
        offset = (d[9] * 60 + d[10]) * 60 * (d[8] == '-' ? -1 : 1);
    zone = g_time_zone_new_offset(offset);
    return g_date_time_new(zone, d[0] << 8 | d[1], d[2], d[3], d[4], d[5], d[6] + d[7] / 10.0);
}

int64_t sn_date_seconds(const struct sn_value *value)
{
    g_autoptr(GDateTime) when = parse_date(value);

    return when ? g_date_time_to_unix(when) : 0;
}

static char *format_date(const struct sn_value *value)
{
    g_autoptr(GDateTime) when = parse_date(value);
    g_autoptr(GDateTime) utc = when ? g_date_time_to_utc(when) : NULL;

    return utc ? g_date_time_format(utc, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("");
}

char *sn_format(enum sn_id id, const struct sn_value *value)
{
    if (!sn_present(value))
        return NULL;
    if (value->type == SN_INTEGER || value->type == SN_UNSIGNED)
        return format_number(id, value);
    if (objects[id].base == SN_BASE_DATE)
        return format_date(value);
    if (objects[id].base == SN_BASE_BITS)
        return format_bits(id, value);
    return g_strdup(sn_value_text(value));
}
