/* VM-MIB (RFC 7666): the hypervisor, and vmTable. Enumerations are the standard's, which has a value for "unknown" in
 * most; where it has none, what is not known has no instance. */
#include "subagent/tables/vm_mib.h"

#include <string.h>

/* --- the hypervisor */

static bool hv_software(const struct st_cell *cell, struct st_value *out)
{
    return st_text(out, st_context_host(cell->context) ? "Xen" : "xensnmp");
}

/* Of several hosts there is no one version: then it is the agent that is told of. */
static bool hv_version(const struct st_cell *cell, struct st_value *out)
{
    const struct st_context *context = cell->context;
    const struct xc_host_ref *ref = st_context_host(context);

    if (!ref)
        return !context->host && st_text(out, XENSNMP_VERSION);
    if (!xc_host_ref_shows(ref, &xc_host_type.fields[XC_HOST_xen_version]))
        return false;
    return st_text(out, ref->slot->snapshot->hosts[ref->row].xen_version);
}

/* Nobody has given Xen a number of its own: zeroDotZero. */
static bool hv_object(const struct st_cell *cell, struct st_value *out)
{
    static const oid none[] = {0, 0};

    (void)cell;
    return st_bytes(out, none, sizeof(none));
}

static bool hv_uptime(const struct st_cell *cell, struct st_value *out)
{
    gint64 usec = 0;

    return st_guests_uptime(cell->context, &usec) && st_ticks(out, usec);
}

static const struct st_column hypervisor_columns[] = {
    CALC(1, "vmHvSoftware", ST_TEXT, hv_software),
    CALC(2, "vmHvVersion", ST_TEXT, hv_version),
    CALC(3, "vmHvObjectID", ST_OID, hv_object),
    CALC(4, "vmHvUpTime", ST_TICKS, hv_uptime),
};

const struct st_table st_vm_hypervisor_scalars = {
    .name = "vmHypervisor",
    .arcs = {1, 1},
    .scalars = true,
    .columns = hypervisor_columns,
    .n_columns = G_N_ELEMENTS(hypervisor_columns),
};

/* --- what is true of all guests */

enum { EACH = 9, BULK = 10 };

static bool number(const struct st_cell *cell, struct st_value *out)
{
    const struct st_context *context = cell->context;
    const struct xc_host_ref *host = st_context_host(context);
    size_t n = 0;

    st_guests_rows(context, &n);
    return (host ? host->row >= 0 : !context->host) && st_number(out, n);
}

static bool last_change(const struct st_cell *cell, struct st_value *out)
{
    gint64 usec = 0;

    return st_guests_last_change(cell->context, &usec) && st_ticks(out, usec);
}

static enum xc_switch switch_of(const struct st_column *column)
{
    return column->arc == EACH ? XC_SWITCH_NOTIFY_EACH : XC_SWITCH_NOTIFY_BULK;
}

static bool enabled(const struct st_cell *cell, struct st_value *out)
{
    return st_truth(out, xc_switch_is_on(st_engine(cell), switch_of(cell->column)));
}

static bool plan(const struct st_change *change, void *context, void *transaction, uint32_t *blame,
                 GError **error)
{
    (void)context;
    for (guint i = 0; i < change->writes->len; i++) {
        const struct st_write *write = &g_array_index(change->writes, struct st_write, i);

        *blame = write->column->arc;
        if (!xc_txn_switch(transaction, switch_of(write->column), write->number == ST_TRUE, error))
            return false;
    }
    return true;
}

static const struct st_column vm_scalar_columns[] = {
    CALC(2, "vmNumber", ST_INTEGER32, number, .max = G_MAXINT32),
    CALC(3, "vmTableLastChange", ST_TICKS, last_change),
    SET(EACH, "vmPerVMNotificationsEnabled", ST_TRUTH, enabled),
    SET(BULK, "vmBulkNotificationsEnabled", ST_TRUTH, enabled),
};

const struct st_table st_vm_scalars = {
    .name = "vmObjects",
    .arcs = {1},
    .scalars = true,
    .columns = vm_scalar_columns,
    .n_columns = G_N_ELEMENTS(vm_scalar_columns),
    .plan = plan,
};

