/* From the output of one poll to a report; what is remembered between polls. */
#include "xenclient/drivers/xl_parse_private.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/text.h"

/* --- memory */

static struct xl_memory *memory_init(struct xl_memory *memory)
{
    memory->facts = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, xl_facts_free);
    memory->configs = g_ptr_array_new_with_free_func(xl_config_free);
    memory->saves = g_ptr_array_new_with_free_func(xl_saved_free);
    return memory;
}

static void memory_clear(struct xl_memory *memory)
{
    g_hash_table_unref(memory->facts);
    g_ptr_array_unref(memory->configs);
    g_ptr_array_unref(memory->saves);
    g_free(memory->saves_text);
    g_free(memory->configs_stamp);
    g_free(memory->boot_id);
    g_free(memory->product);
    g_free(memory->cpu_model);
    memset(memory, 0, sizeof(*memory));
}

struct xl_memory *xl_memory_new(void)
{
    return memory_init(g_new0(struct xl_memory, 1));
}

void *xl_memory_free(struct xl_memory *memory)
{
    if (memory) {
        memory_clear(memory);
        g_free(memory);
    }
    return NULL;
}

/* The configuration files stay: their token is compared on the host at every look. */
void xl_memory_forget_boot(struct xl_memory *memory)
{
    g_hash_table_remove_all(memory->facts);
    g_clear_pointer(&memory->boot_id, g_free);
    g_clear_pointer(&memory->product, g_free);
    g_clear_pointer(&memory->cpu_model, g_free);
    memory->boot_time = 0;
    memory->once_done = false;
}

/* --- sections */

enum section {
    SECTION_LIST,
    SECTION_SAVES,
    SECTION_CLOCK,
    SECTION_INFO,
    SECTION_VCPUS,
    SECTION_FILES,
    SECTION_PATHS,
    SECTION_ONCE,
    SECTION_STORE,
    SECTION_STAMP,
    SECTION_CONFIGS,
    SECTION_END,
    N_SECTIONS
};

static const char *const section_names[N_SECTIONS] = {
    "list",  "saves", "clock", "info",  "vcpus",   "files",
    "paths", "once",  "store", "stamp", "configs", "end",
};

struct answer {
    char *text; /* writable copy of the output */
    struct xl_lines body[N_SECTIONS];
    const char *word[N_SECTIONS]; /* what stood behind the name: a status; NULL: no such section */
};

/* The marker's own line, NUL-terminated, behind the nonce: "list 0". */
static void open_section(struct answer *answer, char *marker, char *body, char *end)
{
    size_t length = strcspn(marker, " ");
    const char *word = marker[length] ? marker + length + 1 : "";

    for (unsigned i = 0; i < N_SECTIONS; i++)
        if (strlen(section_names[i]) == length && strncmp(marker, section_names[i], length) == 0 &&
            !answer->word[i]) {
            answer->word[i] = word;
            answer->body[i] = (struct xl_lines){body, end};
        }
}

/* Whatever stands before the first marker (a login shell may greet) is nobody's. */
static void split(struct answer *answer, size_t length, const char *nonce)
{
    g_autofree char *needle = g_strdup_printf("\n#%s ", nonce);
    size_t n = strlen(needle);
    char *end = answer->text + length;
    char *at = strstr(answer->text, needle);

    while (at) {
        char *marker = at + n;
        char *newline = memchr(marker, '\n', (size_t)(end - marker));
        char *body = newline ? newline : end;

        at = strstr(body, needle);
        /* The end of a marker may be the beginning of the next one. */
        if (newline)
            *newline = 0;
        open_section(answer, marker, newline ? newline + 1 : end,
                     at && newline ? MAX(at, newline + 1) : end);
    }
}

/* --- the poll */

struct poll {
    struct answer answer;
    struct xl_memory *memory;
    struct xc_report *report;
    GPtrArray *rows; /* struct xl_row * */
    struct xl_seen seen;
    struct xl_host_facts host;
};

