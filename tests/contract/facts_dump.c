/* What a driver tells of domains that few sources know of, whether or not a column shows it: for integration tests.
 *
 *   facts_dump URI CREDENTIAL-DIRECTORY CREDENTIAL CA-FILE
 *       Polls once for each line of its input, and prints a line for each fact: the domain's uuid, the field, its value,
 *       with tabs between; then "all", or "news" where only what changed since the last poll was told. */
#include "xenclient/drivers/driver.h"

#include <stdio.h>

#define POLL_USEC (30 * XC_USEC_PER_SEC)

static void print_detail(const struct xc_report *report, const struct xc_detail *detail)
{
    const struct xc_domain *d = &g_array_index(report->domains, struct xc_domain, detail->domain);
    char uuid[XC_UUID_TEXT] = "";

    if (XC_HAS(DOMAIN, d, uuid))
        xc_uuid_format(&d->uuid, uuid);
    for (unsigned i = 0; i < xc_detail_type.n_fields; i++) {
        const struct xc_field *field = &xc_detail_type.fields[i];

        if (xc_has(detail, i)) {
            g_autofree char *value = xc_field_format(field, detail);

            printf("%s\t%s\t%s\n", uuid, field->name, value);
        }
    }
}

static bool poll_once(const struct xc_driver_ops *driver, struct xc_conn *conn, bool news_will_do,
                      struct xc_call *call, GError **error)
{
    g_autoptr(xc_report) report = xc_report_new();

    report->news_will_do = news_will_do;
    xc_call_restart(call, POLL_USEC);
    if (!driver->poll(conn, report, call, error))
        return false;
    for (guint i = 0; i < report->details->len; i++)
        print_detail(report, &g_array_index(report->details, struct xc_detail, i));
    printf("%s\n", report->news ? "news" : "all");
    return fflush(stdout) == 0;
}

static bool serve(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                  struct xc_call *call, GError **error)
{
    const struct xc_driver_ops *driver = xc_driver_ops(xc_driver_for(spec->uri, error));
    struct xc_conn *conn = driver ? driver->open(spec, env, call, error) : NULL;
    bool ok = conn != NULL;
    bool first = true;
    int c;

    while (ok && (c = getchar()) != EOF)
        if (c == '\n') {
            ok = poll_once(driver, conn, !first, call, error);
            first = false;
        }
    if (conn)
        driver->close(conn);
    return ok;
}

int main(int argc, char **argv)
{
    struct xc_source_spec spec = {0};
    struct xc_driver_env env = {.known_hosts = (char *)"", .tls_pins = (char *)""};
    g_autoptr(GError) error = NULL;
    struct xc_call call;
    bool ok;

    if (argc != 5) {
        fprintf(stderr, "facts_dump URI CREDENTIAL-DIRECTORY CREDENTIAL CA-FILE\n");
        return 2;
    }
    xc_source_spec_copy(&spec, &(struct xc_source_spec){
                                   .key = (char *)"source", .uri = argv[1], .credential = argv[3]});
    env.credential_dir = argv[2];
    env.tls_ca = argv[4];
    ok = xc_call_init(&call, POLL_USEC, &error) && serve(&spec, &env, &call, &error);
    xc_call_deinit(&call);
    xc_source_spec_clear(&spec);
    if (!ok)
        fprintf(stderr, "facts_dump: %s\n", error ? error->message : "it can't print");
    return ok ? 0 : 1;
}
