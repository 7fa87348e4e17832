/* For tests of operations of groups: one group on the hosts a and b, both of which show every member's configuration. */
#pragma once

#include "tests/unit/operations_kit.h"
#include "xenclient/engine/txn_private.h"

#define KIT_GUESTS 40
#define KIT_UUID   100 /* last digit of the first guest's */

/* Where each guest runs: 'a', 'b', or nowhere (0). */
struct kit_estate {
    char on[KIT_GUESTS];
    enum xc_domain_state state[KIT_GUESTS]; /* while it is on one; 0: running */
    enum xc_domain_state rest[KIT_GUESTS];  /* while it is on none; 0: shut down */
    unsigned n;
    unsigned need_mib;               /* of each; 0: 512 */
    unsigned free_a_mib, free_b_mib; /* 0: 4096 */
    bool a_is_down;
};

static struct kit_estate kit_estate;

static inline const char *kit_name(unsigned i)
{
    static char name[8];

    g_snprintf(name, sizeof(name), "m%02u", i);
    return name;
}

static inline struct xc_report *kit_host(char host)
{
    struct xc_report *report = kit_report("boot");
    struct xc_host *row = &g_array_index(report->hosts, struct xc_host, 0);
    unsigned free_mib = host == 'a' ? kit_estate.free_a_mib : kit_estate.free_b_mib;
    unsigned need = kit_estate.need_mib ? kit_estate.need_mib : 512;

    XC_SET(HOST, row, mem_free_kib, (free_mib ? free_mib : 4096) * 1024ull);
    for (unsigned i = 0; i < kit_estate.n; i++) {
        bool here = kit_estate.on[i] == host;
        struct xc_domain *d = kit_domain(report, kit_name(i), KIT_UUID + i, here ? 10 + i : 0);

        XC_SET(DOMAIN, d, mem_target_kib, need * 1024ull);
        if (here)
            XC_SET(DOMAIN, d, mem_kib, need * 1024ull);
        if (here && kit_estate.state[i])
            XC_SET(DOMAIN, d, state, kit_estate.state[i]);
        if (!here && kit_estate.rest[i])
            XC_SET(DOMAIN, d, state, kit_estate.rest[i]);
    }
    return report;
}

/* Both hosts answer. */
static inline void kit_tell(struct kit_fixture *f)
{
    if (!kit_estate.a_is_down)
        kit_answer(f, "a", kit_host('a'));
    kit_answer(f, "b", kit_host('b'));
    kit_turn();
}

static inline struct xc_group_spec *kit_spec(void)
{
    struct xc_group_spec *spec = xc_group_spec_new("shop");

    for (unsigned i = 0; i < kit_estate.n; i++)
        xc_group_member_get(spec, kit_name(i));
    return spec;
}

/* The group, with what the caller changed; the spec is taken. */
static inline void kit_put(struct kit_fixture *f, struct xc_group_spec *spec)
{
    xc_engine_group_put(f->engine, spec, XC_FROM_SNMP);
    xc_group_spec_free(spec);
}

/* An estate of n guests that are off, in a group. */
static inline void kit_group(struct kit_fixture *f, unsigned n)
{
    kit_estate = (struct kit_estate){.n = n};
    f->config->max_ops = 100;
    f->config->max_ops_per_host = 100;
    kit_put(f, kit_spec());
    kit_tell(f);
}

static inline enum xc_cause kit_ask_group_with(struct kit_fixture *f,
                                               const struct xc_group_request *request)
{
    struct xc_txn *txn = xc_txn_new(f->engine);
    g_autoptr(GError) error = NULL;

    if (xc_txn_add_group_op(txn, request, &error) && xc_txn_write(txn, &error))
        xc_txn_dispatch(txn);
    xc_txn_free(txn);
    kit_turn();
    g_test_message("%s", error ? error->message : "accepted");
    return xc_error_cause(error);
}

static inline enum xc_cause kit_ask_group(struct kit_fixture *f, enum xc_action action)
{
    const struct xc_group_request request = {.group = "shop", .action = action};

    return kit_ask_group_with(f, &request);
}

/* The newest operation of the group itself. */
static inline const struct xc_op *kit_parent(struct kit_fixture *f)
{
    size_t n;
    const struct xc_op *const *ops = xc_ops(f->engine, &n);

    while (n-- > 0)
        if (xc_op_is_group(ops[n]))
            return ops[n];
    g_assert_not_reached();
}

static inline const struct xc_op *kit_child(struct kit_fixture *f, unsigned i)
{
    const struct xc_op *op = xc_op_child(f->engine, kit_parent(f)->index, kit_name(i));

    g_assert_nonnull(op);
    return op;
}

/* Which guest an order is about. */
static inline unsigned kit_guest_of(const struct xc_order *order)
{
    uint64_t i;

    g_assert_true(xc_text_to_u64(order->name[1] == '0' ? order->name + 2 : order->name + 1, 0,
                                 KIT_GUESTS, &i, NULL));
    return (unsigned)i;
}

static inline const struct xc_op *kit_op_of(struct kit_fixture *f, const struct xc_order *order)
{
    size_t n;
    const struct xc_op *const *ops = xc_ops(f->engine, &n);

    for (size_t i = 0; i < n; i++)
        if (xc_uuid_equal(&ops[i]->uuid, &order->op))
            return ops[i];
    g_assert_not_reached();
}

/* The hypervisor did what an order asked for. */
static inline void kit_obey(struct kit_fixture *f, const struct xc_order *order)
{
    unsigned i = kit_guest_of(order);
    const struct xc_op *op = kit_op_of(f, order);
    char place = *op->source ? op->source[0] : 0;

    switch (order->action) {
    case XC_ACTION_START:
    case XC_ACTION_RESUME:
        kit_estate.on[i] = place;
        kit_estate.state[i] = 0;
        break;
    case XC_ACTION_SHUTDOWN:
    case XC_ACTION_DESTROY:
        kit_estate.on[i] = 0;
        break;
    case XC_ACTION_PAUSE:
        kit_estate.state[i] = XC_STATE_PAUSED;
        break;
    case XC_ACTION_MIGRATE:
        kit_estate.on[i] = op->host_to[0];
        break;
    default:
        break;
    }
    kit_end(order, XC_RESULT_OK, XC_CAUSE_NONE, "");
}

/* All orders that came since the one of that number; the hosts answer, so that they end. */
static inline guint kit_obey_all(struct kit_fixture *f, guint from)
{
    guint to = kit->orders->len;

    for (guint i = from; i < to; i++)
        kit_obey(f, kit_order(i));
    kit_tell(f);
    kit_tell(f);
    return to;
}

static inline unsigned kit_running(char host)
{
    unsigned n = 0;

    for (unsigned i = 0; i < kit_estate.n; i++)
        n += kit_estate.on[i] == host;
    return n;
}
