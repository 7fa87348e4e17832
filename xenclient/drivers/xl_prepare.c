/* Questions to a host around an action. */
#include "xenclient/drivers/xl_prepare.h"

#include "xenclient/drivers/xl_actions.h"
#include "xenclient/drivers/xlcfg.h"
#include "xenclient/util/text.h"

#include <string.h>

/* --- small questions */

/* Runs a script that must exit 0; what it said is in *out either way. */
static bool ask(struct xl_host *host, const char *script, struct xc_call *call,
                enum xc_action action, struct xc_exec *out, GError **error)
{
    g_autofree char *text = NULL;
    enum xc_cause cause;

    xc_exec_init(out);
    if (!xl_host_script(host, script, NULL, 0, call, out, error))
        return false;
    if (out->status == 0)
        return true;
    cause = xl_classify_error(out->err->str, out->status < 0 ? 255 : out->status, action, &text);
    return xc_fail(error, cause, "%s", text);
}

GPtrArray *xl_ask_list(struct xl_host *host, struct xc_call *call, GError **error)
{
    struct xc_exec out;
    GPtrArray *rows = NULL;

    if (ask(host, "exec timeout -k 2 30 xl list -v", call, XC_ACTION_NOOP, &out, error))
        rows = xl_parse_list(out.out->str, out.out->len, error);
    xc_exec_clear(&out);
    return rows;
}

/* The host's boot id comes as the first line of an answer that is needed anyway. */
#define TELL_BOOT "read -r boot </proc/sys/kernel/random/boot_id; echo \"$boot\"\n"

static void take_boot(struct xc_exec *out, struct xl_job *job)
{
    size_t length = strcspn(out->out->str, "\n");

    if (length < sizeof job->boot_id) {
        memcpy(job->boot_id, out->out->str, length);
        job->boot_id[length] = '\0';
    }
    g_string_erase(out->out, 0, (gssize)MIN(length + 1, out->out->len));
}

static const struct xl_row *find(const GPtrArray *rows, const struct xc_order *order,
                                 GError **error)
{
    return xl_list_find(rows, &order->uuid, order->name, error);
}

static bool stopped(const struct xl_row *row)
{
    return row->flags[3] == 's' || row->flags[5] == 'd';
}

static int ask_living(struct xl_host *host, const struct xc_order *order, bool running,
                      struct xc_call *call)
{
    g_autoptr(GPtrArray) rows = xl_ask_list(host, call, NULL);
    const struct xl_row *row = rows ? find(rows, order, NULL) : NULL;

    if (!rows)
        return -1;
    /* One on its way from or to another host runs here not yet or no more. */
    return row && !stopped(row) && !row->incoming && !row->away &&
           !(running && row->flags[2] == 'p');
}

int xl_ask_alive(struct xl_host *host, const struct xc_order *order, struct xc_call *call)
{
    return ask_living(host, order, false, call);
}

int xl_ask_runs(struct xl_host *host, const struct xc_order *order, struct xc_call *call)
{
    return ask_living(host, order, true, call);
}

int xl_ask_saved(struct xl_host *host, const struct xc_source_spec *spec,
                 const struct xc_order *order, struct xc_call *call)
{
    g_autofree char *dir = g_strconcat(spec->save_dir, "/", NULL);
    g_autofree char *quoted = g_shell_quote(dir);
    g_autofree char *script = NULL;
    char uuid[XC_UUID_TEXT];
    struct xc_exec out;
    int saved = -1;

    xc_uuid_format(&order->uuid, uuid);
    script =
        g_strdup_printf("exec find %s -maxdepth 1 -type f -name '%s.*.xensave*'", quoted, uuid);
    if (ask(host, script, call, XC_ACTION_NOOP, &out, NULL))
        saved = out.out->len > 0;
    xc_exec_clear(&out);
    return saved;
}

/* --- what a configuration will create */

/* The text of the file; "" path: only asks for the boot id. */
static char *read_config(struct xl_host *host, const char *path, size_t *length,
                         struct xc_call *call, struct xl_job *job, GError **error)
{
    g_autofree char *quoted = g_shell_quote(path);
    g_autofree char *script =
        *path ? g_strdup_printf(TELL_BOOT "exec head -c %d -- %s", XLCFG_MAX_OCTETS + 1, quoted)
              : g_strdup(TELL_BOOT);
    struct xc_exec out;
    char *text = NULL;

