/* Reading export files. */
#include "xenclient/store/transfer_private.h"
#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#define LINE_OCTETS 32768

struct reading {
    const char *name;
    const char *text, *at, *end; /* the whole; what is not read yet; behind the last octet */
    unsigned line;               /* of what is being read, from 1 */
    const char *line_at;
    struct xc_transfer *out;
    struct xc_transfer_record *open; /* the section being read; NULL: none yet */
    unsigned given;                  /* bits of its values */
    bool has_head;
    struct xc_transfer_record *last; /* [end]; NULL: not yet */
    const char *last_at;
    GHashTable *seen; /* section, blank, key -> line */
};

static bool wrong(const struct reading *r, unsigned line, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
static bool wrong(const struct reading *r, unsigned line, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s:%u: %s", r->name, line, text);
}

static bool cut_off(const struct reading *r, GError **error)
{
    return wrong(r, r->line, error, "the file is cut off here: copy it again, or export again");
}

static bool no_head(const struct reading *r, GError **error)
{
    return wrong(r, r->line, error,
                 "not a file that `xenctl export` wrote: section [%s] comes first",
                 xc_transfer_layouts[XC_TRANSFER_HEAD].name);
}

/* The text that escape() made this of; NULL: it could not have. Newly allocated. */
static char *unescape(const char *text)
{
    GString *out = g_string_new(NULL);

    for (const char *p = text; *p; p++) {
        if (*p != '\\') {
            g_string_append_c(out, *p);
        } else if (p[1] == '\\') {
            g_string_append_c(out, '\\');
            p++;
        } else if (p[1] == 'x' && g_ascii_isxdigit(p[2]) && g_ascii_isxdigit(p[3])) {
            g_string_append_c(out,
                              (char)(g_ascii_xdigit_value(p[2]) * 16 + g_ascii_xdigit_value(p[3])));
            p += 3;
        } else {
            return g_string_free(out, TRUE);
        }
    }
    if (strlen(out->str) == out->len && g_utf8_validate(out->str, (gssize)out->len, NULL))
        return g_string_free(out, FALSE);
    return g_string_free(out, TRUE);
}

/* What a value takes, in words; newly allocated. */
static char *allowed_of(const struct xc_transfer_value *v)
{
    GString *out;

    switch (v->kind) {
    case NUMBER:
        return g_strdup_printf("a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, v->min,
                               v->max);
    case KEY:
        return g_strdup("1 to 32 of A-Z a-z 0-9 . _ - beginning with a letter or digit");
    case SWITCH:
        return g_strdup("yes or no");
    case LABEL:
        out = g_string_new("one of:");
        for (size_t i = 0; i < v->labels->n_labels; i++)
            g_string_append_printf(out, " %s", v->labels->labels[i].label);
        return g_string_free(out, FALSE);
    case TEXT:
        break;
    }
    return g_strdup_printf("a text of %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT " octets",
                           v->min, v->max);
}

static bool is_allowed(const struct xc_transfer_value *v, const char *text)
{
    uint64_t any;

    switch (v->kind) {
    case NUMBER:
        return xc_text_to_u64(text, v->min, v->max, &any, NULL);
    case KEY:
        return xc_text_is_key(text, 32);
    case SWITCH:
        return strcmp(text, "yes") == 0 || strcmp(text, "no") == 0;
    case LABEL:
        return xc_enum_number(v->labels, text) != 0;
    case TEXT:
        break;
    }
    return strlen(text) >= v->min && strlen(text) <= v->max;
}

/* escaped: as the line has it. */
static bool take_value(struct reading *r, unsigned value, const char *escaped, GError **error)
{
    const struct xc_transfer_value *v = &xc_transfer_layouts[r->open->section].values[value];
    g_autofree char *text = unescape(escaped);
    g_autofree char *allowed = NULL;

    if (r->given & 1u << value)
        return wrong(r, r->line, error, "%s stands twice in its section", v->name);
    if (!text || !is_allowed(v, text)) {
        g_autofree char *shown = xc_text_escape(escaped, 64);

        allowed = allowed_of(v);
        return wrong(r, r->line, error, "%s: \"%s\" is not allowed: %s is", v->name, shown,
                     allowed);
    }
    r->given |= 1u << value;
    xc_transfer_put(r->open, value, text);
    if (v->kind == NUMBER) { /* "007" is 7 */
        g_free(r->open->values[value]);
        r->open->values[value] = g_strdup_printf("%" G_GUINT64_FORMAT, xc_transfer_digits(text));
    }
    if (r->open->section == XC_TRANSFER_HEAD && value == XC_HEAD_VERSION &&
        xc_transfer_digits(text) > XC_TRANSFER_VERSION)
        return wrong(r, r->line, error,
                     "made by a newer xensnmp (version %s of the file; this one reads %d): install "
                     "that here first",
                     text, XC_TRANSFER_VERSION);
    return true;
}

/* The section that is open is complete. */
static bool end_section(const struct reading *r, GError **error)
{
    const struct xc_transfer_layout *section =
        r->open ? &xc_transfer_layouts[r->open->section] : NULL;

    for (unsigned i = 0; section && i < xc_transfer_n_values(r->open->section); i++)
        if (!r->open->values[i])
            return wrong(r, r->open->line, error, "section [%s] has no %s", section->name,
                         section->values[i].name);
    return true;
}

/* No two sections, and no two hosts' keys, are the same. */
static bool take_place(const struct reading *r, const char *what, const char *key, unsigned line,
                       GError **error)
{
    char *place = g_strdup_printf("%s %s", what, key);
    gpointer before = g_hash_table_lookup(r->seen, place);

    if (before) {
        g_free(place);
        return wrong(r, line, error, "this %s is in line %u already", what,
                     GPOINTER_TO_UINT(before));
    }
    g_hash_table_insert(r->seen, place, GUINT_TO_POINTER(line));
    return true;
}

static struct xc_transfer_record *open_record(struct reading *r, enum xc_transfer_section section)
{
    if (section == XC_TRANSFER_HEAD) {
        r->has_head = true;
        xc_transfer_record_free(r->out->head);
        return r->out->head = xc_transfer_record_new(section);
    }
    if (section != XC_TRANSFER_END)
        return xc_transfer_add(r->out, section);
    r->last_at = r->line_at;
    return r->last = xc_transfer_record_new(section);
}

/* inside: what stands between the brackets. */
static bool begin_section(struct reading *r, const char *inside, GError **error)
{
    const char *blank = strchr(inside, ' ');
    g_autofree char *name = blank ? g_strndup(inside, (size_t)(blank - inside)) : g_strdup(inside);
    unsigned i = 0;

    if (!end_section(r, error))
        return false;
    while (i < XC_TRANSFER_SECTIONS && strcmp(xc_transfer_layouts[i].name, name) != 0)
        i++;
    if (r->has_head == (i == XC_TRANSFER_HEAD))
        return r->has_head ? wrong(r, r->line, error, "section [%s] stands twice", name)
                           : no_head(r, error);
    if (r->last || i == XC_TRANSFER_SECTIONS || xc_transfer_layouts[i].single == (blank != NULL)) {
        g_autofree char *shown = xc_text_escape(inside, 64);

        return wrong(r, r->line, error, "there is no section [%s]%s", shown,
                     r->last ? " behind [end]" : "");
    }
    r->open = open_record(r, i);
    r->open->line = r->line;
    r->given = 0;
    if (!blank)
        return true;
    return take_value(r, 0, blank + 1, error) &&
           take_place(r, xc_transfer_layouts[i].name, r->open->values[0], r->line, error);
}

static bool take_key(struct reading *r, char *line, GError **error)
{
    char *equals = strchr(line, '=');
    enum xc_transfer_section section;

    if (!r->open)
        return no_head(r, error);
    if (!equals)
        return wrong(r, r->line, error, "neither `key = value` nor `[section]`");
    *equals = '\0';
    g_strchomp(line);
    section = r->open->section;
    for (unsigned i = xc_transfer_layouts[section].single ? 0 : 1;
         i < xc_transfer_n_values(section); i++)
        if (strcmp(xc_transfer_layouts[section].values[i].name, line) == 0)
            return take_value(r, i, g_strstrip(equals + 1), error);
    g_autofree char *shown = xc_text_escape(line, 64);

    return wrong(r, r->line, error, "section [%s] knows no key \"%s\"",
                 xc_transfer_layouts[section].name, shown);
}

static bool take_line(struct reading *r, char *line, GError **error)
{
    size_t length = strlen(line);

    if (length == 0 || line[0] == '#')
        return true;
    if (line[0] != '[')
        return take_key(r, line, error);
    if (line[length - 1] != ']')
        return wrong(r, r->line, error, "a section's line ends in ]");
    line[length - 1] = '\0';
    return begin_section(r, line + 1, error);
}

static bool take_lines(struct reading *r, GError **error)
{
    while (r->at < r->end) {
        const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at));
        size_t length = (size_t)((newline ? newline : r->end) - r->at);
        g_autofree char *line = NULL;

        r->line++;
        r->line_at = r->at;
        if (!newline)
            return cut_off(r, error);
        if (length > LINE_OCTETS)
            return wrong(r, r->line, error, "longer than %d octets", LINE_OCTETS);
        for (size_t i = 0; i < length; i++)
            if (g_ascii_iscntrl(r->at[i]))
                return wrong(r, r->line, error, "has a control character (0x%02x)",
                             (unsigned)(unsigned char)r->at[i]);
        line = g_strndup(r->at, length);
        if (!take_line(r, line, error))
            return false;
        r->at = newline + 1;
    }
    return !r->last || end_section(r, error);
}

