/* snmpd's lines about access: views with masks, who is let in, which users there are. */
#include "tools/xenctl/snmpd_users.h"
#include "tools/xenctl/snmpd_vacm.h"

static void read_text(struct snmpd_lines *lines, const char *text)
{
    snmpd_lines_init(lines);
    snmpd_lines_parse(lines, text, "/etc/snmp/snmpd.conf", "snmpd");
}

static enum vacm_extent opens(const struct snmpd_lines *lines, const char *view, const char *oid)
{
    const struct vacm_grant grant = {.view = view};
    struct sn_oid number;

    g_assert_true(sn_oid_parse(oid, &number));
    return vacm_opens(lines, &grant, &number);
}

static void test_views(void)
{
    struct snmpd_lines lines;

    read_text(&lines, "view all included .1\n"
                      "view some included .1.3.6.1.4\n"
                      "view some excluded .1.3.6.1.4.7\n"
                      "view some included .1.3.6.1.4.7.9\n"
                      "view row included .1.3.6.0.2 e8\n" /* 1.3.6.*.2 */
                      "view row excluded .1.3.6.1\n"      /* shorter: without effect on rows */
                      "view bad included nonsense\n"
                      "view bad included .1.3.6.1 zz:zz:\n" /* compares nothing */
                      "[snmp]\n"
                      "view other included .1\n");
    g_assert_cmpint(opens(&lines, "all", "1.3.6.1.4"), ==, VACM_WHOLE);
    g_assert_cmpint(opens(&lines, "none", "1.3.6.1.4"), ==, VACM_NOTHING);
    g_assert_cmpint(opens(&lines, "some", "1.3.6"), ==, VACM_PART);
    g_assert_cmpint(opens(&lines, "some", "1.3.6.1.4.1"), ==, VACM_WHOLE);
    g_assert_cmpint(opens(&lines, "some", "1.3.6.1.4"), ==, VACM_PART);
    g_assert_cmpint(opens(&lines, "some", "1.3.6.1.4.7.1"), ==, VACM_NOTHING);
    g_assert_cmpint(opens(&lines, "some", "1.3.6.1.4.7.9.1"), ==, VACM_WHOLE);
    g_assert_cmpint(opens(&lines, "some", "1.3.6.1.5"), ==, VACM_NOTHING);
    g_assert_cmpint(opens(&lines, "row", "1.3.6.1.2"), ==, VACM_WHOLE);
    g_assert_cmpint(opens(&lines, "row", "1.3.6.8.2.5"), ==, VACM_WHOLE);
    g_assert_cmpint(opens(&lines, "row", "1.3.6.1.3"), ==, VACM_NOTHING);
    g_assert_cmpint(opens(&lines, "row", "1.3.6.1"), ==, VACM_PART);
    g_assert_cmpint(opens(&lines, "bad", "9.9.9.9.9"), ==, VACM_WHOLE);
    g_assert_cmpint(opens(&lines, "other", "1.3"), ==, VACM_NOTHING);
    g_assert_true(vacm_view_exists(&lines, "row"));
    g_assert_false(vacm_view_exists(&lines, "other"));
    snmpd_lines_clear(&lines);
}

static const struct vacm_grant *grant_at(const GArray *grants, unsigned i)
{
    return &g_array_index(grants, struct vacm_grant, i);
}

static void test_short_forms(void)
{
    struct snmpd_lines lines;
    g_autoptr(GArray) grants = NULL;

    read_text(&lines, "rouser alice\n"
                      "rouser -s usm bob noauth .1.3.6.1.2\n"
                      "RWUSER carol priv -V view\n"
                      "rocommunity public default -V systemonly\n"
                      "rwcommunity6 private\n"
                      "rouser dora priv system\n");
    grants = vacm_grants(&lines);
    g_assert_cmpuint(grants->len, ==, 8);
    g_assert_cmpstr(grant_at(grants, 0)->who, ==, "alice");
    g_assert_cmpint(grant_at(grants, 0)->level, ==, VACM_AUTH);
    g_assert_cmpuint(grant_at(grants, 0)->subtree.n, ==, 0);
    g_assert_cmpstr(grant_at(grants, 1)->who, ==, "bob");
    g_assert_cmpint(grant_at(grants, 1)->level, ==, VACM_NOAUTH);
    g_assert_cmpuint(grant_at(grants, 1)->subtree.n, ==, 5);
    g_assert_true(grant_at(grants, 2)->write && !grant_at(grants, 3)->write);
    g_assert_cmpstr(grant_at(grants, 3)->view, ==, "view");
    g_assert_cmpint(grant_at(grants, 3)->level, ==, VACM_PRIV);
    g_assert_null(grant_at(grants, 4)->who);
    g_assert_cmpstr(grant_at(grants, 4)->view, ==, "systemonly");
    g_assert_true(grant_at(grants, 5)->write);
    g_assert_null(grant_at(grants, 5)->view);
    g_assert_cmpuint(grant_at(grants, 5)->line->number, ==, 5);
    g_assert_cmpuint(grant_at(grants, 7)->subtree.n, ==, 0); /* a name: taken for everything */
    snmpd_lines_clear(&lines);
}

