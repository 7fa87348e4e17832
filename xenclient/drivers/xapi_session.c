/* Sessions: who may be asked, who is asked first, and what is done when it is another one. */
#include "xenclient/drivers/xapi_session.h"

#include "xenclient/util/text.h"

#include <string.h>

#define ORIGINATOR  "xensnmp/" XENSNMP_VERSION
#define LOGOUT_USEC (XC_USEC_PER_SEC / 2)
/* A host that is off must leave time to ask the others; a wrong password is kept waiting for five seconds, and that
 * answer is to be heard. */
#define CANDIDATE_USEC (8 * XC_USEC_PER_SEC)
#define CHECK_SHARE    3 /* of the time, for asking whether the coordinator still is */
/* A session that is refused sooner after the last login is no accident: whoever asks is told. */
#define RELOGIN_USEC   (10 * XC_USEC_PER_SEC)
#define ADDRESSES_MAX  64
#define ADDRESS_OCTETS 255

struct xapi_link {
    const struct xc_source_spec *spec;
    const struct xc_driver_env *env;
    char *uri_host;
    unsigned port;
    char *memory_key;
    GPtrArray *members; /* addresses; empty: the pool is not known yet */
    struct xc_https *https;
    char *address;    /* of the coordinator; NULL: not known */
    char *session;    /* NULL: none */
    unsigned logins;  /* tried */
    gint64 relogin;   /* when a call last made one; 0: never */
    GPtrArray *words; /* what XAPI said when it refused last; NULL: it did not */
};

/* --- members */

static bool contains(const GPtrArray *addresses, const char *address)
{
    for (guint i = 0; i < addresses->len; i++)
        if (g_ascii_strcasecmp(addresses->pdata[i], address) == 0)
            return true;
    return false;
}

static void add_address(GPtrArray *to, const char *address)
{
    size_t length = address ? strlen(address) : 0;

    if (length && length <= ADDRESS_OCTETS && to->len < ADDRESSES_MAX && !contains(to, address))
        g_ptr_array_add(to, g_strdup(address));
}

/* Kept as lines: the coordinator first. */
static void recall(struct xapi_link *link)
{
    g_autofree char *text = xc_memory_get(link->env->memory, link->memory_key);
    g_auto(GStrv) lines = g_strsplit(text, "\n", ADDRESSES_MAX + 1);

    for (char **line = lines; *line; line++)
        add_address(link->members, *line);
    if (link->members->len)
        link->address = g_strdup(link->members->pdata[0]);
}

static void remember(const struct xapi_link *link)
{
    g_autoptr(GString) text = g_string_new(link->address);

    if (!link->members->len || !link->address)
        return;
    for (guint i = 0; i < link->members->len; i++)
        g_string_append_printf(text, "\n%s", (const char *)link->members->pdata[i]);
    xc_memory_put(link->env->memory, link->memory_key, text->str);
}

void xapi_link_set_members(struct xapi_link *link, const GPtrArray *addresses)
{
    g_ptr_array_set_size(link->members, 0);
    for (guint i = 0; i < addresses->len; i++)
        add_address(link->members, addresses->pdata[i]);
    remember(link);
}

/* --- connections */

struct xc_https *xapi_link_connection(const struct xapi_link *link, const char *address,
                                      GError **error)
{
    const struct xc_https_config config = {
        .host = address ? address : link->address,
        .port = link->port,
        .ca_file = link->env->tls_ca,
        .pins_file = link->env->tls_pins,
        .insecure = link->spec->tls_insecure,
    };

    return xc_https_new(&config, error);
}

static void forget_session(struct xapi_link *link)
{
    if (link->session)
        xapi_wipe(link->session, strlen(link->session));
    link->session = NULL;
}

static void forget_words(struct xapi_link *link)
{
    g_clear_pointer(&link->words, g_ptr_array_unref);
}

bool xapi_link_said(const struct xapi_link *link, const char *code)
{
    return link->words && strcmp(link->words->pdata[0], code) == 0;
}

bool xapi_link_refused(const struct xapi_link *link)
{
    return link->words != NULL;
}

/* --- logging in */

/* The file is read at each login, so that no password stays in memory. */
static struct xapi_args *login_args(const struct xapi_link *link, GError **error)
{
    struct xc_credential credential;
    struct xapi_args *args = NULL;

    if (!*link->spec->credential) {
        xc_fail(error, XC_CAUSE_AUTH_FAILED,
                "source %s has no credential: a pool is asked with user and password; `xenctl "
                "credential add`, then credential= of the source",
                link->spec->key);
        return NULL;
    }
    if (!xc_credential_load(link->env->credential_dir, link->spec->credential, link->spec->uri,
                            &credential, error))
        return NULL;
    if (credential.password && credential.user) {
        args = xapi_args_new("session.login_with_password");
        xapi_args_text(args, credential.user);
        xapi_args_secret(args, credential.password);
        xapi_args_text(args, "1.0");
        xapi_args_text(args, ORIGINATOR);
    } else {
        xc_fail(error, XC_CAUSE_AUTH_FAILED,
                "credential '%s' has no %s, which a pool wants: add it to the file",
                link->spec->credential, credential.user ? "password" : "user");
    }
    xc_credential_clear(&credential);
    return args;
}

