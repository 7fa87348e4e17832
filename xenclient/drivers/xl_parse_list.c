/* Rows of `xl list` and values of `xl info`. */
#include "xenclient/drivers/xl_parse_private.h"

#include "xenclient/util/text.h"

#include <stdlib.h>

static void row_free(void *data)
{
    struct xl_row *row = data;

    g_free(row->name);
    g_free(row);
}

char *xl_next_line(struct xl_lines *lines)
{
    char *line = lines->at;
    char *newline;

    if (!line || line >= lines->end)
        return NULL;
    newline = memchr(line, '\n', (size_t)(lines->end - line));
    if (newline)
        *newline = 0;
    else
        *lines->end = 0;
    lines->at = newline ? newline + 1 : lines->end;
    return line;
}

bool xl_take_number(const char **text, uint64_t max, uint64_t *out)
{
    const char *p = *text;
    uint64_t value = 0;

    for (; g_ascii_isdigit(*p); p++) {
        unsigned digit = (unsigned)(*p - '0');

        if (value > (max - digit) / 10 || digit > max)
            return false;
        value = value * 10 + digit;
    }
    if (p == *text)
        return false;
    *text = p;
    *out = value;
    return true;
}

bool xl_take_prefix(const char **text, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(*text, prefix, length) != 0)
        return false;
    *text += length;
    return true;
}

char *xl_last_word(char *line, size_t *length)
{
    while (*length > 0 && (line[*length - 1] == ' ' || line[*length - 1] == '\t'))
        (*length)--;
    line[*length] = 0;
    while (*length > 0 && line[*length - 1] != ' ' && line[*length - 1] != '\t')
        (*length)--;
    return line[*length] ? line + *length : NULL;
}

static bool cut_suffix(char *name, const char *suffix)
{
    size_t n = strlen(name);
    size_t m = strlen(suffix);

    if (n <= m || strcmp(name + n - m, suffix) != 0)
        return false;
    name[n - m] = 0;
    return true;
}

static bool flags_ok(const char *flags)
{
    static const char *const allowed[6] = {"-r", "-b", "-p", "-s", "-rscwS?", "-d"};

    if (strlen(flags) != 6)
        return false;
    for (unsigned i = 0; i < 6; i++)
        if (!strchr(allowed[i], flags[i]))
            return false;
    return true;
}

/* uuid, reason and label, if the row has them, read from the right. Without -v the last word is the
 * time, which is no uuid. */
static bool take_verbose(struct xl_row *row, char *line, size_t *length)
{
    size_t left = *length;
    char *label = xl_last_word(line, &left);
    char *reason = label ? xl_last_word(line, &left) : NULL;
    char *uuid = reason ? xl_last_word(line, &left) : NULL;
    char *end;

    if (!uuid || !xc_uuid_parse(uuid, &row->uuid))
        return false;
    row->has_uuid = true;
    if (strcmp(reason, "-") != 0) {
        unsigned long code = strtoul(reason, &end, 16);

        if (!*end && code <= 0xff)
            row->reason_code = (int)code;
    }
    *length = left;
    return true;
}

static bool take_numbers(struct xl_row *row, char *line, size_t *length)
{
    char *word = xl_last_word(line, length);
    uint64_t domid;
    GError **none = NULL;

    if (!word || !xc_text_to_scaled(word, 1000000, &row->cpu_usec, none))
        return false;
    word = xl_last_word(line, length);
    if (!word || !flags_ok(word))
        return false;
    g_strlcpy(row->flags, word, sizeof(row->flags));
    word = xl_last_word(line, length);
    if (!word || !xc_text_to_u64(word, 0, 100000, &row->vcpus, none))
        return false;
    word = xl_last_word(line, length);
    if (!word || !xc_text_to_u64(word, 0, XL_MAX_MIB, &row->mem_mib, none))
        return false;
    word = xl_last_word(line, length);
    if (!word || !xc_text_to_u64(word, 0, XL_MAX_DOMID, &domid, none))
        return false;
    row->domid = (int64_t)domid;
    return true;
}

/* NULL: no row; *broken then tells whether it is one whose numbers are wrong.
 * The words are cut off from the right, each ended by a NUL that replaces the blank behind it; the
 * line is copied first because a failed attempt must leave it whole. */
static struct xl_row *row_parse(const char *line, const char *name_before, bool *broken)
{
    g_autofree char *work = g_strdup(line);
    size_t length = strlen(work);
    struct xl_row *row = g_new0(struct xl_row, 1);
    g_autofree char *name = NULL;

    row->reason_code = -1;
    if (!take_verbose(row, work, &length)) {
        g_free(work);
        work = g_strdup(line);
        length = strlen(work);
    }
    if (!take_numbers(row, work, &length)) {
        *broken = row->has_uuid;
        row_free(row);
        return NULL;
    }
    /* One blank always stands between name and number, the others are padding. */
    while (length > 0 && work[length - 1] == ' ')
        length--;
    work[length] = 0;
    name = g_strconcat(name_before, work, NULL);
    row->away = cut_suffix(name, "--migratedaway");
    row->incoming = !row->away && cut_suffix(name, "--incoming");
    row->name =
        strcmp(name, "(null)") == 0 ? g_strdup("") : xc_text_clean(name, strlen(name), XC_TEXT_MAX);
    return row;
}

/* A name may hold line breaks: the lines that are no rows are the beginning of the next row's name.
 */
