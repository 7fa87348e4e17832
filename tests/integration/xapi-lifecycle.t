#!/usr/bin/env python3
"""Snapshots of a pool's domains, and maintenance of its hosts: what is taken, shown, gone back to and deleted; once, though answers
are lost and workers killed."""

import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import diag, done, is_, ok  # noqa: E402
from xapi import NULL, PoolLab  # noqa: E402

UP, MAINTENANCE = 2, 8
RUNNING, SUSPENDED, SHUTDOWN = 4, 6, 11
FINISHED, OK, FAILED, LOST = 5, 2, 4, 7
DISK, CHECKPOINT = 1, 2
DELETE, EVACUATE, ENABLE, DISABLE = 13, 22, 23, 24
NO_TEMPLATE, NO_SR = "the pool has no template", "00000000-0000-4000-8000-000000000bad"
TEMPLATE, OWN_TEMPLATE = "Debian Bookworm 12", "our own golden image"
TRUE, FALSE = 1, 2


class Estate(PoolLab):
    def rows(self):
        """{index: row} of the guests."""
        return {row["index"]: row for row in self.guests().values()}

    def runner(self):
        """(index, reference) of a guest that runs."""
        index = min(i for i, row in self.rows().items() if row["xenDomainState"] == RUNNING)
        return index, self.session.VM.get_by_uuid(self.rows()[index]["xenDomainUuid"])

    def points(self, index):
        """{name: row with its number} of one domain's snapshots."""
        return {row["xenSnapshotName"]: dict(row, number=key[1]) for key, row in self.table("xenSnapshotTable").items()
                if key[0] == index and {"xenSnapshotName", "xenSnapshotKind", "xenSnapshotUuid"} <= row.keys()}

    def point(self, index, name):
        return self.wait(lambda: self.points(index).get(name), f"the snapshot {name} is shown")

    def ask(self, name, oid, kind, value, *more, result=OK):
        """An operation by one SET, to its end; its row."""
        before = max(self.table("xenOperationTable"), default=0)
        error = self.set((oid, kind, value), *more)
        is_(error, "noError", f"{name} is accepted") or diag(self.get(self.oid("xenSetLastError", 0)))

        def ended():
            rows = self.table("xenOperationTable")
            op = max((i for i in rows if i > before), default=0)
            return op and rows[op].get("xenOperationState") == FINISHED and rows[op]
        row = self.wait(ended, f"{name} has ended", 40)
        is_((row["xenOperationResult"], row.get("xenOperationText", "") if result == OK else ""), (result, ""), f"{name} ends as it is to")
        return row

    def of(self, index, column):
        return self.oid(column, index)

    def refused(self, name, error, *varbinds):
        is_(self.set(*varbinds), error, name)

    def becomes(self, name, condition):
        ok(self.wait(condition, name), name)


def disks(lab, vm):
    """{VDI: its VBDs} of a VM's disks."""
    vbds = [lab.session.VBD.get_record(ref) for ref in lab.session.VM.get_VBDs(vm)]
    return [vbd["VDI"] for vbd in vbds if vbd["type"] == "Disk" and vbd["VDI"] != NULL]


def shows(lab):
    """What was there before the agent came."""
    records = lab.session.VM.get_all_records()
    wanted = sorted((vm["uuid"], vm["name_label"]) for vm in records.values() if vm["is_a_snapshot"])
    rows = lab.wait(lambda: lab.table("xenSnapshotTable"), "there are snapshots")
    is_(sorted((row["xenSnapshotUuid"], row["xenSnapshotName"]) for row in rows.values()), wanted, "the pool's snapshots are shown")
    ok(all(row["xenSnapshotLabel"].endswith(" @" + row["xenSnapshotName"]) for row in rows.values()), "with labels")
    lab.restart("xensnmpd")
    lab.wait(lambda: lab.table("xenSnapshotTable"), "there are snapshots again", 30)
    is_(sorted(lab.table("xenSnapshotTable")), sorted(rows), "by the same numbers after a restart")


