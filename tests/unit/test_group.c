/* Definitions of groups: order, defaults, limits, the form they are written in. */
#include "xenclient/model/group.h"

#include "xenclient/util/error.h"

#include <string.h>

static void set(char **to, const char *text)
{
    g_free(*to);
    *to = g_strdup(text);
}

static struct xc_group_spec *example(void)
{
    struct xc_group_spec *spec = xc_group_spec_new("web");
    struct xc_member_spec *member = xc_group_member_get(spec, "dom0-a/www 2");

    set(&spec->descr, "front ends");
    set(&member->descr, "the second");
    set(&member->create, "library:www.cfg");
    set(&member->pin, "dom0-a");
    member->priority = 7;
    member->delay_sec = 30;
    xc_group_member_get(spec, "db");
    xc_group_member_get(spec, "a");
    xc_group_host_get(spec, "dom0-b")->weight = 50;
    xc_group_host_get(spec, "dom0-a");
    spec->all_hosts = false;
    spec->min_running = 2;
    return spec;
}

static void test_defaults(void)
{
    g_autoptr(xc_group_spec) spec = xc_group_spec_new("web");
    const struct xc_member_spec *member = xc_group_member_get(spec, "a");

    g_assert_cmpint(spec->spread, ==, XC_SPREAD_EQUAL);
    g_assert_cmpint(spec->order, ==, XC_GROUP_PARALLEL);
    g_assert_true(spec->all_hosts);
    g_assert_cmpuint(spec->min_running, ==, 0);
    g_assert_cmpuint(member->priority, ==, 50);
    g_assert_cmpuint(member->delay_sec, ==, 0);
    g_assert_cmpstr(member->create, ==, "");
    g_assert_cmpuint(xc_group_host_get(spec, "h")->weight, ==, 100);
    g_assert_true(xc_group_spec_check(spec, NULL));
}

/* As SNMP sorts them: the shorter one first. */
static void test_order(void)
{
    static const char *const names[] = {"bb", "a", "ccc", "b", "aa", "aaa", "c"};
    static const char *const sorted[] = {"a", "b", "c", "aa", "bb", "aaa", "ccc"};
    g_autoptr(xc_group_spec) spec = xc_group_spec_new("g");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        xc_group_member_get(spec, names[i]);
        xc_group_host_get(spec, names[i]);
    }
    for (guint i = 0; i < G_N_ELEMENTS(sorted); i++) {
        const struct xc_member_spec *member = spec->members->pdata[i];
        const struct xc_group_host_spec *host = spec->hosts->pdata[i];

        g_assert_cmpstr(member->member, ==, sorted[i]);
        g_assert_cmpstr(host->host, ==, sorted[i]);
        g_assert_true(xc_group_member(spec, sorted[i]) == member);
        g_assert_true(xc_group_member_get(spec, sorted[i]) == member);
        g_assert_true(xc_group_host(spec, sorted[i]) == host);
    }
    xc_group_member_drop(spec, "aa");
    xc_group_member_drop(spec, "zz");
    xc_group_host_drop(spec, "a");
    g_assert_null(xc_group_member(spec, "aa"));
    g_assert_null(xc_group_host(spec, "a"));
    g_assert_cmpuint(spec->members->len, ==, 6);
    g_assert_cmpuint(spec->hosts->len, ==, 6);
}

static void test_written(void)
{
    g_autoptr(xc_group_spec) spec = example();
    g_autoptr(xc_group_spec) copy = xc_group_spec_copy(spec);
    g_autoptr(xc_group_spec) read = NULL;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct xc_reader reader;

    g_assert_true(xc_group_spec_equal(spec, copy));
    xc_group_spec_write(spec, bytes);
    reader = XC_READER(bytes->data, bytes->len);
    read = xc_group_spec_read("web", &reader);
    g_assert_nonnull(read);
    g_assert_true(xc_reader_end(&reader));
    g_assert_true(xc_group_spec_equal(spec, read));
    xc_group_member(read, "db")->delay_sec++;
    g_assert_false(xc_group_spec_equal(spec, read));
    g_assert_cmpstr(xc_group_member(copy, "dom0-a/www 2")->create, ==, "library:www.cfg");
}

