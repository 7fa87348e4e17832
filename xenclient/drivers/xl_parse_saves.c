/* Guests that were suspended to files: what the names of these say. */
#include "xenclient/drivers/xl_parse_private.h"

#include "xenclient/util/text.h"

#define MAX_SAVES      2000
#define SAVED_SUFFIX   ".xensave"
#define RESUMED_SUFFIX ".xensave.resuming"
#define UUID_LENGTH    (XC_UUID_TEXT - 1)

void xl_saved_free(void *data)
{
    struct xl_saved *saved = data;

    g_free(saved->name);
    g_free(saved);
}

/* --- names in names */

static bool is_plain(char c)
{
    return g_ascii_isalnum(c) || c == '_' || c == '-';
}

void xl_save_label(const char *name, char out[XL_LABEL_SIZE])
{
    size_t n = 0;

    for (; *name && n + 3 < XL_LABEL_SIZE; name++) {
        if (is_plain(*name))
            out[n++] = *name;
        else
            n += (size_t)g_snprintf(out + n, 4, "%%%02X", (unsigned char)*name);
    }
    out[n] = '\0';
}

/* The name a label stands for, cleaned; NULL: it is none. */
static char *name_of(const char *label, size_t length)
{
    g_autoptr(GString) raw = g_string_new(NULL);

    for (size_t i = 0; i < length; i++) {
        int high;
        int low;

        if (is_plain(label[i])) {
            g_string_append_c(raw, label[i]);
            continue;
        }
        if (label[i] != '%' || i + 2 >= length)
            return NULL;
        high = g_ascii_xdigit_value(label[i + 1]);
        low = g_ascii_xdigit_value(label[i + 2]);
        if (high < 0 || low < 0 || high + low == 0)
            return NULL;
        g_string_append_c(raw, (char)(high * 16 + low));
        i += 2;
    }
    return raw->len ? xc_text_clean(raw->str, raw->len, XC_TEXT_MAX) : NULL;
}

/* --- the list */

static bool take_suffix(const char *line, size_t *length, const char *suffix)
{
    if (!g_str_has_suffix(line, suffix))
        return false;
    *length -= strlen(suffix);
    return true;
}

/* NULL: no save file, and no concern of ours. */
static struct xl_saved *parse_name(const char *line)
{
    size_t length = strlen(line);
    bool resuming = take_suffix(line, &length, RESUMED_SUFFIX);
    g_autofree char *text = g_strndup(line, UUID_LENGTH);
    struct xl_saved *saved;
    struct xc_uuid uuid;
    char *name;

    if (!resuming && !take_suffix(line, &length, SAVED_SUFFIX))
        return NULL;
    if (length <= UUID_LENGTH + 1 || line[UUID_LENGTH] != '.' || !xc_uuid_parse(text, &uuid) ||
        xc_uuid_is_nil(&uuid))
        return NULL;
    name = name_of(line + UUID_LENGTH + 1, length - UUID_LENGTH - 1);
    if (!name)
        return NULL;
    saved = g_new0(struct xl_saved, 1);
    saved->uuid = uuid;
    saved->name = name;
    saved->resuming = resuming;
    return saved;
}

static void warn(GPtrArray *warnings, const char *text)
{
    if (warnings)
        g_ptr_array_add(warnings, g_strdup(text));
}

void xl_saves_parse(struct xl_memory *memory, struct xl_lines lines, bool ok, GPtrArray *warnings)
{
    g_autofree char *text = ok ? g_strndup(lines.at, (gsize)(lines.end - lines.at)) : NULL;
    unsigned n = 0;
    char *line;

    if (!ok && !memory->saves_blind)
        warn(warnings, "save_dir: the directory can not be listed on the host; what is suspended "
                       "there stays as it was known");
    memory->saves_blind = !ok;
    if (!ok || g_strcmp0(text, memory->saves_text) == 0)
        return;
    g_ptr_array_set_size(memory->saves, 0);
    while ((line = xl_next_line(&lines)) && n++ < MAX_SAVES) {
        struct xl_saved *saved = parse_name(line);

        if (saved)
            g_ptr_array_add(memory->saves, saved);
    }
    g_free(memory->saves_text);
    memory->saves_text = g_steal_pointer(&text);
}

static void tell(struct xl_saved *saved, GPtrArray *warnings, const char *what)
{
    char uuid[XC_UUID_TEXT];

    if (saved->told || !warnings)
        return;
    saved->told = true;
    xc_uuid_format(&saved->uuid, uuid);
    g_ptr_array_add(warnings, g_strdup_printf("save_dir: %s (%s): %s", saved->name, uuid, what));
}

GPtrArray *xl_saves_asleep(const struct xl_memory *memory, GHashTable *lives, GPtrArray *warnings)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(xc_uuid_hash, xc_uuid_equal);
    GPtrArray *asleep = g_ptr_array_new();

    for (guint i = 0; i < memory->saves->len; i++) {
        struct xl_saved *saved = g_ptr_array_index(memory->saves, i);
        const struct xl_row *row = g_hash_table_lookup(lives, &saved->uuid);

        /* At the end of a suspend and the beginning of a resume it is paused beside its file. */
        if (row && row->flags[2] != 'p' && row->flags[3] != 's')
            tell(saved, warnings,
                 "has a save file although it runs: that is out of date, remove it");
        if (row)
            continue;
        if (!g_hash_table_add(seen, &saved->uuid))
            tell(saved, warnings, "has several save files: resume will refuse until one is left");
        else
            g_ptr_array_add(asleep, saved);
    }
    return asleep;
}
