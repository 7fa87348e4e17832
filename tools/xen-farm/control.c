/* A connection of people and tests: commands by the line, answers that end with "ok" or "error ...". */
#include "tools/xen-farm/server.h"

#include "xenclient/util/text.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define LINE_MAX_OCTETS 65536

struct control {
    struct farm_link link;
    GString *in;
};

static struct control *control_of(struct farm_link *link)
{
    return (struct control *)link;
}

static void answer(struct control *control, const char *line)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    GByteArray *bytes = g_byte_array_new();

    if (farm_command(control->link.server, line, out, &error)) {
        g_string_append(out, "ok\n");
    } else {
        g_autofree char *text = xc_text_escape(error->message, 1000);

        g_string_append_printf(out, "error %s\n", text);
    }
    xc_put_raw(bytes, out->str, out->len);
    farm_link_send(&control->link, bytes);
}

static void take_lines(struct control *control)
{
    char *end;

    while (!control->link.dead && (end = strchr(control->in->str, '\n'))) {
        g_autofree char *line = g_strndup(control->in->str, (gsize)(end - control->in->str));

        g_string_erase(control->in, 0, (gssize)(end - control->in->str) + 1);
        answer(control, line);
    }
    if (control->in->len > LINE_MAX_OCTETS)
        farm_link_close(&control->link);
}

static void control_readable(struct farm_link *link)
{
    struct control *control = control_of(link);
    char chunk[4096];
    ssize_t n = recv(link->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || memchr(chunk, 0, (size_t)n)) {
        farm_link_close(link);
        return;
    }
    g_string_append_len(control->in, chunk, n);
    take_lines(control);
}

static struct farm_link *control_make(void)
{
    struct control *control = g_new0(struct control, 1);

    control->in = g_string_new(NULL);
    return &control->link;
}

static void control_closed(struct farm_link *link)
{
    g_string_free(control_of(link)->in, TRUE);
    control_of(link)->in = NULL;
}

const struct farm_link_kind farm_control_kind = {
    .make = control_make, .readable = control_readable, .closed = control_closed};
