/* The parser's events become values. What may stand where is one table. */
#include "xenclient/transport/xmlrpc.h"

#include "xenclient/transport/xml.h"
#include "xenclient/util/text.h"

#include <math.h>
#include <string.h>

#define NAME_OCTETS 256
/* Where a later date comes from is no clock. */
#define YEAR_MAX 2199
/* Elements in elements: a value in a struct is three deep. */
#define ELEMENTS (3 * XC_XMLRPC_DEPTH + 8)

enum element {
    TOP,
    RESPONSE,
    PARAMS,
    PARAM,
    FAULT,
    VALUE,
    SCALAR,
    STRUCT,
    MEMBER,
    NAME,
    ARRAY,
    DATA,
};

/* An element, what it may stand in, and of scalars their kind. */
static const struct {
    const char *name;
    enum element element;
    enum element parents[4]; /* TOP ends them but for the first */
    enum xc_xmlrpc_kind kind;
} elements[] = {
    {"value", VALUE, {MEMBER, DATA, PARAM, FAULT}, XC_XMLRPC_STRING},
    {"member", MEMBER, {STRUCT}, XC_XMLRPC_STRING},
    {"name", NAME, {MEMBER}, XC_XMLRPC_STRING},
    {"struct", STRUCT, {VALUE}, XC_XMLRPC_STRUCT},
    {"array", ARRAY, {VALUE}, XC_XMLRPC_ARRAY},
    {"data", DATA, {ARRAY}, XC_XMLRPC_STRING},
    {"string", SCALAR, {VALUE}, XC_XMLRPC_STRING},
    {"boolean", SCALAR, {VALUE}, XC_XMLRPC_BOOLEAN},
    {"double", SCALAR, {VALUE}, XC_XMLRPC_DOUBLE},
    {"dateTime.iso8601", SCALAR, {VALUE}, XC_XMLRPC_DATE},
    {"int", SCALAR, {VALUE}, XC_XMLRPC_INT},
    {"i4", SCALAR, {VALUE}, XC_XMLRPC_INT},
    {"i8", SCALAR, {VALUE}, XC_XMLRPC_INT},
    {"nil", SCALAR, {VALUE}, XC_XMLRPC_NIL},
    {"base64", SCALAR, {VALUE}, XC_XMLRPC_BASE64},
    {"methodResponse", RESPONSE, {TOP}, XC_XMLRPC_STRING},
    {"params", PARAMS, {RESPONSE}, XC_XMLRPC_STRING},
    {"param", PARAM, {PARAMS}, XC_XMLRPC_STRING},
    {"fault", FAULT, {RESPONSE}, XC_XMLRPC_STRING},
};

struct level {
    char name[NAME_OCTETS]; /* of the member that this value is */
    enum xc_xmlrpc_kind kind;
    bool typed; /* an element inside told the kind */
};

struct xc_xmlrpc_reader {
    struct xc_xml xml; /* first */
    const struct xc_xmlrpc_sink *sink;
    void *data;
    size_t left;
    enum element open[ELEMENTS]; /* [0] is TOP */
    unsigned n_open;
    struct level levels[XC_XMLRPC_DEPTH];
    unsigned n_levels; /* values that are open and not ignored */
    unsigned ignored;  /* elements that are open inside of what nobody wants */
    char member[NAME_OCTETS];
    size_t member_length;
    GString *text; /* of the value or name that is open */
    bool listening;
    bool fault, answered;
};

/* --- values */

static void give(struct xc_xmlrpc_reader *reader, enum xc_xmlrpc_kind kind, unsigned depth,
                 const char *name, const char *text, size_t length)
{
    const struct xc_xmlrpc_value value = {kind, depth, name, text, length};

    if (!reader->sink->take(&value, reader->data))
        xc_xml_stop(&reader->xml, XC_CAUSE_DRIVER_ERROR, "is not of the form that was asked for");
}

static void listen(struct xc_xmlrpc_reader *reader)
{
    g_string_truncate(reader->text, 0);
    reader->listening = true;
}

