/* Thresholds: when a figure of a host, a domain or a source is worth an event. Pure data. */
#pragma once

#include "xenclient/util/labels.h"

enum xc_threshold_kind {
    XC_THRESHOLD_HOST_CPU = 1,
    XC_THRESHOLD_HOST_MEMORY = 2,
    XC_THRESHOLD_DOMAIN_CPU = 3,
    XC_THRESHOLD_DOMAIN_MEMORY = 4,
    XC_THRESHOLD_DATA_AGE = 5,
};
#define XC_N_THRESHOLDS 5
extern const struct xc_enum xc_threshold_labels;

/* Percent, or seconds of an age. high 0: there is no threshold. */
struct xc_limits {
    uint32_t high; /* raised at or above */
    uint32_t low;  /* over at or below; under `high` */
};
/* Percentages up to 100, ages up to a year; low < high, or both 0. */
bool xc_limits_check(enum xc_threshold_kind kind, const struct xc_limits *limits, GError **error);
/* "95/85", or "" for none. */
bool xc_limits_parse(enum xc_threshold_kind kind, const char *text, struct xc_limits *out,
                     GError **error);

/* A row of xenThresholdTable: limits of the objects whose names fit a glob. */
struct xc_threshold {
    char *name;
    enum xc_threshold_kind kind;
    char *target; /* glob */
    struct xc_limits limits;
};
/* One line that xc_threshold_read() understands; the name is not in it. Newly allocated. */
char *xc_threshold_text(const struct xc_threshold *threshold);
/* NULL: it is no such line. */
struct xc_threshold *xc_threshold_read(const char *name, const char *text);
struct xc_threshold *xc_threshold_copy(const struct xc_threshold *threshold);
void xc_threshold_free(void *threshold); /* takes NULL */
bool xc_threshold_check(const struct xc_threshold *threshold, GError **error);
bool xc_threshold_fits(const struct xc_threshold *threshold, enum xc_threshold_kind kind,
                       const char *object);

/* What to do at a figure: over so many times in a row it is raised. */
#define XC_THRESHOLD_TIMES 3
enum xc_threshold_step {
    XC_THRESHOLD_STAYS,
    XC_THRESHOLD_COUNTS,
    XC_THRESHOLD_RAISED,
    XC_THRESHOLD_CLEARED
};
/* times: how often in a row it was over before. */
enum xc_threshold_step xc_threshold_step(const struct xc_limits *limits, bool raised,
                                         unsigned times, uint32_t figure, bool at_once);
