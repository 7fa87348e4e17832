/* The tables from XAPI's fields to ours, and all that is done by them. */
#include "xenclient/drivers/xapi_fields.h"

#include "xenclient/model/snapshot.h"
#include "xenclient/util/text.h"

#include <string.h>

#define REF_OCTETS 128
#define NULL_REF   "OpaqueRef:NULL"
/* More than any machine has: what is beyond is no number of octets. */
#define OCTETS_MAX  ((int64_t)1 << 50)
#define SPEED_MAX   10000000           /* megabits per second */
#define STORAGE_MAX ((int64_t)1 << 60) /* likewise, of storage */

enum kind {
    TEXT,
    LINES, /* a text of several lines, as one */
    REF,
    UUID,
    NUMBER,
    FLAG,
    TIME,
    OWN, /* not on the wire */
    /* Read whole, element by element: */
    DOING,
    HAS,       /* a set: whether `key` is in it */
    COUNT,     /* a set: how many there are */
    ITEMS,     /* a set as one text */
    ADDRESSES, /* the map of a guest's addresses as one text */
};
static const char *const kind_names[] = {
    [TEXT] = "text",     [LINES] = "text",       [REF] = "ref",   [UUID] = "uuid",
    [NUMBER] = "number", [FLAG] = "flag",        [TIME] = "time", [HAS] = "set",
    [COUNT] = "set",     [DOING] = "operations", [ITEMS] = "set", [ADDRESSES] = "map",
};

struct field {
    const char *name;
    const char *key; /* of a map or set: the member that is meant */
    enum kind kind;
    bool wakes; /* worth a poll at once */
    size_t offset;
    int64_t min, max;
};

#define AT(type, member) offsetof(struct xapi_##type, member)