/* False: it is ignored. */
static bool begin_value(struct xc_xmlrpc_reader *reader)
{
    unsigned depth = reader->n_levels;
    const char *name = reader->open[reader->n_open - 1] == MEMBER ? reader->member : "";
    struct level *level = &reader->levels[depth];

    if (depth == XC_XMLRPC_DEPTH) {
        xc_xml_stop(&reader->xml, XC_CAUSE_LIMIT, "is nested too deeply");
        return false;
    }
    if (depth == 0 && reader->answered) {
        xc_xml_stop(&reader->xml, XC_CAUSE_DRIVER_ERROR, "has more than one value");
        return false;
    }
    reader->answered = true;
    if (reader->sink->wants && !reader->sink->wants(depth, name, reader->data))
        return false;
    memcpy(level->name, name, *name ? reader->member_length + 1 : 1);
    level->kind = XC_XMLRPC_STRING;
    level->typed = false;
    reader->n_levels++;
    listen(reader);
    return true;
}

static void begin_kind(struct xc_xmlrpc_reader *reader, enum xc_xmlrpc_kind kind)
{
    struct level *level = &reader->levels[reader->n_levels - 1];

    if (level->typed) {
        xc_xml_stop(&reader->xml, XC_CAUSE_DRIVER_ERROR, "has a value of two types");
        return;
    }
    level->typed = true;
    level->kind = kind;
    if (kind == XC_XMLRPC_STRUCT || kind == XC_XMLRPC_ARRAY)
        give(reader, kind, reader->n_levels - 1, level->name, "", 0);
    else
        listen(reader);
}

static void end_value(struct xc_xmlrpc_reader *reader)
{
    const struct level *level = &reader->levels[--reader->n_levels];

    reader->listening = false;
    if (level->kind == XC_XMLRPC_STRUCT || level->kind == XC_XMLRPC_ARRAY)
        give(reader, XC_XMLRPC_END, reader->n_levels, level->name, "", 0);
    else
        give(reader, level->kind, reader->n_levels, level->name, reader->text->str,
             reader->text->len);
}

/* --- elements */

static void set_member(struct xc_xmlrpc_reader *reader, const char *name, size_t length)
{
    reader->member_length = MIN(length, NAME_OCTETS - 1);
    memcpy(reader->member, name, reader->member_length);
    reader->member[reader->member_length] = '\0';
}

static bool may_stand_in(size_t i, enum element parent)
{
    for (unsigned p = 0; p < G_N_ELEMENTS(elements[i].parents); p++)
        if (elements[i].parents[p] == parent && (p == 0 || parent != TOP))
            return true;
    return false;
}

static void begin_element(struct xc_xmlrpc_reader *reader, size_t i)
{
    enum element element = elements[i].element;

    reader->listening = false;
    if (element == FAULT)
        reader->fault = true;
    if (element == VALUE && !begin_value(reader)) {
        reader->ignored = 1;
        return;
    }
    reader->open[reader->n_open++] = element;
    if (element == MEMBER)
        set_member(reader, "", 0);
    if (element == NAME)
        listen(reader);
    if (element == SCALAR || element == STRUCT || element == ARRAY)
        begin_kind(reader, elements[i].kind);
}

/* Others are refused even where nobody wants them, and so are attributes: the parser never forgets a name that it has
 * seen. */
static void on_begin(void *data, unsigned i, bool has_attributes)
{
    struct xc_xmlrpc_reader *reader = data;
    enum element parent = reader->open[reader->n_open - 1];

    if (i == G_N_ELEMENTS(elements))
        xc_xml_stop(&reader->xml, XC_CAUSE_DRIVER_ERROR,
                    "is no XML-RPC: it has an element of another name");
    else if (has_attributes)
        xc_xml_stop(&reader->xml, XC_CAUSE_DRIVER_ERROR, "is no XML-RPC: it has an attribute");
    else if (reader->ignored && ++reader->ignored > ELEMENTS)
        xc_xml_stop(&reader->xml, XC_CAUSE_LIMIT, "is nested too deeply");
    else if (!reader->ignored && !may_stand_in(i, parent))
        xc_xml_stop(&reader->xml, XC_CAUSE_DRIVER_ERROR,
                    "is no XML-RPC: an element is not where it belongs");
    else if (!reader->ignored)
        begin_element(reader, i);
}

