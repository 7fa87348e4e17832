/* One sim driver: its polls, its operation, and the faults of the host it asks. */
#include "tools/xen-farm/server.h"

#include "xenclient/drivers/sim_protocol.h"
#include "xenclient/transport/frame.h"
#include "xenclient/util/text.h"

#include <string.h>

#define PIECE       (256u << 10)
#define GARBAGE     (64u << 10)
#define HUGE_LENGTH (1u << 30)
#define UNSENT_MAX  64 /* messages; progress is dropped for one that reads so slowly */

struct client {
    struct farm_link link;
    struct xc_frames frames;
    bool known; /* has said hello */
    bool wants_events;
    const struct farm_host *host; /* NULL: all */
    bool changed;                 /* CHANGED was sent since the last poll */
    bool changed_late;            /* ... or must be when the host wakes up */
    bool following;
    struct xc_uuid op;
    /* A message that waits because the host is slow or hung. */
    GByteArray *held;
    uint32_t held_kind;
    gint64 resume_at; /* G_MAXINT64: not by itself */
    bool endless;     /* never comes to the end of a report */
    uint32_t serial;
};

static struct client *client_of(struct farm_link *link)
{
    return (struct client *)link;
}

static struct farm_fleet *fleet_of(struct client *client)
{
    return farm_server_fleet(client->link.server);
}

/* The host whose faults the connection suffers: of a pool the first one, its coordinator. */
static struct farm_host *front_host(struct client *client)
{
    struct farm_fleet *fleet = fleet_of(client);

    return g_ptr_array_index(fleet->hosts, client->host ? client->host->ordinal : 0);
}

static enum farm_fault fault_of(struct client *client)
{
    return client->known ? front_host(client)->fault : FARM_NORMAL;
}

static bool asleep(struct client *client)
{
    return client->held || fault_of(client) == FARM_HUNG;
}

static void send_frame(struct client *client, enum sim_message kind, const GByteArray *body)
{
    GByteArray *frame = g_byte_array_sized_new((body ? body->len : 0) + 8);

    xc_frame_append(frame, kind, body);
    farm_link_send(&client->link, frame);
}

static void refuse(struct client *client, enum xc_cause cause, const char *text)
{
    g_autoptr(GByteArray) body = g_byte_array_new();

    xc_put_u32(body, cause);
    xc_put_text(body, text);
    send_frame(client, SIM_REFUSED, body);
    client->link.closing = true;
    farm_link_arm(&client->link);
}

/* --- hello */

static void leave_listeners(struct client *client)
{
    if (client->known && client->wants_events)
        g_ptr_array_remove_fast(farm_server_listeners(client->link.server, client->host), client);
}

/* Why a host with that fault lets nobody in; NULL: it does. */
static const char *refusal(enum farm_fault fault, enum xc_cause *cause)
{
    static const struct {
        enum farm_fault fault;
        enum xc_cause cause;
        const char *text;
    } refusals[] = {
        {FARM_DOWN, XC_CAUSE_HOST_DOWN, "No route to host"},
        {FARM_REFUSE, XC_CAUSE_TRANSPORT, "Connection refused"},
        {FARM_AUTH, XC_CAUSE_AUTH_FAILED, "Permission denied (publickey)"},
        {FARM_HOSTKEY, XC_CAUSE_HOST_KEY, "Host key verification failed: the key has changed"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(refusals); i++)
        if (refusals[i].fault == fault) {
            *cause = refusals[i].cause;
            return refusals[i].text;
        }
    return NULL;
}

static void welcome(struct client *client)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    char boot[XC_UUID_TEXT] = "";

    if (client->host)
        xc_uuid_format(&client->host->boot_id, boot);
    xc_put_text(body, boot);
    send_frame(client, SIM_WELCOME, body);
}

static char *unknown_host(const struct farm_fleet *fleet, const char *name)
{
    const struct farm_host *first = g_ptr_array_index(fleet->hosts, 0);
    const struct farm_host *last = g_ptr_array_index(fleet->hosts, fleet->hosts->len - 1);

    return g_strdup_printf("the farm has no host \"%s\"; it has %s to %s, and %s for all", name,
                           first->name, last->name, SIM_ALL_URI);
}

