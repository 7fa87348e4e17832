/* Which domain does an operator mean? The name table answers names; what it does not is looked up in columns. */
#include "tools/xenctl/domain.h"

#include "xenclient/util/text.h"

#include <string.h>

/* Longest name that has a row in xenNameTable. */
#define NAME_ROW_MAX ((size_t)100)

void ctl_domain_clear(struct ctl_domain *domain)
{
    g_clear_pointer(&domain->label, g_free);
}

bool ctl_domain_last_op(struct ctl *ctl, uint32_t index, uint32_t *op_out, GError **error)
{
    struct sn_oid oid = sn_oid_number(xenDomainLastOperation, index);
    struct sn_session *session = ctl_session(ctl, error);
    struct sn_value value;
    bool ok;

    if (!session)
        return false;
    ok = sn_get(session, &oid, 1, &value, error);
    *op_out = ok ? (uint32_t)sn_value_number(&value, 0) : 0;
    sn_value_clear(&value);
    return ok;
}

/* Fills out from the row; 0 when there is none. */
static bool read_row(struct ctl *ctl, uint32_t index, struct ctl_domain *out, GError **error)
{
    const struct sn_oid oids[] = {sn_oid_number(xenDomainLabel, index),
                                  sn_oid_number(xenDomainState, index),
                                  sn_oid_number(xenDomainLastOperation, index)};
    struct sn_value values[G_N_ELEMENTS(oids)];
    bool ok = sn_get(ctl->session, oids, G_N_ELEMENTS(oids), values, error);

    out->index = ok && (sn_present(&values[0]) || sn_present(&values[1])) ? index : 0;
    out->label = g_strdup(sn_value_text(&values[0]));
    out->last_op = (uint32_t)sn_value_number(&values[2], 0);
    sn_values_clear(values, G_N_ELEMENTS(oids));
    return ok;
}

/* --- by name */
static bool by_name(struct ctl *ctl, const char *name, uint32_t *index, int64_t *count,
                    GError **error)
{
    const struct sn_oid oids[] = {sn_oid_text(xenNameDomainIndex, name),
                                  sn_oid_text(xenNameCount, name)};
    struct sn_value values[G_N_ELEMENTS(oids)];
    bool ok;

    *index = 0;
    *count = 0;
    if (strlen(name) > NAME_ROW_MAX || !name[0])
        return true;
    ok = sn_get(ctl->session, oids, G_N_ELEMENTS(oids), values, error);
    *index = (uint32_t)sn_value_number(&values[0], 0);
    *count = sn_value_number(&values[1], 0);
    sn_values_clear(values, G_N_ELEMENTS(oids));
    return ok;
}

/* "#3 host1/web1, #7 host2/web1": what an ambiguous name may stand for, from the column itself. */
static char *choices(struct ctl *ctl, const char *name)
{
    const struct sn_oid columns[] = {sn_oid_of(xenDomainName), sn_oid_of(xenDomainHost)};
    g_autoptr(sn_table) table = sn_table_fetch(ctl->session, columns, 2, NULL);
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; table && i < table->rows->len; i++) {
        const struct sn_row *row = sn_table_at(table, i);

        if (g_str_equal(sn_value_text(&row->cells[0]), name))
            g_string_append_printf(out, "%s#%u %s/%s", out->len ? ", " : "", row->index.id[0],
                                   sn_value_text(&row->cells[1]), name);
    }
    return g_string_free(out, FALSE);
}

static int say_ambiguous(struct ctl *ctl, const char *name)
{
    g_autofree char *list = choices(ctl, name);

    return ctl_say(ctl, CTL_NOT_FOUND, "%s: several domains have this name: %s", name, list);
}

/* --- by a column: UUIDs, and names too long for the name table */
static bool by_column(struct ctl *ctl, enum sn_id column, const char *text, uint32_t *index,
                      int64_t *count, GError **error)
{
    const struct sn_oid oid = sn_oid_of(column);
    g_autoptr(sn_table) table = sn_table_fetch(ctl->session, &oid, 1, error);

    *count = 0;
    for (unsigned i = 0; table && i < table->rows->len; i++) {
        const struct sn_row *row = sn_table_at(table, i);

        if (g_ascii_strcasecmp(sn_value_text(&row->cells[0]), text) == 0) {
            *index = row->index.id[0];
            (*count)++;
        }
    }
    return table != NULL;
}

static bool looks_like_uuid(const char *name)
{
    return strlen(name) == 36 && strspn(name, "0123456789abcdefABCDEF-") == 36;
}

static bool look_up(struct ctl *ctl, const char *name, uint32_t *index, int64_t *count,
                    GError **error)
{
    uint64_t number;

    if (name[0] == '#' && xc_text_to_u64(name + 1, 1, INT32_MAX, &number, NULL)) {
        *index = (uint32_t)number;
        *count = 1;
        return true;
    }
    if (!by_name(ctl, name, index, count, error))
        return false;
    if (*count == 0 && looks_like_uuid(name))
        return by_column(ctl, xenDomainUuid, name, index, count, error);
    /* Names too long for the name table; and who may see single domains does not see that table. */
    if (*count == 0)
        return by_column(ctl, xenDomainName, name, index, count, error);
    return true;
}

int ctl_find_domain(struct ctl *ctl, const char *name, struct ctl_domain *out)
{
    g_autoptr(GError) error = NULL;
    uint32_t index = 0;
    int64_t count = 0;

    memset(out, 0, sizeof(*out));
    if (!ctl_session(ctl, &error) || !look_up(ctl, name, &index, &count, &error))
        return ctl_fail(ctl, error);
    if (count > 1)
        return say_ambiguous(ctl, name);
    if (index && !read_row(ctl, index, out, &error))
        return ctl_fail(ctl, error);
    if (!out->index)
        return ctl_say(ctl, CTL_NOT_FOUND, "%s: no such domain; see xenctl domains", name);
    return CTL_OK;
}
