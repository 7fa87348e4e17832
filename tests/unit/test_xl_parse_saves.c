/* Guests in save files, as polls show them: hostile and odd names, living ones, several files, many. */
#include "tests/unit/xl_poll_kit.h"

#define UUID(end) "00000000-0000-4000-8000-0000000000" end
#define NOBODY    HEADER DOM0

static void poll_saves(struct poll_kit *f, const char *list, const char *saves)
{
    const struct poll_parts parts = {.list = list, .saves = saves};

    poll_parts(f, &parts);
}

static guint guests(const struct poll_kit *f)
{
    return f->report->domains->len - 1;
}

static void test_names(struct poll_kit *f, gconstpointer data)
{
    (void)data;
    poll_saves(f, NOBODY,
               "0\n" UUID("a1") ".web-1.xensave\n" UUID("a2") ".%24%28x%29%0A.xensave\n" UUID(
                   "a3") ".half.xensave.resuming\n");
    g_assert_cmpuint(guests(f), ==, 3);
    assert_domain(f, "web-1",
                  "name=web-1 uuid=" UUID("a1") " kind=guest state=suspended reason=suspend");
    assert_domain(f, "$(x)?",
                  "name=$(x)? uuid=" UUID("a2") " kind=guest state=suspended reason=suspend");
    assert_domain(f, "half",
                  "name=half uuid=" UUID("a3") " kind=guest state=resuming reason=suspend");
}

static void test_no_save_files(struct poll_kit *f, gconstpointer data)
{
    static const char *const names[] = {
        "",
        ".xensave",
        UUID("a1"),
        UUID("a1") ".xensave",
        UUID("a1") "..xensave",
        UUID("a1") ".web",
        UUID("a1") ".web.saving",
        UUID("a1") ".web.xensave.bak",
        UUID("a1") ".web.xensave/",
        UUID("a1") "-web.xensave",
        UUID("a1") ".we b.xensave",
        UUID("a1") ".we.b.xensave",
        UUID("a1") ".web%2.xensave",
        UUID("a1") ".web%.xensave",
        UUID("a1") ".web%zz.xensave",
        UUID("a1") ".web%00x.xensave",
        UUID("a1") ".\xff.xensave",
        UUID("g1") ".web.xensave",
        "00000000-0000-0000-0000-000000000000.nil.xensave",
        "../" UUID("a1") ".web.xensave",
        "#0123 end",
    };

    (void)data;
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *saves =
            g_strdup_printf("0\n%s\n" UUID("ff") ".ok%u.xensave\n", names[i], i);

        poll_saves(f, NOBODY, saves);
        if (guests(f) != 1)
            g_test_fail_printf("\"%s\" is taken for a save file", names[i]);
    }
}

/* One row of a domain, the living one; beside a paused one its file is in order for a moment. */
static void test_living(struct poll_kit *f, gconstpointer data)
{
    static const char saves[] = "0\n" UUID("b1") ".web.xensave\n";
    static const char more[] = "0\n" UUID("b1") ".web.xensave\n" UUID("b2") ".db.xensave\n";

    (void)data;
    poll_saves(f, HEADER DOM0 ROW("web", "3", "--p---", "b1"), saves);
    g_assert_cmpuint(guests(f), ==, 1);
    g_assert_false(warned(f, "out of date"));
    poll_saves(f, HEADER DOM0 ROW("web", "3", "-b----", "b1"), saves);
    g_assert_cmpuint(guests(f), ==, 1);
    g_assert_true(warned(f, "web (" UUID("b1") "): has a save file although it runs"));
    poll_saves(f, HEADER DOM0 ROW("web", "3", "-b----", "b1"), saves);
    g_assert_false(warned(f, "out of date"));
    poll_saves(f, HEADER DOM0 ROW("web", "3", "-b----", "b1"), more);
    g_assert_cmpuint(guests(f), ==, 2);
}

static void test_several(struct poll_kit *f, gconstpointer data)
{
    static const char saves[] = "0\n" UUID("c1") ".old.xensave\n" UUID("c1") ".web.xensave\n";

    (void)data;
    poll_saves(f, NOBODY, saves);
    g_assert_cmpuint(guests(f), ==, 1);
    g_assert_true(warned(f, "several save files"));
    poll_saves(f, NOBODY, saves);
    g_assert_false(warned(f, "several save files"));
}

/* What can't be listed is not gone, and what is gone is. */
static void test_blind(struct poll_kit *f, gconstpointer data)
{
    (void)data;
    poll_saves(f, NOBODY, "0\n" UUID("d1") ".web.xensave\n");
    poll_saves(f, NOBODY, "2\n");
    g_assert_cmpuint(guests(f), ==, 1);
    g_assert_true(warned(f, "can not be listed"));
    poll_saves(f, NOBODY, "124\n");
    g_assert_false(warned(f, "can not be listed"));
    g_assert_cmpuint(guests(f), ==, 1);
    poll_saves(f, NOBODY, "0\n");
    g_assert_cmpuint(guests(f), ==, 0);
}

#define CONFIG(name, more)                                                                         \
    "/etc/xen/" name ".cfg:name = '" name "'\n/etc/xen/" name ".cfg:" more "\n"

/* The file and the configuration of a guest are one row; by name only where the configuration has no uuid, and only
 * for one of several. */
static void test_configurations(struct poll_kit *f, gconstpointer data)
{
    const struct poll_parts parts = {
        .list = HEADER DOM0 ROW("anon", "4", "-b----", "e3"),
        .configs = CONFIG("fixed", "uuid = '" UUID("e1") "'") CONFIG("free", "vcpus = 2")
            CONFIG("other", "uuid = '" UUID("e9") "'") CONFIG("anon", "vcpus = 1"),
        .saves = "0\n" UUID("e1") ".fixed.xensave\n" UUID("e2") ".free.xensave\n" UUID(
            "e4") ".anon.xensave\n" UUID("e5") ".other.xensave\n"};

    (void)data;
    poll_parts(f, &parts);
    /* fixed, free, anon alive, anon of before, other's namesake, other itself. */
    g_assert_cmpuint(guests(f), ==, 6);
    assert_domain(
        f, "fixed",
        "name=fixed uuid=" UUID(
            "e1") " uuid_fixed=true config=/etc/xen/fixed.cfg "
                  "kind=guest virt=pv state=suspended reason=suspend vcpus=1 vcpus_max=1");
    assert_domain(
        f, "free",
        "name=free uuid=" UUID(
            "e2") " uuid_fixed=false config=/etc/xen/free.cfg "
                  "kind=guest virt=pv state=suspended reason=suspend vcpus=2 vcpus_max=2");
}

static void test_many(struct poll_kit *f, gconstpointer data)
{
    g_autoptr(GString) saves = g_string_new("0\n");

    (void)data;
    for (unsigned i = 1; i <= 2500; i++)
        g_string_append_printf(saves, "00000000-0000-4000-8000-%012u.n%u.xensave\n", i, i);
    poll_saves(f, NOBODY, saves->str);
    g_assert_cmpuint(guests(f), ==, 2000);
}

#define ADD(path, function)                                                                        \
    g_test_add("/xl-saves/" path, struct poll_kit, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("names", test_names);
    ADD("no-save-files", test_no_save_files);
    ADD("living", test_living);
    ADD("several", test_several);
    ADD("blind", test_blind);
    ADD("configurations", test_configurations);
    ADD("many", test_many);
    return g_test_run();
}
