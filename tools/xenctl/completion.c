/* completion: rules for bash. The tables of commands and options become bash's own; the rest is completion.bash. */
#include "tools/xenctl/xenctl.h"

#include "completion.bash.h"

static void print_entry(const char *key, const char *value)
{
    g_autofree char *quoted_key = g_shell_quote(key);
    g_autofree char *quoted = g_shell_quote(value);

    printf("    [%s]=%s\n", quoted_key, quoted);
}

/* "--a --b ..." of these groups. */
static char *option_words(unsigned groups)
{
    GString *out = g_string_new(NULL);
    struct ctl_option option;

    for (unsigned i = 0; ctl_option_at(i, &option); i++)
        if (option.groups & groups)
            g_string_append_printf(out, "%s--%s", out->len ? " " : "", option.name);
    return g_string_free(out, FALSE);
}

static void print_takes(void)
{
    struct ctl_option option;

    printf("declare -gA _xenctl_takes=(\n");
    for (unsigned i = 0; ctl_option_at(i, &option); i++) {
        g_autofree char *word = g_strdup_printf("--%s", option.name);

        if (option.argument)
            print_entry(word, option.argument);
    }
    printf(")\n");
}

int ctl_completion(struct ctl *ctl)
{
    g_autofree char *agent = option_words(CTL_G_AGENT);

    (void)ctl;
    printf("%s\n_xenctl_agent='%s'\n", completion_bash, agent);
    printf("declare -gA _xenctl_arguments=(\n");
    for (unsigned i = 0; i < ctl_n_commands; i++)
        print_entry(ctl_commands[i].name, ctl_commands[i].arguments);
    printf(")\ndeclare -gA _xenctl_options=(\n");
    for (unsigned i = 0; i < ctl_n_commands; i++) {
        g_autofree char *words = option_words(ctl_commands[i].options);

        print_entry(ctl_commands[i].name, words);
    }
    printf(")\n");
    print_takes();
    return CTL_OK;
}