/* --- the whole */

static bool check_end(const struct reading *r, GError **error)
{
    g_autofree char *sum = NULL;

    if (!r->last)
        return cut_off(r, error);
    sum = xc_transfer_checksum(r->text, (size_t)(r->last_at - r->text));
    if (xc_transfer_digits(r->last->values[XC_END_RECORDS]) == r->out->records->len &&
        strcmp(r->last->values[XC_END_SHA256], sum) == 0)
        return true;
    return wrong(r, r->last->line, error,
                 "the file was changed after it was written: copy it again, or export again");
}

static bool check_domain(const struct reading *r, const struct xc_transfer_record *record,
                         GError **error)
{
    if (xc_transfer_digits(record->values[0]) < xc_transfer_number(r->out, XC_HEAD_NEXT_DOMAIN))
        return true;
    return wrong(r, record->line, error, "domain %s is not below next_domain = %s",
                 record->values[0], r->out->head->values[XC_HEAD_NEXT_DOMAIN]);
}

static bool check_identity(const struct reading *r, const struct xc_transfer_record *record,
                           GError **error)
{
    g_autofree char *place = g_strdup_printf("%s %s", xc_transfer_layouts[XC_TRANSFER_DOMAIN].name,
                                             record->values[XC_IDENTITY_DOMAIN]);

    if (g_hash_table_contains(r->seen, place))
        return true;
    return wrong(r, record->line, error, "there is no section [%s]", place);
}

