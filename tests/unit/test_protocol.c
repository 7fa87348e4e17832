/* The messages between front and worker: what is sent arrives, and nothing else is taken. */
#include "tests/unit/mutate.h"
#include "xenclient/worker/protocol.h"

static const struct xc_uuid an_op = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

/* One of each kind with no member at zero. Texts are literals: never cleared. */
static const struct {
    enum xc_sender sender;
    struct xc_msg msg;
} samples[] = {
    {XC_FROM_WORKER, {.kind = XC_MSG_HELLO, .hash = 0x1122334455667788u, .version = 9}},
    {XC_FROM_FRONT,
     {.kind = XC_MSG_ENV,
      .text = (char *)"/etc/c",
      .known_hosts = (char *)"/etc/k",
      .tls_pins = (char *)"/etc/p",
      .tls_ca = (char *)"/etc/a"}},
    {XC_FROM_FRONT,
     {.kind = XC_MSG_SOURCE,
      .source = 7,
      .spec = {.key = (char *)"a",
               .uri = (char *)"ssh://root@h",
               .credential = (char *)"c",
               .address = (char *)"10.0.0.1",
               .config_dirs = (char *)"/etc/xen:/srv",
               .save_dir = (char *)"/s"}}},
    {XC_FROM_FRONT, {.kind = XC_MSG_FORGET, .source = 0xffffffffu}},
    {XC_FROM_FRONT, {.kind = XC_MSG_POLL, .source = 7, .serial = 8, .usec = 3000000, .news = true}},
    {XC_FROM_WORKER,
     {.kind = XC_MSG_REPORT,
      .source = 7,
      .serial = 8,
      .last = true,
      .piece = (const uint8_t *)"abc",
      .piece_length = 3}},
    {XC_FROM_WORKER,
     {.kind = XC_MSG_POLL_FAILED,
      .source = 7,
      .serial = 8,
      .cause = XC_CAUSE_HOST_DOWN,
      .text = (char *)"no route to h\xc3\xb6st"}},
    {XC_FROM_WORKER,
     {.kind = XC_MSG_POLL_DONE,
      .source = 7,
      .serial = 8,
      .usec = 42,
      .reconnects = 3,
      .news = true}},
    {XC_FROM_WORKER, {.kind = XC_MSG_CHANGED, .source = 7}},
    {XC_FROM_FRONT,
     {.kind = XC_MSG_START,
      .source = 7,
      .order = {.op = {{9}},
                .action = XC_ACTION_MIGRATE,
                .attach = true,
                .uuid = {{8}},
                .has_domid = true,
                .domid = -3,
                .name = (char *)"vm",
                .config = (char *)"/etc/xen/vm.cfg",
                .content = (char *)"name = 'vm'\n",
                .host_from = (char *)"a",
                .host_to = (char *)"b",
                .target = {.key = (char *)"b", .uri = (char *)"ssh://b"},
                .boot_id = (char *)"boot",
                .live = 1,
                .timeout_usec = 5}}},
    {XC_FROM_FRONT, {.kind = XC_MSG_CANCEL, .op = {{5}}}},
    {XC_FROM_WORKER,
     {.kind = XC_MSG_PROGRESS, .op = {{5}}, .text = (char *)"sending memory", .progress = 100}},
    {XC_FROM_WORKER,
     {.kind = XC_MSG_OUTCOME,
      .op = {{5}},
      .result = XC_RESULT_LOST,
      .cause = XC_CAUSE_WORKER,
      .text = (char *)"who knows"}},
    {XC_FROM_FRONT, {.kind = XC_MSG_PING, .serial = 77}},
    {XC_FROM_WORKER, {.kind = XC_MSG_PONG, .serial = 77}},
    {XC_FROM_FRONT, {.kind = XC_MSG_LEVEL, .level = XC_LOG_DEBUG}},
    {XC_FROM_WORKER,
     {.kind = XC_MSG_FOUND,
      .op = {{5}},
      .find = {.has = XC_BIT(FIND, probe) | XC_BIT(FIND, address) | XC_BIT(FIND, port) |
                      XC_BIT(FIND, verdict),
               .probe = XC_PROBE_SSH,
               .address = "192.0.2.1",
               .port = 22,
               .verdict = XC_VERDICT_POSSIBLE}}},
};