/* Whatever was cut or changed: a legal definition or none. */
static void test_damaged(void)
{
    g_autoptr(xc_group_spec) spec = example();
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    xc_group_spec_write(spec, bytes);
    for (guint i = 0; i < bytes->len; i++) {
        struct xc_reader cut = XC_READER(bytes->data, i);

        g_assert_null(xc_group_spec_read("web", &cut));
        for (unsigned with = 0; with < 256; with += 51) {
            struct xc_reader changed = XC_READER(bytes->data, bytes->len);
            g_autoptr(xc_group_spec) read = NULL;
            uint8_t was = bytes->data[i];

            bytes->data[i] = (uint8_t)with;
            read = xc_group_spec_read("web", &changed);
            g_assert_true(!read || xc_group_spec_check(read, NULL));
            bytes->data[i] = was;
        }
    }
}

static void test_hosts_text(void)
{
    static const char *const bad[] = {
        "a a", "a *", "a,b", "-a", "a/b", "\x01", "a23456789a123456789a123456789a123"};
    static const struct {
        const char *text, *shown;
    } good[] = {{"*", "*"}, {"", ""}, {" \t", ""}, {"bb a", "a bb"}, {" a\tb ", "a b"}};
    g_autoptr(xc_group_spec) spec = xc_group_spec_new("g");
    g_autoptr(GError) error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *shown = NULL;

        g_assert_true(xc_group_hosts_parse(spec, good[i].text, &error));
        shown = xc_group_hosts_text(spec);
        g_assert_cmpstr(shown, ==, good[i].shown);
    }
    xc_group_host(spec, "b")->weight = 3;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *shown = NULL;

        g_assert_false(xc_group_hosts_parse(spec, bad[i], &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_BAD_VALUE);
        g_clear_error(&error);
        shown = xc_group_hosts_text(spec);
        g_assert_cmpstr(shown, ==, "a b");
    }
    g_assert_true(xc_group_hosts_parse(spec, "*", NULL));
    g_assert_cmpuint(xc_group_host(spec, "b")->weight, ==, 3);
    g_assert_true(xc_group_hosts_parse(spec, "b c", NULL));
    g_assert_cmpuint(xc_group_host(spec, "b")->weight, ==, 3);
    g_assert_cmpuint(xc_group_host(spec, "c")->weight, ==, 100);
}

/* --- each limit, kept and passed */

static enum xc_cause verdict(const struct xc_group_spec *spec)
{
    g_autoptr(GError) error = NULL;

    return xc_group_spec_check(spec, &error) ? XC_CAUSE_NONE : xc_error_cause(error);
}

static void test_names(void)
{
    static const char *const good[] = {"a",
                                       "0",
                                       "web.front-end_2",
                                       "m23456789a123456789a123456789a12",
                                       "A23456789a123456789a123456789a12",
                                       "a23456789a123456789a123456789a1"};
    /* The last one is that of a vApp. */
    static const char *const bad[] = {"",
                                      "-a",
                                      ".a",
                                      "a b",
                                      "a/b",
                                      "\xc3\xa4",
                                      "m23456789a123456789a123456789a123",
                                      "a23456789a123456789a123456789a12"};

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(xc_group_spec) spec = xc_group_spec_new(good[i]);

        g_assert_cmpint(verdict(spec), ==, XC_CAUSE_NONE);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(xc_group_spec) spec = xc_group_spec_new(bad[i]);

        g_assert_cmpint(verdict(spec), ==, XC_CAUSE_BAD_VALUE);
    }
}

static void test_vapp_names(void)
{
    const struct xc_uuid uuid = {
        .b = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, [15] = 0xff}};
    char name[XC_UUID_TEXT];

    xc_vapp_name(&uuid, name);
    g_assert_cmpstr(name, ==, "0123456789abcdef00000000000000ff");
    g_assert_true(xc_vapp_is_name(name));
    name[31] = 'g';
    g_assert_false(xc_vapp_is_name(name));
    name[31] = '\0';
    g_assert_false(xc_vapp_is_name(name));
    g_assert_false(xc_vapp_is_name(""));
}

