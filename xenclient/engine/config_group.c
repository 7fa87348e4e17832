/* Groups in the configuration file: [group NAME] and, for what is said of one member, [member GROUP/MEMBER]. */
#include "xenclient/engine/config_private.h"
#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <string.h>

#define GROUP  "group "
#define MEMBER "member "

/* A section as it is read. */
struct group_keys {
    char *descr;
    char **members, **hosts;
    char *spread, *order;
    unsigned min_running;
};
struct member_keys {
    char *descr, *create, *pin;
    unsigned priority, delay_sec;
};

#define AT(member) offsetof(struct group_keys, member)
static const struct option group_options[] = {
    {"description", TEXT, AT_ONCE, AT(descr), "", 0, 0, NULL, "What it is for."},
    {"members", LIST, AT_ONCE, AT(members), "", 0, 0, NULL,
     "Its members (separated by ';'): each the name of a domain, HOST/NAME, or a uuid."},
    {"hosts", LIST, AT_ONCE, AT(hosts), "*", 0, 0, NULL,
     "Keys of the hosts (separated by ';') that members are started on, or * for all there are; "
     "KEY:WEIGHT gives one a weight of 1 to 100, the usual one being 100."},
    {"spread", CHOICE, AT_ONCE, AT(spread), "equal", 0, 0, "equal byMemory pack pinned",
     "How a start spreads members over the hosts."},
    {"order", CHOICE, AT_ONCE, AT(order), "parallel", 0, 0, "parallel sequential",
     "Members of equal priority at once, or one after the other."},
    {"min_running", NUMBER, AT_ONCE, AT(min_running), "0", 0, XC_GROUP_MEMBERS_MAX, NULL,
     "Members that must run for the group to be ok; 0: all."},
};
#undef AT

#define AT(member) offsetof(struct member_keys, member)
static const struct option member_options[] = {
    {"description", TEXT, AT_ONCE, AT(descr), "", 0, 0, NULL, "What it is for."},
    {"create", TEXT, AT_ONCE, AT(create), "", 0, 0, NULL,
     "What makes it where there is no such domain: an absolute path on a host, library:NAME or "
     "template:NAME."},
    {"pin", TEXT, AT_ONCE, AT(pin), "", 0, 0, NULL, "Key of the only host it is started on."},
    {"priority", NUMBER, AT_ONCE, AT(priority), "50", 1, XC_PRIORITY_MAX, NULL,
     "The lower, the earlier it is started."},
    {"delay", NUMBER, AT_ONCE, AT(delay_sec), "0", 0, XC_MEMBER_DELAY_MAX, NULL,
     "Seconds that what is started next waits after it."},
};
#undef AT

static void set_defaults(void *section, const struct option *table, size_t n)
{
    for (size_t i = 0; i < n; i++)
        xc_config_assign(section, &table[i], table[i].initial);
}

static void clear(void *section, const struct option *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        void *at = (char *)section + table[i].offset;

        if (table[i].kind == LIST)
            g_strfreev(*(char ***)at);
        else if (table[i].kind != NUMBER)
            g_free(*(char **)at);
    }
}

/* --- a group */

static bool take_members(const struct reading *r, const char *section, char *const *names,
                         struct xc_group_spec *spec, GError **error)
{
    for (; *names; names++) {
        if (!**names)
            continue;
        if (xc_group_member(spec, *names))
            return xc_config_wrong(r, section, "members", error, "%s is named twice", *names);
        xc_group_member_get(spec, *names);
    }
    return true;
}

static bool take_host(const struct reading *r, const char *section, const char *word,
                      struct xc_group_spec *spec, GError **error)
{
    const char *colon = strchr(word, ':');
    g_autofree char *key = colon ? g_strndup(word, (size_t)(colon - word)) : g_strdup(word);
    uint64_t weight = XC_GROUP_WEIGHT_USUAL;

    if (!xc_text_is_key(key, 32))
        return xc_config_wrong(r, section, "hosts", error, "\"%s\" is no key of a host", key);
    if (colon && !xc_text_to_u64(colon + 1, 1, XC_GROUP_WEIGHT_MAX, &weight, NULL))
        return xc_config_wrong(r, section, "hosts", error, "%s: a weight is 1 to %d", word,
                               XC_GROUP_WEIGHT_MAX);
    if (xc_group_host(spec, key))
        return xc_config_wrong(r, section, "hosts", error, "%s is named twice", key);
    xc_group_host_get(spec, key)->weight = (unsigned)weight;
    return true;
}

static bool take_hosts(const struct reading *r, const char *section, char *const *words,
                       struct xc_group_spec *spec, GError **error)
{
    spec->all_hosts = false;
    for (; *words; words++) {
        if (strcmp(*words, "*") == 0)
            spec->all_hosts = true;
        else if (**words && !take_host(r, section, *words, spec, error))
            return false;
    }
    return true;
}

static bool take_group(const struct reading *r, const char *section, const struct group_keys *keys,
                       struct xc_group_spec *spec, GError **error)
{
    g_free(spec->descr);
    spec->descr = g_strdup(keys->descr);
    spec->spread = (enum xc_spread)xc_enum_number(&xc_spread_labels, keys->spread);
    spec->order = (enum xc_group_order)xc_enum_number(&xc_group_order_labels, keys->order);
    spec->min_running = keys->min_running;
    return take_members(r, section, keys->members, spec, error) &&
           take_hosts(r, section, keys->hosts, spec, error);
}

