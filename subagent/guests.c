/* Choosing the rows of an SNMP context, and noticing when they change. */
#include "subagent/guests.h"

#include "xenclient/util/clock.h"

#include <string.h>

enum who { GUESTS, AND_CONTROL, EVERYTHING };

/* Rows of one generation of the fleet. */
struct choice {
    GPtrArray *rows; /* const struct xc_domain_ref * */
    uint64_t generation;
    bool made;
};

struct st_guests {
    struct choice guests;
    struct choice all;     /* and control domains */
    struct choice domains; /* everything that a host has ... */
    GArray *copies;        /* ... as struct xc_domain_ref */
    uint64_t members;      /* tells one set of guests from another */
    gint64 began_mono;     /* with the agent, or when the host was first seen */
    gint64 changed_mono;   /* when the set changed last; 0: nobody looked yet */
    gint64 changed_uptime; /* the uptime then; -1: it was not known */
    GArray *affinity;      /* struct st_affinity_row of ... */
    uint32_t affinity_of;  /* ... this domain, as of ... */
    gint64 affinity_mono;  /* ... a snapshot of this moment; 0: a stale one */
};

struct st_guests *st_guests_new(void)
{
    struct st_guests *guests = g_new0(struct st_guests, 1);

    guests->guests.rows = g_ptr_array_new();
    guests->all.rows = g_ptr_array_new();
    guests->domains.rows = g_ptr_array_new();
    guests->copies = g_array_new(FALSE, FALSE, sizeof(struct xc_domain_ref));
    guests->affinity = g_array_new(FALSE, FALSE, sizeof(struct st_affinity_row));
    guests->began_mono = xc_clock_mono();
    guests->changed_uptime = -1;
    return guests;
}

void *st_guests_free(struct st_guests *guests)
{
    if (!guests)
        return NULL;
    g_ptr_array_unref(guests->guests.rows);
    g_ptr_array_unref(guests->all.rows);
    g_ptr_array_unref(guests->domains.rows);
    g_array_unref(guests->copies);
    g_array_unref(guests->affinity);
    g_free(guests);
    return NULL;
}

/* --- rows */

static void add(GPtrArray *rows, const struct xc_domain_ref *ref, enum who who)
{
    const struct xc_domain *domain = xc_ref_domain(ref);

    /* Of a guest that is gone our own table keeps a row for a while; the standard has none. */
    if (ref->track->presence == XC_DELETED)
        return;
    if (who == EVERYTHING || xc_domain_is_guest(domain) ||
        (who == AND_CONTROL && domain->kind == XC_KIND_CONTROL))
        g_ptr_array_add(rows, (gpointer)ref);
}

/* A domain that several hosts know is on the one that our own tables name. */
static void add_host(GPtrArray *rows, const struct xc_engine *engine,
                     const struct xc_host_ref *host, enum who who)
{
    size_t n = 0;
    const struct xc_domain *const *domains =
        xc_snapshot_on_host(host->slot->snapshot, (uint32_t)host->row, &n);

    for (size_t i = 0; i < n; i++) {
        const struct xc_domain_ref *ref = xc_fleet_domain(engine, domains[i]->index);

        if (ref && ref->slot == host->slot && xc_ref_domain(ref)->host == (uint32_t)host->row)
            add(rows, ref, who);
    }
}

/* Any two sets of numbers have sums that differ, as good as certainly. */
static uint64_t mixed(uint64_t number)
{
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    return number ^ (number >> 31);
}

/* Whoever sees other guests than before sees another time of the last change, too. */
static void notice(struct st_guests *guests)
{
    const GPtrArray *rows = guests->guests.rows;
    uint64_t members = rows->len;

    for (guint i = 0; i < rows->len; i++)
        members += mixed(((const struct xc_domain_ref *)rows->pdata[i])->index);
    if (guests->changed_mono && guests->members == members)
        return;
    guests->members = members;
    guests->changed_mono = xc_clock_mono();
    guests->changed_uptime = -1;
}

static const struct xc_domain_ref *const *choose(const struct st_context *context,
                                                 struct choice *choice, enum who who, size_t *n)
{
    uint64_t generation = xc_fleet_generation(context->engine);

    if (!choice->made || choice->generation != generation) {
        g_ptr_array_set_size(choice->rows, 0);
        if (context->host) {
            const struct xc_host_ref *host = xc_fleet_host(context->engine, context->host);

            if (host && host->row >= 0)
                add_host(choice->rows, context->engine, host, who);
        } else {
            size_t n_refs = 0;
            const struct xc_domain_ref *refs = xc_fleet_domains(context->engine, &n_refs);

            for (size_t i = 0; i < n_refs; i++)
                add(choice->rows, &refs[i], who);
        }
        choice->generation = generation;
        choice->made = true;
        if (who == GUESTS)
            notice(context->guests);
    }
    *n = choice->rows->len;
    return (const struct xc_domain_ref *const *)choice->rows->pdata;
}

const struct xc_domain_ref *const *st_guests_rows(const struct st_context *context, size_t *n)
{
    return choose(context, &context->guests->guests, GUESTS, n);
}

const struct xc_domain_ref *const *st_guests_and_control(const struct st_context *context,
                                                         size_t *n)
{
    return choose(context, &context->guests->all, AND_CONTROL, n);
}