static void test_groups(void)
{
    struct snmpd_lines lines;
    g_autoptr(GArray) grants = NULL;

    read_text(&lines, "access ops \"\" usm authNoPriv prefix r w none\n"
                      "group ops usm alice\n"
                      "group ops v2c word\n"
                      "group other usm bob\n"
                      "access any \"\" any noauth exact r none none\n"
                      "group any v2c word\n"
                      "group any tsm carol\n"
                      "access\n");
    grants = vacm_grants(&lines);
    g_assert_cmpuint(grants->len, ==, 6);
    g_assert_cmpstr(grant_at(grants, 0)->who, ==, "alice");
    g_assert_cmpint(grant_at(grants, 0)->level, ==, VACM_AUTH);
    g_assert_cmpstr(grant_at(grants, 0)->view, ==, "r");
    g_assert_true(grant_at(grants, 1)->write);
    g_assert_cmpstr(grant_at(grants, 1)->view, ==, "w");
    g_assert_null(grant_at(grants, 2)->who);
    g_assert_cmpstr(grant_at(grants, 4)->who, ==, "carol");
    snmpd_lines_clear(&lines);
}

static void test_subtrees(void)
{
    struct snmpd_lines lines;
    g_autoptr(GArray) grants = NULL;
    struct sn_oid root;

    read_text(
        &lines,
        "rouser a priv .1.3\nrouser b priv .1.3.6.1\nrouser c priv .1.3.6\nrouser d priv .1.4\n");
    g_assert_true(sn_oid_parse("1.3.6", &root));
    grants = vacm_grants(&lines);
    g_assert_cmpint(vacm_opens(&lines, grant_at(grants, 0), &root), ==, VACM_WHOLE);
    g_assert_cmpint(vacm_opens(&lines, grant_at(grants, 1), &root), ==, VACM_PART);
    g_assert_cmpint(vacm_opens(&lines, grant_at(grants, 2), &root), ==, VACM_WHOLE);
    g_assert_cmpint(vacm_opens(&lines, grant_at(grants, 3), &root), ==, VACM_NOTHING);
    snmpd_lines_clear(&lines);
}

static void test_users(void)
{
    struct snmpd_lines lines;
    g_autoptr(GPtrArray) users = NULL;

    read_text(&lines, "createUser alice SHA-256 \"one two MD\" AES \"three\"\n"
                      "createUser -e 0x8000 bob MD5 \"a\" AES \"b\"\n"
                      "usmUser 1 3 0x8000 \"carol\" \"carol\" NULL .1.3.6.1.6.3.10.1.1.5 0x1 "
                      ".1.3.6.1.6.3.10.1.2.2 0x2 \"\"\n"
                      "usmUser 1 3 0x8000 0x64c3b67261 0x64c3b67261 NULL .1.3.6.1.6.3.10.1.1.5 0x1 "
                      ".1.3.6.1.6.3.10.1.2.4 0x2 \"\"\n"
                      "usmUser 1\n");
    users = snmpd_users(&lines);
    g_assert_cmpuint(users->len, ==, 5);
    g_assert_null(snmpd_users_find(users, "alice")->weak);
    g_assert_cmpstr(snmpd_users_find(users, "bob")->weak, ==, "MD5");
    g_assert_cmpstr(snmpd_users_find(users, "carol")->weak, ==, "DES");
    g_assert_null(snmpd_users_find(users, "d\303\266ra")->weak);
    g_assert_null(snmpd_users_find(users, "ali"));
    snmpd_lines_clear(&lines);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/snmpd-access/views", test_views);
    g_test_add_func("/snmpd-access/short-forms", test_short_forms);
    g_test_add_func("/snmpd-access/groups", test_groups);
    g_test_add_func("/snmpd-access/subtrees", test_subtrees);
    g_test_add_func("/snmpd-access/users", test_users);
    return g_test_run();
}
