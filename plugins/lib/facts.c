/* Rows of facts. */
#include "plugins/lib/facts.h"

#include <math.h>

void chk_row_free(struct chk_row *row)
{
    for (unsigned i = 0; i < row->n_values; i++)
        g_free(row->values[i].text);
    g_free(row->values);
    g_free(row->shown);
    g_free(row);
}

static int find_field(const struct chk_facts *facts, const char *name)
{
    for (unsigned i = 0; name && i < facts->n_fields; i++)
        if (g_str_equal(facts->fields[i].name, name))
            return (int)i;
    return -1;
}

bool chk_facts_have(const struct chk_facts *facts, const char *name)
{
    return find_field(facts, name) >= 0;
}

const struct chk_value *chk_fact(const struct chk_facts *facts, const struct chk_row *row,
                                 const char *name)
{
    int field = find_field(facts, name);

    return field >= 0 && row->values[field].known ? &row->values[field] : NULL;
}

const char *chk_fact_text(const struct chk_facts *facts, const struct chk_row *row,
                          const char *name)
{
    const struct chk_value *value = chk_fact(facts, row, name);

    return value && value->text ? value->text : "";
}

void chk_value_take(const struct chk_field *field, const struct sn_value *from,
                    struct chk_value *out)
{
    const struct sn_object *object;
    double scale = field->scale != 0 ? field->scale : 1;

    out->known = sn_present(from);
    if (!out->known)
        return;
    object = sn_object(field->object);
    if (object->base == SN_BASE_DATE) {
        out->number = (double)sn_date_seconds(from);
        out->known = out->number > 0;
    } else if (from->type == SN_BYTES || from->type == SN_OID) {
        out->text = sn_format(field->object, from);
    } else {
        out->exact = from->type == SN_UNSIGNED ? from->number : (uint64_t)from->integer;
        out->number = from->type == SN_UNSIGNED ? (double)from->number : (double)from->integer;
        out->number *= object->decimals ? scale / pow(10, object->decimals) : scale;
        out->text = g_strdup(sn_number_label(field->object, sn_value_number(from, -1)));
    }
}
