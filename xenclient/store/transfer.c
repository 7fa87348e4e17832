/* SQL of export and import. */
#include "xenclient/store/transfer.h"

#include "xenclient/model/group.h"
#include "xenclient/model/source.h"
#include "xenclient/store/operations_db.h"
#include "xenclient/store/schema.h"
#include "xenclient/store/state_dir.h"
#include "xenclient/store/transfer_private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Values in the order of the table in transfer_text.c. Columns that are not here stay behind: counters begin anew on the
 * new machine, events and operations are the old one's. */
static const struct {
    const char *select, *insert, *types;
} rows[XC_TRANSFER_SECTIONS] = {
    [XC_TRANSFER_SOURCE] =
        {"SELECT key, uri, credential, address, config_dirs, save_dir, enabled, interval_sec"
         " FROM source",
         "INSERT INTO source (key, uri, credential, address, config_dirs, save_dir, enabled,"
         " interval_sec) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
         "ssssssss"},
    [XC_TRANSFER_DOMAIN] =
        {"SELECT idx, name, home, wanted, protect FROM domain",
         "INSERT INTO domain (idx, name, home, wanted, protect) VALUES (?, ?, ?, ?, ?)", "sssss"},
    [XC_TRANSFER_IDENTITY] = {"SELECT key, idx FROM identity",
                              "INSERT INTO identity (key, idx) VALUES (?, ?)", "ss"},
    [XC_TRANSFER_HOST] = {"SELECT uuid, key FROM host",
                          "INSERT INTO host (uuid, key) VALUES (?, ?)", "ss"},
    [XC_TRANSFER_GROUP] =
        {"SELECT name, descr, spread, ord, min_running, all_hosts, wanted FROM grp",
         "INSERT INTO grp (name, descr, spread, ord, min_running, all_hosts, wanted)"
         " VALUES (?, ?, ?, ?, ?, ?, ?)",
         "sssssss"},
    /* GROUP/MEMBER, GROUP/HOST. */
    [XC_TRANSFER_MEMBER] =
        {"SELECT grp || '/' || member, descr, origin, pin, priority, delay_sec FROM grp_member",
         "INSERT INTO grp_member (grp, member, descr, origin, pin, priority, delay_sec)"
         " VALUES (substr(?1, 1, instr(?1, '/') - 1), substr(?1, instr(?1, '/') + 1),"
         " ?2, ?3, ?4, ?5, ?6)",
         "ssssss"},
    [XC_TRANSFER_GROUP_HOST] =
        {"SELECT grp || '/' || host, weight FROM grp_host",
         "INSERT INTO grp_host (grp, host, weight)"
         " VALUES (substr(?1, 1, instr(?1, '/') - 1), substr(?1, instr(?1, '/') + 1), ?2)",
         "ss"},
};

/* --- out of the databases */

struct loading {
    struct xc_transfer *to;
    enum xc_transfer_section section;
};

static void load_row(sqlite3_stmt *row, void *data)
{
    const struct loading *l = data;
    struct xc_transfer_record *record = xc_transfer_add(l->to, l->section);

    for (unsigned i = 0; i < xc_transfer_n_values(l->section); i++) {
        g_free(record->values[i]);
        record->values[i] = xc_transfer_from_sql(l->section, i, xc_db_text(row, (int)i));
    }
}

static void load_count(sqlite3_stmt *row, void *data)
{
    *(uint64_t *)data = (uint64_t)sqlite3_column_int64(row, 0);
}

static void put_next(struct xc_transfer *to, unsigned value, uint64_t last)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, last + 1);

    xc_transfer_put(to->head, value, text);
}

static struct xc_transfer *load(struct xc_db *state, struct xc_db *operations, GError **error)
{
    g_autoptr(xc_transfer) out = xc_transfer_new();
    uint64_t domain = 0, event = 0, op = 0;

    for (enum xc_transfer_section i = 0; i < XC_TRANSFER_SECTIONS; i++) {
        struct loading l = {out, i};

        if (rows[i].select && !xc_db_query(state, error, rows[i].select, load_row, &l))
            return NULL;
    }
    if (!xc_db_query(state, error, "SELECT seq FROM sqlite_sequence WHERE name = 'domain'",
                     load_count, &domain) ||
        !xc_db_query(state, error, "SELECT seq FROM sqlite_sequence WHERE name = 'event'",
                     load_count, &event) ||
        !xc_db_query(operations, error, "SELECT seq FROM sqlite_sequence WHERE name = 'op'",
                     load_count, &op))
        return NULL;
    put_next(out, XC_HEAD_NEXT_DOMAIN, domain);
    put_next(out, XC_HEAD_NEXT_EVENT, event);
    put_next(out, XC_HEAD_NEXT_OPERATION, op);
    xc_transfer_sort(out);
    return g_steal_pointer(&out);
}

