/* snmpd's lines about access, read as snmpd.conf(5) and snmpd's view-based access control have them. */
#include "tools/xenctl/snmpd_vacm.h"

#include <string.h>

/* --- levels */
static enum vacm_level level_of(const char *word, enum vacm_level fallback)
{
    static const struct {
        const char *word;
        enum vacm_level level;
    } levels[] = {
        {"noauth", VACM_NOAUTH},   {"noAuthNoPriv", VACM_NOAUTH}, {"auth", VACM_AUTH},
        {"authNoPriv", VACM_AUTH}, {"priv", VACM_PRIV},           {"authPriv", VACM_PRIV},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (g_ascii_strcasecmp(levels[i].word, word) == 0)
            return levels[i].level;
    return fallback;
}

/* --- the short forms: rouser, rwcommunity ... */
static const struct {
    const char *token;
    bool user;
    bool write;
} shorts[] = {
    {"rouser", true, false},      {"rwuser", true, true},         {"rocommunity", false, false},
    {"rwcommunity", false, true}, {"rocommunity6", false, false}, {"rwcommunity6", false, true},
};

/* rouser [-s MODEL] USER [LEVEL [OID | -V VIEW]], rocommunity COMMUNITY [SOURCE [OID | -V VIEW]] */
static void take_short(GArray *grants, const struct snmpd_line *line, bool user, bool write)
{
    unsigned at = g_str_equal(snmpd_line_word(line, 0), "-s") ? 2 : 0;
    struct vacm_grant grant = {.line = line, .write = write, .level = VACM_NOAUTH};
    const char *limit;

    if (user) {
        grant.who = snmpd_line_word(line, at);
        grant.level = level_of(snmpd_line_word(line, at + 1), VACM_AUTH);
    }
    limit = snmpd_line_word(line, at + 2);
    if (g_str_equal(limit, "-V"))
        grant.view = snmpd_line_word(line, at + 3);
    else if (!sn_oid_parse(limit, &grant.subtree))
        grant.subtree.n = 0; /* none, or a name: taken for everything */
    g_array_append_val(grants, grant);
    /* Who may write that may read it, too. */
    if (write) {
        grant.write = false;
        g_array_append_val(grants, grant);
    }
}

/* --- group NAME MODEL WHO, access GROUP CONTEXT MODEL LEVEL MATCH READ WRITE NOTIFY */
static bool fits(const struct snmpd_line *group, const struct snmpd_line *access)
{
    const char *model = snmpd_line_word(access, 2);

    return snmpd_line_is(group, "group") &&
           g_str_equal(snmpd_line_word(group, 0), snmpd_line_word(access, 0)) &&
           (g_ascii_strcasecmp(model, "any") == 0 ||
            g_ascii_strcasecmp(model, snmpd_line_word(group, 1)) == 0);
}

static void take_member(GArray *grants, const struct snmpd_line *group,
                        const struct snmpd_line *access)
{
    bool user = g_ascii_strncasecmp(snmpd_line_word(group, 1), "v", 1) != 0;
    struct vacm_grant grant = {
        .line = access,
        .who = user ? snmpd_line_word(group, 2) : NULL,
        .level = user ? level_of(snmpd_line_word(access, 3), VACM_NOAUTH) : VACM_NOAUTH,
    };

    for (int write = 0; write <= 1; write++) {
        grant.write = write;
        grant.view = snmpd_line_word(access, write ? 6 : 5);
        g_array_append_val(grants, grant);
    }
}

GArray *vacm_grants(const struct snmpd_lines *lines)
{
    GArray *grants = g_array_new(FALSE, FALSE, sizeof(struct vacm_grant));

    for (unsigned i = 0; i < snmpd_lines_count(lines); i++) {
        const struct snmpd_line *line = snmpd_line_at(lines, i);

        for (size_t s = 0; s < G_N_ELEMENTS(shorts); s++)
            if (snmpd_line_is(line, shorts[s].token))
                take_short(grants, line, shorts[s].user, shorts[s].write);
        if (!snmpd_line_is(line, "access"))
            continue;
        for (unsigned m = 0; m < snmpd_lines_count(lines); m++)
            if (fits(snmpd_line_at(lines, m), line))
                take_member(grants, snmpd_line_at(lines, m), line);
    }
    return grants;
}

/* --- views: view NAME included|excluded SUBTREE [MASK] */
struct family {
    struct sn_oid subtree;
    bool any[SN_OID_MAX]; /* this number is not compared */
    bool included;
};

static void read_mask(struct family *family, const char *mask)
{
    g_auto(GStrv) octets = g_strsplit_set(mask, ":.", -1);

    for (unsigned i = 0; mask[0] && octets[i] && i < SN_OID_MAX / 8; i++) {
        unsigned octet = (unsigned)g_ascii_strtoull(octets[i], NULL, 16);

        for (unsigned bit = 0; bit < 8; bit++)
            family->any[i * 8 + bit] = !(octet & (0x80u >> bit));
    }
}

static bool read_family(const struct snmpd_line *line, const char *view, struct family *out)
{
    *out =
        (struct family){.included = g_ascii_strcasecmp(snmpd_line_word(line, 1), "included") == 0};
    if (!snmpd_line_is(line, "view") || !g_str_equal(snmpd_line_word(line, 0), view) ||
        !sn_oid_parse(snmpd_line_word(line, 2), &out->subtree))
        return false;
    read_mask(out, snmpd_line_word(line, 3));
    return true;
}

/* As far as both go. */
static bool agrees(const struct family *family, const struct sn_oid *oid)
{
    for (unsigned i = 0; i < family->subtree.n && i < oid->n; i++)
        if (!family->any[i] && family->subtree.id[i] != oid->id[i])
            return false;
    return true;
}

/* The longest subtree that an OID is below decides; of two as long the greater. */
static bool decides(const struct family *family, const struct family *before)
{
    return family->subtree.n != before->subtree.n
               ? family->subtree.n > before->subtree.n
               : sn_oid_compare(&family->subtree, &before->subtree) > 0;
}

static enum vacm_extent view_opens(const struct snmpd_lines *lines, const char *view,
                                   const struct sn_oid *oid)
{
    struct family best = {.included = false};
    bool more = false; /* something longer includes a part of it */
    bool less = false; /* or excludes one */

    for (unsigned i = 0; i < snmpd_lines_count(lines); i++) {
        struct family family;

        if (!read_family(snmpd_line_at(lines, i), view, &family) || !agrees(&family, oid))
            continue;
        if (family.subtree.n > oid->n) {
            more |= family.included;
            less |= !family.included;
        } else if (decides(&family, &best)) {
            best = family;
        }
    }
    if (best.included)
        return less ? VACM_PART : VACM_WHOLE;
    return more ? VACM_PART : VACM_NOTHING;
}

enum vacm_extent vacm_opens(const struct snmpd_lines *lines, const struct vacm_grant *grant,
                            const struct sn_oid *oid)
{
    if (grant->view)
        return view_opens(lines, grant->view, oid);
    if (grant->subtree.n == 0 || sn_oid_below(oid, &grant->subtree) ||
        sn_oid_compare(oid, &grant->subtree) == 0)
        return VACM_WHOLE;
    return sn_oid_below(&grant->subtree, oid) ? VACM_PART : VACM_NOTHING;
}

bool vacm_view_exists(const struct snmpd_lines *lines, const char *view)
{
    for (unsigned i = 0; i < snmpd_lines_count(lines); i++)
        if (snmpd_line_is(snmpd_line_at(lines, i), "view") &&
            g_str_equal(snmpd_line_word(snmpd_line_at(lines, i), 0), view))
            return true;
    return false;
}