static void get_hello(struct client *client, struct xc_reader *from)
{
    uint32_t version = xc_get_u32(from);
    uint64_t dictionary = xc_get_u64(from);
    bool events = xc_get_u8(from);
    g_autofree char *name = xc_get_text(from, XC_TEXT_MAX);
    const struct farm_host *host = farm_host_find(fleet_of(client), name);
    g_autofree char *text = NULL;

    if (!xc_reader_end(from)) {
        farm_link_close(&client->link);
    } else if (version != SIM_VERSION || dictionary != xc_dictionary_hash()) {
        refuse(client, XC_CAUSE_NOT_SUPPORTED,
               "driver and xen-farm are of different versions: build both anew");
    } else if (!host && strcmp(name, SIM_ALL) != 0) {
        text = unknown_host(fleet_of(client), name);
        refuse(client, XC_CAUSE_NO_SUCH_HOST, text);
    } else if (!client->known) {
        client->known = true;
        client->host = host;
        client->wants_events = events;
        if (events)
            g_ptr_array_add(farm_server_listeners(client->link.server, host), client);
    }
}

static void answer_hello(struct client *client)
{
    enum xc_cause cause;
    const char *text = refusal(fault_of(client), &cause);

    if (text)
        refuse(client, cause, text);
    else
        welcome(client);
}

/* --- polls */

struct poll_answer {
    struct client *client;
    bool endless;
    GByteArray *into; /* NULL: sent at once */
};

static bool send_piece(GByteArray *piece, bool last, void *data)
{
    const struct poll_answer *answer = data;
    g_autoptr(GByteArray) body = g_byte_array_sized_new(piece->len + 5);

    xc_put_u32(body, answer->client->serial);
    xc_put_u8(body, last && !answer->endless);
    xc_put_raw(body, piece->data, piece->len);
    if (answer->into)
        xc_frame_append(answer->into, SIM_REPORT, body);
    else
        send_frame(answer->client, SIM_REPORT, body);
    return !answer->client->link.dead;
}

static void send_report(struct client *client, const struct farm_host *host)
{
    struct poll_answer answer = {.client = client, .endless = client->endless};

    farm_fleet_report(fleet_of(client), host, PIECE, send_piece, &answer);
}

static void send_garbage(struct client *client)
{
    GByteArray *noise = g_byte_array_sized_new(GARBAGE);

    for (uint64_t i = 0; noise->len < GARBAGE; i++)
        xc_put_u64(noise, farm_dice(client->serial, (uint64_t)fleet_of(client)->now, i));
    farm_link_send(&client->link, noise);
}

/* Half of an answer, then the end. */
static void send_truncated(struct client *client)
{
    GByteArray *whole = g_byte_array_new();
    struct poll_answer answer = {.client = client, .into = whole};

    farm_fleet_report(fleet_of(client), client->host, PIECE, send_piece, &answer);
    g_byte_array_set_size(whole, whole->len / 2);
    farm_link_send(&client->link, whole);
    client->link.closing = true;
    farm_link_arm(&client->link);
}

static void send_huge(struct client *client)
{
    GByteArray *start = g_byte_array_new();

    xc_put_u32(start, HUGE_LENGTH);
    xc_put_u32(start, SIM_REPORT);
    g_byte_array_set_size(start, PIECE);
    memset(start->data + 8, 0, start->len - 8);
    farm_link_send(&client->link, start);
}

static void send_poison(struct client *client)
{
    struct farm_host *host = front_host(client);

    if (host->fault_left > 0 && --host->fault_left == 0)
        host->fault = FARM_NORMAL;
    send_frame(client, SIM_POISON, NULL);
}

static void answer_poll(struct client *client, struct xc_reader *from)
{
    client->serial = xc_get_u32(from);
    if (!xc_reader_end(from)) {
        farm_link_close(&client->link);
        return;
    }
    client->changed = client->changed_late = false;
    farm_server_count_poll(client->link.server);
    switch (fault_of(client)) {
    case FARM_CRASH:
        send_poison(client);
        break;
    case FARM_GARBAGE:
        send_garbage(client);
        break;
    case FARM_TRUNCATED:
        send_truncated(client);
        break;
    case FARM_HUGE:
        send_huge(client);
        break;
    case FARM_ENDLESS:
        client->endless = client->link.hungry = true;
        send_report(client, client->host);
        break;
    case FARM_OTHER:
        send_report(client, front_host(client)->other);
        break;
    default:
        send_report(client, client->host);
    }
}

/* --- operations */

static void send_progress(struct client *client, const struct farm_op *op)
{
    g_autoptr(GByteArray) body = g_byte_array_new();

    xc_put_raw(body, &op->uuid, sizeof(op->uuid));
    xc_put_text(body, op->phase);
    xc_put_u32(body, (uint32_t)(op->progress + 1));
    send_frame(client, SIM_PROGRESS, body);
}