GPtrArray *xl_rows_parse(struct xl_lines lines, GError **error)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(row_free);
    g_autoptr(GString) before = g_string_new(NULL);
    const char *line = xl_next_line(&lines);

    while (line && !*line)
        line = xl_next_line(&lines);
    if (!line || !g_str_has_prefix(line, "Name ") || !strstr(line, " ID "))
        return xc_fail(error, XC_CAUSE_DRIVER_ERROR, "xl list gave no list"), NULL;
    while ((line = xl_next_line(&lines))) {
        bool broken = false;
        struct xl_row *row = row_parse(line, before->str, &broken);

        if (row)
            g_ptr_array_add(rows, row);
        if (row || broken) {
            g_string_truncate(before, 0);
        } else if (before->len < 1024) {
            g_string_append_printf(before, "%.1024s\n", line);
        }
        if (rows->len > XC_MAX_DOMAINS)
            return xc_fail(error, XC_CAUSE_LIMIT, "xl list shows too many domains"), NULL;
    }
    if (rows->len == 0)
        return xc_fail(error, XC_CAUSE_DRIVER_ERROR, "xl list shows not even Domain-0"), NULL;
    return g_steal_pointer(&rows);
}

GPtrArray *xl_parse_list(const char *text, size_t length, GError **error)
{
    g_autofree char *copy = xl_copy_text(text, length);

    return xl_rows_parse((struct xl_lines){copy, copy + length}, error);
}

char *xl_copy_text(const char *text, size_t length)
{
    char *copy = g_malloc(length + 1);

    if (length)
        memcpy(copy, text, length);
    copy[length] = 0;
    for (char *p = copy; (p = memchr(p, 0, (size_t)(copy + length - p))); p++)
        *p = '?';
    return copy;
}

/* --- finding */

static bool row_fits(const struct xl_row *row, const struct xc_uuid *uuid, const char *name)
{
    if (row->domid == 0)
        return false;
    if (uuid)
        return row->has_uuid && memcmp(&row->uuid, uuid, sizeof(*uuid)) == 0;
    return name && *name && strcmp(row->name, name) == 0;
}

static bool on_its_way(const struct xl_row *row)
{
    return row->incoming || row->away;
}

/* A name may hold a line break and thus forge a row; a forged one either names a number that
 * another row has too, or one that does not exist, where an action fails without harm. */
static bool domid_is_unique(const GPtrArray *rows, int64_t domid)
{
    unsigned n = 0;

    for (guint i = 0; i < rows->len; i++)
        n += ((const struct xl_row *)g_ptr_array_index(rows, i))->domid == domid;
    return n == 1;
}

const struct xl_row *xl_list_find(const GPtrArray *rows, const struct xc_uuid *uuid,
                                  const char *name, GError **error)
{
    const struct xl_row *found = NULL;
    unsigned equals = 0;

    if (uuid && xc_uuid_is_nil(uuid))
        uuid = NULL;
    for (guint i = 0; i < rows->len; i++) {
        const struct xl_row *row = g_ptr_array_index(rows, i);

        if (!row_fits(row, uuid, name))
            continue;
        if (!found || (on_its_way(found) && !on_its_way(row))) {
            found = row;
            equals = 1;
        } else if (on_its_way(found) == on_its_way(row)) {
            equals++;
        }
    }
    if (!found)
        return xc_fail(error, XC_CAUSE_NO_SUCH_TARGET, "the host has no such domain running"), NULL;
    if (equals > 1 || !domid_is_unique(rows, found->domid))
        return xc_fail(error, XC_CAUSE_AMBIGUOUS,
                       "xl list shows more than one domain of that identity"),
               NULL;
    return found;
}

/* --- states */

static enum xc_domain_state shut_state(char letter, enum xc_reason *reason)
{
    static const struct {
        char letter;
        enum xc_domain_state state;
        enum xc_reason reason;
    } table[] = {
        {'-', XC_STATE_SHUTTING_DOWN, XC_REASON_POWEROFF},
        {'r', XC_STATE_SHUTTING_DOWN, XC_REASON_REBOOT},
        {'s', XC_STATE_SUSPENDING, XC_REASON_SUSPEND},
        {'c', XC_STATE_CRASHED, XC_REASON_CRASH},
        {'w', XC_STATE_CRASHED, XC_REASON_WATCHDOG},
        {'S', XC_STATE_SHUTTING_DOWN, XC_REASON_REBOOT}, /* soft reset: starts anew in place */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (table[i].letter == letter) {
            *reason = table[i].reason;
            return table[i].state;
        }
    return XC_STATE_SHUTTING_DOWN;
}

enum xc_domain_state xl_row_state(const struct xl_row *row, enum xc_reason *reason)
{
    bool shut = row->flags[3] == 's';
    enum xc_domain_state state = XC_STATE_RUNNING;

    *reason = XC_REASON_NONE;
    if (row->incoming || (row->away && shut))
        return XC_STATE_MIGRATING;
    if (shut)
        state = shut_state(row->flags[4], reason);
    if (row->flags[5] == 'd')
        return XC_STATE_SHUTTING_DOWN;
    if (shut)
        return state;
    if (!*row->name)
        return XC_STATE_PREPARING;
    return row->flags[2] == 'p' ? XC_STATE_PAUSED : XC_STATE_RUNNING;
}

/* --- xl info */

bool xl_info_split(char *line, char **key, char **value)
{
    char *colon = strchr(line, ':');

    if (!colon)
        return false;
    *colon = 0;
    *key = g_strstrip(line);
    *value = g_strstrip(colon + 1);
    return true;
}

char *xl_info_value(const char *text, size_t length, const char *key)
{
    g_autofree char *copy = xl_copy_text(text, length);
    struct xl_lines lines = {copy, copy + length};
    char *line;
    char *name;
    char *value;

    while ((line = xl_next_line(&lines)))
        if (xl_info_split(line, &name, &value) && strcmp(name, key) == 0)
            return xc_text_clean(value, strlen(value), XC_TEXT_MAX);
    return NULL;
}
