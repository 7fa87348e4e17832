#!/usr/bin/env python3
"""vApps of a pool as groups, through snmpd and xenctl: shown, followed, started and shut down as a whole; never changed here."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import diag, done, is_, ok  # noqa: E402
from xapi import NULL, PoolLab, guests  # noqa: E402

CREATE_AND_GO, DESTROY = 4, 6
START, SHUTDOWN = 2, 3
OK, DEGRADED, UNKNOWN, STOPPED = 1, 2, 6, 7
HYPERVISOR = 4
RUNNING, SHUT = 4, 11
FINISHED, RESULT_OK = 5, 2
LABEL = "shop & <co> \u00e9"


class Estate(PoolLab):
    def make(self, label, *vms):
        """(reference, name of its group) of a vApp of VMs (reference, order, delay)."""
        made = self.session.VM_appliance.create({"name_label": label, "name_description": ""})
        for vm, order, delay in vms:
            self.session.VM.set_appliance(vm, made)
            self.session.VM.set_order(vm, str(order))
            self.session.VM.set_start_delay(vm, str(delay))
        return made, self.session.VM_appliance.get_uuid(made).replace("-", "")

    def groups(self):
        return self.table("xenGroupTable")

    def members(self, name):
        """{uuid: row}"""
        return {index[1]: row for index, row in self.table("xenMemberTable").items() if index[0] == name}

    def becomes(self, name, condition):
        ok(self.wait(condition, name), name)

    def refused(self, name, *varbinds):
        is_(self.set(*varbinds), "notWritable", name)

    def reason(self):
        return str(self.get(self.oid("xenSetLastError", 0)))

    def ask(self, name, action, what):
        """An action on the whole, to its end."""
        before = max(self.table("xenOperationTable"), default=0)
        is_(self.set(self.oid("xenGroupPower", name), "i", action), "noError", f"{what} is accepted") or diag(self.reason())

        def ended():
            for index, row in sorted(self.table("xenOperationTable").items()):
                if index > before and row.get("xenOperationGroupName") == name and "xenOperationParent" not in row:
                    return row if row["xenOperationState"] == FINISHED else None
            return None
        return self.wait(ended, f"{what} ends", 60)


def shown(lab):
    halted = sorted(guests(lab.session, "Halted"), key=lab.session.VM.get_uuid)[:3]
    made, name = lab.make(LABEL, (halted[0], 0, 0), (halted[1], 2, 1), (halted[2], 2000000000, 0))
    lab.becomes("a vApp of three VMs is a group", lambda: len(lab.members(name)) == 3 and lab.groups()[name]["xenGroupMembers"] == 3)
    uuids = [lab.session.VM.get_uuid(vm) for vm in halted]

    def priorities():
        rows = lab.members(name)
        return [rows[uuid]["xenMemberPriority"] for uuid in uuids]
    lab.becomes("their order is kept, also where it is beyond all priorities", lambda: priorities() == [1, 2, 3])
    lab.session.VM.set_order(halted[2], "7")
    lab.becomes("and shows as it is where it is not", lambda: priorities() == [1, 3, 8])
    row, rows = lab.groups()[name], lab.members(name)
    is_([row[f"xenGroup{key}"] for key in ("Label", "Origin", "Status", "Shutdown")], [LABEL, HYPERVISOR, STOPPED, 3],
        "it has the vApp's name, its hypervisor's hand, and its VMs are off")
    is_(sorted(row["xenGroupHosts"].split()), sorted(lab.table("xenHostTable")), "on the hosts of its pool")
    ok("xenGroupDescr" not in row, "a description that is not told is absent")
    is_([rows[uuid]["xenMemberDelay"] for uuid in uuids], [0, 1, 0], "members have their delays")
    indexes = {uuid: guest["index"] for uuid, guest in lab.guests().items()}
    is_([rows[uuid]["xenMemberDomainIndex"] for uuid in uuids], [indexes[uuid] for uuid in uuids], "and are domains")
    is_([rows[uuid]["xenMemberDescr"] for uuid in uuids], [lab.session.VM.get_name_label(vm) for vm in halted], "whose names are shown")
    return made, name, halted, uuids


def kept(lab, name, uuids):
    """What defines it belongs to XAPI."""
    def all_of_it():
        columns = ("Label", "Hosts", "Policy", "Order", "MinRunning", "Members", "Origin", "RowStatus")
        return [lab.groups()[name][f"xenGroup{column}"] for column in columns], lab.members(name)
    before = all_of_it()
    for column, kind, value in (("Descr", "s", "mine"), ("Hosts", "s", "*"), ("Policy", "i", 1), ("Order", "i", 2), ("MinRunning", "u", 1),
                                ("RowStatus", "i", DESTROY)):
        lab.refused(f"xenGroup{column} of it is not writable", lab.oid(f"xenGroup{column}", name), kind, value)
    ok("change it in XAPI" in lab.reason() and LABEL in lab.reason(), "the reason says where to change it") or diag(lab.reason())
    for column, kind, value in (("Priority", "u", 9), ("Delay", "u", 9), ("Pin", "s", "x"), ("Descr", "s", "mine"), ("RowStatus", "i", DESTROY)):
        lab.refused(f"xenMember{column} of it is not writable", lab.oid(f"xenMember{column}", name, uuids[0]), kind, value)
    lab.refused("no member is added", lab.oid("xenMemberRowStatus", name, "another"), "i", CREATE_AND_GO)
    host = sorted(lab.table("xenHostTable"))[0]
    lab.refused("a host's weight is not writable", lab.oid("xenGroupHostWeight", name, host), "u", 9)
    is_(all_of_it(), before, "nothing has changed")
    is_(lab.set(lab.oid("xenGroupRowStatus", "0" * 32), "i", CREATE_AND_GO), "wrongValue", "no group can be made that is called like a vApp")


def acts(lab, name, uuids):
    def states():
        return [lab.session.VM.get_power_state(lab.session.VM.get_by_uuid(uuid)) for uuid in uuids]
    row = lab.ask(name, START, "start")
    is_((row["xenOperationResult"], row["xenOperationTarget"], row["xenOperationTotal"]), (RESULT_OK, LABEL, 3), "all three are started")
    is_(states(), ["Running"] * 3, "XAPI says so too")
    parts = [row["xenOperationTarget"] for _, row in sorted(lab.table("xenOperationTable").items())
             if row.get("xenOperationGroupName") == name and "xenOperationParent" in row]
    is_(parts, [lab.members(name)[uuid]["xenMemberDescr"] for uuid in uuids], "in the vApp's order")
    lab.becomes("the group is well", lambda: lab.groups()[name]["xenGroupStatus"] == OK)
    row = lab.ask(name, SHUTDOWN, "shutdown")
    is_((row["xenOperationResult"], states()), (RESULT_OK, ["Halted"] * 3), "all three are shut down")
    lab.becomes("the group is stopped", lambda: lab.groups()[name]["xenGroupStatus"] == STOPPED)


def xenctl(lab, name, uuids):
    def run(*arguments):
        result = lab.xenctl("group", *arguments)
        return result.returncode, result.stdout, result.stderr
    code, out, _ = run("list", "--json")
    listed = json.loads(out)
    is_((code, [(row["name"], row["label"]) for row in listed]), (0, [(name, LABEL)]), "xenctl group list has its name and its label")
    is_([run("show", word)[0] for word in (LABEL, name)], [0, 0], "group show takes either")
    code, out, _ = run("members", LABEL)
    ok(code == 0 and all(uuid in out for uuid in uuids), "group members has them")
    code, out, err = run("start", LABEL)
    is_(code, 0, "group start starts it") or diag(out + err)
    code, out, err = run("shutdown", name)
    is_(code, 0, "group shutdown ends it") or diag(out + err)
    ok(len(run("history", LABEL)[1].splitlines()) > 6, "its history is there")
    ok("change it in XAPI" in run("delete", LABEL)[2], "group delete says why it can't")
    is_(lab.xenctl("names", "groups").stdout, LABEL + "\n", "names has the label")
    _, twin = lab.make(LABEL, (guests(lab.session, "Running")[0], 0, 0))
    lab.becomes("another vApp has the same name", lambda: twin in lab.groups())
    code, _, err = run("show", LABEL)
    ok(code == 8 and name in err and twin in err, "the label stands for none then, and the names are told") or diag(err)
    is_(sorted(lab.xenctl("names", "groups").stdout.split()), sorted((name, twin)), "names has the names")
    is_(run("show", name)[0], 0, "which go on to work")
    is_(run("show", "nobody")[0], 8, "what there is not is not found")
    lab.session.VM_appliance.destroy(lab.session.VM_appliance.get_by_uuid("-".join((twin[:8], twin[8:12], twin[12:16], twin[16:20], twin[20:]))))
    lab.becomes("it goes", lambda: twin not in lab.groups())


def follows(lab, made, name, halted):
    last = lab.groups()[name]["xenGroupLastOpIndex"]
    lab.pool.control("set", "VM_appliance", made, "name_label", "'store'")
    lab.becomes("a new name is a new label", lambda: lab.groups()[name]["xenGroupLabel"] == "store")
    lab.session.VM.set_appliance(halted[2], NULL)
    lab.becomes("a VM that is taken out is no member", lambda: lab.groups()[name]["xenGroupMembers"] == 2 and len(lab.members(name)) == 2)
    lab.restart("xensnmpd")
    lab.becomes("a restart of the agent brings it back", lambda: len(lab.members(name)) == 2)
    row = lab.groups()[name]
    is_((row["xenGroupLabel"], row["xenGroupLastOpIndex"]), ("store", last), "by the same name, with its last operation")
    ok(any(index[0] == name for index in lab.table("xenGroupHistoryTable")), "and its history")
    lab.pool.control("mode", "all", "refuse")
    lab.becomes("while the pool does not answer nothing is known of it", lambda: lab.groups()[name]["xenGroupStatus"] == UNKNOWN)
    is_((lab.groups()[name]["xenGroupUnknown"], len(lab.members(name))), (2, 2), "but what it is made of")
    lab.pool.control("mode", "all", "normal")
    lab.becomes("then it is as it was", lambda: lab.groups()[name]["xenGroupStatus"] == STOPPED)


with Estate(hosts=2, domains=16) as estate:
    estate.begin()
    is_(estate.groups(), {}, "a pool without vApps has no groups")
    appliance, group, stopped, ids = shown(estate)
    kept(estate, group, ids)
    acts(estate, group, ids)
    xenctl(estate, group, ids)
    follows(estate, appliance, group, stopped)
    for gone in estate.session.VM_appliance.get_all():
        estate.session.VM_appliance.destroy(gone)
    estate.becomes("it goes with the vApp", lambda: not estate.groups() and not estate.table("xenMemberTable"))
done()