/* --- vmTable */

const void *st_vm_rows(void *context, size_t *n)
{
    return st_guests_rows(context, n);
}

static const struct xc_label admin_label[] = {{XC_WANTED_RUNNING, "running"},
                                              {XC_WANTED_SUSPENDED, "suspended"},
                                              {XC_WANTED_PAUSED, "paused"},
                                              {XC_WANTED_SHUTDOWN, "shutdown"}};
static XC_ENUM_DEFINE(admin_labels, "vmAdminState", admin_label);

static const struct xc_label oper_label[] = {
    {XC_STATE_UNKNOWN, "unknown"},       {XC_STATE_OTHER, "other"},
    {XC_STATE_PREPARING, "preparing"},   {XC_STATE_RUNNING, "running"},
    {XC_STATE_SUSPENDING, "suspending"}, {XC_STATE_SUSPENDED, "suspended"},
    {XC_STATE_RESUMING, "resuming"},     {XC_STATE_PAUSED, "paused"},
    {XC_STATE_MIGRATING, "migrating"},   {XC_STATE_SHUTTING_DOWN, "shuttingdown"},
    {XC_STATE_SHUTDOWN, "shutdown"},     {XC_STATE_CRASHED, "crashed"},
};
static XC_ENUM_DEFINE(oper_labels, "vmOperState", oper_label);

enum { AUTO_START_UNKNOWN = 1, AUTO_START_ENABLED, AUTO_START_DISABLED };
static const struct xc_label auto_start_label[] = {{AUTO_START_UNKNOWN, "unknown"},
                                                   {AUTO_START_ENABLED, "enabled"},
                                                   {AUTO_START_DISABLED, "disabled"}};
static XC_ENUM_DEFINE(auto_start_labels, "vmAutoStart", auto_start_label);

enum { PERSISTENT_UNKNOWN = 1, PERSISTENT, TRANSIENT };
static const struct xc_label persistent_label[] = {
    {PERSISTENT_UNKNOWN, "unknown"}, {PERSISTENT, "persistent"}, {TRANSIENT, "transient"}};
static XC_ENUM_DEFINE(persistent_labels, "vmPersistent", persistent_label);

static bool uuid(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain *domain = xc_ref_domain(cell->row);
    bool known = XC_HAS(DOMAIN, domain, uuid) && !xc_uuid_is_nil(&domain->uuid);

    return st_bytes(out, &domain->uuid, known ? sizeof(domain->uuid) : 0);
}

static bool os_type(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_detail *known = xc_ref_detail(cell->row, &xc_detail_type.fields[XC_DETAIL_os]);

    return known && st_text(out, known->os);
}

/* What a state that lasts says of what is wanted; of those that pass, where they lead to. */
static enum xc_wanted wanted_by(enum xc_domain_state state)
{
    switch (state) {
    case XC_STATE_RUNNING:
    case XC_STATE_RESUMING:
    case XC_STATE_MIGRATING:
    case XC_STATE_CRASHED:
        return XC_WANTED_RUNNING;
    case XC_STATE_SUSPENDING:
    case XC_STATE_SUSPENDED:
        return XC_WANTED_SUSPENDED;
    case XC_STATE_PAUSED:
        return XC_WANTED_PAUSED;
    case XC_STATE_PREPARING:
    case XC_STATE_SHUTTING_DOWN:
    case XC_STATE_SHUTDOWN:
        return XC_WANTED_SHUTDOWN;
    case XC_STATE_UNKNOWN:
    case XC_STATE_OTHER:
        break;
    }
    return XC_WANTED_NONE;
}

/* Other tools act on the same guests, so a wish of ours counts while it is being carried out. A host that does not answer
 * changes nothing of what was wanted. */
static bool admin_state(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = cell->row;
    const struct xc_domain *domain = xc_ref_domain(ref);
    enum xc_wanted wanted = XC_WANTED_NONE;

    if (ref->track->active_op)
        wanted = ref->track->wanted;
    if (wanted == XC_WANTED_NONE && XC_HAS(DOMAIN, domain, state))
        wanted = wanted_by(domain->state);
    return wanted != XC_WANTED_NONE && st_number(out, wanted);
}

