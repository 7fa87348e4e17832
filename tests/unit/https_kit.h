/* For tests over HTTPS: tests/lib/tls_server.py with its certificates, in a folder of the test's own; asking it. */
#pragma once

#include "tests/unit/folder.h"
#include "xenclient/transport/https.h"
#include "xenclient/transport/tls_pins.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"
#include "xenclient/util/labels.h"
#include "xenclient/util/text.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct tls_server {
    char *folder;
    GHashTable *ports; /* name -> number */
    GPid pid;
    int leash; /* its standard input: the server ends when that does */
};

extern struct tls_server server; /* the program's one */

static inline void tls_server_die_with_parent(void *unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static inline void tls_server_start(void)
{
    g_autofree char *program = g_canonicalize_filename("tests/lib/tls_server.py", NULL);
    const char *argv[] = {program, NULL, NULL};
    char line[64];
    FILE *said;
    int out;

    server.folder = g_dir_make_tmp("https-XXXXXX", NULL);
    server.ports = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    argv[1] = server.folder;
    g_assert_true(g_spawn_async_with_pipes(NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD,
                                           tls_server_die_with_parent, NULL, &server.pid,
                                           &server.leash, &out, NULL, NULL));
    said = fdopen(out, "r");
    g_assert_nonnull(said);
    while (fgets(line, sizeof line, said) && strcmp(line, "ready\n") != 0) {
        g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", 2);
        uint64_t port = 0;

        g_assert_cmpuint(g_strv_length(words), ==, 2);
        g_assert_true(xc_text_to_u64(words[1], 1, 65535, &port, NULL));
        g_hash_table_insert(server.ports, g_strdup(words[0]), GUINT_TO_POINTER((unsigned)port));
    }
    g_assert_cmpstr(line, ==, "ready\n");
    fclose(said);
}

static inline void tls_server_stop(void)
{
    close(server.leash);
    waitpid(server.pid, NULL, 0);
    remove_folder(server.folder);
    g_hash_table_unref(server.ports);
}

/* 0: there is none, as for IPv6 on a machine without it. */
static inline unsigned port_of(const char *name)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(server.ports, name));
}

static inline char *tls_server_file(const char *name)
{
    return g_build_filename(server.folder, name, NULL);
}