    xc_exec_init(&out);
    if (!xl_host_script(host, script, NULL, 0, call, &out, error)) {
        xc_exec_clear(&out);
        return NULL;
    }
    take_boot(&out, job);
    if (out.status == 0) {
        *length = out.out->len;
        text = g_memdup2(out.out->str, out.out->len + 1);
    } else {
        g_autofree char *why = xc_text_clean(out.err->str, out.err->len, 300);

        xc_fail(error, XC_CAUSE_BAD_CONFIG, "the host can not read %s: %s", path, g_strchomp(why));
    }
    xc_exec_clear(&out);
    return text;
}

/* The name and uuid inside; what xl finds and we don't is xl's to judge, but without a name nobody could tell
 * afterwards whether the domain runs. */
static bool identity_of(const char *text, size_t length, const char *where, GStringChunk *keep,
                        struct xl_job *job, GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(xlcfg) config = xlcfg_parse(text, length, NULL, &local);
    const char *name = config ? xlcfg_string(config, "name") : NULL;
    const char *uuid = config ? xlcfg_string(config, "uuid") : NULL;
    struct xc_uuid parsed;

    if (!config)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: %s", where, local->message);
    if (!name || !*name)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: no `name = ...`", where);
    if (strchr(name, '\n'))
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "%s: a line break in the name", where);
    job->after_name = g_string_chunk_insert(keep, name);
    if (uuid && xc_uuid_parse(uuid, &parsed))
        xc_uuid_format(&parsed, job->after);
    return true;
}

static bool prepare_config(struct xl_host *host, const struct xc_order *order, GStringChunk *keep,
                           struct xc_call *call, struct xl_job *job, GError **error)
{
    bool sent = *order->content != '\0';
    g_autofree char *text = NULL;
    size_t length = 0;

    if (!sent && order->config[0] != '/')
        return xc_fail(
            error, order->action == XC_ACTION_RESET ? XC_CAUSE_NOT_SUPPORTED : XC_CAUSE_BAD_CONFIG,
            "%s",
            *order->config ? "the configuration's path must be absolute"
                           : "no configuration file of this domain is known");
    text = read_config(host, sent ? "" : order->config, &length, call, job, error);
    if (!text)
        return false;
    if (sent) {
        job->content_size = strlen(order->content);
        return identity_of(order->content, job->content_size, "the configuration", keep, job,
                           error);
    }
    job->config = order->config;
    return identity_of(text, length, order->config, keep, job, error);
}

/* --- the job */

/* What the host lists decides, not what the last poll saw. */
static bool prepare_domain(struct xl_host *host, const struct xc_order *order, GStringChunk *keep,
                           struct xc_call *call, struct xl_job *job, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    const struct xl_row *row;
    struct xc_exec out;

    if (ask(host, TELL_BOOT "exec timeout -k 2 30 xl list -v", call, XC_ACTION_NOOP, &out, error)) {
        take_boot(&out, job);
        rows = xl_parse_list(out.out->str, out.out->len, error);
    }
    xc_exec_clear(&out);
    row = rows ? find(rows, order, error) : NULL;
    if (!row)
        return false;
    if (row->domid <= 0)
        return xc_fail(error, XC_CAUSE_PROTECTED, "Domain-0 takes no action");
    if (row->incoming || row->away)
        return xc_fail(error, XC_CAUSE_BUSY, "domain %s is on its way between two hosts",
                       row->name);
    job->domid = row->domid;
    job->name = g_string_chunk_insert(keep, row->name);
    if (row->has_uuid && !xc_uuid_is_nil(&row->uuid))
        xc_uuid_format(&row->uuid, job->uuid);
    if (stopped(row) && !(xc_action_info(order->action)->from & XC_IN(XC_STATE_CRASHED)))
        return xc_fail(error, XC_CAUSE_BAD_STATE, "domain %s has ended (state %s)", row->name,
                       row->flags);
    return true;
}