/* The framed message without its head. */
static GByteArray *body_of(const struct xc_msg *msg)
{
    GByteArray *out = g_byte_array_new();

    xc_msg_append(msg, out);
    g_assert_cmpuint(out->len, >=, 8);
    g_byte_array_remove_range(out, 0, 8);
    return out;
}

static void assert_spec(const struct xc_source_spec *a, const struct xc_source_spec *b)
{
    g_assert_cmpstr(a->key ? a->key : "", ==, b->key);
    g_assert_cmpstr(a->uri ? a->uri : "", ==, b->uri);
    g_assert_cmpstr(a->credential ? a->credential : "", ==, b->credential);
    g_assert_cmpstr(a->address ? a->address : "", ==, b->address);
    g_assert_cmpstr(a->config_dirs ? a->config_dirs : "", ==, b->config_dirs);
    g_assert_cmpstr(a->save_dir ? a->save_dir : "", ==, b->save_dir);
}

static void assert_order(const struct xc_order *a, const struct xc_order *b)
{
    g_assert_cmpmem(&a->op, sizeof(a->op), &b->op, sizeof(b->op));
    g_assert_cmpmem(&a->uuid, sizeof(a->uuid), &b->uuid, sizeof(b->uuid));
    g_assert_cmpint(a->action, ==, b->action);
    g_assert_cmpint(a->attach, ==, b->attach);
    g_assert_cmpint(a->has_domid, ==, b->has_domid);
    g_assert_cmpint(a->domid, ==, b->domid);
    g_assert_cmpstr(a->name, ==, b->name);
    g_assert_cmpstr(a->config, ==, b->config);
    g_assert_cmpstr(a->content, ==, b->content);
    g_assert_cmpstr(a->host_from, ==, b->host_from);
    g_assert_cmpstr(a->host_to, ==, b->host_to);
    g_assert_cmpstr(a->boot_id, ==, b->boot_id);
    g_assert_cmpuint(a->live, ==, b->live);
    g_assert_cmpint(a->timeout_usec, ==, b->timeout_usec);
    assert_spec(&a->target, &b->target);
}

static void assert_same(const struct xc_msg *a, const struct xc_msg *b)
{
    g_assert_cmpuint(a->kind, ==, b->kind);
    g_assert_cmpuint(a->source, ==, b->source);
    g_assert_cmpuint(a->serial, ==, b->serial);
    g_assert_cmpuint(a->hash, ==, b->hash);
    g_assert_cmpuint(a->version, ==, b->version);
    g_assert_cmpint(a->usec, ==, b->usec);
    g_assert_cmpuint(a->reconnects, ==, b->reconnects);
    g_assert_cmpint(a->last, ==, b->last);
    g_assert_cmpint(a->level, ==, b->level);
    g_assert_cmpint(a->cause, ==, b->cause);
    g_assert_cmpint(a->result, ==, b->result);
    g_assert_cmpmem(&a->op, sizeof(a->op), &b->op, sizeof(b->op));
    g_assert_cmpstr(a->text, ==, b->text);
    g_assert_cmpstr(a->known_hosts, ==, b->known_hosts);
    g_assert_cmpstr(a->tls_pins, ==, b->tls_pins);
    g_assert_cmpstr(a->tls_ca, ==, b->tls_ca);
    g_assert_cmpmem(a->piece, a->piece_length, b->piece, b->piece_length);
    if (a->kind == XC_MSG_PROGRESS)
        g_assert_cmpint(a->progress, ==, b->progress);
    if (a->kind == XC_MSG_SOURCE)
        assert_spec(&a->spec, &b->spec);
    if (a->kind == XC_MSG_START)
        assert_order(&a->order, &b->order);
    if (a->kind == XC_MSG_FOUND) {
        g_assert_cmpuint(a->find.has, ==, b->find.has);
        g_assert_cmpuint(a->find.probe, ==, b->find.probe);
        g_assert_cmpstr(a->find.address, ==, b->find.address);
        g_assert_cmpuint(a->find.port, ==, b->find.port);
    }
}

static void test_round_trip(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        const struct xc_msg *msg = &samples[i].msg;
        g_autoptr(GByteArray) body = body_of(msg);
        struct xc_msg got;

        g_assert_cmpuint(i + 1, ==, msg->kind); /* none is forgotten */
        g_assert_true(xc_msg_read(&got, samples[i].sender, msg->kind, body->data, body->len));
        assert_same(msg, &got);
        xc_msg_clear(&got);
    }
    g_assert_cmpint(G_N_ELEMENTS(samples), ==, XC_MSG_FOUND);
}

