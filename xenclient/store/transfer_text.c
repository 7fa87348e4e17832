/* Export files: the table of their sections, and writing them. */
#include "xenclient/store/transfer_private.h"

#include "xenclient/model/group.h"
#include "xenclient/util/text.h"

#include <string.h>

/* Bound of texts that came from hosts; those that came by SNMP have SNMP's. */
#define LONG_TEXT 4096

const struct xc_transfer_layout xc_transfer_layouts[XC_TRANSFER_SECTIONS] = {
    [XC_TRANSFER_HEAD] = {"xensnmp-export",
                          true,
                          {{"version", NUMBER, NULL, 1, G_MAXINT32, NULL},
                           {"written", TEXT, "", 0, 64, NULL},
                           {"by", TEXT, "", 0, 64, NULL},
                           {"next_domain", NUMBER, NULL, 1, G_MAXINT32, NULL},
                           {"next_operation", NUMBER, NULL, 1, G_MAXINT32, NULL},
                           {"next_event", NUMBER, NULL, 1, G_MAXUINT32, NULL}}},
    /* As in the configuration file. */
    [XC_TRANSFER_SOURCE] = {"source",
                            false,
                            {{"key", KEY, NULL, 0, 0, NULL},
                             {"uri", TEXT, NULL, 1, XC_TEXT_MAX, NULL},
                             {"credential", TEXT, "", 0, 32, NULL},
                             {"address", TEXT, "", 0, XC_TEXT_MAX, NULL},
                             {"config_dirs", TEXT, "", 0, XC_TEXT_MAX, NULL},
                             {"save_dir", TEXT, "", 0, XC_TEXT_MAX, NULL},
                             {"enabled", SWITCH, "yes", 0, 0, NULL},
                             {"interval", NUMBER, "0", 0, 3600, NULL}}},
    [XC_TRANSFER_DOMAIN] = {"domain",
                            false,
                            {{"index", NUMBER, NULL, 1, G_MAXINT32, NULL},
                             {"name", TEXT, "", 0, LONG_TEXT, NULL},
                             {"home", TEXT, "", 0, XC_TEXT_MAX, NULL},
                             {"wanted", LABEL, "", 0, 0, &xc_wanted_labels},
                             {"protect", SWITCH, "no", 0, 0, NULL}}},
    [XC_TRANSFER_IDENTITY] = {"identity",
                              false,
                              {{"key", TEXT, NULL, 1, LONG_TEXT, NULL},
                               {"domain", NUMBER, NULL, 1, G_MAXINT32, NULL}}},
    [XC_TRANSFER_HOST] = {"host",
                          false,
                          {{"uuid", TEXT, NULL, 1, XC_TEXT_MAX, NULL},
                           {"key", KEY, NULL, 0, 0, NULL}}},
    [XC_TRANSFER_GROUP] = {"group",
                           false,
                           {{"name", KEY, NULL, 0, 0, NULL},
                            {"description", TEXT, "", 0, XC_TEXT_MAX, NULL},
                            {"spread", LABEL, "equal", 0, 0, &xc_spread_labels},
                            {"order", LABEL, "parallel", 0, 0, &xc_group_order_labels},
                            {"min_running", NUMBER, "0", 0, XC_GROUP_MEMBERS_MAX, NULL},
                            {"all_hosts", SWITCH, "yes", 0, 0, NULL},
                            {"wanted", LABEL, "", 0, 0, &xc_wanted_labels}}},
    /* GROUP/MEMBER and GROUP/HOST: a group's name has no slash. */
    [XC_TRANSFER_MEMBER] = {"member",
                            false,
                            {{"member", TEXT, NULL, 3, XC_GROUP_NAME_MAX + 1 + XC_MEMBER_NAME_MAX,
                              NULL},
                             {"description", TEXT, "", 0, XC_TEXT_MAX, NULL},
                             {"create", TEXT, "", 0, XC_TEXT_MAX, NULL},
                             {"pin", TEXT, "", 0, 32, NULL},
                             {"priority", NUMBER, "50", 1, XC_PRIORITY_MAX, NULL},
                             {"delay", NUMBER, "0", 0, XC_MEMBER_DELAY_MAX, NULL}}},
    [XC_TRANSFER_GROUP_HOST] = {"group-host",
                                false,
                                {{"host", TEXT, NULL, 3, XC_GROUP_NAME_MAX + 1 + 32, NULL},
                                 {"weight", NUMBER, "100", 1, XC_GROUP_WEIGHT_MAX, NULL}}},
    [XC_TRANSFER_END] = {"end",
                         true,
                         {{"records", NUMBER, NULL, 0, G_MAXUINT32, NULL},
                          {"sha256", TEXT, NULL, 64, 64, NULL}}},
};