static bool oper_state(const struct st_cell *cell, struct st_value *out)
{
    return st_number(out, xc_ref_state(cell->row));
}

static bool auto_start(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, AUTO_START_UNKNOWN);
}

/* A guest without a configuration that anybody knows is gone when it ends. */
static bool persistent(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain *domain = xc_ref_domain(cell->row);

    if (XC_HAS(DOMAIN, domain, config) ||
        (XC_HAS(DOMAIN, domain, uuid_fixed) && domain->uuid_fixed))
        return st_number(out, PERSISTENT);
    return st_number(out, XC_HAS(DOMAIN, domain, domid) ? TRANSIENT : PERSISTENT_UNKNOWN);
}

#define MEM_UNIT 1048576

static bool mem_unit(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, MEM_UNIT);
}

/* A guest that does not live has no memory, and of that no host needs to tell. */
static bool mem_now(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = cell->row;
    const struct xc_domain *domain = xc_ref_domain(ref);
    enum xc_domain_state state = xc_ref_state(ref);

    if (xc_ref_shows(ref, &xc_domain_type.fields[XC_DOMAIN_mem_kib]))
        return st_number(out, MIN(domain->mem_kib * 1024 / MEM_UNIT, G_MAXINT32));
    if (XC_HAS(DOMAIN, domain, domid) ||
        (state != XC_STATE_SHUTDOWN && state != XC_STATE_SUSPENDED))
        return false;
    return st_number(out, 0);
}

static bool uptime(const struct st_cell *cell, struct st_value *out)
{
    gint64 usec = 0;

    return st_domain_uptime(cell->row, &usec) && st_ticks(out, usec);
}

#define COUNT .max = G_MAXINT32
#define BOUND .min = -1, .max = G_MAXINT32

static const struct st_column vm_columns[] = {
    COL(2, "vmName", ST_TEXT, domain, DOMAIN, name),
    CALC(3, "vmUUID", ST_OCTETS, uuid, .max = 16),
    CALC(4, "vmOSType", ST_TEXT, os_type),
    CALC(5, "vmAdminState", ST_ENUM, admin_state, .labels = &admin_labels),
    CALC(6, "vmOperState", ST_ENUM, oper_state, .labels = &oper_labels),
    CALC(7, "vmAutoStart", ST_ENUM, auto_start, .labels = &auto_start_labels),
    CALC(8, "vmPersistent", ST_ENUM, persistent, .labels = &persistent_labels),
    COL(9, "vmCurCpuNumber", ST_INTEGER32, domain, DOMAIN, vcpus, COUNT),
    CALC(10, "vmMinCpuNumber", ST_INTEGER32, st_get_minus_one, BOUND),
    COL(11, "vmMaxCpuNumber", ST_INTEGER32, domain, DOMAIN, vcpus_max, BOUND),
    CALC(12, "vmMemUnit", ST_INTEGER32, mem_unit, .min = 1, .max = G_MAXINT32),
    CALC(13, "vmCurMem", ST_INTEGER32, mem_now, COUNT),
    CALC(14, "vmMinMem", ST_INTEGER32, st_get_minus_one, BOUND),
    COL(15, "vmMaxMem", ST_INTEGER32, domain, DOMAIN, mem_max_kib, BOUND, .divide = MEM_UNIT / 1024,
        .units = "vmMemUnit"),
    CALC(16, "vmUpTime", ST_TICKS, uptime),
    COL(17, "vmCpuTime", ST_COUNTER64, domain, DOMAIN, cpu_usec, .units = "microsecond"),
};

const struct st_table st_vm_table = {
    .name = "vmTable",
    .arcs = {1, 4, 1},
    .index = {{ST_INDEX_INTEGER, offsetof(struct xc_domain_ref, index), "vmIndex", 1, 1,
               G_MAXINT32}},
    .row_size = sizeof(struct xc_domain_ref *),
    .rows_are_pointers = true,
    .rows = st_vm_rows,
    .object = st_domain_object,
    .shows = st_domain_shows,
    .columns = vm_columns,
    .n_columns = G_N_ELEMENTS(vm_columns),
};
