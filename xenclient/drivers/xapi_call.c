/* Encoding by xmlrpc-c, decoding by our streaming reader: see decisions in the headers of both. */
#include "xenclient/drivers/xapi_call.h"

#include "xenclient/drivers/xapi_calls.h"
#include "xenclient/drivers/xapi_error.h"
#include "xenclient/model/field.h"

#include <string.h>
#include <xmlrpc-c/base.h>

#define WORDS_MAX   32
#define WORD_OCTETS 1024
#define HOLDER_SIZE 64 /* of a text that stands for a secret until the request is written */
#define HOLDER_FORM "secret-%s-%u"

struct xapi_args {
    char *method;
    GString *kinds;     /* of the parameters, see xapi_calls.h */
    GPtrArray *values;  /* xmlrpc_value */
    GPtrArray *secrets; /* char *, in the order of their holders, which begin with number 1 */
    char nonce[XC_UUID_TEXT];
    xmlrpc_env env; /* the first thing that went wrong */
};

/* --- parameters */

struct xapi_args *xapi_args_new(const char *method)
{
    struct xapi_args *args = g_new0(struct xapi_args, 1);
    struct xc_uuid random;

    args->method = g_strdup(method);
    args->kinds = g_string_new(NULL);
    args->values = g_ptr_array_new();
    args->secrets = g_ptr_array_new();
    xc_uuid_random(&random);
    xc_uuid_format(&random, args->nonce);
    xmlrpc_env_init(&args->env);
    return args;
}

void xapi_args_free(struct xapi_args *args)
{
    if (!args)
        return;
    for (guint i = 0; i < args->values->len; i++)
        xmlrpc_DECREF(args->values->pdata[i]);
    for (guint i = 0; i < args->secrets->len; i++)
        xapi_wipe(args->secrets->pdata[i], strlen(args->secrets->pdata[i]));
    g_string_free(args->kinds, TRUE);
    g_ptr_array_unref(args->values);
    g_ptr_array_unref(args->secrets);
    xmlrpc_env_clean(&args->env);
    g_free(args->method);
    g_free(args);
}

const char *xapi_args_method(const struct xapi_args *args)
{
    return args->method;
}

/* What xmlrpc-c returns along with a fault is nothing that may be touched. */
static xmlrpc_value *good(const struct xapi_args *args, xmlrpc_value *value)
{
    return args->env.fault_occurred ? NULL : value;
}

static void add(struct xapi_args *args, char kind, xmlrpc_value *value)
{
    if (!good(args, value))
        return;
    g_ptr_array_add(args->values, value);
    g_string_append_c(args->kinds, kind);
}

/* NULL after a fault, this one or an earlier one. */
static xmlrpc_value *text_value(struct xapi_args *args, const char *text)
{
    return args->env.fault_occurred ? NULL : good(args, xmlrpc_string_new(&args->env, text));
}

void xapi_args_text(struct xapi_args *args, const char *text)
{
    add(args, 's', text_value(args, text));
}

/* What stands for it until the request is written. */
static xmlrpc_value *holder_value(struct xapi_args *args, const char *secret)
{
    char holder[HOLDER_SIZE];

    g_ptr_array_add(args->secrets, g_strdup(secret));
    g_snprintf(holder, sizeof(holder), HOLDER_FORM, args->nonce, args->secrets->len);
    return text_value(args, holder);
}

void xapi_args_secret(struct xapi_args *args, const char *text)
{
    add(args, 's', holder_value(args, text));
}

/* Never <int>: older servers refuse it, all take digits. */
void xapi_args_int(struct xapi_args *args, int64_t number)
{
    char digits[24];

    g_snprintf(digits, sizeof(digits), "%" G_GINT64_FORMAT, number);
    add(args, 'i', text_value(args, digits));
}

void xapi_args_double(struct xapi_args *args, double number)
{
    if (!args->env.fault_occurred)
        add(args, 'd', xmlrpc_double_new(&args->env, number));
}

