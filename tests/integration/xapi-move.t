#!/usr/bin/env python3
"""Migration from one pool to another: the row goes along, what can't be is refused before it is begun, and it is done once, though
answers are lost and processes killed."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import diag, done, is_, ok  # noqa: E402
from xapi import TwoPools, XapiError  # noqa: E402

RUNNING = 4
FINISHED, OK, FAILED, CANCELLED = 5, 2, 4, 5
CANCEL = 2
MOVED = 4  # domainMoved


class Estate(TwoPools):
    """Two hosts are pool1."""

    def __init__(self, **options):
        super().__init__(hosts=3, domains=24, **options)
        self.asked = set()

    def places(self, uuid):
        """In which pools there is a VM of that uuid, and how it is there."""
        found = []
        for number, session in enumerate(self.sessions, 1):
            try:
                found.append((number, session.VM.get_power_state(session.VM.get_by_uuid(uuid))))
            except XapiError as error:
                if error.code not in ("UUID_INVALID", "HANDLE_INVALID"):
                    raise
        return found

    def runner(self, pool):
        """(index, uuid) of a guest that runs in that pool, and was not asked to move yet: the same once more is the same."""
        hosts = self.hosts_of(pool)
        return min((row["index"], uuid) for uuid, row in self.guests().items()
                   if row["xenDomainState"] == RUNNING and row.get("xenDomainHost") in hosts and row["index"] not in self.asked)

    def hosts_of(self, pool):
        names = {session.host.get_name_label(ref) for session in [self.sessions[pool - 1]] for ref in session.host.get_all()}
        return sorted(key for key, row in self.table("xenHostTable").items() if row.get("xenHostName") in names)

    def begin_move(self, index, host, column="xenDomainMigrateTo"):
        before = max(self.table("xenOperationTable"), default=0)
        self.asked.add(index)
        is_(self.set((self.oid(column, index), "s", host)), "noError", f"{column} {host} is accepted") or \
            diag(self.get(self.oid("xenSetLastError", 0)))
        return self.wait(lambda: max((i for i in self.table("xenOperationTable") if i > before), default=0), "there is an operation")

    def end_move(self, operation, name, result=OK):
        row = self.wait(lambda: (lambda op: op.get("xenOperationState") == FINISHED and op)(self.table("xenOperationTable").get(operation, {})),
                        f"{name} has ended", 60)
        is_(row["xenOperationResult"], result, name) or diag(row)
        return row

    def moves_told(self):
        return [row for row in self.table("xenEventTable").values() if row.get("xenEventType") == MOVED]

    def ask(self, name, index, host, result=OK, **more):
        return self.end_move(self.begin_move(index, host, **more), name, result)



def sessions_ended(lab):
    """How many sessions that a pool gave out for a migration were ended."""
    with open(lab.path("calls")) as calls:
        return calls.read().count("another pool\tsession.logout\t\n")


def checks(lab):
    """The question leaves nothing behind, not even a session."""
    index, uuid = lab.runner(1)
    lab.ask("check of a migration to the other pool", index, lab.hosts_of(2)[0], column="xenDomainCheckMigrateTo")
    is_([number for number, _ in lab.places(uuid)], [1], "the VM stays where it is")
    is_(sessions_ended(lab), 1, "the session that was given out for it is ended")


def moves(lab):
    index, uuid = lab.runner(1)
    host = lab.hosts_of(2)[0]
    rows = len(lab.guests())
    told = len(lab.moves_told())
    seconds = [lab.get(lab.oid("xenDomainCpuTime", index)) or 0]
    operation = lab.begin_move(index, host)

    def ended():
        seconds.append(lab.get(lab.oid("xenDomainCpuTime", index)) or seconds[-1])
        return lab.table("xenOperationTable")[operation].get("xenOperationState") == FINISHED
    lab.wait(ended, "the migration has ended", 60)
    lab.end_move(operation, "migration to the other pool")
    is_(lab.places(uuid), [(2, "Running")], "the VM runs in the other pool, and there alone")
    lab.turns("xenDomainHost", index, host, "its row keeps its index and shows the host")
    lab.turns("xenDomainState", index, RUNNING, "and that it runs")
    lab.wait(lambda: ended() and lab.get(lab.oid("xenDomainCpuTime", index)), "the processor time is shown again", 30)
    ended()
    is_(seconds, sorted(seconds), "its processor time never falls")
    is_(len(lab.guests()), rows, "there are as many rows as before")
    lab.wait(lambda: len(lab.moves_told()) > told, "the move is told")
    is_(len(lab.moves_told()), told + 1, "once")
    for back in lab.hosts_of(1):
        lab.ask(f"migration to {back} of the pool of two", index, back)
        lab.turns("xenDomainHost", index, back, f"the row shows {back}")
    is_(lab.places(uuid), [(1, "Running")], "it is back")
    is_(sessions_ended(lab), 3, "each session that was given out is ended")


def refuses(lab):
    index, uuid = lab.runner(1)
    host = lab.hosts_of(2)[0]
    session = lab.sessions[1]
    networks = {ref: session.network.get_name_label(ref) for ref in session.network.get_all()}
    marks = lab.session.VM.get_other_config(lab.session.VM.get_by_uuid(uuid))
    for ref in networks:
        lab.other.control("set", "network", ref, "name_label", "'somewhere else'")
    row = lab.ask("migration without the network", index, host, FAILED)
    ok("has 0 networks of the name" in row["xenOperationText"], "it is said why") or diag(row)
    is_(lab.session.VM.get_other_config(lab.session.VM.get_by_uuid(uuid)), marks, "nothing was begun")
    for ref, name in networks.items():
        lab.other.control("set", "network", ref, "name_label", f"'{name}'")
    there = session.host.get_all()[0]
    session.host.disable(there)
    index, uuid = lab.runner(1)
    row = lab.ask("migration to a host in maintenance", index, host, FAILED)
    ok("HOST_DISABLED" in row["xenOperationText"], "it is said why") or diag(row)
    session.host.enable(there)
    is_(lab.places(uuid), [(1, "Running")], "the VM runs where it was")
    ok("session_id" not in lab.log("xensnmpd") and "OpaqueRef" not in lab.log("xensnmpd"), "no secret is in the log")


def server(lab):
    """Our server's own honesty, as a client of both pools sees it."""
    (source, target), (_, uuid) = lab.sessions, lab.runner(1)
    vm, host = source.VM.get_by_uuid(uuid), target.host.get_all()[0]
    network = target.PIF.get_network(target.host.get_management_interface(host))
    dest = target.host.migrate_receive(host, network, {})
    is_(sorted(dest), ["SM", "host", "master", "session_id", "xenops"], "host.migrate_receive gives all that is needed")
    maps = {vif: network for vif in source.VM.get_VIFs(vm)}

    def fails(code, name, *params):
        try:
            source.VM.migrate_send(*params)
            ok(False, name)
        except XapiError as error:
            is_(error.code, code, name)
    fails("SESSION_INVALID", "a session of nobody is refused", vm, dict(dest, session_id=source.ref), True, {}, maps, {})
    fails("HANDLE_INVALID", "so is a host of nobody", vm, dict(dest, host="OpaqueRef:x"), True, {}, maps, {})
    fails("HANDLE_INVALID", "a network of the wrong pool", vm, dest, True, {}, dict.fromkeys(maps, source.network.get_all()[0]), {})
    fails("VIF_NOT_IN_MAP", "and an interface without a network", vm, dest, True, {}, {}, {})
    is_(lab.places(uuid), [(1, "Running")], "nothing has moved")