static const struct field pool[] = {
    {"name_label", NULL, TEXT, true, AT(pool, name), 0, 0},
    {"master", NULL, REF, true, AT(pool, master), 0, 0},
    {"ha_enabled", NULL, FLAG, true, AT(pool, ha_enabled), 0, 0},
    {"ha_plan_exists_for", NULL, NUMBER, true, AT(pool, ha_tolerates), 0, XC_MAX_HOSTS},
};
static const struct field host[] = {
    {"uuid", NULL, UUID, true, AT(host, uuid), 0, 0},
    {"name_label", NULL, TEXT, true, AT(host, name), 0, 0},
    {"address", NULL, TEXT, true, AT(host, address), 0, 0},
    {"metrics", NULL, REF, true, AT(host, metrics), 0, 0},
    {"software_version", "product_brand", TEXT, true, AT(host, brand), 0, 0},
    {"software_version", "product_version", TEXT, true, AT(host, version), 0, 0},
    {"software_version", "xen", TEXT, true, AT(host, xen), 0, 0},
    {"software_version", "linux", TEXT, true, AT(host, kernel), 0, 0},
    {"cpu_info", "modelname", TEXT, true, AT(host, cpu_model), 0, 0},
    {"cpu_info", "speed", TEXT, false, AT(host, cpu_mhz), 0, 0},
    {"cpu_info", "cpu_count", NUMBER, true, AT(host, cpus), 1, 65536},
    {"cpu_info", "socket_count", NUMBER, true, AT(host, sockets), 1, 65536},
    {"cpu_info", "threads_per_core", NUMBER, true, AT(host, threads), 1, 1024},
    {"other_config", "boot_time", TEXT, true, AT(host, boot_time), 0, 0},
    {"other_config", "agent_start_time", TEXT, false, AT(host, agent_start), 0, 0},
    {"enabled", NULL, FLAG, true, AT(host, enabled), 0, 0},
    {"pending_guidances", "reboot_host", HAS, true, AT(host, reboot_due), 0, 0},
    {"updates_requiring_reboot", NULL, COUNT, true, AT(host, reboots_waiting), 0, 0},
    {"latest_synced_updates_applied", NULL, TEXT, true, AT(host, updated), 0, 0},
};
static const struct field host_metrics[] = {
    {"live", NULL, FLAG, true, AT(host_metrics, live), 0, 0},
    {"memory_total", NULL, NUMBER, true, AT(host_metrics, memory_total), 1, OCTETS_MAX},
};
static const struct field vm[] = {
    {"uuid", NULL, UUID, true, AT(vm, uuid), 0, 0},
    {"name_label", NULL, TEXT, true, AT(vm, name), 0, 0},
    {"power_state", NULL, TEXT, true, AT(vm, power_state), 0, 0},
    {"current_operations", NULL, DOING, true, AT(vm, doing), 0, 0},
    {"resident_on", NULL, REF, true, AT(vm, resident_on), 0, 0},
    {"scheduled_to_be_resident_on", NULL, REF, false, AT(vm, going_to), 0, 0},
    {"affinity", NULL, REF, true, AT(vm, affinity), 0, 0},
    {"metrics", NULL, REF, true, AT(vm, metrics), 0, 0},
    {"guest_metrics", NULL, REF, true, AT(vm, guest_metrics), 0, 0},
    {"domain_type", NULL, TEXT, true, AT(vm, domain_type), 0, 0},
    {"is_a_template", NULL, FLAG, true, AT(vm, is_template), 0, 0},
    {"is_a_snapshot", NULL, FLAG, true, AT(vm, is_snapshot), 0, 0},
    {"is_control_domain", NULL, FLAG, true, AT(vm, is_control), 0, 0},
    {"domid", NULL, NUMBER, true, AT(vm, domid), 0, 65535},
    {"VCPUs_max", NULL, NUMBER, true, AT(vm, vcpus_max), 1, 4096},
    {"VCPUs_at_startup", NULL, NUMBER, true, AT(vm, vcpus_start), 1, 4096},
    {"memory_static_max", NULL, NUMBER, true, AT(vm, memory_max), 1, OCTETS_MAX},
    {"memory_dynamic_min", NULL, NUMBER, true, AT(vm, memory_dynamic_min), 1, OCTETS_MAX},
    {"memory_dynamic_max", NULL, NUMBER, true, AT(vm, memory_dynamic_max), 1, OCTETS_MAX},
    {"other_config", "xensnmp-op", TEXT, false, AT(vm, mark), 0, 0},
    {"other_config", "xensnmp-task", TEXT, false, AT(vm, task_mark), 0, 0},
    {"other_config", "xensnmp-made", TEXT, false, AT(vm, made_by), 0, 0},
    {"other_config", "disks", TEXT, true, AT(vm, unmade), 0, 0},
    {"other_config", "base_template_name", TEXT, true, AT(vm, base_template), 0, 0},
    {"reference_label", NULL, TEXT, true, AT(vm, reference_label), 0, 0},
    {"tags", NULL, ITEMS, true, AT(vm, tags), 0, 0},
    {"snapshot_of", NULL, REF, true, AT(vm, snapshot_of), 0, 0},
    {"snapshot_time", NULL, TIME, true, AT(vm, snapshot_time), 1, G_MAXINT64},
    {"appliance", NULL, REF, true, AT(vm, appliance), 0, 0},
    {"order", NULL, NUMBER, true, AT(vm, order), 0, G_MAXINT32},
    {"start_delay", NULL, NUMBER, true, AT(vm, start_delay), 0, G_MAXINT32},
    {"", NULL, OWN, false, AT(vm, last_host), 0, 0},
    {"", NULL, OWN, false, AT(vm, doing_task), 0, 0},
};
static const struct field vm_metrics[] = {
    {"VCPUs_number", NULL, NUMBER, true, AT(vm_metrics, vcpus), 1, 4096},
    {"memory_actual", NULL, NUMBER, false, AT(vm_metrics, memory_actual), 1, OCTETS_MAX},
    {"start_time", NULL, TIME, true, AT(vm_metrics, started), 1, G_MAXINT64},
};
static const struct field vm_guest_metrics[] = {
    {"PV_drivers_detected", NULL, FLAG, true, AT(vm_guest_metrics, pv_drivers), 0, 0},
    {"PV_drivers_up_to_date", NULL, FLAG, true, AT(vm_guest_metrics, pv_drivers_new), 0, 0},
    {"os_version", "name", TEXT, true, AT(vm_guest_metrics, os), 0, 0},
    {"networks", NULL, ADDRESSES, true, AT(vm_guest_metrics, addresses), 0, 0},
};
static const struct field vif[] = {
    {"VM", NULL, REF, true, AT(vif, vm), 0, 0},
    {"network", NULL, REF, true, AT(vif, network), 0, 0},
    {"MAC", NULL, TEXT, true, AT(vif, mac), 0, 0},
    {"device", NULL, NUMBER, true, AT(vif, device), 0, 65535},
};
static const struct field vbd[] = {
    {"VM", NULL, REF, true, AT(vbd, vm), 0, 0},
    {"VDI", NULL, REF, true, AT(vbd, vdi), 0, 0},
    {"device", NULL, TEXT, true, AT(vbd, device), 0, 0},
    {"mode", NULL, TEXT, true, AT(vbd, mode), 0, 0},
    {"userdevice", NULL, NUMBER, true, AT(vbd, place), 0, 65535},
    {"empty", NULL, FLAG, true, AT(vbd, empty), 0, 0},
};
static const struct field vdi[] = {
    {"name_label", NULL, TEXT, true, AT(vdi, name), 0, 0},
};
static const struct field network[] = {
    {"name_label", NULL, TEXT, true, AT(network, name), 0, 0},
    {"bridge", NULL, TEXT, true, AT(network, bridge), 0, 0},
};
/* Storage that can't tell its size says 0 or -1, of what is taken -1. */
static const struct field sr[] = {
    {"uuid", NULL, UUID, true, AT(sr, uuid), 0, 0},
    {"name_label", NULL, TEXT, true, AT(sr, name), 0, 0},
    {"type", NULL, TEXT, true, AT(sr, type), 0, 0},
    {"shared", NULL, FLAG, true, AT(sr, shared), 0, 0},
    {"physical_size", NULL, NUMBER, true, AT(sr, size), 1, STORAGE_MAX},
    {"physical_utilisation", NULL, NUMBER, true, AT(sr, used), 0, STORAGE_MAX},
    {"virtual_allocation", NULL, NUMBER, true, AT(sr, allocated), 0, STORAGE_MAX},
};
static const struct field pbd[] = {
    {"SR", NULL, REF, true, AT(pbd, sr), 0, 0},
    {"currently_attached", NULL, FLAG, true, AT(pbd, attached), 0, 0},
};
/* VLAN -1: none. */
static const struct field pif[] = {
    {"uuid", NULL, UUID, true, AT(pif, uuid), 0, 0},
    {"host", NULL, REF, true, AT(pif, host), 0, 0},
    {"device", NULL, TEXT, true, AT(pif, device), 0, 0},
    {"MAC", NULL, TEXT, true, AT(pif, mac), 0, 0},
    {"VLAN", NULL, NUMBER, true, AT(pif, vlan), 0, 4095},
    {"management", NULL, FLAG, true, AT(pif, management), 0, 0},
    {"network", NULL, REF, true, AT(pif, network), 0, 0},
    {"metrics", NULL, REF, true, AT(pif, metrics), 0, 0},
    {"bond_slave_of", NULL, REF, true, AT(pif, bond), 0, 0},
};
/* A link that is down has speed 0. */
static const struct field pif_metrics[] = {
    {"carrier", NULL, FLAG, true, AT(pif_metrics, carrier), 0, 0},
    {"speed", NULL, NUMBER, true, AT(pif_metrics, speed), 1, SPEED_MAX},
};
static const struct field bond[] = {
    {"master", NULL, REF, true, AT(bond, master), 0, 0},
};
static const struct field vm_appliance[] = {
    {"uuid", NULL, UUID, true, AT(vm_appliance, uuid), 0, 0},
    {"name_label", NULL, TEXT, true, AT(vm_appliance, name), 0, 0},
};
static const struct field message[] = {
    {"uuid", NULL, UUID, true, AT(message, uuid), 0, 0},
    {"timestamp", NULL, TIME, true, AT(message, time), 1, G_MAXINT64},
    {"priority", NULL, NUMBER, true, AT(message, priority), 0, 100},
    {"obj_uuid", NULL, UUID, true, AT(message, about), 0, 0},
    {"name", NULL, TEXT, true, AT(message, name), 0, 0},
    {"body", NULL, LINES, true, AT(message, body), 0, 0},
};

