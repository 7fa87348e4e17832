/* help: what the tables say, for people and (--json) for programs, which make the manual page of it. */
#include "tools/xenctl/xenctl.h"

static const struct {
    enum ctl_exit status;
    const char *meaning;
} exits[] = {
    {CTL_OK, "ok: the wanted state was read back (--no-wait: accepted)"},
    {CTL_ERROR, "wrong use, or trouble on this machine"},
    {CTL_REFUSED, "refused: nothing was begun; the text says why, and the cure"},
    {CTL_FAILED, "the operation failed; doctor: something is not well"},
    {CTL_CANCELLED, "cancelled"},
    {CTL_LOST, "lost: the outcome can't be known, look at the domain"},
    {CTL_TIMED_OUT, "timed out"},
    {CTL_UNREACHABLE, "no agent, no answer, or not let in"},
    {CTL_NOT_FOUND, "no such domain, host, source or operation; or a name of several"},
    {CTL_INTERRUPTED, "interrupted; the operation goes on"},
};

/* --- for programs */
static void put_command(struct json *json, const struct ctl_command *command)
{
    struct ctl_option option;

    json_open_object(json, NULL);
    json_text(json, "name", command->name);
    json_text(json, "arguments", command->arguments);
    json_text(json, "summary", command->summary);
    json_open_array(json, "options");
    for (unsigned i = 0; ctl_option_at(i, &option); i++)
        if (option.groups & command->options)
            json_text(json, NULL, option.name);
    json_close_array(json);
    json_close_object(json);
}

static void put_options(struct json *json)
{
    struct ctl_option option;

    for (unsigned i = 0; ctl_option_at(i, &option); i++) {
        json_open_object(json, NULL);
        json_text(json, "name", option.name);
        json_text(json, "argument", option.argument);
        json_text(json, "help", option.help);
        json_bool(json, "agent", option.groups & CTL_G_AGENT);
        json_close_object(json);
    }
}

static void put_exits(struct json *json)
{
    for (size_t i = 0; i < G_N_ELEMENTS(exits); i++) {
        json_open_object(json, NULL);
        json_number(json, "exit", exits[i].status);
        json_text(json, "meaning", exits[i].meaning);
        json_close_object(json);
    }
}

static int help_json(void)
{
    g_autofree char *out = NULL;
    struct json json;

    json_init(&json);
    json_open_object(&json, NULL);
    json_open_array(&json, "commands");
    for (unsigned i = 0; i < ctl_n_commands; i++)
        put_command(&json, &ctl_commands[i]);
    json_close_array(&json);
    json_open_array(&json, "options");
    put_options(&json);
    json_close_array(&json);
    json_open_array(&json, "exits");
    put_exits(&json);
    json_close_array(&json);
    json_close_object(&json);
    out = json_finish(&json);
    printf("%s\n", out);
    return CTL_OK;
}

/* --- for people */
static int help_all(void)
{
    g_autofree char *options = ctl_options_help(CTL_G_AGENT | CTL_G_JSON);

    printf("usage: xenctl COMMAND [ARGUMENT...] [--OPTION...]\n\n");
    for (unsigned i = 0; i < ctl_n_commands; i++) {
        const struct ctl_command *command = &ctl_commands[i];
        g_autofree char *usage = g_strdup_printf("%s %s", command->name, command->arguments);

        printf("  %-31s  %s\n", usage, command->summary);
    }
    printf("\nNAME of a domain: its name, HOST/NAME, #INDEX or its UUID.\n\n%s\nExit status:\n",
           options);
    for (size_t i = 0; i < G_N_ELEMENTS(exits); i++)
        printf("  %3d  %s\n", exits[i].status, exits[i].meaning);
    printf("\nxenctl help COMMAND tells more.\n");
    return CTL_OK;
}

int ctl_help(struct ctl *ctl)
{
    const struct ctl_command *command;
    g_autofree char *options = NULL;
    unsigned used;

    if (ctl->opt.json)
        return help_json();
    if (ctl->n_args == 0)
        return help_all();
    command = ctl_find_command(ctl->args, ctl->n_args, &used);
    if (!command)
        return ctl_say(ctl, CTL_ERROR, "no command \"%s\"; see xenctl help", ctl->args[0]);
    options = ctl_options_help(command->options);
    printf("usage: xenctl %s %s\n%s\n\n%s", command->name, command->arguments, command->summary,
           options);
    return CTL_OK;
}
