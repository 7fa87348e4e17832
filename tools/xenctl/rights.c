/* The rights as one table: every column that can be written belongs to one of them. */
#include "tools/xenctl/rights.h"

#define NO_MORE SN_NONE

static const enum sn_id domain_parameters[] = {xenDomainLock, xenDomainStartOn, xenDomainTimeout,
                                               xenDomainNote, NO_MORE};
/* Of those that a group can be told, too. */
static const enum sn_id acting_parameters[] = {xenDomainLock, xenDomainStartOn, xenDomainTimeout,
                                               xenDomainNote, xenGroupLock,     xenGroupTimeout,
                                               xenGroupNote,  NO_MORE};
static const enum sn_id host_parameters[] = {xenHostNote, xenHostTimeout, NO_MORE};

const struct ctl_right ctl_rights[] = {
    {"power",
     "start, shut down, reboot, pause, suspend, resume",
     true,
     true,
     {xenDomainPower, xenNamePower, xenGroupPower, NO_MORE},
     acting_parameters},
    {"force",
     "destroy, reset, delete, dump the memory: guests may lose data",
     true,
     false,
     {xenDomainForce, xenNameForce, xenGroupForce, NO_MORE},
     acting_parameters},
    {"migrate",
     "move to another host, and find out whether that could be",
     true,
     true,
     {xenDomainMigrateTo, xenDomainCheckMigrateTo, xenNameMigrateTo, xenNameCheckMigrateTo,
      xenGroupMigrateTo, NO_MORE},
     acting_parameters},
    {"resources",
     "memory, processors and their shares",
     true,
     false,
     {xenDomainSetMemory, xenDomainSetVcpus, xenDomainSetWeight, xenDomainSetCap, NO_MORE},
     domain_parameters},
    {"snapshots",
     "take, revert to and delete snapshots; clone",
     true,
     false,
     {xenDomainSnapshotNow, xenDomainCheckpointNow, xenDomainRevertTo, xenDomainDeleteSnapshot,
      xenDomainCloneAs, NO_MORE},
     domain_parameters},
    {"protect",
     "protect, and take the protection away",
     true,
     false,
     {xenDomainProtected, NO_MORE},
     domain_parameters},
    {"cancel",
     "stop operations, also those of others",
     false,
     true,
     {xenOperationCancel, NO_MORE},
     NULL},
    {"hosts",
     "rescan, disable, evacuate and enable hosts",
     false,
     false,
     {xenHostAction, NO_MORE},
     host_parameters},
    {"create",
     "make domains",
     false,
     false,
     {xenHostStartFile, xenHostCreate, xenHostCreateAs, NO_MORE},
     host_parameters},
    {"sources",
     "connect the agent to any host with any credential that allows it",
     false,
     false,
     {xenSourceUri, xenSourceCredential, xenSourceEnabled, xenSourceInterval, xenSourceAddress,
      xenSourceConfigDirs, xenSourceSaveDir, xenSourceRowStatus, xenFoundRegisterAs,
      xenFoundRegisterCredential, NO_MORE},
     NULL},
    {"groups",
     "say which domains belong together, where they run, and what they are made from",
     false,
     false,
     {xenGroupDescr, xenGroupHosts, xenGroupPolicy, xenGroupOrder, xenGroupMinRunning,
      xenGroupRowStatus, xenMemberPriority, xenMemberDelay, xenMemberPin, xenMemberDescr,
      xenMemberCreate, xenMemberRowStatus, xenGroupHostWeight, xenGroupHostRowStatus, NO_MORE},
     NULL},
    {"discover",
     "look for hosts in the network",
     false,
     false,
     {xenDiscoveryStart, xenDiscoveryStartSubnets, xenDiscoveryStartProbes, xenDiscoveryStartRate,
      xenDiscoveryStartCredential, xenDiscoveryStartNote, NO_MORE},
     NULL},
};
const unsigned ctl_n_rights = G_N_ELEMENTS(ctl_rights);

unsigned ctl_right_find(const char *name)
{
    unsigned i = 0;

    while (i < ctl_n_rights && !g_str_equal(ctl_rights[i].name, name))
        i++;
    return i;
}

void ctl_right_columns(const struct ctl_right *right, ctl_right_column call, void *data)
{
    for (const enum sn_id *column = right->columns; *column != NO_MORE; column++)
        call(*column, data);
    for (const enum sn_id *column = right->parameters; column && *column != NO_MORE; column++)
        call(*column, data);
}