static bool check_answer(const struct answer *answer, const char *errors, GError **error)
{
    g_autofree char *text = NULL;
    const char *status = answer->word[SECTION_LIST];
    int code = status ? (int)g_ascii_strtoll(status, NULL, 10) : 1;
    enum xc_cause cause;

    if (status && code == 0 && answer->word[SECTION_END])
        return true;
    if (status && code != 0) {
        cause = xl_classify_error(errors, code, XC_ACTION_NOOP, &text);
        return xc_fail(error, cause, "xl list failed: %s", text);
    }
    if (errors && *errors) {
        cause = xl_classify_error(errors, 1, XC_ACTION_NOOP, &text);
        return xc_fail(error, cause, "the poll command failed: %s", text);
    }
    return xc_fail(error, XC_CAUSE_TRANSPORT, "the host's answer ended before it was complete");
}

static void parse_files(struct poll *poll)
{
    struct xl_lines lines = poll->answer.body[SECTION_FILES];
    char *line;

    while ((line = xl_next_line(&lines))) {
        char *value = strchr(line, ':');

        if (!value)
            continue;
        *value++ = 0;
        if (strcmp(line, "/proc/net/dev") == 0)
            xl_seen_netdev(&poll->seen, value);
        else if (strcmp(line, "/proc/loadavg") == 0)
            poll->host.loadavg = value;
        else if (strcmp(line, "/proc/sys/kernel/random/boot_id") == 0)
            poll->host.boot_id = value;
        else
            xl_seen_vbd_counter(&poll->seen, line, value);
    }
    lines = poll->answer.body[SECTION_PATHS];
    while ((line = xl_next_line(&lines)))
        xl_seen_path(&poll->seen, line);
    xl_seen_sort(&poll->seen);
}

static void report_host(struct poll *poll)
{
    struct xc_host *host = xc_report_host(poll->report);
    struct xl_lines clock = poll->answer.body[SECTION_CLOCK];
    const char *status = poll->answer.word[SECTION_INFO];
    uint64_t rx;
    uint64_t tx;

    poll->host.uptime = poll->answer.word[SECTION_CLOCK];
    poll->host.date = xl_next_line(&clock);
    if (status && strcmp(status, "0") == 0)
        poll->host.info = poll->answer.body[SECTION_INFO];
    poll->host.once = poll->answer.body[SECTION_ONCE];
    xl_host_report(&poll->host, poll->memory, poll->report, host);
    if (poll->answer.word[SECTION_ONCE])
        poll->memory->once_done = true;
    if (xl_seen_physical(&poll->seen, &rx, &tx)) {
        XC_SET(HOST, host, net_rx_bytes, rx);
        XC_SET(HOST, host, net_tx_bytes, tx);
    }
}

/* --- facts */

static gboolean is_unlisted(void *key, void *value, void *data)
{
    (void)key;
    return ((const struct xl_facts *)value)->listed != *(const unsigned *)data;
}

/* A domain that has not run yet may still be under construction: it is asked once more. */
static struct xl_facts *new_facts(const struct xl_row *row)
{
    struct xl_facts *facts = xl_facts_new(row->domid, &row->uuid);

    facts->owed = row->cpu_usec > 0 && !row->incoming ? 1 : 2;
    facts->last_mem_mib = row->mem_mib;
    return facts;
}

/* Facts belong to a number and a uuid. When the memory changes, the target may have changed too. */
static void update_facts(struct poll *poll)
{
    GHashTable *all = poll->memory->facts;
    unsigned now = poll->memory->polls + 1;

    for (guint i = 0; i < poll->rows->len; i++) {
        const struct xl_row *row = g_ptr_array_index(poll->rows, i);
        gint64 domid = row->domid;
        struct xl_facts *facts = g_hash_table_lookup(all, &domid);

        if (facts && memcmp(&facts->uuid, &row->uuid, sizeof(row->uuid)) != 0) {
            g_hash_table_remove(all, &domid);
            facts = NULL;
        }
        if (!facts) {
            facts = new_facts(row);
            g_hash_table_replace(all, &facts->domid, facts);
        }
        facts->listed = now;
        if (facts->owed > 0)
            facts->owed--;
        facts->resized = facts->last_mem_mib != row->mem_mib;
        facts->last_mem_mib = row->mem_mib;
    }
    g_hash_table_foreach_remove(all, is_unlisted, &now);
}