static bool read_group(const struct reading *r, const char *section, struct xc_config *config,
                       GError **error)
{
    const char *name = section + strlen(GROUP);
    struct group_keys keys = {0};
    struct xc_group_spec *spec;
    bool ok;

    if (!xc_text_is_key(name, XC_GROUP_NAME_MAX))
        return xc_config_wrong(r, section, NULL, error,
                               "the name of a group is 1 to %d of A-Z a-z 0-9 . _ - and begins "
                               "with a letter or digit",
                               XC_GROUP_NAME_MAX);
    spec = xc_group_spec_new(name);
    g_ptr_array_add(config->groups, spec);
    set_defaults(&keys, group_options, G_N_ELEMENTS(group_options));
    ok =
        xc_config_read_keys(r, section, &keys, group_options, G_N_ELEMENTS(group_options), error) &&
        take_group(r, section, &keys, spec, error);
    clear(&keys, group_options, G_N_ELEMENTS(group_options));
    return ok;
}

/* --- a member */

static struct xc_group_spec *group_of(const struct xc_config *config, const char *name,
                                      size_t length)
{
    for (guint i = 0; i < config->groups->len; i++) {
        struct xc_group_spec *spec = config->groups->pdata[i];

        if (strlen(spec->name) == length && strncmp(spec->name, name, length) == 0)
            return spec;
    }
    return NULL;
}

static void set_text(char **to, char **from)
{
    g_free(*to);
    *to = g_steal_pointer(from);
}

/* A section makes its member, whether the list of the group has it or not. */
static bool read_member(const struct reading *r, const char *section,
                        const struct xc_config *config, GError **error)
{
    const char *name = section + strlen(MEMBER);
    const char *slash = strchr(name, '/');
    struct xc_group_spec *spec = slash ? group_of(config, name, (size_t)(slash - name)) : NULL;
    struct xc_member_spec *member;
    struct member_keys keys = {0};
    bool ok;

    if (!slash || !slash[1])
        return xc_config_wrong(r, section, NULL, error, "a member is [member GROUP/MEMBER]");
    if (!spec)
        return xc_config_wrong(r, section, NULL, error, "there is no section [group %.*s]",
                               (int)(slash - name), name);
    set_defaults(&keys, member_options, G_N_ELEMENTS(member_options));
    ok =
        xc_config_read_keys(r, section, &keys, member_options, G_N_ELEMENTS(member_options), error);
    if (ok) {
        member = xc_group_member_get(spec, slash + 1);
        set_text(&member->descr, &keys.descr);
        set_text(&member->create, &keys.create);
        set_text(&member->pin, &keys.pin);
        member->priority = keys.priority;
        member->delay_sec = keys.delay_sec;
    }
    clear(&keys, member_options, G_N_ELEMENTS(member_options));
    return ok;
}

/* --- all of them */

bool xc_config_is_group(const char *section)
{
    return g_str_has_prefix(section, GROUP) || g_str_has_prefix(section, MEMBER);
}

static bool check_groups(const struct reading *r, const struct xc_config *config, GError **error)
{
    if (config->groups->len > XC_GROUPS_MAX)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: more than %d groups", r->path,
                       XC_GROUPS_MAX);
    for (guint i = 0; i < config->groups->len; i++) {
        const struct xc_group_spec *spec = config->groups->pdata[i];
        g_autofree char *section = g_strconcat(GROUP, spec->name, NULL);
        g_autoptr(GError) inner = NULL;

        if (!xc_group_spec_check(spec, &inner))
            return xc_config_wrong(r, section, NULL, error, "%s", inner->message);
    }
    return true;
}

bool xc_config_read_groups(const struct reading *r, struct xc_config *config, GError **error)
{
    g_auto(GStrv) sections = g_key_file_get_groups(r->file, NULL);

    for (char **section = sections; *section; section++)
        if (g_str_has_prefix(*section, GROUP) && !read_group(r, *section, config, error))
            return false;
    for (char **section = sections; *section; section++)
        if (g_str_has_prefix(*section, MEMBER) && !read_member(r, *section, config, error))
            return false;
    return check_groups(r, config, error);
}

void xc_config_sample_groups(GString *out)
{
    g_string_append(out, "\n# One section per group of domains; what the file sets is not changed "
                         "by SNMP.\n#[group web]\n");
    xc_config_put_samples(out, group_options, G_N_ELEMENTS(group_options));
    g_string_append(out, "\n# What is said of one member; MEMBER as in `members`, which need not "
                         "name it then.\n#[member web/www1]\n");
    xc_config_put_samples(out, member_options, G_N_ELEMENTS(member_options));
}

void xc_config_options_groups(GString *out)
{
    xc_config_put_options(out, "group NAME", group_options, G_N_ELEMENTS(group_options));
    xc_config_put_options(out, "member GROUP/MEMBER", member_options, G_N_ELEMENTS(member_options));
}
