/* SSH: a real sshd on loopback. Trust before log-in, keys and agent, addresses, commands within bounds. */
#include "tests/unit/sshd.h"
#include "xenclient/transport/known_hosts.h"
#include "xenclient/transport/ssh.h"

#include <dlfcn.h>
#include <libssh2.h>

struct xl_sim sim;
struct sshd sshd;

#define BUDGET (60 * XC_USEC_PER_SEC)

/* The libssh2 of Debian 12 loses a big number at every log-in with an ECDSA key; libcrypto's frames are all
 * that the leak checker sees of it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:CRYPTO_zalloc\n";
}

static struct xc_driver_env env_of(void)
{
    return (struct xc_driver_env){.credential_dir = sim.top, .known_hosts = sim.known_hosts};
}

/* Opens the source; the error's text must hold the words. */
static void refused(const char *credential, enum xc_cause cause, const char *words)
{
    struct xc_source_spec spec = sim_spec(credential);
    struct xc_driver_env env = env_of();
    g_autoptr(GError) error = NULL;
    struct xc_call call;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    g_assert_null(xc_xl_ops.open(&spec, &env, &call, &error));
    g_test_message("%s", error->message);
    g_assert_cmpstr(xc_enum_label(&xc_cause_labels, error->code), ==,
                    xc_enum_label(&xc_cause_labels, (int)cause));
    g_assert_nonnull(strstr(error->message, words));
    xc_call_deinit(&call);
}

static void accepted(const char *credential)
{
    struct xc_source_spec spec = sim_spec(credential);
    struct xc_driver_env env = env_of();
    g_autoptr(GError) error = NULL;
    struct xc_call call;
    struct xc_conn *conn;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    conn = xc_xl_ops.open(&spec, &env, &call, &error);
    g_assert_no_error(error);
    xc_xl_ops.close(conn);
    xc_call_deinit(&call);
}

/* --- trust and log-in */

static void test_host_key(void)
{
    g_autofree char *log_file = in_top("sshd.log");
    g_autofree char *wrong_port = line_of("127.0.0.1", "host_ed25519");
    g_autofree char *name = g_strdup_printf("[127.0.0.1]:%u", sshd.port);
    g_autofree char *other = line_of(name, "host2_ed25519");
    g_autofree char *right = line_of(name, "host_ed25519");
    g_autofree char *revoked = g_strdup_printf("%s@revoked * %s", right, strchr(right, ' ') + 1);
    g_autofree char *log = NULL;

    g_unlink(sim.known_hosts);
    refused("ed25519", XC_CAUSE_HOST_KEY, "xenctl trust lab");
    put(sim.known_hosts, wrong_port, 0644);
    refused("ed25519", XC_CAUSE_HOST_KEY, "SHA256:");
    put(sim.known_hosts, other, 0644);
    refused("ed25519", XC_CAUSE_HOST_KEY, "line 1 of");
    refused("ed25519", XC_CAUSE_HOST_KEY, "CHANGED");
    put(sim.known_hosts, revoked, 0644);
    refused("ed25519", XC_CAUSE_HOST_KEY, "revoked");
    /* none of these told the host even who we are */
    log = get(log_file);
    g_assert_nonnull(strstr(log, "Connection"));
    g_assert_null(strstr(log, "user"));
    g_assert_null(strstr(log, "publickey"));

    put(sim.known_hosts, right, 0644);
    accepted("ed25519");
    command("ssh-keygen -q -H -f %s", sim.known_hosts);
    accepted("ed25519");
    trust("host_ed25519");
}

static void test_fetch(void)
{
    g_autofree char *type = NULL, *fingerprint = NULL, *line = NULL;
    g_autoptr(GError) error = NULL;
    struct xc_call call;

    g_assert_true(xc_call_init(&call, BUDGET, NULL));
    g_assert_true(
        xc_ssh_fetch_host_key("127.0.0.1", sshd.port, &call, &type, &fingerprint, &line, &error));
    g_assert_cmpstr(type, ==, "ssh-ed25519");
    g_assert_true(g_str_has_prefix(fingerprint, "SHA256:"));
    g_unlink(sim.known_hosts);
    refused("ed25519", XC_CAUSE_HOST_KEY, fingerprint);
    g_assert_true(xc_known_hosts_add(sim.known_hosts, line, &error));
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
    command("ssh-add -q %s/stranger", sim.top);
    refused("agent", XC_CAUSE_AUTH_FAILED, "all 1 keys");
    command("ssh-add -q %s/user_ecdsa", sim.top);
    accepted("agent");
    command("ssh-add -q -D");
    command("ssh-add -q %s/user_ed25519", sim.top);
    accepted("agent");
    g_unsetenv("SSH_AUTH_SOCK");
    kill(agent, SIGTERM);
    waitpid(agent, NULL, 0);
}