/* No stamp: the files are as they were, or nobody looked. */
static void update_configs(struct poll *poll, GPtrArray *warnings)
{
    struct xl_lines stamp = poll->answer.body[SECTION_STAMP];

    if (!poll->answer.word[SECTION_STAMP] || !poll->answer.word[SECTION_CONFIGS])
        return;
    xl_configs_parse(poll->memory, poll->answer.body[SECTION_CONFIGS], warnings);
    g_free(poll->memory->configs_stamp);
    poll->memory->configs_stamp = g_strchomp(g_strndup(stamp.at, (gsize)(stamp.end - stamp.at)));
}

static void update_saves(struct poll *poll, GPtrArray *warnings)
{
    const char *status = poll->answer.word[SECTION_SAVES];

    if (status)
        xl_saves_parse(poll->memory, poll->answer.body[SECTION_SAVES], strcmp(status, "0") == 0,
                       warnings);
}

/* --- domains */

/* Which configuration belongs to which living domain. */
struct match {
    GHashTable *by_uuid; /* of struct xl_config *; its uuid is the key */
    GHashTable *by_name; /* name -> struct xl_config * without uuid */
    GHashTable *used;    /* set of struct xl_config * whose guest lives */
    GHashTable *names;   /* set of the living domains' names */
    GHashTable *domids;  /* set of the numbers reported */
    GHashTable *lives;   /* of struct xl_row *; its uuid is the key */
};

static void match_init(struct match *match, const struct poll *poll)
{
    match->by_uuid = g_hash_table_new(xc_uuid_hash, xc_uuid_equal);
    match->by_name = g_hash_table_new(g_str_hash, g_str_equal);
    match->used = g_hash_table_new(NULL, NULL);
    match->names = g_hash_table_new(g_str_hash, g_str_equal);
    match->domids = g_hash_table_new(NULL, NULL);
    match->lives = g_hash_table_new(xc_uuid_hash, xc_uuid_equal);
    for (guint i = 0; i < poll->memory->configs->len; i++) {
        struct xl_config *config = g_ptr_array_index(poll->memory->configs, i);

        if (config->has_uuid)
            g_hash_table_insert(match->by_uuid, &config->uuid, config);
        else
            g_hash_table_insert(match->by_name, config->name, config);
    }
    for (guint i = 0; i < poll->rows->len; i++) {
        struct xl_row *row = g_ptr_array_index(poll->rows, i);

        g_hash_table_add(match->names, row->name);
        g_hash_table_insert(match->lives, &row->uuid, row);
    }
}

static void match_clear(struct match *match)
{
    g_hash_table_unref(match->by_uuid);
    g_hash_table_unref(match->by_name);
    g_hash_table_unref(match->used);
    g_hash_table_unref(match->names);
    g_hash_table_unref(match->domids);
    g_hash_table_unref(match->lives);
}

/* shared: also one that another domain has taken, as both halves of a migration do. */
static const struct xl_config *match_config(struct match *match, const struct xc_uuid *id,
                                            const char *name, bool shared)
{
    struct xl_config *config = g_hash_table_lookup(match->by_uuid, id);

    if (!config && *name)
        config = g_hash_table_lookup(match->by_name, name);
    if (!config || (!g_hash_table_add(match->used, config) && !shared))
        return NULL;
    return config;
}

/* xl calls the device model domain of NAME "NAME-dm". */
static enum xc_domain_kind kind_of(const struct match *match, const struct xl_row *row)
{
    g_autofree char *owner = NULL;

    if (row->domid == 0)
        return XC_KIND_CONTROL;
    if (!g_str_has_suffix(row->name, "-dm"))
        return XC_KIND_GUEST;
    owner = g_strndup(row->name, strlen(row->name) - 3);
    return *owner && g_hash_table_contains(match->names, owner) ? XC_KIND_STUB : XC_KIND_GUEST;
}

