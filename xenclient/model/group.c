/* Definitions of groups: made, changed, checked, compared, written. */
#include "xenclient/model/group.h"

#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <string.h>

#define PRIORITY_DEFAULT 50
#define HOST_KEY_MAX     32

static const struct xc_label spread[] = {{1, "equal"}, {2, "byMemory"}, {3, "pack"}, {4, "pinned"}};
XC_ENUM_DEFINE(xc_spread_labels, "xenGroupPolicy", spread);

static const struct xc_label group_order[] = {{1, "parallel"}, {2, "sequential"}};
XC_ENUM_DEFINE(xc_group_order_labels, "xenGroupOrder", group_order);

static const struct xc_label group_status[] = {{1, "ok"},         {2, "degraded"}, {3, "down"},
                                               {4, "transition"}, {5, "empty"},    {6, "unknown"},
                                               {7, "stopped"}};
XC_ENUM_DEFINE(xc_group_status_labels, "xenGroupStatus", group_status);

/* --- making */

static void member_free(void *data)
{
    struct xc_member_spec *member = data;

    g_free(member->member);
    g_free(member->descr);
    g_free(member->create);
    g_free(member->pin);
    g_free(member);
}

static void host_free(void *data)
{
    struct xc_group_host_spec *host = data;

    g_free(host->host);
    g_free(host);
}

struct xc_group_spec *xc_group_spec_new(const char *name)
{
    struct xc_group_spec *spec = g_new0(struct xc_group_spec, 1);

    spec->name = g_strdup(name);
    spec->descr = g_strdup("");
    spec->spread = XC_SPREAD_EQUAL;
    spec->order = XC_GROUP_PARALLEL;
    spec->all_hosts = true;
    spec->members = g_ptr_array_new_with_free_func(member_free);
    spec->hosts = g_ptr_array_new_with_free_func(host_free);
    return spec;
}

void *xc_group_spec_free(struct xc_group_spec *spec)
{
    if (!spec)
        return NULL;
    g_ptr_array_unref(spec->members);
    g_ptr_array_unref(spec->hosts);
    g_free(spec->name);
    g_free(spec->descr);
    g_free(spec);
    return NULL;
}

static struct xc_member_spec *member_new(const char *name)
{
    struct xc_member_spec *member = g_new0(struct xc_member_spec, 1);

    member->member = g_strdup(name);
    member->descr = g_strdup("");
    member->create = g_strdup("");
    member->pin = g_strdup("");
    member->priority = PRIORITY_DEFAULT;
    return member;
}

static struct xc_group_host_spec *host_new(const char *key)
{
    struct xc_group_host_spec *host = g_new0(struct xc_group_host_spec, 1);

    host->host = g_strdup(key);
    host->weight = XC_GROUP_WEIGHT_USUAL;
    return host;
}

static struct xc_member_spec *member_copy(const struct xc_member_spec *from)
{
    struct xc_member_spec *member = g_new0(struct xc_member_spec, 1);

    member->member = g_strdup(from->member);
    member->descr = g_strdup(from->descr);
    member->create = g_strdup(from->create);
    member->pin = g_strdup(from->pin);
    member->priority = from->priority;
    member->delay_sec = from->delay_sec;
    return member;
}

struct xc_group_spec *xc_group_spec_copy(const struct xc_group_spec *spec)
{
    struct xc_group_spec *copy = xc_group_spec_new(spec->name);

    g_free(copy->descr);
    copy->descr = g_strdup(spec->descr);
    copy->spread = spec->spread;
    copy->order = spec->order;
    copy->min_running = spec->min_running;
    copy->all_hosts = spec->all_hosts;
    for (guint i = 0; i < spec->members->len; i++)
        g_ptr_array_add(copy->members, member_copy(spec->members->pdata[i]));
    for (guint i = 0; i < spec->hosts->len; i++) {
        const struct xc_group_host_spec *host = spec->hosts->pdata[i];

        g_ptr_array_add(copy->hosts, host_new(host->host));
        ((struct xc_group_host_spec *)copy->hosts->pdata[i])->weight = host->weight;
    }
    return copy;
}