static void send_outcome(struct client *client, const struct xc_uuid *uuid,
                         const struct xc_outcome *outcome, enum xc_domain_state state,
                         const char *where)
{
    g_autoptr(GByteArray) body = g_byte_array_new();

    xc_put_raw(body, uuid, sizeof(*uuid));
    xc_put_u32(body, outcome->result);
    xc_put_u32(body, outcome->cause);
    xc_put_text(body, outcome->text);
    xc_put_u32(body, state);
    xc_put_text(body, where);
    send_frame(client, SIM_OUTCOME, body);
}

static void unfollow(struct client *client)
{
    GHashTable *followers = farm_server_followers(client->link.server);

    if (client->following && g_hash_table_lookup(followers, &client->op) == client)
        g_hash_table_remove(followers, &client->op);
    client->following = false;
}

/* Tells how it stands, and goes on telling. */
static void follow(struct client *client, const struct farm_op *op)
{
    unfollow(client);
    if (op->finished) {
        send_outcome(client, &op->uuid, &op->outcome, op->state, op->where);
        return;
    }
    client->following = true;
    client->op = op->uuid;
    g_hash_table_insert(farm_server_followers(client->link.server),
                        g_memdup2(&op->uuid, sizeof(op->uuid)), client);
    send_progress(client, op);
}

static void send_unknown(struct client *client, const struct xc_order *order)
{
    struct farm_fleet *fleet = fleet_of(client);
    const struct farm_host *host = farm_order_host(fleet, client->host, order);
    g_autoptr(GByteArray) body = g_byte_array_new();
    char boot[XC_UUID_TEXT] = "";

    if (host)
        xc_uuid_format(&host->boot_id, boot);
    xc_put_raw(body, &order->op, sizeof(order->op));
    xc_put_u8(body, fleet->remembers);
    xc_put_text(body, boot);
    send_frame(client, SIM_UNKNOWN, body);
}

static void attach(struct client *client, const struct xc_order *order)
{
    struct farm_fleet *fleet = fleet_of(client);
    const struct farm_op *op = farm_op_find(fleet, &order->op);
    struct xc_outcome lost = {XC_RESULT_LOST, XC_CAUSE_LOST,
                              (char *)"it was begun, but what became of it is forgotten"};

    if (op)
        follow(client, op);
    else if (g_hash_table_contains(fleet->seen, &order->op))
        send_outcome(client, &order->op, &lost, XC_STATE_UNKNOWN, "");
    else
        send_unknown(client, order);
}

static void begin(struct client *client, const struct xc_order *order)
{
    const struct farm_op *op = farm_op_begin(fleet_of(client), client->host, order);

    if (op->trouble == FARM_POISON)
        send_frame(client, SIM_POISON, NULL);
    else
        follow(client, op);
}

static void get_order(struct client *client, struct xc_reader *from)
{
    struct xc_order order;

    xc_order_read(&order, from);
    if (!xc_reader_end(from))
        farm_link_close(&client->link);
    else if (order.attach)
        attach(client, &order);
    else
        begin(client, &order);
    xc_order_clear(&order);
}

static void get_cancel(struct client *client, struct xc_reader *from)
{
    const uint8_t *raw = xc_get_raw(from, sizeof(struct xc_uuid));
    struct xc_uuid uuid;
    struct farm_op *op;

    if (!raw || !xc_reader_end(from)) {
        farm_link_close(&client->link);
        return;
    }
    memcpy(&uuid, raw, sizeof(uuid));
    op = farm_op_find(fleet_of(client), &uuid);
    if (op)
        farm_op_cancel(fleet_of(client), op);
}

void farm_client_moved(struct farm_link *link, const struct farm_op *op)
{
    if (!asleep(client_of(link)) && g_queue_get_length(&link->out) < UNSENT_MAX)
        send_progress(client_of(link), op);
}

void farm_client_ended(struct farm_link *link, const struct farm_op *op)
{
    /* One that sleeps is told when it wakes up. */
    if (asleep(client_of(link)))
        return;
    unfollow(client_of(link));
    send_outcome(client_of(link), &op->uuid, &op->outcome, op->state, op->where);
}

/* --- events */

static void tell_changed(struct client *client)
{
    if (client->changed)
        return;
    client->changed_late = asleep(client);
    client->changed = !client->changed_late;
    if (client->changed)
        send_frame(client, SIM_CHANGED, NULL);
}

