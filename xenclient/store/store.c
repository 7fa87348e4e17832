/* state.db and its writer thread. */
#include "xenclient/store/store.h"

#include "state.sql.h"
#include "state_2.sql.h"
#include "state_3.sql.h"
#include "state_4.sql.h"
#include "state_5.sql.h"
#include "state_6.sql.h"
#include "xenclient/store/db.h"
#include "xenclient/store/event_rows.h"
#include "xenclient/store/group_rows.h"
#include "xenclient/store/history_rows.h"
#include "xenclient/store/schema.h"
#include "xenclient/util/log.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH 4096
/* New domains wait for their rows, and all is tried again: another program's lock may hold them up, not for long. */
#define BUSY_MSEC 500

static const char *const steps[] = {state_sql,   state_2_sql, state_3_sql,
                                    state_4_sql, state_5_sql, state_6_sql};
const struct xc_schema xc_schema_state = {"state.db", steps, G_N_ELEMENTS(steps)};

struct xc_store {
    struct xc_db *db;
    GThread *thread; /* started by the first job */
    GAsyncQueue *jobs;
    GAsyncQueue *finished; /* batches on their way back to the main loop */
    int wake;              /* eventfd: something is in `finished` */
    guint watch;
    _Atomic uint64_t bytes;
};

/* One thing to write. `write` runs in the store thread, within the batch's transaction. */
struct job {
    bool (*write)(struct xc_db *db, const struct job *job, GError **error);
    xc_store_done_fn done;
    void *data;
    char *text[6];
    int64_t number[4];
    GBytes *blob;
    GPtrArray *events;
    struct xc_group_spec *group;
    GError *error; /* how the batch ended */
    bool stop;
};

static void job_free(struct job *job)
{
    for (size_t i = 0; i < G_N_ELEMENTS(job->text); i++)
        g_free(job->text[i]);
    g_clear_pointer(&job->blob, g_bytes_unref);
    g_clear_pointer(&job->events, g_ptr_array_unref);
    xc_group_spec_free(job->group);
    g_clear_error(&job->error);
    g_free(job);
}

static gboolean tell(int fd, GIOCondition condition, void *data);

struct xc_store *xc_store_open(const char *dir, GError **error)
{
    struct xc_db *db = xc_schema_open(&xc_schema_state, dir, error);
    struct xc_store *store;

    if (!db)
        return NULL;
    xc_db_set_patience(db, BUSY_MSEC);
    store = g_new0(struct xc_store, 1);
    store->db = db;
    store->jobs = g_async_queue_new();
    store->finished = g_async_queue_new_full((GDestroyNotify)g_ptr_array_unref);
    store->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (store->wake < 0) {
        xc_fail(error, XC_CAUSE_STORE, "eventfd: %s", g_strerror(errno));
        return xc_store_close(store);
    }
    store->watch = g_unix_fd_add(store->wake, G_IO_IN, tell, store);
    return store;
}

/* --- loading */

struct loading {
    const struct xc_store_rows *rows;
    void *data;
    uint32_t *next;
};

static void load_source(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;
    struct xc_source_spec spec = {
        .key = (char *)xc_db_text(row, 0),
        .uri = (char *)xc_db_text(row, 1),
        .credential = (char *)xc_db_text(row, 2),
        .address = (char *)xc_db_text(row, 3),
        .config_dirs = (char *)xc_db_text(row, 4),
        .save_dir = (char *)xc_db_text(row, 5),
    };

    l->rows->source(&spec, sqlite3_column_int(row, 6) != 0, (unsigned)sqlite3_column_int(row, 7),
                    l->data);
}

static void load_domain(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;

    l->rows->domain((uint32_t)sqlite3_column_int64(row, 0), xc_db_text(row, 1),
                    (enum xc_wanted)sqlite3_column_int(row, 2), sqlite3_column_int(row, 3) != 0,
                    l->data);
}

static void load_identity(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;

    l->rows->identity(xc_db_text(row, 0), (uint32_t)sqlite3_column_int64(row, 1), l->data);
}

static void load_host(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;

    l->rows->host(xc_db_text(row, 0), xc_db_text(row, 1), l->data);
}

static void load_counters(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;

    l->rows->counters((uint32_t)sqlite3_column_int64(row, 0), sqlite3_column_blob(row, 1),
                      (size_t)sqlite3_column_bytes(row, 1), l->data);
}

static void load_told_domain(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;

    l->rows->told_domain((uint32_t)sqlite3_column_int64(row, 0), sqlite3_column_int(row, 1),
                         xc_db_text(row, 2), xc_db_text(row, 3), l->data);
}

static void load_told_source(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;

    l->rows->told_source(xc_db_text(row, 0), sqlite3_column_int(row, 1), l->data);
}