/* --- finding and changing */

static const char *name_at(const GPtrArray *rows, guint i)
{
    /* Both kinds of rows begin with their name. */
    return *(char *const *)rows->pdata[i];
}

/* Where a name is, or belongs; true when it is there. */
static bool place_of(const GPtrArray *rows, const char *name, guint *at)
{
    guint low = 0;
    guint high = rows->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        int order = xc_key_compare(name_at(rows, middle), name);

        if (order == 0) {
            *at = middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return false;
}

struct xc_member_spec *xc_group_member(const struct xc_group_spec *spec, const char *member)
{
    guint at;

    return place_of(spec->members, member, &at) ? spec->members->pdata[at] : NULL;
}

struct xc_group_host_spec *xc_group_host(const struct xc_group_spec *spec, const char *host)
{
    guint at;

    return place_of(spec->hosts, host, &at) ? spec->hosts->pdata[at] : NULL;
}

struct xc_member_spec *xc_group_member_get(struct xc_group_spec *spec, const char *member)
{
    guint at;

    if (!place_of(spec->members, member, &at))
        g_ptr_array_insert(spec->members, (gint)at, member_new(member));
    return spec->members->pdata[at];
}

struct xc_group_host_spec *xc_group_host_get(struct xc_group_spec *spec, const char *host)
{
    guint at;

    if (!place_of(spec->hosts, host, &at))
        g_ptr_array_insert(spec->hosts, (gint)at, host_new(host));
    return spec->hosts->pdata[at];
}

static void drop(GPtrArray *rows, const char *name)
{
    guint at;

    if (place_of(rows, name, &at))
        g_ptr_array_remove_index(rows, at);
}

void xc_group_member_drop(struct xc_group_spec *spec, const char *member)
{
    drop(spec->members, member);
}

void xc_group_host_drop(struct xc_group_spec *spec, const char *host)
{
    drop(spec->hosts, host);
}

bool xc_group_hosts_parse(struct xc_group_spec *spec, const char *text, GError **error)
{
    g_autoptr(xc_group_spec) named = xc_group_spec_new("hosts");
    g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
    bool all = false;
    GPtrArray *before;

    for (char **word = words; *word; word++) {
        const struct xc_group_host_spec *former;

        if (!**word)
            continue;
        if (strcmp(*word, "*") == 0) {
            all = true;
            continue;
        }
        if (!xc_text_is_key(*word, HOST_KEY_MAX))
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "not a key of a host: \"%s\"", *word);
        if (xc_group_host(named, *word))
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "host %s is named twice", *word);
        former = xc_group_host(spec, *word);
        xc_group_host_get(named, *word)->weight = former ? former->weight : XC_GROUP_WEIGHT_USUAL;
    }
    if (all && named->hosts->len)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "hosts are \"*\" or keys, not both");
    spec->all_hosts = all;
    if (all)
        return true;
    before = spec->hosts;
    spec->hosts = named->hosts;
    named->hosts = before;
    return true;
}

