/* Words to the service manager that started us (sd_notify(3)), in its own protocol: no library is needed for that. */
#pragma once

/* Takes NOTIFY_SOCKET out of the environment, so that no worker and no command speaks in our name. NULL: nobody
 * wants to know. To be freed. */
char *st_notify_socket(void);
/* "READY=1", "STOPPING=1". What can't be told is logged: the manager would wait in vain. NULL socket: nothing. */
void st_notify(const char *socket, const char *state);
