/* From argv to exit status: finds the command, opens the session when it is wanted, reports errors. */
#include "tools/xenctl/text.h"
#include "tools/xenctl/xenctl.h"

#include "xenclient/util/error.h"

#include <string.h>
#include <sys/resource.h>

struct sn_session *ctl_session(struct ctl *ctl, GError **error)
{
    if (ctl->session)
        return ctl->session;
    if (!ctl->has_settings) {
        if (!sn_settings_load(ctl->opt.client_config, ctl->opt.profile, &ctl->settings, error) ||
            (ctl->opt.agent && !sn_settings_set_host(&ctl->settings, ctl->opt.agent, error)))
            return NULL;
        ctl->has_settings = true;
    }
    ctl->session = sn_open(&ctl->settings, error);
    return ctl->session;
}

/* --- errors */
static const char *const kinds[] = {
    [CTL_ERROR] = "error",
    [CTL_REFUSED] = "refused",
    [CTL_FAILED] = "failed",
    [CTL_CANCELLED] = "cancelled",
    [CTL_LOST] = "lost",
    [CTL_TIMED_OUT] = "timedOut",
    [CTL_UNREACHABLE] = "unreachable",
    [CTL_NOT_FOUND] = "notFound",
};

static void say_json(int code, const char *text)
{
    struct json json;
    g_autofree char *out = NULL;

    json_init(&json);
    json_open_object(&json, NULL);
    json_text(&json, "error", (size_t)code < G_N_ELEMENTS(kinds) ? kinds[code] : kinds[CTL_ERROR]);
    json_number(&json, "exit", code);
    json_text(&json, "text", text);
    json_close_object(&json);
    out = json_finish(&json);
    printf("%s\n", out);
}

int ctl_say(const struct ctl *ctl, int code, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *shown = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    shown = ctl_escape(text, strlen(text));
    fprintf(stderr, "xenctl: %s\n", shown);
    if (ctl->opt.json)
        say_json(code, text);
    return code;
}

static int exit_of(const GError *error)
{
    static const struct {
        int error;
        int exit;
    } map[] = {
        {SN_ERROR_UNREACHABLE, CTL_UNREACHABLE}, {SN_ERROR_TIMEOUT, CTL_UNREACHABLE},
        {SN_ERROR_AUTH, CTL_UNREACHABLE},        {SN_ERROR_REFUSED, CTL_REFUSED},
        {SN_ERROR_NO_SUCH, CTL_NOT_FOUND},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(map); i++)
        if (g_error_matches(error, SN_ERROR, map[i].error))
            return map[i].exit;
    return CTL_ERROR;
}

int ctl_fail(const struct ctl *ctl, const GError *error)
{
    return ctl_say(ctl, exit_of(error), "%s", error->message);
}

void ctl_say_on(const GError *error)
{
    g_autofree char *text = ctl_escape(error->message, strlen(error->message));

    fprintf(stderr, "xenctl: %s; still watching\n", text);
}

/* --- the way in */
static int wrong_use(const struct ctl *ctl, const GError *error)
{
    return ctl_say(ctl, CTL_ERROR, "%s", error->message);
}

static int check_arguments(const struct ctl *ctl)
{
    const struct ctl_command *command = ctl->command;

    if (ctl->n_args >= command->min_args && ctl->n_args <= command->max_args)
        return CTL_OK;
    return ctl_say(ctl, CTL_ERROR, "usage: xenctl %s %s", command->name, command->arguments);
}

static int dispatch(struct ctl *ctl, int argc, char **argv, char **words, unsigned n)
{
    static char help[] = "help";
    static char *only_help[] = {help, NULL};
    g_autoptr(GError) error = NULL;
    unsigned used;
    int code;

    if (n == 0) {
        words = only_help;
        n = 1;
    }
    ctl->command = ctl_find_command(words, n, &used);
    if (!ctl->command)
        return ctl_say(ctl, CTL_ERROR, "no command \"%s\"; see xenctl help", words[0]);
    ctl->args = words + used;
    ctl->n_args = n - used;
    if (!ctl_check_options(ctl, argc, argv, &error))
        return wrong_use(ctl, error);
    code = check_arguments(ctl);
    return code ? code : ctl->command->run(ctl);
}

/* Pass phrases are in memory for a moment: none of them in a core file. */
static void no_core_file(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
}

int ctl_main(int argc, char **argv)
{
    struct ctl ctl = {0};
    g_autofree char **words = g_new0(char *, (size_t)argc + 1);
    g_autoptr(GError) error = NULL;
    unsigned n;
    int code;

    no_core_file();
    if (ctl_parse(argc, argv, &ctl, words, &n, &error))
        code = dispatch(&ctl, argc, argv, words, n);
    else
        code = wrong_use(&ctl, error);
    sn_close(ctl.session);
    g_free(ctl.group);
    sn_settings_clear(&ctl.settings);
    ctl_options_clear(&ctl.opt);
    if (fflush(stdout) != 0 && code == CTL_OK)
        code = CTL_ERROR;
    return code;
}