char *xc_group_hosts_text(const struct xc_group_spec *spec)
{
    GString *text = g_string_new(spec->all_hosts ? "*" : "");

    for (guint i = 0; !spec->all_hosts && i < spec->hosts->len; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", name_at(spec->hosts, i));
    return g_string_free(text, FALSE);
}

/* --- names of vApps */

void xc_vapp_name(const struct xc_uuid *uuid, char out[XC_UUID_TEXT])
{
    char text[XC_UUID_TEXT];
    size_t n = 0;

    xc_uuid_format(uuid, text);
    for (const char *at = text; *at; at++)
        if (*at != '-')
            out[n++] = *at;
    out[n] = '\0';
}

bool xc_vapp_is_name(const char *name)
{
    return strlen(name) == XC_GROUP_NAME_MAX &&
           strspn(name, "0123456789abcdef") == XC_GROUP_NAME_MAX;
}

/* --- checking */

static bool is_text(const char *text, size_t max)
{
    size_t length = strlen(text);
    g_autofree char *clean = xc_text_clean(text, length, max);

    return length <= max && strcmp(clean, text) == 0;
}

static bool check_create(const struct xc_member_spec *member, GError **error)
{
    const char *create = member->create;
    const char *name = strchr(create, ':');

    if (!*create || (*create == '/' && create[1]))
        return true;
    if (g_str_has_prefix(create, "library:") && xc_text_is_key(name + 1, XC_MEMBER_NAME_MAX))
        return true;
    if (g_str_has_prefix(create, "template:") && name[1])
        return true;
    return xc_fail(error, XC_CAUSE_BAD_VALUE,
                   "member %s: it is created from an absolute path on a host, library:NAME or "
                   "template:NAME",
                   member->member);
}

static bool check_member(const struct xc_member_spec *member, GError **error)
{
    if (!*member->member || !is_text(member->member, XC_MEMBER_NAME_MAX))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "a member is a name, host/name or uuid of 1..%d octets that can be printed",
                       XC_MEMBER_NAME_MAX);
    if (!is_text(member->descr, XC_TEXT_MAX) || !is_text(member->create, XC_TEXT_MAX))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "member %s: its texts have at most %d octets, all of which can be printed",
                       member->member, XC_TEXT_MAX);
    if (*member->pin && !xc_text_is_key(member->pin, HOST_KEY_MAX))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "member %s: it is pinned to the key of a host",
                       member->member);
    if (member->priority < 1 || member->priority > XC_PRIORITY_MAX ||
        member->delay_sec > XC_MEMBER_DELAY_MAX)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "member %s: a priority is 1..%d, a delay 0..%d s",
                       member->member, XC_PRIORITY_MAX, XC_MEMBER_DELAY_MAX);
    return check_create(member, error);
}

static bool check_hosts(const struct xc_group_spec *spec, GError **error)
{
    if (spec->hosts->len > XC_GROUP_HOSTS_MAX)
        return xc_fail(error, XC_CAUSE_LIMIT, "group %s: more than %d hosts", spec->name,
                       XC_GROUP_HOSTS_MAX);
    for (guint i = 0; i < spec->hosts->len; i++) {
        const struct xc_group_host_spec *host = spec->hosts->pdata[i];

        if (!xc_text_is_key(host->host, HOST_KEY_MAX))
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "group %s: not a key of a host: \"%s\"",
                           spec->name, host->host);
        if (host->weight < 1 || host->weight > XC_GROUP_WEIGHT_MAX)
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "group %s: a weight is 1..%d", spec->name,
                           XC_GROUP_WEIGHT_MAX);
    }
    return true;
}

bool xc_group_spec_check(const struct xc_group_spec *spec, GError **error)
{
    if (!xc_text_is_key(spec->name, XC_GROUP_NAME_MAX))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "a group's name is 1..%d of A-Za-z0-9._-",
                       XC_GROUP_NAME_MAX);
    if (xc_vapp_is_name(spec->name))
        return xc_fail(
            error, XC_CAUSE_BAD_VALUE,
            "group %s: names of 32 hexadecimal digits are those of vApps: take another one",
            spec->name);
    if (!is_text(spec->descr, XC_TEXT_MAX))
        return xc_fail(error, XC_CAUSE_BAD_VALUE,
                       "group %s: a description has at most %d octets, all of which can be printed",
                       spec->name, XC_TEXT_MAX);
    if (!xc_enum_has(&xc_spread_labels, (int)spec->spread) ||
        !xc_enum_has(&xc_group_order_labels, (int)spec->order))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "group %s: no such spread or order", spec->name);
    if (spec->min_running > XC_GROUP_MEMBERS_MAX)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "group %s: min_running is 0..%d", spec->name,
                       XC_GROUP_MEMBERS_MAX);
    if (spec->members->len > XC_GROUP_MEMBERS_MAX)
        return xc_fail(error, XC_CAUSE_LIMIT, "group %s: more than %d members", spec->name,
                       XC_GROUP_MEMBERS_MAX);
    for (guint i = 0; i < spec->members->len; i++)
        if (!check_member(spec->members->pdata[i], error))
            return false;
    return check_hosts(spec, error);
}