void xapi_args_flag(struct xapi_args *args, bool flag)
{
    if (!args->env.fault_occurred)
        add(args, 'b', xmlrpc_bool_new(&args->env, flag));
}

/* Of an array or struct to which all was added. */
static void add_whole(struct xapi_args *args, char kind, xmlrpc_value *value)
{
    if (args->env.fault_occurred && value)
        xmlrpc_DECREF(value);
    else
        add(args, kind, value);
}

void xapi_args_texts(struct xapi_args *args, const char *const *texts)
{
    xmlrpc_value *array =
        args->env.fault_occurred ? NULL : good(args, xmlrpc_array_new(&args->env));
    xmlrpc_value *item;

    for (; array && *texts && (item = text_value(args, *texts)) != NULL; texts++) {
        xmlrpc_array_append_item(&args->env, array, item);
        xmlrpc_DECREF(item);
    }
    add_whole(args, 'a', array);
}

static void add_map(struct xapi_args *args, const char *const *pairs,
                    xmlrpc_value *(*value_of)(struct xapi_args *args, const char *text))
{
    xmlrpc_value *map = args->env.fault_occurred ? NULL : good(args, xmlrpc_struct_new(&args->env));
    xmlrpc_value *item;

    for (; map && pairs[0] && (item = value_of(args, pairs[1])) != NULL; pairs += 2) {
        xmlrpc_struct_set_value(&args->env, map, pairs[0], item);
        xmlrpc_DECREF(item);
    }
    add_whole(args, 'm', map);
}

void xapi_args_map(struct xapi_args *args, const char *const *pairs)
{
    add_map(args, pairs, text_value);
}

/* Members are written in the order in which they were set, which fill_in() counts on. */
void xapi_args_secret_map(struct xapi_args *args, const char *const *pairs)
{
    add_map(args, pairs, holder_value);
}

/* --- the request */

void xapi_wipe(char *secret, size_t length)
{
    if (secret)
        explicit_bzero(secret, length);
    g_free(secret);
}

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '\r':
        return "&#x0d;";
    default:
        return NULL;
    }
}

/* The secret as XML at `to`, or only its length when that is NULL. */
static size_t put_secret(char *to, const char *secret)
{
    size_t length = 0;

    for (; *secret; secret++) {
        const char *entity = entity_of(*secret);

        for (; entity && *entity; entity++, length++)
            if (to)
                to[length] = *entity;
        if (entity)
            continue;
        if (to)
            to[length] = *secret;
        length++;
    }
    return length;
}

/* A copy of the body with the secrets where their holders stand; made in one piece, for one that grows would leave
 * copies behind. */
static char *fill_in(const struct xapi_args *args, const char *session, const char *body,
                     size_t body_length, size_t *length)
{
    size_t room = body_length + 1;
    size_t at = 0;
    char *out;

    for (guint i = session ? 0 : 1; i <= args->secrets->len; i++)
        room += put_secret(NULL, i ? args->secrets->pdata[i - 1] : session);
    out = g_malloc(room);
    for (guint i = session ? 0 : 1; i <= args->secrets->len; i++) {
        char holder[HOLDER_SIZE];
        const char *found;

        g_snprintf(holder, sizeof(holder), HOLDER_FORM, args->nonce, i);
        found = memmem(body, body_length, holder, strlen(holder));
        g_assert(found);
        memcpy(out + at, body, (size_t)(found - body));
        at += (size_t)(found - body);
        at += put_secret(out + at, i ? args->secrets->pdata[i - 1] : session);
        body_length -= (size_t)(found - body) + strlen(holder);
        body = found + strlen(holder);
    }
    memcpy(out + at, body, body_length);
    *length = at + body_length;
    out[*length] = '\0';
    return out;
}

