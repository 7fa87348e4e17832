/* What tests of whole polls share: one connection's memory, answers composed of parts, and objects
 * shown as text. */
#pragma once

#include "xenclient/drivers/xl_parse.h"

#include "tests/unit/xl_fixture.h"

#include <string.h>

/* One connection's polls. */
struct poll_kit {
    struct xl_memory *memory;
    struct xc_report *report;
    GPtrArray *warnings;
};

static inline void set_up(struct poll_kit *f, gconstpointer data)
{
    (void)data;
    f->memory = xl_memory_new();
    f->report = xc_report_new();
    f->warnings = g_ptr_array_new_with_free_func(g_free);
}

static inline void tear_down(struct poll_kit *f, gconstpointer data)
{
    (void)data;
    xl_memory_free(f->memory);
    xc_report_free(f->report);
    g_ptr_array_unref(f->warnings);
}

static inline void poll_text(struct poll_kit *f, const char *text, size_t length)
{
    g_autoptr(GError) error = NULL;

    xc_report_free(f->report);
    f->report = xc_report_new();
    g_ptr_array_set_size(f->warnings, 0);
    xl_parse_poll(text, length, NULL, XL_NONCE, f->memory, f->report, f->warnings, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(f->report->hosts->len, ==, 1);
    g_assert_true(xc_report_check(f->report));
}

static inline void poll_file(struct poll_kit *f, const char *name)
{
    size_t length;
    g_autofree char *text = xl_fixture(name, &length);

    poll_text(f, text, length);
}

static inline char *script(const struct poll_kit *f, bool with_configs)
{
    struct xl_poll_options options = {
        .nonce = XL_NONCE, .prefix = "", .config_dirs = "/etc/xen", .with_configs = with_configs};

    return xl_poll_script(&options, f->memory);
}

/* An object's known fields as "name=value ..." in the dictionary's order. */
static inline char *show(const struct xc_object *type, const void *object)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < type->n_fields; i++)
        if (xc_has(object, i)) {
            g_autofree char *value = xc_field_format(&type->fields[i], object);

            g_string_append_printf(out, "%s%s=%s", out->len ? " " : "", type->fields[i].name,
                                   value);
        }
    return g_string_free(out, FALSE);
}

static inline guint ordinal_of(const struct poll_kit *f, const char *name)
{
    for (guint i = 0; i < f->report->domains->len; i++) {
        const struct xc_domain *domain = &g_array_index(f->report->domains, struct xc_domain, i);

        if (XC_HAS(DOMAIN, domain, name) && strcmp(domain->name, name) == 0)
            return i;
    }
    g_error("no domain %s", name);
}

static inline void assert_domain(const struct poll_kit *f, const char *name, const char *expected)
{
    g_autofree char *shown = show(
        &xc_domain_type, &g_array_index(f->report->domains, struct xc_domain, ordinal_of(f, name)));

    g_assert_cmpstr(shown, ==, expected);
}

/* All devices of a domain, one per line. */
static inline char *devices(const struct poll_kit *f, const char *name)
{
    guint ordinal = ordinal_of(f, name);
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < f->report->vifs->len; i++) {
        const struct xc_vif *vif = &g_array_index(f->report->vifs, struct xc_vif, i);
        g_autofree char *text = vif->domain == ordinal ? show(&xc_vif_type, vif) : NULL;

        if (text)
            g_string_append_printf(out, "vif %s\n", text);
    }
    for (guint i = 0; i < f->report->vbds->len; i++) {
        const struct xc_vbd *vbd = &g_array_index(f->report->vbds, struct xc_vbd, i);
        g_autofree char *text = vbd->domain == ordinal ? show(&xc_vbd_type, vbd) : NULL;

        if (text)
            g_string_append_printf(out, "vbd %s\n", text);
    }
    for (guint i = 0; i < f->report->vcpus->len; i++) {
        const struct xc_vcpu *vcpu = &g_array_index(f->report->vcpus, struct xc_vcpu, i);
        g_autofree char *text = vcpu->domain == ordinal ? show(&xc_vcpu_type, vcpu) : NULL;

        if (text)
            g_string_append_printf(out, "vcpu %s\n", text);
    }
    return g_string_free(out, FALSE);
}

static inline void assert_devices(const struct poll_kit *f, const char *name, const char *expected)
{
    g_autofree char *shown = devices(f, name);

    g_assert_cmpstr(shown, ==, expected);
}

static inline bool warned(const struct poll_kit *f, const char *text)
{
    for (guint i = 0; i < f->warnings->len; i++)
        if (strstr(g_ptr_array_index(f->warnings, i), text))
            return true;
    return false;
}

#define GUEST_TAIL " counter_kind=exact"
#define NO_NET     " net_rx_bytes=0 net_tx_bytes=0 net_rx_packets=0 net_tx_packets=0"
#define NO_DISK    " disk_rd_bytes=0 disk_wr_bytes=0 disk_rd_ops=0 disk_wr_ops=0"
#define SIZE_96    " vcpus=1 vcpus_max=1 mem_kib=98304 mem_target_kib=98304 mem_max_kib=98304"

struct poll_parts {
    const char *list;    /* fixture name or text with HEADER */
    const char *vcpus;   /* fixture name or lines */
    const char *store;   /* fixture name or lines */
    const char *files;   /* lines */
    const char *paths;   /* lines */
    const char *configs; /* lines; NULL: nobody looked */
    const char *clock;   /* "uptime\ndate\n" */
    const char *saves;   /* status, newline, lines; NULL: nobody looked */
};

#define MARK   "\n#" XL_NONCE " "
#define HEADER "Name                                        ID   Mem VCPUs\tState\tTime(s)\n"
#define ROW(name, id, state, uuid)                                                                 \
    name "      " id "    96     1     " state                                                     \
         "       3.6 00000000-0000-4000-8000-0000000000" uuid "        -                -\n"
#define DOM0                                                                                       \
    "Domain-0    0   512     1     r-----      91.6 00000000-0000-0000-0000-000000000000    -   "  \
    "  -\n"

static inline char *part(const char *name)
{
    return g_str_has_suffix(name, ".txt") ? xl_fixture(name, NULL) : g_strdup(name);
}

static inline void poll_parts(struct poll_kit *f, const struct poll_parts *p)
{
    g_autofree char *list = part(p->list);
    g_autofree char *info = part("info/mixed.txt");
    g_autofree char *vcpus = part(p->vcpus ? p->vcpus : "");
    g_autofree char *store = part(p->store ? p->store : "");
    g_autofree char *text = g_strconcat(
        "welcome\n" MARK "list 0\n", list, p->saves ? MARK "saves " : "", p->saves ? p->saves : "",
        MARK "clock ", p->clock ? p->clock : "100.5\n", "\n", MARK "info 0\n", info, MARK "vcpus\n",
        vcpus, MARK "files\n", p->files ? p->files : "", MARK "paths\n", p->paths ? p->paths : "",
        MARK "store\n", store, p->configs ? MARK "stamp\nx\n" : "",
        p->configs ? MARK "configs\n" : "", p->configs ? p->configs : "", MARK "end\n", NULL);

    poll_text(f, text, strlen(text));
}
