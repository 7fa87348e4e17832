/* Trusting a host's SSH key. */
#include "tools/xenctl/trust.h"

#include "xenclient/transport/ssh.h"
#include "xenclient/util/error.h"

#include <string.h>

/* What known_hosts says of the key. */
static bool compare(const struct ctl_target *target, const char *known_hosts,
                    struct ctl_shown *shown, GError **error)
{
    g_autofree char *text = xc_known_hosts_load(known_hosts, error);
    const char *space = strrchr(shown->entry, ' ');
    g_autofree guchar *blob = NULL;
    gsize length = 0;
    unsigned line;

    if (!text)
        return false;
    if (!space)
        return xc_fail(error, XC_CAUSE_TRANSPORT, "%s port %u: its key makes no sense",
                       target->host, target->port);
    blob = g_base64_decode(space + 1, &length);
    shown->known = xc_known_hosts_match(text, target->host, target->port, blob, length, &line);
    return true;
}

static bool fetch(const struct ctl_target *target, const struct ctl_files *files,
                  struct xc_call *call, struct ctl_shown *out, GError **error)
{
    if (!xc_ssh_fetch_host_key(target->host, target->port, call, &out->type, &out->fingerprint,
                               &out->entry, error))
        return false;
    out->title = g_strdup_printf("key of type %s", out->type);
    return compare(target, files->known_hosts, out, error);
}

static bool is(const struct ctl_shown *shown, const char *fingerprint)
{
    return g_str_equal(fingerprint, shown->fingerprint);
}

static const char *command(const struct ctl_shown *shown)
{
    if (g_str_has_prefix(shown->type, "ecdsa"))
        return "ssh-keygen -lf /etc/ssh/ssh_host_ecdsa_key.pub";
    if (strstr(shown->type, "ed25519"))
        return "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";
    return "ssh-keygen -lf /etc/ssh/ssh_host_rsa_key.pub";
}

static bool keep(const struct ctl_target *target, const struct ctl_files *files,
                 const struct ctl_shown *shown, GError **error)
{
    (void)target;
    return xc_known_hosts_add(files->known_hosts, shown->entry, error);
}

const struct ctl_trust_kind ctl_trust_ssh = {
    .scheme = "ssh",
    .port = 22,
    .thing = "key",
    .fetch = fetch,
    .is = is,
    .command = command,
    .keep = keep,
};
