/* For tests of the engine: a supervisor that only remembers what it was told, so that the test decides what
 * hypervisors answer and when. Defining these functions here keeps the real one out of the program. */
#pragma once

#include "tests/unit/folder.h"
#include "xenclient/engine/private.h"

#include <string.h>

struct xc_supervisor {
    struct xc_supervisor_events events;
    void *data;
    GHashTable *specs;  /* id -> key */
    GHashTable *polls;  /* ids with an open poll */
    bool news;          /* would do for the poll that was begun last */
    GPtrArray *orders;  /* struct xc_order *, as sent */
    GPtrArray *cancels; /* char *uuid */
};

/* The one of the engine under test. */
static struct xc_supervisor *kit;

static void order_free(void *data)
{
    xc_order_clear(data);
    g_free(data);
}

struct xc_supervisor *xc_supervisor_new(const struct xc_driver_env *env,
                                        const struct xc_supervisor_limits *limits,
                                        const struct xc_supervisor_events *events, void *data)
{
    (void)env;
    (void)limits;
    kit = g_new0(struct xc_supervisor, 1);
    kit->events = *events;
    kit->data = data;
    kit->specs = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    kit->polls = g_hash_table_new(g_direct_hash, g_direct_equal);
    kit->orders = g_ptr_array_new_with_free_func(order_free);
    kit->cancels = g_ptr_array_new_with_free_func(g_free);
    return kit;
}

void *xc_supervisor_free(struct xc_supervisor *s)
{
    if (!s)
        return NULL;
    g_hash_table_unref(s->specs);
    g_hash_table_unref(s->polls);
    g_ptr_array_unref(s->orders);
    g_ptr_array_unref(s->cancels);
    g_free(s);
    kit = NULL;
    return NULL;
}

void xc_supervisor_add(struct xc_supervisor *s, uint32_t id, const struct xc_source_spec *spec)
{
    g_hash_table_insert(s->specs, GUINT_TO_POINTER(id), g_strdup(spec->key));
}

void xc_supervisor_remove(struct xc_supervisor *s, uint32_t id)
{
    g_hash_table_remove(s->specs, GUINT_TO_POINTER(id));
    g_hash_table_remove(s->polls, GUINT_TO_POINTER(id));
}

bool xc_supervisor_poll(struct xc_supervisor *s, uint32_t id, gint64 budget_usec, bool news)
{
    (void)budget_usec;
    kit->news = news;
    return g_hash_table_add(s->polls, GUINT_TO_POINTER(id));
}

void xc_supervisor_start(struct xc_supervisor *s, uint32_t id, const struct xc_order *order)
{
    struct xc_order *copy = g_new0(struct xc_order, 1);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    (void)id;
    xc_order_write(order, bytes);
    struct xc_reader reader = XC_READER(bytes->data, bytes->len);
    xc_order_read(copy, &reader);
    g_assert_true(xc_reader_end(&reader));
    g_ptr_array_add(s->orders, copy);
}

void xc_supervisor_cancel(struct xc_supervisor *s, const struct xc_uuid *uuid)
{
    char *text = g_malloc(XC_UUID_TEXT);

    xc_uuid_format(uuid, text);
    g_ptr_array_add(s->cancels, text);
}

void xc_supervisor_tell_log_level(struct xc_supervisor *s)
{
    (void)s;
}

unsigned xc_supervisor_workers(const struct xc_supervisor *s)
{
    return s ? 1 : 0;
}

/* --- an engine on two simulated sources, a and b */

struct kit_fixture {
    char *dir;
    struct xc_config *config;
    struct xc_engine *engine;
};

