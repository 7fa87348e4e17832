/* Where the members of a group go: in turn, each to the host that its policy likes best; then, as long as it brings the
 * whole nearer to what the policy wants, members that have not started, or may be moved, go elsewhere once more. */
#include "xenclient/model/plan.h"

#include <stdlib.h>
#include <string.h>

#define NOT_KNOWN (-1)

struct guest;

struct seat {
    const struct xc_plan_host *host;
    size_t ordinal;
    int64_t free_kib;
    uint32_t members;
    /* while a way is sought: how one came here */
    bool seen;
    struct seat *from;
    struct guest *by;
};

struct guest {
    const struct xc_plan_member *member;
    size_t ordinal;
    struct seat *at; /* NULL: nowhere, or on none of these hosts */
    enum xc_cause cause;
    bool loose; /* may be put elsewhere */
};

struct plan {
    enum xc_spread spread;
    struct seat *seats; /* by key */
    size_t n_seats;
    struct guest *guests; /* in turn */
    size_t n_guests;
    struct seat **queue; /* room for all seats */
    size_t *order; /* of moves; NULL: nothing has started, so what is put elsewhere is no move */
    size_t n_moves;
};

/* --- a host's room and load */

static uint64_t weight(const struct seat *seat)
{
    return MAX(seat->host->weight, 1);
}

static bool fits(const struct seat *seat, int64_t need)
{
    if (seat->free_kib == NOT_KNOWN)
        return true;
    return need < 0 ? seat->free_kib > 0 : need <= seat->free_kib;
}

static bool may_go(const struct plan *plan, const struct guest *guest, const struct seat *seat)
{
    const struct xc_plan_member *member = guest->member;

    if (member->pin >= 0 ? member->pin != (gssize)seat->ordinal : plan->spread == XC_SPREAD_PINNED)
        return false;
    return !member->may || member->may[seat->ordinal];
}

/* <0: `a` has less to carry, for its weight. */
static int compare_load(const struct seat *a, const struct seat *b)
{
    uint64_t of_a = a->members * weight(b), of_b = b->members * weight(a);

    return (of_a > of_b) - (of_a < of_b);
}

/* Is one of those on `from` better on `to`: would `to` still be the one with less to carry if it came? */
static bool nearer(const struct seat *from, const struct seat *to)
{
    return from->members > 0 && to->members * weight(from) < (from->members - 1) * weight(to);
}

/* How much more would fit, where less is wanted. */
static int64_t slack(const struct seat *seat)
{
    return seat->free_kib == NOT_KNOWN ? INT64_MAX : seat->free_kib;
}

/* Equal ones are left to the order of keys. */
static bool better(enum xc_spread spread, const struct seat *a, const struct seat *b)
{
    int load = compare_load(a, b);

    switch (spread) {
    case XC_SPREAD_BY_MEMORY:
        return a->free_kib != b->free_kib ? a->free_kib > b->free_kib : load < 0;
    case XC_SPREAD_PACK:
        if ((a->members > 0) != (b->members > 0))
            return a->members > 0;
        return a->members > 0 ? slack(a) < slack(b) : a->free_kib > b->free_kib;
    case XC_SPREAD_EQUAL:
    case XC_SPREAD_PINNED:
        break;
    }
    return load != 0 ? load < 0 : a->free_kib > b->free_kib;
}

/* --- putting members on hosts */

/* Memory that is given back may come from a report: no sum of such numbers is trusted to be one. */
static void take(struct seat *seat, int64_t need)
{
    seat->members++;
    if (seat->free_kib != NOT_KNOWN)
        seat->free_kib -= MAX(need, 0);
}

static void give_back(struct seat *seat, int64_t need)
{
    seat->members--;
    if (seat->free_kib != NOT_KNOWN && need > 0)
        seat->free_kib =
            MAX(seat->free_kib, 0) > INT64_MAX - need ? INT64_MAX : seat->free_kib + need;
}

static void put(struct plan *plan, struct guest *guest, struct seat *to)
{
    if (guest->at)
        give_back(guest->at, guest->member->need_kib);
    take(to, guest->member->need_kib);
    guest->at = to;
    guest->cause = XC_CAUSE_NONE;
    guest->loose = !plan->order;
    if (plan->order)
        plan->order[plan->n_moves++] = guest->ordinal;
}