unsigned xc_transfer_n_values(enum xc_transfer_section section)
{
    unsigned n = 0;

    while (n < XC_TRANSFER_VALUES && xc_transfer_layouts[section].values[n].name)
        n++;
    return n;
}

/* --- records */

struct xc_transfer_record *xc_transfer_record_new(enum xc_transfer_section section)
{
    struct xc_transfer_record *record = g_new0(struct xc_transfer_record, 1);

    record->section = section;
    for (unsigned i = 0; i < xc_transfer_n_values(section); i++)
        record->values[i] = g_strdup(xc_transfer_layouts[section].values[i].initial);
    return record;
}

void xc_transfer_record_free(void *record)
{
    struct xc_transfer_record *r = record;

    for (unsigned i = 0; r && i < XC_TRANSFER_VALUES; i++)
        g_free(r->values[i]);
    g_free(r);
}

struct xc_transfer *xc_transfer_new(void)
{
    struct xc_transfer *transfer = g_new0(struct xc_transfer, 1);
    g_autofree char *version = g_strdup_printf("%d", XC_TRANSFER_VERSION);

    transfer->head = xc_transfer_record_new(XC_TRANSFER_HEAD);
    xc_transfer_put(transfer->head, XC_HEAD_VERSION, version);
    transfer->records = g_ptr_array_new_with_free_func(xc_transfer_record_free);
    return transfer;
}

void *xc_transfer_free(struct xc_transfer *transfer)
{
    if (!transfer)
        return NULL;
    xc_transfer_record_free(transfer->head);
    g_ptr_array_unref(transfer->records);
    g_free(transfer);
    return NULL;
}

struct xc_transfer_record *xc_transfer_add(struct xc_transfer *transfer,
                                           enum xc_transfer_section section)
{
    struct xc_transfer_record *record = xc_transfer_record_new(section);

    g_ptr_array_add(transfer->records, record);
    return record;
}

void xc_transfer_put(struct xc_transfer_record *record, unsigned value, const char *text)
{
    g_free(record->values[value]);
    record->values[value] = g_strdup(text);
}

static int compare(gconstpointer a, gconstpointer b)
{
    const struct xc_transfer_record *x = *(struct xc_transfer_record *const *)a;
    const struct xc_transfer_record *y = *(struct xc_transfer_record *const *)b;
    bool number = xc_transfer_layouts[x->section].values[0].kind == NUMBER;

    if (x->section != y->section)
        return x->section < y->section ? -1 : 1;
    if (number && strlen(x->values[0]) != strlen(y->values[0]))
        return strlen(x->values[0]) < strlen(y->values[0]) ? -1 : 1;
    return strcmp(x->values[0], y->values[0]);
}

void xc_transfer_sort(struct xc_transfer *transfer)
{
    g_ptr_array_sort(transfer->records, compare);
}

char *xc_transfer_group_of(const struct xc_transfer_record *record)
{
    const char *slash = strchr(record->values[0], '/');

    return slash ? g_strndup(record->values[0], (size_t)(slash - record->values[0])) : NULL;
}

bool xc_transfer_is_of_group(const struct xc_transfer_record *record, const char *name)
{
    g_autofree char *group = NULL;

    if (record->section == XC_TRANSFER_GROUP)
        return strcmp(record->values[0], name) == 0;
    if (record->section != XC_TRANSFER_MEMBER && record->section != XC_TRANSFER_GROUP_HOST)
        return false;
    group = xc_transfer_group_of(record);
    return group && strcmp(group, name) == 0;
}

