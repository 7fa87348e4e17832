/* What is kept of XAPI's objects: one struct per class, and one table that says which field of the wire goes where. */
#pragma once

#include "xenclient/model/field.h"
#include "xenclient/transport/xmlrpc.h"

enum xapi_class {
    XAPI_POOL,
    XAPI_HOST,
    XAPI_HOST_METRICS,
    XAPI_VM,
    XAPI_VM_METRICS,
    XAPI_VM_GUEST_METRICS,
    XAPI_VIF,
    XAPI_VBD,
    XAPI_VDI,
    XAPI_NETWORK,
    XAPI_SR,
    XAPI_PBD,
    XAPI_PIF,
    XAPI_PIF_METRICS,
    XAPI_BOND,
    XAPI_VM_APPLIANCE,
    XAPI_MESSAGE,
    XAPI_N_CLASSES,
};

/* What XAPI is doing with a VM, by VM.current_operations; of several the last of these. */
enum xapi_doing {
    XAPI_DOING_NOTHING, /* or what does not change what the VM is */
    XAPI_DOING_PROVISION,
    XAPI_DOING_START,
    XAPI_DOING_RESUME,
    XAPI_DOING_REBOOT,
    XAPI_DOING_PAUSE,
    XAPI_DOING_UNPAUSE,
    XAPI_DOING_SUSPEND,
    XAPI_DOING_SHUTDOWN,
    XAPI_DOING_MIGRATE,
    XAPI_DOING_IMPORT,
};

/* A pool has so many that the octets count. */
struct xapi_number {
    int64_t value : 63; /* flags 0 and 1, times in microseconds UTC */
    bool known : 1;
};
G_STATIC_ASSERT(sizeof(struct xapi_number) == sizeof(int64_t));

/* How every struct begins. */
struct xapi_object {
    char *ref;
    enum xapi_class class;
    struct xapi_object *previous, *next; /* of the same VM; the mirror's, not the wire's */
};

/* Texts are NULL when they are not known or empty; references also when they are null. */
struct xapi_pool {
    struct xapi_object head;
    char *name, *master;
    struct xapi_number ha_enabled, ha_tolerates;
};
struct xapi_host {
    struct xapi_object head;
    char *name, *address, *metrics;
    struct xc_uuid uuid; /* nil: not known */
    char *brand, *version, *xen, *kernel, *cpu_model, *cpu_mhz;
    char *boot_time, *agent_start; /* see xapi_time() */
    char *updated;                 /* "yes", "no", else not known */
    struct xapi_number cpus, sockets, threads, enabled;
    struct xapi_number reboot_due;      /* by what updates told to do */
    struct xapi_number reboots_waiting; /* updates that wait for one */
};
struct xapi_host_metrics {
    struct xapi_object head;
    struct xapi_number live, memory_total;
};
struct xapi_vm {
    struct xapi_object head;
    char *name, *resident_on, *going_to, *affinity, *metrics, *guest_metrics;
    char *last_host; /* where it was resident last; the mirror's, not the wire's */
    struct xc_uuid uuid;
    char *power_state, *domain_type;
    char *tags, *base_template, *reference_label, *snapshot_of;
    char *mark, *task_mark; /* of our operations, see xapi_mark.h */
    char *made_by;          /* likewise: the one that made it */
    char *unmade;           /* disks that provisioning is to make */
    enum xapi_doing doing;
    char *doing_task;
    char *appliance;
    struct xapi_number order, start_delay; /* in that; seconds */
    struct xapi_number is_template, is_snapshot, is_control, domid, vcpus_max, vcpus_start,
        memory_max, memory_dynamic_min, memory_dynamic_max, snapshot_time;
};
struct xapi_vm_metrics {
    struct xapi_object head;
    struct xapi_number vcpus, memory_actual, started;
};
struct xapi_vm_guest_metrics {
    struct xapi_object head;
    struct xapi_number pv_drivers, pv_drivers_new;
    char *addresses, *os; /* addresses: the main one first, ", " between them */
};
struct xapi_vif {
    struct xapi_object head;
    char *vm, *network, *mac;
    struct xapi_number device;
};
struct xapi_vbd {
    struct xapi_object head;
    char *vm, *vdi, *device, *mode;
    struct xapi_number place, empty;
};
struct xapi_vdi {
    struct xapi_object head;
    char *name;
};
struct xapi_network {
    struct xapi_object head;
    char *name, *bridge;
};
struct xapi_sr {
    struct xapi_object head;
    struct xc_uuid uuid; /* nil: not known */
    char *name, *type;
    struct xapi_number shared, size, used, allocated; /* octets */
};
/* A host's way to an SR. */
struct xapi_pbd {
    struct xapi_object head;
    char *sr;
    struct xapi_number attached;
};
struct xapi_pif {
    struct xapi_object head;
    struct xc_uuid uuid;
    char *host, *device, *mac, *network, *metrics;
    char *bond; /* that it is part of */
    struct xapi_number vlan, management;
};
struct xapi_pif_metrics {
    struct xapi_object head;
    struct xapi_number carrier, speed; /* megabits per second */
};
struct xapi_bond {
    struct xapi_object head;
    char *master; /* the interface that stands for all of it */
};
/* A vApp. */
struct xapi_vm_appliance {
    struct xapi_object head;
    struct xc_uuid uuid; /* nil: not known */
    char *name;
};
struct xapi_message {
    struct xapi_object head;
    struct xc_uuid uuid, about; /* nil: not known */
    char *name, *body;
    struct xapi_number priority, time;
};

/* The class of a name on the wire, in any case; XAPI_N_CLASSES: none that is kept. */
enum xapi_class xapi_class_of(const char *name);
/* As event.from wants it. */
const char *xapi_class_name(enum xapi_class class);

/* Nothing of it known but its class. */
void *xapi_object_new(enum xapi_class class);
void xapi_object_free(void *object); /* takes NULL */
/* Octets it takes, for bounds. */
size_t xapi_object_size(const void *object);
/* Do two of a class differ in what is worth a poll at once? What changes every few seconds by itself is not. */
bool xapi_object_differs(const void *a, const void *b);

/* What is read of records, for tests: "field CLASS NAME KIND MEMBER" and "operation NAME" in lines. Newly allocated. */
char *xapi_fields_text(void);

/* Reads one record, member by member, from the callbacks of an XML-RPC reader. depth is within the record: 0 the
 * struct itself, 1 its fields, 2 what a field that is a map holds. */
struct xapi_record {
    enum xapi_class class;
    void *object; /* made by the reader; whoever takes it sets NULL here */
    unsigned field;
};
bool xapi_record_wants(struct xapi_record *record, unsigned depth, const char *name);
bool xapi_record_take(struct xapi_record *record, const struct xc_xmlrpc_value *value,
                      unsigned depth);

/* A want for a Value that is one record; data is a struct xapi_record with its class set. */
extern const struct xc_xmlrpc_sink xapi_record_sink;
