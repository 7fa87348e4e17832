/* A pool without a network: the test's own xc_https, so that sessions and operations are tested by what they ask and
 * what they do with the answers. Included by one file per program, which thereby has no other. */
#pragma once

#include "tests/unit/xapi_events_kit.h"
#include "xenclient/util/error.h"

#include <glib/gstdio.h>

/* What is asked of whom, and how to answer: an answer (to be freed), or NULL and an error. */
typedef char *(*server_fn)(const char *host, const char *method, const char *body, GError **error);

static struct {
    server_fn answer; /* called by one thread at a time */
    GString *log;     /* "host method\n" of each; under lock */
    GMutex lock;
    const char *hung; /* a host whose metrics are never answered; NULL: none */
    char *credential_dir;
    struct xc_memory *memory;
} server;

struct xc_https {
    char *host;
};

void xc_https_global_init(void)
{
}

struct xc_https *xc_https_new(const struct xc_https_config *config, GError **error)
{
    struct xc_https *https = g_new0(struct xc_https, 1);

    (void)error;
    https->host = g_strdup(config->host);
    return https;
}

void xc_https_free(struct xc_https *https)
{
    if (https)
        g_free(https->host);
    g_free(https);
}

/* Tokens are words, or two numbers as XAPI's are. */
static bool server_has_token(const char *body)
{
    return strstr(body, "<string>token") || strstr(body, "<string>0000000000000000000");
}

bool xc_https_request(struct xc_https *https, const struct xc_https_request *request, int *status,
                      struct xc_call *call, GError **error)
{
    const char *at = request->body ? strstr(request->body, "<methodName>") : NULL;
    const char *end = at ? strstr(at, "</methodName>") : NULL;
    g_autofree char *method = end ? g_strndup(at + 12, (gsize)(end - at - 12)) : NULL;
    g_autofree char *answer = NULL;
    bool hangs;

    *status = 0;
    if (!xc_call_check(call, "request", error))
        return false;
    /* Nothing happens for a moment: whoever has a token waits for events. */
    if (g_strcmp0(method, "event.from") == 0 && server_has_token(request->body) &&
        !xc_call_wait(call, -1, 0, 20 * 1000, "events", error))
        return false;
    g_mutex_lock(&server.lock);
    g_string_append_printf(server.log, "%s %s\n", https->host, method ? method : request->path);
    hangs = !method && g_strcmp0(server.hung, https->host) == 0;
    g_mutex_unlock(&server.lock);
    if (hangs)
        return xc_call_wait(call, -1, 0, -1, "hanging", error) && false;
    g_mutex_lock(&server.lock);
    answer = server.answer(https->host, method ? method : request->path,
                           request->body ? request->body : "", error);
    g_mutex_unlock(&server.lock);
    if (!answer)
        return false;
    *status = 200;
    return request->take(answer, strlen(answer), request->data, error);
}

G_GNUC_UNUSED static char *server_down(GError **error, enum xc_cause cause)
{
    xc_fail(error, cause, "nobody there");
    return NULL;
}

G_GNUC_UNUSED static void server_open(server_fn answer)
{
    g_autofree char *path = NULL;

    server.answer = answer;
    server.hung = NULL;
    server.log = g_string_new(NULL);
    server.credential_dir = g_dir_make_tmp("xensnmp-test-XXXXXX", NULL);
    g_assert_nonnull(server.credential_dir);
    path = g_build_filename(server.credential_dir, "pool", NULL);
    g_assert_true(g_file_set_contents_full(
        path, "[credential]\nuris = https://*\nuser = root\npassword = se<cret\n", -1,
        G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    server.memory = xc_memory_new();
}

G_GNUC_UNUSED static void server_close(void)
{
    g_autofree char *path = g_build_filename(server.credential_dir, "pool", NULL);

    g_unlink(path);
    g_rmdir(server.credential_dir);
    g_free(server.credential_dir);
    g_string_free(server.log, TRUE);
    xc_memory_free(server.memory);
}

G_GNUC_UNUSED static struct xc_source_spec server_spec(void)
{
    return (struct xc_source_spec){.key = (char *)"pool1",
                                   .uri = (char *)"https://192.0.2.1",
                                   .credential = (char *)"pool",
                                   .address = (char *)"",
                                   .config_dirs = (char *)"",
                                   .save_dir = (char *)""};
}

G_GNUC_UNUSED static struct xc_driver_env server_env(void)
{
    return (struct xc_driver_env){.credential_dir = server.credential_dir, .memory = server.memory};
}

/* How many lines of the log begin so. */
G_GNUC_UNUSED static unsigned server_asked(const char *line)
{
    g_auto(GStrv) lines = NULL;
    unsigned n = 0;

    g_mutex_lock(&server.lock);
    lines = g_strsplit(server.log->str, "\n", -1);
    g_mutex_unlock(&server.lock);
    for (char **each = lines; *each; each++)
        n += g_str_has_prefix(*each, line);
    return n;
}
