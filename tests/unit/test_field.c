/* The dictionary and everything that is done by descriptor. */
#include "xenclient/model/model.h"

#include <string.h>

static const struct xc_object *const types[] = {
    &xc_host_type,  &xc_domain_type, &xc_vif_type, &xc_vbd_type, &xc_vcpu_type,
    &xc_point_type, &xc_detail_type, &xc_sr_type,  &xc_pif_type, &xc_notice_type};
#define LARGEST 1024

static size_t size_of(enum xc_kind kind)
{
    static const size_t sizes[] = {
        [XC_TEXT] = sizeof(xc_ctype_TEXT),       [XC_UUID] = sizeof(xc_ctype_UUID),
        [XC_ENUM] = sizeof(xc_ctype_ENUM),       [XC_BOOL] = sizeof(xc_ctype_BOOL),
        [XC_GAUGE] = sizeof(xc_ctype_GAUGE),     [XC_COUNTER] = sizeof(xc_ctype_COUNTER),
        [XC_INTEGER] = sizeof(xc_ctype_INTEGER), [XC_TIME] = sizeof(xc_ctype_TIME),
    };

    return sizes[kind];
}

static void test_dictionary(void)
{
    for (size_t t = 0; t < G_N_ELEMENTS(types); t++) {
        size_t end = sizeof(uint64_t); /* behind `has` */

        g_assert_cmpuint(types[t]->size, <=, LARGEST);
        for (unsigned i = 0; i < types[t]->n_fields; i++) {
            const struct xc_field *field = &types[t]->fields[i];

            g_assert_true(xc_object_field(types[t], field->name) == field); /* no name twice */
            g_assert_cmpint(field->kind == XC_ENUM, ==, field->labels != NULL);
            for (unsigned l = 0; field->labels && l < field->labels->n_labels; l++)
                g_assert_cmpint(field->labels->labels[l].number, <=, G_MAXUINT8);
            g_assert_cmpuint(strlen(field->help), >, 5);
            g_assert_cmpuint(field->offset, >=, end);
            end = field->offset + size_of(field->kind);
            g_assert_cmpuint(end, <=, types[t]->size);
            if (field->kind == XC_COUNTER || field->kind == XC_GAUGE)
                g_assert_nonnull(field->unit);
        }
    }
    g_assert_null(xc_object_field(&xc_domain_type, "nonsense"));
    g_assert_cmphex(xc_dictionary_hash(), ==, xc_dictionary_hash());
}

static void set_text(char *at, GRand *rand, GStringChunk *texts)
{
    g_autofree char *text = g_strnfill((gsize)g_rand_int_range(rand, 0, 256), 'q');

    *(const char **)(void *)at = g_string_chunk_insert(texts, text);
}

static void set_field(const struct xc_field *field, void *object, GRand *rand, GStringChunk *texts)
{
    char *at = (char *)object + field->offset;

    switch (field->kind) {
    case XC_TEXT:
        set_text(at, rand, texts);
        break;
    case XC_ENUM:
        *(uint8_t *)at = (uint8_t)field->labels
                             ->labels[g_rand_int_range(rand, 0, (gint32)field->labels->n_labels)]
                             .number;
        break;
    case XC_BOOL:
        *(uint8_t *)at = (uint8_t)g_rand_int_range(rand, 0, 2);
        break;
    default:
        for (size_t i = 0; i < size_of(field->kind); i++)
            at[i] = (char)g_rand_int(rand);
    }
}

static void assert_same(const struct xc_object *type, const void *a, const void *b)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const struct xc_field *field = &type->fields[i];
        g_autofree char *x = NULL;
        g_autofree char *y = NULL;

        if (field->origin == XC_AGENT) {
            g_assert_false(xc_has(b, i)); /* it does not travel */
            continue;
        }
        g_assert_cmpint(xc_has(a, i), ==, xc_has(b, i));
        if (!xc_has(a, i))
            continue;
        x = xc_field_format(field, a);
        y = xc_field_format(field, b);
        g_assert_cmpstr(x, ==, y);
        if (field->kind != XC_TEXT)
            g_assert_cmpmem((const char *)a + field->offset, size_of(field->kind),
                            (const char *)b + field->offset, size_of(field->kind));
    }
}

static void test_round_trip(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(2);
    GStringChunk *texts = g_string_chunk_new(256);

    for (unsigned n = 0; n < 2000; n++) {
        const struct xc_object *type = types[n % G_N_ELEMENTS(types)];
        uint64_t sent[LARGEST / 8] = {0};
        uint64_t got[LARGEST / 8] = {0};
        g_autoptr(GByteArray) wire = g_byte_array_new();

        for (unsigned i = 0; i < type->n_fields; i++)
            if (g_rand_boolean(rand)) {
                set_field(&type->fields[i], sent, rand, texts);
                sent[0] |= (uint64_t)1 << i;
            }
        xc_object_write(type, sent, wire);
        struct xc_reader from = XC_READER(wire->data, wire->len);

        xc_object_read(type, got, &from, texts);
        g_assert_true(xc_reader_end(&from));
        assert_same(type, sent, got);
    }
    g_string_chunk_free(texts);
}