static inline void kit_turn(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

/* Turns the main loop until the condition holds; fails after two minutes. */
#define KIT_UNTIL(condition)                                                                       \
    do {                                                                                           \
        gint64 end_ = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;                               \
        while (!(condition)) {                                                                     \
            g_main_context_iteration(NULL, FALSE);                                                 \
            g_assert_cmpint(g_get_monotonic_time(), <, end_);                                      \
            g_usleep(200);                                                                         \
        }                                                                                          \
    } while (0)

static inline void kit_add_source(struct xc_config *config, const char *key)
{
    struct xc_config_source *source = g_new0(struct xc_config_source, 1);
    struct xc_source_spec spec = {.key = (char *)key, .uri = (char *)"sim:///run/farm.sock/x"};

    xc_source_spec_copy(&source->spec, &spec);
    source->enabled = true;
    g_ptr_array_add(config->sources, source);
}

static inline void kit_open(struct kit_fixture *f)
{
    g_autoptr(GError) error = NULL;

    f->engine = xc_engine_new(f->config, NULL, &error);
    g_assert_no_error(error);
}

static inline void kit_restart(struct kit_fixture *f)
{
    f->engine = xc_engine_free(f->engine);
    kit_open(f);
}

static inline void kit_set_up(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    f->dir = g_dir_make_tmp("xensnmp-engine-XXXXXX", NULL);
    f->config = xc_config_new();
    g_free(f->config->state_dir);
    f->config->state_dir = g_strdup(f->dir);
    f->config->control = true;
    kit_add_source(f->config, "a");
    kit_add_source(f->config, "b");
    xc_log_set_level(XC_LOG_ERROR);
    kit_open(f);
}

static inline void kit_tear_down(struct kit_fixture *f, gconstpointer data)
{
    (void)data;
    xc_clock_fake(0, 0);
    f->engine = xc_engine_free(f->engine);
    f->config = xc_config_free(f->config);
    remove_folder(f->dir);
}

/* --- reports */

static inline struct xc_report *kit_report(const char *boot_id)
{
    struct xc_report *report = xc_report_new();
    struct xc_host *host = xc_report_host(report);

    XC_SET(HOST, host, name, xc_report_text(report, "host", -1));
    XC_SET(HOST, host, boot_id, xc_report_text(report, boot_id, -1));
    XC_SET(HOST, host, cpus, 4);
    XC_SET(HOST, host, mem_free_kib, 4096 * 1024);
    return report;
}

/* A guest; domid 0: not running. uuid: its last digit. */
static inline struct xc_domain *kit_domain(struct xc_report *report, const char *name,
                                           unsigned uuid, int64_t domid)
{
    struct xc_domain *d = xc_report_domain(report, 0);

    XC_SET(DOMAIN, d, name, xc_report_text(report, name, -1));
    XC_SET(DOMAIN, d, kind, XC_KIND_GUEST);
    XC_SET(DOMAIN, d, state, domid ? XC_STATE_RUNNING : XC_STATE_SHUTDOWN);
    if (uuid) {
        struct xc_uuid id = {.b = {0xab}};

        id.b[15] = (uint8_t)uuid;
        XC_SET(DOMAIN, d, uuid, id);
        XC_SET(DOMAIN, d, uuid_fixed, 1);
    }
    if (domid) {
        XC_SET(DOMAIN, d, domid, domid);
        XC_SET(DOMAIN, d, vcpus, 1);
        XC_SET(DOMAIN, d, mem_kib, 512 * 1024);
    }
    return d;
}

static inline struct xc_slot *kit_slot(struct kit_fixture *f, const char *key)
{
    struct xc_slot *slot = xc_fleet_source(f->engine, key);

    g_assert_nonnull(slot);
    return slot;
}

/* The source answers: waits until it is asked, hands over, waits until it is shown. */
static inline void kit_answer(struct kit_fixture *f, const char *key, struct xc_report *report)
{
    struct xc_slot *slot = kit_slot(f, key);
    struct xc_poller *poller = slot->poller;
    uint64_t before = poller->published;

    if (!g_hash_table_contains(kit->polls, GUINT_TO_POINTER(slot->id)))
        xc_slot_poll_now(slot);
    KIT_UNTIL(g_hash_table_contains(kit->polls, GUINT_TO_POINTER(slot->id)));
    g_hash_table_remove(kit->polls, GUINT_TO_POINTER(slot->id));
    kit->events.polled(slot->id, report, 1000, 0, kit->data);
    KIT_UNTIL(poller->published > before && !poller->waiting);
    if (poller->pending || f->engine->dirty)
        xc_fleet_rebuild(f->engine);
}

static inline void kit_fail(struct kit_fixture *f, const char *key, enum xc_cause cause)
{
    struct xc_slot *slot = kit_slot(f, key);
    g_autoptr(GError) error = g_error_new_literal(XC_ERROR, (int)cause, "scripted failure");

    xc_slot_poll_now(slot);
    KIT_UNTIL(g_hash_table_contains(kit->polls, GUINT_TO_POINTER(slot->id)));
    g_hash_table_remove(kit->polls, GUINT_TO_POINTER(slot->id));
    kit->events.poll_failed(slot->id, error, kit->data);
}

/* The row of a name, or NULL; fails when there are two. */
static inline const struct xc_domain_ref *kit_find(struct kit_fixture *f, const char *name)
{
    const struct xc_domain_ref *found = NULL;
    size_t n;
    const struct xc_domain_ref *refs = xc_fleet_domains(f->engine, &n);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(xc_ref_domain(&refs[i])->name, name) != 0)
            continue;
        g_assert_null(found);
        found = &refs[i];
    }
    return found;
}
