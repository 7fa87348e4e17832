#!/usr/bin/env python3
"""Memory, processors, weight and cap of a running domain, core dump, NMI, and a rescan: by SET and by xenctl."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import Lab, diag, done, is_, ok

RUNNING, PAUSED = 4, 8
PAUSE, UNPAUSE, DUMP_CORE, NMI, RESCAN = 5, 6, 19, 20, 25
FINISHED, OK, FAILED, TRANSPORT = 5, 2, 4, 18


class Estate(Lab):
    """A lab with words for what this test does."""

    def op(self, index):
        return self.table("xenOperationTable")[index]

    def last(self):
        index = self.last_op()
        self.wait(lambda: self.op(index)["xenOperationState"] == FINISHED, f"operation {index} ended")
        return self.op(index)

    def last_op(self):
        return max(self.table("xenOperationTable"), default=0)

    def ask(self, column, row, value, kind, words):
        """A SET that is accepted and ends well."""
        is_(self.set((self.oid(column, row), kind, value)), "noError", f"{words}: accepted")
        op = self.last()
        is_((op["xenOperationResult"], op["xenOperationDomainIndex"]), (OK, row), f"{words}: {op['xenOperationText']}")
        return op

    def refuse(self, column, row, value, kind, error, words):
        before = self.last_op()
        is_(self.set((self.oid(column, row), kind, value)), error, f"{words}: {error}")
        is_(self.last_op(), before, f"{words}: no operation")

    def read(self, column, row):
        return self.get(self.oid(column, row))


def seen_by_farm(lab, row, fact):
    name = lab.read("xenDomainName", row)
    line = [line for line in lab.farm_ctl("domains").splitlines() if f"\t{name}\t" in line]
    return int(dict(word.split("=") for word in line[0].split("\t") if "=" in word)[fact])


def numbers(lab, row):
    most = lab.read("xenDomainMemoryMax", row)
    lab.ask("xenDomainSetMemory", row, most // 2, "u", "memory")
    is_(lab.read("xenDomainMemory", row), most // 2, "memory: the row follows")
    lab.ask("xenDomainSetMemory", row, most, "u", "memory back")
    is_(lab.read("xenDomainMemory", row), most, "memory back: the row follows")
    lab.refuse("xenDomainSetMemory", row, most + 1, "u", "inconsistentValue", "more than its maximum")
    ok(f"at most {most} MiB" in lab.read("xenSetLastError", 0), "more than its maximum: and why")
    lab.ask("xenDomainSetVcpus", row, 1, "u", "processors")
    is_(lab.read("xenDomainVcpus", row), 1, "processors: the row follows")
    lab.refuse("xenDomainSetVcpus", row, lab.read("xenDomainVcpusMax", row) + 1, "u", "inconsistentValue",
               "more processors than it has")
    lab.ask("xenDomainSetWeight", row, 512, "u", "weight")
    is_(seen_by_farm(lab, row, "weight"), 512, "weight: the host has it")
    lab.ask("xenDomainSetCap", row, 50, "i", "cap")
    is_(seen_by_farm(lab, row, "cap"), 50, "cap: the host has it")
    lab.ask("xenDomainSetCap", row, 0, "i", "no cap")
    is_(seen_by_farm(lab, row, "cap"), 0, "no cap: the host has it")


def refusals(lab, row):
    for column, idle, kind in (("xenDomainSetMemory", 0, "u"), ("xenDomainSetVcpus", 0, "u"),
                               ("xenDomainSetWeight", 0, "u"), ("xenDomainSetCap", -1, "i")):
        is_(lab.read(column, row), idle, f"{column} reads {idle}")
        lab.refuse(column, row, idle, kind, "noError", f"{column} written as it reads")
        lab.refuse(column, row, "1", "s", "wrongType", f"{column} as a text")
    lab.refuse("xenDomainSetMemory", row, 2 ** 31, "u", "wrongValue", "memory without bounds")
    lab.refuse("xenDomainSetVcpus", row, 4097, "u", "wrongValue", "processors without bounds")
    lab.refuse("xenDomainSetWeight", row, 65536, "u", "wrongValue", "weight without bounds")
    lab.refuse("xenDomainSetCap", row, -2, "i", "wrongValue", "a negative cap")
    before = lab.last_op()
    is_(lab.set((lab.oid("xenDomainSetWeight", row), "u", 300), (lab.oid("xenDomainSetCap", row), "i", 10)),
        "inconsistentValue", "two numbers at once: inconsistentValue")
    is_(lab.last_op(), before, "two numbers at once: neither is done")
    lab.ask("xenDomainPower", row, PAUSE, "i", "pause")
    lab.refuse("xenDomainSetMemory", row, 64, "u", "inconsistentValue", "the memory of a paused domain")
    lab.ask("xenDomainSetWeight", row, 128, "u", "the weight of a paused domain")
    lab.ask("xenDomainPower", row, UNPAUSE, "i", "unpause")
    is_(lab.set((lab.oid("xenDomainProtected", row), "i", 1)), "noError", "protected")
    lab.refuse("xenDomainForce", row, NMI, "i", "noAccess", "an NMI for a protected domain")
    lab.ask("xenDomainForce", row, DUMP_CORE, "i", "the core of a protected domain")
    is_(lab.set((lab.oid("xenDomainProtected", row), "i", 2)), "noError", "no more protected")


def rescan(lab):
    host = lab.read("xenDomainHost", 2) or "host-1"
    polls = lab.oid("xenSourcePollsOk", host)
    before = lab.get(polls)
    is_(lab.set((lab.oid("xenHostAction", host), "i", RESCAN)), "noError", "rescan: accepted")
    op = lab.last()
    is_((op["xenOperationResult"], op["xenOperationHostFrom"]), (OK, host), "rescan: ok")
    ok(lab.get(polls) > before, "rescan: the source was polled, though its turn is in an hour")
    is_(lab.set((lab.oid("xenHostAction", host), "i", 9)), "wrongValue", "a host can't be destroyed")
    lab.farm_ctl("host", host, "refuse")
    for words in ("refuses", "refused once", "refused twice", "is down"):
        is_(lab.set((lab.oid("xenHostAction", host), "i", RESCAN)), "noError", f"rescan of one that {words}: accepted")
        op = lab.last()
        is_((op["xenOperationResult"], op["xenOperationCause"]), (FAILED, TRANSPORT),
            f"rescan of one that {words}: failed, and why: {op['xenOperationText']}")
    lab.farm_ctl("host", host, "normal")
    is_(lab.set((lab.oid("xenHostAction", host), "i", RESCAN)), "noError", "rescan of one that is back: accepted")
    is_(lab.last()["xenOperationResult"], OK, "rescan of one that is back: ok")


def by_xenctl(lab, row):
    name = lab.read("xenDomainName", row)
    most = lab.read("xenDomainMemoryMax", row)
    for words, status in ((("set-memory", name, str(most // 2)), 0), (("set-memory", name, str(most + 1)), 2),
                          (("set-memory", name, "much"), 1), (("set-vcpus", name, "1"), 0), (("set-weight", name, "0"), 1),
                          (("set-weight", name, "1024"), 0), (("set-cap", name, "0"), 0), (("dump-core", name), 0),
                          (("nmi", name), 0), (("rescan", lab.read("xenDomainHost", row)), 0), (("rescan", "nowhere"), 2)):
        result = lab.xenctl(*words)
        if not is_(result.returncode, status, f"xenctl {' '.join(words)}"):
            diag(result.stdout + result.stderr)
    is_(lab.read("xenDomainMemory", row), most // 2, "xenctl: the memory is set")
    is_(seen_by_farm(lab, row, "weight"), 1024, "xenctl: the weight is set")


with Estate(hosts=2, domains=8, agent={"duplicate_window": 0, "interval": 3600}) as lab:
    target = next(int(row) for row, cells in lab.table("xenDomainTable").items()
                  if cells["xenDomainKind"] == 1 and cells["xenDomainState"] == RUNNING
                  and cells["xenDomainVcpusMax"] > 1)
    numbers(lab, target)
    refusals(lab, target)
    rescan(lab)
    by_xenctl(lab, target)
done()