static void test_wrong_sender(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        g_autoptr(GByteArray) body = body_of(&samples[i].msg);
        enum xc_sender other = samples[i].sender == XC_FROM_FRONT ? XC_FROM_WORKER : XC_FROM_FRONT;
        struct xc_msg got;

        g_assert_false(xc_msg_read(&got, other, samples[i].msg.kind, body->data, body->len));
    }
}

static void test_unknown_kind(void)
{
    static const uint32_t kinds[] = {0, XC_MSG_FOUND + 1, 0x80000000u, 0xffffffffu};
    struct xc_msg got;

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_assert_false(xc_msg_read(&got, XC_FROM_FRONT, kinds[i], NULL, 0));
        g_assert_false(xc_msg_read(&got, XC_FROM_WORKER, kinds[i], NULL, 0));
        g_assert_cmpstr(xc_msg_name(kinds[i]), ==, "?");
    }
    g_assert_cmpstr(xc_msg_name(XC_MSG_POLL), ==, "POLL");
}

/* Every message must end exactly; a report's rest is free, its head is not. */
static void test_length(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        const struct xc_msg *msg = &samples[i].msg;
        g_autoptr(GByteArray) body = body_of(msg);
        guint least = msg->kind == XC_MSG_REPORT ? 9 : body->len;
        struct xc_msg got;

        for (guint n = 0; n < least; n++) {
            /* A copy of that length, so that a sanitizer sees what is read behind it. */
            g_autofree uint8_t *cut = g_memdup2(body->data, n);

            g_assert_false(xc_msg_read(&got, samples[i].sender, msg->kind, cut, n));
        }
        if (msg->kind == XC_MSG_REPORT)
            continue;
        xc_put_u8(body, 0);
        g_assert_false(xc_msg_read(&got, samples[i].sender, msg->kind, body->data, body->len));
    }
}

static void refuse(enum xc_message kind, enum xc_sender sender, guint at, uint32_t value)
{
    g_autoptr(GByteArray) body = body_of(&samples[kind - 1].msg);
    uint32_t le = GUINT32_TO_LE(value);
    struct xc_msg got;

    g_assert_cmpuint(at + sizeof(le), <=, body->len);
    memcpy(body->data + at, &le, sizeof(le));
    g_assert_false(xc_msg_read(&got, sender, kind, body->data, body->len));
}

static void test_values(void)
{
    refuse(XC_MSG_LEVEL, XC_FROM_FRONT, 0, 4);          /* no such level */
    refuse(XC_MSG_POLL, XC_FROM_FRONT, 0, 0);           /* source 0 */
    refuse(XC_MSG_POLL, XC_FROM_FRONT, 12, 0x7fffffff); /* a budget of centuries */
    refuse(XC_MSG_POLL_FAILED, XC_FROM_WORKER, 8, 999); /* no such cause */
    refuse(XC_MSG_POLL_FAILED, XC_FROM_WORKER, 8, 0xffffffff);
    refuse(XC_MSG_PROGRESS, XC_FROM_WORKER, 16 + 2 + 14, 102); /* 101 % */
    refuse(XC_MSG_OUTCOME, XC_FROM_WORKER, 16, 0);             /* results */
    refuse(XC_MSG_OUTCOME, XC_FROM_WORKER, 16, XC_RESULT_NONE);
    refuse(XC_MSG_OUTCOME, XC_FROM_WORKER, 16, 8);
    refuse(XC_MSG_START, XC_FROM_FRONT, 4 + 16, 9999);  /* no such action */
    refuse(XC_MSG_START, XC_FROM_FRONT, 4 + 16 + 4, 2); /* attach is yes or no */
    refuse(XC_MSG_REPORT, XC_FROM_WORKER, 8, 0xff);     /* so is last */
    refuse(XC_MSG_POLL, XC_FROM_FRONT, 13, 0x02000000); /* and whether news will do */
}

/* A find without its place, or of a place that no host has, would be a row that can't be. */
static void test_half_finds(void)
{
    const struct xc_find whole = samples[XC_MSG_FOUND - 1].msg.find;
    struct xc_find bad[6];

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        bad[i] = whole;
    XC_CLEAR(FIND, &bad[0], address);
    XC_CLEAR(FIND, &bad[1], probe);
    bad[2].port = 0;
    bad[3].port = 65536;
    bad[4].address = "192.0.2.1/x";
    bad[5].address = "224.0.0.1";
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct xc_msg msg = {.kind = XC_MSG_FOUND, .find = bad[i]};
        g_autoptr(GByteArray) body = body_of(&msg);
        struct xc_msg got;

        g_assert_false(xc_msg_read(&got, XC_FROM_WORKER, XC_MSG_FOUND, body->data, body->len));
    }
}