/* A call of its own environment: the parameters stay good for another try. NULL: see env. */
static xmlrpc_value *all_values(const struct xapi_args *args, bool with_session, xmlrpc_env *env)
{
    xmlrpc_value *array = xmlrpc_array_new(env);
    char holder[HOLDER_SIZE];
    xmlrpc_value *first;

    if (env->fault_occurred)
        return NULL;
    g_snprintf(holder, sizeof(holder), HOLDER_FORM, args->nonce, 0u);
    if (with_session) {
        first = xmlrpc_string_new(env, holder);
        if (!env->fault_occurred) {
            xmlrpc_array_append_item(env, array, first);
            xmlrpc_DECREF(first);
        }
    }
    for (guint i = 0; i < args->values->len && !env->fault_occurred; i++)
        xmlrpc_array_append_item(env, array, args->values->pdata[i]);
    return array;
}

char *xapi_args_encode(const struct xapi_args *args, const char *session, size_t *length,
                       GError **error)
{
    xmlrpc_mem_block *block = NULL;
    xmlrpc_value *values;
    char *out = NULL;
    xmlrpc_env env;

    if (args->env.fault_occurred) {
        xc_fail(error, XC_CAUSE_BAD_VALUE, "%s can't be encoded: %s", args->method,
                args->env.fault_string);
        return NULL;
    }
    xmlrpc_env_init(&env);
    values = all_values(args, session != NULL, &env);
    if (!env.fault_occurred)
        block = xmlrpc_mem_block_new(&env, 0);
    if (!env.fault_occurred)
        xmlrpc_serialize_call(&env, block, args->method, values);
    if (!env.fault_occurred)
        out = fill_in(args, session, xmlrpc_mem_block_contents(block), xmlrpc_mem_block_size(block),
                      length);
    else
        xc_fail(error, XC_CAUSE_BAD_VALUE, "%s can't be encoded: %s", args->method,
                env.fault_string);
    if (block)
        xmlrpc_mem_block_free(block);
    if (values)
        xmlrpc_DECREF(values);
    xmlrpc_env_clean(&env);
    return out;
}

/* --- the envelope */

enum member { STATUS, VALUE, DESCRIPTION, FAULT_STRING, OTHER };
static const char *const members[] = {
    [STATUS] = "Status",
    [VALUE] = "Value",
    [DESCRIPTION] = "ErrorDescription",
    [FAULT_STRING] = "faultString",
};

struct xapi_envelope {
    const struct xapi_want *want;
    struct xc_xmlrpc_reader *reader;
    enum member in; /* of depth 1 */
    bool success, failure, has_value;
    GPtrArray *words;
};

static enum member member_of(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        if (strcmp(members[i], name) == 0)
            return (enum member)i;
    return OTHER;
}

static bool wants(unsigned depth, const char *name, void *data)
{
    struct xapi_envelope *envelope = data;
    const struct xc_xmlrpc_sink *sink = envelope->want ? envelope->want->sink : NULL;

    if (depth == 0)
        return true;
    if (depth == 1)
        envelope->in = member_of(name);
    if (envelope->in != VALUE)
        return envelope->in != OTHER && depth <= 2;
    if (depth == 1)
        envelope->has_value = true;
    return sink &&
           (!sink->wants || sink->wants(depth - 1, depth == 1 ? "" : name, envelope->want->data));
}

static void keep_word(struct xapi_envelope *envelope, const struct xc_xmlrpc_value *value)
{
    if (envelope->words->len < WORDS_MAX)
        g_ptr_array_add(envelope->words,
                        g_strndup(value->text, MIN(value->length, (size_t)WORD_OCTETS)));
}

static bool take_value(const struct xapi_envelope *envelope, const struct xc_xmlrpc_value *value)
{
    struct xc_xmlrpc_value inner = *value;

    inner.depth--;
    if (inner.depth == 0)
        inner.name = "";
    return envelope->want->sink->take(&inner, envelope->want->data);
}

