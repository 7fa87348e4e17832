/* trust SOURCE: shows what a host identifies itself by, its SSH key or its certificate, and adds that to the daemon's files
 * when the operator says it is the right one. What differs is in trust_ssh.c and trust_https.c. */
#include "tools/xenctl/trust.h"
#include "tools/xenctl/text.h"

#include "xenclient/drivers/driver.h"

#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define FETCH_USEC (15 * XC_USEC_PER_SEC)

static const struct ctl_trust_kind *const kinds[] = {&ctl_trust_ssh, &ctl_trust_https};

static void shown_clear(struct ctl_shown *shown)
{
    g_free(shown->type);
    g_free(shown->title);
    g_free(shown->fingerprint);
    g_free(shown->details);
    g_free(shown->entry);
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

/* NULL with an error: a source of another kind. */
static const struct ctl_trust_kind *kind_of(const char *uri, const char *what,
                                            struct ctl_target *out, GError **error)
{
    const struct ctl_trust_kind *kind = NULL;
    struct xc_uri parts;

    if (!xc_uri_parse(uri, &parts, error))
        return NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_str_equal(kinds[i]->scheme, parts.scheme))
            kind = kinds[i];
    if (kind) {
        g_strlcpy(out->host, parts.host, sizeof(out->host));
        out->port = parts.port ? parts.port : kind->port;
    } else {
        xc_fail(error, XC_CAUSE_NOT_SUPPORTED,
                "%s: a %s source has no SSH host key or certificate to trust", what, parts.scheme);
    }
    xc_uri_clear(&parts);
    return kind;
}

static const struct ctl_trust_kind *find_host(struct ctl *ctl, const char *what,
                                              struct ctl_target *out, GError **error)
{
    bool is_uri = strstr(what, "://") != NULL;
    g_autofree char *uri = NULL;

    if (!is_uri && !xc_text_is_key(what, 32)) {
        xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: neither the key of a source nor a URI", what);
        return NULL;
    }
    uri = is_uri ? g_strdup(what) : source_uri(ctl, what, error);
    return uri ? kind_of(uri, what, out, error) : NULL;
}

static bool fetch(const struct ctl_trust_kind *kind, const struct ctl_target *target,
                  const struct ctl_files *files, struct ctl_shown *out, GError **error)
{
    struct xc_call call;
    bool ok;

    if (!xc_call_init(&call, FETCH_USEC, error))
        return false;
    ok = kind->fetch(target, files, &call, out, error);
    xc_call_deinit(&call);
    return ok;
}

/* --- deciding */
static void describe(const struct ctl_trust_kind *kind, const struct ctl_target *target,
                     const struct ctl_shown *shown)
{
    g_autofree char *host = ctl_escape(target->host, strlen(target->host));
    g_autofree char *thing = g_ascii_strup(kind->thing, -1);

    fprintf(stderr, "%s port %u presents a %s\n%s  %s\n", host, target->port, shown->title,
            shown->details ? shown->details : "", shown->fingerprint);
    fprintf(stderr, "Compare it with this, run on the host itself:\n  %s\n", kind->command(shown));
    if (shown->known == XC_KNOWN_CHANGED)
        fprintf(stderr,
                "ANOTHER %s OF THIS HOST IS TRUSTED NOW. Either the host was installed "
                "again, or somebody else answers in its place.\n",
                thing);
}

static bool ask(void)
{
    char answer[16];

    fprintf(stderr, "Trust it? Type yes: ");
    return fgets(answer, sizeof(answer), stdin) && g_str_equal(answer, "yes\n");
}

/* CTL_OK: the operator decided for what is shown. */
static int decide(struct ctl *ctl, const struct ctl_trust_kind *kind, const struct ctl_shown *shown)
{
    if (shown->known == XC_KNOWN_REVOKED)
        return ctl_say(ctl, CTL_REFUSED,
                       "known_hosts marks this key as @revoked; it stays refused");
    if (ctl->opt.yes)
        return kind->is(shown, ctl->opt.yes)
                   ? CTL_OK
                   : ctl_say(ctl, CTL_REFUSED, "the host presents %s, not %s: nothing was changed",
                             shown->fingerprint, ctl->opt.yes);
    if (!isatty(STDIN_FILENO))
        return ctl_say(ctl, CTL_REFUSED,
                       "not a terminal: say --yes %s once you know that it is right",
                       shown->fingerprint);
    return ask() ? CTL_OK : ctl_say(ctl, CTL_REFUSED, "nothing was changed");
}

static int report(const struct ctl *ctl, const struct ctl_shown *shown, bool added)
{
    const char *what = added ? "trusted" : "trusted already";

    if (ctl->opt.json)
        printf("{\"type\": \"%s\", \"fingerprint\": \"%s\", \"added\": %s}\n", shown->type,
               shown->fingerprint, added ? "true" : "false");
    else
        printf("%s: %s %s\n", what, shown->type, shown->fingerprint);
    return CTL_OK;
}

static int trust(struct ctl *ctl, const struct ctl_trust_kind *kind, const struct ctl_files *files,
                 const struct ctl_target *target, const struct ctl_shown *shown)
{
    g_autoptr(GError) error = NULL;
    int code;

    if (shown->known == XC_KNOWN_TRUSTED)
        return report(ctl, shown, false);
    describe(kind, target, shown);
    code = decide(ctl, kind, shown);
    if (code)
        return code;
    if (!kind->keep(target, files, shown, &error))
        return ctl_fail(ctl, error);
    syslog(LOG_AUTH | LOG_NOTICE, "uid %u trusts the %s %s of %s port %u", (unsigned)getuid(),
           kind->thing, shown->fingerprint, target->host, target->port);
    return report(ctl, shown, true);
}

int ctl_trust(struct ctl *ctl)
{
    g_autoptr(GError) error = NULL;
    struct ctl_files files = {0};
    struct ctl_shown shown = {0};
    struct ctl_target target = {0};
    const struct ctl_trust_kind *kind = find_host(ctl, ctl->args[0], &target, &error);
    int code;

    if (!kind || !ctl_files_load(ctl, &files, &error) ||
        !fetch(kind, &target, &files, &shown, &error))
        code = ctl_fail(ctl, error);
    else
        code = trust(ctl, kind, &files, &target, &shown);
    shown_clear(&shown);
    ctl_files_clear(&files);
    return code;
}
