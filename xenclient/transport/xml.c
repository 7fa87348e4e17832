/* libxml2, with what every reader of strangers' XML needs around it: its push parser with SAX1 events, of which names are
 * interned, so that they are compared by their address. */
#include "xenclient/transport/xml.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

/* Of a tag or comment; texts come in pieces. */
#define TAG_OCTETS 65536
/* It copies a piece before it is read: a small one is still in the cache then. */
#define PIECE_OCTETS 8192

static void on_doctype(void *data, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    (void)name;
    (void)external;
    (void)system;
    xc_xml_stop(data, XC_CAUSE_DRIVER_ERROR, "may not have a document type");
}

static void on_begin(void *data, const xmlChar *name, const xmlChar **attributes)
{
    struct xc_xml *xml = data;
    unsigned i = 0;

    while (i < xml->n_names && xml->names[i] != name)
        i++;
    if (!xml->error)
        xml->begin(data, i, attributes != NULL);
}

static void on_end(void *data, const xmlChar *name)
{
    struct xc_xml *xml = data;

    (void)name;
    if (!xml->error)
        xml->end(data);
}

static void on_text(void *data, const xmlChar *text, int length)
{
    struct xc_xml *xml = data;

    if (!xml->error)
        xml->text(data, (const char *)text, length);
}

void xc_xml_init(struct xc_xml *xml, const char *what, xc_xml_begin_fn begin, xc_xml_end_fn end,
                 xc_xml_text_fn text)
{
    xmlSAXHandler handlers = {
        .internalSubset = on_doctype,
        .startElement = on_begin,
        .endElement = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
    };

    *xml = (struct xc_xml){.what = what, .begin = begin, .end = end, .text = text};
    xml->parser = xmlCreatePushParserCtxt(&handlers, xml, NULL, 0, NULL);
    g_assert(xml->parser);
    xmlCtxtUseOptions(xml->parser, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    xmlSwitchEncoding(xml->parser, XML_CHAR_ENCODING_UTF8);
}

void xc_xml_know(struct xc_xml *xml, const char *name)
{
    g_assert(xml->n_names < XC_XML_NAMES);
    xml->names[xml->n_names++] = xmlDictLookup(xml->parser->dict, (const xmlChar *)name, -1);
}

void xc_xml_clear(struct xc_xml *xml)
{
    xmlFreeParserCtxt(xml->parser);
    g_clear_error(&xml->error);
}

void xc_xml_stop(struct xc_xml *xml, enum xc_cause cause, const char *why)
{
    if (xml->error)
        return;
    xc_fail(&xml->error, cause, "%s %s", xml->what, why);
    xmlStopParser(xml->parser);
}

static void parse_piece(struct xc_xml *xml, const char *bytes, size_t length, bool last)
{
    const xmlParserInput *input;
    int code;

    if (xml->error)
        return;
    code = xmlParseChunk(xml->parser, bytes, (int)length, last);
    input = xml->parser->input;
    /* Its own words may hold what strangers wrote. */
    if (code != XML_ERR_OK && !xml->error)
        xc_fail(&xml->error, XC_CAUSE_DRIVER_ERROR, "%s: this is no XML: error %d in line %d",
                xml->what, code, input ? input->line : 0);
    if (!last && input && input->end - input->cur > TAG_OCTETS)
        xc_xml_stop(xml, XC_CAUSE_LIMIT, "may not have a tag or comment without end");
}

bool xc_xml_parse(struct xc_xml *xml, const char *bytes, size_t length, bool last, GError **error)
{
    for (; length > PIECE_OCTETS; bytes += PIECE_OCTETS, length -= PIECE_OCTETS)
        parse_piece(xml, bytes, PIECE_OCTETS, false);
    parse_piece(xml, bytes, length, last);
    if (!xml->error)
        return true;
    g_propagate_error(error, g_error_copy(xml->error));
    return false;
}
