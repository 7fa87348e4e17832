/* xenctl's commands as one table: dispatch, help and completion come from it. */
#include "tools/xenctl/verbs.h"
#include "tools/xenctl/xenctl.h"

#include <string.h>

#define READ    (CTL_G_AGENT | CTL_G_JSON)
#define ACT     (READ | CTL_G_WAIT | CTL_G_VERB)
#define LOCAL   (CTL_G_JSON | CTL_G_FILES)
#define MANY    1000u
#define VERB(v) (&ctl_verbs[v])

const struct ctl_command ctl_commands[] = {
    {"hosts", "", 0, 0, READ, ctl_hosts, NULL, "list hosts"},
    {"domains", "[HOST]", 0, 1, READ | CTL_G_DOMAINS, ctl_domains, NULL,
     "list domains, of one host or all"},
    {"show", "NAME", 1, 1, READ, ctl_show, NULL, "everything about a domain or a host"},
    {"start", "NAME", 1, 1, ACT | CTL_G_START, ctl_verb, VERB(CTL_START),
     "boot a domain that is shut down"},
    {"shutdown", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_SHUTDOWN), "ask the guest to shut down"},
    {"reboot", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_REBOOT), "ask the guest to reboot"},
    {"pause", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_PAUSE), "stop its processors"},
    {"unpause", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_UNPAUSE), "let its processors go on"},
    {"destroy", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_DESTROY),
     "end it at once, like pulling the plug"},
    {"reset", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_RESET), "destroy it and start it again"},
    {"migrate", "NAME HOST", 2, 2, ACT, ctl_verb, VERB(CTL_MIGRATE),
     "move it to another host while it runs"},
    {"check-migrate", "NAME HOST", 2, 2, ACT, ctl_verb, VERB(CTL_CHECK_MIGRATE),
     "find out whether it could move there; changes nothing"},
    {"create", "HOST FILE", 2, 2, ACT, ctl_create, NULL,
     "start a domain from a configuration file on a host"},
    {"set-memory", "NAME MIB", 2, 2, ACT, ctl_verb, VERB(CTL_SET_MEMORY),
     "give it that many MiB, as far as it plays along"},
    {"set-vcpus", "NAME N", 2, 2, ACT, ctl_verb, VERB(CTL_SET_VCPUS),
     "give it that many virtual processors"},
    {"set-weight", "NAME N", 2, 2, ACT, ctl_verb, VERB(CTL_SET_WEIGHT),
     "its share of the processors; Xen begins with 256"},
    {"set-cap", "NAME PERCENT", 2, 2, ACT, ctl_verb, VERB(CTL_SET_CAP),
     "the most it gets, in percent of one processor; 0: no limit"},
    {"dump-core", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_DUMP_CORE),
     "write its memory to a file on its host"},
    {"nmi", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_NMI),
     "send it an interrupt at which many guests panic"},
    {"rescan", "HOST", 1, 1, ACT, ctl_rescan, NULL, "look at a host now, not at its next turn"},
    {"ops", "", 0, 0, READ, ctl_ops, NULL, "list operations"},
    {"op", "N", 1, 1, READ, ctl_op, NULL, "everything about operation N"},
    {"cancel", "N", 1, 1, READ | CTL_G_WAIT, ctl_cancel, NULL,
     "stop operation N where that is safe"},
    {"source add", "KEY URI", 2, 2, READ | CTL_G_WAIT | CTL_G_SOURCE, ctl_source_add, NULL,
     "register a source of hosts"},
    {"source list", "", 0, 0, READ, ctl_source_list, NULL, "list sources"},
    {"source remove", "KEY", 1, 1, READ, ctl_source_remove, NULL,
     "forget a source; its hosts are left alone"},
    {"credential add", "NAME", 1, 1, LOCAL | CTL_G_CREDENTIAL, ctl_credential_add, NULL,
     "write a credential for sources (on the agent's machine)"},
    {"credential list", "", 0, 0, LOCAL, ctl_credential_list, NULL,
     "names of credentials (on the agent's machine)"},
    {"trust", "SOURCE|URI", 1, 1, READ | CTL_G_TRUST, ctl_trust, NULL,
     "trust a host's SSH key after a look at it (on the agent's machine)"},
    {"watch", "", 0, 0, READ | CTL_G_WATCH, ctl_watch, NULL,
     "print what changes, until interrupted"},
    {"oid", "NAME [COLUMN]", 1, 2, READ, ctl_oid, NULL, "numeric OIDs of a domain, host or source"},
    {"doctor", "", 0, 0, READ | CTL_G_DOCTOR, ctl_doctor, NULL,
     "look for what is not well, and say the cure"},
    {"version", "", 0, 0, CTL_G_ALWAYS, ctl_version, NULL, "print the version"},
    {"help", "[COMMAND]", 0, 2, CTL_G_ALWAYS, ctl_help, NULL, "explain xenctl or a command"},
    {"completion", "", 0, 0, CTL_G_ALWAYS, ctl_completion, NULL, "print completion rules for bash"},
};
const unsigned ctl_n_commands = G_N_ELEMENTS(ctl_commands);

