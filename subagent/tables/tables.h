/* All tables of XENSNMP-MIB, and what several of them share. */
#pragma once

#include "subagent/context.h"

extern const struct st_table st_agent_scalars;
extern const struct st_table st_domain_control_table;
extern const struct st_table st_name_table;
extern const struct st_table st_set_error_table;
extern const struct st_table st_control_scalars;
extern const struct st_table st_host_table;
extern const struct st_table st_host_perf_table;
extern const struct st_table st_host_control_table;
extern const struct st_table st_source_table;
extern const struct st_table st_domain_table;
extern const struct st_table st_domain_perf_table;
extern const struct st_table st_vcpu_table;
extern const struct st_table st_vif_table;
extern const struct st_table st_vbd_table;
extern const struct st_table st_host_domain_table;
extern const struct st_table st_group_history_table;
extern const struct st_table st_operation_table;
extern const struct st_table st_operation_scalars;
extern const struct st_table st_event_table;
extern const struct st_table st_event_scalars;
extern const struct st_table st_pool_table;
extern const struct st_table st_snapshot_table;
extern const struct st_table st_sr_table;
extern const struct st_table st_pif_table;
extern const struct st_table st_discovery_table;
extern const struct st_table st_found_table;
extern const struct st_table st_discovery_scalars;
extern const struct st_table st_group_table;
extern const struct st_table st_member_table;
extern const struct st_table st_group_host_table;

extern const struct st_table *const st_tables[];
extern const unsigned st_n_tables;

/* VM-MIB of RFC 7666, below mib-2 236. */
extern const struct st_table st_vm_hypervisor_scalars;
extern const struct st_table st_vm_scalars;
extern const struct st_table st_vm_table;
extern const struct st_table st_vm_cpu_table;
extern const struct st_table st_vm_cpu_affinity_table;
extern const struct st_table st_vm_storage_table;
extern const struct st_table st_vm_network_table;
/* XCP-NG-VMINFO-MIB of LibreNMS. */
extern const struct st_table st_librenms_table;

/* What action columns read: noop(1), an empty text, 0. */
bool st_get_noop(const struct st_cell *cell, struct st_value *out);
bool st_get_empty(const struct st_cell *cell, struct st_value *out);
bool st_get_zero(const struct st_cell *cell, struct st_value *out);
bool st_get_minus_one(const struct st_cell *cell, struct st_value *out);
/* A moment of this process' monotonic clock as sysUpTime; 0 when it was before. */
bool st_timestamp(struct st_value *out, gint64 mono);

/* Rows and objects of domains and hosts, for the tables that augment them or hang below them. */
const void *st_domain_rows(void *context, size_t *n);
const void *st_domain_object(const void *row);
bool st_domain_shows(const void *row, const struct xc_field *field);
/* Microseconds since it was started, by its host's clock. */
bool st_domain_uptime(const struct xc_domain_ref *ref, gint64 *usec);
const void *st_host_rows(void *context, size_t *n);
const void *st_group_rows(void *context, size_t *n);
bool st_group_key_ok(const char *key); /* may a group have that name */
const void *st_host_object(const void *row);
bool st_host_shows(const void *row, const struct xc_field *field);

/* Rows below those of domains. */
const void *st_domain_vifs(void *context, const void *domain, size_t *n);
const void *st_domain_vbds(void *context, const void *domain, size_t *n);
const void *st_domain_vcpus(void *context, const void *domain, size_t *n);
const void *st_child_object(const void *row);
bool st_vif_shows(const void *row, const struct xc_field *field);
bool st_vbd_shows(const void *row, const struct xc_field *field);
bool st_vcpu_shows(const void *row, const struct xc_field *field);

/* What xenDomainLabel shows, and behind it a text. */
bool st_domain_label(const struct xc_domain_ref *ref, const char *behind, struct st_value *out);

/* The operation a domain was last asked for, or NULL. */
const struct xc_op *st_last_op(const struct st_cell *cell, const struct xc_domain_ref *ref);
/* The destination of a migration under way (MIGRATE) or asked about (CHECK_MIGRATE), else "". */
const char *st_destination(const struct st_cell *cell, const struct xc_domain_ref *ref,
                           enum xc_action action);

/* The labels of action columns. */
extern const struct xc_enum st_power_labels;
extern const struct xc_enum st_force_labels;

/* Where a table that acts on domains has its columns; 0: it has no such column. */
struct st_action_arcs {
    uint32_t power, force, migrate, check, lock, start_on, timeout, protect, note;
    uint32_t memory, vcpus, weight, cap;
    uint32_t snapshot, checkpoint, revert, delete_snapshot, clone;
};
/* Plans everything one PDU wants of one domain. */
bool st_plan_domain(const struct st_change *change, const struct st_action_arcs *arcs,
                    uint32_t domain, struct xc_txn *txn, uint32_t *blame, GError **error);
