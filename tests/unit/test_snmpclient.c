/* The SNMP client: plain data, settings files, merging of rows, and conversations with a private snmpd. */
#include "snmpclient/snmpclient.h"
#include "tests/unit/folder.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

/* --- OIDs and values */
static void test_oid(void)
{
    struct sn_oid oid;
    struct sn_oid other;
    g_autofree char *text = NULL;
    char long_text[SN_OID_MAX + 1];

    g_assert_true(sn_oid_parse(".1.3.6.1.4294967295", &oid));
    text = sn_oid_format(&oid);
    g_assert_cmpstr(text, ==, "1.3.6.1.4294967295");
    g_assert_false(sn_oid_parse("1.3..6", &other));
    g_assert_false(sn_oid_parse("1.3.4294967296", &other));
    g_assert_false(sn_oid_parse("", &other));
    other = oid;
    g_assert_true(sn_oid_append_text(&other, "a\377", 2));
    g_assert_cmpuint(other.n, ==, oid.n + 3);
    g_assert_cmpuint(other.id[oid.n], ==, 2);
    g_assert_cmpuint(other.id[oid.n + 2], ==, 255);
    g_assert_true(sn_oid_below(&other, &oid));
    g_assert_false(sn_oid_below(&oid, &oid));
    g_assert_cmpint(sn_oid_compare(&oid, &other), <, 0);
    memset(long_text, 'x', sizeof(long_text));
    g_assert_false(sn_oid_append_text(&oid, long_text, SN_OID_MAX - oid.n));
    g_assert_cmpuint(oid.n, ==, 5);
}

/* --- the MIB's objects */
static void test_mib(void)
{
    struct sn_oid oid = sn_oid_text(xenHostState, "dom0-a");
    struct sn_value percent = {.type = SN_UNSIGNED, .number = 1205};
    struct sn_value state = {.type = SN_INTEGER, .integer = 4};
    struct sn_value absent = {0};
    char date[] = "\x07\xea\x0b\x16\x02\x13\x19\x00+\x01\x00";
    struct sn_value when = {.type = SN_BYTES, .bytes = date, .length = 11};
    g_autofree char *percent_text = sn_format(xenHostCpuPercent, &percent);
    g_autofree char *state_text = sn_format(xenDomainState, &state);
    g_autofree char *when_text = sn_format(xenDomainStateSince, &when);
    char bits[] = "\xa0";
    struct sn_value flags = {.type = SN_BYTES, .bytes = bits, .length = 1};
    g_autofree char *flags_text = sn_format(xenHostCapabilities, &flags);

    g_assert_cmpint(sn_object_find("xenHostState"), ==, xenHostState);
    g_assert_cmpint(sn_object_find("xenNothing"), ==, SN_NONE);
    g_assert_cmpint(sn_object_of(&oid), ==, xenHostState);
    g_assert_cmpint(sn_object(xenHostState)->parent, ==, xenHostEntry);
    g_assert_cmpint(sn_object(xenHostEntry)->index[0], ==, xenHostKey);
    g_assert_cmpint(sn_object(xenHostPerfEntry)->index[0], ==, xenHostKey);
    g_assert_cmpint(sn_object(xenAgentVersion)->kind, ==, SN_SCALAR);
    g_assert_cmpint(sn_object(xenDomainPower)->access, ==, SN_READ_WRITE);
    g_assert_cmpint(sn_label_number(xenDomainPower, "pause"), ==, 5);
    g_assert_cmpint(sn_label_number(xenDomainPower, "destroy"), ==, -1);
    g_assert_cmpint(sn_label_number(xenSourceRowStatus, "createAndGo"), ==, 4);
    g_assert_cmpstr(percent_text, ==, "12.05");
    g_assert_cmpstr(state_text, ==, "running");
    g_assert_cmpstr(when_text, ==, "2026-11-22T01:19:25Z");
    g_assert_cmpint(sn_date_seconds(&when), ==, 1795310365);
    g_assert_nonnull(strchr(flags_text, ' '));
    g_assert_null(sn_format(xenDomainState, &absent));
}

