/* Answers of HTTP, good ones and spoilt ones. */
#pragma once

#include "tools/xapi-farm/server.h"

#include <microhttpd.h>

/* An error of HTTP, after which XAPI hangs up. */
enum MHD_Result xf_send_error(struct MHD_Connection *connection, unsigned status);
/* A good answer, spoilt as the endpoint's mode wants. */
enum MHD_Result xf_send_answer(struct MHD_Connection *connection, enum xf_mode mode,
                               const char *type, const char *text, size_t length);