static void test_addresses(void)
{
    g_autofree char *v4 = sim.uri;
    struct xc_call call;
    struct xc_source_spec spec;
    struct xc_driver_env env = env_of();
    g_autoptr(GError) error = NULL;

    sim.uri = g_strdup_printf("ssh://%s@[::1]:%u", g_get_user_name(), sshd.port);
    accepted("ed25519");
    g_free(sim.uri);
    /* nobody listens there */
    sim.uri = g_strdup_printf("ssh://root@127.0.0.1:%u", free_port());
    refused("ed25519", XC_CAUSE_HOST_DOWN, "refused");
    g_free(sim.uri);
    sim.uri = g_strdup("ssh://root@no-such-host.invalid");
    refused("ed25519", XC_CAUSE_HOST_DOWN, "no-such-host.invalid");
    g_free(sim.uri);
    /* a sshd.port that accepts and says nothing: the call ends in time */
    {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t length = sizeof at;
        gint64 start = xc_clock_mono();

        g_assert_cmpint(bind(fd, (struct sockaddr *)&at, sizeof at), ==, 0);
        g_assert_cmpint(listen(fd, 5), ==, 0);
        g_assert_cmpint(getsockname(fd, (struct sockaddr *)&at, &length), ==, 0);
        sim.uri = g_strdup_printf("ssh://root@127.0.0.1:%u", ntohs(at.sin_port));
        spec = sim_spec("ed25519");
        g_assert_true(xc_call_init(&call, XC_USEC_PER_SEC / 2, NULL));
        g_assert_null(xc_xl_ops.open(&spec, &env, &call, &error));
        g_assert_error(error, XC_ERROR, XC_CAUSE_TIMED_OUT);
        g_assert_cmpint(xc_clock_mono() - start, <, 5 * XC_USEC_PER_SEC);
        xc_call_deinit(&call);
        close(fd);
        g_free(sim.uri);
    }
    sim.uri = g_steal_pointer(&v4);
}

/* --- commands on one session */

static struct xc_ssh *session(struct xc_call *call)
{
    g_autofree char *key = in_top("user_ed25519");
    struct xc_ssh_target target = {.host = "127.0.0.1",
                                   .port = sshd.port,
                                   .user = g_get_user_name(),
                                   .known_hosts = sim.known_hosts,
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

/* In libssh2's place, for the next test. */
static bool dawdle;

ssize_t libssh2_channel_read_ex(LIBSSH2_CHANNEL *channel, int stream_id, char *buf, size_t buflen)
{
    ssize_t (*real)(LIBSSH2_CHANNEL *, int, char *, size_t) =
        (ssize_t(*)(LIBSSH2_CHANNEL *, int, char *, size_t))dlsym(RTLD_NEXT, __func__);
    ssize_t n = real(channel, stream_id, buf, buflen);

    if (dawdle && stream_id == 0 && n == LIBSSH2_ERROR_EAGAIN)
        g_usleep(300 * 1000);
    return n;
}

/* The whole answer comes between a look at stdout and one at stderr, which takes all of it off the socket. */
static void test_answer_between_looks(void)
{
    struct xc_call call;
    g_autoptr(xc_ssh) ssh = session(&call);
    g_autoptr(GError) error = NULL;
    struct xc_exec out;

    xc_call_restart(&call, 10 * XC_USEC_PER_SEC);
    dawdle = true;
    xc_exec_init(&out);
    xc_ssh_exec(ssh, "echo here", NULL, 0, &call, &out, &error);
    dawdle = false;
    g_assert_no_error(error);
    g_assert_cmpstr(out.out->str, ==, "here\n");
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

/* The host shows another key all of a sudden. */
static void test_swapped_key(void)
{
    g_autofree char *log_file = in_top("sshd.log");
    g_autofree char *log = NULL;

    sshd_stop();
    sshd_start("host2_ed25519");
    refused("ed25519", XC_CAUSE_HOST_KEY, "CHANGED");
    log = get(log_file);
    g_assert_null(strstr(log, "publickey"));
    /* a host that has only another type of key than the known one */
    sshd_stop();
    sshd_start("host_ecdsa");
    refused("ed25519", XC_CAUSE_HOST_KEY, "unknown");
    trust("host_ecdsa");
    accepted("ed25519");
}

static void make_more_keys(void)
{
    static const char *const keys[][3] = {
        {"user_ecdsa", "ecdsa", ""},      {"user_rsa", "rsa", ""},
        {"stranger", "ed25519", ""},      {"phrase_key", "ed25519", "secret"},
        {"host2_ed25519", "ed25519", ""}, {"host_ecdsa", "ecdsa", ""},
    };
    static const char *const credentials[][2] = {
        {"ecdsa", "user_ecdsa"}, {"unknown", "stranger"},
        {"rsa", "user_rsa"},     {"phrase", "phrase_key"},
        {"nokey", "nosuchfile"}, {"nonsense", "authorized"},
        {"agent", ""},
    };
    g_autofree char *authorized = in_top("authorized");

    for (unsigned i = 0; i < G_N_ELEMENTS(keys); i++) {
        make_key(keys[i][0], keys[i][1], keys[i][2]);
        if (g_str_has_prefix(keys[i][0], "user_")) {
            g_autofree char *old = get(authorized), *line = line_of("", keys[i][0]);
            g_autofree char *all = g_strconcat(old, line + 1, NULL);

            put(authorized, all, 0600);
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(credentials); i++)
        put_credential(credentials[i][0], credentials[i][1]);
}

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    sshd_begin("ssh-XXXXXX");
    make_more_keys();
    g_test_add_func("/ssh/host-key", test_host_key);
    g_test_add_func("/ssh/fetch", test_fetch);
    g_test_add_func("/ssh/keys", test_keys);
    g_test_add_func("/ssh/agent", test_agent);
    g_test_add_func("/ssh/addresses", test_addresses);
    g_test_add_func("/ssh/exec", test_exec);
    g_test_add_func("/ssh/answer-between-looks", test_answer_between_looks);
    g_test_add_func("/ssh/bounds", test_bounds);
    g_test_add_func("/ssh/swapped-key", test_swapped_key);
    rc = g_test_run();
    sshd_stop();
    sim_end();
    return rc;
}
