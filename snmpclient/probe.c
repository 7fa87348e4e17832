/* A datagram to the agent's port: net-snmp's own sockets are not connected and so never hear of a
 * refusal. */
#include "snmpclient/probe.h"

#include "snmpclient/settings.h"

#include <gio/gio.h>
#include <string.h>

#define PATIENCE_USEC ((gint64)250000)

/* Not SNMP on purpose: an agent drops it. */
static bool refused(GSocket *socket)
{
    g_autoptr(GError) error = NULL;
    char byte = 0;

    if (g_socket_send(socket, &byte, 1, NULL, &error) < 0)
        return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
    if (!g_socket_condition_timed_wait(socket, G_IO_IN | G_IO_ERR, PATIENCE_USEC, NULL, NULL))
        return false;
    return g_socket_receive(socket, &byte, 1, NULL, &error) < 0 &&
           g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

bool sn_probe_refused(const char *host)
{
    g_autoptr(GSocketClient) client = NULL;
    g_autoptr(GSocketConnection) connection = NULL;
    g_autofree char *name = NULL;
    unsigned port;

    if (g_str_has_prefix(host, "tcp")) /* a TCP session would have failed at once */
        return false;
    sn_host_split(host, &name, &port);
    client = g_socket_client_new();
    g_socket_client_set_enable_proxy(client, FALSE);
    g_socket_client_set_socket_type(client, G_SOCKET_TYPE_DATAGRAM);
    g_socket_client_set_protocol(client, G_SOCKET_PROTOCOL_UDP);
    connection = g_socket_client_connect_to_host(client, name, (guint16)port, NULL, NULL);
    return connection && refused(g_socket_connection_get_socket(connection));
}
