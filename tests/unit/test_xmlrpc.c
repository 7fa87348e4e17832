/* XML-RPC answers as they come in, in any pieces; and what is none, too long, too deep or a bomb. */
#include "xenclient/transport/xmlrpc.h"

#include "xenclient/util/error.h"

#include <string.h>

#define MANY (1u << 20)

struct told {
    GString *text;
    const char *unwanted;
};

static bool wants(unsigned depth, const char *name, void *data)
{
    const struct told *told = data;

    (void)depth;
    return !told->unwanted || strcmp(name, told->unwanted) != 0;
}

/* "depth:name=kind:text " of each. */
static bool take(const struct xc_xmlrpc_value *value, void *data)
{
    struct told *told = data;

    g_assert_cmpuint(strlen(value->text), ==, value->length);
    g_string_append_printf(told->text, "%u:%s=%u:%.40s ", value->depth, value->name,
                           (unsigned)value->kind, value->text);
    return strcmp(value->text, "refuse") != 0;
}

static const struct xc_xmlrpc_sink sink = {wants, take};

/* What was told of a document that comes in pieces of that size; NULL and an error. */
static char *read_in(const char *document, size_t length, size_t piece, const char *unwanted,
                     GError **error)
{
    struct told told = {g_string_new(NULL), unwanted};
    g_autoptr(xc_xmlrpc_reader) reader = xc_xmlrpc_reader_new(&sink, &told, MANY);
    bool fault = false;
    bool ok = true;

    for (size_t at = 0; ok && at < length; at += piece)
        ok = xc_xmlrpc_reader_feed(reader, document + at, MIN(piece, length - at), error);
    ok = ok && xc_xmlrpc_reader_end(reader, &fault, error);
    if (fault)
        g_string_append(told.text, "fault");
    return g_string_free(told.text, !ok);
}

#define HEAD "<?xml version='1.0'?><methodResponse><params><param>"
#define TAIL "</param></params></methodResponse>"

static const struct {
    const char *document, *unwanted, *told;
} answers[] = {
    {HEAD "<value>plain &lt;text&gt; &amp; caf\xc3\xa9</value>" TAIL, NULL,
     "0:=0:plain <text> & caf\xc3\xa9 "},
    {HEAD "<value/>" TAIL, NULL, "0:=0: "},
    {HEAD "<value><string></string></value>" TAIL, NULL, "0:=0: "},
    {HEAD "<value> <int> 7</int> </value>" TAIL, NULL, "0:=1: 7 "},
    {HEAD "<value><nil/></value>" TAIL, NULL, "0:=6: "},
    {HEAD "<value><struct>\n <member><name>Status</name><value>Success</value></member>\n"
          "<member><name>Value</name><value><array><data><value>a</value><value><i4>1</i4></value>"
          "</data></array></value></member></struct></value>" TAIL,
     NULL, "0:=7: 1:Status=0:Success 1:Value=8: 2:=0:a 2:=1:1 1:Value=9: 0:=9: "},
    {HEAD "<value><struct><member><name>a</name><value><struct><member><name>b</name>"
          "<value>1</value></member></struct></value></member><member><name/><value>2</value>"
          "</member></struct></value>" TAIL,
     "a", "0:=7: 1:=0:2 0:=9: "},
    {HEAD "<value><array><data/></array></value>" TAIL, NULL, "0:=8: 0:=9: "},
    {"<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>4</int>"
     "</value></member></struct></value></fault></methodResponse>",
     NULL, "0:=7: 1:faultCode=1:4 0:=9: fault"},
};

static void test_answers(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        size_t length = strlen(answers[i].document);

        for (size_t piece = 1; piece <= length; piece = piece < 8 ? piece + 1 : piece * 3) {
            g_autoptr(GError) error = NULL;
            g_autofree char *told =
                read_in(answers[i].document, length, piece, answers[i].unwanted, &error);

            g_assert_no_error(error);
            g_assert_cmpstr(told, ==, answers[i].told);
        }
    }
}

