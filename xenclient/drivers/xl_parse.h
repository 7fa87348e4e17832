/* The words of the xl driver, without any I/O: the one shell command of a poll, and parsers of what
 * it and xl answer. Every input is hostile: bounded, range-checked, cleaned. One thread at a time
 * per xl_memory; everything else is pure. */
#pragma once

#include "xenclient/model/snapshot.h"
#include "xenclient/util/error.h"

/* --- one poll */

/* What the next poll need not ask again: facts that stay while a domain lives and configuration
 * files that did not change. Belongs to one connection. */
struct xl_memory;
struct xl_memory *xl_memory_new(void);
void *xl_memory_free(struct xl_memory *memory); /* returns NULL; takes NULL */
typedef struct xl_memory xl_memory;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xl_memory, xl_memory_free)

struct xl_poll_options {
    const char *nonce;  /* 16..64 of [0-9a-f], random, new for every call: marks the sections */
    const char *prefix; /* "" or "sudo -n ": put before xl, xenstore-ls and ls of save_dir */
    const char *config_dirs; /* absolute paths, ':'-separated; "" or NULL: none */
    const char *save_dir;    /* absolute; "" or NULL: none */
    bool with_configs;       /* look at the configuration files; else those remembered stay */
    unsigned timeout_sec;    /* after which the host itself ends the command; 0: 60 */
};

/* The whole command line for one exec, for a login shell of the Bourne family; dash, bash and busybox
 * run what is inside. Newly allocated. Shorter than the 131,071 octets that a host takes as one
 * argument. Directories that are not absolute are left out; of each only *.cfg files are looked at. */
char *xl_poll_script(const struct xl_poll_options *options, const struct xl_memory *memory);

/* Turns all of a poll's output (stdout) into one host (ordinal 0) and its domains with devices:
 * Domain-0 as kind control, living guests, guests known from configuration files only (state
 * shutdown). A fact not found is absent. Calls xc_report_sum_devices().
 * errors: what the command wrote to stderr, NUL-terminated, or NULL. nonce: the one in the script.
 * A guest that is in a save file only has state suspended, or resuming.
 * warnings: char * texts are added (files that do not parse ...), only when they are news; may be
 * NULL. False: xl failed or the answer is incomplete; the text says what to do. memory is then
 * unchanged but for what makes the next poll ask for everything. */
bool xl_parse_poll(const char *out, size_t length, const char *errors, const char *nonce,
                   struct xl_memory *memory, struct xc_report *report, GPtrArray *warnings,
                   GError **error);

/* --- save files: UUID.LABEL.xensave, and with .resuming behind it while one is restored */

/* Size of a label with its NUL: what it leaves of a file name's 255 octets is enough for the rest. */
#define XL_LABEL_SIZE 161
/* The name of a domain in characters that are safe everywhere: others become %XX; cut when too long. */
void xl_save_label(const char *name, char out[XL_LABEL_SIZE]);

/* --- `xl list -v` (also plain `xl list`) for actions */

struct xl_row {
    int64_t domid;
    char *name;    /* as a report shows it: cleaned, without migration suffix; "" for (null) */
    char flags[7]; /* the six state characters */
    bool incoming; /* name ended in --incoming */
    bool away;     /* name ended in --migratedaway */
    bool has_uuid; /* the row had the columns of -v */
    struct xc_uuid uuid; /* nil for Domain-0 */
    int reason_code;     /* -1: none */
    uint64_t mem_mib;
    uint64_t vcpus;
    uint64_t cpu_usec;
};

/* struct xl_row *, in the order of the list; free with g_ptr_array_unref(). NULL: not the output of
 * xl list (no header, or a row that does not parse). */
GPtrArray *xl_parse_list(const char *text, size_t length, GError **error);

/* The living row of a domain. With a uuid (not NULL, not nil) only that counts, else the name. When
 * a migration left several, the one that is not on its way is preferred. Domain-0 is never found.
 * NULL: there is none (*error noSuchTarget) or the name fits more than one (ambiguous). */
const struct xl_row *xl_list_find(const GPtrArray *rows, const struct xc_uuid *uuid,
                                  const char *name, GError **error);

/* State of a row; *reason gets XC_REASON_NONE where there is none. */
enum xc_domain_state xl_row_state(const struct xl_row *row, enum xc_reason *reason);

/* --- `xl info` for actions */

/* The value of a key, newly allocated, cleaned; NULL when it is not there. */
char *xl_info_value(const char *text, size_t length, const char *key);

/* --- errors */

/* Why an xl command failed, from all it wrote to stderr (NUL-terminated): the cause and, newly
 * allocated in *text, the words that say it: cleaned, one line, at most 400 octets, with advice
 * where Xen's own words mislead. action: what was attempted (XC_ACTION_NOOP for a poll).
 * exit_status: as the shell gave it (124 and 137: ended by timeout). Never XC_CAUSE_NONE: call it
 * after a failure only. */
enum xc_cause xl_classify_error(const char *errors, int exit_status, enum xc_action action,
                                char **text);

/* True when stderr holds an error although the command may have exited 0 (xl pause, unpause). */
bool xl_has_error(const char *errors);
