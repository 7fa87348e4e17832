/* Commands on one Xen host, and its watch. */
#include "xenclient/drivers/xl_host.h"

#include "xenclient/transport/process.h"
#include "xenclient/transport/ssh.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* The watch ends with its stdin, so that a lost connection leaves no process behind; and when
 * xenstore-watch itself ends, so does the shell. */
#define WATCH_SCRIPT                                                                               \
    "{ trap 'kill $watch; exit' TERM\n"                                                            \
    "xenstore-watch @introduceDomain @releaseDomain </dev/null 2>/dev/null & watch=$!\n"           \
    "wait $watch; kill $$; } & guard=$!\n"                                                         \
    "cat >/dev/null 2>&1\n"                                                                        \
    "kill $guard 2>/dev/null\n"

struct xl_host {
    struct xc_ssh *ssh; /* NULL: here */
    const char *prefix;
    struct xc_process watch; /* here only */
    int watch_epoll;         /* here only: outlives the process it watches */
    GString *lines;          /* what of the watch's output is not yet a whole line */
    bool watch_tried;
    unsigned fired; /* lines since the watch was started; the first two tell no change */
};

static struct xl_host *host_new(void)
{
    struct xl_host *host = g_new0(struct xl_host, 1);

    host->prefix = "";
    host->watch = (struct xc_process)XC_PROCESS_INIT;
    host->watch_epoll = -1;
    host->lines = g_string_new(NULL);
    return host;
}

void *xl_host_close(struct xl_host *host)
{
    if (!host)
        return NULL;
    xc_ssh_close(host->ssh);
    xc_process_stop(&host->watch);
    if (host->watch_epoll >= 0)
        close(host->watch_epoll);
    g_string_free(host->lines, TRUE);
    g_free(host);
    return NULL;
}

static bool open_ssh(struct xl_host *host, const struct xc_source_spec *spec,
                     const struct xc_uri *uri, const struct xc_driver_env *env,
                     struct xc_call *call, GError **error)
{
    g_autofree char *hint = g_strdup_printf("xenctl trust %s", spec->key);
    struct xc_credential credential = {0};
    struct xc_ssh_target target;

    if (!*spec->credential)
        return xc_fail(error, XC_CAUSE_AUTH_FAILED,
                       "source %s has no credential: `xenctl credential add`, then name it there",
                       spec->key);
    if (!xc_credential_load(env->credential_dir, spec->credential, spec->uri, &credential, error))
        return false;
    target = (struct xc_ssh_target){
        .host = uri->host,
        .port = uri->port,
        .user = *uri->user        ? uri->user
                : credential.user ? credential.user
                                  : "root",
        .known_hosts = env->known_hosts,
        .key_file = credential.key_file,
        .trust_hint = hint,
    };
    if (!credential.key_file && !credential.agent)
        xc_fail(error, XC_CAUSE_AUTH_FAILED,
                "credential '%s' has neither `key` nor `agent`: SSH needs one of them",
                spec->credential);
    else
        host->ssh = xc_ssh_open(&target, call, error);
    host->prefix = strcmp(target.user, "root") == 0 ? "" : "sudo -n ";
    xc_credential_clear(&credential);
    return host->ssh != NULL;
}

struct xl_host *xl_host_open(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                             struct xc_call *call, GError **error)
{
    g_autoptr(xl_host) host = host_new();
    struct xc_uri uri = {0};
    bool ok = xc_uri_parse(spec->uri, &uri, error);

    if (ok && strcmp(uri.scheme, "xl") == 0) {
        host->prefix = geteuid() == 0 ? "" : "sudo -n ";
        if (*uri.host)
            ok = xc_fail(error, XC_CAUSE_BAD_VALUE,
                         "%s: xl:/// means this machine; another host is ssh://root@HOST",
                         spec->uri);
    } else if (ok && !*uri.host) {
        ok = xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: no host; expected ssh://[user@]host[:port]",
                     spec->uri);
    } else if (ok) {
        ok = open_ssh(host, spec, &uri, env, call, error);
    }
    xc_uri_clear(&uri);
    return ok ? g_steal_pointer(&host) : NULL;
}