static void load_told_notice(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;

    l->rows->told_notice(xc_db_text(row, 0), xc_db_text(row, 1), sqlite3_column_int64(row, 2),
                         l->data);
}

static void load_setting(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;

    l->rows->setting(xc_db_text(row, 0), xc_db_text(row, 1), l->data);
}

static void load_next(sqlite3_stmt *row, void *data)
{
    *((const struct loading *)data)->next = (uint32_t)sqlite3_column_int64(row, 0) + 1;
}

bool xc_store_load(struct xc_store *store, const struct xc_store_rows *rows, void *data,
                   uint32_t *next_index, GError **error)
{
    struct loading l = {rows, data, next_index};

    *next_index = 1;
    return xc_db_query(store->db, error,
                       "SELECT key, uri, credential, address, config_dirs, save_dir, enabled,"
                       " interval_sec FROM source ORDER BY key",
                       load_source, &l) &&
           xc_db_query(store->db, error,
                       "SELECT idx, home, wanted, protect FROM domain ORDER BY idx", load_domain,
                       &l) &&
           xc_db_query(store->db, error, "SELECT key, idx FROM identity", load_identity, &l) &&
           xc_db_query(store->db, error, "SELECT uuid, key FROM host", load_host, &l) &&
           xc_db_query(store->db, error, "SELECT idx, data FROM counters", load_counters, &l) &&
           xc_db_query(store->db, error, "SELECT seq FROM sqlite_sequence WHERE name = 'domain'",
                       load_next, &l) &&
           xc_db_query(store->db, error,
                       "SELECT idx, state, told_domain.host, name FROM told_domain"
                       " JOIN domain USING (idx)",
                       load_told_domain, &l) &&
           xc_db_query(store->db, error, "SELECT key, state FROM told_source", load_told_source,
                       &l) &&
           xc_db_query(store->db, error, "SELECT source, uuid, time FROM told_notice",
                       load_told_notice, &l) &&
           xc_db_query(store->db, error, "SELECT name, value FROM setting", load_setting, &l) &&
           xc_event_rows_load(store->db, rows->event, data, error) &&
           xc_group_rows_load(store->db, rows->group, data, error) &&
           xc_history_rows_load(store->db, rows->history, data, error);
}

/* --- the thread */

/* Back on the main loop: tells the callers how their jobs ended. */
static gboolean tell(int fd, GIOCondition condition, void *data)
{
    struct xc_store *store = data;
    GPtrArray *batch;
    eventfd_t count;

    (void)condition;
    (void)eventfd_read(fd, &count);
    while ((batch = g_async_queue_try_pop(store->finished))) {
        for (guint i = 0; i < batch->len; i++) {
            struct job *job = batch->pdata[i];

            if (job->done)
                job->done(job->error, job->data);
        }
        g_ptr_array_unref(batch);
    }
    return G_SOURCE_CONTINUE;
}

/* Not mere barriers? A commit of nothing would prove nothing. */
static bool writes(const GPtrArray *batch)
{
    for (guint i = 0; i < batch->len; i++)
        if (((const struct job *)batch->pdata[i])->write)
            return true;
    return false;
}

static bool write_batch(struct xc_store *store, GPtrArray *batch, GError **error)
{
    if (!writes(batch))
        return true;
    if (!xc_db_begin(store->db, error))
        return false;
    for (guint i = 0; i < batch->len; i++) {
        const struct job *job = batch->pdata[i];

        if (job->write && !job->write(store->db, job, error)) {
            xc_db_rollback(store->db);
            return false;
        }
    }
    if (xc_db_commit(store->db, error))
        return true;
    xc_db_rollback(store->db);
    return false;
}

static void measure(struct xc_store *store)
{
    struct stat st;

    if (stat(store->db->path, &st) == 0)
        atomic_store(&store->bytes, (uint64_t)st.st_size);
}

/* What failed with nobody to tell, the next barrier tells, also from a later batch: `owed`. The first failure says
 * more than those that follow from it. */
static void tell_failure(GPtrArray *batch, const GError *error, GError **owed)
{
    for (guint i = 0; i < batch->len; i++) {
        struct job *job = batch->pdata[i];

        if (!job->write && *owed)
            job->error = g_steal_pointer(owed);
        else if (error)
            job->error = g_error_copy(error);
        if (job->write && error && !job->done && !*owed)
            *owed = g_error_copy(error);
    }
}

