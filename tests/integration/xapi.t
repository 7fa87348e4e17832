#!/usr/bin/env python3
"""A pool of XCP-ng as a source: its hosts and domains, what events change at once, operations, and what happens when sessions,
toolstack or coordinator go."""

import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import done, is_, ok  # noqa: E402
from xapi import PoolLab, XapiError  # noqa: E402

UP, DOWN = 2, 4
RUNNING, SUSPENDED, PAUSED, SHUTDOWN = 4, 6, 8, 11
START, STOP, REBOOT, PAUSE, UNPAUSE, SUSPEND, RESUME = 2, 3, 4, 5, 6, 7, 8
FINISHED, OK = 5, 2


class Estate(PoolLab):
    def is_whole(self):
        return self.state() == UP and super().is_whole()

    def state(self):
        return self.get(self.oid("xenSourceState", "pool1"))

    def of_state(self, state):
        """A guest's (uuid, index, reference)."""
        uuid, row = sorted((u, r) for u, r in self.guests().items() if r["xenDomainState"] == state)[0]
        return uuid, row["index"], self.vms()[uuid]["ref"]

    def domain_state(self, index):
        return self.get(self.oid("xenDomainState", index))

    def finish(self, index, name, varbind):
        """Sets it and waits for the end of the operation that comes of it, which must be ok."""
        before = self.get(self.oid("xenDomainLastOperation", index)) or 0
        is_(self.set(*varbind), "noError", f"{name} is accepted")

        def ended():
            row = self.table("xenOperationTable").get(self.get(self.oid("xenDomainLastOperation", index)), {})
            return row.get("xenOperationIndex", before + 1) > before and row.get("xenOperationState") == FINISHED and row
        row = self.wait(ended, f"{name} has ended", 40)
        is_((row["xenOperationResult"], row.get("xenOperationText", "")), (OK, ""), f"{name} ends ok")

    def executions(self):
        """How often the farm was made to do something."""
        return int(re.search(r"executions=(\d+)", self.farm_ctl("stats"))[1])

    def power(self, index, value, state, name):
        self.finish(index, name, (self.oid("xenDomainPower", index), "i", value))
        is_(self.domain_state(index), state, f"{name}: the row shows it by then")


STATES = {"Running": RUNNING, "Paused": PAUSED, "Suspended": SUSPENDED, "Halted": SHUTDOWN}


def looks(lab):
    guests, vms = lab.guests(), lab.vms()
    is_(sorted(guests), sorted(vms), "the guests are the pool's VMs, without templates, snapshots and control domains")
    is_({u: r["xenDomainState"] for u, r in guests.items()}, {u: STATES[vm["power_state"]] for u, vm in vms.items()},
        "in the state that the pool says")
    is_({u: r["xenDomainName"] for u, r in guests.items()}, {u: vm["name_label"] for u, vm in vms.items()}, "and by its names")
    hosts = lab.table("xenHostTable")
    records = lab.session.host.get_all_records()
    is_(sorted(row["xenHostName"] for row in hosts.values()), sorted(r["name_label"] for r in records.values()),
        "the hosts are its members")
    ok(all(row.get("xenHostMemoryTotal", 0) > 0 for row in hosts.values()), "with their memory")


def measures(lab):
    def measured():
        used = lab.table("xenDomainPerfTable")
        rows = [row["index"] for row in lab.guests().values() if row["xenDomainState"] == RUNNING]
        return rows and all(used[index].get("xenDomainCpuTime", 0) > 0 for index in rows)
    ok(lab.wait(measured, "running guests have used processor time", 40), "counters come from the hosts' averages")


def listens(lab):
    """With polls a minute apart only events can be this quick."""
    uuid, index, ref = lab.of_state(RUNNING)
    lab.session.VM.pause(ref)
    ok(lab.wait(lambda: lab.domain_state(index) == PAUSED, "the pause is seen"), "what others do is seen by its event")
    lab.session.VM.unpause(ref)
    ok(lab.wait(lambda: lab.domain_state(index) == RUNNING, "it runs again is seen"), "and its end")


