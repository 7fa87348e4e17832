/* Object identifiers and values as plain data. */
#include "snmpclient/value.h"

#include <string.h>

bool sn_oid_append(struct sn_oid *oid, const uint32_t *ids, unsigned n)
{
    if (n > SN_OID_MAX - oid->n)
        return false;
    if (n)
        memcpy(oid->id + oid->n, ids, n * sizeof(*ids));
    oid->n += n;
    return true;
}

bool sn_oid_append_number(struct sn_oid *oid, uint32_t number)
{
    return sn_oid_append(oid, &number, 1);
}

bool sn_oid_append_text(struct sn_oid *oid, const char *text, size_t length)
{
    if (length >= SN_OID_MAX - oid->n)
        return false;
    oid->id[oid->n++] = (uint32_t)length;
    for (size_t i = 0; i < length; i++)
        oid->id[oid->n++] = (unsigned char)text[i];
    return true;
}

char *sn_oid_format(const struct sn_oid *oid)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < oid->n; i++)
        g_string_append_printf(out, "%s%u", i ? "." : "", oid->id[i]);
    return g_string_free(out, FALSE);
}

bool sn_oid_parse(const char *text, struct sn_oid *out)
{
    g_auto(GStrv) parts = g_strsplit(text[0] == '.' ? text + 1 : text, ".", -1);

    out->n = 0;
    for (char **part = parts; *part; part++) {
        guint64 id;

        if (!g_ascii_string_to_unsigned(*part, 10, 0, G_MAXUINT32, &id, NULL) ||
            !sn_oid_append_number(out, (uint32_t)id))
            return false;
    }
    return out->n > 0;
}

int sn_oid_compare(const struct sn_oid *a, const struct sn_oid *b)
{
    unsigned n = MIN(a->n, b->n);

    for (unsigned i = 0; i < n; i++)
        if (a->id[i] != b->id[i])
            return a->id[i] < b->id[i] ? -1 : 1;
    return a->n == b->n ? 0 : a->n < b->n ? -1 : 1;
}

bool sn_oid_below(const struct sn_oid *oid, const struct sn_oid *root)
{
    return oid->n > root->n && memcmp(oid->id, root->id, root->n * sizeof(root->id[0])) == 0;
}

void sn_value_clear(struct sn_value *value)
{
    g_free(value->bytes);
    memset(value, 0, sizeof(*value));
}

void sn_values_clear(struct sn_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sn_value_clear(&values[i]);
}

int64_t sn_value_number(const struct sn_value *value, int64_t fallback)
{
    if (value->type == SN_INTEGER)
        return value->integer;
    if (value->type == SN_UNSIGNED)
        return value->number > INT64_MAX ? INT64_MAX : (int64_t)value->number;
    return fallback;
}

const char *sn_value_text(const struct sn_value *value)
{
    return value->bytes ? value->bytes : "";
}