static void *writer(void *data)
{
    struct xc_store *store = data;
    g_autoptr(GError) owed = NULL;
    bool stop = false;
    bool failing = false; /* told once, not with every batch */

    while (!stop) {
        GPtrArray *batch = g_ptr_array_new_with_free_func((GDestroyNotify)job_free);
        struct job *job = g_async_queue_pop(store->jobs);
        g_autoptr(GError) error = NULL;

        do {
            g_ptr_array_add(batch, job);
            stop = stop || job->stop;
        } while (batch->len < BATCH && (job = g_async_queue_try_pop(store->jobs)));
        if (!write_batch(store, batch, &error) && !failing)
            xc_log(XC_LOG_ERROR, "%s", error->message);
        else if (!error && failing && writes(batch))
            xc_log(XC_LOG_INFO, "state.db can be written again");
        failing = error || (failing && !writes(batch));
        tell_failure(batch, error, &owed);
        measure(store);
        g_async_queue_push(store->finished, batch);
        (void)eventfd_write(store->wake, 1);
    }
    return NULL;
}

static void push(struct xc_store *store, struct job *job)
{
    if (!store->thread)
        store->thread = g_thread_new("store", writer, store);
    g_async_queue_push(store->jobs, job);
}

void *xc_store_close(struct xc_store *store)
{
    if (!store)
        return NULL;
    if (store->thread) {
        struct job *job = g_new0(struct job, 1);

        job->stop = true;
        push(store, job);
        g_thread_join(store->thread);
        tell(store->wake, G_IO_IN, store);
    }
    if (store->watch)
        g_source_remove(store->watch);
    if (store->wake >= 0)
        close(store->wake);
    g_async_queue_unref(store->jobs);
    g_async_queue_unref(store->finished);
    xc_db_close(store->db);
    g_free(store);
    return NULL;
}

uint64_t xc_store_bytes(const struct xc_store *store)
{
    return atomic_load(&store->bytes);
}

/* --- jobs */

static struct job *job_new(bool (*write)(struct xc_db *, const struct job *, GError **),
                           xc_store_done_fn done, void *data)
{
    struct job *job = g_new0(struct job, 1);

    job->write = write;
    job->done = done;
    job->data = data;
    return job;
}

static bool write_source(struct xc_db *db, const struct job *job, GError **error)
{
    return xc_db_run(db, error,
                     "INSERT INTO source (key, uri, credential, address, config_dirs, save_dir,"
                     " enabled, interval_sec) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                     " ON CONFLICT (key) DO UPDATE SET uri = excluded.uri,"
                     " credential = excluded.credential, address = excluded.address,"
                     " config_dirs = excluded.config_dirs, save_dir = excluded.save_dir,"
                     " enabled = excluded.enabled, interval_sec = excluded.interval_sec",
                     "ssssssii", job->text[0], job->text[1], job->text[2], job->text[3],
                     job->text[4], job->text[5], job->number[0], job->number[1]);
}

void xc_store_put_source(struct xc_store *store, const struct xc_source_spec *spec, bool enabled,
                         unsigned interval_sec, xc_store_done_fn done, void *data)
{
    struct job *job = job_new(write_source, done, data);
    const char *texts[] = {spec->key,     spec->uri,         spec->credential,
                           spec->address, spec->config_dirs, spec->save_dir};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        job->text[i] = g_strdup(texts[i]);
    job->number[0] = enabled;
    job->number[1] = interval_sec;
    push(store, job);
}

static bool delete_source(struct xc_db *db, const struct job *job, GError **error)
{
    return xc_db_run(db, error, "DELETE FROM source WHERE key = ?", "s", job->text[0]);
}

void xc_store_remove_source(struct xc_store *store, const char *key, xc_store_done_fn done,
                            void *data)
{
    struct job *job = job_new(delete_source, done, data);

    job->text[0] = g_strdup(key);
    push(store, job);
}

static bool forget_source(struct xc_db *db, const struct job *job, GError **error)
{
    return xc_db_run(db, error, "DELETE FROM told_source WHERE key = ?", "s", job->text[0]) &&
           xc_db_run(db, error, "DELETE FROM told_notice WHERE source = ?", "s", job->text[0]);
}

void xc_store_forget_source(struct xc_store *store, const char *key)
{
    struct job *job = job_new(forget_source, NULL, NULL);

    job->text[0] = g_strdup(key);
    push(store, job);
}

static bool write_domain(struct xc_db *db, const struct job *job, GError **error)
{
    return xc_db_run(db, error,
                     "INSERT INTO domain (idx, name, home, wanted, protect) VALUES (?, ?, ?, ?, ?)"
                     " ON CONFLICT (idx) DO UPDATE SET name = excluded.name,"
                     " home = excluded.home, wanted = excluded.wanted,"
                     " protect = excluded.protect",
                     "issii", job->number[0], job->text[0], job->text[1], job->number[1],
                     job->number[2]);
}