def operates(lab):
    uuid, index, ref = lab.of_state(RUNNING)
    lab.power(index, PAUSE, PAUSED, "pause")
    lab.power(index, UNPAUSE, RUNNING, "unpause")
    lab.power(index, SUSPEND, SUSPENDED, "suspend, without a save_dir")
    lab.power(index, RESUME, RUNNING, "resume")
    lab.power(index, STOP, SHUTDOWN, "shutdown")
    lab.power(index, START, RUNNING, "start")
    here = lab.get(lab.oid("xenDomainHost", index))
    there = next(key for key in lab.table("xenHostTable") if key != here)
    lab.finish(index, "migration", (lab.oid("xenDomainMigrateTo", index), "s", there))
    is_(lab.get(lab.oid("xenDomainHost", index)), there, "the domain is on the other host by then")
    record = lab.vms()[uuid]
    ok("xensnmp-op" in record["other_config"], "the VM bears the mark of the operation")
    is_([t["name_label"] for t in lab.session.task.get_all_records().values() if t["name_label"].startswith("Async.VM.")], [],
        "no task is left behind")


def shows(lab):
    """The mirror of the pool may come up to 200 ms after the end of an operation, which waits for it: one answer has both."""
    index = lab.of_state(RUNNING)[1]
    seen = []
    for value in (PAUSE, UNPAUSE) * 5:
        lab.set(lab.oid("xenDomainPower", index), "i", value)
        both = lab.oid("xenOperationState", lab.get(lab.oid("xenDomainLastOperation", index))), lab.oid("xenDomainState", index)
        seen.append(lab.wait(lambda: (lambda got: got[0] == FINISHED and got[1])(lab.get(*both)), "it has ended"))
    is_(seen, [PAUSED, RUNNING] * 5, "an operation that has ended is seen in the row of its domain")


def once(lab):
    """Reboots, of which no state tells that they were done, under workers that are killed again and again."""
    running = [row["index"] for row in lab.guests().values() if row["xenDomainState"] == RUNNING]
    first = max(lab.table("xenOperationTable"))
    before = lab.executions()
    refused = [index for index in running if lab.set(lab.oid("xenDomainPower", index), "i", REBOOT) != "noError"]
    is_(refused, [], f"{len(running)} reboots are accepted")

    def rows():
        return {op: row for op, row in lab.table("xenOperationTable").items() if op > first}
    for turn in range(4):
        open_ = lab.wait(lambda: [row["xenOperationPhase"] for row in rows().values()
                                  if row["xenOperationState"] != FINISHED and row.get("xenOperationPhase")] or
                         all(row["xenOperationState"] == FINISHED for row in rows().values()), "something goes on", 40)
        if open_ is True:
            break
        for worker in lab.workers():
            os.kill(worker, signal.SIGKILL)
        lab.wait(lambda: lab.workers(), "there is another worker")
    ok(turn > 0, f"{turn} times all workers were killed")
    lab.wait(lambda: all(row["xenOperationState"] == FINISHED for row in rows().values()), "all have ended", 60)
    is_([(row["xenOperationResult"], row.get("xenOperationText")) for row in rows().values()], [(OK, "")] * len(running),
        "each ended ok")
    is_(lab.executions() - before, len(running), "and was done once")


def recovers(lab):
    lab.pool.control("drop-sessions")
    lab.session = lab.pool.login()
    uuid, index, ref = lab.of_state(RUNNING)
    lab.session.VM.pause(ref)
    ok(lab.wait(lambda: lab.domain_state(index) == PAUSED, "the pause is seen"), "sessions that end are begun anew")
    is_(lab.state(), UP, "unnoticed")
    lab.pool.control("toolstack-restart", "2")

    def again():
        try:
            lab.session = lab.pool.login()
            return True
        except (OSError, XapiError):
            return False
    lab.wait(again, "the toolstack is back")
    lab.session.VM.unpause(ref)
    ok(lab.wait(lambda: lab.domain_state(index) == RUNNING and lab.state() == UP, "the unpause is seen", 40),
       "a restart of the toolstack is lived through")
    lab.pool.control("coordinator", "2")
    lab.pool.coordinator = 2
    lab.session = lab.pool.login()
    lab.session.VM.pause(ref)
    ok(lab.wait(lambda: lab.domain_state(index) == PAUSED and lab.state() == UP, "the pause is seen", 40),
       "another coordinator is found")
    lab.pool.control("mode", "1", "refuse")
    lab.session.VM.unpause(ref)
    ok(lab.wait(lambda: lab.domain_state(index) == RUNNING and lab.state() == UP, "the unpause is seen", 40),
       "though the host of the URI is gone")
    lab.pool.control("mode", "1", "normal")


with Estate(hosts=3, domains=9, speed=4) as lab:
    lab.begin()
    looks(lab)
    operates(lab)
    shows(lab)
    once(lab)
    recovers(lab)
    measures(lab)
with Estate(hosts=3, domains=9, speed=4, agent={"interval": 60}) as lab:
    lab.begin(dialect="8.2")
    listens(lab)
done()
