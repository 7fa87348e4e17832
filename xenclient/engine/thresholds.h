/* Thresholds at work: figures that come to one, or are back, are events. Rows of xenThresholdTable go before what the
 * configuration says; of several that fit the first one by name counts. Main-loop thread only. */
#pragma once

#include "xenclient/model/threshold.h"

struct xc_engine;
struct xc_txn;

/* Sorted as SNMP sorts their names. */
const struct xc_threshold *const *xc_thresholds(const struct xc_engine *engine, size_t *n);
/* Parts of a transaction: made or changed; removed. */
bool xc_txn_put_threshold(struct xc_txn *txn, const struct xc_threshold *threshold, GError **error);
bool xc_txn_remove_threshold(struct xc_txn *txn, const char *name, GError **error);
