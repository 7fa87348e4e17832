/* The front's side of the boundary as a state machine: legal messages and calls in wild order, by seed. The only
 * worker says hello and then nothing; what it could say is made up here. */
#include "xenclient/util/log.h"
#include "xenclient/worker/supervisor_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SEEDS   20
#define STEPS   4500
#define SOURCES 4

/* Callbacks call back into the supervisor now and then, as the engine does. */
struct storm {
    struct xc_supervisor *s;
    GRand *rand;
    bool open[SOURCES + 1]; /* a poll of it is to be answered */
    unsigned answers;
    GHashTable *ops; /* uuid's first octet + 1 -> source: an outcome is owed */
    unsigned outcomes;
};

static void act(struct storm *storm);

static void take_answer(struct storm *storm, uint32_t source)
{
    g_assert_true(storm->open[source]); /* exactly one, and only of what was asked */
    storm->open[source] = false;
    storm->answers++;
    if (g_rand_int_range(storm->rand, 0, 4) == 0)
        act(storm);
}

static void storm_polled(uint32_t source, struct xc_report *report, gint64 took,
                         uint32_t reconnects, void *data)
{
    (void)took;
    (void)reconnects;
    g_assert_true(xc_report_check(report));
    xc_report_free(report);
    take_answer(data, source);
}

static void storm_failed(uint32_t source, const GError *error, void *data)
{
    g_assert_nonnull(error);
    take_answer(data, source);
}

static void storm_outcome(const struct xc_uuid *op, const struct xc_outcome *outcome, void *data)
{
    struct storm *storm = data;

    g_assert_cmpint(outcome->result, !=, XC_RESULT_NONE);
    g_assert_true(g_hash_table_remove(storm->ops, GUINT_TO_POINTER(op->b[0] + 1u)));
    storm->outcomes++;
    if (g_rand_int_range(storm->rand, 0, 4) == 0)
        act(storm);
}

static gboolean is_of(gpointer key, gpointer value, gpointer source)
{
    (void)key;
    return value == source;
}

static void start_op(struct storm *storm, uint32_t id)
{
    struct xc_order order = {.action = XC_ACTION_START, .timeout_usec = 5 * XC_USEC_PER_SEC};

    order.op.b[0] = (uint8_t)g_rand_int_range(storm->rand, 0, 6);
    if (!g_hash_table_contains(storm->ops, GUINT_TO_POINTER(order.op.b[0] + 1u)))
        g_hash_table_insert(storm->ops, GUINT_TO_POINTER(order.op.b[0] + 1u), GUINT_TO_POINTER(id));
    xc_supervisor_start(storm->s, id, &order);
}

/* One call of the interface. */
static void act(struct storm *storm)
{
    struct xc_source_spec spec = {.key = (char *)"a", .uri = (char *)"test://ok@host"};
    uint32_t id = (uint32_t)g_rand_int_range(storm->rand, 1, SOURCES + 1);
    struct xc_uuid op = {{(uint8_t)g_rand_int_range(storm->rand, 0, 6)}};

    switch (g_rand_int_range(storm->rand, 0, 8)) {
    case 0:
        xc_supervisor_add(storm->s, id, &spec);
        break;
    case 1:
        if (g_rand_int_range(storm->rand, 0, 3) == 0) {
            xc_supervisor_remove(storm->s, id);
            storm->open[id] = false;
            g_hash_table_foreach_remove(storm->ops, is_of, GUINT_TO_POINTER(id));
        }
        break;
    case 2:
        start_op(storm, id);
        break;
    case 3:
        xc_supervisor_cancel(storm->s, &op);
        break;
    default:
        /* True only when none was open. */
        if (xc_supervisor_poll(storm->s, id, XC_USEC_PER_SEC, false)) {
            g_assert_false(storm->open[id]);
            storm->open[id] = true;
        }
    }
}

/* One message that a worker might send, mostly about what was really asked. */
static void say(struct storm *storm, struct xc_crew *crew)
{
    static const enum xc_message kinds[] = {XC_MSG_REPORT,      XC_MSG_REPORT,   XC_MSG_POLL_DONE,
                                            XC_MSG_CHANGED,     XC_MSG_PROGRESS, XC_MSG_OUTCOME,
                                            XC_MSG_POLL_FAILED, XC_MSG_FOUND};
    static const char piece[] = "\1\0\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0";
    struct xc_msg msg = {.source = (uint32_t)g_rand_int_range(storm->rand, 1, SOURCES + 1),
                         .cause = XC_CAUSE_TRANSPORT,
                         .result = XC_RESULT_OK,
                         .text = (char *)"words",
                         .piece = (const uint8_t *)piece};
    const struct xc_ssource *source = xc_ssource_find(storm->s, msg.source);

    msg.kind = kinds[g_rand_int_range(storm->rand, 0, G_N_ELEMENTS(kinds))];
    msg.serial =
        source && g_rand_int_range(storm->rand, 0, 8) ? source->serial : g_rand_int(storm->rand);
    msg.op.b[0] = (uint8_t)g_rand_int_range(storm->rand, 0, 8);
    msg.last = g_rand_boolean(storm->rand);
    msg.piece_length = (size_t)g_rand_int_range(storm->rand, 0, 3) * 11 % 31;
    if (msg.kind == XC_MSG_PROGRESS || msg.kind == XC_MSG_OUTCOME || msg.kind == XC_MSG_FOUND)
        xc_sop_message(storm->s, crew, &msg);
    else
        xc_ssource_message(storm->s, crew, &msg);
}

