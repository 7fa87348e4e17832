/* The xl driver over SSH: a real sshd on loopback before the simulated host of
 * tests/integration/xl/bin. Trust, log-in, polls, events, lost connections. */
#include "xenclient/drivers/drivers.h"
#include "xenclient/transport/known_hosts.h"
#include "xenclient/transport/ssh.h"
#include "xenclient/util/clock.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUDGET (20 * XC_USEC_PER_SEC)

/* The libssh2 of Debian 12 loses a big number at every log-in with an ECDSA key; libcrypto's frames are all
 * that the leak checker sees of it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:CRYPTO_zalloc\n";
}

static char *top, *state, *known_hosts, *uri;
static unsigned port;
static pid_t sshd;

static char *in_top(const char *name)
{
    return g_build_filename(top, name, NULL);
}

static void put(const char *path, const char *text, int mode)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(chmod(path, (mode_t)mode), ==, 0);
}

static char *get(const char *path)
{
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text ? text : g_strdup("");
}

static void command(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void command(const char *format, ...)
{
    g_autofree char *line = NULL;
    va_list args;
    int status = 0;

    va_start(args, format);
    line = g_strdup_vprintf(format, args);
    va_end(args);
    g_assert_true(g_spawn_command_line_sync(line, NULL, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

/* --- sshd */

static unsigned free_port(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof to;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&to, sizeof to), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&to, &length), ==, 0);
    close(fd);
    return ntohs(to.sin_port);
}

static bool answers(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;

    close(fd);
    return ok;
}

/* A test that ends by an assertion leaves nothing running. */
static void die_with_parent(void *unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

/* host_key: a file of `top`. Its log is top/sshd.log. */
static void start_sshd(const char *host_key)
{
    g_autofree char *config = in_top("sshd_config"), *log = in_top("sshd.log");
    g_autofree char *bin = g_canonicalize_filename("tests/integration/xl/bin", g_getenv("XL_TOP"));
    g_autofree char *text = g_strdup_printf(
        "ListenAddress 127.0.0.1:%u\nListenAddress [::1]:%u\nHostKey %s/%s\nPidFile none\n"
        "AuthorizedKeysFile %s/authorized\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin yes\nLogLevel VERBOSE\nPrintMotd no\n"
        "MaxSessions 20\nMaxStartups 100\n"
        "SetEnv PATH=%s:/usr/bin:/bin XL_STATE=%s XENSNMP_RUN=%s/run HOME=%s\n",
        port, port, top, host_key, top, bin, state, top, top);
    const char *argv[] = {"/usr/sbin/sshd", "-D", "-f", config, "-E", log, NULL};

    put(config, text, 0600);
    g_unlink(log);
    g_assert_true(g_spawn_async(top, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                die_with_parent, NULL, &sshd, NULL));
    for (int i = 0; i < 500 && !answers(); i++)
        g_usleep(20 * 1000);
    g_assert_true(answers());
}

/* The processes that hold connections, not the one that listens. */
static unsigned kill_connections(void)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", (int)sshd, (int)sshd);
    g_autofree char *text = get(path);
    g_auto(GStrv) pids = g_strsplit(g_strstrip(text), " ", -1);
    unsigned n = 0;

    for (char **pid = pids; *pid; pid++)
        if (**pid)
            n += kill((pid_t)g_ascii_strtoll(*pid, NULL, 10), SIGKILL) == 0;
    return n;
}

static void stop_sshd(void)
{
    kill_connections();
    kill(sshd, SIGTERM);
    waitpid(sshd, NULL, 0);
    sshd = 0;
}

/* --- the source */

static struct xc_source_spec spec_of(const char *credential)
{
    return (struct xc_source_spec){(char *)"lab", uri,        (char *)credential,
                                   (char *)"",    (char *)"", (char *)""};
}

static struct xc_driver_env env_of(void)
{
    return (struct xc_driver_env){top, known_hosts};
}

static void put_credential(const char *name, const char *key)
{
    g_autofree char *path = in_top(name);
    g_autofree char *text = g_strdup_printf("[credential]\nuris = ssh://*\n%s%s\n",
                                            *key ? "key = " : "agent = yes", *key ? key : "");

    put(path, text, 0600);
}