static void report_facts(struct xc_domain *domain, const struct xl_facts *facts)
{
    if (facts->virt != XC_VIRT_UNKNOWN)
        XC_SET(DOMAIN, domain, virt, facts->virt);
    if (facts->vcpus_max)
        XC_SET(DOMAIN, domain, vcpus_max, facts->vcpus_max);
    if (facts->mem_target_kib)
        XC_SET(DOMAIN, domain, mem_target_kib, facts->mem_target_kib);
    if (facts->mem_max_kib)
        XC_SET(DOMAIN, domain, mem_max_kib, facts->mem_max_kib);
    if (facts->started)
        XC_SET(DOMAIN, domain, started, facts->started);
}

static void report_config(struct xc_domain *domain, const struct xl_config *config,
                          struct xc_report *report)
{
    XC_SET(DOMAIN, domain, config, xc_report_text(report, config->path, -1));
    XC_SET(DOMAIN, domain, uuid_fixed, config->has_uuid);
    if (!XC_HAS(DOMAIN, domain, name))
        XC_SET(DOMAIN, domain, name, xc_report_text(report, config->name, -1));
}

static void report_row(struct xc_domain *domain, const struct xl_row *row, struct xc_report *report)
{
    enum xc_reason reason;

    if (*row->name)
        XC_SET(DOMAIN, domain, name, xc_report_text(report, row->name, -1));
    if (!xc_uuid_is_nil(&row->uuid))
        XC_SET(DOMAIN, domain, uuid, row->uuid);
    XC_SET(DOMAIN, domain, state, xl_row_state(row, &reason));
    XC_SET(DOMAIN, domain, reason, reason);
    XC_SET(DOMAIN, domain, migrating, row->incoming || row->away);
    XC_SET(DOMAIN, domain, domid, row->domid);
    XC_SET(DOMAIN, domain, vcpus, row->vcpus);
    XC_SET(DOMAIN, domain, mem_kib, row->mem_mib * XL_KIB_PER_MIB);
    XC_SET(DOMAIN, domain, cpu_usec, row->cpu_usec);
    XC_SET(DOMAIN, domain, counter_kind, XC_COUNTERS_EXACT);
}

static bool report_living(struct poll *poll, struct match *match, const struct xl_row *row)
{
    const struct xl_config *config =
        row->domid == 0 ? NULL : match_config(match, &row->uuid, row->name, true);
    gint64 domid = row->domid;
    struct xl_facts *facts = g_hash_table_lookup(poll->memory->facts, &domid);
    uint32_t ordinal = poll->report->domains->len;
    struct xc_domain *domain;

    /* Neither name nor uuid: a domain at the very beginning or end of its life. */
    if (row->domid != 0 && !*row->name && xc_uuid_is_nil(&row->uuid))
        return true;
    if (!g_hash_table_add(match->domids, GINT_TO_POINTER((int)row->domid)))
        return true;
    domain = xc_report_domain(poll->report, 0);
    if (!domain)
        return false;
    report_row(domain, row, poll->report);
    XC_SET(DOMAIN, domain, kind, kind_of(match, row));
    xl_vcpus_report(&poll->seen, row->domid, poll->report, ordinal);
    if (facts)
        report_facts(domain, facts);
    if (config)
        report_config(domain, config, poll->report);
    if (row->domid == 0 && poll->memory->boot_time)
        XC_SET(DOMAIN, domain, started, poll->memory->boot_time);
    else if (row->domid != 0)
        xl_devices_report(&poll->seen, row->domid, facts, poll->report, ordinal);
    return true;
}

/* What only a configuration can say of one that does not live. */
static void report_shape(struct xc_domain *domain, const struct xl_config *config,
                         struct xc_report *report)
{
    report_config(domain, config, report);
    if (config->has_uuid)
        XC_SET(DOMAIN, domain, uuid, config->uuid);
    if (config->virt != XC_VIRT_UNKNOWN)
        XC_SET(DOMAIN, domain, virt, config->virt);
    XC_SET(DOMAIN, domain, vcpus, config->vcpus);
    XC_SET(DOMAIN, domain, vcpus_max, config->vcpus_max);
    if (config->mem_kib)
        XC_SET(DOMAIN, domain, mem_target_kib, config->mem_kib);
    if (config->mem_max_kib)
        XC_SET(DOMAIN, domain, mem_max_kib, config->mem_max_kib);
}