static const char *const wrong[] = {
    "",
    "no XML",
    "<html><body>502 Bad Gateway</body></html>",
    "<methodResponse/>",
    "<methodResponse><params><param/></params></methodResponse>",
    HEAD "<value>a</value><value>b</value>" TAIL,
    HEAD "<value><int>1</int><int>2</int></value>" TAIL,
    HEAD "<value><member><name>a</name></member></value>" TAIL,
    HEAD "<value><struct><value>1</value></struct></value>" TAIL,
    HEAD "<value><string><string>a</string></string></value>" TAIL,
    HEAD "<value>refuse</value>" TAIL,
    HEAD "<value>\xff</value>" TAIL,
    HEAD "<value>cut off",
    HEAD "<value>a</value>" TAIL "<more/>",
    "<!DOCTYPE a><methodResponse/>",
    "<!DOCTYPE a [<!ENTITY b 'b'>]>" HEAD "<value>&b;</value>" TAIL,
    "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>" HEAD "<value>a</value>" TAIL,
    HEAD "<value>&unknown;</value>" TAIL,
};

static void test_wrong(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *told = read_in(wrong[i], strlen(wrong[i]), 7, NULL, &error);

        g_test_message("%s", wrong[i]);
        g_assert_null(told);
        g_assert_error(error, XC_ERROR, XC_CAUSE_DRIVER_ERROR);
    }
}

static GString *nested(unsigned levels)
{
    GString *out = g_string_new(HEAD);

    for (unsigned i = 0; i < levels; i++)
        g_string_append(out, "<value><array><data>");
    for (unsigned i = 0; i < levels; i++)
        g_string_append(out, "</data></array></value>");
    return g_string_append(out, TAIL);
}

