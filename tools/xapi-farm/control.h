/* The control socket: how tests make endpoints go wrong. All of it in the main thread. */
#pragma once

#include "tools/xapi-farm/server.h"

/* A listening socket, or -1. */
int xf_control_open(const char *path, GError **error);
/* Takes one client's commands and answers them; a slow one is hung up on. */
void xf_control_serve(struct xf_server *server, int listening);
/* Lets endpoints listen again whose time has come; milliseconds until the next one, -1: none. */
int xf_control_revive(struct xf_server *server);
void xf_control_help(GString *out);