/* --- settings that are accepted and not in state.db yet; what xc_intent_apply() does to the engine */

static struct xc_transfer_record *find(struct xc_transfer *in, enum xc_transfer_section section,
                                       const char *key, guint *at)
{
    for (*at = 0; *at < in->records->len; ++*at) {
        struct xc_transfer_record *record = in->records->pdata[*at];

        if (record->section == section && strcmp(record->values[0], key) == 0)
            return record;
    }
    return NULL;
}

static void put_source(struct xc_transfer *in, struct xc_reader *reader)
{
    struct xc_source_spec spec = {0};
    struct xc_transfer_record *record;
    g_autofree char *interval = NULL;
    bool enabled;
    guint at;

    xc_source_spec_read(&spec, reader);
    enabled = xc_get_u8(reader) != 0;
    interval = g_strdup_printf("%u", xc_get_u32(reader));
    if (xc_reader_end(reader)) {
        const char *const texts[] = {spec.key,     spec.uri,         spec.credential,
                                     spec.address, spec.config_dirs, spec.save_dir};

        record = find(in, XC_TRANSFER_SOURCE, spec.key, &at);
        if (!record)
            record = xc_transfer_add(in, XC_TRANSFER_SOURCE);
        for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++)
            xc_transfer_put(record, i, texts[i]);
        xc_transfer_put(record, XC_SOURCE_ENABLED, enabled ? "yes" : "no");
        xc_transfer_put(record, XC_SOURCE_INTERVAL, interval);
    }
    xc_source_spec_clear(&spec);
}

static void remove_source(struct xc_transfer *in, struct xc_reader *reader)
{
    g_autofree char *key = xc_get_text(reader, 64);
    guint at;

    if (xc_reader_end(reader) && find(in, XC_TRANSFER_SOURCE, key, &at))
        g_ptr_array_remove_index(in->records, at);
}

static void protect(struct xc_transfer *in, struct xc_reader *reader)
{
    g_autofree char *index = g_strdup_printf("%u", xc_get_u32(reader));
    bool on = xc_get_u8(reader) != 0;
    struct xc_transfer_record *record;
    guint at;

    record = find(in, XC_TRANSFER_DOMAIN, index, &at);
    if (xc_reader_end(reader) && record)
        xc_transfer_put(record, XC_DOMAIN_PROTECT, on ? "yes" : "no");
}

/* All that hangs below a group goes, and the group itself. */
static void drop_group(struct xc_transfer *in, const char *name)
{
    for (guint i = in->records->len; i-- > 0;) {
        const struct xc_transfer_record *record = in->records->pdata[i];

        if (xc_transfer_is_of_group(record, name))
            g_ptr_array_remove_index(in->records, i);
    }
}

static struct xc_transfer_record *add_part(struct xc_transfer *in, enum xc_transfer_section section,
                                           const char *group, const char *part)
{
    struct xc_transfer_record *record = xc_transfer_add(in, section);

    g_free(record->values[0]);
    record->values[0] = g_strdup_printf("%s/%s", group, part);
    return record;
}

static void put_number(struct xc_transfer_record *record, unsigned value, unsigned number)
{
    g_autofree char *text = g_strdup_printf("%u", number);

    xc_transfer_put(record, value, text);
}

static void add_group(struct xc_transfer *in, const struct xc_group_spec *spec, const char *wanted)
{
    struct xc_transfer_record *record = xc_transfer_add(in, XC_TRANSFER_GROUP);

    xc_transfer_put(record, 0, spec->name);
    xc_transfer_put(record, XC_GROUP_DESCR, spec->descr);
    xc_transfer_put(record, XC_GROUP_SPREAD, xc_enum_label(&xc_spread_labels, (int)spec->spread));
    xc_transfer_put(record, XC_GROUP_ORDER,
                    xc_enum_label(&xc_group_order_labels, (int)spec->order));
    put_number(record, XC_GROUP_MIN_RUNNING, spec->min_running);
    xc_transfer_put(record, XC_GROUP_ALL_HOSTS, spec->all_hosts ? "yes" : "no");
    xc_transfer_put(record, XC_GROUP_WANTED, wanted);
    for (guint i = 0; i < spec->members->len; i++) {
        const struct xc_member_spec *member = spec->members->pdata[i];

        record = add_part(in, XC_TRANSFER_MEMBER, spec->name, member->member);
        xc_transfer_put(record, XC_MEMBER_DESCR, member->descr);
        xc_transfer_put(record, XC_MEMBER_CREATE, member->create);
        xc_transfer_put(record, XC_MEMBER_PIN, member->pin);
        put_number(record, XC_MEMBER_PRIORITY, member->priority);
        put_number(record, XC_MEMBER_DELAY, member->delay_sec);
    }
    for (guint i = 0; i < spec->hosts->len; i++) {
        const struct xc_group_host_spec *host = spec->hosts->pdata[i];

        put_number(add_part(in, XC_TRANSFER_GROUP_HOST, spec->name, host->host),
                   XC_GROUP_HOST_WEIGHT, host->weight);
    }
}

