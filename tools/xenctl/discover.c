/* discover, finds: looking for hosts that run Xen, and what was found. Registering one is in source.c. */
#include "tools/xenctl/operation.h"
#include "tools/xenctl/request.h"
#include "tools/xenctl/view.h"

#include <string.h>

/* What a discovery is called unless its operator says something better. */
#define DEFAULT_NAME "xenctl"

enum { URI, VERDICT, NAME, PRODUCT, FINGERPRINT, SOURCE, DISCOVERY, REMARK };
static const struct ctl_column columns[] = {
    [URI] = {xenFoundLabel, "FIND"},
    [VERDICT] = {xenFoundVerdict, "VERDICT"},
    [NAME] = {xenFoundName, "NAME"},
    [PRODUCT] = {xenFoundProduct, "PRODUCT"},
    [FINGERPRINT] = {xenFoundFingerprint, "FINGERPRINT"},
    [SOURCE] = {xenFoundRegisterAs, "SOURCE"},
    [DISCOVERY] = {xenFoundDiscovery, "#"},
    [REMARK] = {xenFoundRemark, "REMARK"},
};
static const struct ctl_view view = {"xenFound", columns, G_N_ELEMENTS(columns), NULL};

/* What is a source already is no news. */
static bool keep(const struct ctl *ctl, const struct sn_value *cells)
{
    bool registered = *sn_value_text(&cells[SOURCE]) != '\0';

    return (ctl->opt.all || !registered) &&
           (!ctl->discovery || sn_value_number(&cells[DISCOVERY], 0) == ctl->discovery);
}

int ctl_finds(struct ctl *ctl)
{
    return ctl_print_view(ctl, &view, keep);
}

/* The newest discovery there is, 0 none: they run one at a time, so after a request it is the one that was meant. */
static bool newest(struct ctl *ctl, uint32_t *index_out, GError **error)
{
    const struct sn_oid wanted = sn_oid_of(xenDiscoveryLabel);
    struct sn_session *session = ctl_session(ctl, error);
    g_autoptr(sn_table) table = session ? sn_table_fetch(session, &wanted, 1, error) : NULL;

    *index_out = 0;
    for (unsigned i = 0; table && i < table->rows->len; i++)
        *index_out = MAX(*index_out, sn_table_at(table, i)->index.id[0]);
    return table != NULL;
}

static int ask(struct ctl *ctl)
{
    const struct ctl_options *opt = &ctl->opt;
    struct ctl_request request = {0};

    ctl_request_text(&request, sn_oid_number(xenDiscoveryStart, 0),
                     opt->name ? opt->name : DEFAULT_NAME);
    ctl_request_text(&request, sn_oid_number(xenDiscoveryStartSubnets, 0),
                     ctl->n_args ? ctl->args[0] : NULL);
    ctl_request_text(&request, sn_oid_number(xenDiscoveryStartProbes, 0), opt->probes);
    ctl_request_text(&request, sn_oid_number(xenDiscoveryStartCredential, 0), opt->credential);
    ctl_request_text(&request, sn_oid_number(xenDiscoveryStartNote, 0), opt->note);
    if (opt->rate >= 0)
        ctl_request_number(&request, sn_oid_number(xenDiscoveryStartRate, 0), xenDiscoveryStartRate,
                           opt->rate);
    return ctl_request_send(ctl, &request, "discover");
}

/* An ended discovery: how it went, and its finds. In JSON the finds alone, for that is what was asked for. */
static int show(struct ctl *ctl, const struct ctl_op *op, bool merged)
{
    int code = ctl_op_exit(op);
    int printed;

    if (!ctl->opt.json || code)
        ctl_op_report(ctl, op, merged);
    if (code)
        return code;
    ctl->discovery = op->index;
    printed = ctl_finds(ctl);
    if (!printed && !ctl->opt.json)
        fprintf(stderr, "xenctl register FIND KEY makes a source of one\n");
    return printed;
}

int ctl_discover(struct ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    struct ctl_op op = {0};
    uint32_t before, index;
    int code;

    if (!newest(ctl, &before, &error))
        return ctl_fail(ctl, error);
    code = ask(ctl);
    if (code)
        return code;
    if (!newest(ctl, &index, &error))
        return ctl_fail(ctl, error);
    if (ctl->opt.no_wait)
        return ctl_op_follow(ctl, index, index == before);
    code = ctl_op_wait(ctl, index, &op);
    if (code == CTL_OK)
        code = show(ctl, &op, index == before);
    ctl_op_clear(&op);
    return code;
}
