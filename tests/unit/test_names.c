/* The order of names: as SNMP sorts, both forms, counted, made anew only when the fleet changes.
 * The fleet is this file's: defining its functions here keeps the real one out of the program. */
#include "subagent/names.h"
#include "xenclient/model/snapshot.h"

#include <string.h>
#include <time.h>

struct xc_engine {
    struct xc_slot slot;
    struct xc_snapshot snapshot;
    struct xc_track track;
    GArray *refs;
    GArray *domains;
    GStringChunk *texts;
    GArray *hosts; /* const char *, by row */
    uint64_t generation;
    uint32_t deleted; /* index of a domain that is no more */
};

const struct xc_domain_ref *xc_fleet_domains(const struct xc_engine *engine, size_t *n)
{
    *n = engine->refs->len;
    return (const struct xc_domain_ref *)(const void *)engine->refs->data;
}

uint64_t xc_fleet_generation(const struct xc_engine *engine)
{
    return engine->generation;
}

static const struct xc_engine *the_engine;

const char *xc_fleet_host_key(const struct xc_domain_ref *ref)
{
    return g_array_index(the_engine->hosts, const char *, ref->row);
}

enum xc_presence xc_ref_presence(const struct xc_domain_ref *ref)
{
    return ref->index == the_engine->deleted ? XC_DELETED : XC_PRESENT;
}

static void add(struct xc_engine *engine, const char *name, const char *host)
{
    struct xc_domain domain = {0};
    struct xc_domain_ref ref = {.index = engine->refs->len + 1,
                                .row = engine->refs->len,
                                .slot = &engine->slot,
                                .track = &engine->track};

    if (name)
        XC_SET(DOMAIN, &domain, name, g_string_chunk_insert(engine->texts, name));
    g_array_append_val(engine->domains, domain);
    g_array_append_val(engine->refs, ref);
    g_array_append_val(engine->hosts, host);
    engine->snapshot.domains = (struct xc_domain *)(void *)engine->domains->data;
    engine->generation++;
}

struct fixture {
    struct xc_engine engine;
    struct st_names *names;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    f->engine.refs = g_array_new(FALSE, FALSE, sizeof(struct xc_domain_ref));
    f->engine.domains = g_array_new(FALSE, FALSE, sizeof(struct xc_domain));
    f->engine.hosts = g_array_new(FALSE, FALSE, sizeof(const char *));
    f->engine.texts = g_string_chunk_new(4096);
    f->engine.slot.snapshot = &f->engine.snapshot;
    f->names = st_names_new();
    the_engine = &f->engine;
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    st_names_free(f->names);
    g_array_unref(f->engine.refs);
    g_array_unref(f->engine.domains);
    g_array_unref(f->engine.hosts);
    g_string_chunk_free(f->engine.texts);
}

static char *described(struct fixture *f)
{
    GString *text = g_string_new(NULL);
    size_t n = 0;
    const struct st_name *rows = st_names_rows(f->names, &f->engine, &n);

    for (size_t i = 0; i < n; i++)
        g_string_append_printf(text, "%s=%u*%u ", rows[i].text, rows[i].domain, rows[i].count);
    return g_string_free(text, FALSE);
}

static void expect(struct fixture *f, const char *want)
{
    g_autofree char *got = described(f);

    g_assert_cmpstr(got, ==, want);
}

static void test_order(struct fixture *f, gconstpointer data)
{
    (void)data;
    expect(f, "");
    add(&f->engine, "web10", "a");
    add(&f->engine, "b", "a");
    add(&f->engine, "aa", "");
    add(&f->engine, NULL, "a");
    add(&f->engine, "", "a");
    add(&f->engine, "\xc3\xa9", "a");
    /* By length, then octets without a sign. */
    expect(f, "b=2*1 aa=3*1 \xc3\xa9=6*1 a/b=2*1 a/\xc3\xa9=6*1 web10=1*1 a/web10=1*1 ");
}

static void test_count(struct fixture *f, gconstpointer data)
{
    (void)data;
    add(&f->engine, "Domain-0", "b");
    add(&f->engine, "Domain-0", "a");
    add(&f->engine, "Domain-0", "a");
    expect(f, "Domain-0=1*3 a/Domain-0=2*2 b/Domain-0=1*1 ");
    f->engine.deleted = 2;
    f->engine.generation++;
    expect(f, "Domain-0=1*2 a/Domain-0=3*1 b/Domain-0=1*1 ");
}

static void test_too_long(struct fixture *f, gconstpointer data)
{
    (void)data;
    g_autofree char *just = g_strnfill(ST_NAME_MAX, 'x');
    g_autofree char *more = g_strnfill(ST_NAME_MAX + 1, 'y');
    g_autofree char *want = g_strdup_printf("%s=1*1 ", just);

    add(&f->engine, just, "h");
    add(&f->engine, more, "h");
    expect(f, want);
}

static void test_kept(struct fixture *f, gconstpointer data)
{
    (void)data;
    size_t n = 0;

    add(&f->engine, "one", "h");
    const struct st_name *rows = st_names_rows(f->names, &f->engine, &n);

    g_assert_true(st_names_rows(f->names, &f->engine, &n) == rows);
    /* The texts are the index's own: the snapshot may go before the next look. */
    f->engine.snapshot.domains[0].name = NULL;
    expect(f, "one=1*1 h/one=1*1 ");
}

/* A large fleet: right order, and soon enough for a SET that waits for it. */
static void test_large(struct fixture *f, gconstpointer data)
{
    (void)data;
    size_t n = 0;

    for (int i = 0; i < 100000; i++) {
        char name[32];

        g_snprintf(name, sizeof(name), "guest-%d", (i * 7919) % 100000);
        add(&f->engine, name, "dom0-a");
    }
    clock_t began = clock();
    const struct st_name *rows = st_names_rows(f->names, &f->engine, &n);

    g_test_message("200,000 names in %d ms of CPU time",
                   (int)((clock() - began) * 1000 / CLOCKS_PER_SEC));
    g_assert_cmpuint(n, ==, 200000);
    for (size_t i = 1; i < n; i++) {
        size_t a = strlen(rows[i - 1].text);
        size_t b = strlen(rows[i].text);

        g_assert_true(a < b || (a == b && strcmp(rows[i - 1].text, rows[i].text) < 0));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function)                                                                        \
    g_test_add("/names/" name, struct fixture, NULL, set_up, function, tear_down)
    ADD("order", test_order);
    ADD("count", test_count);
    ADD("too-long", test_too_long);
    ADD("kept", test_kept);
    ADD("large", test_large);
    return g_test_run();
}
