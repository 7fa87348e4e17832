/* Secrets that people type. */
#pragma once

/* A line of stdin, unseen on a terminal, where the prompt is shown. NULL: there is none. The caller frees it with
 * ctl_secret_free, which leaves nothing of it behind. */
char *ctl_secret_read(const char *prompt);
void ctl_secret_free(char *secret);
