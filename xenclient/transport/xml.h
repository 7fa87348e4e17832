/* Reading strangers' XML as it comes in, by libxml2. Refused are document types, and with them all entities, and a tag or
 * comment without end, which the parser would keep and read again with each piece. What is refused first stays. One thread per
 * reader. */
#pragma once

#include "xenclient/util/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Elements that a reader knows. */
#define XC_XML_NAMES 24

/* name: its place among those that the reader knows, their number for another one. */
typedef void (*xc_xml_begin_fn)(void *data, unsigned name, bool has_attributes);
typedef void (*xc_xml_end_fn)(void *data);
typedef void (*xc_xml_text_fn)(void *data, const char *text, int length);

/* First in the struct of whoever reads, which so is what the handlers get as data. */
struct xc_xml {
    struct _xmlParserCtxt *parser;
    const char *what; /* "the answer", "the metrics": begins every error */
    const void *names[XC_XML_NAMES];
    unsigned n_names;
    xc_xml_begin_fn begin;
    xc_xml_end_fn end;
    xc_xml_text_fn text;
    GError *error; /* NULL: nothing was refused; no handler is called after it */
};

/* what: static. */
void xc_xml_init(struct xc_xml *xml, const char *what, xc_xml_begin_fn begin, xc_xml_end_fn end,
                 xc_xml_text_fn text);
/* The next one that the reader knows. */
void xc_xml_know(struct xc_xml *xml, const char *name);
void xc_xml_clear(struct xc_xml *xml);

/* For the handlers: `what` is not to be read on, and why ("is nested too deeply"). */
void xc_xml_stop(struct xc_xml *xml, enum xc_cause cause, const char *why);

/* The next part; last: there is no more. Errors: XC_CAUSE_DRIVER_ERROR for what is no XML, XC_CAUSE_LIMIT, what
 * a handler stopped for; always the first of them. */
bool xc_xml_parse(struct xc_xml *xml, const char *bytes, size_t length, bool last, GError **error);
