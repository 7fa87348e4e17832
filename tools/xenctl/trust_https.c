/* Trusting a host's certificate: pinning it. */
#include "tools/xenctl/text.h"
#include "tools/xenctl/trust.h"

#include "xenclient/transport/https.h"
#include "xenclient/transport/tls_pins.h"
#include "xenclient/util/clock.h"

#include <string.h>

/* "ab12..." as `openssl x509 -fingerprint` prints it: AB:12:... */
static char *with_colons(const char *digits)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; digits[i]; i++) {
        if (i > 0 && i % 2 == 0)
            g_string_append_c(text, ':');
        g_string_append_c(text, g_ascii_toupper(digits[i]));
    }
    return g_string_free(text, FALSE);
}

static char *details_of(const struct xc_https_certificate *certificate)
{
    g_autofree char *subject = ctl_escape(certificate->subject, strlen(certificate->subject));
    g_autofree char *issuer = ctl_escape(certificate->issuer, strlen(certificate->issuer));
    g_autoptr(GDateTime) end =
        g_date_time_new_from_unix_utc(certificate->not_after / XC_USEC_PER_SEC);
    g_autofree char *date = end ? g_date_time_format(end, "%Y-%m-%d %H:%M:%S UTC") : NULL;

    return g_strdup_printf("  subject  %s\n  issuer   %s\n  ends     %s%s\n", subject, issuer,
                           date ? date : "at a time that makes no sense",
                           certificate->not_after < xc_clock_real()
                               ? " (over; that does not matter for one that is trusted like this)"
                               : "");
}

static bool fetch(const struct ctl_target *target, const struct ctl_files *files,
                  struct xc_call *call, struct ctl_shown *out, GError **error)
{
    struct xc_https_certificate certificate;
    char pin[65];

    if (!xc_tls_pin_find(files->tls_pins, target->host, target->port, pin, error) ||
        !xc_https_look(target->host, target->port, &certificate, call, error))
        return false;
    out->type = g_strdup("certificate");
    out->title = g_strdup("certificate");
    out->fingerprint = with_colons(certificate.sha256);
    out->details = details_of(&certificate);
    out->entry = g_strdup(certificate.sha256);
    out->known = !*pin                                  ? XC_KNOWN_UNKNOWN
                 : g_str_equal(pin, certificate.sha256) ? XC_KNOWN_TRUSTED
                                                        : XC_KNOWN_CHANGED;
    xc_https_certificate_clear(&certificate);
    return true;
}

static bool is(const struct ctl_shown *shown, const char *fingerprint)
{
    return g_ascii_strcasecmp(fingerprint, shown->fingerprint) == 0 ||
           g_ascii_strcasecmp(fingerprint, shown->entry) == 0;
}

static const char *command(const struct ctl_shown *shown)
{
    (void)shown;
    return "openssl x509 -noout -fingerprint -sha256 -in /etc/xensource/xapi-ssl.pem";
}

static bool keep(const struct ctl_target *target, const struct ctl_files *files,
                 const struct ctl_shown *shown, GError **error)
{
    return xc_tls_pin_write(files->tls_pins, target->host, target->port, shown->entry, error);
}

const struct ctl_trust_kind ctl_trust_https = {
    .scheme = "https",
    .port = 443,
    .thing = "certificate",
    .fetch = fetch,
    .is = is,
    .command = command,
    .keep = keep,
};