/* What the connection says names it already. */
static void name_host(GError **error, const char *address)
{
    if (error && *error && !g_str_has_prefix((*error)->message, address))
        g_prefix_error(error, "%s: ", address);
}

void xapi_link_end_session(const struct xapi_link *link, const char *session)
{
    g_autoptr(xapi_args) args = xapi_args_new("session.logout");
    g_autoptr(GPtrArray) words = NULL;
    struct xc_call call;

    if (!xc_call_init(&call, LOGOUT_USEC, NULL))
        return;
    /* A session that is not ended is ended by the server after a day without use. */
    xapi_call(link->https, args, session, NULL, &words, &call, NULL);
    xc_call_deinit(&call);
}

/* One that was refused or not heard of may be there all the same. */
static void replace_session(struct xapi_link *link, const char *session)
{
    char *old = g_steal_pointer(&link->session);

    link->session = g_strdup(session);
    if (!old)
        return;
    xapi_link_end_session(link, old);
    xapi_wipe(old, strlen(old));
}

static bool login_at(struct xapi_link *link, const char *address, struct xc_call *call,
                     GError **error)
{
    g_autoptr(xapi_args) args = login_args(link, error);
    g_autoptr(xc_https) https = args ? xapi_link_connection(link, address, error) : NULL;
    g_autoptr(GString) session = g_string_new(NULL);
    const struct xapi_want want = {&xapi_scalar_sink, session, 0};
    bool ok;

    if (!https)
        return false;
    forget_words(link);
    link->logins++;
    ok = xapi_call(https, args, NULL, &want, &link->words, call, error);
    if (ok && !session->len)
        ok = xc_fail(error, XC_CAUSE_DRIVER_ERROR, "the login was answered without a session");
    if (ok) {
        xc_https_free(link->https);
        link->https = g_steal_pointer(&https);
        replace_session(link, session->str);
        if (g_strcmp0(link->address, address) != 0) {
            g_free(link->address);
            link->address = g_strdup(address);
        }
        remember(link);
    } else {
        name_host(error, address);
    }
    explicit_bzero(session->str, session->len);
    return ok;
}

/* Whom the host at `address` named as the coordinator, if the password may go there. asked: who was asked already. */
static const char *next_hop(const struct xapi_link *link, const char *address,
                            const GPtrArray *asked, bool hopped, GError **error)
{
    const char *named = link->words->len > 1 ? link->words->pdata[1] : "";
    g_autofree char *shown = xc_text_clean(named, strlen(named), ADDRESS_OCTETS);
    bool known = link->members->len > 0;

    if (contains(asked, named)) {
        xc_fail(error, XC_CAUSE_WRONG_HOST,
                "%s says that the pool's coordinator is '%s', which says that it is not", address,
                shown);
        return NULL;
    }
    if (*named && (known ? contains(link->members, named) : !hopped))
        return named;
    xc_fail(error, XC_CAUSE_WRONG_HOST,
            "%s says that the pool's coordinator is '%s', %s: not asked; give the coordinator's "
            "address in the source's URI if that is right",
            address, shown,
            known ? "which is no member of the pool as it was known" : "which says so of another");
    return NULL;
}

/* More than the next one may know better. */
static bool is_final(const GError *error)
{
    enum xc_cause cause = xc_error_cause(error);

    return cause == XC_CAUSE_AUTH_FAILED || cause == XC_CAUSE_CANCELLED ||
           cause == XC_CAUSE_NO_SUCH_HOST || cause == XC_CAUSE_BAD_CONFIG;
}

/* One candidate, and whom it names; asked gets all of them. */
static bool try_candidate(struct xapi_link *link, const char *address, GPtrArray *asked,
                          struct xc_call *call, GError **error)
{
    g_autofree char *at = g_strdup(address);

    for (unsigned hops = 0;; hops++) {
        g_autoptr(GError) why = NULL;
        const char *named;

        g_ptr_array_add(asked, g_strdup(at));
        if (login_at(link, at, call, &why))
            return true;
        if (!xapi_link_said(link, "HOST_IS_SLAVE") || hops >= 2) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        named = next_hop(link, at, asked, hops > 0, error);
        if (!named)
            return false;
        g_free(at);
        at = g_strdup(named);
    }
}

