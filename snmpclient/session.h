/* One conversation with one agent: GET, GETBULK, SET. Blocking, each within the time-out of its
 * settings. One thread at a time per session. */
#pragma once

#include "snmpclient/settings.h"
#include "snmpclient/value.h"

struct sn_session;

/* Checks the settings, looks the host up, and for version 3 finds the engine. The settings may be
 * cleared afterwards. */
struct sn_session *sn_open(const struct sn_settings *settings, GError **error);
void *sn_close(struct sn_session *session); /* returns NULL; takes NULL */
typedef struct sn_session sn_session;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sn_session, sn_close)

/* Reads n objects; out[i] is SN_ABSENT where the agent has none. Several PDUs when one does not
 * hold them. The caller clears out with sn_values_clear(), after errors too. */
bool sn_get(struct sn_session *session, const struct sn_oid *oids, size_t n, struct sn_value *out,
            GError **error);

/* A varbind of an answer to GETBULK. */
struct sn_bind {
    struct sn_oid oid;
    struct sn_value value;
};

/* One GETBULK of n OIDs, `repetitions` rows. Returns struct sn_bind (free with g_array_unref), in
 * the order of the answer; end of view is SN_ABSENT. NULL on error; an answer too big for the agent
 * asks for fewer rows. */
GArray *sn_bulk(struct sn_session *session, const struct sn_oid *oids, size_t n,
                unsigned repetitions, GError **error);

/* What to write where. */
struct sn_write {
    struct sn_oid oid;
    char type; /* i INTEGER, u Unsigned32, s OCTET STRING */
    int64_t number;
    const char *text;
    size_t length;
};

/* Why the agent refused a SET. */
struct sn_refusal {
    int status;       /* error-status of RFC 3416, 0: not refused */
    unsigned index;   /* 0-based varbind, or the number of varbinds when the agent named none */
    const char *name; /* "inconsistentValue" */
};

/* All in one PDU, sent once. SN_ERROR_REFUSED fills refusal_out (may be NULL). After
 * SN_ERROR_TIMEOUT it is not known whether the agent carried it out. */
bool sn_set(struct sn_session *session, const struct sn_write *writes, size_t n,
            struct sn_refusal *refusal_out, GError **error);

/* "inconsistentValue" for 12; "error N" for what RFC 3416 does not have. */
const char *sn_status_name(int status);
