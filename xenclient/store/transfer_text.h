/* What an agent takes along to another machine, as a text of sections and keys like the configuration file. The reader
 * has no I/O and trusts nothing: a text that is cut off, changed, of a newer version or of another kind is refused with
 * its line, and what is read is complete, within its bounds and refers to nothing that is not in it.
 *
 * The table in transfer_text.c is the one place that knows sections, keys and bounds; transfer.c has the SQL. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Sections, in the order in which they are written. */
enum xc_transfer_section {
    XC_TRANSFER_HEAD,
    XC_TRANSFER_SOURCE,
    XC_TRANSFER_DOMAIN,
    XC_TRANSFER_IDENTITY,
    XC_TRANSFER_HOST,
    XC_TRANSFER_GROUP,
    XC_TRANSFER_MEMBER,
    XC_TRANSFER_GROUP_HOST,
    XC_TRANSFER_END,
    XC_TRANSFER_SECTIONS,
};

/* Places of values of the head, and others that are asked for one by one. The first value of all but head and end is
 * the section's key. */
enum {
    XC_HEAD_VERSION,
    XC_HEAD_WRITTEN,
    XC_HEAD_BY,
    XC_HEAD_NEXT_DOMAIN, /* what is given out next; never one that was given before */
    XC_HEAD_NEXT_OPERATION,
    XC_HEAD_NEXT_EVENT,
};
enum { XC_SOURCE_URI = 1, XC_SOURCE_ENABLED = 6, XC_SOURCE_INTERVAL = 7 };
enum { XC_DOMAIN_PROTECT = 4 };
enum {
    XC_GROUP_DESCR = 1,
    XC_GROUP_SPREAD,
    XC_GROUP_ORDER,
    XC_GROUP_MIN_RUNNING,
    XC_GROUP_ALL_HOSTS,
    XC_GROUP_WANTED,
};
enum { XC_MEMBER_DESCR = 1, XC_MEMBER_CREATE, XC_MEMBER_PIN, XC_MEMBER_PRIORITY, XC_MEMBER_DELAY };
enum { XC_GROUP_HOST_WEIGHT = 1 };

#define XC_TRANSFER_VALUES 8
/* A text longer than this is not read. */
#define XC_TRANSFER_MAX (64u * 1024 * 1024)

/* One section: its values as the file writes them, never NULL. */
struct xc_transfer_record {
    enum xc_transfer_section section;
    unsigned line; /* in the file read; 0 */
    char *values[XC_TRANSFER_VALUES];
};

struct xc_transfer {
    struct xc_transfer_record *head;
    GPtrArray *records; /* struct xc_transfer_record *, neither head nor end */
};

struct xc_transfer *xc_transfer_new(void);
void *xc_transfer_free(struct xc_transfer *transfer); /* returns NULL; takes NULL */
typedef struct xc_transfer xc_transfer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xc_transfer, xc_transfer_free)

/* Another record, with the values that an absent key stands for. */
struct xc_transfer_record *xc_transfer_add(struct xc_transfer *transfer,
                                           enum xc_transfer_section section);
void xc_transfer_put(struct xc_transfer_record *record, unsigned value, const char *text);
/* In the order of the file. */
void xc_transfer_sort(struct xc_transfer *transfer);
/* How many there are of a section. */
unsigned xc_transfer_count(const struct xc_transfer *transfer, enum xc_transfer_section section);
/* A value of the head that is a number. */
uint64_t xc_transfer_number(const struct xc_transfer *transfer, unsigned value);

/* How many values a section has. */
unsigned xc_transfer_n_values(enum xc_transfer_section section);
/* Between a value and what the databases hold: switches are 0 and 1, labels their numbers. Newly allocated. */
char *xc_transfer_to_sql(enum xc_transfer_section section, unsigned value, const char *text);
char *xc_transfer_from_sql(enum xc_transfer_section section, unsigned value, const char *text);

char *xc_transfer_write(const struct xc_transfer *transfer);
/* name: of the file, for messages. */
struct xc_transfer *xc_transfer_parse(const char *name, const char *text, size_t length,
                                      GError **error);
