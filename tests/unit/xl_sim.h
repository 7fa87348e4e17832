/* For tests of the xl driver: the simulated host of tests/integration/xl/bin and orders to it. Static
 * functions, since every test is a program of its own. */
#pragma once

#include "xenclient/drivers/drivers.h"
#include "xenclient/util/clock.h"

#include <string.h>
#include <sys/stat.h>

/* The test's folder and what the driver is told; one per program, filled by its set-up. */
struct xl_sim {
    char *top;   /* everything is in here */
    char *state; /* of the simulated host: $XL_STATE */
    char *saved; /* save_dir of its source */
    char *uri;
    char *known_hosts;
    const char *credential;
};
extern struct xl_sim sim;

static inline char *in_top(const char *name)
{
    return g_build_filename(sim.top, name, NULL);
}

static inline char *in_state(const char *format, ...) G_GNUC_PRINTF(1, 2);
static inline char *in_state(const char *format, ...)
{
    g_autofree char *name = NULL;
    va_list args;

    va_start(args, format);
    name = g_strdup_vprintf(format, args);
    va_end(args);
    return g_strconcat(sim.state, name, NULL);
}

static inline void put(const char *path, const char *text, int mode)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(chmod(path, (mode_t)mode), ==, 0);
}

/* "" when there is no such file. */
static inline char *get(const char *path)
{
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text ? text : g_strdup("");
}

