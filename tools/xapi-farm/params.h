/* The parameters of a call: read from its XML as an array of variants whose types are those of xml.h, but that
 * arrays are av and structs a{sv}. Pure functions. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* False: that is no call. Both results belong to the caller. */
bool xf_params_read(const char *body, size_t length, char **method, GVariant **params);

/* How many parameters a signature (call.h) allows. */
void xf_params_count(const char *signature, unsigned *least, unsigned *most);
/* The first of the parameters from `first` on that is not of the kind its place in the signature says; -1: all are. */
int xf_params_misfit(GVariant *params, unsigned first, const char *signature);