/* --- comparing and writing: what is written is compared, so that no field is forgotten by one of both */

bool xc_group_spec_equal(const struct xc_group_spec *a, const struct xc_group_spec *b)
{
    g_autoptr(GByteArray) x = g_byte_array_new();
    g_autoptr(GByteArray) y = g_byte_array_new();

    xc_group_spec_write(a, x);
    xc_group_spec_write(b, y);
    return strcmp(a->name, b->name) == 0 && x->len == y->len &&
           memcmp(x->data, y->data, x->len) == 0;
}

void xc_group_spec_write(const struct xc_group_spec *spec, GByteArray *to)
{
    xc_put_text(to, spec->descr);
    xc_put_u8(to, (uint8_t)spec->spread);
    xc_put_u8(to, (uint8_t)spec->order);
    xc_put_u32(to, spec->min_running);
    xc_put_u8(to, spec->all_hosts);
    xc_put_u32(to, spec->members->len);
    for (guint i = 0; i < spec->members->len; i++) {
        const struct xc_member_spec *member = spec->members->pdata[i];

        xc_put_text(to, member->member);
        xc_put_text(to, member->descr);
        xc_put_text(to, member->create);
        xc_put_text(to, member->pin);
        xc_put_u32(to, member->priority);
        xc_put_u32(to, member->delay_sec);
    }
    xc_put_u32(to, spec->hosts->len);
    for (guint i = 0; i < spec->hosts->len; i++) {
        const struct xc_group_host_spec *host = spec->hosts->pdata[i];

        xc_put_text(to, host->host);
        xc_put_u32(to, host->weight);
    }
}

static void read_text(char **to, struct xc_reader *from)
{
    g_free(*to);
    *to = xc_get_text(from, XC_TEXT_MAX);
}

static void read_members(struct xc_group_spec *spec, struct xc_reader *from)
{
    uint32_t n = xc_get_u32(from);

    if (n > XC_GROUP_MEMBERS_MAX)
        from->bad = true;
    for (uint32_t i = 0; i < n && !from->bad; i++) {
        g_autofree char *name = xc_get_text(from, XC_MEMBER_NAME_MAX);
        struct xc_member_spec *member = xc_group_member_get(spec, name);

        read_text(&member->descr, from);
        read_text(&member->create, from);
        read_text(&member->pin, from);
        member->priority = xc_get_u32(from);
        member->delay_sec = xc_get_u32(from);
        /* One name twice would be one member. */
        from->bad = from->bad || spec->members->len != i + 1;
    }
}

static void read_hosts(struct xc_group_spec *spec, struct xc_reader *from)
{
    uint32_t n = xc_get_u32(from);

    if (n > XC_GROUP_HOSTS_MAX)
        from->bad = true;
    for (uint32_t i = 0; i < n && !from->bad; i++) {
        g_autofree char *key = xc_get_text(from, HOST_KEY_MAX);

        xc_group_host_get(spec, key)->weight = xc_get_u32(from);
        from->bad = from->bad || spec->hosts->len != i + 1;
    }
}

struct xc_group_spec *xc_group_spec_read(const char *name, struct xc_reader *from)
{
    g_autoptr(xc_group_spec) spec = xc_group_spec_new(name);

    read_text(&spec->descr, from);
    spec->spread = (enum xc_spread)xc_get_u8(from);
    spec->order = (enum xc_group_order)xc_get_u8(from);
    spec->min_running = xc_get_u32(from);
    spec->all_hosts = xc_get_flag(from);
    read_members(spec, from);
    read_hosts(spec, from);
    from->bad = from->bad || !xc_group_spec_check(spec, NULL);
    return from->bad ? NULL : g_steal_pointer(&spec);
}