/* Opens the source; the error's text must hold the words. */
static void refused(const char *credential, enum xc_cause cause, const char *words)
{
    struct xc_source_spec spec = spec_of(credential);
    struct xc_driver_env env = env_of();
    g_autoptr(GError) error = NULL;
    struct xc_call call;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    g_assert_null(xc_xl_driver.open(&spec, &env, &call, &error));
    g_test_message("%s", error->message);
    g_assert_cmpstr(xc_enum_label(&xc_cause_labels, error->code), ==,
                    xc_enum_label(&xc_cause_labels, (int)cause));
    g_assert_nonnull(strstr(error->message, words));
    xc_call_deinit(&call);
}

static void accepted(const char *credential)
{
    struct xc_source_spec spec = spec_of(credential);
    struct xc_driver_env env = env_of();
    g_autoptr(GError) error = NULL;
    struct xc_call call;
    struct xc_conn *conn;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    conn = xc_xl_driver.open(&spec, &env, &call, &error);
    g_assert_no_error(error);
    xc_xl_driver.close(conn);
    xc_call_deinit(&call);
}

/* The line of the host's public key file under a name. */
static char *line_of(const char *name, const char *key)
{
    g_autofree char *file = g_strdup_printf("%s/%s.pub", top, key);
    g_autofree char *text = get(file);

    return g_strdup_printf("%s %s", name, text);
}

static void trust(const char *key)
{
    g_autofree char *name = g_strdup_printf("[127.0.0.1]:%u,[::1]:%u", port, port);
    g_autofree char *line = line_of(name, key);

    put(known_hosts, line, 0644);
}

/* --- tests */

static void test_host_key(void)
{
    g_autofree char *log_file = in_top("sshd.log");
    g_autofree char *wrong_port = line_of("127.0.0.1", "host_ed25519");
    g_autofree char *name = g_strdup_printf("[127.0.0.1]:%u", port);
    g_autofree char *other = line_of(name, "host2_ed25519");
    g_autofree char *right = line_of(name, "host_ed25519");
    g_autofree char *revoked = g_strdup_printf("%s@revoked * %s", right, strchr(right, ' ') + 1);
    g_autofree char *log = NULL;

    g_unlink(known_hosts);
    refused("ed25519", XC_CAUSE_HOST_KEY, "xenctl trust lab");
    put(known_hosts, wrong_port, 0644);
    refused("ed25519", XC_CAUSE_HOST_KEY, "SHA256:");
    put(known_hosts, other, 0644);
    refused("ed25519", XC_CAUSE_HOST_KEY, "line 1 of");
    refused("ed25519", XC_CAUSE_HOST_KEY, "CHANGED");
    put(known_hosts, revoked, 0644);
    refused("ed25519", XC_CAUSE_HOST_KEY, "revoked");
    /* none of these told the host even who we are */
    log = get(log_file);
    g_assert_nonnull(strstr(log, "Connection"));
    g_assert_null(strstr(log, "user"));
    g_assert_null(strstr(log, "publickey"));

    put(known_hosts, right, 0644);
    accepted("ed25519");
    command("ssh-keygen -q -H -f %s", known_hosts);
    accepted("ed25519");
    trust("host_ed25519");
}

static void test_fetch(void)
{
    g_autofree char *type = NULL, *fingerprint = NULL, *line = NULL;
    g_autofree char *lock = g_strconcat(known_hosts, ".lock", NULL);
    g_autoptr(GError) error = NULL;
    struct xc_call call;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    g_assert_true(
        xc_ssh_fetch_host_key("127.0.0.1", port, &call, &type, &fingerprint, &line, &error));
    g_assert_cmpstr(type, ==, "ssh-ed25519");
    g_assert_true(g_str_has_prefix(fingerprint, "SHA256:"));
    g_unlink(known_hosts);
    refused("ed25519", XC_CAUSE_HOST_KEY, fingerprint);
    g_assert_true(xc_known_hosts_add(known_hosts, line, &error));
    accepted("ed25519");
    xc_call_deinit(&call);
    trust("host_ed25519");
}