/* The host that it likes best, other than where it is; NULL: none has room. used: of those alone that have members. */
static struct seat *choose(const struct plan *plan, const struct guest *guest, bool used)
{
    struct seat *best = NULL;

    for (size_t i = 0; i < plan->n_seats; i++) {
        struct seat *seat = &plan->seats[i];

        if (seat != guest->at && (seat->members > 0 || !used) && may_go(plan, guest, seat) &&
            fits(seat, guest->member->need_kib) && (!best || better(plan->spread, seat, best)))
            best = seat;
    }
    return best;
}

/* Puts a member elsewhere so that this one fits where it was; that place, NULL: no move of one member will do. */
static struct seat *make_room(struct plan *plan, const struct guest *wanting)
{
    int64_t need = wanting->member->need_kib;

    for (size_t i = 0; i < plan->n_guests && need >= 0; i++) {
        struct guest *guest = &plan->guests[i];
        struct seat *from = guest->at, *to;

        if (!guest->loose || !may_go(plan, wanting, from) ||
            need - MAX(guest->member->need_kib, 0) > from->free_kib)
            continue;
        to = choose(plan, guest, false);
        if (to) {
            put(plan, guest, to);
            return from;
        }
    }
    return NULL;
}

/* Why there is no place for it, whatever the memory; NONE: there may be one. */
static enum xc_cause hindrance(const struct plan *plan, const struct guest *guest)
{
    const struct xc_plan_member *member = guest->member;

    if (member->pin < 0 ? plan->n_seats == 0 || plan->spread == XC_SPREAD_PINNED
                        : member->pin >= (gssize)plan->n_seats)
        return XC_CAUSE_NO_SUCH_HOST;
    for (size_t i = 0; i < plan->n_seats; i++)
        if (may_go(plan, guest, &plan->seats[i]))
            return XC_CAUSE_NONE;
    return member->may_cause > XC_CAUSE_NONE ? member->may_cause : XC_CAUSE_NOT_SUPPORTED;
}

/* False: it fits nowhere, and guest->cause tells why. */
static bool place(struct plan *plan, struct guest *guest)
{
    struct seat *to = choose(plan, guest, false);

    guest->cause = to ? XC_CAUSE_NONE : hindrance(plan, guest);
    if (!to && guest->cause != XC_CAUSE_NONE)
        return false;
    if (!to)
        to = make_room(plan, guest);
    if (to)
        put(plan, guest, to);
    else
        guest->cause = XC_CAUSE_NO_MEMORY;
    return to != NULL;
}

/* --- equal: one member less where there are most, one more where there are fewest */

/* Of two that could go: the one with less memory to move, then the one whose turn is later. */
static bool easier(const struct guest *a, const struct guest *b)
{
    int64_t of_a = a->member->need_kib < 0 ? INT64_MAX : a->member->need_kib;
    int64_t of_b = b->member->need_kib < 0 ? INT64_MAX : b->member->need_kib;

    return of_a != of_b ? of_a < of_b : a > b;
}

/* Could it go anywhere, if there is room? */
static bool is_free(const struct guest *guest)
{
    return guest->member->pin < 0 && !guest->member->may && guest->member->need_kib >= 0;
}

/* Of the free ones on a host that which fits wherever another does; NULL: there is none. */
static const struct guest *easiest_free(const struct plan *plan, const struct seat *from)
{
    const struct guest *best = NULL;

    for (size_t i = 0; i < plan->n_guests; i++) {
        const struct guest *guest = &plan->guests[i];

        if (guest->at == from && guest->loose && is_free(guest) && (!best || easier(guest, best)))
            best = guest;
    }
    return best;
}

