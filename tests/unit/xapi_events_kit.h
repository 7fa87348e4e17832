/* Makes answers of event.from: a small pool that tests change. */
#pragma once

#include "tests/unit/xapi_fixture.h"

/* A field of a record, as it is on the wire. */
#define FIELD(name, value)  "<member><name>" name "</name><value>" value "</value></member>"
#define FLAG(name, value)   FIELD(name, "<boolean>" value "</boolean>")
#define MAP(name, members)  FIELD(name, "<struct>" members "</struct>")
#define SET_BEGIN(name)     "<member><name>" name "</name><value><array><data>"
#define SET_END             "</data></array></value></member>"
#define SET(name, elements) SET_BEGIN(name) elements SET_END
#define ELEMENT(text)       "<value>" text "</value>"
#define DATE(name, value)   FIELD(name, "<dateTime.iso8601>" value "</dateTime.iso8601>")
#define UUID_OF(letter, n)  "0000000" n "-0000-4000-8000-00000000000" letter
#define REF(text)           "OpaqueRef:" text

/* An event; fields NULL: it tells of no record. */
G_GNUC_UNUSED static void kit_event(GString *events, const char *class, const char *operation,
                                    const char *ref, const char *fields)
{
    g_string_append_printf(
        events,
        "<value><struct>" FIELD("id", "7") FIELD("timestamp", "0.0") FIELD("class", "%s")
            FIELD("operation", "%s") FIELD("ref", "%s") "%s%s%s</struct></value>",
        class, operation, ref, fields ? "<member><name>snapshot</name><value><struct>" : "",
        fields ? fields : "", fields ? "</struct></value></member>" : "");
}

/* counts: members of valid_ref_counts. Frees events. */
G_GNUC_UNUSED static char *kit_answer(GString *events, const char *counts, const char *token)
{
    g_autofree char *all = g_string_free(events, FALSE);
    g_autofree char *value = g_strdup_printf(
        "<struct>" FIELD("events", "<array><data>%s</data></array>")
            FIELD("valid_ref_counts", "<struct>%s</struct>") FIELD("token", "%s") "</struct>",
        all, counts, token);

    return xapi_success(value);
}

#define KIT_VM_FIELDS(n, name, state, host, rest)                                                  \
    FIELD("uuid", UUID_OF("a", n))                                                                 \
    FIELD("name_label", name)                                                                      \
    FIELD("power_state", state)                                                                    \
    FIELD("resident_on", host)                                                                     \
    FLAG("is_a_template", "0")                                                                     \
    FLAG("is_a_snapshot", "0")                                                                     \
    FIELD("VCPUs_max", "4")                                                                        \
    FIELD("VCPUs_at_startup", "2")                                                                 \
    FIELD("memory_static_max", "4294967296")                                                       \
    FIELD("memory_dynamic_max", "2147483648")                                                      \
    FIELD("metrics", REF("vmm" n))                                                                 \
    FIELD("guest_metrics", REF("vmg" n)) FIELD("domain_type", "hvm") rest

/* Two hosts, of which the first is the coordinator; dom0 of it; guests 1 (running on the first host), 2 (halted), 3
 * (running on the second); a template, a snapshot, one being imported. */
G_GNUC_UNUSED static GString *kit_pool(void)
{
    GString *e = g_string_new(NULL);

    kit_event(e, "pool", "add", REF("pool"), FIELD("master", REF("h1")));
    kit_event(e, "host", "add", REF("h1"),
              FIELD("uuid", UUID_OF("1", "0")) FIELD("name_label", "xen1")
                  FIELD("address", "192.0.2.1") FIELD("metrics", REF("m1"))
                      MAP("software_version",
                          FIELD("product_brand", "XCP-ng") FIELD("product_version", "8.3.0")
                              FIELD("xen", "4.17.5") FIELD("linux", "4.19.0+1"))
                          MAP("cpu_info", FIELD("cpu_count", "16") FIELD("socket_count", "2")
                                              FIELD("speed", "2399.976") FIELD("modelname", "Xeon"))
                              MAP("other_config", FIELD("boot_time", "1699990000.")));
    kit_event(e, "host", "add", REF("h2"),
              FIELD("uuid", UUID_OF("2", "0")) FIELD("name_label", "xen2")
                  FIELD("address", "192.0.2.2") FIELD("metrics", REF("m2")));
    kit_event(e, "host_metrics", "add", REF("m1"),
              FLAG("live", "1") FIELD("memory_total", "17179869184"));
    kit_event(e, "host_metrics", "add", REF("m2"),
              FLAG("live", "1") FIELD("memory_total", "17179869184"));
    kit_event(e, "vm", "add", REF("dom0"),
              KIT_VM_FIELDS("9", "Control domain", "Running", REF("h1"),
                            FLAG("is_control_domain", "1") FIELD("domid", "0")));
    kit_event(e, "vm", "add", REF("v1"),
              KIT_VM_FIELDS("1", "web &amp; shop", "Running", REF("h1"), FIELD("domid", "7")));
    kit_event(e, "vm", "add", REF("v2"),
              KIT_VM_FIELDS("2", "db", "Halted", REF("NULL"),
                            FIELD("domid", "-1") FIELD("affinity", REF("h2"))));
    kit_event(e, "vm", "add", REF("v3"),
              KIT_VM_FIELDS("3", "mail", "Running", REF("h2"), FIELD("domid", "3")));
    kit_event(e, "vm", "add", REF("t1"),
              KIT_VM_FIELDS("4", "Debian", "Halted", REF("NULL"), FLAG("is_a_template", "1")));
    kit_event(e, "vm", "add", REF("s1"),
              KIT_VM_FIELDS("5", "before", "Halted", REF("NULL"), FLAG("is_a_snapshot", "1")));
    kit_event(e, "vm", "add", REF("i1"),
              KIT_VM_FIELDS("6", "incoming", "Halted", REF("NULL"),
                            MAP("current_operations", FIELD(REF("task"), "import"))));
    kit_event(e, "VM_metrics", "add", REF("vmm1"),
              FIELD("VCPUs_number", "2") FIELD("memory_actual", "2147483648")
                  DATE("start_time", "20231114T21:00:00Z"));
    kit_event(e, "VM_guest_metrics", "add", REF("vmg1"), FLAG("PV_drivers_detected", "1"));
    kit_event(e, "VIF", "add", REF("vif1"),
              FIELD("VM", REF("v1")) FIELD("device", "0") FIELD("MAC", "00:16:3e:00:00:01")
                  FIELD("network", REF("net1")));
    kit_event(e, "network", "add", REF("net1"), FIELD("bridge", "xenbr0"));
    kit_event(e, "VBD", "add", REF("vbd1"),
              FIELD("VM", REF("v1")) FIELD("device", "xvda") FIELD("userdevice", "0")
                  FIELD("mode", "RW") FIELD("VDI", REF("vdi1")));
    kit_event(e, "VBD", "add", REF("vbd2"),
              FIELD("VM", REF("v1")) FIELD("device", "") FIELD("userdevice", "3")
                  FIELD("mode", "RO") FLAG("empty", "1") FIELD("VDI", REF("NULL")));
    kit_event(e, "VDI", "add", REF("vdi1"), FIELD("name_label", "web root"));
    return e;
}