static inline void command(const char *format, ...) G_GNUC_PRINTF(1, 2);
static inline void command(const char *format, ...)
{
    g_autofree char *line = NULL;
    va_list args;
    int status = 0;

    va_start(args, format);
    line = g_strdup_vprintf(format, args);
    va_end(args);
    g_assert_true(g_spawn_command_line_sync(line, NULL, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

static inline char *uuid_of(unsigned n)
{
    return g_strdup_printf("00000000-0000-4000-8000-%012u", n);
}

static inline void put_domain(unsigned domid, const char *name, const char *flags)
{
    g_autofree char *base64 = g_base64_encode((const guchar *)name, strlen(name));
    g_autofree char *uuid = uuid_of(domid);
    g_autofree char *text = g_strdup_printf("%s\n%s\n%s\n", base64, uuid, flags);
    g_autofree char *path = in_state("/dom/%u", domid);
    g_autofree char *taken = in_state("/id.%u", domid);

    put(path, text, 0644);
    g_mkdir_with_parents(taken, 0755);
}

/* State letters of a living domain; "" when there is none of that name. */
static inline char *flags_of(const char *name)
{
    g_autofree char *base64 = g_base64_encode((const guchar *)name, strlen(name));
    g_autofree char *path = in_state("/dom");
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);

    for (const char *file; (file = g_dir_read_name(dir));) {
        g_autofree char *domain = g_build_filename(path, file, NULL);
        g_autofree char *text = get(domain);
        g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

        if (*file != '.' && g_strv_length(lines) > 2 && strcmp(lines[0], base64) == 0)
            return g_strdup(lines[2]);
    }
    return g_strdup("");
}

/* How many command lines of xl began with the verb and held the word. */
static inline unsigned runs(const char *verb, const char *word)
{
    g_autofree char *path = in_state("/argv");
    g_autofree char *log = NULL;
    gsize length = 0;
    unsigned n = 0;

    g_file_get_contents(path, &log, &length, NULL);
    for (gsize at = 0; at < length;) {
        bool is_verb = strcmp(log + at, verb) == 0, has = false;

        for (; at < length && log[at]; at += strlen(log + at) + 1)
            has |= strcmp(log + at, word) == 0;
        at++;
        n += is_verb && has;
    }
    return n;
}

/* --- an order under way */

struct ran {
    struct xc_order order;
    struct xc_call call;
    struct xc_outcome outcome;
    GString *phases; /* each followed by ';' */
    GThread *thread;
};

static inline void note_phase(const char *phase, int progress, void *data)
{
    struct ran *ran = data;

    g_assert_cmpint(progress, ==, -1);
    g_string_append_printf(ran->phases, "%s;", phase);
}

/* domid 0: no uuid. */
static inline struct ran *prepare(enum xc_action action, const char *name, unsigned domid,
                                  const char *config)
{
    struct ran *ran = g_new0(struct ran, 1);
    g_autofree char *uuid = uuid_of(domid);

    ran->order = (struct xc_order){
        .action = action,
        .name = g_strdup(name),
        .config = g_strdup(config),
        .content = g_strdup(""),
        .host_from = g_strdup(""),
        .boot_id = g_strdup(""),
    };
    xc_source_spec_copy(&ran->order.target, &(struct xc_source_spec){0});
    xc_uuid_random(&ran->order.op);
    if (domid)
        g_assert_true(xc_uuid_parse(uuid, &ran->order.uuid));
    ran->phases = g_string_new(NULL);
    g_assert_true(xc_call_init(&ran->call, 60 * XC_USEC_PER_SEC, NULL));
    return ran;
}

static inline void set_text(char **text, const char *value)
{
    g_free(*text);
    *text = g_strdup(value);
}

static inline void *release(struct ran *ran)
{
    xc_order_clear(&ran->order);
    xc_outcome_clear(&ran->outcome);
    xc_call_deinit(&ran->call);
    g_string_free(ran->phases, TRUE);
    g_free(ran);
    return NULL;
}

static inline struct xc_source_spec sim_spec(const char *credential)
{
    return (struct xc_source_spec){.key = (char *)"lab",
                                   .uri = sim.uri,
                                   .credential = (char *)credential,
                                   .address = (char *)"",
                                   .config_dirs = (char *)"",
                                   .save_dir = sim.saved};
}

static inline gpointer run_thread(gpointer data)
{
    struct xc_source_spec spec = sim_spec(sim.credential);
    struct xc_driver_env env = {.credential_dir = sim.top, .known_hosts = sim.known_hosts};
    struct ran *ran = data;

    xc_xl_ops.run(&spec, &env, &ran->order, &ran->call, note_phase, ran, &ran->outcome);
    return NULL;
}

static inline void start(struct ran *ran)
{
    ran->thread = g_thread_new("order", run_thread, ran);
}

/* Waits for its end. Tells all that differs, instead of ending at the first. */
static inline void finish(struct ran *ran, enum xc_result result, enum xc_cause cause)
{
    g_autofree char *name = g_strescape(ran->order.name, NULL);
    const char *got, *got_cause;

    g_thread_join(ran->thread);
    got = xc_enum_label(&xc_result_labels, (int)ran->outcome.result);
    got_cause = xc_enum_label(&xc_cause_labels, (int)ran->outcome.cause);
    g_test_message("%s %s: %s %s, %s (%s)",
                   xc_enum_label(&xc_action_labels, (int)ran->order.action), name, got, got_cause,
                   ran->outcome.text, ran->phases->str);
    if (ran->outcome.result != result || ran->outcome.cause != cause)
        g_test_fail_printf("wanted %s %s", xc_enum_label(&xc_result_labels, (int)result),
                           xc_enum_label(&xc_cause_labels, (int)cause));
}

/* Waits until xl has said those words. */
static inline void wait_words(const struct ran *ran, const char *words)
{
    g_autofree char *err = NULL;
    char op[XC_UUID_TEXT];

    xc_uuid_format(&ran->order.op, op);
    err = g_strdup_printf("%s/run/%s/err", sim.top, op);
    for (int i = 0; i < 3000; i++) {
        g_autofree char *text = get(err);

        if (strstr(text, words))
            return;
        g_usleep(10 * 1000);
    }
    g_error("%s never told of \"%s\"", err, words);
}

/* Waits until a migration sends memory. */
static inline void wait_sending(const struct ran *ran)
{
    wait_words(ran, "Saving to migration stream");
}

/* The host here, reached by xl:///; the program moves into its folder. */
static inline void sim_begin(const char *template)
{
    g_autofree char *bin = g_canonicalize_filename("tests/integration/xl/bin", NULL);
    g_autofree char *path = g_strdup_printf("%s:%s", bin, g_getenv("PATH"));
    g_autofree char *dom = NULL, *run = NULL, *cores = NULL;

    g_assert_true(g_file_test(bin, G_FILE_TEST_IS_DIR));
    sim.top = g_dir_make_tmp(template, NULL);
    sim.state = in_top("host1");
    sim.uri = g_strdup("xl:///");
    sim.known_hosts = in_top("known_hosts");
    sim.credential = "";
    dom = in_state("/dom");
    run = in_top("run");
    sim.saved = in_top("saved '$(id)' dir");
    g_mkdir_with_parents(dom, 0755);
    g_mkdir_with_parents(sim.saved, 0700);
    g_setenv("XL_BIN", bin, TRUE);
    g_setenv("PATH", path, TRUE);
    g_setenv("XL_STATE", sim.state, TRUE);
    g_setenv("XENSNMP_RUN", run, TRUE);
    cores = in_top("cores");
    g_setenv("XENSNMP_DUMP", cores, TRUE);
    g_setenv("XL_SAVED", sim.saved, TRUE);
}

static inline void sim_end(void)
{
    command("rm -rf %s", sim.top);
    g_free(sim.top);
    g_free(sim.state);
    g_free(sim.saved);
    g_free(sim.uri);
    g_free(sim.known_hosts);
}
