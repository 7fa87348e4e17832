#!/usr/bin/env python3
"""Actions by SET through a real snmpd: life cycles, parameters, locks, and what one PDU may hold."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import Lab, done, is_, ok

RUNNING, PAUSED, SHUTDOWN = 4, 8, 11
NOOP, START, STOP, REBOOT, PAUSE, UNPAUSE, DESTROY, RESET = 1, 2, 3, 4, 5, 6, 9, 10
FINISHED, OK = 5, 2


class Estate(Lab):
    """A lab with words for what these tests do."""

    def power(self, row, action, *more):
        return self.set((self.oid("xenDomainPower", row), "i", action), *more)

    def force(self, row, action, *more):
        return self.set((self.oid("xenDomainForce", row), "i", action), *more)

    def ops(self):
        return self.table("xenOperationTable")

    def last(self):
        """The newest operation, when it has ended."""
        index = max(self.ops())
        self.wait(lambda: self.ops()[index]["xenOperationState"] == FINISHED, f"operation {index} ended")
        return self.ops()[index]

    def becomes(self, row, state, what):
        self.wait(lambda: self.get(self.oid("xenDomainState", row)) == state, what)

    def reason(self):
        return self.get(self.oid("xenSetLastError", 0))

    def guests(self, state):
        return [int(row) for row, cells in self.table("xenDomainTable").items()
                if cells["xenDomainKind"] == 1 and cells["xenDomainState"] == state]

    def name(self, row):
        return self.get(self.oid("xenDomainName", row))


with Estate(hosts=3, domains=18, agent={"duplicate_window": 0}) as lab:
    running = lab.guests(RUNNING)
    row = running[0]
    name = lab.name(row)

    # --- one domain through its life, by index
    for action, state, word in ((PAUSE, PAUSED, "pause"), (UNPAUSE, RUNNING, "unpause"), (STOP, SHUTDOWN, "shutdown"),
                                (START, RUNNING, "start"), (REBOOT, RUNNING, "reboot")):
        is_(lab.power(row, action), "noError", f"{word} is accepted")
        op = lab.last()
        is_((op["xenOperationAction"], op["xenOperationResult"], op["xenOperationDomainIndex"]), (action, OK, row),
            f"the {word} ends ok: {op['xenOperationText']}")
        lab.becomes(row, state, f"the domain shows {state} after {word}")
    is_(lab.force(row, DESTROY), "noError", "destroy is accepted")
    is_(lab.last()["xenOperationResult"], OK, "the destroy ends ok")
    lab.becomes(row, SHUTDOWN, "the domain is off")
    is_(lab.get(lab.oid("xenDomainWanted", row)), 4, "wanted is shutdown")
    is_(lab.get(lab.oid("xenDomainDomid", row)), None, "a domain that does not run has no domid")
    is_(lab.power(row, START), "noError", "it can be started again")
    is_(lab.last()["xenOperationResult"], OK, "the start ends ok")
    lab.becomes(row, RUNNING, "the domain is back")
    is_(lab.force(row, RESET), "noError", "reset is accepted")
    op = lab.last()
    is_(op["xenOperationResult"], OK, f"the reset ends ok: {op['xenOperationText']}")
    newest = max(lab.ops())
    is_(lab.get(lab.oid("xenDomainLastOperation", row), lab.oid("xenDomainLastResult", row)), [newest, OK],
        "the domain points to it")
    is_(lab.get(lab.oid("xenDomainPower", row), lab.oid("xenDomainForce", row)), [NOOP, NOOP],
        "action columns read noop")

    # --- by name
    is_(lab.set(lab.oid("xenNamePower", name), "i", PAUSE), "noError", "pause by name")
    lab.last()
    is_(lab.get(lab.oid("xenNameLastOperation", name)), "pause: ok", "and its outcome by name")
    lab.wait(lambda: lab.get(lab.oid("xenNameState", name)) == PAUSED, "paused by name")
    host = lab.get(lab.oid("xenNameHost", name))
    is_(lab.set(lab.oid("xenNamePower", f"{host}/{name}"), "i", UNPAUSE), "noError", "unpause by host/name")
    lab.last()
    lab.becomes(row, RUNNING, "running again")
    is_(lab.set(lab.oid("xenNamePower", "Domain-0"), "i", REBOOT), "inconsistentName", "an ambiguous name is refused")
    ok("stands for 3 domains" in lab.reason(), f"with the reason: {lab.reason()}")
    is_(lab.get(lab.oid("xenNameCount", "Domain-0"), lab.oid("xenNameDomainIndex", "Domain-0")), [3, None],
        "its row counts and shows nothing else")

    # --- migration
    target = next(key for key in lab.host_names() if key != host)
    is_(lab.set(lab.oid("xenDomainCheckMigrateTo", row), "s", target), "noError", "a check is accepted")
    is_(lab.last()["xenOperationResult"], OK, "the check ends ok")
    is_(lab.get(lab.oid("xenDomainHost", row)), host, "and moved nothing")
    uuid = lab.get(lab.oid("xenDomainUuid", row))
    is_(lab.set((lab.oid("xenDomainNote", row), "s", "ticket 77"), (lab.oid("xenDomainMigrateTo", row), "s", target),
                (lab.oid("xenDomainTimeout", row), "u", 90)), "noError", "a migration is accepted, parameters first and last")
    op = lab.last()
    is_((op["xenOperationResult"], op["xenOperationHostFrom"], op["xenOperationHostTo"], op["xenOperationNote"],
         op["xenOperationTimeout"]), (OK, host, target, "ticket 77", 90), f"it ends ok: {op['xenOperationText']}")
    lab.wait(lambda: lab.get(lab.oid("xenDomainHost", row)) == target, "the row shows the new host")
    is_(lab.get(lab.oid("xenDomainUuid", row), lab.oid("xenDomainState", row)), [uuid, RUNNING],
        "index, uuid and state stayed")
    is_(lab.get(lab.oid("xenDomainMigrateTo", row)), "", "the column reads empty again")

    # --- what one PDU may hold
    a, b, c = running[1:4]
    before = len(lab.ops())
    is_(lab.set((lab.oid("xenDomainPower", a), "i", PAUSE), (lab.oid("xenDomainPower", b), "i", START)),
        "inconsistentValue", "a good and a bad action are refused together")
    is_(lab.writer.failed, lab.oid("xenDomainPower", b), "the bad one is named")
    ok("while it is running" in lab.reason(), f"with the reason: {lab.reason()}")
    is_(len(lab.ops()), before, "and nothing was begun")
    is_(lab.set((lab.oid("xenDomainPower", a), "i", PAUSE), (lab.oid("xenDomainPower", b), "i", PAUSE)), "noError",
        "two good ones are taken together")
    lab.last()
    is_(len(lab.ops()), before + 2, "and make two operations")
    for label, second in (("index", (lab.oid("xenDomainForce", c), "i", RESET)),
                          ("name", (lab.oid("xenNamePower", lab.name(c)), "i", REBOOT))):
        is_(lab.set((lab.oid("xenDomainPower", c), "i", PAUSE), second), "inconsistentValue",
            f"two actions for one domain are refused (the second by {label})")
    for column, kind, value in (("xenDomainTimeout", "u", 5), ("xenDomainNote", "s", "x"), ("xenDomainStartOn", "s", host)):
        is_(lab.set(lab.oid(column, c), kind, value), "inconsistentValue", f"{column} alone is refused")
        ok(column in lab.reason(), f"with the reason: {lab.reason()}")
    is_(lab.set((lab.oid("xenDomainPower", c), "i", PAUSE), (lab.oid("xenDomainStartOn", c), "s", host)),
        "inconsistentValue", "StartOn does not go with pause")
    is_(lab.set((lab.oid("xenDomainPower", c), "i", NOOP), (lab.oid("xenDomainForce", c), "i", NOOP),
                (lab.oid("xenDomainMigrateTo", c), "s", ""), (lab.oid("xenDomainNote", c), "s", ""),
                (lab.oid("xenDomainTimeout", c), "u", 0), (lab.oid("xenDomainStartOn", c), "s", "")), "noError",
        "what the columns read can be written back")
    is_(len(lab.ops()), before + 2, "and does nothing")

    # --- locks
    lock = lab.get(lab.oid("xenDomainLock", c))
    is_(lab.set((lab.oid("xenDomainLock", c), "i", (lock + 1) % 2**31), (lab.oid("xenDomainPower", c), "i", PAUSE)),
        "inconsistentValue", "a wrong lock refuses the action")
    is_(lab.writer.failed, lab.oid("xenDomainLock", c), "and is what is named")
    is_(lab.set((lab.oid("xenDomainPower", c), "i", PAUSE), (lab.oid("xenDomainLock", c), "i", lock)), "noError",
        "the right lock lets it through")
    is_(lab.get(lab.oid("xenDomainLock", c)), (lock + 1) % 2**31, "and moves on")
    is_(lab.set((lab.oid("xenDomainPower", c), "i", PAUSE), (lab.oid("xenDomainLock", c), "i", lock)),
        "inconsistentValue", "the same request again is refused")
    lab.last()

    # --- protection, and domains that take no action
    is_(lab.set(lab.oid("xenDomainProtected", b), "i", 1), "noError", "a domain is protected")
    is_(lab.get(lab.oid("xenDomainProtected", b)), 1, "and shows it")
    is_(lab.force(b, DESTROY), "noAccess", "a protected domain is not destroyed")
    ok("protected" in lab.reason(), f"with the reason: {lab.reason()}")
    is_(lab.power(b, STOP), "noAccess", "nor shut down")
    is_(lab.set(lab.oid("xenDomainProtected", b), "i", 2), "noError", "protection is taken away")
    zero = next(int(i) for i, cells in lab.table("xenDomainTable").items() if cells["xenDomainKind"] == 2)
    for column, value in (("xenDomainPower", STOP), ("xenDomainForce", DESTROY)):
        is_(lab.set(lab.oid(column, zero), "i", value), "noAccess", f"Domain-0 takes no action ({column})")
    is_(lab.set(lab.oid("xenDomainMigrateTo", zero), "s", target), "noAccess", "nor does it move")

    # --- creating from a file
    off = lab.guests(SHUTDOWN)[0]
    path, place = lab.get(lab.oid("xenDomainConfig", off), lab.oid("xenDomainHost", off))
    is_(lab.set((lab.oid("xenHostNote", place), "s", "made"), (lab.oid("xenHostStartFile", place), "s", path)), "noError",
        "a domain is started from its file")
    op = lab.last()
    is_((op["xenOperationAction"], op["xenOperationResult"], op["xenOperationArgument"], op["xenOperationNote"]),
        (12, OK, path, "made"), f"the create ends ok: {op['xenOperationText']}")
    lab.becomes(off, RUNNING, "the same row runs")
    is_(lab.set(lab.oid("xenHostNote", place), "s", "x"), "inconsistentValue", "a note without an action is refused")
    is_(lab.set((lab.oid("xenHostCreate", place), "s", "a"), (lab.oid("xenHostStartFile", place), "s", path)),
        "inconsistentValue", "two ways to create in one PDU are refused")
    ok(lab.set(lab.oid("xenHostStartFile", place), "s", "/etc/passwd") != "noError", "files elsewhere are refused")
    ok(lab.set(lab.oid("xenHostCreate", place), "s", "../../etc/passwd") != "noError", "so are names with a path")

    # --- cancel
    is_(lab.set(lab.oid("xenOperationCancel", newest), "i", 2), "inconsistentValue", "what has ended is not cancelled")
    is_(lab.set(lab.oid("xenOperationCancel", newest), "i", 1), "noError", "noop does nothing")
    done_before = lab.get(lab.oid("xenSetsAccepted", 0), lab.oid("xenSetsRefused", 0))
    ok(all(n > 10 for n in done_before), f"SETs are counted: {done_before}")

with Estate(hosts=2, domains=4, control=False) as lab:
    row = lab.guests(RUNNING)[0]
    is_(lab.power(row, PAUSE), "notWritable", "control off: no action")
    ok("control" in lab.reason(), f"with the cure: {lab.reason()}")
    is_(lab.set(lab.oid("xenDomainPower", row), "i", NOOP), "notWritable", "not even noop")
    is_(lab.set((lab.oid("xenSourceUri", "new"), "s", "sim:///a/b"), (lab.oid("xenSourceRowStatus", "new"), "i", 4)),
        "notWritable", "no new source")
    is_(lab.get(lab.oid("xenControlEnabled", 0)), 2, "and the agent says so")
done()