static void put_group(struct xc_transfer *in, struct xc_reader *reader)
{
    g_autofree char *name = xc_get_text(reader, XC_GROUP_NAME_MAX);
    g_autoptr(xc_group_spec) spec = xc_group_spec_read(name, reader);
    const struct xc_transfer_record *before;
    g_autofree char *wanted = NULL;
    guint at;

    if (!xc_reader_end(reader))
        return;
    before = find(in, XC_TRANSFER_GROUP, name, &at);
    wanted = g_strdup(before ? before->values[XC_GROUP_WANTED] : "");
    drop_group(in, name);
    add_group(in, spec, wanted);
}

static void remove_group(struct xc_transfer *in, struct xc_reader *reader)
{
    g_autofree char *name = xc_get_text(reader, XC_GROUP_NAME_MAX);

    if (xc_reader_end(reader))
        drop_group(in, name);
}

static void apply(sqlite3_stmt *row, void *data)
{
    struct xc_reader reader =
        XC_READER(sqlite3_column_blob(row, 1), (size_t)sqlite3_column_bytes(row, 1));

    /* No default: the compiler tells of a kind that is missing here. */
    switch ((enum xc_intent_kind)sqlite3_column_int(row, 0)) {
    case XC_INTENT_PUT_SOURCE:
        put_source(data, &reader);
        break;
    case XC_INTENT_REMOVE_SOURCE:
        remove_source(data, &reader);
        break;
    case XC_INTENT_PROTECT:
        protect(data, &reader);
        break;
    case XC_INTENT_PUT_GROUP:
        put_group(data, &reader);
        break;
    case XC_INTENT_REMOVE_GROUP:
        remove_group(data, &reader);
        break;
    case XC_INTENT_SETTING: /* like events, notifications stay behind */
        break;
    }
}

struct xc_transfer *xc_transfer_load(const char *state_dir, GError **error)
{
    /* The journal first: see state_dir.c. */
    struct xc_db *operations = xc_state_readable(state_dir, error)
                                   ? xc_schema_open_copy(&xc_schema_operations, state_dir, error)
                                   : NULL;
    struct xc_db *state =
        operations ? xc_schema_open_copy(&xc_schema_state, state_dir, error) : NULL;
    struct xc_transfer *out = state ? load(state, operations, error) : NULL;

    if (out && !xc_db_query(operations, error, "SELECT kind, payload FROM intent ORDER BY seq",
                            apply, out))
        out = xc_transfer_free(out);
    if (out)
        xc_transfer_sort(out);
    xc_db_close(state);
    xc_db_close(operations);
    return out;
}

/* --- into the databases */

/* Both databases of the folder, of which those that were not there belong to its owner and go again if it fails. */
struct target {
    const char *dir;
    int lock;
    bool made[2];
    struct xc_db *db[2]; /* as in `schemas` */
};
enum { STATE, OPERATIONS };
static const struct xc_schema *const schemas[] = {&xc_schema_state, &xc_schema_operations};

static bool make_file(const struct target *target, const char *path, bool *made, GError **error)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    struct stat folder;
    bool ok;

    if (fd < 0 && errno == EEXIST)
        return xc_state_no_link(path, error);
    *made = fd >= 0;
    ok = fd >= 0 && fstat(target->lock, &folder) == 0 &&
         (geteuid() != 0 || fchown(fd, folder.st_uid, folder.st_gid) == 0);
    if (!ok)
        xc_fail(error, XC_CAUSE_STORE, "%s: %s", path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool open_target(struct target *target, GError **error)
{
    target->lock = xc_state_lock(target->dir, 0, error);
    if (target->lock < 0)
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(schemas); i++) {
        g_autofree char *path = g_build_filename(target->dir, schemas[i]->file, NULL);

        if (!make_file(target, path, &target->made[i], error))
            return false;
        target->db[i] = xc_schema_open(schemas[i], target->dir, error);
        if (!target->db[i])
            return false;
    }
    return true;
}

static void close_target(struct target *target, bool keep)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(schemas); i++) {
        g_autofree char *path = g_build_filename(target->dir, schemas[i]->file, NULL);

        xc_db_close(target->db[i]);
        if (target->made[i] && !keep)
            unlink(path);
    }
    if (target->lock >= 0)
        close(target->lock);
}

