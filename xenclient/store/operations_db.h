/* The intent journal (operations.db): operations and settings that a SET asked for. Used by the
 * main-loop thread only; its commit is the one wait a SET may have. Every function but open is
 * either a whole transaction or part of xc_journal_begin() .. commit. */
#pragma once

#include "xenclient/model/operation.h"

struct xc_journal;

/* Settings that travel through the journal into state.db. */
enum xc_intent_kind {
    XC_INTENT_PUT_SOURCE = 1,    /* payload: spec, u8 enabled, u32 interval */
    XC_INTENT_REMOVE_SOURCE = 2, /* payload: text key */
    XC_INTENT_PROTECT = 3,       /* payload: u32 domain index, u8 protect */
    XC_INTENT_PUT_GROUP = 4,     /* payload: text name, definition as xc_group_spec_write() */
    XC_INTENT_REMOVE_GROUP = 5,  /* payload: text name */
    XC_INTENT_SETTING = 16,      /* payload: text name, text value; "": it goes */
};

struct xc_journal *xc_journal_open(const char *dir, GError **error);
void *xc_journal_close(struct xc_journal *journal); /* returns NULL; takes NULL */

typedef void (*xc_journal_op_fn)(struct xc_op *op, void *data); /* op is handed over */
typedef void (*xc_journal_intent_fn)(int64_t seq, enum xc_intent_kind kind, const uint8_t *payload,
                                     size_t length, void *data);
/* Everything there is, in order of index and sequence. *next_op: the first index never used. */
bool xc_journal_load(struct xc_journal *journal, xc_journal_op_fn op, xc_journal_intent_fn intent,
                     void *data, uint32_t *next_op, GError **error);

bool xc_journal_begin(struct xc_journal *journal, GError **error);
bool xc_journal_commit(struct xc_journal *journal, GError **error); /* rolls back when it fails */
void xc_journal_rollback(struct xc_journal *journal);
/* Can it be written? Writes, and changes nothing. */
bool xc_journal_probe(struct xc_journal *journal, GError **error);

/* Writes the row, new or changed. */
bool xc_journal_put_op(struct xc_journal *journal, const struct xc_op *op, GError **error);
/* With its children, if it has any. */
bool xc_journal_drop_op(struct xc_journal *journal, uint32_t index, GError **error);
bool xc_journal_add_intent(struct xc_journal *journal, enum xc_intent_kind kind,
                           const GByteArray *payload, int64_t *seq, GError **error);
bool xc_journal_drop_intent(struct xc_journal *journal, int64_t seq, GError **error);
