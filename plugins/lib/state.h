/* The four states of a check. Const data, any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What a plugin exits with; the numbers are those of the Monitoring Plugins guidelines. */
enum chk_state { CHK_OK = 0, CHK_WARNING = 1, CHK_CRITICAL = 2, CHK_UNKNOWN = 3 };
#define CHK_N_STATES 4

/* "OK", "WARNING", "CRITICAL", "UNKNOWN". */
const char *chk_state_label(enum chk_state state);
/* A label in any case, its first letter, or its number. */
bool chk_state_parse(const char *text, enum chk_state *out, GError **error);
/* How bad: CRITICAL, WARNING, UNKNOWN, OK. What is known to be ill counts more than what is not known. */
unsigned chk_state_rank(enum chk_state state);
enum chk_state chk_state_worst(enum chk_state a, enum chk_state b);