def takes(lab, index, vm):
    lab.ask("snapshot", lab.of(index, "xenDomainSnapshotNow"), "s", "first")
    row = lab.point(index, "first")
    ref = lab.session.VM.get_by_uuid(row["xenSnapshotUuid"])
    is_((row["xenSnapshotKind"], lab.session.VM.get_snapshot_of(ref)), (DISK, vm), "it is one of the disks, of this VM")
    ok("xenSnapshotCreated" in row, "with its time")
    lab.becomes("the domain counts it", lambda: (lab.get(lab.of(index, "xenDomainSnapshots")) or 0) >= len(lab.points(index)))
    is_(lab.rows()[index]["xenDomainState"], RUNNING, "the domain runs on")
    lab.ask("checkpoint", lab.of(index, "xenDomainCheckpointNow"), "s", "whole")
    is_(lab.point(index, "whole")["xenSnapshotKind"], CHECKPOINT, "and one with the memory")
    before = sorted(lab.points(index))
    lock = lab.get(lab.of(index, "xenDomainLock"))
    lab.refused("a name that is taken is refused", "inconsistentValue", (lab.of(index, "xenDomainLock"), "i", lock),
                (lab.of(index, "xenDomainSnapshotNow"), "s", "first"))
    ok("has a snapshot first already" in lab.get(lab.oid("xenSetLastError", 0)), "and it is said why")
    lab.refused("a name that is no text is refused", "wrongValue", lab.of(index, "xenDomainSnapshotNow"), "s", "a\tb")
    lab.refused("no name asks for nothing", "noError", lab.of(index, "xenDomainSnapshotNow"), "s", "")
    lab.refused("nor does no number", "noError", lab.of(index, "xenDomainRevertTo"), "u", 0)
    control = min(i for i, row in lab.table("xenDomainTable").items() if row.get("xenDomainKind") == 2)
    lab.refused("a control domain has no snapshots", "noAccess", lab.of(control, "xenDomainSnapshotNow"), "s", "x")
    is_(sorted(lab.points(index)), before, "nothing came of all that")


def reverts(lab, index, vm):
    number = {name: row["number"] for name, row in lab.points(index).items()}
    lab.refused("protection is accepted", "noError", lab.of(index, "xenDomainProtected"), "i", TRUE)
    for column in ("xenDomainRevertTo", "xenDomainDeleteSnapshot"):
        lab.refused(f"{column}: a protected domain refuses", "noAccess", lab.of(index, column), "u", number["first"])
    lab.refused("protection ends", "noError", lab.of(index, "xenDomainProtected"), "i", FALSE)
    other = min(i for i in lab.rows() if i != index and not any(k[0] == i and k[1] == number["first"] for k in lab.table("xenSnapshotTable")))
    ok(lab.set(lab.of(other, "xenDomainRevertTo"), "u", number["first"]) != "noError", "another domain has no such snapshot")
    lab.ask("revert", lab.of(index, "xenDomainRevertTo"), "u", number["first"])
    lab.becomes("a domain that ran is shut down", lambda: lab.get(lab.of(index, "xenDomainState")) == SHUTDOWN)
    lab.ask("revert to memory, too", lab.of(index, "xenDomainRevertTo"), "u", number["whole"])
    lab.becomes("the domain is suspended", lambda: lab.get(lab.of(index, "xenDomainState")) == SUSPENDED)
    lab.ask("resume", lab.of(index, "xenDomainPower"), "i", 8)
    lab.becomes("and goes on from there", lambda: lab.get(lab.of(index, "xenDomainState")) == RUNNING)


def deletes(lab, index, vm):
    points = lab.points(index)
    ref = lab.session.VM.get_by_uuid(points["whole"]["xenSnapshotUuid"])
    own, memory = disks(lab, ref), lab.session.VM.get_suspend_VDI(ref)
    kept = disks(lab, vm)
    ok(own and memory != NULL and not set(own) & set(kept), "a snapshot has disks of its own")
    lab.ask("deletion", lab.of(index, "xenDomainDeleteSnapshot"), "u", points["whole"]["number"])
    lab.becomes("its row is gone", lambda: "whole" not in lab.points(index))
    is_([vdi for vdi in [*own, memory] if vdi in lab.session.VDI.get_all()], [], "with its disks, and that of the memory")
    is_([vdi for vdi in kept if vdi not in lab.session.VDI.get_all()], [], "the domain's are there")
    ref = lab.session.VM.get_by_uuid(points["first"]["xenSnapshotUuid"])
    shared = disks(lab, ref)[0]
    user = lab.session.VDI.get_VBDs(shared)[0]
    lab.pool.control("set", "VDI", shared, "VBDs", f"['{user}', 'OpaqueRef:of-another-vm']")
    lab.ask("another deletion", lab.of(index, "xenDomainDeleteSnapshot"), "u", points["first"]["number"])
    lab.becomes("that row is gone, too", lambda: "first" not in lab.points(index))
    ok(shared in lab.session.VDI.get_all(), "a disk that another VM has stays")


