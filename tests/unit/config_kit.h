/* A configuration from a text. */
#pragma once

#include "xenclient/engine/config.h"

#include <glib/gstdio.h>
#include <unistd.h>

static struct xc_config *kit_config(const char *text, GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("xensnmp-config-XXXXXX", &path, NULL);
    struct xc_config *config;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    config = xc_config_load(path, error);
    g_unlink(path);
    return config;
}