/* --- merging: holes, columns that end early, answers cut in the middle of a row */
static void add_bind(GArray *binds, const char *oid, int64_t number)
{
    struct sn_bind bind = {.value = {.type = number ? SN_INTEGER : SN_ABSENT, .integer = number}};

    g_assert_true(sn_oid_parse(oid, &bind.oid));
    g_array_append_val(binds, bind);
}

static void set_cursor(struct sn_cursor *cursor, const char *column, unsigned cell)
{
    memset(cursor, 0, sizeof(*cursor));
    g_assert_true(sn_oid_parse(column, &cursor->column));
    cursor->last = cursor->column;
    cursor->cell = cell;
}

static void test_merge_holes(void)
{
    static const unsigned active[] = {0, 1};
    g_autoptr(GArray) binds = g_array_new(FALSE, TRUE, sizeof(struct sn_bind));
    struct sn_cursor cursors[2];
    struct sn_merge merge;
    g_autoptr(sn_table) table = NULL;

    set_cursor(&cursors[0], "1.1", 0);
    set_cursor(&cursors[1], "1.2", 1);
    sn_merge_init(&merge, 2);
    add_bind(binds, "1.1.5", 15);
    add_bind(binds, "1.2.7", 27); /* row 5 has no second cell */
    add_bind(binds, "1.1.7", 17);
    add_bind(binds, "1.3.1", 99); /* behind the column: it has ended */
    add_bind(binds, "1.1.9", 19); /* the answer was cut here */
    g_assert_true(sn_merge_take(&merge, cursors, active, 2, binds));
    g_assert_false(cursors[0].done);
    g_assert_true(cursors[1].done);
    table = sn_merge_finish(&merge);
    g_assert_cmpuint(table->rows->len, ==, 3);
    g_assert_false(sn_present(&sn_table_at(table, 0)->cells[1]));
    g_assert_cmpint(sn_value_number(&sn_table_at(table, 1)->cells[0], 0), ==, 17);
    g_assert_cmpint(sn_value_number(&sn_table_at(table, 1)->cells[1], 0), ==, 27);
    g_assert_nonnull(sn_table_row(table, &sn_table_at(table, 2)->index));
}

static void test_merge_loop(void)
{
    static const unsigned active[] = {0};
    g_autoptr(GArray) binds = g_array_new(FALSE, TRUE, sizeof(struct sn_bind));
    struct sn_cursor cursor;
    struct sn_merge merge;

    set_cursor(&cursor, "1.1", 0);
    sn_merge_init(&merge, 1);
    g_assert_false(sn_merge_take(&merge, &cursor, active, 1, binds)); /* an empty answer */
    add_bind(binds, "1.1.5", 1);
    add_bind(binds, "1.1.5", 2);
    g_assert_false(sn_merge_take(&merge, &cursor, active, 1, binds));
    sn_table_free(sn_merge_finish(&merge));
}

/* --- settings */
struct folder {
    char *path;
};

static void folder_set_up(struct folder *folder, gconstpointer unused)
{
    (void)unused;
    folder->path = g_dir_make_tmp("xensnmp-client.XXXXXX", NULL);
    g_assert_nonnull(folder->path);
}

static void folder_tear_down(struct folder *folder, gconstpointer unused)
{
    (void)unused;
    remove_folder(folder->path);
}

