/* Descriptors made from the dictionaries; reading, printing and sending by descriptor. */
#include "xenclient/model/event.h"
#include "xenclient/model/model.h"
#include "xenclient/model/scan.h"
#include "xenclient/util/text.h"

#include <string.h>

#define ENTRY(STRUCT, m, k, u, l, kp, o, h)                                                        \
    {.name = #m,                                                                                   \
     .help = h,                                                                                    \
     .kind = XC_##k,                                                                               \
     .keep = XC_##kp,                                                                              \
     .origin = XC_##o,                                                                             \
     .offset = offsetof(struct STRUCT, m),                                                         \
     .unit = u,                                                                                    \
     .labels = l},

static const struct xc_field host_fields[] = {
#define XC_FIELD(m, k, u, l, kp, o, h) ENTRY(xc_host, m, k, u, l, kp, o, h)
#include "xenclient/model/host_fields.def"
#undef XC_FIELD
};
static const struct xc_field domain_fields[] = {
#define XC_FIELD(m, k, u, l, kp, o, h) ENTRY(xc_domain, m, k, u, l, kp, o, h)
#include "xenclient/model/domain_fields.def"
#undef XC_FIELD
};
static const struct xc_field vif_fields[] = {
#define XC_FIELD(m, k, u, l, kp, o, h) ENTRY(xc_vif, m, k, u, l, kp, o, h)
#include "xenclient/model/vif_fields.def"
#undef XC_FIELD
};
static const struct xc_field vbd_fields[] = {
#define XC_FIELD(m, k, u, l, kp, o, h) ENTRY(xc_vbd, m, k, u, l, kp, o, h)
#include "xenclient/model/vbd_fields.def"
#undef XC_FIELD
};
static const struct xc_field vcpu_fields[] = {
#define XC_FIELD(m, k, u, l, kp, o, h) ENTRY(xc_vcpu, m, k, u, l, kp, o, h)
#include "xenclient/model/vcpu_fields.def"
#undef XC_FIELD
};
static const struct xc_field point_fields[] = {
#define XC_FIELD(m, k, u, l, kp, o, h) ENTRY(xc_point, m, k, u, l, kp, o, h)
#include "xenclient/model/point_fields.def"
#undef XC_FIELD
};
static const struct xc_field detail_fields[] = {
#define XC_FIELD(m, k, u, l, kp, o, h) ENTRY(xc_detail, m, k, u, l, kp, o, h)
#include "xenclient/model/detail_fields.def"
#undef XC_FIELD
};
static const struct xc_field sr_fields[] = {
#define XC_FIELD(m, k, u, l, kp, o, h) ENTRY(xc_sr, m, k, u, l, kp, o, h)
#include "xenclient/model/sr_fields.def"
#undef XC_FIELD
};
static const struct xc_field pif_fields[] = {
#define XC_FIELD(m, k, u, l, kp, o, h) ENTRY(xc_pif, m, k, u, l, kp, o, h)
#include "xenclient/model/pif_fields.def"
#undef XC_FIELD
};
static const struct xc_field notice_fields[] = {
#define XC_FIELD(m, k, u, l, kp, o, h) ENTRY(xc_notice, m, k, u, l, kp, o, h)
#include "xenclient/model/notice_fields.def"
#undef XC_FIELD
};
static const struct xc_field find_fields[] = {
#define XC_FIELD(m, k, u, l, kp, o, h) ENTRY(xc_find, m, k, u, l, kp, o, h)
#include "xenclient/model/find_fields.def"
#undef XC_FIELD
};

/* `has` is one word: a dictionary that outgrows it must not compile. */
G_STATIC_ASSERT(G_N_ELEMENTS(host_fields) <= 64);
G_STATIC_ASSERT(G_N_ELEMENTS(domain_fields) <= 64);
G_STATIC_ASSERT(G_N_ELEMENTS(vif_fields) <= 64);
G_STATIC_ASSERT(G_N_ELEMENTS(vbd_fields) <= 64);
G_STATIC_ASSERT(G_N_ELEMENTS(vcpu_fields) <= 64);
G_STATIC_ASSERT(G_N_ELEMENTS(point_fields) <= 64);
G_STATIC_ASSERT(G_N_ELEMENTS(detail_fields) <= 64);
G_STATIC_ASSERT(G_N_ELEMENTS(sr_fields) <= 64);
G_STATIC_ASSERT(G_N_ELEMENTS(pif_fields) <= 64);
G_STATIC_ASSERT(G_N_ELEMENTS(notice_fields) <= 64);
G_STATIC_ASSERT(G_N_ELEMENTS(find_fields) <= 64);

