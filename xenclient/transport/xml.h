/* Reading strangers' XML as it comes in, by expat, whose handlers stay the reader's own. Refused are document types, and
 * with them all entities, and a tag or comment without end, which expat would keep and read again with each piece. What is
 * refused first stays. One thread per reader. */
#pragma once

#include "xenclient/util/error.h"

#include <expat.h>
#include <stdbool.h>
#include <stddef.h>

/* First in the struct of whoever reads, which so is what the handlers get as data. */
struct xc_xml {
    XML_Parser parser;
    const char *what; /* "the answer", "the metrics": begins every error */
    size_t fed;
    GError *error; /* NULL: nothing was refused; handlers may still be called after it */
};

/* what: static. */
void xc_xml_init(struct xc_xml *xml, const char *what, XML_StartElementHandler begin,
                 XML_EndElementHandler end, XML_CharacterDataHandler text);
void xc_xml_clear(struct xc_xml *xml);

/* For the handlers: `what` is not to be read on, and why ("is nested too deeply"). */
void xc_xml_stop(struct xc_xml *xml, enum xc_cause cause, const char *why);

/* The next part; last: there is no more. Errors: XC_CAUSE_DRIVER_ERROR for what is no XML, XC_CAUSE_LIMIT, what
 * a handler stopped for; always the first of them. */
bool xc_xml_parse(struct xc_xml *xml, const char *bytes, size_t length, bool last, GError **error);