/* Where members of this host can go that no way led to yet: there they are queued. */
static size_t look_around(struct plan *plan, struct seat *from, size_t end)
{
    const struct guest *best = easiest_free(plan, from);

    for (size_t i = 0; i < plan->n_guests; i++) {
        struct guest *guest = &plan->guests[i];

        if (guest->at != from || !guest->loose || (is_free(guest) && guest != best))
            continue;
        for (size_t k = 0; k < plan->n_seats; k++) {
            struct seat *to = &plan->seats[k];
            bool first = !to->seen;

            if ((!first && (to->from != from || !easier(guest, to->by))) ||
                !may_go(plan, guest, to) || !fits(to, guest->member->need_kib))
                continue;
            to->seen = true;
            to->from = from;
            to->by = guest;
            if (first)
                plan->queue[end++] = to;
        }
    }
    return end;
}

/* Looks for the nearest host that had better have one more instead of this one, over hosts that pass one on. NULL: there
 * is none that was not seen before. */
static struct seat *find_way(struct plan *plan, struct seat *heavy)
{
    size_t end = 1;

    plan->queue[0] = heavy;
    heavy->seen = true;
    heavy->from = NULL;
    for (size_t next = 0; next < end;) {
        size_t ring = end;
        struct seat *best = NULL;

        while (next < ring)
            end = look_around(plan, plan->queue[next++], end);
        for (size_t i = ring; i < end; i++)
            if (nearer(heavy, plan->queue[i]) &&
                (!best || better(XC_SPREAD_EQUAL, plan->queue[i], best)))
                best = plan->queue[i];
        if (best)
            return best;
    }
    return NULL;
}

/* The one that had best have one less; of those that no way led to yet. */
static struct seat *find_heavy(const struct plan *plan)
{
    struct seat *heavy = NULL;

    for (size_t i = 0; i < plan->n_seats; i++) {
        struct seat *seat = &plan->seats[i];

        if (!seat->seen && seat->members > 0 &&
            (!heavy || (seat->members - 1) * weight(heavy) > (heavy->members - 1) * weight(seat)))
            heavy = seat;
    }
    return heavy;
}

/* A host that was seen on the way from one with more to carry leads nowhere that the other did not: it is not tried
 * again, so that a round looks at each host once. The last of a way goes first, so that each step has room, and none
 * makes anything worse. False: no way brings the numbers nearer. */
static bool level_once(struct plan *plan)
{
    struct seat *heavy, *to;

    for (size_t i = 0; i < plan->n_seats; i++)
        plan->seats[i].seen = false;
    while ((heavy = find_heavy(plan))) {
        to = find_way(plan, heavy);
        if (!to)
            continue;
        for (struct seat *from; (from = to->from); to = from)
            put(plan, to->by, to);
        return true;
    }
    return false;
}

/* --- by memory: evening out what is free */

/* How far from half of what they differ by its memory is; <0: moving it would not halve the difference. */
static int64_t off_the_middle(const struct guest *guest, const struct seat *to)
{
    int64_t need = guest->member->need_kib;
    int64_t differ = to->free_kib - guest->at->free_kib;
    int64_t quarter = differ / 4 + (differ % 4 > 0);

    if (need < quarter || need > differ - quarter)
        return -1;
    return ABS(need - differ / 2);
}

/* The fullest host for which there is something to be done gives what evens it out best with another. */
static bool even_once(struct plan *plan)
{
    struct guest *best = NULL;
    struct seat *best_to = NULL;

    for (size_t i = 0; i < plan->n_guests; i++) {
        struct guest *guest = &plan->guests[i];

        if (!guest->loose || guest->at->free_kib < 0)
            continue;
        for (size_t k = 0; k < plan->n_seats; k++) {
            struct seat *to = &plan->seats[k];
            int64_t off = to->free_kib > guest->at->free_kib ? off_the_middle(guest, to) : -1;

            if (off < 0 || !may_go(plan, guest, to) || !fits(to, guest->member->need_kib) ||
                (best && guest->at->free_kib > best->at->free_kib))
                continue;
            if (best && guest->at->free_kib == best->at->free_kib &&
                (to->free_kib < best_to->free_kib ||
                 (to->free_kib == best_to->free_kib && off >= off_the_middle(best, best_to))))
                continue;
            best = guest;
            best_to = to;
        }
    }
    if (best)
        put(plan, best, best_to);
    return best != NULL;
}

/* --- pack: one host less */