/* Of the certificate that the server of that name shows. */
static inline char *tls_server_sha256(const char *name)
{
    g_autofree char *file = g_strconcat(server.folder, "/", name, ".sha256", NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    return text;
}

#define BUDGET (60 * XC_USEC_PER_SEC)
/* For what comes to the end of its time. */
#define SHORT (XC_USEC_PER_SEC / 4)
/* Nothing is later than that, however busy the machine. */
#define LATE       (20 * XC_USEC_PER_SEC)
#define MAX_OCTETS 50000
/* In every request, in none of its errors. */
#define SECRET "OpaqueRef:abc"

static inline unsigned open_descriptors(void)
{
    GDir *dir = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned n = 0;

    g_assert_nonnull(dir);
    while (g_dir_read_name(dir))
        n++;
    g_dir_close(dir);
    return n;
}

/* Only as many as before, once a look-up of a name has ended in its thread. */
static inline void assert_closed(unsigned before)
{
    for (int i = 0; i < 500 && open_descriptors() > before; i++)
        g_usleep(10 * 1000);
    g_assert_cmpuint(open_descriptors(), <=, before);
}

/* --- requests */

/* How to reach a server. ca: a file of the folder; NULL: the system's. pin: the server whose certificate is pinned. */
struct way {
    const char *host;
    const char *server;
    const char *ca;
    const char *pin;
    bool insecure;
};

static const struct way usual = {"127.0.0.1", "good", "ca.pem", NULL, false};

static inline void pin(const char *host, unsigned port, const char *whose)
{
    g_autofree char *file = tls_server_file("pins");
    g_autofree char *digits = tls_server_sha256(whose);
    g_autoptr(GError) error = NULL;

    xc_tls_pin_write(file, host, port, digits, &error);
    g_assert_no_error(error);
}

static inline struct xc_https *https_to(const struct way *way)
{
    g_autofree char *ca = way->ca ? tls_server_file(way->ca) : NULL;
    g_autofree char *pins = tls_server_file("pins");
    struct xc_https_config config = {.host = way->host,
                                     .port = port_of(way->server),
                                     .ca_file = ca,
                                     .pins_file = way->pin ? pins : NULL,
                                     .insecure = way->insecure};
    struct xc_https *https;

    g_assert_cmpuint(config.port, !=, 0);
    if (way->pin)
        pin(way->host, config.port, way->pin);
    https = xc_https_new(&config, NULL);
    g_assert_nonnull(https);
    return https;
}

static inline bool keep(const char *bytes, size_t length, void *data, GError **error)
{
    (void)error;
    g_string_append_len(data, bytes, (gssize)length);
    return true;
}

struct asked {
    bool ok;
    int status;
    GError *error;
    GString *body;
    gint64 usec;
};

static inline void asked_clear(struct asked *asked)
{
    g_clear_error(&asked->error);
    g_string_free(g_steal_pointer(&asked->body), TRUE);
}

static inline struct asked ask_within(struct xc_https *https, const char *path,
                                      struct xc_call *call)
{
    g_autofree char *whole = g_strconcat(path, "?session=" SECRET, NULL);
    struct asked asked = {.body = g_string_new(NULL), .status = -1};
    struct xc_https_request request = {.path = whole,
                                       .cookie = "session_id=" SECRET,
                                       .max_octets = MAX_OCTETS,
                                       .take = keep,
                                       .data = asked.body};
    gint64 began = xc_clock_mono();

    asked.ok = xc_https_request(https, &request, &asked.status, call, &asked.error);
    asked.usec = xc_clock_mono() - began;
    g_assert_true(asked.ok == !asked.error);
    if (asked.error)
        g_test_message("%s: %s", path, asked.error->message);
    return asked;
}

static inline struct asked ask(struct xc_https *https, const char *path, gint64 budget)
{
    struct asked asked;
    struct xc_call call;

    g_assert_true(xc_call_init(&call, budget, NULL));
    asked = ask_within(https, path, &call);
    xc_call_deinit(&call);
    return asked;
}

static inline void assert_hello(struct xc_https *https, const char *path)
{
    struct asked asked = ask(https, path, BUDGET);

    g_assert_no_error(asked.error);
    g_assert_cmpint(asked.status, ==, 200);
    g_assert_cmpstr(asked.body->str, ==, "hello");
    asked_clear(&asked);
}

static inline void assert_failed(const struct asked *asked, enum xc_cause cause, const char *words)
{
    g_assert_nonnull(asked->error);
    g_assert_cmpstr(xc_enum_label(&xc_cause_labels, asked->error->code), ==,
                    xc_enum_label(&xc_cause_labels, (int)cause));
    if (!strstr(asked->error->message, words))
        g_error("\"%s\" is not in: %s", words, asked->error->message);
    g_assert_null(strstr(asked->error->message, SECRET));
    g_assert_cmpint(asked->usec, <, LATE);
}

/* A figure of /stats: behind the word, in the line of that server. */
static inline unsigned stat_of(const char *name, const char *what)
{
    g_autoptr(xc_https) https = https_to(&usual);
    struct asked asked = ask(https, "/stats", BUDGET);
    g_autofree char *begin = g_strdup_printf("\n%s ", name);
    g_autofree char *text = g_strconcat("\n", asked.body->str, NULL);
    const char *at = strstr(text, begin);
    unsigned figure;

    g_assert_nonnull(at);
    at = strstr(at + 1, what);
    g_assert_nonnull(at);
    figure = (unsigned)g_ascii_strtoull(at + strlen(what), NULL, 10);
    asked_clear(&asked);
    return figure;
}

/* Of another server than the good one, which counts whoever asks. What is counted may come a moment late. */
static inline void assert_connections(const char *name, unsigned wanted)
{
    for (int i = 0; i < 500 && stat_of(name, "connections") < wanted; i++)
        g_usleep(10 * 1000);
    g_assert_cmpuint(stat_of(name, "connections"), ==, wanted);
}