def once(lab, index, vm):
    """Answers that are lost, and workers that are killed."""
    lab.pool.control("mode", "1", "cut", "Async.VM.snapshot")
    lab.ask("snapshot, without an answer", lab.of(index, "xenDomainSnapshotNow"), "s", "lost")
    row = lab.point(index, "lost")
    lab.pool.control("mode", "1", "cut", "Async.VM.destroy")
    lab.ask("deletion, without an answer", lab.of(index, "xenDomainDeleteSnapshot"), "u", row["number"])
    lab.pool.control("mode", "1", "normal")
    rows = {i: row for i, row in lab.rows().items() if row["xenDomainState"] in (RUNNING, SUSPENDED, SHUTDOWN)}
    before = lab.session.VM.get_all_records()
    for i in rows:
        lab.refused(f"snapshot of domain {i} is accepted", "noError", lab.of(i, "xenDomainSnapshotNow"), "s", "storm")
    for _ in range(2):
        for worker in lab.workers():
            os.kill(worker, signal.SIGKILL)
        lab.wait(lab.workers, "there is another worker")
    lab.wait(lambda: all(row["xenOperationState"] == FINISHED for row in lab.table("xenOperationTable").values()), "all have ended", 60)
    made = [vm["snapshot_of"] for ref, vm in lab.session.VM.get_all_records().items() if ref not in before and vm["is_a_snapshot"]]
    is_((len(made), len(set(made))), (len(rows), len(rows)), "each domain has one more snapshot, though workers were killed")


def maintains(lab):
    hosts = {row["xenHostName"]: key for key, row in lab.table("xenHostTable").items()}
    name = sorted(hosts)[0]
    key, ref = hosts[name], lab.session.host.get_by_name_label(name)[0]

    def residents():
        return [vm for vm in lab.session.host.get_resident_VMs(ref) if not lab.session.VM.get_is_control_domain(vm)]
    action = lab.oid("xenHostAction", key)
    lab.ask("hostDisable", action, "i", DISABLE)
    is_(lab.session.host.get_enabled(ref), False, "the pool says so")
    lab.becomes("the host is in maintenance", lambda: lab.get(lab.oid("xenHostState", key)) == MAINTENANCE)
    lab.ask("hostEnable", action, "i", ENABLE)
    lab.becomes("the host is up", lambda: lab.get(lab.oid("xenHostState", key)) == UP)
    ok(residents(), "guests run on it")
    row = lab.ask("evacuate", action, "i", EVACUATE)
    is_((residents(), row["xenOperationHostFrom"]), ([], key), "none is left on it")
    is_(lab.session.host.get_enabled(ref), False, "and it takes no new ones")
    lab.becomes("which is shown", lambda: not [i for i, r in lab.rows().items() if r["xenDomainState"] == RUNNING and
                                               lab.get(lab.of(i, "xenDomainHost")) == key])
    lab.ask("hostEnable again", action, "i", ENABLE)


def clones(lab, index, vm):
    lab.refused("a domain that runs is not cloned", "inconsistentValue", lab.of(index, "xenDomainCloneAs"), "s", "dolly")
    lab.refused("nor deleted", "inconsistentValue", lab.of(index, "xenDomainForce"), "i", DELETE)
    lab.ask("shutdown", lab.of(index, "xenDomainPower"), "i", 3)
    lab.becomes("it is shut down", lambda: lab.get(lab.of(index, "xenDomainState")) == SHUTDOWN)
    lab.refused("a name that is taken is refused", "inconsistentValue", lab.of(index, "xenDomainCloneAs"), "s",
                lab.rows()[index]["xenDomainName"])
    lab.pool.control("mode", "1", "cut", "Async.VM.clone")
    lab.ask("clone, without an answer", lab.of(index, "xenDomainCloneAs"), "s", "dolly")
    lab.pool.control("mode", "1", "normal")
    made = lab.session.VM.get_by_name_label("dolly")
    is_(len(made), 1, "there is one")
    copy = lab.wait(lambda: next((i for i, row in lab.rows().items() if row.get("xenDomainName") == "dolly" and
                                  row["xenDomainState"] == SHUTDOWN), 0), "the clone is shown")
    own, kept = disks(lab, made[0]), disks(lab, vm)
    ok(own and not set(own) & set(kept), "with disks of its own")
    lab.refused("protection is accepted", "noError", lab.of(copy, "xenDomainProtected"), "i", TRUE)
    lab.refused("a protected domain is not deleted", "noAccess", lab.of(copy, "xenDomainForce"), "i", DELETE)
    lab.refused("protection ends", "noError", lab.of(copy, "xenDomainProtected"), "i", FALSE)
    lab.ask("delete", lab.of(copy, "xenDomainForce"), "i", DELETE)
    is_(lab.session.VM.get_by_name_label("dolly"), [], "it is gone")
    is_([vdi for vdi in own if vdi in lab.session.VDI.get_all()], [], "with its disks")
    is_([vdi for vdi in kept if vdi not in lab.session.VDI.get_all()], [], "and with no other")
    lab.ask("start", lab.of(index, "xenDomainPower"), "i", 2)