static const struct {
    const char *name;
    const struct field *fields;
    unsigned n_fields;
    size_t size;
} classes[XAPI_N_CLASSES] = {
    [XAPI_POOL] = {"pool", pool, G_N_ELEMENTS(pool), sizeof(struct xapi_pool)},
    [XAPI_HOST] = {"host", host, G_N_ELEMENTS(host), sizeof(struct xapi_host)},
    [XAPI_HOST_METRICS] = {"host_metrics", host_metrics, G_N_ELEMENTS(host_metrics),
                           sizeof(struct xapi_host_metrics)},
    [XAPI_VM] = {"VM", vm, G_N_ELEMENTS(vm), sizeof(struct xapi_vm)},
    [XAPI_VM_METRICS] = {"VM_metrics", vm_metrics, G_N_ELEMENTS(vm_metrics),
                         sizeof(struct xapi_vm_metrics)},
    [XAPI_VM_GUEST_METRICS] = {"VM_guest_metrics", vm_guest_metrics, G_N_ELEMENTS(vm_guest_metrics),
                               sizeof(struct xapi_vm_guest_metrics)},
    [XAPI_VIF] = {"VIF", vif, G_N_ELEMENTS(vif), sizeof(struct xapi_vif)},
    [XAPI_VBD] = {"VBD", vbd, G_N_ELEMENTS(vbd), sizeof(struct xapi_vbd)},
    [XAPI_VDI] = {"VDI", vdi, G_N_ELEMENTS(vdi), sizeof(struct xapi_vdi)},
    [XAPI_NETWORK] = {"network", network, G_N_ELEMENTS(network), sizeof(struct xapi_network)},
    [XAPI_SR] = {"SR", sr, G_N_ELEMENTS(sr), sizeof(struct xapi_sr)},
    [XAPI_PBD] = {"PBD", pbd, G_N_ELEMENTS(pbd), sizeof(struct xapi_pbd)},
    [XAPI_PIF] = {"PIF", pif, G_N_ELEMENTS(pif), sizeof(struct xapi_pif)},
    [XAPI_PIF_METRICS] = {"PIF_metrics", pif_metrics, G_N_ELEMENTS(pif_metrics),
                          sizeof(struct xapi_pif_metrics)},
    [XAPI_BOND] = {"Bond", bond, G_N_ELEMENTS(bond), sizeof(struct xapi_bond)},
    [XAPI_VM_APPLIANCE] = {"VM_appliance", vm_appliance, G_N_ELEMENTS(vm_appliance),
                           sizeof(struct xapi_vm_appliance)},
    [XAPI_MESSAGE] = {"message", message, G_N_ELEMENTS(message), sizeof(struct xapi_message)},
};

