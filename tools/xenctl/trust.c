/* trust SOURCE: shows a host's SSH key and adds it to known_hosts when the operator says it is the right one. */
#include "tools/xenctl/daemon_files.h"
#include "tools/xenctl/text.h"

#include "xenclient/drivers/driver.h"
#include "xenclient/transport/known_hosts.h"
#include "xenclient/transport/ssh.h"
#include "xenclient/util/text.h"

#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define FETCH_USEC (15 * XC_USEC_PER_SEC)
#define SSH_PORT   22u

struct presented {
    char *type;
    char *fingerprint;
    char *line;
    enum xc_known known;
};

static void presented_clear(struct presented *key)
{
    g_free(key->type);
    g_free(key->fingerprint);
    g_free(key->line);
}

/* --- where to ask */
static char *source_uri(struct ctl *ctl, const char *key, GError **error)
{
    const struct sn_oid oid = sn_oid_text(xenSourceUri, key);
    struct sn_session *session = ctl_session(ctl, error);
    struct sn_value value = {0};
    char *uri = NULL;

    if (session && sn_get(session, &oid, 1, &value, error)) {
        if (sn_present(&value))
            uri = g_strdup(sn_value_text(&value));
        else
            g_set_error(error, SN_ERROR, SN_ERROR_NO_SUCH,
                        "%s: no such source; see xenctl source list, or name a URI", key);
    }
    sn_value_clear(&value);
    return uri;
}

struct target {
    char host[XC_TEXT_MAX + 1];
    unsigned port;
};

static bool target_of(const char *uri, const char *what, struct target *out, GError **error)
{
    struct xc_uri parts;
    bool ssh;

    if (!xc_uri_parse(uri, &parts, error))
        return false;
    ssh = g_str_equal(parts.scheme, "ssh");
    if (ssh) {
        g_strlcpy(out->host, parts.host, sizeof(out->host));
        out->port = parts.port ? parts.port : SSH_PORT;
    } else {
        xc_fail(error, XC_CAUSE_NOT_SUPPORTED, "%s: a %s source has no SSH host key to trust", what,
                parts.scheme);
    }
    xc_uri_clear(&parts);
    return ssh;
}

static bool find_host(struct ctl *ctl, const char *what, struct target *out, GError **error)
{
    bool is_uri = strstr(what, "://") != NULL;
    g_autofree char *uri = NULL;

    if (!is_uri && !xc_text_is_key(what, 32))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: neither the key of a source nor a URI",
                       what);
    uri = is_uri ? g_strdup(what) : source_uri(ctl, what, error);
    return uri && target_of(uri, what, out, error);
}

/* --- the key, and what known_hosts says of it */
static bool compare(const struct target *target, const char *known_hosts, struct presented *key,
                    GError **error)
{
    g_autofree char *text = xc_known_hosts_load(known_hosts, error);
    const char *space = strrchr(key->line, ' ');
    g_autofree guchar *blob = NULL;
    gsize length = 0;
    unsigned line;

    if (!text || !space)
        return false;
    blob = g_base64_decode(space + 1, &length);
    key->known = xc_known_hosts_match(text, target->host, target->port, blob, length, &line);
    return true;
}

static bool fetch(const struct target *target, const char *known_hosts, struct presented *key,
                  GError **error)
{
    struct xc_call call;
    bool ok;

    if (!xc_call_init(&call, FETCH_USEC, error))
        return false;
    ok = xc_ssh_fetch_host_key(target->host, target->port, &call, &key->type, &key->fingerprint,
                               &key->line, error) &&
         compare(target, known_hosts, key, error);
    xc_call_deinit(&call);
    return ok;
}

/* --- deciding */
static void describe(const struct target *target, const struct presented *key)
{
    g_autofree char *host = ctl_escape(target->host, strlen(target->host));

    fprintf(stderr, "%s port %u presents a key of type %s\n  %s\n", host, target->port, key->type,
            key->fingerprint);
    fprintf(stderr,
            "Compare it with this, run on the host itself:\n"
            "  ssh-keygen -lf /etc/ssh/ssh_host_%s_key.pub\n",
            g_str_has_prefix(key->type, "ecdsa") ? "ecdsa"
            : strstr(key->type, "ed25519")       ? "ed25519"
                                                 : "rsa");
    if (key->known == XC_KNOWN_CHANGED)
        fprintf(stderr, "ANOTHER KEY OF THIS HOST IS TRUSTED NOW. Either the host was installed "
                        "again, or somebody else answers in its place.\n");
}

static bool ask(void)
{
    char answer[16];

    fprintf(stderr, "Trust it? Type yes: ");
    return fgets(answer, sizeof(answer), stdin) && g_str_equal(answer, "yes\n");
}

/* CTL_OK: the operator decided for this key. */
static int decide(struct ctl *ctl, const struct presented *key)
{
    if (key->known == XC_KNOWN_REVOKED)
        return ctl_say(ctl, CTL_REFUSED,
                       "known_hosts marks this key as @revoked; it stays refused");
    if (ctl->opt.yes)
        return g_str_equal(ctl->opt.yes, key->fingerprint)
                   ? CTL_OK
                   : ctl_say(ctl, CTL_REFUSED, "the host presents %s, not %s: nothing was changed",
                             key->fingerprint, ctl->opt.yes);
    if (!isatty(STDIN_FILENO))
        return ctl_say(ctl, CTL_REFUSED,
                       "not a terminal: say --yes %s once you know that it is right",
                       key->fingerprint);
    return ask() ? CTL_OK : ctl_say(ctl, CTL_REFUSED, "nothing was changed");
}

static int report(const struct ctl *ctl, const struct presented *key, bool added)
{
    const char *what = added ? "trusted" : "trusted already";

    if (ctl->opt.json)
        printf("{\"type\": \"%s\", \"fingerprint\": \"%s\", \"added\": %s}\n", key->type,
               key->fingerprint, added ? "true" : "false");
    else
        printf("%s: %s %s\n", what, key->type, key->fingerprint);
    return CTL_OK;
}

static int trust(struct ctl *ctl, const struct ctl_files *files, const struct target *target,
                 const struct presented *key)
{
    g_autoptr(GError) error = NULL;
    int code;

    if (key->known == XC_KNOWN_TRUSTED)
        return report(ctl, key, false);
    describe(target, key);
    code = decide(ctl, key);
    if (code)
        return code;
    if (!xc_known_hosts_add(files->known_hosts, key->line, &error))
        return ctl_fail(ctl, error);
    syslog(LOG_AUTH | LOG_NOTICE, "uid %u trusts the host key %s of %s port %u", (unsigned)getuid(),
           key->fingerprint, target->host, target->port);
    return report(ctl, key, true);
}

int ctl_trust(struct ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    struct ctl_files files = {0};
    struct presented key = {0};
    struct target target = {0};
    int code;

    if (!find_host(ctl, ctl->args[0], &target, &error) || !ctl_files_load(ctl, &files, &error) ||
        !fetch(&target, files.known_hosts, &key, &error))
        code =
            error ? ctl_fail(ctl, error) : ctl_say(ctl, CTL_ERROR, "the host's key makes no sense");
    else
        code = trust(ctl, &files, &target, &key);
    presented_clear(&key);
    ctl_files_clear(&files);
    return code;
}