void farm_client_changed(struct farm_server *server, const struct farm_host *host)
{
    const GPtrArray *lists[] = {farm_server_listeners(server, host),
                                farm_server_listeners(server, NULL)};

    for (unsigned l = 0; l < G_N_ELEMENTS(lists); l++)
        for (guint i = 0; i < lists[l]->len; i++)
            tell_changed(g_ptr_array_index(lists[l], i));
}

/* --- messages */

static void dispatch(struct client *client, uint32_t kind, struct xc_reader *from)
{
    if (!client->known && kind != SIM_HELLO) {
        farm_link_close(&client->link);
        return;
    }
    switch (kind) {
    case SIM_HELLO:
        answer_hello(client);
        break;
    case SIM_POLL:
        answer_poll(client, from);
        break;
    case SIM_ORDER:
        get_order(client, from);
        break;
    case SIM_CANCEL:
        get_cancel(client, from);
        break;
    default:
        farm_link_close(&client->link);
    }
}

/* A slow host makes every message wait, a hung one for ever. */
static bool hold(struct client *client, uint32_t kind, const uint8_t *body, size_t length)
{
    enum farm_fault fault = fault_of(client);

    if (fault != FARM_SLOW && fault != FARM_HUNG)
        return false;
    client->held = g_byte_array_new();
    xc_put_raw(client->held, body, length);
    client->held_kind = kind;
    client->resume_at =
        fault == FARM_SLOW ? fleet_of(client)->now + front_host(client)->slow_usec : G_MAXINT64;
    client->link.deaf = true;
    farm_link_arm(&client->link);
    return true;
}

static void take_messages(struct client *client)
{
    const uint8_t *body;
    size_t length;
    uint32_t kind;
    int more = 0;

    while (!client->link.dead && !client->link.closing && !client->held &&
           (more = xc_frames_next(&client->frames, &kind, &body, &length)) == 1) {
        struct xc_reader from = XC_READER(body, length);

        if (kind == SIM_HELLO)
            get_hello(client, &from);
        if (client->link.dead || client->link.closing || hold(client, kind, body, length))
            return;
        dispatch(client, kind, &from);
    }
    if (more < 0)
        farm_link_close(&client->link);
}

static void client_readable(struct farm_link *link)
{
    struct client *client = client_of(link);

    if (xc_frames_fill(&client->frames, link->fd) < 0)
        farm_link_close(link);
    else
        take_messages(client);
}

/* An endless answer goes on whenever the last piece of it is gone. */
static void client_drained(struct farm_link *link)
{
    struct client *client = client_of(link);

    if (client->endless)
        send_report(client, client->host);
}

gint64 farm_client_resume_at(const struct farm_link *link)
{
    const struct client *client = (const struct client *)link;

    return client->held ? client->resume_at : G_MAXINT64;
}

void farm_client_resume(struct farm_link *link)
{
    struct client *client = client_of(link);
    g_autoptr(GByteArray) held = g_steal_pointer(&client->held);
    const struct farm_op *op;

    if (held) {
        struct xc_reader from = XC_READER(held->data, held->len);

        link->deaf = false;
        dispatch(client, client->held_kind, &from);
        if (link->dead)
            return;
        farm_link_arm(link);
    }
    if (link->dead)
        return;
    if (client->changed_late)
        tell_changed(client);
    op = client->following ? farm_op_find(fleet_of(client), &client->op) : NULL;
    if (op && op->finished)
        farm_client_ended(link, op);
    take_messages(client);
}

void farm_client_fault(struct farm_server *server, const struct farm_host *host, bool hang_up)
{
    const GPtrArray *clients = farm_server_clients(server);
    enum xc_cause cause;

    for (guint i = clients->len; i-- > 0;) {
        struct farm_link *link = g_ptr_array_index(clients, i);
        struct client *client = client_of(link);

        if (!client->known || front_host(client) != host)
            continue;
        client->endless = link->hungry = false;
        if (hang_up || refusal(host->fault, &cause))
            farm_link_close(link);
        else if (host->fault != FARM_HUNG)
            farm_client_resume(link);
    }
    /* A pool shows a member's fault. */
    farm_client_changed(server, host);
}

static struct farm_link *client_make(void)
{
    struct client *client = g_new0(struct client, 1);

    client->resume_at = G_MAXINT64;
    return &client->link;
}

static void client_closed(struct farm_link *link)
{
    struct client *client = client_of(link);

    unfollow(client);
    leave_listeners(client);
    xc_frames_clear(&client->frames);
    g_clear_pointer(&client->held, g_byte_array_unref);
}

const struct farm_link_kind farm_client_kind = {.make = client_make,
                                                .readable = client_readable,
                                                .drained = client_drained,
                                                .closed = client_closed};