static const struct {
    const char *name;
    enum xapi_doing doing;
} operations[] = {
    {"provision", XAPI_DOING_PROVISION},     {"start", XAPI_DOING_START},
    {"start_on", XAPI_DOING_START},          {"resume", XAPI_DOING_RESUME},
    {"resume_on", XAPI_DOING_RESUME},        {"clean_reboot", XAPI_DOING_REBOOT},
    {"hard_reboot", XAPI_DOING_REBOOT},      {"pause", XAPI_DOING_PAUSE},
    {"unpause", XAPI_DOING_UNPAUSE},         {"suspend", XAPI_DOING_SUSPEND},
    {"clean_shutdown", XAPI_DOING_SHUTDOWN}, {"hard_shutdown", XAPI_DOING_SHUTDOWN},
    {"shutdown", XAPI_DOING_SHUTDOWN},       {"pool_migrate", XAPI_DOING_MIGRATE},
    {"migrate_send", XAPI_DOING_MIGRATE},    {"import", XAPI_DOING_IMPORT},
};

enum xapi_class xapi_class_of(const char *name)
{
    unsigned i = 0;

    while (i < XAPI_N_CLASSES && g_ascii_strcasecmp(classes[i].name, name) != 0)
        i++;
    return (enum xapi_class)i;
}

