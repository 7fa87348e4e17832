#!/usr/bin/env python3
"""What the xapi driver really sends, as xapi-farm records it: every call is one of XAPI's contract, spelt as it wants it, in both
releases; and every call that the driver lists is made."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from lab import BUILD, LabError, diag, done, is_, ok  # noqa: E402
from xapi import TwoPools  # noqa: E402
from xapi_contract import RELEASES, call_problems  # noqa: E402

RUNNING, SUSPENDED, PAUSED, SHUTDOWN = 4, 6, 8, 11
START, STOP, REBOOT, PAUSE, UNPAUSE, SUSPEND, RESUME, DESTROY, RESET = range(2, 11)
FINISHED, OK, FAILED, CANCELLED = 5, 2, 4, 5
CANCEL = 2


class Estate(TwoPools):
    def __init__(self, release):
        super().__init__(hosts=3, domains=12, speed=40)
        self.release = release

    def is_whole(self):
        return self.a_runner()

    def a_runner(self):
        """A running guest of the pool of two, once all are there."""
        states = self.column("xenDomainState")
        kinds = self.column("xenDomainKind")
        hosts = self.column("xenDomainHost")
        return len(states) >= self.domains + self.hosts and min((i for i in states if (states[i], kinds.get(i)) == (RUNNING, 1) and
                                                                 hosts.get(i, "").startswith("pool1.")), default=0)

    def begun(self, row, *columns):
        """The operation that a SET of some (column, kind, value) makes."""
        before = max(self.table("xenOperationTable"), default=0)
        error = self.set(*((self.oid(column, row), kind, value) for column, kind, value in columns))
        if error != "noError":
            raise LabError(f"{columns}: {error}: {self.get(self.oid('xenSetLastError', 0))}")
        return self.wait(lambda: max((i for i in self.table("xenOperationTable") if i > before), default=0), "there is an operation")

    def end(self, operation, result, name):
        row = self.wait(lambda: (lambda op: op.get("xenOperationState") == FINISHED and op)(self.table("xenOperationTable")[operation]),
                        f"{name} has ended", 40)
        is_((row["xenOperationResult"], row.get("xenOperationText", "") if result == OK else ""), (result, ""), f"{self.release}: {name}")

    def ask(self, name, row, *columns):
        self.end(self.begun(row, *columns), OK, name)

    def power(self, name, row, value, shows, *more):
        column = "xenDomainForce" if value in (DESTROY, RESET) else "xenDomainPower"
        self.ask(name, row, (column, "i", value), *more)
        self.wait(lambda: self.get(self.oid("xenDomainState", row)) == shows, f"{name}: the row shows it")

    def calls(self):
        """[(method, letters of its parameters)] of the driver, and of nobody: a session that is unknown."""
        with open(self.path("calls")) as lines:
            rows = [line.rstrip("\n").split("\t") for line in lines]
        return [(method, sent) for who, method, sent in rows if who.startswith("xensnmp/") or who == "?"]


def live(lab, row):
    """Every action."""
    here = lab.get(lab.oid("xenDomainHost", row))
    there = next(key for key in lab.table("xenHostTable") if key.startswith("pool1.") and key != here)
    lab.power("pause", row, PAUSE, PAUSED)
    lab.power("unpause", row, UNPAUSE, RUNNING)
    lab.power("reboot", row, REBOOT, RUNNING)
    lab.power("reset", row, RESET, RUNNING)
    lab.ask("check of a migration", row, ("xenDomainCheckMigrateTo", "s", there))
    lab.ask("migration", row, ("xenDomainMigrateTo", "s", there))
    lab.power("suspend", row, SUSPEND, SUSPENDED)
    lab.power("resume", row, RESUME, RUNNING)
    lab.power("shutdown", row, STOP, SHUTDOWN)
    lab.power("start", row, START, RUNNING)
    lab.ask("processors", row, ("xenDomainSetVcpus", "u", 1))
    lab.power("suspend again", row, SUSPEND, SUSPENDED)
    lab.power("resume on the other host", row, RESUME, RUNNING, ("xenDomainStartOn", "s", here))
    lab.power("destroy", row, DESTROY, SHUTDOWN)
    lab.power("start on the other host", row, START, RUNNING, ("xenDomainStartOn", "s", there))


def moved(lab, row):
    """To the other pool."""
    here = lab.get(lab.oid("xenDomainHost", row))
    lab.ask("check of a migration to the other pool", row, ("xenDomainCheckMigrateTo", "s", "pool2"))
    lab.ask("migration to the other pool", row, ("xenDomainMigrateTo", "s", "pool2"))
    lab.ask("and back", row, ("xenDomainMigrateTo", "s", here))


def kept(lab, row):
    """Snapshots: taken, shown, gone back to, deleted."""
    lab.ask("snapshot", row, ("xenDomainSnapshotNow", "s", "one"))
    lab.ask("checkpoint", row, ("xenDomainCheckpointNow", "s", "two"))
    numbers = lab.wait(lambda: (lambda found: len(found) == 2 and found)(
        {point["xenSnapshotName"]: key[1] for key, point in lab.table("xenSnapshotTable").items()
         if key[0] == row and point["xenSnapshotName"] in ("one", "two")}), "both snapshots are shown")
    lab.ask("deletion of a snapshot", row, ("xenDomainDeleteSnapshot", "u", numbers["two"]))
    lab.ask("revert", row, ("xenDomainRevertTo", "u", numbers["one"]))
    lab.wait(lambda: lab.get(lab.oid("xenDomainState", row)) == SHUTDOWN, "the row shows the revert")
    lab.power("start once more", row, START, RUNNING)


def copied(lab, row):
    """A clone, and its end."""
    lab.power("shutdown for a clone", row, STOP, SHUTDOWN)
    lab.ask("clone", row, ("xenDomainCloneAs", "s", "dolly"))
    clone = lab.wait(lambda: min((i for i, name in lab.column("xenDomainName").items() if name == "dolly"), default=0), "it is shown")
    lab.wait(lambda: lab.get(lab.oid("xenDomainState", clone)) == SHUTDOWN, "its state is shown")
    lab.ask("deletion of the clone", clone, ("xenDomainForce", "i", 13))
    lab.power("start behind the clone", row, START, RUNNING)


def made(lab):
    """A domain from a template, and one that can't be provisioned."""
    host = min(lab.table("xenHostTable"))
    session = lab.session
    template = session.VM.get_by_name_label("our own golden image")[0]
    lab.ask("creation", host, ("xenHostCreate", "s", session.VM.get_uuid(template)), ("xenHostCreateAs", "s", "new"))
    session.VM.add_to_other_config(template, "disks", '<provision><disk device="0" size="1" sr="none"/></provision>')
    operation = lab.begun(host, ("xenHostCreate", "s", "our own golden image"), ("xenHostCreateAs", "s", "never"))
    lab.end(operation, FAILED, "a creation without storage fails")
    is_(session.VM.get_by_name_label("never"), [], f"{lab.release}: and leaves nothing")


