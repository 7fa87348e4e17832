/* The parser's events become columns and numbers. */
#include "xenclient/drivers/xapi_rrd.h"

#include "xenclient/transport/xml.h"
#include "xenclient/util/text.h"

#include <math.h>
#include <string.h>

#define TEXT_OCTETS 512
#define DEPTH_MAX   8
/* Elements that are new to us; more are not XAPI's, and the parser never forgets a name. */
#define STRANGE_MAX 100
#define TIME_MAX    ((gint64)1 << 40)
#define STEP_MAX    86400

/* What may stand where: an element by its name and that of its parent. */
enum element { XPORT, META, END_OF, STEP, LEGEND, ENTRY, DATA, ROW, TIME, VALUE, OTHER, TOP };
static const struct {
    const char *name;
    enum element parent;
} elements[] = {
    [XPORT] = {"xport", TOP}, [META] = {"meta", XPORT},    [END_OF] = {"end", META},
    [STEP] = {"step", META},  [LEGEND] = {"legend", META}, [ENTRY] = {"entry", LEGEND},
    [DATA] = {"data", XPORT}, [ROW] = {"row", DATA},       [TIME] = {"t", ROW},
    [VALUE] = {"v", ROW},
};

struct xapi_rrd {
    struct xc_xml xml; /* first */
    const struct xapi_rrd_sink *sink;
    void *data;
    enum element open[DEPTH_MAX];
    unsigned depth;
    GString *text;       /* of the element that is open and has numbers or a name */
    gint64 end, step, t; /* 0: not seen */
    unsigned n_columns, at, n_strange;
    GByteArray *averages; /* of each column, is it one */
    bool whole;
};

/* Others that XAPI's have. */
static const char *const ignored[] = {"start", "rows", "columns"};

static void on_begin(void *data, unsigned name, bool has_attributes)
{
    struct xapi_rrd *rrd = data;
    enum element parent = rrd->depth ? rrd->open[rrd->depth - 1] : TOP;
    enum element element = name < OTHER && elements[name].parent == parent ? name : OTHER;

    if (rrd->depth == DEPTH_MAX) {
        xc_xml_stop(&rrd->xml, XC_CAUSE_LIMIT, "are nested too deeply");
        return;
    }
    if (has_attributes ||
        (name >= OTHER + G_N_ELEMENTS(ignored) && ++rrd->n_strange > STRANGE_MAX)) {
        xc_xml_stop(&rrd->xml, XC_CAUSE_DRIVER_ERROR, "have names that those of XAPI have not");
        return;
    }
    if (rrd->depth == 0 && element != XPORT)
        xc_xml_stop(&rrd->xml, XC_CAUSE_DRIVER_ERROR, "are none: another document came");
    rrd->open[rrd->depth++] = element;
    g_string_truncate(rrd->text, 0);
    if (element == ROW) {
        rrd->t = 0;
        rrd->at = 0;
    }
}

/* CF:kind:uuid:name; a name may have what it likes in it. */
static void take_entry(struct xapi_rrd *rrd)
{
    g_auto(GStrv) parts = g_strsplit(rrd->text->str, ":", 4);
    guint8 average = g_strv_length(parts) == 4 && strcmp(parts[0], "AVERAGE") == 0;

    if (rrd->n_columns == XAPI_RRD_COLUMNS) {
        xc_xml_stop(&rrd->xml, XC_CAUSE_LIMIT, "have too many columns");
        return;
    }
    if (rrd->n_columns == 0)
        rrd->sink->span(rrd->end, rrd->step, rrd->data);
    g_byte_array_append(rrd->averages, &average, 1);
    if (average)
        rrd->sink->column(rrd->n_columns, parts[1], parts[2], parts[3], rrd->data);
    rrd->n_columns++;
}

static void take_value(struct xapi_rrd *rrd)
{
    const char *text = rrd->text->str;
    unsigned column = rrd->at++;
    char *end = NULL;
    double value;

    if (column >= rrd->n_columns || !rrd->t) {
        xc_xml_stop(&rrd->xml, XC_CAUSE_DRIVER_ERROR, "have a row that does not fit the legend");
        return;
    }
    /* NaN and Infinity, which stand for what is not known, are not of these characters. */
    if (!rrd->averages->data[column] || rrd->text->len == 0 ||
        !rrd->sink->wants(column, rrd->t, rrd->data) ||
        strspn(text, "+-.0123456789eE") != rrd->text->len)
        return;
    value = g_ascii_strtod(text, &end);
    if (*end == '\0' && isfinite(value))
        rrd->sink->value(column, rrd->t, value, rrd->data);
}

static void take_number(struct xapi_rrd *rrd, gint64 max, gint64 *out)
{
    if (!xc_text_to_i64(rrd->text->str, 1, max, out, NULL))
        xc_xml_stop(&rrd->xml, XC_CAUSE_DRIVER_ERROR, "have a time that is none");
}

static void on_end(void *data)
{
    struct xapi_rrd *rrd = data;

    switch (rrd->open[--rrd->depth]) {
    case END_OF:
        take_number(rrd, TIME_MAX, &rrd->end);
        break;
    case STEP:
        take_number(rrd, STEP_MAX, &rrd->step);
        break;
    case TIME:
        take_number(rrd, TIME_MAX, &rrd->t);
        break;
    case ENTRY:
        take_entry(rrd);
        break;
    case VALUE:
        take_value(rrd);
        break;
    case LEGEND:
        if (!rrd->end || !rrd->step)
            xc_xml_stop(&rrd->xml, XC_CAUSE_DRIVER_ERROR, "do not say of what time they are");
        break;
    case XPORT:
        rrd->whole = true;
        break;
    default:
        break;
    }
    g_string_truncate(rrd->text, 0);
}

static void on_text(void *data, const char *text, int length)
{
    struct xapi_rrd *rrd = data;

    if (rrd->text->len < TEXT_OCTETS)
        g_string_append_len(rrd->text, text, MIN((gssize)length, (gssize)TEXT_OCTETS));
}

struct xapi_rrd *xapi_rrd_new(const struct xapi_rrd_sink *sink, void *data)
{
    struct xapi_rrd *rrd = g_new0(struct xapi_rrd, 1);

    rrd->sink = sink;
    rrd->data = data;
    rrd->text = g_string_new(NULL);
    rrd->averages = g_byte_array_new();
    xc_xml_init(&rrd->xml, "the host's metrics", on_begin, on_end, on_text);
    for (size_t i = 0; i < OTHER; i++)
        xc_xml_know(&rrd->xml, elements[i].name);
    for (size_t i = 0; i < G_N_ELEMENTS(ignored); i++)
        xc_xml_know(&rrd->xml, ignored[i]);
    return rrd;
}

void xapi_rrd_free(struct xapi_rrd *rrd)
{
    if (!rrd)
        return;
    xc_xml_clear(&rrd->xml);
    g_string_free(rrd->text, TRUE);
    g_byte_array_unref(rrd->averages);
    g_free(rrd);
}

bool xapi_rrd_feed(const char *bytes, size_t length, void *data, GError **error)
{
    struct xapi_rrd *rrd = data;

    return xc_xml_parse(&rrd->xml, bytes, length, false, error);
}

bool xapi_rrd_end(struct xapi_rrd *rrd, GError **error)
{
    if (!xc_xml_parse(&rrd->xml, "", 0, true, error))
        return false;
    return rrd->whole || xc_fail(error, XC_CAUSE_DRIVER_ERROR, "the host's metrics broke off");
}
