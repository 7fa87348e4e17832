/* The list of tables, and small getters that several of them share. */
#include "subagent/tables/tables.h"

#include <net-snmp/agent/net-snmp-agent-includes.h>

#define TICK_USEC        10000
#define SAME_UPTIME_USEC (XC_USEC_PER_SEC / 2)

const struct st_table *const st_tables[] = {
    &st_agent_scalars,     &st_domain_control_table,
    &st_name_table,        &st_set_error_table,
    &st_control_scalars,   &st_host_table,
    &st_host_perf_table,   &st_host_control_table,
    &st_source_table,      &st_domain_table,
    &st_domain_perf_table, &st_vcpu_table,
    &st_vif_table,         &st_vbd_table,
    &st_host_domain_table, &st_group_history_table,
    &st_operation_table,   &st_operation_scalars,
    &st_event_table,       &st_event_scalars,
    &st_pool_table,        &st_snapshot_table,
    &st_sr_table,          &st_pif_table,
    &st_discovery_table,   &st_found_table,
    &st_discovery_scalars, &st_group_table,
    &st_member_table,      &st_group_host_table,
    &st_notify_scalars,    &st_threshold_table,
};
const unsigned st_n_tables = G_N_ELEMENTS(st_tables);

bool st_get_noop(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, XC_ACTION_NOOP);
}

bool st_get_empty(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_text(out, "");
}

bool st_get_zero(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, 0);
}

bool st_get_minus_one(const struct st_cell *cell, struct st_value *out)
{
    (void)cell;
    return st_number(out, (uint64_t)-1);
}

/* When sysUpTime was 0, by our clock. It is found out once, and again only when snmpd began anew: from one reading to the
 * next the two clocks differ by a tick, and a stamp that changes tells of something that did not happen. */
static gint64 uptime_began(void)
{
    static gint64 began = G_MININT64;
    gint64 now = xc_clock_mono() - (gint64)netsnmp_get_agent_uptime() * TICK_USEC;

    if (began == G_MININT64 || ABS(now - began) > SAME_UPTIME_USEC)
        began = now;
    return began;
}

bool st_timestamp(struct st_value *out, gint64 mono)
{
    gint64 since = mono - uptime_began();

    return st_number(out, mono == 0 || since < 0 ? 0 : (uint64_t)(since / TICK_USEC));
}