static void test_keys(void)
{
    g_autofree char *key = in_top("user_ed25519");

    accepted("ecdsa");
    g_assert_cmpint(chmod(key, 0640), ==, 0);
    refused("ed25519", XC_CAUSE_AUTH_FAILED, "chmod 600");
    g_assert_cmpint(chmod(key, 0600), ==, 0);
    accepted("ed25519");
    refused("unknown", XC_CAUSE_AUTH_FAILED, "authorized_keys");
    refused("rsa", XC_CAUSE_AUTH_FAILED, "ed25519");
    refused("phrase", XC_CAUSE_AUTH_FAILED, "pass phrase");
    refused("nokey", XC_CAUSE_AUTH_FAILED, "No such file");
    refused("nonsense", XC_CAUSE_AUTH_FAILED, "not hold a private key");
    refused("nosuch", XC_CAUSE_NO_SUCH_HOST, "xenctl credential add");
    refused("", XC_CAUSE_AUTH_FAILED, "no credential");
}

static void test_agent(void)
{
    g_autofree char *socket = in_top("agent.sock");
    const char *argv[] = {"ssh-agent", "-D", "-a", socket, NULL};
    pid_t agent;

    g_unsetenv("SSH_AUTH_SOCK");
    refused("agent", XC_CAUSE_AUTH_FAILED, "SSH_AUTH_SOCK");
    g_assert_true(
        g_spawn_async(NULL, (char **)argv, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                      die_with_parent, NULL, &agent, NULL));
    while (!g_file_test(socket, G_FILE_TEST_EXISTS))
        g_usleep(10 * 1000);
    g_setenv("SSH_AUTH_SOCK", socket, TRUE);
    refused("agent", XC_CAUSE_AUTH_FAILED, "all 0 keys");
    command("ssh-add -q %s/stranger", top);
    refused("agent", XC_CAUSE_AUTH_FAILED, "all 1 keys");
    command("ssh-add -q %s/user_ecdsa", top);
    accepted("agent");
    command("ssh-add -q -D");
    command("ssh-add -q %s/user_ed25519", top);
    accepted("agent");
    g_unsetenv("SSH_AUTH_SOCK");
    kill(agent, SIGTERM);
    waitpid(agent, NULL, 0);
}