/* Time passes or a worker dies, as far as sources and operations can tell. */
static void suffer(struct storm *storm, struct xc_crew *crew, gint64 *now)
{
    switch (g_rand_int_range(storm->rand, 0, 12)) {
    case 0: {
        bool blame = g_rand_boolean(storm->rand);

        xc_sop_lost(storm->s, crew, blame);
        xc_ssource_lost(storm->s, crew, "of the storm", blame);
        break;
    }
    case 1:
        *now += g_rand_int_range(storm->rand, 0, 4) * XC_USEC_PER_SEC;
        xc_clock_fake(*now, 0);
        break;
    default:
        xc_ssource_tick(storm->s, *now);
        xc_sop_tick(storm->s, *now);
    }
}

static struct xc_crew *any_crew(struct storm *storm)
{
    return g_ptr_array_index(storm->s->crews,
                             g_rand_int_range(storm->rand, 0, (gint32)storm->s->crews->len));
}

/* After enough time nothing is owed any more. */
static void settle(struct storm *storm, gint64 *now)
{
    for (int i = 0; i < 3; i++) {
        *now += 100 * XC_USEC_PER_SEC;
        xc_clock_fake(*now, 0);
        xc_ssource_tick(storm->s, *now);
        xc_sop_tick(storm->s, *now);
    }
}

static void run_storm(struct storm *storm, guint32 seed)
{
    struct xc_source_spec spec = {.key = (char *)"a", .uri = (char *)"test://ok@host"};
    gint64 now = xc_clock_mono();

    storm->rand = g_rand_new_with_seed(seed);
    storm->ops = g_hash_table_new(NULL, NULL);
    xc_clock_fake(now, 0);
    xc_supervisor_add(storm->s, 1, &spec);
    while (xc_supervisor_workers(storm->s) == 0 ||
           !xc_child_is_ready(((struct xc_crew *)g_ptr_array_index(storm->s->crews, 0))->child))
        g_main_context_iteration(NULL, TRUE);
    for (unsigned step = 0; step < STEPS; step++) {
        act(storm);
        say(storm, any_crew(storm));
        say(storm, any_crew(storm));
        suffer(storm, any_crew(storm), &now);
    }
    /* What the callbacks ask for in the end is owed as well: they are quiet from now on. */
    for (int i = 0; i < 20; i++)
        settle(storm, &now);
    for (uint32_t id = 1; id <= SOURCES; id++) {
        const struct xc_ssource *source = xc_ssource_find(storm->s, id);

        g_assert_cmpint(storm->open[id], ==, source && source->open);
    }
    g_assert_cmpuint(g_hash_table_size(storm->ops), ==, g_hash_table_size(storm->s->ops));
    g_hash_table_unref(storm->ops);
    g_rand_free(storm->rand);
}

static void test_storm(void)
{
    static const struct xc_supervisor_events events = {
        .polled = storm_polled, .poll_failed = storm_failed, .outcome = storm_outcome};
    struct xc_supervisor_limits limits = {.sources_per_worker = 2};
    struct xc_driver_env env = {.credential_dir = (char *)"", .known_hosts = (char *)""};
    unsigned answers = 0;
    unsigned outcomes = 0;

    for (guint32 seed = 0; seed < SEEDS; seed++) {
        struct storm storm = {0};

        storm.s = xc_supervisor_new(&env, &limits, &events, &storm);
        run_storm(&storm, seed);
        answers += storm.answers;
        outcomes += storm.outcomes;
        xc_supervisor_free(storm.s);
        xc_clock_fake(0, 0);
    }
    g_assert_cmpuint(answers, >, SEEDS * 50);
    g_assert_cmpuint(outcomes, >, SEEDS * 20);
}

/* Says hello, reads what comes, says nothing more. */
static int be_silent(int fd)
{
    struct xc_msg hello = {
        .kind = XC_MSG_HELLO, .hash = xc_dictionary_hash(), .version = XC_PROTOCOL_VERSION};
    g_autoptr(GByteArray) out = g_byte_array_new();
    uint8_t buffer[4096];

    xc_msg_append(&hello, out);
    if (send(fd, out->data, out->len, MSG_NOSIGNAL) < 0)
        return EXIT_FAILURE;
    while (recv(fd, buffer, sizeof(buffer), 0) > 0)
        continue;
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--worker") == 0)
        return be_silent((int)g_ascii_strtoll(argv[2], NULL, 10));
    xc_log_set_level(XC_LOG_ERROR);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/supervisor/storm", test_storm);
    return g_test_run();
}
