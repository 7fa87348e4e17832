/* expat, with what every reader of strangers' XML needs around it. */
#include "xenclient/transport/xml.h"

/* Of a tag or comment; texts come in pieces. */
#define TAG_OCTETS 65536
/* expat counts in int. */
#define PIECE_OCTETS ((size_t)1 << 30)

static void on_doctype(void *data, const char *name, const char *system, const char *public,
                       int subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)subset;
    xc_xml_stop(data, XC_CAUSE_DRIVER_ERROR, "may not have a document type");
}

void xc_xml_init(struct xc_xml *xml, const char *what, XML_StartElementHandler begin,
                 XML_EndElementHandler end, XML_CharacterDataHandler text)
{
    *xml = (struct xc_xml){.parser = XML_ParserCreate("UTF-8"), .what = what};
    g_assert(xml->parser);
    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, begin, end);
    XML_SetCharacterDataHandler(xml->parser, text);
    XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
}

void xc_xml_clear(struct xc_xml *xml)
{
    XML_ParserFree(xml->parser);
    g_clear_error(&xml->error);
}

void xc_xml_stop(struct xc_xml *xml, enum xc_cause cause, const char *why)
{
    if (xml->error)
        return;
    xc_fail(&xml->error, cause, "%s %s", xml->what, why);
    XML_StopParser(xml->parser, XML_FALSE);
}

static void parse_piece(struct xc_xml *xml, const char *bytes, size_t length, bool last)
{
    if (!xml->error && XML_Parse(xml->parser, bytes, (int)length, last) != XML_STATUS_OK &&
        !xml->error)
        xc_fail(&xml->error, XC_CAUSE_DRIVER_ERROR, "%s: this is no XML: %s in line %lu", xml->what,
                XML_ErrorString(XML_GetErrorCode(xml->parser)),
                (unsigned long)XML_GetCurrentLineNumber(xml->parser));
    xml->fed += length;
    if (!last && (XML_Index)xml->fed - XML_GetCurrentByteIndex(xml->parser) > TAG_OCTETS)
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