def once(lab):
    index, uuid = lab.runner(1)
    lab.pool.control("mode", "1", "cut", "Async.VM.migrate_send")
    lab.ask("migration, without an answer", index, lab.hosts_of(2)[0])
    lab.pool.control("mode", "1", "normal")
    is_(lab.places(uuid), [(2, "Running")], "it is there, once")


def killed(lab, name, kill, *moments):
    """A move whose process is killed, at some moments of it. Each goes to another pool than the one before."""
    for number, moment in enumerate(moments):
        here, there = (1, 2) if number % 2 else (2, 1)
        index, uuid = lab.runner(here)
        host = lab.hosts_of(there)[-1]
        operation = lab.begin_move(index, host)
        lab.wait(lambda: (lab.get(lab.oid("xenOperationProgress", operation)) or 0) >= moment, f"it has come to {moment} %", 30)
        kill()
        lab.end_move(operation, f"migration, {name} killed at {moment} %")
        is_(lab.places(uuid), [(there, "Running")], "the VM is there, once")
        lab.turns("xenDomainHost", index, host, "the row shows it")


def cancelled(lab):
    index, uuid = lab.runner(1)
    operation = lab.begin_move(index, lab.hosts_of(2)[0])
    lab.wait(lambda: (lab.get(lab.oid("xenOperationProgress", operation)) or 0) >= 1, "it goes on", 30)
    is_(lab.set((lab.oid("xenOperationCancel", operation), "i", CANCEL)), "noError", "cancel is accepted")
    lab.end_move(operation, "a migration that is cancelled", CANCELLED)
    is_(lab.places(uuid), [(1, "Running")], "the VM runs where it was")
    lab.turns("xenDomainState", index, RUNNING, "the row shows it")


def kill_workers(lab):
    for worker in lab.workers():
        os.kill(worker, signal.SIGKILL)
    lab.wait(lab.workers, "there is another worker")


def kill_daemon(lab):
    lab.restart("xensnmpd", signal.SIGKILL)
    lab.wait(lambda: lab.table("xenOperationTable"), "the operations are shown again", 30)


for known in ("8.2", "8.3"):
    with Estate(speed=20) as estate:
        estate.begin(dialect=known, record=estate.path("calls"))
        checks(estate)
        moves(estate)
        refuses(estate)
        server(estate)
        once(estate)
with Estate(speed=3) as estate:
    estate.begin(dialect="8.3")
    cancelled(estate)
    killed(estate, "the worker", lambda: kill_workers(estate), 1, 60)
with Estate(speed=3) as estate:
    estate.begin(dialect="8.3")
    killed(estate, "xensnmpd", lambda: kill_daemon(estate), 1, 60)
done()