static char *put_file(const struct folder *folder, const char *text, unsigned mode)
{
    char *path = g_build_filename(folder->path, "client.conf", NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(g_chmod(path, (int)mode), ==, 0);
    return path;
}

static void test_settings(struct folder *folder, gconstpointer unused)
{
    g_autofree char *path = put_file(folder,
                                     "[client]\nhost = [::1]:1161\ntimeout = 0.5\n"
                                     "[client op]\nversion = 3\nuser = op\nlevel = authNoPriv\n"
                                     "auth_password = a-long-phrase\nretries = 7\n",
                                     0600);
    g_autofree char *name = NULL;
    struct sn_settings settings;
    g_autoptr(GError) error = NULL;

    (void)unused;
    g_assert_true(sn_settings_load(path, "op", &settings, &error));
    g_assert_no_error(error);
    name = sn_settings_host_name(&settings);
    g_assert_cmpstr(name, ==, "::1");
    g_assert_cmpint(settings.version, ==, 3);
    g_assert_cmpint(settings.level, ==, SN_AUTH_NO_PRIV);
    g_assert_cmpuint(settings.timeout_msec, ==, 500);
    g_assert_cmpuint(settings.retries, ==, 7);
    sn_settings_clear(&settings);
}

static const struct {
    const char *text;
    unsigned mode;
    const char *profile;
    const char *says; /* part of the message */
} bad_settings[] = {
    {"[client]\n", 0644, NULL, "chmod 600"},
    {"[client]\n", 0640, NULL, "chmod 600"},
    {"[client]\ncolour = red\n", 0600, NULL, "[client] colour: no such key"},
    {"[server]\n", 0600, NULL, "[server]: no such section"},
    {"[client]\nversion = 1\n", 0600, NULL, "version: must be 2c or 3"},
    {"[client]\nversion = 3\n", 0600, NULL, "needs user"},
    {"[client]\nversion = 3\nuser = u\n", 0600, NULL, "needs auth_password"},
    {"[client]\nauth_password = short\n", 0600, NULL, "8 characters"},
    {"[client]\nhost = a b\n", 0600, NULL, "no character"},
    {"[client]\nhost = a:0\n", 0600, NULL, "is no host"},
    {"[client]\nhost = a:b\n", 0600, NULL, "is no host"},
    {"[client]\ntimeout = 0\n", 0600, NULL, "seconds"},
    {"[client]\nretries = -1\n", 0600, NULL, "0 to 20"},
    {"[client]\n", 0600, "other", "no section [client other]"},
    {"nonsense", 0600, NULL, "client.conf"},
};

static void test_bad_settings(struct folder *folder, gconstpointer unused)
{
    (void)unused;
    for (size_t i = 0; i < G_N_ELEMENTS(bad_settings); i++) {
        g_autofree char *path = put_file(folder, bad_settings[i].text, bad_settings[i].mode);
        struct sn_settings settings;
        g_autoptr(GError) error = NULL;

        g_assert_false(sn_settings_load(path, bad_settings[i].profile, &settings, &error));
        g_assert_error(error, SN_ERROR, SN_ERROR_CONFIG);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, bad_settings[i].says));
        sn_settings_clear(&settings);
    }
}

static void test_host(void)
{
    static const struct {
        const char *host, *name;
        unsigned port;
    } hosts[] = {
        {"dom0-a", "dom0-a", 161},
        {"dom0-a:1161", "dom0-a", 1161},
        {"tcp:10.0.0.1:161", "10.0.0.1", 161},
        {"udp6:[fe80::1%eth0]:99", "fe80::1%eth0", 99},
        {"::1", "::1", 161},
        {"a:70000", "a", 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
        g_autofree char *name = NULL;
        unsigned port;

        sn_host_split(hosts[i].host, &name, &port);
        g_assert_cmpstr(name, ==, hosts[i].name);
        g_assert_cmpuint(port, ==, hosts[i].port);
    }
}

/* --- a private snmpd */
struct master {
    struct folder folder;
    GSubprocess *process;
    unsigned port;
};

static const char master_conf[] =
    "agentAddress udp:127.0.0.1:%u\n"
    "rocommunity public 127.0.0.1\n"
    "rwcommunity private 127.0.0.1\n"
    "createUser op SHA-256 \"operator-auth\" AES \"operator-priv\"\n"
    "createUser second SHA-256 \"operator-auth\" AES \"operator-priv\"\n"
    "createUser third SHA-256 \"operator-auth\" AES \"operator-priv\"\n"
    "rwuser op authPriv\n"
    "rwuser second authPriv\n"
    "rwuser third authPriv\n"
    "sysServices 72\n";

static unsigned free_port(void)
{
    g_autoptr(GSocket) socket =
        g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
    g_autoptr(GSocketAddress) any = g_inet_socket_address_new_from_string("127.0.0.1", 0);
    g_autoptr(GSocketAddress) got = NULL;

    g_assert_true(g_socket_bind(socket, any, FALSE, NULL));
    got = g_socket_get_local_address(socket, NULL);
    return g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(got));
}

