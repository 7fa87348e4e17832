/* Secrets from stdin: never from the command line, which every user of the machine can see. */
#include "tools/xenctl/secret.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MAX 1024

static bool echo_off(struct termios *before, const char *prompt)
{
    struct termios silent;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, before) != 0)
        return false;
    silent = *before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "%s: ", prompt);
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
}

char *ctl_secret_read(const char *prompt)
{
    char line[SECRET_MAX];
    struct termios before;
    bool silent = echo_off(&before, prompt);
    char *secret = NULL;

    if (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        secret = g_strdup(line);
    }
    if (silent) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    explicit_bzero(line, sizeof(line));
    return secret;
}

void ctl_secret_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}
