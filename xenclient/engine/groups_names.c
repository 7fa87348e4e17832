/* What the texts of members stand for: by uuid, by name or by host/name, as xenNameTable has them. The fleet may have many
 * more domains than groups have members, so it is the domains that are looked up among the members' texts. */
#include "xenclient/engine/private.h"

#include <string.h>

struct xc_member_names {
    uint64_t generation, definitions; /* of which this is true */
    GHashTable *texts;                /* char *, those of all members -> struct found * */
    GHashTable *groups;               /* index of a domain -> groups that it is a member of */
};

/* What has that name. */
struct found {
    uint32_t domain;
    uint32_t count;
};

void xc_member_names_free(struct xc_member_names *names)
{
    if (!names)
        return;
    g_hash_table_unref(names->texts);
    g_hash_table_unref(names->groups);
    g_free(names);
}

/* Returns whether one of them names a host. */
static bool add_members(struct xc_member_names *names, const struct xc_group_spec *spec)
{
    bool hosts = false;

    for (guint i = 0; i < spec->members->len; i++) {
        const struct xc_member_spec *member = spec->members->pdata[i];

        hosts = hosts || strchr(member->member, '/');
        if (!g_hash_table_contains(names->texts, member->member))
            g_hash_table_insert(names->texts, g_strdup(member->member), g_new0(struct found, 1));
    }
    return hosts;
}

static void find(const struct xc_member_names *names, const char *text, uint32_t domain)
{
    struct found *found = g_hash_table_lookup(names->texts, text);

    if (!found)
        return;
    found->domain = domain;
    found->count++;
}

static void find_domain(const struct xc_member_names *names, const struct xc_domain_ref *ref,
                        bool hosts)
{
    const struct xc_domain *domain = xc_ref_domain(ref);
    char both[XC_MEMBER_NAME_MAX + 1];
    const char *host;

    if (xc_ref_presence(ref) == XC_DELETED || !XC_HAS(DOMAIN, domain, name) || !*domain->name)
        return;
    find(names, domain->name, ref->index);
    host = hosts ? xc_fleet_host_key(ref) : "";
    if (*host && g_snprintf(both, sizeof(both), "%s/%s", host, domain->name) < (int)sizeof(both))
        find(names, both, ref->index);
}

static uint32_t resolve(struct xc_engine *engine, const struct xc_member_names *names,
                        const char *text, enum xc_cause *cause)
{
    const struct found *found = g_hash_table_lookup(names->texts, text);
    struct xc_uuid uuid;

    *cause = XC_CAUSE_NONE;
    if (xc_uuid_parse(text, &uuid) && !xc_uuid_is_nil(&uuid)) {
        const struct xc_known *known = xc_known_by_uuid(engine, &uuid);
        const struct xc_domain_ref *ref =
            known ? xc_fleet_domain(engine, known->track.index) : NULL;

        if (ref && xc_ref_presence(ref) != XC_DELETED)
            return ref->index;
    }
    if (found && found->count == 1)
        return found->domain;
    *cause = found && found->count ? XC_CAUSE_AMBIGUOUS : XC_CAUSE_NO_SUCH_TARGET;
    return 0;
}

static void count_groups(struct xc_engine *engine, struct xc_member_names *names)
{
    for (guint g = 0; g < engine->groups->len; g++) {
        const struct xc_group *group = engine->groups->pdata[g];
        g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);

        for (guint i = 0; i < group->spec->members->len; i++) {
            const struct xc_member_spec *member = group->spec->members->pdata[i];
            enum xc_cause cause;
            uint32_t domain = resolve(engine, names, member->member, &cause);
            gpointer key = GUINT_TO_POINTER(domain);

            if (domain && g_hash_table_add(seen, key))
                g_hash_table_insert(
                    names->groups, key,
                    GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(names->groups, key)) +
                                     1));
        }
    }
}

static struct xc_member_names *build(struct xc_engine *engine)
{
    struct xc_member_names *names = g_new0(struct xc_member_names, 1);
    size_t n;
    const struct xc_domain_ref *refs = xc_fleet_domains(engine, &n);
    bool hosts = false;

    names->generation = engine->generation;
    names->definitions = engine->definitions;
    names->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    names->groups = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < engine->groups->len; i++)
        hosts =
            add_members(names, ((const struct xc_group *)engine->groups->pdata[i])->spec) || hosts;
    for (size_t i = 0; i < n; i++)
        find_domain(names, &refs[i], hosts);
    count_groups(engine, names);
    return names;
}

static const struct xc_member_names *names_now(struct xc_engine *engine)
{
    const struct xc_member_names *names = engine->member_names;

    if (!names || names->generation != engine->generation ||
        names->definitions != engine->definitions) {
        xc_member_names_free(engine->member_names);
        engine->member_names = build(engine);
    }
    return engine->member_names;
}

uint32_t xc_member_resolve(struct xc_engine *engine, const char *text, enum xc_cause *cause)
{
    return resolve(engine, names_now(engine), text, cause);
}

uint32_t xc_member_groups(struct xc_engine *engine, uint32_t domain)
{
    return GPOINTER_TO_UINT(
        g_hash_table_lookup(names_now(engine)->groups, GUINT_TO_POINTER(domain)));
}