static bool is_help(const char *word)
{
    return g_str_equal(word, "--help") || g_str_equal(word, "-h");
}

/* A command's name has one word or two. */
const struct ctl_command *ctl_find_command(char **words, unsigned n, unsigned *used)
{
    g_autofree char *two = n > 1 ? g_strconcat(words[0], " ", words[1], NULL) : NULL;
    const char *one = is_help(words[0]) ? "help" : words[0];

    for (unsigned i = 0; i < ctl_n_commands; i++) {
        *used = strchr(ctl_commands[i].name, ' ') ? 2 : 1;
        if (g_strcmp0(ctl_commands[i].name, *used == 2 ? two : one) == 0)
            return &ctl_commands[i];
    }
    return NULL;
}

int ctl_version(struct ctl *ctl)
{
    (void)ctl;
    printf("xenctl %s\n", XENSNMP_VERSION);
    return CTL_OK;
}

/* --- help */
static int help_all(void)
{
    g_autofree char *options = ctl_options_help(READ);

    printf("usage: xenctl COMMAND [ARGUMENT...] [--OPTION...]\n\n");
    for (unsigned i = 0; i < ctl_n_commands; i++) {
        const struct ctl_command *command = &ctl_commands[i];
        g_autofree char *usage = g_strdup_printf("%s %s", command->name, command->arguments);

        printf("  %-26s %s\n", usage, command->summary);
    }
    printf("\nNAME of a domain: its name, HOST/NAME, #INDEX or its UUID.\n\n%s\n", options);
    printf("Exit: 0 ok, 1 wrong use, 2 refused, 3 failed, 4 cancelled, 5 lost, 6 timed out,\n"
           "7 agent unreachable, 8 no such thing. xenctl help COMMAND tells more.\n");
    return CTL_OK;
}

int ctl_help(struct ctl *ctl)
{
    const struct ctl_command *command;
    g_autofree char *options = NULL;
    unsigned used;

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

/* --- completion: the first word of every command, and its options behind it */
static void print_case(const struct ctl_command *command)
{
    g_autofree char *options = ctl_options_words(command->options);

    printf("    \"%s \"*) words=\"%s\" ;;\n", command->name, options);
}

/* "source" -> "add list remove": the second words, behind all full names. */
static void print_second_words(unsigned first)
{
    size_t length = strcspn(ctl_commands[first].name, " ");

    printf("    \"%.*s\"*) words=\"", (int)length, ctl_commands[first].name);
    for (unsigned i = first; i < ctl_n_commands; i++)
        if (strncmp(ctl_commands[i].name, ctl_commands[first].name, length + 1) == 0)
            printf("%s%s", i > first ? " " : "", ctl_commands[i].name + length + 1);
    printf("\" ;;\n");
}

/* The first of the commands that share its first word? */
static bool leads(unsigned i)
{
    size_t length = strcspn(ctl_commands[i].name, " ") + 1;

    return i == 0 || strncmp(ctl_commands[i].name, ctl_commands[i - 1].name, length) != 0;
}

int ctl_completion(struct ctl *ctl)
{
    (void)ctl;
    printf("# bash completion for xenctl: eval \"$(xenctl completion)\"\n_xenctl() {\n"
           "  local words line=\"${COMP_WORDS[*]:1}\" now=\"${COMP_WORDS[COMP_CWORD]}\"\n"
           "  if [ \"$COMP_CWORD\" = 1 ]; then words=\"");
    for (unsigned i = 0; i < ctl_n_commands; i++)
        if (leads(i))
            printf("%s%.*s", i ? " " : "", (int)strcspn(ctl_commands[i].name, " "),
                   ctl_commands[i].name);
    printf("\"\n  else case \"$line\" in\n");
    for (unsigned i = 0; i < ctl_n_commands; i++)
        print_case(&ctl_commands[i]);
    for (unsigned i = 0; i < ctl_n_commands; i++)
        if (leads(i) && strchr(ctl_commands[i].name, ' '))
            print_second_words(i);
    printf("  esac; fi\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$now\")\n}\n"
           "complete -F _xenctl xenctl\n");
    return CTL_OK;
}
