/* oid NAME [COLUMN]: the numbers that snmpget and snmpset want where no MIB file is installed. */
#include "tools/xenctl/domain.h"
#include "tools/xenctl/text.h"
#include "tools/xenctl/view.h"

#include "xenclient/util/text.h"

#include <string.h>

/* What snmpset calls the type of an object. */
static const char *set_type(const struct sn_object *object)
{
    if (object->access == SN_READ_ONLY || object->access == SN_NOT_ACCESSIBLE)
        return "-";
    switch (object->base) {
    case SN_BASE_INTEGER:
        return "i";
    case SN_BASE_UNSIGNED:
    case SN_BASE_GAUGE:
        return "u";
    default:
        return "s";
    }
}

/* Rows: an entry and the text that is its index, or the domain's number. */
struct place {
    const enum sn_id *entries; /* SN_NONE at the end */
    struct sn_oid index;
};

static bool belongs(const struct sn_object *object, const enum sn_id *entries)
{
    for (; *entries != SN_NONE; entries++)
        if (object->parent == *entries)
            return object->kind == SN_COLUMN && object->access != SN_NOT_ACCESSIBLE;
    return false;
}

static void print_line(struct ctl_grid *grid, struct json *json, enum sn_id id,
                       const struct sn_oid *oid)
{
    g_autofree char *number = sn_oid_format(oid);

    ctl_grid_add(grid, g_strdup(number));
    ctl_grid_add(grid, g_strdup(set_type(sn_object(id))));
    ctl_grid_add(grid, g_strdup(sn_object(id)->name));
    json_text(json, sn_object(id)->name, number);
}

static int print_all(const struct ctl *ctl, const struct place *place)
{
    struct ctl_grid grid;
    struct json json;
    g_autofree char *out = NULL;

    ctl_grid_init(&grid, 3);
    json_init(&json);
    json_open_object(&json, NULL);
    for (int i = 0; i < SN_N_OBJECTS; i++)
        if (belongs(sn_object((enum sn_id)i), place->entries)) {
            struct sn_oid oid = sn_oid_row((enum sn_id)i, &place->index);

            print_line(&grid, &json, (enum sn_id)i, &oid);
        }
    json_close_object(&json);
    out = json_finish(&json);
    if (ctl->opt.json)
        printf("%s\n", out);
    else
        ctl_grid_print(&grid, stdout);
    ctl_grid_clear(&grid);
    return CTL_OK;
}

/* The column by its MIB name, or by that without the prefix: power, xenDomainPower. */
static enum sn_id find_column(const char *name, const enum sn_id *entries)
{
    for (int i = 0; i < SN_N_OBJECTS; i++) {
        const struct sn_object *object = sn_object((enum sn_id)i);
        static const char *const prefixes[] = {"", "xenDomain", "xenHost", "xenName", "xenSource"};

        if (!belongs(object, entries))
            continue;
        for (size_t p = 0; p < G_N_ELEMENTS(prefixes); p++) {
            g_autofree char *key = ctl_key((enum sn_id)i, prefixes[p]);

            if (g_str_equal(key, name))
                return (enum sn_id)i;
        }
    }
    return SN_NONE;
}

static int print_place(const struct ctl *ctl, const struct place *place)
{
    g_autofree char *number = NULL;
    struct sn_oid oid;
    enum sn_id id;

    if (ctl->n_args < 2)
        return print_all(ctl, place);
    id = find_column(ctl->args[1], place->entries);
    if (id == SN_NONE)
        return ctl_say(ctl, CTL_NOT_FOUND, "%s: no such column here; see xenctl oid %s",
                       ctl->args[1], ctl->args[0]);
    oid = sn_oid_row(id, &place->index);
    number = sn_oid_format(&oid);
    if (ctl->opt.json)
        printf("{\"%s\": \"%s\"}\n", sn_object(id)->name, number);
    else
        printf("%s\n", number);
    return CTL_OK;
}

/* --- what the name stands for */
static bool row_exists(struct ctl *ctl, enum sn_id column, const char *key, GError **error)
{
    const struct sn_oid oid = sn_oid_text(column, key);
    struct sn_value value;
    bool there;

    if (!sn_get(ctl->session, &oid, 1, &value, error))
        return false;
    there = sn_present(&value);
    sn_value_clear(&value);
    return there;
}

static int oid_of_text(struct ctl *ctl, const enum sn_id *entries)
{
    struct place place = {.entries = entries};

    sn_oid_append_text(&place.index, ctl->args[0], strlen(ctl->args[0]));
    return print_place(ctl, &place);
}

static int oid_of_domain(struct ctl *ctl)
{
    static const enum sn_id entries[] = {xenDomainEntry, xenDomainPerfEntry, xenDomainControlEntry,
                                         SN_NONE};
    struct place place = {.entries = entries};
    struct ctl_domain domain;
    int code = ctl_find_domain(ctl, ctl->args[0], &domain);

    sn_oid_append_number(&place.index, domain.index);
    ctl_domain_clear(&domain);
    return code ? code : print_place(ctl, &place);
}

int ctl_oid(struct ctl *ctl)
{
    static const enum sn_id host[] = {xenHostEntry, xenHostPerfEntry, xenHostControlEntry,
                                      xenSourceEntry, SN_NONE};
    static const enum sn_id source[] = {xenSourceEntry, SN_NONE};
    g_autoptr(GError) error = NULL;
    const char *name = ctl->args[0];
    bool key = xc_text_is_key(name, 32);

    if (!ctl_session(ctl, &error))
        return ctl_fail(ctl, error);
    if (key && row_exists(ctl, xenHostState, name, &error))
        return oid_of_text(ctl, host);
    if (!error && key && row_exists(ctl, xenSourceState, name, &error))
        return oid_of_text(ctl, source);
    if (error)
        return ctl_fail(ctl, error);
    return oid_of_domain(ctl);
}
