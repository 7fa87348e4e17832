/* snmpd-config: what snmpd must know so that one user may read and another may act, as its configuration. */
#include "tools/xenctl/snmpd_check.h"

#include "tools/xenctl/rights.h"
#include "tools/xenctl/xenctl.h"

#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <string.h>

#define NAME_MAX_OCTETS 20u
#define DOMAINS_MAX     64u
#define ACCOUNT         "xensnmp"

/* --- operators: NAME[:RIGHT,...[:DOMAIN,...]] */
struct operator_user {
    char *name;
    bool granted[32]; /* by number of the right */
    bool all;
    uint32_t domains[DOMAINS_MAX];
    unsigned n_domains; /* 0: all */
};
G_STATIC_ASSERT(G_N_ELEMENTS(((struct operator_user *)0)->granted) >= 16);

static bool check_name(const char *name, GError **error)
{
    return xc_text_is_key(name, NAME_MAX_OCTETS) ||
           xc_fail(error, XC_CAUSE_BAD_VALUE,
                   "%s: a user has 1 to %u letters, digits, '.', '_', '-'", name, NAME_MAX_OCTETS);
}

static char *names_of_rights(void)
{
    GString *out = g_string_new("all");

    for (unsigned i = 0; i < ctl_n_rights; i++)
        g_string_append_printf(out, ", %s", ctl_rights[i].name);
    return g_string_free(out, FALSE);
}

static bool take_right(struct operator_user *op, const char *name, GError **error)
{
    unsigned number = ctl_right_find(name);
    g_autofree char *names = NULL;

    if (g_str_equal(name, "all")) {
        op->all = true;
        return true;
    }
    if (number == ctl_n_rights) {
        names = names_of_rights();
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: a right is one of %s", name, names);
    }
    if (op->n_domains && !ctl_rights[number].of_domain)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s can't be granted for single domains", name);
    op->granted[number] = true;
    return true;
}

static bool take_rights(struct operator_user *op, const char *text, GError **error)
{
    g_auto(GStrv) names = g_strsplit(text, ",", -1);

    for (unsigned i = 0; !text[0] && i < ctl_n_rights; i++)
        op->granted[i] = ctl_rights[i].usual && (!op->n_domains || ctl_rights[i].of_domain);
    for (char **name = names; text[0] && *name; name++)
        if (!take_right(op, *name, error))
            return false;
    return true;
}

static bool take_domains(struct operator_user *op, const char *text, GError **error)
{
    g_auto(GStrv) numbers = g_strsplit(text, ",", -1);
    uint64_t number;

    for (char **at = numbers; *at; at++) {
        if (!xc_text_to_u64(*at, 1, INT32_MAX, &number, NULL))
            return xc_fail(error, XC_CAUSE_BAD_VALUE,
                           "%s: a domain is its index here; xenctl show NAME tells it", *at);
        if (op->n_domains == DOMAINS_MAX)
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: at most %u domains", op->name,
                           DOMAINS_MAX);
        op->domains[op->n_domains++] = (uint32_t)number;
    }
    return true;
}

static bool operator_parse(const char *text, struct operator_user *out, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 3);
    unsigned n = g_strv_length(parts);

    *out = (struct operator_user){.name = g_strdup(n ? parts[0] : "")};
    return check_name(out->name, error) && (n < 3 || take_domains(out, parts[2], error)) &&
           take_rights(out, n > 1 ? parts[1] : "", error);
}

/* --- views */
static void put_view(GString *out, const char *view, const struct sn_oid *oid, const char *mask)
{
    g_autofree char *number = sn_oid_format(oid);

    g_string_append_printf(out, "view   %s included .%s%s%s\n", view, number, mask ? " " : "",
                           mask ? mask : "");
}

/* Any column of an entry's row: the column's place is 0 in subtree and mask, so that it is not compared. */
static void put_row(GString *out, const char *view, enum sn_id entry, uint32_t index)
{
    struct sn_oid oid = sn_oid_of(entry);
    unsigned any = oid.n;
    GString *mask = g_string_new(NULL);

    sn_oid_append_number(&oid, 0);
    sn_oid_append_number(&oid, index);
    for (unsigned at = 0; at < oid.n; at += 8) {
        unsigned octet = 0xff;

        if (any >= at && any < at + 8)
            octet &= ~(0x80u >> (any - at));
        g_string_append_printf(mask, "%s%02x", at ? ":" : "", octet);
    }
    put_view(out, view, &oid, mask->str);
    g_string_free(mask, TRUE);
}