bool xl_host_usable(const struct xl_host *host)
{
    return host && (!host->ssh || xc_ssh_usable(host->ssh));
}

const char *xl_host_prefix(const struct xl_host *host)
{
    return host->prefix;
}

bool xl_host_exec(struct xl_host *host, const char *command, const void *input, size_t length,
                  struct xc_call *call, struct xc_exec *out, GError **error)
{
    const char *argv[] = {"/bin/sh", "-c", command, NULL};

    if (host->ssh)
        return xc_ssh_exec(host->ssh, command, input, length, call, out, error);
    return xc_process_exec(argv, input, length, call, out, error);
}

/* One quoted word for whatever login shell there is; the rest is read by /bin/sh. */
static char *as_root(const struct xl_host *host, const char *script)
{
    g_autofree char *whole = g_strconcat(XL_SHELL_PREAMBLE, script, NULL);
    g_autofree char *quoted = g_shell_quote(whole);

    return g_strdup_printf("exec %ssh -c %s", host->prefix, quoted);
}

bool xl_host_script(struct xl_host *host, const char *script, const void *input, size_t length,
                    struct xc_call *call, struct xc_exec *out, GError **error)
{
    g_autofree char *command = as_root(host, script);

    return xl_host_exec(host, command, input, length, call, out, error);
}

/* --- events */

static bool watch_here(struct xl_host *host, const char *command)
{
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    struct epoll_event event = {.events = EPOLLIN};

    if (host->watch_epoll < 0)
        host->watch_epoll = epoll_create1(EPOLL_CLOEXEC);
    if (host->watch_epoll < 0 || !xc_process_start(argv, &host->watch, NULL))
        return false;
    /* The set forgets the pipe by itself when it is closed. */
    return epoll_ctl(host->watch_epoll, EPOLL_CTL_ADD, host->watch.fd, &event) == 0;
}

static bool watch_running(const struct xl_host *host)
{
    return host->ssh ? xc_ssh_stream_running(host->ssh) : host->watch.fd >= 0;
}

bool xl_host_watch(struct xl_host *host, struct xc_call *call, GError **error)
{
    g_autofree char *command = NULL;

    /* One that never told anything is not there, or not allowed: no use to try at every poll. */
    if (watch_running(host) || (host->watch_tried && host->fired < 2))
        return true;
    host->watch_tried = true;
    host->fired = 0;
    g_string_truncate(host->lines, 0);
    command = as_root(host, WATCH_SCRIPT);
    if (host->ssh)
        return xc_ssh_stream_open(host->ssh, command, call, error);
    watch_here(host, command);
    return true;
}

int xl_host_event_fd(const struct xl_host *host)
{
    return host->ssh ? xc_ssh_stream_fd(host->ssh) : host->watch_epoll;
}

/* Each of the two watches fires once at its start; whatever comes later is a change. */
static bool count_lines(struct xl_host *host)
{
    bool changed = false;
    char *newline;

    while ((newline = memchr(host->lines->str, '\n', host->lines->len))) {
        size_t length = (size_t)(newline - host->lines->str) + 1;

        if (host->lines->str[0] == '@') {
            changed |= host->fired >= 2;
            host->fired = MIN(host->fired + 1, 3);
        }
        g_string_erase(host->lines, 0, (gssize)length);
    }
    /* No path of ours is that long. */
    if (host->lines->len > 4096)
        g_string_truncate(host->lines, 0);
    return changed;
}

bool xl_host_events(struct xl_host *host, bool *changed, GError **error)
{
    bool ok = true;

    *changed = false;
    if (host->ssh)
        ok = xc_ssh_stream_read(host->ssh, host->lines, error);
    else if (host->watch.fd >= 0)
        xc_process_read(&host->watch, host->lines);
    *changed = count_lines(host);
    return ok;
}
