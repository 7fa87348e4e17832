/* Sessions: references that stand for somebody who knew the password. */
#include "tools/xapi-farm/server.h"

#include <string.h>

void xf_session_free(void *session)
{
    g_free(((struct xf_session *)session)->originator);
    g_free(session);
}

char *xf_session_begin(struct xf_server *server, bool local, bool read_only, const char *originator)
{
    struct xf_session *session = g_new0(struct xf_session, 1);
    char ref[XF_REF_SIZE];

    *session = (struct xf_session){
        .local = local, .read_only = read_only, .originator = g_strdup(originator)};
    xf_random_ref(ref);
    g_hash_table_insert(server->sessions, g_strdup(ref), session);
    return g_strdup(ref);
}

const struct xf_session *xf_session_find(const struct xf_server *server, const char *ref)
{
    return g_hash_table_lookup(server->sessions, ref);
}

void xf_session_end(struct xf_server *server, const char *ref)
{
    g_hash_table_remove(server->sessions, ref);
    xf_db_wake(server->db);
}

void xf_session_end_all(struct xf_server *server)
{
    g_hash_table_remove_all(server->sessions);
    xf_db_wake(server->db);
}

bool xf_password_is(const struct xf_server *server, const char *user, const char *password)
{
    return strcmp(user, server->options->user) == 0 && strcmp(password, server->password) == 0;
}

struct xf_endpoint *xf_server_endpoint(const struct xf_server *server, unsigned ordinal)
{
    return ordinal < server->endpoints->len ? g_ptr_array_index(server->endpoints, ordinal) : NULL;
}