static bool take(const struct xc_xmlrpc_value *value, void *data)
{
    struct xapi_envelope *envelope = data;
    bool holds = value->kind == XC_XMLRPC_ARRAY || value->kind == XC_XMLRPC_STRUCT ||
                 value->kind == XC_XMLRPC_END;

    if (value->depth == 0)
        return value->kind == XC_XMLRPC_STRUCT || value->kind == XC_XMLRPC_END;
    switch (envelope->in) {
    case STATUS:
        envelope->success = strcmp(value->text, "Success") == 0;
        envelope->failure = strcmp(value->text, "Failure") == 0;
        return value->depth == 1 && !holds;
    case VALUE:
        return take_value(envelope, value);
    case DESCRIPTION:
        if (!holds)
            keep_word(envelope, value);
        return holds == (value->depth == 1);
    case FAULT_STRING:
        if (!holds)
            keep_word(envelope, value);
        return !holds;
    default:
        return true;
    }
}

static const struct xc_xmlrpc_sink envelope_sink = {wants, take};

struct xapi_envelope *xapi_envelope_new(const struct xapi_want *want)
{
    struct xapi_envelope *envelope = g_new0(struct xapi_envelope, 1);
    size_t most = want && want->max_octets ? want->max_octets : XAPI_ANSWER_OCTETS;

    envelope->want = want;
    envelope->words = g_ptr_array_new_with_free_func(g_free);
    envelope->reader = xc_xmlrpc_reader_new(&envelope_sink, envelope, most);
    return envelope;
}

void xapi_envelope_free(struct xapi_envelope *envelope)
{
    if (!envelope)
        return;
    xc_xmlrpc_reader_free(envelope->reader);
    if (envelope->words)
        g_ptr_array_unref(envelope->words);
    g_free(envelope);
}

bool xapi_envelope_feed(const char *bytes, size_t length, void *envelope, GError **error)
{
    return xc_xmlrpc_reader_feed(((struct xapi_envelope *)envelope)->reader, bytes, length, error);
}

bool xapi_envelope_end(struct xapi_envelope *envelope, GPtrArray **words, GError **error)
{
    bool fault = false;

    *words = NULL;
    if (!xc_xmlrpc_reader_end(envelope->reader, &fault, error))
        return false;
    if ((envelope->failure || fault) && envelope->words->len) {
        *words = g_steal_pointer(&envelope->words);
        return false;
    }
    if (envelope->success && envelope->has_value && !fault)
        return true;
    return xc_fail(error, XC_CAUSE_DRIVER_ERROR,
                   "the answer is none of XAPI: it has neither a value nor a reason");
}

/* --- the call */

bool xapi_args_check(const struct xapi_args *args, GError **error)
{
    /* What can't be encoded lacks parameters, which is said when it is tried. */
    if (args->env.fault_occurred || xapi_call_is_listed(args->method, args->kinds->str))
        return true;
    return xc_fail(error, XC_CAUSE_INTERNAL,
                   "%s with the parameters \"%s\" is no call that xapi_calls.c lists: not made",
                   args->method, args->kinds->str);
}

bool xapi_call(struct xc_https *https, const struct xapi_args *args, const char *session,
               const struct xapi_want *want, GPtrArray **words, struct xc_call *call,
               GError **error)
{
    g_autoptr(xapi_envelope) envelope = xapi_envelope_new(want);
    struct xc_https_request request = {
        .path = "/",
        .content_type = "text/xml",
        .accept = "text/xml",
        .max_octets = want && want->max_octets ? want->max_octets : XAPI_ANSWER_OCTETS,
        .take = xapi_envelope_feed,
        .data = envelope,
    };
    size_t length = 0;
    char *body;
    int status = 0;
    bool ok;

    *words = NULL;
    if (!xapi_args_check(args, error))
        return false;
    body = xapi_args_encode(args, session, &length, error);
    if (!body)
        return false;
    request.body = body;
    request.body_length = length;
    ok = xc_https_request(https, &request, &status, call, error);
    xapi_wipe(body, length);
    if (!ok || xapi_envelope_end(envelope, words, error))
        return ok;
    return *words ? xapi_refused(error, args->method, *words) : false;
}

static bool take_scalar(const struct xc_xmlrpc_value *value, void *data)
{
    if (value->depth != 0 || value->kind >= XC_XMLRPC_STRUCT)
        return false;
    g_string_assign(data, value->text);
    return true;
}

const struct xc_xmlrpc_sink xapi_scalar_sink = {NULL, take_scalar};