const char *xapi_class_name(enum xapi_class class)
{
    return classes[class].name;
}

static void describe_class(GString *out, enum xapi_class class)
{
    for (unsigned i = 0; i < classes[class].n_fields; i++) {
        const struct field *field = &classes[class].fields[i];

        if (field->kind != OWN)
            g_string_append_printf(out, "field\t%s\t%s\t%s\t%s\n", classes[class].name, field->name,
                                   kind_names[field->kind], field->key ? field->key : "");
    }
}

char *xapi_fields_text(void)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < XAPI_N_CLASSES; i++)
        describe_class(out, (enum xapi_class)i);
    for (size_t i = 0; i < G_N_ELEMENTS(operations); i++)
        g_string_append_printf(out, "operation\t%s\n", operations[i].name);
    return g_string_free(out, FALSE);
}

/* --- members by the table */

static char **text_at(const struct field *field, const void *object)
{
    return (char **)(void *)((char *)(uintptr_t)object + field->offset);
}

static struct xapi_number *number_at(const struct field *field, const void *object)
{
    return (struct xapi_number *)(void *)((char *)(uintptr_t)object + field->offset);
}

static bool is_text(const struct field *field)
{
    return field->kind == TEXT || field->kind == LINES || field->kind == REF ||
           field->kind == OWN || field->kind == ITEMS || field->kind == ADDRESSES;
}

void *xapi_object_new(enum xapi_class class)
{
    struct xapi_object *object = g_malloc0(classes[class].size);

    object->class = class;
    return object;
}

void xapi_object_free(void *object)
{
    struct xapi_object *head = object;

    if (!object)
        return;
    for (unsigned i = 0; i < classes[head->class].n_fields; i++)
        if (is_text(&classes[head->class].fields[i]))
            g_free(*text_at(&classes[head->class].fields[i], object));
    g_free(head->ref);
    g_free(object);
}

size_t xapi_object_size(const void *object)
{
    enum xapi_class class = ((const struct xapi_object *)object)->class;
    size_t size = classes[class].size;

    for (unsigned i = 0; i < classes[class].n_fields; i++) {
        const struct field *field = &classes[class].fields[i];
        const char *text = is_text(field) ? *text_at(field, object) : NULL;

        size += text ? strlen(text) + 1 : 0;
    }
    return size;
}

static bool same(const struct field *field, const void *a, const void *b)
{
    const struct xapi_number *x, *y;

    switch (field->kind) {
    case TEXT:
    case LINES:
    case REF:
    case OWN:
    case ITEMS:
    case ADDRESSES:
        return g_strcmp0(*text_at(field, a), *text_at(field, b)) == 0;
    case UUID:
        return memcmp((const char *)a + field->offset, (const char *)b + field->offset,
                      sizeof(struct xc_uuid)) == 0;
    case DOING:
        return ((const struct xapi_vm *)a)->doing == ((const struct xapi_vm *)b)->doing;
    default:
        x = number_at(field, a);
        y = number_at(field, b);
        return x->known == y->known && (!x->known || x->value == y->value);
    }
}