def maintenance(lab):
    host = min(lab.table("xenHostTable"))
    for name, action in (("disable", 24), ("enable", 23), ("evacuate", 22), ("enable again", 23)):
        lab.ask(f"{name} a host", host, ("xenHostAction", "i", action))


def trouble(lab, row):
    """A call whose answer is lost is looked for; one that takes long is cancelled; the session is ended at the end."""
    lab.pool.control("mode", "1", "cut", "Async.VM.set_memory_dynamic_range")
    lab.ask("memory, without an answer", row, ("xenDomainSetMemory", "u", lab.get(lab.oid("xenDomainMemoryMax", row)) // 2))
    lab.farm_ctl("hang", "shutdown")
    before = len(lab.calls())
    operation = lab.begun(row, ("xenDomainPower", "i", STOP))
    lab.wait(lambda: ("task.get_record", "r") in lab.calls()[before:], "the shutdown goes on")
    is_(lab.set((lab.oid("xenOperationCancel", operation), "i", CANCEL)), "noError", f"{lab.release}: cancel is accepted")
    lab.end(operation, CANCELLED, "a shutdown that hangs is cancelled")
    lab.farm_ctl("clear")
    is_(lab.restart("xensnmpd"), 0, f"{lab.release}: xensnmpd ends, and logs out")
    lab.wait(lab.a_runner, "the pool is up again", 30)


def unwritable(lab):
    """A record that can't be made is no record that nobody misses."""
    command = [lab.binary("xapi-farm"), *lab.pool.arguments(), "--record", lab.path("nowhere", "calls")]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    is_(answer.returncode, 1, f"{lab.release}: xapi-farm does not serve without the record that it is to make")
    ok(f"--record: {lab.path('nowhere', 'calls')}: No such file" in answer.stderr, f"{lab.release}: ... and says why") or diag(answer.stderr)


def compare(lab, listed):
    made = set(lab.calls())
    problems = [problem for method, sent in sorted(made) for problem in call_problems(method, sent, lab.release, exact=True)]
    ok(not problems, f"{lab.release}: what was sent in {len(made)} forms is as the contract wants it") or diag("\n".join(problems))
    sent = {method for method, _ in made}
    ok(not listed - sent, f"{lab.release}: every call that the driver lists was made") or diag("not covered: " + ", ".join(sorted(listed - sent)))
    ok(not sent - listed, f"{lab.release}: and no other") or diag(sorted(sent - listed))


def listed_calls():
    answer = subprocess.run([os.path.join(BUILD, "tests", "contract", "xapi_dump")], capture_output=True, text=True, check=True)
    return {line.split("\t")[1] for line in answer.stdout.splitlines() if line.startswith("call\t")}


LISTED = listed_calls()
for known in RELEASES:
    with Estate(known) as estate:
        estate.begin(dialect=known, record=estate.path("calls"))
        guest = estate.a_runner()
        live(estate, guest)
        moved(estate, guest)
        kept(estate, guest)
        copied(estate, guest)
        made(estate)
        maintenance(estate)
        trouble(estate, guest)
        compare(estate, LISTED)
        unwritable(estate)
done()
