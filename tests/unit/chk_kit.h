/* A plugin made for tests, parsed command lines and rows for it. */
#pragma once

#include "plugins/lib/check.h"

#include <string.h>

static const struct chk_field kit_fields[] = {
    {"name", SN_NONE, 0}, {"uuid", SN_NONE, 0},  {"host", SN_NONE, 0},
    {"tags", SN_NONE, 0}, {"state", SN_NONE, 0}, {"why", SN_NONE, 0},
    {"used", SN_NONE, 0}, {"size", SN_NONE, 0},  {"octets", SN_NONE, 0},
};
enum { KIT_NAME, KIT_UUID, KIT_HOST, KIT_TAGS, KIT_STATE, KIT_WHY, KIT_USED, KIT_SIZE, KIT_OCTETS };

static const struct chk_metric kit_metrics[] = {
    {.name = "used",
     .uom = "%",
     .field = "used",
     .of = "size",
     .warn = "80",
     .crit = "90",
     .shown = true,
     .help = "used"},
    {.name = "free", .uom = "B", .field = "size", .less = "used", .help = "free"},
    {.name = "octets", .uom = "c", .field = "octets", .help = "octets"},
};

static const struct chk_condition kit_conditions[] = {
    {.field = "state", .label = "down", .state = CHK_CRITICAL},
    {.field = "state", .label = "odd", .state = CHK_UNKNOWN, .text = "in an odd state"},
    {.field = "state",
     .label = "off",
     .state = CHK_WARNING,
     .option = "mode",
     .option_value = "on"},
};

static const struct chk_option kit_options[] = {
    {'m', "mode", "MODE", CHK_TEXT, "on", "on|off", "mode"},
    {'\0', "since", "SECONDS", CHK_SECONDS, "60", NULL, "since"},
};

static const struct chk_plugin kit_plugin = {
    .name = "check_kit",
    .title = "KIT",
    .summary = "Checks the kit.",
    .one = "thing",
    .many = "things",
    .facts = {.fields = kit_fields,
              .n_fields = G_N_ELEMENTS(kit_fields),
              .first = SN_NONE,
              .last = SN_NONE,
              .by_name = SN_NONE},
    .label = "name",
    .uuid = "uuid",
    .host = "host",
    .tags = "tags",
    .status = "state",
    .detail = "why",
    .metrics = kit_metrics,
    .n_metrics = G_N_ELEMENTS(kit_metrics),
    .conditions = kit_conditions,
    .n_conditions = G_N_ELEMENTS(kit_conditions),
    .options = kit_options,
    .n_options = G_N_ELEMENTS(kit_options),
    .empty = CHK_UNKNOWN,
};

/* words ends with NULL and lacks the program's name. */
static bool kit_parse(struct chk *chk, const struct chk_plugin *plugin, const char *const *words,
                      GError **error)
{
    const char *argv[32] = {plugin->name};
    int argc = 1;

    while (words[argc - 1]) {
        argv[argc] = words[argc - 1];
        argc++;
    }
    memset(chk, 0, sizeof(*chk));
    chk->plugin = plugin;
    chk->given = g_array_new(FALSE, FALSE, sizeof(struct chk_given));
    chk->states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return chk_options_parse(chk, argc, (char **)argv, error);
}

static inline void kit_text(struct chk_row *row, unsigned field, const char *text)
{
    g_free(row->values[field].text);
    row->values[field].known = text != NULL;
    row->values[field].text = g_strdup(text);
}

static inline void kit_number(struct chk_row *row, unsigned field, double number)
{
    row->values[field].known = true;
    row->values[field].number = number;
    row->values[field].exact = (uint64_t)number;
}

static inline GPtrArray *kit_rows(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)chk_row_free);
}

/* A thing in state up that is half full. */
static inline struct chk_row *kit_row(GPtrArray *rows, const char *name)
{
    struct chk_row *row = g_new0(struct chk_row, 1);

    row->n_values = G_N_ELEMENTS(kit_fields);
    row->values = g_new0(struct chk_value, row->n_values);
    row->number = rows->len + 1;
    kit_text(row, KIT_NAME, name);
    kit_text(row, KIT_STATE, "up");
    kit_number(row, KIT_USED, 512);
    kit_number(row, KIT_SIZE, 1024);
    g_ptr_array_add(rows, row);
    return row;
}
