/* Waiting a while, with an ear for Ctrl-C. Main thread. */
#pragma once

#include <stdbool.h>

struct ctl_pause;

/* Takes over SIGINT and SIGTERM until freed. */
struct ctl_pause *ctl_pause_new(void);
/* False: a signal came, now or before. */
bool ctl_pause(struct ctl_pause *pause, unsigned msec);
void ctl_pause_free(struct ctl_pause *pause);