def create(lab, name, template, title, result=OK, says=""):
    """A VM from a template on the first host; the operation's row and what VMs have the title."""
    key = sorted(lab.table("xenHostTable"))[0]
    row = lab.ask(name, lab.oid("xenHostCreate", key), "s", template, (lab.oid("xenHostCreateAs", key), "s", title), result=result)
    ok(says in row.get("xenOperationText", ""), f"{name}: it is said why") or diag(row)
    left = [vm["name_label"] for vm in lab.session.VM.get_all_records().values() if "(xensnmp" in vm["name_label"]]
    tasks = [task for task in lab.session.task.get_all_records().values() if task["name_label"].startswith("xensnmp ")]
    is_((left, tasks), ([], []), f"{name}: nothing is left behind of the way there")
    return row, lab.session.VM.get_by_name_label(title)


def creates(lab):
    key = sorted(lab.table("xenHostTable"))[0]
    column, title = lab.oid("xenHostCreate", key), lab.oid("xenHostCreateAs", key)
    lab.refused("a template without a name for what it makes is refused", "inconsistentValue", column, "s", TEMPLATE)
    lab.refused("a name alone is refused", "inconsistentValue", title, "s", "alone")
    lab.refused("a name with another action is refused", "inconsistentValue", (title, "s", "x"), (lab.oid("xenHostAction", key), "i", 25))
    lab.refused("a name that is no text is refused", "wrongValue", (column, "s", TEMPLATE), (title, "s", "a\tb"))
    lab.refused("a name that is taken is refused", "inconsistentValue", (column, "s", TEMPLATE),
                (title, "s", min(row["xenDomainName"] for row in lab.rows().values())))
    lab.refused("a pool has no configuration files", "wrongValue", lab.oid("xenHostStartFile", key), "s", "/etc/xen/web.cfg")
    row, made = create(lab, "creation", TEMPLATE, "web7")
    vm = lab.session.VM.get_record(made[0])
    host = lab.session.host.get_name_label(vm["resident_on"])
    is_((len(made), vm["power_state"], host), (1, "Running", lab.table("xenHostTable")[key]["xenHostName"]), "it runs on that host")
    is_([int(lab.session.VDI.get_virtual_size(vdi)) >> 30 for vdi in disks(lab, made[0])], [10], "with the disk that the template describes")
    is_(lab.rows().get(row.get("xenOperationDomainIndex"), {}).get("xenDomainName"), "web7", "the operation names the domain")
    is_(vm["other_config"].get("base_template_name"), TEMPLATE, "made of that template")
    before = max(lab.table("xenOperationTable"))
    lab.refused("the same once more is the same", "noError", (column, "s", TEMPLATE), (title, "s", "web7"))
    is_(max(lab.table("xenOperationTable")), before, "no operation comes of it")


def creates_not(lab):
    """What goes wrong, and what is left then."""
    create(lab, "creation from nothing", "no such template", "web8", FAILED, NO_TEMPLATE)
    create(lab, "creation from a guest", min(row["xenDomainUuid"] for row in lab.rows().values()), "web8", FAILED, NO_TEMPLATE)
    own = lab.session.VM.get_by_name_label(OWN_TEMPLATE)[0]
    second = lab.session.VM.clone(own, OWN_TEMPLATE)
    _, made = create(lab, "creation from one of two", OWN_TEMPLATE, "web8", FAILED, "2 templates of the pool have the name")
    is_(made, [], "nothing was made")
    lab.session.VM.add_to_other_config(second, "disks", f'<provision><disk device="0" size="1"/><disk device="1" size="1" sr="{NO_SR}"/></provision>')
    vdis = sorted(lab.session.VDI.get_all())
    _, made = create(lab, "creation without storage", lab.session.VM.get_uuid(second), "web8", FAILED, "UUID_INVALID")
    is_((made, sorted(lab.session.VDI.get_all())), ([], vdis), "the half VM is removed, with its disks")
    for field in ("memory_static_max", "memory_dynamic_max"):
        lab.pool.control("set", "VM", own, field, str(1 << 50))
    row, made = create(lab, "creation without memory", lab.session.VM.get_uuid(own), "web8", FAILED, "HOST_NOT_ENOUGH_FREE_MEMORY")
    is_(len(made), 1, "the VM that can't be started stays")
    ok(lab.session.VM.get_uuid(made[0]) in row["xenOperationText"], "the operation names it")
    kept = lab.wait(lambda: next((i for i, r in lab.rows().items() if r.get("xenDomainName") == "web8" and
                                  r["xenDomainState"] == SHUTDOWN), 0), "it is shown")
    lab.ask("deletion of it", lab.of(kept, "xenDomainForce"), "i", DELETE)


