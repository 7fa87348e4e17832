/* XAPI's spelling of XML-RPC. A value is a GVariant whose type says how it is written:
 *   s text, untagged          x whole number, untagged       d <double>       b <boolean>
 *   t date: seconds since 1970 UTC, <dateTime.iso8601>       i <i4>, which valid_ref_counts alone has
 *   aT <array>                a{sT}, a{xT} <struct>          v what is in it */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* <value>...</value> */
void xf_xml_value(GString *out, GVariant *value);
/* The same of a text. */
void xf_xml_string(GString *out, const char *text);
/* A member of a struct up to its value, which is to follow; then </member>. */
void xf_xml_member(GString *out, const char *name);