static void on_end(void *data)
{
    struct xc_xmlrpc_reader *reader = data;

    if (reader->ignored) {
        reader->ignored--;
        return;
    }
    switch (reader->open[--reader->n_open]) {
    case NAME:
        set_member(reader, reader->text->str, reader->text->len);
        reader->listening = false;
        break;
    case SCALAR:
        reader->listening = false;
        break;
    case VALUE:
        end_value(reader);
        break;
    default:
        break;
    }
}

static void on_text(void *data, const char *text, int length)
{
    struct xc_xmlrpc_reader *reader = data;

    if (reader->listening && !reader->ignored && reader->text->len < XC_XMLRPC_TEXT)
        g_string_append_len(reader->text, text,
                            MIN((gssize)length, (gssize)(XC_XMLRPC_TEXT - reader->text->len)));
}

/* --- the reader */

struct xc_xmlrpc_reader *xc_xmlrpc_reader_new(const struct xc_xmlrpc_sink *sink, void *data,
                                              size_t max_octets)
{
    struct xc_xmlrpc_reader *reader = g_new0(struct xc_xmlrpc_reader, 1);

    reader->sink = sink;
    reader->data = data;
    reader->left = max_octets;
    reader->n_open = 1;
    reader->text = g_string_new(NULL);
    xc_xml_init(&reader->xml, "the answer", on_begin, on_end, on_text);
    for (size_t i = 0; i < G_N_ELEMENTS(elements); i++)
        xc_xml_know(&reader->xml, elements[i].name);
    return reader;
}

void xc_xmlrpc_reader_free(struct xc_xmlrpc_reader *reader)
{
    if (!reader)
        return;
    xc_xml_clear(&reader->xml);
    g_string_free(reader->text, TRUE);
    g_free(reader);
}

bool xc_xmlrpc_reader_feed(struct xc_xmlrpc_reader *reader, const char *bytes, size_t length,
                           GError **error)
{
    if (length > reader->left)
        xc_xml_stop(&reader->xml, XC_CAUSE_LIMIT, "is too long");
    else
        reader->left -= length;
    return xc_xml_parse(&reader->xml, bytes, length, false, error);
}

bool xc_xmlrpc_reader_end(struct xc_xmlrpc_reader *reader, bool *fault, GError **error)
{
    if (!xc_xml_parse(&reader->xml, "", 0, true, error))
        return false;
    *fault = reader->fault;
    if (reader->answered)
        return true;
    return xc_fail(error, XC_CAUSE_DRIVER_ERROR, "the answer has no value");
}

/* --- scalars */

bool xc_xmlrpc_i64(const struct xc_xmlrpc_value *value, int64_t min, int64_t max, int64_t *out)
{
    double number;

    if (xc_text_to_i64(value->text, min, max, out, NULL))
        return true;
    /* 2^53: beyond it a double does not say which. */
    if (!xc_xmlrpc_double(value, &number) || floor(number) != number ||
        fabs(number) > 9007199254740992.0 || number < (double)min || number > (double)max)
        return false;
    *out = (int64_t)number;
    return true;
}

bool xc_xmlrpc_double(const struct xc_xmlrpc_value *value, double *out)
{
    char *end = NULL;

    if (value->kind >= XC_XMLRPC_BOOLEAN || value->length == 0 || value->length > 64 ||
        strspn(value->text, "+-.0123456789eE") != value->length)
        return false;
    *out = g_ascii_strtod(value->text, &end);
    return end == value->text + value->length && isfinite(*out);
}

bool xc_xmlrpc_bool(const struct xc_xmlrpc_value *value, bool *out)
{
    bool yes = strcmp(value->text, "1") == 0 || strcmp(value->text, "true") == 0;

    if (!yes && strcmp(value->text, "0") != 0 && strcmp(value->text, "false") != 0)
        return false;
    *out = yes;
    return true;
}

bool xc_xmlrpc_date(const struct xc_xmlrpc_value *value, gint64 *out)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time =
        value->length < 64 ? g_date_time_new_from_iso8601(value->text, utc) : NULL;

    if (!time || g_date_time_get_year(time) < 1970 || g_date_time_get_year(time) > YEAR_MAX)
        return false;
    *out = g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    return true;
}