static struct sn_settings settings_for(const struct master *master)
{
    struct sn_settings settings = {
        .host = g_strdup_printf("127.0.0.1:%u", master->port),
        .version = 2,
        .community = g_strdup("public"),
        .level = SN_AUTH_PRIV,
        .auth_protocol = g_strdup("SHA-256"),
        .priv_protocol = g_strdup("AES"),
        .timeout_msec = 300,
        .retries = 1,
    };

    return settings;
}

static const struct sn_oid up_time = {.n = 9, .id = {1, 3, 6, 1, 2, 1, 1, 3, 0}};
static const struct sn_oid contact = {.n = 9, .id = {1, 3, 6, 1, 2, 1, 1, 4, 0}};
static const struct sn_oid location = {.n = 9, .id = {1, 3, 6, 1, 2, 1, 1, 6, 0}};
static const struct sn_oid services = {.n = 9, .id = {1, 3, 6, 1, 2, 1, 1, 7, 0}};
static const struct sn_oid nothing = {.n = 7, .id = {1, 3, 6, 1, 4, 1, 99999}};

static void await_master(const struct master *master)
{
    struct sn_settings settings = settings_for(master);
    gint64 end = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;
    bool up = false;

    while (!up && g_get_monotonic_time() < end) {
        g_autoptr(sn_session) session = sn_open(&settings, NULL);
        struct sn_value value = {0};

        up = session && sn_get(session, &up_time, 1, &value, NULL);
        sn_value_clear(&value);
        if (!up)
            g_usleep(20000);
    }
    sn_settings_clear(&settings);
    g_assert_true(up);
}