static int by_need(gconstpointer a, gconstpointer b)
{
    const struct guest *of_a = *(struct guest *const *)a, *of_b = *(struct guest *const *)b;

    return easier(of_a, of_b) ? 1 : -1;
}

/* All or none of its members go to others in use: the largest first, for which it is hardest to find room. */
static void vacate(struct plan *plan, const struct seat *seat)
{
    g_autoptr(GPtrArray) leaving = g_ptr_array_new();
    g_autofree struct seat *seats = g_memdup2(plan->seats, plan->n_seats * sizeof(*plan->seats));
    g_autofree struct guest *guests =
        g_memdup2(plan->guests, plan->n_guests * sizeof(*plan->guests));
    size_t n_moves = plan->n_moves;

    for (size_t i = 0; i < plan->n_guests; i++)
        if (plan->guests[i].at == seat && plan->guests[i].loose)
            g_ptr_array_add(leaving, &plan->guests[i]);
    if (leaving->len < seat->members)
        return;
    g_ptr_array_sort(leaving, by_need);
    for (guint i = 0; i < leaving->len; i++) {
        struct guest *guest = g_ptr_array_index(leaving, i);
        struct seat *to = choose(plan, guest, true);

        if (to) {
            put(plan, guest, to);
            continue;
        }
        memcpy(plan->seats, seats, plan->n_seats * sizeof(*seats));
        memcpy(plan->guests, guests, plan->n_guests * sizeof(*guests));
        plan->n_moves = n_moves;
        return;
    }
}

static int by_members(const void *a, const void *b)
{
    const struct seat *of_a = *(struct seat *const *)a, *of_b = *(struct seat *const *)b;

    if (of_a->members != of_b->members)
        return of_a->members < of_b->members ? -1 : 1;
    return (of_a > of_b) - (of_a < of_b);
}

/* Each host is tried once, those with the fewest members first. */
static void pack(struct plan *plan)
{
    for (size_t i = 0; i < plan->n_seats; i++)
        plan->queue[i] = &plan->seats[i];
    if (plan->n_seats > 1)
        qsort(plan->queue, plan->n_seats, sizeof(struct seat *), by_members);
    for (size_t i = 0; i < plan->n_seats; i++)
        if (plan->queue[i]->members > 0)
            vacate(plan, plan->queue[i]);
}

/* --- pinned: what is elsewhere goes to its pin */

static bool pin_once(struct plan *plan)
{
    bool moved = false;

    for (size_t i = 0; i < plan->n_guests; i++) {
        struct guest *guest = &plan->guests[i];
        struct seat *to = NULL;

        /* A pin is the only host it may go to: if it is there, there is none to choose. */
        if (guest->loose)
            to = choose(plan, guest, false);
        if (to)
            put(plan, guest, to);
        moved = moved || to;
    }
    return moved;
}

/* --- the whole */

static int by_key(const void *a, const void *b)
{
    const struct seat *of_a = a, *of_b = b;

    return strcmp(of_a->host->key, of_b->host->key);
}

static int by_turn(const void *a, const void *b)
{
    const struct guest *of_a = a, *of_b = b;

    if (of_a->member->priority != of_b->member->priority)
        return of_a->member->priority < of_b->member->priority ? -1 : 1;
    return strcmp(of_a->member->name, of_b->member->name);
}

static void add_hosts(struct plan *plan, const struct xc_plan_host *hosts, size_t n)
{
    plan->n_seats = n;
    plan->seats = g_new0(struct seat, n);
    plan->queue = g_new0(struct seat *, n);
    for (size_t i = 0; i < n; i++)
        plan->seats[i] = (struct seat){.host = &hosts[i],
                                       .ordinal = i,
                                       .free_kib = hosts[i].free_kib,
                                       .members = hosts[i].running};
    if (n > 1)
        qsort(plan->seats, n, sizeof(*plan->seats), by_key);
}