const struct xc_object xc_host_type = {"host", host_fields, G_N_ELEMENTS(host_fields),
                                       sizeof(struct xc_host)};
const struct xc_object xc_domain_type = {"domain", domain_fields, G_N_ELEMENTS(domain_fields),
                                         sizeof(struct xc_domain)};
const struct xc_object xc_vif_type = {"vif", vif_fields, G_N_ELEMENTS(vif_fields),
                                      sizeof(struct xc_vif)};
const struct xc_object xc_vbd_type = {"vbd", vbd_fields, G_N_ELEMENTS(vbd_fields),
                                      sizeof(struct xc_vbd)};
const struct xc_object xc_vcpu_type = {"vcpu", vcpu_fields, G_N_ELEMENTS(vcpu_fields),
                                       sizeof(struct xc_vcpu)};
const struct xc_object xc_point_type = {"snapshot", point_fields, G_N_ELEMENTS(point_fields),
                                        sizeof(struct xc_point)};
const struct xc_object xc_detail_type = {"detail", detail_fields, G_N_ELEMENTS(detail_fields),
                                         sizeof(struct xc_detail)};
const struct xc_object xc_sr_type = {"sr", sr_fields, G_N_ELEMENTS(sr_fields),
                                     sizeof(struct xc_sr)};
const struct xc_object xc_pif_type = {"pif", pif_fields, G_N_ELEMENTS(pif_fields),
                                      sizeof(struct xc_pif)};
const struct xc_object xc_notice_type = {"notice", notice_fields, G_N_ELEMENTS(notice_fields),
                                         sizeof(struct xc_notice)};
const struct xc_object xc_find_type = {"find", find_fields, G_N_ELEMENTS(find_fields),
                                       sizeof(struct xc_find)};

const struct xc_field *xc_object_field(const struct xc_object *type, const char *name)
{
    for (unsigned i = 0; i < type->n_fields; i++)
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    return NULL;
}

static const void *at(const struct xc_field *field, const void *object)
{
    return (const char *)object + field->offset;
}

uint64_t xc_field_u64(const struct xc_field *field, const void *object)
{
    if (field->kind == XC_ENUM || field->kind == XC_BOOL)
        return *(const uint8_t *)at(field, object);
    return *(const uint64_t *)at(field, object);
}

int64_t xc_field_i64(const struct xc_field *field, const void *object)
{
    return *(const int64_t *)at(field, object);
}

const char *xc_field_text(const struct xc_field *field, const void *object)
{
    return *(const char *const *)at(field, object);
}

const struct xc_uuid *xc_field_uuid(const struct xc_field *field, const void *object)
{
    return at(field, object);
}

static char *format_time(int64_t usec)
{
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_utc(usec / G_USEC_PER_SEC);

    return when ? g_date_time_format(when, "%Y-%m-%dT%H:%M:%SZ") : g_strdup("?");
}

char *xc_field_format(const struct xc_field *field, const void *object)
{
    switch (field->kind) {
    case XC_TEXT:
        return g_strdup(xc_field_text(field, object));
    case XC_UUID: {
        char text[XC_UUID_TEXT];

        xc_uuid_format(xc_field_uuid(field, object), text);
        return g_strdup(text);
    }
    case XC_ENUM:
        return g_strdup(xc_enum_label(field->labels, (int)xc_field_u64(field, object)));
    case XC_BOOL:
        return g_strdup(xc_field_u64(field, object) ? "true" : "false");
    case XC_INTEGER:
        return g_strdup_printf("%" G_GINT64_FORMAT, xc_field_i64(field, object));
    case XC_TIME:
        return format_time(xc_field_i64(field, object));
    case XC_GAUGE:
    case XC_COUNTER:
        break;
    }
    return g_strdup_printf("%" G_GUINT64_FORMAT, xc_field_u64(field, object));
}

void xc_uuid_format(const struct xc_uuid *uuid, char out[XC_UUID_TEXT])
{
    static const char hex[] = "0123456789abcdef";
    char *p = out;

    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = hex[uuid->b[i] >> 4];
        *p++ = hex[uuid->b[i] & 15];
    }
    *p = '\0';
}

bool xc_uuid_parse(const char *text, struct xc_uuid *out)
{
    struct xc_uuid uuid = {{0}};
    int n = 0;

    if (strlen(text) != XC_UUID_TEXT - 1)
        return false;
    for (int i = 0; i < XC_UUID_TEXT - 1; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-')
                return false;
            continue;
        }
        int digit = g_ascii_xdigit_value(text[i]);

        if (digit < 0)
            return false;
        uuid.b[n / 2] |= (uint8_t)(n % 2 == 0 ? digit << 4 : digit);
        n++;
    }
    *out = uuid;
    return true;
}