unsigned xc_transfer_count(const struct xc_transfer *transfer, enum xc_transfer_section section)
{
    unsigned n = 0;

    for (guint i = 0; i < transfer->records->len; i++)
        n += ((struct xc_transfer_record *)transfer->records->pdata[i])->section == section;
    return n;
}

uint64_t xc_transfer_digits(const char *text)
{
    uint64_t value = 0;

    return text && xc_text_to_u64(text, 0, G_MAXUINT64, &value, NULL) ? value : 0;
}

uint64_t xc_transfer_number(const struct xc_transfer *transfer, unsigned value)
{
    return xc_transfer_digits(transfer->head->values[value]);
}

char *xc_transfer_to_sql(enum xc_transfer_section section, unsigned value, const char *text)
{
    const struct xc_transfer_value *v = &xc_transfer_layouts[section].values[value];

    if (v->kind == SWITCH)
        return g_strdup(strcmp(text, "yes") == 0 ? "1" : "0");
    if (v->kind == LABEL)
        return g_strdup_printf("%d", xc_enum_number(v->labels, text));
    return g_strdup(text);
}

char *xc_transfer_from_sql(enum xc_transfer_section section, unsigned value, const char *text)
{
    const struct xc_transfer_value *v = &xc_transfer_layouts[section].values[value];

    if (v->kind == SWITCH)
        return g_strdup(strcmp(text, "0") == 0 ? "no" : "yes");
    if (v->kind == LABEL) {
        int n = (int)MIN(xc_transfer_digits(text), (uint64_t)G_MAXINT);

        return g_strdup(xc_enum_has(v->labels, n) ? xc_enum_label(v->labels, n) : "");
    }
    return g_strdup(text);
}

/* --- writing */

/* One line of printable UTF-8, without blanks at its ends: the rest as \xNN, and a backslash as two. */
static char *escape(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "\\", -1);
    g_autofree char *doubled = g_strjoinv("\\\\", parts);
    g_autofree char *shown = xc_text_escape(doubled, strlen(doubled));
    size_t length = strlen(shown);
    bool first = shown[0] == ' ', last = length > 1 && shown[length - 1] == ' ';

    return g_strdup_printf("%s%.*s%s", first ? "\\x20" : "", (int)(length - first - last),
                           shown + first, last ? "\\x20" : "");
}

static void put_record(GString *out, const struct xc_transfer_record *record)
{
    const struct xc_transfer_layout *section = &xc_transfer_layouts[record->section];
    g_autofree char *key = section->single ? NULL : escape(record->values[0]);

    g_string_append_printf(out, "[%s%s%s]\n", section->name, key ? " " : "", key ? key : "");
    for (unsigned i = key ? 1 : 0; i < xc_transfer_n_values(record->section); i++) {
        g_autofree char *text = escape(record->values[i]);

        if (g_strcmp0(record->values[i], section->values[i].initial) != 0)
            g_string_append_printf(out, "%s = %s\n", section->values[i].name, text);
    }
}

char *xc_transfer_checksum(const char *text, size_t length)
{
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, length);
}

char *xc_transfer_write(const struct xc_transfer *transfer)
{
    GString *out =
        g_string_new("# What an agent of xensnmp takes along to another machine: `xenctl "
                     "import` reads it.\n# There is no secret in it. It can be looked "
                     "at, not changed.\n\n");
    struct xc_transfer_record *end = xc_transfer_record_new(XC_TRANSFER_END);

    put_record(out, transfer->head);
    for (guint i = 0; i < transfer->records->len; i++) {
        g_string_append_c(out, '\n');
        put_record(out, transfer->records->pdata[i]);
    }
    g_string_append_c(out, '\n');
    end->values[XC_END_RECORDS] = g_strdup_printf("%u", transfer->records->len);
    end->values[XC_END_SHA256] = xc_transfer_checksum(out->str, out->len);
    put_record(out, end);
    xc_transfer_record_free(end);
    return g_string_free(out, FALSE);
}