bool xapi_object_differs(const void *a, const void *b)
{
    enum xapi_class class = ((const struct xapi_object *)a)->class;

    for (unsigned i = 0; i < classes[class].n_fields; i++)
        if (classes[class].fields[i].wakes && !same(&classes[class].fields[i], a, b))
            return true;
    return false;
}

/* --- reading */

static void take_text(char **to, const struct xc_xmlrpc_value *value)
{
    g_free(*to);
    *to = value->length ? xc_text_clean(value->text, value->length, XC_TEXT_MAX) : NULL;
}

static void take_lines(char **to, const struct xc_xmlrpc_value *value)
{
    g_autofree char *line = g_strdelimit(g_strndup(value->text, value->length), "\r\n\t", ' ');

    g_free(*to);
    *to = *line ? xc_text_clean(line, strlen(line), XC_TEXT_MAX) : NULL;
}

/* One that is cut would be another one. */
static void take_ref(char **to, const struct xc_xmlrpc_value *value)
{
    g_clear_pointer(to, g_free);
    if (value->length && value->length <= REF_OCTETS && strcmp(value->text, NULL_REF) != 0)
        *to = g_strdup(value->text);
}

static void take_number(const struct field *field, struct xapi_number *to,
                        const struct xc_xmlrpc_value *value)
{
    int64_t number = 0;
    bool flag = false;

    switch (field->kind) {
    case FLAG:
        to->known = xc_xmlrpc_bool(value, &flag);
        break;
    case TIME:
        to->known = xc_xmlrpc_date(value, &number) && number >= field->min;
        break;
    default:
        to->known = xc_xmlrpc_i64(value, field->min, field->max, &number);
    }
    to->value = field->kind == FLAG ? flag : number;
}

/* A member of current_operations: its name is the task, its value the operation. */
static void take_operation(struct xapi_vm *object, const struct xc_xmlrpc_value *value)
{
    for (size_t i = 0; i < G_N_ELEMENTS(operations); i++) {
        if (strcmp(operations[i].name, value->text) != 0 || operations[i].doing < object->doing)
            continue;
        object->doing = operations[i].doing;
        g_free(object->doing_task);
        object->doing_task = g_strndup(value->name, REF_OCTETS);
    }
}

/* What does not fit any more is left out. */
static void append_item(GString *list, const char *item)
{
    const char *between = list->len ? ", " : "";

    if (list->len + strlen(between) + strlen(item) <= XC_TEXT_MAX)
        g_string_append_printf(list, "%s%s", between, item);
}

/* Each once, in the order they came, or in front of those that came before. */
static void put_item(char **to, const char *item, bool front)
{
    g_auto(GStrv) before = g_strsplit(*to ? *to : "", ", ", -1);
    GString *list = g_string_new(front ? item : NULL);
    bool there = front;

    for (size_t i = 0; before[i]; i++) {
        bool same = strcmp(before[i], item) == 0;

        if (!(same && front))
            append_item(list, before[i]);
        there = there || same;
    }
    if (!there)
        append_item(list, item);
    g_free(*to);
    *to = g_string_free(list, FALSE);
}

/* "0/ip", "0/ipv4/0", "1/ipv6/0": what is no address, or good on its own link alone, nobody can use. */
static void take_address(char **to, const struct xc_xmlrpc_value *value)
{
    if (g_hostname_is_ip_address(value->text) && g_ascii_strncasecmp(value->text, "fe80:", 5) != 0)
        put_item(to, value->text, strcmp(value->name, "0/ip") == 0);
}

/* One element of what is read whole. */
static void take_element(const struct field *field, void *object,
                         const struct xc_xmlrpc_value *value)
{
    g_autofree char *item = NULL;

    switch (field->kind) {
    case HAS:
        if (strcmp(value->text, field->key) == 0)
            number_at(field, object)->value = 1;
        break;
    case COUNT:
        number_at(field, object)->value++;
        break;
    case ITEMS:
        item = xc_text_clean(value->text, value->length, XC_TEXT_MAX);
        if (*item)
            put_item(text_at(field, object), item, false);
        break;
    case ADDRESSES:
        take_address(text_at(field, object), value);
        break;
    default:
        take_operation(object, value);
    }
}