/* A save file belongs to a uuid, whatever the name. */
static bool prepare_suspend(struct xl_host *host, const struct xc_order *order, GStringChunk *keep,
                            struct xc_call *call, struct xl_job *job, GError **error)
{
    if (!prepare_domain(host, order, keep, call, job, error))
        return false;
    xl_save_label(job->name, job->label);
    return *job->uuid || xc_fail(error, XC_CAUSE_NOT_SUPPORTED,
                                 "xl of this host tells no uuids, by which save files are known");
}

static bool prepare_resume(struct xl_host *host, const struct xc_order *order, struct xc_call *call,
                           struct xl_job *job, GError **error)
{
    g_autofree char *nothing = NULL;
    size_t length = 0;

    if (xc_uuid_is_nil(&order->uuid))
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "which save file? The domain has no uuid");
    xc_uuid_format(&order->uuid, job->uuid);
    nothing = read_config(host, "", &length, call, job, error);
    return nothing != NULL;
}

bool xl_prepare_job(struct xl_host *host, const struct xc_source_spec *spec,
                    const struct xc_order *order, GStringChunk *keep, struct xc_call *call,
                    struct xl_job *job, GError **error)
{
    *job = (struct xl_job){.action = order->action,
                           .domid = -1,
                           .name = "",
                           .after_name = "",
                           .save_dir = spec->save_dir,
                           .amount = order->amount};
    xc_uuid_format(&order->op, job->op);
    if (xc_action_info(order->action)->needs_save_dir && *spec->save_dir != '/')
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "source %s has no save_dir", spec->key);
    switch (order->action) {
    case XC_ACTION_SUSPEND:
        return prepare_suspend(host, order, keep, call, job, error);
    case XC_ACTION_RESUME:
        return prepare_resume(host, order, call, job, error);
    case XC_ACTION_START:
    case XC_ACTION_CREATE:
        return prepare_config(host, order, keep, call, job, error);
    case XC_ACTION_RESET:
        return prepare_domain(host, order, keep, call, job, error) &&
               prepare_config(host, order, keep, call, job, error);
    case XC_ACTION_MIGRATE: {
        g_autofree char *address = xl_destination(order, error);

        job->address = address ? g_string_chunk_insert(keep, address) : NULL;
        return address && prepare_domain(host, order, keep, call, job, error);
    }
    default:
        return prepare_domain(host, order, keep, call, job, error);
    }
}

/* --- check-migrate */

struct facts {
    char *host;
    char *virt; /* capabilities; "" where an old Xen does not say */
    uint64_t free_mib;
    uint64_t version; /* major * 1000 + minor; 0 unknown */
};

static void facts_clear(struct facts *facts)
{
    g_free(facts->host);
    g_free(facts->virt);
}

static uint64_t number_in(const GString *info, const char *key)
{
    g_autofree char *value = xl_info_value(info->str, info->len, key);
    uint64_t number = 0;

    if (value)
        xc_text_to_u64(value, 0, G_MAXUINT32, &number, NULL);
    return number;
}

static bool read_facts(const GString *info, const char *whose, struct facts *out, GError **error)
{
    g_autofree char *free_mib = xl_info_value(info->str, info->len, "free_memory");

    out->host = xl_info_value(info->str, info->len, "host");
    out->virt = xl_info_value(info->str, info->len, "virt_caps");
    out->free_mib = number_in(info, "free_memory");
    out->version = number_in(info, "xen_major") * 1000 + number_in(info, "xen_minor");
    if (!out->virt)
        out->virt = g_strdup("");
    if (out->host && free_mib)
        return true;
    return xc_fail(error, XC_CAUSE_DRIVER_ERROR, "`xl info` of the %s is not readable", whose);
}

static bool has_word(const char *words, const char *word)
{
    g_auto(GStrv) list = g_strsplit(words, " ", -1);

    return g_strv_contains((const char *const *)list, word);
}

/* pv, pvh, hvm or "" unknown */
static char *type_of(struct xl_host *host, int64_t domid, struct xc_call *call)
{
    g_autofree char *script =
        g_strdup_printf("exec xenstore-read /libxl/%" G_GINT64_FORMAT "/type", domid);
    struct xc_exec out;
    char *type = NULL;

    if (ask(host, script, call, XC_ACTION_NOOP, &out, NULL))
        type = g_strchomp(xc_text_clean(out.out->str, strcspn(out.out->str, "\n"), 16));
    xc_exec_clear(&out);
    return type ? type : g_strdup("");
}