static bool same(const struct xc_transfer *a, const struct xc_transfer *b)
{
    if (a->records->len != b->records->len ||
        xc_transfer_number(a, XC_HEAD_NEXT_DOMAIN) != xc_transfer_number(b, XC_HEAD_NEXT_DOMAIN))
        return false;
    for (guint i = 0; i < a->records->len; i++) {
        const struct xc_transfer_record *x = a->records->pdata[i], *y = b->records->pdata[i];

        if (x->section != y->section)
            return false;
        for (unsigned v = 0; v < xc_transfer_n_values(x->section); v++)
            if (strcmp(x->values[v], y->values[v]) != 0)
                return false;
    }
    return true;
}

static bool insert(struct xc_db *db, const struct xc_transfer_record *record, GError **error)
{
    char *v[XC_TRANSFER_VALUES] = {NULL};
    bool ok;

    for (unsigned i = 0; i < xc_transfer_n_values(record->section); i++)
        v[i] = xc_transfer_to_sql(record->section, i, record->values[i]);
    /* More than `types` tells are not looked at. */
    ok = xc_db_run(db, error, rows[record->section].insert, rows[record->section].types, v[0], v[1],
                   v[2], v[3], v[4], v[5], v[6], v[7]);
    for (unsigned i = 0; i < XC_TRANSFER_VALUES; i++)
        g_free(v[i]);
    return ok;
}

/* What AUTOINCREMENT counts from: never back. */
static bool set_last(struct xc_db *db, const char *table, unsigned next,
                     const struct xc_transfer *transfer, const struct xc_transfer *present,
                     GError **error)
{
    uint64_t first = MAX(xc_transfer_number(transfer, next), xc_transfer_number(present, next));

    return xc_db_run(db, error, "DELETE FROM sqlite_sequence WHERE name = ?", "s", table) &&
           xc_db_run(db, error, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", "si",
                     table, (int64_t)first - 1);
}

static bool write_state(struct xc_db *db, const struct xc_transfer *transfer,
                        const struct xc_transfer *present, GError **error)
{
    for (guint i = 0; i < transfer->records->len; i++)
        if (!insert(db, transfer->records->pdata[i], error))
            return false;
    return set_last(db, "domain", XC_HEAD_NEXT_DOMAIN, transfer, present, error) &&
           set_last(db, "event", XC_HEAD_NEXT_EVENT, transfer, present, error);
}

/* Two databases, two transactions. That of state.db is the import; a journal that counts from further on, should the
 * other fail after it, does no harm. */
static bool write_all(const struct target *target, const struct xc_transfer *transfer,
                      const struct xc_transfer *present, GError **error)
{
    struct xc_db *state = target->db[STATE], *operations = target->db[OPERATIONS];
    bool ok = xc_db_begin(state, error) && write_state(state, transfer, present, error) &&
              xc_db_begin(operations, error) &&
              set_last(operations, "op", XC_HEAD_NEXT_OPERATION, transfer, present, error) &&
              xc_db_commit(operations, error) && xc_db_commit(state, error);

    if (!ok) {
        xc_db_rollback(operations);
        xc_db_rollback(state);
    }
    return ok;
}

static bool is_empty(const struct target *target, const struct xc_transfer *present, bool *empty,
                     GError **error)
{
    uint64_t journal = 0;

    if (!xc_db_query(target->db[OPERATIONS], error,
                     "SELECT (SELECT count(*) FROM op) + (SELECT count(*) FROM intent)", load_count,
                     &journal))
        return false;
    *empty = journal == 0 && present->records->len == 0;
    return true;
}

static enum xc_transfer_outcome fill(const struct target *target,
                                     const struct xc_transfer *transfer, GError **error)
{
    g_autoptr(xc_transfer) present = load(target->db[STATE], target->db[OPERATIONS], error);
    bool empty;

    if (!present || !is_empty(target, present, &empty, error))
        return XC_TRANSFER_FAILED;
    if (!empty && same(transfer, present))
        return XC_TRANSFER_WAS_THERE;
    if (empty)
        return write_all(target, transfer, present, error) ? XC_TRANSFER_DONE : XC_TRANSFER_FAILED;
    xc_fail(
        error, XC_CAUSE_STORE,
        "%s: its databases know %u domains and %u sources already: an import goes into an empty "
        "folder; if they are of no use, move state.db and operations.db away",
        target->dir, xc_transfer_count(present, XC_TRANSFER_DOMAIN),
        xc_transfer_count(present, XC_TRANSFER_SOURCE));
    return XC_TRANSFER_FAILED;
}

enum xc_transfer_outcome xc_transfer_store(const char *state_dir,
                                           const struct xc_transfer *transfer, GError **error)
{
    struct target target = {.dir = state_dir, .lock = -1};
    enum xc_transfer_outcome outcome =
        open_target(&target, error) ? fill(&target, transfer, error) : XC_TRANSFER_FAILED;

    close_target(&target, outcome != XC_TRANSFER_FAILED);
    return outcome;
}