/* Should a test abort, the daemon goes with it. */
static void die_with_parent(gpointer unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void master_start(struct master *master)
{
    g_autoptr(GSubprocessLauncher) launcher = NULL;
    g_autofree char *text = NULL;
    g_autofree char *conf = NULL;
    g_autofree char *path = g_strconcat(g_getenv("PATH"), ":/usr/sbin:/sbin", NULL);
    g_autoptr(GError) error = NULL;

    folder_set_up(&master->folder, NULL);
    master->port = free_port();
    text = g_strdup_printf(master_conf, master->port);
    conf = g_build_filename(master->folder.path, "master.conf", NULL);
    g_assert_true(g_file_set_contents(conf, text, -1, NULL));
    g_setenv("PATH", path, TRUE);
    launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
                                         G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    g_subprocess_launcher_set_child_setup(launcher, die_with_parent, NULL, NULL);
    g_subprocess_launcher_setenv(launcher, "MIBS", "", TRUE);
    g_subprocess_launcher_setenv(launcher, "SNMP_PERSISTENT_DIR", master->folder.path, TRUE);
    g_subprocess_launcher_setenv(launcher, "SNMPCONFPATH", master->folder.path, TRUE);
    master->process = g_subprocess_launcher_spawn(launcher, &error, "snmpd", "-f", "-C", "-c", conf,
                                                  "-Lo", "-I", "-smux", NULL);
    g_assert_no_error(error);
    await_master(master);
}

static void master_stop(struct master *master)
{
    g_subprocess_force_exit(master->process);
    g_subprocess_wait(master->process, NULL, NULL);
    g_object_unref(master->process);
    folder_tear_down(&master->folder, NULL);
}

static void test_get_set(gconstpointer data)
{
    const struct master *master = data;
    struct sn_settings settings = settings_for(master);
    const struct sn_oid both[] = {contact, nothing, up_time};
    struct sn_write writes[] = {
        {.oid = contact, .type = 's', .text = "new", .length = 3},
        {.oid = location, .type = 's', .text = "there", .length = 5},
        {.oid = services, .type = 'i', .number = 1},
    };
    struct sn_value values[3];
    struct sn_refusal refusal;
    g_autoptr(sn_session) session = NULL;
    g_autoptr(GError) error = NULL;

    settings.write_community = g_strdup("private");
    session = sn_open(&settings, &error);
    g_assert_no_error(error);
    /* all or nothing: the third can't be written */
    g_assert_false(sn_set(session, writes, 3, &refusal, &error));
    g_assert_error(error, SN_ERROR, SN_ERROR_REFUSED);
    g_assert_cmpstr(refusal.name, ==, "notWritable");
    g_assert_cmpuint(refusal.index, ==, 2);
    g_clear_error(&error);
    g_assert_true(sn_set(session, writes, 2, &refusal, &error));
    g_assert_cmpint(refusal.status, ==, 0);
    g_assert_true(sn_get(session, both, 3, values, &error));
    g_assert_cmpstr(sn_value_text(&values[0]), ==, "new");
    g_assert_cmpint(values[1].type, ==, SN_ABSENT);
    g_assert_cmpint(values[2].type, ==, SN_UNSIGNED);
    sn_values_clear(values, 3);
    sn_settings_clear(&settings);
}

static void test_read_only_community(gconstpointer data)
{
    const struct master *master = data;
    struct sn_settings settings = settings_for(master);
    const struct sn_write write = {.oid = contact, .type = 's', .text = "x", .length = 1};
    struct sn_refusal refusal;
    g_autoptr(sn_session) session = sn_open(&settings, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_false(sn_set(session, &write, 1, &refusal, &error));
    g_assert_error(error, SN_ERROR, SN_ERROR_REFUSED);
    g_assert_cmpstr(refusal.name, ==, "noAccess");
    sn_settings_clear(&settings);
}

/* Several columns at once see the same cells as each one alone. */
static void test_table(gconstpointer data)
{
    const struct master *master = data;
    struct sn_settings settings = settings_for(master);
    struct sn_oid columns[3];
    g_autoptr(sn_session) session = sn_open(&settings, NULL);
    g_autoptr(sn_table) table = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(sn_oid_parse("1.3.6.1.4.1.8072.1.2.1.1.4", &columns[0])); /* nsModuleTable */
    columns[1] = columns[2] = columns[0];
    columns[1].id[columns[1].n - 1] = 5;
    columns[2].id[columns[2].n - 1] = 6;
    table = sn_table_fetch(session, columns, 3, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(table->rows->len, >, 70); /* more than one GETBULK */
    for (unsigned c = 0; c < 3; c++) {
        g_autoptr(sn_table) alone = sn_table_fetch(session, &columns[c], 1, &error);

        g_assert_no_error(error);
        g_assert_cmpuint(alone->rows->len, ==, table->rows->len);
        for (unsigned i = 0; i < alone->rows->len; i++) {
            const struct sn_value *a = &sn_table_at(alone, i)->cells[0];
            const struct sn_value *b = &sn_table_at(table, i)->cells[c];

            g_assert_cmpint(
                sn_oid_compare(&sn_table_at(alone, i)->index, &sn_table_at(table, i)->index), ==,
                0);
            g_assert_true(sn_present(b));
            g_assert_cmpint(sn_value_number(a, -7), ==, sn_value_number(b, -7));
            g_assert_cmpstr(sn_value_text(a), ==, sn_value_text(b));
        }
    }
    sn_settings_clear(&settings);
}

static void set_user(struct sn_settings *settings, const char *user, const char *auth,
                     const char *priv)
{
    settings->version = 3;
    settings->user = g_strdup(user);
    settings->auth_password = g_strdup(auth);
    settings->priv_password = g_strdup(priv);
}

static void test_version3(gconstpointer data)
{
    const struct master *master = data;
    const struct sn_write write = {.oid = contact, .type = 's', .text = "v3", .length = 2};
    struct sn_settings settings = settings_for(master);
    struct sn_value value;
    g_autoptr(sn_session) session = NULL;
    g_autoptr(GError) error = NULL;

    set_user(&settings, "op", "operator-auth", "operator-priv");
    session = sn_open(&settings, &error);
    g_assert_no_error(error);
    g_assert_true(sn_set(session, &write, 1, NULL, &error));
    g_assert_true(sn_get(session, &contact, 1, &value, &error));
    g_assert_cmpstr(sn_value_text(&value), ==, "v3");
    sn_value_clear(&value);
    sn_settings_clear(&settings);
}

/* A user each: the library keeps the keys of a user it has met. */
static const struct {
    const char *user, *auth, *priv;
    enum sn_level level;
    const char *says;
} strangers[] = {
    {"nobody", "operator-auth", "operator-priv", SN_AUTH_PRIV, "user"},
    {"second", "wrong-phrase", "operator-priv", SN_AUTH_PRIV, "auth_password"},
    {"third", "operator-auth", "operator-priv", SN_AUTH_NO_PRIV, "no access"},
};

static void test_strangers(gconstpointer data)
{
    const struct master *master = data;
    for (size_t i = 0; i < G_N_ELEMENTS(strangers); i++) {
        struct sn_settings settings = settings_for(master);
        g_autoptr(sn_session) session = NULL;
        g_autoptr(GError) error = NULL;
        struct sn_value value = {0};

        set_user(&settings, strangers[i].user, strangers[i].auth, strangers[i].priv);
        settings.level = strangers[i].level;
        session = sn_open(&settings, &error);
        if (session)
            g_assert_false(sn_get(session, &up_time, 1, &value, &error));
        g_test_message("%s", error->message);
        g_assert_error(error, SN_ERROR, SN_ERROR_AUTH);
        g_assert_nonnull(strstr(error->message, strangers[i].says));
        sn_value_clear(&value);
        sn_settings_clear(&settings);
    }
}

/* An unknown community gets no answer at all. */
static void test_silence(gconstpointer data)
{
    const struct master *master = data;
    struct sn_settings settings = settings_for(master);
    g_autoptr(sn_session) session = NULL;
    g_autoptr(GError) error = NULL;
    struct sn_value value;

    g_free(settings.community);
    settings.community = g_strdup("unknown");
    settings.timeout_msec = 100;
    session = sn_open(&settings, &error);
    g_assert_false(sn_get(session, &up_time, 1, &value, &error));
    g_assert_error(error, SN_ERROR, SN_ERROR_TIMEOUT);
    sn_settings_clear(&settings);
}

static void test_closed_port(void)
{
    const struct master nobody = {.port = free_port()};
    struct sn_settings settings = settings_for(&nobody);
    g_autoptr(sn_session) session = NULL;
    g_autoptr(GError) error = NULL;
    struct sn_value value;

    settings.retries = 20; /* the refusal ends it after the first */
    session = sn_open(&settings, &error);
    g_assert_no_error(error);
    g_assert_false(sn_get(session, &up_time, 1, &value, &error));
    g_assert_error(error, SN_ERROR, SN_ERROR_UNREACHABLE);
    sn_settings_clear(&settings);
}

static void test_bad_protocol(void)
{
    const struct master nobody = {.port = 1};
    struct sn_settings settings = settings_for(&nobody);
    g_autoptr(GError) error = NULL;

    set_user(&settings, "op", "operator-auth", "operator-priv");
    g_free(settings.auth_protocol);
    settings.auth_protocol = g_strdup("ROT13");
    g_assert_null(sn_open(&settings, &error));
    g_assert_error(error, SN_ERROR, SN_ERROR_CONFIG);
    sn_settings_clear(&settings);
}

#define WITH_FOLDER(path, function)                                                                \
    g_test_add(path, struct folder, NULL, folder_set_up, function, folder_tear_down)
#define WITH_MASTER(path, function) g_test_add_data_func(path, &master, function)

int main(int argc, char **argv)
{
    struct master master = {0};
    int status;

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/snmpclient/oid", test_oid);
    g_test_add_func("/snmpclient/mib", test_mib);
    g_test_add_func("/snmpclient/merge/holes", test_merge_holes);
    g_test_add_func("/snmpclient/merge/loop", test_merge_loop);
    g_test_add_func("/snmpclient/host", test_host);
    WITH_FOLDER("/snmpclient/settings/good", test_settings);
    WITH_FOLDER("/snmpclient/settings/bad", test_bad_settings);
    WITH_MASTER("/snmpclient/get-set", test_get_set);
    WITH_MASTER("/snmpclient/read-only", test_read_only_community);
    WITH_MASTER("/snmpclient/table", test_table);
    WITH_MASTER("/snmpclient/version3", test_version3);
    WITH_MASTER("/snmpclient/strangers", test_strangers);
    WITH_MASTER("/snmpclient/silence", test_silence);
    g_test_add_func("/snmpclient/closed-port", test_closed_port);
    g_test_add_func("/snmpclient/bad-protocol", test_bad_protocol);
    master_start(&master);
    status = g_test_run();
    master_stop(&master);
    return status;
}
