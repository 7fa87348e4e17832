/* `xen-farm ctl`: one command to a farm, its answer to stdout. */
#include "tools/xen-farm/options.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MSEC 30000

static int connect_to(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *suffix = g_str_has_suffix(path, ".ctl") ? "" : ".ctl";
    int fd;

    if (strlen(path) + strlen(suffix) >= sizeof(address.sun_path)) {
        xc_fail(error, XC_CAUSE_BAD_VALUE, "the path of the socket is too long");
        return -1;
    }
    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s%s", path, suffix);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    xc_fail(error, XC_CAUSE_TRANSPORT, "no farm serves %s: %s", address.sun_path,
            g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_all(int fd, const GString *text, GError **error)
{
    for (gsize sent = 0; sent < text->len;) {
        ssize_t n = send(fd, text->str + sent, text->len - sent, MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return xc_fail(error, XC_CAUSE_TRANSPORT, "sending: %s", g_strerror(errno));
        sent += n > 0 ? (gsize)n : 0;
    }
    return true;
}

/* The last line says how it went; -1: not there yet. */
static gssize last_line(const GString *in)
{
    const char *at;

    if (in->len == 0 || in->str[in->len - 1] != '\n')
        return -1;
    at = g_strrstr_len(in->str, (gssize)in->len - 1, "\n");
    at = at ? at + 1 : in->str;
    return strcmp(at, "ok\n") == 0 || g_str_has_prefix(at, "error ") ? at - in->str : -1;
}

static bool receive(int fd, GString *in, gsize *end, GError **error)
{
    while (last_line(in) < 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        char chunk[65536];
        ssize_t n;

        if (poll(&p, 1, ANSWER_MSEC) == 0)
            return xc_fail(error, XC_CAUSE_TIMED_OUT, "the farm does not answer");
        n = recv(fd, chunk, sizeof(chunk), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return xc_fail(error, XC_CAUSE_TRANSPORT, "the farm hung up");
        g_string_append_len(in, chunk, n);
    }
    *end = (gsize)last_line(in);
    return true;
}

static GString *make_line(char **words)
{
    GString *line = g_string_new(NULL);

    for (; *words; words++) {
        g_autofree char *quoted = g_shell_quote(*words);

        g_string_append_printf(line, "%s%s", line->len ? " " : "", quoted);
    }
    return g_string_append_c(line, '\n');
}

static bool converse(const char *path, char **words, GString *in, gsize *end, GError **error)
{
    g_autoptr(GString) line = make_line(words);
    int fd = connect_to(path, error);
    bool ok;

    if (fd < 0)
        return false;
    ok = send_all(fd, line, error) && receive(fd, in, end, error);
    close(fd);
    return ok;
}

int farm_ctl(char **args)
{
    g_autoptr(GString) in = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    gsize end = 0;

    if (!args[0] || !args[1]) {
        fprintf(stderr, "usage: xen-farm ctl PATH COMMAND [ARGUMENT]...; `help` lists them\n");
        return 2;
    }
    for (char **word = args + 1; *word; word++)
        if (strchr(*word, '\n')) {
            fprintf(stderr, "xen-farm: a command is one line\n");
            return 2;
        }
    if (!converse(args[0], args + 1, in, &end, &error)) {
        fprintf(stderr, "xen-farm: %s\n", error->message);
        return 1;
    }
    fwrite(in->str, 1, end, stdout);
    if (strcmp(in->str + end, "ok\n") == 0)
        return 0;
    fprintf(stderr, "xen-farm: %s", in->str + end + strlen("error "));
    return 1;
}