static void test_bounds(void)
{
    static const struct {
        const char *unwanted;
        unsigned levels;
        bool good;
    } depths[] = {{NULL, XC_XMLRPC_DEPTH, true},
                  {NULL, XC_XMLRPC_DEPTH + 1, false},
                  {NULL, 10000, false},
                  {"", 10000, false}};
    g_autofree char *filler = g_strnfill(MANY, 'x');
    g_autofree char *long_text =
        g_strdup_printf(HEAD "<value>%.*s</value>" TAIL, (int)XC_XMLRPC_TEXT * 2, filler);
    g_autofree char *longer = g_strconcat(HEAD "<value>", filler, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *told = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(depths); i++) {
        g_autoptr(GError) why = NULL;
        GString *document = nested(depths[i].levels);
        g_autofree char *deep =
            read_in(document->str, document->len, 4096, depths[i].unwanted, &why);

        g_string_free(document, TRUE);
        g_assert_true(depths[i].good == (deep != NULL));
        if (depths[i].good)
            g_assert_no_error(why);
        else
            g_assert_error(why, XC_ERROR, XC_CAUSE_LIMIT);
    }
    told = read_in(long_text, strlen(long_text), 4096, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(told);
    g_assert_null(read_in(longer, strlen(longer), 4096, NULL, &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_LIMIT);
}

/* What the parser keeps: names for ever, a tag until it is whole. */
static void test_hoards(void)
{
    static const struct {
        const char *start, *piece;
        enum xc_cause cause;
    } hoards[] = {
        {HEAD "<value><string a='", "xxxxxxxx", XC_CAUSE_LIMIT},
        {HEAD "<value><!--", "xxxxxxxx", XC_CAUSE_LIMIT},
        {HEAD "<value><?", "xxxxxxxx", XC_CAUSE_LIMIT},
        {HEAD "<", "xxxxxxxx", XC_CAUSE_LIMIT},
        {HEAD "<value><struct><member><name>no</name><value><x1/><x2/>", "", XC_CAUSE_DRIVER_ERROR},
        {HEAD "<value><struct><member><name>no</name><value><value a=''/>", "",
         XC_CAUSE_DRIVER_ERROR},
        {HEAD "<value a=''>", "", XC_CAUSE_DRIVER_ERROR},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(hoards); i++) {
        g_autoptr(GError) error = NULL;
        GString *document = g_string_new(hoards[i].start);

        while (*hoards[i].piece && document->len < MANY / 2)
            g_string_append(document, hoards[i].piece);
        g_assert_null(read_in(document->str, document->len, 4096, "no", &error));
        g_assert_error(error, XC_ERROR, (int)hoards[i].cause);
        g_string_free(document, TRUE);
    }
}

/* --- scalars */

static struct xc_xmlrpc_value scalar(const char *text)
{
    return (struct xc_xmlrpc_value){XC_XMLRPC_STRING, 0, "", text, strlen(text)};
}

static void test_numbers(void)
{
    static const struct {
        const char *text;
        bool good;
        int64_t number;
    } whole[] = {{"0", true, 0},
                 {"-5", true, -5},
                 {"9223372036854775807", true, G_MAXINT64},
                 {"-9223372036854775808", true, G_MININT64},
                 {"9223372036854775808", false, 0},
                 {"1073741824.0", true, 1073741824},
                 {"1e3", true, 1000},
                 {"1e300", false, 0},
                 {"0.5", false, 0},
                 {"abc", false, 0},
                 {"", false, 0},
                 {" 1", false, 0},
                 {"1 ", false, 0},
                 {"0x10", false, 0},
                 {"nan", false, 0},
                 {"-inf", false, 0}};

    for (size_t i = 0; i < G_N_ELEMENTS(whole); i++) {
        const struct xc_xmlrpc_value value = scalar(whole[i].text);
        int64_t number = 0;

        g_assert_cmpint(xc_xmlrpc_i64(&value, G_MININT64, G_MAXINT64, &number), ==, whole[i].good);
        g_assert_cmpint(number, ==, whole[i].number);
    }
}

static void test_others(void)
{
    static const struct {
        const char *text;
        bool good;
        gint64 usec;
    } dates[] = {{"19700101T00:00:00Z", true, 0},
                 {"20261121T22:56:57Z", true, G_GINT64_CONSTANT(1795301817000000)},
                 {"2026-11-21T22:56:57Z", true, G_GINT64_CONSTANT(1795301817000000)},
                 {"20261121T22:56:57", true, G_GINT64_CONSTANT(1795301817000000)},
                 {"20261121T23:56:57+01:00", true, G_GINT64_CONSTANT(1795301817000000)},
                 {"99991231T23:59:59Z", false, 0},
                 {"yesterday", false, 0},
                 {"20261399T22:56:57Z", false, 0}};
    struct xc_xmlrpc_value value;
    double number = 0;
    bool yes = false;

    for (size_t i = 0; i < G_N_ELEMENTS(dates); i++) {
        gint64 usec = 0;

        value = scalar(dates[i].text);
        g_assert_cmpint(xc_xmlrpc_date(&value, &usec), ==, dates[i].good);
        g_assert_cmpint(usec, ==, dates[i].usec);
    }
    value = scalar("0.25");
    g_assert_true(xc_xmlrpc_double(&value, &number) && number == 0.25);
    value = scalar("nan");
    g_assert_false(xc_xmlrpc_double(&value, &number));
    value = scalar("1");
    g_assert_true(xc_xmlrpc_bool(&value, &yes) && yes);
    value = scalar("maybe");
    g_assert_false(xc_xmlrpc_bool(&value, &yes));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xmlrpc/answers", test_answers);
    g_test_add_func("/xmlrpc/wrong", test_wrong);
    g_test_add_func("/xmlrpc/bounds", test_bounds);
    g_test_add_func("/xmlrpc/hoards", test_hoards);
    g_test_add_func("/xmlrpc/numbers", test_numbers);
    g_test_add_func("/xmlrpc/others", test_others);
    return g_test_run();
}