/* A host has at least as many members as are said to run on it. */
static void add_members(struct plan *plan, const struct xc_plan_member *members, size_t n)
{
    g_autofree struct seat **seat_of = g_new0(struct seat *, plan->n_seats);
    g_autofree uint32_t *tally = g_new0(uint32_t, plan->n_seats);

    for (size_t i = 0; i < plan->n_seats; i++)
        seat_of[plan->seats[i].ordinal] = &plan->seats[i];
    plan->n_guests = n;
    plan->guests = g_new0(struct guest, n);
    for (size_t i = 0; i < n; i++) {
        gssize on = members[i].on;
        bool here = on >= 0 && on < (gssize)plan->n_seats;

        plan->guests[i] = (struct guest){.member = &members[i],
                                         .ordinal = i,
                                         .at = here ? seat_of[on] : NULL,
                                         .cause = XC_CAUSE_NONE};
        if (here)
            tally[on]++;
    }
    for (size_t i = 0; i < plan->n_seats; i++)
        seat_of[i]->members = MAX(seat_of[i]->members, tally[i]);
    if (n > 1)
        qsort(plan->guests, n, sizeof(*plan->guests), by_turn);
}

/* One step towards what the policy wants of the whole. False: none is possible, or none is left. */
static bool bring_nearer(struct plan *plan)
{
    switch (plan->spread) {
    case XC_SPREAD_EQUAL:
        return level_once(plan);
    case XC_SPREAD_BY_MEMORY:
        return even_once(plan);
    case XC_SPREAD_PINNED:
        return pin_once(plan);
    case XC_SPREAD_PACK:
        pack(plan);
        return false;
    }
    return false;
}

/* Writes what came of it, and forgets the rest. */
static void finish(struct plan *plan, struct xc_placement *placements)
{
    for (size_t i = 0; i < plan->n_guests; i++) {
        const struct guest *guest = &plan->guests[i];

        placements[guest->ordinal] = (struct xc_placement){
            .host = guest->at ? (gssize)guest->at->ordinal : guest->member->on,
            .cause = guest->cause,
        };
    }
    g_free(plan->seats);
    g_free(plan->guests);
    g_free(plan->queue);
}

/* Tries again what fitted nowhere before the others were put elsewhere. True: something fits now. */
static bool place_rest(struct plan *plan)
{
    bool placed = false;

    for (size_t i = 0; i < plan->n_guests; i++)
        if (plan->guests[i].cause == XC_CAUSE_NO_MEMORY && !plan->guests[i].member->barred &&
            place(plan, &plan->guests[i]))
            placed = true;
    return placed;
}

void xc_plan_start(enum xc_spread spread, const struct xc_plan_host *hosts, size_t n_hosts,
                   const struct xc_plan_member *members, size_t n_members,
                   struct xc_placement *placements)
{
    /* The others say of each member by itself where it goes. */
    const bool is_of_the_whole = spread == XC_SPREAD_EQUAL || spread == XC_SPREAD_PACK;
    struct plan plan = {.spread = spread};

    add_hosts(&plan, hosts, n_hosts);
    add_members(&plan, members, n_members);
    for (size_t i = 0; i < n_members; i++) {
        struct guest *guest = &plan.guests[i];

        if (guest->member->on >= 0)
            continue;
        if (guest->member->barred)
            guest->cause = guest->member->barred_cause;
        else
            place(&plan, guest);
    }
    do {
        while (is_of_the_whole && bring_nearer(&plan))
            ;
    } while (place_rest(&plan));
    finish(&plan, placements);
}

size_t xc_plan_rebalance(enum xc_spread spread, const struct xc_plan_host *hosts, size_t n_hosts,
                         const struct xc_plan_member *members, size_t n_members,
                         struct xc_placement *placements, size_t *order)
{
    struct plan plan = {.spread = spread, .order = order};

    add_hosts(&plan, hosts, n_hosts);
    add_members(&plan, members, n_members);
    for (size_t i = 0; i < n_members; i++) {
        struct guest *guest = &plan.guests[i];

        guest->loose = guest->at && !guest->member->barred;
        if (guest->member->on < 0)
            guest->cause = guest->member->barred ? guest->member->barred_cause : XC_CAUSE_BAD_STATE;
    }
    while (bring_nearer(&plan))
        ;
    finish(&plan, placements);
    return plan.n_moves;
}