/* Whatever a driver says becomes words that the other end takes. */
static void test_dirty_words(void)
{
    g_autofree char *longest = g_strnfill(5000, 'x');
    const char *texts[] = {"a\x01\xff\nb", longest, "", NULL};
    const char *become[] = {"a???b", NULL, "", ""};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct xc_msg msg = {.kind = XC_MSG_POLL_FAILED,
                             .source = 1,
                             .cause = XC_CAUSE_TRANSPORT,
                             .text = (char *)texts[i]};
        g_autoptr(GByteArray) body = body_of(&msg);
        struct xc_msg got;

        g_assert_true(xc_msg_read(&got, XC_FROM_WORKER, XC_MSG_POLL_FAILED, body->data, body->len));
        if (become[i])
            g_assert_cmpstr(got.text, ==, become[i]);
        else
            g_assert_cmpuint(strlen(got.text), ==, XC_PROTOCOL_TEXT_MAX);
        xc_msg_clear(&got);
    }
}

static void test_unclean_words_refused(void)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    struct xc_msg got;

    xc_put_u32(body, 1);
    xc_put_u32(body, 1);
    xc_put_u32(body, XC_CAUSE_TRANSPORT);
    xc_put_text(body, "two\nlines");
    g_assert_false(xc_msg_read(&got, XC_FROM_WORKER, XC_MSG_POLL_FAILED, body->data, body->len));
}

static void test_progress_bounds(void)
{
    static const struct {
        int said;
        int heard;
    } cases[] = {{-1, -1}, {-5, -1}, {0, 0}, {100, 100}, {150, 100}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct xc_msg msg = {.kind = XC_MSG_PROGRESS, .op = an_op, .progress = cases[i].said};
        g_autoptr(GByteArray) body = body_of(&msg);
        struct xc_msg got;

        g_assert_true(xc_msg_read(&got, XC_FROM_WORKER, XC_MSG_PROGRESS, body->data, body->len));
        g_assert_cmpint(got.progress, ==, cases[i].heard);
        xc_msg_clear(&got);
    }
}

/* Damage is refused, or is a message that is legal and stays the same when it is sent on. */
static void test_mutations(void)
{
    unsigned rounds = fuzz_rounds();
    g_autoptr(GRand) rand = g_rand_new_with_seed(fuzz_seed());
    unsigned taken = 0;

    for (unsigned n = 0; n < rounds; n++) {
        size_t i = n % G_N_ELEMENTS(samples);
        g_autoptr(GByteArray) body = body_of(&samples[i].msg);
        g_autoptr(GByteArray) bad = mutate(body->data, body->len, rand);
        struct xc_msg got;
        struct xc_msg again;

        if (!xc_msg_read(&got, samples[i].sender, samples[i].msg.kind, bad->data, bad->len))
            continue;
        taken++;
        g_autoptr(GByteArray) sent = body_of(&got);

        g_assert_cmpmem(sent->data, sent->len, bad->data, bad->len);
        g_assert_true(
            xc_msg_read(&again, samples[i].sender, samples[i].msg.kind, sent->data, sent->len));
        assert_same(&got, &again);
        xc_msg_clear(&again);
        xc_msg_clear(&got);
    }
    g_assert_cmpuint(taken, >, 100);
    g_assert_cmpuint(taken, <, rounds);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/protocol/half-finds", test_half_finds);
    g_test_add_func("/protocol/round-trip", test_round_trip);
    g_test_add_func("/protocol/wrong-sender", test_wrong_sender);
    g_test_add_func("/protocol/unknown-kind", test_unknown_kind);
    g_test_add_func("/protocol/length", test_length);
    g_test_add_func("/protocol/values", test_values);
    g_test_add_func("/protocol/dirty-words", test_dirty_words);
    g_test_add_func("/protocol/unclean-words-refused", test_unclean_words_refused);
    g_test_add_func("/protocol/progress-bounds", test_progress_bounds);
    g_test_add_func("/protocol/mutations", test_mutations);
    return g_test_run();
}
