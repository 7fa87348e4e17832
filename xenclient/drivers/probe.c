/* The probes as a table, and those that stand on our own transports: XAPI and SSH. */
#include "xenclient/drivers/probe.h"

#include "xenclient/drivers/drivers.h"
#include "xenclient/drivers/xapi_call.h"
#include "xenclient/transport/dial.h"
#include "xenclient/transport/https.h"
#include "xenclient/transport/ssh.h"
#include "xenclient/util/text.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

/* What is no session: whoever is XAPI says so in its own words. */
#define NO_SESSION    "OpaqueRef:NULL"
#define GREETING_USEC (3 * XC_USEC_PER_SEC)

const char *xc_probe_text(const struct xc_probing *probing, const char *text)
{
    g_autofree char *clean = xc_text_clean(text, strlen(text), XC_TEXT_MAX);

    return g_string_chunk_insert(probing->text, clean);
}

/* --- XAPI */

/* "CN = xcp1, O = ..." as https_tls.c gives it: the name that the certificate is for. */
static const char *common_name(const struct xc_probing *probing, const char *subject)
{
    const char *at = strstr(subject, "CN = ");
    g_autofree char *name = at ? g_strdup(at + strlen("CN = ")) : NULL;

    if (!name || !*name)
        return NULL;
    name[strcspn(name, ",")] = '\0';
    return xc_probe_text(probing, name);
}

/* A pool answers a call without a session by a refusal that no other server gives. */
static bool is_xapi(const struct xc_probing *probing, struct xc_call *call, GPtrArray **words)
{
    const struct xc_https_config config = {
        .host = probing->address, .port = probing->port, .insecure = true};
    g_autoptr(xc_https) https = xc_https_new(&config, NULL);
    g_autoptr(xapi_args) args = xapi_args_new("pool.get_all");
    g_autoptr(GError) error = NULL;

    return https && !xapi_call(https, args, NO_SESSION, NULL, words, call, &error) && *words &&
           (*words)->len > 0;
}

static bool probe_xapi(const struct xc_probing *probing, struct xc_find *find, struct xc_call *call)
{
    struct xc_https_certificate certificate = {0};
    g_autoptr(GPtrArray) words = NULL;
    const char *name;

    if (!xc_https_look(probing->address, probing->port, &certificate, call, NULL))
        return false;
    XC_SET(FIND, find, fingerprint, xc_probe_text(probing, certificate.sha256));
    name = common_name(probing, certificate.subject);
    if (name)
        XC_SET(FIND, find, name, name);
    xc_https_certificate_clear(&certificate);
    if (!is_xapi(probing, call, &words))
        return false;
    if (strcmp(words->pdata[0], "HOST_IS_SLAVE") == 0)
        XC_SET(FIND, find, remark,
               xc_probe_text(probing, "a member of a pool: register its coordinator, which shows "
                                      "all its members"));
    XC_SET(FIND, find, verdict, XC_VERDICT_XEN);
    return true;
}

/* --- SSH */

/* The first line that a server sends, at most 255 octets; NULL: none that makes it one of SSH. */
static const char *greeting(const struct xc_probing *probing, struct xc_call *call)
{
    int fd = xc_dial(probing->address, probing->port, call, NULL);
    char line[256];
    size_t n = 0;
    bool whole = false;

    while (fd >= 0 && !whole && n < sizeof(line) - 1 &&
           xc_call_wait(call, fd, POLLIN, GREETING_USEC, "greeting", NULL)) {
        ssize_t r = read(fd, line + n, sizeof(line) - 1 - n);

        if (r <= 0)
            break;
        n += (size_t)r;
        whole = memchr(line, '\n', n) != NULL;
    }
    if (fd >= 0)
        close(fd);
    line[n] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return whole && g_str_has_prefix(line, "SSH-") ? xc_probe_text(probing, line) : NULL;
}

static void take_host(const struct xc_probing *probing, const struct xc_report *report,
                      struct xc_find *find)
{
    const struct xc_host *host = &g_array_index(report->hosts, struct xc_host, 0);

    XC_SET(FIND, find, verdict, XC_VERDICT_XEN);
    if (XC_HAS(HOST, host, name))
        XC_SET(FIND, find, name, xc_probe_text(probing, host->name));
    if (XC_HAS(HOST, host, uuid))
        XC_SET(FIND, find, uuid, host->uuid);
    if (XC_HAS(HOST, host, xen_version)) {
        g_autofree char *product = g_strdup_printf("Xen %s", host->xen_version);

        XC_SET(FIND, find, product, xc_probe_text(probing, product));
    }
}

/* Asks as a source would be asked: the host's key must be trusted already, and nothing is told to it before. */
static void log_in(const struct xc_probing *probing, struct xc_find *find, struct xc_call *call)
{
    struct xc_find place = {
        .probe = XC_PROBE_SSH, .address = probing->address, .port = probing->port};
    g_autofree char *uri = xc_find_uri(&place);
    g_autofree char *credential = g_strdup(probing->credential);
    struct xc_source_spec spec = {.key = uri,
                                  .uri = uri,
                                  .credential = credential,
                                  .address = (char *)"",
                                  .config_dirs = (char *)"",
                                  .save_dir = (char *)""};
    g_autoptr(xc_report) report = xc_report_new();
    g_autoptr(GError) error = NULL;
    const struct xc_driver_ops *driver = xc_driver_ops(xc_driver_for(uri, &error));
    struct xc_conn *conn = driver ? driver->open(&spec, probing->env, call, &error) : NULL;

    if (conn && driver->poll(conn, report, call, &error) && report->hosts->len)
        take_host(probing, report, find);
    else
        XC_SET(FIND, find, remark,
               xc_probe_text(probing, error ? error->message : "it told of no host"));
    if (conn)
        driver->close(conn);
}

static bool probe_ssh(const struct xc_probing *probing, struct xc_find *find, struct xc_call *call)
{
    const char *banner = greeting(probing, call);
    g_autofree char *type = NULL;
    g_autofree char *fingerprint = NULL;
    g_autofree char *line = NULL;

    if (!banner)
        return false;
    XC_SET(FIND, find, verdict, XC_VERDICT_POSSIBLE);
    XC_SET(FIND, find, product, banner);
    if (xc_ssh_fetch_host_key(probing->address, probing->port, call, &type, &fingerprint, &line,
                              NULL))
        XC_SET(FIND, find, fingerprint, xc_probe_text(probing, fingerprint));
    if (*probing->credential)
        log_in(probing, find, call);
    else
        XC_SET(FIND, find, remark,
               xc_probe_text(probing, "whether it runs Xen can be told with a credential alone"));
    return true;
}

/* --- all */

static const struct {
    enum xc_probe probe;
    xc_probe_fn run;
} probes[] = {
    {XC_PROBE_XAPI, probe_xapi},
    {XC_PROBE_SSH, probe_ssh},
    {XC_PROBE_XEND, xc_probe_xend},
    {XC_PROBE_LIBVIRT, xc_probe_libvirt},
};

bool xc_probe_run(enum xc_probe probe, const struct xc_probing *probing, struct xc_find *find,
                  struct xc_call *call)
{
    *find = (struct xc_find){0};
    XC_SET(FIND, find, probe, (uint8_t)probe);
    for (size_t i = 0; i < G_N_ELEMENTS(probes); i++)
        if (probes[i].probe == probe)
            return probes[i].run(probing, find, call);
    return false;
}