/* One domain with that mask and nothing behind it but `octets`. */
static bool domain_reads(uint64_t mask, const char *octets, size_t n)
{
    g_autoptr(GByteArray) wire = g_byte_array_new();
    GStringChunk *texts = g_string_chunk_new(256);
    struct xc_domain domain = {0};
    bool ok;

    xc_put_u64(wire, mask);
    xc_put_raw(wire, octets, n);
    struct xc_reader from = XC_READER(wire->data, wire->len);

    xc_object_read(&xc_domain_type, &domain, &from, texts);
    ok = xc_reader_end(&from);
    g_assert_true(ok || domain.has == 0); /* nothing of a bad object is known */
    g_string_chunk_free(texts);
    return ok;
}

static void test_refused(void)
{
    g_autofree char *longest = g_strnfill(2 + 256, 'x');

    g_assert_true(domain_reads(0, "", 0));
    g_assert_false(domain_reads(XC_BIT(DOMAIN, cpu_percent_x100), "12345678", 8)); /* ours */
    g_assert_false(domain_reads((uint64_t)1 << XC_DOMAIN_N_FIELDS, "12345678", 8));
    g_assert_false(domain_reads((uint64_t)1 << 63, "", 0));
    g_assert_true(domain_reads(XC_BIT(DOMAIN, state), "\4\0\0\0", 4));
    g_assert_false(domain_reads(XC_BIT(DOMAIN, state), "\0\0\0\0", 4));
    g_assert_false(domain_reads(XC_BIT(DOMAIN, state), "\x0d\0\0\0", 4));
    g_assert_false(domain_reads(XC_BIT(DOMAIN, state), "\xff\xff\xff\xff", 4));
    g_assert_false(domain_reads(XC_BIT(DOMAIN, state), "\4\0\0", 3));
    g_assert_true(domain_reads(XC_BIT(DOMAIN, migrating), "\1\0\0\0", 4));
    g_assert_false(domain_reads(XC_BIT(DOMAIN, migrating), "\2\0\0\0", 4));
    g_assert_false(domain_reads(XC_BIT(DOMAIN, uuid), "0123456789abcde", 15));
    longest[0] = (char)0xff;
    longest[1] = 0;
    g_assert_true(domain_reads(XC_BIT(DOMAIN, name), longest, 2 + 255));
    longest[0] = 0;
    longest[1] = 1;
    g_assert_false(domain_reads(XC_BIT(DOMAIN, name), longest, 2 + 256));
}

static void assert_format(const char *name, const struct xc_domain *domain, const char *text)
{
    g_autofree char *got = xc_field_format(xc_object_field(&xc_domain_type, name), domain);

    g_assert_cmpstr(got, ==, text);
}

static void test_format(void)
{
    struct xc_domain d = {0};

    XC_SET(DOMAIN, &d, name, "vm");
    XC_SET(DOMAIN, &d, state, XC_STATE_RUNNING);
    XC_SET(DOMAIN, &d, migrating, 1);
    XC_SET(DOMAIN, &d, domid, -1);
    XC_SET(DOMAIN, &d, mem_kib, G_MAXUINT64);
    XC_SET(DOMAIN, &d, started, G_GINT64_CONSTANT(1700000000000005));
    g_assert_true(xc_uuid_parse("00112233-4455-6677-8899-AABBCCDDEEFF", &d.uuid));
    assert_format("name", &d, "vm");
    assert_format("state", &d, "running");
    assert_format("migrating", &d, "true");
    assert_format("domid", &d, "-1");
    assert_format("mem_kib", &d, "18446744073709551615");
    assert_format("started", &d, "2023-11-14T22:13:20Z");
    assert_format("uuid", &d, "00112233-4455-6677-8899-aabbccddeeff");
    d.state = 99;
    assert_format("state", &d, "?");
    d.started = G_MAXINT64;
    assert_format("started", &d, "?");
}

static void test_uuid(void)
{
    static const char *const bad[] = {
        "",
        "00112233-4455-6677-8899-aabbccddeef",
        "00112233-4455-6677-8899-aabbccddeeff0",
        "00112233-4455-6677-8899-aabbccddeefg",
        "00112233x4455-6677-8899-aabbccddeeff",
        "{0112233-4455-6677-8899-aabbccddeeff",
        "001122334455-6677-8899-aabbccddee-ff",
    };
    struct xc_uuid uuid = {{0}};
    struct xc_uuid other;

    g_assert_true(xc_uuid_is_nil(&uuid));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(xc_uuid_parse(bad[i], &uuid));
    g_assert_true(xc_uuid_is_nil(&uuid)); /* untouched */
    xc_uuid_random(&uuid);
    xc_uuid_random(&other);
    g_assert_false(xc_uuid_is_nil(&uuid));
    g_assert_cmpint(memcmp(&uuid, &other, sizeof(uuid)), !=, 0);
    g_assert_cmphex(uuid.b[6] >> 4, ==, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/field/dictionary", test_dictionary);
    g_test_add_func("/field/round-trip", test_round_trip);
    g_test_add_func("/field/refused", test_refused);
    g_test_add_func("/field/format", test_format);
    g_test_add_func("/field/uuid", test_uuid);
    return g_test_run();
}
