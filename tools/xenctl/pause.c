/* Waiting a while, with an ear for Ctrl-C. */
#include "tools/xenctl/pause.h"

#include <glib-unix.h>
#include <signal.h>

struct ctl_pause {
    GMainLoop *loop;
    guint sources[2];
    bool signalled;
};

static gboolean on_signal(gpointer data)
{
    struct ctl_pause *pause = data;

    pause->signalled = true;
    g_main_loop_quit(pause->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean on_time(gpointer data)
{
    struct ctl_pause *pause = data;

    g_main_loop_quit(pause->loop);
    return G_SOURCE_REMOVE;
}

struct ctl_pause *ctl_pause_new(void)
{
    struct ctl_pause *pause = g_new0(struct ctl_pause, 1);

    pause->loop = g_main_loop_new(NULL, FALSE);
    pause->sources[0] = g_unix_signal_add(SIGINT, on_signal, pause);
    pause->sources[1] = g_unix_signal_add(SIGTERM, on_signal, pause);
    return pause;
}

bool ctl_pause(struct ctl_pause *pause, unsigned msec)
{
    guint timer = g_timeout_add(msec, on_time, pause);

    if (!pause->signalled)
        g_main_loop_run(pause->loop);
    if (g_main_context_find_source_by_id(NULL, timer))
        g_source_remove(timer);
    return !pause->signalled;
}

void ctl_pause_free(struct ctl_pause *pause)
{
    g_source_remove(pause->sources[0]);
    g_source_remove(pause->sources[1]);
    g_main_loop_unref(pause->loop);
    g_free(pause);
}