static bool check_group_part(const struct reading *r, const struct xc_transfer_record *record,
                             GError **error)
{
    g_autofree char *group = xc_transfer_group_of(record);
    g_autofree char *place =
        g_strdup_printf("%s %s", xc_transfer_layouts[XC_TRANSFER_GROUP].name, group ? group : "");

    if (group && g_hash_table_contains(r->seen, place))
        return true;
    return wrong(r, record->line, error, "there is no section [%s]", place);
}

static bool check_record(const struct reading *r, const struct xc_transfer_record *record,
                         GError **error)
{
    switch (record->section) {
    case XC_TRANSFER_DOMAIN:
        return check_domain(r, record, error);
    case XC_TRANSFER_IDENTITY:
        return check_identity(r, record, error);
    case XC_TRANSFER_MEMBER:
    case XC_TRANSFER_GROUP_HOST:
        return check_group_part(r, record, error);
    case XC_TRANSFER_HOST:
        return take_place(r, "host's key", record->values[XC_HOST_KEY], record->line, error);
    default:
        return true;
    }
}

static bool check_all(const struct reading *r, GError **error)
{
    if (!check_end(r, error))
        return false;
    for (guint i = 0; i < r->out->records->len; i++)
        if (!check_record(r, r->out->records->pdata[i], error))
            return false;
    return true;
}

static bool is_text(struct reading *r, GError **error)
{
    const char *bad = NULL;

    if (r->end - r->text > (ptrdiff_t)XC_TRANSFER_MAX)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: longer than %u octets", r->name,
                       XC_TRANSFER_MAX);
    if (g_utf8_validate(r->text, r->end - r->text, &bad))
        return true;
    r->line = 1;
    for (const char *at = r->text; at < bad; at++)
        r->line += *at == '\n';
    return wrong(r, r->line, error, "octet 0x%02x is not UTF-8", (unsigned)(unsigned char)*bad);
}

struct xc_transfer *xc_transfer_parse(const char *name, const char *text, size_t length,
                                      GError **error)
{
    g_autoptr(xc_transfer) out = xc_transfer_new();
    struct reading r = {.name = name, .text = text, .at = text, .end = text + length, .out = out};
    bool ok;

    r.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    ok = is_text(&r, error) && take_lines(&r, error) && check_all(&r, error);
    g_hash_table_unref(r.seen);
    xc_transfer_record_free(r.last);
    return ok ? g_steal_pointer(&out) : NULL;
}