static void test_addresses(void)
{
    g_autofree char *v4 = uri;
    struct xc_call call;
    struct xc_source_spec spec;
    struct xc_driver_env env = env_of();
    g_autoptr(GError) error = NULL;

    uri = g_strdup_printf("ssh://%s@[::1]:%u", g_get_user_name(), port);
    accepted("ed25519");
    g_free(uri);
    /* nobody listens there */
    uri = g_strdup_printf("ssh://root@127.0.0.1:%u", free_port());
    refused("ed25519", XC_CAUSE_HOST_DOWN, "refused");
    g_free(uri);
    uri = g_strdup("ssh://root@no-such-host.invalid");
    refused("ed25519", XC_CAUSE_HOST_DOWN, "no-such-host.invalid");
    g_free(uri);
    /* a port that accepts and says nothing: the call ends in time */
    {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t length = sizeof at;
        gint64 start = xc_clock_mono();

        g_assert_cmpint(bind(fd, (struct sockaddr *)&at, sizeof at), ==, 0);
        g_assert_cmpint(listen(fd, 5), ==, 0);
        g_assert_cmpint(getsockname(fd, (struct sockaddr *)&at, &length), ==, 0);
        uri = g_strdup_printf("ssh://root@127.0.0.1:%u", ntohs(at.sin_port));
        spec = spec_of("ed25519");
        g_assert_true(xc_call_init(&call, XC_USEC_PER_SEC / 2, NULL));
        g_assert_null(xc_xl_driver.open(&spec, &env, &call, &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_TIMED_OUT);
        g_assert_cmpint(xc_clock_mono() - start, <, 5 * XC_USEC_PER_SEC);
        xc_call_deinit(&call);
        close(fd);
        g_free(uri);
    }
    uri = g_steal_pointer(&v4);
}

/* --- commands on one session */

static struct xc_ssh *session(struct xc_call *call)
{
    g_autofree char *key = in_top("user_ed25519");
    struct xc_ssh_target target = {.host = "127.0.0.1",
                                   .port = port,
                                   .user = g_get_user_name(),
                                   .known_hosts = known_hosts,
                                   .key_file = key};
    g_autoptr(GError) error = NULL;
    struct xc_ssh *ssh;

    g_assert_true(xc_call_init(call, BUDGET, NULL));
    ssh = xc_ssh_open(&target, call, &error);
    g_assert_no_error(error);
    return ssh;
}

static void test_exec(void)
{
    struct xc_call call;
    g_autoptr(xc_ssh) ssh = session(&call);
    g_autoptr(GError) error = NULL;
    g_autofree char *big = g_strnfill(300000, 'x');
    struct xc_exec out;

    for (int i = 0; i < 5; i++) {
        xc_exec_init(&out);
        g_assert_true(xc_ssh_exec(ssh, "cat; printf 'a\\0b' ; echo err >&2; exit 7", "in", 2, &call,
                                  &out, NULL));
        g_assert_cmpmem(out.out->str, out.out->len, "ina\0b", 5);
        g_assert_cmpstr(out.err->str, ==, "err\n");
        g_assert_cmpint(out.status, ==, 7);
        xc_exec_clear(&out);
    }
    xc_exec_init(&out);
    g_assert_true(xc_ssh_exec(ssh, "cat; kill -9 $$", big, 300000, &call, &out, NULL));
    g_assert_cmpuint(out.out->len, ==, 300000);
    g_assert_cmpint(out.status, ==, -1);
    g_assert_cmpstr(out.signal, ==, "KILL");
    xc_exec_clear(&out);
    /* input that nobody reads is no error */
    xc_exec_init(&out);
    g_assert_true(xc_ssh_exec(ssh, "exec true", big, 300000, &call, &out, &error));
    g_assert_no_error(error);
    xc_exec_clear(&out);
    xc_call_deinit(&call);
}

/* Each has an answer that never ends, or is far too long, or never comes. */
static void test_bounds(void)
{
    static const struct {
        const char *command;
        enum xc_cause cause;
    } table[] = {
        {"exec yes", XC_CAUSE_LIMIT},
        {"exec cat /dev/zero >&2", XC_CAUSE_LIMIT},
        {"exec sleep 100", XC_CAUSE_TIMED_OUT},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(table); i++) {
        struct xc_call call;
        g_autoptr(xc_ssh) ssh = session(&call);
        g_autoptr(GError) error = NULL;
        struct xc_exec out;

        if (table[i].cause == XC_CAUSE_TIMED_OUT)
            xc_call_restart(&call, XC_USEC_PER_SEC / 3);
        xc_exec_init(&out);
        g_assert_false(xc_ssh_exec(ssh, table[i].command, NULL, 0, &call, &out, &error));
        g_assert_error(error, XC_ERROR, (int)table[i].cause);
        g_assert_cmpuint(out.out->len, <=, XC_EXEC_OUT_MAX);
        g_assert_false(xc_ssh_usable(ssh));
        g_assert_false(xc_ssh_exec(ssh, "true", NULL, 0, &call, &out, NULL));
        xc_exec_clear(&out);
        xc_call_deinit(&call);
    }
}

/* --- polls and events */

static bool readable(int fd, int msec)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, msec) > 0;
}

static void put_domain(unsigned domid, const char *name)
{
    g_autofree char *base64 = g_base64_encode((const guchar *)name, strlen(name));
    g_autofree char *text =
        g_strdup_printf("%s\n00000000-0000-4000-8000-%012u\n-b----\n", base64, domid);
    g_autofree char *path = g_strdup_printf("%s/dom/%u", state, domid);

    put(path, text, 0644);
}

