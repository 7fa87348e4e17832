/* Writer and reader of bytes on pipes. */
#include "xenclient/util/bytes.h"

#include <string.h>

static void test_round_trip(void)
{
    g_autoptr(GByteArray) wire = g_byte_array_new();
    g_autofree char *text = NULL;
    g_autofree char *none = NULL;
    const uint8_t *blob;
    size_t length;

    xc_put_u8(wire, 0xfe);
    xc_put_u32(wire, 0xfedcba98u);
    xc_put_u64(wire, 0xfedcba9876543210u);
    xc_put_text(wire, "h\xc3\xa9");
    xc_put_text(wire, NULL);
    xc_put_blob(wire, "a\0b", 3);
    xc_put_blob(wire, NULL, 0);
    xc_put_raw(wire, "xyz", 3);
    struct xc_reader from = XC_READER(wire->data, wire->len);

    g_assert_cmphex(xc_get_u8(&from), ==, 0xfe);
    g_assert_cmphex(xc_get_u32(&from), ==, 0xfedcba98u);
    g_assert_cmphex(xc_get_u64(&from), ==, 0xfedcba9876543210u);
    text = xc_get_text(&from, 3);
    g_assert_cmpstr(text, ==, "h\xc3\xa9");
    none = xc_get_text(&from, 0);
    g_assert_cmpstr(none, ==, "");
    blob = xc_get_blob(&from, 3, &length);
    g_assert_cmpmem(blob, length, "a\0b", 3);
    g_assert_nonnull(xc_get_blob(&from, 0, &length));
    g_assert_cmpuint(length, ==, 0);
    g_assert_false(xc_reader_end(&from)); /* not at the end yet */
    g_assert_cmpmem(xc_get_raw(&from, 3), 3, "xyz", 3);
    g_assert_true(xc_reader_end(&from));
}

static void test_little_endian(void)
{
    g_autoptr(GByteArray) wire = g_byte_array_new();

    xc_put_u32(wire, 1);
    xc_put_text(wire, "a");
    g_assert_cmpmem(wire->data, wire->len, "\1\0\0\0\1\0a", 7);
}

static void test_empty(void)
{
    struct xc_reader from = XC_READER(NULL, 0);

    g_assert_true(xc_reader_end(&from));
    xc_get_raw(&from, 0); /* nothing of nothing is no mistake */
    g_assert_true(xc_reader_end(&from));
    g_assert_cmpuint(xc_get_u8(&from), ==, 0);
    g_assert_false(xc_reader_end(&from));
}

/* Once bad, always bad: what would fit is not given either. */
static void test_stays_bad(void)
{
    static const uint8_t data[] = {1, 2, 3};
    struct xc_reader from = XC_READER(data, sizeof(data));
    size_t length = 99;

    g_assert_cmpuint(xc_get_u32(&from), ==, 0);
    g_assert_true(from.bad);
    g_assert_cmpuint(xc_get_u8(&from), ==, 0);
    g_assert_null(xc_get_raw(&from, 1));
    g_assert_null(xc_get_blob(&from, 10, &length));
    g_assert_cmpuint(length, ==, 0);
    g_autofree char *text = xc_get_text(&from, 10);

    g_assert_cmpstr(text, ==, "");
    g_assert_false(xc_reader_end(&from));
}

static bool reads(const char *octets, size_t n, size_t max)
{
    g_autofree uint8_t *exact = g_memdup2(octets, n);
    struct xc_reader from = XC_READER(exact, n);
    g_autofree char *text = xc_get_text(&from, max);

    g_assert_cmpuint(strlen(text), <=, max);
    return xc_reader_end(&from);
}

static void test_texts_refused(void)
{
    g_assert_true(reads("\3\0abc", 5, 3));
    g_assert_false(reads("\3\0abc", 5, 2));          /* too long */
    g_assert_false(reads("\4\0abc", 5, 9));          /* cut off */
    g_assert_false(reads("\3\0a\0c", 5, 9));         /* NUL */
    g_assert_false(reads("\1\0\xff", 3, 9));         /* not UTF-8 */
    g_assert_false(reads("\2\0\xc0\x80", 4, 9));     /* overlong */
    g_assert_false(reads("\3\0\xed\xa0\x80", 5, 9)); /* surrogate */
    g_assert_false(reads("\1", 1, 9));
    g_assert_false(reads("\xff\xff", 2, G_MAXSIZE));
}

static void test_blobs_refused(void)
{
    static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 1};
    static const uint8_t more[] = {2, 0, 0, 0, 1};
    size_t length;

    struct xc_reader from = XC_READER(huge, sizeof(huge));
    g_assert_null(xc_get_blob(&from, G_MAXSIZE, &length));
    g_assert_true(from.bad);
    from = XC_READER(more, sizeof(more));
    g_assert_null(xc_get_blob(&from, 10, &length));
    g_assert_true(from.bad);
    from = XC_READER(more, sizeof(more));
    g_assert_null(xc_get_blob(&from, 1, &length));
    g_assert_true(from.bad);
}

/* A text that has to be cut is cut between characters, or its reader would refuse it. */
static void test_long_text(void)
{
    for (unsigned shift = 0; shift < 4; shift++) {
        GString *text = g_string_new(NULL);
        g_autoptr(GByteArray) wire = g_byte_array_new();
        g_autofree char *got = NULL;

        for (unsigned i = 0; i < shift; i++)
            g_string_append_c(text, 'x');
        while (text->len < 70000)
            g_string_append(text, "\xf0\x9f\x90\xa7");
        xc_put_text(wire, text->str);
        struct xc_reader from = XC_READER(wire->data, wire->len);

        got = xc_get_text(&from, 65535);
        g_assert_true(xc_reader_end(&from));
        g_assert_cmpuint(strlen(got), >, 65531);
        g_assert_true(g_str_has_prefix(text->str, got));
        g_string_free(text, TRUE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bytes/round-trip", test_round_trip);
    g_test_add_func("/bytes/little-endian", test_little_endian);
    g_test_add_func("/bytes/empty", test_empty);
    g_test_add_func("/bytes/stays-bad", test_stays_bad);
    g_test_add_func("/bytes/texts-refused", test_texts_refused);
    g_test_add_func("/bytes/blobs-refused", test_blobs_refused);
    g_test_add_func("/bytes/long-text", test_long_text);
    return g_test_run();
}
