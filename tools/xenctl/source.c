/* source add, source remove: rows of xenSourceTable. register: a find becomes one. */
#include "tools/xenctl/pause.h"
#include "tools/xenctl/request.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <string.h>

/* The first poll of a new source is awaited so long. */
#define FIRST_POLL_USEC (30 * XC_USEC_PER_SEC)
#define LOOK_MSEC       200u
/* Octets of xenFoundUri. */
#define FIND_MAX 64

static bool check_key(struct ctl *ctl, const char *key, int *code)
{
    if (xc_text_is_key(key, 32))
        return true;
    *code = ctl_say(ctl, CTL_ERROR,
                    "%s: a source's key has 1 to 32 letters, digits, '.', '_', '-' and begins with "
                    "a letter or digit",
                    key);
    return false;
}

/* --- what became of it */
struct contact {
    char *state, *text;
    int cause;
};

static void contact_clear(struct contact *contact)
{
    g_free(contact->state);
    g_free(contact->text);
}

static bool read_contact(struct ctl *ctl, const char *key, struct contact *out, GError **error)
{
    const struct sn_oid oids[] = {sn_oid_text(xenSourceState, key),
                                  sn_oid_text(xenSourceStateText, key),
                                  sn_oid_text(xenSourceCause, key)};
    struct sn_value values[G_N_ELEMENTS(oids)];
    bool ok = sn_get(ctl->session, oids, G_N_ELEMENTS(oids), values, error);

    out->state = sn_format(xenSourceState, &values[0]);
    out->text = g_strdup(sn_value_text(&values[1]));
    out->cause = (int)sn_value_number(&values[2], 0);
    sn_values_clear(values, G_N_ELEMENTS(oids));
    return ok;
}

static int report(const struct ctl *ctl, const char *key, const char *state)
{
    if (ctl->opt.json)
        printf("{\"source\": \"%s\", \"state\": \"%s\"}\n", key, state);
    else
        printf("source %s: %s\n", key, state);
    return CTL_OK;
}

static int report_contact(const struct ctl *ctl, const char *key, const struct contact *contact)
{
    if (g_strcmp0(contact->state, "up") != 0)
        return ctl_say(ctl, CTL_FAILED, "source %s is registered, but %s: %s. Cure: %s", key,
                       contact->state ? contact->state : "not listed", contact->text,
                       xc_error_info(contact->cause)->advice);
    return report(ctl, key, "up");
}

static bool has_failed(const struct contact *contact)
{
    return contact->text && contact->text[0];
}

static int await_contact(struct ctl *ctl, const char *key)
{
    struct ctl_pause *pause = ctl_pause_new();
    gint64 end = xc_clock_mono() + FIRST_POLL_USEC;
    struct contact contact = {0};
    g_autoptr(GError) error = NULL;
    bool go_on = true;
    int code;

    while (go_on && read_contact(ctl, key, &contact, &error) &&
           (!contact.state || g_str_equal(contact.state, "connecting")) && !has_failed(&contact) &&
           xc_clock_mono() < end) {
        go_on = ctl_pause(pause, LOOK_MSEC);
        contact_clear(&contact);
        memset(&contact, 0, sizeof(contact));
    }
    ctl_pause_free(pause);
    code = error ? ctl_fail(ctl, error) : report_contact(ctl, key, &contact);
    contact_clear(&contact);
    return code;
}

/* --- commands */
int ctl_source_add(struct ctl *ctl)
{
    const char *key = ctl->args[0];
    const struct ctl_options *opt = &ctl->opt;
    g_autofree char *what = g_strdup_printf("source add %s", key);
    struct ctl_request request = {0};
    int code;

    if (!check_key(ctl, key, &code))
        return code;
    ctl_request_text(&request, sn_oid_text(xenSourceUri, key), ctl->args[1]);
    ctl_request_text(&request, sn_oid_text(xenSourceCredential, key), opt->credential);
    ctl_request_text(&request, sn_oid_text(xenSourceAddress, key), opt->address);
    ctl_request_text(&request, sn_oid_text(xenSourceConfigDirs, key), opt->config_dirs);
    ctl_request_text(&request, sn_oid_text(xenSourceSaveDir, key), opt->save_dir);
    if (opt->interval >= 0)
        ctl_request_number(&request, sn_oid_text(xenSourceInterval, key), xenSourceInterval,
                           opt->interval);
    ctl_request_number(&request, sn_oid_text(xenSourceRowStatus, key), xenSourceRowStatus,
                       sn_label_number(xenSourceRowStatus, "createAndGo"));
    code = ctl_request_send(ctl, &request, what);
    if (code)
        return code;
    return opt->no_wait ? report(ctl, key, "registered") : await_contact(ctl, key);
}

int ctl_register(struct ctl *ctl)
{
    const char *find = ctl->args[0];
    const char *key = ctl->args[1];
    g_autofree char *what = g_strdup_printf("register %s", find);
    struct ctl_request request = {0};
    int code;

    if (strlen(find) > FIND_MAX)
        return ctl_say(ctl, CTL_ERROR, "%.80s...: no find is that long; see xenctl finds", find);
    if (!check_key(ctl, key, &code))
        return code;
    ctl_request_text(&request, sn_oid_text(xenFoundRegisterAs, find), key);
    ctl_request_text(&request, sn_oid_text(xenFoundRegisterCredential, find), ctl->opt.credential);
    code = ctl_request_send(ctl, &request, what);
    if (code)
        return code;
    return ctl->opt.no_wait ? report(ctl, key, "registered") : await_contact(ctl, key);
}

/* The agent takes the removal of what is not there for done; a person mistyped. */
static bool exists(struct ctl *ctl, const char *key, GError **error)
{
    const struct sn_oid oid = sn_oid_text(xenSourceRowStatus, key);
    struct sn_value value;
    bool there;

    if (!ctl_session(ctl, error) || !sn_get(ctl->session, &oid, 1, &value, error))
        return false;
    there = sn_present(&value);
    sn_value_clear(&value);
    if (!there)
        g_set_error(error, SN_ERROR, SN_ERROR_NO_SUCH, "%s: no such source; see xenctl source list",
                    key);
    return there;
}

int ctl_source_remove(struct ctl *ctl)
{
    const char *key = ctl->args[0];
    g_autofree char *what = g_strdup_printf("source remove %s", key);
    struct ctl_request request = {0};
    g_autoptr(GError) error = NULL;
    int code;

    if (!check_key(ctl, key, &code))
        return code;
    if (!exists(ctl, key, &error))
        return ctl_fail(ctl, error);
    ctl_request_number(&request, sn_oid_text(xenSourceRowStatus, key), xenSourceRowStatus,
                       sn_label_number(xenSourceRowStatus, "destroy"));
    code = ctl_request_send(ctl, &request, what);
    return code ? code : report(ctl, key, "removed");
}