static void test_member_names(void)
{
    g_autofree char *most = g_strnfill(64, 'm');
    g_autofree char *more = g_strnfill(65, 'm');
    const char *const good[] = {"a b", "host/name", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
                                "\xc3\xa4\xe2\x82\xac", most};
    const char *const bad[] = {"", "a\nb", "\x7f", "\xff", "a\tb", more};

    for (size_t i = 0; i < G_N_ELEMENTS(good) + G_N_ELEMENTS(bad); i++) {
        bool legal = i < G_N_ELEMENTS(good);
        g_autoptr(xc_group_spec) spec = xc_group_spec_new("g");

        xc_group_member_get(spec, legal ? good[i] : bad[i - G_N_ELEMENTS(good)]);
        g_assert_cmpint(verdict(spec), ==, legal ? XC_CAUSE_NONE : XC_CAUSE_BAD_VALUE);
    }
}

static void test_create(void)
{
    static const char *const good[] = {"", "/etc/xen/a.cfg", "library:a.cfg", "template:Debian 12"};
    static const char *const bad[] = {"/",         "a.cfg",     "library:", "library:../a",
                                      "template:", "Library:a", ":",        "/a\n"};

    for (size_t i = 0; i < G_N_ELEMENTS(good) + G_N_ELEMENTS(bad); i++) {
        bool legal = i < G_N_ELEMENTS(good);
        g_autoptr(xc_group_spec) spec = xc_group_spec_new("g");

        set(&xc_group_member_get(spec, "m")->create, legal ? good[i] : bad[i - G_N_ELEMENTS(good)]);
        g_assert_cmpint(verdict(spec), ==, legal ? XC_CAUSE_NONE : XC_CAUSE_BAD_VALUE);
    }
}

static void test_numbers(void)
{
    g_autoptr(xc_group_spec) spec = xc_group_spec_new("g");
    struct xc_member_spec *member = xc_group_member_get(spec, "m");
    struct xc_group_host_spec *host = xc_group_host_get(spec, "h");
    const struct {
        unsigned *number, least, most, usual;
    } numbers[] = {
        {&member->priority, 1, 100, 50}, {&member->delay_sec, 0, 3600, 0},
        {&host->weight, 1, 100, 100},    {&spec->min_running, 0, 1000, 0},
        {&spec->spread, 1, 4, 1},        {&spec->order, 1, 2, 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        *numbers[i].number = numbers[i].least;
        g_assert_cmpint(verdict(spec), ==, XC_CAUSE_NONE);
        *numbers[i].number = numbers[i].most;
        g_assert_cmpint(verdict(spec), ==, XC_CAUSE_NONE);
        *numbers[i].number = numbers[i].most + 1;
        g_assert_cmpint(verdict(spec), ==, XC_CAUSE_BAD_VALUE);
        *numbers[i].number = numbers[i].least - 1;
        g_assert_cmpint(verdict(spec), ==, XC_CAUSE_BAD_VALUE);
        *numbers[i].number = numbers[i].usual;
    }
}

static void test_many(void)
{
    g_autoptr(xc_group_spec) spec = xc_group_spec_new("g");

    for (unsigned i = 0; i < XC_GROUP_MEMBERS_MAX; i++) {
        g_autofree char *name = g_strdup_printf("m%u", i);

        xc_group_member_get(spec, name);
    }
    g_assert_cmpint(verdict(spec), ==, XC_CAUSE_NONE);
    xc_group_member_get(spec, "one more");
    g_assert_cmpint(verdict(spec), ==, XC_CAUSE_LIMIT);
    xc_group_member_drop(spec, "one more");
    for (unsigned i = 0; i <= XC_GROUP_HOSTS_MAX; i++) {
        g_autofree char *name = g_strdup_printf("h%u", i);

        xc_group_host_get(spec, name);
    }
    g_assert_cmpint(verdict(spec), ==, XC_CAUSE_LIMIT);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/group/defaults", test_defaults);
    g_test_add_func("/group/order", test_order);
    g_test_add_func("/group/written", test_written);
    g_test_add_func("/group/damaged", test_damaged);
    g_test_add_func("/group/hosts-text", test_hosts_text);
    g_test_add_func("/group/names", test_names);
    g_test_add_func("/group/vapp-names", test_vapp_names);
    g_test_add_func("/group/member-names", test_member_names);
    g_test_add_func("/group/create", test_create);
    g_test_add_func("/group/numbers", test_numbers);
    g_test_add_func("/group/many", test_many);
    return g_test_run();
}
