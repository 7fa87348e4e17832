/* xenctl's commands as one table: dispatch, help, completion and manual page come from it. */
#include "tools/xenctl/verbs.h"
#include "tools/xenctl/xenctl.h"

#include <string.h>

#define READ    (CTL_G_AGENT | CTL_G_JSON)
#define ACT     (READ | CTL_G_WAIT | CTL_G_VERB)
#define LOCAL   (CTL_G_JSON | CTL_G_FILES)
#define STATE   (CTL_G_JSON | CTL_G_STATE)
#define MANY    1000u
#define VERB(v) (&ctl_verbs[v])

const struct ctl_command ctl_commands[] = {
    {"hosts", "", 0, 0, READ, ctl_hosts, NULL, "list hosts"},
    {"domains", "[HOST]", 0, 1, READ | CTL_G_DOMAINS, ctl_domains, NULL,
     "list domains, of one host or all"},
    {"show", "NAME|HOST", 1, 1, READ, ctl_show, NULL, "everything about a domain or a host"},
    {"start", "NAME", 1, 1, ACT | CTL_G_START, ctl_verb, VERB(CTL_START),
     "boot a domain that is shut down"},
    {"shutdown", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_SHUTDOWN), "ask the guest to shut down"},
    {"reboot", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_REBOOT), "ask the guest to reboot"},
    {"pause", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_PAUSE), "stop its processors"},
    {"unpause", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_UNPAUSE), "let its processors go on"},
    {"suspend", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_SUSPEND),
     "save it to a file on its host and end it"},
    {"resume", "NAME [HOST]", 1, 2, ACT, ctl_verb, VERB(CTL_RESUME),
     "bring a suspended domain back, on its host or another that sees its file"},
    {"destroy", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_DESTROY),
     "end it at once, like pulling the plug"},
    {"reset", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_RESET), "destroy it and start it again"},
    {"migrate", "NAME HOST", 2, 2, ACT, ctl_verb, VERB(CTL_MIGRATE),
     "move it to another host while it runs"},
    {"check-migrate", "NAME HOST", 2, 2, ACT, ctl_verb, VERB(CTL_CHECK_MIGRATE),
     "find out whether it could move there; changes nothing"},
    {"create", "HOST PATH", 2, 2, ACT, ctl_create, NULL,
     "start a domain from a configuration file on a host"},
    {"create-from", "HOST TEMPLATE TITLE", 3, 3, ACT, ctl_create, NULL,
     "make a domain of that title from a template of a pool, and start it"},
    {"set-memory", "NAME MIB", 2, 2, ACT, ctl_verb, VERB(CTL_SET_MEMORY),
     "give it that many MiB, as far as it plays along"},
    {"set-vcpus", "NAME COUNT", 2, 2, ACT, ctl_verb, VERB(CTL_SET_VCPUS),
     "give it that many virtual processors"},
    {"set-weight", "NAME WEIGHT", 2, 2, ACT, ctl_verb, VERB(CTL_SET_WEIGHT),
     "its share of the processors; Xen begins with 256"},
    {"set-cap", "NAME PERCENT", 2, 2, ACT, ctl_verb, VERB(CTL_SET_CAP),
     "the most it gets, in percent of one processor; 0: no limit"},
    {"dump-core", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_DUMP_CORE),
     "write its memory to a file on its host"},
    {"nmi", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_NMI),
     "send it an interrupt at which many guests panic"},
    {"snapshot", "NAME TITLE", 2, 2, ACT, ctl_verb, VERB(CTL_SNAPSHOT),
     "keep its disks as they are now, under that title"},
    {"checkpoint", "NAME TITLE", 2, 2, ACT, ctl_verb, VERB(CTL_CHECKPOINT),
     "keep its disks and its memory as they are now"},
    {"revert", "NAME SNAPSHOT", 2, 2, ACT, ctl_verb, VERB(CTL_REVERT),
     "make it what it was then; what it wrote since is lost"},
    {"delete-snapshot", "NAME SNAPSHOT", 2, 2, ACT, ctl_verb, VERB(CTL_DELETE_SNAPSHOT),
     "forget what was kept"},
    {"snapshots", "[NAME]", 0, 1, READ, ctl_snapshots, NULL,
     "list snapshots, of one domain or all"},
    {"clone", "NAME TITLE", 2, 2, ACT, ctl_verb, VERB(CTL_CLONE),
     "make another domain like one that is shut down"},
    {"delete", "NAME", 1, 1, ACT, ctl_verb, VERB(CTL_DELETE),
     "remove a domain that is shut down, and its disks"},
    {"rescan", "HOST", 1, 1, ACT, ctl_host_verb, VERB(CTL_RESCAN),
     "look at a host now, not at its next turn"},
    {"host-disable", "HOST", 1, 1, ACT, ctl_host_verb, VERB(CTL_HOST_DISABLE),
     "let a host of a pool take no new domains"},
    {"evacuate", "HOST", 1, 1, ACT, ctl_host_verb, VERB(CTL_EVACUATE),
     "the same, and move all that run on it to others"},
    {"host-enable", "HOST", 1, 1, ACT, ctl_host_verb, VERB(CTL_HOST_ENABLE),
     "let it take domains again"},
    {"ops", "", 0, 0, READ, ctl_ops, NULL, "list operations"},
    {"op", "N", 1, 1, READ, ctl_op, NULL, "everything about operation N"},
    {"cancel", "N", 1, 1, READ | CTL_G_WAIT, ctl_cancel, NULL,
     "stop operation N where that is safe"},
    {"source add", "KEY URI", 2, 2, READ | CTL_G_WAIT | CTL_G_SOURCE, ctl_source_add, NULL,
     "register a source of hosts"},
    {"source list", "", 0, 0, READ, ctl_source_list, NULL, "list sources"},
    {"source remove", "SOURCE", 1, 1, READ, ctl_source_remove, NULL,
     "forget a source; its hosts are left alone"},
    {"group list", "", 0, 0, READ, ctl_group_list, NULL, "list groups of domains"},
    {"group show", "GROUP", 1, 1, READ, ctl_group_show, NULL, "everything about a group"},
    {"group members", "GROUP", 1, 1, READ, ctl_group_members, NULL, "list its members"},
    {"group hosts", "GROUP", 1, 1, READ, ctl_group_hosts, NULL,
     "list the hosts that its members may start on"},
    {"group plan", "GROUP", 1, 1, READ, ctl_group_plan, NULL,
     "where its members would go if they were started now"},
    {"group history", "GROUP [MEMBER]", 1, 2, READ, ctl_group_history, NULL,
     "what happened to its members"},
    {"group create", "GROUP", 1, 1, READ | CTL_G_GROUP, ctl_group_create, NULL,
     "make an empty group"},
    {"group delete", "GROUP", 1, 1, READ, ctl_group_delete, NULL,
     "forget a group; its domains are left alone"},
    {"group add-member", "GROUP MEMBER...", 2, MANY, READ | CTL_G_MEMBER, ctl_group_add, NULL,
     "put domains into a group, by NAME, HOST/NAME or UUID"},
    {"group remove-member", "GROUP MEMBER...", 2, MANY, READ, ctl_group_remove, NULL,
     "take them out; the domains are left alone"},
    {"group set", "GROUP [MEMBER]", 1, 2, READ | CTL_G_GROUP | CTL_G_MEMBER, ctl_group_set, NULL,
     "change options of a group, or of one member"},
    {"group start", "GROUP", 1, 1, ACT, ctl_group_verb, VERB(CTL_GROUP_START),
     "start its members, spread over its hosts"},
    {"group shutdown", "GROUP", 1, 1, ACT, ctl_group_verb, VERB(CTL_GROUP_SHUTDOWN),
     "ask its members to shut down"},
    {"group reboot", "GROUP", 1, 1, ACT, ctl_group_verb, VERB(CTL_GROUP_REBOOT),
     "ask its members to reboot"},
    {"group pause", "GROUP", 1, 1, ACT, ctl_group_verb, VERB(CTL_GROUP_PAUSE),
     "stop their processors"},
    {"group unpause", "GROUP", 1, 1, ACT, ctl_group_verb, VERB(CTL_GROUP_UNPAUSE),
     "let their processors go on"},
    {"group suspend", "GROUP", 1, 1, ACT, ctl_group_verb, VERB(CTL_GROUP_SUSPEND),
     "save them to files on their hosts and end them"},
    {"group resume", "GROUP", 1, 1, ACT, ctl_group_verb, VERB(CTL_GROUP_RESUME),
     "bring suspended members back"},
    {"group destroy", "GROUP", 1, 1, ACT, ctl_group_verb, VERB(CTL_GROUP_DESTROY),
     "end them at once, like pulling the plug"},
    {"group reset", "GROUP", 1, 1, ACT, ctl_group_verb, VERB(CTL_GROUP_RESET),
     "destroy them and start them again"},
    {"group migrate", "GROUP HOST", 2, 2, ACT, ctl_group_verb, VERB(CTL_GROUP_MIGRATE),
     "move all that run to one host"},
    {"group rebalance", "GROUP", 1, 1, ACT, ctl_group_verb, VERB(CTL_GROUP_REBALANCE),
     "move as few as will do until they are spread over its hosts"},
    {"discover", "[SUBNETS]", 0, 1, READ | CTL_G_WAIT | CTL_G_DISCOVER | CTL_G_FINDS, ctl_discover,
     NULL, "look for hosts that run Xen, in subnets or in those of the agent's machine"},
    {"finds", "", 0, 0, READ | CTL_G_FINDS, ctl_finds, NULL, "list what discoveries found"},
    {"register", "FIND KEY", 2, 2, READ | CTL_G_WAIT | CTL_G_REGISTER, ctl_register, NULL,
     "make a find a source"},
    {"credential add", "CREDENTIAL", 1, 1, LOCAL | CTL_G_CREDENTIAL, ctl_credential_add, NULL,
     "write a credential for sources (on the agent's machine)"},
    {"credential list", "", 0, 0, LOCAL, ctl_credential_list, NULL,
     "names of credentials (on the agent's machine)"},
    {"trust", "SOURCE|URI", 1, 1, READ | CTL_G_TRUST, ctl_trust, NULL,
     "trust a host's SSH key or certificate after a look at it (on the agent's machine)"},
    {"snmpd-config", "[FILE]", 0, 1, CTL_G_JSON | CTL_G_SNMPD, ctl_snmpd_config, NULL,
     "print a secure configuration for snmpd; --check judges the one it has (on its machine)"},
    {"snmpd-user", "USER", 1, 1, CTL_G_JSON | CTL_G_SNMPD_USERS, ctl_snmpd_user, NULL,
     "make an SNMPv3 user of an snmpd that is stopped (on its machine)"},
    {"backup", "DIR", 1, 1, STATE, ctl_backup, NULL,
     "copy the agent's databases into a new folder, also while it runs (on its machine)"},
    {"export", "[FILE]", 0, 1, CTL_G_STATE, ctl_export, NULL,
     "what moves to another machine, as a text without secrets (on the agent's machine)"},
    {"import", "FILE", 1, 1, STATE, ctl_import, NULL,
     "the same into the empty state folder of an agent that is stopped (on its machine)"},
    {"watch", "", 0, 0, READ | CTL_G_WATCH, ctl_watch, NULL,
     "print what changes, until interrupted"},
    {"events", "", 0, 0, READ | CTL_G_EVENTS, ctl_events, NULL, "what happened, and what happens"},
    {"oid", "NAME|HOST|SOURCE [COLUMN]", 1, 2, READ, ctl_oid, NULL,
     "numeric OIDs of a domain, host or source"},
    {"doctor", "", 0, 0, READ | CTL_G_DOCTOR, ctl_doctor, NULL,
     "look for what is not well, and say the cure"},
    {"names", "KIND", 1, 1, CTL_G_AGENT, ctl_names, NULL,
     "names alone, one a line: of domains, groups, hosts, ops, snapshots or sources"},
    {"version", "", 0, 0, CTL_G_ALWAYS, ctl_version, NULL, "print the version"},
    {"help", "[COMMAND]", 0, 2, CTL_G_ALWAYS | CTL_G_JSON, ctl_help, NULL,
     "explain xenctl or a command"},
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