/* What stands below the root in any read view that is not only about single domains. */
static void put_read_all(GString *out, const char *view)
{
    static const struct {
        const char *what;
        const char *oid;
    } others[] = {
        {"the machine that the agent runs on", "1.3.6.1.2.1.1"},
        {"VM-MIB", "1.3.6.1.2.1.236"},
        {"the table that LibreNMS knows", "1.3.6.1.4.1.60652.100"},
    };
    const struct sn_oid root = sn_oid_of(xensnmpMIB);

    g_string_append_printf(out, "# XENSNMP-MIB, whole\n");
    put_view(out, view, &root, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        g_string_append_printf(out, "# %s\nview   %s included .%s\n", others[i].what, view,
                               others[i].oid);
}

static void put_read_some(GString *out, const char *view, const struct operator_user *op)
{
    static const enum sn_id common[] = {xenAgentVersion, xenAgentState, xenAgentReason,
                                        xenControlEnabled, xenOperationTable};

    g_string_append_printf(out, "# rows of these domains in every table that begins with a domain;"
                                " of the rest what an operator needs\n");
    for (int id = 0; id < SN_N_OBJECTS; id++) {
        const struct sn_object *object = sn_object((enum sn_id)id);

        if (object->kind == SN_ENTRY && object->index[0] == xenDomainIndex)
            for (unsigned i = 0; i < op->n_domains; i++)
                put_row(out, view, (enum sn_id)id, op->domains[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(common); i++) {
        const struct sn_oid oid = sn_oid_of(common[i]);

        put_view(out, view, &oid, NULL);
    }
}

/* --- what an operator may write */
struct writing {
    GString *out;
    const char *view;
    const struct operator_user *op;
    bool done[SN_N_OBJECTS];
};

/* Tables by name have no row that is always the same domain's. */
static bool is_granted(const struct operator_user *op, enum sn_id column)
{
    return op->n_domains == 0 || sn_object(sn_object(column)->parent)->index[0] == xenDomainIndex;
}

static void put_column(enum sn_id column, void *data)
{
    struct writing *writing = data;
    const struct operator_user *op = writing->op;
    const struct sn_oid whole = sn_oid_of(column);

    if (writing->done[column] || !is_granted(op, column))
        return;
    writing->done[column] = true;
    g_string_append_printf(writing->out, "# %s\n", sn_object(column)->name);
    if (op->n_domains == 0)
        put_view(writing->out, writing->view, &whole, NULL);
    for (unsigned i = 0; i < op->n_domains; i++) {
        const struct sn_oid one = sn_oid_number(column, op->domains[i]);

        put_view(writing->out, writing->view, &one, NULL);
    }
}

static void put_write(GString *out, const char *view, const struct operator_user *op)
{
    struct writing writing = {.out = out, .view = view, .op = op};

    if (op->all && op->n_domains) {
        g_string_append(out, "# every column of these domains' rows\n");
        for (unsigned i = 0; i < op->n_domains; i++)
            put_row(out, view, xenDomainControlEntry, op->domains[i]);
        return;
    }
    for (unsigned i = 0; i < ctl_n_rights; i++)
        if (op->all || op->granted[i]) {
            g_string_append_printf(out, "# --- %s: %s\n", ctl_rights[i].name, ctl_rights[i].what);
            ctl_right_columns(&ctl_rights[i], put_column, &writing);
        }
}

/* --- the sections of the file */
static const char settings[] =
    "# The limits: a SET waits for one disk write; wide tables in few answers, none too big for a\n"
    "# UDP packet.\n"
    "agentXTimeout 5\n"
    "agentXRetries 1\n"
    "maxGetbulkResponses 1000\n"
    "[snmp] sendMessageMaxSize 65000\n"
    "[snmpd]\n";

static void put_master(GString *out, const struct ctl_options *opt)
{
    const char *group = opt->socket_group ? opt->socket_group : ACCOUNT;

    g_string_append(
        out,
        "# For snmpd; printed by xenctl snmpd-config, verified by xenctl snmpd-config --check.\n"
        "# Only its users are missing: xenctl snmpd-user makes them, while snmpd is stopped.\n\n"
        "# xensnmpd joins by AgentX. Who can open the socket answers in its place.\n"
        "master agentx\n");
    if (opt->agentx_socket)
        g_string_append_printf(out, "agentXSocket %s\n", opt->agentx_socket);
    g_string_append_printf(out, "agentXPerms 0660 0755 Debian-snmp %s\n\n%s", group, settings);
    for (char **address = opt->listen; address && *address; address++)
        g_string_append_printf(out, "%sagentAddress %s\n",
                               address == opt->listen ? "\n# Where it listens.\n" : "", *address);
}

/* An access entry without context as prefix fits every context: hosts have one each, by their keys. */
static void put_access(GString *out, const char *group, const char *read, const char *write)
{
    g_string_append_printf(out, "access %s \"\" usm authPriv prefix %s %s none\n", group, read,
                           write);
}

static char **monitors_of(const struct ctl_options *opt)
{
    static char usual[] = "monitor";
    static char *only_usual[] = {usual, NULL};

    return opt->monitors ? opt->monitors : only_usual;
}

static char **operators_of(const struct ctl_options *opt)
{
    static char usual[] = "operator";
    static char *only_usual[] = {usual, NULL};

    return opt->operators ? opt->operators : only_usual;
}

/* snmpd has a user in one group only: the last one named. */
static bool users_differ(const struct ctl_options *opt, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    char **const lists[] = {monitors_of(opt), operators_of(opt)};

    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (char **text = lists[i]; *text; text++) {
            char *name = g_strndup(*text, strcspn(*text, ":"));

            if (!g_hash_table_add(names, name))
                return xc_fail(error, XC_CAUSE_BAD_VALUE,
                               "%s: a user is named once; an operator may read anyway", *text);
        }
    return true;
}

static bool put_monitors(GString *out, const struct ctl_options *opt, GError **error)
{

    g_string_append(out, "\n# Who reads: SNMPv3 alone, signed and encrypted; in every context.\n");
    put_read_all(out, "xenRead");
    for (char **name = monitors_of(opt); *name; name++) {
        if (!check_name(*name, error))
            return false;
        g_string_append_printf(out, "group  xenMonitors usm %s\n", *name);
    }
    put_access(out, "xenMonitors", "xenRead", "none");
    return true;
}

static void put_operator(GString *out, const struct operator_user *op)
{
    g_autofree char *group = g_strconcat("xen-", op->name, NULL);
    g_autofree char *write = g_strconcat("xenWrite-", op->name, NULL);
    g_autofree char *read =
        op->n_domains ? g_strconcat("xenRead-", op->name, NULL) : g_strdup("xenRead");

    g_string_append_printf(out, "\n# What %s may do.\n", op->name);
    put_write(out, write, op);
    if (op->n_domains)
        put_read_some(out, read, op);
    g_string_append_printf(out, "group  %s usm %s\n", group, op->name);
    put_access(out, group, read, write);
}

static bool put_operators(GString *out, const struct ctl_options *opt, GError **error)
{
    bool ok = true;

    for (char **text = operators_of(opt); ok && *text; text++) {
        struct operator_user op;

        ok = operator_parse(*text, &op, error);
        if (ok)
            put_operator(out, &op);
        g_free(op.name);
    }
    return ok;
}

/* A trap is signed with the keys that snmpd has of the user: no pass phrase stands here. */
static bool put_traps(GString *out, const struct ctl_options *opt, GError **error)
{
    for (char **to = opt->traps; to && *to; to++) {
        const char *at = strchr(*to, '@');
        g_autofree char *user = at ? g_strndup(*to, (gsize)(at - *to)) : g_strdup("");
        const char *host = at ? at + 1 : "";

        if (!check_name(user, error))
            return false;
        if (!host[0] || strpbrk(host, " \t\r\n#\"'"))
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: traps go to USER@HOST[:PORT]", *to);
        g_string_append_printf(out, "%strapsess -v3 -l authPriv -u %s %s\n",
                               to == opt->traps ? "\n# Where notifications go.\n" : "", user, host);
    }
    return true;
}

static bool words_are_plain(const struct ctl_options *opt, GError **error)
{
    const char *const single[] = {opt->socket_group, opt->agentx_socket};

    for (size_t i = 0; i < G_N_ELEMENTS(single); i++)
        if (single[i] && (!single[i][0] || strpbrk(single[i], " \t\r\n#\"'")))
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "\"%s\" can't stand in snmpd.conf",
                           single[i]);
    for (char **address = opt->listen; address && *address; address++)
        if (!(*address)[0] || strpbrk(*address, " \t\r\n#\"'"))
            return xc_fail(error, XC_CAUSE_BAD_VALUE, "\"%s\" is no address", *address);
    return true;
}

static int print_config(struct ctl *ctl)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    if (ctl->n_args)
        return ctl_say(ctl, CTL_ERROR, "a file goes with --check; else it is printed");
    put_master(out, &ctl->opt);
    if (!words_are_plain(&ctl->opt, &error) || !users_differ(&ctl->opt, &error) ||
        !put_monitors(out, &ctl->opt, &error) || !put_operators(out, &ctl->opt, &error) ||
        !put_traps(out, &ctl->opt, &error))
        return ctl_fail(ctl, error);
    fputs(out->str, stdout);
    return CTL_OK;
}

int ctl_snmpd_config(struct ctl *ctl)
{
    return ctl->opt.check ? ctl_snmpd_check(ctl) : print_config(ctl);
}