def creates_once(lab):
    for number, method in enumerate(("task.create", "Async.VM.clone", "VM.set_name_label", "Async.VM.provision", "Async.VM.start_on")):
        lab.pool.control("mode", "1", "cut", method)
        _, made = create(lab, f"creation, {method} without an answer", TEMPLATE, f"cut{number}")
        is_(len(made), 1, "there is one")
        lab.pool.control("mode", "1", "normal")
    hosts = sorted(lab.table("xenHostTable"))
    for number, key in enumerate(hosts):
        lab.refused(f"creation on {key} is accepted", "noError", (lab.oid("xenHostCreate", key), "s", TEMPLATE),
                    (lab.oid("xenHostCreateAs", key), "s", f"storm{number}"))
    for _ in range(3):
        for worker in lab.workers():
            os.kill(worker, signal.SIGKILL)
        lab.wait(lab.workers, "there is another worker")
    lab.wait(lambda: all(row["xenOperationState"] == FINISHED for row in lab.table("xenOperationTable").values()), "all have ended", 60)
    ends = {row["xenOperationTarget"]: row for row in lab.table("xenOperationTable").values()}
    for number in range(len(hosts)):
        end, made = ends[f"storm{number}"], lab.session.VM.get_by_name_label(f"storm{number}")
        # One whose copy was not asked for yet, while others copied, can't tell that it was not its own.
        ok((end["xenOperationResult"], len(made)) in ((OK, 1), (LOST, 0)), f"storm{number}: made once, or lost, though workers were killed") or \
            diag(f"{len(made)} VMs, {end}")
    records = lab.session.VM.get_all_records().values()
    is_([vm["name_label"] for vm in records if "(xensnmp" in vm["name_label"]], [], "none is left half made")


def exits(lab, status, name, *words, says=None):
    result = lab.xenctl(*words)
    ok(result.returncode == status and (not says or re.search(says, result.stdout + result.stderr)), f"xenctl {name}") or \
        diag(f"status {result.returncode}\n{result.stdout}{result.stderr}")
    return result


def commands(lab, index):
    name = lab.rows()[index]["xenDomainName"]
    host = sorted(lab.table("xenHostTable"))[0]
    exits(lab, 0, "snapshot", "snapshot", name, "by hand", "--note", "ticket 7", says=": ok ")
    lab.point(index, "by hand")
    exits(lab, 0, "snapshots", "snapshots", name, says=re.escape(f"{name} @by hand"))
    ok("by hand" not in exits(lab, 0, "snapshots of another", "snapshots", "nobody").stdout, "are told apart by domain")
    ok("by hand" in exits(lab, 0, "names snapshots", "names", "snapshots").stdout.splitlines(), "and completed by name")
    exits(lab, 2, "snapshot again, of another kind", "checkpoint", name, "by hand", says="already")
    exits(lab, 8, "revert to nothing", "revert", name, "nothing", says="no such snapshot")
    exits(lab, 0, "revert", "revert", name, "by hand", says=": ok ")
    exits(lab, 0, "delete-snapshot", "delete-snapshot", name, "by hand", says=": ok ")
    exits(lab, 0, "host-disable", "host-disable", host, says=": ok ")
    exits(lab, 0, "evacuate", "evacuate", host, says=": ok ")
    exits(lab, 0, "host-enable", "host-enable", host, says=": ok ")
    exits(lab, 0, "create-from", "create-from", host, TEMPLATE, "by hand", says=": ok ")
    exits(lab, 2, "create-from, with a name that is taken", "create-from", host, TEMPLATE, name, says="already")


for known in ("8.2", "8.3"):
    with Estate(hosts=3, domains=6, speed=40) as estate:
        estate.begin(dialect=known)
        guest = estate.runner()
        takes(estate, *guest)
        reverts(estate, *guest)
        deletes(estate, *guest)
        maintains(estate)
        creates(estate)
        creates_not(estate)
        if known == "8.3":
            shows(estate)
            once(estate, *guest)
            clones(estate, *guest)
            creates_once(estate)
            commands(estate, guest[0])
done()
