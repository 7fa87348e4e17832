#!/usr/bin/env python3
"""Reading through a real snmpd: every way to walk gives the same, and it is what the golden walk says.

WALK_UPDATE=1 writes tests/walk/farm.walk anew: read the difference before you commit it.
"""

import difflib
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../lib"))
from lab import TOP, Lab, diag, done, is_, ok

GOLDEN = os.path.join(TOP, "tests", "walk", "farm.walk")
ROOT = "1.3.6.1.4.1.8072.9999.9999.936"
# Their values differ from run to run; that they are there, and their type, must not.
VOLATILE = re.compile(
    r"xen(AgentVersion|AgentStarted|PollsOk|PollsFailed|PollMaxTime|OldestDataAge|HandlerMaxTime|Workers"
    r"|DatabaseSize|AgentMemory|QueueDepth"
    r"|DomainLock|SetErrorTime|HostCpuPercent|HostLoad1|HostNet..Octets|HostUptime|HostDataAge|HostBootTime"
    r"|SourceUri|SourceLastOk|SourceLastTry|SourceStateSince|SourcePollsOk|SourcePollTime|SourcePollTimeAverage"
    r"|SourceDataAge|DomainStateSince|DomainStarted|DomainCpu\w+|DomainNet\w+|DomainDisk\w+|DomainUptime"
    r"|DomainDataAge|OperationCreated|OperationStarted|OperationEnded|OperationElapsed|EventTime|VcpuTime"
    r"|DomainSnapshot(Time|Age)|Group(CpuPercent|NetOctets|DiskOctets|Discontinuity|PlanStart|HistoryTime)"
    r"|V(if|bd)\w*(Octets|Packets|Drops|Reads|Writes))\.")


def numbers(rows):
    return [[int(arc) for arc in oid.split(".")] for oid, _ in rows]


def stable(oid_names, rows):
    """Values that may change while we look are left out."""
    return [(oid, value) for oid, value in rows if not VOLATILE.match(named(oid_names, oid))]


def named(oid_names, oid):
    """numeric OID -> name.index"""
    parts = oid.split(".")
    for cut in range(len(parts), 0, -1):
        name = oid_names.get(".".join(parts[:cut]))
        if name:
            return ".".join([name, *parts[cut:]])
    return oid


def golden(lab, oid_names):
    """The whole walk as text, volatile values masked."""
    text = subprocess.run(lab.client.command("snmpwalk", "-On", "-Oe", "-Ot", lab.client.address, "." + ROOT),
                          env=lab.client.env, capture_output=True, text=True, check=True).stdout
    lines = []
    for line in text.splitlines():
        oid, _, value = line.partition(" = ")
        name = named(oid_names, oid.lstrip("."))
        if VOLATILE.match(name):
            value = re.sub(r"^([\w-]+: ).*|^\d+$|^\"\"$", r"\1*", value)
        lines.append(f"{name} = {value}".rstrip())
    return "\n".join(lines) + "\n"


with Lab(hosts=1, domains=4, seed=7, agent={"discovery_allow": "198.51.100.0/24"},
         sources={"spare": {"uri": "sim:///nowhere/spare", "enabled": "no"}},
         sections={"group files": {"members": "files-03", "hosts": "host1:50", "spread": "pack"},
                   "group db": {"description": "databases", "members": "db-01; db-02; none", "min_running": 2},
                   "member db/db-02": {"description": "the second", "priority": 60, "pin": "host1"}}) as lab:
    oid_names = {oid: name for name, oid in lab.schema().items()}
    guest = next(int(row) for row, cells in lab.table("xenDomainTable").items()
                 if cells["xenDomainKind"] == 1 and cells["xenDomainState"] == 4)
    is_(lab.set((lab.oid("xenDomainPower", guest), "i", 5), (lab.oid("xenDomainNote", guest), "s", "golden")),
        "noError", "a pause is accepted")
    lab.wait(lambda: lab.get(lab.oid("xenOperationState", 1)) == 5, "the operation ended")
    lab.wait(lambda: lab.get(lab.oid("xenDomainState", guest)) == 8, "the domain is paused")
    is_(lab.set(lab.oid("xenDomainTimeout", guest), "u", 90000), "wrongValue", "a refused SET has its row")
    lab.wait(lambda: len(lab.walk(lab.oid("xenDomainCpuPercent"))) >= 2, "two polls gave percentages")
    lab.wait(lambda: lab.get(lab.oid("xenEventLastSerial", 0)) == 5, "all that has its event")

    # --- every way to read
    walked = lab.walk(ROOT)
    ok(len(walked) > 200, f"the walk is not empty ({len(walked)})")
    order = numbers(walked)
    ok(all(a < b for a, b in zip(order, order[1:])), "it rises strictly")
    ok(all(oid.startswith(ROOT + ".") for oid, _ in walked), "it does not leave the tree")
    for repetitions in (1, 7, 50):
        is_(stable(oid_names, lab.bulkwalk(ROOT, repetitions)), stable(oid_names, walked),
            f"GETBULK of {repetitions} reads the same")
    names = [oid for oid, _ in walked]
    got = []
    for i in range(0, len(names), 40):
        part = names[i:i + 40]
        # The last one twice: of a single name the value would come without a list.
        got += zip(part, lab.get(*part, part[-1]))
    is_(stable(oid_names, got), stable(oid_names, walked), "GET of each name reads the same")
    is_(stable(oid_names, lab.user("monitor").bulkwalk(ROOT)), stable(oid_names, walked), "so does SNMPv3")
    whole = dict(walked)
    columns = sorted({oid.rsplit(".", 1)[0] for oid in names if ".936.1.4.1.1." in oid}, key=len)
    row = lab.getnext(*columns)
    ok(all(oid.startswith(column + ".") and oid in whole for column, (oid, _) in zip(columns, row)),
       "GETNEXT of all columns in one PDU gives a cell of each")

    # --- what is not there
    empty = (ROOT, ROOT + ".1", ROOT + ".1.4.1.1", ROOT + ".1.4.1.1.1.1", ROOT + ".1.4.1.1.2", ROOT + ".1.9.1",
             lab.oid("xenDomainName", 99), lab.oid("xenDomainName") + ".1.1", lab.oid("xenHostName", "none"),
             lab.oid("xenHostName") + ".1", lab.oid("xenAgentVersion", 1), lab.oid("xenNameState", "no such name"))
    is_(lab.get(*empty), [None] * len(empty), "no value for names that are none")
    behind = lab.getnext(lab.oid("xenEventMaxRows", 0))
    ok(not behind or not behind[0][0].startswith(ROOT), "GETNEXT of the last object leaves the tree")
    raw = subprocess.run(lab.client.command("snmpget", "-On", lab.client.address, lab.oid("xenDomainName", 99),
                                            ROOT + ".1.4.1.1.1.1"), env=lab.client.env, capture_output=True,
                         text=True).stdout
    ok("No Such Instance" in raw.splitlines()[0] and "No Such Object" in raw.splitlines()[1],
       "noSuchInstance for a row, noSuchObject for a column that is none")

    # --- golden
    text = golden(lab, oid_names)
    if os.environ.get("WALK_UPDATE"):
        with open(GOLDEN, "w") as out:
            out.write(text)
    with open(GOLDEN) as file:
        want = file.read()
    if not ok(text == want, "the walk is the golden one"):
        diag("\n".join(list(difflib.unified_diff(want.splitlines(), text.splitlines(), "golden", "now", lineterm="", n=0))[:60]))
done()
