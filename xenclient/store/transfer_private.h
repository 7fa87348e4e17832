/* The parts that writing and reading of export files share. Nobody outside xenclient/store/ includes this. */
#pragma once

#include "xenclient/store/transfer_text.h"
#include "xenclient/util/labels.h"

#define XC_TRANSFER_VERSION 2 /* 1: without groups */

/* KEY: as of sources and hosts. */
enum xc_transfer_kind { NUMBER, KEY, TEXT, SWITCH, LABEL };

struct xc_transfer_value {
    const char *name;
    enum xc_transfer_kind kind;
    const char *
        initial; /* what an absent key stands for, and what is not written; NULL: it must be there */
    uint64_t min, max; /* NUMBER, and octets of TEXT */
    const struct xc_enum *labels;
};

struct xc_transfer_layout {
    const char *name;
    bool single; /* without a key */
    struct xc_transfer_value values[XC_TRANSFER_VALUES];
};

extern const struct xc_transfer_layout xc_transfer_layouts[XC_TRANSFER_SECTIONS];

/* Places among the values. */
enum { XC_IDENTITY_DOMAIN = 1, XC_HOST_KEY = 1, XC_END_RECORDS = 0, XC_END_SHA256 = 1 };

struct xc_transfer_record *xc_transfer_record_new(enum xc_transfer_section section);
void xc_transfer_record_free(void *record); /* takes NULL */
char *xc_transfer_checksum(const char *text, size_t length);
/* A number that was checked before; 0 for NULL and for none. */
uint64_t xc_transfer_digits(const char *text);
/* Is it the group of that name, or does it hang below it? */
bool xc_transfer_is_of_group(const struct xc_transfer_record *record, const char *name);
/* What stands before the slash of a record that hangs below a group; newly allocated, NULL: there is no slash. */
char *xc_transfer_group_of(const struct xc_transfer_record *record);
