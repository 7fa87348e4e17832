/* Rows of facts. */
#include "plugins/lib/facts.h"

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
