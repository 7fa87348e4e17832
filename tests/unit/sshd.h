/* For tests over SSH: a real sshd on loopback with keys of its own, in front of the simulated host. */
#pragma once

#include "tests/unit/xl_sim.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct sshd {
    unsigned port;
    pid_t pid;
};
extern struct sshd sshd;

static inline unsigned free_port(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof to;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&to, sizeof to), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&to, &length), ==, 0);
    close(fd);
    return ntohs(to.sin_port);
}

static inline bool sshd_answers(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)sshd.port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = connect(fd, (struct sockaddr *)&to, sizeof to) == 0;

    close(fd);
    return ok;
}

/* A test that ends by an assertion leaves nothing running. */
static inline void die_with_parent(void *unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

/* host_key: a file of the test's folder. The log is sshd.log there. */
static inline void sshd_start(const char *host_key)
{
    g_autofree char *config = in_top("sshd_config"), *log = in_top("sshd.log");
    g_autofree char *text = g_strdup_printf(
        "ListenAddress 127.0.0.1:%u\nListenAddress [::1]:%u\nHostKey %s/%s\nPidFile none\n"
        "AuthorizedKeysFile %s/authorized\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin yes\nLogLevel VERBOSE\nPrintMotd no\n"
        "MaxSessions 20\nMaxStartups 100\n"
        "SetEnv PATH=%s:/usr/bin:/bin XL_STATE=%s XENSNMP_RUN=%s/run HOME=%s\n",
        sshd.port, sshd.port, sim.top, host_key, sim.top, g_getenv("XL_BIN"), sim.state, sim.top,
        sim.top);
    const char *argv[] = {"/usr/sbin/sshd", "-D", "-f", config, "-E", log, NULL};

    put(config, text, 0600);
    g_unlink(log);
    g_assert_true(g_spawn_async(sim.top, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                die_with_parent, NULL, &sshd.pid, NULL));
    for (int i = 0; i < 500 && !sshd_answers(); i++)
        g_usleep(20 * 1000);
    g_assert_true(sshd_answers());
}

/* Ends the processes that hold connections, not the one that listens; how many there were. */
static inline unsigned cut_connections(void)
{
    g_autofree char *path =
        g_strdup_printf("/proc/%d/task/%d/children", (int)sshd.pid, (int)sshd.pid);
    g_autofree char *text = get(path);
    g_auto(GStrv) pids = g_strsplit(g_strstrip(text), " ", -1);
    unsigned n = 0;

    for (char **pid = pids; *pid; pid++)
        if (**pid)
            n += kill((pid_t)g_ascii_strtoll(*pid, NULL, 10), SIGKILL) == 0;
    return n;
}

static inline void sshd_stop(void)
{
    cut_connections();
    kill(sshd.pid, SIGTERM);
    waitpid(sshd.pid, NULL, 0);
}

static inline void make_key(const char *name, const char *type, const char *phrase)
{
    const char *argv[] = {"ssh-keygen", "-q", "-t", type, "-N", phrase, "-C", "", "-f", NULL, NULL};
    g_autofree char *path = in_top(name);
    int status = -1;

    argv[9] = path;
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

/* key "": the agent. */
static inline void put_credential(const char *name, const char *key)
{
    g_autofree char *path = in_top(name), *file = in_top(key);
    g_autofree char *text = g_strdup_printf("[credential]\nuris = ssh://*\n%s%s\n",
                                            *key ? "key = " : "agent = yes", *key ? file : "");

    put(path, text, 0600);
}

/* The line of a host's public key under a name. */
static inline char *line_of(const char *name, const char *key)
{
    g_autofree char *file = g_strdup_printf("%s/%s.pub", sim.top, key);
    g_autofree char *text = get(file);

    return g_strdup_printf("%s %s", name, text);
}

static inline void trust(const char *key)
{
    g_autofree char *name = g_strdup_printf("[127.0.0.1]:%u,[::1]:%u", sshd.port, sshd.port);
    g_autofree char *line = line_of(name, key);

    put(sim.known_hosts, line, 0644);
}

/* sshd with the key host_ed25519, trusted; the credential ed25519 opens it with user_ed25519. */
static inline void sshd_begin(const char *template)
{
    g_autofree char *authorized = NULL, *user = NULL;

    sim_begin(template);
    if (geteuid() == 0)
        g_mkdir("/run/sshd", 0755); /* sshd of root insists on it */
    make_key("host_ed25519", "ed25519", "");
    make_key("user_ed25519", "ed25519", "");
    authorized = in_top("authorized");
    user = line_of("", "user_ed25519");
    put(authorized, user + 1, 0600);
    put_credential("ed25519", "user_ed25519");
    sshd.port = free_port();
    g_free(sim.uri);
    sim.uri = g_strdup_printf("ssh://%s@127.0.0.1:%u", g_get_user_name(), sshd.port);
    sim.credential = "ed25519";
    trust("host_ed25519");
    sshd_start("host_ed25519");
}