const struct xc_domain_ref *st_guests_domains(const struct st_context *context, size_t *n)
{
    struct st_guests *guests = context->guests;
    struct choice *choice = &guests->domains;
    bool fresh = choice->made && choice->generation == xc_fleet_generation(context->engine);
    const struct xc_domain_ref *const *rows = choose(context, choice, EVERYTHING, n);

    if (!fresh) {
        g_array_set_size(guests->copies, 0);
        for (size_t i = 0; i < *n; i++)
            g_array_append_vals(guests->copies, rows[i], 1);
    }
    return (const struct xc_domain_ref *)(const void *)guests->copies->data;
}

/* --- times */

const struct xc_host_ref *st_context_host(const struct st_context *context)
{
    size_t n = 0;
    const struct xc_host_ref *hosts = xc_fleet_hosts(context->engine, &n);

    if (context->host)
        return xc_fleet_host(context->engine, context->host);
    return n == 1 ? hosts : NULL;
}

bool st_guests_uptime(const struct st_context *context, gint64 *usec)
{
    const struct xc_host_ref *ref = st_context_host(context);
    const struct xc_field *field = &xc_host_type.fields[XC_HOST_uptime_sec];
    const struct xc_snapshot *snapshot;

    if (!ref && !context->host) {
        *usec = xc_clock_mono() - context->guests->began_mono;
        return true;
    }
    if (!ref || !xc_host_ref_shows(ref, field))
        return false;
    snapshot = ref->slot->snapshot;
    *usec = (gint64)snapshot->hosts[ref->row].uptime_sec * XC_USEC_PER_SEC + xc_clock_mono() -
            snapshot->taken_mono;
    return true;
}

void st_guests_look(const struct st_context *context)
{
    size_t n = 0;

    st_guests_rows(context, &n);
}

bool st_guests_last_change(const struct st_context *context, gint64 *usec)
{
    struct st_guests *guests = context->guests;
    gint64 uptime = 0;

    st_guests_look(context);
    if (!st_guests_uptime(context, &uptime))
        return false;
    /* Kept as it was found once: the host tells its uptime in seconds, so it would not come out the same again. */
    if (guests->changed_uptime < 0)
        guests->changed_uptime = MAX(uptime - (xc_clock_mono() - guests->changed_mono), 0);
    if (guests->changed_uptime > uptime)
        guests->changed_uptime = 0; /* the hypervisor began anew since, and so did the table */
    *usec = guests->changed_uptime;
    return true;
}

/* --- affinity */

/* Of more processors than this no host has been heard. */
#define MAX_CPUS 8192

/* Reads a number of a list and goes behind it; -1: there is none. */
static int64_t read_number(const char **at)
{
    int64_t number = 0;

    if (!g_ascii_isdigit(**at))
        return -1;
    for (; g_ascii_isdigit(**at); (*at)++) {
        number = number * 10 + (**at - '0');
        if (number > MAX_CPUS)
            return -1;
    }
    return number;
}

enum st_affinity st_affinity_of(const char *list, uint32_t cpu)
{
    enum st_affinity found = ST_AFFINITY_NO;

    if (strcmp(list, "all") == 0)
        return ST_AFFINITY_YES;
    for (;;) {
        int64_t first = read_number(&list);
        int64_t last = first;

        if (first >= 0 && *list == '-') {
            list++;
            last = read_number(&list);
        }
        if (first < 0 || last < first)
            return ST_AFFINITY_UNKNOWN;
        if (cpu >= first && cpu <= last)
            found = ST_AFFINITY_YES;
        if (*list == '\0')
            return found;
        if (*list++ != ',')
            return ST_AFFINITY_UNKNOWN;
    }
}

static void add_affinity(GArray *rows, const struct xc_vcpu *vcpu, bool live, uint32_t cpus)
{
    bool known = live && XC_HAS(VCPU, vcpu, affinity);

    for (uint32_t cpu = 0; cpu < cpus; cpu++) {
        const struct st_affinity_row row = {vcpu->index, cpu + 1,
                                            known ? st_affinity_of(vcpu->affinity, cpu)
                                                  : ST_AFFINITY_UNKNOWN};

        g_array_append_val(rows, row);
    }
}

const struct st_affinity_row *st_guests_affinity(const struct st_context *context,
                                                 const struct xc_domain_ref *ref, size_t *n)
{
    struct st_guests *guests = context->guests;
    const struct xc_snapshot *snapshot = ref->slot->snapshot;
    const struct xc_domain *domain = xc_ref_domain(ref);
    const struct xc_host *host =
        domain->host < snapshot->n_hosts ? &snapshot->hosts[domain->host] : NULL;

    gint64 stamp = xc_slot_stale(ref->slot) ? 0 : snapshot->taken_mono;

    /* A walk comes back for the next row of the same guest. */
    if (guests->affinity_of != ref->index || guests->affinity_mono != stamp) {
        uint32_t cpus = host && XC_HAS(HOST, host, cpus) ? (uint32_t)MIN(host->cpus, MAX_CPUS) : 0;
        size_t n_vcpus = 0;
        const struct xc_vcpu *vcpus = xc_snapshot_devices(snapshot, domain, XC_VCPUS, &n_vcpus);

        g_array_set_size(guests->affinity, 0);
        for (size_t i = 0; i < n_vcpus; i++)
            add_affinity(guests->affinity, &vcpus[i], stamp != 0, cpus);
        guests->affinity_of = ref->index;
        guests->affinity_mono = stamp;
    }
    *n = guests->affinity->len;
    return (const struct st_affinity_row *)(const void *)guests->affinity->data;
}