static bool report_stopped(struct poll *poll, const struct xl_config *config)
{
    struct xc_domain *domain = xc_report_domain(poll->report, 0);

    if (!domain)
        return false;
    report_shape(domain, config, poll->report);
    XC_SET(DOMAIN, domain, kind, XC_KIND_GUEST);
    XC_SET(DOMAIN, domain, state, XC_STATE_SHUTDOWN);
    return true;
}

/* It need not have a configuration; one that a living domain has taken is another's. */
static bool report_saved(struct poll *poll, struct match *match, const struct xl_saved *saved)
{
    struct xc_domain *domain = xc_report_domain(poll->report, 0);
    const struct xl_config *config;

    if (!domain)
        return false;
    config = match_config(match, &saved->uuid, saved->name, false);
    if (config)
        report_shape(domain, config, poll->report);
    else
        XC_SET(DOMAIN, domain, name, xc_report_text(poll->report, saved->name, -1));
    XC_SET(DOMAIN, domain, uuid, saved->uuid);
    XC_SET(DOMAIN, domain, kind, XC_KIND_GUEST);
    XC_SET(DOMAIN, domain, state, saved->resuming ? XC_STATE_RESUMING : XC_STATE_SUSPENDED);
    XC_SET(DOMAIN, domain, reason, XC_REASON_SUSPEND);
    return true;
}

static bool report_asleep(struct poll *poll, struct match *match, GPtrArray *warnings)
{
    g_autoptr(GPtrArray) asleep = xl_saves_asleep(poll->memory, match->lives, warnings);
    bool ok = true;

    for (guint i = 0; ok && i < asleep->len; i++)
        ok = report_saved(poll, match, g_ptr_array_index(asleep, i));
    return ok;
}

static bool report_domains(struct poll *poll, GPtrArray *warnings, GError **error)
{
    GPtrArray *configs = poll->memory->configs;
    struct match match;
    bool ok = true;

    match_init(&match, poll);
    for (guint i = 0; ok && i < poll->rows->len; i++)
        ok = report_living(poll, &match, g_ptr_array_index(poll->rows, i));
    ok = ok && report_asleep(poll, &match, warnings);
    for (guint i = 0; ok && i < configs->len; i++)
        if (!g_hash_table_contains(match.used, g_ptr_array_index(configs, i)))
            ok = report_stopped(poll, g_ptr_array_index(configs, i));
    match_clear(&match);
    return ok || xc_fail(error, XC_CAUSE_LIMIT, "the host reports too many domains");
}

bool xl_parse_poll(const char *out, size_t length, const char *errors, const char *nonce,
                   struct xl_memory *memory, struct xc_report *report, GPtrArray *warnings,
                   GError **error)
{
    struct poll poll = {.memory = memory, .report = report};
    bool ok;

    poll.answer.text = xl_copy_text(out, length);
    split(&poll.answer, length, nonce);
    ok = check_answer(&poll.answer, errors, error);
    if (ok) {
        poll.rows = xl_rows_parse(poll.answer.body[SECTION_LIST], error);
        ok = poll.rows != NULL;
    }
    if (ok) {
        xl_seen_init(&poll.seen);
        parse_files(&poll);
        xl_seen_vcpus(&poll.seen, poll.answer.body[SECTION_VCPUS]);
        report_host(&poll);
        update_facts(&poll);
        xl_store_parse(memory, poll.answer.body[SECTION_STORE]);
        update_configs(&poll, warnings);
        update_saves(&poll, warnings);
        ok = report_domains(&poll, warnings, error);
        xc_report_sum_devices(report);
        memory->polls++;
        xl_seen_clear(&poll.seen);
        g_ptr_array_unref(poll.rows);
    }
    g_free(poll.answer.text);
    return ok;
}