bool xc_uuid_is_nil(const struct xc_uuid *uuid)
{
    static const struct xc_uuid nil;

    return memcmp(uuid, &nil, sizeof(nil)) == 0;
}

guint xc_uuid_hash(gconstpointer uuid)
{
    const struct xc_uuid *key = uuid;
    guint hash = 0;

    for (size_t i = 0; i < sizeof(key->b); i++)
        hash = hash * 31 + key->b[i];
    return hash;
}

gboolean xc_uuid_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct xc_uuid)) == 0;
}

void xc_uuid_random(struct xc_uuid *out)
{
    g_autofree char *text = g_uuid_string_random();

    xc_uuid_parse(text, out);
}

/* The bits of the fields that travel. */
static uint64_t wire_mask(const struct xc_object *type)
{
    uint64_t mask = 0;

    for (unsigned i = 0; i < type->n_fields; i++)
        if (type->fields[i].origin == XC_DRIVER)
            mask |= (uint64_t)1 << i;
    return mask;
}

void xc_object_write(const struct xc_object *type, const void *object, GByteArray *to)
{
    uint64_t mask = *(const uint64_t *)object & wire_mask(type);

    xc_put_u64(to, mask);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const struct xc_field *field = &type->fields[i];

        if (!((mask >> i) & 1))
            continue;
        switch (field->kind) {
        case XC_TEXT:
            xc_put_text(to, xc_field_text(field, object));
            break;
        case XC_UUID:
            xc_put_raw(to, xc_field_uuid(field, object), sizeof(struct xc_uuid));
            break;
        case XC_ENUM:
        case XC_BOOL:
            xc_put_u32(to, (uint32_t)xc_field_u64(field, object));
            break;
        default:
            xc_put_u64(to, xc_field_u64(field, object));
        }
    }
}

static void read_small(const struct xc_field *field, void *to, struct xc_reader *from)
{
    uint32_t value = xc_get_u32(from);

    if (field->kind == XC_BOOL ? value > 1 : !xc_enum_has(field->labels, (int)value))
        from->bad = true;
    *(uint8_t *)to = (uint8_t)value;
}

void xc_object_read(const struct xc_object *type, void *object, struct xc_reader *from,
                    GStringChunk *text)
{
    uint64_t mask = xc_get_u64(from);

    if (mask & ~wire_mask(type))
        from->bad = true;
    for (unsigned i = 0; i < type->n_fields && !from->bad; i++) {
        const struct xc_field *field = &type->fields[i];
        void *to = (char *)object + field->offset;

        if (!((mask >> i) & 1))
            continue;
        switch (field->kind) {
        case XC_TEXT: {
            g_autofree char *value = xc_get_text(from, XC_TEXT_MAX);

            *(const char **)to = g_string_chunk_insert(text, value);
            break;
        }
        case XC_UUID: {
            const uint8_t *raw = xc_get_raw(from, sizeof(struct xc_uuid));

            if (raw)
                memcpy(to, raw, sizeof(struct xc_uuid));
            break;
        }
        case XC_ENUM:
        case XC_BOOL:
            read_small(field, to, from);
            break;
        default:
            *(uint64_t *)to = xc_get_u64(from);
        }
    }
    *(uint64_t *)object = from->bad ? 0 : mask;
}

static uint64_t fnv(uint64_t hash, const char *text)
{
    for (const char *p = text; *p; p++)
        hash = (hash ^ (uint8_t)*p) * 0x100000001b3u;
    return hash;
}

uint64_t xc_dictionary_hash(void)
{
    static const struct xc_object *const types[] = {
        &xc_host_type, &xc_domain_type, &xc_vif_type,    &xc_vbd_type,
        &xc_vcpu_type, &xc_point_type,  &xc_detail_type, &xc_sr_type,
        &xc_pif_type,  &xc_notice_type, &xc_find_type};
    uint64_t hash = 0xcbf29ce484222325u;

    for (unsigned t = 0; t < G_N_ELEMENTS(types); t++) {
        hash = fnv(hash, types[t]->name);
        for (unsigned i = 0; i < types[t]->n_fields; i++) {
            const struct xc_field *field = &types[t]->fields[i];

            hash = fnv(hash, field->name);
            hash = (hash ^ ((unsigned)field->kind * 8 + field->origin)) * 0x100000001b3u;
        }
    }
    return hash;
}
