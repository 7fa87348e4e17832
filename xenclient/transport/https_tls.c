/* Certificates: a pinned one and no other, or a chain to an authority and the name of the host. All of it is decided
 * here, inside the handshake, and none by libcurl, which would have to know before it connects which of the two it is. */
#include "xenclient/transport/https_tls.h"

#include "xenclient/transport/tls_pins.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

/* --- what is shown */

static bool fingerprint(const X509 *certificate, char out[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (!X509_digest(certificate, EVP_sha256(), digest, &n) || n != 32)
        return false;
    for (unsigned i = 0; i < n; i++)
        g_snprintf(out + 2 * i, 3, "%02x", digest[i]);
    return true;
}

/* As `openssl x509 -subject` has it, cleaned. */
static char *name_text(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long length = 0;

    if (bio && name &&
        X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >=
            0)
        length = BIO_get_mem_data(bio, &text);
    text = xc_text_clean(text ? text : "", (size_t)length, XC_TEXT_MAX);
    BIO_free(bio);
    return text;
}

static gint64 end_of(const X509 *certificate)
{
    struct tm tm = {0};

    if (!ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &tm))
        return 0;
    return (gint64)timegm(&tm) * XC_USEC_PER_SEC;
}

static void tell(const X509 *leaf, const char *shown, struct xc_https_certificate *out)
{
    xc_https_certificate_clear(out);
    g_strlcpy(out->sha256, shown, sizeof out->sha256);
    out->subject = name_text(X509_get_subject_name(leaf));
    out->issuer = name_text(X509_get_issuer_name(leaf));
    out->not_after = end_of(leaf);
}

void xc_https_certificate_clear(struct xc_https_certificate *certificate)
{
    g_free(certificate->subject);
    g_free(certificate->issuer);
    memset(certificate, 0, sizeof *certificate);
}

/* --- the verdict */

/* The cure stands before the fingerprints: of a long text the end may be cut off. */
#define CURE "compare its fingerprint on the host, then `xenctl trust SOURCE`"

static int refuse(X509_STORE_CTX *chain, const struct xc_tls_check *check, const char *shown)
{
    int why = X509_STORE_CTX_get_error(chain);

    if (*check->error)
        return 0;
    if (*check->pin)
        xc_fail(check->error, XC_CAUSE_TLS_FAILED,
                "%s port %u: not the certificate that is trusted; " CURE
                "; shown SHA-256 %s, expected %s",
                check->host, check->port, shown, check->pin);
    else
        xc_fail(check->error, XC_CAUSE_TLS_FAILED,
                "%s port %u: the certificate is not trusted: %s; " CURE "; shown SHA-256 %s",
                check->host, check->port, X509_verify_cert_error_string(why), shown);
    if (why == X509_V_OK)
        X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

/* OpenSSL asks this instead of its own check of the chain: 1 good, 0 not. */
static int judge(X509_STORE_CTX *chain, void *data)
{
    struct xc_tls_check *check = data;
    X509 *leaf = X509_STORE_CTX_get0_cert(chain);
    char shown[65] = "";
    bool good;

    if (!leaf || !fingerprint(leaf, shown))
        return refuse(chain, check, "unknown");
    if (check->look)
        tell(leaf, shown, check->look);
    if (check->look || check->insecure)
        good = true;
    else if (*check->pin)
        good = strcmp(shown, check->pin) == 0;
    else
        return X509_verify_cert(chain) == 1 ? 1 : refuse(chain, check, shown);
    return good ? 1 : refuse(chain, check, shown);
}

/* --- before the handshake */

/* A store of our own: libcurl's may be shared with other connections, and is never asked. */
static bool expect_chain(struct xc_tls_check *check, SSL_CTX *ctx)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    X509_STORE *store = X509_STORE_new();
    bool found;

    if (!store || !SSL_CTX_set0_verify_cert_store(ctx, store)) {
        X509_STORE_free(store);
        return xc_fail(check->error, XC_CAUSE_LIMIT, "no memory for certificates");
    }
    ERR_clear_error();
    found = *check->ca_file ? X509_STORE_load_file(store, check->ca_file)
                            : X509_STORE_set_default_paths(store);
    if (!found) {
        unsigned long first = ERR_get_error();
        const char *why = ERR_SYSTEM_ERROR(first) ? g_strerror(ERR_GET_REASON(first))
                                                  : ERR_reason_error_string(first);

        ERR_clear_error();
        return xc_fail(check->error, XC_CAUSE_BAD_CONFIG,
                       "%s: no authorities can be read from it (%s); option tls_ca of [agent] "
                       "names a PEM file",
                       *check->ca_file ? check->ca_file : "the system's certificates",
                       why ? why : "no reason given");
    }
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (g_hostname_is_ip_address(check->host) ? X509_VERIFY_PARAM_set1_ip_asc(param, check->host)
                                              : X509_VERIFY_PARAM_set1_host(param, check->host, 0))
        return true;
    return xc_fail(check->error, XC_CAUSE_BAD_VALUE, "%s: no name for a certificate", check->host);
}

/* Anybody can end a TCP connection, only the host this one. */
static void hear_goodbye(const SSL *ssl, int where, int alert)
{
    struct xc_tls_check *check = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if (where == SSL_CB_READ_ALERT && (alert & 0xff) == SSL_AD_CLOSE_NOTIFY)
        check->goodbye = true;
}

bool xc_tls_check_arm(struct xc_tls_check *check, void *ssl_ctx)
{
    *check->pin = '\0';
    check->goodbye = false;
    SSL_CTX_set_app_data(ssl_ctx, check);
    SSL_CTX_set_info_callback(ssl_ctx, hear_goodbye);
    SSL_CTX_set_cert_verify_callback(ssl_ctx, judge, check);
    if (check->look || check->insecure)
        return true;
    if (*check->pins_file &&
        !xc_tls_pin_find(check->pins_file, check->host, check->port, check->pin, check->error))
        return false;
    return *check->pin || expect_chain(check, ssl_ctx);
}