static bool ask_info(struct xl_host *host, const char *script, const char *whose,
                     struct xc_call *call, struct facts *out, GError **error)
{
    struct xc_exec answer;
    bool ok = ask(host, script, call, XC_ACTION_MIGRATE, &answer, error) &&
              read_facts(answer.out, whose, out, error);

    xc_exec_clear(&answer);
    return ok;
}

/* What Xen takes for itself besides the guest's memory: page tables and its own records. */
static uint64_t needed_mib(uint64_t mem_mib)
{
    return mem_mib + mem_mib / 100 + 8;
}

static bool judge(const struct xl_row *row, const char *type, const struct facts *here,
                  const struct facts *there, GError **error)
{
    if (strcmp(here->host, there->host) == 0)
        return xc_fail(error, XC_CAUSE_BAD_VALUE, "it is on %s already", there->host);
    /* New Xens list `pv` there; only those also list `shadow`. */
    if (strcmp(type, "pv") == 0 && has_word(here->virt, "pv") && !has_word(here->virt, "shadow"))
        return xc_fail(error, XC_CAUSE_NOT_SUPPORTED,
                       "a PV guest moves only under a Xen with shadow paging, which %s has not",
                       here->host);
    if ((strcmp(type, "hvm") == 0 || strcmp(type, "pvh") == 0) && *there->virt &&
        !has_word(there->virt, "hvm"))
        return xc_fail(error, XC_CAUSE_INCOMPATIBLE_CPU, "%s can not run %s guests", there->host,
                       type);
    if (there->version && there->version < here->version)
        return xc_fail(error, XC_CAUSE_NOT_SUPPORTED, "%s has an older Xen", there->host);
    if (there->free_mib < needed_mib(row->mem_mib))
        return xc_fail(error, XC_CAUSE_NO_MEMORY,
                       "%s has %" G_GUINT64_FORMAT " MiB free, the domain needs %" G_GUINT64_FORMAT,
                       there->host, there->free_mib, needed_mib(row->mem_mib));
    return true;
}

static bool check(struct xl_host *host, const struct xc_order *order, const char *address,
                  struct xc_call *call, struct facts *here, struct facts *there, GError **error)
{
    g_autofree char *quoted = g_shell_quote(address);
    g_autofree char *script = g_strdup_printf(
        "exec timeout -k 2 30 ssh %s %s 'PATH=$PATH:/usr/sbin:/sbin LC_ALL=C xl info' "
        "</dev/null",
        XL_SSH_OPTIONS, quoted);
    g_autoptr(GPtrArray) rows = xl_ask_list(host, call, error);
    const struct xl_row *row = rows ? find(rows, order, error) : NULL;
    g_autofree char *type = NULL;

    if (!row)
        return false;
    if (row->domid <= 0)
        return xc_fail(error, XC_CAUSE_PROTECTED, "Domain-0 takes no action");
    if (stopped(row))
        return xc_fail(error, XC_CAUSE_BAD_STATE, "domain %s has ended (state %s)", row->name,
                       row->flags);
    type = type_of(host, row->domid, call);
    return ask_info(host, "exec timeout -k 2 30 xl info", "source", call, here, error) &&
           ask_info(host, script, "destination", call, there, error) &&
           judge(row, type, here, there, error);
}

void xl_check_migrate(struct xl_host *host, const struct xc_order *order, struct xc_call *call,
                      xc_progress_fn progress, void *data, struct xc_outcome *outcome)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *address = xl_destination(order, &error);
    struct facts here = {0}, there = {0};

    progress("asking the destination", -1, data);
    if (address && check(host, order, address, call, &here, &there, &error))
        xc_outcome_set(outcome, XC_RESULT_OK, XC_CAUSE_NONE,
                       "%s has %" G_GUINT64_FORMAT " MiB free", there.host, there.free_mib);
    else
        xc_outcome_from_error(outcome, error);
    facts_clear(&here);
    facts_clear(&there);
}
