/* XCP-NG-VMINFO-MIB of LibreNMS: what its poller reads from the script for XCP-ng. Values are the script's own where it has
 * any, an empty text or 0 for what is not known; where it has none at all, ours. */
#include "subagent/guests.h"
#include "subagent/tables/tables.h"

#include <string.h>

static const void *rows(void *context, size_t *n)
{
    return st_guests_and_control(context, n);
}

static bool is_control(const struct xc_domain *domain)
{
    return XC_HAS(DOMAIN, domain, kind) && domain->kind == XC_KIND_CONTROL;
}

/* The poller knows control domains by how their names begin. */
static bool name(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = cell->row;
    const struct xc_domain *domain = xc_ref_domain(ref);

    if (is_control(domain))
        return st_format(out, "Control domain on host: %s", xc_fleet_host_key(ref));
    return st_text(out, XC_HAS(DOMAIN, domain, name) ? domain->name : "");
}

static bool config(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain *domain = xc_ref_domain(cell->row);

    return st_text(out, XC_HAS(DOMAIN, domain, config) ? domain->config : "");
}

static bool os(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_detail *known = xc_ref_detail(cell->row, &xc_detail_type.fields[XC_DETAIL_os]);

    return st_text(out, known ? known->os : "");
}

static bool memory(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain_ref *ref = cell->row;

    if (!xc_ref_shows(ref, &xc_domain_type.fields[XC_DOMAIN_mem_kib]))
        return st_number(out, 0);
    return st_number(out, MIN((xc_ref_domain(ref)->mem_kib + 512) / 1024, G_MAXINT32));
}

enum { RUNNING = 1, HALTED, PAUSED, SUSPENDED, UNKNOWN };
static const struct xc_label state_label[] = {{RUNNING, "running"},
                                              {HALTED, "halted"},
                                              {PAUSED, "paused"},
                                              {SUSPENDED, "suspended"},
                                              {UNKNOWN, "unknown"}};
static XC_ENUM_DEFINE(state_labels, "xcpNgVmState", state_label);

/* A toolstack that is asked in the middle of a change tells the state before. */
static bool state(const struct st_cell *cell, struct st_value *out)
{
    switch (xc_ref_state(cell->row)) {
    case XC_STATE_RUNNING:
    case XC_STATE_MIGRATING:
    case XC_STATE_SHUTTING_DOWN:
    case XC_STATE_SUSPENDING:
        return st_number(out, RUNNING);
    case XC_STATE_SHUTDOWN:
    case XC_STATE_PREPARING:
        return st_number(out, HALTED);
    case XC_STATE_PAUSED:
        return st_number(out, PAUSED);
    case XC_STATE_SUSPENDED:
    case XC_STATE_RESUMING:
        return st_number(out, SUSPENDED);
    case XC_STATE_UNKNOWN:
    case XC_STATE_OTHER:
    case XC_STATE_CRASHED:
        break;
    }
    return st_number(out, UNKNOWN);
}

static bool uuid(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain *domain = xc_ref_domain(cell->row);

    if (!XC_HAS(DOMAIN, domain, uuid) || xc_uuid_is_nil(&domain->uuid))
        return st_text(out, "");
    xc_uuid_format(&domain->uuid, out->buffer);
    return st_bytes(out, out->buffer, XC_UUID_TEXT - 1);
}

static bool guest_state(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_detail *known =
        xc_ref_detail(cell->row, &xc_detail_type.fields[XC_DETAIL_tools]);
    bool runs = known && (known->tools == XC_TOOLS_OK || known->tools == XC_TOOLS_OLD);

    return st_text(out, runs ? "running" : "not installed");
}

/* The main one stands first. */
static bool address(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_detail *known =
        xc_ref_detail(cell->row, &xc_detail_type.fields[XC_DETAIL_addresses]);

    if (!known)
        return st_text(out, "");
    return st_bytes(out, known->addresses, MIN(strcspn(known->addresses, " ,"), ST_VALUE_MAX));
}

static bool cpus(const struct st_cell *cell, struct st_value *out)
{
    const struct xc_domain *domain = xc_ref_domain(cell->row);

    return st_number(out, XC_HAS(DOMAIN, domain, vcpus) ? MIN(domain->vcpus, G_MAXINT32) : 0);
}

static const struct st_column columns[] = {
    CALC(2, "xcpNgVmDisplayName", ST_TEXT, name),
    CALC(3, "xcpNgVmConfigFile", ST_TEXT, config),
    CALC(4, "xcpNgVmGuestOS", ST_TEXT, os),
    CALC(5, "xcpNgVmMemSize", ST_INTEGER32, memory, .max = G_MAXINT32, .units = "mebibytes"),
    CALC(6, "xcpNgVmState", ST_ENUM, state, .labels = &state_labels),
    CALC(7, "xcpNgVmVMID", ST_TEXT, uuid),
    CALC(8, "xcpNgVmGuestState", ST_TEXT, guest_state),
    CALC(9, "xcpNgVmIpAddress", ST_TEXT, address),
    CALC(10, "xcpNgVmCpus", ST_INTEGER32, cpus, .max = G_MAXINT32),
    CALC(11, "xcpNgVmUUID", ST_TEXT, uuid),
};

const struct st_table st_librenms_table = {
    .name = "xcpNgVmTable",
    .arcs = {1, 1},
    .index = {{ST_INDEX_INTEGER, offsetof(struct xc_domain_ref, index), "xcpNgVmIdx", 1, 1,
               G_MAXINT32}},
    .row_size = sizeof(struct xc_domain_ref *),
    .rows_are_pointers = true,
    .rows = rows,
    .columns = columns,
    .n_columns = G_N_ELEMENTS(columns),
};