static void tell_event(const char *text)
{
    g_autofree char *fifo = g_build_filename(state, "events", NULL);
    FILE *file = fopen(fifo, "w");

    g_assert_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* Reads events until a change or nothing more comes. */
static bool sees_change(struct xc_conn *conn, int msec)
{
    gint64 until = xc_clock_mono() + msec * (gint64)1000;
    bool changed = false;

    while (!changed && xc_clock_mono() < until && readable(xc_xl_driver.event_fd(conn), msec))
        g_assert_true(xc_xl_driver.event_read(conn, &changed, NULL));
    return changed;
}

static void test_poll_and_events(void)
{
    struct xc_source_spec spec = spec_of("ed25519");
    struct xc_driver_env env = env_of();
    g_autofree char *fifo = g_build_filename(state, "events", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(xc_report) first = xc_report_new();
    g_autoptr(xc_report) second = xc_report_new();
    struct xc_conn *conn;
    struct xc_call call;
    bool changed = true;

    command("mkfifo %s", fifo);
    put_domain(300, "polled");
    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    conn = xc_xl_driver.open(&spec, &env, &call, &error);
    g_assert_no_error(error);
    xc_xl_driver.poll(conn, first, &call, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(first->hosts->len, ==, 1);
    g_assert_cmpuint(first->domains->len, ==, 2);

    /* the first line of each watch is no change */
    g_assert_false(sees_change(conn, 300));
    tell_event("@releaseDomain\n");
    g_assert_true(sees_change(conn, 5000));
    g_assert_false(sees_change(conn, 100));

    /* what arrives in the middle of a poll still makes the descriptor readable */
    tell_event("@introduceDomain\n");
    xc_call_restart(&call, BUDGET);
    g_assert_true(xc_xl_driver.poll(conn, second, &call, &error));
    g_assert_true(sees_change(conn, 5000));
    xc_xl_driver.close(conn);

    /* a connection that breaks is told by the descriptor as well */
    conn = xc_xl_driver.open(&spec, &env, &call, &error);
    g_assert_no_error(error);
    while (readable(xc_xl_driver.event_fd(conn), 200))
        g_assert_true(xc_xl_driver.event_read(conn, &changed, NULL));
    g_assert_cmpuint(kill_connections(), >=, 1);
    while (readable(xc_xl_driver.event_fd(conn), 5000) &&
           xc_xl_driver.event_read(conn, &changed, &error))
        continue;
    g_assert_error(error, XC_ERROR, XC_CAUSE_TRANSPORT);
    xc_xl_driver.close(conn);
    xc_call_deinit(&call);
    g_unlink(fifo);
}

/* A host without xenstore-watch has no events and works. */
static void test_no_events(void)
{
    struct xc_source_spec spec = spec_of("ed25519");
    struct xc_driver_env env = env_of();
    g_autoptr(GError) error = NULL;
    struct xc_conn *conn;
    struct xc_call call;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    conn = xc_xl_driver.open(&spec, &env, &call, &error);
    g_assert_no_error(error);
    for (int i = 0; i < 3; i++) {
        g_autoptr(xc_report) report = xc_report_new();

        xc_xl_driver.poll(conn, report, &call, &error);
        g_assert_no_error(error);
        g_assert_false(sees_change(conn, 50));
    }
    g_assert_false(readable(xc_xl_driver.event_fd(conn), 100));
    xc_xl_driver.close(conn);
    xc_call_deinit(&call);
}

/* --- operations */

static void note_phase(const char *phase, int progress, void *data)
{
    g_string_append_printf(data, "%s;", phase);
    g_assert_cmpint(progress, ==, -1);
}

struct ran {
    struct xc_order order;
    struct xc_call call;
    struct xc_outcome outcome;
    GString *phases;
};

static gpointer run_thread(gpointer data)
{
    struct xc_source_spec spec = spec_of("ed25519");
    struct xc_driver_env env = env_of();
    struct ran *ran = data;

    xc_xl_driver.run(&spec, &env, &ran->order, &ran->call, note_phase, ran->phases, &ran->outcome);
    return NULL;
}

static void order_init(struct ran *ran, enum xc_action action, const char *name)
{
    *ran = (struct ran){.phases = g_string_new(NULL)};
    ran->order = (struct xc_order){.action = action,
                                   .name = g_strdup(name),
                                   .config = g_strdup(""),
                                   .content = g_strdup(""),
                                   .host_from = g_strdup(""),
                                   .boot_id = g_strdup(""),
                                   .target = {g_strdup(""), g_strdup(""), g_strdup(""),
                                              g_strdup(""), g_strdup(""), g_strdup("")}};
    xc_uuid_random(&ran->order.op);
    g_assert_true(xc_call_init(&ran->call, BUDGET, NULL));
}

static void order_clear(struct ran *ran)
{
    xc_order_clear(&ran->order);
    xc_outcome_clear(&ran->outcome);
    xc_call_deinit(&ran->call);
    g_string_free(ran->phases, TRUE);
}

static unsigned count(const char *haystack, size_t length, const char *needle)
{
    unsigned n = 0;

    for (const char *at = haystack;
         (at = memmem(at, length - (size_t)(at - haystack), needle, strlen(needle))); at++)
        n++;
    return n;
}

/* Connections are cut again and again while the domain moves: one migration, right result. */
static void test_cut_migration(void)
{
    g_autofree char *hold = g_strconcat(state, "-host2/hold", NULL);
    g_autofree char *dir = g_strconcat(state, "-host2", NULL);
    g_autofree char *argv_file = g_build_filename(state, "argv", NULL);
    g_autofree char *argv = NULL;
    gsize length = 0;
    GThread *thread;
    struct ran ran;
    char op[XC_UUID_TEXT];
    g_autofree char *err = NULL;
    int cuts = 0;

    put_domain(310, "moving");
    g_mkdir(dir, 0755);
    put(hold, "", 0644);
    order_init(&ran, XC_ACTION_MIGRATE, "moving");
    g_free(ran.order.target.address);
    ran.order.target.address = g_strdup("host2");
    xc_uuid_format(&ran.order.op, op);
    err = g_strdup_printf("%s/run/%s/err", top, op);
    thread = g_thread_new("order", run_thread, &ran);
    for (int i = 0; i < 1000 && cuts < 2; i++) {
        g_autofree char *words = get(err);

        g_usleep(20 * 1000);
        if (strstr(words, "Saving"))
            cuts += kill_connections() > 0;
    }
    g_unlink(hold);
    g_thread_join(thread);
    g_test_message("%s %s (%s)", xc_enum_label(&xc_result_labels, (int)ran.outcome.result),
                   ran.outcome.text, ran.phases->str);
    g_assert_cmpint(cuts, ==, 2);
    g_assert_cmpint(ran.outcome.result, ==, XC_RESULT_OK);
    g_assert_nonnull(strstr(ran.phases->str, "reconnecting"));
    g_assert_true(g_file_get_contents(argv_file, &argv, &length, NULL));
    g_assert_cmpuint(count(argv, length, "migrate"), ==, 1);
    order_clear(&ran);
}

static void test_check_migrate(void)
{
    g_autofree char *here = g_build_filename(state, "info", NULL);
    g_autofree char *there = g_strconcat(state, "-host2/info", NULL);
    g_autofree char *dir = g_strconcat(state, "-host2", NULL);
    struct ran ran;

    g_mkdir(dir, 0755);
    put_domain(320, "thinking");
    put(here, "host                   : one\nfree_memory            : 10\n", 0644);
    put(there, "host                   : two\nfree_memory            : 900\n", 0644);
    order_init(&ran, XC_ACTION_CHECK_MIGRATE, "thinking");
    g_free(ran.order.target.address);
    ran.order.target.address = g_strdup("host2");
    run_thread(&ran);
    g_assert_cmpstr(ran.outcome.text, ==, "two has 900 MiB free");
    g_assert_cmpint(ran.outcome.result, ==, XC_RESULT_OK);
    put(there, "host                   : two\nfree_memory            : 90\n", 0644);
    run_thread(&ran);
    g_assert_cmpint(ran.outcome.result, ==, XC_RESULT_FAILED);
    g_assert_cmpint(ran.outcome.cause, ==, XC_CAUSE_NO_MEMORY);
    order_clear(&ran);
}

/* The host shows another key all of a sudden. */
static void test_swapped_key(void)
{
    g_autofree char *log_file = in_top("sshd.log");
    g_autofree char *log = NULL;

    stop_sshd();
    start_sshd("host2_ed25519");
    refused("ed25519", XC_CAUSE_HOST_KEY, "CHANGED");
    log = get(log_file);
    g_assert_null(strstr(log, "publickey"));
    /* a host that has only another type of key than the known one */
    stop_sshd();
    start_sshd("host_ecdsa");
    refused("ed25519", XC_CAUSE_HOST_KEY, "unknown");
    trust("host_ecdsa");
    accepted("ed25519");
}

/* --- */

static void make_key(const char *name, const char *type, const char *phrase)
{
    const char *argv[] = {"ssh-keygen", "-q", "-t", type, "-N", phrase, "-C", "", "-f", NULL, NULL};
    g_autofree char *path = in_top(name);
    int status = -1;

    argv[9] = path;
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

static void make_keys(void)
{
    static const char *const names[][2] = {
        {"user_ed25519", "ed25519"},  {"user_ecdsa", "ecdsa"},   {"stranger", "ed25519"},
        {"user_rsa", "rsa"},          {"phrase_key", "ed25519"}, {"host_ed25519", "ed25519"},
        {"host2_ed25519", "ed25519"}, {"host_ecdsa", "ecdsa"},
    };
    static const char *const credentials[][2] = {
        {"ed25519", "user_ed25519"}, {"ecdsa", "user_ecdsa"},  {"unknown", "stranger"},
        {"rsa", "user_rsa"},         {"phrase", "phrase_key"}, {"nokey", "nosuchfile"},
        {"nonsense", "authorized"},
    };
    g_autofree char *authorized = in_top("authorized");
    GString *keys = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        make_key(names[i][0], names[i][1], i == 4 ? "secret" : "");
        if (g_str_has_prefix(names[i][0], "user_")) {
            g_autofree char *line = line_of("", names[i][0]);
            g_string_append(keys, line + 1);
        }
    }
    put(authorized, keys->str, 0600);
    g_string_free(keys, TRUE);
    for (unsigned i = 0; i < G_N_ELEMENTS(credentials); i++) {
        g_autofree char *key = in_top(credentials[i][1]);
        put_credential(credentials[i][0], key);
    }
    put_credential("agent", "");
}

static void set_up(void)
{
    g_autofree char *cwd = g_get_current_dir();
    g_autofree char *dom = NULL;

    g_assert_true(g_file_test("tests/integration/xl/bin/xl", G_FILE_TEST_IS_EXECUTABLE));
    g_setenv("XL_TOP", cwd, TRUE);
    top = g_dir_make_tmp("xl-driver-XXXXXX", NULL);
    state = in_top("host1");
    known_hosts = in_top("known_hosts");
    dom = g_build_filename(state, "dom", NULL);
    g_mkdir_with_parents(dom, 0755);
    if (geteuid() == 0)
        g_mkdir("/run/sshd", 0755); /* sshd of root insists on it */
    make_keys();
    port = free_port();
    uri = g_strdup_printf("ssh://%s@127.0.0.1:%u", g_get_user_name(), port);
    trust("host_ed25519");
    start_sshd("host_ed25519");
}

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    set_up();
    g_test_add_func("/xl-driver/host-key", test_host_key);
    g_test_add_func("/xl-driver/fetch", test_fetch);
    g_test_add_func("/xl-driver/keys", test_keys);
    g_test_add_func("/xl-driver/agent", test_agent);
    g_test_add_func("/xl-driver/addresses", test_addresses);
    g_test_add_func("/xl-driver/exec", test_exec);
    g_test_add_func("/xl-driver/bounds", test_bounds);
    g_test_add_func("/xl-driver/no-events", test_no_events);
    g_test_add_func("/xl-driver/poll-and-events", test_poll_and_events);
    g_test_add_func("/xl-driver/check-migrate", test_check_migrate);
    g_test_add_func("/xl-driver/cut-migration", test_cut_migration);
    g_test_add_func("/xl-driver/swapped-key", test_swapped_key);
    rc = g_test_run();
    stop_sshd();
    command("rm -rf %s", top);
    g_free(top);
    g_free(state);
    g_free(known_hosts);
    g_free(uri);
    return rc;
}