void xc_store_put_domain(struct xc_store *store, uint32_t index, const char *name, const char *home,
                         enum xc_wanted wanted, bool protect, xc_store_done_fn done, void *data)
{
    struct job *job = job_new(write_domain, done, data);

    job->number[0] = index;
    job->number[1] = wanted;
    job->number[2] = protect;
    job->text[0] = g_strdup(name);
    job->text[1] = g_strdup(home);
    push(store, job);
}

static bool write_identity(struct xc_db *db, const struct job *job, GError **error)
{
    return xc_db_run(db, error,
                     "INSERT INTO identity (key, idx) VALUES (?, ?)"
                     " ON CONFLICT (key) DO UPDATE SET idx = excluded.idx",
                     "si", job->text[0], job->number[0]);
}

void xc_store_put_identity(struct xc_store *store, const char *key, uint32_t index)
{
    struct job *job = job_new(write_identity, NULL, NULL);

    job->text[0] = g_strdup(key);
    job->number[0] = index;
    push(store, job);
}

static bool delete_identity(struct xc_db *db, const struct job *job, GError **error)
{
    return xc_db_run(db, error, "DELETE FROM identity WHERE key = ?", "s", job->text[0]);
}

void xc_store_drop_identity(struct xc_store *store, const char *key)
{
    struct job *job = job_new(delete_identity, NULL, NULL);

    job->text[0] = g_strdup(key);
    push(store, job);
}

static bool write_host(struct xc_db *db, const struct job *job, GError **error)
{
    return xc_db_run(db, error, "INSERT OR REPLACE INTO host (uuid, key) VALUES (?, ?)", "ss",
                     job->text[0], job->text[1]);
}

void xc_store_put_host(struct xc_store *store, const char *uuid, const char *key)
{
    struct job *job = job_new(write_host, NULL, NULL);

    job->text[0] = g_strdup(uuid);
    job->text[1] = g_strdup(key);
    push(store, job);
}

static bool write_counters(struct xc_db *db, const struct job *job, GError **error)
{
    gsize length;
    const void *blob = g_bytes_get_data(job->blob, &length);

    return xc_db_run(db, error,
                     "INSERT INTO counters (idx, data) SELECT idx, ?2 FROM domain WHERE idx = ?1"
                     " ON CONFLICT (idx) DO UPDATE SET data = excluded.data",
                     "ib", job->number[0], blob, (size_t)length);
}

void xc_store_put_counters(struct xc_store *store, uint32_t index, const void *blob, size_t length)
{
    struct job *job = job_new(write_counters, NULL, NULL);

    job->number[0] = index;
    job->blob = g_bytes_new(blob, length);
    push(store, job);
}

static bool write_events(struct xc_db *db, const struct job *job, GError **error)
{
    return xc_event_rows_write(db, job->events, job->number[0], error);
}

void xc_store_add_events(struct xc_store *store, GPtrArray *events, unsigned keep,
                         xc_store_done_fn done, void *data)
{
    struct job *job = job_new(write_events, done, data);

    job->events = g_ptr_array_ref(events);
    job->number[0] = keep;
    push(store, job);
}

static bool write_setting(struct xc_db *db, const struct job *job, GError **error)
{
    if (!job->text[1])
        return xc_db_run(db, error, "DELETE FROM setting WHERE name = ?", "s", job->text[0]);
    return xc_db_run(db, error,
                     "INSERT INTO setting (name, value) VALUES (?, ?)"
                     " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                     "ss", job->text[0], job->text[1]);
}

void xc_store_put_setting(struct xc_store *store, const char *name, const char *value,
                          xc_store_done_fn done, void *data)
{
    struct job *job = job_new(write_setting, done, data);

    job->text[0] = g_strdup(name);
    job->text[1] = g_strdup(value);
    push(store, job);
}

static bool write_group(struct xc_db *db, const struct job *job, GError **error)
{
    return xc_group_rows_put(db, job->group, job->number[0], error);
}

void xc_store_put_group(struct xc_store *store, const struct xc_group_spec *spec,
                        enum xc_wanted wanted)
{
    struct job *job = job_new(write_group, NULL, NULL);

    job->group = xc_group_spec_copy(spec);
    job->number[0] = wanted;
    push(store, job);
}

static bool delete_group(struct xc_db *db, const struct job *job, GError **error)
{
    return xc_group_rows_remove(db, job->text[0], error);
}

void xc_store_remove_group(struct xc_store *store, const char *name)
{
    struct job *job = job_new(delete_group, NULL, NULL);

    job->text[0] = g_strdup(name);
    push(store, job);
}

void xc_store_barrier(struct xc_store *store, xc_store_done_fn done, void *data)
{
    push(store, job_new(NULL, done, data));
}