static bool is_scalar(const struct xc_xmlrpc_value *value)
{
    return value->kind < XC_XMLRPC_STRUCT;
}

static void take_field(const struct field *field, void *object, const struct xc_xmlrpc_value *value)
{
    /* A field of another form than expected is not known, no more. */
    if (!is_scalar(value))
        return;
    switch (field->kind) {
    case TEXT:
        take_text(text_at(field, object), value);
        break;
    case LINES:
        take_lines(text_at(field, object), value);
        break;
    case REF:
        take_ref(text_at(field, object), value);
        break;
    case UUID:
        if (!xc_uuid_parse(value->text, (struct xc_uuid *)(void *)((char *)object + field->offset)))
            memset((char *)object + field->offset, 0, sizeof(struct xc_uuid));
        break;
    case OWN:
        break;
    default:
        take_number(field, number_at(field, object), value);
    }
}

/* The row of a field, or of a member of the map that is being read; -1: nobody wants it. */
static int find(const struct xapi_record *record, unsigned depth, const char *name)
{
    const struct field *fields = classes[record->class].fields;
    unsigned n = classes[record->class].n_fields;

    if (!*name)
        return -1;
    for (unsigned i = depth == 2 ? record->field : 0; i < n; i++) {
        const struct field *field = &fields[i];

        /* Most are told apart by their first letter: this is done for each field of each record. */
        if (depth == 1 && field->name[0] == name[0] && strcmp(field->name, name) == 0)
            return (int)i;
        if (depth == 2 && field->key && strcmp(field->name, fields[record->field].name) == 0 &&
            strcmp(field->key, name) == 0)
            return (int)i;
    }
    return -1;
}

static bool is_whole(const struct field *field)
{
    return field->kind >= DOING;
}

/* That it is empty is known, too. */
static void begin_whole(const struct field *field, void *object,
                        const struct xc_xmlrpc_value *value)
{
    if (value->kind == XC_XMLRPC_ARRAY && (field->kind == HAS || field->kind == COUNT))
        *number_at(field, object) = (struct xapi_number){.known = true};
}

bool xapi_record_wants(struct xapi_record *record, unsigned depth, const char *name)
{
    int row;

    if (depth == 0)
        return true;
    if (depth == 2 && is_whole(&classes[record->class].fields[record->field]))
        return true;
    row = depth <= 2 ? find(record, depth, name) : -1;
    if (depth == 1 && row >= 0)
        record->field = (unsigned)row;
    return row >= 0;
}

bool xapi_record_take(struct xapi_record *record, const struct xc_xmlrpc_value *value,
                      unsigned depth)
{
    const struct field *fields = classes[record->class].fields;
    int row;

    if (depth == 0) {
        if (value->kind == XC_XMLRPC_STRUCT && !record->object)
            record->object = xapi_object_new(record->class);
        return record->object != NULL && !is_scalar(value);
    }
    if (depth == 1) {
        const struct field *field = &fields[record->field];

        /* Fields that are maps are taken by their members. */
        if (is_whole(field))
            begin_whole(field, record->object, value);
        else if (!field->key)
            take_field(field, record->object, value);
        return true;
    }
    if (is_whole(&fields[record->field])) {
        if (is_scalar(value))
            take_element(&fields[record->field], record->object, value);
        return true;
    }
    row = find(record, 2, value->name);
    if (row >= 0)
        take_field(&fields[row], record->object, value);
    return true;
}

static bool sink_wants(unsigned depth, const char *name, void *data)
{
    return xapi_record_wants(data, depth, name);
}

static bool sink_take(const struct xc_xmlrpc_value *value, void *data)
{
    return xapi_record_take(data, value, value->depth);
}

const struct xc_xmlrpc_sink xapi_record_sink = {sink_wants, sink_take};