bool xapi_link_renew(struct xapi_link *link, struct xc_call *call, GError **error)
{
    g_autoptr(GPtrArray) candidates = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) asked = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) first = NULL;

    add_address(candidates, link->address);
    add_address(candidates, link->uri_host);
    for (guint i = 0; i < link->members->len; i++)
        add_address(candidates, link->members->pdata[i]);
    for (guint i = 0; i < candidates->len; i++) {
        g_autoptr(GError) why = NULL;
        gint64 whole = call->deadline;
        bool ok;

        if (contains(asked, candidates->pdata[i]))
            continue;
        if (!xc_call_check(call, "looking for the pool's coordinator", first ? NULL : &first))
            break;
        if (i + 1 < candidates->len)
            call->deadline =
                MIN(whole, xc_clock_mono() + MIN(CANDIDATE_USEC, xc_call_left(call) * 2 / 3));
        ok = try_candidate(link, candidates->pdata[i], asked, call, &why);
        call->deadline = whole;
        if (ok)
            return true;
        if (is_final(why)) {
            g_propagate_error(error, g_steal_pointer(&why));
            return false;
        }
        /* The first one is the one that the operator expects to answer. */
        if (!first)
            first = g_steal_pointer(&why);
    }
    g_propagate_error(error, g_steal_pointer(&first));
    return false;
}

/* --- the link */

static bool read_uri(struct xapi_link *link, GError **error)
{
    struct xc_uri uri;
    bool ok;

    if (!xc_uri_parse(link->spec->uri, &uri, error))
        return false;
    ok = *uri.host && !*uri.user && (!*uri.path || strcmp(uri.path, "/") == 0);
    if (ok) {
        link->uri_host = g_strdup(uri.host);
        link->port = uri.port ? uri.port : XAPI_PORT;
    } else {
        xc_fail(error, XC_CAUSE_BAD_VALUE,
                "source %s: the URI of a pool is https://HOST[:PORT], the host being its "
                "coordinator or another member; the user belongs into the credential",
                link->spec->key);
    }
    xc_uri_clear(&uri);
    return ok;
}

struct xapi_link *xapi_link_open(const struct xc_source_spec *spec, const struct xc_driver_env *env,
                                 struct xc_call *call, GError **error)
{
    g_autoptr(xapi_link) link = g_new0(struct xapi_link, 1);

    link->spec = spec;
    link->env = env;
    link->members = g_ptr_array_new_with_free_func(g_free);
    link->memory_key = g_strdup_printf("xapi %s %s", spec->key, spec->uri);
    if (!read_uri(link, error))
        return NULL;
    recall(link);
    return xapi_link_renew(link, call, error) ? g_steal_pointer(&link) : NULL;
}

void xapi_link_close(struct xapi_link *link)
{
    if (!link)
        return;
    if (link->session && link->https)
        xapi_link_end_session(link, link->session);
    forget_session(link);
    forget_words(link);
    xc_https_free(link->https);
    g_ptr_array_unref(link->members);
    g_free(link->uri_host);
    g_free(link->address);
    g_free(link->memory_key);
    g_free(link);
}

static bool is_unwelcome(const struct xapi_link *link)
{
    return xapi_link_said(link, "SESSION_INVALID") || xapi_link_said(link, "HOST_IS_SLAVE");
}

bool xapi_link_call(struct xapi_link *link, const struct xapi_args *args,
                    const struct xapi_want *want, struct xc_call *call, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!link->session && !xapi_link_renew(link, call, error))
        return false;
    forget_words(link);
    if (xapi_call(link->https, args, link->session, want, &link->words, call, &why))
        return true;
    if (!is_unwelcome(link) || (link->relogin && xc_clock_mono() - link->relogin < RELOGIN_USEC)) {
        g_propagate_error(error, g_steal_pointer(&why));
        name_host(error, link->address);
        return false;
    }
    link->relogin = xc_clock_mono();
    if (!xapi_link_renew(link, call, error))
        return false;
    forget_words(link);
    if (xapi_call(link->https, args, link->session, want, &link->words, call, error))
        return true;
    name_host(error, link->address);
    return false;
}

bool xapi_link_check(struct xapi_link *link, struct xc_call *call, GError **error)
{
    g_autoptr(xapi_args) args = xapi_args_new("pool.get_all");
    gint64 whole = call->deadline;
    unsigned logins = link->logins;
    g_autoptr(GError) why = NULL;
    bool ok = false;

    forget_words(link);
    /* Twice: a connection that was kept may have been closed at the other end. */
    for (unsigned i = 0; i < 2 && !ok && link->logins == logins && !xapi_link_refused(link); i++) {
        g_clear_error(&why);
        call->deadline = xc_clock_mono() + xc_call_left(call) / CHECK_SHARE;
        ok = xapi_link_call(link, args, NULL, call, &why);
        call->deadline = whole;
    }
    if (ok)
        return true;
    /* No second login at once. */
    if (link->logins == logins && !is_unwelcome(link))
        return xapi_link_renew(link, call, error);
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

const char *xapi_link_session(const struct xapi_link *link)
{
    return link->session;
}

struct xc_https *xapi_link_https(struct xapi_link *link)
{
    return link->https;
}

const char *xapi_link_address(const struct xapi_link *link)
{
    return link->address;
}
