/* A simulated fleet under a clock of the test's own: what the tests of the farm share. */
#pragma once

#include "tools/xen-farm/server.h"

#include "xenclient/util/clock.h"

#include <string.h>

#define SEC  XC_USEC_PER_SEC
#define GIB  (1024u * 1024u)
#define REAL (1700000000 * SEC)

struct world {
    struct farm_fleet *fleet;
    gint64 now;
    uint64_t next_op;
};

G_GNUC_UNUSED static void world_open(struct world *world, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    struct farm_config config;

    (void)data;
    farm_config_init(&config);
    config.running_percent = 100;
    config.mem_kib = GIB;
    config.vifs = 2;
    config.vbds = 1;
    world->now = 1000000 * SEC;
    world->next_op = 1;
    world->fleet = farm_fleet_new(&config, world->now, REAL, &error);
    g_assert_no_error(error);
}

G_GNUC_UNUSED static void world_close(struct world *world, gconstpointer data)
{
    (void)data;
    world->fleet = farm_fleet_free(world->fleet);
}

G_GNUC_UNUSED static struct farm_host *host(struct world *world, const char *name)
{
    struct farm_host *found = farm_host_find(world->fleet, name);

    g_assert_nonnull(found);
    return found;
}

G_GNUC_UNUSED static struct farm_domain *domain(struct world *world, unsigned n)
{
    return g_ptr_array_index(world->fleet->domains, n);
}

/* Lets time pass in small steps, as a server would. */
G_GNUC_UNUSED static void pass(struct world *world, double seconds)
{
    gint64 end = world->now + (gint64)(seconds * SEC);

    while (world->now < end) {
        gint64 next = farm_fleet_run(world->fleet, world->now);

        world->now = CLAMP(next, world->now + 1, end);
    }
    farm_fleet_run(world->fleet, world->now);
}

G_GNUC_UNUSED static void order_init(struct world *world, struct xc_order *order,
                                     enum xc_action action, const struct farm_domain *on)
{
    struct xc_order empty = {.action = action};

    xc_order_copy(order, &empty);
    memcpy(order->op.b, &world->next_op, sizeof(world->next_op));
    world->next_op++;
    if (on) {
        order->uuid = on->uuid;
        g_free(order->name);
        order->name = g_strdup(on->name);
    }
}

G_GNUC_UNUSED static struct farm_op *begin_to(struct world *world, enum xc_action action,
                                              const struct farm_domain *on, const char *target)
{
    struct xc_order order;
    struct farm_op *op;

    order_init(world, &order, action, on);
    g_free(order.host_to);
    order.host_to = g_strdup(target);
    op = farm_op_begin(world->fleet, on->host, &order);
    xc_order_clear(&order);
    return op;
}

G_GNUC_UNUSED static struct farm_op *begin(struct world *world, enum xc_action action,
                                           const struct farm_domain *on)
{
    return begin_to(world, action, on, "");
}

#define ASSERT_END(op, the_result, the_cause)                                                      \
    do {                                                                                           \
        const struct farm_op *op_ = (op);                                                          \
                                                                                                   \
        g_assert_true(op_->finished);                                                              \
        g_assert_cmpstr(xc_enum_label(&xc_result_labels, (int)op_->outcome.result), ==,            \
                        xc_enum_label(&xc_result_labels, the_result));                             \
        g_assert_cmpstr(xc_enum_label(&xc_cause_labels, (int)op_->outcome.cause), ==,              \
                        xc_enum_label(&xc_cause_labels, the_cause));                               \
    } while (0)
#define ASSERT_OK(op)            ASSERT_END(op, XC_RESULT_OK, XC_CAUSE_NONE)
#define ASSERT_FAILED(op, cause) ASSERT_END(op, XC_RESULT_FAILED, cause)

/* By hand. */
G_GNUC_UNUSED static void bring_to(struct world *world, struct farm_domain *d,
                                   enum xc_domain_state state)
{
    switch (state) {
    case XC_STATE_PAUSED:
        g_assert_true(farm_hand_pause(world->fleet, d, true, NULL));
        break;
    case XC_STATE_SHUTDOWN:
        g_assert_true(farm_hand_stop(world->fleet, d, XC_REASON_POWEROFF, NULL));
        break;
    case XC_STATE_CRASHED:
        g_assert_true(farm_hand_stop(world->fleet, d, XC_REASON_CRASH, NULL));
        break;
    default:
        break;
    }
    g_assert_cmpint(d->state, ==, state);
}
